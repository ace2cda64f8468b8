package topology

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/topology/description"
)

const (
	defaultHeartbeatFrequency = 10 * time.Second
	minHeartbeatFrequency     = 500 * time.Millisecond
)

// The values of Config.ServerMonitoringMode.
const (
	MonitoringAuto   = "auto"
	MonitoringStream = "stream"
	MonitoringPoll   = "poll"
)

// Config says what deployment to find, and how to talk to it.
type Config struct {
	// Deployment is the seed list and what kind of topology is wanted.
	Deployment description.Config
	// Pool is the configuration of the pool of the server with the address.
	// Monitors dial and shake hands by it, too, but do not authenticate or
	// compress. Its OnConnectError and OnLateReply are set here.
	Pool func(addr string) pool.Config
	// OnLateReply, if set, is given the replies of a server for which nobody
	// waited any more when they came.
	OnLateReply func(s *Server, reply bson.Raw)

	// HeartbeatFrequency (heartbeatFrequencyMS) is the time between two
	// checks, 10 s if zero and 500 ms at least.
	HeartbeatFrequency time.Duration
	// MinHeartbeatFrequency (minHeartbeatFrequencyMS) is the least time between
	// two checks of a server, 500 ms if zero. Only tests set it.
	MinHeartbeatFrequency time.Duration
	// ServerMonitoringMode is auto (or empty), stream or poll.
	ServerMonitoringMode string
	// LocalThreshold (localThresholdMS) is the width of the latency window.
	LocalThreshold time.Duration
	// ServerSelectionTimeout (serverSelectionTimeoutMS) bounds the wait for a
	// server; 0 fails at once if there is none.
	ServerSelectionTimeout time.Duration
	// ServerSelector is the application's own choice among suitable servers;
	// see description.Selector.Filter.
	ServerSelector func([]*description.Server) []*description.Server

	// PollSRV, if set, runs in a goroutine until its context ends, and calls
	// SetHosts when the SRV records have changed.
	PollSRV func(ctx context.Context, t *Topology)
	// Observer receives the events; it may be nil.
	Observer *event.Observer
}

// ErrClosed says that the topology was closed.
var ErrClosed = errors.New("the client is closed")

// Topology is a deployment as it is being watched. Its methods may be called
// concurrently.
type Topology struct {
	// ID identifies the topology in events.
	ID bson.ObjectID

	config  Config
	stream  bool            // monitors stream where servers can
	ctx     context.Context // ends when the topology is closed
	cancel  context.CancelFunc
	running sync.WaitGroup // the goroutines
	current atomic.Pointer[snapshot]

	// mu is for updates: of the description, and of pools by what is known of
	// their servers.
	mu     sync.Mutex
	closed bool
	acts   []func() // what is to be done after the updates so far
	acting bool     // somebody does it
}

// Connect begins to watch a deployment. It returns at once; Select waits for
// servers to be found. Close must be called in the end.
func Connect(config Config) *Topology {
	if config.HeartbeatFrequency == 0 {
		config.HeartbeatFrequency = defaultHeartbeatFrequency
	}
	if config.MinHeartbeatFrequency == 0 {
		config.MinHeartbeatFrequency = minHeartbeatFrequency
	}
	config.HeartbeatFrequency = max(config.HeartbeatFrequency, config.MinHeartbeatFrequency)
	t := &Topology{ID: bson.NewObjectID(), config: config, stream: streams(config.ServerMonitoringMode)}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.current.Store(newSnapshot(description.Topology{}, nil, &t.config))

	t.mu.Lock()
	t.become(description.New(config.Deployment), func(_, to description.Topology) {
		config.Observer.OpenTopology(t.ID, to)
	})
	if config.Deployment.LoadBalanced {
		t.trustLoadBalancer()
	}
	t.mu.Unlock()
	t.act()
	if config.PollSRV != nil {
		t.running.Go(func() { config.PollSRV(t.ctx, t) })
	}
	return t
}

// streams reports whether monitors stream in the mode.
func streams(mode string) bool {
	if mode == "" || mode == MonitoringAuto {
		return !pool.OnFaaS()
	}
	return mode == MonitoringStream
}

// trustLoadBalancer makes the one server usable, which nobody checks. mu is
// held.
func (t *Topology) trustLoadBalancer() {
	s := t.current.Load()
	for _, server := range s.servers {
		server.pool.Ready()
		t.become(s.description.Update(description.Server{Addr: server.addr, Type: description.LoadBalancer}), t.announce)
	}
}

// Description is what is known of the deployment now. After Close it is the
// zero Topology.
func (t *Topology) Description() description.Topology { return t.current.Load().description }

// Servers are the servers of the deployment now, in the order of their
// addresses.
func (t *Topology) Servers() []*Server { return slices.Clone(t.current.Load().servers) }

// SetHosts makes the servers of a sharded or unknown topology those with the
// addresses: new ones are watched, those not listed are forgotten.
func (t *Topology) SetHosts(hosts []string) {
	t.mu.Lock()
	known := t.current.Load().description
	if !t.closed && (known.Type == description.Sharded || known.Type == description.Unknown) {
		t.become(known.WithHosts(hosts), t.announce)
	}
	t.mu.Unlock()
	t.act()
}

// become publishes the next description. What is to be done about it is noted
// in acts, announce among it. mu is held.
func (t *Topology) become(next description.Topology, announce func(from, to description.Topology)) {
	last := t.current.Load()
	servers := make([]*Server, len(next.Servers))
	var added, removed []*Server
	for i, d := range next.Servers {
		if servers[i] = last.server(d.Addr); servers[i] == nil {
			servers[i] = t.newServer(d.Addr)
			added = append(added, servers[i])
		}
	}
	for _, s := range last.servers {
		if _, ok := next.Server(s.addr); !ok {
			removed = append(removed, s)
		}
	}
	t.current.Store(newSnapshot(next, servers, &t.config))
	close(last.replaced)

	t.running.Add(len(added))
	t.acts = append(t.acts, func() {
		for _, s := range removed {
			s.forget()
		}
		announce(last.description, next)
		for _, s := range added {
			go s.watch()
		}
	})
}

// announce publishes a change.
func (t *Topology) announce(from, to description.Topology) {
	t.config.Observer.ChangeTopology(t.ID, from, to)
}

// act does what was decided, in order, unless another goroutine is at it.
func (t *Topology) act() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.acting {
		return
	}
	t.acting = true
	for len(t.acts) > 0 {
		acts := t.acts
		t.acts = nil
		t.mu.Unlock()
		for _, act := range acts {
			act()
		}
		t.mu.Lock()
	}
	t.acting = false
}

// Close stops the monitors and closes the pools. It waits for connections in
// use to be given back, for as long as ctx allows; the error then says how
// many are left. Whoever waits for a server gets ErrClosed.
func (t *Topology) Close(ctx context.Context) error {
	t.mu.Lock()
	last := t.current.Load()
	if t.closed {
		t.mu.Unlock()
		return nil
	}
	t.closed = true
	end := newSnapshot(description.Topology{}, nil, &t.config)
	end.closed = true
	t.current.Store(end)
	close(last.replaced)
	t.mu.Unlock()

	t.cancel()
	for _, s := range last.servers {
		s.pool.Close()
	}
	err := t.wait(ctx, last.servers)
	told := make(chan struct{})
	t.mu.Lock()
	t.acts = append(t.acts, func() {
		t.config.Observer.CloseTopology(t.ID, last.description)
		close(told)
	})
	t.mu.Unlock()
	t.act()
	<-told
	return err
}

// wait waits for the goroutines and for the connections of the servers.
func (t *Topology) wait(ctx context.Context, servers []*Server) error {
	stopped := make(chan struct{})
	go func() {
		t.running.Wait()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-ctx.Done():
		return fmt.Errorf("close: monitors still run: %w", context.Cause(ctx))
	}
	for _, s := range servers {
		select {
		case <-s.pool.Done():
		case <-ctx.Done():
			stats := s.pool.Stats()
			return fmt.Errorf("close: %d connections to %s are still open, %d of them in use: %w",
				stats.Total(), s.addr, stats.InUse, context.Cause(ctx))
		}
	}
	return nil
}
