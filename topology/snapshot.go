package topology

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/motor-go/motor/concern"
	"github.com/motor-go/motor/topology/description"
)

// snapshot is the topology between two updates. It never changes.
type snapshot struct {
	description description.Topology
	servers     []*Server     // those of the description, in its order
	replaced    chan struct{} // closed when the next snapshot is there
	closed      bool
	config      *Config

	// writable and readable are the servers in the window for selectors that
	// say no more than Write, or the mode of a read preference.
	writable []*Server
	readable [concern.Nearest + 1][]*Server
}

func newSnapshot(d description.Topology, servers []*Server, config *Config) *snapshot {
	s := &snapshot{description: d, servers: servers, replaced: make(chan struct{}), config: config}
	if config.ServerSelector == nil {
		s.writable, _ = s.find(description.Selector{Write: true})
		for mode := range s.readable {
			want := description.Selector{ReadPreference: concern.ReadPreference{Mode: concern.Mode(mode)}}
			s.readable[mode], _ = s.find(want)
		}
	}
	return s
}

// server is the server with the address, or nil.
func (s *snapshot) server(addr string) *Server {
	i, ok := slices.BinarySearchFunc(s.servers, addr, func(s *Server, addr string) int { return strings.Compare(s.addr, addr) })
	if !ok {
		return nil
	}
	return s.servers[i]
}

// prepared is the servers in the window for a selector for which they were
// found before; none if it says too much.
func (s *snapshot) prepared(want *description.Selector) []*Server {
	switch {
	case want.Addr != "" || want.WriteStage || want.Filter != nil || len(want.Deprioritized) > 0:
		return nil
	case want.Write:
		return s.writable
	case len(want.ReadPreference.TagSets) > 0 || want.ReadPreference.MaxStaleness != 0 || want.ReadPreference.Mode > concern.Nearest:
		return nil
	}
	return s.readable[want.ReadPreference.Mode]
}

// find is the servers in the window.
func (s *snapshot) find(want description.Selector) ([]*Server, error) {
	found, err := s.description.Select(want, s.config.LocalThreshold, s.config.HeartbeatFrequency)
	servers := make([]*Server, 0, len(found))
	for _, d := range found {
		if server := s.server(d.Addr); server != nil {
			servers = append(servers, server)
		}
	}
	return servers, err
}

// choose is one of servers, of which there is one at least.
func choose(servers []*Server) *Server {
	return servers[description.Choose(len(servers), func(i int) int64 { return servers[i].operations.Load() }, rand.IntN)]
}
