package pool

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/wire"
)

// server is the other end of connections. Each message is answered by answer,
// which is called in the goroutine of its connection and may block.
type server struct {
	// hello are further elements of the reply to a handshake.
	hello []byte
	// answer gives the reply to a command, or written if it wrote that itself;
	// nil closes the connection, unless the command is a handshake.
	answer func(s *serverConn, command bson.Raw) bson.Raw

	dials   atomic.Int64 // connections made
	running sync.WaitGroup
}

// written is what answer returns when it has written the reply.
var written = bson.Raw{}

// serverConn is the server's end of one connection.
type serverConn struct {
	net.Conn
	*server
	request   wire.Header
	sequences []wire.Sequence // of the command
}

// dial is a Config.Dial.
func (s *server) dial(context.Context) (net.Conn, error) {
	s.dials.Add(1)
	ours, theirs := net.Pipe()
	s.running.Go(func() { s.serve(theirs) })
	return ours, nil
}

func (s *server) serve(stream net.Conn) {
	defer stream.Close()
	c := &serverConn{Conn: stream, server: s}
	for {
		header, message, err := wire.ReadMessage(stream, nil, wire.DefaultMaxMessageSize)
		if err != nil {
			return
		}
		if header.OpCode == wire.OpCompressed {
			if message, err = wire.Decompress(message, wire.DefaultMaxMessageSize); err != nil {
				return
			}
		}
		m, err := wire.ParseMsg(message)
		if err != nil {
			return
		}
		c.request, c.sequences = header, m.Sequences
		reply := s.reply(c, m.Body)
		if reply == nil {
			return
		}
		if m.Flags&wire.MoreToCome != 0 || len(reply) == 0 {
			continue
		}
		if _, err := stream.Write(wire.AppendMsg(nil, 1, header.RequestID, 0, reply)); err != nil {
			return
		}
	}
}

func (s *server) reply(c *serverConn, command bson.Raw) bson.Raw {
	if s.answer != nil {
		if reply := s.answer(c, command); reply != nil || commandName(command) != "isMaster" {
			return reply
		}
	}
	return helloReply(s.hello)
}

func commandName(command bson.Raw) string {
	for name := range command.Keys() {
		return name
	}
	return ""
}

// helloReply is what a standalone server answers, with more elements.
func helloReply(more []byte) bson.Raw {
	doc, at := bson.BeginDocument(nil)
	doc = bson.AppendBool(doc, "ismaster", true)
	doc = bson.AppendBool(doc, "helloOk", true)
	doc = bson.AppendInt32(doc, "maxWireVersion", 21)
	doc = bson.AppendInt32(doc, "maxMessageSizeBytes", wire.DefaultMaxMessageSize)
	doc = bson.AppendInt32(doc, "connectionId", 7)
	doc = append(doc, more...)
	doc = bson.AppendInt32(doc, "ok", 1)
	return bson.EndDocument(doc, at)
}

// okReply is {ok: 1} with more elements before.
func okReply(more []byte) bson.Raw {
	doc, at := bson.BeginDocument(nil)
	doc = append(doc, more...)
	doc = bson.AppendInt32(doc, "ok", 1)
	return bson.EndDocument(doc, at)
}

// ping appends {ping: 1} to the write buffer of c.
func ping(c *Conn) Request {
	message, at := wire.BeginMsg(c.Buffer(), wire.NextRequestID(), 0, 0)
	message, doc := bson.BeginDocument(message)
	message = bson.AppendInt32(message, "ping", 1)
	message = bson.AppendString(message, "$db", "admin")
	return Request{Message: wire.EndMessage(bson.EndDocument(message, doc), at)}
}

// refusing is a Config.Dial that fails.
func refusing(err error) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) { return nil, err }
}

// newPool is a ready pool of connections to s, which ends with the test.
func newPool(t testing.TB, s *server, config Config) *Pool {
	config.Address, config.Dial = "test:27017", s.dial
	p := New(config)
	t.Cleanup(func() {
		p.Close()
		<-p.Done()
		s.running.Wait()
	})
	p.Ready()
	return p
}
