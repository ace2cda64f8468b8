package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

const (
	needsServers = "it kills nodes, and these are not ours to kill"
	needsLag     = "it slows replication down, and that is not ours to do"
	needsDNS     = "it needs DNS records for the deployment"
)

// steps are the mission, in order.
var steps = []step{
	{title: "Connect", run: connect},
	{title: "Connect through a mongodb+srv:// name", embedded: needsDNS, run: connectSRV},
	{title: "Insert a document", run: insertOne},
	{title: "Find it", run: findOne},
	{title: "Change elements of an array with ArrayFilters", run: arrayFilters},
	{title: "Read your own write from a secondary that lags", embedded: needsLag, run: causalRead},
	{title: "Watch a collection", run: watch},
	{title: "A retryable write, and a change stream, through a killed primary", embedded: needsServers, run: failover},
}

func connect(ctx context.Context, t *tour) (err error) {
	if t.client, err = motor.Connect(ctx, t.uri, motor.ClientOptions{Observer: t.observer()}); err != nil {
		return err
	}
	t.say("%s", t.client.URI())
	t.showing("ping")
	if err := t.client.Ping(ctx, nil); err != nil {
		return err
	}
	t.say("The monitors found a %v:", t.client.Topology().Type)
	for _, s := range t.client.Topology().Servers {
		t.say("  %-22s %v", s.Addr, s.Type)
	}
	return t.database().Drop(ctx)
}

func insertOne(ctx context.Context, t *tour) error {
	t.showing("insert")
	doc := shape{ID: 1, Points: []point{{0, 0}, {3, 0}, {7, 2}}}
	res, err := t.shapes().InsertOne(ctx, doc)
	if err != nil {
		return err
	}
	return expect("the inserted _id", res.InsertedID, any(int64(1)), any(int32(1)))
}

func findOne(ctx context.Context, t *tour) error {
	t.showing("find")
	got, err := t.shapes().FindOne(ctx, bson.D{{Key: "points.x", Value: 3}})
	if err != nil {
		return err
	}
	t.say("It came back as a Go struct: %+v", got)
	if _, err := t.shapes().FindOne(ctx, bson.D{{Key: "_id", Value: 2}}); !errors.Is(err, motor.ErrNoDocuments) {
		return fmt.Errorf("a document that is not there gave %w", err)
	}
	return expect("the points", got.Points, []point{{0, 0}, {3, 0}, {7, 2}})
}

func arrayFilters(ctx context.Context, t *tour) error {
	t.say("Set y to 5 in every point whose x is greater than 0, and in no other:")
	t.showing("update")
	res, err := t.shapes().UpdateOne(ctx, bson.D{{Key: "_id", Value: 1}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "points.$[i].y", Value: 5}}}},
		motor.UpdateOptions{ArrayFilters: bson.A{bson.D{{Key: "i.x", Value: bson.D{{Key: "$gt", Value: 0}}}}}})
	if err != nil {
		return err
	}
	if err := expect("the number of changed documents", res.ModifiedCount, int64(1)); err != nil {
		return err
	}
	got, err := t.shapes().FindOne(ctx, bson.D{{Key: "_id", Value: 1}})
	if err != nil {
		return err
	}
	t.say("Now the points are %+v", got.Points)
	return expect("the points", got.Points, []point{{0, 0}, {3, 5}, {7, 5}})
}

// A secondary is made to lag. Outside of a session a read from it is stale;
// inside it waits.
func causalRead(ctx context.Context, t *tour) error {
	const lag = 500 * time.Millisecond
	secondary := motor.ReadPreference{Mode: motor.Secondary}
	for _, node := range t.embedded.Secondaries() {
		node.SetLag(lag)
		defer node.SetLag(0)
	}
	t.say("The secondaries now apply writes %v late.", lag)

	type note struct {
		ID   int    `bson:"_id"`
		Text string `bson:"text"`
	}
	// With w: 1 the primary answers at once, not when a majority has the write.
	notes := motor.CollectionOf[note](t.database(), "notes", motor.Settings{WriteConcern: &motor.WriteConcern{W: 1}})
	away := notes.With(motor.Settings{ReadPreference: &secondary})
	if _, err := notes.InsertOne(ctx, note{1, "outside of a session"}); err != nil {
		return err
	}
	_, err := away.FindOne(ctx, bson.D{{Key: "_id", Value: 1}})
	if !errors.Is(err, motor.ErrNoDocuments) {
		return fmt.Errorf("the secondary does not lag: the read gave %v", err)
	}
	t.say("Outside of a session, a secondary has not heard of a document inserted just now: %v.", err)
	t.say("In a causally consistent session the read carries afterClusterTime, and the secondary waits:")
	t.showing("insert", "find")
	return t.client.WithSession(ctx, func(ctx context.Context) error {
		if _, err := notes.InsertOne(ctx, note{2, "mine"}); err != nil {
			return err
		}
		start := time.Now()
		got, err := away.FindOne(ctx, bson.D{{Key: "_id", Value: 2}})
		if err != nil {
			return err
		}
		t.say("It answered after %d ms, with the document.", time.Since(start).Milliseconds())
		return expect("the document", got, note{2, "mine"})
	})
}

func watch(ctx context.Context, t *tour) error {
	t.showing("aggregate")
	stream, err := t.shapes().Watch(ctx, nil)
	if err != nil {
		return err
	}
	t.say("The stream is open now: what happens from here on is not missed.")
	t.showing()
	if _, err := t.shapes().UpdateOne(ctx, bson.D{{Key: "_id", Value: 1}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "points.0.x", Value: 1}}}}); err != nil {
		return err
	}
	if _, err := t.shapes().DeleteOne(ctx, bson.D{{Key: "_id", Value: 1}}); err != nil {
		return err
	}
	var seen []string
	for event, err := range stream.All(ctx) {
		if err != nil {
			return err
		}
		what := ""
		if u := event.UpdateDescription; u != nil {
			what = " set " + u.UpdatedFields.String()
		}
		t.say("event: %s of %v%s", event.OperationType, event.DocumentKey, what)
		if seen = append(seen, event.OperationType); len(seen) == 2 {
			break
		}
	}
	return expect("the events", seen, []string{"update", "delete"})
}

// expect compares what came back with what may come back.
func expect[V any](what string, got V, want ...V) error {
	for _, w := range want {
		if reflect.DeepEqual(got, w) {
			return nil
		}
	}
	return fmt.Errorf("%s should be %v and is %v", what, want[0], got)
}
