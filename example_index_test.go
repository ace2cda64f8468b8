package motor_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

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

func ExampleCollection_CreateIndexes() {
	planets, end := planets()
	defer end()

	names, err := planets.CreateIndexes(context.Background(), []motor.IndexModel{
		{Keys: bson.D{{Key: "rings", Value: 1}, {Key: "moons.radius", Value: -1}}},
		// Documents go an hour after the time in their field seen.
		{Keys: bson.D{{Key: "seen", Value: 1}}, Name: "expiry", ExpireAfter: new(time.Hour)},
	})
	fmt.Println(names, err)
	// Output: [rings_1_moons.radius_-1 expiry] <nil>
}

func ExampleCollection_ListIndexes() {
	planets, end := planets()
	defer end()

	for index, err := range planets.ListIndexes(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(index.Name, index.Keys)
	}
	// Output: _id_ {"_id":1}
}

func ExampleCollection_ListIndexNames() {
	planets, end := planets()
	defer end()

	names, err := planets.ListIndexNames(context.Background())
	fmt.Println(names, err)
	// Output: [_id_] <nil>
}

// Unlike ListIndexes, ListIndexesCursor says that there is no such collection.
func ExampleCollection_ListIndexesCursor() {
	planets, end := planets()
	defer end()

	_, err := planets.Database().Collection("comets").ListIndexesCursor(context.Background())
	var refused *motor.CommandError
	if errors.As(err, &refused) {
		fmt.Println(refused.Code, refused.Name)
	}
	// Output: 26 NamespaceNotFound
}

func ExampleCollection_DropIndex() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	name, err := planets.CreateIndex(ctx, motor.IndexModel{Keys: bson.D{{Key: "rings", Value: 1}}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(planets.DropIndex(ctx, name))
	// Output: <nil>
}

func ExampleCollection_DropIndexKeys() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	keys := bson.D{{Key: "moons.name", Value: 1}, {Key: "rings", Value: 1}}
	if _, err := planets.CreateIndex(ctx, motor.IndexModel{Keys: keys}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(planets.DropIndexKeys(ctx, keys))
	// Output: <nil>
}

func ExampleCollection_DropAllIndexes() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	if _, err := planets.CreateIndex(ctx, motor.IndexModel{Keys: bson.D{{Key: "rings", Value: 1}}}); err != nil {
		log.Fatal(err)
	}
	if err := planets.DropAllIndexes(ctx); err != nil {
		log.Fatal(err)
	}
	names, err := planets.ListIndexNames(ctx)
	fmt.Println(names, err)
	// Output: [_id_] <nil>
}

// Search indexes need Atlas, or a deployment with a search process. Others
// refuse them.
func ExampleCollection_CreateSearchIndex() {
	planets, end := planets()
	defer end()

	_, err := planets.CreateSearchIndex(context.Background(), motor.SearchIndexModel{
		Name:       "names",
		Definition: bson.D{{Key: "mappings", Value: bson.D{{Key: "dynamic", Value: true}}}},
	})
	var refused *motor.CommandError
	if errors.As(err, &refused) {
		fmt.Println(refused.Code)
	}
	// Output: 31082
}

func ExampleCollection_CreateSearchIndexes() {
	planets, end := planets()
	defer end()

	_, err := planets.CreateSearchIndexes(context.Background(), []motor.SearchIndexModel{
		{Name: "names", Definition: bson.D{{Key: "mappings", Value: bson.D{{Key: "dynamic", Value: true}}}}},
		{Name: "near", Type: "vectorSearch", Definition: bson.D{{Key: "fields", Value: bson.A{bson.D{
			{Key: "type", Value: "vector"}, {Key: "path", Value: "orbit"}, {Key: "numDimensions", Value: 3}, {Key: "similarity", Value: "euclidean"},
		}}}}},
	})
	var refused *motor.CommandError
	if errors.As(err, &refused) {
		fmt.Println(refused.Code)
	}
	// Output: 31082
}

func ExampleCollection_UpdateSearchIndex() {
	planets, end := planets()
	defer end()

	err := planets.UpdateSearchIndex(context.Background(), "names", bson.D{{Key: "mappings", Value: bson.D{{Key: "dynamic", Value: false}}}})
	var refused *motor.CommandError
	if errors.As(err, &refused) {
		fmt.Println(refused.Code)
	}
	// Output: 31082
}

func ExampleCollection_DropSearchIndex() {
	planets, end := planets()
	defer end()

	err := planets.DropSearchIndex(context.Background(), "names")
	var refused *motor.CommandError
	if errors.As(err, &refused) {
		fmt.Println(refused.Code)
	}
	// Output: 31082
}

func ExampleCollection_ListSearchIndexes() {
	planets, end := planets()
	defer end()

	_, err := planets.ListSearchIndexes(context.Background(), "names").First()
	var refused *motor.CommandError
	if errors.As(err, &refused) {
		fmt.Println(refused.Message)
	}
	// Output: $listSearchIndexes stage is only allowed on MongoDB Atlas
}
