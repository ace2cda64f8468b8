package description

import (
	"fmt"
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

// TopologyType says what kind of deployment the servers form. Its zero value
// is Unknown.
type TopologyType uint8

// The types of topologies.
const (
	Single TopologyType = iota + 1
	ReplicaSetNoPrimary
	ReplicaSetWithPrimary
	Sharded
	LoadBalanced
)

var topologyTypes = [...]string{"Unknown", "Single", "ReplicaSetNoPrimary", "ReplicaSetWithPrimary", "Sharded", "LoadBalanced"}

// String is the name in the specification.
func (t TopologyType) String() string { return topologyTypes[t] }

// ReplicaSet reports whether the topology is a replica set.
func (t TopologyType) ReplicaSet() bool {
	return t == ReplicaSetNoPrimary || t == ReplicaSetWithPrimary
}

// The wire versions that the driver speaks: MongoDB 3.6 to 9.0.
const (
	ClientMinWireVersion = 6
	ClientMaxWireVersion = 29

	clientMinVersion = "3.6"
)

// Topology is everything that is known of a deployment. It is a value:
// nothing reachable from a Topology changes.
type Topology struct {
	Type TopologyType
	// SetName is the name of the replica set, as asked for or as discovered.
	SetName string
	// MaxElectionID and MaxSetVersion are the greatest pair that a primary
	// ever reported, by which primaries of the past are told.
	MaxElectionID bson.ObjectID
	MaxSetVersion int64
	// Servers are in the order of their addresses.
	Servers []Server
	// CompatibilityError says which server speaks no wire version that the
	// driver speaks; nil if all do.
	CompatibilityError error
	// LogicalSessionTimeoutMinutes is the least among the data-bearing
	// servers, 0 if one of them has no sessions or if there is none.
	LogicalSessionTimeoutMinutes int32

	// seeds is how many servers the client was configured with.
	seeds int
	// refused says which server was removed last because it is not of this
	// deployment, and why; nil if none was.
	refused error
}

// Config is what a client is told about a deployment.
type Config struct {
	// Seeds are addresses; see Address.
	Seeds []string
	// SetName is the name of the replica set that is wanted, if any.
	SetName string
	// Direct asks for the one seed, whatever it is.
	Direct bool
	// LoadBalanced says that the one seed is a load balancer.
	LoadBalanced bool
}

// New is the topology before any server has been checked.
func New(c Config) Topology {
	t := Topology{SetName: c.SetName}
	switch {
	case c.LoadBalanced:
		t.Type = LoadBalanced
	case c.Direct:
		t.Type = Single
	case c.SetName != "":
		t.Type = ReplicaSetNoPrimary
	}
	for _, seed := range c.Seeds {
		t.add(Address(seed))
	}
	t.seeds = len(t.Servers)
	return t
}

// Server finds the server with the address.
func (t Topology) Server(addr string) (Server, bool) {
	if i, ok := t.find(addr); ok {
		return t.Servers[i], true
	}
	return Server{}, false
}

func (t Topology) find(addr string) (int, bool) {
	return slices.BinarySearchFunc(t.Servers, addr, func(s Server, addr string) int {
		return strings.Compare(s.Addr, addr)
	})
}

// primary is the primary, or nil.
func (t Topology) primary() *Server {
	for i := range t.Servers {
		if t.Servers[i].Type == RSPrimary {
			return &t.Servers[i]
		}
	}
	return nil
}

// compatibilityError is the first error among the servers.
func (t Topology) compatibilityError() error {
	for _, s := range t.Servers {
		switch {
		case s.Type == Unknown || s.Type == LoadBalancer:
		case s.MinWireVersion > ClientMaxWireVersion:
			return fmt.Errorf("server at %s requires wire version %d, but this version of motor only supports up to %d",
				s.Addr, s.MinWireVersion, ClientMaxWireVersion)
		case s.MaxWireVersion < ClientMinWireVersion:
			return fmt.Errorf("server at %s reports wire version %d, but this version of motor requires at least %d (MongoDB %s)",
				s.Addr, s.MaxWireVersion, ClientMinWireVersion, clientMinVersion)
		}
	}
	return nil
}

// sessionTimeout is the value of LogicalSessionTimeoutMinutes.
func (t Topology) sessionTimeout() (least int32) {
	for _, s := range t.Servers {
		switch {
		case !s.Type.DataBearing():
		case s.LogicalSessionTimeoutMinutes == 0:
			return 0
		case least == 0 || s.LogicalSessionTimeoutMinutes < least:
			least = s.LogicalSessionTimeoutMinutes
		}
	}
	return least
}
