package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

var bulkWriteSchema = newSchema("bulkWrite",
	field{name: "ops", fieldType: objects | required}, field{name: "nsInfo", fieldType: objects | required},
	field{name: "ordered", fieldType: truth}, field{name: "bypassDocumentValidation", fieldType: truth},
	field{name: "let", fieldType: object}, field{name: "errorsOnly", fieldType: truth}, field{name: "cursor", fieldType: object},
	field{name: "stmtId", fieldType: anything}, field{name: "stmtIds", fieldType: anything},
	field{name: "bypassEmptyTsReplacement", fieldType: truth})

// bulkOpSchemas are the statements of a bulkWrite, by their first field.
var bulkOpSchemas = map[string]*schema{
	"insert": newSchema("bulkWrite.ops", field{name: "insert", fieldType: number | required}, field{name: "document", fieldType: object | required}),
	"update": newSchema("bulkWrite.ops",
		field{name: "update", fieldType: number | required}, field{name: "filter", fieldType: object | required},
		field{name: "updateMods", fieldType: required}, field{name: "multi", fieldType: truth}, field{name: "upsert", fieldType: truth},
		field{name: "arrayFilters", fieldType: objects}, field{name: "hint", fieldType: anything}, field{name: "collation", fieldType: object},
		field{name: "constants", fieldType: object}, field{name: "upsertSupplied", fieldType: anything}, field{name: "sort", fieldType: object}),
	"delete": newSchema("bulkWrite.ops",
		field{name: "delete", fieldType: number | required}, field{name: "filter", fieldType: object | required},
		field{name: "multi", fieldType: truth}, field{name: "hint", fieldType: anything}, field{name: "collation", fieldType: object}),
}

// bulk is a bulkWrite while it runs.
type bulk struct {
	batch
	namespaces []storage.Namespace
	errorsOnly bool

	results                             []bson.Raw
	errors                              int64
	inserted, matched, upserts, deleted int64
}

// bulkWrite inserts, updates and deletes in several collections.
func bulkWrite(r *request) (*doc, error) {
	b, ops, err := r.newBulk()
	if err != nil {
		return nil, err
	}
	for i, op := range ops {
		result, err := b.statement(i, op)
		if err != nil {
			e := asError(b.interrupted(err))
			if isFatal(err, e) || b.txn.inTxn && isTransient(e.Code, false) {
				return nil, err
			}
			b.errors++
			d := newDoc().double("ok", 0).int32("idx", int32(i)).int32("code", e.Code).str("errmsg", e.Message)
			if e.More != nil {
				d.fields(e.More.raw())
			}
			b.results = append(b.results, d.int32("n", 0).raw())
			if b.txn.inTxn {
				b.server.abortTxn(b.session)
				break
			}
			if b.ordered {
				break
			}
			continue
		}
		if !b.errorsOnly {
			b.results = append(b.results, result)
		}
	}
	return b.summary()
}

func (r *request) newBulk() (*bulk, []bson.Raw, error) {
	ops := r.items("ops")
	if n := len(ops); n == 0 || n > maxWriteBatch {
		return nil, nil, errorf(codeInvalidLength, "Write batch sizes must be between 1 and %d. Got %d operations.", maxWriteBatch, n)
	}
	b := &bulk{batch: batch{request: r, ordered: true, executed: r.executed()}}
	if v := r.field("ordered"); !v.IsZero() {
		b.ordered = v.Truthy()
	}
	b.errorsOnly = r.field("errorsOnly").Truthy()
	b.bypass = r.field("bypassDocumentValidation").Truthy()
	var err error
	if b.stmts, err = r.statements(len(ops)); err != nil {
		return nil, nil, err
	}
	for _, info := range r.items("nsInfo") {
		name, _ := info.Lookup("ns").Str()
		ns := storage.ParseNamespace(name)
		if ns.DB == "" || ns.Collection == "" {
			return nil, nil, errorf(codeInvalidNamespace, "Invalid namespace specified for bulkWrite: '%s'", name)
		}
		if err := r.checkCollection(ns); err != nil {
			return nil, nil, err
		}
		if err := r.checkWritable(ns); err != nil {
			return nil, nil, err
		}
		b.namespaces = append(b.namespaces, ns)
	}
	for _, op := range ops {
		if err := b.check(op); err != nil {
			return nil, nil, err
		}
	}
	return b, ops, nil
}

func (b *bulk) check(op bson.Raw) error {
	name := firstKey(op)
	s := bulkOpSchemas[name]
	if s == nil {
		return errorf(codeUnknownField, "BSON field 'bulkWrite.ops.%s' is an unknown field.", name)
	}
	if err := s.document(op, b.server.Version.Version); err != nil {
		return err
	}
	if at := whole(op.Lookup(name)); at < 0 || at >= int64(len(b.namespaces)) {
		return errorf(codeBadValue, "BulkWrite ops entry has an invalid nsInfo index.")
	}
	multi := op.Lookup("multi").Truthy()
	if multi && b.txn.retryable {
		return errorf(codeInvalidOptions, "Cannot use (or request) retryable writes with multi=true")
	}
	return nil
}

// statement executes one of the ops and gives its result.
func (b *bulk) statement(i int, op bson.Raw) (bson.Raw, error) {
	name := firstKey(op)
	b.ns = b.namespaces[whole(op.Lookup(name))]
	result := newDoc().double("ok", 1).int32("idx", int32(i))
	switch name {
	case "insert":
		d, _ := op.Lookup("document").Document()
		docs := make([]bson.Raw, i+1)
		docs[i] = d
		before := b.n
		if _, err := b.insertChunk(docs, i, i+1); err != nil {
			return nil, err
		}
		b.inserted += b.n - before
		return result.int32("n", 1).raw(), nil
	case "update":
		c, err := b.bulkChange(op)
		if err != nil {
			return nil, err
		}
		c.stmt = b.stmts[i]
		did, err := b.updateStatement(i, &c)
		if err != nil {
			return nil, err
		}
		b.matched += did.matched
		b.modified += did.modified
		if did.upserted.IsZero() {
			return result.number("n", did.matched).number("nModified", did.modified).raw(), nil
		}
		b.upserts++
		result.int32("n", 1).int32("nModified", 0)
		return result.embed("upserted", func(d *doc) { d.value("_id", did.upserted) }).raw(), nil
	}
	c := change{stmt: b.stmts[i], multi: op.Lookup("multi").Truthy(), hint: op.Lookup("hint")}
	c.q, _ = op.Lookup("filter").Document()
	c.collation, _ = op.Lookup("collation").Document()
	n, err := b.deleteStatement(i, &c)
	if err != nil {
		return nil, err
	}
	b.deleted += n
	return result.number("n", n).raw(), nil
}

func (b *bulk) bulkChange(op bson.Raw) (c change, err error) {
	c.q, _ = op.Lookup("filter").Document()
	c.u = op.Lookup("updateMods")
	if c.u.Type != bson.TypeEmbeddedDocument && c.u.Type != bson.TypeArray {
		return c, errorf(codeFailedToParse, "Update argument must be either an object or an array")
	}
	c.multi, c.upsert = op.Lookup("multi").Truthy(), op.Lookup("upsert").Truthy()
	c.arrayFilters = documents(op.Lookup("arrayFilters"))
	c.collation, _ = op.Lookup("collation").Document()
	c.sort, _ = op.Lookup("sort").Document()
	c.let, _ = op.Lookup("constants").Document()
	c.hint, c.bypass = op.Lookup("hint"), b.bypass
	return c, nil
}

// summary is the reply: the counts, and a cursor over the results.
func (b *bulk) summary() (*doc, error) {
	b.wrote = true
	if b.touched.TS.IsZero() {
		b.touched = b.server.Engine.State().At
	}
	if b.write.none {
		return newDoc(), nil
	}
	size := int64(len(b.results))
	if v := b.object("cursor").Lookup("batchSize"); v.IsNumber() {
		size = whole(v)
	}
	const ns = "admin.$cmd.bulkWrite"
	res := fixed(b.results)
	d, _, err := b.firstBatch(ns, res, size, false)
	if err != nil {
		return nil, err
	}
	d.number("nErrors", b.errors).number("nInserted", b.inserted).number("nMatched", b.matched)
	d.number("nModified", b.modified).number("nUpserted", b.upserts).number("nDeleted", b.deleted)
	if len(b.retried) > 0 {
		d.values("retriedStmtIds", int32Values(b.retried))
	}
	b.opTimeFields(d)
	return d, nil
}
