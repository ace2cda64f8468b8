package mongod

import (
	"slices"
	"strings"
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
