package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// scan reads the records of a collection, a chunk at a time. It follows the
// collection through its States: between chunks it may be moved to a newer one.
type scan struct {
	collection *storage.Collection
	index      *storage.Index // nil for natural order
	prefix     string         // what the keys of index begin with
	backwards  bool
	single     bool // ids holds the one record, if any, there can be

	ids   []storage.RecordID // looked up already
	after storage.RecordID   // natural order: the last record read
	key   string             // index order: the last key read
	seen  map[storage.RecordID]bool
	chunk []record
	done  bool
}

type record struct {
	id  storage.RecordID
	key string
	doc bson.Raw
}

// scanChunk is how many records are looked up at once.
const scanChunk = 128

// next is the next record; ok is false at the end.
func (s *scan) next() (r record, ok bool) {
	for len(s.chunk) == 0 {
		if s.done || s.collection == nil {
			return record{}, false
		}
		s.fill()
	}
	r, s.chunk = s.chunk[0], s.chunk[1:]
	s.after, s.key = r.id, r.key
	return r, true
}

func (s *scan) fill() {
	switch {
	case s.single:
		s.done = true
		for _, id := range s.ids {
			if d, ok := s.collection.Get(id); ok {
				s.chunk = append(s.chunk, record{id: id, doc: d})
			}
		}
	case s.index != nil:
		s.fillFromIndex()
	default:
		s.collection.Scan(s.after, s.backwards, func(id storage.RecordID, d bson.Raw) bool {
			s.chunk = append(s.chunk, record{id: id, doc: d})
			return len(s.chunk) < scanChunk
		})
		s.done = len(s.chunk) == 0
	}
}

func (s *scan) fillFromIndex() {
	from := s.key
	if from == "" {
		from = s.prefix
		if s.backwards && from != "" {
			from += "\xff\xff\xff\xff"
		}
	}
	s.done = true
	s.index.Scan(from, s.backwards, func(key string, id storage.RecordID) bool {
		if s.prefix != "" && (len(key) < len(s.prefix) || key[:len(s.prefix)] != s.prefix) {
			return s.backwards && key > s.prefix
		}
		if key == s.key || s.seen[id] {
			return true
		}
		if d, ok := s.collection.Get(id); ok {
			s.seen[id] = true
			s.chunk = append(s.chunk, record{id, key, d})
			s.done = false
		}
		return len(s.chunk) < scanChunk
	})
}

// move goes on in a newer State of the collection.
func (s *scan) move(c *storage.Collection) {
	s.collection, s.chunk = c, nil
	if s.index != nil {
		s.index = c.Index(s.index.Name)
	}
	if !s.single {
		s.done = false
	}
}

// plan chooses how to find the documents that match a filter: by the hint, by
// their _id, by an index on a field that must have one value, or by looking at
// all.
func plan(c *storage.Collection, filter *query.Filter, collation *query.Collation, hint *hint) *scan {
	s := &scan{collection: c}
	if c == nil {
		return s
	}
	if hint != nil {
		if hint.natural != 0 {
			s.backwards = hint.natural < 0
			return s
		}
		s.index, s.seen = hint.index, map[storage.RecordID]bool{}
		return s
	}
	for _, ix := range c.Indexes {
		if ix.Partial != nil || ix.Hidden || ix.Sparse || special(ix) {
			continue
		}
		name := ""
		for k := range ix.Key.Keys() {
			name = k
			break
		}
		v, ok := filter.Equal(name)
		if !ok || !indexable(v) || comparesStrings(v) && !query.SameCollation(ix.Collation, collation) {
			continue
		}
		if name == "_id" && ix == c.Indexes[0] {
			s.single = true
			if id, found := c.ByID(v); found {
				s.ids = []storage.RecordID{id}
			}
			return s
		}
		s.index, s.prefix, s.seen = ix, ix.Prefix(v), map[storage.RecordID]bool{}
		return s
	}
	return s
}

// special reports whether the index is not ordered by plain values.
func special(ix *storage.Index) bool {
	for name, v := range ix.Key.All() {
		if !v.IsNumber() || name == "$**" || len(name) > 3 && name[len(name)-4:] == ".$**" {
			return true
		}
	}
	return false
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

// hint is the index, or the direction of natural order, that a command names.
type hint struct {
	natural int
	index   *storage.Index
}

// parseHint finds the index that a command names, by name or key pattern. It is
// nil for none.
func parseHint(c *storage.Collection, v bson.RawValue) (*hint, error) {
	bad := errorf(codeBadValue, "error processing query: ns=%s planner returned error :: caused by :: hint provided does not correspond to an existing index", nsOf(c))
	switch v.Type {
	case 0:
		return nil, nil
	case bson.TypeString:
		name, _ := v.Str()
		if c == nil {
			return nil, nil
		}
		if ix := c.Index(name); ix != nil && !ix.Hidden {
			return &hint{index: ix}, nil
		}
		return nil, bad
	case bson.TypeEmbeddedDocument:
		key := bson.Raw(v.Value)
		if key.Len() == 0 {
			return nil, nil
		}
		if n := key.Lookup("$natural"); !n.IsZero() {
			direction := 1
			if f, _ := n.AsDouble(); f < 0 {
				direction = -1
			}
			return &hint{natural: direction}, nil
		}
		if c == nil {
			return nil, nil
		}
		for _, ix := range c.Indexes {
			if query.CompareDocuments(ix.Key, key, nil) == 0 && !ix.Hidden {
				return &hint{index: ix}, nil
			}
		}
		return nil, bad
	}
	return nil, errorf(codeFailedToParse, "hint must be either a string or nested object")
}

func nsOf(c *storage.Collection) string {
	if c == nil {
		return ""
	}
	return c.NS.String()
}
