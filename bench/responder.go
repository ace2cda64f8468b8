package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/wire"
)

// responder answers commands as a server would that holds the collections of a
// corpus and forgets what is written. Replies are put together once, so that
// what is measured is the driver.
type responder struct {
	corpus corpus
	addr   string
	// set makes it the primary of a replica set.
	set     bool
	replies sync.Map // of bodies by what they answer
}

// Limits of a server.
const (
	firstBatch = 101      // documents of a batch of find that are not asked for otherwise
	batchBytes = 16 << 20 // of one batch
)

// serve runs a standalone server and a replica set of one until the standard
// input ends. It prints their addresses.
func serve(ctx context.Context, specs string) error {
	docs, err := loadCorpus(ctx, &data{specs: specs})
	if err != nil {
		return err
	}
	for _, set := range []bool{false, true} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		r := &responder{corpus: docs, addr: l.Addr().String(), set: set}
		go r.accept(l)
		fmt.Println(r.addr)
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// servers are the addresses of what serve runs in another process.
type servers struct {
	standalone, set string
	stop            func()
}

// startServers runs this program once more, to serve.
func startServers(specs string) (*servers, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "serve", specs)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &servers{stop: func() { in.Close(); cmd.Wait() }}
	if _, err := fmt.Fscan(bufio.NewReader(out), &s.standalone, &s.set); err != nil {
		s.stop()
		return nil, fmt.Errorf("the responder did not start: %w", err)
	}
	return s, nil
}

func (r *responder) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go r.converse(conn)
	}
}

// converse answers the messages of one connection.
func (r *responder) converse(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 64<<10)
	var message, out []byte
	for id := int32(1); ; id++ {
		var header wire.Header
		var err error
		if header, message, err = wire.ReadMessage(in, message, wire.DefaultMaxMessageSize); err != nil {
			return
		}
		if header.OpCode == wire.OpQuery {
			if _, err := conn.Write(wire.AppendReply(nil, id, header.RequestID, r.document(r.hello()))); err != nil {
				return
			}
			continue
		}
		msg, err := wire.ParseMsg(message)
		if err != nil {
			return
		}
		reply := r.reply(msg)
		if msg.Flags&wire.MoreToCome != 0 {
			continue
		}
		var at int
		out, at = wire.BeginMsg(out[:0], id, header.RequestID, 0)
		if err := send(conn, out, at, reply); err != nil {
			return
		}
	}
}

// send writes the message that begins with head and ends with body. A small
// body goes into one buffer with it.
func send(conn net.Conn, head []byte, at int, body []byte) error {
	if len(body) <= 16<<10 {
		_, err := conn.Write(wire.EndMessage(append(head, body...), at))
		return err
	}
	wire.EndMessage(head, at)
	total := uint32(len(head) + len(body))
	head[0], head[1], head[2], head[3] = byte(total), byte(total>>8), byte(total>>16), byte(total>>24)
	buffers := net.Buffers{head, body}
	_, err := buffers.WriteTo(conn)
	return err
}

// reply is the document that answers a command.
func (r *responder) reply(msg wire.Msg) []byte {
	for name, v := range msg.Body.All() {
		switch name {
		case "find":
			switch coll, _ := v.Str(); coll {
			case "fs.files":
				return r.findFile(msg.Body)
			case "fs.chunks":
				all := newCursor(0, fileSize(wanted(msg.Body, "files_id")))
				return r.batch("firstBatch", coll, all, number(msg.Body, "batchSize", firstBatch))
			default:
				return r.find(coll, msg.Body)
			}
		case "getMore":
			id, _ := v.AsInt64()
			coll, _ := msg.Body.Lookup("collection").Str()
			return r.batch("nextBatch", coll, cursor(id), number(msg.Body, "batchSize", math.MaxInt32))
		case "insert", "delete":
			return r.counted(count(msg), false)
		case "update":
			return r.counted(count(msg), true)
		case "bulkWrite":
			return r.once("bulkWrite", r.bulkWritten)
		case "hello", "isMaster", "ismaster":
			return r.once("hello", r.hello)
		}
		break
	}
	return r.once("ok", func() []byte { return nil })
}

// number is the number at the key of a command, or else.
func number(command bson.Raw, key string, otherwise int) int {
	if n, ok := command.Lookup(key).AsInt64(); ok && n > 0 {
		return int(n)
	}
	return otherwise
}

// count counts the documents of a command.
func count(msg wire.Msg) (n int) {
	for _, s := range msg.Sequences {
		for docs := s.Docs; len(docs) > 0; n++ {
			_, rest, err := bson.ReadDocument(docs)
			if err != nil {
				return n
			}
			docs = rest
		}
	}
	return max(n, 1)
}

// once is the document with the elements that make makes the first time.
func (r *responder) once(key any, make func() []byte) []byte {
	if reply, ok := r.replies.Load(key); ok {
		return reply.([]byte)
	}
	reply, _ := r.replies.LoadOrStore(key, r.document(make()))
	return reply.([]byte)
}

// document is an answer with ok and, in a replica set, the times.
func (r *responder) document(elements []byte) []byte {
	doc, at := bson.BeginDocument(nil)
	doc = bson.AppendDouble(append(doc, elements...), "ok", 1)
	if r.set {
		now := bson.Timestamp{T: 1_700_000_000, I: 1}
		var outer, inner int
		doc, outer = bson.BeginEmbedded(doc, "$clusterTime")
		doc = bson.AppendTimestamp(doc, "clusterTime", now)
		doc, inner = bson.BeginEmbedded(doc, "signature")
		doc = bson.AppendBinary(doc, "hash", bson.Binary{Data: make([]byte, 20)})
		doc = bson.EndDocument(bson.AppendInt64(doc, "keyId", 0), inner)
		doc = bson.EndDocument(doc, outer)
		doc = bson.AppendTimestamp(doc, "operationTime", now)
	}
	return bson.EndDocument(doc, at)
}

func (r *responder) hello() []byte {
	var e []byte
	if r.set {
		var at int
		e, at = bson.BeginArray(e, "hosts")
		e = bson.EndDocument(bson.AppendString(e, "0", r.addr), at)
		e = bson.AppendString(e, "setName", "bench")
		e = bson.AppendInt32(e, "setVersion", 1)
		e = bson.AppendString(e, "primary", r.addr)
		e = bson.AppendString(e, "me", r.addr)
		e = bson.AppendObjectID(e, "electionId", bson.ObjectID{0x7f, 0xff, 0xff, 0xff, 11: 1})
		e = bson.AppendBool(e, "secondary", false)
	}
	e = bson.AppendBool(e, "isWritablePrimary", true)
	e = bson.AppendBool(e, "helloOk", true)
	e = bson.AppendInt32(e, "maxBsonObjectSize", 16<<20)
	e = bson.AppendInt32(e, "maxMessageSizeBytes", wire.DefaultMaxMessageSize)
	e = bson.AppendInt32(e, "maxWriteBatchSize", 100_000)
	e = bson.AppendDateTime(e, "localTime", bson.NewDateTime(time.Unix(1_700_000_000, 0)))
	e = bson.AppendInt32(e, "logicalSessionTimeoutMinutes", 30)
	e = bson.AppendInt32(e, "connectionId", 1)
	e = bson.AppendInt32(e, "minWireVersion", 0)
	e = bson.AppendInt32(e, "maxWireVersion", 25)
	return bson.AppendBool(e, "readOnly", false)
}

// counted is the answer to a write of n statements.
func (r *responder) counted(n int, modified bool) []byte {
	type written struct {
		n        int
		modified bool
	}
	return r.once(written{n, modified}, func() []byte {
		e := bson.AppendInt32(nil, "n", int32(n))
		if modified {
			e = bson.AppendInt32(e, "nModified", int32(n))
		}
		return e
	})
}

// find is the first batch of a find.
func (r *responder) find(coll string, command bson.Raw) []byte {
	from := number(command, "skip", 0)
	_, end := r.corpus.collection(coll)
	if limit := number(command, "limit", 0); limit > 0 {
		end = min(end, from+limit)
	}
	return r.batch("firstBatch", coll, newCursor(from, end), number(command, "batchSize", firstBatch))
}

// cursor is the identifier of a cursor: which document is next, and before
// which it ends.
type cursor int64

func newCursor(next, end int) cursor { return cursor(end)<<32 | cursor(next) }

func (c cursor) next() int { return int(int32(c)) }
func (c cursor) end() int  { return int(c >> 32) }

// batch is the next batch of a cursor.
func (r *responder) batch(field, coll string, c cursor, most int) []byte {
	type key struct {
		field, coll string
		cursor      cursor
		most        int
	}
	return r.once(key{field, coll, c, most}, func() []byte {
		doc, end := r.documents(coll, c)
		e, inner := bson.BeginEmbedded(nil, "cursor")
		e, batch := bson.BeginArray(e, field)
		i, start := 0, len(e)
		for ; c.next()+i < end && i < most; i++ {
			next := doc(c.next() + i)
			if i > 0 && len(e)-start+len(next) >= batchBytes {
				break
			}
			e = append(bson.AppendIndexHeader(e, bson.TypeEmbeddedDocument, i), next...)
		}
		e = bson.EndDocument(e, batch)
		id := newCursor(c.next()+i, c.end())
		if id.next() == end {
			id = 0
		}
		e = bson.AppendInt64(e, "id", int64(id))
		e = bson.AppendString(e, "ns", database+"."+coll)
		return bson.EndDocument(e, inner)
	})
}

// documents are those of a cursor by their number, and how many there are. The
// cursor of a file's chunks has the file's size for its end.
func (r *responder) documents(coll string, c cursor) (doc func(i int) bson.Raw, end int) {
	if coll == "fs.chunks" {
		text := content(c.end())
		return func(n int) bson.Raw { return chunk(text, n) }, chunks(len(text))
	}
	one, _ := r.corpus.collection(coll)
	return func(i int) bson.Raw { return withID(i+1, one) }, c.end()
}

// wanted is the number that a find looks for, 0 if it looks for none.
func wanted(command bson.Raw, key string) int64 {
	id, ok := command.Lookup("filter", key).AsInt64()
	if !ok {
		id, _ = command.Lookup("filter", key, "$eq").AsInt64()
	}
	return id
}

// findFile is the entry of the file that is looked for, or of any file.
func (r *responder) findFile(command bson.Raw) []byte {
	id := wanted(command, "_id")
	type file struct{ id int64 }
	return r.once(file{id}, func() []byte {
		e, inner := bson.BeginEmbedded(nil, "cursor")
		e, batch := bson.BeginArray(e, "firstBatch")
		e = bson.EndDocument(bson.AppendDocument(e, "0", fileDocument(id)), batch)
		e = bson.AppendInt64(e, "id", 0)
		return bson.EndDocument(bson.AppendString(e, "ns", database+".fs.files"), inner)
	})
}

func (r *responder) bulkWritten() []byte {
	e, inner := bson.BeginEmbedded(nil, "cursor")
	e, batch := bson.BeginArray(e, "firstBatch")
	e = bson.EndDocument(e, batch)
	e = bson.AppendInt64(e, "id", 0)
	e = bson.EndDocument(bson.AppendString(e, "ns", "admin.$cmd.bulkWrite"), inner)
	for _, n := range []string{"nErrors", "nInserted", "nMatched", "nModified", "nUpserted", "nDeleted"} {
		e = bson.AppendInt32(e, n, 0)
	}
	return e
}
