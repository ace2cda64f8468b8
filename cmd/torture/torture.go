package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/mongotest"
)

// config says how to torture.
type config struct {
	seed      uint64
	failovers int
	// say is told of every step; nil for nobody.
	say func(at time.Duration, s step)

	// What is to make the proof fail.
	noRetryableWrites bool // the driver's retryWrites=false
	forgetful         bool // servers forget the retryable writes that they made
	careless          bool // the workload does without transactions, causal consistency and snapshots

	// network is nil for TCP.
	network *mongotest.Network
}

// reaction is how long it takes the driver to notice that a server does not
// answer any more: connectTimeoutMS and heartbeatFrequencyMS.
const (
	connectTimeout     = 2 * time.Second
	heartbeatFrequency = 500 * time.Millisecond
	reaction           = connectTimeout + heartbeatFrequency
)

// connect makes a client that writes to and reads from majorities.
func (c *config) connect(uri string) (*motor.Client, error) {
	uri += fmt.Sprintf("&w=majority&readConcernLevel=majority&connectTimeoutMS=%d&heartbeatFrequencyMS=%d",
		connectTimeout.Milliseconds(), heartbeatFrequency.Milliseconds())
	if c.noRetryableWrites {
		uri += "&retryWrites=false"
	}
	var o motor.ClientOptions
	if c.network != nil {
		o.Dial = c.network.DialContext
	}
	return motor.Connect(context.Background(), uri, o)
}

// torture lets the workload run while a schedule of faults goes on, and finds
// out what has become of it.
func torture(ctx context.Context, c config) (*report, error) {
	var o mongotest.Options
	if c.network != nil {
		o.Listen = func(address string) (net.Listener, error) { return c.network.Listen(address) }
	}
	rs, err := mongotest.StartReplicaSet(o)
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	d := &deployment{ReplicaSet: rs, connect: c.connect, forgetful: c.forgetful}
	for _, n := range d.Nodes {
		if err := d.prepare(ctx, n); err != nil {
			return nil, err
		}
	}
	client, err := c.connect(rs.URI())
	if err != nil {
		return nil, err
	}
	defer client.Close(context.WithoutCancel(ctx))
	all := collectionsOf(client)
	if err := all.prepare(ctx); err != nil {
		return nil, err
	}

	r := &report{config: c, kinds: map[kind]int{}}
	w := newWorkload(all, c)
	w.run(ctx)
	err = r.carryOut(ctx, d, w.start)
	w.stop.Store(true)
	w.wg.Wait()
	if err = errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	return r, r.verify(ctx, d, w)
}

// carryOut lets the deployment suffer step after step, until there were as many
// failovers as wanted.
func (r *report) carryOut(ctx context.Context, d *deployment, start time.Time) error {
	schedule := newSchedule(r.seed)
	for r.failovers < r.config.failovers && ctx.Err() == nil {
		s := schedule.next()
		began := time.Since(start)
		if r.say != nil {
			r.say(began, s)
		}
		if err := d.suffer(ctx, s); err != nil {
			return err
		}
		time.Sleep(s.rest)
		r.spans = append(r.spans, span{began, time.Since(start), s.faults()})
		r.kinds[s.kind]++
		if s.kind.failsOver() {
			r.failovers++
		}
	}
	return nil
}

// workload is all workers.
type workload struct {
	writers, movers, readers []*worker

	start  time.Time
	stop   atomic.Bool
	wg     sync.WaitGroup
	failed failures
	seen   sightings
}

func newWorkload(all *collections, c config) *workload {
	w := &workload{start: time.Now()}
	employ := func(n, from int) (list []*worker) {
		for id := from; id < from+n; id++ {
			list = append(list, &worker{
				collections: all, id: id, rand: rand.New(rand.NewPCG(c.seed, uint64(id))), careless: c.careless,
				start: w.start, stop: &w.stop, failed: &w.failed,
			})
		}
		return list
	}
	w.writers, w.readers, w.movers = employ(writers, 0), employ(readers, writers), employ(movers, writers+readers)
	return w
}

func (w *workload) run(ctx context.Context) {
	for _, one := range w.writers {
		w.wg.Go(func() { one.write(ctx) })
	}
	for _, one := range w.movers {
		w.wg.Go(func() { one.move(ctx) })
	}
	for _, one := range w.readers {
		w.wg.Go(func() { one.read(ctx, &w.seen) })
	}
}

// verify finds out what has become of the workload, when all is calm.
func (r *report) verify(ctx context.Context, d *deployment, w *workload) error {
	client, err := d.connect(d.URI())
	if err != nil {
		return err
	}
	defer client.Close(ctx)
	all := collectionsOf(client)
	f, err := all.collect(ctx)
	if err != nil {
		return fmt.Errorf("read what is left: %w", err)
	}
	for _, one := range slices.Concat(w.writers, w.readers) {
		r.writes.count(one.journal, f.writes[one.id])
	}
	for _, one := range w.movers {
		r.moves.count(one.journal, f.moves[one.id])
	}
	r.sum, r.wrongAccounts = balance(f.accounts, opening, f.transfers)
	r.own, r.stale = w.seen.own.Load(), w.seen.stale.Load()
	r.snapshots, r.broken = w.seen.snapshots.Load(), w.seen.broken.Load()
	r.failures = w.failed.list
	r.needless = givenUp(r.failures, r.spans)
	r.differing, err = r.compareNodes(ctx, d, all)
	return err
}

// compareNodes counts the nodes whose contents are not those of the first, after
// one more write that all of them have.
func (r *report) compareNodes(ctx context.Context, d *deployment, c *collections) (differing int, err error) {
	everywhere := motor.Settings{WriteConcern: &motor.WriteConcern{W: len(d.Nodes)}}
	if _, err := c.documents.With(everywhere).InsertOne(ctx, numbered{-1, -1}); err != nil {
		return 0, err
	}
	var first []string
	for i, n := range d.Nodes {
		client, err := d.connect(n.URI())
		if err != nil {
			return 0, err
		}
		list, err := contents(ctx, client)
		client.Close(ctx)
		switch {
		case err != nil:
			return 0, fmt.Errorf("compare node %s: %w", n.Address(), err)
		case i == 0:
			first = list
		case !slices.Equal(first, list):
			differing++
		}
	}
	return differing, nil
}
