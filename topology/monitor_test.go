package topology

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/auth"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

func TestStreamTellsChangesAtOnce(t *testing.T) {
	connected(t, func(n *network) Config {
		n.replicaSet("a:27017", "b:27017")
		return n.config("a")
	}, func(t *testing.T, n *network, topology *Topology) {
		mustSelect(t, topology, write)
		synctest.Wait()
		start := time.Now()
		for range 3 {
			n.servers["a:27017"].change(func(s *fakeServer) { s.hello = secondary("a:27017", "b:27017") })
			synctest.Wait()
			if got := topology.Description().Type; got != description.ReplicaSetNoPrimary {
				t.Errorf("the topology is %v after the step-down", got)
			}
			n.servers["a:27017"].change(func(s *fakeServer) { s.hello = primary("a:27017", "b:27017") })
			synctest.Wait()
			if got := topology.Description().Type; got != description.ReplicaSetWithPrimary {
				t.Errorf("the topology is %v after the election", got)
			}
		}
		if time.Since(start) != 0 {
			t.Errorf("that took %v", time.Since(start))
		}
		if dialled, _, _ := n.servers["a:27017"].counts(); dialled != 2 {
			t.Errorf("%d connections, want one to stream and one to measure", dialled)
		}
	})
}

func TestPollWithoutStreaming(t *testing.T) {
	for name, test := range map[string]struct {
		mode    string
		version int64
		hello   []func([]byte) []byte
		command string
	}{
		"by configuration":           {MonitoringPoll, 1, standalone(), "hello"},
		"a server before 4.4":        {MonitoringStream, 0, standalone(), "hello"},
		"a server that has no hello": {MonitoringStream, 0, []func([]byte) []byte{field("ismaster", true), field("maxWireVersion", 8)}, "isMaster"},
	} {
		t.Run(name, func(t *testing.T) {
			connected(t, func(n *network) Config {
				n.serve("a:27017", test.version, test.hello...)
				config := n.config("a")
				config.ServerMonitoringMode = test.mode
				return config
			}, func(t *testing.T, n *network, topology *Topology) {
				mustSelect(t, topology, write)
				time.Sleep(35 * time.Second)
				dialled, _, hellos := n.servers["a:27017"].counts()
				if dialled != 1 || hellos != 4 {
					t.Errorf("%d connections and %d hellos in 35 s, want 1 and 4", dialled, hellos)
				}
				if names := n.servers["a:27017"].commands(); names["isMaster"] == 0 || names[test.command] < 3 {
					t.Errorf("commands %v", names)
				}
			})
		})
	}
}

func TestPollOnFaaS(t *testing.T) {
	t.Setenv("AWS_LAMBDA_RUNTIME_API", "x")
	if streams(MonitoringAuto) || !streams(MonitoringStream) || streams(MonitoringPoll) {
		t.Error("auto does not poll in a function, or stream does")
	}
}

func TestServerAPIUsesHello(t *testing.T) {
	connected(t, func(n *network) Config {
		n.serve("a:27017", 1, standalone()...)
		config := n.config("a")
		of := config.Pool
		config.Pool = func(addr string) pool.Config {
			c := of(addr)
			c.Handshake.ServerAPI = &pool.ServerAPI{Version: "1"}
			return c
		}
		return config
	}, func(t *testing.T, n *network, topology *Topology) {
		mustSelect(t, topology, write)
		time.Sleep(25 * time.Second)
		if names := n.servers["a:27017"].commands(); names["isMaster"] != 0 || names["hello"] == 0 {
			t.Errorf("commands %v", names)
		}
	})
}

func TestGlitchIsCheckedAgainAtOnce(t *testing.T) {
	connected(t, func(n *network) Config {
		n.serve("a:27017", 1, standalone()...)
		return n.config("a")
	}, func(t *testing.T, n *network, topology *Topology) {
		mustSelect(t, topology, write)
		synctest.Wait()
		n.noted()
		start := time.Now()
		n.servers["a:27017"].drop()
		synctest.Wait()
		expected := []string{
			"a:27017 heartbeat failed",
			"a:27017 pool cleared, interrupting false",
			"a:27017: Standalone to Unknown",
			"topology: Single to Single",
			"a:27017 heartbeat started",
			"a:27017 heartbeat succeeded",
			"a:27017 pool ready",
			"a:27017: Unknown to Standalone",
			"topology: Single to Single",
			"a:27017 heartbeat started",
		}
		if log := n.noted(); !slices.Equal(log, expected) || time.Since(start) != 0 {
			t.Errorf("after %v, log: %q", time.Since(start), log)
		}
	})
}

func TestUnreachableServerIsCheckedRarelyUnlessNeeded(t *testing.T) {
	connected(t, func(n *network) Config {
		n.serve("a:27017", 1, standalone()...).refuse = errors.New("connection refused")
		return n.config("a")
	}, func(t *testing.T, n *network, topology *Topology) {
		failures := func() (count int) {
			for _, line := range n.noted() {
				if strings.HasSuffix(line, "heartbeat failed") {
					count++
				}
			}
			return count
		}
		time.Sleep(35 * time.Second)
		if got := failures(); got != 4 {
			t.Errorf("%d checks in 35 s, want 4", got)
		}
		if _, err := topology.Select(t.Context(), write); err == nil {
			t.Error("a server is selected")
		}
		if got := failures(); got < 55 || got > 61 {
			t.Errorf("%d checks while a server was waited for 30 s, want one each 500 ms", got)
		}
	})
}

func TestSilentServerTimesOut(t *testing.T) {
	connected(t, func(n *network) Config {
		n.serve("a:27017", 1, standalone()...)
		return n.config("a")
	}, func(t *testing.T, n *network, topology *Topology) {
		mustSelect(t, topology, write)
		synctest.Wait()
		n.noted()
		start := time.Now()
		n.servers["a:27017"].change(func(s *fakeServer) { s.silent = true })
		for !slices.Contains(n.noted(), "a:27017 pool cleared, interrupting true") && time.Since(start) < time.Minute {
			time.Sleep(100 * time.Millisecond)
		}
		// The stream may be silent for heartbeatFrequency and connectTimeout.
		if waited := time.Since(start); waited < 20*time.Second || waited > 21*time.Second {
			t.Errorf("the pool is cleared after %v", waited)
		}
		if s := topology.Servers()[0].Description(); s.Type != description.Unknown || s.Error == nil {
			t.Errorf("the server is %v", s)
		}
	})
}

func TestRoundTripTimes(t *testing.T) {
	connected(t, func(n *network) Config {
		n.serve("a:27017", 1, standalone()...).latency = 10 * time.Millisecond
		config := n.config("a")
		config.HeartbeatFrequency = 500 * time.Millisecond
		return config
	}, func(t *testing.T, n *network, topology *Topology) {
		s := mustSelect(t, topology, write)
		time.Sleep(3 * time.Second)
		if d := s.Description(); d.RTT != 10*time.Millisecond || d.MinRTT != 10*time.Millisecond {
			t.Errorf("RTT %v, minimum %v, want 10 ms", d.RTT, d.MinRTT)
		}
	})
}

func TestRoundTripTimesBeginAnew(t *testing.T) {
	connected(t, func(n *network) Config {
		n.serve("a:27017", 1, standalone()...).latency = 500 * time.Millisecond
		return n.config("a")
	}, func(t *testing.T, n *network, topology *Topology) {
		s := mustSelect(t, topology, write)
		n.mu.Lock()
		n.servers["a:27017"].latency = time.Millisecond
		n.mu.Unlock()
		n.servers["a:27017"].drop()
		time.Sleep(time.Second)
		if rtt := s.Description().RTT; rtt != time.Millisecond {
			t.Errorf("RTT %v after the server came back, want that since", rtt)
		}
	})
}

func TestMonitorsDoNotAuthenticateOrCompress(t *testing.T) {
	authenticator, err := auth.New(auth.Credential{Mechanism: auth.SCRAMSHA256, Username: "user", Password: "pencil", Source: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	connected(t, func(n *network) Config {
		n.serve("a:27017", 0, standalone()...)
		config := n.config("a")
		of := config.Pool
		config.Pool = func(addr string) pool.Config {
			c := of(addr)
			c.Handshake.AppName = "test"
			c.Handshake.Auth = authenticator
			c.Handshake.Compressors = []wire.Compressor{wire.Zlib}
			return c
		}
		return config
	}, func(t *testing.T, n *network, topology *Topology) {
		mustSelect(t, topology, write)
		n.mu.Lock()
		greeted := n.servers["a:27017"].greeted
		n.mu.Unlock()
		if name, _ := greeted.Lookup("client", "application", "name").Str(); name != "test" {
			t.Errorf("the application is %q", name)
		}
		compression, _ := greeted.Lookup("compression").Array()
		if compression.Len() > 0 || !greeted.Lookup("saslSupportedMechs").IsZero() || !greeted.Lookup("speculativeAuthenticate").IsZero() {
			t.Errorf("the handshake of the monitor is %v", greeted)
		}
	})
}

// handleError has an operation on the primary fail.
func handleError(t *testing.T, s *Server, reply bson.Raw, err error) {
	t.Helper()
	c, failed := s.CheckOut(t.Context(), time.Time{})
	if failed != nil {
		t.Fatal(failed)
	}
	s.HandleError(c, reply, err)
	s.CheckIn(c)
}

func command(code int32) (bson.Raw, error) {
	dst, at := bson.BeginDocument(nil)
	dst = bson.AppendInt32(dst, "ok", 0)
	dst = bson.AppendInt32(dst, "code", code)
	reply := bson.Raw(bson.EndDocument(dst, at))
	return reply, wire.ReplyError(reply)
}

func TestNetworkErrorCancelsTheCheck(t *testing.T) {
	connected(t, func(n *network) Config {
		n.replicaSet("a:27017", "b:27017")
		return n.config("a")
	}, func(t *testing.T, n *network, topology *Topology) {
		s := mustSelect(t, topology, write)
		synctest.Wait()
		n.noted()
		handleError(t, s, nil, &pool.NetworkError{Address: s.Address(), Op: "read", Err: errors.New("connection reset")})
		synctest.Wait()
		if got := topology.Description(); got.Type != description.ReplicaSetNoPrimary || !strings.Contains(got.Servers[0].Error.Error(), "connection reset") {
			t.Errorf("the topology is %v", got)
		}
		expected := []string{
			"a:27017 pool cleared, interrupting false",
			"a:27017: RSPrimary to Unknown",
			"topology: ReplicaSetWithPrimary to ReplicaSetNoPrimary",
			"a:27017 heartbeat failed",
		}
		if log := n.noted(); !slices.Equal(log, expected) {
			t.Errorf("log: %q", log)
		}
		// Nobody asks for the server: the next check is the regular one.
		start := time.Now()
		for topology.Description().Type == description.ReplicaSetNoPrimary && time.Since(start) < time.Minute {
			time.Sleep(100 * time.Millisecond)
		}
		if waited := time.Since(start).Round(time.Second); waited != 10*time.Second {
			t.Errorf("the server is found again after %v", waited)
		}
	})
}

func TestNetworkErrorIsOverSoonIfTheServerIsNeeded(t *testing.T) {
	connected(t, func(n *network) Config {
		n.replicaSet("a:27017", "b:27017")
		return n.config("a")
	}, func(t *testing.T, n *network, topology *Topology) {
		s := mustSelect(t, topology, write)
		synctest.Wait()
		handleError(t, s, nil, &pool.NetworkError{Address: s.Address(), Op: "read", Err: errors.New("connection reset")})
		start := time.Now()
		if again := mustSelect(t, topology, write); again != s {
			t.Errorf("writes go to %s", again.Address())
		}
		if waited := time.Since(start); waited != 500*time.Millisecond {
			t.Errorf("the server is found again after %v", waited)
		}
	})
}

func TestStateChangeErrorHasTheServerChecked(t *testing.T) {
	connected(t, func(n *network) Config {
		for _, s := range n.replicaSet("a:27017", "b:27017") {
			s.version = 0
		}
		return n.config("a")
	}, func(t *testing.T, n *network, topology *Topology) {
		s := mustSelect(t, topology, write)
		time.Sleep(time.Second)
		n.servers["a:27017"].change(func(s *fakeServer) { s.hello = secondary("a:27017", "b:27017") })
		n.servers["b:27017"].change(func(s *fakeServer) { s.hello = primary("a:27017", "b:27017") })
		reply, err := command(10107)
		handleError(t, s, reply, err)
		if got := s.Description(); got.Type != description.Unknown {
			t.Errorf("the server is %v", got)
		}
		if generation := s.Pool().Generation(nil); generation != 0 {
			t.Errorf("the pool was cleared: generation %d", generation)
		}
		synctest.Wait()
		if got := s.Description(); got.Type != description.RSSecondary {
			t.Errorf("the server is %v although a check was asked for", got)
		}
		start := time.Now()
		if next := mustSelect(t, topology, write); next.Address() != "b:27017" || time.Since(start) != 0 {
			t.Errorf("writes go to %s after %v", next.Address(), time.Since(start))
		}
	})
}

func TestErrorsThatMeanNothing(t *testing.T) {
	connected(t, func(n *network) Config {
		n.replicaSet("a:27017", "b:27017")
		return n.config("a")
	}, func(t *testing.T, n *network, topology *Topology) {
		s := mustSelect(t, topology, write)
		synctest.Wait()
		old, err := s.CheckOut(t.Context(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		reset := &pool.NetworkError{Err: errors.New("connection reset")}
		handleError(t, s, nil, reset)
		mustSelect(t, topology, write)
		before := topology.Description()
		s.HandleError(old, nil, reset)
		reply, failed := command(11000)
		s.HandleError(old, reply, failed)
		s.CheckIn(old)
		handleError(t, s, nil, &pool.NetworkError{Err: context.Canceled})
		handleError(t, s, reply, failed)
		if c := description.Diff(before, topology.Description()); c.Topology {
			t.Errorf("changes: %+v", c)
		}
		if generation := s.Pool().Generation(nil); generation != 1 {
			t.Errorf("generation %d, want 1", generation)
		}
	})
}

func TestConnectErrorOfAPool(t *testing.T) {
	connected(t, func(n *network) Config {
		n.serve("a:27017", 1, standalone()...)
		return n.config("a")
	}, func(t *testing.T, n *network, topology *Topology) {
		s := mustSelect(t, topology, write)
		time.Sleep(time.Second)
		n.noted()
		n.failNext("a:27017", 1)
		var failed *pool.ConnectError
		if _, err := s.CheckOut(t.Context(), time.Time{}); !errors.As(err, &failed) || failed.Step != pool.StepHello {
			t.Errorf("check-out: %v", err)
		}
		if d := s.Description(); d.Type != description.Unknown {
			t.Errorf("the server is %v after a handshake that failed", d)
		}
		if log := n.noted(); !slices.Contains(log, "a:27017 pool cleared, interrupting false") {
			t.Errorf("log: %q", log)
		}
	})
}

func TestDeposedPrimaryIsChecked(t *testing.T) {
	connected(t, func(n *network) Config {
		for _, s := range n.replicaSet("a:27017", "b:27017") {
			s.version = 0
		}
		config := n.config("a")
		config.HeartbeatFrequency = time.Hour
		return config
	}, func(t *testing.T, n *network, topology *Topology) {
		mustSelect(t, topology, write)
		time.Sleep(time.Second)
		n.servers["a:27017"].change(func(s *fakeServer) { s.hello = secondary("a:27017", "b:27017") })
		n.servers["b:27017"].change(func(s *fakeServer) { s.hello = primary("a:27017", "b:27017") })
		topology.current.Load().server("b:27017").requestCheck()
		synctest.Wait()
		if got := topology.Description().String(); got != `ReplicaSetWithPrimary "rs" [a:27017 RSSecondary; b:27017 RSPrimary]` {
			t.Errorf("the topology is %s", got)
		}
	})
}
