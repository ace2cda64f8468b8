package pool

import (
	"slices"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
)

// state is all that a pool decides upon. Each method is something that happened
// and returns what is to be done about it; there are no locks, sockets or
// clocks in here.
type state struct {
	address       string
	maxPoolSize   int // 0 is no bound
	minPoolSize   int
	maxConnecting int
	maxIdleTime   time.Duration
	// create makes a connection that is not connected yet.
	create func(id int64) *Conn

	state      State
	generation uint64
	services   map[bson.ObjectID]*service
	cleared    error // why the pool is paused

	conns     map[int64]*Conn // all that are not closed
	available []*Conn         // last in, first out: the longest idle is the first
	pending   int
	draining  int
	abandoned int       // closed while being established or drained, which has yet to end
	waiting   []*waiter // first in, first out
	retryAt   time.Time // not before that are connections made for minPoolSize

	lastID       int64
	closed       int64
	waitCount    int64
	waitDuration time.Duration

	observed noticeKinds // those that somebody listens to
	notices  []notice    // events not yet published, in order
}

// service is the part of a pool that belongs to one serviceId.
type service struct {
	generation uint64
	conns      int
}

// waiter is one who waits for a connection.
type waiter struct {
	since time.Time
	// served is closed when conn or err is set.
	served chan struct{}
	conn   *Conn
	err    error
}

// verdict is what is to be done, after the events are published.
type verdict struct {
	establish []*Conn
	drain     *Conn
	interrupt []interruption
	close     []*Conn
	serve     []*waiter
	over      bool // the pool is closed, and nothing is left of it
}

// interruption is a connection whose reads and writes are to fail with err.
type interruption struct {
	conn *Conn
	err  error
}

// role is what a connection of a pool is doing.
type role uint8

const (
	pending role = iota
	failing      // pending, and known to fail
	available
	inUse
	draining
	closed
)

// checkOut is the request for a connection. Without connection and error the
// caller is to wait in the queue.
func (s *state) checkOut(now time.Time) (*Conn, verdict, error) {
	var v verdict
	s.note(notice{kind: checkOutStarted})
	if s.state != Ready {
		err := s.refusal()
		s.noteCheckOutFailed(now, now, err)
		return nil, v, err
	}
	for n := len(s.available); n > 0; n = len(s.available) {
		c := s.available[n-1]
		s.available[n-1] = nil
		s.available = s.available[:n-1]
		if reason := s.perished(c, now); reason != "" {
			s.discard(c, reason, nil, &v)
			continue
		}
		c.role = inUse
		s.note(notice{kind: checkedOut, conn: c.ID})
		if v.close != nil {
			s.grow(now, &v)
		}
		return c, v, nil
	}
	return nil, v, nil
}

// enqueue puts w at the end of the wait queue.
func (s *state) enqueue(w *waiter) verdict {
	var v verdict
	s.waitCount++
	s.waiting = append(s.waiting, w)
	s.grow(w.since, &v)
	return v
}

// waited is the end of w's patience: err says why. It reports false if w is
// served, or is not to give up: the wait queue timeout does not apply to those
// for whom a connection is being established.
func (s *state) waited(w *waiter, now time.Time, err error, queueTimeout bool) bool {
	i := slices.Index(s.waiting, w)
	if i < 0 || queueTimeout && i < s.pending {
		return false
	}
	s.waiting = slices.Delete(s.waiting, i, i+1)
	stats := s.stats()
	stats.Waiting++
	s.fail(w, now, &WaitQueueTimeoutError{Stats: stats, Waited: now.Sub(w.since), Err: err})
	return true
}

// checkIn takes c back.
func (s *state) checkIn(c *Conn, now time.Time) verdict {
	var v verdict
	s.note(notice{kind: checkedIn, conn: c.ID})
	if c.late && s.spent(c) == "" {
		c.role = draining
		s.draining++
		v.drain = c
		return v
	}
	s.settle(c, now, &v)
	return v
}

// drained ends the draining of c.
func (s *state) drained(c *Conn, now time.Time) verdict {
	var v verdict
	if c.role == closed {
		s.buried(c, &v)
		return v
	}
	s.settle(c, now, &v)
	return v
}

// joined puts c under its serviceId, once the handshake has told that.
func (s *state) joined(c *Conn, id bson.ObjectID) {
	if c.role == closed {
		return
	}
	sv := s.services[id]
	if sv == nil {
		sv = new(service)
		if s.services == nil {
			s.services = make(map[bson.ObjectID]*service)
		}
		s.services[id] = sv
	}
	sv.conns++
	c.ServiceID, c.Generation = &id, sv.generation
}

// established makes the pending c usable. took is how long that took.
func (s *state) established(c *Conn, now time.Time, took time.Duration) verdict {
	var v verdict
	if c.role == closed {
		s.buried(c, &v)
		return v
	}
	s.note(notice{kind: connectionReady, conn: c.ID, duration: took})
	s.settle(c, now, &v)
	s.grow(now, &v)
	return v
}

// failing tells whether it is news that the pending c cannot be established,
// and takes the one out of the queue who gets the error, if anybody waits.
func (s *state) failing(c *Conn) (w *waiter, news bool) {
	if c.role == closed {
		return nil, false
	}
	c.role = failing
	if len(s.waiting) > 0 {
		w = s.waiting[0]
		s.waiting = s.waiting[1:]
	}
	return w, true
}

// failed gives c up because of err. w is from failing.
func (s *state) failed(c *Conn, w *waiter, err error, now time.Time) verdict {
	var v verdict
	if c.role == closed {
		s.buried(c, &v)
		return v
	}
	s.discard(c, event.ReasonError, err, &v)
	if w != nil {
		s.fail(w, now, err)
		v.serve = append(v.serve, w)
	}
	s.retryAt = now.Add(populateRetryInterval)
	s.grow(now, &v)
	return v
}

// populateRetryInterval is the least time between a connection that could not
// be established and the next one that only minPoolSize asks for.
const populateRetryInterval = time.Second

// ready makes the pool ready.
func (s *state) ready(now time.Time) verdict {
	var v verdict
	if s.state != Paused {
		return v
	}
	s.state, s.cleared, s.retryAt = Ready, nil, time.Time{}
	s.note(notice{kind: poolReady})
	s.grow(now, &v)
	return v
}

// clear makes all connections stale and pauses the pool, or, with a service,
// makes the connections of that stale.
func (s *state) clear(err error, id *bson.ObjectID, interruptInUse bool, now time.Time) verdict {
	var v verdict
	if s.state == Closed {
		return v
	}
	wasReady := s.state == Ready
	if id == nil {
		s.generation++
		s.state, s.cleared = Paused, err
	} else if sv := s.services[*id]; sv != nil {
		sv.generation++
	}
	if wasReady {
		s.note(notice{kind: poolCleared, serviceID: id, interrupt: interruptInUse, err: err})
	}
	s.available = slices.DeleteFunc(s.available, func(c *Conn) bool {
		stale := s.stale(c)
		if stale {
			s.discard(c, event.ReasonStale, nil, &v)
		}
		return stale
	})
	why := &ClearedError{Address: s.address, Interrupted: interruptInUse, Err: err}
	for _, c := range s.conns {
		switch {
		case !s.stale(c):
		case c.role == inUse && interruptInUse:
			v.interrupt = append(v.interrupt, interruption{c, why})
		case c.role == pending || c.role == draining:
			s.abandon(c, event.ReasonStale, why, &v)
		}
	}
	if id == nil {
		s.refuse(now, &v)
	}
	s.grow(now, &v)
	return v
}

// close ends the pool.
func (s *state) close(now time.Time) verdict {
	var v verdict
	if s.state == Closed {
		return v
	}
	s.state = Closed
	for _, c := range s.available {
		s.discard(c, event.ReasonPoolClosed, nil, &v)
	}
	s.available = nil
	for _, c := range s.conns {
		if c.role == pending || c.role == draining {
			s.abandon(c, event.ReasonPoolClosed, &ClosedError{s.address}, &v)
		}
	}
	s.note(notice{kind: poolClosed})
	s.refuse(now, &v)
	v.over = s.empty()
	return v
}

// tick does what is due by the passing of time.
func (s *state) tick(now time.Time) verdict {
	var v verdict
	for len(s.available) > 0 && s.perished(s.available[0], now) != "" {
		s.discard(s.available[0], event.ReasonIdle, nil, &v)
		s.available = slices.Delete(s.available, 0, 1)
	}
	s.grow(now, &v)
	return v
}

// due is when tick has something to do; never if zero.
func (s *state) due() (at time.Time) {
	if s.maxIdleTime > 0 && len(s.available) > 0 {
		at = s.available[0].idleSince.Add(s.maxIdleTime)
	}
	if s.state == Ready && len(s.conns) < s.minPoolSize && !s.retryAt.IsZero() && (at.IsZero() || s.retryAt.Before(at)) {
		at = s.retryAt
	}
	return at
}

// settle finds a place for c, which nobody uses any more: it is closed, given
// to the first in the queue, or available.
func (s *state) settle(c *Conn, now time.Time, v *verdict) {
	if reason := s.spent(c); reason != "" {
		s.discard(c, reason, c.err, v)
		s.grow(now, v)
		return
	}
	s.leave(c.role)
	if len(s.waiting) == 0 {
		c.role, c.idleSince = available, now
		s.available = append(s.available, c)
		return
	}
	w := s.waiting[0]
	s.waiting = s.waiting[1:]
	c.role = inUse
	w.conn = c
	s.waitDuration += now.Sub(w.since)
	s.note(notice{kind: checkedOut, conn: c.ID, duration: now.Sub(w.since)})
	v.serve = append(v.serve, w)
}

// grow begins the connections that the queue and minPoolSize ask for.
func (s *state) grow(now time.Time, v *verdict) {
	for s.state == Ready && s.pending < s.maxConnecting && (s.maxPoolSize == 0 || len(s.conns) < s.maxPoolSize) {
		populate := len(s.conns) < s.minPoolSize && !now.Before(s.retryAt)
		if s.pending >= len(s.waiting) && !populate {
			return
		}
		s.lastID++
		c := s.create(s.lastID)
		c.Generation = s.generation
		s.conns[c.ID] = c
		s.pending++
		s.note(notice{kind: connectionCreated, conn: c.ID})
		v.establish = append(v.establish, c)
	}
}

// refuse fails all who wait.
func (s *state) refuse(now time.Time, v *verdict) {
	for _, w := range s.waiting {
		s.fail(w, now, s.refusal())
	}
	v.serve = append(v.serve, s.waiting...)
	s.waiting = nil
}

// refusal is why there are no connections to be had.
func (s *state) refusal() error {
	if s.state == Closed {
		return &ClosedError{s.address}
	}
	return &ClearedError{Address: s.address, Err: s.cleared}
}

// fail ends the check-out of w, who is not in the queue any more.
func (s *state) fail(w *waiter, now time.Time, err error) {
	w.err = err
	s.waitDuration += now.Sub(w.since)
	s.noteCheckOutFailed(w.since, now, err)
}

// spent is why c, which nobody uses any more, must be closed; empty if it need
// not.
func (s *state) spent(c *Conn) event.Reason {
	switch {
	case s.state == Closed:
		return event.ReasonPoolClosed
	case c.err != nil:
		return event.ReasonError
	case s.stale(c):
		return event.ReasonStale
	}
	return ""
}

// perished is why c, which is available, must not be used; empty if it may.
func (s *state) perished(c *Conn, now time.Time) event.Reason {
	switch {
	case s.stale(c):
		return event.ReasonStale
	case s.maxIdleTime > 0 && now.Sub(c.idleSince) >= s.maxIdleTime:
		return event.ReasonIdle
	}
	return ""
}

// stale reports whether c is of a past generation.
func (s *state) stale(c *Conn) bool { return c.Generation < s.generationOf(c.ServiceID) }

// generationOf is the generation of a service, or of the pool.
func (s *state) generationOf(id *bson.ObjectID) uint64 {
	if id == nil {
		return s.generation
	}
	if sv := s.services[*id]; sv != nil {
		return sv.generation
	}
	return 0
}

// discard closes c, which nobody uses.
func (s *state) discard(c *Conn, reason event.Reason, err error, v *verdict) {
	s.remove(c, reason, err)
	v.close = append(v.close, c)
	v.over = s.empty()
}

// abandon closes c while it is being established or drained. What is left of
// that ends with an error, and then c is buried.
func (s *state) abandon(c *Conn, reason event.Reason, err error, v *verdict) {
	s.remove(c, reason, nil)
	s.abandoned++
	v.interrupt = append(v.interrupt, interruption{c, err})
}

// buried is the end of what was abandoned.
func (s *state) buried(c *Conn, v *verdict) {
	s.abandoned--
	v.close = append(v.close, c)
	v.over = s.empty()
}

// empty reports whether nothing is left of a closed pool.
func (s *state) empty() bool {
	return s.state == Closed && len(s.conns) == 0 && s.abandoned == 0
}

// remove forgets c, which is in no list any more.
func (s *state) remove(c *Conn, reason event.Reason, err error) {
	s.leave(c.role)
	c.role = closed
	delete(s.conns, c.ID)
	if c.ServiceID != nil {
		sv := s.services[*c.ServiceID]
		if sv.conns--; sv.conns == 0 {
			delete(s.services, *c.ServiceID)
		}
	}
	s.closed++
	s.note(notice{kind: connectionClosed, conn: c.ID, reason: reason, err: err})
}

// leave takes a connection out of the count of its role.
func (s *state) leave(r role) {
	switch r {
	case pending, failing:
		s.pending--
	case draining:
		s.draining--
	}
}

func (s *state) stats() Stats {
	t := Stats{
		Address:      s.address,
		State:        s.state,
		Generation:   s.generation,
		MaxPoolSize:  s.maxPoolSize,
		Pending:      s.pending,
		Available:    len(s.available),
		Draining:     s.draining,
		Waiting:      len(s.waiting),
		WaitCount:    s.waitCount,
		WaitDuration: s.waitDuration,
		Created:      s.lastID,
		Closed:       s.closed,
	}
	for _, c := range s.conns {
		if c.role != inUse {
			continue
		}
		t.InUse++
		switch c.Use() {
		case UseCursor:
			t.Cursors++
		case UseTransaction:
			t.Transactions++
		}
	}
	return t
}

// noteCheckOutFailed records the end of a check-out that began at since.
func (s *state) noteCheckOutFailed(since, now time.Time, err error) {
	reason := event.ReasonConnectionError
	switch err := err.(type) {
	case *ClosedError:
		reason = event.ReasonPoolClosed
	case *WaitQueueTimeoutError:
		if err.Timeout() {
			reason = event.ReasonTimeout
		}
	}
	s.note(notice{kind: checkOutFailed, reason: reason, err: err, duration: now.Sub(since)})
}
