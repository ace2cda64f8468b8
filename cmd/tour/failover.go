package main

import (
	"context"
	"fmt"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
)

// counter is a document whose n says how often an increment was applied.
type counter struct {
	ID string `bson:"_id"`
	N  int    `bson:"n"`
}

// failover loses the reply to a write and then the primary that made it. The
// driver sends the write again, to the new primary, which knows its number. A
// change stream that was open all the while shows each change once.
func failover(ctx context.Context, t *tour) error {
	counters := motor.CollectionOf[counter](t.database(), "counters")
	if _, err := counters.With(majority).InsertOne(ctx, counter{ID: "visits"}); err != nil {
		return err
	}
	stream, err := counters.Watch(ctx, nil)
	if err != nil {
		return err
	}
	defer stream.Close(ctx)
	if _, err := increment(ctx, counters.With(majority)); err != nil {
		return err
	}

	old := t.embedded.Primary()
	t.say("The primary is %s. It will apply the next write, hang up without an answer, and die.", old.Address())
	if _, err := t.client.Database("admin").RunCommand(ctx, bson.D{
		{Key: "configureFailPoint", Value: "onPrimaryTransactionalWrite"}, {Key: "mode", Value: bson.D{{Key: "times", Value: 1}}},
	}); err != nil {
		return err
	}
	t.showing("update")
	t.onFailure(func(e *event.CommandFailed) {
		time.Sleep(replication)
		old.Kill()
	})
	start := time.Now()
	if _, err := increment(ctx, counters); err != nil {
		return err
	}
	took := time.Since(start)
	primary, err := t.embedded.AwaitPrimary(ctx)
	if err != nil {
		return err
	}
	if primary == old {
		return fmt.Errorf("there was no failover: %s is still the primary", old.Address())
	}
	t.say("UpdateOne returned without an error after %d ms: the same txnNumber went to the new primary, %s,", took.Milliseconds(), primary.Address())
	t.say("which had the write from the oplog already, and only repeated the answer.")
	t.showing()
	got, err := counters.FindOne(ctx, nil)
	if err != nil {
		return err
	}
	t.say("Two increments were asked for, and the counter says %d.", got.N)
	if err := expect("the counter", got.N, 2); err != nil {
		return err
	}

	if _, err := increment(ctx, counters); err != nil {
		return err
	}
	t.say("The change stream, open since before the failover, has resumed on another node:")
	for want := 1; want <= 3; want++ {
		if !stream.Next(ctx) {
			return fmt.Errorf("the change stream ended: %w", stream.Err())
		}
		e, err := stream.Decode()
		if err != nil {
			return err
		}
		t.say("  event: %s %v", e.OperationType, e.UpdateDescription.UpdatedFields)
		if n, _ := e.UpdateDescription.UpdatedFields.Lookup("n").AsInt64(); n != int64(want) {
			return fmt.Errorf("event %d says n: %d", want, n)
		}
	}
	quiet, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if stream.TryNext(quiet) {
		return fmt.Errorf("there is one event more than changes: %v", stream.Current())
	}
	return old.Restart()
}

// replication is time enough for a write to reach the secondaries.
const replication = 50 * time.Millisecond

var majority = motor.Settings{WriteConcern: &motor.WriteConcern{W: "majority"}}

func increment(ctx context.Context, c *motor.Collection[counter]) (*motor.UpdateResult, error) {
	return c.UpdateOne(ctx, bson.D{{Key: "_id", Value: "visits"}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}})
}
