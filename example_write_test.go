package motor_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

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

func ExampleCollection_UpdateByID() {
	planets, end := planets()
	defer end()

	res, err := planets.UpdateByID(context.Background(), "Venus", bson.D{{Key: "$set", Value: bson.D{{Key: "rings", Value: true}}}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.MatchedCount, res.ModifiedCount)
	// Output: 1 1
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

// With Upsert, a document that is not there is inserted.
func ExampleCollection_UpdateOne_upsert() {
	planets, end := planets()
	defer end()

	res, err := planets.UpdateOne(context.Background(), bson.D{{Key: "_id", Value: "Saturn"}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "rings", Value: true}}}},
		motor.UpdateOptions{Upsert: true})
	fmt.Println(res.MatchedCount, res.UpsertedCount, res.UpsertedID, err)
	// Output: 0 1 Saturn <nil>
}

func ExampleCollection_UpdateMany() {
	planets, end := planets()
	defer end()

	// An update can be a pipeline, which computes from the document itself.
	res, err := planets.UpdateMany(context.Background(), bson.D{}, []bson.D{
		{{Key: "$set", Value: bson.D{{Key: "rings", Value: bson.D{{Key: "$gt", Value: bson.A{bson.D{{Key: "$size", Value: "$moons"}}, 1}}}}}}},
	})
	fmt.Println(res.MatchedCount, res.ModifiedCount, err)
	// Output: 4 1 <nil>
}

func ExampleCollection_ReplaceOne() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	res, err := planets.ReplaceOne(ctx, bson.D{{Key: "_id", Value: "Mars"}}, planet{Name: "Mars", Rings: true})
	if err != nil {
		log.Fatal(err)
	}
	mars, err := planets.FindOne(ctx, bson.D{{Key: "_id", Value: "Mars"}})
	fmt.Println(res.ModifiedCount, len(mars.Moons), mars.Rings, err)
	// Output: 1 0 true <nil>
}

func ExampleCollection_DeleteOne() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	for range 2 {
		res, err := planets.DeleteOne(ctx, bson.D{{Key: "_id", Value: "Venus"}})
		fmt.Println(res.DeletedCount, err)
	}
	// Output:
	// 1 <nil>
	// 0 <nil>
}

func ExampleCollection_DeleteMany() {
	planets, end := planets()
	defer end()

	res, err := planets.DeleteMany(context.Background(), bson.D{{Key: "rings", Value: false}})
	fmt.Println(res.DeletedCount, err)
	// Output: 3 <nil>
}

func ExampleCollection_FindOneAndUpdate() {
	planets, end := planets()
	defer end()

	venus, err := planets.FindOneAndUpdate(context.Background(), bson.D{{Key: "_id", Value: "Venus"}},
		bson.D{{Key: "$push", Value: bson.D{{Key: "moons", Value: moon{"Zoozve", 0}}}}},
		motor.FindOneAndUpdateOptions{ReturnDocument: motor.After})
	fmt.Println(venus.Moons, err)
	// Output: [{Zoozve 0}] <nil>
}

// The document of before is returned unless the options ask for After.
func ExampleCollection_FindOneAndReplace() {
	planets, end := planets()
	defer end()

	before, err := planets.FindOneAndReplace(context.Background(), bson.D{{Key: "_id", Value: "Earth"}}, planet{Name: "Earth"})
	fmt.Println(before.Moons, err)
	// Output: [{Moon 1737}] <nil>
}

func ExampleCollection_FindOneAndDelete() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	last := motor.FindOneAndDeleteOptions{Sort: bson.D{{Key: "_id", Value: -1}}}
	for {
		p, err := planets.FindOneAndDelete(ctx, bson.D{}, last)
		if errors.Is(err, motor.ErrNoDocuments) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(p.Name)
	}
	// Output:
	// Venus
	// Uranus
	// Mars
	// Earth
}

// One bulk write changes collections of several databases.
func ExampleClient_BulkWrite() {
	planets, end := planets()
	defer end()

	client := planets.Database().Client()
	res, err := client.BulkWrite(context.Background(), []motor.ClientWrite{
		{Namespace: "sky.planets", Model: motor.DeleteOneModel[planet]{Filter: bson.D{{Key: "_id", Value: "Venus"}}}},
		{Namespace: "sky.planets", Model: motor.InsertOneModel[planet]{Document: planet{Name: "Saturn", Rings: true}}},
		{Namespace: "log.changes", Model: motor.InsertOneModel[bson.D]{Document: bson.D{{Key: "gone", Value: "Venus"}}}},
	}, motor.ClientBulkWriteOptions{Verbose: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(res.InsertedCount, res.DeletedCount, res.InsertResults[1].InsertedID)
	// Output: 2 1 Saturn
}
