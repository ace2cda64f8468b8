package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// found is what the workload has left behind.
type found struct {
	writes, moves map[int]map[int]int // how often each number was found
	accounts      map[int]int
	transfers     []transfer
}

func add(to map[int]map[int]int, worker, number, times int) {
	if to[worker] == nil {
		to[worker] = map[int]int{}
	}
	to[worker][number] += times
}

// collect reads everything.
func (c *collections) collect(ctx context.Context) (*found, error) {
	f := &found{writes: map[int]map[int]int{}, moves: map[int]map[int]int{}, accounts: map[int]int{}}
	counters, err1 := c.counters.Find(ctx, nil).Slice()
	documents, err2 := c.documents.Find(ctx, nil).Slice()
	list, err3 := c.accounts.Find(ctx, nil).Slice()
	transfers, err4 := c.transfers.Find(ctx, nil).Slice()
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	for _, doc := range counters {
		for key, times := range doc.Counts {
			var number int
			if _, err := fmt.Sscan(key, &number); err != nil {
				return nil, err
			}
			add(f.writes, doc.ID.Writer, number, times)
		}
	}
	for _, doc := range documents {
		add(f.writes, doc.Writer, doc.Number, 1)
	}
	for _, a := range list {
		f.accounts[a.ID] = a.Amount
	}
	for _, t := range transfers {
		add(f.moves, t.Worker, t.Number, 1)
	}
	f.transfers = transfers
	return f, nil
}

// contents are all documents of a node, in the order of their _id.
func contents(ctx context.Context, client *motor.Client) (all []string, err error) {
	sorted := motor.FindOptions{Sort: bson.D{{Key: "_id", Value: 1}}}
	for _, name := range []string{"counters", "documents", "accounts", "transfers"} {
		list, err := motor.CollectionOf[bson.Raw](client.Database(database), name).With(fromSecondary).Find(ctx, nil, sorted).Slice()
		if err != nil {
			return nil, err
		}
		for _, doc := range list {
			all = append(all, name+string(doc))
		}
	}
	return all, nil
}
