package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"sync/atomic"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/gridfs"
)

func connectMotor(c connection) (*peer, error) {
	o := motor.ClientOptions{Dial: c.dial}
	if c.monitor {
		var heard listened
		o.Observer = &event.Observer{
			CommandStarted:   func(*event.CommandStarted) { atomic.AddInt64(&heard.started, 1) },
			CommandSucceeded: func(*event.CommandSucceeded) { atomic.AddInt64(&heard.ended, 1) },
			CommandFailed:    func(*event.CommandFailed) { atomic.AddInt64(&heard.ended, 1) },
		}
	}
	client, err := motor.Connect(context.Background(), c.uri, o)
	if err != nil {
		return nil, err
	}
	return &peer{
		name:  Own,
		task:  func(j job) task { return motorTask(client, j) },
		close: func() { client.Close(context.Background()) },
	}, nil
}

func motorTask(client *motor.Client, j job) task {
	db := client.Database(database)
	coll := db.Collection(j.coll)
	tweets := motor.CollectionOf[tweet](db, j.coll)
	id := 0
	switch j.kind {
	case runHello:
		hello := bson.D{{Key: "hello", Value: true}}
		return func(ctx context.Context, see func(any)) error {
			_, err := db.RunCommand(ctx, hello)
			return err
		}
	case findOneD:
		return func(ctx context.Context, see func(any)) error {
			id = id%j.count + 1
			doc, err := coll.FindOne(ctx, bson.D{{Key: "_id", Value: id}})
			if see != nil {
				see(doc)
			}
			return err
		}
	case findOneStruct:
		return func(ctx context.Context, see func(any)) error {
			id = id%j.count + 1
			doc, err := tweets.FindOne(ctx, bson.D{{Key: "_id", Value: id}})
			if see != nil {
				see(doc)
			}
			return err
		}
	case findD:
		return func(ctx context.Context, see func(any)) error {
			for doc, err := range coll.Find(ctx, bson.D{}) {
				if err != nil {
					return err
				}
				if see != nil {
					see(doc)
				}
			}
			return nil
		}
	case findStruct:
		return func(ctx context.Context, see func(any)) error {
			for doc, err := range tweets.Find(ctx, bson.D{}) {
				if err != nil {
					return err
				}
				if see != nil {
					see(doc)
				}
			}
			return nil
		}
	case findRaw:
		return func(ctx context.Context, see func(any)) error {
			cursor, err := coll.FindCursor(ctx, bson.D{})
			if err != nil {
				return err
			}
			defer cursor.Close(ctx)
			for cursor.Next(ctx) {
				doc := cursor.Current()
				if see != nil {
					see([]byte(doc.Clone()))
				}
			}
			return cursor.Err()
		}
	case exportLines:
		return func(ctx context.Context, see func(any)) error { return motorExport(ctx, coll, j) }
	case importLines:
		return func(ctx context.Context, see func(any)) error { return motorImport(ctx, coll, j) }
	}
	if j.kind.gridfs() {
		return gridfsTask(motorBucket{gridfs.NewBucket(db)}, j)
	}
	return motorWrite(client, coll, j)
}

func motorWrite(client *motor.Client, coll *motor.Collection[bson.D], j job) task {
	var doc bson.D
	if err := bson.Unmarshal(j.doc, &doc); err != nil {
		return func(context.Context, func(any)) error { return err }
	}
	switch j.kind {
	case insertOne:
		return func(ctx context.Context, see func(any)) error {
			_, err := coll.InsertOne(ctx, doc)
			return err
		}
	case insertMany:
		docs := repeat(doc, j.count)
		return func(ctx context.Context, see func(any)) error {
			_, err := coll.InsertMany(ctx, docs)
			return err
		}
	case bulkInsert:
		models := repeat[motor.WriteModel[bson.D]](motor.InsertOneModel[bson.D]{Document: doc}, j.count)
		return func(ctx context.Context, see func(any)) error {
			_, err := coll.BulkWrite(ctx, models)
			return err
		}
	case bulkMixed:
		var models []motor.WriteModel[bson.D]
		for range j.count {
			models = append(models,
				motor.InsertOneModel[bson.D]{Document: doc},
				motor.ReplaceOneModel[bson.D]{Filter: bson.D{}, Replacement: doc},
				motor.DeleteOneModel[bson.D]{Filter: bson.D{}})
		}
		return func(ctx context.Context, see func(any)) error {
			_, err := coll.BulkWrite(ctx, models)
			return err
		}
	case clientInsert:
		write := motor.ClientWrite{Namespace: database + "." + j.coll, Model: motor.InsertOneModel[bson.D]{Document: doc}}
		writes := repeat(write, j.count)
		return func(ctx context.Context, see func(any)) error {
			_, err := client.BulkWrite(ctx, writes)
			return err
		}
	case clientMixed:
		var writes []motor.ClientWrite
		for i := range j.count {
			ns := database + "." + mixedCollection(i)
			writes = append(writes,
				motor.ClientWrite{Namespace: ns, Model: motor.InsertOneModel[bson.D]{Document: doc}},
				motor.ClientWrite{Namespace: ns, Model: motor.ReplaceOneModel[bson.D]{Filter: bson.D{}, Replacement: doc}},
				motor.ClientWrite{Namespace: ns, Model: motor.DeleteOneModel[bson.D]{Filter: bson.D{}}})
		}
		return func(ctx context.Context, see func(any)) error {
			_, err := client.BulkWrite(ctx, writes)
			return err
		}
	}
	return nil
}

// motorImport inserts what the files hold, several at a time.
func motorImport(ctx context.Context, coll *motor.Collection[bson.D], j job) error {
	raws := motor.CollectionOf[bson.Raw](coll.Database(), coll.Name())
	return eachFile(j.files, func(_ int, name string) error {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		docs := make([]bson.Raw, 0, j.count)
		for line := range bytes.Lines(text) {
			doc, err := bson.ParseExtJSON(line)
			if err != nil {
				return err
			}
			docs = append(docs, doc)
		}
		_, err = raws.InsertMany(ctx, docs, motor.InsertManyOptions{Unordered: true})
		return err
	})
}

// motorExport writes a file for each range of the collection, several at a
// time.
func motorExport(ctx context.Context, coll *motor.Collection[bson.D], j job) error {
	return eachFile(j.files, func(i int, name string) error {
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		defer f.Close()
		cursor, err := coll.FindCursor(ctx, bson.D{}, motor.FindOptions{Skip: int64(i * j.count), Limit: int64(j.count)})
		if err != nil {
			return err
		}
		defer cursor.Close(ctx)
		w := bufio.NewWriterSize(f, 64<<10)
		var line []byte
		for cursor.Next(ctx) {
			if line, err = bson.AppendExtJSON(line[:0], cursor.Current(), bson.Relaxed); err != nil {
				return err
			}
			w.Write(append(line, '\n'))
		}
		if err := cursor.Err(); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
		return f.Sync()
	})
}
