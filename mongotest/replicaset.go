package mongotest

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/motor-go/motor/mongotest/internal/repl"
)

// A ReplicaSet is a running replica set.
type ReplicaSet struct {
	// Nodes are its members. The first of them is the first primary.
	Nodes []*Node

	settings  settings
	set       *repl.Set
	listeners []net.Listener // until it starts
}

// New starts a replica set that ends with the test.
func New(t testing.TB, o Options) *ReplicaSet {
	t.Helper()
	rs, err := StartReplicaSet(o)
	if err != nil {
		t.Fatalf("start a replica set: %v", err)
	}
	t.Cleanup(rs.Close)
	return rs
}

// StartReplicaSet starts a replica set. Its first node is primary when it
// returns. Close ends it.
func StartReplicaSet(o Options) (*ReplicaSet, error) {
	s, err := o.read()
	if err != nil {
		return nil, err
	}
	rs, err := s.newReplicaSet()
	if err != nil {
		return nil, err
	}
	if err := rs.start(); err != nil {
		rs.Close()
		return nil, err
	}
	return rs, nil
}

// newReplicaSet makes a replica set that has its listeners, but does not serve
// them yet.
func (s settings) newReplicaSet() (*ReplicaSet, error) {
	listeners, err := s.listenAll(s.Nodes)
	if err != nil {
		return nil, err
	}
	rs := &ReplicaSet{settings: s, listeners: listeners}
	hosts := make([]string, len(listeners))
	for i, l := range listeners {
		hosts[i] = l.Addr().String()
	}
	rs.set = repl.NewSet(s.Name, s.ElectionTimeout, hosts)
	for i, m := range rs.set.Members {
		rs.Nodes = append(rs.Nodes, &Node{settings: &rs.settings, address: hosts[i], engine: m.Engine, member: m})
	}
	return rs, nil
}

// start runs all nodes.
func (rs *ReplicaSet) start() error {
	rs.set.Start()
	for i, n := range rs.Nodes {
		n.start(rs.listeners[i])
	}
	rs.listeners = nil
	return rs.Nodes[0].addUsers()
}

// URI is a connection string for the set.
func (rs *ReplicaSet) URI() string {
	return rs.settings.uri(rs.Nodes, "replicaSet="+rs.settings.Name)
}

// Close ends all nodes and forgets their data.
func (rs *ReplicaSet) Close() {
	closeAll(rs.listeners)
	for _, n := range rs.Nodes {
		n.Kill()
	}
	rs.set.Close()
}

// Primary is the node that is primary, nil if there is none at the moment.
func (rs *ReplicaSet) Primary() *Node {
	return rs.node(rs.set.Primary())
}

func (rs *ReplicaSet) node(m *repl.Member) *Node {
	if m == nil {
		return nil
	}
	return rs.Nodes[m.ID]
}

// Secondaries are the running nodes that are not primary.
func (rs *ReplicaSet) Secondaries() []*Node {
	return slices.DeleteFunc(slices.Clone(rs.Nodes), func(n *Node) bool { return n.running() == nil || n.IsPrimary() })
}

// AwaitPrimary waits until there is a primary whom a majority follows.
func (rs *ReplicaSet) AwaitPrimary(ctx context.Context) (*Node, error) {
	for {
		if p := rs.set.Primary(); p != nil && rs.set.Followed(p) {
			return rs.node(p), nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return nil, errors.New("the replica set has no primary")
		}
	}
}

// StepDown makes the primary a secondary, and lets another node take over as
// soon as it has all that the primary has. It reports false if there is no
// primary, or none could take over in ten seconds.
func (rs *ReplicaSet) StepDown() bool {
	p := rs.set.Primary()
	if p == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return p.StepDown(ctx, time.Minute, false)
}

// Partition cuts the network of the nodes into groups: what a node sends
// reaches the nodes of its own group only. Nodes in no group are alone. Clients
// reach all of them. Partitioning again replaces the partition before.
func (rs *ReplicaSet) Partition(groups ...[]*Node) {
	rs.set.Heal()
	for _, a := range rs.Nodes {
		for _, b := range rs.Nodes {
			together := slices.ContainsFunc(groups, func(g []*Node) bool { return slices.Contains(g, a) && slices.Contains(g, b) })
			if a != b && !together {
				rs.set.Cut(a.member, b.member, true)
			}
		}
	}
}

// Cut stops what one node sends to another, and nothing else: a partition in
// one direction.
func (rs *ReplicaSet) Cut(from, to *Node) { rs.set.Cut(from.member, to.member, true) }

// Heal ends all partitions.
func (rs *ReplicaSet) Heal() { rs.set.Heal() }
