package mongod

import (
	"iter"
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

// insertSorted adds a string to a sorted list, unless it is there.
func insertSorted(list []string, s string) []string {
	at, found := slices.BinarySearch(list, s)
	if found {
		return list
	}
	return slices.Insert(list, at, s)
}

// pairs are the fields of a document, one by one.
func pairs(d bson.Raw) (next func() (string, bson.RawValue, bool), stop func()) {
	return iter.Pull2(d.All())
}

func firstKey(d bson.Raw) string {
	for name := range d.Keys() {
		return name
	}
	return ""
}

// mentions reports whether a query has the operator at its top, or within the
// logical operators there.
func mentions(q bson.Raw, operator string) bool {
	for name, v := range q.All() {
		if name == operator {
			return true
		}
		if name == "$and" || name == "$or" || name == "$nor" {
			for _, d := range documents(v) {
				if mentions(d, operator) {
					return true
				}
			}
		}
	}
	return false
}
