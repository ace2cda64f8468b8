package motor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/mongotest"
	"github.com/motor-go/motor/topology"
	"github.com/motor-go/motor/topology/description"
)

// tally counts the connections of pools by the server's address.
type tally struct {
	mu              sync.Mutex
	created, closed map[string]int
}

func newTally() *tally { return &tally{created: make(map[string]int), closed: make(map[string]int)} }

func (c *tally) observer() *event.Observer {
	add := func(m map[string]int, address string) {
		c.mu.Lock()
		defer c.mu.Unlock()
		m[address]++
	}
	return &event.Observer{
		ConnectionCreated: func(e *event.ConnectionCreated) { add(c.created, e.Address) },
		ConnectionClosed:  func(e *event.ConnectionClosed) { add(c.closed, e.Address) },
	}
}

// reset forgets what was counted.
func (c *tally) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.created)
	clear(c.closed)
}

func TestFailoverUnderLoad(t *testing.T) {
	const (
		workers   = 64
		poolSize  = 20
		heartbeat = 2 * time.Second
	)
	rs := mongotest.New(t, mongotest.Options{})
	connections := newTally()
	client, err := motor.Connect(t.Context(), withOptions(rs.URI(), "w=majority", "retryWrites=true",
		fmt.Sprintf("maxPoolSize=%d&heartbeatFrequencyMS=%d", poolSize, heartbeat.Milliseconds())),
		motor.ClientOptions{Observer: connections.observer()})
	if err != nil {
		t.Fatal(err)
	}
	type counter struct {
		ID int `bson:"_id"`
		N  int
	}
	counters := motor.CollectionOf[counter](client.Database("db"), "counters")
	for w := range workers {
		if _, err := counters.InsertOne(bounded(t), counter{ID: w}); err != nil {
			t.Fatal(err)
		}
	}

	var (
		killed, stop     atomic.Bool
		before, after    atomic.Int64 // writes that began before and after the kill
		resumed          atomic.Int64 // when the first of the latter succeeded
		wg               sync.WaitGroup
		acknowledged     [workers]int
		failures         [workers][]error
		ctx              = bounded(t)
		increment        = d("$inc", d("n", 1))
		start            = time.Now()
		succeededAtLeast = func(n *atomic.Int64, want int64) func() bool { return func() bool { return n.Load() >= want } }
	)
	for w := range workers {
		wg.Go(func() {
			for !stop.Load() {
				late := killed.Load()
				if _, err := counters.UpdateOne(ctx, d("_id", w), increment); err != nil {
					failures[w] = append(failures[w], err)
					continue
				}
				acknowledged[w]++
				if !late {
					before.Add(1)
					continue
				}
				after.Add(1)
				resumed.CompareAndSwap(0, int64(time.Since(start)))
			}
		})
	}
	await(t, "writes before the failover", succeededAtLeast(&before, 5*workers))
	old := rs.Primary()
	connections.reset()
	old.Kill()
	killed.Store(true)
	primary, err := rs.AwaitPrimary(ctx)
	if err != nil {
		t.Fatal(err)
	}
	elected := time.Since(start)
	await(t, "writes after the failover", succeededAtLeast(&after, 5*workers))
	stop.Store(true)
	wg.Wait()

	if primary == old {
		t.Fatal("the primary that was killed is still the primary")
	}
	if late := time.Duration(resumed.Load()) - elected; late > heartbeat {
		t.Errorf("the first write succeeded %v after the election, want %v at most", late, heartbeat)
	}
	for w := range workers {
		doc, err := counters.FindOne(ctx, d("_id", w))
		if err != nil {
			t.Fatal(err)
		}
		if doc.N < acknowledged[w] || doc.N > acknowledged[w]+len(failures[w]) {
			t.Errorf("counter %d says %d after %d acknowledged increments and %d errors", w, doc.N, acknowledged[w], len(failures[w]))
		}
		for _, err := range failures[w] {
			t.Errorf("counter %d: an increment was not retried with success: %v", w, err)
		}
	}
	connections.mu.Lock()
	for address, n := range connections.created {
		if n > poolSize {
			t.Errorf("%d connections to %s were made for the failover, want %d at most", n, address, poolSize)
		}
	}
	connections.mu.Unlock()

	if err := client.Close(ctx); err != nil {
		t.Error(err)
	}
	await(t, "connections to go", func() bool {
		open := 0
		for _, node := range rs.Nodes {
			open += node.Connections()
		}
		return open == 0
	})
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		left := driverGoroutines()
		if len(left) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left after Close, among them\n%s", len(left), left[0])
		}
	}
}

func TestCancelledOperationsCostNoConnection(t *testing.T) {
	const (
		cancelled = 1000
		workers   = 8
	)
	server := mongotest.NewStandalone(t, mongotest.Options{})
	var inFlight atomic.Int64 // finds that were sent and then cancelled
	connections := newTally()
	observer := event.Join(connections.observer(), &event.Observer{CommandFailed: func(e *event.CommandFailed) {
		if e.CommandName == "find" && errors.Is(e.Failure, context.Canceled) {
			inFlight.Add(1)
		}
	}})
	client := connectTo(t, withOptions(server.URI(), "maxPoolSize=16"), motor.ClientOptions{Observer: observer})
	if _, err := client.Database("admin").RunCommand(bounded(t), d("configureFailPoint", "failCommand", "mode", "alwaysOn",
		"data", d("failCommands", bson.A{"find"}, "blockConnection", true, "blockTimeMS", 4))); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	c := client.Database("db").Collection("c")
	deadline := bounded(t)
	for range workers {
		wg.Go(func() {
			for inFlight.Load() < cancelled && deadline.Err() == nil {
				ctx, cancel := context.WithCancel(deadline)
				timer := time.AfterFunc(time.Millisecond, cancel)
				if _, err := c.FindOne(ctx, nil); !errors.Is(err, context.Canceled) && !errors.Is(err, motor.ErrNoDocuments) {
					t.Errorf("a cancelled find: %v", err)
				}
				timer.Stop()
				cancel()
			}
		})
	}
	wg.Wait()
	if inFlight.Load() < cancelled {
		t.Fatalf("%d finds were cancelled in flight, want %d", inFlight.Load(), cancelled)
	}
	connections.mu.Lock()
	defer connections.mu.Unlock()
	if n := connections.closed[server.Address()]; n > 0 {
		t.Errorf("%d connections were closed for %d cancelled finds", n, inFlight.Load())
	}
	if n := connections.created[server.Address()]; n > 16 {
		t.Errorf("%d connections were made for %d cancelled finds", n, inFlight.Load())
	}
}

func TestStatsTellWhatThePoolsDo(t *testing.T) {
	rs := mongotest.New(t, mongotest.Options{})
	client := connectTo(t, withOptions(rs.URI(), "maxPoolSize=1"))
	if _, err := client.Database("admin").RunCommand(bounded(t), d("configureFailPoint", "failCommand", "mode", "alwaysOn",
		"data", d("failCommands", bson.A{"find"}, "blockConnection", true, "blockTimeMS", 20))); err != nil {
		t.Fatal(err)
	}
	address := rs.Primary().Address()
	primary := func() (s motor.ServerStats) {
		for _, s = range client.Stats() {
			if s.Server.Addr == address {
				return s
			}
		}
		t.Fatalf("there are no statistics of %s", address)
		return s
	}
	if s := primary(); s.Pool.Available != 1 || s.Pool.InUse != 0 || s.Pool.Created != 1 || s.Server.Type != description.RSPrimary || s.Server.RTT <= 0 {
		t.Errorf("after a command: %+v", s)
	}
	ctx := bounded(t)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := client.Database("db").Collection("c").FindOne(ctx, nil); !errors.Is(err, motor.ErrNoDocuments) {
				t.Error(err)
			}
		})
	}
	await(t, "a connection in use and others who wait for it", func() bool {
		s := primary().Pool
		return s.InUse == 1 && s.Waiting > 0
	})
	wg.Wait()
	s := primary().Pool
	if s.WaitCount < 1 || s.WaitDuration <= 0 || s.Created != 1 || s.MaxPoolSize != 1 {
		t.Errorf("after three finds by one connection: %+v", s)
	}
	rs.Nodes[0].Kill()
	await(t, "a new generation", func() bool { return primary().Pool.Generation > s.Generation })
	await(t, "the server to be unknown", func() bool { s := primary().Server; return s.Type == description.Unknown && s.Error != nil })
}

func TestSelectionErrorTellsOfEveryServer(t *testing.T) {
	rs := mongotest.New(t, mongotest.Options{})
	client := connectTo(t, withOptions(rs.URI(), "serverSelectionTimeoutMS=1500"))
	if err := client.Ping(bounded(t), nil); err != nil {
		t.Fatal(err)
	}
	// Without a majority the primary steps down.
	for _, node := range rs.Nodes[1:] {
		node.Kill()
	}
	await(t, "one secondary and no others", func() bool {
		secondary, unknown := 0, 0
		for _, s := range client.Topology().Servers {
			switch {
			case s.Type == description.RSSecondary:
				secondary++
			case s.Type == description.Unknown && s.Error != nil:
				unknown++
			}
		}
		return secondary == 1 && unknown == 2
	})
	err := client.Ping(bounded(t), nil)
	var selection *topology.SelectionError
	if !errors.As(err, &selection) || len(selection.Topology.Servers) != 3 {
		t.Fatalf("%v, want a SelectionError that knows three servers", err)
	}
	if !errors.Is(err, motor.ErrTimeout) {
		t.Errorf("%v is no ErrTimeout", err)
	}
	for i, node := range rs.Nodes {
		want := node.Address() + " RSSecondary: is not the primary"
		if i > 0 {
			s, _ := selection.Topology.Server(node.Address())
			want = s.Error.Error()
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not tell %q", err, want)
		}
	}
}
