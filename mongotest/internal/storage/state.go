package storage

import (
	"iter"

	"github.com/motor-go/motor/bson"
	"github.com/tidwall/btree"
)

// State is all collections at one moment.
type State struct {
	// At is the OpTime of the last Entry that is in it.
	At OpTime

	collections *btree.Map[string, *Collection]
	sessions    *btree.Map[string, *SessionRecord]
}

func newState() *State {
	return &State{
		collections: new(btree.Map[string, *Collection]),
		sessions:    new(btree.Map[string, *SessionRecord]),
	}
}

// Collection is the collection with the name, nil if there is none. Views are
// not collections: see View.
func (s *State) Collection(ns Namespace) *Collection {
	c, _ := s.collections.Get(ns.String())
	return c
}

// ByUUID finds a collection whatever its name is now.
func (s *State) ByUUID(id UUID) *Collection {
	for c := range s.Collections("") {
		if c.UUID == id {
			return c
		}
	}
	return nil
}

// Collections are the collections of a database, in the order of their names;
// those of all databases if db is empty.
func (s *State) Collections(db string) iter.Seq[*Collection] {
	return func(yield func(*Collection) bool) {
		prefix := ""
		if db != "" {
			prefix = db + "."
		}
		s.collections.Ascend(prefix, func(name string, c *Collection) bool {
			if db != "" && c.NS.DB != db {
				return false
			}
			return yield(c)
		})
	}
}

// Databases are the names of the databases that have collections, in order.
func (s *State) Databases() (names []string) {
	for c := range s.Collections("") {
		if len(names) == 0 || names[len(names)-1] != c.NS.DB {
			names = append(names, c.NS.DB)
		}
	}
	return names
}

// HasDatabase reports whether the database has a collection.
func (s *State) HasDatabase(db string) bool {
	for range s.Collections(db) {
		return true
	}
	return false
}

// View is the definition of a view: {_id, viewOn, pipeline, collation}, a
// document of the collection system.views.
func (s *State) View(ns Namespace) (bson.Raw, bool) {
	views := s.Collection(Namespace{ns.DB, "system.views"})
	if views == nil {
		return nil, false
	}
	id, ok := views.ByID(bson.RawValue{Type: bson.TypeString, Value: bson.AppendStringValue(nil, ns.String())})
	if !ok {
		return nil, false
	}
	return views.Get(id)
}

// Session is what is known of a session's retryable writes and transactions,
// nil if nothing is. lsid is the key of SessionKey.
func (s *State) Session(lsid string) *SessionRecord {
	r, _ := s.sessions.Get(lsid)
	return r
}

// SessionRecord is the newest transaction number of a session that wrote
// something, and what it wrote.
type SessionRecord struct {
	TxnNumber int64
	Last      OpTime
	// Committed says that the number is that of a committed transaction, not of
	// a retryable write.
	Committed bool

	ops  []*Op
	rest *SessionRecord
}

// Statements are the Ops of the write, by the numbers of the statements that
// they executed.
func (r *SessionRecord) Statements() map[int32]*Op {
	done := map[int32]*Op{}
	for ; r != nil; r = r.rest {
		for _, op := range r.ops {
			done[op.Stmt] = op
		}
	}
	return done
}

// with is the record after an Entry.
func (r *SessionRecord) with(e *Entry) *SessionRecord {
	n := &SessionRecord{TxnNumber: e.Session.TxnNumber, Last: e.OpTime, Committed: e.Transaction, ops: e.Ops}
	if r != nil && r.TxnNumber == n.TxnNumber {
		n.rest = r
	}
	return n
}
