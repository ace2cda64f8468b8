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
