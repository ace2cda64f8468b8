package motor_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/knobs"
	"github.com/motor-go/motor/mongotest"
	"github.com/motor-go/motor/mongotest/dnstest"
)

// stages are the commands whose replies are spoilt: of monitors and handshakes,
// of logins, and of operations.
var stages = []string{"hello", "saslStart", "saslContinue", "insert", "find", "getMore", "ping"}

// hostileCase is a client that meets a liar.
type hostileCase struct {
	stage, spoiler string
	compressor     string
	seed           uint64
}

func (c hostileCase) String() string {
	return fmt.Sprintf("stage %s, reply %s, compressor %q, seed %d", c.stage, c.spoiler, c.compressor, c.seed)
}

// logsIn reports whether the stage is one of a login, which takes its time.
func (c hostileCase) logsIn() bool { return strings.HasPrefix(c.stage, "sasl") }

// connect makes a client of the liar's that does not wait for long.
func (c hostileCase) connect(l *liar) (*motor.Client, error) {
	ctx := knobs.With(context.Background(), knobs.Knobs{HeartbeatFrequency: 50 * time.Millisecond, MinHeartbeatFrequency: 5 * time.Millisecond})
	uri := "mongodb://" + l.address() + "/?directConnection=true&connectTimeoutMS=300&serverSelectionTimeoutMS=400"
	if c.logsIn() {
		uri = credentials("mongodb://@"+l.address()+"/", rootName, rootPassword, "") +
			"?directConnection=true&connectTimeoutMS=1000&serverSelectionTimeoutMS=400"
	}
	if c.compressor != "" {
		uri += "&compressors=" + c.compressor
	}
	return motor.Connect(ctx, uri)
}

// use does a bit of everything, each for a short time.
func use(client *motor.Client, seed uint64) (failures []error) {
	c := client.Database("db").Collection(fmt.Sprint("c", seed))
	for _, operation := range []func(context.Context) error{
		func(ctx context.Context) error {
			_, err := c.InsertMany(ctx, []bson.D{{{Key: "x", Value: 1}}, {{Key: "x", Value: 2}}, {{Key: "x", Value: 3}}})
			return err
		},
		func(ctx context.Context) error {
			_, err := c.Find(ctx, bson.D{}, motor.FindOptions{BatchSize: new(int32(2))}).Slice()
			return err
		},
		func(ctx context.Context) error { return client.Ping(ctx, nil) },
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		if err := operation(ctx); err != nil {
			failures = append(failures, err)
		}
		cancel()
	}
	return failures
}

// run has a client suffer, and then work when the liar has become honest. It
// says how many lies there were.
func (c hostileCase) run(server string) (lies int64, err error) {
	l, err := startLiar(server, c.stage, c.seed, spoilers[c.spoiler])
	if err != nil {
		return 0, err
	}
	defer l.close()
	client, err := c.connect(l)
	if err != nil {
		return 0, err
	}
	defer client.Close(context.Background())
	for _, err := range use(client, c.seed) {
		var refused *motor.WriteError // what the server says of a statement
		if !errors.As(err, &refused) && !strings.Contains(err.Error(), l.address()) {
			return 0, fmt.Errorf("the error does not name the server: %w", err)
		}
	}
	l.honest.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for err := errors.New("no ping"); err != nil && ctx.Err() == nil; {
		err = client.Ping(ctx, nil)
	}
	if ctx.Err() != nil {
		return 0, errors.New("there is no way back to the server")
	}
	if err := client.Close(ctx); err != nil {
		return 0, fmt.Errorf("close: %w", err)
	}
	for ; l.open.Load() > 0 && ctx.Err() == nil; time.Sleep(time.Millisecond) {
	}
	if n := l.open.Load(); n > 0 {
		return 0, fmt.Errorf("%d connections are left after Close", n)
	}
	return l.lies.Load(), nil
}

// noDriverGoroutines waits for all to end.
func noDriverGoroutines(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		left := driverGoroutines()
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines are left, among them\n%s", len(left), left[0])
		}
	}
}

// hostileRounds is how many cases TestHostileReplies has: MOTOR_HOSTILE_CASES,
// or each reply in a few stages.
func hostileRounds(t *testing.T) int {
	if s := os.Getenv("MOTOR_HOSTILE_CASES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("MOTOR_HOSTILE_CASES: %v", err)
		}
		return n
	}
	return 3 * len(spoilers)
}

const hostileWorkers = 4

// memoryBound is what the clients of TestHostileReplies may take at any time:
// each a message of the greatest length and what it was packed in, twice for
// the collector.
const memoryBound = hostileWorkers * 2 * 2 * 48 << 20

// MOTOR_HOSTILE_SEED repeats a run, MOTOR_HOSTILE_CASES makes it longer.
func TestHostileReplies(t *testing.T) {
	seed := rand.Uint64()
	if s := os.Getenv("MOTOR_HOSTILE_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("MOTOR_HOSTILE_SEED: %v", err)
		}
	}
	open := mongotest.NewStandalone(t, mongotest.Options{})
	closed := mongotest.NewStandalone(t, mongotest.Options{Username: rootName, Password: rootPassword})
	// One that knows no speculative authentication.
	old := mongotest.NewStandalone(t, mongotest.Options{Version: "4.2", Username: rootName, Password: rootPassword})
	names := slices.Sorted(maps.Keys(spoilers))
	cases := make(chan hostileCase)
	var wg sync.WaitGroup
	var mu sync.Mutex
	lies := make(map[string]int64) // by stage
	for range hostileWorkers {
		wg.Go(func() {
			for c := range cases {
				server := open
				switch c.stage {
				case "saslStart":
					server = old
				case "saslContinue":
					server = closed
				}
				n, err := c.run(server.Address())
				if err != nil {
					t.Errorf("%v (MOTOR_HOSTILE_SEED=%d): %v", c, seed, err)
				}
				mu.Lock()
				lies[c.stage] += n
				mu.Unlock()
			}
		})
	}
	random := rand.New(rand.NewPCG(seed, 0))
	rounds := hostileRounds(t)
	var peak uint64
	for i := range rounds {
		cases <- hostileCase{
			stage:      stages[random.IntN(len(stages))],
			spoiler:    names[i%len(names)],
			compressor: []string{"", "snappy", "zlib", "zstd"}[random.IntN(4)],
			seed:       random.Uint64(),
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
	}
	close(cases)
	wg.Wait()
	noDriverGoroutines(t)
	t.Logf("%d cases, seed %d, replies spoilt %v, peak of the heap %d MB", rounds, seed, lies, peak>>20)
	for _, stage := range stages {
		if lies[stage] == 0 {
			t.Errorf("no reply to %s was spoilt", stage)
		}
	}
	if peak > memoryBound {
		t.Errorf("the heap grew to %d MB", peak>>20)
	}
}

// What a peer only announces takes no memory, and what it packs takes no more
// than the longest message.
func TestHostileRepliesTakeLittleMemory(t *testing.T) {
	server := mongotest.NewStandalone(t, mongotest.Options{})
	bombs()
	for name, bound := range map[string]uint64{
		"announced and never sent":              16 << 20,
		"of another length":                     16 << 20,
		"a small thing that tells a large size": 16 << 20,
		"a bomb that hides its size":            16 << 20,
		"without end":                           16 << 20,
		"a bomb that tells its size":            40 << 20,
	} {
		l, err := startLiar(server.Address(), "ping", 1, spoilers[name])
		if err != nil {
			t.Fatal(err)
		}
		c := hostileCase{stage: "ping", compressor: "zlib"}
		client, err := c.connect(l)
		if err != nil {
			t.Fatal(err)
		}
		l.honest.Store(true)
		if err := client.Ping(bounded(t), nil); err != nil {
			t.Fatal(err)
		}
		l.honest.Store(false)
		gc := debug.SetGCPercent(-1) // so that the heap only grows
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		err = client.Ping(ctx, nil)
		cancel()
		runtime.ReadMemStats(&after)
		debug.SetGCPercent(gc)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > bound {
			t.Errorf("%s: it took %d kB, want %d at most", name, took>>10, bound>>10)
		}
		client.Close(bounded(t))
		l.close()
	}
}

// A server that takes connections and says nothing gets no more than a few.
func TestSlowLorisGetsFewConnections(t *testing.T) {
	locked := mongotest.NewStandalone(t, mongotest.Options{Username: rootName, Password: rootPassword})
	free := mongotest.NewStandalone(t, mongotest.Options{})
	for stage, server := range map[string]*mongotest.Standalone{"hello": free, "saslContinue": locked, "ping": free} {
		l, err := startLiar(server.Address(), stage, 1, spoilers["a byte at a time"])
		if err != nil {
			t.Fatal(err)
		}
		client, err := hostileCase{stage: stage}.connect(l)
		if err != nil {
			t.Fatal(err)
		}
		const callers, each = 64, 300 * time.Millisecond
		start := time.Now()
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), each)
				defer cancel()
				if err := client.Ping(ctx, nil); err == nil || !strings.Contains(err.Error(), l.address()) {
					t.Errorf("stage %s: %v", stage, err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took > patience/2 {
			t.Errorf("stage %s: the callers waited %v", stage, took)
		}
		// Two are established at a time, and monitors have two.
		if n := l.total.Load(); stage != "ping" && n > 40 {
			t.Errorf("stage %s: %d connections were made for %d callers", stage, n, callers)
		} else if n > callers+4 {
			t.Errorf("stage %s: %d connections were made for %d callers", stage, n, callers)
		}
		client.Close(bounded(t))
		l.close()
	}
	noDriverGoroutines(t)
}

// A mongos that lies does not keep the client from one that does not.
func TestAnotherServerIsUsedInstead(t *testing.T) {
	cluster := mongotest.NewSharded(t, mongotest.Options{})
	good := cluster.Routers[1].Address()
	for _, stage := range []string{"hello", "find"} {
		for _, name := range []string{"reset", "truncated", "random bytes", "of another request", "HTTP"} {
			l, err := startLiar(cluster.Routers[0].Address(), stage, 1, spoilers[name])
			if err != nil {
				t.Fatal(err)
			}
			client, err := motor.Connect(t.Context(), "mongodb://"+l.address()+","+good+"/?connectTimeoutMS=500")
			if err != nil {
				t.Fatal(err)
			}
			await(t, "a lie", func() bool { return stage != "hello" || l.lies.Load() > 0 })
			for range 10 {
				if _, err := client.Database("db").Collection("c").Find(bounded(t), nil).Slice(); err != nil {
					t.Errorf("%s after %s: %v", name, stage, err)
				}
			}
			client.Close(bounded(t))
			l.close()
		}
	}
	noDriverGoroutines(t)
}

// DNS answers that lie lead to a clear error or to hosts of the domain, never
// elsewhere.
func TestLyingDNS(t *testing.T) {
	const name = "cluster.motor.test"
	srv := func(ttl int, port int, target string) string {
		return fmt.Sprintf("_mongodb._tcp.%s. %d IN SRV 0 0 %d %s", name, ttl, port, target)
	}
	many := make([]string, 500)
	for i := range many {
		many[i] = srv(0, 27017, fmt.Sprintf("n%d.motor.test.", i))
	}
	for title, tt := range map[string]struct {
		records []string
		respond dnstest.Responder
		want    string // in the error; empty if there may be none
	}{
		"another domain":         {records: []string{srv(60, 27017, "evil.example.")}, want: "evil.example"},
		"a parent":               {records: []string{srv(60, 27017, "test.")}, want: "test"},
		"a look-alike":           {records: []string{srv(60, 27017, "evilmotor.test.")}, want: "evilmotor.test"},
		"one of two":             {records: []string{srv(60, 27017, "a.motor.test."), srv(60, 27017, "evil.example.")}, want: "evil.example"},
		"an address":             {records: []string{srv(60, 27017, "127.0.0.1.")}, want: "127.0.0.1"},
		"port 0":                 {records: []string{srv(60, 0, "a.motor.test.")}, want: "a.motor.test:0"},
		"no service":             {records: []string{srv(60, 0, ".")}, want: name},
		"strange bytes":          {records: []string{srv(60, 27017, `a\000\255\.b.motor.test.`)}, want: name},
		"a circle":               {records: []string{"_mongodb._tcp." + name + ". 60 IN CNAME x.test.", "x.test. 60 IN CNAME _mongodb._tcp." + name + "."}, want: name},
		"an option that weakens": {records: []string{srv(60, 27017, "a.motor.test."), name + `. 60 IN TXT "tls=false"`}, want: "tls"},
		"two TXT records":        {records: []string{srv(60, 27017, "a.motor.test."), name + `. 60 IN TXT "replicaSet=a"`, name + `. 60 IN TXT "replicaSet=b"`}, want: name},
		"very many":              {records: many},
		"the longest life":       {records: []string{srv(1<<31-1, 27017, "a.motor.test.")}},
		"another question": {respond: func(_ string, q *dns.Msg) *dns.Msg {
			answer := new(dns.Msg).SetReply(q)
			answer.Question[0].Name = "evil.example."
			return answer
		}, want: name},
		"always cut off": {respond: func(_ string, q *dns.Msg) *dns.Msg {
			answer := new(dns.Msg).SetReply(q)
			answer.Truncated = true
			return answer
		}, want: name},
		"refused": {respond: func(_ string, q *dns.Msg) *dns.Msg { return new(dns.Msg).SetRcode(q, dns.RcodeRefused) }, want: name},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			server, err := dnstest.Start(tt.records...)
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			if tt.respond != nil {
				server.Respond(tt.respond)
			}
			ctx := knobs.With(t.Context(), knobs.Knobs{DNSTimeout: time.Second})
			client, err := motor.Connect(ctx, "mongodb+srv://"+name+"/?tls=false&srvMaxHosts=3&serverSelectionTimeoutMS=10", motor.ClientOptions{
				DNS: []string{server.Addr()},
				Dial: func(_ context.Context, _, address string) (net.Conn, error) {
					if !strings.HasSuffix(address, ".motor.test:27017") {
						t.Errorf("the client dials %s", address)
					}
					return nil, errors.New("the test refuses")
				},
			})
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if client != nil {
				client.Ping(bounded(t), nil)
				client.Close(bounded(t))
			}
		})
	}
}
