package mongod

import (
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

var countSchema = newSchema("count",
	field{name: "query", fieldType: object}, field{name: "limit", fieldType: number}, field{name: "skip", fieldType: number}, field{name: "hint", fieldType: anything},
	field{name: "collation", fieldType: object}, field{name: "fields", fieldType: anything}, field{name: "queryOptions", fieldType: object}, field{name: "collectionUUID", fieldType: anything},
	field{name: "encryptionInformation", fieldType: anything}, field{name: "comment", fieldType: anything})

// count counts the documents that match.
func count(r *request) (*doc, error) {
	ns, err := r.readNamespace()
	if err != nil {
		return nil, err
	}
	v := r.server.Version
	if older := !v.AtLeast(4, 5) && (!v.AtLeast(4, 4) || v.Patch < 14); older {
		if err := countSchema.check("comment", r.field("comment"), optional(r.field("comment"), text)); err != nil {
			return nil, err
		}
	}
	limit, skip := whole(r.field("limit")), whole(r.field("skip"))
	if skip < 0 {
		return nil, r.tooSmall("skip", skip, 0, errorf(codeBadValue, "BSON field 'skip' value must be >= 0, actual value '%d'", skip))
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
	ns, err := r.collection()
	if err != nil {
		return ns, err
	}
	return ns, r.checkReadable(ns)
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
	sc, _ := plan(s.collection, parsed, nil, s.collation, hint)
	e := &execution{source: s, scan: sc, filter: parsed}
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
	field{name: "key", fieldType: text | required}, field{name: "query", fieldType: object}, field{name: "collation", fieldType: object}, field{name: "queryOptions", fieldType: object},
	field{name: "collectionUUID", fieldType: anything}, field{name: "encryptionInformation", fieldType: anything}, fieldSince(7, 1, "hint", anything))

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
	next, err := r.matchingDocuments(ns, source, r.object("query"), r.field("hint"))
	if err != nil {
		return nil, err
	}
	byIndex := source.collection != nil && r.object("query").Len() == 0 && distinctIndex(source.collection, key)
	for {
		d, err := next()
		if err != nil {
			return nil, err
		}
		if d == nil {
			break
		}
		if byIndex {
			err = addIndexKeys(values, d, key)
		} else {
			values.Add(d)
		}
		if err != nil {
			return nil, err
		}
	}
	reply := newDoc().array("values", values.Values())
	if r.snapshotAt != nil {
		reply.timestamp("atClusterTime", *r.snapshotAt)
	}
	return reply, nil
}

// distinctIndex reports whether the values come from an index, which has null
// for missing fields and undefined for empty arrays.
func distinctIndex(c *storage.Collection, key string) bool {
	for _, ix := range c.Secondary() {
		if complete(ix) && firstKey(ix.Key) == key {
			return true
		}
	}
	return false
}

// addIndexKeys adds the values that an index on the path has of a document.
func addIndexKeys(values *query.Distinct, d bson.Raw, path string) error {
	keys, err := query.IndexKeys(d, newDoc().int32(path, 1).raw(), nil)
	if err != nil {
		return err
	}
	names := strings.Split(path, ".")
	for _, k := range keys {
		v := k.Values[0]
		for _, name := range slices.Backward(names) {
			v = bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: newDoc().value(name, v).raw()}
		}
		values.Add(bson.Raw(v.Value))
	}
	return nil
}
