package motor_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

// A find that is given up may have opened a cursor, of which its caller knows
// nothing. The server must not be left with it.
func TestCursorOfACallThatWasGivenUpIsKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(mongotest.Network)
		server := mongotest.NewStandalone(t, mongotest.Options{Listen: network.Listen})
		client, err := motor.Connect(t.Context(), server.URI(), motor.ClientOptions{Dial: network.DialContext})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close(context.Background())
		db := client.Database("late")
		open := func() int64 {
			reply, err := db.RunCommand(t.Context(), bson.D{{Key: "serverStatus", Value: 1}})
			if err != nil {
				t.Fatal(err)
			}
			n, _ := reply.Lookup("metrics", "cursor", "open", "total").AsInt64()
			return n
		}
		if _, err := db.Collection("c").InsertMany(t.Context(), slices.Repeat([]bson.D{{}}, 10)); err != nil {
			t.Fatal(err)
		}

		server.SetDelay(time.Second)
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err = db.Collection("c").FindCursor(short, nil, motor.FindOptions{BatchSize: new(int32(2))})
		if !errors.Is(err, motor.ErrTimeout) {
			t.Fatalf("the find was not given up: %v", err)
		}
		server.SetDelay(0)
		if n := open(); n != 1 {
			t.Errorf("%d cursors are open before the late reply is there, want 1", n)
		}
		time.Sleep(2 * time.Second)
		if n := open(); n != 0 {
			t.Errorf("%d cursors are open in the end, want none", n)
		}
	})
}
