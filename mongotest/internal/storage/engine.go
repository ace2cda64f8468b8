package storage

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/motor-go/motor/bson"
)

// DefaultHistoryWindow is how many seconds back a State can be read.
const DefaultHistoryWindow = 300

// ErrNotWritable refuses writes on a node that is not primary.
var ErrNotWritable = errors.New("node is not writable")

// An Engine is the data of one node.
type Engine struct {
	// Changed tells of every new State and of every oplog Entry.
	Changed Broadcast
	// Oplog is nil on a standalone server.
	Oplog *Oplog

	state     atomic.Pointer[State]
	committed atomic.Pointer[State]

	clock atomic.Uint64 // the cluster time; written with mu held

	mu         sync.Mutex
	term       int64
	writable   bool
	nextRecord RecordID
	history    history // nothing but the first State without an oplog
	window     uint32  // in seconds
	oldest     bson.Timestamp
	locks      map[lock]*Tx
	open       map[*Tx]struct{} // transactions
}

// NewEngine makes an empty Engine, with an oplog for a member of a replica set.
// Nothing can be written before SetWritable.
func NewEngine(replicated bool) *Engine {
	e := &Engine{window: DefaultHistoryWindow, locks: map[lock]*Tx{}, open: map[*Tx]struct{}{}}
	if replicated {
		e.Oplog = new(Oplog)
	}
	s := newState()
	e.state.Store(s)
	e.committed.Store(s)
	e.history = history{s}
	return e
}

// State is the newest State.
func (e *Engine) State() *State { return e.state.Load() }

// SetWritable lets the node write, in the term, or stops it, which ends all
// transactions.
func (e *Engine) SetWritable(writable bool, term int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.writable, e.term = writable, term
	if !writable {
		for tx := range e.open {
			e.end(tx)
		}
	}
}

// ClusterTime is the latest time that the node knows of.
func (e *Engine) ClusterTime() bson.Timestamp {
	c := e.clock.Load()
	return bson.Timestamp{T: uint32(c >> 32), I: uint32(c)}
}

// Advance takes over a later cluster time.
func (e *Engine) Advance(ts bson.Timestamp) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.advance(ts)
}

func (e *Engine) advance(ts bson.Timestamp) {
	if ts.After(e.ClusterTime()) {
		e.clock.Store(uint64(ts.T)<<32 | uint64(ts.I))
	}
}

// tick is the next timestamp.
func (e *Engine) tick() bson.Timestamp {
	next := e.ClusterTime()
	next.I++
	if now := uint32(time.Now().Unix()); now > next.T {
		next = bson.Timestamp{T: now, I: 1}
	}
	e.advance(next)
	return next
}

func (e *Engine) publish(s *State) {
	e.state.Store(s)
	if e.Oplog == nil {
		return
	}
	e.history = append(e.history, s)
}

// Write runs one write. work looks at tx.State and calls tx.Do; what it did is
// in the newest State when Write returns. If a transaction holds what work
// wants to change, Write waits for its end and runs work again, until ctx is
// done. The OpTime is that of the last change, or of the newest State.
func (e *Engine) Write(ctx context.Context, session *SessionWrite, work func(tx *Tx) error) (OpTime, error) {
	for {
		at, err := e.tryWrite(session, work)
		var b *blocked
		if !errors.As(err, &b) {
			return at, err
		}
		select {
		case <-b.tx.Done:
		case <-ctx.Done():
			return at, context.Cause(ctx)
		}
	}
}

func (e *Engine) tryWrite(session *SessionWrite, work func(tx *Tx) error) (OpTime, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.writable || session != nil && session.Term != e.term {
		return e.State().At, ErrNotWritable
	}
	tx := &Tx{Session: session, engine: e, w: newWriter(e.State())}
	if err := work(tx); err != nil {
		return e.State().At, err
	}
	return e.commit(tx), nil
}

// commit makes what tx did the newest State and writes it down.
func (e *Engine) commit(tx *Tx) OpTime {
	if len(tx.ops) == 0 {
		return e.State().At
	}
	var entries []*Entry
	if tx.Done != nil {
		entries = []*Entry{{Ops: tx.ops, Session: tx.Session, Transaction: true}}
	} else {
		entries = make([]*Entry, len(tx.ops))
		for i, op := range tx.ops {
			entries[i] = &Entry{Ops: tx.ops[i : i+1], Session: tx.Session}
			if op.Stmt == NoStmt {
				entries[i].Session = nil
			}
		}
	}
	now := time.Now()
	for _, entry := range entries {
		entry.OpTime, entry.Wall = OpTime{e.tick(), e.term}, now
		tx.w.finish(entry)
	}
	if e.Oplog != nil {
		e.Oplog.append(entries...)
	}
	e.publish(tx.w.done())
	e.Changed.Notify()
	return entries[len(entries)-1].OpTime
}

// Apply takes over Entries from another node, as far as they follow the last
// one here.
func (e *Engine) Apply(entries []*Entry) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := newWriter(e.State())
	for len(entries) > 0 && !entries[0].OpTime.TS.After(w.state.At.TS) {
		entries = entries[1:]
	}
	for _, entry := range entries {
		w.redo(entry)
		for _, op := range entry.Ops {
			e.nextRecord = max(e.nextRecord, op.Record)
		}
		e.advance(entry.OpTime.TS)
	}
	e.Oplog.append(entries...)
	e.publish(w.done())
	e.Changed.Notify()
}

// Resync throws away all that e has and takes over what from has: what a node
// does whose last Entries the others never got.
func (e *Engine) Resync(from *Engine) {
	oplog := new(Oplog)
	from.mu.Lock()
	state, history, oldest, next := from.State(), slices.Clone(from.history), from.oldest, from.nextRecord
	oplog.replace(from.Oplog)
	from.mu.Unlock()

	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.Store(state)
	e.history, e.nextRecord = history, max(e.nextRecord, next)
	if oldest.After(e.oldest) {
		e.oldest = oldest
	}
	e.advance(from.ClusterTime())
	e.Oplog.replace(oplog)
	e.Changed.Notify()
}
