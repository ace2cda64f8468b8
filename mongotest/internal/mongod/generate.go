package mongod

import (
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// generate makes the documents of a first stage that only the server knows.
func (r *request) generate(ns storage.Namespace, state func() (*storage.State, error), stage string, spec bson.RawValue) (query.Iterator, error) {
	s, err := state()
	if err != nil {
		return nil, err
	}
	switch stage {
	case "$collStats":
		return r.collStatsStage(s, ns, spec)
	case "$indexStats":
		return r.indexStats(s, ns), nil
	case "$currentOp":
		if err := currentOpStage(spec); err != nil {
			return nil, err
		}
		return listed(r.server.operations.documents(r)), nil
	case "$listLocalSessions":
		if ns.Collection != "" {
			return nil, errorf(codeInvalidNamespace, "$listLocalSessions must be run against the database with {aggregate: 1}, not a collection")
		}
		if err := listLocalSessionsStage(spec, r.server.Version); err != nil {
			return nil, err
		}
		return r.server.sessions.documents(), nil
	case "$listSearchIndexes":
		return nil, errNoSearch
	case "$listSessions", "$planCacheStats":
		return listed(nil), nil
	}
	return nil, errorf(codeCommandNotSupported, "stage %s is not supported", stage)
}

var errNoSearch = errorf(6047401, "$listSearchIndexes stage is only allowed on MongoDB Atlas")

var listLocalSessionsSchema = newSchema("$listLocalSessions", field{name: "allUsers", fieldType: boolean}, field{name: "users", fieldType: anything})

func listLocalSessionsStage(spec bson.RawValue, v Version) error {
	options, _ := spec.Document()
	return listLocalSessionsSchema.document(orEmpty(options), v.Version)
}

// listed is an iterator over documents.
func listed(docs []bson.Raw) query.Iterator {
	return func() (bson.Raw, error) {
		if len(docs) == 0 {
			return nil, nil
		}
		d := docs[0]
		docs = docs[1:]
		return d, nil
	}
}

func (r *request) collStatsStage(s *storage.State, ns storage.Namespace, spec bson.RawValue) (query.Iterator, error) {
	c := s.Collection(ns)
	if c == nil {
		return nil, errorf(codeNamespaceNotFound, "Unable to retrieve storageStats in $collStats stage :: caused by :: Collection [%s] not found.", ns)
	}
	options, _ := spec.Document()
	d := newDoc().str("ns", ns.String())
	if r.conn.internal && r.server.Cluster != nil {
		d.str("shard", r.server.Cluster.Shard.Name)
	}
	d.str("host", r.server.Host).date("localTime", time.Now())
	if !options.Lookup("latencyStats").IsZero() {
		d.embed("latencyStats", func(d *doc) {
			for _, name := range []string{"reads", "writes", "commands", "transactions"} {
				d.embed(name, func(d *doc) { d.int64("latency", 0).int64("ops", 0) })
			}
		})
	}
	if v := options.Lookup("storageStats"); !v.IsZero() {
		scale := int64(1)
		if f := bson.Raw(v.Value).Lookup("scale"); f.IsNumber() {
			scale = whole(f)
		}
		d.embed("storageStats", func(d *doc) { r.storageStats(d, c, scale) })
	}
	if !options.Lookup("count").IsZero() {
		d.number("count", int64(c.Len()))
	}
	return listed([]bson.Raw{d.raw()}), nil
}

func (r *request) indexStats(s *storage.State, ns storage.Namespace) query.Iterator {
	var docs []bson.Raw
	if c := s.Collection(ns); c != nil {
		for _, ix := range c.Indexes {
			d := newDoc().str("name", ix.Name).doc("key", ix.Key).str("host", r.server.Host)
			d.embed("accesses", func(d *doc) { d.int64("ops", 0).date("since", r.server.started) })
			docs = append(docs, d.doc("spec", ix.Spec).raw())
		}
	}
	return listed(docs)
}
