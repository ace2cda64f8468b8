package main

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"github.com/motor-go/motor/wire"
)

// Floor is how the tables call a bare connection that sends the bytes that our
// driver sends, and receives the same.
const Floor = "floor"

// recorder dials connections that note what is written while on is set.
type recorder struct {
	on    atomic.Bool
	mu    sync.Mutex
	conns []*recorded
}

func (r *recorder) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	c := &recorded{Conn: conn, on: &r.on}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = append(r.conns, c)
	return c, err
}

// messages are those written, connection by connection, but for the handshakes
// of new connections.
func (r *recorder) messages() (list [][]byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		for b := c.written; len(b) >= wire.HeaderLen; {
			h, err := wire.ParseHeader(b, len(b))
			if err != nil {
				break
			}
			if h.OpCode == wire.OpMsg {
				list = append(list, b[:h.Length])
			}
			b = b[h.Length:]
		}
	}
	return list
}

type recorded struct {
	net.Conn
	on      *atomic.Bool
	written []byte
}

func (c *recorded) Write(b []byte) (int, error) {
	if c.on.Load() {
		c.written = append(c.written, b...)
	}
	return c.Conn.Write(b)
}

// errUnable says that a driver cannot do a job.
var errUnable = errors.New("the driver has no such operation")

// record is the messages that a peer sends when it does the job for the second
// time, as then it has a connection, and what it tells of the results.
func record(ctx context.Context, connect func(connection) (*peer, error), c connection, j job, see func(any)) ([][]byte, error) {
	r := new(recorder)
	c.dial = r.dial
	p, err := connect(c)
	if err != nil {
		return nil, err
	}
	defer p.close()
	do := p.task(j)
	if do == nil {
		return nil, errUnable
	}
	if err := do(ctx, nil); err != nil {
		return nil, err
	}
	r.on.Store(true)
	err = do(ctx, see)
	r.on.Store(false)
	return r.messages(), err
}

// floor are bare connections to a server.
type floor struct {
	addr string
	mu   sync.Mutex
	free []*bare
	// slots bound the connections in use.
	slots chan struct{}
}

type bare struct {
	net.Conn
	buf []byte
}

// maxPoolSize is that of all peers, their default.
const maxPoolSize = 100

func newFloor(addr string) *floor {
	return &floor{addr: addr, slots: make(chan struct{}, maxPoolSize)}
}

func (f *floor) close() {
	for _, c := range f.free {
		c.Close()
	}
}

// task sends the messages and reads an answer to each.
func (f *floor) task(messages [][]byte) task {
	return func(context.Context, func(any)) error {
		c, err := f.checkOut()
		if err != nil {
			return err
		}
		for _, m := range messages {
			if err := c.roundTrip(m); err != nil {
				return err
			}
		}
		f.checkIn(c)
		return nil
	}
}

func (f *floor) checkOut() (*bare, error) {
	f.slots <- struct{}{}
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.free); n > 0 {
		c := f.free[n-1]
		f.free = f.free[:n-1]
		return c, nil
	}
	conn, err := net.Dial("tcp", f.addr)
	return &bare{conn, make([]byte, 64<<10)}, err
}

func (f *floor) checkIn(c *bare) {
	f.mu.Lock()
	f.free = append(f.free, c)
	f.mu.Unlock()
	<-f.slots
}

// roundTrip reads the answer through a buffer that is small enough to stay in
// the processor's cache.
func (c *bare) roundTrip(message []byte) error {
	if _, err := c.Write(message); err != nil {
		return err
	}
	n, err := io.ReadAtLeast(c, c.buf, wire.HeaderLen)
	if err != nil {
		return err
	}
	for left := int(binary.LittleEndian.Uint32(c.buf)) - n; left > 0; left -= n {
		if n, err = c.Read(c.buf); err != nil {
			return err
		}
	}
	return nil
}
