package main

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/motor-go/motor"
)

// sample is what there is at a moment when nobody asks for anything.
type sample struct {
	at         time.Duration
	heap       uint64 // bytes in use after a collection
	goroutines int
	sockets    int // the monitors' among them
	pooled     int // connections in pools
	inUse      int // of them
	servers    counts
}

func (s sample) String() string {
	return fmt.Sprintf("%8.1f s  heap %6.2f MiB, %d goroutines, %d sockets, %d connections (%d in use); servers: %d cursors, %d sessions, heap %.0f MiB",
		s.at.Seconds(), mebibytes(float64(s.heap)), s.goroutines, s.sockets, s.pooled, s.inUse, s.servers.Cursors, s.servers.Sessions, mebibytes(float64(s.servers.Heap)))
}

func mebibytes(bytes float64) float64 { return bytes / (1 << 20) }

// measures are what must stay flat, and how flat. Sessions that the servers know
// of are not: see report.sessions.
var measures = []struct {
	name string
	of   func(sample) float64
	tolerance
}{
	{"heap, MiB", func(s sample) float64 { return mebibytes(float64(s.heap)) }, tolerance{0.1, 0.5}},
	{"goroutines", func(s sample) float64 { return float64(s.goroutines) }, tolerance{0.01, 2}},
	{"sockets outside of pools", func(s sample) float64 { return float64(s.sockets - s.pooled) }, tolerance{0, 2}},
	// A pool fills up when its server becomes primary, up to its bound.
	{"pooled connections", func(s sample) float64 { return float64(s.pooled) }, tolerance{0, poolSize}},
	{"connections in use", func(s sample) float64 { return float64(s.inUse) }, tolerance{0, 0}},
	// A reply that a failover has swallowed may have opened a cursor, which the
	// server keeps for ten minutes.
	{"cursors of servers", func(s sample) float64 { return float64(s.servers.Cursors) }, tolerance{0.1, 64}},
}

// take measures while the workload rests, when the late replies to calls that
// were cancelled have come.
func (d *deployment) take(client *motor.Client, s *sockets) (sample, error) {
	for range 300 {
		if !slices.ContainsFunc(client.Stats(), func(s motor.ServerStats) bool { return s.Pool.Draining > 0 }) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	servers, err := d.count()
	if err != nil {
		return sample{}, err
	}
	now := sample{servers: servers, sockets: int(s.open.Load())}
	for _, server := range client.Stats() {
		now.pooled += server.Pool.Total()
		now.inUse += server.Pool.InUse
	}
	// Once for what a sync.Pool keeps until the next collection.
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	now.heap, now.goroutines = m.HeapAlloc, runtime.NumGoroutine()
	return now, nil
}

// sockets counts the sockets that a client has open.
type sockets struct{ open atomic.Int64 }

func (s *sockets) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	s.open.Add(1)
	return &socket{TCPConn: conn.(*net.TCPConn), closed: sync.OnceFunc(func() { s.open.Add(-1) })}, nil
}

type socket struct {
	*net.TCPConn
	closed func()
}

func (s *socket) Close() error {
	s.closed()
	return s.TCPConn.Close()
}
