package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// A scenario is what a worker does at a time: one call or several that belong
// together.
type scenario func(w *worker, ctx context.Context)

// scenarios are all of them, with how often each comes.
var scenarios = []struct {
	scenario
	weight int
}{
	{(*worker).findOne, 8},
	{(*worker).readAll, 4},
	{(*worker).leaveEarly, 4},
	{(*worker).closeCursor, 3},
	{(*worker).aggregate, 4},
	{(*worker).count, 3},
	{(*worker).update, 8},
	{(*worker).findAndModify, 4},
	{(*worker).comeAndGo, 4},
	{(*worker).many, 3},
	{(*worker).bulk, 3},
	{(*worker).clientBulk, 3},
	{(*worker).command, 2},
	{(*worker).follow, 6},
	{(*worker).watch, 2},
	{(*worker).session, 4},
	{(*worker).transaction, 6},
	{(*worker).withdraw, 2},
	{(*worker).cancelRead, 4},
	{(*worker).cancelWrite, 4},
	{(*worker).cancelCursor, 3},
	{(*worker).cancelStream, 2},
}

// slicesOf is each scenario as often as it weighs.
func slicesOf(weighed []struct {
	scenario
	weight int
},
) (all []scenario) {
	for _, s := range weighed {
		for range s.weight {
			all = append(all, s.scenario)
		}
	}
	return all
}

var fromSecondary = motor.Settings{ReadPreference: &motor.ReadPreference{Mode: motor.SecondaryPreferred}}

// mismatch says that a call succeeded and was wrong all the same.
func mismatch(what string, got, want int) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%s: %d instead of %d", what, got, want)
}

func (w *worker) findOne(ctx context.Context) {
	w.call(ctx, "findOne", retried, func(ctx context.Context) error {
		_, err := w.books.FindOne(ctx, bson.D{{Key: "_id", Value: w.rand.IntN(books)}})
		return err
	})
}

// readAll reads a cursor to the end.
func (w *worker) readAll(ctx context.Context) {
	from := w.books
	if w.rand.IntN(2) == 0 {
		from = from.With(fromSecondary)
	}
	w.call(ctx, "find, to the end", iterated, func(ctx context.Context) error {
		list, err := from.Find(ctx, nil, motor.FindOptions{BatchSize: new(int32(40))}).Slice()
		if err != nil {
			return err
		}
		return mismatch("books", len(list), books)
	})
}

// leaveEarly leaves a loop while the server has more.
func (w *worker) leaveEarly(ctx context.Context) {
	w.call(ctx, "find, left early", iterated, func(ctx context.Context) error {
		n := w.rand.IntN(30)
		for _, err := range w.books.Find(ctx, nil, motor.FindOptions{BatchSize: new(int32(10))}) {
			if err != nil {
				return err
			}
			if n--; n < 0 {
				break
			}
		}
		return nil
	})
}

// closeCursor closes a cursor while the server has more.
func (w *worker) closeCursor(ctx context.Context) {
	w.call(ctx, "cursor, closed", iterated, func(ctx context.Context) error {
		cursor, err := w.books.FindCursor(ctx, bson.D{{Key: "shelf", Value: w.rand.IntN(10)}}, motor.FindOptions{BatchSize: new(int32(5))})
		if err != nil {
			return err
		}
		defer cursor.Close(ctx)
		for range 7 {
			if !cursor.Next(ctx) {
				break
			}
		}
		return cursor.Err()
	})
}

func (w *worker) aggregate(ctx context.Context) {
	w.call(ctx, "aggregate", iterated, func(ctx context.Context) error {
		type shelf struct {
			ID    int `bson:"_id"`
			Books int
		}
		list, err := motor.Aggregate[shelf](ctx, w.books, bson.A{
			bson.D{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$shelf"}, {Key: "books", Value: bson.D{{Key: "$sum", Value: 1}}}}}},
		}, motor.AggregateOptions{BatchSize: new(int32(4))}).Slice()
		if err != nil {
			return err
		}
		return mismatch("shelves", len(list), 10)
	})
}

func (w *worker) count(ctx context.Context) {
	w.call(ctx, "countDocuments", retried, func(ctx context.Context) error {
		n, err := w.books.CountDocuments(ctx, nil)
		if err != nil {
			return err
		}
		return mismatch("books", int(n), books)
	})
	w.call(ctx, "distinct", retried, func(ctx context.Context) error {
		list, err := motor.Distinct[int](ctx, w.books, "shelf", nil)
		if err != nil {
			return err
		}
		return mismatch("shelves", len(list), 10)
	})
}

// thing is the filter and the update of one thing of the worker.
func (w *worker) thing(number int) (filter, update bson.D) {
	return bson.D{{Key: "_id", Value: thingID{w.id, number}}},
		bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}, {Key: "$set", Value: bson.D{{Key: "worker", Value: w.id}}}}
}

func (w *worker) update(ctx context.Context) {
	w.call(ctx, "updateOne", retried, func(ctx context.Context) error {
		filter, update := w.thing(0)
		_, err := w.things.UpdateOne(ctx, filter, update, motor.UpdateOptions{Upsert: true})
		return err
	})
}

func (w *worker) findAndModify(ctx context.Context) {
	w.call(ctx, "findOneAndUpdate", retried, func(ctx context.Context) error {
		filter, update := w.thing(1)
		_, err := w.things.FindOneAndUpdate(ctx, filter, update, motor.FindOneAndUpdateOptions{Upsert: true, ReturnDocument: motor.After})
		return err
	})
}

// comeAndGo inserts a document and deletes it.
func (w *worker) comeAndGo(ctx context.Context) {
	filter, _ := w.thing(2)
	// The last delete may have failed.
	if !w.call(ctx, "deleteOne", retried, func(ctx context.Context) error {
		_, err := w.things.DeleteOne(ctx, filter)
		return err
	}) {
		return
	}
	w.call(ctx, "insertOne", retried, func(ctx context.Context) error {
		_, err := w.things.InsertOne(ctx, thing{ID: thingID{w.id, 2}, Worker: w.id})
		return err
	})
}

// many inserts several documents, changes and deletes them.
func (w *worker) many(ctx context.Context) {
	mine := bson.D{{Key: "worker", Value: w.id}}
	if !w.call(ctx, "deleteMany", unretried, func(ctx context.Context) error {
		_, err := w.things.DeleteMany(ctx, mine)
		return err
	}) {
		return
	}
	w.call(ctx, "insertMany", retried, func(ctx context.Context) error {
		var list []thing
		for i := range 5 {
			list = append(list, thing{ID: thingID{w.id, 10 + i}, Worker: w.id})
		}
		_, err := w.things.InsertMany(ctx, list, motor.InsertManyOptions{Unordered: w.rand.IntN(2) == 0})
		return err
	})
	w.call(ctx, "updateMany", unretried, func(ctx context.Context) error {
		_, err := w.things.UpdateMany(ctx, mine, bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}})
		return err
	})
}

func (w *worker) bulk(ctx context.Context) {
	w.call(ctx, "bulkWrite", retried, func(ctx context.Context) error {
		filter, update := w.thing(20)
		_, err := w.things.BulkWrite(ctx, []motor.WriteModel[thing]{
			motor.UpdateOneModel[thing]{Filter: filter, Update: update, Upsert: true},
			motor.ReplaceOneModel[thing]{Filter: filter, Replacement: thing{ID: thingID{w.id, 20}, Worker: w.id}},
			motor.DeleteOneModel[thing]{Filter: filter},
		})
		return err
	})
}

func (w *worker) clientBulk(ctx context.Context) {
	w.call(ctx, "client bulkWrite", retried, func(ctx context.Context) error {
		const namespace = "soak.things"
		filter, update := w.thing(30)
		_, err := w.client.BulkWrite(ctx, []motor.ClientWrite{
			{Namespace: namespace, Model: motor.UpdateOneModel[any]{Filter: filter, Update: update, Upsert: true}},
			{Namespace: namespace, Model: motor.DeleteOneModel[any]{Filter: filter}},
		}, motor.ClientBulkWriteOptions{Verbose: true})
		return err
	})
}

func (w *worker) command(ctx context.Context) {
	w.call(ctx, "runCommand", unretried, func(ctx context.Context) error {
		_, err := w.client.Database("soak").RunCommand(ctx, bson.D{{Key: "collStats", Value: "books"}})
		return err
	})
}

// increment counts on the counter of the worker.
func (w *worker) increment(ctx context.Context) (now counter, ok bool) {
	ok = w.call(ctx, "findOneAndUpdate", retried, func(ctx context.Context) (err error) {
		now, err = w.counters.FindOneAndUpdate(ctx, bson.D{{Key: "_id", Value: w.id}},
			bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}}, motor.FindOneAndUpdateOptions{ReturnDocument: motor.After})
		return err
	})
	return now, ok
}

// ofMine are the change events of the counter of the worker.
func (w *worker) ofMine() bson.A {
	return bson.A{bson.D{{Key: "$match", Value: bson.D{{Key: "documentKey._id", Value: w.id}}}}}
}

var errStreamEnded = errors.New("the change stream has ended")

// next is what the counter is in the next event of a stream.
func next(ctx context.Context, s *motor.ChangeStream[counter]) (int, error) {
	if !s.Next(ctx) {
		if err := s.Err(); err != nil {
			return 0, err
		}
		return 0, errStreamEnded
	}
	e, err := s.Decode()
	if err != nil {
		return 0, err
	}
	n, _ := e.UpdateDescription.UpdatedFields.Lookup("n").AsInt64()
	return int(n), nil
}

// follow reads in a change stream what the worker does to its counter: each
// change once, and none missed. The stream of every eighth worker stays open
// from one scenario to another, and lives through the failovers between them.
func (w *worker) follow(ctx context.Context) {
	if w.id%8 != 0 {
		w.findOne(ctx)
		return
	}
	if w.stream == nil {
		opened := w.call(ctx, "watch", retried, func(ctx context.Context) (err error) {
			w.stream, err = w.counters.Watch(ctx, w.ofMine())
			return err
		})
		if !opened {
			return
		}
		w.seen = 0
	}
	now, ok := w.increment(ctx)
	if !ok {
		return
	}
	ok = w.call(ctx, "next", retried, func(ctx context.Context) error {
		for w.seen < now.N {
			n, err := next(ctx, w.stream)
			if err != nil {
				return err
			}
			if w.seen > 0 {
				if err := mismatch("change", n, w.seen+1); err != nil {
					return err
				}
			}
			w.seen = n
		}
		return nil
	})
	if !ok || w.rand.IntN(20) == 0 {
		w.unfollow(ctx)
	}
}

func (w *worker) unfollow(ctx context.Context) {
	if w.stream == nil {
		return
	}
	w.call(ctx, "close", retried, func(ctx context.Context) error { return w.stream.Close(ctx) })
	w.stream = nil
}

// watch opens a change stream, reads an event, and another one in a second
// stream that resumes after the first.
func (w *worker) watch(ctx context.Context) {
	var token bson.Raw
	last := 0
	for range 2 {
		var stream *motor.ChangeStream[counter]
		opened := w.call(ctx, "watch", retried, func(ctx context.Context) (err error) {
			stream, err = w.counters.Watch(ctx, w.ofMine(), motor.WatchOptions{ResumeAfter: token})
			return err
		})
		if !opened {
			return
		}
		now, ok := w.increment(ctx)
		if ok {
			ok = w.call(ctx, "next", retried, func(ctx context.Context) error {
				n, err := next(ctx, stream)
				if err != nil {
					return err
				}
				if last > 0 {
					return mismatch("change after resuming", n, last+1)
				}
				last, token = n, stream.ResumeToken()
				return mismatch("change", n, now.N)
			})
		}
		w.call(ctx, "close", retried, func(ctx context.Context) error { return stream.Close(ctx) })
		if !ok {
			return
		}
	}
}

// session reads from a secondary what it has written.
func (w *worker) session(ctx context.Context) {
	err := w.client.WithSession(ctx, func(ctx context.Context) error {
		now, ok := w.increment(ctx)
		if !ok {
			return nil
		}
		w.call(ctx, "causal findOne", retried, func(ctx context.Context) error {
			c, err := w.counters.With(fromSecondary).FindOne(ctx, bson.D{{Key: "_id", Value: w.id}})
			if err != nil {
				return err
			}
			return mismatch("one's own write", c.N, now.N)
		})
		return nil
	})
	w.call(ctx, "session", retried, func(context.Context) error { return err })
}

var errWithdrawn = errors.New("the transfer was taken back")

// transfer moves an amount between two accounts.
func (w *worker) transfer(ctx context.Context) error {
	from := w.rand.IntN(accounts)
	to := (from + 1 + w.rand.IntN(accounts-1)) % accounts
	for _, change := range []struct{ account, amount int }{{from, -1}, {to, 1}} {
		_, err := w.accounts.UpdateOne(ctx, bson.D{{Key: "_id", Value: change.account}},
			bson.D{{Key: "$inc", Value: bson.D{{Key: "amount", Value: change.amount}}}})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) transaction(ctx context.Context) {
	w.call(ctx, "withTransaction", transacted, func(ctx context.Context) error {
		return w.client.WithTransaction(ctx, w.transfer)
	})
}

// withdraw takes a transfer back when it is all but committed.
func (w *worker) withdraw(ctx context.Context) {
	w.call(ctx, "withTransaction, aborted", transacted, func(ctx context.Context) error {
		err := w.client.WithTransaction(ctx, func(ctx context.Context) error {
			if err := w.transfer(ctx); err != nil {
				return err
			}
			return errWithdrawn
		})
		if errors.Is(err, errWithdrawn) {
			return nil
		}
		return err
	})
}

// cancelling calls f with a context that ends by a deadline or otherwise, early
// enough to hit the call at times.
func (w *worker) cancelling(ctx context.Context, name string, f func(ctx context.Context) error) {
	after := time.Duration(w.rand.Int64N(int64(5 * time.Millisecond)))
	byDeadline := w.rand.IntN(2) == 0
	w.call(ctx, name, interrupted, func(ctx context.Context) error {
		if byDeadline {
			ctx, cancel := context.WithTimeout(ctx, after)
			defer cancel()
			return f(ctx)
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer time.AfterFunc(after, cancel).Stop()
		return f(ctx)
	})
}

func (w *worker) cancelRead(ctx context.Context) {
	w.cancelling(ctx, "findOne, cancelled", func(ctx context.Context) error {
		_, err := w.books.FindOne(ctx, bson.D{{Key: "shelf", Value: 9}})
		return err
	})
}

func (w *worker) cancelWrite(ctx context.Context) {
	w.cancelling(ctx, "updateOne, cancelled", func(ctx context.Context) error {
		filter, update := w.thing(3)
		_, err := w.things.UpdateOne(ctx, filter, update, motor.UpdateOptions{Upsert: true})
		return err
	})
}

func (w *worker) cancelCursor(ctx context.Context) {
	w.cancelling(ctx, "find, cancelled", func(ctx context.Context) error {
		_, err := w.books.Find(ctx, nil, motor.FindOptions{BatchSize: new(int32(10))}).Slice()
		return err
	})
}

// cancelStream waits for events that do not come.
func (w *worker) cancelStream(ctx context.Context) {
	w.cancelling(ctx, "watch, cancelled", func(short context.Context) error {
		stream, err := w.counters.Watch(ctx, bson.A{bson.D{{Key: "$match", Value: bson.D{{Key: "documentKey._id", Value: -1}}}}},
			motor.WatchOptions{MaxAwaitTime: 100 * time.Millisecond})
		if err != nil {
			return err
		}
		defer stream.Close(ctx)
		stream.Next(short)
		return stream.Err()
	})
}
