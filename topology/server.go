package topology

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// Server is one server of a topology: its pool and its monitor.
type Server struct {
	topology *Topology
	addr     string
	pool     *pool.Pool
	monitor  *monitor // nil behind a load balancer
	// operations counts those under way (operationCount).
	operations atomic.Int64
	minRTT     atomic.Int64
}

// newServer makes the server with the address. It is not watched yet.
func (t *Topology) newServer(addr string) *Server {
	s := &Server{topology: t, addr: addr}
	config := t.config.Pool(addr)
	config.Address = addr
	config.OnConnectError = s.handleConnectError
	if late := t.config.OnLateReply; late != nil {
		config.OnLateReply = func(reply bson.Raw) { late(s, reply) }
	}
	config.MinRTT = s.MinRTT
	s.pool = pool.New(config)
	if !t.config.Deployment.LoadBalanced {
		s.monitor = newMonitor(s, config)
	}
	return s
}

// Address is the address that the topology knows the server by.
func (s *Server) Address() string { return s.addr }

// Pool is the pool of connections to the server.
func (s *Server) Pool() *pool.Pool { return s.pool }

// Description is what is known of the server now. It is the zero Server if the
// server is not part of the topology any more.
func (s *Server) Description() description.Server {
	d, _ := s.topology.Description().Server(s.addr)
	return d
}

// MinRTT is the shortest round trip time that was known when the server was
// last found healthy. Unlike that of Description it does not go with the next
// error, so that it is the one by which the server was selected.
func (s *Server) MinRTT() time.Duration { return time.Duration(s.minRTT.Load()) }

// CheckOut gets a connection from the pool, before the time if that is not
// zero; see there for the errors, or ErrClosed. From now on until CheckIn an
// operation counts as under way.
func (s *Server) CheckOut(ctx context.Context, before time.Time) (*pool.Conn, error) {
	s.operations.Add(1)
	c, err := s.pool.CheckOutBefore(ctx, before)
	if err == nil {
		return c, nil
	}
	s.operations.Add(-1)
	if _, closed := err.(*pool.ClosedError); closed && s.topology.current.Load().closed {
		err = ErrClosed
	}
	return nil, err
}

// CheckIn gives the connection back.
func (s *Server) CheckIn(c *pool.Conn) {
	s.operations.Add(-1)
	s.pool.CheckIn(c)
}

// HandleError tells the topology of an error that an operation met on c: that
// of the round trip, or that of the reply if it says ok: 0 or holds a
// writeConcernError. It may be called for any error, with a nil reply if there
// was none; most mean nothing for the topology.
func (s *Server) HandleError(c *pool.Conn, reply bson.Raw, err error) {
	e := description.ApplicationError{
		Err:            err,
		Reply:          reply,
		HandshakeDone:  true,
		MaxWireVersion: c.Description.MaxWireVersion,
		Generation:     c.Generation,
	}
	e.Network, e.Timeout = networkError(err)
	s.handle(e, c.ServiceID)
}

// handleConnectError is HandleError for connections that were not established.
func (s *Server) handleConnectError(err *pool.ConnectError) {
	e := description.ApplicationError{
		Err:        err,
		Overloaded: err.HasLabel(pool.SystemOverloadedError),
		Generation: err.Generation,
	}
	e.Network, e.Timeout = networkError(err)
	s.handle(e, err.ServiceID)
}

// handle carries out what follows from an error. Marking the server Unknown
// and clearing its pool are one step for whoever else updates the topology.
func (s *Server) handle(e description.ApplicationError, serviceID *bson.ObjectID) {
	var refused *wire.CommandError
	if e.Reply == nil && errors.As(e.Err, &refused) {
		e.Reply = refused.Reply
	}
	e.Addr = s.addr
	e.HasService = serviceID != nil
	e.PoolGeneration = s.pool.Generation(serviceID)
	t := s.topology
	if t.Description().Judge(e).IsZero() {
		return
	}

	t.mu.Lock()
	current := t.current.Load()
	if current.server(s.addr) != s {
		t.mu.Unlock()
		return
	}
	e.PoolGeneration = s.pool.Generation(serviceID)
	v := current.description.Judge(e)
	if v.MarkUnknown {
		t.become(current.description.Update(v.Server), t.announce)
	}
	if v.ClearPool {
		s.pool.Clear(e.Err, serviceID, false)
	}
	t.mu.Unlock()
	t.act()
	if v.CancelCheck {
		s.monitor.cancelCheck()
	}
	if v.RequestCheck {
		s.requestCheck()
	}
}

// checked takes over what a monitor found. err is why the check failed.
func (s *Server) checked(found description.Server, err error) {
	if err == nil {
		s.minRTT.Store(int64(found.MinRTT))
	}
	t := s.topology
	t.mu.Lock()
	current := t.current.Load()
	if current.server(s.addr) != s {
		t.mu.Unlock()
		return
	}
	known := current.description
	next := known.Update(found)
	now, member := next.Server(s.addr)
	if member && usable(next, now) {
		s.pool.Ready()
	}
	t.become(next, t.announce)
	if err != nil {
		_, timeout := networkError(err)
		s.pool.Clear(err, nil, timeout)
	}
	t.mu.Unlock()
	t.act()
	t.checkDeposed(known, next)
}

// usable reports whether operations may go to the server.
func usable(t description.Topology, s description.Server) bool {
	return s.Type.DataBearing() || t.Type == description.Single && s.Type != description.Unknown
}

// checkDeposed has primaries checked that are Unknown because of a newer one.
func (t *Topology) checkDeposed(before, after description.Topology) {
	for _, s := range before.Servers {
		if now, ok := after.Server(s.Addr); ok && s.Type == description.RSPrimary && now.Type == description.Unknown {
			if server := t.current.Load().server(s.Addr); server != nil {
				server.requestCheck()
			}
		}
	}
}

// watch runs the monitor. The topology counts it as running.
func (s *Server) watch() {
	defer s.topology.running.Done()
	if s.monitor != nil {
		s.monitor.run()
	}
}

// forget ends the server.
func (s *Server) forget() {
	if s.monitor != nil {
		s.monitor.stop()
	}
	s.pool.Close()
}

// requestCheck has the server checked soon, unless a check is under way.
func (s *Server) requestCheck() {
	if s.monitor != nil {
		s.monitor.requestCheck()
	}
}

// networkError reports whether err is about a connection, and whether time ran
// out. Where the caller gave up, nothing is wrong with the network.
func networkError(err error) (network, timeout bool) {
	var n *pool.NetworkError
	if !errors.As(err, &n) || n.Canceled() {
		return false, false
	}
	return true, n.Timeout()
}
