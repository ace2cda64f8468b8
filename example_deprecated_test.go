package motor_test

import (
	"context"
	"fmt"
	"log"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

func ExampleCollection_Count() {
	planets, end := planets()
	defer end()

	n, err := planets.Count(context.Background(), bson.D{{Key: "rings", Value: false}})
	fmt.Println(n, err)
	// Output: 3 <nil>
}

func ExampleCollection_MapReduce() {
	server, err := mongotest.StartStandalone(mongotest.Options{Scripting: true})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	ctx := context.Background()
	client, err := motor.Connect(ctx, server.URI())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)

	visits := client.Database("log").Collection("visits")
	for _, name := range []string{"Mars", "Venus", "Mars"} {
		if _, err := visits.InsertOne(ctx, bson.D{{Key: "planet", Value: name}}); err != nil {
			log.Fatal(err)
		}
	}
	list, err := visits.MapReduce(ctx,
		"function() { emit(this.planet, 1); }",
		"function(key, values) { return Array.sum(values); }")
	fmt.Println(len(list), err)
	// Output: 2 <nil>
}
