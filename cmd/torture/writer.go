package main

import (
	"context"
	"fmt"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// write increments counters and inserts documents, one number at a time or
// several, by all the operations that the driver retries.
func (w *worker) write(ctx context.Context) {
	for ; !w.stop.Load(); w.think() {
		next := len(w.journal)
		switch w.rand.IntN(8) {
		case 0, 1:
			w.attempt(ctx, "update", 1, func(ctx context.Context) error {
				filter, update := w.increment(next)
				_, err := w.counters.UpdateOne(ctx, filter, update, motor.UpdateOptions{Upsert: true})
				return err
			})
		case 2:
			w.attempt(ctx, "findAndModify", 1, func(ctx context.Context) error {
				filter, update := w.increment(next)
				_, err := w.counters.FindOneAndUpdate(ctx, filter, update,
					motor.FindOneAndUpdateOptions{Upsert: true, ReturnDocument: motor.After})
				return err
			})
		case 3, 4:
			w.attempt(ctx, "insert", 1, func(ctx context.Context) error {
				_, err := w.documents.InsertOne(ctx, numbered{w.id, next})
				return err
			})
		case 5:
			w.attempt(ctx, "insertMany", 5, func(ctx context.Context) error {
				var list []numbered
				for i := range 5 {
					list = append(list, numbered{w.id, next + i})
				}
				_, err := w.documents.InsertMany(ctx, list, motor.InsertManyOptions{Unordered: w.rand.IntN(2) == 0})
				return err
			})
		case 6:
			w.attempt(ctx, "bulkWrite", 4, func(ctx context.Context) error { return w.bulk(ctx, next) })
		case 7:
			w.attempt(ctx, "client bulkWrite", 4, func(ctx context.Context) error { return w.clientBulk(ctx, next) })
		}
	}
}

// increment counts a number.
func (w *worker) increment(number int) (filter, update bson.D) {
	filter = bson.D{{Key: "_id", Value: counterID{w.id, number / bucket}}}
	return filter, bson.D{{Key: "$inc", Value: bson.D{{Key: fmt.Sprintf("counts.%d", number), Value: 1}}}}
}

// bulk increments counters in one command. Statements of another kind would be
// in another.
func (w *worker) bulk(ctx context.Context, next int) error {
	var models []motor.WriteModel[counter]
	for i := range 4 {
		filter, update := w.increment(next + i)
		models = append(models, motor.UpdateOneModel[counter]{Filter: filter, Update: update, Upsert: true})
	}
	_, err := w.counters.BulkWrite(ctx, models, motor.BulkWriteOptions{Unordered: w.rand.IntN(2) == 0})
	return err
}

// clientBulk increments and inserts in one command.
func (w *worker) clientBulk(ctx context.Context, next int) error {
	var writes []motor.ClientWrite
	for i := range 4 {
		filter, update := w.increment(next + i)
		write := motor.ClientWrite{Namespace: database + ".counters", Model: motor.UpdateOneModel[any]{Filter: filter, Update: update, Upsert: true}}
		if i%2 == 0 {
			write = motor.ClientWrite{Namespace: database + ".documents", Model: motor.InsertOneModel[any]{Document: numbered{w.id, next + i}}}
		}
		writes = append(writes, write)
	}
	_, err := w.client.BulkWrite(ctx, writes)
	return err
}
