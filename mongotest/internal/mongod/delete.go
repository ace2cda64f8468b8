package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

var deleteSchema = newSchema("delete",
	field{name: "deletes", fieldType: objects | required}, field{name: "ordered", fieldType: boolean}, field{name: "bypassDocumentValidation", fieldType: truth},
	field{name: "stmtId", fieldType: anything}, field{name: "stmtIds", fieldType: anything}, fieldSince(5, 0, "let", object), field{name: "runtimeConstants", fieldType: anything},
	field{name: "isTimeseriesNamespace", fieldType: anything}, field{name: "encryptionInformation", fieldType: anything})

var deleteStatementSchema = newSchema("delete.deletes",
	field{name: "q", fieldType: object | required}, field{name: "limit", fieldType: required}, field{name: "collation", fieldType: object}, fieldSince(4, 4, "hint", anything),
	field{name: "collectionUUID", fieldType: anything}, field{name: "sampleId", fieldType: anything})

// deleteDocuments is the command delete.
func deleteDocuments(r *request) (*doc, error) {
	b, docs, err := r.newBatch("deletes")
	if err != nil {
		return nil, err
	}
	deletions := make([]change, len(docs))
	for i, d := range docs {
		if deletions[i], err = r.parseDeletion(d); err != nil {
			return nil, err
		}
		deletions[i].stmt = b.stmts[i]
	}
	for i := range deletions {
		n, err := b.deleteStatement(i, &deletions[i])
		b.n += n
		if err != nil {
			goOn, fatal := b.fail(i, err)
			if fatal != nil {
				return nil, fatal
			}
			if !goOn {
				break
			}
		}
	}
	return b.reply(false)
}

func (r *request) parseDeletion(d bson.Raw) (c change, err error) {
	if err := deleteStatementSchema.document(d, r.server.Version.Version); err != nil {
		return c, err
	}
	c.q, _ = d.Lookup("q").Document()
	c.collation, _ = d.Lookup("collation").Document()
	c.hint = d.Lookup("hint")
	switch c.hint.Type {
	case 0, bson.TypeString, bson.TypeEmbeddedDocument:
	default:
		return c, errorf(codeFailedToParse, "Hint must be a string or an object")
	}
	limit := d.Lookup("limit")
	if limit.Type == bson.TypeBoolean {
		c.multi = !limit.Truthy()
	} else {
		n, _ := limit.AsDouble() // 0 for what is no number
		if n != 0 && n != 1 {
			return c, errorf(codeFailedToParse, "The limit field in delete objects must be 0 or 1. Got %v", n)
		}
		c.multi = n == 0
	}
	return c, nil
}

func (b *batch) deleteStatement(i int, c *change) (n int64, err error) {
	if c.multi && b.txn.retryable {
		return 0, errorf(codeInvalidOptions, "Cannot use (or request) retryable writes with limit=0")
	}
	if b.done(i) != nil {
		b.retried = append(b.retried, c.stmt)
		return 1, nil
	}
	err = b.transact(func(tx *storage.Tx) error {
		removed, err := b.remove(tx, b.ns, c)
		if err != nil {
			return err
		}
		n = int64(len(removed))
		return b.onPrimaryTransactionalWrite(tx)
	})
	if err != nil {
		n = 0
	}
	return n, err
}

// remove deletes what a statement matches, and gives the documents.
func (r *request) remove(tx *storage.Tx, ns storage.Namespace, c *change) (removed []bson.Raw, err error) {
	coll, err := r.target(tx, ns, false)
	if err != nil {
		return nil, err
	}
	env, err := r.statementEnv(coll, ns, c.collation)
	if err != nil {
		return nil, err
	}
	if c.let != nil {
		env.Let = c.let
	}
	filter, err := query.ParseFilter(c.q, env)
	if err != nil {
		return nil, err
	}
	if coll != nil && coll.Options.Capped && !r.atLeast(5, 0) {
		return nil, errorf(codeIllegalOperation, "cannot remove from a capped collection: %s", ns)
	}
	found, err := r.matching(coll, filter, env, c)
	if err != nil {
		return nil, err
	}
	for _, m := range found {
		op := &storage.Op{Kind: storage.Delete, NS: ns, UUID: coll.UUID, Record: m.id, Before: m.doc, Stmt: c.stmt, Image: c.image}
		if err := tx.Do(op); err != nil {
			return nil, err
		}
		removed = append(removed, m.doc)
	}
	return removed, nil
}
