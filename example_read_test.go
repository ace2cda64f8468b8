package motor_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

func ExampleCollection_Find() {
	planets, end := planets()
	defer end()

	for p, err := range planets.Find(context.Background(), bson.D{{Key: "moons.radius", Value: bson.D{{Key: "$gt", Value: 100}}}}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(p.Name, p.Moons)
	}
	// Output:
	// Earth [{Moon 1737}]
	// Uranus [{Titania 788} {Puck 81}]
}

func ExampleCollection_FindOne() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	p, err := planets.FindOne(ctx, bson.D{{Key: "rings", Value: true}})
	fmt.Println(p.Name, err)
	_, err = planets.FindOne(ctx, bson.D{{Key: "_id", Value: "Vulcan"}})
	fmt.Println(errors.Is(err, motor.ErrNoDocuments))
	// Output:
	// Uranus <nil>
	// true
}

func ExampleAggregate() {
	planets, end := planets()
	defer end()

	type size struct {
		Name  string `bson:"_id"`
		Moons int
	}
	for s, err := range motor.Aggregate[size](context.Background(), planets, []bson.D{
		{{Key: "$project", Value: bson.D{{Key: "moons", Value: bson.D{{Key: "$size", Value: "$moons"}}}}}},
		{{Key: "$sort", Value: bson.D{{Key: "moons", Value: -1}, {Key: "_id", Value: 1}}}},
		{{Key: "$limit", Value: 2}},
	}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(s.Name, s.Moons)
	}
	// Output:
	// Mars 2
	// Uranus 2
}

func ExampleDistinct() {
	planets, end := planets()
	defer end()

	names, err := motor.Distinct[string](context.Background(), planets, "moons.name", bson.D{{Key: "rings", Value: false}})
	fmt.Println(names, err)
	// Output: [Deimos Moon Phobos] <nil>
}

// Without a type parameter documents are bson.D, in the order of their fields.
func ExampleDatabase_Collection() {
	planets, end := planets()
	defer end()

	untyped := planets.Database().Collection("planets")
	venus, err := untyped.FindOne(context.Background(), bson.D{{Key: "_id", Value: "Venus"}})
	fmt.Println(venus, err)
	// Output: {"_id":"Venus","moons":[],"rings":false} <nil>
}

// Results that have the shape of the documents need no other type.
func ExampleCollection_Aggregate() {
	planets, end := planets()
	defer end()

	for p, err := range planets.Aggregate(context.Background(), []bson.D{
		{{Key: "$match", Value: bson.D{{Key: "moons", Value: bson.D{{Key: "$size", Value: 2}}}}}},
		{{Key: "$sort", Value: bson.D{{Key: "_id", Value: -1}}}},
	}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(p.Name)
	}
	// Output:
	// Uranus
	// Mars
}

// A pipeline on a database starts with a stage that needs no collection.
func ExampleAggregateDatabase() {
	planets, end := planets()
	defer end()

	type star struct{ Name string }
	stars, err := motor.AggregateDatabase[star](context.Background(), planets.Database(), []bson.D{
		{{Key: "$documents", Value: bson.A{bson.D{{Key: "name", Value: "Sirius"}}, bson.D{{Key: "name", Value: "Vega"}}}}},
	}).Slice()
	fmt.Println(stars, err)
	// Output: [{Sirius} {Vega}] <nil>
}

func ExampleCollection_CountDocuments() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	all, err := planets.CountDocuments(ctx, nil)
	fmt.Println(all, err)
	ringed, err := planets.CountDocuments(ctx, bson.D{{Key: "rings", Value: true}})
	fmt.Println(ringed, err)
	// Output:
	// 4 <nil>
	// 1 <nil>
}

func ExampleCollection_EstimatedDocumentCount() {
	planets, end := planets()
	defer end()

	n, err := planets.EstimatedDocumentCount(context.Background())
	fmt.Println(n, err)
	// Output: 4 <nil>
}

// Settings change a copy; planets itself stays as it was.
func ExampleCollection_With() {
	planets, end := planets()
	defer end()

	majority := planets.With(motor.Settings{ReadConcern: &motor.ReadConcern{Level: "majority"}})
	mars, err := majority.FindOne(context.Background(), bson.D{{Key: "_id", Value: "Mars"}})
	fmt.Println(mars.Name, err)
	// Output: Mars <nil>
}

func ExampleDocs_Slice() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	list, err := planets.Find(ctx, nil, motor.FindOptions{Sort: bson.D{{Key: "_id", Value: -1}}, Limit: 2}).Slice()
	fmt.Println(len(list), list[0].Name, list[1].Name, err)
	none, err := planets.Find(ctx, bson.D{{Key: "_id", Value: "Vulcan"}}).Slice()
	fmt.Println(len(none), err)
	// Output:
	// 2 Venus Uranus <nil>
	// 0 <nil>
}

func ExampleDocs_First() {
	planets, end := planets()
	defer end()

	type count struct{ Moons int }
	c, err := motor.Aggregate[count](context.Background(), planets, []bson.D{
		{{Key: "$unwind", Value: "$moons"}},
		{{Key: "$count", Value: "moons"}},
	}).First()
	fmt.Println(c.Moons, err)
	// Output: 5 <nil>
}

// The type parameter says what documents are decoded into: structs, maps, or
// bson.Raw for those who look at single fields.
func ExampleCollectionOf() {
	planets, end := planets()
	defer end()

	raw := motor.CollectionOf[bson.Raw](planets.Database(), "planets")
	mars, err := raw.FindOne(context.Background(), bson.D{{Key: "_id", Value: "Mars"}})
	fmt.Println(mars.Lookup("moons", "0"), err)
	// Output: {"name":"Phobos","radius":11} <nil>
}
