package topology

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/topology/description"
)

// The prose tests of server-discovery-and-monitoring-tests.md, in its order.
// Number 6, parsing errors, is TestJudge of package description.

func TestProse1AllServersUnavailable(t *testing.T) {
	connected(t, func(n *network) Config { return n.config("a", "b", "c") }, func(t *testing.T, n *network, topology *Topology) {
		if got := len(topology.Servers()); got != 3 {
			t.Errorf("%d servers", got)
		}
	})
}

// stateChange has an operation on the server of a replica set a, b fail in
// some way, and tells of the server and the topology at once, of the checks
// that were begun then, and of the generation of the pool.
func stateChange(t *testing.T, addr string, reply bson.Raw, err error) (server description.ServerType, topology description.TopologyType, checks int, generation uint64) {
	t.Helper()
	connected(t, func(n *network) Config {
		for _, s := range n.replicaSet("a:27017", "b:27017") {
			s.version = 0
		}
		return n.config("a")
	}, func(t *testing.T, n *network, tp *Topology) {
		mustSelect(t, tp, write)
		time.Sleep(time.Second)
		s := mustSelect(t, tp, description.Selector{Addr: addr})
		c, failed := s.CheckOut(t.Context(), time.Time{})
		if failed != nil {
			t.Fatal(failed)
		}
		n.noted()
		s.HandleError(c, reply, err)
		server, topology = s.Description().Type, tp.Description().Type
		synctest.Wait()
		for _, line := range n.noted() {
			if line == addr+" heartbeat started" {
				checks++
			}
		}
		generation = s.Pool().Generation(nil)
		s.CheckIn(c)
	})
	return server, topology, checks, generation
}

func TestProse2NetworkErrorWritingToPrimary(t *testing.T) {
	server, topology, checks, generation := stateChange(t, "a:27017", nil, &pool.NetworkError{Op: "write", Err: net.ErrClosed})
	if server != description.Unknown || topology != description.ReplicaSetNoPrimary || checks != 0 || generation != 1 {
		t.Errorf("server %v, topology %v, %d checks, generation %d", server, topology, checks, generation)
	}
}

// A multi-threaded client does check the server at once, as the specification
// itself says.
func TestProse3NotWritablePrimaryReadingWithoutSecondaryOK(t *testing.T) {
	reply, err := command(13435)
	server, topology, checks, generation := stateChange(t, "a:27017", reply, err)
	if server != description.Unknown || topology != description.ReplicaSetNoPrimary || checks != 1 || generation != 0 {
		t.Errorf("server %v, topology %v, %d checks, generation %d", server, topology, checks, generation)
	}
}

func TestProse4NodeIsRecoveringReadingWithSecondaryOK(t *testing.T) {
	reply, err := command(13436)
	server, topology, checks, generation := stateChange(t, "b:27017", reply, err)
	if server != description.Unknown || topology != description.ReplicaSetWithPrimary || checks != 1 || generation != 0 {
		t.Errorf("server %v, topology %v, %d checks, generation %d", server, topology, checks, generation)
	}
}

func TestProse5NodeIsRecoveringFromWriteConcernError(t *testing.T) {
	dst, doc := bson.BeginDocument(nil)
	dst = bson.AppendInt32(dst, "ok", 1)
	dst, concern := bson.BeginEmbedded(dst, "writeConcernError")
	dst = bson.AppendInt32(dst, "code", 91)
	dst = bson.AppendString(dst, "errmsg", "Replication is being shut down")
	reply := bson.EndDocument(bson.EndDocument(dst, concern), doc)
	server, topology, checks, generation := stateChange(t, "a:27017", reply, errors.New("write concern error"))
	if server != description.Unknown || topology != description.ReplicaSetNoPrimary || checks != 1 || generation != 1 {
		t.Errorf("server %v, topology %v, %d checks, generation %d", server, topology, checks, generation)
	}
}

func TestProse7TopologyDiscoveryAndDirectConnection(t *testing.T) {
	for direct, expected := range map[bool]string{false: "a:27017", true: "b:27017"} {
		connected(t, func(n *network) Config {
			n.replicaSet("a:27017", "b:27017")
			config := n.config("b")
			config.Deployment.Direct = direct
			return config
		}, func(t *testing.T, n *network, topology *Topology) {
			if s := mustSelect(t, topology, write); s.Address() != expected {
				t.Errorf("with directConnection=%v writes go to %s", direct, s.Address())
			}
		})
	}
}

func TestProse8MonitorsSleepAtLeastMinHeartbeatFrequency(t *testing.T) {
	connected(t, func(n *network) Config {
		n.serve("a:27017", 1, standalone()...).fail = 5
		config := n.config("a")
		config.Deployment.Direct = true
		config.ServerSelectionTimeout = 5 * time.Second
		return config
	}, func(t *testing.T, n *network, topology *Topology) {
		start := time.Now()
		mustSelect(t, topology, write)
		if waited := time.Since(start); waited < 2*time.Second || waited > 3500*time.Millisecond {
			t.Errorf("a server is found after %v", waited)
		}
	})
}

func TestProse9ConnectionPoolManagement(t *testing.T) {
	connected(t, func(n *network) Config {
		n.serve("a:27017", 1, standalone()...)
		config := n.config("a")
		config.Deployment.Direct = true
		config.HeartbeatFrequency = minHeartbeatFrequency
		return config
	}, func(t *testing.T, n *network, topology *Topology) {
		mustSelect(t, topology, write)
		synctest.Wait()
		inOrder(t, n.noted(), "a:27017 heartbeat succeeded", "a:27017 pool ready")
		n.failNext("a:27017", 2)
		time.Sleep(5 * time.Second)
		inOrder(t, n.noted(),
			"a:27017 heartbeat failed", "a:27017 pool cleared, interrupting false",
			"a:27017 heartbeat succeeded", "a:27017 pool ready")
	})
}

// inOrder checks that the log has the lines, and has them in this order.
func inOrder(t *testing.T, log []string, lines ...string) {
	t.Helper()
	rest := log
	for _, line := range lines {
		i := slices.Index(rest, line)
		if i < 0 {
			t.Errorf("no %q in its place in %q", line, log)
			return
		}
		rest = rest[i+1:]
	}
}

// Number 10 is about a real server's rate limiter. What the limiter does is to
// close connections before they have answered hello.
func TestProse10ConnectionPoolBackpressure(t *testing.T) {
	connected(t, func(n *network) Config {
		n.serve("a:27017", 1, standalone()...)
		return n.config("a")
	}, func(t *testing.T, n *network, topology *Topology) {
		s := mustSelect(t, topology, write)
		synctest.Wait()
		n.noted()
		n.mu.Lock()
		n.servers["a:27017"].refuse = &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}
		n.mu.Unlock()
		for range 10 {
			if _, err := s.CheckOut(t.Context(), time.Time{}); err == nil || !strings.Contains(err.Error(), "connection reset") {
				t.Errorf("check-out: %v", err)
			}
		}
		if log := n.noted(); len(log) != 0 || s.Description().Type != description.Standalone {
			t.Errorf("log: %q", log)
		}
	})
}

// The prose tests of the specification's tests/README.md.

func TestProseStreaming1HeartbeatFrequency(t *testing.T) {
	for name, hello := range map[string][]func([]byte) []byte{"standalone": standalone(), "replica set": primary("a:27017"), "sharded": mongos()} {
		connected(t, func(n *network) Config {
			n.serve("a:27017", 1, hello...)
			config := n.config("a")
			config.HeartbeatFrequency = 500 * time.Millisecond
			return config
		}, func(t *testing.T, n *network, topology *Topology) {
			time.Sleep(10 * time.Second)
			count := 0
			for _, line := range n.noted() {
				if line == "a:27017 heartbeat succeeded" {
					count++
				}
			}
			if count < 18 || count > 22 {
				t.Errorf("%s: %d replies in 10 s, want one each 500 ms", name, count)
			}
		})
	}
}

func TestProseRTT1IsContinuouslyUpdated(t *testing.T) {
	connected(t, func(n *network) Config {
		n.serve("a:27017", 1, standalone()...).latency = time.Millisecond
		config := n.config("a")
		config.HeartbeatFrequency = 500 * time.Millisecond
		return config
	}, func(t *testing.T, n *network, topology *Topology) {
		s := mustSelect(t, topology, write)
		time.Sleep(2 * time.Second)
		if rtt := s.Description().RTT; rtt != time.Millisecond {
			t.Errorf("RTT %v", rtt)
		}
		n.mu.Lock()
		n.servers["a:27017"].latency = 500 * time.Millisecond
		n.mu.Unlock()
		time.Sleep(10 * time.Second)
		if rtt := s.Description().RTT; rtt < 250*time.Millisecond {
			t.Errorf("RTT %v although the server takes 500 ms", rtt)
		}
	})
}

func TestProseHeartbeat1StartedBeforeTheSocket(t *testing.T) {
	connected(t, func(n *network) Config {
		config := n.config("a")
		of := config.Pool
		config.ServerSelectionTimeout = 500 * time.Millisecond
		config.Pool = func(addr string) pool.Config {
			c := of(addr)
			c.Dial = func(ctx context.Context) (net.Conn, error) {
				n.note("client connected")
				client, server := net.Pipe()
				go func() {
					server.Read(make([]byte, 1))
					n.note("client hello received")
					server.Close()
				}()
				return client, nil
			}
			return c
		}
		return config
	}, func(t *testing.T, n *network, topology *Topology) {
		if _, err := topology.Select(t.Context(), write); err == nil {
			t.Error("a server is selected")
		}
		log := n.noted()
		log = log[slices.Index(log, "a:27017 heartbeat started"):]
		if expected := []string{"a:27017 heartbeat started", "client connected", "client hello received", "a:27017 heartbeat failed"}; !slices.Equal(log[:4], expected) {
			t.Errorf("log: %q", log)
		}
	})
}
