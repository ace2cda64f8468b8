package description

import (
	"fmt"
	"slices"

	"github.com/motor-go/motor/bson"
)

// electionFirst is the wire version of MongoDB 6.0, from which on primaries
// are ordered by electionId and then by setVersion; before it was the reverse.
const electionFirst = 17

// Ignores reports whether s tells nothing: the server is not part of t (any
// more), or t has a fresher description of it.
func (t Topology) Ignores(s Server) bool {
	current, ok := t.Server(s.Addr)
	return !ok || current.TopologyVersion.Newer(s.TopologyVersion)
}

// Update is the topology after a check of s, which may have failed. t stays
// as it is.
func (t Topology) Update(s Server) Topology {
	if t.Ignores(s) {
		return t
	}
	t.Servers = slices.Clone(t.Servers)
	t.set(s)
	switch t.Type {
	case Single:
		t.checkSetName(s)
	case LoadBalanced:
	case Unknown:
		t.updateUnknown(s)
	case Sharded:
		if s.Type != Unknown && s.Type != Mongos {
			t.refuse(s, "is no mongos, and the others are")
		}
	default:
		t.updateReplicaSet(s)
	}
	t.CompatibilityError = t.compatibilityError()
	t.LogicalSessionTimeoutMinutes = t.sessionTimeout()
	return t
}

// WithHosts is the topology with exactly the servers that an SRV record
// lists: new ones are Unknown, those not listed are gone. t stays as it is.
func (t Topology) WithHosts(hosts []string) Topology {
	t.Servers = slices.Clone(t.Servers)
	keep := make(map[string]bool, len(hosts))
	for _, host := range hosts {
		host = Address(host)
		keep[host] = true
		t.add(host)
	}
	t.Servers = slices.DeleteFunc(t.Servers, func(s Server) bool { return !keep[s.Addr] })
	t.CompatibilityError = t.compatibilityError()
	t.LogicalSessionTimeoutMinutes = t.sessionTimeout()
	return t
}

// checkSetName refuses a direct connection to a member of another replica set
// than the one asked for.
func (t *Topology) checkSetName(s Server) {
	if t.SetName == "" || s.Type == Unknown || s.SetName == t.SetName {
		return
	}
	err := fmt.Errorf("server belongs to replica set %q, the client asks for %q", s.SetName, t.SetName)
	if s.SetName == "" {
		err = fmt.Errorf("server belongs to no replica set, the client asks for %q", t.SetName)
	}
	t.set(Server{Addr: s.Addr, Error: err, LastUpdateTime: s.LastUpdateTime})
}

func (t *Topology) updateUnknown(s Server) {
	switch s.Type {
	case Standalone:
		// One of several seeds may be a member that is out for maintenance.
		if t.seeds == 1 {
			t.Type = Single
		} else {
			t.refuse(s, "is a standalone server, one of several seeds")
		}
	case Mongos:
		t.Type = Sharded
	case RSPrimary, RSSecondary, RSArbiter, RSOther:
		t.updateReplicaSet(s)
	}
}

func (t *Topology) updateReplicaSet(s Server) {
	switch s.Type {
	case Standalone, Mongos:
		t.refuse(s, fmt.Sprintf("is a %v, no member of replica set %q", s.Type, t.SetName))
	case RSPrimary:
		t.updateRSFromPrimary(s)
	case RSSecondary, RSArbiter, RSOther:
		t.updateRSFromMember(s)
	}
	t.checkIfHasPrimary()
}

// updateRSFromPrimary believes the primary about who is a member, unless it
// is a primary of the past.
func (t *Topology) updateRSFromPrimary(s Server) {
	if t.SetName == "" {
		t.SetName = s.SetName
	}
	if t.SetName != s.SetName {
		t.refuse(s, fmt.Sprintf("belongs to replica set %q, the client asks for %q", s.SetName, t.SetName))
		return
	}
	if t.stalePrimary(s) {
		t.set(Server{Addr: s.Addr, LastUpdateTime: s.LastUpdateTime, Error: fmt.Errorf(
			"primary marked stale due to electionId/setVersion mismatch, (%s, %d) is stale compared to (%s, %d)",
			s.ElectionID.Hex(), s.SetVersion, t.MaxElectionID.Hex(), t.MaxSetVersion)})
		return
	}
	t.rememberElection(s)
	for _, other := range t.Servers {
		if other.Type == RSPrimary && other.Addr != s.Addr {
			t.set(Server{
				Addr: other.Addr, LastUpdateTime: other.LastUpdateTime,
				Error: fmt.Errorf("primary marked stale due to discovery of newer primary %s", s.Addr),
			})
		}
	}
	members := map[string]bool{}
	for addr := range s.members {
		members[addr] = true
		t.add(addr)
	}
	t.Servers = slices.DeleteFunc(t.Servers, func(s Server) bool { return !members[s.Addr] })
}

// stalePrimary compares s with the greatest pair of electionId and setVersion.
// A missing value is the least one.
func (t *Topology) stalePrimary(s Server) bool {
	election := slices.Compare(s.ElectionID[:], t.MaxElectionID[:])
	if s.MaxWireVersion >= electionFirst {
		return election < 0 || election == 0 && s.SetVersion < t.MaxSetVersion
	}
	known := s.SetVersion != 0 && !s.ElectionID.IsZero() && t.MaxSetVersion != 0 && !t.MaxElectionID.IsZero()
	return known && (s.SetVersion < t.MaxSetVersion || s.SetVersion == t.MaxSetVersion && election < 0)
}

func (t *Topology) rememberElection(s Server) {
	if s.MaxWireVersion >= electionFirst {
		t.MaxElectionID, t.MaxSetVersion = s.ElectionID, s.SetVersion
		return
	}
	if s.SetVersion != 0 && s.ElectionID != (bson.ObjectID{}) {
		t.MaxElectionID = s.ElectionID
	}
	t.MaxSetVersion = max(t.MaxSetVersion, s.SetVersion)
}

// updateRSFromMember is updateRSWithoutPrimary and
// updateRSWithPrimaryFromMember: a member that is not the primary can add
// members as long as there is no primary, but never remove any but itself.
func (t *Topology) updateRSFromMember(s Server) {
	if t.SetName == "" {
		t.SetName = s.SetName
	}
	if t.SetName != s.SetName {
		t.refuse(s, fmt.Sprintf("belongs to replica set %q, the client asks for %q", s.SetName, t.SetName))
		return
	}
	if t.Type != ReplicaSetWithPrimary {
		for addr := range s.members {
			t.add(addr)
		}
	}
	// A seed that goes by another name in the set will be found by that.
	if s.Me != "" && s.Me != s.Addr {
		t.remove(s.Addr)
	}
}

func (t *Topology) checkIfHasPrimary() {
	t.Type = ReplicaSetNoPrimary
	if t.primary() != nil {
		t.Type = ReplicaSetWithPrimary
	}
}

// set, add and remove write to t.Servers, which no other Topology shares when
// they are called.

func (t *Topology) set(s Server) {
	if i, ok := t.find(s.Addr); ok {
		t.Servers[i] = s
	}
}

func (t *Topology) add(addr string) {
	if i, ok := t.find(addr); !ok {
		t.Servers = slices.Insert(t.Servers, i, Server{Addr: addr})
	}
}

// refuse removes a server that is not of this deployment.
func (t *Topology) refuse(s Server, why string) {
	t.refused = fmt.Errorf("%s %s", s.Addr, why)
	t.remove(s.Addr)
}

func (t *Topology) remove(addr string) {
	t.Servers = slices.DeleteFunc(t.Servers, func(s Server) bool { return s.Addr == addr })
}
