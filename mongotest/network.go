package mongotest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// A Network connects nodes and clients in memory. Nothing of it is the operating
// system's, so that a whole deployment can run in a bubble of testing/synctest:
// give Listen to Options.Listen, and DialContext to the driver.
//
// The zero Network is ready for use.
type Network struct {
	mu        sync.Mutex
	listeners map[string]*listener
	lastPort  int
}

// Listen opens a listener. Port 0 stands for a free one.
func (n *Network) Listen(address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if port == "0" {
		n.lastPort++
		port = strconv.Itoa(27016 + n.lastPort)
	}
	l := &listener{network: n, address: memoryAddr(net.JoinHostPort(host, port)), incoming: make(chan net.Conn), closed: make(chan struct{})}
	if n.listeners[string(l.address)] != nil {
		return nil, fmt.Errorf("listen at %s: %w", l.address, syscall.EADDRINUSE)
	}
	if n.listeners == nil {
		n.listeners = map[string]*listener{}
	}
	n.listeners[string(l.address)] = l
	return l, nil
}

// DialContext connects to a listener. Without one it fails like TCP does where
// nobody listens.
func (n *Network) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[address]
	n.mu.Unlock()
	refused := &net.OpError{Op: "dial", Net: network, Addr: memoryAddr(address), Err: syscall.ECONNREFUSED}
	if l == nil {
		return nil, refused
	}
	here, there := net.Pipe()
	select {
	case l.incoming <- there:
		return here, nil
	case <-l.closed:
		return nil, refused
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

type listener struct {
	network  *Network
	address  memoryAddr
	incoming chan net.Conn
	closed   chan struct{}
}

var errClosed = errors.New("the listener is closed")

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.incoming:
		return c, nil
	case <-l.closed:
		return nil, errClosed
	}
}

func (l *listener) Addr() net.Addr { return l.address }

func (l *listener) Close() error {
	l.network.mu.Lock()
	defer l.network.mu.Unlock()
	if l.network.listeners[string(l.address)] == l {
		delete(l.network.listeners, string(l.address))
		close(l.closed)
	}
	return nil
}

type memoryAddr string

func (a memoryAddr) Network() string { return "memory" }
func (a memoryAddr) String() string  { return string(a) }
