package main

import (
	"context"
	"errors"

	"github.com/motor-go/motor/bson"
)

var errWithdrawn = errors.New("the transfer was taken back")

// move moves amounts between accounts in transactions. Some of them it takes
// back when all but the commit is done.
func (w *worker) move(ctx context.Context) {
	for ; !w.stop.Load(); w.think() {
		from := w.rand.IntN(accounts)
		t := transfer{
			Worker: w.id, Number: len(w.journal),
			From: from, To: (from + 1 + w.rand.IntN(accounts-1)) % accounts, Amount: 1 + w.rand.IntN(9),
		}
		takenBack := w.rand.IntN(10) == 0
		w.attempt(ctx, "transfer", 1, func(ctx context.Context) error {
			return w.atomically(ctx, func(ctx context.Context) error {
				if err := w.transfer(ctx, t); err != nil || !takenBack {
					return err
				}
				return errWithdrawn
			})
		})
	}
}

func (w *worker) atomically(ctx context.Context, f func(ctx context.Context) error) error {
	if w.careless {
		return f(ctx)
	}
	return w.client.WithTransaction(ctx, f)
}

func (w *worker) transfer(ctx context.Context, t transfer) error {
	for _, change := range []struct{ account, amount int }{{t.From, -t.Amount}, {t.To, t.Amount}} {
		_, err := w.accounts.UpdateOne(ctx, bson.D{{Key: "_id", Value: change.account}},
			bson.D{{Key: "$inc", Value: bson.D{{Key: "amount", Value: change.amount}}}})
		if err != nil {
			return err
		}
	}
	_, err := w.transfers.InsertOne(ctx, t)
	return err
}
