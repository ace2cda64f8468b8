package mongod

import (
	"bufio"
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/storage"
	"github.com/motor-go/motor/wire"
)

// maxMessageSize is maxMessageSizeBytes.
const maxMessageSize = 48_000_000

// A conn serves one connection, one message at a time.
type conn struct {
	server *Server
	id     int32
	net    net.Conn
	in     *bufio.Reader
	out    []byte // the reply that goes out

	compressor wire.Compressor
	greeted    bool // has said hello
	balanced   bool // comes through a load balancer
	metadata   bson.Raw
	appName    string
	sasl       *saslConversation
	users      []userName     // who is logged in
	lastOp     storage.OpTime // of its last write

	// internal says that a mongos uses it, in the name of a client. inner are
	// those that it uses then.
	internal bool
	inner    map[*Server]*conn
}

func newConn(s *Server, n net.Conn, id int32) *conn {
	return &conn{server: s, id: id, net: n, in: bufio.NewReaderSize(n, 16<<10)}
}

// serve answers messages until the connection ends.
func (c *conn) serve() {
	defer c.server.forget(c)
	defer c.net.Close()
	for {
		// Documents are stored as they lie in the message, so each has its own
		// memory.
		_, message, err := wire.ReadMessage(c.in, nil, maxMessageSize)
		if err != nil {
			return
		}
		if err := c.server.Link.receive(c.server.ctx); err != nil {
			return
		}
		if err := c.message(message); err != nil {
			return
		}
		if cap(c.out) > 1<<20 {
			c.out = nil
		}
	}
}

// message answers one message. An error ends the connection.
func (c *conn) message(message []byte) error {
	h, err := wire.ParseHeader(message, maxMessageSize)
	if err != nil {
		return err
	}
	compressor := wire.NoCompression
	if h.OpCode == wire.OpCompressed {
		compressor = c.compressor
		if message, err = wire.Decompress(message, maxMessageSize); err != nil {
			return err
		}
		if h, err = wire.ParseHeader(message, maxMessageSize); err != nil {
			return err
		}
	}
	switch h.OpCode {
	case wire.OpMsg:
		return c.msg(h, message, compressor)
	case wire.OpQuery:
		return c.query(h, message, compressor)
	}
	return errors.New("unknown op code")
}

// msg answers an OP_MSG, several times if it asks for that.
func (c *conn) msg(h wire.Header, message []byte, compressor wire.Compressor) error {
	m, err := wire.ParseMsg(message)
	if err != nil {
		return err
	}
	r := &request{
		server: c.server, conn: c, body: m.Body, sequences: m.Sequences, arrived: time.Now(), malformed: checkMessage(m),
		exhaust: m.Flags&wire.ExhaustAllowed != 0, unread: m.Flags&wire.MoreToCome != 0,
	}
	responseTo := h.RequestID
	for {
		reply, err := r.serve()
		if err != nil {
			return err
		}
		if r.unread {
			return nil
		}
		flags := wire.Flags(0)
		if r.more {
			flags = wire.MoreToCome
		}
		id := wire.NextRequestID()
		c.out = wire.AppendMsg(c.out[:0], id, responseTo, flags, reply)
		if err := c.send(r, compressor); err != nil {
			return err
		}
		if !r.more {
			return nil
		}
		responseTo = id
		r = r.again()
	}
}

// query answers an OP_QUERY, which is a hello or a refusal.
func (c *conn) query(h wire.Header, message []byte, compressor wire.Compressor) error {
	q, err := wire.ParseQuery(message)
	if err != nil {
		return err
	}
	db, rest, _ := cutNamespace(q.Collection)
	if rest != "$cmd" {
		return errors.New("OP_QUERY is for commands only")
	}
	malformed := checkStructure(q.Body)
	if malformed != nil {
		q.Body = newDoc().raw() // nothing can be taken from it
	}
	body := q.Body
	if inner, ok := body.Lookup("$query").Document(); ok {
		body = inner
	}
	d := newDoc().fields(body)
	if body.Lookup("$db").IsZero() {
		d.str("$db", db)
	}
	if q.Flags&wire.SecondaryOK != 0 && body.Lookup("$readPreference").IsZero() {
		d.embed("$readPreference", func(d *doc) { d.str("mode", "secondaryPreferred") })
	}
	r := &request{server: c.server, conn: c, body: d.raw(), arrived: time.Now(), malformed: malformed}
	reply, err := r.serve()
	if err != nil {
		return err
	}
	c.out = wire.AppendReply(c.out[:0], wire.NextRequestID(), h.RequestID, reply)
	return c.send(r, compressor)
}

// send sends the reply to r.
func (c *conn) send(r *request, compressor wire.Compressor) error {
	out := c.out
	if compressor != wire.NoCompression {
		var err error
		if out, err = wire.AppendCompressed(nil, out, compressor, -1); err != nil {
			return err
		}
	}
	if err := c.server.Link.send(c.server.ctx); err != nil {
		return err
	}
	if r.command == nil || !r.command.noSession() {
		if n, cut := c.server.Link.takeCut(); cut {
			c.net.Write(out[:min(n, len(out)-1)])
			return errHangUp
		}
	}
	_, err := c.net.Write(out)
	return err
}

// patiently runs what has to wait, and ends its context if the client goes away
// meanwhile or somebody kills the operation.
func (r *request) patiently(wait func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(r.ctx)
	defer cancel(nil)
	defer r.server.operations.add(r, cancel)()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, err := r.conn.in.Peek(1)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			cancel(errGone)
		}
	}()
	err := wait(ctx)
	r.conn.net.SetReadDeadline(time.Unix(1, 0))
	<-gone
	r.conn.net.SetReadDeadline(time.Time{})
	return err
}
