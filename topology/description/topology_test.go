package description

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/motor-go/motor/bson"
)

func TestInitialType(t *testing.T) {
	for _, test := range []struct {
		config Config
		want   TopologyType
	}{
		{Config{Direct: true}, Single},
		{Config{Direct: true, SetName: "rs"}, Single},
		{Config{}, Unknown},
		{Config{SetName: "rs"}, ReplicaSetNoPrimary},
		{Config{LoadBalanced: true}, LoadBalanced},
	} {
		test.config.Seeds = []string{"B", "a:1", "b:27017"}
		topology := New(test.config)
		if topology.Type != test.want || len(topology.Servers) != 2 || topology.Servers[0].Addr != "a:1" || topology.Servers[1].Addr != "b:27017" {
			t.Errorf("%+v gives %v, want type %v", test.config, topology, test.want)
		}
	}
}

func TestCompatibilityError(t *testing.T) {
	for _, test := range []struct {
		low, high int32
		want      string
	}{
		{0, ClientMinWireVersion, ""},
		{ClientMaxWireVersion, 999, ""},
		{0, 5, "server at a:27017 reports wire version 5, but this version of motor requires at least 6 (MongoDB 3.6)"},
		{999, 1000, "server at a:27017 requires wire version 999, but this version of motor only supports up to 29"},
	} {
		topology := New(Config{Seeds: []string{"a"}}).Update(Server{Addr: "a:27017", Type: Standalone, MinWireVersion: test.low, MaxWireVersion: test.high})
		if got := errorText(topology.CompatibilityError); got != test.want {
			t.Errorf("wire versions %d to %d: %q, want %q", test.low, test.high, got, test.want)
		}
		if _, err := topology.Select(Selector{}, 0, 0); errorText(err) != test.want {
			t.Errorf("wire versions %d to %d: selection says %v, want %q", test.low, test.high, err, test.want)
		}
	}
}

func TestWithHosts(t *testing.T) {
	before := New(Config{Seeds: []string{"a", "b"}}).Update(Server{Addr: "a:27017", Type: Mongos, MaxWireVersion: 21})
	after := before.WithHosts([]string{"A", "c:1"})
	if got := after.String(); got != "Sharded [a:27017 Mongos; c:1 Unknown]" {
		t.Errorf("the topology becomes %s", got)
	}
	if len(before.Servers) != 2 || before.Servers[1].Addr != "b:27017" {
		t.Errorf("the topology before becomes %v", before)
	}
}

func TestDiff(t *testing.T) {
	from := New(Config{Seeds: []string{"a", "b"}, SetName: "rs"})
	to := from.Update(Server{Addr: "a:27017", Type: RSPrimary, SetName: "rs", Hosts: []string{"a:27017", "c:27017"}, MaxWireVersion: 21})
	c := Diff(from, to)
	if !c.Topology || len(c.Added) != 1 || c.Added[0].Addr != "c:27017" || len(c.Removed) != 1 || c.Removed[0].Addr != "b:27017" ||
		len(c.Changed) != 1 || c.Changed[0].Old.Type != Unknown || c.Changed[0].New.Type != RSPrimary {
		t.Errorf("changes: %+v", c)
	}
	again := to.Update(to.Servers[0])
	if c := Diff(to, again); c.Topology || c.Added != nil || c.Removed != nil || c.Changed != nil {
		t.Errorf("changes of nothing: %+v", c)
	}
}

// FuzzUpdate runs the state machine through histories and checks what must
// hold after every step.
func FuzzUpdate(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 0))
		config := Config{SetName: []string{"", "rs"}[random.IntN(2)], Direct: random.IntN(8) == 0, LoadBalanced: random.IntN(8) == 0}
		config.Seeds = []string{"a", "b", "c"}[:1+random.IntN(3)]
		if config.Direct || config.LoadBalanced {
			config.Seeds = config.Seeds[:1]
		}
		topology := New(config)
		for range 30 {
			s := randomServer(random)
			before, copied := topology, slices.Clone(topology.Servers)
			topology = topology.Update(s)
			if !slices.EqualFunc(before.Servers, copied, Server.Equal) {
				t.Fatalf("update with %v changed %v", s, before)
			}
			checkInvariants(t, before, s, topology)
		}
	})
}

func randomServer(random *rand.Rand) Server {
	host := func() string { return string(rune('a'+random.IntN(4))) + ":27017" }
	s := Server{Addr: host(), Type: ServerType(random.IntN(int(RSGhost) + 1))}
	if s.Type == Unknown {
		s.Error = errors.New("unreachable")
		return s
	}
	s.MaxWireVersion = int32(16 + random.IntN(3))
	s.LogicalSessionTimeoutMinutes = int32(random.IntN(3))
	s.TopologyVersion = TopologyVersion{bson.ObjectID{byte(random.IntN(2))}, random.Int64N(4)}
	if s.Type.replicaSetMember() {
		s.SetName = []string{"rs", "rs", "rs", "other"}[random.IntN(4)]
		s.Hosts = []string{host(), host(), s.Addr}[:1+random.IntN(3)]
		s.SetVersion = random.Int64N(3)
		s.ElectionID = bson.ObjectID{byte(random.IntN(3))}
		s.Me = []string{"", s.Addr, host()}[random.IntN(3)]
	}
	return s
}

func checkInvariants(t *testing.T, before Topology, s Server, after Topology) {
	t.Helper()
	primaries := 0
	for i, server := range after.Servers {
		if server.Type == RSPrimary {
			primaries++
		}
		if i > 0 && after.Servers[i-1].Addr >= server.Addr {
			t.Fatalf("servers are not in order: %v", after)
		}
		member := server.Type.replicaSetMember()
		switch {
		case after.Type == ReplicaSetNoPrimary && server.Type == RSPrimary,
			after.Type == Unknown && member,
			after.Type.ReplicaSet() && member && server.SetName != after.SetName,
			after.Type.ReplicaSet() && (server.Type == Standalone || server.Type == Mongos),
			// A ghost found before the first mongos stays until its next check.
			after.Type == Sharded && server.Type != Mongos && server.Type != Unknown && server.Type != RSGhost:
			t.Fatalf("%v has %v, after %v from %v", after, server, s, before)
		}
	}
	switch {
	case primaries > 1, after.Type == ReplicaSetWithPrimary && primaries != 1:
		t.Fatalf("%d primaries in %v, after %v from %v", primaries, after, s, before)
	case (before.Type == Single || before.Type == LoadBalanced) && (after.Type != before.Type || len(after.Servers) != len(before.Servers)),
		before.Type == Sharded && after.Type != Sharded,
		before.Type.ReplicaSet() && !after.Type.ReplicaSet():
		t.Fatalf("%v becomes %v by %v", before, after, s)
	}
}

func FuzzParseHello(f *testing.F) {
	f.Add([]byte(document(integer("ok", 1), array("hosts", "a"), topologyVersion(1, 1), embedded("tags", text("a", "b")))))
	f.Add([]byte("\x05\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, reply []byte) {
		s := ParseHello("a:27017", reply, RoundTripTimes{}, randomTime)
		if (s.Type == Unknown) != (s.Error != nil) || s.Addr != "a:27017" {
			t.Errorf("%v from %q", s, reply)
		}
		New(Config{Seeds: []string{"a"}}).Update(s)
	})
}

func TestManyServersStayInOrder(t *testing.T) {
	var seeds []string
	for i := range 50 {
		seeds = append(seeds, "h"+strconv.Itoa(i))
	}
	topology := New(Config{Seeds: seeds})
	if !slices.IsSortedFunc(topology.Servers, func(a, b Server) int { return strings.Compare(a.Addr, b.Addr) }) || len(topology.Servers) != 50 {
		t.Errorf("%v", topology)
	}
	if _, ok := topology.Server("h49:27017"); !ok {
		t.Error("a server is not found")
	}
}
