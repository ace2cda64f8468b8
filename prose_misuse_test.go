package motor_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/session"
)

// What driver-sessions.md and transactions.md forbid without giving it a number.
// Every operation is refused by the driver: nothing is sent.

func TestSessionServesOneOperationAtATime(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, tr := l.connect()
		c := client.Database("db").Collection("c")
		s, ctx := l.sessionOf(client)
		for _, inTransaction := range []bool{false, true} {
			if inTransaction {
				l.ok(s.StartTransaction())
				l.ok(reads["find"](ctx, c)) // the server has heard of it
			}
			l.ok(failPoint(client, times(1), d("failCommands", bson.A{"find"}, "blockConnection", true, "blockTimeMS", 1000)))
			done := make(chan error)
			go func() { done <- reads["find"](ctx, c) }()
			time.Sleep(100 * time.Millisecond)
			refusedIn(l, ctx, c, tr, session.ErrConcurrent)
			l.ok(<-done)
			l.ok(reads["find"](ctx, c)) // the session has not suffered
		}
	})
}

func TestUnacknowledgedWritesTakeNoSession(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, tr := l.connect()
		c := client.Database("db").Collection("c", motor.Settings{WriteConcern: &motor.WriteConcern{W: 0}})
		_, ctx := l.sessionOf(client)
		for name, operation := range writes {
			tr.forget()
			if err := operation(ctx, c); !errors.Is(err, session.ErrUnacknowledged) || len(tr.of("started")) > 0 {
				l.Errorf("%s gave %v, and sent %v", name, err, tr.of("started"))
			}
		}
	})
}

func TestEndedSessionTakesNoTransaction(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, tr := l.connect()
		s, ctx := l.sessionOf(client)
		s.End(l.Context())
		tr.forget()
		started := s.StartTransaction()
		if !errors.Is(started, motor.ErrSessionEnded) {
			l.Errorf("StartTransaction gave %v", started)
		}
		for what, with := range map[string]func(context.Context, func(context.Context) error, ...motor.TransactionOptions) error{
			"Session": s.WithTransaction, "Client": client.WithTransaction,
		} {
			err := with(ctx, func(context.Context) error {
				l.Errorf("%s.WithTransaction called its function", what)
				return nil
			})
			if !errors.Is(err, motor.ErrSessionEnded) {
				l.Errorf("%s.WithTransaction gave %v", what, err)
			}
		}
		if s.CommitTransaction(ctx) == nil || s.AbortTransaction(ctx) == nil {
			l.Error("a transaction ended that never began")
		}
		if sent := tr.of("started"); len(sent) > 0 {
			l.Errorf("%v was sent", sent)
		}
	})
}

// A transaction's context used with another client must not become a write that
// the transaction does not know of.
func TestTransactionOfAnotherClient(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, _ := l.connect()
		other, tr := l.connect()
		l.ok(client.WithTransaction(l.Context(), func(ctx context.Context) error {
			refusedIn(l, ctx, other.Database("db").Collection("c"), tr, motor.ErrWrongClient)
			err := other.WithTransaction(ctx, func(context.Context) error {
				l.Error("WithTransaction called its function")
				return nil
			})
			if !errors.Is(err, motor.ErrWrongClient) {
				l.Errorf("WithTransaction gave %v", err)
			}
			return writes["insertOne"](ctx, client.Database("db").Collection("c"))
		}))
	})
}

// The context of WithTransaction's function ends with it, even if the session
// goes on.
func TestTransactionContextInALongerSession(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, tr := l.connect()
		c := client.Database("db").Collection("c")
		s, ctx := l.sessionOf(client)
		var leaked context.Context
		l.ok(s.WithTransaction(ctx, func(ctx context.Context) error {
			leaked = ctx
			return writes["insertOne"](ctx, c)
		}))
		refusedIn(l, leaked, c, tr, motor.ErrTransactionEnded)
		l.ok(s.WithTransaction(ctx, func(ctx context.Context) error {
			refusedIn(l, leaked, c, tr, motor.ErrTransactionEnded)
			return writes["insertOne"](ctx, c)
		}))
		l.ok(writes["insertOne"](ctx, c))
	})
}
