package motor_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/internal/knobs"
	"github.com/motor-go/motor/mongotest"
	"github.com/motor-go/motor/wire"
)

// lab is a deployment in memory and in virtual time, for one prose test.
type lab struct {
	*testing.T
	network *mongotest.Network
	uri     string
	nodes   []*mongotest.Node // of a replica set, or the routers of a cluster
}

// inReplicaSet runs a test on a replica set.
func inReplicaSet(t *testing.T, test func(l *lab)) {
	synctest.Test(t, func(t *testing.T) {
		l := &lab{T: t, network: new(mongotest.Network)}
		rs := mongotest.New(t, mongotest.Options{Listen: l.network.Listen})
		l.uri, l.nodes = rs.URI(), rs.Nodes
		test(l)
	})
}

// inStandalone runs a test on a standalone server, which knows no cluster time.
func inStandalone(t *testing.T, test func(l *lab)) {
	synctest.Test(t, func(t *testing.T) {
		l := &lab{T: t, network: new(mongotest.Network)}
		l.uri = mongotest.NewStandalone(t, mongotest.Options{Listen: l.network.Listen}).URI()
		test(l)
	})
}

// inCluster runs a test on a sharded cluster of two routers.
func inCluster(t *testing.T, test func(l *lab)) {
	synctest.Test(t, func(t *testing.T) {
		l := &lab{T: t, network: new(mongotest.Network)}
		cluster := mongotest.NewSharded(t, mongotest.Options{Listen: l.network.Listen, Routers: 2, Nodes: 3})
		l.uri, l.nodes = cluster.URI(), cluster.Routers
		test(l)
	})
}

// connect makes a client, and a trail of what it does.
func (l *lab) connect(options ...string) (*motor.Client, *trail) {
	return l.connectTo(l.uri, knobs.Knobs{}, options...)
}

// connectTo is connect for some of the servers, with knobs.
func (l *lab) connectTo(uri string, k knobs.Knobs, options ...string) (*motor.Client, *trail) {
	l.Helper()
	tr := new(trail)
	client, err := motor.Connect(knobs.With(l.Context(), k), withOptions(uri, options...),
		motor.ClientOptions{Dial: l.network.DialContext, Observer: tr.observer()})
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { client.Close(context.Background()) })
	return client, tr
}

// ok fails the test unless err is nil.
func (l *lab) ok(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// failPoint sets the fail point failCommand on the server that the client
// selects.
func failPoint(client *motor.Client, mode any, data bson.D) error {
	_, err := client.Database("admin").RunCommand(context.Background(), d("configureFailPoint", "failCommand", "mode", mode, "data", data))
	return err
}

// times is the mode of a fail point that strikes so often.
func times(n int) bson.D { return d("times", n) }

// A trail is what a client does.
type trail struct {
	// failed and succeeded are called with every such event, if not nil.
	failed    func(*event.CommandFailed)
	succeeded func(*event.CommandSucceeded)

	mu   sync.Mutex
	list []sign
}

// sign is one event: a command, what became of it, or of a pool.
type sign struct {
	what    string // started, succeeded, failed, checked out, check-out failed, cleared
	name    string // of the command
	address string
	doc     bson.Raw // the command or the reply
}

func (tr *trail) add(s sign) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.list = append(tr.list, s)
}

func (tr *trail) observer() *event.Observer {
	return &event.Observer{
		CommandStarted: func(e *event.CommandStarted) {
			tr.add(sign{"started", e.CommandName, e.Address, e.Command.Raw().Clone()})
		},
		CommandSucceeded: func(e *event.CommandSucceeded) {
			tr.add(sign{"succeeded", e.CommandName, e.Address, e.Reply.Clone()})
			if tr.succeeded != nil {
				tr.succeeded(e)
			}
		},
		CommandFailed: func(e *event.CommandFailed) {
			tr.add(sign{what: "failed", name: e.CommandName, address: e.Address})
			if tr.failed != nil {
				tr.failed(e)
			}
		},
		PoolCleared:              func(e *event.PoolCleared) { tr.add(sign{what: "cleared", address: e.Address}) },
		ConnectionCheckedOut:     func(e *event.ConnectionCheckedOut) { tr.add(sign{what: "checked out", address: e.Address}) },
		ConnectionCheckOutFailed: func(e *event.ConnectionCheckOutFailed) { tr.add(sign{what: "check-out failed", address: e.Address}) },
	}
}

// forget begins the trail anew.
func (tr *trail) forget() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.list = nil
}

// of are the signs of a kind, of a command if one is named.
func (tr *trail) of(what string, name ...string) (list []sign) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, s := range tr.list {
		if s.what == what && (len(name) == 0 || slices.Contains(name, s.name)) {
			list = append(list, s)
		}
	}
	return list
}

// last is the command that was started last.
func (tr *trail) last(t *testing.T) bson.Raw {
	t.Helper()
	list := tr.of("started")
	if len(list) == 0 {
		t.Fatal("no command was started")
	}
	return list[len(list)-1].doc
}

// order are the signs of some kinds, in their order.
func (tr *trail) order(whats ...string) string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var list []string
	for _, s := range tr.list {
		if slices.Contains(whats, s.what) {
			list = append(list, s.what)
		}
	}
	return strings.Join(list, ", ")
}

// codeOf is the server's code in an error, 0 if it has none.
func codeOf(err error) int32 {
	var command *motor.CommandError
	var wce *motor.WriteConcernError
	switch {
	case errors.As(err, &command):
		return command.Code
	case errors.As(err, &wce):
		return wce.Code
	}
	return 0
}

type collection = motor.Collection[bson.D]

func find(l *lab, c *collection) error {
	_, err := c.Find(l.Context(), nil).Slice()
	return err
}

func insert(l *lab, c *collection) error {
	_, err := c.InsertOne(l.Context(), bson.D{{Key: "a", Value: 1}})
	return err
}

func hasLabel(err error, label string) bool { return motor.HasErrorLabel(err, label) }

// maxRetries is MAX_RETRIES of the specifications.
const maxRetries = 2

// ignore is err unless it is the other.
func ignore(err, other error) error {
	if errors.Is(err, other) {
		return nil
	}
	return err
}

// withoutSessions starts a server that answers every command, but does not know
// of sessions, and gives its address.
func withoutSessions(l *lab) (address string) {
	l.Helper()
	return answering(l, func(string, bson.Raw) bson.D {
		return append(greeting, d("n", 1, "cursor", d("id", int64(0), "ns", "db.c", "firstBatch", bson.A{}))...)
	})
}

// greeting is an answer to hello.
var greeting = d("ok", 1, "isWritablePrimary", true, "helloOk", true, "minWireVersion", 0, "maxWireVersion", 21,
	"maxBsonObjectSize", 16<<20, "maxMessageSizeBytes", 48_000_000, "maxWriteBatchSize", 100_000)

// answering starts a server that gives the answers to commands, and gives its
// address.
func answering(l *lab, answer func(address string, command bson.Raw) bson.D) (address string) {
	l.Helper()
	listener, err := l.network.Listen("127.0.0.1:0")
	l.ok(err)
	l.Cleanup(func() { listener.Close() })
	address = listener.Addr().String()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for {
					h, message, err := wire.ReadMessage(conn, nil, wire.DefaultMaxMessageSize)
					if err != nil {
						return
					}
					var reply []byte
					if h.OpCode == wire.OpQuery {
						reply = wire.AppendReply(nil, wire.NextRequestID(), h.RequestID, encode(l, answer(address, nil)))
					} else {
						m, err := wire.ParseMsg(message)
						if err != nil {
							return
						}
						reply = wire.AppendMsg(nil, wire.NextRequestID(), h.RequestID, 0, encode(l, answer(address, m.Body)))
					}
					if _, err := conn.Write(reply); err != nil {
						return
					}
				}
			}()
		}
	}()
	return address
}
