package repl

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// Role is what a member is.
type Role int

// The roles, by the numbers that replSetGetStatus gives as state.
const (
	Primary   Role = 1
	Secondary Role = 2
	Down      Role = 8
)

func (r Role) String() string {
	switch r {
	case Primary:
		return "PRIMARY"
	case Secondary:
		return "SECONDARY"
	}
	return "DOWN"
}

// A Member is one node of a Set.
type Member struct {
	ID     int
	Host   string
	Tags   bson.Raw
	Engine *storage.Engine
	// Changed tells of every new Status and every commit.
	Changed storage.Broadcast

	set *Set

	// Guarded by set.mu.
	role        Role
	term        int64 // the newest that it heard of
	voted       int64 // the newest that it voted in
	primary     *Member
	joined      bool // all that is here has been the primary's
	frozenUntil time.Time
	committed   storage.OpTime
	lag         time.Duration
	paused      bool
	topology    int64
	election    timer
	loss        timer
	stop        context.CancelFunc
}

// Status is what a member knows of itself and its set.
type Status struct {
	Role    Role
	Primary *Member // nil if it knows none
	Term    int64
	// Topology grows with every change of the fields above.
	Topology  int64
	Committed storage.OpTime
}

// ElectionID is the electionId of a primary.
func (s Status) ElectionID() bson.ObjectID {
	id := bson.ObjectID{0x7f, 0xff, 0xff, 0xff}
	binary.BigEndian.PutUint64(id[4:], uint64(s.Term))
	return id
}

// Status is the member's state now.
func (m *Member) Status() Status {
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	return m.status()
}

func (m *Member) status() Status {
	return Status{m.role, m.primary, m.term, m.topology, m.committed}
}

// Set is the set that m is in.
func (m *Member) Set() *Set { return m.set }

// Start brings m up again.
func (m *Member) Start() {
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	if m.role == Down {
		m.up()
		m.set.reconsider()
	}
}

// Kill takes m down. What it had written stays.
func (m *Member) Kill() {
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	if m.role != Down {
		m.down()
		m.set.reconsider()
	}
}

// Nudge makes the primary write an Entry that changes nothing if its newest one
// is from before ts, so that who waits for ts does not wait in vain.
func (m *Member) Nudge(ts bson.Timestamp) {
	primary := m.Status().Primary
	if primary != nil && primary.Engine.State().At.TS.Before(ts) {
		primary.Engine.Advance(ts)
		primary.note("noop")
	}
}

// SetLag makes m apply what it gets that much later than it was written.
func (m *Member) SetLag(lag time.Duration) {
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	m.lag = lag
	m.Changed.Notify()
}

// Pause stops m from applying what it gets, or lets it go on.
func (m *Member) Pause(paused bool) {
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	m.paused = paused
	m.Changed.Notify()
}

// Freeze keeps m from running for primary for a while, beginning now.
func (m *Member) Freeze(d time.Duration) {
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	m.frozenUntil = time.Now().Add(d)
	m.election.stop()
	m.set.reconsider()
}

// StepUp lets m run for primary at once, and reports whether it won.
func (m *Member) StepUp() bool {
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	if m.role == Secondary {
		m.frozenUntil = time.Time{}
		m.set.elect(m)
	}
	return m.role == Primary
}

// StepDown makes a primary a secondary that does not run for primary for the
// time that is given. Another member that has caught up takes over soon. It
// waits until ctx is done for one to catch up, and if none does fails, or steps
// down nevertheless if forced.
func (m *Member) StepDown(ctx context.Context, period time.Duration, force bool) (ok bool) {
	for {
		wake := m.Changed.Wait()
		if m.tryStepDown(period, force && ctx.Err() != nil) {
			return true
		}
		select {
		case <-wake:
		case <-time.After(10 * time.Millisecond): // a secondary caught up
		case <-ctx.Done():
			if !force {
				return false
			}
		}
	}
}

func (m *Member) tryStepDown(period time.Duration, now bool) (done bool) {
	s := m.set
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.role != Primary {
		return true
	}
	reached := 1
	var heir *Member
	for _, o := range s.Members {
		if o.role == Secondary && s.talks(m, o) && o.applied() == m.applied() {
			reached++
			if o.frozenUntil.Before(time.Now()) && heir == nil {
				heir = o
			}
		}
	}
	if !now && (heir == nil || reached < s.majority()) {
		return false
	}
	m.stepDown()
	m.frozenUntil = time.Now().Add(period)
	s.reconsider()
	if heir != nil {
		heir.election.stop()
		heir.election.set(true, &s.mu, s.ElectionTimeout/2, func() { s.elect(heir) })
	}
	return true
}

// The rest is called with the set's lock held.

func (m *Member) applied() storage.OpTime { return m.Engine.State().At }

func (m *Member) up() {
	ctx, cancel := context.WithCancel(context.Background())
	m.role, m.stop = Secondary, cancel
	m.changed()
	m.set.wg.Go(func() { m.set.run(ctx, m) })
}

func (m *Member) down() {
	if m.role == Down {
		return
	}
	m.Engine.SetWritable(false, m.term)
	m.role, m.primary, m.joined = Down, nil, false
	m.election.stop()
	m.loss.stop()
	m.stop()
	m.changed()
}

// learn takes note of a newer term, in which an old primary is none.
func (m *Member) learn(term int64) {
	if term > m.term {
		m.term = term
		if m.role == Primary {
			m.stepDown()
		}
	}
}

func (m *Member) canRun() bool { return m.role == Secondary && !time.Now().Before(m.frozenUntil) }

func (m *Member) win(term int64) {
	m.role, m.term, m.primary = Primary, term, m
	m.election.stop()
	m.Engine.SetWritable(true, term)
	m.note("new primary")
	m.changed()
}

// note writes an Entry that changes nothing.
func (m *Member) note(msg string) {
	dst, at := bson.BeginDocument(nil)
	object := bson.EndDocument(bson.AppendString(dst, "msg", msg), at)
	m.Engine.Write(context.Background(), nil, func(tx *storage.Tx) error {
		return tx.Do(&storage.Op{Kind: storage.Noop, Stmt: storage.NoStmt, Object: object})
	})
}

func (m *Member) stepDown() {
	m.Engine.SetWritable(false, m.term)
	m.role, m.primary, m.joined = Secondary, nil, false
	m.loss.stop()
	m.changed()
}

// follow makes p the primary that m takes Entries from.
func (m *Member) follow(p *Member) {
	if p != nil {
		m.term = p.term
	}
	if m.primary != p {
		m.primary, m.joined = p, false
		m.changed()
	}
}

func (m *Member) changed() {
	m.topology++
	m.Changed.Notify()
}

// commit notes that all until at is committed, as far as m has it.
func (m *Member) commit(at storage.OpTime) {
	if applied := m.applied(); applied.Compare(at) < 0 {
		at = applied
	}
	if at.Compare(m.committed) > 0 {
		m.committed = at
		m.Engine.SetCommitted(at.TS)
		m.Changed.Notify()
	}
}
