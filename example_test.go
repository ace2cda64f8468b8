package motor_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

// planet is the document of the examples.
type planet struct {
	Name  string `bson:"_id"`
	Moons []moon
	Rings bool
}

type moon struct {
	Name   string
	Radius int // km
}

// planets is a collection with a few documents in a deployment of its own.
func planets() (c *motor.Collection[planet], end func()) {
	ctx := context.Background()
	rs, err := mongotest.StartReplicaSet(mongotest.Options{Nodes: 1})
	if err != nil {
		log.Fatal(err)
	}
	client, err := motor.Connect(ctx, rs.URI())
	if err != nil {
		log.Fatal(err)
	}
	c = motor.CollectionOf[planet](client.Database("sky"), "planets")
	if _, err := c.InsertMany(ctx, []planet{
		{Name: "Earth", Moons: []moon{{"Moon", 1737}}},
		{Name: "Mars", Moons: []moon{{"Phobos", 11}, {"Deimos", 6}}},
		{Name: "Uranus", Moons: []moon{{"Titania", 788}, {"Puck", 81}}, Rings: true},
		{Name: "Venus", Moons: []moon{}},
	}); err != nil {
		log.Fatal(err)
	}
	return c, func() {
		client.Close(ctx)
		rs.Close()
	}
}

func ExampleConnect() {
	rs, err := mongotest.StartReplicaSet(mongotest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer rs.Close()

	ctx := context.Background()
	client, err := motor.Connect(ctx, rs.URI())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	if err := client.Ping(ctx, nil); err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Topology().Type, client.Topology().SetName)
	// Output: ReplicaSetWithPrimary rs0
}

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

func ExampleCollection_InsertOne() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	res, err := planets.InsertOne(ctx, planet{Name: "Mercury"})
	fmt.Println(res.InsertedID, err)
	_, err = planets.InsertOne(ctx, planet{Name: "Mercury"})
	fmt.Println(errors.Is(err, motor.ErrDuplicateKey))
	// Output:
	// Mercury <nil>
	// true
}

func ExampleCollection_InsertMany() {
	planets, end := planets()
	defer end()

	_, err := planets.InsertMany(context.Background(), []planet{{Name: "Mercury"}, {Name: "Mars"}, {Name: "Saturn"}},
		motor.InsertManyOptions{Unordered: true})
	var refused *motor.BulkWriteError
	if errors.As(err, &refused) {
		for _, e := range refused.WriteErrors {
			fmt.Printf("document %d: code %d\n", e.Index, e.Code)
		}
	}
	n, err := planets.CountDocuments(context.Background(), nil)
	fmt.Println(n, err)
	// Output:
	// document 1: code 11000
	// 6 <nil>
}

func ExampleCollection_UpdateOne() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	res, err := planets.UpdateOne(ctx, bson.D{{Key: "_id", Value: "Mars"}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "moons.$[moon].radius", Value: 12}}}},
		motor.UpdateOptions{ArrayFilters: []bson.D{{{Key: "moon.name", Value: "Phobos"}}}})
	if err != nil {
		log.Fatal(err)
	}
	mars, err := planets.FindOne(ctx, bson.D{{Key: "_id", Value: "Mars"}})
	fmt.Println(res.ModifiedCount, mars.Moons, err)
	// Output: 1 [{Phobos 12} {Deimos 6}] <nil>
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

func ExampleCollection_Watch() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	stream, err := planets.Watch(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := planets.InsertOne(ctx, planet{Name: "Saturn", Rings: true}); err != nil {
		log.Fatal(err)
	}
	for change, err := range stream.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(change.OperationType, change.FullDocument.Name)
		break
	}
	// Output: insert Saturn
}

func ExampleClient_WithSession() {
	planets, end := planets()
	defer end()

	client := planets.Database().Client()
	err := client.WithSession(context.Background(), func(ctx context.Context) error {
		if _, err := planets.DeleteOne(ctx, bson.D{{Key: "_id", Value: "Earth"}}); err != nil {
			return err
		}
		// A secondary waits until it has seen the write.
		n, err := planets.With(motor.Settings{ReadPreference: &motor.ReadPreference{Mode: motor.SecondaryPreferred}}).CountDocuments(ctx, nil)
		fmt.Println(n)
		return err
	})
	fmt.Println(err)
	// Output:
	// 3
	// <nil>
}

func ExampleClient_WithTransaction() {
	planets, end := planets()
	defer end()

	give := func(from, to string, m moon) error {
		return planets.Database().Client().WithTransaction(context.Background(), func(ctx context.Context) error {
			if _, err := planets.UpdateOne(ctx, bson.D{{Key: "_id", Value: to}}, bson.D{{Key: "$push", Value: bson.D{{Key: "moons", Value: m}}}}); err != nil {
				return err
			}
			res, err := planets.UpdateOne(ctx, bson.D{{Key: "_id", Value: from}}, bson.D{{Key: "$pull", Value: bson.D{{Key: "moons", Value: m}}}})
			if err == nil && res.ModifiedCount == 0 {
				return fmt.Errorf("%s has no moon %s", from, m.Name)
			}
			return err
		})
	}
	fmt.Println(give("Mars", "Venus", moon{"Deimos", 6}))
	fmt.Println(give("Mars", "Venus", moon{"Moon", 1737}))
	venus, err := planets.FindOne(context.Background(), bson.D{{Key: "_id", Value: "Venus"}})
	fmt.Println(venus.Moons, err)
	// Output:
	// <nil>
	// Mars has no moon Moon
	// [{Deimos 6}] <nil>
}

func ExampleCollection_BulkWrite() {
	planets, end := planets()
	defer end()

	res, err := planets.BulkWrite(context.Background(), []motor.WriteModel[planet]{
		motor.InsertOneModel[planet]{Document: planet{Name: "Saturn", Rings: true}},
		motor.UpdateOneModel[planet]{Filter: bson.D{{Key: "_id", Value: "Venus"}}, Update: bson.D{{Key: "$set", Value: bson.D{{Key: "rings", Value: true}}}}},
		motor.DeleteOneModel[planet]{Filter: bson.D{{Key: "_id", Value: "Mars"}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.InsertedCount, res.ModifiedCount, res.DeletedCount)
	// Output: 1 1 1
}

func ExampleCollection_CreateIndex() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	name, err := planets.CreateIndex(ctx, motor.IndexModel{Keys: bson.D{{Key: "moons.name", Value: 1}}, Unique: true})
	fmt.Println(name, err)
	for index, err := range planets.ListIndexes(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(index.Name, index.Keys, index.Unique)
	}
	// Output:
	// moons.name_1 <nil>
	// _id_ {"_id":1} false
	// moons.name_1 {"moons.name":1} true
}
