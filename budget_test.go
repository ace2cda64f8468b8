package motor_test

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/wire"
)

// deployment is a primary that answers each command with a document that is
// ready, and allocates nothing meanwhile.
type deployment struct {
	t       testing.TB
	addr    string
	replies map[string]*turns // by the name of the command
}

// turns are replies that are given in turn.
type turns struct {
	list []bson.Raw
	n    atomic.Int64
}

func (r *turns) take() bson.Raw { return r.list[int(r.n.Add(1)-1)%len(r.list)] }

// script has the command answered with the replies in turn.
func (p *deployment) script(command string, replies ...bson.Raw) {
	p.replies[command] = &turns{list: replies}
}

func newDeployment(t testing.TB, replies map[string]bson.Raw) *deployment {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &deployment{t: t, addr: l.Addr().String(), replies: map[string]*turns{}}
	hello := encode(t, d("hosts", bson.A{p.addr}, "setName", "rs0", "me", p.addr, "primary", p.addr,
		"isWritablePrimary", true, "helloOk", true, "maxBsonObjectSize", 16<<20, "maxMessageSizeBytes", 48_000_000,
		"maxWriteBatchSize", 100_000, "logicalSessionTimeoutMinutes", 30, "minWireVersion", 6, "maxWireVersion", 25, "ok", 1))
	p.script("hello", hello)
	p.script("isMaster", hello)
	p.script("endSessions", encode(t, d("ok", 1)))
	for command, reply := range replies {
		p.script(command, reply)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.converse(conn)
		}
	}()
	return p
}

func (p *deployment) converse(conn net.Conn) {
	defer conn.Close()
	var message, out []byte
	for {
		header, m, err := wire.ReadMessage(conn, message, wire.DefaultMaxMessageSize)
		if err != nil {
			return
		}
		message = m
		if header.OpCode == wire.OpQuery {
			out = wire.AppendReply(out[:0], 1, header.RequestID, p.replies["hello"].take())
		} else {
			const name = wire.HeaderLen + 4 + 1 + 4 + 1
			end := name
			for m[end] != 0 {
				end++
			}
			out = wire.AppendMsg(out[:0], 1, header.RequestID, 0, p.replies[string(m[name:end])].take())
		}
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

func (p *deployment) connect(options ...motor.ClientOptions) *motor.Client {
	p.t.Helper()
	client, err := motor.Connect(p.t.Context(), "mongodb://"+p.addr+"/?replicaSet=rs0&serverMonitoringMode=poll", options...)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { client.Close(context.Background()) })
	return client
}

// d is the document with the pairs of keys and values.
func d(pairs ...any) bson.D {
	doc := bson.D{}
	for i := 0; i < len(pairs); i += 2 {
		doc = append(doc, bson.E{Key: pairs[i].(string), Value: pairs[i+1]})
	}
	return doc
}

func encode(t testing.TB, doc any) bson.Raw {
	t.Helper()
	raw, err := bson.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// article is a small document without strings.
type article struct {
	ID, Stock, Price, Sold int64
}

func smallDocument() bson.D {
	doc := bson.D{}
	for _, key := range strings.Fields("a b c d e f g h i j k l m") {
		doc = append(doc, bson.E{Key: key, Value: key + " is a small string"})
	}
	return doc
}

func found(t testing.TB, field string, id int64, docs ...any) bson.Raw {
	return encode(t, d("cursor", d(field, bson.A(docs), "id", id, "ns", "db.coll"), "ok", 1.0, "$clusterTime", d("clusterTime", bson.Timestamp{T: 1}), "operationTime", bson.Timestamp{T: 1}))
}

func TestAllocationsOfOneOperation(t *testing.T) {
	doc := smallDocument()
	primary := newDeployment(t, map[string]bson.Raw{
		"ping":   encode(t, d("ok", 1)),
		"find":   found(t, "firstBatch", 0, append(d("id", int64(1), "stock", int64(3)), doc...)),
		"insert": encode(t, d("n", 1, "ok", 1)),
	})
	plain := primary.connect()
	listening := primary.connect(motor.ClientOptions{Observer: &event.Observer{
		CommandStarted: func(*event.CommandStarted) {}, CommandSucceeded: func(*event.CommandSucceeded) {},
	}})
	cancellable, cancel := context.WithCancel(t.Context())
	defer cancel()
	background := context.WithoutCancel(cancellable)

	ping, byID := d("ping", 1), d("_id", 1)
	for _, op := range []struct {
		name   string
		budget float64
		run    func(ctx context.Context, db *motor.Database) error
	}{
		{"runCommand", 12, func(ctx context.Context, db *motor.Database) error {
			_, err := db.RunCommand(ctx, ping)
			return err
		}},
		{"findOne into a struct", 14, func(ctx context.Context, db *motor.Database) error {
			_, err := motor.CollectionOf[article](db, "c").FindOne(ctx, byID)
			return err
		}},
		{"findOne into D", 24, func(ctx context.Context, db *motor.Database) error {
			_, err := db.Collection("c").FindOne(ctx, byID)
			return err
		}},
		{"insertOne", 10, func(ctx context.Context, db *motor.Database) error {
			_, err := db.Collection("c").InsertOne(ctx, doc)
			return err
		}},
	} {
		for _, way := range []struct {
			name   string
			ctx    context.Context
			client *motor.Client
			more   float64
		}{
			{"plain", background, plain, 0},
			{"cancellable context", cancellable, plain, 4},
			{"command monitor", background, listening, 5},
			{"timeoutMS", motor.WithTimeout(background, time.Minute), plain, 8},
		} {
			db := way.client.Database("db")
			allocs := testing.AllocsPerRun(200, func() {
				if err := op.run(way.ctx, db); err != nil {
					t.Fatal(err)
				}
			})
			if allocs > op.budget+way.more {
				t.Errorf("%s, %s: %v allocations, want %v at most", op.name, way.name, allocs, op.budget+way.more)
			}
		}
	}
}
