package repl

import (
	"context"
	"errors"
	"time"

	"github.com/motor-go/motor/mongotest/internal/storage"
)

// noopInterval is periodicNoopIntervalSecs: where nothing is written the time
// of what is committed goes on nevertheless.
const noopInterval = 10 * time.Second

// run does the work of a member until ctx is done: a secondary takes over what
// the primary writes, a primary sees what is committed.
func (s *Set) run(ctx context.Context, m *Member) {
	idle := time.NewTicker(noopInterval)
	defer idle.Stop()
	last := m.applied()
	for ctx.Err() == nil {
		wake := m.Changed.Wait()
		changed, due := s.step(m)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-changed:
		case <-due:
		case <-idle.C:
			if m.applied() == last {
				m.note("periodic noop") // only a primary can
			}
			last = m.applied()
		}
	}
}

// step does what there is to do for m now, and says what to wait for. It is one
// step for the whole set, so that nobody who has just become primary takes over
// anything.
func (s *Set) step(m *Member) (changed <-chan struct{}, due <-chan time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	source := m.primary
	if source == nil {
		source = s.ahead(m)
	}
	if source == nil || !s.sends(source, m) || m.role == Down {
		source = m
	}
	changed = source.Engine.Changed.Wait()
	if source != m && !m.paused {
		if next := m.pull(source); !next.IsZero() {
			due = time.After(time.Until(next))
		}
	}
	s.advance()
	return changed, due
}

// ahead is a secondary that has all that m has and more. Where there is no
// primary m catches up with it, as the other may be one that does not run for
// primary and would not vote for m as it is.
func (s *Set) ahead(m *Member) *Member {
	mine := m.applied()
	for _, o := range s.Members {
		if m.role == Secondary && o.role == Secondary && s.talks(m, o) && o.applied().Compare(mine) > 0 {
			if common := o.Engine.Oplog.At(mine.TS); common != nil && common.OpTime == mine {
				return o
			}
		}
	}
	return nil
}

// pull takes over the Entries of source that are due, and says when the next
// one will be. If the last Entry here is not one of source's, nothing after the
// last common one was ever committed, and m begins again with what source has.
func (m *Member) pull(source *Member) (next time.Time) {
	from, mine := source.Engine.Oplog, m.applied()
	entries, ok := from.After(mine.TS)
	if common := from.At(mine.TS); !mine.TS.IsZero() && (common == nil || common.OpTime != mine) {
		ok = false
	}
	m.joined = source == m.primary
	if !ok {
		m.Engine.Resync(source.Engine)
		source.Changed.Notify()
		return next
	}
	due := len(entries)
	if m.lag > 0 {
		until := time.Now().Add(-m.lag)
		for due > 0 && entries[due-1].Wall.After(until) {
			due--
		}
		if due < len(entries) {
			next = entries[due].Wall.Add(m.lag)
		}
	}
	if due > 0 {
		m.Engine.Apply(entries[:due])
		source.Changed.Notify()
	}
	return next
}

// CommitAlone commits what the only member of a set has written, with the write
// itself and not some time after it.
func (m *Member) CommitAlone() {
	s := m.set
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.Members) == 1 {
		s.advance()
	}
}

// ErrSteppedDown ends the wait for a write to be replicated when the primary is
// one no longer.
var ErrSteppedDown = errors.New("Primary stepped down while waiting for replication")

// WaitReplicated waits until as many members have the Entry at op, m among
// them, or until it is committed if w is 0. m must be primary in the term all
// the while.
func (m *Member) WaitReplicated(ctx context.Context, term int64, op storage.OpTime, w int) error {
	s := m.set
	for {
		wake := m.Changed.Wait()
		s.mu.Lock()
		s.advance()
		have := 0
		for _, o := range s.Members {
			if s.confirms(o, m) && o.applied().Compare(op) >= 0 {
				have++
			}
		}
		committed := m.committed.Compare(op) >= 0
		reigns := m.role == Primary && m.term == term
		s.mu.Unlock()
		switch {
		case !reigns:
			return ErrSteppedDown
		case w == 0 && committed, w > 0 && have >= w:
			return nil
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
