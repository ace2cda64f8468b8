package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/motor-go/motor"
)

// The sizes of the workload.
const (
	writers  = 32
	movers   = 6
	readers  = 8
	accounts = 12
	opening  = 1000 // what an account holds in the beginning
	bucket   = 50   // how many numbers one counter counts
)

// counter says how often increments were made, by their numbers.
type counter struct {
	ID     counterID `bson:"_id"`
	Counts map[string]int
}

type counterID struct{ Writer, Bucket int }

// numbered is a document that was inserted.
type numbered struct{ Writer, Number int }

type account struct {
	ID     int `bson:"_id"`
	Amount int
}

// collections are where the workload leaves its traces.
type collections struct {
	client    *motor.Client
	counters  *motor.Collection[counter]
	documents *motor.Collection[numbered]
	accounts  *motor.Collection[account]
	transfers *motor.Collection[transfer]
}

func collectionsOf(client *motor.Client) *collections {
	db := client.Database(database)
	return &collections{
		client:    client,
		counters:  motor.CollectionOf[counter](db, "counters"),
		documents: motor.CollectionOf[numbered](db, "documents"),
		accounts:  motor.CollectionOf[account](db, "accounts"),
		transfers: motor.CollectionOf[transfer](db, "transfers"),
	}
}

const database = "torture"

// A worker is one goroutine of the workload.
type worker struct {
	*collections
	id       int
	rand     *rand.Rand
	careless bool
	start    time.Time
	stop     *atomic.Bool
	failed   *failures
	journal  journal
}

// patienceOfWorkers bounds one operation. Nothing takes as long unless it hangs.
const patienceOfWorkers = 2 * time.Minute

// attempt runs one operation, and notes how n numbers of the journal fared.
func (w *worker) attempt(ctx context.Context, what string, n int, operation func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, patienceOfWorkers)
	defer cancel()
	began := time.Since(w.start)
	err := operation(ctx)
	w.journal.note(n, outcomeOf(err))
	if err != nil && !errors.Is(err, errWithdrawn) {
		w.failed.add(failure{fmt.Sprintf("%s of worker %d", what, w.id), began, time.Since(w.start), err})
	}
}

func outcomeOf(err error) outcome {
	switch {
	case err == nil:
		return acknowledged
	case errors.Is(err, errWithdrawn):
		return withdrawn
	case errors.Is(err, motor.ErrDuplicateKey):
		return refused
	}
	return unknown
}

// think pauses between operations.
func (w *worker) think() { time.Sleep(time.Duration(10+w.rand.IntN(50)) * time.Millisecond) }

// prepare opens the accounts, and makes the collections.
func (c *collections) prepare(ctx context.Context) error {
	var list []account
	for id := range accounts {
		list = append(list, account{id, opening})
	}
	_, err := c.accounts.InsertMany(ctx, list)
	db := c.client.Database(database)
	for _, name := range []string{"counters", "documents", "transfers"} {
		err = errors.Join(err, db.CreateCollection(ctx, name))
	}
	return err
}
