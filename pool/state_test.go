package pool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
)

var noon = time.Date(2020, 1, 1, 12, 0, 0, 0, time.UTC)

func newState(configure func(*state)) *state {
	s := &state{
		address:       "a:1",
		maxConnecting: 2,
		state:         Paused,
		conns:         make(map[int64]*Conn),
		create:        func(id int64) *Conn { return &Conn{ID: id} },
		observed:      ^noticeKinds(0),
	}
	if configure != nil {
		configure(s)
	}
	return s
}

// bench plays the part of Pool: it keeps what verdicts ask for until the test
// has it happen.
type bench struct {
	t *testing.T
	*state
	now          time.Time
	establishing []*Conn
	draining     []*Conn
	closed       []*Conn
	interrupted  []*Conn
	served       []*waiter
	over         bool
}

func newBench(t *testing.T, configure func(*state)) *bench {
	return &bench{t: t, state: newState(configure), now: noon}
}

func (b *bench) take(v verdict) {
	b.establishing = append(b.establishing, v.establish...)
	b.closed = append(b.closed, v.close...)
	b.served = append(b.served, v.serve...)
	for _, i := range v.interrupt {
		b.interrupted = append(b.interrupted, i.conn)
	}
	if v.drain != nil {
		b.draining = append(b.draining, v.drain)
	}
	b.over = b.over || v.over
}

// checkOut gives a connection or the waiter for one.
func (b *bench) checkOut() (*Conn, *waiter, error) {
	c, v, err := b.state.checkOut(b.now)
	b.take(v)
	if c != nil || err != nil {
		return c, nil, err
	}
	w := &waiter{since: b.now}
	b.take(b.enqueue(w))
	return nil, w, nil
}

// get checks out a connection that is there or can be established.
func (b *bench) get() *Conn {
	b.t.Helper()
	c, w, err := b.checkOut()
	if err != nil {
		b.t.Fatal(err)
	}
	if c == nil {
		b.establish()
		c = w.conn
	}
	if c == nil {
		b.t.Fatal("no connection")
	}
	return c
}

// establish ends the establishing that began first.
func (b *bench) establish() {
	b.t.Helper()
	if len(b.establishing) == 0 {
		b.t.Fatal("no connection is being established")
	}
	c := b.establishing[0]
	b.establishing = b.establishing[1:]
	b.take(b.established(c, b.now, time.Millisecond))
}

// breakDown ends it with an error.
func (b *bench) breakDown(err error) {
	c := b.establishing[0]
	b.establishing = b.establishing[1:]
	w, _ := b.failing(c)
	b.take(b.failed(c, w, err, b.now))
}

func (b *bench) give(c *Conn) { b.take(b.checkIn(c, b.now)) }

// events are the notices so far, like "closed 1 stale".
func (b *bench) events() []string {
	names := [...]string{"pool created", "ready", "cleared", "pool closed", "created", "established", "closed", "started", "failed", "out", "in"}
	var events []string
	for _, n := range b.notices {
		e := names[n.kind]
		if n.conn != 0 {
			e = fmt.Sprint(e, " ", n.conn)
		}
		if n.reason != "" {
			e = fmt.Sprint(e, " ", n.reason)
		}
		events = append(events, e)
	}
	b.notices = nil
	return events
}

func (b *bench) wantEvents(want ...string) {
	b.t.Helper()
	if got := b.events(); !slices.Equal(got, want) {
		b.t.Errorf("events\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (b *bench) ready() { b.take(b.state.ready(b.now)) }

func (b *bench) clear(err error, interrupt bool) { b.take(b.state.clear(err, nil, interrupt, b.now)) }

func TestStateLastInFirstOut(t *testing.T) {
	b := newBench(t, nil)
	b.ready()
	c1, c2, c3 := b.get(), b.get(), b.get()
	b.give(c2)
	b.give(c3)
	b.give(c1)
	for _, want := range []*Conn{c1, c3, c2} {
		if got := b.get(); got != want {
			t.Errorf("got connection %d, want %d", got.ID, want.ID)
		}
	}
}

func TestStateWaitersFirstInFirstOut(t *testing.T) {
	b := newBench(t, func(s *state) { s.maxPoolSize = 1 })
	b.ready()
	c := b.get()
	var queue []*waiter
	for range 3 {
		_, w, _ := b.checkOut()
		queue = append(queue, w)
	}
	for i, w := range queue {
		b.now = b.now.Add(time.Second)
		b.give(c)
		if w.conn != c {
			t.Fatalf("waiter %d was not served in its turn", i)
		}
	}
	if s := b.stats(); s.WaitCount != 4 || s.WaitDuration != 6*time.Second {
		t.Errorf("%d waited %v", s.WaitCount, s.WaitDuration)
	}
}

func TestStateMaxConnecting(t *testing.T) {
	b := newBench(t, nil)
	b.ready()
	for range 5 {
		b.checkOut()
	}
	if n := len(b.establishing); n != 2 {
		t.Fatalf("%d connections are being established", n)
	}
	b.establish()
	if n := len(b.establishing); n != 2 {
		t.Errorf("%d connections are being established after one was ready", n)
	}
	if n := len(b.served); n != 1 {
		t.Errorf("%d were served", n)
	}
}

func TestStateMaxPoolSize(t *testing.T) {
	b := newBench(t, func(s *state) { s.maxPoolSize = 2 })
	b.ready()
	c := b.get()
	b.get()
	_, w, _ := b.checkOut()
	if len(b.establishing) > 0 {
		t.Error("a third connection is made")
	}
	c.err = errors.New("broken")
	b.give(c)
	b.establish()
	if w.conn == nil || w.conn.ID != 3 {
		t.Error("the broken connection is not replaced")
	}
}

// Who waits gets whatever comes first, and what comes later is kept.
func TestStateReturnedBeforeEstablished(t *testing.T) {
	b := newBench(t, nil)
	b.ready()
	c := b.get()
	_, w, _ := b.checkOut()
	b.give(c)
	if w.conn != c {
		t.Fatal("the returned connection was not given to who waits")
	}
	b.establish()
	if s := b.stats(); s.Available != 1 || s.InUse != 1 {
		t.Errorf("%+v", s)
	}
}

func TestStateWaitQueueTimeout(t *testing.T) {
	b := newBench(t, func(s *state) { s.maxPoolSize = 2; s.maxConnecting = 1 })
	b.ready()
	_, first, _ := b.checkOut()
	_, second, _ := b.checkOut()
	later := noon.Add(time.Second)
	if b.waited(first, later, context.DeadlineExceeded, true) {
		t.Error("the wait queue timeout applies although a connection is being established")
	}
	if !b.waited(second, later, context.DeadlineExceeded, true) {
		t.Error("the wait queue timeout does not apply")
	}
	var timeout *WaitQueueTimeoutError
	if !errors.As(second.err, &timeout) || !timeout.Timeout() || timeout.Waited != time.Second || timeout.Stats.Waiting != 2 {
		t.Errorf("error: %#v", second.err)
	}
	if !b.waited(first, later, context.Canceled, false) {
		t.Error("the end of a context does not apply")
	}
	if b.waited(first, later, context.Canceled, false) {
		t.Error("one who is not there gave up")
	}
	b.wantEvents("ready", "started", "created 1", "started", "failed timeout", "failed connectionError")
}

func TestWaitQueueTimeoutSaysWhatHeldConnections(t *testing.T) {
	b := newBench(t, func(s *state) { s.maxPoolSize = 4 })
	b.ready()
	for _, use := range []Use{UseCursor, UseTransaction, UseCursor, UseOperation} {
		b.get().Pin(use)
	}
	_, w, _ := b.checkOut()
	b.waited(w, noon.Add(1500*time.Millisecond), Over("waitQueueTimeoutMS", time.Second), true)
	want := "timed out while checking out a connection from connection pool for a:1 after 1.5s: waitQueueTimeoutMS of 1s is over; " +
		"maxPoolSize: 4, connections in use by cursors: 2, connections in use by transactions: 1, connections in use by other operations: 1, " +
		"being established: 0, draining: 0, waiting: 1"
	if got := w.err.Error(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestStatePausedAndClosed(t *testing.T) {
	b := newBench(t, nil)
	var cleared *ClearedError
	if _, _, err := b.checkOut(); !errors.As(err, &cleared) || cleared.Err != nil {
		t.Errorf("check-out of a new pool: %v", err)
	}
	b.ready()
	why := errors.New("no route")
	b.clear(why, false)
	if _, _, err := b.checkOut(); !errors.As(err, &cleared) || cleared.Err != why {
		t.Errorf("check-out of a cleared pool: %v", err)
	}
	b.take(b.close(noon))
	b.ready()
	var closed *ClosedError
	if _, _, err := b.checkOut(); !errors.As(err, &closed) {
		t.Errorf("check-out of a closed pool: %v", err)
	}
	b.take(b.close(noon))
	b.clear(why, true)
	b.wantEvents("started", "failed connectionError", "ready", "cleared", "started", "failed connectionError",
		"pool closed", "started", "failed poolClosed")
	if !b.over {
		t.Error("the pool is not over")
	}
}

func TestStateClear(t *testing.T) {
	b := newBench(t, func(s *state) { s.maxPoolSize = 3 })
	b.ready()
	used, idle := b.get(), b.get()
	_, w, _ := b.checkOut()
	b.waited(w, noon, context.Canceled, false)
	b.give(idle)
	b.events()

	b.clear(errors.New("no route"), false)
	b.clear(errors.New("again"), false)
	b.wantEvents("cleared", "closed 2 stale", "closed 3 stale")
	if b.generation != 2 {
		t.Errorf("generation %d", b.generation)
	}
	if len(b.interrupted) != 1 || b.interrupted[0] != b.establishing[0] {
		t.Error("what was being established is not interrupted")
	}
	b.give(used)
	b.ready()
	fresh, w, _ := b.checkOut()
	if fresh != nil {
		t.Error("a stale connection was handed out")
	}
	b.breakDown(errors.New("interrupted"))
	if w.err != nil {
		t.Error("an old connection's error reached who waits for a new one")
	}
	b.establish()
	if w.conn == nil || w.conn.Generation != 2 {
		t.Error("no new connection")
	}
}

func TestStateClearInterruptsInUse(t *testing.T) {
	b := newBench(t, nil)
	b.ready()
	old := b.get()
	b.clear(errors.New("no route"), false)
	b.ready()
	c := b.get()
	b.clear(errors.New("no answer"), true)
	if len(b.interrupted) != 2 {
		t.Errorf("%d interrupted of those of this and earlier generations", len(b.interrupted))
	}
	b.give(old)
	b.give(c)
	b.wantEvents("ready", "started", "created 1", "established 1", "out 1", "cleared", "ready",
		"started", "created 2", "established 2", "out 2", "cleared", "in 1", "closed 1 stale", "in 2", "closed 2 stale")
}

func TestStateFailedEstablishing(t *testing.T) {
	b := newBench(t, nil)
	b.ready()
	_, first, _ := b.checkOut()
	_, second, _ := b.checkOut()
	refused := &ConnectError{Err: errors.New("refused")}
	b.breakDown(refused)
	if first.err != refused || second.err != nil {
		t.Errorf("errors %v and %v", first.err, second.err)
	}
	b.wantEvents("ready", "started", "created 1", "started", "created 2", "closed 1 error", "failed connectionError")
}

// The topology clears the pool when it hears of an error, before the connection
// is closed.
func TestStateClearedWhileFailing(t *testing.T) {
	b := newBench(t, nil)
	b.ready()
	_, first, _ := b.checkOut()
	_, second, _ := b.checkOut()
	refused := &ConnectError{Err: errors.New("refused")}
	c := b.establishing[0]
	w, news := b.failing(c)
	if w != first || !news {
		t.Fatal("the first does not get the error")
	}
	b.clear(refused, false)
	b.take(b.failed(c, w, refused, noon))
	var cleared *ClearedError
	if first.err != refused || !errors.As(second.err, &cleared) || cleared.Err != refused {
		t.Errorf("errors %v and %v", first.err, second.err)
	}
	b.wantEvents("ready", "started", "created 1", "started", "created 2",
		"cleared", "closed 2 stale", "failed connectionError", "closed 1 error", "failed connectionError")
}

func TestStateClose(t *testing.T) {
	b := newBench(t, func(s *state) { s.maxPoolSize = 4 })
	b.ready()
	used, idle, late := b.get(), b.get(), b.get()
	b.give(idle)
	late.late = true
	b.give(late)
	b.get()
	_, w, _ := b.checkOut()
	b.events()
	b.take(b.close(noon))
	var closed *ClosedError
	if !errors.As(w.err, &closed) {
		t.Errorf("who waited got %v", w.err)
	}
	b.give(used)
	b.give(idle)
	if b.over {
		t.Error("over before what was being established and drained has ended")
	}
	b.breakDown(errors.New("interrupted"))
	late.err = errors.New("interrupted")
	b.take(b.drained(late, noon))
	if !b.over {
		t.Error("not over")
	}
	if s := b.stats(); s.Total() != 0 || s.Created != 4 || s.Closed != 4 {
		t.Errorf("%+v", s)
	}
}

func TestStateMinPoolSize(t *testing.T) {
	b := newBench(t, func(s *state) { s.minPoolSize = 3 })
	if b.establishing != nil {
		t.Error("a paused pool is filled")
	}
	b.ready()
	for range 3 {
		b.establish()
	}
	if s := b.stats(); s.Available != 3 || len(b.establishing) != 0 {
		t.Errorf("%+v", s)
	}
	c := b.get()
	c.err = errors.New("broken")
	b.give(c)
	if len(b.establishing) != 1 {
		t.Fatal("a closed connection is not replaced")
	}
	b.breakDown(errors.New("refused"))
	if len(b.establishing) != 0 {
		t.Error("another attempt is made without a pause")
	}
	if at := b.due(); at != noon.Add(populateRetryInterval) {
		t.Errorf("due at %v", at)
	}
	b.now = b.due()
	b.take(b.tick(b.now))
	if len(b.establishing) != 1 {
		t.Error("no other attempt is made after a pause")
	}
}

func TestStateMaxIdleTime(t *testing.T) {
	b := newBench(t, func(s *state) { s.maxIdleTime = time.Minute })
	b.ready()
	c1, c2, c3 := b.get(), b.get(), b.get()
	b.give(c1)
	b.now = noon.Add(30 * time.Second)
	b.give(c2)
	b.give(c3)
	if at := b.due(); at != noon.Add(time.Minute) {
		t.Errorf("due at %v", at)
	}
	b.take(b.tick(noon.Add(time.Minute)))
	if at := b.due(); at != noon.Add(90*time.Second) {
		t.Errorf("due again at %v", at)
	}
	b.events()
	b.now = noon.Add(2 * time.Minute)
	b.checkOut()
	b.wantEvents("started", "closed 3 idle", "closed 2 idle", "created 4")
}

func TestStateServices(t *testing.T) {
	b := newBench(t, nil)
	b.ready()
	one, two := bson.ObjectID{1}, bson.ObjectID{2}
	get := func(id bson.ObjectID) *Conn {
		_, w, _ := b.checkOut()
		b.joined(b.establishing[0], id)
		b.establish()
		return w.conn
	}
	a1, a2, b1 := get(one), get(one), get(two)
	b.give(a1)
	b.give(b1)
	b.events()
	b.take(b.state.clear(errors.New("gone"), &one, false, noon))
	b.wantEvents("cleared", "closed 1 stale")
	if b.state.state != Ready || b.generationOf(&one) != 1 || b.generationOf(&two) != 0 || b.generation != 0 {
		t.Errorf("generations %d, %d and %d", b.generationOf(&one), b.generationOf(&two), b.generation)
	}
	b.give(a2)
	if _, ok := b.services[one]; ok {
		t.Error("a service without connections is kept")
	}
	if c := b.get(); c != b1 {
		t.Error("the other service's connection is gone")
	}
}

func TestStateDrain(t *testing.T) {
	b := newBench(t, func(s *state) { s.maxPoolSize = 1 })
	b.ready()
	c := b.get()
	_, w, _ := b.checkOut()
	c.late = true
	b.give(c)
	if w.conn != nil || len(b.draining) != 1 || b.stats().Draining != 1 {
		t.Fatal("a connection with a late reply is not drained")
	}
	c.late = false
	b.take(b.drained(c, noon))
	if w.conn != c {
		t.Error("a drained connection is not used again")
	}
	c.late = true
	b.give(c)
	c.err = errors.New("no answer")
	b.take(b.drained(c, noon))
	b.wantEvents("ready", "started", "created 1", "established 1", "out 1", "started", "in 1", "out 1", "in 1", "closed 1 error")
}
