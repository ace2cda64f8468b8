package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// remote is the cursor on a server of the cluster that a cursor of a mongos
// stands for.
type remote struct {
	server *Server
	id     int64
	ns     string
}

// routeCursor sends a command on that opens a cursor.
func routeCursor(r *request) (*doc, error) { return r.openRouted(r.destination()) }

// openRouted runs a command that opens a cursor on a shard, and opens a cursor
// here for the one there.
func (r *request) openRouted(s *Shard) (*doc, error) {
	a, err := r.forward(s, r.body)
	if err != nil {
		return nil, err
	}
	if !isOK(a.reply) {
		return nil, thrown(a.reply)
	}
	return r.adopt(a, nil), nil
}

// adopt gives the cursor in a reply an ID of this server: of cur if it is open
// here already.
func (r *request) adopt(a answer, cur *cursor) *doc {
	inner, _ := a.reply.Lookup("cursor").Document()
	there := whole(inner.Lookup("id"))
	here := int64(0)
	switch {
	case there == 0:
	case cur != nil:
		here = cur.id
	default:
		ns, _ := inner.Lookup("ns").Str()
		cur = r.openCursor(ns, results{})
		cur.remote = remote{a.from, there, ns}
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

// onMongos are the stages that a mongos executes itself if a pipeline begins
// with them.
var onMongos = map[string]bool{"$listLocalSessions": true, "$documents": false}

// routeAggregate sends a pipeline on.
func routeAggregate(r *request) (*doc, error) {
	to := r.destination()
	if stages, ok := r.field("pipeline").Array(); ok && stages.Len() > 0 {
		d, _ := stages.Index(0).Document()
		switch name := firstKey(d); {
		case onMongos[name], name == "$currentOp" && d.Lookup(name, "localOps").Truthy():
			if r.txn.inTxn {
				return nil, errorf(codeNotSupportedInTxn, "Operation not permitted in transaction :: caused by :: Aggregation stage %s cannot run within a multi-document transaction.", name)
			}
			return aggregate(r)
		case name == "$changeStream":
			r.changeStream = true
			to = r.server.Cluster.Shard
		}
	}
	return r.openRouted(to)
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
	if err := r.checkOwner(cur); err != nil {
		return nil, err
	}
	r.changeStream = cur.stream
	if err := r.failGetMore(cur); err != nil {
		keep = false
		return nil, err
	}
	if cur.remote.server == nil { // a cursor of this server alone
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
	keep = whole(a.reply.Lookup("cursor", "id")) != 0
	return r.adopt(a, cur), nil
}

// checkOwner refuses a getMore that is not from the session or transaction that
// the cursor was opened in.
func (r *request) checkOwner(cur *cursor) error {
	const cannot = "Cannot run getMore on cursor %d, which was "
	switch {
	case cur.session == "" && r.session != nil:
		return errorf(50799, cannot+"not created in a session, in session %s", cur.id, r.session)
	case cur.session != "" && r.session == nil:
		return errorf(50800, cannot+"created in session %s, without an lsid", cur.id, cur.who)
	case cur.session != "" && cur.session != r.session.key:
		return errorf(50801, cannot+"created in session %s, in session %s", cur.id, cur.who, r.session)
	case cur.txn < 0 && r.txn.given:
		return errorf(50802, cannot+"not created in a transaction, in transaction %d", cur.id, r.txn.number)
	case cur.txn >= 0 && !r.txn.given:
		return errorf(50803, cannot+"created in transaction %d, without a txnNumber", cur.id, cur.txn)
	case cur.txn >= 0 && cur.txn != r.txn.number:
		return errorf(50804, cannot+"created in transaction %d, in transaction %d", cur.id, cur.txn, r.txn.number)
	}
	return nil
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
		if there := cur.remote; there.server != nil {
			kill := newDoc().str("killCursors", storage.ParseNamespace(there.ns).Collection).values("cursors", []bson.RawValue{int64Value(there.id)})
			r.send(there.server, kill.str("$db", r.db).raw())
		}
	}
	return cursorsKilled(killed, missing), nil
}

// statement sends a command to one server, as a statement of the transaction if
// the request is in one.
func (r *request) statement(to *Server, body bson.Raw) bson.Raw {
	if !r.txn.inTxn || r.ends() {
		return r.send(to, body)
	}
	reply := r.send(to, r.inTransaction(body))
	r.session.routing.took(reply)
	return reply
}

func int64Value(i int64) bson.RawValue { return newDoc().int64("", i).raw().Lookup("") }
