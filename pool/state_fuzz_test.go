package pool

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/motor-go/motor/event"
)

// FuzzState plays random histories and checks what must always hold.
func FuzzState(f *testing.F) {
	f.Add([]byte{0, 1, 1, 1, 2, 2, 3, 4, 0, 1, 2, 5, 6, 7, 8, 9})
	f.Add([]byte{0, 1, 2, 6, 8, 1, 1, 1, 1, 5, 0, 1, 2, 2})
	f.Add([]byte{0, 1, 3, 0, 1, 2, 10, 11, 9, 2, 4})
	f.Fuzz(func(t *testing.T, history []byte) {
		b := newBench(t, func(s *state) { s.maxPoolSize, s.minPoolSize, s.maxIdleTime = 3, 1, 10*time.Second })
		var used []*Conn
		var queue []*waiter
		pop := func(from *[]*Conn) *Conn {
			if len(*from) == 0 {
				return nil
			}
			c := (*from)[0]
			*from = (*from)[1:]
			return c
		}
		for _, op := range history[:min(len(history), 500)] {
			b.now = b.now.Add(time.Second)
			switch op % 12 {
			case 0:
				b.ready()
			case 1:
				c, w, err := b.checkOut()
				switch {
				case c != nil:
					used = append(used, c)
				case w != nil:
					queue = append(queue, w)
				case err == nil:
					t.Fatal("no connection, no waiter, no error")
				}
			case 2:
				if len(b.establishing) > 0 {
					b.establish()
				}
			case 3:
				if len(b.establishing) > 0 {
					b.breakDown(errors.New("refused"))
				}
			case 4, 5, 6:
				if c := pop(&used); c != nil {
					c.late = op%12 == 5
					if op%12 == 6 {
						c.err = errors.New("broken")
					}
					b.give(c)
				}
			case 7:
				if c := pop(&b.draining); c != nil {
					c.late = false
					b.take(b.drained(c, b.now))
				}
			case 8:
				b.clear(errors.New("cleared"), op > 100)
			case 9:
				b.take(b.tick(b.now))
			case 10:
				if len(queue) > 0 && b.waited(queue[len(queue)-1], b.now, context.DeadlineExceeded, op > 100) {
					queue = queue[:len(queue)-1]
				}
			case 11:
				if op > 200 {
					b.take(b.close(b.now))
				}
			}
			for _, w := range b.served {
				i := slices.Index(queue, w)
				if i < 0 || (w.conn == nil) == (w.err == nil) {
					t.Fatalf("served %+v, in the queue at %d", w, i)
				}
				if w.conn != nil && i != 0 {
					t.Fatal("a connection went to who was not the first")
				}
				queue = slices.Delete(queue, i, i+1)
				if w.conn != nil {
					used = append(used, w.conn)
				}
			}
			b.served = nil
			b.check(used, queue)
		}
		b.take(b.close(b.now))
		for _, c := range used {
			b.give(c)
		}
		for len(b.establishing) > 0 {
			b.breakDown(errors.New("interrupted"))
		}
		for _, c := range b.draining {
			b.take(b.drained(c, b.now))
		}
		if s := b.stats(); s.Total() != 0 || !b.over || len(b.closed) != int(s.Created) {
			t.Errorf("at the end: %+v, over: %v, closed: %d", s, b.over, len(b.closed))
		}
	})
}

// check checks the invariants.
func (b *bench) check(used []*Conn, queue []*waiter) {
	b.t.Helper()
	s := b.stats()
	var roles [closed + 1]int
	for _, c := range b.conns {
		roles[c.role]++
	}
	switch {
	case s.Total() != len(b.conns) || s.InUse != len(used) || roles[pending]+roles[failing] != s.Pending ||
		roles[available] != s.Available || roles[draining] != s.Draining:
		b.t.Fatalf("the counts are wrong: %+v, roles %v, %d in use", s, roles, len(used))
	case b.maxPoolSize > 0 && s.Total() > b.maxPoolSize:
		b.t.Fatalf("%d connections", s.Total())
	case s.Pending > b.maxConnecting:
		b.t.Fatalf("%d connections are being established", s.Pending)
	case !slices.Equal(b.waiting, queue):
		b.t.Fatalf("%d wait, %d should", len(b.waiting), len(queue))
	case s.Waiting > 0 && s.Available > 0:
		b.t.Fatal("some wait while there are connections available")
	case s.Waiting > s.Pending && s.Pending < b.maxConnecting && s.Total() < b.maxPoolSize:
		b.t.Fatalf("some wait for nothing: %+v", s)
	case s.Waiting > 0 && s.State != Ready:
		b.t.Fatalf("some wait while the pool is %s", s.State)
	case s.Created-s.Closed != int64(s.Total()):
		b.t.Fatalf("%d were created and %d closed of %d", s.Created, s.Closed, s.Total())
	}
	started, ended := 0, 0
	for _, n := range b.notices {
		switch n.kind {
		case checkOutStarted:
			started++
		case checkedOut, checkOutFailed:
			ended++
		}
		if n.kind == connectionClosed && n.reason == event.Reason("") {
			b.t.Fatal("a connection was closed without a reason")
		}
	}
	if started-ended != len(queue) {
		b.t.Fatalf("%d check-outs started, %d ended, %d wait", started, ended, len(queue))
	}
}
