package storage

import (
	"errors"

	"github.com/motor-go/motor/bson"
)

// ErrWriteConflict ends a transaction that wants to change what somebody else
// has changed since its snapshot.
var ErrWriteConflict = errors.New("WriteConflict error: this operation conflicted with another operation. " +
	"Please retry your operation or multi-document transaction.")

// blocked is the error of a plain write that has to wait for a transaction.
type blocked struct{ tx *Tx }

func (b *blocked) Error() string { return "a transaction is in the way" }

// lock is what a transaction keeps others from changing: a record, or a key in
// a unique index.
type lock struct {
	collection UUID
	record     RecordID
	key        string
}

// A Tx is a unit of work.
type Tx struct {
	// Done is closed when a transaction has ended; nil for a plain write.
	Done    chan struct{}
	Session *SessionWrite

	engine *Engine
	w      *writer
	ops    []*Op

	// Of transactions.
	base  *State // its snapshot
	seen  *State // after the last statement
	locks []lock
	using map[UUID]bool
	dead  bool
}

// Begin starts a transaction on a State of e.
func (e *Engine) Begin(base *State, session *SessionWrite) (*Tx, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.writable || session != nil && session.Term != e.term {
		return nil, ErrNotWritable
	}
	tx := &Tx{Done: make(chan struct{}), Session: session, engine: e, w: newWriter(base), base: base, seen: base, using: map[UUID]bool{}}
	e.open[tx] = struct{}{}
	return tx, nil
}

// ErrAborted is what the statements of a transaction get that has been ended
// meanwhile.
var ErrAborted = errors.New("transaction has been aborted")

// With runs a statement of a transaction. What it did can be seen in tx.Snapshot
// afterwards.
func (e *Engine) With(tx *Tx, work func(tx *Tx) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if tx.dead {
		return ErrAborted
	}
	err := work(tx)
	tx.seen = tx.w.done()
	tx.w = newWriter(tx.seen)
	return err
}

// Commit ends a transaction and makes its changes the newest State.
func (e *Engine) Commit(tx *Tx) (OpTime, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if tx.dead {
		return e.State().At, ErrAborted
	}
	defer e.end(tx)
	tx.w = newWriter(e.State())
	for _, op := range tx.ops {
		if err := tx.w.apply(op); err != nil {
			return e.State().At, err
		}
	}
	return e.commit(tx), nil
}

// Abort ends a transaction without a trace. It may have ended already.
func (e *Engine) Abort(tx *Tx) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !tx.dead {
		e.end(tx)
	}
}

func (e *Engine) end(tx *Tx) {
	tx.dead = true
	for _, l := range tx.locks {
		delete(e.locks, l)
	}
	delete(e.open, tx)
	close(tx.Done)
}

// State is what the work of a Tx sees: its own changes too.
func (tx *Tx) State() *State { return tx.w.state }

// Snapshot is what a transaction sees between its statements.
func (tx *Tx) Snapshot() *State {
	tx.engine.mu.Lock()
	defer tx.engine.mu.Unlock()
	return tx.seen
}

// Wrote reports whether the Tx has changed anything.
func (tx *Tx) Wrote() bool { return len(tx.ops) > 0 }

// Now is the time that the next change will have at the earliest.
func (tx *Tx) Now() bson.Timestamp { return tx.engine.ClusterTime() }

// Use notes that a transaction looks at a collection, so that nobody drops it
// before the end. It reports false if the collection is newer than the
// transaction's snapshot.
func (tx *Tx) Use(ns Namespace) bool {
	if tx.Done == nil {
		return true
	}
	newest := tx.engine.State().Collection(ns)
	if newest != nil && newest.Since.After(tx.base.At.TS) {
		return false
	}
	if c := tx.w.state.Collection(ns); c != nil {
		tx.using[c.UUID] = true
	}
	return true
}

// Do makes a change. It gives an Insert its record. The errors are a
// *DuplicateKey, a *query.Error of an index, ErrWriteConflict in a transaction,
// and one for Write alone in a plain write.
func (tx *Tx) Do(op *Op) error {
	if op.Kind == Insert && op.Record == 0 {
		tx.engine.nextRecord++
		op.Record = tx.engine.nextRecord
	}
	if c := tx.w.state.Collection(op.NS); c != nil {
		op.Images = c.Options.PreImages
	}
	if err := tx.lock(op); err != nil {
		return err
	}
	if err := tx.w.apply(op); err != nil {
		return err
	}
	tx.ops = append(tx.ops, op)
	return nil
}

// lock takes what op changes for tx.
func (tx *Tx) lock(op *Op) error {
	e := tx.engine
	if tx.Done == nil && len(e.open) == 0 {
		return nil
	}
	if !op.IsCRUD() {
		return tx.lockCatalog(op)
	}
	c := tx.w.state.Collection(op.NS)
	if c == nil {
		return nil
	}
	wanted := []lock{{collection: c.UUID, record: op.Record}}
	for _, doc := range []bson.Raw{op.Before, op.After} {
		if doc != nil {
			for _, key := range c.uniqueKeys(op.Record, doc) {
				wanted = append(wanted, lock{collection: c.UUID, key: key})
			}
		}
	}
	for _, l := range wanted {
		holder := e.locks[l]
		switch {
		case holder == tx:
		case holder != nil && tx.Done == nil:
			return &blocked{holder}
		case holder != nil:
			return ErrWriteConflict
		}
	}
	if tx.Done == nil {
		return nil
	}
	if e.locks[wanted[0]] != tx && tx.stale(c, op) {
		return ErrWriteConflict
	}
	for _, l := range wanted {
		if e.locks[l] != tx {
			e.locks[l] = tx
			tx.locks = append(tx.locks, l)
		}
	}
	return nil
}

// stale reports whether others have changed what op changes since the snapshot.
func (tx *Tx) stale(c *Collection, op *Op) bool {
	newest := tx.engine.State().Collection(op.NS)
	if newest == nil || newest.UUID != c.UUID {
		return tx.base.Collection(op.NS) != nil
	}
	base := tx.base.Collection(op.NS)
	if op.Before != nil {
		now, _ := newest.Get(op.Record)
		then, _ := base.Get(op.Record)
		return !same(now, then)
	}
	for _, ix := range newest.Indexes {
		keys, _ := ix.keys(op.After, op.Record)
		if _, taken := ix.conflict(keys, op.Record); !taken {
			continue
		}
		if seen := c.Index(ix.Name); seen != nil {
			if _, taken := seen.conflict(keys, op.Record); !taken {
				return true
			}
		}
	}
	return false
}

// same reports whether a and b are one and the same version of a document.
func same(a, b bson.Raw) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// lockCatalog makes sure that no other transaction uses the collection that op
// changes.
func (tx *Tx) lockCatalog(op *Op) error {
	c := tx.w.state.Collection(op.NS)
	for other := range tx.engine.open {
		if other == tx || c == nil || !other.using[c.UUID] {
			continue
		}
		if tx.Done == nil {
			return &blocked{other}
		}
		return ErrWriteConflict
	}
	return nil
}
