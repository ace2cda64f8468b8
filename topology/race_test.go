package topology

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor/pool"
)

// TestFailoversUnderLoad moves the primary about while operations are under
// way, some of which meet errors. All of them must end, and the topology be
// right in the end.
func TestFailoversUnderLoad(t *testing.T) {
	hosts := []string{"a:27017", "b:27017", "c:27017"}
	connected(t, func(n *network) Config {
		n.replicaSet(hosts...)
		return n.config("a")
	}, func(t *testing.T, n *network, topology *Topology) {
		var operations sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 64 {
			operations.Go(func() {
				for round := 0; ctx.Err() == nil; round++ {
					operate(ctx, topology, (i+round)%16 == 0)
					time.Sleep(time.Duration(1+i%7) * time.Millisecond)
				}
			})
		}
		for round := range 20 {
			time.Sleep(time.Second)
			old, elected := n.servers[hosts[round%3]], n.servers[hosts[(round+1)%3]]
			old.change(func(s *fakeServer) { s.hello = secondary(hosts...) })
			old.drop()
			time.Sleep(time.Second)
			elected.change(func(s *fakeServer) { s.hello = primary(hosts...) })
		}
		cancel()
		operations.Wait()
		if s := mustSelect(t, topology, write); s.Address() != hosts[20%3] {
			t.Errorf("writes go to %s, want %s", s.Address(), hosts[20%3])
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
		for _, host := range hosts {
			// One to stream, one to measure, and those that the pool keeps.
			pooled := topology.current.Load().server(host).pool.Stats()
			if _, open, _ := n.servers[host].counts(); open != 2+pooled.Total() {
				t.Errorf("%d connections to %s, %d of them pooled", open, host, pooled.Total())
			}
		}
	})
}

// operate runs an operation, which meets a network error if broken.
func operate(ctx context.Context, topology *Topology, broken bool) {
	s, err := topology.Select(ctx, write)
	if err != nil {
		return
	}
	c, err := s.CheckOut(ctx, time.Time{})
	if err != nil {
		return
	}
	message := helloRequest(c, &pool.Config{})
	_, err = c.RoundTrip(ctx, message)
	if broken {
		c.Close()
		err = &pool.NetworkError{Err: net.ErrClosed}
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		s.HandleError(c, nil, err)
	}
	s.CheckIn(c)
}
