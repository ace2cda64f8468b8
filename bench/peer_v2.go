package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"sync/atomic"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func connectV2(c connection) (*peer, error) {
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
	client, err := mongo.Connect(o)
	if err != nil {
		return nil, err
	}
	return &peer{
		name:  Official,
		task:  func(j job) task { return v2Task(client, j) },
		close: func() { client.Disconnect(context.Background()) },
	}, nil
}

func v2Task(client *mongo.Client, j job) task {
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
		return v2Find(coll, func(cursor *mongo.Cursor, see func(any)) error {
			var doc bson.D
			err := cursor.Decode(&doc)
			if see != nil {
				see(doc)
			}
			return err
		})
	case findStruct:
		return v2Find(coll, func(cursor *mongo.Cursor, see func(any)) error {
			var doc tweet
			err := cursor.Decode(&doc)
			if see != nil {
				see(doc)
			}
			return err
		})
	case findRaw:
		return v2Find(coll, func(cursor *mongo.Cursor, see func(any)) error {
			doc := cursor.Current
			if see != nil {
				see(bytes.Clone(doc))
			}
			return nil
		})
	case exportLines:
		return func(ctx context.Context, see func(any)) error { return v2Export(ctx, coll, j) }
	case importLines:
		return func(ctx context.Context, see func(any)) error { return v2Import(ctx, coll, j) }
	}
	if j.kind.gridfs() {
		return gridfsTask(v2Bucket{db}, j)
	}
	return v2Write(client, coll, j)
}

// v2Find is a task that reads all documents of a collection.
func v2Find(coll *mongo.Collection, one func(cursor *mongo.Cursor, see func(any)) error) task {
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

func v2Write(client *mongo.Client, coll *mongo.Collection, j job) task {
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
	case clientInsert:
		write := mongo.ClientBulkWrite{Database: database, Collection: j.coll, Model: mongo.NewClientInsertOneModel().SetDocument(doc)}
		writes := repeat(write, j.count)
		return func(ctx context.Context, see func(any)) error {
			_, err := client.BulkWrite(ctx, writes)
			return err
		}
	case clientMixed:
		var writes []mongo.ClientBulkWrite
		for i := range j.count {
			coll := mixedCollection(i)
			writes = append(writes,
				mongo.ClientBulkWrite{Database: database, Collection: coll, Model: mongo.NewClientInsertOneModel().SetDocument(doc)},
				mongo.ClientBulkWrite{Database: database, Collection: coll, Model: mongo.NewClientReplaceOneModel().SetFilter(bson.D{}).SetReplacement(doc)},
				mongo.ClientBulkWrite{Database: database, Collection: coll, Model: mongo.NewClientDeleteOneModel().SetFilter(bson.D{})})
		}
		return func(ctx context.Context, see func(any)) error {
			_, err := client.BulkWrite(ctx, writes)
			return err
		}
	}
	return nil
}

func v2Import(ctx context.Context, coll *mongo.Collection, j job) error {
	return eachFile(j.files, func(_ int, name string) error {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		docs := make([]bson.Raw, 0, j.count)
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

func v2Export(ctx context.Context, coll *mongo.Collection, j job) error {
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
			if line, err = bson.MarshalExtJSON(cursor.Current, false, false); err != nil {
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
