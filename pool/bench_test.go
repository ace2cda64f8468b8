package pool

import (
	"context"
	"encoding/binary"
	"net"
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/wire"
)

// loop is a stream whose other end answers every message at once, without
// goroutines or allocations.
type loop struct {
	net.Conn
	reply   []byte
	pending []byte
}

func newLoop(reply bson.Raw) *loop { return &loop{reply: wire.AppendMsg(nil, 1, 0, 0, reply)} }

func (l *loop) Write(message []byte) (int, error) {
	copy(l.reply[8:12], message[4:8]) // responseTo
	l.pending = l.reply
	return len(message), nil
}

func (l *loop) Read(b []byte) (int, error) {
	n := copy(b, l.pending)
	l.pending = l.pending[n:]
	return n, nil
}

func (l *loop) Close() error                       { return nil }
func (l *loop) SetDeadline(time.Time) error        { return nil }
func (l *loop) SetReadDeadline(t time.Time) error  { return nil }
func (l *loop) SetWriteDeadline(t time.Time) error { return nil }

func loopPool(t testing.TB, reply bson.Raw, observer *event.Observer) *Pool {
	p := New(Config{Address: "a:1", MaxPoolSize: 100, Observer: observer, Dial: func(context.Context) (net.Conn, error) {
		return newLoop(reply), nil
	}})
	p.Ready()
	t.Cleanup(p.Close)
	p.CheckIn(checkOut(t, p))
	return p
}

// operation is one check-out, round trip and check-in.
func operation(t testing.TB, ctx context.Context, p *Pool) {
	c, err := p.CheckOut(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.RoundTrip(ctx, ping(c)); err != nil {
		t.Fatal(err)
	}
	p.CheckIn(c)
}

// The reply's memory is the only allocation of an operation whose context
// cannot end. Arming one that can costs two more.
func TestAllocations(t *testing.T) {
	p := loopPool(t, helloReply(nil), nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, tt := range []struct {
		name string
		do   func()
		max  float64
	}{
		{"check-out and check-in", func() { p.CheckIn(checkOut(t, p)) }, 0},
		{"operation", func() { operation(t, context.Background(), p) }, 1},
		{"operation that can be cancelled", func() { operation(t, ctx, p) }, 3},
	} {
		tt.do()
		if n := testing.AllocsPerRun(100, tt.do); n > tt.max {
			t.Errorf("%s: %v allocations, the budget is %v", tt.name, n, tt.max)
		}
	}
}

// A large message does not cost a new buffer each time, and its buffer is not
// kept by a connection that is available.
func TestLargeBuffersAreShared(t *testing.T) {
	p := loopPool(t, helloReply(nil), nil)
	block := make([]byte, 64<<10)
	large := func() {
		c := checkOut(t, p)
		message, at := wire.BeginMessage(c.Buffer(), 1, 0, wire.OpMsg)
		for range 64 {
			message = append(message, block...)
		}
		if err := c.Send(context.Background(), Request{Message: wire.EndMessage(message, at)}); err != nil {
			t.Fatal(err)
		}
		p.CheckIn(c)
		if cap(c.out) > largeBuffer {
			t.Fatalf("%d bytes are kept", cap(c.out))
		}
	}
	// The garbage collector and the race detector may lose a buffer at times.
	least := testing.AllocsPerRun(1, large)
	for range 20 {
		least = min(least, testing.AllocsPerRun(1, large))
	}
	if least > 2 {
		t.Errorf("%v allocations", least)
	}
}

func BenchmarkCheckOut(b *testing.B) {
	for name, observer := range map[string]*event.Observer{
		"unobserved": nil,
		"observed":   {ConnectionCheckedOut: func(*event.ConnectionCheckedOut) {}},
	} {
		b.Run(name, func(b *testing.B) {
			p := loopPool(b, helloReply(nil), observer)
			b.ReportAllocs()
			for b.Loop() {
				c, _ := p.CheckOut(context.Background())
				p.CheckIn(c)
			}
		})
	}
	b.Run("parallel", func(b *testing.B) {
		p := loopPool(b, helloReply(nil), nil)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				c, _ := p.CheckOut(context.Background())
				p.CheckIn(c)
			}
		})
	})
}

func BenchmarkRoundTrip(b *testing.B) {
	large := okReply(bson.AppendBinary(nil, "data", bson.Binary{Data: make([]byte, 15<<20)}))
	cancellable, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, tt := range []struct {
		name  string
		ctx   context.Context
		reply bson.Raw
	}{
		{"small", context.Background(), helloReply(nil)},
		{"cancellable", cancellable, helloReply(nil)},
		{"15MB", context.Background(), large},
	} {
		b.Run(tt.name, func(b *testing.B) {
			p := loopPool(b, tt.reply, nil)
			b.SetBytes(int64(len(tt.reply)))
			b.ReportAllocs()
			for b.Loop() {
				operation(b, tt.ctx, p)
			}
		})
	}
}

// BenchmarkTCP is a round trip over the loopback interface, against the same
// bytes on the bare connection.
func BenchmarkTCP(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	reply := wire.AppendMsg(nil, 1, 0, 0, helloReply(nil))
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go echo(c, reply)
		}
	}()
	dial := func(context.Context) (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }
	b.Run("bare", func(b *testing.B) {
		c, err := dial(nil)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		request, buf := ping(newConn(&Config{}, 1)).Message, make([]byte, 4096)
		b.ReportAllocs()
		for b.Loop() {
			c.Write(request)
			if n, err := c.Read(buf); n != len(reply) || err != nil {
				b.Fatal(n, err)
			}
		}
	})
	b.Run("pool", func(b *testing.B) {
		p := New(Config{Address: "a:1", Dial: dial})
		defer p.Close()
		p.Ready()
		b.ReportAllocs()
		for b.Loop() {
			operation(b, context.Background(), p)
		}
	})
}

func echo(c net.Conn, reply []byte) {
	defer c.Close()
	reply = append([]byte(nil), reply...)
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if n < 8 || int(binary.LittleEndian.Uint32(buf)) != n {
			return
		}
		copy(reply[8:12], buf[4:8])
		if _, err := c.Write(reply); err != nil {
			return
		}
	}
}
