package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// sightings counts what readers saw.
type sightings struct {
	own, stale        atomic.Int64 // reads of one's own writes from secondaries
	snapshots, broken atomic.Int64 // sums of all accounts at one point in time
}

var fromSecondary = motor.Settings{ReadPreference: &motor.ReadPreference{Mode: motor.Secondary}}

// read writes, and reads what it has written from a secondary, in causally
// consistent sessions: in one, or in another that has been told of the first.
// From time to time it adds up the accounts.
func (w *worker) read(ctx context.Context, seen *sightings) {
	for !w.stop.Load() {
		w.inSessions(func(writing, reading *motor.Session) {
			for range 20 {
				w.readOwnWrite(ctx, writing, reading, seen)
				w.think()
			}
		})
		w.attempt(ctx, "snapshot", 0, func(ctx context.Context) error { return w.snapshot(ctx, seen) })
	}
}

// inSessions calls f with a session to write in and one to read in, which may be
// the same.
func (w *worker) inSessions(f func(writing, reading *motor.Session)) {
	var sessions []*motor.Session
	for range 1 + w.rand.IntN(2) {
		s, err := w.client.StartSession(motor.SessionOptions{CausalConsistency: new(!w.careless)})
		if err != nil {
			w.failed.add(failure{what: "session", err: err})
			return
		}
		defer s.End(context.Background())
		sessions = append(sessions, s)
	}
	f(sessions[0], sessions[len(sessions)-1])
}

func (w *worker) readOwnWrite(ctx context.Context, writing, reading *motor.Session, seen *sightings) {
	number := len(w.journal)
	filter, update := w.increment(number)
	w.attempt(ctx, "update in a session", 1, func(ctx context.Context) error {
		_, err := w.counters.UpdateOne(writing.Bind(ctx), filter, update, motor.UpdateOptions{Upsert: true})
		return err
	})
	if w.journal[number] != acknowledged {
		return
	}
	if reading != writing {
		if err := reading.AdvanceClusterTime(writing.ClusterTime()); err != nil {
			w.failed.add(failure{what: "cluster time", err: err})
			return
		}
		reading.AdvanceOperationTime(writing.OperationTime())
	}
	w.attempt(ctx, "causal read", 0, func(ctx context.Context) error {
		c, err := w.counters.With(fromSecondary).FindOne(reading.Bind(ctx), filter)
		if err != nil && !errors.Is(err, motor.ErrNoDocuments) {
			return err
		}
		seen.own.Add(1)
		if c.Counts[fmt.Sprint(number)] == 0 {
			seen.stale.Add(1)
		}
		return nil
	})
}

// snapshot adds up the accounts at one point in time, in two halves.
func (w *worker) snapshot(ctx context.Context, seen *sightings) error {
	return w.client.WithSession(ctx, func(ctx context.Context) error {
		sum := 0
		for half := range 2 {
			list, err := w.accounts.With(fromSecondary).Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$mod", Value: bson.A{2, half}}}}}).Slice()
			if err != nil {
				return err
			}
			for _, a := range list {
				sum += a.Amount
			}
			if w.careless {
				w.think() // meanwhile something is moved
			}
		}
		seen.snapshots.Add(1)
		if sum != accounts*opening {
			seen.broken.Add(1)
		}
		return nil
	}, motor.SessionOptions{Snapshot: !w.careless})
}
