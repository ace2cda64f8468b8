package motor_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/internal/knobs"
)

// The prose tests of retryable-reads/tests and retryable-writes/tests, by their
// numbers.

// poolCleared has two operations on one connection, of which the first closes
// the pool for the other.
func poolCleared(t *testing.T, command string, data bson.D, operation func(*lab, *collection) error) {
	inReplicaSet(t, func(l *lab) {
		client, tr := l.connect("maxPoolSize=1", "retryReads=true", "retryWrites=true", "heartbeatFrequencyMS=10000")
		data = append(data, d("failCommands", bson.A{command}, "errorCode", 91, "blockConnection", true, "blockTimeMS", 1000)...)
		l.ok(failPoint(client, times(1), data))
		tr.forget()
		coll := client.Database("db").Collection("c")
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if err := operation(l, coll); err != nil {
					l.Error(err)
				}
			})
		}
		wg.Wait()
		const want = "checked out, cleared, check-out failed, checked out, checked out"
		if got := tr.order("checked out", "check-out failed", "cleared"); got != want {
			l.Errorf("pool events: %s; want %s", got, want)
		}
		if n := len(tr.of("started", command)); n != 3 {
			l.Errorf("%d commands were started, want 3", n)
		}
	})
}

func TestRetryableReadsProse1PoolCleared(t *testing.T) {
	poolCleared(t, "find", nil, func(l *lab, c *collection) error { return find(l, c) })
}

func TestRetryableWritesProse1MMAPv1(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		server := answering(l, func(address string, command bson.Raw) bson.D {
			if !command.Lookup("insert").IsZero() {
				return d("ok", 0, "code", 20, "codeName", "IllegalOperation", "errmsg", "Transaction numbers are only allowed on a replica set member or mongos")
			}
			return append(greeting, d("setName", "rs", "hosts", bson.A{address}, "logicalSessionTimeoutMinutes", 30)...)
		})
		client, tr := l.connectTo("mongodb://"+server+"/?replicaSet=rs", knobs.Knobs{}, "retryWrites=true")
		err := insert(l, client.Database("db").Collection("c"))
		var command *motor.CommandError
		if !errors.As(err, &command) || command.Code != 20 ||
			command.Message != "This MongoDB deployment does not support retryable writes. Please add retryWrites=false to your connection string." {
			l.Errorf("the insert gave %v, want error 20 and the specification's message", err)
		}
		if tr.last(l.T).Lookup("txnNumber").IsZero() {
			l.Errorf("%v is no retryable write", tr.last(l.T))
		}
	})
}

func TestRetryableWritesProse2PoolCleared(t *testing.T) {
	poolCleared(t, "insert", d("errorLabels", bson.A{"RetryableWriteError"}), func(l *lab, c *collection) error { return insert(l, c) })
}

// onMongoses fails an operation on each of the routers that are given, and says
// on which of them it failed and succeeded.
func onMongoses(l *lab, uri string, data bson.D, command string, operation func(*lab, *collection) error, routers int) (failed, succeeded []sign, err error) {
	for _, n := range l.nodes[:routers] {
		s, _ := l.connectTo("mongodb://"+n.Address()+"/", knobs.Knobs{})
		l.ok(failPoint(s, times(1), append(d("failCommands", bson.A{command}, "errorCode", 6), data...)))
	}
	client, tr := l.connectTo(uri, knobs.Knobs{}, "retryReads=true", "retryWrites=true")
	l.ok(client.Ping(l.Context(), nil))
	for len(client.Stats()) < routers {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(time.Second) // both routers are known by now
	err = operation(l, client.Database("db").Collection("c"))
	return tr.of("failed", command), tr.of("succeeded", command), err
}

func onDifferentMongos(t *testing.T, data bson.D, command string, operation func(*lab, *collection) error) {
	for range 5 {
		inCluster(t, func(l *lab) {
			failed, _, err := onMongoses(l, l.uri, data, command, operation, 2)
			if err == nil || len(failed) != 2 || failed[0].address == failed[1].address {
				l.Errorf("failed on %v with %v, want a failure on each mongos", failed, err)
			}
		})
	}
}

func onSameMongos(t *testing.T, data bson.D, command string, operation func(*lab, *collection) error) {
	inCluster(t, func(l *lab) {
		failed, succeeded, err := onMongoses(l, "mongodb://"+l.nodes[0].Address()+"/?directConnection=false", data, command, operation, 1)
		if err != nil || len(failed) != 1 || len(succeeded) != 1 || failed[0].address != succeeded[0].address {
			l.Errorf("failed on %v, succeeded on %v, error %v", failed, succeeded, err)
		}
	})
}

func TestRetryableReadsProse2_1OnADifferentMongos(t *testing.T) {
	onDifferentMongos(t, nil, "find", find)
}

func TestRetryableReadsProse2_2OnTheSameMongos(t *testing.T) {
	onSameMongos(t, nil, "find", find)
}

func TestRetryableWritesProse4OnADifferentMongos(t *testing.T) {
	onDifferentMongos(t, d("errorLabels", bson.A{"RetryableWriteError"}), "insert", insert)
}

func TestRetryableWritesProse5OnTheSameMongos(t *testing.T) {
	onSameMongos(t, d("errorLabels", bson.A{"RetryableWriteError"}, "closeConnection", true), "insert", insert)
}

func TestRetryableReadsProse3InAReplicaSet(t *testing.T) {
	overload := bson.A{"RetryableError", "SystemOverloadedError"}
	for name, c := range map[string]struct {
		options []string
		labels  bson.A
		same    bool
	}{
		"3.1 overload with retargeting":    {[]string{"enableOverloadRetargeting=true"}, overload, false},
		"3.2 other errors":                 {nil, bson.A{"RetryableError"}, true},
		"3.3 overload without retargeting": {nil, overload, true},
	} {
		t.Run(name, func(t *testing.T) {
			inReplicaSet(t, func(l *lab) {
				client, tr := l.connect(append(c.options, "retryReads=true", "readPreference=primaryPreferred")...)
				l.ok(failPoint(client, times(1), d("failCommands", bson.A{"find"}, "errorLabels", c.labels, "errorCode", 6)))
				time.Sleep(time.Second) // all servers are known by now
				tr.forget()
				l.ok(find(l, client.Database("db").Collection("c")))
				failed, succeeded := tr.of("failed"), tr.of("succeeded")
				if len(failed) != 1 || len(succeeded) != 1 || (failed[0].address == succeeded[0].address) != c.same {
					l.Errorf("failed on %v, succeeded on %v", failed, succeeded)
				}
			})
		})
	}
}

// mixed is a command that fails with one overload error and then with others
// that have the labels of what can be retried.
type mixed struct {
	command   string
	operation func(*lab, *collection) error
	labels    bson.A
}

var (
	mixedRead  = mixed{"find", find, bson.A{"RetryableError"}}
	mixedWrite = mixed{"insert", insert, bson.A{"RetryableError", "RetryableWriteError"}}
)

// run gives the number of attempts and the time they took.
func (m mixed) run(l *lab, jitter float64) (attempts int, took time.Duration) {
	setter, _ := l.connect()
	client, tr := l.connectTo(l.uri, knobs.Knobs{Jitter: func() float64 { return jitter }}, "retryReads=true", "retryWrites=true", "heartbeatFrequencyMS=500")
	data := func(labels bson.A) bson.D {
		return d("failCommands", bson.A{m.command}, "errorLabels", labels, "errorCode", 91)
	}
	var once sync.Once
	tr.failed = func(*event.CommandFailed) {
		once.Do(func() { l.ok(failPoint(setter, "alwaysOn", data(m.labels))) })
	}
	l.ok(failPoint(setter, times(1), data(bson.A{"RetryableError", "SystemOverloadedError"})))
	l.ok(client.Ping(l.Context(), nil))
	start := time.Now()
	if err := m.operation(l, client.Database("db").Collection("c")); codeOf(err) != 91 {
		l.Errorf("%s gave %v, want the server's error 91", m.command, err)
	}
	return len(tr.of("started", m.command)), time.Since(start)
}

func (m mixed) retriesAtMost(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		if attempts, _ := m.run(l, 0); attempts != maxRetries+1 {
			l.Errorf("%d attempts, want %d", attempts, maxRetries+1)
		}
	})
}

// pausesOnce makes the pause so long that it cannot be mistaken for the time
// until the server is known again after an error that tells of its shutdown.
func (m mixed) pausesOnce(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		const jitter, pause, rediscovery = 50, 10 * time.Second, time.Second
		if _, took := m.run(l, jitter); took < pause || took > pause+maxRetries*rediscovery {
			l.Errorf("it took %v, want one pause of %v", took, pause)
		}
	})
}

func TestRetryableReadsProse4MaximumOfRetries(t *testing.T) { mixedRead.retriesAtMost(t) }

func TestRetryableReadsProse5NoBackoffForOtherErrors(t *testing.T) { mixedRead.pausesOnce(t) }

func TestRetryableWritesProse3OriginalError(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		setter, _ := l.connect()
		client, tr := l.connect("retryWrites=true")
		l.ok(failPoint(setter, times(1), d("failCommands", bson.A{"insert"}, "errorLabels", bson.A{"RetryableWriteError"},
			"writeConcernError", d("code", 91))))
		var once sync.Once
		tr.succeeded = func(e *event.CommandSucceeded) {
			if code, _ := e.Reply.Lookup("writeConcernError", "code").AsInt64(); code == 91 {
				once.Do(func() {
					l.ok(failPoint(setter, times(1), d("failCommands", bson.A{"insert"}, "errorCode", 10107,
						"errorLabels", bson.A{"RetryableWriteError", "NoWritesPerformed"})))
				})
			}
		}
		if err := insert(l, client.Database("db").Collection("c")); codeOf(err) != 91 {
			l.Errorf("the insert gave %v, want error 91", err)
		}
		if n := len(tr.of("started", "insert")); n != 2 {
			l.Errorf("%d attempts, want 2", n)
		}
	})
}

func TestRetryableWritesProse6SeveralErrors(t *testing.T) {
	t.Run("4 maximum of retries", mixedWrite.retriesAtMost)
	t.Run("5 no backoff for other errors", mixedWrite.pausesOnce)
	const none = "NoWritesPerformed"
	for name, c := range map[string]struct {
		first, second   []any // labels beside those of an overload
		secondCode      int
		want            int32
		noWritesInError bool
	}{
		"1 none with NoWritesPerformed": {secondCode: 10107, want: 10107},
		"2 all with NoWritesPerformed":  {first: []any{none}, second: []any{none}, secondCode: 10107, want: 91, noWritesInError: true},
		"3 some with NoWritesPerformed": {second: []any{none}, secondCode: 91, want: 91},
	} {
		t.Run(name, func(t *testing.T) {
			inReplicaSet(t, func(l *lab) {
				setter, _ := l.connect()
				client, tr := l.connect("retryWrites=true")
				data := func(code int, labels []any) bson.D {
					return d("failCommands", bson.A{"insert"}, "errorCode", code,
						"errorLabels", append(bson.A{"RetryableError", "SystemOverloadedError"}, labels...))
				}
				l.ok(failPoint(setter, times(1), data(91, c.first)))
				var once sync.Once
				tr.failed = func(e *event.CommandFailed) {
					once.Do(func() { l.ok(failPoint(setter, "alwaysOn", data(c.secondCode, c.second))) })
				}
				err := insert(l, client.Database("db").Collection("c"))
				if codeOf(err) != c.want || hasLabel(err, none) != c.noWritesInError {
					l.Errorf("the insert gave %v; NoWritesPerformed %v; want error %d", err, hasLabel(err, none), c.want)
				}
			})
		})
	}
}
