package spectests

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/mongotest"
	"github.com/motor-go/motor/topology/description"
)

// finds are the servers that find commands went to, and the commands.
type finds struct {
	mu       sync.Mutex
	servers  map[string]int
	commands []bson.Raw
}

func (f *finds) observer() *event.Observer {
	return &event.Observer{CommandStarted: func(e *event.CommandStarted) {
		if e.CommandName != "find" {
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.servers == nil {
			f.servers = map[string]int{}
		}
		f.servers[e.Address]++
		f.commands = append(f.commands, e.Command.Raw().Clone())
	}}
}

// findMany has 10 goroutines find n times each, and says which servers they
// asked.
func (f *finds) findMany(t T, client *motor.Client, n int) map[string]int {
	t.Helper()
	f.mu.Lock()
	f.servers = nil
	f.mu.Unlock()
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range n {
				if _, err := client.Database("test").Collection("test").FindOne(t.Context(), bson.D{}); !errors.Is(err, motor.ErrNoDocuments) {
					t.Errorf("%v", err)
				}
			}
		})
	}
	wg.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.servers
}

// connectMongos makes a client of servers of a sharded cluster.
func connectMongos(t T, servers map[string]*fakeServer, options string, f *finds) *motor.Client {
	t.Helper()
	var seeds []string
	for address := range servers {
		seeds = append(seeds, address)
	}
	client, err := motor.Connect(t.Context(), "mongodb://"+strings.Join(seeds, ",")+"/?"+options, motor.ClientOptions{
		Observer: f.observer(),
		Dial:     func(ctx context.Context, _, address string) (net.Conn, error) { return servers[address].dial(ctx) },
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { client.Close(context.Background()) })
	return client
}

// proseServerSelection runs the prose tests of server-selection-tests.md.
func proseServerSelection(t T) {
	t.Run("operationCount-based selection", func(t T) {
		// Both take the time of a network, in which goroutines change places.
		slow := &fakeServer{mongos: true, failPoint: blockFinds(2)}
		var f finds
		client := connectMongos(t, map[string]*fakeServer{"a:1": {mongos: true, failPoint: blockFinds(2)}, "b:2": slow},
			"localThresholdMS=30000&minPoolSize=10&maxPoolSize=10", &f)
		full := func(s motor.ServerStats) bool { return s.Pool.Available == 10 }
		for deadline := time.Now().Add(patience); len(client.Stats()) < 2 || !full(client.Stats()[0]) || !full(client.Stats()[1]); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the pools are not full: %+v", client.Stats())
			}
		}
		slow.set(blockFinds(500))
		if n := f.findMany(t, client, 10); n["b:2"] >= 25 {
			t.Errorf("the slow mongos was selected %d times out of 100", n["b:2"])
		}
		slow.set(blockFinds(2))
		if n := f.findMany(t, client, 100); n["a:1"] < 400 || n["b:2"] < 400 {
			t.Errorf("the mongos were selected %v times out of 1000", n)
		}
	})
	t.Run("application-provided server selector", func(t T) {
		set, err := mongotest.StartReplicaSet(mongotest.Options{})
		if err != nil {
			t.Fatalf("%v", err)
		}
		t.Cleanup(set.Close)
		highest := func(suitable []*description.Server) []*description.Server {
			return []*description.Server{slices.MaxFunc(suitable, func(a, b *description.Server) int { return strings.Compare(port(a.Addr), port(b.Addr)) })}
		}
		var f finds
		client, err := motor.Connect(t.Context(), set.URI()+"&readPreference=nearest", motor.ClientOptions{Observer: f.observer(), ServerSelector: highest})
		if err != nil {
			t.Fatalf("%v", err)
		}
		t.Cleanup(func() { client.Close(context.Background()) })
		for deadline := time.Now().Add(patience); !known(client.Topology()); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("not all members are known: %v", client.Topology())
			}
		}
		want := ""
		for _, node := range set.Nodes {
			if want == "" || port(node.Address()) > port(want) {
				want = node.Address()
			}
		}
		if n := f.findMany(t, client, 1); len(n) != 1 || n[want] != 10 {
			t.Errorf("the finds went to %v, wanted all at %s", n, want)
		}
	})
	t.Run("passing a read preference to mongos", func(t T) {
		for options, want := range map[string]string{
			"readPreference=primary":                                   ``,
			"readPreference=primaryPreferred":                          `{"mode":"primaryPreferred"}`,
			"readPreference=secondary":                                 `{"mode":"secondary"}`,
			"readPreference=secondaryPreferred":                        `{"mode":"secondaryPreferred"}`,
			"readPreference=secondaryPreferred&readPreferenceTags=a:b": `{"mode":"secondaryPreferred","tags":[{"a":"b"}]}`,
			"readPreference=nearest":                                   `{"mode":"nearest"}`,
		} {
			wantReadPreference(t, options, want)
		}
	})
}

// wantReadPreference checks what the find command of a client with the options
// says to a mongos.
func wantReadPreference(t T, options, want string) {
	t.Helper()
	var f finds
	client := connectMongos(t, map[string]*fakeServer{"a:1": {mongos: true}}, options, &f)
	if _, err := client.Database("test").Collection("test").FindOne(t.Context(), bson.D{}); !errors.Is(err, motor.ErrNoDocuments) {
		t.Errorf("%v", err)
	}
	got := ""
	if doc, ok := f.commands[0].Lookup("$readPreference").Document(); ok {
		got = doc.String()
	}
	if strings.ReplaceAll(got, " ", "") != want {
		t.Errorf("with %s the read preference is %s, wanted %s", options, got, want)
	}
}

// known reports whether all servers have been found.
func known(t description.Topology) bool {
	return len(t.Servers) > 0 && !slices.ContainsFunc(t.Servers, func(s description.Server) bool { return s.Type == description.Unknown })
}

// port is that of an address, in a form that sorts as numbers do.
func port(address string) string {
	_, p, _ := net.SplitHostPort(address)
	return strings.Repeat("0", 5-len(p)) + p
}

// blockFinds is a fail point that blocks find commands.
func blockFinds(milliseconds int) (f failPoint) {
	f.Mode = "alwaysOn"
	f.Data.FailCommands = []string{"find"}
	f.Data.BlockConnection = true
	f.Data.BlockTimeMS = milliseconds
	return f
}
