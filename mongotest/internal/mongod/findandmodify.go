package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// findAndModifyFields are all that the command takes.
var findAndModifyFields = newSchema("findAndModify",
	field{name: "query", fieldType: object}, field{name: "sort", fieldType: object}, field{name: "fields", fieldType: object}, field{name: "update", fieldType: anything},
	field{name: "remove", fieldType: truth}, field{name: "new", fieldType: truth}, field{name: "upsert", fieldType: truth}, field{name: "collation", fieldType: object},
	field{name: "arrayFilters", fieldType: objects}, field{name: "hint", fieldType: anything}, field{name: "bypassDocumentValidation", fieldType: truth},
	fieldSince(5, 0, "let", object), field{name: "runtimeConstants", fieldType: anything}, field{name: "stmtId", fieldType: anything},
	field{name: "encryptionInformation", fieldType: anything}, field{name: "sampleId", fieldType: anything}, field{name: "isTimeseriesNamespace", fieldType: anything})

// findAndModify changes or removes one document and gives it.
type findAndModifyCommand struct {
	change
	ns          storage.Namespace
	fields      bson.Raw
	remove, new bool
}

func (r *request) parseFindAndModify() (f findAndModifyCommand, err error) {
	first := true
	for name, v := range r.body.All() {
		t, known := findAndModifyFields.find(name, r.server.Version.Version)
		switch {
		case first:
			first = false
		case !known && r.server.Version.generic(name):
		case !known && r.atLeast(5, 0):
			return f, errorf(codeUnknownField, "BSON field 'findAndModify.%s' is an unknown field.", name)
		case !known:
			return f, errorf(51177, "BSON field '%s' is an unknown field.", name)
		case t == object && v.Type != bson.TypeEmbeddedDocument && !r.atLeast(5, 0):
			return f, errorf(31160+findAndModifyCodes[name], "'%s' parameter must be an object, found %s", name, query.TypeName(v.Type))
		case r.atLeast(5, 0):
			if err := findAndModifyFields.check(name, v, t); err != nil {
				return f, err
			}
		}
	}
	if f.ns, err = r.collection(); err != nil {
		return f, err
	}
	f.q, f.sort, f.fields, f.collation = r.object("query"), r.object("sort"), r.object("fields"), r.object("collation")
	f.u, f.hint = r.field("update"), r.field("hint")
	f.remove, f.new, f.upsert = r.field("remove").Truthy(), r.field("new").Truthy(), r.field("upsert").Truthy()
	f.bypass = r.field("bypassDocumentValidation").Truthy()
	arrayFilters := r.field("arrayFilters")
	f.arrayFilters = documents(arrayFilters)
	if f.let = r.object("let"); f.q == nil {
		f.q = newDoc().raw()
	}
	switch {
	case !f.remove && f.u.IsZero():
		return f, errorf(codeFailedToParse, "Either an update or remove=true must be specified")
	case f.remove && !f.u.IsZero():
		return f, errorf(codeFailedToParse, "Cannot specify both an update and remove=true")
	case f.remove && f.upsert:
		return f, errorf(codeFailedToParse, "Cannot specify both upsert=true and remove=true")
	case f.remove && f.new:
		return f, errorf(codeFailedToParse, "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document")
	case f.remove && !arrayFilters.IsZero():
		return f, errorf(codeFailedToParse, "Cannot specify arrayFilters and remove=true")
	case !f.hint.IsZero() && !r.atLeast(4, 4):
		return f, errorf(codeFailedToParse, "BSON field 'hint' is an unknown field.")
	case !f.remove && f.u.Type != bson.TypeEmbeddedDocument && f.u.Type != bson.TypeArray:
		return f, errorf(codeFailedToParse, "Update argument must be either an object or an array")
	}
	f.image = storage.PreImage
	if f.new {
		f.image = storage.PostImage
	}
	return f, r.checkWritable(f.ns)
}

// findAndModifyCodes are what the codes of wrongly typed parameters end with.
var findAndModifyCodes = map[string]int32{"query": 0, "sort": 14, "fields": 15, "collation": 16, "let": 17}

func findAndModify(r *request) (*doc, error) {
	f, err := r.parseFindAndModify()
	if err != nil {
		return nil, err
	}
	ids, err := r.statements(1)
	if err != nil {
		return nil, err
	}
	f.stmt = ids[0]
	if op := r.executed()[f.stmt]; op != nil && f.stmt != storage.NoStmt {
		return r.retriedFindAndModify(f, op)
	}
	var did changed
	var projection *query.Projection
	err = r.transact(func(tx *storage.Tx) error {
		did = changed{}
		if projection, err = r.findAndModifyProjection(tx, f); err != nil {
			return err
		}
		if !f.remove {
			if did, err = r.apply(tx, f.ns, &f.change); err != nil {
				return err
			}
			return r.onPrimaryTransactionalWrite(tx)
		}
		removed, err := r.remove(tx, f.ns, &f.change)
		if err != nil {
			return err
		}
		if len(removed) > 0 {
			did.matched, did.before = 1, removed[0]
		}
		return r.onPrimaryTransactionalWrite(tx)
	})
	if err != nil {
		return nil, err
	}
	return r.findAndModifyReply(f, did, projection)
}

// findAndModifyProjection parses fields, with the query for its positional
// operator.
func (r *request) findAndModifyProjection(tx *storage.Tx, f findAndModifyCommand) (*query.Projection, error) {
	env, err := r.statementEnv(tx.State().Collection(f.ns), f.ns, f.collation)
	if err != nil {
		return nil, err
	}
	filter, err := query.ParseFilter(f.q, env)
	if err != nil {
		return nil, err
	}
	projection, err := query.ParseProjection(f.fields, filter, env)
	if err != nil {
		return nil, err
	}
	if projection != nil && projection.Positional() && f.new {
		return nil, errorf(codeBadValue, "cannot use a positional projection and return the new document")
	}
	return projection, nil
}

func (r *request) findAndModifyReply(f findAndModifyCommand, did changed, projection *query.Projection) (*doc, error) {
	value := did.before
	if f.new {
		value = did.after
	}
	if value != nil && projection != nil {
		var err error
		if value, err = projection.Apply(value, &query.Metadata{}); err != nil {
			return nil, err
		}
	}
	n := did.matched
	if !did.upserted.IsZero() {
		n = 1
	}
	reply := newDoc().embed("lastErrorObject", func(d *doc) {
		d.int32("n", int32(n))
		if !f.remove {
			d.bool("updatedExisting", did.matched > 0)
		}
		if !did.upserted.IsZero() {
			d.value("upserted", did.upserted)
		}
	})
	if value == nil {
		return reply.null("value"), nil
	}
	return reply.doc("value", value), nil
}

// retriedFindAndModify answers with what an earlier attempt did.
func (r *request) retriedFindAndModify(f findAndModifyCommand, op *storage.Op) (*doc, error) {
	r.wrote, r.touched = true, r.server.Engine.State().At
	did := changed{matched: 1, before: op.Before, after: op.After}
	switch {
	case f.remove != (op.Kind == storage.Delete):
		return nil, errorf(40606, "findAndModify retry request is not compatible with previous write in the transaction of type: %d", op.Kind)
	case op.Kind == storage.Insert && !f.upsert:
		return nil, errorf(40608, "findAndModify retry request wants the document after update returned, but the previous write was an insert")
	case op.Kind == storage.Insert:
		did = changed{upserted: op.ID(), after: op.After}
	case f.image == storage.PreImage && op.Image == storage.PostImage:
		return nil, errorf(40612, "findAndModify retry request wants the document before update returned, but only after update document is stored")
	case f.image == storage.PostImage && op.Image == storage.PreImage:
		return nil, errorf(40611, "findAndModify retry request wants the document after update returned, but only before update document is stored")
	}
	var projection *query.Projection
	if f.fields.Len() > 0 {
		env := r.env(f.ns, nil)
		filter, err := query.ParseFilter(f.q, env)
		if err != nil {
			return nil, err
		}
		if projection, err = query.ParseProjection(f.fields, filter, env); err != nil {
			return nil, err
		}
	}
	return r.findAndModifyReply(f, did, projection)
}
