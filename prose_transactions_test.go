package motor_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/knobs"
)

// The prose tests of transactions/tests and transactions-convenient-api/tests,
// by their numbers or, where they have none, their titles.

// unpinned runs an operation after a transaction in the same session, many
// times, and wants several routers to have served it.
func unpinned(t *testing.T, operation func(ctx context.Context, s *motor.Session, c *collection) error) {
	inCluster(t, func(l *lab) {
		client, tr := l.connect("localThresholdMS=1000")
		coll := client.Database("test").Collection("test")
		l.ok(insert(l, coll))
		time.Sleep(time.Second) // both routers are known by now
		session, err := client.StartSession()
		l.ok(err)
		defer session.End(l.Context())
		ctx := session.Bind(l.Context())
		l.ok(session.StartTransaction())
		_, err = coll.InsertOne(ctx, bson.D{})
		l.ok(err)
		l.ok(session.CommitTransaction(ctx))
		if session.State().Pinned == "" {
			l.Error("the session is not pinned after a transaction")
		}
		tr.forget()
		for range 50 {
			l.ok(operation(ctx, session, coll))
		}
		var addresses []string
		for _, s := range tr.of("started", "find") {
			addresses = append(addresses, s.address)
		}
		slices.Sort(addresses)
		if n := len(slices.Compact(addresses)); n != 2 {
			l.Errorf("%d routers served, want 2", n)
		}
	})
}

func TestTransactionsProse1UnpinForNextTransaction(t *testing.T) {
	unpinned(t, func(ctx context.Context, s *motor.Session, c *collection) error {
		if err := s.StartTransaction(); err != nil {
			return err
		}
		_, err := c.FindOne(ctx, nil)
		return errors.Join(err, s.CommitTransaction(ctx))
	})
}

func TestTransactionsProse2UnpinForOtherOperation(t *testing.T) {
	unpinned(t, func(ctx context.Context, _ *motor.Session, c *collection) error {
		_, err := c.FindOne(ctx, nil)
		return err
	})
}

func TestTransactionsProsePoolClearedErrorIsTransient(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, _ := l.connect("maxPoolSize=1")
		l.ok(failPoint(client, times(1), d("failCommands", bson.A{"insert"}, "errorCode", 91, "blockConnection", true, "blockTimeMS", 1000)))
		coll := client.Database("db").Collection("c")
		clears := make(chan error)
		go func() { clears <- insert(l, coll.With(motor.Settings{})) }()
		time.Sleep(100 * time.Millisecond) // the only connection is in use now
		session, err := client.StartSession()
		l.ok(err)
		defer session.End(l.Context())
		l.ok(session.StartTransaction())
		_, err = coll.InsertOne(session.Bind(l.Context()), bson.D{})
		if !hasLabel(err, motor.TransientTransactionError) {
			l.Errorf("the insert gave %v without the label of a transient error", err)
		}
		<-clears
	})
}

// A statement whose connection is interrupted may have been executed. It ends
// the transaction, whatever the monitor has met.
func TestInterruptedStatementIsNotRetried(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		tr := new(trail)
		var silent atomic.Bool // nobody answers on new connections
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			if !silent.Load() {
				return l.network.DialContext(ctx, network, address)
			}
			here, there := net.Pipe()
			go io.Copy(io.Discard, there)
			return here, nil
		}
		client := connectTo(l.T, withOptions(l.uri, "minPoolSize=2", "connectTimeoutMS=2000", "heartbeatFrequencyMS=500"),
			motor.ClientOptions{Dial: dial, Observer: tr.observer()})
		coll := client.Database("db").Collection("c")
		_, err := coll.InsertOne(l.Context(), d("_id", 1))
		l.ok(err)
		l.ok(failPoint(client, times(1), d("failCommands", bson.A{"update"}, "blockConnection", true, "blockTimeMS", 60_000)))
		time.Sleep(time.Second) // both connections are there by now

		session, err := client.StartSession()
		l.ok(err)
		defer session.End(l.Context())
		l.ok(session.StartTransaction())
		time.AfterFunc(time.Second, func() {
			silent.Store(true)
			l.nodes[0].CutReplies(0)
			client.Ping(l.Context(), nil) // whose failure has the monitor connect anew
		})
		time.AfterFunc(10*time.Second, func() { silent.Store(false) })
		_, err = coll.UpdateOne(session.Bind(l.Context()), d("_id", 1), d("$inc", d("n", 1)))
		if sent := len(tr.of("started", "update")); sent != 1 || !hasLabel(err, motor.TransientTransactionError) || errors.Is(err, motor.ErrTimeout) {
			l.Errorf("the update was sent %d times and gave %v", sent, err)
		}
	})
}

func TestTransactionsProseOptions1_0WriteConcernOfCollection(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, _ := l.connect()
		coll := client.Database("db").Collection("c", motor.Settings{WriteConcern: &motor.WriteConcern{W: 0}})
		l.ok(client.Database("db").CreateCollection(l.Context(), "c"))
		l.ok(client.WithTransaction(l.Context(), func(ctx context.Context) error {
			_, err := coll.InsertOne(ctx, d("n", 1))
			return err
		}))
		n, err := coll.CountDocuments(l.Context(), d("n", 1))
		if n != 1 || err != nil {
			l.Errorf("%d documents are there, %v", n, err)
		}
	})
}

var errCustom = errors.New("the callback's own")

func TestConvenientProseCallbackRaisesACustomError(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, _ := l.connect()
		calls := 0
		err := client.WithTransaction(l.Context(), func(context.Context) error {
			calls++
			return errCustom
		})
		if !errors.Is(err, errCustom) || calls != 1 {
			l.Errorf("%d calls, error %v", calls, err)
		}
	})
}

// The callback's value is what the closure sets.
func TestConvenientProseCallbackReturnsAValue(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, _ := l.connect()
		var value string
		l.ok(client.WithTransaction(l.Context(), func(context.Context) error {
			value = "Foo"
			return nil
		}))
		if value != "Foo" {
			l.Errorf("the value is %q", value)
		}
	})
}

func TestConvenientProseRetryTimeoutIsEnforced(t *testing.T) {
	for name, c := range map[string]struct {
		command string
		failure bson.D
		code    int32
		label   string
	}{
		"callback is transient": {"insert", d("errorCode", 251), 251, motor.TransientTransactionError},
		"commit is unknown":     {"commitTransaction", d("writeConcernError", d("code", 64)), 64, motor.UnknownTransactionCommitResult},
		"commit is transient":   {"commitTransaction", d("errorCode", 251), 251, motor.TransientTransactionError},
	} {
		t.Run(name, func(t *testing.T) {
			inReplicaSet(t, func(l *lab) {
				client, _ := l.connect()
				data := d("failCommands", bson.A{c.command}, "blockConnection", true, "blockTimeMS", 1000)
				l.ok(failPoint(client, "alwaysOn", append(data, c.failure...)))
				start := time.Now()
				err := client.WithTransaction(l.Context(), func(ctx context.Context) error {
					_, err := client.Database("db").Collection("c").InsertOne(ctx, bson.D{})
					return err
				})
				if took := time.Since(start); took < 110*time.Second || took > 130*time.Second {
					l.Errorf("it took %v, want about 120 s", took)
				}
				if !errors.Is(err, motor.ErrTimeout) || !hasLabel(err, c.label) || codeOf(err) != c.code {
					l.Errorf("%v; want a timeout with the label %s that wraps error %d", err, c.label, c.code)
				}
			})
		})
	}
}

func TestConvenientProseRetryBackoffIsEnforced(t *testing.T) {
	took := func(jitter float64) (duration time.Duration) {
		inReplicaSet(t, func(l *lab) {
			client, _ := l.connectTo(l.uri, knobs.Knobs{Jitter: func() float64 { return jitter }})
			l.ok(failPoint(client, times(13), d("failCommands", bson.A{"commitTransaction"}, "errorCode", 251)))
			start := time.Now()
			l.ok(client.WithTransaction(l.Context(), func(ctx context.Context) error {
				_, err := client.Database("db").Collection("c").InsertOne(ctx, bson.D{})
				return err
			}))
			duration = time.Since(start)
		})
		return duration
	}
	without, with := took(0), took(1)
	if off := with - without - 2300*time.Millisecond; off.Abs() > 500*time.Millisecond {
		t.Errorf("%v without pauses and %v with them, want 2.3 s more", without, with)
	}
}
