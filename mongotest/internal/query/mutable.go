package query

import (
	"slices"
	"strconv"

	"github.com/motor-go/motor/bson"
)

// mutable is a value of a document under change. It is taken apart only where
// something within it changes.
type mutable struct {
	key   string
	value bson.RawValue // as it was, while kids is nil
	kids  []*mutable
	apart bool
}

func newMutable(key string, v bson.RawValue) *mutable { return &mutable{key: key, value: v} }

func (m *mutable) isObject() bool { return m.value.Type == bson.TypeEmbeddedDocument }
func (m *mutable) isArray() bool  { return m.value.Type == bson.TypeArray }

// children takes the value apart.
func (m *mutable) children() []*mutable {
	if !m.apart && (m.isObject() || m.isArray()) {
		for k, v := range bson.Raw(m.value.Value).All() {
			m.kids = append(m.kids, newMutable(k, v))
		}
		m.apart = true
	}
	return m.kids
}

// child is the field or the array element of that name, nil if there is none.
func (m *mutable) child(name string) *mutable {
	kids := m.children()
	if m.isArray() {
		if i := arrayIndex(name); i >= 0 && i < len(kids) {
			return kids[i]
		}
		return nil
	}
	for _, k := range kids {
		if k.key == name {
			return k
		}
	}
	return nil
}

func (m *mutable) set(v bson.RawValue) { *m = mutable{key: m.key, value: v} }

func (m *mutable) append(kid *mutable) {
	m.children()
	m.kids = append(m.kids, kid)
}

// remove takes a field away; an array element becomes null instead.
func (m *mutable) remove(kid *mutable) {
	if m.isArray() {
		kid.set(null)
		return
	}
	m.kids = slices.DeleteFunc(m.kids, func(k *mutable) bool { return k == kid })
}

// raw is the value as it is now.
func (m *mutable) raw() bson.RawValue {
	if !m.apart {
		return m.value
	}
	dst, at := bson.BeginDocument(nil)
	for i, k := range m.kids {
		key := k.key
		if m.isArray() {
			key = strconv.Itoa(i)
		}
		dst = bson.AppendValue(dst, key, k.raw())
	}
	return bson.RawValue{Type: m.value.Type, Value: bson.EndDocument(dst, at)}
}

// String is the element as the update's messages show it.
func (m *mutable) String() string { return "{" + formatElement(m.key, m.raw()) + "}" }
