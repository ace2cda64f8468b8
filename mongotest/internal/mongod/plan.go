package mongod

import (
	"strings"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// plan chooses how to find the documents that match a filter: by the hint, by
// their _id, by an index on a field that must have one value, by an index that
// has the order of the sort, or by looking at all. sorted says that the records
// come in the order of the sort.
func plan(c *storage.Collection, filter *query.Filter, sort bson.Raw, collation *query.Collation, hint *hint) (s *scan, sorted bool) {
	if c == nil {
		return &scan{}, false
	}
	if hint != nil {
		if hint.natural != 0 {
			return &scan{collection: c, backwards: hint.natural < 0}, false
		}
		return indexScan(c, hint.index), false
	}
	for _, ix := range c.Indexes {
		v, ok := filter.Equal(firstKey(ix.Key))
		if !ok || !complete(ix) || !indexable(v) || comparesStrings(v) && !query.SameCollation(ix.Collation, collation) {
			continue
		}
		if ix == c.ID() {
			s = &scan{collection: c, single: true}
			if id, found := c.ByID(v); found {
				s.ids = []storage.RecordID{id}
			}
			return s, false
		}
		s = indexScan(c, ix)
		s.prefix = ix.Bound(v)
		s.from = s.prefix
		return s, false
	}
	for _, ix := range c.Indexes {
		if !complete(ix) || !query.SameCollation(ix.Collation, collation) {
			continue
		}
		if direction := ordered(ix.Key, sort); direction != 0 {
			s = indexScan(c, ix)
			s.backwards = direction < 0
			return s, true
		}
	}
	return &scan{collection: c}, false
}

func indexScan(c *storage.Collection, ix *storage.Index) *scan {
	return &scan{collection: c, index: ix, seen: map[storage.RecordID]bool{}}
}

// complete reports whether an index has all documents, by their plain values.
func complete(ix *storage.Index) bool {
	if ix.Partial != nil || ix.Hidden || ix.Sparse {
		return false
	}
	for name, v := range ix.Key.All() {
		if !v.IsNumber() || name == "$**" || strings.HasSuffix(name, ".$**") {
			return false
		}
	}
	return true
}

// indexable reports whether documents where a field equals v are all found
// under v in an index.
func indexable(v bson.RawValue) bool {
	switch v.Type {
	case bson.TypeNull, bson.TypeUndefined, bson.TypeArray, bson.TypeRegex, 0:
		return false
	}
	return true
}

// comparesStrings reports whether a collation has a say in what equals v.
func comparesStrings(v bson.RawValue) bool {
	switch v.Type {
	case bson.TypeString, bson.TypeSymbol, bson.TypeEmbeddedDocument, bson.TypeArray:
		return true
	}
	return false
}

// ordered reports whether an index with the key has the order of a sort: 1 if it
// does, -1 if it does backwards, 0 if it does not.
func ordered(key, sort bson.Raw) (direction int) {
	if sort.Len() == 0 || sort.Len() > key.Len() {
		return 0
	}
	names, stop := pairs(key)
	defer stop()
	for name, v := range sort.All() {
		k, d, _ := names()
		if k != name || !v.IsNumber() {
			return 0
		}
		same := 1
		a, _ := d.AsDouble()
		if b, _ := v.AsDouble(); a*b < 0 {
			same = -1
		}
		if direction != 0 && direction != same {
			return 0
		}
		direction = same
	}
	return direction
}

// hint is the index, or the direction of natural order, that a command names.
type hint struct {
	natural int
	index   *storage.Index
}

// parseHint finds the index that a command names, by name or key pattern. It is
// nil for none.
func parseHint(c *storage.Collection, v bson.RawValue) (*hint, error) {
	if v.Type != 0 && v.Type != bson.TypeString && v.Type != bson.TypeEmbeddedDocument {
		return nil, errorf(codeFailedToParse, "hint must be either a string or nested object")
	}
	if key, ok := v.Document(); ok {
		if key.Len() == 0 {
			return nil, nil
		}
		if n := key.Lookup("$natural"); !n.IsZero() {
			if f, _ := n.AsDouble(); f < 0 {
				return &hint{natural: -1}, nil
			}
			return &hint{natural: 1}, nil
		}
	}
	if v.Type == 0 || c == nil {
		return nil, nil
	}
	for _, ix := range c.Indexes {
		name, _ := v.Str()
		key, _ := v.Document()
		if !ix.Hidden && (ix.Name == name || key != nil && query.CompareDocuments(ix.Key, key, nil) == 0) {
			return &hint{index: ix}, nil
		}
	}
	return nil, cannotPlan(codeBadValue, c.NS, "hint provided does not correspond to an existing index")
}

// cannotPlan is the error of a query that cannot be executed as asked.
func cannotPlan(code int32, ns storage.Namespace, why string) error {
	return errorf(code, "error processing query: ns=%s planner returned error :: caused by :: %s", ns, why)
}

// bounds reads only what is from min until before max in the index of the hint.
func (s *scan) bounds(ns storage.Namespace, min, max bson.Raw, hint *hint) error {
	if min.Len() == 0 {
		min = nil
	}
	if max.Len() == 0 {
		max = nil
	}
	if min == nil && max == nil {
		return nil
	}
	if min != nil && max != nil && !sameNames(min, max) {
		return errorf(51176, "min and max must have the same field names")
	}
	if hint == nil || hint.index == nil {
		return cannotPlan(51173, ns, "When using min()/max() a hint of which index to use must be provided")
	}
	for _, bound := range []bson.Raw{min, max} {
		if bound != nil && !sameNames(bound, hint.index.Key) {
			return cannotPlan(51174, ns, "The index chosen is not compatible with min/max")
		}
	}
	s.from, s.to = hint.index.Bound(valuesOf(min)...), hint.index.Bound(valuesOf(max)...)
	if min != nil && max != nil && s.from >= s.to {
		return cannotPlan(51175, ns, "The value provided for min() does not come before the value provided for max() in the hinted index")
	}
	return nil
}

func sameNames(a, b bson.Raw) bool {
	if a.Len() != b.Len() {
		return false
	}
	names, stop := pairs(b)
	defer stop()
	for name := range a.Keys() {
		if other, _, _ := names(); other != name {
			return false
		}
	}
	return true
}

func valuesOf(d bson.Raw) (values []bson.RawValue) {
	for _, v := range d.All() {
		values = append(values, v)
	}
	return values
}
