package motor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/mongotest"
)

// bubble is a deployment in memory, in virtual time: nothing takes time there
// but what a fail point has wait.
type bubble struct {
	t        *testing.T
	network  *mongotest.Network
	uri      string
	internal *motor.Client // without timeoutMS
}

// inBubble runs test with a standalone, or with a replica set of one node.
func inBubble(t *testing.T, replicaSet bool, o mongotest.Options, test func(t *testing.T, b *bubble)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{t: t, network: new(mongotest.Network)}
		o.Listen, o.Nodes = b.network.Listen, 1
		if replicaSet {
			b.uri = mongotest.New(t, o).URI()
		} else {
			b.uri = mongotest.NewStandalone(t, o).URI()
		}
		b.internal, _ = b.connect("")
		if _, err := b.internal.Database("db").Collection("coll").InsertOne(t.Context(), d("_id", 0)); err != nil {
			t.Fatal(err)
		}
		if err := b.internal.Database("db").Drop(t.Context()); err != nil {
			t.Fatal(err)
		}
		test(t, b)
	})
}

// connect makes a client with more options, and a record of its events.
func (b *bubble) connect(options string) (*motor.Client, *record) {
	b.t.Helper()
	return b.dial(withOptions(b.uri, "w=majority", "readConcernLevel=majority", options))
}

// dial is connect with any connection string.
func (b *bubble) dial(uri string) (*motor.Client, *record) {
	b.t.Helper()
	r := new(record)
	client, err := motor.Connect(b.t.Context(), uri, motor.ClientOptions{Dial: b.network.DialContext, Observer: &event.Observer{
		CommandStarted:    func(e *event.CommandStarted) { r.started(e) },
		CommandFailed:     func(e *event.CommandFailed) { r.add(e.CommandName + " failed") },
		ConnectionCreated: func(e *event.ConnectionCreated) { r.add("connection created") },
		ConnectionReady:   func(e *event.ConnectionReady) { r.add("connection ready") },
		ConnectionClosed:  func(e *event.ConnectionClosed) { r.add("connection closed") },
		PoolCleared:       func(e *event.PoolCleared) { r.add("pool cleared") },
	}})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { client.Close(context.Background()) })
	return client, r
}

// block has commands wait for ms milliseconds: so many times, or always if that
// is 0.
func (b *bubble) block(times, ms int, app string, commands ...string) {
	b.t.Helper()
	var mode any = "alwaysOn"
	if times > 0 {
		mode = d("times", times)
	}
	data := d("failCommands", commands, "blockConnection", true, "blockTimeMS", ms)
	if app != "" {
		data = append(data, bson.E{Key: "appName", Value: app})
	}
	b.configure(d("configureFailPoint", "failCommand", "mode", mode, "data", data))
	b.t.Cleanup(func() { b.configure(d("configureFailPoint", "failCommand", "mode", "off")) })
}

func (b *bubble) configure(failPoint bson.D) {
	b.t.Helper()
	if _, err := b.internal.Database("admin").RunCommand(context.Background(), failPoint); err != nil {
		b.t.Error(err)
	}
}

// timesOut fails the test unless err is a time-out that came after just that
// time.
func (b *bubble) timesOut(start time.Time, after time.Duration, err error) {
	b.t.Helper()
	if !errors.Is(err, motor.ErrTimeout) {
		b.t.Errorf("the error is no time-out: %v", err)
	}
	if took := time.Since(start); took != after {
		b.t.Errorf("it took %v, want %v: %v", took, after, err)
	}
}

// record is what a client did.
type record struct {
	mu       sync.Mutex
	list     []string
	commands []bson.Raw
}

func (r *record) started(e *event.CommandStarted) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, e.CommandName)
	r.commands = append(r.commands, e.Command.Raw())
}

func (r *record) add(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, what)
}

// count is how often something happened.
func (r *record) count(what string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, happened := range r.list {
		if happened == what {
			n++
		}
	}
	return n
}

// commandsOnly are the names of the commands, and of those that failed.
func (r *record) commandsOnly() (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(r.list), func(what string) bool {
		return slices.Contains([]string{"connection created", "connection ready", "connection closed", "pool cleared"}, what)
	})
}

// maxTime is the maxTimeMS of the last command with the name, or -1.
func (r *record) maxTime(command string) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range slices.Backward(r.commands) {
		if !c.Lookup(command).IsZero() {
			if ms, ok := c.Lookup("maxTimeMS").AsInt64(); ok {
				return ms
			}
			return -1
		}
	}
	panic(fmt.Sprintf("no %s was sent", command))
}
