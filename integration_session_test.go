package motor_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

func replicaSet(t *testing.T) *motor.Client {
	client, err := motor.Connect(t.Context(), anyReplicaSet(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(context.Background()) })
	return client
}

// A transaction within a transaction would commit on its own.
func TestNestedTransactionIsRefused(t *testing.T) {
	ctx, client := t.Context(), replicaSet(t)
	coll := client.Database(scratch).Collection("c")
	outer := errors.New("outer fails")
	err := client.WithTransaction(ctx, func(ctx context.Context) error {
		inner := client.WithTransaction(ctx, func(ctx context.Context) error {
			_, err := coll.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}})
			return err
		})
		if inner == nil {
			t.Error("the inner transaction was taken")
		}
		return outer
	})
	if !errors.Is(err, outer) {
		t.Errorf("the outer transaction gave %v", err)
	}
	if n, err := coll.CountDocuments(ctx, nil); n != 0 || err != nil {
		t.Errorf("%d documents are left, %v", n, err)
	}
}

// A context that ends while the stream waits does not end the stream.
func TestChangeStreamOutlivesItsCallersContext(t *testing.T) {
	ctx, client := t.Context(), replicaSet(t)
	coll := client.Database(scratch).Collection("c")
	stream, err := coll.Watch(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close(ctx)
	for i := range int32(3) {
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		if stream.Next(short) || !errors.Is(stream.Err(), motor.ErrTimeout) {
			t.Fatalf("a wait for nothing ended with %v", stream.Err())
		}
		cancel()
		if _, err := coll.InsertOne(ctx, bson.D{{Key: "_id", Value: i}}); err != nil {
			t.Fatal(err)
		}
		if !stream.Next(ctx) {
			t.Fatalf("the stream ended: %v", stream.Err())
		}
		if id, _ := stream.Current().Lookup("documentKey", "_id").Int32(); id != i {
			t.Fatalf("event of document %d, want %d", id, i)
		}
	}
}

func TestSortByAMapIsRefused(t *testing.T) {
	client := replicaSet(t)
	_, err := client.Database(scratch).Collection("c").Find(t.Context(), nil, motor.FindOptions{Sort: bson.M{"a": 1, "b": 1}}).Slice()
	if err == nil {
		t.Error("a sort without an order was taken")
	}
}
