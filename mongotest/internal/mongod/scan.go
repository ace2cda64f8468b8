package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// scan reads the records of a collection, a chunk at a time. It follows the
// collection through its States: between chunks it may be moved to a newer one.
type scan struct {
	collection *storage.Collection
	index      *storage.Index // nil for natural order
	from, to   string         // the keys of index to read: from it on, until before to
	prefix     string         // what the keys of index begin with
	backwards  bool
	single     bool // ids holds the one record, if any, that there can be

	ids   []storage.RecordID
	after storage.RecordID // natural order: the last record read
	key   string           // index order: the last key read
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
	for {
		for len(s.chunk) == 0 {
			if s.done || s.collection == nil {
				return record{}, false
			}
			s.fill()
		}
		r, s.chunk = s.chunk[0], s.chunk[1:]
		s.after, s.key = r.id, r.key
		if s.index == nil {
			return r, true
		}
		if !s.seen[r.id] { // an index may have many keys of a record
			s.seen[r.id] = true
			return r, true
		}
	}
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
		from = s.from
	}
	s.done = true
	s.index.Scan(from, s.backwards, func(key string, id storage.RecordID) bool {
		if s.to != "" && key >= s.to || len(key) < len(s.prefix) || key[:len(s.prefix)] != s.prefix {
			return false
		}
		if key == s.key {
			return true
		}
		if d, ok := s.collection.Get(id); ok {
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
