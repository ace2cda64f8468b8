package mongod

import (
	"errors"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// maxWriteBatch is maxWriteBatchSize.
const maxWriteBatch = 100_000

// batch is a command insert, update or delete while it runs.
type batch struct {
	*request
	ns       storage.Namespace
	ordered  bool
	bypass   bool // bypassDocumentValidation
	stmts    []int32
	executed map[int32]*storage.Op

	n, modified int64
	errors      []bson.Raw
	upserted    []bson.Raw
	retried     []int32
}

// newBatch reads what the three commands have in common. items is the field
// that holds the statements.
func (r *request) newBatch(items string) (*batch, []bson.Raw, error) {
	ns, err := r.collection()
	if err != nil {
		return nil, nil, err
	}
	docs := r.items(items)
	if n := len(docs); n == 0 || n > maxWriteBatch {
		return nil, nil, errorf(codeInvalidLength, "Write batch sizes must be between 1 and %d. Got %d operations.", maxWriteBatch, n)
	}
	b := &batch{request: r, ns: ns, ordered: true, executed: r.executed()}
	if v, ok := r.field("ordered").Bool(); ok {
		b.ordered = v
	}
	b.bypass = r.field("bypassDocumentValidation").Truthy()
	if b.stmts, err = r.statements(len(docs)); err != nil {
		return nil, nil, err
	}
	return b, docs, r.checkWritable(ns)
}

// statements are the numbers of the statements of a retryable write.
func (r *request) statements(n int) ([]int32, error) {
	one, many := r.field("stmtId"), r.field("stmtIds")
	if !one.IsZero() && !many.IsZero() {
		return nil, errorf(codeInvalidOptions, "May not specify both stmtId and stmtIds in write command")
	}
	if arr, ok := many.Array(); ok && arr.Len() != n {
		return nil, errorf(codeInvalidLength, "Number of statement ids must match the number of batch entries")
	}
	ids := make([]int32, n)
	for i := range ids {
		switch arr, ok := many.Array(); {
		case !r.txn.retryable:
			ids[i] = storage.NoStmt
		case ok:
			ids[i] = int32(whole(arr.Index(i)))
		case one.IsNumber():
			ids[i] = int32(whole(one)) + int32(i)
		default:
			ids[i] = int32(i)
		}
	}
	return ids, nil
}

// done reports whether the statement was executed by an earlier attempt, and
// what it did then.
func (b *batch) done(i int) *storage.Op {
	if b.stmts[i] == storage.NoStmt {
		return nil
	}
	return b.executed[b.stmts[i]]
}

// fail notes the error of a statement. It gives the error back if that ends the
// whole command rather than the statement, or nil. goOn says whether other
// statements are to follow.
func (b *batch) fail(i int, err error) (goOn bool, fatal error) {
	e := asError(b.interrupted(err))
	if isFatal(err, e) || b.txn.inTxn && isTransient(e.Code, false) {
		return false, err
	}
	d := newDoc().int32("index", int32(i)).int32("code", e.Code)
	if e.More != nil {
		d.fields(e.More.raw())
	}
	b.errors = append(b.errors, d.str("errmsg", e.Message).raw())
	if b.txn.inTxn {
		b.server.abortTxn(b.session)
		return false, nil
	}
	return !b.ordered, nil
}

// isFatal reports whether an error ends a write command instead of becoming one
// of its writeErrors.
func isFatal(err error, e *Error) bool {
	return isRetryable(e.Code) || e.Code == codeMaxTimeMSExpired || e.Code == codeInterrupted ||
		errors.Is(err, errHangUp) || errors.Is(err, storage.ErrAborted)
}

// reply is the answer to the command.
func (b *batch) reply(update bool) (*doc, error) {
	b.wrote = true
	if b.touched.TS.IsZero() {
		b.touched = b.server.Engine.State().At
	}
	if !b.txn.inTxn {
		b.conn.lastOp = b.touched
	}
	if b.write.none {
		return newDoc(), nil
	}
	d := newDoc().number("n", b.n)
	if update {
		d.number("nModified", b.modified)
	}
	if len(b.upserted) > 0 {
		d.docs("upserted", b.upserted)
	}
	if len(b.errors) > 0 {
		d.docs("writeErrors", b.errors)
	}
	if len(b.retried) > 0 && b.atLeast(5, 0) {
		d.values("retriedStmtIds", int32Values(b.retried))
	}
	b.opTimeFields(d)
	return d, nil
}

// opTimeFields are what members of a replica set add to the replies to writes.
func (r *request) opTimeFields(d *doc) {
	if !r.replicated() {
		return
	}
	if r.conn.lastOp.TS.IsZero() {
		d.timestamp("opTime", bson.Timestamp{})
	} else {
		d.opTime("opTime", r.conn.lastOp)
	}
	d.objectID("electionId", r.server.Member.Status().ElectionID())
}

func int32Values(list []int32) (values []bson.RawValue) {
	for _, i := range list {
		values = append(values, newDoc().int32("", i).raw().Lookup(""))
	}
	return values
}

// target finds the collection that a write goes to, and makes it if create is
// set and there is none.
func (r *request) target(tx *storage.Tx, ns storage.Namespace, create bool) (*storage.Collection, error) {
	if err := useIn(tx, ns); err != nil {
		return nil, err
	}
	state := tx.State()
	if c := state.Collection(ns); c != nil {
		if c.Options.Capped && r.txn.inTxn {
			return nil, errorf(codeNotSupportedInTxn, "Collection '%s' is a capped collection. Writes in transactions are not allowed on capped collections.", ns)
		}
		return c, nil
	}
	if _, view := state.View(ns); view {
		return nil, errorf(codeNotSupportedOnView, "Namespace %s is a view, not a collection", ns)
	}
	if !create {
		return nil, nil
	}
	if r.txn.inTxn && !r.atLeast(4, 4) {
		return nil, errorf(codeNotSupportedInTxn, "Cannot create namespace %s in multi-document transaction.", ns)
	}
	if err := checkDatabaseCase(state, ns.DB); err != nil {
		return nil, err
	}
	if err := r.checkLength(ns); err != nil {
		return nil, err
	}
	if err := tx.Do(r.createOp(ns, newOptions())); err != nil {
		return nil, err
	}
	return tx.State().Collection(ns), nil
}

// newOptions are those of a collection that is made without any.
func newOptions() *storage.Options {
	return &storage.Options{ValidationLevel: "strict", ValidationAction: "error", Type: "collection", Spec: newDoc().raw()}
}

// createOp makes a collection with its index on _id.
func (r *request) createOp(ns storage.Namespace, o *storage.Options) *storage.Op {
	id := &storage.Index{Name: "_id_", Unique: true, Collation: o.Collation, ExpireAfter: -1}
	id.Key = newDoc().int32("_id", 1).raw()
	spec := newDoc().int32("v", 2).doc("key", id.Key).str("name", "_id_")
	if clustered, ok := o.Spec.Lookup("clusteredIndex").Document(); ok {
		id.Name, _ = clustered.Lookup("name").Str()
		spec = newDoc().fields(clustered).bool("clustered", true)
	}
	if o.Collation != nil {
		spec.doc("collation", o.Collation.Document())
	}
	id.Spec = spec.raw()
	object := newDoc().str("create", ns.Collection).fields(o.Spec).doc("idIndex", id.Spec)
	op := &storage.Op{
		Kind: storage.Create, NS: ns, UUID: storage.NewUUID(), Options: o, Indexes: []*storage.Index{id},
		Stmt: storage.NoStmt, Object: object.raw(),
	}
	if o.Type == "timeseries" {
		op.Indexes = nil // an _id may come twice
	}
	return op
}

// checkDatabaseCase refuses a database whose name differs from another only in
// case.
func checkDatabaseCase(state *storage.State, db string) error {
	if state.HasDatabase(db) {
		return nil
	}
	for _, other := range state.Databases() {
		if equalFold(other, db) {
			return errorf(13297, "db already exists with different case already have: [%s] trying to create [%s]", other, db)
		}
	}
	return nil
}

// validate checks a document against the collection's validator. before is the
// document that it replaces, nil for none.
func (r *request) validate(c *storage.Collection, before, after bson.Raw) error {
	o := c.Options
	if o.Type == "timeseries" {
		field, _ := o.Spec.Lookup("timeseries", "timeField").Str()
		if after.Lookup(field).Type != bson.TypeDateTime {
			return errorf(codeBadValue, "'%s' must be present and contain a valid BSON UTC datetime value", field)
		}
	}
	if o.Validator == nil || o.ValidationLevel == "off" || o.ValidationAction == "warn" {
		return nil
	}
	ok, err := o.Validator.Match(after)
	if ok && err == nil {
		return nil
	}
	if before != nil && o.ValidationLevel == "moderate" {
		if ok, _ := o.Validator.Match(before); !ok {
			return nil
		}
	}
	e := errorf(codeDocumentValidation, "Document failed validation")
	if r.atLeast(5, 0) {
		e.More = newDoc().embed("errInfo", func(d *doc) {
			d.value("failingDocumentId", after.Lookup("_id")).doc("details", o.Validator.Explain(after))
		})
	}
	return e
}

// onPrimaryTransactionalWrite lets the fail point of that name strike at the
// end of a retryable statement. An error means that it must not be kept.
func (r *request) onPrimaryTransactionalWrite(tx *storage.Tx) error {
	if !r.txn.retryable || !tx.Wrote() {
		return nil
	}
	data, hit := r.server.failPoints.hit("onPrimaryTransactionalWrite", nil)
	if !hit {
		return nil
	}
	if stay, given := data.Lookup("closeConnection").Bool(); !given || stay {
		r.hangUp = true
	}
	if code := data.Lookup("failBeforeCommitExceptionCode"); code.IsNumber() {
		return r.failWith(int32(whole(code)), "Failing write for "+r.session.String()+" due to failpoint. The write must not be reflected.", nil, nil)
	}
	return nil
}

// ofDocument reports whether an error is that of one document, rather than of
// the whole write.
func ofDocument(err error) bool {
	switch err.(type) {
	case *Error, *query.Error, *storage.DuplicateKey:
		return true
	}
	return false
}

// statementEnv has the collation of a statement, or else of the collection.
func (r *request) statementEnv(c *storage.Collection, ns storage.Namespace, collation bson.Raw) (*query.Env, error) {
	parsed, err := query.ParseCollation(collation)
	if err != nil {
		return nil, err
	}
	if collation.Len() == 0 && c != nil {
		parsed = c.Options.Collation
	}
	return r.env(ns, parsed), nil
}
