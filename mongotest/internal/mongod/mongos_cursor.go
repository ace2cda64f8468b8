package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
	"github.com/motor-go/motor/wire"
)

// remote is the cursor on a server of the cluster that a cursor of a mongos
// stands for.
type remote struct {
	server *Server
	id     int64
	ns     string
}

// routeCursor sends a command on that opens a cursor.
func routeCursor(r *request) (*doc, error) { return r.openRouted(r.destination(), r.body) }

// openRouted runs a command that opens a cursor on a shard, and opens a cursor
// here for the one there.
func (r *request) openRouted(s *Shard, body bson.Raw, sequences ...wire.Sequence) (*doc, error) {
	a, err := r.ask(s, body, sequences...)
	if err != nil {
		return nil, err
	}
	return r.adopt(a, nil, -1), nil
}

// routeFind sends a find on.
func routeFind(r *request) (*doc, error) {
	if v := r.first(); v.Type != bson.TypeString {
		return nil, errorf(codeInvalidNamespace, "collection name has invalid type %s", query.TypeName(v.Type))
	}
	f, err := r.parseFind()
	if err != nil {
		return nil, err
	}
	env := r.env(f.ns, nil)
	filter, err := query.ParseFilter(f.filter, env)
	if err != nil {
		return nil, err
	}
	if _, err := query.ParseProjection(f.projection, filter, env); err != nil {
		return nil, err
	}
	if !r.hasDatabase() {
		return r.emptyCursor(f.ns.String()), nil
	}
	a, err := r.forward(r.destination(), r.body)
	if err != nil {
		return nil, err
	}
	if !isOK(a.reply) {
		e := thrown(a.reply)
		e.Message = "Encountered non-retryable error during query :: caused by :: " + e.Message
		return nil, e
	}
	size := int64(defaultBatch)
	if f.hasBatch {
		size = f.batchSize
	}
	if f.single {
		size = -1
	}
	return r.adopt(a, nil, size), nil
}

// adopt gives the cursor in a reply an ID of this server: of cur if it is open
// here already. A cursor that has given as much as it was asked for stays open
// even if it is at its end: a mongos does not look. A size of -1 is never
// reached.
func (r *request) adopt(a answer, cur *cursor, size int64) *doc {
	inner, _ := a.reply.Lookup("cursor").Document()
	there := whole(inner.Lookup("id"))
	here := int64(0)
	switch {
	case there == 0 && batchLen(inner) != size:
	case cur != nil:
		cur.remote.id = there
		here = cur.id
	default:
		ns, _ := inner.Lookup("ns").Str()
		cur = r.openCursor(ns, results{})
		cur.remote, cur.noExpiry = remote{a.from, there, ns}, r.field("noCursorTimeout").Truthy()
		here = cur.id
	}
	d := newDoc()
	for name, v := range rest(a.reply).raw().All() {
		if name != "cursor" {
			d.value(name, v)
			continue
		}
		d.embed("cursor", func(d *doc) {
			for name, v := range inner.All() {
				if name == "id" {
					d.int64("id", here)
				} else {
					d.value(name, v)
				}
			}
		})
	}
	return d
}

func batchLen(cursor bson.Raw) int64 {
	for _, name := range []string{"firstBatch", "nextBatch"} {
		if docs, ok := cursor.Lookup(name).Array(); ok {
			return int64(docs.Len())
		}
	}
	return 0
}

// checkRoutedStages refuses pipelines that are none, before they count as
// statements of a transaction.
func (r *request) checkRoutedStages() error {
	a, err := r.parseAggregate()
	if err != nil {
		return err
	}
	if r.field("needsMerge").Truthy() || r.field("fromMongos").Truthy() {
		return errorf(51089, "Internal parameter(s) [needsMerge, fromMongos] cannot be set to 'true' when sent to mongos")
	}
	for i, stage := range a.stages {
		if err := r.checkRoutedStage(i, stage); err != nil {
			return err
		}
		_, err := query.ParsePipeline([]bson.Raw{stage}, r.env(a.ns, nil))
		if e, ok := err.(*query.Error); ok && e.Code == codeUnknownStage {
			return err
		}
	}
	return nil
}

func (r *request) checkRoutedStage(i int, stage bson.Raw) error {
	switch name := firstKey(stage); {
	case name == "$changeStream" && i > 0:
		return errorf(40602, "$changeStream is only valid as the first stage in a pipeline.")
	case name == "$listSearchIndexes" && r.atLeast(7, 0):
		return errNoSearch
	case name == "$currentOp":
		return currentOpStage(stage.Lookup(name))
	case name == "$listLocalSessions":
		return listLocalSessionsStage(stage.Lookup(name), r.server.Version)
	}
	return nil
}

// routeAggregate sends a pipeline on, unless it asks about the mongos itself.
func routeAggregate(r *request) (*doc, error) {
	a, err := r.parseAggregate()
	if err != nil {
		return nil, err
	}
	to := r.destination()
	anywhere := len(a.stages) > 0 && (firstKey(a.stages[0]) == "$changeStream" || firstKey(a.stages[0]) == "$listSearchIndexes")
	if !anywhere && !r.hasDatabase() {
		return newDoc().values("result", nil).embed("cursor", func(d *doc) { d.int64("id", 0).str("ns", a.name()).docs("firstBatch", nil) }), nil
	}
	if n := len(a.stages); n > 0 {
		if err := r.checkMergeDatabase(a.stages[n-1]); err != nil {
			return nil, err
		}
		d := a.stages[0]
		switch name := firstKey(d); {
		case name == "$listLocalSessions", name == "$currentOp" && d.Lookup(name, "localOps").Truthy():
			if r.txn.inTxn {
				return nil, errorf(codeNotSupportedInTxn, "Operation not permitted in transaction :: caused by :: Aggregation stage %s cannot run within a multi-document transaction.", name)
			}
			return aggregate(r)
		case name == "$changeStream":
			return r.routeChangeStream(a)
		}
	}
	reply, err := r.openRouted(to, r.body)
	if e, ok := err.(*Error); ok && e.Code == 51183 {
		e.Code = 51190 // a mongos looks for the index of $merge itself
	}
	return reply, err
}

// routeChangeStream opens a change stream on the shard. The first batch of a
// mongos is empty.
func (r *request) routeChangeStream(a aggregateCommand) (*doc, error) {
	r.changeStream = true
	if !a.stages[0].Lookup("$changeStream", "fullDocumentBeforeChange").IsZero() && !r.atLeast(6, 0) {
		return nil, errorf(51771, "the 'fullDocumentBeforeChange' option is not supported in a sharded cluster")
	}
	body := newDoc()
	for name, v := range r.body.All() {
		if name == "cursor" {
			body.embed(name, func(d *doc) { d.int32("batchSize", 0) })
		} else {
			body.value(name, v)
		}
	}
	return r.openRouted(r.server.Cluster.Shard, body.raw())
}

// checkMergeDatabase refuses to write into a database that the cluster does not
// know.
func (r *request) checkMergeDatabase(last bson.Raw) error {
	if db, ok := last.Lookup("$merge", "into", "db").Str(); ok && db != "admin" && db != "config" && r.server.catalog("databases", db) == nil {
		return errorf(codeNamespaceNotFound, "database %s not found", db)
	}
	return nil
}

// routeGetMore reads another batch of a cursor from where it is.
func routeGetMore(r *request) (*doc, error) {
	id, ns, err := r.parseGetMore()
	if err != nil {
		return nil, err
	}
	all := &r.server.cursors
	cur, err := all.checkOut(id)
	if err != nil || cur.ns != ns {
		if err == nil {
			all.checkIn(cur, true)
		}
		return nil, errorf(codeCursorNotFound, "Cursor not found (namespace: '%s', id: %d).", ns, id)
	}
	keep := true
	defer func() { all.checkIn(cur, keep) }()
	if err := r.checkOwner(cur, firstOfMongos); err != nil {
		return nil, err
	}
	r.changeStream = cur.stream
	if err := r.failGetMore(cur); err != nil {
		keep = false
		return nil, err
	}
	if cur.remote.id == 0 { // at its end
		return newDoc().embed("cursor", func(d *doc) { d.int64("id", 0).str("ns", cur.ns).docs("nextBatch", nil) }), nil
	}
	d := newDoc().int64("getMore", cur.remote.id)
	first := true
	for name, v := range r.body.All() {
		if !first {
			d.value(name, v)
		}
		first = false
	}
	a := answer{cur.remote.server, r.statement(cur.remote.server, d.raw())}
	if !isOK(a.reply) {
		keep = false
		return nil, thrown(a.reply)
	}
	size := int64(-1)
	if v := r.field("batchSize"); !v.IsZero() {
		size = whole(v)
	}
	inner, _ := a.reply.Lookup("cursor").Document()
	keep = whole(inner.Lookup("id")) != 0 || batchLen(inner) == size
	return r.adopt(a, cur, size), nil
}

// routeKillCursors closes cursors here and where they are.
func routeKillCursors(r *request) (*doc, error) {
	name, ids, err := r.parseKillCursors()
	if err != nil {
		return nil, err
	}
	ns := storage.Namespace{DB: r.db, Collection: name}.String()
	var killed, missing []bson.RawValue
	for _, v := range ids {
		id, _ := v.Int64()
		cur, found := r.server.cursors.killOf(id, ns)
		if !found {
			missing = append(missing, v)
			continue
		}
		killed = append(killed, v)
		if there := cur.remote; there.id != 0 {
			kill := newDoc().str("killCursors", storage.ParseNamespace(there.ns).Collection).values("cursors", []bson.RawValue{int64Value(there.id)})
			r.send(there.server, kill.str("$db", r.db).raw())
		}
	}
	return cursorsKilled(killed, missing), nil
}

// statement sends a command to one server, as a statement of the transaction if
// the request is in one.
func (r *request) statement(to *Server, body bson.Raw, sequences ...wire.Sequence) bson.Raw {
	if !r.txn.inTxn || r.ends() {
		return r.send(to, body, sequences...)
	}
	reply := r.send(to, r.inTransaction(body), sequences...)
	r.session.routing.took(reply)
	return reply
}

func int64Value(i int64) bson.RawValue { return newDoc().int64("", i).raw().Lookup("") }
