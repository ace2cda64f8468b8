package query

import (
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

// CheckUpsert refuses what a query of an upsert cannot have, whether anything
// matches it or not.
func (f *Filter) CheckUpsert() error {
	if f.hasExpr {
		return errorf(codeQueryNotAllowed, "$expr is not allowed in the query predicate for an upsert")
	}
	return nil
}

// Upsert makes the document to insert when nothing matched. Its _id comes first.
func (u *Update) Upsert(filter *Filter) (bson.Raw, error) {
	base, err := upsertBase(filter, u.Kind == Replacement)
	if err != nil {
		return nil, err
	}
	hasID := base.child("_id") != nil
	var doc bson.Raw
	switch u.Kind {
	case Replacement:
		result, err := u.replace(base.raw().Value, u.replacement, hasID)
		if err != nil {
			return nil, err
		}
		doc = result.Document
	case PipelineUpdate:
		old := bson.Raw(base.raw().Value)
		out, err := u.pipeline.apply(old)
		if err != nil {
			return nil, err
		}
		result, err := u.replace(old, out, hasID)
		if err != nil {
			return nil, err
		}
		doc = result.Document
	default:
		c := &updateContext{update: u, doc: base, position: -1, insert: true, immutableID: hasID}
		if err := c.apply(u.root, nil); err != nil {
			return nil, err
		}
		doc = base.raw().Value
	}
	return u.finishUpsert(doc)
}

func (u *Update) finishUpsert(doc bson.Raw) (bson.Raw, error) {
	id := doc.Lookup("_id")
	if isMissing(id) {
		id = objectIDValue(u.env.NewObjectID())
	}
	if err := checkStoredID(id); err != nil {
		return nil, err
	}
	dst, at := bson.BeginDocument(nil)
	dst = bson.AppendValue(dst, "_id", id)
	for k, v := range doc.All() {
		if k != "_id" {
			dst = bson.AppendValue(dst, k, v)
		}
	}
	doc = bson.EndDocument(dst, at)
	return doc, checkStoredSize(doc)
}

// upsertBase makes a document of the query's equalities; of that on _id alone
// for a replacement.
func upsertBase(filter *Filter, idOnly bool) (*mutable, error) {
	values := map[string]bson.RawValue{}
	for _, n := range conjuncts(filter.root) {
		p, ok := equality(n)
		if !ok || idOnly && p.path != "_id" && !strings.HasPrefix(p.path, "_id.") {
			continue
		}
		if _, twice := values[p.path]; twice {
			return nil, errorf(codeNotSingleValueField, "cannot infer query fields to set, path '%s' is matched twice", p.path)
		}
		values[p.path] = p.pred.(*comparison).value
	}
	paths := make([]string, 0, len(values))
	for p := range values {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, p := range paths {
		for i := range p {
			if _, ok := values[p[:i]]; ok && p[i] == '.' {
				return nil, errorf(codeNotSingleValueField, "cannot infer query fields to set, both paths '%s' and '%s' are matched", p, p[:i])
			}
		}
	}
	base := newMutable("", documentValue(emptyDoc))
	for _, p := range paths {
		if err := putEquality(base, p, values[p]); err != nil {
			return nil, err
		}
	}
	return base, nil
}

func putEquality(base *mutable, path string, v bson.RawValue) error {
	parts := splitPath(path)
	if strings.HasPrefix(path, "_id.") || path == "_id" {
		if err := checkStoredID(v); err != nil && path == "_id" {
			return err
		}
	}
	m := base
	for i, name := range parts {
		if name == "" {
			return errorf(codeEmptyFieldName, "An empty update path is not valid.")
		}
		if strings.HasPrefix(name, "$") && !isDBRefField(name) {
			return errNotStorable(name, path)
		}
		next := m.child(name)
		if next == nil {
			next = newMutable(name, documentValue(emptyDoc))
			if i == len(parts)-1 {
				next.set(v)
			}
			m.append(next)
		}
		m = next
	}
	return nil
}
