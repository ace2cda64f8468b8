package pool

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/wire"
)

// slow answers ping after the delay that it asks for, and all else at once.
func slow(delay time.Duration) func(*serverConn, bson.Raw) bson.Raw {
	return func(_ *serverConn, command bson.Raw) bson.Raw {
		if commandName(command) == "isMaster" {
			return nil
		}
		time.Sleep(delay)
		return okReply(bson.AppendString(nil, "to", commandName(command)))
	}
}

// command appends {name: 1} to the write buffer of c.
func command(c *Conn, name string, flags wire.Flags) Request {
	message, at := wire.BeginMsg(c.Buffer(), wire.NextRequestID(), 0, flags)
	message, doc := bson.BeginDocument(message)
	message = bson.AppendInt32(message, name, 1)
	message = bson.AppendString(message, "$db", "admin")
	return Request{Message: wire.EndMessage(bson.EndDocument(message, doc), at)}
}

func checkOut(t testing.TB, p *Pool) *Conn {
	t.Helper()
	c, err := p.CheckOut(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// answers fails the test unless c answers a command.
func answers(t testing.TB, c *Conn) {
	t.Helper()
	reply, err := c.RoundTrip(t.Context(), command(c, "buildInfo", 0))
	if err != nil {
		t.Fatal(err)
	}
	if to, _ := reply.Lookup("to").Str(); to != "buildInfo" {
		t.Errorf("the reply is to %q", to)
	}
}

func TestCancelledRoundTripIsDrained(t *testing.T) {
	for name, tt := range map[string]struct {
		begin func(context.Context) (context.Context, context.CancelFunc)
		is    error
	}{
		"deadline": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 100*time.Millisecond)
		}, context.DeadlineExceeded},
		"cancel": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(100*time.Millisecond, cancel)
			return ctx, cancel
		}, context.Canceled},
		"cause": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(100*time.Millisecond, func() { cancel(errLostInterest) })
			return ctx, func() { cancel(nil) }
		}, errLostInterest},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &server{answer: slow(time.Second)}
				p := newPool(t, s, Config{})
				c := checkOut(t, p)
				ctx, cancel := tt.begin(t.Context())
				defer cancel()
				start := time.Now()
				_, err := c.RoundTrip(ctx, ping(c))
				if took := time.Since(start); took != 100*time.Millisecond {
					t.Errorf("it took %v to give up", took)
				}
				var network *NetworkError
				if !errors.As(err, &network) || !errors.Is(err, tt.is) || !errors.Is(err, ctx.Err()) ||
					!network.Sent || network.Timeout() != (ctx.Err() == context.DeadlineExceeded) || network.Canceled() == network.Timeout() {
					t.Errorf("error: %#v", err)
				}
				p.CheckIn(c)
				if st := p.Stats(); st.Draining != 1 {
					t.Errorf("%+v", st)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if st := p.Stats(); st.Available != 1 {
					t.Errorf("%+v", st)
				}
				again := checkOut(t, p)
				answers(t, again)
				p.CheckIn(again)
				if n := s.dials.Load(); n != 1 {
					t.Errorf("%d connections were made", n)
				}
			})
		})
	}
}

var errLostInterest = errors.New("lost interest")

func TestLateReplyThatNeverComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &server{answer: slow(time.Hour)}, Config{})
		c := checkOut(t, p)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c.RoundTrip(ctx, ping(c))
		p.CheckIn(c)
		time.Sleep(defaultPendingReadTimeout - 1)
		synctest.Wait()
		if st := p.Stats(); st.Draining != 1 {
			t.Errorf("before the time is over: %+v", st)
		}
		time.Sleep(1 * time.Nanosecond)
		synctest.Wait()
		if st := p.Stats(); st.Closed != 1 || st.Total() != 0 {
			t.Errorf("after the time is over: %+v", st)
		}
		time.Sleep(time.Hour)
	})
}

// A connection that is pinned is used again before it is checked in.
func TestLateReplyIsReadBeforeTheNextRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &server{answer: slow(time.Second)}, Config{})
		c := checkOut(t, p)
		defer p.CheckIn(c)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		c.RoundTrip(ctx, ping(c))

		impatient, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := c.RoundTrip(impatient, ping(c))
		var network *NetworkError
		if !errors.As(err, &network) || network.Sent || !network.Timeout() {
			t.Errorf("error: %v", err)
		}
		answers(t, c)
	})
}

// Without a deadline of its own, the next round trip does not wait for ever for
// a late reply.
func TestLateReplyThatNeverComesBeforeTheNextRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &server{answer: slow(time.Hour)}, Config{})
		c := checkOut(t, p)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c.RoundTrip(ctx, ping(c))
		start := time.Now()
		_, err := c.RoundTrip(context.Background(), ping(c))
		var network *NetworkError
		if !errors.As(err, &network) || network.Sent || !network.Timeout() || time.Since(start) != defaultPendingReadTimeout {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		p.CheckIn(c)
		if st := p.Stats(); st.Closed != 1 {
			t.Errorf("%+v", st)
		}
		time.Sleep(time.Hour)
	})
}

func TestRoundTripAfterTheEndOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &server{answer: slow(0)}, Config{})
		c := checkOut(t, p)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.RoundTrip(ctx, ping(c))
		var network *NetworkError
		if !errors.As(err, &network) || network.Sent || !network.Canceled() {
			t.Errorf("error: %v", err)
		}
		p.CheckIn(c)
		if st := p.Stats(); st.Available != 1 {
			t.Errorf("%+v", st)
		}
		answers(t, checkOut(t, p))
		p.CheckIn(c)
	})
}

func TestCancelDuringPartOfAReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answer: func(s *serverConn, command bson.Raw) bson.Raw {
			if commandName(command) == "ping" {
				reply := wire.AppendMsg(nil, 1, s.request.RequestID, 0, okReply(nil))
				for _, b := range reply[:len(reply)-1] {
					s.Write([]byte{b})
					time.Sleep(10 * time.Millisecond)
				}
				s.Write(reply[len(reply)-1:])
				return written
			}
			return slow(0)(s, command)
		}}
		p := newPool(t, s, Config{})
		for within := 5 * time.Millisecond; within < 330*time.Millisecond; within += 50 * time.Millisecond {
			c := checkOut(t, p)
			ctx, cancel := context.WithTimeout(t.Context(), within)
			if _, err := c.RoundTrip(ctx, ping(c)); err == nil {
				t.Errorf("a whole reply came within %v", within)
			}
			cancel()
			answers(t, c)
			p.CheckIn(c)
		}
		if n := s.dials.Load(); n != 1 {
			t.Errorf("%d connections were made", n)
		}
	})
}

func TestCancelDuringWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		p := newPool(t, &server{answer: func(_ *serverConn, command bson.Raw) bson.Raw {
			if commandName(command) == "ping" {
				<-stuck
			}
			return slow(0)(nil, command)
		}}, Config{})
		defer close(stuck)
		c := checkOut(t, p)
		if err := c.Send(t.Context(), command(c, "ping", wire.MoreToCome)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := c.RoundTrip(ctx, ping(c))
		if took := time.Since(start); took != time.Second+writeGrace {
			t.Errorf("it took %v to give up", took)
		}
		var network *NetworkError
		if !errors.As(err, &network) || network.Op != "write" || !network.Timeout() {
			t.Errorf("error: %v", err)
		}
		p.CheckIn(c)
		if st := p.Stats(); st.Closed != 1 {
			t.Errorf("%+v", st)
		}
	})
}

func TestSocketTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &server{answer: slow(time.Second)}, Config{SocketTimeout: 500 * time.Millisecond})
		c := checkOut(t, p)
		_, err := c.RoundTrip(context.Background(), ping(c))
		var network *NetworkError
		if !errors.As(err, &network) || !network.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("error: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := c.RoundTrip(ctx, ping(c)); err != nil {
			t.Errorf("the context's deadline does not replace the socket timeout: %v", err)
		}
		p.CheckIn(c)
	})
}

func TestInterruptInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &server{answer: slow(time.Hour)}, Config{})
		c := checkOut(t, p)
		time.AfterFunc(time.Second, func() { p.Clear(errors.New("no heartbeat"), nil, true) })
		_, err := c.RoundTrip(t.Context(), ping(c))
		var cleared *ClearedError
		if !errors.As(err, &cleared) || !cleared.Interrupted {
			t.Errorf("error: %v", err)
		}
		if want := "connection to test:27017 interrupted due to server monitor timeout"; !strings.HasSuffix(err.Error(), want) {
			t.Errorf("error: %v", err)
		}
		p.CheckIn(c)
		time.Sleep(time.Hour)
	})
}

func TestExhaust(t *testing.T) {
	s := &server{}
	s.answer = func(s *serverConn, command bson.Raw) bson.Raw {
		if commandName(command) != "hello" {
			return nil
		}
		responseTo := s.request.RequestID
		for i := range int32(3) {
			flags := wire.MoreToCome
			if i == 2 {
				flags = 0
			}
			s.Write(wire.AppendMsg(nil, 100+i, responseTo, flags, okReply(bson.AppendInt32(nil, "i", i))))
			responseTo = 100 + i
		}
		return written
	}
	c, err := Connect(t.Context(), Config{Address: "test:27017", Dial: s.dial})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	reply, err := c.RoundTrip(t.Context(), command(c, "hello", wire.ExhaustAllowed))
	for i := range int32(3) {
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := reply.Lookup("i").Int32(); got != i || c.MoreToCome != (i < 2) {
			t.Errorf("reply %d is %d, more to come: %v", i, got, c.MoreToCome)
		}
		if c.MoreToCome {
			reply, err = c.Receive(t.Context())
		}
	}
}

// What a server may get wrong, and what is said then. The connection is closed.
func TestBadReplies(t *testing.T) {
	ok := okReply(nil)
	for name, tt := range map[string]struct {
		reply func(request int32) []byte
		want  string
	}{
		"another request":      {func(r int32) []byte { return wire.AppendMsg(nil, 1, r+1, 0, ok) }, "is answered"},
		"hang up":              {func(int32) []byte { return nil }, "EOF"},
		"hang up in header":    {func(r int32) []byte { return wire.AppendMsg(nil, 1, r, 0, ok)[:9] }, "unexpected EOF"},
		"hang up after header": {func(r int32) []byte { return wire.AppendMsg(nil, 1, r, 0, ok)[:16] }, "16 of 34 bytes of a message: unexpected EOF"},
		"too long": {func(r int32) []byte {
			m := wire.AppendMsg(nil, 1, r, 0, ok)
			m[3] = 0x7f
			return m
		}, "the limit is 48000000"},
		"negative length": {func(r int32) []byte {
			m := wire.AppendMsg(nil, 1, r, 0, ok)
			m[3] = 0xff
			return m
		}, "the header alone is 16"},
		"no message":      {func(r int32) []byte { return wire.AppendReply(nil, 1, r, ok) }, "OP_REPLY answers"},
		"replies to come": {func(r int32) []byte { return wire.AppendMsg(nil, 1, r, wire.MoreToCome, ok) }, "more replies are announced"},
		"no body": {func(r int32) []byte {
			m, at := wire.BeginMessage(nil, 1, r, wire.OpMsg)
			return wire.EndMessage(append(m, 0, 0, 0, 0), at)
		}, "no body section"},
		"lying compression": {func(r int32) []byte {
			m, _ := wire.AppendCompressed(nil, wire.AppendMsg(nil, 1, r, 0, ok), wire.Snappy, 0)
			m[wire.HeaderLen+4+3] = 0x10
			return m
		}, "announces"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{answer: func(s *serverConn, command bson.Raw) bson.Raw {
				if commandName(command) == "ping" {
					s.Write(tt.reply(s.request.RequestID))
				}
				return nil
			}}
			p := newPool(t, s, Config{})
			c := checkOut(t, p)
			_, err := c.RoundTrip(t.Context(), ping(c))
			var network *NetworkError
			if !errors.As(err, &network) || !network.Sent || network.Timeout() {
				t.Fatalf("error: %#v", err)
			}
			if text := err.Error(); !strings.HasPrefix(text, "test:27017: read: ") || !strings.Contains(text, tt.want) {
				t.Errorf("error %q says nothing of %q", text, tt.want)
			}
			if _, err := c.RoundTrip(t.Context(), ping(c)); err == nil {
				t.Error("the connection can be used again")
			}
			p.CheckIn(c)
			if st := p.Stats(); st.Closed != 1 {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestMessageTooLong(t *testing.T) {
	s := &server{hello: bson.AppendInt32(nil, "maxMessageSizeBytes", 1000), answer: slow(0)}
	c, err := Connect(t.Context(), Config{Address: "test:27017", Dial: s.dial})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.MaxMessageSize = 1000
	message := wire.AppendMsg(c.Buffer(), 1, 0, 0, okReply(bson.AppendString(nil, "s", strings.Repeat("x", 1000))))
	if _, err := c.RoundTrip(t.Context(), Request{Message: message}); err == nil || !strings.Contains(err.Error(), "the limit is 1000") {
		t.Errorf("error: %v", err)
	}
	answers(t, c)
}

func TestCompression(t *testing.T) {
	for _, compressor := range []wire.Compressor{wire.Snappy, wire.Zlib, wire.Zstd} {
		t.Run(compressor.String(), func(t *testing.T) {
			names, at := bson.BeginArray(nil, "compression")
			names = bson.AppendStringValue(bson.AppendIndexHeader(names, bson.TypeString, 0), "zstd")
			names = bson.AppendStringValue(bson.AppendIndexHeader(names, bson.TypeString, 1), compressor.String())
			names = bson.EndDocument(names, at)
			seen := map[string]wire.OpCode{}
			s := &server{hello: names, answer: func(s *serverConn, command bson.Raw) bson.Raw {
				seen[commandName(command)] = s.request.OpCode
				if commandName(command) == "isMaster" {
					return nil
				}
				reply := wire.AppendMsg(nil, 1, s.request.RequestID, 0, okReply(nil))
				reply, _ = wire.AppendCompressed(nil, reply, compressor, -1)
				s.Write(reply)
				return written
			}}
			c, err := Connect(t.Context(), Config{
				Address: "test:27017", Dial: s.dial,
				Handshake: Handshake{Compressors: []wire.Compressor{compressor}, ZlibLevel: -1},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if c.Compressor != compressor {
				t.Errorf("%v was negotiated", c.Compressor)
			}
			reply, err := c.RoundTrip(t.Context(), command(c, "find", 0))
			if err != nil || !reply.Lookup("ok").Truthy() {
				t.Errorf("reply %v, error %v", reply, err)
			}
			if seen["isMaster"] != wire.OpMsg || seen["find"] != wire.OpCompressed {
				t.Errorf("the server saw %v", seen)
			}
		})
	}
}

// Documents that stand behind a message arrive as a part of it, compressed or
// not.
func TestDocumentsBehindTheMessage(t *testing.T) {
	docs := okReply(bson.AppendBinary(nil, "data", bson.Binary{Data: make([]byte, 1<<20)}))
	names, at := bson.BeginArray(nil, "compression")
	names = bson.EndDocument(bson.AppendString(names, "0", "snappy"), at)
	for _, hello := range [][]byte{nil, names} {
		var got []byte
		s := &server{hello: hello, answer: func(s *serverConn, command bson.Raw) bson.Raw {
			if commandName(command) != "insert" {
				return nil
			}
			got = s.sequences[0].Docs
			return okReply(nil)
		}}
		c, err := Connect(t.Context(), Config{
			Address: "test:27017", Dial: s.dial, Handshake: Handshake{Compressors: []wire.Compressor{wire.Snappy}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		insert, at := wire.BeginMsg(c.Buffer(), wire.NextRequestID(), 0, 0)
		insert, doc := bson.BeginDocument(insert)
		insert = bson.EndDocument(bson.AppendInt32(insert, "insert", 1), doc)
		message, behind := wire.EndMsg(insert, at, wire.Sequence{ID: "documents", Docs: docs}, 1000)
		if _, err := c.RoundTrip(t.Context(), Request{Message: message, Documents: behind}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, docs) {
			t.Errorf("%v: %d bytes arrived of %d", c.Compressor, len(got), len(docs))
		}
	}
}

func TestCompressible(t *testing.T) {
	c := newConn(&Config{}, 1)
	for name, want := range map[string]bool{
		"hello": false, "isMaster": false, "ismaster": false, "saslStart": false, "saslContinue": false, "getnonce": false,
		"authenticate": false, "createUser": false, "updateUser": false, "copydbSaslStart": false, "copydbgetnonce": false, "copydb": false,
		"find": true, "insert": true, "hell": true, "usersInfo": true,
	} {
		if got := compressible(command(c, name, 0).Message); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	whole := command(c, "find", 0).Message
	for n := range whole {
		compressible(whole[:n])
	}
}
