package query

import (
	"bytes"
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

// Distinct collects the distinct values of a path.
type Distinct struct {
	path      string
	collation *Collation
	values    []distinctValue
	seen      map[string]bool
}

type distinctValue struct {
	key   []byte
	value bson.RawValue
}

// NewDistinct checks the path.
func NewDistinct(path string, env *Env) (*Distinct, error) {
	if err := checkFieldPath(path); err != nil {
		return nil, err
	}
	return &Distinct{path: path, collation: env.Collation, seen: map[string]bool{}}, nil
}

// Add adds the values of one document. They must not change afterwards.
func (d *Distinct) Add(doc bson.Raw) { d.add(doc, d.path) }

func (d *Distinct) add(doc bson.Raw, path string) {
	name, rest, more := strings.Cut(path, ".")
	v := doc.Lookup(name)
	switch {
	case isMissing(v):
	case !more && isArray(v):
		for e := range bson.RawArray(v.Value).Values() {
			d.addValue(e)
		}
	case !more:
		d.addValue(v)
	case isObject(v):
		d.add(v.Value, rest)
	case isArray(v):
		if next, _, _ := strings.Cut(rest, "."); arrayIndex(next) >= 0 {
			d.add(v.Value, rest)
			return
		}
		for e := range bson.RawArray(v.Value).Values() {
			if isObject(e) {
				d.add(e.Value, rest)
			}
		}
	}
}

func (d *Distinct) addValue(v bson.RawValue) {
	key := AppendKey(nil, v, d.collation)
	if d.seen[string(key)] {
		return
	}
	d.seen[string(key)] = true
	d.values = append(d.values, distinctValue{key, v})
}

// Values are the values in order, each as it was met first.
func (d *Distinct) Values() bson.RawArray {
	slices.SortFunc(d.values, func(a, b distinctValue) int { return bytes.Compare(a.key, b.key) })
	values := make([]bson.RawValue, len(d.values))
	for i, v := range d.values {
		values[i] = v.value
	}
	return arrayValue(values).Value
}
