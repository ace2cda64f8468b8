// Package driverv1 runs the official Go driver v1 against mongotest.
package driverv1

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/gridfs"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/mongo/readpref"
	"go.mongodb.org/mongo-driver/mongo/writeconcern"

	"github.com/motor-go/motor/mongotest"
)

// onVersions runs a test on a replica set of the oldest and the newest version.
func onVersions(t *testing.T, test func(t *testing.T, ctx context.Context, rs *mongotest.ReplicaSet, db *mongo.Database)) {
	for _, version := range []string{"4.0", "8.0"} {
		t.Run(version, func(t *testing.T) {
			rs := mongotest.New(t, mongotest.Options{Version: version})
			client, err := mongo.Connect(t.Context(), options.Client().ApplyURI(rs.URI()).SetWriteConcern(writeconcern.Majority()))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { client.Disconnect(context.Background()) })
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			test(t, ctx, rs, client.Database("interop"))
		})
	}
}

type item struct {
	ID int `bson:"_id"`
	N  int
}

// found are the documents of a query, by _id.
func found(t *testing.T, ctx context.Context, coll *mongo.Collection, filter any) (items []item) {
	t.Helper()
	cursor, err := coll.Find(ctx, filter, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetBatchSize(3))
	if err == nil {
		err = cursor.All(ctx, &items)
	}
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestCRUD(t *testing.T) {
	onVersions(t, func(t *testing.T, ctx context.Context, _ *mongotest.ReplicaSet, db *mongo.Database) {
		coll := db.Collection("crud")
		var many []any
		for i := range 10 {
			many = append(many, item{i, i * i})
		}
		_, err := coll.InsertMany(ctx, many)
		check(t, err)
		if _, err := coll.InsertOne(ctx, item{3, 0}); !mongo.IsDuplicateKeyError(err) {
			t.Errorf("a second document 3: %v", err)
		}
		if got := found(t, ctx, coll, bson.D{{Key: "n", Value: bson.D{{Key: "$gte", Value: 49}}}}); !slices.Equal(got, []item{{7, 49}, {8, 64}, {9, 81}}) {
			t.Errorf("found %v", got)
		}
		updated, err := coll.UpdateMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$lt", Value: 3}}}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 100}}}})
		check(t, err)
		if updated.ModifiedCount != 3 {
			t.Errorf("updated %+v", updated)
		}
		upserted, err := coll.ReplaceOne(ctx, bson.D{{Key: "_id", Value: 20}}, item{20, 7}, options.Replace().SetUpsert(true))
		check(t, err)
		if upserted.UpsertedCount != 1 {
			t.Errorf("upserted %+v", upserted)
		}
		var before item
		check(t, coll.FindOneAndUpdate(ctx, bson.D{{Key: "_id", Value: 20}}, bson.D{{Key: "$set", Value: bson.D{{Key: "n", Value: 8}}}}).Decode(&before))
		if before != (item{20, 7}) {
			t.Errorf("before: %v", before)
		}
		bulk, err := coll.BulkWrite(ctx, []mongo.WriteModel{
			mongo.NewInsertOneModel().SetDocument(item{30, 1}),
			mongo.NewUpdateOneModel().SetFilter(bson.D{{Key: "_id", Value: 30}}).SetUpdate(bson.D{{Key: "$set", Value: bson.D{{Key: "n", Value: 2}}}}),
			mongo.NewDeleteManyModel().SetFilter(bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: 20}}}}),
		})
		check(t, err)
		if bulk.InsertedCount != 1 || bulk.ModifiedCount != 1 || bulk.DeletedCount != 2 {
			t.Errorf("bulk %+v", bulk)
		}
		n, err := coll.CountDocuments(ctx, bson.D{})
		check(t, err)
		cursor, err := coll.Aggregate(ctx, mongo.Pipeline{{{Key: "$group", Value: bson.D{{Key: "_id", Value: nil}, {Key: "n", Value: bson.D{{Key: "$sum", Value: "$n"}}}}}}})
		check(t, err)
		var sums []bson.M
		check(t, cursor.All(ctx, &sums))
		if n != 10 || len(sums) != 1 || sums[0]["n"] != int32(585) {
			t.Errorf("%d documents, sums %v", n, sums)
		}
		_, err = coll.InsertOne(ctx, bson.D{{Key: "_id", Value: "list"}, {Key: "list", Value: bson.A{bson.D{{Key: "x", Value: 1}}, bson.D{{Key: "x", Value: 5}}}}})
		check(t, err)
		_, err = coll.UpdateOne(ctx, bson.D{{Key: "_id", Value: "list"}}, bson.D{{Key: "$set", Value: bson.D{{Key: "list.$[i].y", Value: 2}}}},
			options.Update().SetArrayFilters(options.ArrayFilters{Filters: []any{bson.D{{Key: "i.x", Value: bson.D{{Key: "$gt", Value: 3}}}}}}))
		check(t, err)
		doc, err := coll.FindOne(ctx, bson.D{{Key: "_id", Value: "list"}}, options.FindOne().SetProjection(bson.D{{Key: "_id", Value: 0}})).Raw()
		check(t, err)
		if got, want := doc.String(), `{"list": [{"x": {"$numberInt":"1"}},{"x": {"$numberInt":"5"},"y": {"$numberInt":"2"}}]}`; got != want {
			t.Errorf("array filters made %s", got)
		}
		name, err := coll.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "n", Value: 1}}, Options: options.Index().SetSparse(true)})
		check(t, err)
		specs, err := coll.Indexes().ListSpecifications(ctx)
		check(t, err)
		if name != "n_1" || len(specs) != 2 || specs[1].Name != "n_1" {
			t.Errorf("index %s of %v", name, specs)
		}
		if err := db.RunCommand(ctx, bson.D{{Key: "frobnicate", Value: 1}}).Err(); err == nil || !strings.Contains(err.Error(), "CommandNotFound") {
			t.Errorf("an unknown command: %v", err)
		}
	})
}

func TestSession(t *testing.T) {
	onVersions(t, func(t *testing.T, ctx context.Context, _ *mongotest.ReplicaSet, db *mongo.Database) {
		coll := db.Collection("causal")
		away := db.Collection("causal", options.Collection().SetReadPreference(readpref.Secondary()))
		check(t, db.Client().UseSession(ctx, func(ctx mongo.SessionContext) error {
			for i := range 50 {
				if _, err := coll.InsertOne(ctx, item{i, i}); err != nil {
					return err
				}
				if err := away.FindOne(ctx, bson.D{{Key: "_id", Value: i}}).Err(); err != nil {
					return err
				}
			}
			return nil
		}))
	})
}

func TestTransaction(t *testing.T) {
	onVersions(t, func(t *testing.T, ctx context.Context, _ *mongotest.ReplicaSet, db *mongo.Database) {
		accounts := db.Collection("accounts")
		_, err := accounts.InsertMany(ctx, []any{item{1, 5}, item{2, 0}})
		check(t, err)
		session, err := db.Client().StartSession()
		check(t, err)
		defer session.EndSession(ctx)
		refused := errors.New("not enough")
		move := func(n int) error {
			_, err := session.WithTransaction(ctx, func(ctx mongo.SessionContext) (any, error) {
				for id, n := range map[int]int{1: -n, 2: n} {
					if _, err := accounts.UpdateOne(ctx, bson.D{{Key: "_id", Value: id}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: n}}}}); err != nil {
						return nil, err
					}
				}
				if len(found(t, ctx, accounts, bson.D{{Key: "n", Value: bson.D{{Key: "$lt", Value: 0}}}})) > 0 {
					return nil, refused
				}
				return nil, nil
			})
			return err
		}
		check(t, move(3))
		if err := move(3); !errors.Is(err, refused) {
			t.Errorf("too much was moved: %v", err)
		}
		if got := found(t, ctx, accounts, bson.D{}); !slices.Equal(got, []item{{1, 2}, {2, 3}}) {
			t.Errorf("accounts %v", got)
		}
	})
}

func TestChangeStream(t *testing.T) {
	onVersions(t, func(t *testing.T, ctx context.Context, _ *mongotest.ReplicaSet, db *mongo.Database) {
		coll := db.Collection("watched")
		stream, err := coll.Watch(ctx, mongo.Pipeline{}, options.ChangeStream().SetFullDocument(options.UpdateLookup))
		check(t, err)
		_, inserted := coll.InsertOne(ctx, item{1, 1})
		_, updated := coll.UpdateOne(ctx, bson.D{{Key: "_id", Value: 1}}, bson.D{{Key: "$set", Value: bson.D{{Key: "n", Value: 2}}}})
		_, deleted := coll.DeleteOne(ctx, bson.D{{Key: "_id", Value: 1}})
		check(t, errors.Join(inserted, updated, deleted))
		var token bson.Raw
		for _, want := range []string{"insert", "update", "delete"} {
			if !stream.Next(ctx) {
				t.Fatal(stream.Err())
			}
			if got := stream.Current.Lookup("operationType").StringValue(); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if want == "insert" {
				token = stream.ResumeToken()
			}
		}
		check(t, stream.Close(ctx))
		stream, err = coll.Watch(ctx, mongo.Pipeline{}, options.ChangeStream().SetResumeAfter(token))
		check(t, err)
		defer stream.Close(ctx)
		if !stream.Next(ctx) || stream.Current.Lookup("operationType").StringValue() != "update" {
			t.Errorf("after the insert: %v, %v", stream.Current, stream.Err())
		}
	})
}

func TestGridFS(t *testing.T) {
	onVersions(t, func(t *testing.T, ctx context.Context, _ *mongotest.ReplicaSet, db *mongo.Database) {
		bucket, err := gridfs.NewBucket(db, options.GridFSBucket().SetChunkSizeBytes(1000))
		check(t, err)
		content := bytes.Repeat([]byte("0123456789abcdef"), 1000)
		id, err := bucket.UploadFromStream("file", bytes.NewReader(content))
		check(t, err)
		var got bytes.Buffer
		_, err = bucket.DownloadToStreamByName("file", &got)
		check(t, err)
		if !bytes.Equal(got.Bytes(), content) {
			t.Errorf("%d bytes came back of %d", got.Len(), len(content))
		}
		check(t, bucket.Rename(id, "other"))
		check(t, bucket.Delete(id))
		n, err := db.Collection("fs.chunks").CountDocuments(ctx, bson.D{})
		check(t, err)
		if n != 0 {
			t.Errorf("%d chunks are left", n)
		}
	})
}

// TestFailover writes, and watches, while primaries change and die.
func TestFailover(t *testing.T) {
	onVersions(t, func(t *testing.T, ctx context.Context, rs *mongotest.ReplicaSet, db *mongo.Database) {
		coll := db.Collection("failover")
		stream, err := coll.Watch(ctx, mongo.Pipeline{})
		check(t, err)
		defer stream.Close(ctx)
		const writes = 60
		for i := range writes {
			switch i {
			case 20:
				rs.StepDown()
			case 40:
				rs.Primary().Kill()
			}
			_, err := coll.InsertOne(ctx, item{i, i})
			check(t, err)
		}
		for i := range writes {
			if !stream.Next(ctx) {
				t.Fatal(stream.Err())
			}
			if got := stream.Current.Lookup("documentKey", "_id").Int32(); got != int32(i) {
				t.Fatalf("the event of document %d, want %d", got, i)
			}
		}
	})
}
