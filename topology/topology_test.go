package topology

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor/concern"
	"github.com/motor-go/motor/topology/description"
)

var (
	write    = description.Selector{Write: true}
	anywhere = description.Selector{ReadPreference: concern.ReadPreference{Mode: concern.Nearest}}
	reader   = description.Selector{ReadPreference: concern.ReadPreference{Mode: concern.Secondary}}
)

func TestDiscoverReplicaSetFromASecondary(t *testing.T) {
	connected(t, func(n *network) Config {
		n.replicaSet("a:27017", "b:27017", "c:27017")
		return n.config("b")
	}, func(t *testing.T, n *network, topology *Topology) {
		if s := mustSelect(t, topology, write); s.Address() != "a:27017" {
			t.Errorf("writes go to %s", s.Address())
		}
		synctest.Wait()
		if got := topology.Description().String(); got != `ReplicaSetWithPrimary "rs" [a:27017 RSPrimary; b:27017 RSSecondary; c:27017 RSSecondary]` {
			t.Errorf("the topology is %s", got)
		}
		if topology.Description().LogicalSessionTimeoutMinutes != 30 {
			t.Errorf("session time-out %d", topology.Description().LogicalSessionTimeoutMinutes)
		}
		if s := mustSelect(t, topology, reader); s.Address() == "a:27017" {
			t.Error("a secondary read goes to the primary")
		}
		if s := mustSelect(t, topology, description.Selector{Addr: "c:27017"}); s.Address() != "c:27017" || s.Description().Type != description.RSSecondary {
			t.Errorf("an operation bound to c goes to %v", s.Description())
		}
		if servers := topology.Servers(); len(servers) != 3 || servers[2].Pool().Stats().Address != "c:27017" {
			t.Errorf("%d servers", len(servers))
		}
	})
}

func TestSingle(t *testing.T) {
	connected(t, func(n *network) Config {
		n.replicaSet("a:27017", "b:27017")
		config := n.config("b")
		config.Deployment.Direct = true
		return config
	}, func(t *testing.T, n *network, topology *Topology) {
		if s := mustSelect(t, topology, write); s.Address() != "b:27017" {
			t.Errorf("writes go to %s", s.Address())
		}
		if got := topology.Description(); got.Type != description.Single || len(got.Servers) != 1 {
			t.Errorf("the topology is %v", got)
		}
	})
}

func TestLoadBalanced(t *testing.T) {
	connected(t, func(n *network) Config {
		config := n.config("lb")
		config.Deployment.LoadBalanced = true
		return config
	}, func(t *testing.T, n *network, topology *Topology) {
		mustSelect(t, topology, write)
		time.Sleep(time.Minute) // nothing is monitored
		expected := []string{
			"lb:27017 pool ready",
			"topology opening",
			"topology: Unknown to LoadBalanced",
			"lb:27017 opening",
			"lb:27017: Unknown to LoadBalancer",
			"topology: LoadBalanced to LoadBalanced",
		}
		if log := n.noted(); !slices.Equal(log, expected) {
			t.Errorf("log: %q", log)
		}
		topology.Close(t.Context())
		expected = []string{"lb:27017 pool closed", "lb:27017 closed", "topology: LoadBalanced to Unknown", "topology closed"}
		if log := n.noted(); !slices.Equal(log, expected) {
			t.Errorf("log of closing: %q", log)
		}
	})
}

func TestEventsFromOpeningToClosing(t *testing.T) {
	connected(t, func(n *network) Config {
		n.serve("a:27017", 0, standalone()...)
		return n.config("a")
	}, func(t *testing.T, n *network, topology *Topology) {
		mustSelect(t, topology, write)
		synctest.Wait()
		expected := []string{
			"topology opening",
			"topology: Unknown to Unknown",
			"a:27017 opening",
			"a:27017 heartbeat started",
			"a:27017 heartbeat succeeded",
			"a:27017 pool ready",
			"a:27017: Unknown to Standalone",
			"topology: Unknown to Single",
		}
		if log := n.noted(); !slices.Equal(log, expected) {
			t.Errorf("log: %q", log)
		}
		topology.Close(t.Context())
		expected = []string{"a:27017 pool closed", "a:27017 closed", "topology: Single to Unknown", "topology closed"}
		if log := n.noted(); !slices.Equal(log, expected) {
			t.Errorf("log of closing: %q", log)
		}
	})
}

func TestSelectWaitsForAnElection(t *testing.T) {
	connected(t, func(n *network) Config {
		n.replicaSet("a:27017", "b:27017")
		return n.config("a")
	}, func(t *testing.T, n *network, topology *Topology) {
		mustSelect(t, topology, write)
		n.servers["a:27017"].change(func(s *fakeServer) { s.hello = secondary("a:27017", "b:27017") })
		synctest.Wait()
		go func() {
			time.Sleep(3 * time.Second)
			n.servers["b:27017"].change(func(s *fakeServer) { s.hello = primary("a:27017", "b:27017") })
		}()
		start := time.Now()
		if s := mustSelect(t, topology, write); s.Address() != "b:27017" {
			t.Errorf("writes go to %s", s.Address())
		}
		if waited := time.Since(start); waited != 3*time.Second {
			t.Errorf("the new primary is found after %v, want when it is elected", waited)
		}
	})
}

func TestSelectionErrorTellsWhatIsKnown(t *testing.T) {
	connected(t, func(n *network) Config {
		n.replicaSet("a:27017", "b:27017", "c:27017")
		n.servers["a:27017"].refuse = errors.New("connection refused")
		return n.config("a", "b", "c")
	}, func(t *testing.T, n *network, topology *Topology) {
		start := time.Now()
		_, err := topology.Select(t.Context(), write)
		var failed *SelectionError
		if !errors.As(err, &failed) || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("error %v", err)
		}
		if waited := time.Since(start); waited != 30*time.Second || failed.Waited != waited {
			t.Errorf("the error comes after %v and says %v", waited, failed.Waited)
		}
		for _, part := range []string{
			"no server found for a write within 30s: serverSelectionTimeoutMS of 30s is over", "ReplicaSetNoPrimary",
			"connect to a:27017: dial: ", "connection refused", "b:27017 RSSecondary: is not the primary", "c:27017 RSSecondary: is not the primary",
		} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q is missing in: %v", part, err)
			}
		}
	})
}

func TestSelectEndsWithItsContext(t *testing.T) {
	connected(t, func(n *network) Config { return n.config("a") }, func(t *testing.T, n *network, topology *Topology) {
		reason := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, reason)
		defer cancel()
		start := time.Now()
		if _, err := topology.Select(ctx, write); !errors.Is(err, reason) || time.Since(start) != time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestSelectEndsWithTheTopology(t *testing.T) {
	connected(t, func(n *network) Config { return n.config("a") }, func(t *testing.T, n *network, topology *Topology) {
		go func() {
			time.Sleep(time.Second)
			topology.Close(context.Background())
		}()
		start := time.Now()
		if _, err := topology.Select(t.Context(), write); !errors.Is(err, ErrClosed) || time.Since(start) != time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if _, err := topology.Select(t.Context(), write); !errors.Is(err, ErrClosed) {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestSelectFailsAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		hello   []func([]byte) []byte
		want    description.Selector
		timeout time.Duration
		part    string
	}{
		"an incompatible server": {
			[]func([]byte) []byte{field("minWireVersion", 999), field("maxWireVersion", 1000)}, write, time.Minute, "requires wire version 999",
		},
		"too short a maxStaleness": {
			primary("a:27017"), description.Selector{ReadPreference: concern.ReadPreference{Mode: concern.Nearest, MaxStaleness: time.Second}}, time.Minute, "too short",
		},
		"no time to wait": {secondary("a:27017"), write, 0, "is not the primary"},
	} {
		t.Run(name, func(t *testing.T) {
			connected(t, func(n *network) Config {
				n.serve("a:27017", 1, test.hello...)
				config := n.config("a")
				config.ServerSelectionTimeout = test.timeout
				return config
			}, func(t *testing.T, n *network, topology *Topology) {
				synctest.Wait()
				start := time.Now()
				if _, err := topology.Select(t.Context(), test.want); err == nil || !strings.Contains(err.Error(), test.part) || time.Since(start) != 0 {
					t.Errorf("after %v: %v, want %q", time.Since(start), err, test.part)
				}
			})
		})
	}
}

func TestServerSelectorOfTheApplication(t *testing.T) {
	connected(t, func(n *network) Config {
		n.replicaSet("a:1", "a:2", "a:3")
		config := n.config("a:1")
		config.ServerSelector = func(servers []*description.Server) []*description.Server { return servers[len(servers)-1:] }
		return config
	}, func(t *testing.T, n *network, topology *Topology) {
		mustSelect(t, topology, write)
		synctest.Wait()
		for range 10 {
			if s := mustSelect(t, topology, anywhere); s.Address() != "a:3" {
				t.Errorf("a read goes to %s", s.Address())
			}
		}
	})
}

func TestSelectPrefersFewerOperations(t *testing.T) {
	connected(t, func(n *network) Config {
		n.serve("a:27017", 0, mongos()...)
		n.serve("b:27017", 0, mongos()...)
		return n.config("a", "b")
	}, func(t *testing.T, n *network, topology *Topology) {
		synctest.Wait()
		busy := mustSelect(t, topology, write)
		c, err := busy.CheckOut(t.Context(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if s := mustSelect(t, topology, write); s == busy {
				t.Errorf("the busy %s is chosen", s.Address())
			}
		}
		busy.CheckIn(c)
		chosen := map[*Server]int{}
		for range 200 {
			chosen[mustSelect(t, topology, write)]++
		}
		if len(chosen) != 2 {
			t.Errorf("idle servers are not both chosen")
		}
	})
}

func TestSetHosts(t *testing.T) {
	connected(t, func(n *network) Config {
		for _, addr := range []string{"a:27017", "b:27017", "c:27017"} {
			n.serve(addr, 1, mongos()...)
		}
		config := n.config("a", "b")
		config.PollSRV = func(ctx context.Context, t *Topology) {
			select {
			case <-time.After(time.Minute):
				t.SetHosts([]string{"b", "c"})
			case <-ctx.Done():
			}
			<-ctx.Done()
		}
		return config
	}, func(t *testing.T, n *network, topology *Topology) {
		mustSelect(t, topology, write)
		synctest.Wait()
		kept := topology.Servers()[1]
		time.Sleep(61 * time.Second)
		if got := topology.Description().String(); got != "Sharded [b:27017 Mongos; c:27017 Mongos]" {
			t.Errorf("the topology is %s", got)
		}
		if topology.Servers()[0] != kept {
			t.Error("the server that stays is another one")
		}
		if _, open, _ := n.servers["a:27017"].counts(); open != 0 {
			t.Errorf("%d connections to the server that is gone", open)
		}
	})
}

func TestCloseWaitsForConnectionsInUse(t *testing.T) {
	connected(t, func(n *network) Config {
		n.serve("a:27017", 1, standalone()...)
		return n.config("a")
	}, func(t *testing.T, n *network, topology *Topology) {
		s := mustSelect(t, topology, write)
		c, err := s.CheckOut(t.Context(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = topology.Close(ctx)
		if err == nil || !strings.Contains(err.Error(), "1 connections to a:27017 are still open, 1 of them in use") || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("close: %v", err)
		}
		s.CheckIn(c)
	})
}

func TestSelectDoesNotAllocate(t *testing.T) {
	n := newNetwork(t)
	for _, s := range n.replicaSet("a:27017", "b:27017", "c:27017") {
		s.latency = time.Millisecond
	}
	topology := Connect(n.config("a"))
	defer topology.Close(context.Background())
	ctx := t.Context()
	for _, want := range []description.Selector{write, reader, anywhere} {
		mustSelect(t, topology, want)
		if allocs := testing.AllocsPerRun(100, func() { topology.Select(ctx, want) }); allocs != 0 {
			t.Errorf("%v: %v allocations", want, allocs)
		}
	}
}

func BenchmarkSelect(b *testing.B) {
	n := newNetwork(nil)
	n.replicaSet("a:27017", "b:27017", "c:27017")
	topology := Connect(n.config("a"))
	defer topology.Close(context.Background())
	for _, want := range []description.Selector{write, anywhere} {
		b.Run(want.String(), func(b *testing.B) {
			for b.Loop() {
				if _, err := topology.Select(b.Context(), want); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
