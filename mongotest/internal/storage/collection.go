package storage

import (
	"slices"
	"sync"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/tidwall/btree"
)

// RecordID is the place of a document in its collection's natural order.
type RecordID int64

// Options are what create and collMod say about a collection.
type Options struct {
	Spec   bson.Raw // as listCollections shows them
	Capped bool
	Size   int64 // of a capped collection, in bytes
	Max    int64 // documents in a capped collection, 0 for no limit

	Collation *query.Collation // the default of all operations

	Validator *query.Filter // nil for none
	// ValidationLevel is "strict", "moderate" or "off"; ValidationAction is
	// "error" or "warn".
	ValidationLevel, ValidationAction string

	// PreImages keeps the documents before changes for change streams.
	PreImages bool
	// Type is "collection" or "timeseries".
	Type string
}

// Collection is a collection at one moment. It is not changed once it is part
// of a State.
type Collection struct {
	NS      Namespace
	UUID    UUID
	Options *Options
	Indexes []*Index // that on _id first, if there is one
	// Since is when its catalog entry changed last: a snapshot from before does
	// not know it.
	Since bson.Timestamp

	records *btree.Map[RecordID, bson.Raw]
	size    int64
}

// Len is the number of documents, Size the sum of their lengths.
func (c *Collection) Len() int { return c.records.Len() }

// Size is the sum of the lengths of all documents.
func (c *Collection) Size() int64 { return c.size }

// Get is the document of a record.
func (c *Collection) Get(id RecordID) (bson.Raw, bool) { return c.records.Get(id) }

// Last is the id of the last record, 0 if there is none.
func (c *Collection) Last() RecordID {
	id, _, _ := c.records.Max()
	return id
}

// Scan goes through the records in natural order, beginning behind after, or
// backwards, beginning before it. 0 is the end to begin from.
func (c *Collection) Scan(after RecordID, backwards bool, visit func(id RecordID, doc bson.Raw) bool) {
	switch {
	case backwards && after == 0:
		c.records.Reverse(visit)
	case backwards:
		c.records.Descend(after-1, visit)
	default:
		c.records.Ascend(after+1, visit)
	}
}

// Index finds an index by name.
func (c *Collection) Index(name string) *Index {
	for _, ix := range c.Indexes {
		if ix.Name == name {
			return ix
		}
	}
	return nil
}

// ID is the index on _id, nil for a time-series collection, which has none.
func (c *Collection) ID() *Index {
	if c.Options.Type == "timeseries" || len(c.Indexes) == 0 {
		return nil
	}
	return c.Indexes[0]
}

// Secondary are the indexes beside that on _id.
func (c *Collection) Secondary() []*Index {
	if c.ID() == nil {
		return c.Indexes
	}
	return c.Indexes[1:]
}

// ByID finds the record with the _id.
func (c *Collection) ByID(id bson.RawValue) (RecordID, bool) {
	if c.ID() == nil {
		return 0, false
	}
	return c.ID().entries.Get(c.ID().Bound(id))
}

// copyLock makes copies of one tree take turns: copying writes to the tree.
var copyLock sync.Mutex

func copyTree[K int64 | string | RecordID, V any](m *btree.Map[K, V]) *btree.Map[K, V] {
	copyLock.Lock()
	defer copyLock.Unlock()
	return m.Copy()
}

// writable is a copy of c to change.
func (c *Collection) writable() *Collection {
	w := *c
	w.records = copyTree(c.records)
	w.Indexes = make([]*Index, len(c.Indexes))
	for i, ix := range c.Indexes {
		copied := *ix
		copied.entries = copyTree(ix.entries)
		w.Indexes[i] = &copied
	}
	return &w
}

// put adds the document or changes it. A refused document leaves c as it was.
func (c *Collection) put(id RecordID, doc bson.Raw) error {
	before, existed := c.records.Get(id)
	add := make([][]query.IndexKey, len(c.Indexes))
	for i, ix := range c.Indexes {
		keys, err := ix.keys(doc, id)
		if err != nil {
			return err
		}
		if k, found := ix.conflict(keys, id); found {
			return &DuplicateKey{c.NS, ix, k.Document(ix.Key)}
		}
		add[i] = keys
	}
	if existed {
		c.unindex(id, before)
		c.size -= int64(len(before))
	}
	for i, ix := range c.Indexes {
		for _, k := range add[i] {
			ix.entries.Set(string(k.Key), id)
		}
	}
	c.records.Set(id, doc)
	c.size += int64(len(doc))
	return nil
}

func (c *Collection) remove(id RecordID) {
	if doc, ok := c.records.Delete(id); ok {
		c.unindex(id, doc)
		c.size -= int64(len(doc))
	}
}

func (c *Collection) unindex(id RecordID, doc bson.Raw) {
	for _, ix := range c.Indexes {
		keys, _ := ix.keys(doc, id) // they could be made when it came in
		for _, k := range keys {
			ix.entries.Delete(string(k.Key))
		}
	}
}

// evict removes the oldest documents of a capped collection that is too large.
func (c *Collection) evict() {
	o := c.Options
	for o.Capped && c.Len() > 1 && (c.size > o.Size || o.Max > 0 && int64(c.Len()) > o.Max) {
		first, _, _ := c.records.Min()
		c.remove(first)
	}
}

// rebuild fills an index anew.
func (c *Collection) rebuild(ix *Index) error {
	c.Indexes = slices.DeleteFunc(c.Indexes, func(other *Index) bool { return other == ix })
	return c.build(ix)
}

// build adds an index over the documents that are there.
func (c *Collection) build(spec *Index) error {
	ix := spec.without()
	var failed error
	c.Scan(0, false, func(id RecordID, doc bson.Raw) bool {
		keys, err := ix.keys(doc, id)
		if err != nil {
			failed = err
			return false
		}
		if k, found := ix.conflict(keys, id); found {
			failed = &DuplicateKey{c.NS, ix, k.Document(ix.Key)}
			return false
		}
		for _, k := range keys {
			ix.entries.Set(string(k.Key), id)
		}
		return true
	})
	if failed == nil {
		c.Indexes = append(c.Indexes, ix)
	}
	return failed
}
