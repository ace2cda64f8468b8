package storage

import (
	"slices"

	"github.com/motor-go/motor/bson"
	"github.com/tidwall/btree"
)

// A writer is a State in the making.
type writer struct {
	state *State
	// open are the collections that have been copied already, by name.
	open map[string]*Collection
	// sessions says that the table of retryable writes has been copied.
	sessions bool
}

func newWriter(s *State) *writer {
	next := *s
	next.collections = copyTree(s.collections)
	return &writer{state: &next, open: map[string]*Collection{}}
}

// done is the State that was made. The writer must not be used any more.
func (w *writer) done() *State { return w.state }

// collection is a collection to change, nil if there is none.
func (w *writer) collection(ns Namespace) *Collection {
	name := ns.String()
	if c := w.open[name]; c != nil {
		return c
	}
	c := w.state.Collection(ns)
	if c == nil {
		return nil
	}
	c = c.writable()
	w.set(c)
	return c
}

func (w *writer) set(c *Collection) {
	w.open[c.NS.String()] = c
	w.state.collections.Set(c.NS.String(), c)
}

func (w *writer) unset(ns Namespace) {
	delete(w.open, ns.String())
	w.state.collections.Delete(ns.String())
}

// apply makes the change that o says. A change that is refused, by a unique
// index, changes nothing.
func (w *writer) apply(o *Op) error {
	if o.Kind == Create {
		c := &Collection{NS: o.NS, UUID: o.UUID, Options: o.Options, records: new(btree.Map[RecordID, bson.Raw])}
		for _, ix := range o.Indexes {
			c.Indexes = append(c.Indexes, ix.without())
		}
		w.set(c)
		return nil
	}
	c := w.collection(o.NS)
	if c == nil {
		return nil // Noop, DropDatabase
	}
	switch o.Kind {
	case Insert:
		if err := c.put(o.Record, o.After); err != nil {
			return err
		}
		c.evict()
	case Update, Replace:
		return c.put(o.Record, o.After)
	case Delete:
		c.remove(o.Record)
	case Drop:
		w.unset(o.NS)
	case Rename:
		w.unset(o.NS)
		c.NS = o.To
		w.set(c)
	case Modify:
		c.Options = o.Options
		for _, changed := range o.Indexes {
			if ix := c.Index(changed.Name); ix != nil {
				rebuild := changed.Unique != ix.Unique
				ix.Spec, ix.Hidden, ix.ExpireAfter = changed.Spec, changed.Hidden, changed.ExpireAfter
				ix.Unique, ix.PrepareUnique = changed.Unique, changed.PrepareUnique
				if rebuild {
					if err := c.rebuild(ix); err != nil {
						return err
					}
				}
			}
		}
	case CreateIndexes:
		for _, ix := range o.Indexes {
			if err := c.build(ix); err != nil {
				return err
			}
		}
	case DropIndexes:
		c.Indexes = slices.DeleteFunc(c.Indexes, func(ix *Index) bool {
			return slices.ContainsFunc(o.Indexes, func(d *Index) bool { return d.Name == ix.Name })
		})
	case Truncate:
		c.records, c.size = new(btree.Map[RecordID, bson.Raw]), 0
		for i, ix := range c.Indexes {
			c.Indexes[i] = ix.without()
		}
	}
	return nil
}

// redo makes the changes of an Entry that another writer has made before.
func (w *writer) redo(e *Entry) {
	for _, op := range e.Ops {
		if err := w.apply(op); err != nil {
			panic("an oplog entry does not apply: " + err.Error())
		}
	}
	w.finish(e)
}

// finish puts the Entry of the Ops that were applied last on record: in the
// catalog and in the table of retryable writes.
func (w *writer) finish(e *Entry) {
	for _, op := range e.Ops {
		if c := w.state.Collection(op.changes()); c != nil {
			c = w.collection(c.NS)
			c.Since = e.OpTime.TS
		}
	}
	if e.Session != nil {
		key := SessionKey(e.Session.LSID)
		if !w.sessions {
			w.state.sessions, w.sessions = copyTree(w.state.sessions), true
		}
		w.state.sessions.Set(key, w.state.Session(key).with(e))
	}
	w.state.At = e.OpTime
}

// changes is the collection whose catalog entry o changes.
func (o *Op) changes() Namespace {
	switch o.Kind {
	case Create, CreateIndexes, DropIndexes, Modify:
		return o.NS
	case Rename:
		return o.To
	}
	return Namespace{}
}

// SessionKey is the part of an lsid that says which session it is.
func SessionKey(lsid bson.Raw) string {
	id := lsid.Lookup("id")
	uid := lsid.Lookup("uid")
	return string(id.Value) + string(uid.Value)
}

// uniqueKeys are the keys that doc would have in the unique indexes of c.
func (c *Collection) uniqueKeys(id RecordID, doc bson.Raw) (names []string) {
	for _, ix := range c.Indexes {
		if !ix.Unique {
			continue
		}
		keys, _ := ix.keys(doc, id)
		for _, k := range keys {
			names = append(names, ix.Name+"\x00"+string(k.Key))
		}
	}
	return names
}
