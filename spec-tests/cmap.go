package spectests

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/pool"
)

// cmapTest is a file of the CMAP format.
type cmapTest struct {
	Version     int
	Style       string
	Description string
	RunOn       []struct{ MinServerVersion string }
	FailPoint   failPoint
	PoolOptions struct {
		MaxPoolSize                *int
		MinPoolSize                int
		MaxConnecting              int
		MaxIdleTimeMS              int
		WaitQueueTimeoutMS         int
		BackgroundThreadIntervalMS int // there is no such thread
		AppName                    string
	}
	Operations []cmapOperation
	Error      *struct{ Type, Message, Address string }
	Events     []map[string]any
	Ignore     []string
}

type cmapOperation struct {
	Name, Thread, Target, Event, Connection, Label string
	MS, Count, Timeout                             int
	InterruptInUseConnections                      bool
}

// cmapWait bounds what a test waits for without saying how long.
const cmapWait = 10 * time.Second

// runCMAP runs one file of connection-monitoring-and-pooling against a server
// that answers handshakes alone.
func runCMAP(t T, f File) {
	var test cmapTest
	f.Decode(t, &test)
	r := &cmapRunner{t: t, changed: make(chan struct{}), threads: map[string]*cmapThread{}, conns: map[string]*pool.Conn{}}
	config := pool.Config{
		Address:          "localhost:27017",
		MaxPoolSize:      100,
		MinPoolSize:      test.PoolOptions.MinPoolSize,
		MaxConnecting:    test.PoolOptions.MaxConnecting,
		MaxIdleTime:      time.Duration(test.PoolOptions.MaxIdleTimeMS) * time.Millisecond,
		WaitQueueTimeout: time.Duration(test.PoolOptions.WaitQueueTimeoutMS) * time.Millisecond,
		Dial:             (&fakeServer{failPoint: test.FailPoint}).dial,
		Handshake:        pool.Handshake{AppName: test.PoolOptions.AppName},
		Observer:         r.observer(),
		OnConnectError:   func(err *pool.ConnectError) { r.pool.Clear(err, nil, false) },
	}
	if n := test.PoolOptions.MaxPoolSize; n != nil {
		config.MaxPoolSize = *n
	}
	r.pool = pool.New(config)
	defer r.close()

	var err error
	for _, op := range test.Operations {
		if op.Thread != "" {
			r.threads[op.Thread].ops <- op
		} else if err = r.run(op); err != nil {
			break
		}
	}
	switch {
	case test.Error == nil && err != nil:
		t.Errorf("error: %v", err)
	case test.Error != nil && !matchCMAPError(err, test.Error.Type, test.Error.Message):
		t.Errorf("error: %T: %v; want %s: %s", err, err, test.Error.Type, test.Error.Message)
	}
	r.check(test.Events, test.Ignore)
}

// cmapRunner is one running test.
type cmapRunner struct {
	t       T
	pool    *pool.Pool
	threads map[string]*cmapThread

	mu      sync.Mutex
	conns   map[string]*pool.Conn // by label
	held    []*pool.Conn          // without label
	events  []map[string]any
	changed chan struct{} // closed when there are more events
}

// cmapThread runs operations one after the other.
type cmapThread struct {
	ops  chan cmapOperation
	done chan error
}

func (r *cmapRunner) run(op cmapOperation) error {
	switch op.Name {
	case "start":
		th := &cmapThread{ops: make(chan cmapOperation, 10), done: make(chan error, 1)}
		r.threads[op.Target] = th
		go func() {
			var first error
			for op := range th.ops {
				if err := r.run(op); err != nil && first == nil {
					first = err
				}
			}
			th.done <- first
		}()
	case "wait":
		time.Sleep(time.Duration(op.MS) * time.Millisecond)
	case "waitForThread":
		th := r.threads[op.Target]
		delete(r.threads, op.Target)
		close(th.ops)
		return <-th.done
	case "waitForEvent":
		within := cmapWait
		if op.Timeout > 0 {
			within = time.Duration(op.Timeout) * time.Millisecond
		}
		return r.waitForEvent(op.Event, op.Count, within)
	case "checkOut":
		c, err := r.pool.CheckOut(r.t.Context())
		if err != nil {
			return err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if op.Label == "" {
			r.held = append(r.held, c)
		} else {
			r.conns[op.Label] = c
		}
	case "checkIn":
		r.mu.Lock()
		c := r.conns[op.Connection]
		delete(r.conns, op.Connection)
		r.mu.Unlock()
		r.pool.CheckIn(c)
	case "ready":
		r.pool.Ready()
	case "clear":
		r.pool.Clear(errors.New("the test clears the pool"), nil, op.InterruptInUseConnections)
	case "close":
		r.pool.Close()
	default:
		r.t.Fatalf("unknown operation %q", op.Name)
	}
	return nil
}

// close ends the pool and all that is left of the test.
func (r *cmapRunner) close() {
	r.pool.Close()
	for _, th := range r.threads {
		close(th.ops)
		<-th.done
	}
	for _, c := range slices.Concat(r.held, slices.Collect(maps.Values(r.conns))) {
		r.pool.CheckIn(c)
	}
	<-r.pool.Done()
}

func (r *cmapRunner) waitForEvent(kind string, count int, within time.Duration) error {
	timeout := time.After(within)
	for {
		r.mu.Lock()
		n := 0
		for _, e := range r.events {
			if e["type"] == kind {
				n++
			}
		}
		changed := r.changed
		r.mu.Unlock()
		if n >= count {
			return nil
		}
		select {
		case <-changed:
		case <-timeout:
			return fmt.Errorf("%d %s events instead of %d after %v", n, kind, count, within)
		}
	}
}

// note records an event. The fields are names and values in turn.
func (r *cmapRunner) note(kind, address string, fields ...any) {
	e := map[string]any{"type": kind, "address": address}
	for i := 0; i < len(fields); i += 2 {
		e[fields[i].(string)] = fields[i+1]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *cmapRunner) observer() *event.Observer {
	return &event.Observer{
		PoolCreated: func(e *event.PoolCreated) {
			options := map[string]any{}
			for name, v := range map[string]int{
				"maxPoolSize":   e.Options.MaxPoolSize,
				"minPoolSize":   e.Options.MinPoolSize,
				"maxIdleTimeMS": int(e.Options.MaxIdleTime.Milliseconds()),
			} {
				options[name] = float64(v)
			}
			r.note("ConnectionPoolCreated", e.Address, "options", options)
		},
		PoolReady: func(e *event.PoolReady) { r.note("ConnectionPoolReady", e.Address) },
		PoolCleared: func(e *event.PoolCleared) {
			r.note("ConnectionPoolCleared", e.Address, "interruptInUseConnections", e.InterruptInUseConnections)
		},
		PoolClosed: func(e *event.PoolClosed) { r.note("ConnectionPoolClosed", e.Address) },
		ConnectionCreated: func(e *event.ConnectionCreated) {
			r.note("ConnectionCreated", e.Address, "connectionId", float64(e.ConnectionID))
		},
		ConnectionReady: func(e *event.ConnectionReady) {
			r.note("ConnectionReady", e.Address, "connectionId", float64(e.ConnectionID), "duration", e.Duration)
		},
		ConnectionClosed: func(e *event.ConnectionClosed) {
			r.note("ConnectionClosed", e.Address, "connectionId", float64(e.ConnectionID), "reason", string(e.Reason))
		},
		ConnectionCheckOutStarted: func(e *event.ConnectionCheckOutStarted) {
			r.note("ConnectionCheckOutStarted", e.Address)
		},
		ConnectionCheckOutFailed: func(e *event.ConnectionCheckOutFailed) {
			r.note("ConnectionCheckOutFailed", e.Address, "reason", string(e.Reason), "duration", e.Duration)
		},
		ConnectionCheckedOut: func(e *event.ConnectionCheckedOut) {
			r.note("ConnectionCheckedOut", e.Address, "connectionId", float64(e.ConnectionID), "duration", e.Duration)
		},
		ConnectionCheckedIn: func(e *event.ConnectionCheckedIn) {
			r.note("ConnectionCheckedIn", e.Address, "connectionId", float64(e.ConnectionID))
		},
	}
}

// check compares the events that are not ignored with the first of those seen.
func (r *cmapRunner) check(want []map[string]any, ignore []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	clearFirst(want)
	got := slices.DeleteFunc(slices.Clone(r.events), func(e map[string]any) bool {
		return slices.Contains(ignore, e["type"].(string))
	})
	for i, w := range want {
		if i == len(got) {
			r.t.Errorf("no event %d; want %v", i, w)
			return
		}
		if !matchCMAP(w, got[i]) {
			r.t.Errorf("event %d is %v; want %v", i, got[i], w)
		}
	}
}

// clearFirst puts the events of a connection that could not be established into
// the order of the newest text: the pool is cleared before the connection is
// closed. Older fixtures, and none of the newest, have it the other way round.
func clearFirst(events []map[string]any) {
	for i := 1; i < len(events); i++ {
		closed, cleared := events[i-1], events[i]
		if closed["type"] == "ConnectionClosed" && closed["reason"] == "error" && cleared["type"] == "ConnectionPoolCleared" {
			events[i-1], events[i] = cleared, closed
		}
	}
}

// matchCMAP is the format's MATCH.
func matchCMAP(want, got any) bool {
	if want == "42" || want == 42.0 {
		return got != nil
	}
	if w, ok := want.(map[string]any); ok {
		g, ok := got.(map[string]any)
		for name, v := range w {
			ok = ok && matchCMAP(v, g[name])
		}
		return ok
	}
	return reflect.DeepEqual(want, got)
}

// matchCMAPError compares an error with its name and the beginning of its text
// in the specification: here the text goes on to say more.
func matchCMAPError(err error, kind, message string) bool {
	named := false
	switch err.(type) {
	case *pool.WaitQueueTimeoutError:
		named = kind == "WaitQueueTimeoutError"
	case *pool.ClosedError:
		named = kind == "PoolClosedError"
	}
	return named && strings.HasPrefix(strings.ToLower(err.Error()), strings.ToLower(message))
}
