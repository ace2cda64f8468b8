package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"sync/atomic"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/event"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

func connectV1(c connection) (*peer, error) {
	o := options.Client().ApplyURI(c.uri)
	if c.dial != nil {
		o.SetDialer(dialer(c.dial))
	}
	if c.monitor {
		var heard listened
		o.SetMonitor(&event.CommandMonitor{
			Started:   func(context.Context, *event.CommandStartedEvent) { atomic.AddInt64(&heard.started, 1) },
			Succeeded: func(context.Context, *event.CommandSucceededEvent) { atomic.AddInt64(&heard.ended, 1) },
			Failed:    func(context.Context, *event.CommandFailedEvent) { atomic.AddInt64(&heard.ended, 1) },
		})
	}
	client, err := mongo.Connect(context.Background(), o)
	if err != nil {
		return nil, err
	}
	return &peer{
		name:  Legacy,
		task:  func(j job) task { return v1Task(client, j) },
		close: func() { client.Disconnect(context.Background()) },
	}, nil
}

func v1Task(client *mongo.Client, j job) task {
	db := client.Database(database)
	coll := db.Collection(j.coll)
	id := 0
	switch j.kind {
	case runHello:
		hello := bson.D{{Key: "hello", Value: true}}
		return func(ctx context.Context, see func(any)) error {
			_, err := db.RunCommand(ctx, hello).Raw()
			return err
		}
	case findOneD:
		return func(ctx context.Context, see func(any)) error {
			id = id%j.count + 1
			var doc bson.D
			err := coll.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&doc)
			if see != nil {
				see(doc)
			}
			return err
		}
	case findOneStruct:
		return func(ctx context.Context, see func(any)) error {
			id = id%j.count + 1
			var doc tweet
			err := coll.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&doc)
			if see != nil {
				see(doc)
			}
			return err
		}
	case findD:
		return v1Find(coll, func(cursor *mongo.Cursor, see func(any)) error {
			var doc bson.D
			err := cursor.Decode(&doc)
			if see != nil {
				see(doc)
			}
			return err
		})
	case findStruct:
		return v1Find(coll, func(cursor *mongo.Cursor, see func(any)) error {
			var doc tweet
			err := cursor.Decode(&doc)
			if see != nil {
				see(doc)
			}
			return err
		})
	case findRaw:
		return v1Find(coll, func(cursor *mongo.Cursor, see func(any)) error {
			doc := cursor.Current
			if see != nil {
				see(bytes.Clone(doc))
			}
			return nil
		})
	case exportLines:
		return func(ctx context.Context, see func(any)) error { return v1Export(ctx, coll, j) }
	case importLines:
		return func(ctx context.Context, see func(any)) error { return v1Import(ctx, coll, j) }
	}
	if j.kind.gridfs() {
		return gridfsTask(v1Bucket{db}, j)
	}
	return v1Write(coll, j)
}

// v1Find is a task that reads all documents of a collection.
func v1Find(coll *mongo.Collection, one func(cursor *mongo.Cursor, see func(any)) error) task {
	return func(ctx context.Context, see func(any)) error {
		cursor, err := coll.Find(ctx, bson.D{})
		if err != nil {
			return err
		}
		defer cursor.Close(ctx)
		for cursor.Next(ctx) {
			if err := one(cursor, see); err != nil {
				return err
			}
		}
		return cursor.Err()
	}
}

func v1Write(coll *mongo.Collection, j job) task {
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
		docs := repeat[any](doc, j.count)
		return func(ctx context.Context, see func(any)) error {
			_, err := coll.InsertMany(ctx, docs)
			return err
		}
	case bulkInsert:
		models := repeat[mongo.WriteModel](mongo.NewInsertOneModel().SetDocument(doc), j.count)
		return func(ctx context.Context, see func(any)) error {
			_, err := coll.BulkWrite(ctx, models)
			return err
		}
	case bulkMixed:
		var models []mongo.WriteModel
		for range j.count {
			models = append(models,
				mongo.NewInsertOneModel().SetDocument(doc),
				mongo.NewReplaceOneModel().SetFilter(bson.D{}).SetReplacement(doc),
				mongo.NewDeleteOneModel().SetFilter(bson.D{}))
		}
		return func(ctx context.Context, see func(any)) error {
			_, err := coll.BulkWrite(ctx, models)
			return err
		}
	}
	return nil
}

func v1Import(ctx context.Context, coll *mongo.Collection, j job) error {
	return eachFile(j.files, func(_ int, name string) error {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		docs := make([]any, 0, j.count)
		for line := range bytes.Lines(text) {
			var doc bson.Raw
			if err := bson.UnmarshalExtJSON(line, false, &doc); err != nil {
				return err
			}
			docs = append(docs, doc)
		}
		_, err = coll.InsertMany(ctx, docs, options.InsertMany().SetOrdered(false))
		return err
	})
}

func v1Export(ctx context.Context, coll *mongo.Collection, j job) error {
	return eachFile(j.files, func(i int, name string) error {
		f, err := os.Create(name)
		if err != nil {
			return err
		}
		defer f.Close()
		cursor, err := coll.Find(ctx, bson.D{}, options.Find().SetSkip(int64(i*j.count)).SetLimit(int64(j.count)))
		if err != nil {
			return err
		}
		defer cursor.Close(ctx)
		w := bufio.NewWriterSize(f, 64<<10)
		var line []byte
		for cursor.Next(ctx) {
			if line, err = bson.MarshalExtJSONAppend(line[:0], cursor.Current, false, false); err != nil {
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
