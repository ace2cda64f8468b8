package mongotest

import (
	"net"
	"sync"
	"testing"
)

// A LoadBalanced is a sharded cluster behind load balancers.
type LoadBalanced struct {
	*Sharded
	all, single *balancer
}

// NewLoadBalanced starts a cluster behind load balancers that ends with the
// test.
func NewLoadBalanced(t testing.TB, o Options) *LoadBalanced {
	t.Helper()
	l, err := StartLoadBalanced(o)
	if err != nil {
		t.Fatalf("start a cluster behind a load balancer: %v", err)
	}
	t.Cleanup(l.Close)
	return l
}

// StartLoadBalanced starts a sharded cluster with two load balancers: one at the
// Address, which gives connections to the routers in turn, beginning with the
// first whenever no connection is left, and one on the next port, which gives them all to the first router. The routers know connections
// that come through a load balancer: they tell their serviceId in the first hello,
// and refuse one without loadBalanced: true. Close ends all.
func StartLoadBalanced(o Options) (*LoadBalanced, error) {
	s, err := o.read()
	if err != nil {
		return nil, err
	}
	listeners, err := s.listenAll(2)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(s.Address)
	o.Address = net.JoinHostPort(host, "0")
	c, err := StartSharded(o)
	if err != nil {
		closeAll(listeners)
		return nil, err
	}
	return &LoadBalanced{Sharded: c, all: balance(listeners[0], c.Routers), single: balance(listeners[1], c.Routers[:1])}, nil
}

// URI is a connection string for the load balancer before all routers.
func (l *LoadBalanced) URI() string { return l.uri(l.all) }

// SingleURI is a connection string for the one before the first router.
func (l *LoadBalanced) SingleURI() string { return l.uri(l.single) }

func (l *LoadBalanced) uri(b *balancer) string {
	return l.settings.uri([]*Node{{address: b.listener.Addr().String()}}, "loadBalanced=true")
}

// Close ends the load balancers and the cluster.
func (l *LoadBalanced) Close() {
	l.all.close()
	l.single.close()
	l.Sharded.Close()
}

// balancer is a load balancer.
type balancer struct {
	listener net.Listener
	routers  []*Node
	work     sync.WaitGroup

	mu   sync.Mutex
	open int // connections
	turn int
}

func balance(l net.Listener, routers []*Node) *balancer {
	b := &balancer{listener: l, routers: routers}
	b.work.Go(b.accept)
	return b
}

func (b *balancer) close() {
	b.listener.Close()
	b.work.Wait()
}

// accept gives connections to the routers that run, in turn.
func (b *balancer) accept() {
	for {
		c, err := b.listener.Accept()
		if err != nil {
			return
		}
		counted := &countedConn{Conn: c, closed: b.closed}
		if !b.give(counted, b.next()) {
			counted.Close()
		}
	}
}

// next is whose turn it is to take a connection.
func (b *balancer) next() (turn int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == 0 {
		b.turn = 0
	}
	turn = b.turn
	b.turn, b.open = turn+1, b.open+1
	return turn
}

func (b *balancer) closed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open--
}

func (b *balancer) give(c net.Conn, turn int) bool {
	for i := range b.routers {
		if s := b.routers[(turn+i)%len(b.routers)].running(); s != nil {
			s.ServeBalanced(c)
			return true
		}
	}
	return false
}

// countedConn tells when it is closed.
type countedConn struct {
	net.Conn
	once   sync.Once
	closed func()
}

func (c *countedConn) Close() error {
	c.once.Do(c.closed)
	return c.Conn.Close()
}
