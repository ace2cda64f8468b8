package repl

import (
	"context"
	"errors"
	"time"

	"github.com/motor-go/motor/mongotest/internal/storage"
)

// run does the work of a member until ctx is done: a secondary takes over what
// the primary writes, a primary sees what is committed.
func (s *Set) run(ctx context.Context, m *Member) {
	for ctx.Err() == nil {
		wake := m.Changed.Wait()
		s.mu.Lock()
		source, lag, paused := m.primary, m.lag, m.paused
		if source == nil || !s.sends(source, m) || m.role == Down {
			source = m
		}
		s.mu.Unlock()

		changed := source.Engine.Changed.Wait()
		var due <-chan time.Time
		if source != m && !paused {
			if next := m.pull(source, lag); !next.IsZero() {
				due = time.After(time.Until(next))
			}
		}
		s.mu.Lock()
		s.advance()
		s.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-wake:
		case <-changed:
		case <-due:
		}
	}
}

// pull takes over the Entries of source that are due, and says when the next
// one will be. If the last Entry here is not one of source's, nothing after the
// last common one was ever committed, and m begins again with what source has.
func (m *Member) pull(source *Member, lag time.Duration) (next time.Time) {
	from, mine := source.Engine.Oplog, m.applied()
	entries, ok := from.After(mine.TS)
	if common := from.At(mine.TS); !mine.TS.IsZero() && (common == nil || common.OpTime != mine) {
		ok = false
	}
	if !ok {
		m.Engine.Resync(source.Engine)
		source.Changed.Notify()
		return next
	}
	due := len(entries)
	if lag > 0 {
		until := time.Now().Add(-lag)
		for due > 0 && entries[due-1].Wall.After(until) {
			due--
		}
		if due < len(entries) {
			next = entries[due].Wall.Add(lag)
		}
	}
	if due > 0 {
		m.Engine.Apply(entries[:due])
		source.Changed.Notify()
	}
	return next
}

// ErrSteppedDown ends the wait for a write to be replicated when the primary is
// one no longer.
var ErrSteppedDown = errors.New("Primary stepped down while waiting for replication")

// WaitReplicated waits until as many members have the Entry at op, m among
// them, or until it is committed if w is 0.
func (m *Member) WaitReplicated(ctx context.Context, op storage.OpTime, w int) error {
	s := m.set
	for {
		wake := m.Changed.Wait()
		s.mu.Lock()
		s.advance()
		role, have := m.role, 0
		for _, o := range s.Members {
			if (o == m || o.primary == m && s.sends(o, m)) && o.applied().Compare(op) >= 0 {
				have++
			}
		}
		committed := m.committed.Compare(op) >= 0
		s.mu.Unlock()
		switch {
		case w == 0 && committed, w > 0 && have >= w:
			return nil
		case role != Primary:
			return ErrSteppedDown
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// WaitCommitted waits until m knows that all until op is committed.
func (m *Member) WaitCommitted(ctx context.Context, op storage.OpTime) error {
	for {
		wake := m.Changed.Wait()
		if m.Status().Committed.TS.Compare(op.TS) >= 0 {
			return nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
