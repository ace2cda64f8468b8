package pool

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/auth"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// Conn is one connection with its buffers. It serves one goroutine at a time.
type Conn struct {
	// ID counts the connections of a pool from 1; it is 0 outside of one.
	ID      int64
	Address string
	// Generation is that of the pool, or of the service, in which the
	// connection was made.
	Generation uint64
	// ServiceID names the service behind a load balancer; else nil.
	ServiceID *bson.ObjectID
	// ServerConnectionID is the server's number for the connection; 0 if it
	// gave none.
	ServerConnectionID int64
	// Hello is the reply to the handshake, and Description what it says.
	Hello       bson.Raw
	Description description.Server
	// MaxMessageSize is the longest message that the server takes, in bytes.
	MaxMessageSize int
	// Compressor is what was negotiated; wire.NoCompression for none.
	Compressor wire.Compressor
	// MoreToCome says that the last reply is followed by another, which
	// Receive reads.
	MoreToCome bool

	config *Config
	ctx    context.Context // its end closes the stream
	cancel context.CancelFunc
	login  *auth.Login
	stream net.Conn
	reader wire.Reader

	expect  int32 // the request that the next reply answers
	exhaust bool  // which allows for more replies than one
	late    bool  // a reply is on its way that nobody waits for
	err     error // why the connection is of no further use

	out        []byte // the write buffer
	large      bool   // the last message needed a large buffer
	compressed []byte

	cutOff func()        // makes reads and writes fail
	isCut  chan struct{} // cutOff has run
	limit  time.Time     // the end of the socket timeout of the round trip; zero if it does not apply
	// interrupted is why the stream was closed by others.
	interrupted atomic.Pointer[error]
	use         atomic.Uint32

	// The pool's own, under its lock.
	role      role
	idleSince time.Time
}

// Use is what a connection is checked out for.
type Use uint32

// The uses that the load balancer specification counts.
const (
	UseOperation Use = iota
	UseCursor
	UseTransaction
)

// Pin says what the connection is kept for. CheckIn takes it back.
func (c *Conn) Pin(u Use) { c.use.Store(uint32(u)) }

// Use is what the connection was pinned for.
func (c *Conn) Use() Use { return Use(c.use.Load()) }

// writeGrace is the time that a write has left when its context ends. A message
// sent in half costs the connection.
const writeGrace = 50 * time.Millisecond

func newConn(config *Config, id int64) *Conn {
	ctx, cancel := context.WithCancel(context.Background())
	c := &Conn{
		ID:             id,
		Address:        config.Address,
		MaxMessageSize: wire.DefaultMaxMessageSize,
		config:         config,
		ctx:            ctx,
		cancel:         cancel,
		isCut:          make(chan struct{}, 1),
	}
	c.cutOff = func() {
		now := time.Now()
		c.stream.SetReadDeadline(now)
		c.stream.SetWriteDeadline(now.Add(writeGrace))
		c.isCut <- struct{}{}
	}
	return c
}

// Request is one message to be sent, and where the reply may go.
type Request struct {
	// Message is a whole message, begun in the connection's Buffer. The caller
	// must not use it afterwards.
	Message []byte
	// Documents are sent behind Message, whose length counts them. They are
	// not copied.
	Documents []byte
	// Memory, if not nil, is where the reply is put. Otherwise it has memory of
	// its own.
	Memory *wire.Memory
	// IgnoreSocketTimeout leaves all limits to the context.
	IgnoreSocketTimeout bool
}

// Buffer is the connection's empty write buffer, into which a caller encodes
// one message for RoundTrip or Send.
func (c *Conn) Buffer() []byte {
	if c.large && cap(c.out) < largeBuffer {
		if b, ok := largeBuffers.Get().(*[]byte); ok {
			c.out = *b
		}
	}
	return c.out[:0]
}

// RoundTrip sends a message and reads the reply, compressing and decompressing
// as negotiated. The reply belongs to the caller. One with ok: 0 is no error
// here.
//
// If ctx ends, so does the round trip. When the message was sent whole the
// connection stays good: the late reply is read before the next round trip, or
// by the pool after CheckIn. The error is a *NetworkError, unless the message
// itself cannot be sent.
func (c *Conn) RoundTrip(ctx context.Context, r Request) (bson.Raw, error) {
	stop := c.arm(ctx, r.IgnoreSocketTimeout)
	reply, err := c.roundTrip(ctx, &r)
	c.disarm(stop)
	return reply, err
}

func (c *Conn) roundTrip(ctx context.Context, r *Request) (bson.Raw, error) {
	if err := c.write(ctx, r); err != nil {
		return nil, err
	}
	return c.receive(ctx, r.Memory)
}

// Send is RoundTrip for a message that has no reply, with the flag moreToCome.
func (c *Conn) Send(ctx context.Context, r Request) error {
	stop := c.arm(ctx, r.IgnoreSocketTimeout)
	err := c.write(ctx, &r)
	c.disarm(stop)
	return err
}

// Receive reads the next reply after one that set MoreToCome. Its errors are
// those of RoundTrip.
func (c *Conn) Receive(ctx context.Context) (bson.Raw, error) {
	stop := c.arm(ctx, false)
	reply, err := c.receive(ctx, nil)
	c.disarm(stop)
	return reply, err
}

// Close closes the stream. A pooled connection must be checked in nevertheless.
func (c *Conn) Close() {
	c.cancel()
	if c.err == nil {
		c.err = net.ErrClosed
	}
	if c.stream != nil {
		c.stream.Close()
	}
}

// write sends a message, after reading what an earlier round trip left behind.
func (c *Conn) write(ctx context.Context, r *Request) error {
	c.keep(r.Message)
	size := len(r.Message) + len(r.Documents)
	header, err := wire.ParseHeader(r.Message, math.MaxInt32)
	switch {
	case c.err != nil:
		return c.fail(ctx, "write", false, c.err)
	case ctx.Err() != nil:
		return c.fail(ctx, "write", false, ctx.Err())
	case size > c.MaxMessageSize:
		return fmt.Errorf("the message for %s is %d bytes long; the limit is %d: %w", c.Address, size, c.MaxMessageSize, wire.ErrDocumentTooLarge)
	case err != nil:
		return fmt.Errorf("message for %s: %w", c.Address, err)
	}
	if c.late {
		if _, err := c.drain(ctx); err != nil {
			return c.fail(ctx, "read the reply to an earlier request", false, err)
		}
	}
	c.expect, c.exhaust = header.RequestID, exhaustAllowed(r.Message)
	if err := c.compress(r); err != nil {
		return err
	}
	n, err := c.send(r)
	if err != nil {
		c.err = err
		return c.fail(ctx, "write", n > 0, err)
	}
	return nil
}

// exhaustAllowed reports whether a message, an OP_MSG, allows for more replies
// than one.
func exhaustAllowed(message []byte) bool {
	flags := message[wire.HeaderLen:]
	return len(flags) >= 4 && wire.Flags(binary.LittleEndian.Uint32(flags))&wire.ExhaustAllowed != 0
}

// send writes what r holds, in one go where the stream can.
func (c *Conn) send(r *Request) (n int64, err error) {
	if r.Documents == nil {
		n, err := c.stream.Write(r.Message)
		return int64(n), err
	}
	buffers := net.Buffers{r.Message, r.Documents}
	return buffers.WriteTo(c.stream)
}

// receive reads a reply that somebody waits for.
func (c *Conn) receive(ctx context.Context, into *wire.Memory) (bson.Raw, error) {
	if c.err != nil {
		return nil, c.fail(ctx, "read", true, c.err)
	}
	reply, err := c.read(into)
	c.late = err != nil && c.err == nil
	if err != nil {
		return nil, c.fail(ctx, "read", true, err)
	}
	return reply, nil
}

// drain reads the reply that nobody waits for, within a time.
func (c *Conn) drain(ctx context.Context) (bson.Raw, error) {
	c.setReadDeadline(ctx, time.Now().Add(c.config.PendingReadTimeout))
	reply, err := c.read(nil)
	c.setReadDeadline(ctx, c.limit)
	if err == nil && c.MoreToCome {
		err = errors.New("the request that was given up is answered without end")
	}
	if err != nil && ctx.Err() == nil {
		c.err = err
	}
	c.late = err != nil
	return reply, err
}

// read reads the next reply. An error is one for good, and kept as such, unless
// time ran out.
func (c *Conn) read(into *wire.Memory) (bson.Raw, error) {
	reply, err := c.readMessage(into)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.err = err
	}
	return reply, err
}

// readMessage reads one message that answers c.expect.
func (c *Conn) readMessage(into *wire.Memory) (bson.Raw, error) {
	header, message, err := c.reader.Next(into)
	if err != nil {
		return nil, err
	}
	if header.ResponseTo != c.expect {
		return nil, &wire.Malformed{Reason: fmt.Sprintf("request %d was sent, and request %d is answered", c.expect, header.ResponseTo)}
	}
	if header.OpCode == wire.OpCompressed {
		if message, err = wire.Decompress(message, c.reader.Limit); err != nil {
			return nil, err
		}
		if header, err = wire.ParseHeader(message, len(message)); err != nil {
			return nil, err
		}
	}
	if header.OpCode != wire.OpMsg {
		return nil, &wire.Malformed{Reason: fmt.Sprintf("OP_MSG was sent, and %v answers", header.OpCode)}
	}
	m, err := wire.ParseMsg(message)
	if err != nil {
		return nil, err
	}
	c.MoreToCome = m.Flags&wire.MoreToCome != 0
	if c.MoreToCome && !c.exhaust {
		return nil, &wire.Malformed{Reason: "more replies are announced than the request allows for"}
	}
	if c.MoreToCome {
		c.expect = header.RequestID
	}
	return m.Body, nil
}

// arm makes the end of ctx cut off reads and writes, or that of the socket
// timeout if it applies.
func (c *Conn) arm(ctx context.Context, ignoreSocketTimeout bool) (stop func() bool) {
	if _, ok := ctx.Deadline(); c.config.SocketTimeout > 0 && !ok && !ignoreSocketTimeout {
		c.limit = time.Now().Add(c.config.SocketTimeout)
		c.stream.SetDeadline(c.limit)
	}
	if ctx.Done() == nil {
		return nil
	}
	return context.AfterFunc(ctx, c.cutOff)
}

// setReadDeadline sets a deadline while the connection is armed with ctx.
func (c *Conn) setReadDeadline(ctx context.Context, t time.Time) {
	c.stream.SetReadDeadline(t)
	if ctx.Err() != nil {
		c.stream.SetReadDeadline(time.Now()) // cutOff may have come before
	}
}

// disarm undoes arm.
func (c *Conn) disarm(stop func() bool) {
	cut := stop != nil && !stop()
	if cut {
		<-c.isCut
	}
	if cut || !c.limit.IsZero() {
		c.limit = time.Time{}
		c.stream.SetDeadline(c.limit)
	}
}

// interrupt closes the stream under whoever uses it, who gets err.
func (c *Conn) interrupt(err error) {
	c.interrupted.CompareAndSwap(nil, &err)
	c.cancel()
}

// fail is the error for a caller.
func (c *Conn) fail(ctx context.Context, op string, sent bool, err error) error {
	if why := c.interrupted.Load(); why != nil {
		err = *why
	} else if ctx.Err() != nil && (err == ctx.Err() || errors.Is(err, os.ErrDeadlineExceeded)) {
		err = Ended(ctx)
	}
	return &NetworkError{Address: c.Address, Op: op, Sent: sent, Err: err}
}

// Ended is why ctx ended: its cause, which is ctx.Err() as well.
func Ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
