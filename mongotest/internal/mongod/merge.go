package mongod

import (
	"slices"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// writer is the request as it writes for $out and $merge: on the primary, if
// this is a secondary.
func (r *request) writer() (*storage.Engine, error) {
	if r.isPrimary() {
		return r.server.Engine, nil
	}
	primary := r.server.Member.Status().Primary
	if primary == nil {
		return nil, errorf(codePrimarySteppedDown, "No primary exists currently")
	}
	return primary.Engine, nil
}

func (r *request) mergeWrite(work func(tx *storage.Tx) error) error {
	e, err := r.writer()
	if err != nil {
		return err
	}
	at, err := e.Write(r.ctx, nil, work)
	if e == r.server.Engine {
		r.touched, r.wrote = at, true
	}
	return err
}

// replaceCollection puts documents in place of a collection's: $out.
func (r *request) replaceCollection(db, collection string, next query.Iterator) error {
	ns := storage.Namespace{DB: db, Collection: collection}
	var docs []bson.Raw
	for {
		d, err := next()
		if err != nil {
			return err
		}
		if d == nil {
			break
		}
		docs = append(docs, d)
	}
	return r.mergeWrite(func(tx *storage.Tx) error {
		options := newOptions()
		var indexes []*storage.Index
		old := tx.State().Collection(ns)
		if _, view := tx.State().View(ns); view {
			return errorf(codeNotSupportedOnView, "Namespace %s is a view, not a collection", ns)
		}
		if old != nil {
			if old.Options.Capped {
				return errorf(17152, "namespace '%s' is capped so it can't be used for $out", ns)
			}
			options, indexes = old.Options, old.Secondary()
		}
		temp := storage.Namespace{DB: db, Collection: "tmp.agg_out." + storage.NewUUID().String()}
		create := r.createOp(temp, options)
		if err := tx.Do(create); err != nil {
			return err
		}
		if len(indexes) > 0 {
			op := &storage.Op{Kind: storage.CreateIndexes, NS: temp, UUID: create.UUID, Indexes: indexes, Stmt: storage.NoStmt, Object: newDoc().raw()}
			if err := tx.Do(op); err != nil {
				return err
			}
		}
		for _, d := range docs {
			if err := r.insertInto(tx, temp, create.UUID, d); err != nil {
				return err
			}
		}
		rename := &storage.Op{Kind: storage.Rename, NS: temp, To: ns, UUID: create.UUID, Stmt: storage.NoStmt, Object: newDoc().raw()}
		if old != nil {
			rename.Dropped = old.UUID
		}
		return tx.Do(rename)
	})
}

func (r *request) insertInto(tx *storage.Tx, ns storage.Namespace, id storage.UUID, d bson.Raw) error {
	d, err := r.prepare(tx, d)
	if err != nil {
		return err
	}
	return tx.Do(&storage.Op{Kind: storage.Insert, NS: ns, UUID: id, After: d, Stmt: storage.NoStmt})
}

// hasUniqueIndex reports whether $merge may match by the fields.
func (r *request) hasUniqueIndex(db, collection string, fields []string) bool {
	c := r.server.Engine.State().Collection(storage.Namespace{DB: db, Collection: collection})
	if c == nil {
		return len(fields) == 1 && fields[0] == "_id"
	}
	for _, ix := range c.Indexes {
		if !ix.Unique || ix.Partial != nil || ix.Sparse {
			continue
		}
		names := slices.Collect(ix.Key.Keys())
		slices.Sort(names)
		want := slices.Sorted(slices.Values(fields))
		if slices.Equal(names, want) {
			return true
		}
	}
	return false
}

func (r *request) mergeInsert(db, collection string, d bson.Raw) error {
	ns := storage.Namespace{DB: db, Collection: collection}
	return r.mergeWrite(func(tx *storage.Tx) error {
		c, err := r.target(tx, ns, true)
		if err != nil {
			return err
		}
		return r.insertInto(tx, ns, c.UUID, d)
	})
}

func (r *request) mergeUpdate(db, collection string, filter *query.Filter, u *query.Update, upsert bool) (matched int, err error) {
	ns := storage.Namespace{DB: db, Collection: collection}
	c := &change{upsert: upsert, stmt: storage.NoStmt}
	err = r.mergeWrite(func(tx *storage.Tx) error {
		coll, err := r.target(tx, ns, upsert)
		if err != nil {
			return err
		}
		found, err := r.matching(coll, filter, r.env(ns, nil), c)
		if err != nil {
			return err
		}
		matched = len(found)
		var did changed
		for _, m := range found {
			if err := r.applyTo(tx, coll, m, u, c, &did); err != nil {
				return err
			}
		}
		if len(found) == 0 && upsert {
			_, err = r.upsert(tx, ns, filter, u, c)
		}
		return err
	})
	return matched, err
}
