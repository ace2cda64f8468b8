package mongotest

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/motor-go/motor/mongotest/internal/mongod"
	"github.com/motor-go/motor/mongotest/internal/repl"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// A Node is one server of a deployment.
type Node struct {
	settings *settings
	address  string
	engine   *storage.Engine
	member   *repl.Member // nil if it stands alone
	link     mongod.Link

	mu     sync.Mutex
	server *mongod.Server // nil while it is dead
}

// Address is the node's host and port. It stays the same across restarts.
func (n *Node) Address() string { return n.address }

// String is the address.
func (n *Node) String() string { return n.address }

// URI is a connection string for this node alone.
func (n *Node) URI() string {
	return n.settings.uri([]*Node{n}, "directConnection=true")
}

// uri is a connection string for nodes.
func (s *settings) uri(nodes []*Node, options ...string) string {
	u := "mongodb://"
	if s.Username != "" {
		u += url.UserPassword(s.Username, s.Password).String() + "@"
	}
	for i, n := range nodes {
		if i > 0 {
			u += ","
		}
		u += n.address
	}
	u += "/"
	if s.TLS != nil {
		options = append(options, "tls=true")
	}
	for i, o := range options {
		if i == 0 {
			u += "?" + o
		} else {
			u += "&" + o
		}
	}
	return u
}

// start runs the node's server on a listener.
func (n *Node) start(l net.Listener) {
	s := n.settings
	n.mu.Lock()
	defer n.mu.Unlock()
	n.server = mongod.Start(mongod.Config{
		Version: s.version, Host: n.address, Engine: n.engine, Member: n.member, Link: &n.link,
		Cluster: s.cluster, Mongos: s.mongos,
		TLS: s.TLS, Compressors: s.compressors, Scripting: s.Scripting,
		Auth: s.Username != "" || len(s.OIDCTokens) > 0, OIDCTokens: s.OIDCTokens,
	}, l)
}

// Kill ends the node's process: its connections break, and nobody listens at
// its address. What it has written stays for a Restart. A dead node stays dead.
func (n *Node) Kill() {
	n.mu.Lock()
	server := n.server
	n.server = nil
	n.mu.Unlock()
	if server == nil {
		return
	}
	if n.member != nil {
		n.member.Kill()
	}
	server.Close()
}

// Restart starts a node that was killed, with the data that it had. It fails if
// the node is running, or if its port is taken meanwhile.
func (n *Node) Restart() error {
	if n.running() != nil {
		return fmt.Errorf("node %s is running", n.address)
	}
	l, err := n.settings.Listen(n.address)
	if err != nil {
		return fmt.Errorf("restart node %s: %w", n.address, err)
	}
	if n.member != nil {
		n.member.Start()
	}
	n.start(l)
	return nil
}

// running is the node's server, nil if it is dead.
func (n *Node) running() *mongod.Server {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.server
}

// SetLag makes a secondary apply every write that much later than the primary
// wrote it. 0 ends the lag.
func (n *Node) SetLag(d time.Duration) {
	if n.member != nil {
		n.member.SetLag(d)
	}
}

// StepUp lets a secondary run for primary at once, and reports whether it won.
func (n *Node) StepUp() bool { return n.member != nil && n.member.StepUp() }

// IsPrimary reports whether the node takes writes.
func (n *Node) IsPrimary() bool {
	return n.running() != nil && (n.member == nil || n.member.Status().Role == repl.Primary)
}

// HangUp breaks all connections to the node. New ones are served.
func (n *Node) HangUp() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server != nil {
		n.server.HangUp()
	}
}

// Connections is the number of connections that are open to the node.
func (n *Node) Connections() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server == nil {
		return 0
	}
	return n.server.Connections()
}

// listenAll opens the listeners of as many nodes: on the address, or the ports
// after it.
func (s *settings) listenAll(nodes int) (listeners []net.Listener, err error) {
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return nil, fmt.Errorf("Options.Address: %w", err)
	}
	first, err := net.LookupPort("tcp", port)
	if err != nil {
		return nil, fmt.Errorf("Options.Address: %w", err)
	}
	for i := range nodes {
		at := first
		if first != 0 {
			at += i
		}
		l, err := s.Listen(net.JoinHostPort(host, fmt.Sprint(at)))
		if err != nil {
			closeAll(listeners)
			return nil, err
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}

// addUsers makes the users of the options.
func (n *Node) addUsers() error {
	s := n.settings
	for _, name := range slices.Compact(slices.Sorted(maps.Values(s.OIDCTokens))) {
		if err := mongod.AddUser(context.Background(), n.engine, "$external", name, ""); err != nil {
			return err
		}
	}
	if s.Username == "" {
		return nil
	}
	return mongod.AddUser(context.Background(), n.engine, "admin", s.Username, s.Password)
}
