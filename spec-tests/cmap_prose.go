package spectests

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/event"
)

// proseCMAP runs the prose tests of connection-monitoring-and-pooling. The
// options are those of a client, which is made from a connection string.
func proseCMAP(t T) {
	t.Run("1 to 4: options of the client, for all pools, in the connection string, and events", func(t T) {
		servers := map[string]*fakeServer{"a:1": {mongos: true}, "b:2": {mongos: true}}
		var mu sync.Mutex
		created := map[string]event.PoolOptions{}
		client, err := motor.Connect(t.Context(),
			"mongodb://a:1,b:2/?maxPoolSize=5&minPoolSize=1&maxConnecting=3&maxIdleTimeMS=60000&waitQueueTimeoutMS=1500",
			motor.ClientOptions{
				Dial: func(ctx context.Context, _, address string) (net.Conn, error) { return servers[address].dial(ctx) },
				Observer: &event.Observer{PoolCreated: func(e *event.PoolCreated) {
					mu.Lock()
					defer mu.Unlock()
					created[e.Address] = e.Options
				}},
			})
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer client.Close(t.Context())
		if err := client.Ping(t.Context(), nil); err != nil {
			t.Fatalf("%v", err)
		}
		mu.Lock()
		defer mu.Unlock()
		want := event.PoolOptions{
			MaxPoolSize: 5, MinPoolSize: 1, MaxConnecting: 3,
			MaxIdleTime: time.Minute, WaitQueueTimeout: 1500 * time.Millisecond,
		}
		for address := range servers {
			if got := created[address]; got != want {
				t.Errorf("the pool for %s has the options %+v, want %+v", address, got, want)
			}
		}
	})
	t.Run("5: ConnectionCheckOutFailed if the connection cannot be set up", func(t T) {
		server := new(fakeServer)
		var monitored atomic.Bool
		failed := make(chan *event.ConnectionCheckOutFailed, 10)
		client, err := motor.Connect(t.Context(), "mongodb://a:1/?serverSelectionTimeoutMS=200&retryReads=false", motor.ClientOptions{
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				if !monitored.Swap(true) {
					return server.dial(ctx)
				}
				return nil, errors.New("the test refuses")
			},
			Observer: &event.Observer{ConnectionCheckOutFailed: func(e *event.ConnectionCheckOutFailed) { failed <- e }},
		})
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer client.Close(t.Context())
		if client.Ping(t.Context(), nil) == nil {
			t.Errorf("an operation succeeds without a connection")
		}
		if e := <-failed; e.Reason != event.ReasonConnectionError || e.Address != "a:1" {
			t.Errorf("event %+v", e)
		}
	})
}
