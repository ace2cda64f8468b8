package mongotest

import (
	"net"
	"testing"

	"github.com/motor-go/motor/mongotest/internal/mongod"
)

// A Sharded is a running sharded cluster: routers (mongos) before one shard.
type Sharded struct {
	// Routers are the mongos. Each has its own cursors, fail points and open
	// transactions; data and retry history are the shard's.
	Routers []*Node
	// Shard is the replica set that has the data. What happens to it, the
	// routers have to live through.
	Shard *ReplicaSet

	settings settings
	config   *ReplicaSet // the config servers
}

// NewSharded starts a sharded cluster that ends with the test.
func NewSharded(t testing.TB, o Options) *Sharded {
	t.Helper()
	s, err := StartSharded(o)
	if err != nil {
		t.Fatalf("start a sharded cluster: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// StartSharded starts a sharded cluster: its routers on the Address and the
// ports after it, its other nodes on free ports. Name is that of the shard,
// shard0 by default. Close ends it.
func StartSharded(o Options) (*Sharded, error) {
	if o.Nodes == 0 {
		o.Nodes = 1
	}
	if o.Name == "" {
		o.Name = "shard0"
	}
	s, err := o.read()
	if err != nil {
		return nil, err
	}
	listeners, err := s.listenAll(s.Routers)
	if err != nil {
		return nil, err
	}
	c, err := s.startCluster()
	if err != nil {
		closeAll(listeners)
		return nil, err
	}
	for _, l := range listeners {
		n := &Node{settings: &c.settings, address: l.Addr().String(), engine: c.config.Nodes[0].engine}
		c.Routers = append(c.Routers, n)
		n.start(l)
	}
	return c, nil
}

// startCluster starts the shard and the config servers of a cluster.
func (s settings) startCluster() (c *Sharded, err error) {
	host, _, _ := net.SplitHostPort(s.Address)
	s.Address = net.JoinHostPort(host, "0")
	c = &Sharded{settings: s}
	if c.Shard, err = s.newReplicaSet(); err != nil {
		return nil, err
	}
	s.Nodes, s.Name = 1, "config"
	if c.config, err = s.newReplicaSet(); err != nil {
		closeAll(c.Shard.listeners)
		return nil, err
	}
	cluster := &mongod.Cluster{Shard: c.Shard.shard(), Config: c.config.shard()}
	c.Shard.settings.cluster = cluster
	c.settings.cluster, c.settings.mongos = cluster, true
	for _, rs := range []*ReplicaSet{c.config, c.Shard} {
		if err := rs.start(); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// shard is the set as the routers of a cluster see it.
func (rs *ReplicaSet) shard() *mongod.Shard {
	return &mongod.Shard{Name: rs.settings.Name, Set: rs.set, Servers: func() (list []*mongod.Server) {
		for _, n := range rs.Nodes {
			if s := n.running(); s != nil {
				list = append(list, s)
			}
		}
		return list
	}}
}

// URI is a connection string for all routers.
func (c *Sharded) URI() string { return c.settings.uri(c.Routers) }

// Close ends all nodes and forgets their data.
func (c *Sharded) Close() {
	for _, n := range c.Routers {
		n.Kill()
	}
	c.Shard.Close()
	c.config.Close()
}
