// Package streambench measures how fast change streams are read: by this driver,
// by its plain cursor, and by the official Go driver.
//
//	go -C interop test -run - -bench . ./streambench
package streambench

import (
	"bufio"
	"net"
	"testing"

	officialbson "go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/wire"
)

// batch is the number of events in every batch.
const batch = 1000

type thing struct {
	ID    int `bson:"_id"`
	Name  string
	Color string
	Sizes []int
}

// officialEvent is what the official driver's users write down themselves.
type officialEvent struct {
	ID            officialbson.Raw       `bson:"_id"`
	OperationType string                 `bson:"operationType"`
	ClusterTime   officialbson.Timestamp `bson:"clusterTime"`
	WallTime      officialbson.DateTime  `bson:"wallTime"`
	NS            struct{ DB, Coll string }
	DocumentKey   officialbson.Raw `bson:"documentKey"`
	FullDocument  *thing           `bson:"fullDocument"`
}

// server answers as a replica set of one node whose change streams never want
// for events. It is in the process, but gives the same bytes to all.
type server struct {
	net.Listener
	replies map[string][]byte // by the name of the command
}

func serve(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	address := l.Addr().String()
	hello := bson.D{
		{Key: "isWritablePrimary", Value: true},
		{Key: "helloOk", Value: true},
		{Key: "hosts", Value: bson.A{address}},
		{Key: "setName", Value: "rs"},
		{Key: "setVersion", Value: 1},
		{Key: "me", Value: address},
		{Key: "primary", Value: address},
		{Key: "secondary", Value: false},
		{Key: "maxBsonObjectSize", Value: 16 << 20},
		{Key: "maxMessageSizeBytes", Value: 48_000_000},
		{Key: "maxWriteBatchSize", Value: 100_000},
		{Key: "logicalSessionTimeoutMinutes", Value: 30},
		{Key: "minWireVersion", Value: 0},
		{Key: "maxWireVersion", Value: 25},
		{Key: "ok", Value: 1},
	}
	s := &server{l, map[string][]byte{
		"hello": encode(b, hello), "isMaster": encode(b, hello), "ping": encode(b, bson.D{{Key: "ok", Value: 1}}),
		"aggregate": events(b, "firstBatch"), "find": events(b, "firstBatch"), "getMore": events(b, "nextBatch"),
	}}
	go s.accept()
	return "mongodb://" + address + "/?replicaSet=rs"
}

func encode(b *testing.B, doc any) []byte {
	raw, err := bson.Marshal(doc)
	if err != nil {
		b.Fatal(err)
	}
	return raw
}

// events is a reply with a batch of events.
func events(b *testing.B, name string) []byte {
	token := bson.D{{Key: "_data", Value: "8265A1F0C4000000012B042C0100296E5A1004D3F2A1B4C5D6478899AABBCCDDEEFF00463C5F6964003C310004"}}
	var list bson.A
	for i := range batch {
		list = append(list, bson.D{
			{Key: "_id", Value: token},
			{Key: "operationType", Value: "insert"},
			{Key: "clusterTime", Value: bson.Timestamp{T: 1_700_000_000, I: uint32(i)}},
			{Key: "wallTime", Value: bson.DateTime(1_700_000_000_000)},
			{Key: "fullDocument", Value: thing{i, "a thing of some kind", "red", []int{3, 4, 5}}},
			{Key: "ns", Value: bson.D{{Key: "db", Value: "demo"}, {Key: "coll", Value: "things"}}},
			{Key: "documentKey", Value: bson.D{{Key: "_id", Value: i}}},
		})
	}
	return encode(b, bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: bson.D{{Key: name, Value: list}, {Key: "postBatchResumeToken", Value: token}, {Key: "id", Value: int64(7)}, {Key: "ns", Value: "demo.things"}}}})
}

func (s *server) accept() {
	for {
		conn, err := s.Accept()
		if err != nil {
			return
		}
		go s.converse(conn)
	}
}

func (s *server) converse(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	var message, out []byte
	for id := int32(1); ; id++ {
		header, read, err := wire.ReadMessage(in, message, wire.DefaultMaxMessageSize)
		if err != nil {
			return
		}
		message = read
		if header.OpCode == wire.OpQuery {
			out = wire.AppendReply(out[:0], id, header.RequestID, s.replies["hello"])
		} else {
			msg, err := wire.ParseMsg(message)
			if err != nil {
				return
			}
			reply := s.replies["ping"]
			for name := range msg.Body.Keys() {
				if r, ok := s.replies[name]; ok {
					reply = r
				}
				break
			}
			out = wire.AppendMsg(out[:0], id, header.RequestID, 0, reply)
		}
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

func connect(b *testing.B) *motor.Collection[thing] {
	client, err := motor.Connect(b.Context(), serve(b))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Close(b.Context()) })
	return motor.CollectionOf[thing](client.Database("demo"), "things")
}

// BenchmarkChangeStream reads typed events.
func BenchmarkChangeStream(b *testing.B) {
	stream, err := connect(b).Watch(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { stream.Close(b.Context()) })
	b.ReportAllocs()
	for b.Loop() {
		if !stream.Next(b.Context()) {
			b.Fatal(stream.Err())
		}
		event, err := stream.Decode()
		if err != nil || event.FullDocument.Color != "red" {
			b.Fatal(event, err)
		}
	}
}

// BenchmarkChangeStreamRaw reads events as they come.
func BenchmarkChangeStreamRaw(b *testing.B) {
	stream, err := connect(b).Watch(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { stream.Close(b.Context()) })
	b.ReportAllocs()
	for b.Loop() {
		if !stream.Next(b.Context()) || len(stream.Current()) == 0 {
			b.Fatal(stream.Err())
		}
	}
}

// BenchmarkCursor reads the same documents by find.
func BenchmarkCursor(b *testing.B) {
	events := motor.CollectionOf[motor.ChangeEvent[thing]](connect(b).Database(), "things")
	cursor, err := events.FindCursor(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { cursor.Close(b.Context()) })
	b.ReportAllocs()
	for b.Loop() {
		if !cursor.Next(b.Context()) {
			b.Fatal(cursor.Err())
		}
		event, err := cursor.Decode()
		if err != nil || event.FullDocument.Color != "red" {
			b.Fatal(event, err)
		}
	}
}

// BenchmarkOfficial reads events by the official driver.
func BenchmarkOfficial(b *testing.B) {
	client, err := mongo.Connect(options.Client().ApplyURI(serve(b)))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Disconnect(b.Context()) })
	stream, err := client.Database("demo").Collection("things").Watch(b.Context(), mongo.Pipeline{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { stream.Close(b.Context()) })
	b.ReportAllocs()
	for b.Loop() {
		if !stream.Next(b.Context()) {
			b.Fatal(stream.Err())
		}
		var event officialEvent
		if err := stream.Decode(&event); err != nil || event.FullDocument.Color != "red" {
			b.Fatal(event, err)
		}
	}
}
