package motor_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// A capped collection keeps the newest documents only.
func ExampleDatabase_CreateCollection() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	db := planets.Database()
	err := db.CreateCollection(ctx, "visits", motor.CreateCollectionOptions{
		Capped: true,
		Size:   new(int64(1 << 20)),
		Max:    new(int64(2)),
	})
	if err != nil {
		log.Fatal(err)
	}
	visits := db.Collection("visits")
	for _, name := range []string{"Mars", "Venus", "Earth"} {
		if _, err := visits.InsertOne(ctx, bson.D{{Key: "_id", Value: name}}); err != nil {
			log.Fatal(err)
		}
	}
	list, err := visits.Find(ctx, nil).Slice()
	fmt.Println(list, err)
	// Output: [{"_id":"Venus"} {"_id":"Earth"}] <nil>
}

func ExampleDatabase_CreateView() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	db := planets.Database()
	if err := db.CreateView(ctx, "ringed", "planets", []bson.D{{{Key: "$match", Value: bson.D{{Key: "rings", Value: true}}}}}); err != nil {
		log.Fatal(err)
	}
	ringed, err := motor.CollectionOf[planet](db, "ringed").FindOne(ctx, nil)
	fmt.Println(ringed.Name, err)
	// Output: Uranus <nil>
}

// A validator is checked when documents change from now on.
func ExampleDatabase_ModifyCollection() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	err := planets.Database().ModifyCollection(ctx, "planets", motor.ModifyCollectionOptions{
		Validator: bson.D{{Key: "rings", Value: bson.D{{Key: "$type", Value: "bool"}}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = planets.UpdateOne(ctx, bson.D{{Key: "_id", Value: "Mars"}}, bson.D{{Key: "$set", Value: bson.D{{Key: "rings", Value: "thin"}}}})
	fmt.Println(err != nil)
	// Output: true
}

func ExampleDatabase_ListCollections() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	db := planets.Database()
	if err := db.CreateView(ctx, "ringed", "planets", []bson.D{}); err != nil {
		log.Fatal(err)
	}
	for info, err := range db.ListCollections(ctx, bson.D{{Key: "type", Value: "view"}}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(info.Name, info.Options)
	}
	// Output: ringed {"viewOn":"planets","pipeline":[]}
}

func ExampleDatabase_ListCollectionNames() {
	planets, end := planets()
	defer end()

	names, err := planets.Database().ListCollectionNames(context.Background(), nil)
	fmt.Println(names, err)
	// Output: [planets] <nil>
}

func ExampleDatabase_ListCollectionObjects() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	list, err := planets.Database().ListCollectionObjects(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range list {
		n, err := c.EstimatedDocumentCount(ctx)
		fmt.Println(c.Name(), n, err)
	}
	// Output: planets 4 <nil>
}

func ExampleDatabase_ListCollectionsCursor() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	cursor, err := planets.Database().ListCollectionsCursor(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	list, err := cursor.Slice(ctx)
	fmt.Println(len(list), list[0].Type, err)
	// Output: 1 collection <nil>
}

func ExampleDatabase_RunCommand() {
	planets, end := planets()
	defer end()

	reply, err := planets.Database().RunCommand(context.Background(), bson.D{{Key: "count", Value: "planets"}, {Key: "query", Value: bson.D{{Key: "rings", Value: false}}}})
	fmt.Println(reply.Lookup("n"), err)
	// Output: 3 <nil>
}

// The operations have a minute together, not each.
func ExampleDatabase_ShareTimeout() {
	planets, end := planets()
	defer end()

	db := planets.Database().With(motor.Settings{Timeout: new(time.Minute)})
	ctx, cancel, err := db.ShareTimeout(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	defer cancel()
	comets := db.Collection("comets")
	if _, err := comets.InsertOne(ctx, bson.D{{Key: "_id", Value: "Halley"}}); err != nil {
		log.Fatal(err)
	}
	n, err := comets.CountDocuments(ctx, nil)
	fmt.Println(n, err)
	// Output: 1 <nil>
}

// A database without documents is none that a server knows.
func ExampleDatabase_Drop() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	db := planets.Database()
	if err := db.Drop(ctx); err != nil {
		log.Fatal(err)
	}
	list, err := db.Client().ListDatabases(ctx, bson.D{{Key: "name", Value: db.Name()}})
	fmt.Println(len(list), err)
	// Output: 0 <nil>
}

func ExampleDatabase_With() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	careless := planets.Database().With(motor.Settings{WriteConcern: &motor.WriteConcern{W: 0}})
	res, err := careless.Collection("comets").InsertOne(ctx, bson.D{{Key: "_id", Value: "Halley"}})
	fmt.Println(res.Acknowledged, err)
	// Output: false <nil>
}

func ExampleCollection_Drop() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	for range 2 { // it is no error that there is none
		fmt.Println(planets.Drop(ctx))
	}
	// Output:
	// <nil>
	// <nil>
}

func ExampleCollection_Rename() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	if err := planets.Rename(ctx, "wanderers", motor.RenameOptions{DropTarget: true}); err != nil {
		log.Fatal(err)
	}
	names, err := planets.Database().ListCollectionNames(ctx, nil)
	fmt.Println(names, err)
	// Output: [wanderers] <nil>
}

// A library that stores values of its own encodes them as the application does.
func ExampleDatabase_BSON() {
	planets, end := planets()
	defer end()

	db := planets.Database().With(motor.Settings{BSON: &bson.Options{NilSliceAsEmpty: true}})
	doc, err := db.BSON().Marshal(planet{Name: "Ceres"})
	fmt.Println(bson.Raw(doc), err)
	// Output: {"_id":"Ceres","moons":[],"rings":false} <nil>
}
