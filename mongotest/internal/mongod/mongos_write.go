package mongod

import (
	"strings"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
	"github.com/motor-go/motor/wire"
)

// routedWrite is a command insert, update or delete on a mongos.
type routedWrite struct {
	*request
	field   string // that holds the statements
	all     []bson.Raw
	stmts   []int32 // their numbers, of a retryable write
	ordered bool
	sent    []int // the indexes of the statements that the shard is given
	errors  []writeError
}

// writeError is one of the writeErrors of a reply.
type writeError struct {
	index   int
	code    int32
	message string
	details bson.Raw // errInfo
}

var statementFields = map[string]string{"insert": "documents", "update": "updates", "delete": "deletes"}

// routeWrite sends a write on. What the shard refuses as a whole becomes an error
// of each statement.
func routeWrite(r *request) (*doc, error) {
	w := &routedWrite{request: r, field: statementFields[r.command.name]}
	b, docs, err := r.newBatch(w.field)
	if err != nil {
		return nil, err
	}
	w.all, w.stmts, w.ordered = docs, b.stmts, b.ordered
	if err := w.parse(); err != nil {
		return nil, err
	}
	if err := r.ensureDatabase(); err != nil {
		return nil, err
	}
	w.target(b.ns)
	var reply bson.Raw
	if len(w.sent) > 0 {
		if reply, err = w.execute(); err != nil {
			return nil, err
		}
	}
	if len(w.errors) > 0 && r.txn.inTxn {
		r.abortRouted()
	}
	if r.write.none {
		return newDoc(), nil
	}
	return w.reply(reply), nil
}

// parse refuses statements that are none.
func (w *routedWrite) parse() (err error) {
	for _, d := range w.all {
		switch w.command.name {
		case "update":
			_, err = w.parseChange(d)
		case "delete":
			_, err = w.parseDeletion(d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// target finds out which statements can be sent to a shard.
func (w *routedWrite) target(ns storage.Namespace) {
	key := w.server.shardKey(ns)
	for i, d := range w.all {
		if err := w.untargeted(key, d); err != nil {
			w.errors = append(w.errors, writeError{index: i, code: err.Code, message: err.Message})
			if w.ordered {
				return
			}
			continue
		}
		w.sent = append(w.sent, i)
	}
}

// untargeted is the error of a statement that a mongos cannot make anything of,
// or that says too little about the shard if the collection is sharded.
func (w *routedWrite) untargeted(key, d bson.Raw) *Error {
	if u, ok := d.Lookup("u").Document(); ok && w.command.name == "update" {
		if err := checkUpdateStyle(u, d.Lookup("multi").Truthy()); err != nil {
			return err
		}
	}
	if key == nil || w.atLeast(7, 0) {
		return nil
	}
	q, _ := d.Lookup("q").Document()
	switch w.command.name {
	case "update":
		if d.Lookup("upsert").Truthy() && !fixes(q, key) {
			return errorf(codeShardKeyNotFound, "Failed to target upsert by query :: could not extract exact shard key")
		}
	case "delete":
		if d.Lookup("limit").Truthy() && !fixes(q, key) && !fixes(q, idKey) {
			return errorf(codeShardKeyNotFound, "A single delete on a sharded collection must contain an exact match on _id (and have the collection default collation) "+
				"or contain the shard key (and have the simple collation). Delete request: %s, shard key pattern: %s", query.FormatDocument(d), query.FormatDocument(key))
		}
	}
	return nil
}

// checkUpdateStyle refuses an update that is neither made of operators nor a
// replacement.
func checkUpdateStyle(u bson.Raw, multi bool) *Error {
	operators, fields := false, u.Len() == 0
	for name := range u.Keys() {
		operator := strings.HasPrefix(name, "$")
		operators, fields = operators || operator, fields || !operator
	}
	switch {
	case operators && fields:
		return errorf(12, "update document %s has mixed $operator and non-$operator style fields", query.FormatDocument(u))
	case fields && multi:
		return errorf(codeInvalidOptions, "Replacement-style updates cannot be {multi:true}")
	}
	return nil
}

// execute sends the statements to the shard, and takes over the errors that it
// answers with.
func (w *routedWrite) execute() (bson.Raw, error) {
	body, statements := w.outgoing()
	a, err := w.forward(w.destination(), body, statements)
	if err != nil {
		return nil, err
	}
	if !isOK(a.reply) {
		e := thrown(a.reply)
		if w.txn.inTxn && isTransient(e.Code, false) {
			return nil, errorf(e.Code, "Encountered error from %s during a transaction :: caused by :: %s", a.from.Host, e.Message)
		}
		for _, i := range w.sent {
			w.errors = append(w.errors, writeError{index: i, code: e.Code, message: e.Message})
			if w.ordered {
				break
			}
		}
		return nil, nil
	}
	if list, ok := a.reply.Lookup("writeErrors").Array(); ok {
		for _, d := range documents(bson.RawValue{Type: bson.TypeArray, Value: list}) {
			message, _ := d.Lookup("errmsg").Str()
			details, _ := d.Lookup("errInfo").Document()
			w.errors = append(w.errors, writeError{w.sent[whole(d.Lookup("index"))], int32(whole(d.Lookup("code"))), message, details})
		}
	}
	return a.reply, nil
}

// outgoing is the command as the shard gets it: with the statements to send
// alone.
func (w *routedWrite) outgoing() (bson.Raw, wire.Sequence) {
	d := newDoc()
	for name, v := range w.body.All() {
		switch name {
		case "readConcern", "stmtId", "stmtIds", w.field:
		default:
			d.value(name, v)
		}
	}
	if w.txn.retryable {
		var ids []int32
		for _, i := range w.sent {
			ids = append(ids, w.stmts[i])
		}
		d.values("stmtIds", int32Values(ids))
	}
	statements := wire.Sequence{ID: w.field}
	for _, i := range w.sent {
		statements.Docs = append(statements.Docs, w.all[i]...)
	}
	return d.raw(), statements
}

// reply is the answer to the client.
func (w *routedWrite) reply(of bson.Raw) *doc {
	d := newDoc().number("n", whole(of.Lookup("n")))
	if w.command.name == "update" {
		d.number("nModified", whole(of.Lookup("nModified")))
	}
	if upserted, ok := of.Lookup("upserted").Array(); ok {
		var list []bson.Raw
		for _, u := range documents(bson.RawValue{Type: bson.TypeArray, Value: upserted}) {
			list = append(list, newDoc().int32("index", int32(w.sent[whole(u.Lookup("index"))])).value("_id", u.Lookup("_id")).raw())
		}
		d.docs("upserted", list)
	}
	if len(w.errors) > 0 {
		var list []bson.Raw
		for _, e := range w.errors {
			list = append(list, e.document(w.request))
		}
		d.docs("writeErrors", list)
	}
	for _, name := range []string{"writeConcernError", "retriedStmtIds"} {
		if v := of.Lookup(name); !v.IsZero() {
			d.value(name, v)
		}
	}
	return d
}

func (e writeError) document(r *request) bson.Raw {
	d := newDoc().int32("index", int32(e.index)).int32("code", e.code).str("codeName", query.CodeName(e.code, r.server.Version.Version)).str("errmsg", e.message)
	if e.details != nil {
		d.doc("errInfo", e.details)
	}
	return d.raw()
}

// routeFindAndModify sends a findAndModify on.
func routeFindAndModify(r *request) (*doc, error) {
	ns, err := r.collection()
	if err != nil {
		return nil, err
	}
	if err := r.ensureDatabase(); err != nil {
		return nil, err
	}
	if key := r.server.shardKey(ns); key != nil && !r.atLeast(7, 0) && !fixes(r.object("query"), key) {
		return nil, errorf(codeShardKeyNotFound, "Query for sharded findAndModify must contain the shard key")
	}
	return relay(r)
}

// routeBulkWrite sends a bulkWrite on.
func routeBulkWrite(r *request) (*doc, error) {
	for _, info := range r.items("nsInfo") {
		ns, _ := info.Lookup("ns").Str()
		if db := storage.ParseNamespace(ns).DB; checkDatabase(db) == nil {
			if err := r.ensure(db); err != nil {
				return nil, err
			}
		}
	}
	return r.openRouted(r.server.Cluster.Shard, r.body, r.sequences...)
}

// idKey is the key pattern of _id.
var idKey = newDoc().int32("_id", 1).raw()

// fixes reports whether a query says which values all fields of a key have.
func fixes(q, key bson.Raw) bool {
	for name := range key.Keys() {
		if !equates(q, name) {
			return false
		}
	}
	return true
}

// equates reports whether a query has one value for a field.
func equates(q bson.Raw, field string) bool {
	for name, v := range q.All() {
		switch {
		case name == field:
			if d, ok := v.Document(); ok && len(firstKey(d)) > 0 && firstKey(d)[0] == '$' {
				if !d.Lookup("$eq").IsZero() {
					return true
				}
				continue
			}
			if v.Type != bson.TypeRegex {
				return true
			}
		case name == "$and":
			for _, d := range documents(v) {
				if equates(d, field) {
					return true
				}
			}
		}
	}
	return false
}
