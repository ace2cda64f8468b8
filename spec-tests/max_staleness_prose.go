package spectests

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/mongotest"
	"github.com/motor-go/motor/uri"
)

// proseMaxStaleness runs the prose tests of max-staleness-tests.md that are for
// drivers.
func proseMaxStaleness(t T) {
	t.Run("connection string", func(t T) {
		for options, want := range map[string]time.Duration{
			"readPreference=secondary&maxStalenessSeconds=120": 120 * time.Second,
			"maxStalenessSeconds=120":                          -1,
			"readPreference=primary&maxStalenessSeconds=120":   -1,
			"readPreference=secondary&maxStalenessSeconds=-1":  0,
			"readPreference=primary&maxStalenessSeconds=-1":    0,
			"readPreference=secondary&maxStalenessSeconds=1":   time.Second,
		} {
			c, _, err := uri.Parse("mongodb://host/?" + options)
			if got := time.Duration(-1); err == nil {
				got = c.ReadPreference.MaxStaleness
				if got != want {
					t.Errorf("%s: maxStalenessSeconds is %v, wanted %v", options, got, want)
				}
			} else if want != got {
				t.Errorf("%s: %v", options, err)
			}
		}
	})
	t.Run("heartbeatFrequencyMS is configurable", func(t T) {
		var checks atomic.Int64
		client := connectStandalone(t, "heartbeatFrequencyMS=500&serverMonitoringMode=poll", &event.Observer{
			ServerHeartbeatSucceeded: func(*event.ServerHeartbeatSucceeded) { checks.Add(1) },
		})
		start := time.Now()
		for deadline := start.Add(patience); checks.Load() < 4; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d checks in %v", checks.Load(), patience)
			}
		}
		if took := time.Since(start); took < time.Second {
			t.Errorf("four checks in %v", took)
		}
		if err := client.Ping(t.Context(), nil); err != nil {
			t.Errorf("%v", err)
		}
	})
	t.Run("parse lastWriteDate", func(t T) {
		set, err := mongotest.StartReplicaSet(mongotest.Options{Nodes: 1})
		if err != nil {
			t.Fatalf("%v", err)
		}
		t.Cleanup(set.Close)
		client, err := motor.Connect(t.Context(), set.URI()+"&heartbeatFrequencyMS=500")
		if err != nil {
			t.Fatalf("%v", err)
		}
		t.Cleanup(func() { client.Close(context.Background()) })
		lastWrite := func(after time.Time) time.Time {
			if _, err := client.Database("test").Collection("test").InsertOne(t.Context(), bson.D{}); err != nil {
				t.Fatalf("%v", err)
			}
			for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
				if at := client.Topology().Servers[0].LastWriteDate; at.After(after) {
					return at
				}
				if time.Now().After(deadline) {
					t.Fatalf("lastWriteDate is %v still", client.Topology().Servers[0].LastWriteDate)
				}
			}
		}
		first := lastWrite(time.Now().Add(-time.Minute))
		time.Sleep(time.Second)
		if second := lastWrite(first); second.Sub(first) >= 10*time.Second {
			t.Errorf("lastWriteDate went from %v to %v", first, second)
		}
	})
	t.Run("direct connection to mongos", func(t T) {
		wantReadPreference(t, "readPreference=secondary&maxStalenessSeconds=120", `{"mode":"secondary","maxStalenessSeconds":120}`)
		wantReadPreference(t, "readPreference=secondary", `{"mode":"secondary"}`)
	})
}

// connectStandalone makes a client of a server of its own.
func connectStandalone(t T, options string, observer *event.Observer) *motor.Client {
	t.Helper()
	server, err := mongotest.StartStandalone(mongotest.Options{})
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(server.Close)
	client, err := motor.Connect(t.Context(), server.URI()+"?"+options, motor.ClientOptions{Observer: observer})
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { client.Close(context.Background()) })
	return client
}
