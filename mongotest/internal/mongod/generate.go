package mongod

import (
	"strconv"
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
		return r.currentOps(), nil
	case "$listLocalSessions":
		return r.server.sessions.documents(), nil
	case "$listSessions", "$planCacheStats":
		return listed(nil), nil
	}
	return nil, errorf(codeCommandNotSupported, "stage %s is not supported", stage)
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
	d := newDoc().str("ns", ns.String()).str("host", r.server.Host).date("localTime", time.Now())
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

// currentOps are the operations in progress: the one that asks.
func (r *request) currentOps() query.Iterator {
	d := newDoc().str("type", "op").str("host", r.server.Host)
	d.str("desc", "conn"+strconv.Itoa(int(r.conn.id))).int32("connectionId", r.conn.id)
	d.str("client", r.conn.net.RemoteAddr().String()).str("appName", r.conn.appName)
	if r.conn.metadata != nil {
		d.doc("clientMetadata", r.conn.metadata)
	}
	d.bool("active", true).str("currentOpTime", r.arrived.UTC().Format("2006-01-02T15:04:05.000-0700"))
	d.int32("opid", 1).int64("secs_running", 0).int64("microsecs_running", 0).str("op", "command")
	d.str("ns", r.db+".$cmd.aggregate").doc("command", r.body)
	return listed([]bson.Raw{d.raw()})
}
