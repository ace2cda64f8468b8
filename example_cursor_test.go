package motor_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

func ExampleCollection_FindCursor() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	cursor, err := planets.FindCursor(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer cursor.Close(ctx)
	for cursor.Next(ctx) {
		p, err := cursor.Decode()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(p.Name)
	}
	fmt.Println(cursor.Err())
	// Output:
	// Earth
	// Mars
	// Uranus
	// Venus
	// <nil>
}

func ExampleAggregateCursor() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	cursor, err := motor.AggregateCursor[moon](ctx, planets, []bson.D{
		{{Key: "$unwind", Value: "$moons"}},
		{{Key: "$replaceRoot", Value: bson.D{{Key: "newRoot", Value: "$moons"}}}},
		{{Key: "$match", Value: bson.D{{Key: "radius", Value: bson.D{{Key: "$lt", Value: 50}}}}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	small, err := cursor.Slice(ctx)
	fmt.Println(small, err)
	// Output: [{Phobos 11} {Deimos 6}] <nil>
}

func ExampleAggregateDatabaseCursor() {
	planets, end := planets()
	defer end()

	type star struct{ Name string }
	ctx := context.Background()
	cursor, err := motor.AggregateDatabaseCursor[star](ctx, planets.Database(), []bson.D{
		{{Key: "$documents", Value: bson.A{bson.D{{Key: "name", Value: "Sirius"}}, bson.D{{Key: "name", Value: "Vega"}}}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	stars, err := cursor.Slice(ctx)
	fmt.Println(stars, err)
	// Output: [{Sirius} {Vega}] <nil>
}

// A command that the driver has no method for can open a cursor, too.
func ExampleRunCursorCommand() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	cursor, err := motor.RunCursorCommand[planet](ctx, planets.Database(),
		bson.D{{Key: "find", Value: "planets"}, {Key: "batchSize", Value: 1}})
	if err != nil {
		log.Fatal(err)
	}
	cursor.SetBatchSize(2)
	list, err := cursor.Slice(ctx)
	fmt.Println(len(list), err)
	// Output: 4 <nil>
}

// Documents come in batches; what is here already costs no round trip.
func ExampleCursor_RemainingBatch() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	cursor, err := planets.FindCursor(ctx, nil, motor.FindOptions{BatchSize: new(int32(3))})
	if err != nil {
		log.Fatal(err)
	}
	defer cursor.Close(ctx)
	fmt.Println(cursor.RemainingBatch(), cursor.ID() != 0)
	for range 4 {
		cursor.Next(ctx)
	}
	fmt.Println(cursor.Next(ctx), cursor.RemainingBatch(), cursor.ID())
	// Output:
	// 3 true
	// false 0 0
}

// Current is the document as it came, without decoding all of it.
func ExampleCursor_Current() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	cursor, err := planets.FindCursor(ctx, bson.D{{Key: "_id", Value: "Mars"}})
	if err != nil {
		log.Fatal(err)
	}
	defer cursor.Close(ctx)
	for cursor.Next(ctx) {
		fmt.Println(cursor.Current().Lookup("moons", "1", "name"))
	}
	// Output: "Deimos"
}

func ExampleCursor_Slice() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	cursor, err := planets.FindCursor(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	cursor.Next(ctx)
	rest, err := cursor.Slice(ctx) // closes the cursor
	fmt.Println(len(rest), err)
	// Output: 3 <nil>
}

// A tailable cursor stays open at the end of a capped collection.
func ExampleCursor_TryNext() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	db := planets.Database()
	if err := db.CreateCollection(ctx, "visits", motor.CreateCollectionOptions{Capped: true, Size: new(int64(4096))}); err != nil {
		log.Fatal(err)
	}
	visits := db.Collection("visits")
	visit := func(name string) {
		if _, err := visits.InsertOne(ctx, bson.D{{Key: "_id", Value: name}}); err != nil {
			log.Fatal(err)
		}
	}

	visit("Mars")
	cursor, err := visits.FindCursor(ctx, nil, motor.FindOptions{CursorType: motor.TailableAwait})
	if err != nil {
		log.Fatal(err)
	}
	defer cursor.Close(ctx)
	cursor.SetMaxAwaitTime(time.Millisecond)
	fmt.Println(cursor.TryNext(ctx), cursor.TryNext(ctx), cursor.Err())
	visit("Venus")
	fmt.Println(cursor.TryNext(ctx), cursor.Current())
	// Output:
	// true false <nil>
	// true {"_id":"Venus"}
}

// Comments show in the server's log and profiler.
func ExampleCursor_SetComment() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	cursor, err := planets.FindCursor(ctx, nil, motor.FindOptions{BatchSize: new(int32(1))})
	if err != nil {
		log.Fatal(err)
	}
	defer cursor.Close(ctx)
	if err := cursor.SetComment("nightly export"); err != nil {
		log.Fatal(err)
	}
	list, err := cursor.Slice(ctx)
	fmt.Println(len(list), err)
	// Output: 4 <nil>
}
