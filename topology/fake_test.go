package topology

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// network is servers that know hello and no more, reached over pipes.
type network struct {
	t       *testing.T
	mu      sync.Mutex
	servers map[string]*fakeServer
	log     []string // events and what servers saw, in order
}

// fakeServer is one of them. Its fields are guarded by the network's lock.
type fakeServer struct {
	network *network
	addr    string

	hello   []func([]byte) []byte // the reply, without topologyVersion
	version int64                 // counter of topologyVersion; 0 for servers that cannot stream
	changed chan struct{}         // closed by the next change

	refuse  error         // what dialling gives
	fail    int           // so many hellos are answered by an error
	latency time.Duration // of each reply
	silent  bool          // hellos are not answered

	streams map[net.Conn]bool // open
	dialled int
	hellos  int
	names   map[string]int // of commands
	greeted bson.Raw       // the handshake of the last connection
}

func newNetwork(t *testing.T) *network {
	return &network{t: t, servers: map[string]*fakeServer{}}
}

// serve adds a server that replies to hello with what the appenders make.
func (n *network) serve(addr string, version int64, hello ...func([]byte) []byte) *fakeServer {
	s := &fakeServer{
		network: n, addr: addr, version: version, hello: hello,
		changed: make(chan struct{}), streams: map[net.Conn]bool{}, names: map[string]int{},
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.servers[addr] = s
	return s
}

// change changes the server's state, which it tells those who await it.
func (s *fakeServer) change(change func(*fakeServer)) {
	s.network.mu.Lock()
	defer s.network.mu.Unlock()
	change(s)
	if s.version > 0 {
		s.version++
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// drop closes all connections.
func (s *fakeServer) drop() {
	s.network.mu.Lock()
	defer s.network.mu.Unlock()
	for stream := range s.streams {
		stream.Close()
	}
}

func (s *fakeServer) counts() (dialled, open, hellos int) {
	s.network.mu.Lock()
	defer s.network.mu.Unlock()
	return s.dialled, len(s.streams), s.hellos
}

// commands counts the commands by name.
func (s *fakeServer) commands() map[string]int {
	s.network.mu.Lock()
	defer s.network.mu.Unlock()
	return maps.Clone(s.names)
}

// failNext has the server answer so many hellos by an error.
func (n *network) failNext(addr string, times int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.servers[addr].fail = times
}

func (n *network) note(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = append(n.log, fmt.Sprintf(format, args...))
}

// noted returns the log and empties it.
func (n *network) noted() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	log := n.log
	n.log = nil
	return log
}

func (n *network) dial(addr string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.servers[addr]
	if s == nil {
		return nil, &net.OpError{Op: "dial", Err: errors.New("no such host")}
	}
	if s.refuse != nil {
		return nil, s.refuse
	}
	client, server := net.Pipe()
	s.dialled++
	s.streams[server] = true
	go s.run(server)
	return client, nil
}

// run is the server's side of a connection.
func (s *fakeServer) run(stream net.Conn) {
	defer func() {
		stream.Close()
		s.network.mu.Lock()
		delete(s.streams, stream)
		s.network.mu.Unlock()
	}()
	for {
		header, message, err := wire.ReadMessage(stream, nil, wire.DefaultMaxMessageSize)
		if err != nil {
			return
		}
		m, err := wire.ParseMsg(message)
		if err != nil {
			s.network.t.Errorf("%s got %v", s.addr, err)
			return
		}
		if m.Flags&wire.ExhaustAllowed == 0 {
			if !s.reply(stream, header.RequestID, m, 0) {
				return
			}
			continue
		}
		known := description.ParseTopologyVersion(m.Body)
		most, _ := m.Body.Lookup("maxAwaitTimeMS").AsInt64()
		for request := header.RequestID; ; {
			if !s.await(stream, known.Counter, time.Duration(most)*time.Millisecond) {
				return
			}
			s.network.mu.Lock()
			known.Counter = s.version
			s.network.mu.Unlock()
			if !s.reply(stream, request, m, wire.MoreToCome) {
				return
			}
			request = s.lastReply()
		}
	}
}

// lastReply is the request ID of replies to hello. They are all the same.
func (s *fakeServer) lastReply() int32 { return 1 }

// await waits for another state than known.
func (s *fakeServer) await(stream net.Conn, known int64, most time.Duration) bool {
	s.network.mu.Lock()
	changed, now := s.changed, s.version
	s.network.mu.Unlock()
	if now != known {
		return true
	}
	gone := make(chan struct{})
	go func() {
		stream.Read(make([]byte, 1)) // the client sends nothing more
		close(gone)
	}()
	select {
	case <-changed:
	case <-time.After(most):
	case <-gone:
		return false
	}
	stream.SetReadDeadline(time.Now())
	<-gone
	stream.SetReadDeadline(time.Time{})
	return true
}

func (s *fakeServer) reply(stream net.Conn, request int32, m wire.Msg, flags wire.Flags) bool {
	s.network.mu.Lock()
	latency := s.latency
	for name := range m.Body.Keys() {
		s.names[name]++
		break
	}
	if !m.Body.Lookup("client").IsZero() {
		s.greeted = m.Body
	}
	s.hellos++
	silent := s.silent
	failing := s.fail > 0
	if failing {
		s.fail--
	}
	dst, doc := bson.BeginDocument(nil)
	if failing {
		dst = bson.AppendInt32(dst, "ok", 0)
		dst = bson.AppendInt32(dst, "code", 1234)
		dst = bson.AppendString(dst, "errmsg", "failing by order")
		flags = 0
	} else {
		for _, add := range s.hello {
			dst = add(dst)
		}
		if s.version > 0 {
			dst = topologyVersion(s.version)(dst)
		}
		dst = bson.AppendInt32(dst, "ok", 1)
	}
	body := bson.Raw(bson.EndDocument(dst, doc))
	s.network.mu.Unlock()
	if silent {
		return true
	}
	time.Sleep(latency)
	_, err := stream.Write(wire.AppendMsg(nil, s.lastReply(), request, flags, body))
	return err == nil
}

func topologyVersion(counter int64) func([]byte) []byte {
	return func(dst []byte) []byte {
		dst, at := bson.BeginEmbedded(dst, "topologyVersion")
		dst = bson.AppendObjectID(dst, "processId", bson.ObjectID{1})
		dst = bson.AppendInt64(dst, "counter", counter)
		return bson.EndDocument(dst, at)
	}
}

// field adds a field to a reply.
func field(name string, value any) func([]byte) []byte {
	return func(dst []byte) []byte {
		switch v := value.(type) {
		case bool:
			return bson.AppendBool(dst, name, v)
		case int:
			return bson.AppendInt32(dst, name, int32(v))
		case string:
			return bson.AppendString(dst, name, v)
		case []string:
			dst, at := bson.BeginArray(dst, name)
			for i, e := range v {
				dst = bson.AppendStringValue(bson.AppendIndexHeader(dst, bson.TypeString, i), e)
			}
			return bson.EndDocument(dst, at)
		}
		panic("no such type of field")
	}
}

func standalone() []func([]byte) []byte {
	return []func([]byte) []byte{field("isWritablePrimary", true), field("helloOk", true), field("maxWireVersion", 21), field("logicalSessionTimeoutMinutes", 30)}
}

func mongos() []func([]byte) []byte { return append(standalone(), field("msg", "isdbgrid")) }

func member(role string, hosts ...string) []func([]byte) []byte {
	return []func([]byte) []byte{
		field(role, true), field("helloOk", true), field("setName", "rs"), field("hosts", hosts),
		field("maxWireVersion", 21), field("logicalSessionTimeoutMinutes", 30),
	}
}

func primary(hosts ...string) []func([]byte) []byte   { return member("isWritablePrimary", hosts...) }
func secondary(hosts ...string) []func([]byte) []byte { return member("secondary", hosts...) }

// replicaSet serves a replica set of streaming members, of which the first is
// the primary.
func (n *network) replicaSet(hosts ...string) (members []*fakeServer) {
	for i, host := range hosts {
		hello := secondary(hosts...)
		if i == 0 {
			hello = primary(hosts...)
		}
		members = append(members, n.serve(host, 1, hello...))
	}
	return members
}

// config is that of a client of the network.
func (n *network) config(seeds ...string) Config {
	return Config{
		Deployment: description.Config{Seeds: seeds},
		Pool: func(addr string) pool.Config {
			return pool.Config{
				ConnectTimeout: 10 * time.Second,
				Dial:           func(context.Context) (net.Conn, error) { return n.dial(addr) },
				Observer:       n.observer(),
			}
		},
		ServerMonitoringMode:   MonitoringStream,
		LocalThreshold:         15 * time.Millisecond,
		ServerSelectionTimeout: 30 * time.Second,
		Observer:               n.observer(),
	}
}

// observer notes events.
func (n *network) observer() *event.Observer {
	return &event.Observer{
		TopologyOpening: func(*event.TopologyOpening) { n.note("topology opening") },
		TopologyDescriptionChanged: func(e *event.TopologyDescriptionChanged) {
			n.note("topology: %v to %v", e.Previous.Type, e.New.Type)
		},
		TopologyClosed: func(*event.TopologyClosed) { n.note("topology closed") },
		ServerOpening:  func(e *event.ServerOpening) { n.note("%s opening", e.Address) },
		ServerDescriptionChanged: func(e *event.ServerDescriptionChanged) {
			n.note("%s: %v to %v", e.Address, e.Previous.Type, e.New.Type)
		},
		ServerClosed:           func(e *event.ServerClosed) { n.note("%s closed", e.Address) },
		ServerHeartbeatStarted: func(e *event.ServerHeartbeatStarted) { n.note("%s heartbeat started", e.Address) },
		ServerHeartbeatSucceeded: func(e *event.ServerHeartbeatSucceeded) {
			n.note("%s heartbeat succeeded", e.Address)
		},
		ServerHeartbeatFailed: func(e *event.ServerHeartbeatFailed) { n.note("%s heartbeat failed", e.Address) },
		PoolReady:             func(e *event.PoolReady) { n.note("%s pool ready", e.Address) },
		PoolCleared: func(e *event.PoolCleared) {
			n.note("%s pool cleared, interrupting %v", e.Address, e.InterruptInUseConnections)
		},
		PoolClosed: func(e *event.PoolClosed) { n.note("%s pool closed", e.Address) },
	}
}

// connected runs test with a topology that is closed afterwards, in a bubble
// in which nothing may be left running.
func connected(t *testing.T, prepare func(n *network) Config, test func(t *testing.T, n *network, topology *Topology)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		topology := Connect(prepare(n))
		defer func() {
			if err := topology.Close(context.Background()); err != nil {
				t.Errorf("close: %v", err)
			}
		}()
		test(t, n, topology)
	})
}

func mustSelect(t *testing.T, topology *Topology, want description.Selector) *Server {
	t.Helper()
	s, err := topology.Select(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
