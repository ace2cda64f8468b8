// Package ferretdb runs the driver against FerretDB 1.24.2 with its SQLite
// backend: a database that nobody here wrote, embedded in the test process. The
// embedded form knows no users (its SCRAM is behind a switch that only its
// command has), so nothing here logs in.
package ferretdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// start runs FerretDB for the length of a test and gives its URI.
func start(t *testing.T) string {
	t.Helper()
	db, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: "127.0.0.1:0"},
		Logger:    slog.New(slog.NewTextHandler(io.Discard, nil)),
		Handler:   "sqlite",
		SQLiteURL: "file:" + t.TempDir() + "/",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- db.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return db.MongoDBURI()
}

func connect(t *testing.T, uri string) *motor.Client {
	t.Helper()
	client, err := motor.Connect(t.Context(), uri)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := client.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return client
}

type animal struct {
	ID   int    `bson:"_id"`
	Name string `bson:"name"`
	Legs int    `bson:"legs"`
}

var zoo = []animal{{1, "ant", 6}, {2, "bee", 6}, {3, "cat", 4}, {4, "dog", 4}, {5, "emu", 2}}

func animals(t *testing.T) *motor.Collection[animal] {
	coll := motor.CollectionOf[animal](connect(t, start(t)).Database("zoo"), "animals")
	if _, err := coll.InsertMany(t.Context(), zoo); err != nil {
		t.Fatal(err)
	}
	return coll
}

func TestCRUD(t *testing.T) {
	ctx, coll := t.Context(), animals(t)

	got, err := coll.FindOne(ctx, bson.D{{Key: "name", Value: "cat"}})
	if err != nil || got != zoo[2] {
		t.Errorf("FindOne gave %v, %v", got, err)
	}
	if _, err := coll.FindOne(ctx, bson.D{{Key: "name", Value: "yak"}}); !errors.Is(err, motor.ErrNoDocuments) {
		t.Errorf("FindOne of nothing gave %v", err)
	}
	if _, err := coll.InsertOne(ctx, zoo[0]); !errors.Is(err, motor.ErrDuplicateKey) {
		t.Errorf("a second ant gave %v", err)
	}
	many, err := coll.InsertMany(ctx, []animal{{6, "fly", 6}, zoo[0], {7, "gnu", 4}}, motor.InsertManyOptions{Unordered: true})
	var bulk *motor.BulkWriteError
	if !errors.As(err, &bulk) || len(bulk.WriteErrors) != 1 || bulk.WriteErrors[0].Index != 1 || len(many.InsertedIDs) != 2 {
		t.Errorf("InsertMany with one duplicate gave %v, %v", many, err)
	}
	up, err := coll.UpdateOne(ctx, bson.D{{Key: "_id", Value: 5}}, bson.D{{Key: "$set", Value: bson.D{{Key: "legs", Value: 3}}}})
	if err != nil || up.MatchedCount != 1 || up.ModifiedCount != 1 {
		t.Errorf("UpdateOne gave %+v, %v", up, err)
	}
	up, err = coll.UpdateOne(ctx, bson.D{{Key: "_id", Value: 9}}, bson.D{{Key: "$set", Value: bson.D{{Key: "name", Value: "hen"}}}}, motor.UpdateOptions{Upsert: true})
	if err != nil || up.UpsertedCount != 1 || up.UpsertedID != int32(9) {
		t.Errorf("upsert gave %+v, %v", up, err)
	}
	after, err := coll.FindOneAndUpdate(ctx, bson.D{{Key: "_id", Value: 9}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "legs", Value: 2}}}},
		motor.FindOneAndUpdateOptions{ReturnDocument: motor.After})
	if err != nil || after != (animal{9, "hen", 2}) {
		t.Errorf("FindOneAndUpdate gave %+v, %v", after, err)
	}
	del, err := coll.DeleteMany(ctx, bson.D{{Key: "legs", Value: 6}})
	if err != nil || del.DeletedCount != 3 {
		t.Errorf("DeleteMany gave %+v, %v", del, err)
	}
	if n, err := coll.CountDocuments(ctx, nil); err != nil || n != 5 {
		t.Errorf("CountDocuments gave %d, %v", n, err)
	}
	names, err := motor.Distinct[string](ctx, coll, "name", bson.D{{Key: "legs", Value: 4}})
	if err != nil || !slices.Equal(names, []string{"cat", "dog", "gnu"}) {
		t.Errorf("Distinct gave %v, %v", names, err)
	}
}

// A result of several batches, and a loop that is left early.
func TestCursors(t *testing.T) {
	ctx := t.Context()
	coll := motor.CollectionOf[animal](connect(t, start(t)).Database("zoo"), "animals")
	const many = 1000
	list := make([]animal, many)
	for i := range list {
		list[i] = animal{ID: i, Name: fmt.Sprint("ant ", i), Legs: 6}
	}
	if _, err := coll.InsertMany(ctx, list); err != nil {
		t.Fatal(err)
	}
	all, err := coll.Find(ctx, nil, motor.FindOptions{Sort: bson.D{{Key: "_id", Value: 1}}, BatchSize: new(int32(64))}).Slice()
	if err != nil || !slices.Equal(all, list) {
		t.Errorf("Find gave %d documents, %v", len(all), err)
	}
	n := 0
	for _, err := range coll.Find(ctx, nil, motor.FindOptions{BatchSize: new(int32(10))}) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 15 {
			break
		}
	}
	limited, err := coll.Find(ctx, nil, motor.FindOptions{Limit: 70, BatchSize: new(int32(64))}).Slice()
	if err != nil || len(limited) != 70 {
		t.Errorf("a limit of 70 gave %d, %v", len(limited), err)
	}
}

func TestIndexes(t *testing.T) {
	ctx, coll := t.Context(), animals(t)
	name, err := coll.CreateIndex(ctx, motor.IndexModel{Keys: bson.D{{Key: "name", Value: 1}}, Unique: true})
	if err != nil || name != "name_1" {
		t.Fatalf("CreateIndex gave %q, %v", name, err)
	}
	if _, err := coll.InsertOne(ctx, animal{10, "ant", 6}); !errors.Is(err, motor.ErrDuplicateKey) {
		t.Errorf("another ant gave %v", err)
	}
	list, err := coll.ListIndexes(ctx).Slice()
	if err != nil || len(list) != 2 || list[1].Name != "name_1" || !list[1].Unique {
		t.Errorf("ListIndexes gave %+v, %v", list, err)
	}
	if err := coll.DropIndex(ctx, name); err != nil {
		t.Error(err)
	}
	if names, err := coll.Database().ListCollectionNames(ctx, nil); err != nil || !slices.Equal(names, []string{"animals"}) {
		t.Errorf("ListCollectionNames gave %v, %v", names, err)
	}
}

func TestAggregation(t *testing.T) {
	ctx, coll := t.Context(), animals(t)
	type legs struct {
		Legs int `bson:"_id"`
		N    int `bson:"n"`
	}
	got, err := motor.Aggregate[legs](ctx, coll, bson.A{
		bson.D{{Key: "$match", Value: bson.D{{Key: "legs", Value: bson.D{{Key: "$gt", Value: 2}}}}}},
		bson.D{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$legs"}, {Key: "n", Value: bson.D{{Key: "$sum", Value: 1}}}}}},
		bson.D{{Key: "$sort", Value: bson.D{{Key: "_id", Value: 1}}}},
	}).Slice()
	if err != nil || !slices.Equal(got, []legs{{4, 2}, {6, 2}}) {
		t.Errorf("Aggregate gave %v, %v", got, err)
	}
}

// What FerretDB lacks must come back as its error, not as silence.
func TestWhatIsMissing(t *testing.T) {
	ctx, coll := t.Context(), animals(t)
	client := coll.Database().Client()

	var refused *motor.CommandError
	if _, err := coll.Watch(ctx, nil); !errors.As(err, &refused) {
		t.Errorf("Watch gave %v", err)
	}
	err := client.WithTransaction(ctx, func(ctx context.Context) error {
		_, err := coll.InsertOne(ctx, animal{11, "hog", 4})
		return err
	})
	if err == nil {
		t.Error("a transaction succeeded")
	}
	_, err = coll.UpdateOne(ctx, bson.D{{Key: "_id", Value: 1}}, bson.D{{Key: "$set", Value: bson.D{{Key: "a.$[i]", Value: 1}}}},
		motor.UpdateOptions{ArrayFilters: bson.A{bson.D{{Key: "i", Value: 1}}}})
	if err == nil {
		t.Error("array filters were taken")
	}
	for _, missing := range []string{"frobnicate", "createUser"} {
		_, err := client.Database("zoo").RunCommand(ctx, bson.D{{Key: missing, Value: "x"}})
		if !errors.As(err, &refused) || refused.Code != 59 {
			t.Errorf("%s gave %v", missing, err)
		}
	}
}
