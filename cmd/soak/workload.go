package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// workload is all that the goroutines do.
type workload struct {
	*collections
	plan *plan
	// gate is held by a worker while it does something, so that whoever holds it
	// alone finds the client at rest.
	gate  sync.RWMutex
	wg    sync.WaitGroup
	start time.Time

	mu    sync.Mutex // guards what follows
	calls map[string]int
	// failed are the failures of each announced class, and unannounced the others,
	// by the call's name.
	failed      []sightings
	unannounced map[string]*sightings
}

// sightings are failures of one kind: how many, and what the first one said.
type sightings struct {
	n     int
	first string
}

func (s *sightings) add(f failure, at time.Duration) {
	if s.n == 0 {
		s.first = fmt.Sprintf("after %.1f s, having met %d failovers: %v", at.Seconds(), f.failover, f.err)
	}
	s.n++
}

func newWorkload(c *collections, p *plan) *workload {
	return &workload{
		collections: c, plan: p, start: time.Now(),
		calls: map[string]int{}, failed: make([]sightings, len(announced)), unannounced: map[string]*sightings{},
	}
}

// run employs workers until ctx ends. Their scenarios are run to the end.
func (w *workload) run(ctx context.Context, c config) {
	scenarios := append(slicesOf(scenarios), c.planted...)
	for id := range c.goroutines {
		one := &worker{workload: w, id: id, rand: rand.New(rand.NewPCG(c.seed, uint64(id)))}
		w.wg.Go(func() {
			for one.think(ctx, c.pause()) {
				w.gate.RLock()
				scenarios[one.rand.IntN(len(scenarios))](one, context.WithoutCancel(ctx))
				w.gate.RUnlock()
			}
			one.unfollow(context.WithoutCancel(ctx))
		})
	}
}

// atRest calls f while no worker does anything.
func (w *workload) atRest(f func()) {
	w.gate.Lock()
	defer w.gate.Unlock()
	f()
}

// A worker is one goroutine of the workload.
type worker struct {
	*workload
	id   int
	rand *rand.Rand

	stream *motor.ChangeStream[counter] // that it follows its counter by, or nil
	seen   int                          // what the counter was in the last event
}

// think waits for up to twice the pause, and reports whether to go on.
func (w *worker) think(ctx context.Context, pause time.Duration) bool {
	select {
	case <-time.After(time.Duration(w.rand.Int64N(2 * int64(pause)))):
		return true
	case <-ctx.Done():
		return false
	}
}

// patience bounds one call. Nothing takes as long unless it hangs.
const patience = time.Minute

// call makes a call of the API, and reports whether it succeeded.
func (w *worker) call(ctx context.Context, name string, p promise, f func(ctx context.Context) error) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	began := time.Now()
	err := f(ctx)
	failovers := 0
	if err != nil {
		failovers = w.plan.during(began, time.Now())
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[name]++
	if err == nil {
		return true
	}
	failed := failure{name, p, failovers, err}
	if class := classOf(failed); class >= 0 {
		w.failed[class].add(failed, time.Since(w.start))
		return false
	}
	if w.unannounced[name] == nil {
		w.unannounced[name] = new(sightings)
	}
	w.unannounced[name].add(failed, time.Since(w.start))
	return false
}

// The sizes of what is there from the beginning. Nothing grows.
const (
	books    = 200
	accounts = 256
	opening  = 1000 // what an account holds in the beginning
)

// book is a document that is only read.
type book struct {
	ID    int `bson:"_id"`
	Shelf int
	Text  string
}

// thing is a document that comes and goes.
type thing struct {
	ID     thingID `bson:"_id"`
	Worker int
	N      int
}

type thingID struct{ Worker, Number int }

// counter counts what a worker has done.
type counter struct {
	ID int `bson:"_id"`
	N  int
}

type account struct {
	ID     int `bson:"_id"`
	Amount int
}

// collections are what the workload works on.
type collections struct {
	client   *motor.Client
	books    *motor.Collection[book]
	things   *motor.Collection[thing]
	counters *motor.Collection[counter]
	accounts *motor.Collection[account]
}

func collectionsOf(client *motor.Client) *collections {
	db := client.Database("soak")
	return &collections{
		client:   client,
		books:    motor.CollectionOf[book](db, "books"),
		things:   motor.CollectionOf[thing](db, "things"),
		counters: motor.CollectionOf[counter](db, "counters"),
		accounts: motor.CollectionOf[account](db, "accounts"),
	}
}

// prepare makes what is there from the beginning.
func (c *collections) prepare(ctx context.Context, workers int) error {
	text := string(make([]byte, 400))
	var list []book
	for id := range books {
		list = append(list, book{id, id % 10, text})
	}
	var counters []counter
	for id := range workers {
		counters = append(counters, counter{ID: id})
	}
	var all []account
	for id := range accounts {
		all = append(all, account{id, opening})
	}
	_, err1 := c.books.InsertMany(ctx, list)
	_, err2 := c.counters.InsertMany(ctx, counters)
	_, err3 := c.accounts.InsertMany(ctx, all)
	_, err4 := c.things.CreateIndex(ctx, motor.IndexModel{Keys: bson.D{{Key: "worker", Value: 1}}})
	return errors.Join(err1, err2, err3, err4)
}
