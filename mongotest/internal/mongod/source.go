package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// source is the collection or view that a command reads.
type source struct {
	collection *storage.Collection // nil if there is none
	view       bson.Raw            // the definition, if it is a view
	collation  *query.Collation    // of the command, or the collection's own
	explicit   bool                // the command has a collation
	state      func() (*storage.State, error)
}

// source finds what a command reads.
func (r *request) source(ns storage.Namespace, collation bson.Raw) (s source, err error) {
	if s.collation, err = query.ParseCollation(collation); err != nil {
		return s, err
	}
	s.explicit = collation.Len() > 0
	if s.state, err = r.view(); err != nil {
		return s, err
	}
	if err := r.use(ns); err != nil {
		return s, err
	}
	state, err := s.state()
	if err != nil {
		return s, err
	}
	if s.collection = r.server.find(state, ns); s.collection != nil {
		if !s.explicit {
			s.collation = s.collection.Options.Collation
		}
		return s, nil
	}
	s.view, _ = state.View(ns)
	return s, nil
}

// use notes that a transaction uses a collection.
func (r *request) use(ns storage.Namespace) error {
	if !r.txn.inTxn {
		return nil
	}
	return r.server.Engine.With(r.session.tx, func(tx *storage.Tx) error { return useIn(tx, ns) })
}

func useIn(tx *storage.Tx, ns storage.Namespace) error {
	if tx.Use(ns) {
		return nil
	}
	return errorf(codeSnapshotUnavailable, "Unable to read from a snapshot due to pending collection catalog changes; please retry the operation.")
}

// again is the collection in the State of another batch.
func (s *source) again() (*storage.Collection, error) {
	state, err := s.state()
	if err != nil {
		return nil, err
	}
	if s.collection == nil {
		return nil, errorf(codeQueryPlanKilled, "collection dropped")
	}
	c := state.Collection(s.collection.NS)
	if c != nil && c.UUID == s.collection.UUID {
		return c, nil
	}
	if c = state.ByUUID(s.collection.UUID); c != nil {
		return nil, errorf(codeQueryPlanKilled, "collection renamed from '%s' to '%s'. UUID %s", s.collection.NS, c.NS, c.UUID)
	}
	return nil, errorf(codeQueryPlanKilled, "collection dropped. UUID %s", s.collection.UUID)
}

// find is a collection in a State. The oplog is made to look like one.
func (s *Server) find(state *storage.State, ns storage.Namespace) *storage.Collection {
	return state.Collection(ns)
}
