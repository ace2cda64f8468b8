package ops

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/auth"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/session"
	"github.com/motor-go/motor/topology"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// A stage is a primary that plays a part: it answers each command with the next
// line of a script.
type stage struct {
	t      *testing.T
	mu     sync.Mutex
	script []line
	heard  []wire.Msg
	// wireVersion is what hello claims.
	wireVersion int32
	conns       sync.WaitGroup
	auth        *auth.Authenticator // who logs in; nil for nobody
}

// A line is what the server does with one command.
type line func(command wire.Msg) bson.D

// hangUp closes the connection instead of answering.
func hangUp(wire.Msg) bson.D { return nil }

func answer(d bson.D) line { return func(wire.Msg) bson.D { return d } }

func fail(code int, labels ...any) line {
	return answer(bson.D{{Key: "ok", Value: 0}, {Key: "code", Value: code}, {Key: "codeName", Value: "Name"}, {Key: "errmsg", Value: "failed"}, {Key: "errorLabels", Value: bson.A(labels)}})
}

// ok answers a command, and says of a write that it has done nothing.
func ok(more ...bson.E) line {
	return answer(append(bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 0}}, more...))
}

// perform runs f with an executor whose deployment plays the script, and checks
// that the whole script was played.
func (s *stage) perform(f func(ctx context.Context, x *Executor)) {
	s.t.Helper()
	if s.wireVersion == 0 {
		s.wireVersion = 9
	}
	x := &Executor{
		Sessions: new(session.Pool), Clock: new(session.Clock),
		RetryReads: true, RetryWrites: true, MaxAdaptiveRetries: 2,
	}
	x.Topology = topology.Connect(topology.Config{
		Deployment:             description.Config{Seeds: []string{"a:1"}, SetName: "rs0"},
		ServerMonitoringMode:   topology.MonitoringPoll,
		ServerSelectionTimeout: 5 * time.Second,
		Pool: func(addr string) pool.Config {
			return pool.Config{Address: addr, Handshake: pool.Handshake{Auth: s.auth}, Dial: func(context.Context) (net.Conn, error) {
				client, server := net.Pipe()
				s.conns.Go(func() { s.serve(server) })
				return client, nil
			}}
		},
	})
	f(s.t.Context(), x)
	if err := x.Topology.Close(context.Background()); err != nil {
		s.t.Error(err)
	}
	s.conns.Wait()
	if len(s.script) > 0 {
		s.t.Errorf("%d lines of the script were not played", len(s.script))
	}
}

func (s *stage) serve(conn net.Conn) {
	defer conn.Close()
	for {
		h, message, err := wire.ReadMessage(conn, nil, wire.DefaultMaxMessageSize)
		if err != nil {
			return
		}
		if h.OpCode == wire.OpQuery {
			conn.Write(wire.AppendReply(nil, 1, h.RequestID, encode(s.t, s.hello())))
			continue
		}
		m, err := wire.ParseMsg(message)
		if err != nil {
			s.t.Error(err)
			return
		}
		reply := s.hello()
		if name := commandName(m.Body); name != "hello" && name != "isMaster" {
			if reply = s.next(m)(m); reply == nil {
				return
			}
		}
		if m.Flags&wire.MoreToCome != 0 {
			continue
		}
		if _, err := conn.Write(wire.AppendMsg(nil, 1, h.RequestID, 0, encode(s.t, reply))); err != nil && !errors.Is(err, io.ErrClosedPipe) {
			s.t.Error(err)
		}
	}
}

func (s *stage) next(m wire.Msg) line {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, m)
	if len(s.script) == 0 {
		s.t.Errorf("the script has no answer to %v", m.Body)
		return hangUp
	}
	l := s.script[0]
	s.script = s.script[1:]
	return l
}

// said is the value at the path of the i-th command.
func (s *stage) said(i int, path ...string) bson.RawValue {
	s.t.Helper()
	if i >= len(s.heard) {
		s.t.Fatalf("the server heard %d commands", len(s.heard))
	}
	return s.heard[i].Body.Lookup(path...)
}

func (s *stage) hello() bson.D {
	return bson.D{
		{Key: "ok", Value: 1},
		{Key: "ismaster", Value: true},
		{Key: "setName", Value: "rs0"},
		{Key: "hosts", Value: bson.A{"a:1"}},
		{Key: "me", Value: "a:1"},
		{Key: "setVersion", Value: 1},
		{Key: "minWireVersion", Value: 0},
		{Key: "maxWireVersion", Value: s.wireVersion},
		{Key: "maxBsonObjectSize", Value: 16 << 20},
		{Key: "maxMessageSizeBytes", Value: 48000000},
		{Key: "maxWriteBatchSize", Value: 100000},
		{Key: "logicalSessionTimeoutMinutes", Value: 30},
	}
}

func encode(t *testing.T, d bson.D) bson.Raw {
	b, err := bson.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func commandName(body bson.Raw) string {
	for key := range body.Keys() {
		return key
	}
	return ""
}

func insert(t *testing.T) *Insert {
	return &Insert{Envelope: Envelope{DB: "db"}, Collection: "c", Docs: encode(t, bson.D{{Key: "_id", Value: 1}})}
}

func find() *Find {
	return &Find{Envelope: Envelope{DB: "db"}, Collection: "c", Filter: bson.Raw{5, 0, 0, 0, 0}}
}

func same(t *testing.T, what string, a, b bson.RawValue) {
	t.Helper()
	if a.IsZero() || a.Type != b.Type || string(a.Value) != string(b.Value) {
		t.Errorf("%s differs: %v and %v", what, a, b)
	}
}
