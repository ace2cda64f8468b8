package description

import "time"

const (
	// idleWritePeriod is how often an idle primary writes to its oplog.
	idleWritePeriod = 10 * time.Second
	// smallestMaxStaleness is the least limit whatever the heartbeat.
	smallestMaxStaleness = 90 * time.Second
)

// leastMaxStaleness is the least limit that does not rule out a secondary of
// an idle replica set.
func leastMaxStaleness(heartbeatFrequency time.Duration) time.Duration {
	return max(smallestMaxStaleness, heartbeatFrequency+idleWritePeriod)
}

// staleness estimates how far s may lag behind by the time of its next check:
// behind the primary, or behind the freshest secondary if there is none. Only
// secondaries lag.
func (t Topology) staleness(s *Server, heartbeatFrequency time.Duration) time.Duration {
	if s.Type != RSSecondary {
		return 0
	}
	if p := t.primary(); p != nil {
		return s.LastUpdateTime.Sub(s.LastWriteDate) - p.LastUpdateTime.Sub(p.LastWriteDate) + heartbeatFrequency
	}
	freshest := s.LastWriteDate
	for i := range t.Servers {
		if o := &t.Servers[i]; o.Type == RSSecondary && o.LastWriteDate.After(freshest) {
			freshest = o.LastWriteDate
		}
	}
	return freshest.Sub(s.LastWriteDate) + heartbeatFrequency
}
