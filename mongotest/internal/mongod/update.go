package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

var updateSchema = newSchema("update",
	field{name: "updates", fieldType: objects | required}, field{name: "ordered", fieldType: boolean}, field{name: "bypassDocumentValidation", fieldType: truth},
	field{name: "stmtId", fieldType: anything}, field{name: "stmtIds", fieldType: anything}, fieldSince(5, 0, "let", object), field{name: "runtimeConstants", fieldType: anything},
	field{name: "isTimeseriesNamespace", fieldType: anything}, field{name: "encryptionInformation", fieldType: anything}, field{name: "bypassEmptyTsReplacement", fieldType: boolean})

var updateStatementSchema = newSchema("update.updates",
	field{name: "q", fieldType: object | required}, field{name: "u", fieldType: required}, field{name: "multi", fieldType: boolean}, field{name: "upsert", fieldType: boolean},
	field{name: "arrayFilters", fieldType: objects}, field{name: "collation", fieldType: object}, fieldSince(4, 2, "hint", anything), fieldSince(5, 0, "c", object),
	field{name: "upsertSupplied", fieldType: anything}, field{name: "collectionUUID", fieldType: anything}, field{name: "sampleId", fieldType: anything}, fieldSince(8, 0, "sort", object))

// change is one statement of an update, or the update of a findAndModify.
type change struct {
	q, sort       bson.Raw
	u             bson.RawValue
	multi, upsert bool
	arrayFilters  []bson.Raw
	collation     bson.Raw
	hint          bson.RawValue
	let           bson.Raw
	stmt          int32
	bypass        bool
	image         storage.Image
}

// changed is what a change did.
type changed struct {
	matched, modified int64
	upserted          bson.RawValue // the _id
	before, after     bson.Raw      // of the last document
	failed            error         // what stopped a multi-update on its way
}

// update changes documents.
func update(r *request) (*doc, error) {
	b, docs, err := r.newBatch("updates")
	if err != nil {
		return nil, err
	}
	changes := make([]change, len(docs))
	for i, d := range docs {
		if changes[i], err = r.parseChange(d); err != nil {
			return nil, err
		}
		changes[i].stmt, changes[i].bypass = b.stmts[i], b.bypass
	}
	for i := range changes {
		c, err := b.updateStatement(i, &changes[i])
		if err != nil {
			goOn, fatal := b.fail(i, err)
			if fatal != nil {
				return nil, fatal
			}
			if !goOn {
				break
			}
			continue
		}
		b.n += c.matched
		b.modified += c.modified
		if !c.upserted.IsZero() {
			b.n++
			b.upserted = append(b.upserted, newDoc().int32("index", int32(i)).value("_id", c.upserted).raw())
		}
	}
	return b.reply(true)
}

func (r *request) parseChange(d bson.Raw) (c change, err error) {
	if err := updateStatementSchema.document(d, r.server.Version.Version); err != nil {
		return c, err
	}
	c.q, _ = d.Lookup("q").Document()
	c.u = d.Lookup("u")
	if c.u.Type != bson.TypeEmbeddedDocument && c.u.Type != bson.TypeArray {
		return c, errorf(codeFailedToParse, "Update argument must be either an object or an array")
	}
	if c.u.Type == bson.TypeArray {
		if err := r.checkStageNames(c.u); err != nil {
			return c, err
		}
	}
	c.multi, _ = d.Lookup("multi").Bool()
	c.upsert, _ = d.Lookup("upsert").Bool()
	c.arrayFilters = documents(d.Lookup("arrayFilters"))
	c.collation, _ = d.Lookup("collation").Document()
	c.hint = d.Lookup("hint")
	c.let, _ = d.Lookup("c").Document()
	c.sort, _ = d.Lookup("sort").Document()
	switch {
	case c.hint.Type != 0 && c.hint.Type != bson.TypeString && c.hint.Type != bson.TypeEmbeddedDocument:
		return c, errorf(codeFailedToParse, "Hint must be a string or an object")
	case c.sort != nil && c.multi:
		return c, errorf(codeFailedToParse, "Cannot specify sort with multi=true")
	}
	return c, nil
}

// checkStageNames refuses a pipeline with stages that nobody knows: it ends the
// whole command.
func (r *request) checkStageNames(pipeline bson.RawValue) error {
	_, err := query.ParseUpdate(pipeline, nil, r.env(storage.Namespace{DB: r.db}, nil))
	for e := range bson.RawArray(pipeline.Value).Values() {
		if e.Type != bson.TypeEmbeddedDocument {
			return err
		}
	}
	if e, ok := err.(*query.Error); ok && e.Code == codeUnknownStage {
		return err
	}
	return nil
}

func (b *batch) updateStatement(i int, c *change) (changed, error) {
	if c.multi && b.txn.retryable {
		return changed{}, errorf(codeInvalidOptions, "Cannot use (or request) retryable writes with multi=true")
	}
	if op := b.done(i); op != nil {
		b.retried = append(b.retried, c.stmt)
		if op.Kind == storage.Insert {
			return changed{upserted: op.ID()}, nil
		}
		return changed{matched: 1, modified: 1}, nil
	}
	var did changed
	err := b.transact(func(tx *storage.Tx) (err error) {
		if did, err = b.apply(tx, b.ns, c); err != nil {
			return err
		}
		return b.onPrimaryTransactionalWrite(tx)
	})
	if err == nil {
		err = did.failed
	}
	return did, err
}

// apply executes an update.
func (r *request) apply(tx *storage.Tx, ns storage.Namespace, c *change) (did changed, err error) {
	coll, err := r.target(tx, ns, false)
	if err != nil {
		return did, err
	}
	env, err := r.statementEnv(coll, ns, c.collation)
	if err != nil {
		return did, err
	}
	if c.let != nil {
		env.Let = c.let
	}
	if c.upsert && mentions(c.q, "$expr") {
		return did, errorf(224, "$expr is not allowed in the query predicate for an upsert")
	}
	filter, err := query.ParseFilter(c.q, env)
	if err != nil {
		return did, err
	}
	u, err := query.ParseUpdate(c.u, c.arrayFilters, env)
	if err != nil {
		return did, err
	}
	if c.multi && u.Kind == query.Replacement {
		return did, errorf(codeFailedToParse, "multi update is not supported for replacement-style update")
	}
	found, err := r.matching(coll, filter, env, c)
	if err != nil {
		return did, err
	}
	for i, m := range found {
		err := r.applyTo(tx, coll, m, u, c, &did)
		if err != nil && i > 0 && ofDocument(err) {
			did.failed = err // what was done before stays
			return did, nil
		}
		if err != nil {
			return did, err
		}
	}
	if len(found) > 0 || !c.upsert {
		return did, nil
	}
	return r.upsert(tx, ns, filter, u, c)
}

// match is a document that a statement changes.
type match struct {
	record
	position int
}

// matching finds the documents that a statement changes: the first of them, or
// all for a multi-update.
func (r *request) matching(coll *storage.Collection, filter *query.Filter, env *query.Env, c *change) ([]match, error) {
	hint, err := parseHint(coll, c.hint)
	if err != nil {
		return nil, err
	}
	sort, err := query.ParseSort(c.sort, env)
	if err != nil {
		return nil, err
	}
	if filter.Near != nil {
		if err := checkNear(coll, filter.Near); err != nil {
			return nil, err
		}
	}
	s, sorted := plan(coll, filter, c.sort, env.Collation, hint)
	if sorted {
		sort = nil
	}
	if sort != nil && sort.Natural != 0 {
		s, sort = &scan{collection: coll, backwards: sort.Natural < 0}, nil
	}
	var found []match
	var best []byte
	for {
		rec, ok := s.next()
		if !ok {
			return found, nil
		}
		position, ok, err := filter.MatchPosition(rec.doc)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		switch m := (match{rec, position}); {
		case c.multi:
			found = append(found, m)
		case sort == nil:
			return []match{m}, nil
		default:
			key, err := sort.Key(rec.doc)
			if err != nil {
				return nil, err
			}
			if found == nil || string(key) < string(best) {
				found, best = []match{m}, key
			}
		}
	}
}

func (r *request) applyTo(tx *storage.Tx, coll *storage.Collection, m match, u *query.Update, c *change, did *changed) error {
	result, err := u.Apply(m.doc, m.position)
	if err != nil {
		return err
	}
	did.matched++
	did.before, did.after = m.doc, result.Document
	if !result.Changed {
		return nil
	}
	after := result.Document
	if len(after) > maxDocumentSize {
		return errorf(17419, "Resulting document after update is larger than %d", maxDocumentSize)
	}
	if coll.Options.Capped && len(after) != len(m.doc) && !r.atLeast(5, 0) {
		return errorf(10003, "Cannot change the size of a document in a capped collection: %d != %d", len(m.doc), len(after))
	}
	if err := r.checkShardKeyChange(coll.NS, c, m.doc, after); err != nil {
		return err
	}
	if !c.bypass {
		if err := r.validate(coll, m.doc, after); err != nil {
			return err
		}
	}
	kind := storage.Update
	if result.Description == nil {
		kind = storage.Replace
	}
	did.modified++
	return tx.Do(&storage.Op{
		Kind: kind, NS: coll.NS, UUID: coll.UUID, Record: m.id, Before: m.doc, After: after,
		Description: result.Description, Stmt: c.stmt, Image: c.image,
	})
}

func (r *request) upsert(tx *storage.Tx, ns storage.Namespace, filter *query.Filter, u *query.Update, c *change) (did changed, err error) {
	d, err := u.Upsert(filter)
	if err != nil {
		return did, err
	}
	coll, err := r.target(tx, ns, true)
	if err != nil {
		return did, err
	}
	if d, err = r.prepare(tx, d); err != nil {
		return did, err
	}
	if !c.bypass {
		if err := r.validate(coll, nil, d); err != nil {
			return did, err
		}
	}
	did.upserted, did.after = d.Lookup("_id"), d
	return did, tx.Do(&storage.Op{
		Kind: storage.Insert, NS: ns, UUID: coll.UUID, After: d, Stmt: c.stmt, Upsert: true, Image: c.image,
	})
}
