package pool

import (
	"context"
	"sync"
	"time"

	"github.com/motor-go/motor/bson"
)

// Pool is the connections to one server. Its methods may be called
// concurrently.
type Pool struct {
	config Config
	// timed says that each check-out and check-in needs to know the time.
	timed bool
	done  chan struct{}

	mu      sync.Mutex
	state   state
	timer   *time.Timer // calls tick
	timerAt time.Time   // zero if the timer is not set

	// publishing is held while events are published, so that they come in the
	// order in which they happened. It is never taken while mu is held.
	publishing sync.Mutex
	published  []notice // memory for the next ones
}

// New makes a pool, which is paused. Close must be called in the end.
func New(config Config) *Pool {
	config = config.withDefaults()
	p := &Pool{config: config, done: make(chan struct{})}
	p.state = state{
		address:       config.Address,
		maxPoolSize:   config.MaxPoolSize,
		minPoolSize:   config.MinPoolSize,
		maxConnecting: config.MaxConnecting,
		maxIdleTime:   config.MaxIdleTime,
		create:        func(id int64) *Conn { return newConn(&p.config, id) },
		state:         Paused,
		conns:         make(map[int64]*Conn),
		observed:      listens(config.Observer),
	}
	p.timed = p.state.observed != 0 || config.MaxIdleTime > 0
	p.timer = time.AfterFunc(time.Hour, p.tick)
	p.timer.Stop()
	p.state.note(notice{kind: poolCreated})
	p.publish()
	return p
}

// CheckOut gives a connection for the caller's use until CheckIn: the one that
// was used last, or the first that becomes available to those who wait, in
// their order. The error is a *ClosedError, a *ClearedError, a
// *WaitQueueTimeoutError (also if ctx ends) or a *ConnectError.
func (p *Pool) CheckOut(ctx context.Context) (*Conn, error) {
	return p.CheckOutBefore(ctx, time.Time{})
}

// CheckOutBefore is CheckOut for operations with timeoutMS, which have what
// serverSelectionTimeoutMS leaves: until the time, instead of for the
// WaitQueueTimeout, also for a connection that is being established. The zero
// time makes it CheckOut.
func (p *Pool) CheckOutBefore(ctx context.Context, before time.Time) (*Conn, error) {
	var w *waiter
	p.mu.Lock()
	c, v, err := p.state.checkOut(p.now())
	if c == nil && err == nil {
		w = &waiter{since: time.Now(), served: make(chan struct{})}
		more := p.state.enqueue(w)
		v.establish = more.establish
	}
	p.mu.Unlock()
	p.carryOut(v)
	if w != nil {
		return p.wait(ctx, w, before)
	}
	return c, err
}

// wait waits until w is served, or for as long as ctx and the time or else the
// wait queue timeout allow.
func (p *Pool) wait(ctx context.Context, w *waiter, before time.Time) (*Conn, error) {
	patience, option := p.config.WaitQueueTimeout, "waitQueueTimeoutMS"
	if !before.IsZero() {
		patience, option = max(time.Until(before), 1), "serverSelectionTimeoutMS"
	}
	var timeout <-chan time.Time
	if patience > 0 {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-w.served:
		return w.conn, w.err
	case <-timeout:
		p.giveUp(w, Over(option, patience.Round(time.Millisecond)), before.IsZero())
	case <-ctx.Done():
		p.giveUp(w, Ended(ctx), false)
	}
	select {
	case <-w.served:
	case <-ctx.Done():
		p.giveUp(w, Ended(ctx), false)
		<-w.served
	}
	return w.conn, w.err
}

// giveUp takes w out of the wait queue, unless it is served.
func (p *Pool) giveUp(w *waiter, err error, queueTimeout bool) {
	p.mu.Lock()
	gone := p.state.waited(w, time.Now(), err, queueTimeout)
	p.mu.Unlock()
	p.publish()
	if gone {
		close(w.served)
	}
}

// CheckIn gives a connection back, broken or not. It panics if c is not checked
// out of this pool.
func (p *Pool) CheckIn(c *Conn) {
	c.release()
	p.mu.Lock()
	if p.state.conns[c.ID] != c || c.role != inUse {
		p.mu.Unlock()
		panic("pool: CheckIn of a connection that is not checked out of the pool for " + p.config.Address)
	}
	v := p.state.checkIn(c, p.now())
	p.schedule()
	p.mu.Unlock()
	p.carryOut(v)
}

// Ready makes the pool hand out connections, and make those that MinPoolSize
// asks for. It has no effect unless the pool is paused.
func (p *Pool) Ready() {
	p.mu.Lock()
	v := p.state.ready(time.Now())
	p.mu.Unlock()
	p.carryOut(v)
}

// Clear makes all connections stale because of err: those available are closed
// now, those in use when they are checked in, or at once if interruptInUse is
// set. Those who wait get a *ClearedError, and the pool is paused. For a load
// balanced server serviceID names the service whose connections become stale;
// the pool is not paused then.
func (p *Pool) Clear(err error, serviceID *bson.ObjectID, interruptInUse bool) {
	p.mu.Lock()
	v := p.state.clear(err, serviceID, interruptInUse, time.Now())
	p.mu.Unlock()
	p.carryOut(v)
}

// Close ends the pool. Connections in use are closed when they are checked in.
func (p *Pool) Close() {
	p.mu.Lock()
	v := p.state.close(time.Now())
	p.timer.Stop()
	p.mu.Unlock()
	p.carryOut(v)
}

// Done is closed when the pool is closed and so are all its connections.
func (p *Pool) Done() <-chan struct{} { return p.done }

// Stats tells what the pool holds.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.stats()
}

// Generation is the generation of the pool or, with a service ID, of that
// service. Errors of connections of an earlier generation are stale.
func (p *Pool) Generation(serviceID *bson.ObjectID) uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.generationOf(serviceID)
}

// now is the time if somebody needs it. mu is held.
func (p *Pool) now() time.Time {
	if p.timed || len(p.state.waiting) > 0 {
		return time.Now()
	}
	return time.Time{}
}

// carryOut does what the state decided.
func (p *Pool) carryOut(v verdict) {
	p.publish()
	for _, i := range v.interrupt {
		i.conn.interrupt(i.err)
	}
	for _, c := range v.close {
		c.Close()
	}
	for _, w := range v.serve {
		close(w.served)
	}
	for _, c := range v.establish {
		go p.establish(c)
	}
	if v.drain != nil {
		go p.drain(v.drain)
	}
	if v.over {
		close(p.done)
	}
}

// publish tells the observer what it was not told yet.
func (p *Pool) publish() {
	if p.state.observed == 0 {
		return
	}
	p.publishing.Lock()
	defer p.publishing.Unlock()
	p.mu.Lock()
	notices := p.state.notices
	p.state.notices = p.published
	p.mu.Unlock()
	for _, n := range notices {
		publish(&p.config, n)
	}
	clear(notices)
	p.published = notices[:0]
}

// establish makes the pending c usable, or gives it up.
func (p *Pool) establish(c *Conn) {
	start := time.Now()
	err := c.connect(c.ctx, func(id bson.ObjectID) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.state.joined(c, id)
	})
	if err == nil {
		p.mu.Lock()
		now := time.Now()
		v := p.state.established(c, now, now.Sub(start))
		p.schedule()
		p.mu.Unlock()
		p.carryOut(v)
		return
	}
	p.mu.Lock()
	w, news := p.state.failing(c)
	p.mu.Unlock()
	if news && p.config.OnConnectError != nil {
		p.config.OnConnectError(err)
	}
	p.mu.Lock()
	v := p.state.failed(c, w, err, time.Now())
	p.schedule()
	p.mu.Unlock()
	p.carryOut(v)
}

// drain reads the late reply of c.
func (p *Pool) drain(c *Conn) {
	reply, err := c.drain(context.Background())
	p.mu.Lock()
	v := p.state.drained(c, time.Now())
	p.schedule()
	p.mu.Unlock()
	p.carryOut(v)
	if err == nil && p.config.OnLateReply != nil {
		p.config.OnLateReply(reply)
	}
}

// tick does what is due by the passing of time.
func (p *Pool) tick() {
	p.mu.Lock()
	p.timerAt = time.Time{}
	v := p.state.tick(time.Now())
	p.schedule()
	p.mu.Unlock()
	p.carryOut(v)
}

// schedule sets the timer, if it must be earlier than it is. mu is held.
func (p *Pool) schedule() {
	at := p.state.due()
	if at.IsZero() || p.state.state == Closed || !p.timerAt.IsZero() && !at.Before(p.timerAt) {
		return
	}
	p.timerAt = at
	p.timer.Reset(time.Until(at))
}
