package query

import (
	"slices"

	"github.com/motor-go/motor/bson"
)

// fieldTree says for each field of a document whether it is kept, and which
// fields are computed: $project, $addFields and the projection of find.
type fieldTree struct {
	names    []string // in the order of the spec
	kept     map[string]bool
	computed map[string]*expression
	children map[string]*fieldTree
}

func newFieldTree() *fieldTree {
	return &fieldTree{kept: map[string]bool{}, computed: map[string]*expression{}, children: map[string]*fieldTree{}}
}

func (t *fieldTree) note(name string) {
	if !slices.Contains(t.names, name) {
		t.names = append(t.names, name)
	}
}

// at is the tree that has the path's last component, made if need be.
func (t *fieldTree) at(path []string) (*fieldTree, string) {
	for len(path) > 1 {
		t.note(path[0])
		if t.children[path[0]] == nil {
			t.children[path[0]] = newFieldTree()
		}
		t, path = t.children[path[0]], path[1:]
	}
	t.note(path[0])
	return t, path[0]
}

func (t *fieldTree) compute(path []string, e *expression) {
	inner, name := t.at(path)
	inner.computed[name] = e
}

// keep marks a path as named: kept by an inclusion, left out by an exclusion.
func (t *fieldTree) keep(path []string) {
	inner, name := t.at(path)
	inner.kept[name] = true
}

// include keeps the fields of doc that are named.
func (t *fieldTree) include(doc bson.Raw) bson.Raw {
	dst, at := bson.BeginDocument(nil)
	for k, v := range doc.All() {
		if t.kept[k] {
			dst = bson.AppendValue(dst, k, v)
		} else if c := t.children[k]; c != nil {
			if v = c.includeValue(v); !isMissing(v) {
				dst = bson.AppendValue(dst, k, v)
			}
		}
	}
	return bson.EndDocument(dst, at)
}

func (t *fieldTree) includeValue(v bson.RawValue) bson.RawValue {
	switch {
	case isObject(v):
		return documentValue(t.include(v.Value))
	case isArray(v):
		// What is no document goes, unless fields are to be computed in its place.
		place := t.computes()
		var list []bson.RawValue
		for _, e := range elements(v) {
			if e = t.includeValue(e); place || !isMissing(e) {
				list = append(list, e)
			}
		}
		return arrayValue(list)
	}
	return missing
}

// exclude leaves out the fields of doc that are named.
func (t *fieldTree) exclude(doc bson.Raw) bson.Raw {
	dst, at := bson.BeginDocument(nil)
	for k, v := range doc.All() {
		if t.kept[k] {
			continue
		}
		if c := t.children[k]; c != nil {
			v = c.excludeValue(v)
		}
		dst = bson.AppendValue(dst, k, v)
	}
	return bson.EndDocument(dst, at)
}

func (t *fieldTree) excludeValue(v bson.RawValue) bson.RawValue {
	switch {
	case isObject(v):
		return documentValue(t.exclude(v.Value))
	case isArray(v):
		list := elements(v)
		for i, e := range list {
			list[i] = t.excludeValue(e)
		}
		return arrayValue(list)
	}
	return v
}

func (t *fieldTree) computes() bool {
	if len(t.computed) > 0 {
		return true
	}
	for _, c := range t.children {
		if c.computes() {
			return true
		}
	}
	return false
}

// addComputed sets the computed fields in doc. They are computed from the
// document that the scope has.
func (t *fieldTree) addComputed(s *scope, doc bson.Raw) (bson.Raw, error) {
	if !t.computes() {
		return doc, nil
	}
	set := map[string]bson.RawValue{}
	for _, name := range t.names {
		var v bson.RawValue
		var err error
		if e := t.computed[name]; e != nil {
			v, err = e.eval(s)
		} else if c := t.children[name]; c != nil && c.computes() {
			v, err = c.addComputedValue(s, doc.Lookup(name))
		} else {
			continue
		}
		if err != nil {
			return nil, err
		}
		set[name] = v
	}
	dst, at := bson.BeginDocument(nil)
	for k, v := range doc.All() {
		if newer, ok := set[k]; ok {
			delete(set, k)
			if v = newer; isMissing(v) {
				continue
			}
		}
		dst = bson.AppendValue(dst, k, v)
	}
	for _, name := range t.names {
		if v, ok := set[name]; ok && !isMissing(v) {
			dst = bson.AppendValue(dst, name, v)
		}
	}
	return bson.EndDocument(dst, at), nil
}

func (t *fieldTree) addComputedValue(s *scope, v bson.RawValue) (bson.RawValue, error) {
	if isArray(v) {
		list := elements(v)
		for i, e := range list {
			var err error
			if list[i], err = t.addComputedValue(s, e); err != nil {
				return missing, err
			}
		}
		return arrayValue(list), nil
	}
	doc := emptyDoc
	if isObject(v) {
		doc = v.Value
	}
	doc, err := t.addComputed(s, doc)
	return documentValue(doc), err
}
