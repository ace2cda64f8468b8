package topology

import (
	"context"
	"sync"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// monitor checks one server. It polls the server, or has it stream its state
// where it can.
type monitor struct {
	server *Server
	config pool.Config     // of its connections
	ctx    context.Context // ends with the server
	stop   context.CancelFunc
	wake   chan struct{} // holds the request for a check

	mu    sync.Mutex
	times description.RoundTripTimes
	// giveUp ends lease.
	giveUp context.CancelFunc

	// What follows is for run alone.

	last      description.Server // the last outcome
	conn      *pool.Conn         // nil if there is none
	lease     context.Context    // the connection may be used until it ends
	measuring bool               // the round trip time, by another goroutine
}

func newMonitor(s *Server, config pool.Config) *monitor {
	config.Handshake.Auth = nil
	config.Handshake.Compressors = nil
	config.SocketTimeout, config.Timeout = 0, nil
	m := &monitor{server: s, config: config, wake: make(chan struct{}, 1), last: description.Server{Addr: s.addr}}
	m.ctx, m.stop = context.WithCancel(s.topology.ctx)
	m.renewLease()
	return m
}

// renewLease begins the lease of the next connection.
func (m *monitor) renewLease() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lease, m.giveUp = context.WithCancel(m.ctx)
}

// requestCheck ends the pause between two checks.
func (m *monitor) requestCheck() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}

// cancelCheck gives up the check under way and the connection.
func (m *monitor) cancelCheck() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.giveUp()
}

// run checks the server until it is not part of the topology any more.
func (m *monitor) run() {
	defer m.stop()
	defer m.hangUp()
	for m.ctx.Err() == nil {
		known := m.last.Type != description.Unknown
		found, err := m.check()
		if err != nil && m.lease.Err() != nil {
			m.renewLease()
			m.pause()
			continue
		}
		m.last = found
		// What was asked for during the check is answered by it.
		select {
		case <-m.wake:
		default:
		}
		m.server.checked(found, err)
		glitch, _ := networkError(err)
		switch {
		case err == nil && m.streams():
			m.measure()
		case glitch && known: // once more at once
		default:
			m.pause()
		}
	}
}

// streams reports whether the server will reply when its state changes.
func (m *monitor) streams() bool {
	return m.server.topology.stream && m.conn != nil && (m.conn.MoreToCome || !m.last.TopologyVersion.IsZero())
}

// check asks the server about its state, or reads what it tells of itself. The
// outcome of a failed check is of type Unknown.
func (m *monitor) check() (description.Server, error) {
	if m.lease.Err() != nil {
		m.hangUp()
		m.renewLease()
	}
	beat := m.newHeartbeat(m.streams())
	reply, duration, err := m.hello(beat.awaited)
	now := time.Now()
	if err == nil {
		if refused := wire.ReplyError(reply); refused != nil {
			refused.Server = m.server.addr
			err = refused
		}
	}
	if err != nil {
		beat.failed(m.conn, duration, err)
		m.hangUp()
		m.mu.Lock()
		m.times = description.RoundTripTimes{}
		m.mu.Unlock()
		return description.Server{Addr: m.server.addr, Error: err, LastUpdateTime: now}, err
	}
	beat.succeeded(m.conn, duration, reply)
	if !beat.awaited {
		m.sample(duration)
	}
	m.mu.Lock()
	times := m.times
	m.mu.Unlock()
	return description.ParseHello(m.server.addr, reply, times, now), nil
}

// hello gets one reply: that to the handshake of a new connection, the next of
// a stream, or that to a command. duration is how long it took, dialling not
// counted.
func (m *monitor) hello(awaited bool) (reply bson.Raw, duration time.Duration, err error) {
	if m.conn == nil {
		m.conn, duration, err = connect(m.lease, m.config)
		if err != nil {
			return nil, duration, err
		}
		return m.conn.Hello, duration, nil
	}
	ctx, limit := m.lease, m.config.ConnectTimeout
	if limit > 0 {
		if awaited {
			limit += m.server.topology.config.HeartbeatFrequency
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	start := time.Now()
	switch {
	case m.conn.MoreToCome:
		reply, err = m.conn.Receive(ctx)
	case awaited:
		reply, err = m.conn.RoundTrip(ctx, awaitRequest(m.conn, &m.config, m.last.TopologyVersion, m.server.topology.config.HeartbeatFrequency))
	default:
		reply, err = m.conn.RoundTrip(ctx, helloRequest(m.conn, &m.config))
	}
	return reply, time.Since(start), err
}

func (m *monitor) sample(rtt time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.times = m.times.Add(rtt)
}

func (m *monitor) hangUp() {
	if m.conn != nil {
		m.conn.Close()
		m.conn = nil
	}
}

// pause waits until the next check is due, or asked for and due soonest.
func (m *monitor) pause() {
	start := time.Now()
	timer := time.NewTimer(m.server.topology.config.HeartbeatFrequency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return
	case <-m.ctx.Done():
		return
	case <-m.wake:
	}
	timer.Reset(m.server.topology.config.MinHeartbeatFrequency - time.Since(start))
	select {
	case <-timer.C:
	case <-m.ctx.Done():
	}
}

// measure begins to measure the round trip time beside the stream, whose
// replies do not tell it.
func (m *monitor) measure() {
	if m.measuring {
		return
	}
	m.measuring = true
	m.server.topology.running.Go(func() {
		var conn *pool.Conn
		for m.ctx.Err() == nil {
			conn = m.ping(conn)
			select {
			case <-m.ctx.Done():
			case <-time.After(m.server.topology.config.HeartbeatFrequency):
			}
		}
		if conn != nil {
			conn.Close()
		}
	})
}

// ping takes one sample, over a new connection if conn is nil. Errors mean
// nothing for the topology; the connection is given up.
func (m *monitor) ping(conn *pool.Conn) *pool.Conn {
	if conn == nil {
		conn, rtt, err := connect(m.ctx, m.config)
		if err != nil {
			return nil
		}
		m.sample(rtt)
		return conn
	}
	ctx := m.ctx
	if limit := m.config.ConnectTimeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	start := time.Now()
	if _, err := conn.RoundTrip(ctx, helloRequest(conn, &m.config)); err != nil {
		conn.Close()
		return nil
	}
	m.sample(time.Since(start))
	return conn
}
