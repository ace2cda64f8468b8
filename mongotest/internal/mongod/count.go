package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

var countSchema = newSchema("count",
	field{"query", object}, field{"limit", number}, field{"skip", number}, field{"hint", anything},
	field{"collation", object}, field{"fields", anything}, field{"queryOptions", object}, field{"collectionUUID", anything},
	field{"encryptionInformation", anything})

// count counts the documents that match.
func count(r *request) (*doc, error) {
	ns, err := r.readNamespace()
	if err != nil {
		return nil, err
	}
	limit, skip := whole(r.field("limit")), whole(r.field("skip"))
	if skip < 0 {
		return nil, errorf(codeBadValue, "BSON field 'skip' value must be >= 0, actual value '%d'", skip)
	}
	limit = max(limit, -limit)
	source, err := r.source(ns, r.object("collation"))
	if err != nil {
		return nil, err
	}
	next, err := r.matchingDocuments(ns, source, r.object("query"), r.field("hint"))
	if err != nil {
		return nil, err
	}
	n := int64(0)
	for limit == 0 || n < skip+limit {
		d, err := next()
		if err != nil {
			return nil, err
		}
		if d == nil {
			break
		}
		n++
	}
	return newDoc().number("n", max(n-skip, 0)), nil
}

// readNamespace is the collection that count and distinct read.
func (r *request) readNamespace() (storage.Namespace, error) {
	v := r.first()
	if v.Type != bson.TypeString {
		return storage.Namespace{}, errorf(codeInvalidNamespace, "collection name has invalid type %s", query.TypeName(v.Type))
	}
	return r.collection()
}

// matchingDocuments are the documents of a collection or view that match.
func (r *request) matchingDocuments(ns storage.Namespace, s source, filter bson.Raw, index bson.RawValue) (query.Iterator, error) {
	switch index.Type {
	case 0, bson.TypeString, bson.TypeEmbeddedDocument:
	default:
		return nil, errorf(codeFailedToParse, "Hint must be a string or an object")
	}
	if s.view != nil {
		match := newDoc().doc("$match", orEmpty(filter)).raw()
		return r.aggregateView(ns, s, []bson.Raw{match})
	}
	parsed, err := query.ParseFilter(filter, r.env(ns, s.collation))
	if err != nil {
		return nil, err
	}
	hint, err := parseHint(s.collection, index)
	if err != nil {
		return nil, err
	}
	e := &execution{r: r, source: s, scan: plan(s.collection, parsed, s.collation, hint), filter: parsed}
	return func() (bson.Raw, error) {
		rec, err := e.match()
		return rec.doc, err
	}, nil
}

func orEmpty(d bson.Raw) bson.Raw {
	if d == nil {
		return newDoc().raw()
	}
	return d
}

var distinctSchema = newSchema("distinct",
	field{"key", text | required}, field{"query", object}, field{"collation", object}, field{"queryOptions", object},
	field{"collectionUUID", anything}, field{"encryptionInformation", anything})

// distinct lists the values of a field.
func distinct(r *request) (*doc, error) {
	ns, err := r.readNamespace()
	if err != nil {
		return nil, err
	}
	source, err := r.source(ns, r.object("collation"))
	if err != nil {
		return nil, err
	}
	key, _ := r.field("key").Str()
	values, err := query.NewDistinct(key, r.env(ns, source.collation))
	if err != nil {
		return nil, err
	}
	hint := r.field("hint")
	if !hint.IsZero() && !r.atLeast(7, 1) {
		return nil, errorf(codeUnknownField, "BSON field 'distinct.hint' is an unknown field.")
	}
	next, err := r.matchingDocuments(ns, source, r.object("query"), hint)
	if err != nil {
		return nil, err
	}
	for {
		d, err := next()
		if err != nil {
			return nil, err
		}
		if d == nil {
			break
		}
		values.Add(d)
	}
	reply := newDoc().array("values", values.Values())
	if r.snapshotAt != nil {
		reply.timestamp("atClusterTime", *r.snapshotAt)
	}
	return reply, nil
}
