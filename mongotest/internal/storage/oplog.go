package storage

import (
	"slices"
	"sync"

	"github.com/motor-go/motor/bson"
)

// maxOplogBytes is how much an oplog may weigh before the oldest Entries are
// dropped: an eighth of it at a time, as the others move.
const (
	maxOplogBytes = 256 << 20
	oplogDrop     = maxOplogBytes / 8
)

// An Oplog is the Entries of a node, in order.
type Oplog struct {
	mu      sync.RWMutex
	entries []*Entry // not changed, only appended to and replaced
	bytes   int64
	dropped bool // Entries before the first one
}

func (l *Oplog) append(entries ...*Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		l.bytes += e.size()
	}
	l.entries = append(l.entries, entries...)
	if l.bytes <= maxOplogBytes {
		return
	}
	drop := 0
	for l.bytes > maxOplogBytes-oplogDrop && drop < len(l.entries)-1 {
		l.bytes -= l.entries[drop].size()
		drop++
	}
	if drop > 0 {
		l.entries, l.dropped = slices.Clone(l.entries[drop:]), true
	}
}

// After are the Entries later than ts. ok is false if some of them may have
// been dropped already.
func (l *Oplog) After(ts bson.Timestamp) (entries []*Entry, ok bool) {
	entries, ok = l.From(ts)
	if len(entries) > 0 && entries[0].OpTime.TS == ts {
		entries = entries[1:]
	}
	return entries, ok
}

// From are the Entries at ts and later, with ok as for After.
func (l *Oplog) From(ts bson.Timestamp) (entries []*Entry, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	at, found := search(l.entries, ts)
	return l.entries[at:], found || at > 0 || !l.dropped
}

// At is the Entry at ts, nil if there is none.
func (l *Oplog) At(ts bson.Timestamp) *Entry {
	all := l.all()
	if at, found := search(all, ts); found {
		return all[at]
	}
	return nil
}

// First is the oldest Entry, nil if there is none.
func (l *Oplog) First() *Entry {
	if all := l.all(); len(all) > 0 {
		return all[0]
	}
	return nil
}

func (l *Oplog) all() []*Entry {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.entries
}

func (l *Oplog) replace(from *Oplog) {
	from.mu.RLock()
	entries, bytes, dropped := slices.Clone(from.entries), from.bytes, from.dropped
	from.mu.RUnlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries, l.bytes, l.dropped = entries, bytes, dropped
}

func search(entries []*Entry, ts bson.Timestamp) (int, bool) {
	return slices.BinarySearchFunc(entries, ts, func(e *Entry, ts bson.Timestamp) int { return e.OpTime.TS.Compare(ts) })
}

// opBytes is about what an Op takes beside its documents, with its part of the
// Entry.
const opBytes = 512

func (e *Entry) size() (n int64) {
	for _, o := range e.Ops {
		n += opBytes + int64(len(o.Before)+len(o.After)+len(o.Object))
	}
	return n
}
