package description

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/motor-go/motor/concern"
)

// String names the type, the replica set and each server with its type, its
// round trip time and its last error.
func (t Topology) String() string {
	var b strings.Builder
	b.WriteString(t.Type.String())
	if t.SetName != "" {
		fmt.Fprintf(&b, " %q", t.SetName)
	}
	b.WriteString(" [")
	for i, s := range t.Servers {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(s.String())
	}
	b.WriteString("]")
	return b.String()
}

// String is the address, the type, the round trip time and the last error.
func (s Server) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %v", s.Addr, s.Type)
	if s.RTT > 0 {
		fmt.Fprintf(&b, ", RTT %v", s.RTT.Round(time.Microsecond))
	}
	if s.Error != nil {
		fmt.Fprintf(&b, ", last error: %v", s.Error)
	}
	return b.String()
}

// WhyNot says what is known of each server and why it does not fit want, for
// the error of a selection that found none.
func (t Topology) WhyNot(want Selector, heartbeatFrequency time.Duration) string {
	if len(t.Servers) == 0 && t.refused != nil {
		return "no servers are left in the topology: " + t.refused.Error()
	}
	if len(t.Servers) == 0 {
		return "no servers are left in the topology"
	}
	want.ReadPreference = t.EffectiveReadPreference(want)
	reasons := make([]string, len(t.Servers))
	for i := range t.Servers {
		s := &t.Servers[i]
		reasons[i] = t.whyNot(s, want, heartbeatFrequency)
		if !strings.Contains(reasons[i], s.Addr) {
			reasons[i] = fmt.Sprintf("%s %v: %s", s.Addr, s.Type, reasons[i])
		}
	}
	if t.refused != nil {
		reasons = append(reasons, t.refused.Error())
	}
	return strings.Join(reasons, "; ")
}

func (t Topology) whyNot(s *Server, want Selector, heartbeatFrequency time.Duration) string {
	pref := want.ReadPreference
	switch {
	case want.Addr != "" && s.Addr != want.Addr:
		return "is another server"
	case s.Type == Unknown && s.Error != nil:
		return s.Error.Error()
	case s.Type == Unknown:
		return "has not answered yet"
	case !s.Type.DataBearing():
		return "holds no data to read or write"
	case (want.Write || pref.Mode == concern.Primary) && s.Type == RSSecondary:
		return "is not the primary"
	case pref.Mode == concern.Secondary && s.Type == RSPrimary:
		return "is not a secondary"
	case pref.MaxStaleness > 0 && t.staleness(s, heartbeatFrequency) > pref.MaxStaleness:
		return fmt.Sprintf("lags by %v, more than %v", t.staleness(s, heartbeatFrequency).Round(time.Millisecond), pref.MaxStaleness)
	case len(pref.TagSets) > 0 && !slices.ContainsFunc(pref.TagSets, func(set concern.TagSet) bool { return hasTags(s, set) }):
		return fmt.Sprintf("has the tags %s", tagsText(s.Tags))
	case want.Filter != nil:
		return "was refused by the application's server selector"
	}
	return "fits"
}

func tagsText(set concern.TagSet) string {
	parts := make([]string, len(set))
	for i, tag := range set {
		parts[i] = tag.Name + ":" + tag.Value
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func tagSetsText(sets []concern.TagSet) string {
	parts := make([]string, len(sets))
	for i, set := range sets {
		parts[i] = tagsText(set)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
