package spectests

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/motor-go/motor/concern"
	"github.com/motor-go/motor/topology/description"
)

// Defaults of a client.
const (
	localThreshold     = 15 * time.Millisecond
	heartbeatFrequency = 10 * time.Second
)

// selectionFile is a fixture of server-selection or of max-staleness.
type selectionFile struct {
	Topology       topologyFixture       `json:"topology_description"`
	Operation      string                `json:"operation"`
	ReadPreference readPreferenceFixture `json:"read_preference"`
	Suitable       []serverFixture       `json:"suitable_servers"`
	InWindow       []serverFixture       `json:"in_latency_window"`
	Deprioritized  []serverFixture       `json:"deprioritized_servers"`
	Heartbeat      *int64                `json:"heartbeatFrequencyMS"`
	Error          bool                  `json:"error"`
}

type topologyFixture struct {
	Type    string          `json:"type"`
	Servers []serverFixture `json:"servers"`
}

type serverFixture struct {
	Address        string            `json:"address"`
	Type           string            `json:"type"`
	RTT            float64           `json:"avg_rtt_ms"`
	Tags           map[string]string `json:"tags"`
	LastUpdateTime int64             `json:"lastUpdateTime"`
	MaxWireVersion int32             `json:"maxWireVersion"`
	LastWrite      struct {
		LastWriteDate struct {
			Number int64 `json:"$numberLong,string"`
		} `json:"lastWriteDate"`
	} `json:"lastWrite"`
}

type readPreferenceFixture struct {
	Mode         string              `json:"mode"`
	TagSets      []map[string]string `json:"tag_sets"`
	MaxStaleness *int64              `json:"maxStalenessSeconds"`
}

func runServerSelection(t T, f File) {
	var test selectionFile
	f.Decode(t, &test)
	topology := test.Topology.topology(t)
	want := description.Selector{Write: test.Operation == "write", ReadPreference: test.ReadPreference.readPreference(t)}
	for _, s := range test.Deprioritized {
		want.Deprioritized = append(want.Deprioritized, s.Address)
	}
	heartbeat := heartbeatFrequency
	if test.Heartbeat != nil {
		heartbeat = time.Duration(*test.Heartbeat) * time.Millisecond
	}

	suitable, err := topology.Suitable(want, heartbeat)
	if test.Error {
		if err == nil {
			t.Errorf("%v selects %v, want an error", want, suitable)
		}
		return
	}
	if err != nil {
		t.Fatalf("%v: %v", want, err)
	}
	assertServers(t, "suitable", suitable, test.Suitable)
	inWindow, err := topology.Select(want, localThreshold, heartbeat)
	if err != nil {
		t.Fatalf("%v: %v", want, err)
	}
	assertServers(t, "in the window", inWindow, test.InWindow)
}

func assertServers(t T, what string, servers []*description.Server, expected []serverFixture) {
	t.Helper()
	var got, want []string
	for _, s := range servers {
		got = append(got, s.Addr)
	}
	for _, s := range expected {
		want = append(want, s.Address)
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s are %v, want %v", what, got, want)
	}
}

// inWindowFile is a fixture of the choice between servers in the window.
type inWindowFile struct {
	Description string          `json:"description"`
	Topology    topologyFixture `json:"topology_description"`
	State       []struct {
		Address    string `json:"address"`
		Operations int64  `json:"operation_count"`
	} `json:"mocked_topology_state"`
	Iterations int `json:"iterations"`
	Outcome    struct {
		Tolerance   float64            `json:"tolerance"`
		Frequencies map[string]float64 `json:"expected_frequencies"`
	} `json:"outcome"`
}

func runInWindow(t T, f File) {
	var test inWindowFile
	f.Decode(t, &test)
	operations := map[string]int64{}
	for _, s := range test.State {
		operations[s.Address] = s.Operations
	}
	want := description.Selector{ReadPreference: concern.ReadPreference{Mode: concern.Nearest}}
	servers, err := test.Topology.topology(t).Select(want, localThreshold, heartbeatFrequency)
	if err != nil {
		t.Fatalf("%v", err)
	}
	chosen := map[string]int{}
	random := rand.New(rand.NewPCG(1, 2))
	for range test.Iterations {
		i := description.Choose(len(servers), func(i int) int64 { return operations[servers[i].Addr] }, random.IntN)
		chosen[servers[i].Addr]++
	}
	for addr, expected := range test.Outcome.Frequencies {
		frequency := float64(chosen[addr]) / float64(test.Iterations)
		tolerance := test.Outcome.Tolerance
		if expected == 0 || expected == 1 {
			tolerance = 0
		}
		if math.Abs(frequency-expected) > tolerance {
			t.Errorf("%s is chosen with frequency %v, want %v±%v", addr, frequency, expected, tolerance)
		}
	}
}

func (f topologyFixture) topology(t T) description.Topology {
	var topology description.Topology
	for topology.Type.String() != f.Type {
		if topology.Type == description.LoadBalanced {
			t.Fatalf("unknown topology type %q", f.Type)
		}
		topology.Type++
	}
	for _, s := range f.Servers {
		topology.Servers = append(topology.Servers, s.server(t))
	}
	slices.SortFunc(topology.Servers, func(a, b description.Server) int { return strings.Compare(a.Addr, b.Addr) })
	return topology
}

func (f serverFixture) server(t T) description.Server {
	s := description.Server{
		Addr:           f.Address,
		RTT:            milliseconds(f.RTT),
		LastUpdateTime: time.UnixMilli(f.LastUpdateTime),
		LastWriteDate:  time.UnixMilli(f.LastWrite.LastWriteDate.Number),
		MaxWireVersion: f.MaxWireVersion,
		Tags:           tagSet(f.Tags),
	}
	for s.Type.String() != f.Type && f.Type != "PossiblePrimary" {
		if s.Type == description.LoadBalancer {
			t.Fatalf("unknown server type %q", f.Type)
		}
		s.Type++
	}
	return s
}

func (f readPreferenceFixture) readPreference(t T) concern.ReadPreference {
	var pref concern.ReadPreference
	if f.Mode != "" {
		mode, err := concern.ParseMode(f.Mode)
		if err != nil {
			t.Fatalf("%v", err)
		}
		pref.Mode = mode
	}
	for _, tags := range f.TagSets {
		pref.TagSets = append(pref.TagSets, tagSet(tags))
	}
	if f.MaxStaleness != nil {
		// No time at all cannot be asked for: it means no limit.
		pref.MaxStaleness = max(time.Duration(*f.MaxStaleness)*time.Second, time.Nanosecond)
	}
	return pref
}

func tagSet(tags map[string]string) (set concern.TagSet) {
	for name, value := range tags {
		set = append(set, concern.Tag{Name: name, Value: value})
	}
	return set
}
