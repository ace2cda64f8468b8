package description

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor/concern"
)

var randomTime = time.UnixMilli(1_700_000_000_000)

// set is a replica set with a primary a, secondaries b and c, an arbiter d and
// an unreachable e.
func set() Topology {
	member := func(addr string, t ServerType) Server {
		return Server{
			Addr: addr + ":27017", Type: t, SetName: "rs", MaxWireVersion: 21, RTT: 5 * time.Millisecond,
			LastUpdateTime: randomTime, LastWriteDate: randomTime,
		}
	}
	t := New(Config{Seeds: []string{"a", "b", "c", "d", "e"}, SetName: "rs"})
	primary := member("a", RSPrimary)
	for _, s := range t.Servers {
		primary.Hosts = append(primary.Hosts, s.Addr)
	}
	lagging := member("c", RSSecondary)
	lagging.LastWriteDate = randomTime.Add(-5 * time.Minute)
	lagging.Tags = concern.TagSet{{Name: "dc", Value: "ny"}}
	for _, s := range []Server{primary, member("b", RSSecondary), lagging, member("d", RSArbiter), {Addr: "e:27017", Error: errors.New("connection refused")}} {
		t = t.Update(s)
	}
	return t
}

func addrs(servers []*Server) (list []string) {
	for _, s := range servers {
		list = append(list, strings.TrimSuffix(s.Addr, ":27017"))
	}
	return list
}

func TestSelectorBeyondTheFixtures(t *testing.T) {
	nearest := concern.ReadPreference{Mode: concern.Nearest}
	highest := func(servers []*Server) []*Server { return servers[len(servers)-1:] }
	old := set().Update(Server{Addr: "b:27017", Type: RSSecondary, SetName: "rs", MaxWireVersion: 9})
	for _, test := range []struct {
		name     string
		topology Topology
		want     Selector
		expected []string
	}{
		{"by address", set(), Selector{Addr: "d:27017"}, []string{"d"}},
		{"by the address of a server that is down", set(), Selector{Addr: "e:27017"}, nil},
		{"the application's filter", set(), Selector{ReadPreference: nearest, Filter: highest}, []string{"c"}},
		{"a filter that gets nothing", New(Config{Seeds: []string{"a"}}), Selector{Filter: highest}, nil},
		{"write stage", set(), Selector{ReadPreference: nearest, WriteStage: true}, []string{"a", "b", "c"}},
		{"write stage with a server before 5.0", old, Selector{ReadPreference: nearest, WriteStage: true}, []string{"a"}},
		{"all deprioritized", set(), Selector{Write: true, Deprioritized: []string{"a:27017"}}, []string{"a"}},
	} {
		got, err := test.topology.Select(test.want, time.Second, 10*time.Second)
		if err != nil || !slices.Equal(addrs(got), test.expected) {
			t.Errorf("%s: %v, %v, want %v", test.name, addrs(got), err, test.expected)
		}
	}
}

func TestInWindow(t *testing.T) {
	servers := []*Server{{Addr: "a", RTT: 20}, {Addr: "b", RTT: 5}, {Addr: "c", RTT: 15}}
	if got := addrs(InWindow(servers, 10)); !slices.Equal(got, []string{"b", "c"}) {
		t.Errorf("in the window are %v", got)
	}
	if got := addrs(InWindow(servers, 0)); !slices.Equal(got, []string{"b"}) {
		t.Errorf("in a window of no width are %v", got)
	}
}

func TestChooseComparesTwoDifferentServers(t *testing.T) {
	operations := []int64{3, 1, 2}
	for first := range 3 {
		for second := range 2 {
			draws := []int{first, second}
			random := func(n int) int {
				draw := draws[0]
				draws = draws[1:]
				return draw
			}
			i := Choose(3, func(i int) int64 { return operations[i] }, random)
			other := second
			if other >= first {
				other++
			}
			if operations[i] != min(operations[first], operations[other]) {
				t.Errorf("of %d and %d, %d is chosen", first, other, i)
			}
		}
	}
}

func TestReadableAndWritable(t *testing.T) {
	heartbeat := 10 * time.Second
	secondary := concern.ReadPreference{Mode: concern.Secondary}
	noPrimary := set().Update(Server{Addr: "a:27017"})
	for _, test := range []struct {
		name                          string
		topology                      Topology
		primary, secondary, writables bool
	}{
		{"unknown", New(Config{Seeds: []string{"a"}}), false, false, false},
		{"single", New(Config{Seeds: []string{"a"}, Direct: true}).Update(Server{Addr: "a:27017", Type: RSSecondary, MaxWireVersion: 21}), true, true, true},
		{"single, down", New(Config{Seeds: []string{"a"}, Direct: true}), false, false, false},
		{"with primary", set(), true, true, true},
		{"without primary", noPrimary, false, true, false},
		{"sharded", New(Config{Seeds: []string{"a"}}).Update(Server{Addr: "a:27017", Type: Mongos, MaxWireVersion: 21}), true, true, true},
		{"load balanced", New(Config{Seeds: []string{"a"}, LoadBalanced: true}).Update(Server{Addr: "a:27017", Type: LoadBalancer}), true, true, true},
	} {
		if got := test.topology.HasReadableServer(concern.ReadPreference{}, heartbeat); got != test.primary {
			t.Errorf("%s: readable by primary: %v", test.name, got)
		}
		if got := test.topology.HasReadableServer(secondary, heartbeat); got != test.secondary {
			t.Errorf("%s: readable by secondary: %v", test.name, got)
		}
		if got := test.topology.HasWritableServer(); got != test.writables {
			t.Errorf("%s: writable: %v", test.name, got)
		}
	}
}

func TestWhyNot(t *testing.T) {
	heartbeat := 10 * time.Second
	topology := set().Update(Server{Addr: "a:27017", Error: errors.New("connection reset")})
	for _, test := range []struct {
		want     Selector
		expected string
	}{
		{
			Selector{Write: true},
			"a:27017 Unknown: connection reset; b:27017 RSSecondary: is not the primary; c:27017 RSSecondary: is not the primary; " +
				"d:27017 RSArbiter: holds no data to read or write; e:27017 Unknown: connection refused",
		},
		{
			Selector{ReadPreference: concern.ReadPreference{Mode: concern.Secondary, MaxStaleness: 2 * time.Minute, TagSets: []concern.TagSet{{{Name: "dc", Value: "sf"}}}}},
			"b:27017 RSSecondary: has the tags {}; c:27017 RSSecondary: lags by 5m10s, more than 2m0s",
		},
		{Selector{Addr: "f:27017"}, "b:27017 RSSecondary: is another server"},
	} {
		if got := topology.WhyNot(test.want, heartbeat); !strings.Contains(got, test.expected) {
			t.Errorf("%v: %s\nwant %s", test.want, got, test.expected)
		}
	}
}

func TestSelectorString(t *testing.T) {
	want := Selector{ReadPreference: concern.ReadPreference{
		Mode: concern.Nearest, MaxStaleness: 2 * time.Minute,
		TagSets: []concern.TagSet{{{Name: "dc", Value: "ny"}, {Name: "rack", Value: "1"}}, {}},
	}}
	if got := want.String(); got != "a read with read preference nearest, tag sets [{dc:ny, rack:1}, {}], maxStalenessSeconds 120" {
		t.Errorf("%s", got)
	}
}
