package storage

import (
	"errors"
	"sort"

	"github.com/motor-go/motor/bson"
)

// ErrTooOld refuses a State from before the window that is kept.
var ErrTooOld = errors.New("older than the oldest available timestamp")

// A history is the States that a node has been in, in order. It has all of the
// newest ones, and of those before only some: what was in between is made again
// from the oplog, which has the documents anyway. That bounds what minutes of
// history cost: a State shares with the next all but what was changed, so that
// the more of them there are, the fewer they share.
type history []*State

const (
	recentStates = 1000 // of which none is left out
	olderStates  = 64   // so many of the window that are older than these
)

// until is the number of States that are not later than ts.
func (h history) until(ts bson.Timestamp) int {
	return sort.Search(len(h), func(i int) bool { return h[i].At.TS.After(ts) })
}

// thin leaves out what nobody needs to read at oldest or later: all States that
// are followed by another which is not later than oldest, and of those behind
// it the ones that are less than spacing seconds apart. It leaves the end alone,
// from the last recentStates on that are committed.
func (h history) thin(oldest, committed bson.Timestamp, spacing uint32) history {
	n := h.until(committed) - recentStates
	if n <= recentStates+olderStates {
		return h // not yet worth the while
	}
	kept := make(history, 0, len(h)-n+olderStates)
	for i, s := range h[:n] {
		if !h[i+1].At.TS.After(oldest) {
			continue
		}
		if len(kept) == 0 || s.At.TS.T-kept[len(kept)-1].At.TS.T >= spacing {
			kept = append(kept, s)
		}
	}
	return append(kept, h[n:]...)
}

// after is the State that the Entries lead to from s, those until ts.
func (s *State) after(entries []*Entry, ts bson.Timestamp) *State {
	end, found := search(entries, ts)
	if found {
		end++
	}
	if end == 0 {
		return s
	}
	w := newWriter(s)
	for _, entry := range entries[:end] {
		w.redo(entry)
	}
	return w.done()
}

// SetHistoryWindow says how many seconds before the newest committed State
// others can be read. What has been forgotten does not come back.
func (e *Engine) SetHistoryWindow(seconds uint32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.window = seconds
}

// Committed is the newest State that cannot be lost any more.
func (e *Engine) Committed() *State { return e.committed.Load() }

// SetCommitted notes that all until ts is committed, which moves the window of
// what can be read on.
func (e *Engine) SetCommitted(ts bson.Timestamp) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s, entries, ok := e.before(ts); ok {
		e.committed.Store(s.after(entries, ts))
	}
	if ts.T > e.window {
		if oldest := (bson.Timestamp{T: ts.T - e.window, I: ts.I}); oldest.After(e.oldest) {
			e.oldest = oldest
		}
	}
	e.history = e.history.thin(e.oldest, ts, e.window/olderStates+1)
}

// Oldest is the time that can be read at the earliest.
func (e *Engine) Oldest() bson.Timestamp {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.oldest
}

// StateAt is the State as of ts. The error is ErrTooOld if that is not kept any
// more: it is before the window, or the oplog is too short to lead there.
func (e *Engine) StateAt(ts bson.Timestamp) (*State, error) {
	e.mu.Lock()
	s, entries, ok := e.before(ts)
	ok = ok && !ts.Before(e.oldest)
	e.mu.Unlock()
	if !ok {
		return nil, ErrTooOld
	}
	return s.after(entries, ts), nil
}

// before is the last State in the history that is not later than ts, and the
// Entries that follow it.
func (e *Engine) before(ts bson.Timestamp) (s *State, entries []*Entry, ok bool) {
	n := e.history.until(ts)
	if n == 0 {
		return nil, nil, false
	}
	s = e.history[n-1]
	if s.At.TS == ts || n == len(e.history) {
		return s, nil, true
	}
	entries, ok = e.Oplog.After(s.At.TS)
	return s, entries, ok
}
