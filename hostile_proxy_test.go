package motor_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/wire"
)

// liar stands between a client and a good server, and spoils the replies to the
// commands of one stage of the conversation.
type liar struct {
	net.Listener
	server string
	stage  string // name of a command
	spoil  spoiler

	honest  atomic.Bool  // replies are passed on as they are
	lies    atomic.Int64 // replies that were spoilt
	open    atomic.Int64 // connections of clients
	total   atomic.Int64 // those that there ever were
	mu      sync.Mutex
	rand    *rand.Rand
	serving sync.WaitGroup
	ctx     context.Context
	cancel  context.CancelFunc
}

// spoiler sends something else than reply to the client. It returns false when
// the connection is to be closed.
type spoiler func(l *lie) bool

// lie is a reply to be spoilt. A spoiler may change it.
type lie struct {
	client net.Conn
	reply  []byte
	last   []byte // the reply before, if there was one
	random func(n int) int
	hold   func(time.Duration) // waits, unless the client hangs up
	honest *atomic.Bool        // the time of lies is over
}

func (l *lie) send(b []byte) bool {
	_, err := l.client.Write(b)
	return err == nil
}

// startLiar listens on the loopback interface until close is called.
func startLiar(server, stage string, seed uint64, spoil spoiler) (*liar, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &liar{Listener: listener, server: server, stage: stage, spoil: spoil, rand: rand.New(rand.NewPCG(seed, 0))}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.serving.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			l.open.Add(1)
			l.total.Add(1)
			l.serving.Go(func() {
				defer l.open.Add(-1)
				defer client.Close()
				l.serve(client)
			})
		}
	})
	return l, nil
}

func (l *liar) address() string { return l.Addr().String() }

func (l *liar) close() {
	l.cancel()
	l.Close()
	l.serving.Wait()
}

func (l *liar) random(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rand.IntN(n)
}

func (l *liar) serve(client net.Conn) {
	server, err := net.Dial("tcp", l.server)
	if err != nil {
		return
	}
	defer server.Close()
	ctx, hangUp := context.WithCancel(l.ctx)
	defer hangUp()
	context.AfterFunc(ctx, func() { client.Close(); server.Close() })
	hold := func(d time.Duration) {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
	}
	var stage atomic.Pointer[string]
	l.serving.Go(func() {
		defer hangUp()
		for {
			_, request, err := wire.ReadMessage(client, nil, wire.DefaultMaxMessageSize)
			if err != nil {
				return
			}
			name := commandName(request)
			stage.Store(&name)
			if _, err := server.Write(request); err != nil {
				return
			}
		}
	})
	var last []byte
	for {
		_, reply, err := wire.ReadMessage(server, nil, wire.DefaultMaxMessageSize)
		if err != nil {
			return
		}
		spoilt := &lie{client: client, reply: bytes.Clone(reply), last: last, random: l.random, hold: hold, honest: &l.honest}
		last = reply
		if name := stage.Load(); l.honest.Load() || name == nil || *name != l.stage {
			if !spoilt.send(reply) {
				return
			}
			continue
		}
		l.lies.Add(1)
		if !l.spoil(spoilt) {
			return
		}
	}
}

// commandName is the first field of a request, whatever it is packed in.
func commandName(message []byte) string {
	h, err := wire.ParseHeader(message, len(message))
	if err == nil && h.OpCode == wire.OpCompressed {
		message, err = wire.Decompress(message, wire.DefaultMaxMessageSize)
	}
	if err != nil {
		return ""
	}
	body := bson.Raw(nil)
	if q, err := wire.ParseQuery(message); err == nil {
		body = q.Body
	} else if m, err := wire.ParseMsg(message); err == nil {
		body = m.Body
	}
	for name := range body.Keys() {
		switch name {
		case "isMaster", "ismaster":
			name = "hello"
		}
		return name
	}
	return ""
}

// bodyAt is where the document of a reply begins, if it is not compressed.
func (l *lie) bodyAt() int {
	if binary.LittleEndian.Uint32(l.reply[12:]) == uint32(wire.OpMsg) {
		return wire.HeaderLen + 5
	}
	return min(len(l.reply), wire.HeaderLen+20)
}

// withBody is the reply with another document, in an OP_MSG.
func (l *lie) withBody(doc []byte) []byte {
	return wire.AppendMsg(nil, 7, l.responseTo(), 0, doc)
}

func (l *lie) responseTo() int32 { return int32(binary.LittleEndian.Uint32(l.reply[8:])) }

// compressed is an OP_COMPRESSED for the reply that says what is given.
func (l *lie) compressed(op wire.OpCode, size int, c wire.Compressor, data []byte) []byte {
	m, at := wire.BeginMessage(nil, 7, l.responseTo(), wire.OpCompressed)
	m = binary.LittleEndian.AppendUint32(m, uint32(op))
	m = binary.LittleEndian.AppendUint32(m, uint32(size))
	return wire.EndMessage(append(append(m, byte(c)), data...), at)
}

func deflated(n int) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	io.CopyN(w, zeros{}, int64(n))
	w.Close()
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// bombs hold 16 MB of zeros in a few bytes.
var bombs = sync.OnceValue(func() map[wire.Compressor][]byte {
	const size = 16 << 20
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err)
	}
	return map[wire.Compressor][]byte{
		wire.Snappy: snappy.Encode(nil, make([]byte, size)),
		wire.Zlib:   deflated(size),
		wire.Zstd:   encoder.EncodeAll(make([]byte, size), nil),
	}
})

// nested is a document of documents, as deep as is said.
func nested(depth int) (doc []byte) {
	for inner := depth; inner > 0; inner-- {
		doc = binary.LittleEndian.AppendUint32(doc, uint32(5+8*inner))
		doc = append(doc, byte(bson.TypeEmbeddedDocument), 'a', 0)
	}
	doc = append(doc, 5, 0, 0, 0, 0)
	return append(doc, make([]byte, depth)...)
}

// spoilers are all the ways to spoil a reply.
var spoilers = map[string]spoiler{
	"bits flipped": func(l *lie) bool {
		for range 1 + l.random(8) {
			l.reply[l.random(len(l.reply))] ^= 1 << l.random(8)
		}
		return l.send(l.reply)
	},
	"bits of the document flipped": func(l *lie) bool {
		at := l.bodyAt()
		for range 1 + l.random(8) {
			l.reply[at+l.random(max(1, len(l.reply)-at-1))] ^= 1 << l.random(8)
		}
		return l.send(l.reply)
	},
	"truncated": func(l *lie) bool { l.send(l.reply[:l.random(len(l.reply))]); return false },
	"reset": func(l *lie) bool {
		l.send(l.reply[:l.random(len(l.reply))])
		l.client.(*net.TCPConn).SetLinger(0)
		return false
	},
	"stalled": func(l *lie) bool {
		l.send(l.reply[:l.random(len(l.reply))])
		l.hold(time.Minute)
		return false
	},
	"a byte at a time": func(l *lie) bool {
		for _, b := range l.reply {
			if !l.send([]byte{b}) {
				return false
			}
			l.hold(20 * time.Millisecond)
		}
		return true
	},
	"late":       func(l *lie) bool { l.hold(400 * time.Millisecond); return l.send(l.reply) },
	"missing":    func(*lie) bool { return true },
	"duplicated": func(l *lie) bool { return l.send(append(l.reply, l.reply...)) },
	"the one before": func(l *lie) bool {
		if l.last == nil {
			return l.send(l.reply)
		}
		return l.send(l.last)
	},
	"out of order": func(l *lie) bool { return l.send(append(append([]byte(nil), l.reply...), l.last...)) },
	"of another request": func(l *lie) bool {
		binary.LittleEndian.PutUint32(l.reply[8:], uint32(l.random(1<<31-1)))
		return l.send(l.reply)
	},
	"of another kind": func(l *lie) bool {
		ops := []uint32{0, 1, 2004, 2012, 2013, 1 << 31}
		binary.LittleEndian.PutUint32(l.reply[12:], ops[l.random(len(ops))])
		return l.send(l.reply)
	},
	"of another length": func(l *lie) bool {
		lengths := []uint32{0, 15, 16, 17, 1<<31 - 1, 1 << 31, 1<<32 - 1, wire.DefaultMaxMessageSize + 1}
		binary.LittleEndian.PutUint32(l.reply, lengths[l.random(len(lengths))])
		return l.send(l.reply)
	},
	"announced and never sent": func(l *lie) bool {
		binary.LittleEndian.PutUint32(l.reply, wire.DefaultMaxMessageSize)
		l.send(l.reply)
		l.hold(time.Minute)
		return false
	},
	"with flags": func(l *lie) bool {
		l.reply = l.withBody(l.reply[l.bodyAt():])
		binary.LittleEndian.PutUint32(l.reply[wire.HeaderLen:], 1<<l.random(17))
		return l.send(l.reply)
	},
	"without end": func(l *lie) bool {
		doc, at := bson.BeginDocument(nil)
		doc = bson.EndDocument(bson.AppendInt32(doc, "ok", 1), at)
		to := l.responseTo()
		for id := int32(1000); !l.honest.Load() && l.send(wire.AppendMsg(nil, id, to, wire.MoreToCome, doc)); id++ {
			to = id
			l.hold(time.Millisecond)
		}
		return false
	},
	"random bytes": func(l *lie) bool {
		b := make([]byte, l.random(1000))
		for i := range b {
			b[i] = byte(l.random(256))
		}
		return l.send(b)
	},
	"HTTP":              func(l *lie) bool { l.send([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); return false },
	"an empty document": func(l *lie) bool { return l.send(l.withBody([]byte{5, 0, 0, 0, 0})) },
	"nothing but ok": func(l *lie) bool {
		doc, at := bson.BeginDocument(nil)
		return l.send(l.withBody(bson.EndDocument(bson.AppendDouble(doc, "ok", 1), at)))
	},
	"an error without text": func(l *lie) bool {
		doc, at := bson.BeginDocument(nil)
		return l.send(l.withBody(bson.EndDocument(bson.AppendDouble(doc, "ok", 0), at)))
	},
	"a deep document": func(l *lie) bool {
		doc, at := bson.BeginDocument(nil)
		doc = bson.AppendDouble(doc, "ok", 1)
		doc = append(append(doc, "\x03cursor\x00"...), nested(20_000)...)
		return l.send(l.withBody(bson.EndDocument(doc, at)))
	},
	"a bomb that tells its size": func(l *lie) bool {
		c := wire.Compressor(1 + l.random(3))
		return l.send(l.compressed(wire.OpMsg, 16<<20, c, bombs()[c]))
	},
	"a bomb that hides its size": func(l *lie) bool {
		c := wire.Compressor(1 + l.random(3))
		return l.send(l.compressed(wire.OpMsg, 100, c, bombs()[c]))
	},
	"a small thing that tells a large size": func(l *lie) bool {
		return l.send(l.compressed(wire.OpMsg, 48_000_000-16, wire.Compressor(l.random(5)), []byte{0x80, 0xad, 0xe2, 0x04, 1, 2, 3}))
	},
	"compressed twice": func(l *lie) bool {
		return l.send(l.compressed(wire.OpCompressed, len(l.reply)-wire.HeaderLen, wire.NoCompression, l.reply[wire.HeaderLen:]))
	},
}
