package motor_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/mongotest"
	"github.com/motor-go/motor/session"
)

func TestMisuseOfSessions(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, tr := l.connect()
		c := client.Database("db").Collection("c")
		s, ctx := l.sessionOf(client)
		for what, err := range map[string]error{
			"WithSession(nil)":             client.WithSession(l.Context(), nil),
			"Client.WithTransaction(nil)":  client.WithTransaction(l.Context(), nil),
			"Session.WithTransaction(nil)": s.WithTransaction(l.Context(), nil),
		} {
			if err == nil {
				l.Errorf("%s was taken", what)
			}
		}

		tr.forget()
		unacknowledged := c.With(motor.Settings{WriteConcern: &motor.WriteConcern{W: 0}})
		if err := writes["insertOne"](ctx, unacknowledged); !errors.Is(err, session.ErrUnacknowledged) || len(tr.of("started")) > 0 {
			l.Errorf("an unacknowledged write in a session gave %v", err)
		}

		l.ok(failPoint(client, times(1), d("failCommands", bson.A{"find"}, "blockConnection", true, "blockTimeMS", 1000)))
		done := make(chan error)
		go func() { done <- reads["find"](ctx, c) }()
		time.Sleep(100 * time.Millisecond)
		if err := reads["find"](ctx, c); !errors.Is(err, session.ErrConcurrent) {
			l.Errorf("a second operation at a time gave %v", err)
		}
		l.ok(<-done)

		l.ok(client.Close(l.Context()))
		if _, err := client.StartSession(); !errors.Is(err, motor.ErrClientClosed) {
			l.Errorf("a closed client started a session: %v", err)
		}
	})
}

// The context of a transaction that is over must not become a way to write
// outside of it.
func TestContextOfAnEndedTransaction(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, tr := l.connect()
		c := client.Database("db").Collection("c")
		var leaked context.Context
		l.ok(client.WithTransaction(l.Context(), func(ctx context.Context) error {
			leaked = ctx
			return writes["insertOne"](ctx, c)
		}))
		refusedIn(l, leaked, c, tr, motor.ErrTransactionEnded)
	})
}

// Goroutines that share a session are refused, all but one, and disturb neither
// that one nor each other; go test -race watches.
func TestGoroutinesInOneTransaction(t *testing.T) {
	client, err := motor.Connect(t.Context(), mongotest.New(t, mongotest.Options{}).URI(), motor.ClientOptions{
		Observer: &event.Observer{OperationStarted: func(*event.OperationStarted) {}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close(context.Background())
	c := client.Database("db").Collection("c")
	s, err := client.StartSession()
	if err != nil {
		t.Fatal(err)
	}
	ctx := s.Bind(t.Context())
	var done sync.WaitGroup
	var inserted atomic.Int64
	if err := s.StartTransaction(); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		done.Go(func() {
			var err error
			if i%2 == 0 {
				_, err = c.InsertOne(ctx, d("x", i))
			} else {
				_, err = c.InsertMany(ctx, []bson.D{d("x", i)})
			}
			switch {
			case err == nil:
				inserted.Add(1)
			case !errors.Is(err, session.ErrConcurrent):
				t.Errorf("insert %d: %v", i, err)
			}
			s.InTransaction()
		})
	}
	done.Wait()
	for range 5 {
		done.Go(func() {
			if _, err := c.FindOne(ctx, nil); err != nil && !errors.Is(err, session.ErrConcurrent) && !errors.Is(err, motor.ErrNoDocuments) {
				t.Errorf("find: %v", err)
			}
		})
		done.Go(func() {
			if err := s.StartTransaction(); err == nil {
				t.Error("a second transaction has begun")
			}
		})
	}
	done.Wait()
	if err := s.CommitTransaction(ctx); err != nil {
		t.Error(err)
	}
	if n, err := c.CountDocuments(t.Context(), bson.D{}); err != nil || n != inserted.Load() || n == 0 {
		t.Errorf("%d documents are there, %d were inserted: %v", n, inserted.Load(), err)
	}
	for range 5 {
		done.Go(func() { c.InsertOne(ctx, d("x", 1)) })
	}
	s.End(ctx)
	done.Wait()
}

// A function that keeps an operation's error to itself learns of it from the
// error of the commit.
func TestTransactionNamesTheErrorThatWasIgnored(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, _ := l.connect()
		c := client.Database("db").Collection("c")
		_, err := c.InsertOne(l.Context(), d("_id", 1))
		l.ok(err)
		for name, ignored := range map[string]func(ctx context.Context){
			"InsertOne":  func(ctx context.Context) { c.InsertOne(ctx, d("_id", 1)) },
			"InsertMany": func(ctx context.Context) { c.InsertMany(ctx, []bson.D{d("_id", 1)}) },
			"BulkWrite": func(ctx context.Context) {
				client.BulkWrite(ctx, []motor.ClientWrite{{Namespace: "db.c", Model: motor.InsertOneModel[bson.D]{Document: d("_id", 1)}}})
			},
		} {
			attempts := 0
			err := client.WithTransaction(l.Context(), func(ctx context.Context) error {
				attempts++
				ignored(ctx)
				return nil
			})
			var command *motor.CommandError
			if !errors.Is(err, motor.ErrDuplicateKey) || !errors.As(err, &command) || command.Name != "NoSuchTransaction" || attempts < 2 {
				l.Errorf("%s: %v after %d attempts", name, err, attempts)
			}
		}
	})
}
