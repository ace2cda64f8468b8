package description

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/motor-go/motor/concern"
)

// Selector says which servers an operation may go to. Its zero value asks for
// a read from the primary.
type Selector struct {
	// Write asks for a server that takes writes; ReadPreference is then
	// ignored.
	Write          bool
	ReadPreference concern.ReadPreference
	// WriteStage marks a read that ends in $out or $merge. It goes to the
	// primary as long as a server before MongoDB 5.0 is available; see
	// EffectiveReadPreference.
	WriteStage bool
	// Addr, if set, asks for just the server with the address, of whatever
	// type: that of a cursor or of a pinned transaction.
	Addr string
	// Deprioritized are addresses of servers to be avoided, because an
	// attempt at the same operation failed there. They are chosen if nothing
	// else is suitable.
	Deprioritized []string
	// Filter is the application's own server selector. It gets the suitable
	// servers, which it must not change, and returns those it likes.
	Filter func([]*Server) []*Server
}

// secondaryWriteStage is the wire version of MongoDB 5.0, from which on
// secondaries run $out and $merge.
const secondaryWriteStage = 13

// EffectiveReadPreference is the read preference that want selects servers of
// t by, and which is to be sent.
func (t Topology) EffectiveReadPreference(want Selector) concern.ReadPreference {
	if !want.WriteStage || t.Type == LoadBalanced {
		return want.ReadPreference
	}
	for _, s := range t.Servers {
		if s.Type != Unknown && s.MaxWireVersion < secondaryWriteStage {
			return concern.ReadPreference{}
		}
	}
	return want.ReadPreference
}

// Select is the servers that want may go to, in the latency window of
// localThreshold. The list is empty if there is none at present; WhyNot tells
// why. An error is one that no later state of the deployment mends: an
// incompatible server, or a read preference that makes no sense. The servers
// are those of t.
func (t Topology) Select(want Selector, localThreshold, heartbeatFrequency time.Duration) ([]*Server, error) {
	suitable, err := t.Suitable(want, heartbeatFrequency)
	if err != nil {
		return nil, err
	}
	return InWindow(suitable, localThreshold), nil
}

// Suitable is Select before the latency window is applied.
func (t Topology) Suitable(want Selector, heartbeatFrequency time.Duration) ([]*Server, error) {
	if t.CompatibilityError != nil {
		return nil, t.CompatibilityError
	}
	want.ReadPreference = t.EffectiveReadPreference(want)
	if err := t.checkReadPreference(want, heartbeatFrequency); err != nil {
		return nil, err
	}
	var all, preferred []*Server
	for i := range t.Servers {
		s := &t.Servers[i]
		all = append(all, s)
		if !slices.Contains(want.Deprioritized, s.Addr) {
			preferred = append(preferred, s)
		}
	}
	suitable := t.suitable(preferred, want, heartbeatFrequency)
	if len(suitable) == 0 && len(preferred) < len(all) {
		suitable = t.suitable(all, want, heartbeatFrequency)
	}
	if want.Filter != nil && len(suitable) > 0 {
		suitable = want.Filter(suitable)
	}
	return suitable, nil
}

func (t Topology) checkReadPreference(want Selector, heartbeatFrequency time.Duration) error {
	if want.Write || want.Addr != "" {
		return nil
	}
	if err := want.ReadPreference.Validate(); err != nil {
		return err
	}
	staleness := want.ReadPreference.MaxStaleness
	if least := leastMaxStaleness(heartbeatFrequency); t.Type.ReplicaSet() && staleness > 0 && staleness < least {
		return fmt.Errorf("maxStalenessSeconds of %v is too short: the least is %v, with a heartbeatFrequencyMS of %v",
			staleness, least, heartbeatFrequency)
	}
	return nil
}

// suitable is the ones of servers, which are of t, that fit.
func (t Topology) suitable(servers []*Server, want Selector, heartbeatFrequency time.Duration) []*Server {
	if want.Addr != "" {
		return filter(servers, func(s *Server) bool { return s.Addr == want.Addr && s.Type != Unknown })
	}
	switch t.Type {
	case Single, LoadBalanced:
		return filter(servers, func(s *Server) bool { return s.Type != Unknown })
	case Sharded:
		return ofType(servers, Mongos)
	case ReplicaSetNoPrimary, ReplicaSetWithPrimary:
		mode := want.ReadPreference.Mode
		if want.Write {
			mode = concern.Primary
		}
		return t.members(servers, mode, want.ReadPreference, heartbeatFrequency)
	}
	return nil
}

// members is suitable for reads from a replica set.
func (t Topology) members(servers []*Server, mode concern.Mode, pref concern.ReadPreference, heartbeatFrequency time.Duration) []*Server {
	var found []*Server
	switch mode {
	case concern.Primary:
		return ofType(servers, RSPrimary)
	case concern.PrimaryPreferred:
		if found = ofType(servers, RSPrimary); len(found) == 0 {
			found = t.members(servers, concern.Secondary, pref, heartbeatFrequency)
		}
		return found
	case concern.SecondaryPreferred:
		if found = t.members(servers, concern.Secondary, pref, heartbeatFrequency); len(found) == 0 {
			found = ofType(servers, RSPrimary)
		}
		return found
	case concern.Secondary:
		found = ofType(servers, RSSecondary)
	case concern.Nearest:
		found = filter(servers, func(s *Server) bool { return s.Type == RSPrimary || s.Type == RSSecondary })
	}
	if pref.MaxStaleness > 0 {
		found = filter(found, func(s *Server) bool { return t.staleness(s, heartbeatFrequency) <= pref.MaxStaleness })
	}
	return byTags(found, pref.TagSets)
}

// byTags is the servers that have all tags of the first set that any of them
// has.
func byTags(servers []*Server, sets []concern.TagSet) []*Server {
	if len(sets) == 0 {
		return servers
	}
	for _, set := range sets {
		if found := filter(servers, func(s *Server) bool { return hasTags(s, set) }); len(found) > 0 {
			return found
		}
	}
	return nil
}

func hasTags(s *Server, set concern.TagSet) bool {
	for _, tag := range set {
		if !slices.Contains(s.Tags, tag) {
			return false
		}
	}
	return true
}

func ofType(servers []*Server, t ServerType) []*Server {
	return filter(servers, func(s *Server) bool { return s.Type == t })
}

func filter(servers []*Server, keep func(*Server) bool) (kept []*Server) {
	for _, s := range servers {
		if keep(s) {
			kept = append(kept, s)
		}
	}
	return kept
}

// InWindow is the servers whose average round trip time is at most
// localThreshold longer than the shortest.
func InWindow(servers []*Server, localThreshold time.Duration) []*Server {
	if len(servers) < 2 {
		return servers
	}
	shortest := servers[0].RTT
	for _, s := range servers {
		shortest = min(shortest, s.RTT)
	}
	return filter(servers, func(s *Server) bool { return s.RTT-shortest <= localThreshold })
}

// Choose is the one of n servers in the window to go to: of two at random,
// the one with fewer operations under way. random(n) is a number in [0, n)
// and operations(i) the count of the i-th server. n must not be 0.
func Choose(n int, operations func(i int) int64, random func(n int) int) int {
	if n == 1 {
		return 0
	}
	i, j := random(n), random(n-1)
	if j >= i {
		j++
	}
	if operations(j) < operations(i) {
		return j
	}
	return i
}

// HasReadableServer reports whether t has a server for reads by pref.
func (t Topology) HasReadableServer(pref concern.ReadPreference, heartbeatFrequency time.Duration) bool {
	servers, err := t.Suitable(Selector{ReadPreference: pref}, heartbeatFrequency)
	return err == nil && len(servers) > 0
}

// HasWritableServer reports whether t has a server for writes.
func (t Topology) HasWritableServer() bool {
	servers, err := t.Suitable(Selector{Write: true}, 0)
	return err == nil && len(servers) > 0
}

// String says what is asked for: "a write", or "a read with read preference
// secondary, …".
func (want Selector) String() string {
	if want.Addr != "" {
		return "an operation bound to " + want.Addr
	}
	if want.Write {
		return "a write"
	}
	var b strings.Builder
	pref := want.ReadPreference
	fmt.Fprintf(&b, "a read with read preference %v", pref.Mode)
	if len(pref.TagSets) > 0 {
		fmt.Fprintf(&b, ", tag sets %v", tagSetsText(pref.TagSets))
	}
	if pref.MaxStaleness > 0 {
		fmt.Fprintf(&b, ", maxStalenessSeconds %v", pref.MaxStaleness.Seconds())
	}
	if want.Filter != nil {
		b.WriteString(" and the application's server selector")
	}
	return b.String()
}
