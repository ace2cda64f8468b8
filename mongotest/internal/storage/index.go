package storage

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/tidwall/btree"
)

// An Index orders the records of a collection by some of their fields.
type Index struct {
	Name   string
	Key    bson.Raw
	Spec   bson.Raw // as listIndexes shows it
	Unique bool
	// PrepareUnique refuses new doubles in an index that is not unique yet.
	PrepareUnique bool
	Sparse        bool
	Hidden        bool
	Partial       *query.Filter // nil for all documents
	Collation     *query.Collation
	// ExpireAfter is the age in seconds that ends a document, -1 for none.
	ExpireAfter int64

	// entries has a key for each value that a document is found by. The key of
	// an index that is not unique ends with the record's id.
	entries *btree.Map[string, RecordID]
}

// DuplicateKey is the error of a write that a unique index refuses.
type DuplicateKey struct {
	NS    Namespace
	Index *Index
	Value bson.Raw // the fields of the index and their values
}

func (d *DuplicateKey) Error() string {
	collation := ""
	if d.Index.Collation != nil {
		collation = " collation: " + query.FormatDocument(d.Index.Collation.Document())
	}
	return fmt.Sprintf("E11000 duplicate key error collection: %s index: %s%s dup key: %s",
		d.NS, d.Index.Name, collation, query.FormatDocument(d.Value))
}

// Len is the number of keys in the index.
func (ix *Index) Len() int { return ix.entries.Len() }

// keys are the keys of a document. There are none if the index leaves it out.
func (ix *Index) keys(doc bson.Raw, id RecordID) ([]query.IndexKey, error) {
	if ix.Partial != nil {
		if ok, err := ix.Partial.Match(doc); !ok || err != nil {
			return nil, err
		}
	}
	keys, err := query.IndexKeys(doc, ix.Key, ix.Collation)
	if err != nil {
		return nil, err
	}
	if ix.Sparse && len(keys) == 1 && !keys[0].Found {
		return nil, nil
	}
	if !ix.Unique {
		for i := range keys {
			keys[i].Key = binary.BigEndian.AppendUint64(keys[i].Key, uint64(id))
		}
	}
	return keys, nil
}

// conflict is the key of doc that another record has in a unique index, if any.
func (ix *Index) conflict(keys []query.IndexKey, id RecordID) (query.IndexKey, bool) {
	for _, k := range keys {
		switch {
		case ix.Unique:
			if other, found := ix.entries.Get(string(k.Key)); found && other != id {
				return k, true
			}
		case ix.PrepareUnique:
			for _, other := range ix.sharing(k.Key[:len(k.Key)-recordLen]) {
				if other != id {
					return k, true
				}
			}
		}
	}
	return query.IndexKey{}, false
}

// recordLen is the length of the record's id at the end of a key.
const recordLen = 8

// sharing are the records that have a key, in an index that is not unique.
func (ix *Index) sharing(key []byte) (ids []RecordID) {
	ix.entries.Ascend(string(key), func(k string, id RecordID) bool {
		if len(k) != len(key)+recordLen || k[:len(key)] != string(key) {
			return false
		}
		ids = append(ids, id)
		return true
	})
	return ids
}

// Doubles are the records that share a key, in an index that is not unique.
func (ix *Index) Doubles() (groups [][]RecordID) {
	last := ""
	ix.entries.Scan(func(k string, id RecordID) bool {
		key := k[:len(k)-recordLen]
		if len(groups) > 0 && key == last {
			groups[len(groups)-1] = append(groups[len(groups)-1], id)
		} else {
			groups = append(groups, []RecordID{id})
		}
		last = key
		return true
	})
	return slices.DeleteFunc(groups, func(g []RecordID) bool { return len(g) == 1 })
}

// Scan goes through the index from the first key that is not before from, or
// backwards from the last that is not behind it. An empty from is the first
// key, or the last.
func (ix *Index) Scan(from string, backwards bool, visit func(key string, id RecordID) bool) {
	switch {
	case backwards && from == "":
		ix.entries.Reverse(visit)
	case backwards:
		ix.entries.Descend(from, visit)
	default:
		ix.entries.Ascend(from, visit)
	}
}

// Bound is the beginning of all keys that have these values of the first fields.
func (ix *Index) Bound(values ...bson.RawValue) string {
	var b []byte
	i := 0
	for _, direction := range ix.Key.All() {
		if i == len(values) {
			break
		}
		at := len(b)
		b = query.AppendKey(b, values[i], ix.Collation)
		if d, ok := direction.AsDouble(); ok && d < 0 {
			for j := at; j < len(b); j++ {
				b[j] = ^b[j]
			}
		}
		i++
	}
	return string(b)
}

// without is the index with no entries yet.
func (ix *Index) without() *Index {
	c := *ix
	c.entries = new(btree.Map[string, RecordID])
	return &c
}
