package motor_test

import (
	"context"
	"fmt"
	"log"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

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

// A stage of the pipeline chooses among the changes of all collections.
func ExampleDatabase_Watch() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	db := planets.Database()
	stream, err := db.Watch(ctx, []bson.D{{{Key: "$match", Value: bson.D{{Key: "operationType", Value: "delete"}}}}})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close(ctx)
	if _, err := db.Collection("comets").InsertOne(ctx, bson.D{{Key: "_id", Value: "Halley"}}); err != nil {
		log.Fatal(err)
	}
	if _, err := planets.DeleteOne(ctx, bson.D{{Key: "_id", Value: "Mars"}}); err != nil {
		log.Fatal(err)
	}
	if !stream.Next(ctx) {
		log.Fatal(stream.Err())
	}
	change, err := stream.Decode()
	fmt.Println(change.NS.Coll, change.OperationType, change.DocumentKey, err)
	// Output: planets delete {"_id":"Mars"} <nil>
}

func ExampleClient_Watch() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	client := planets.Database().Client()
	stream, err := client.Watch(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close(ctx)
	if _, err := client.Database("log").Collection("visits").InsertOne(ctx, bson.D{{Key: "planet", Value: "Mars"}}); err != nil {
		log.Fatal(err)
	}
	if !stream.Next(ctx) {
		log.Fatal(stream.Err())
	}
	change, err := stream.Decode()
	fmt.Println(change.NS.DB, change.NS.Coll, change.OperationType, err)
	// Output: log visits insert <nil>
}

// A process that was away goes on where it stopped, and misses nothing.
func ExampleChangeStream_ResumeToken() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	stream, err := planets.Watch(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	token := stream.ResumeToken() // to be kept somewhere
	stream.Close(ctx)

	if _, err := planets.InsertOne(ctx, planet{Name: "Saturn"}); err != nil {
		log.Fatal(err)
	}

	stream, err = planets.Watch(ctx, nil, motor.WatchOptions{ResumeAfter: token})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close(ctx)
	if !stream.Next(ctx) {
		log.Fatal(stream.Err())
	}
	fmt.Println(stream.Current().Lookup("documentKey", "_id"))
	// Output: "Saturn"
}

// TryNext asks the server once, for those who have other things to do.
func ExampleChangeStream_TryNext() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	stream, err := planets.Watch(ctx, nil, motor.WatchOptions{MaxAwaitTime: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close(ctx)
	fmt.Println(stream.TryNext(ctx), stream.Err())
	// Output: false <nil>
}

// FullDocument asks for the document as it is after an update.
func ExampleChangeEvent() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	stream, err := planets.Watch(ctx, nil, motor.WatchOptions{FullDocument: motor.UpdateLookup})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := planets.UpdateOne(ctx, bson.D{{Key: "_id", Value: "Mars"}}, bson.D{{Key: "$set", Value: bson.D{{Key: "rings", Value: true}}}}); err != nil {
		log.Fatal(err)
	}
	for change, err := range stream.All(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(change.UpdateDescription.UpdatedFields, change.FullDocument.Moons)
		break
	}
	// Output: {"rings":true} [{Phobos 11} {Deimos 6}]
}

// Next waits until something happens or its context ends.
func ExampleChangeStream_Next() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	stream, err := planets.Watch(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	go planets.InsertOne(ctx, planet{Name: "Saturn"})
	if !stream.Next(ctx) {
		log.Fatal(stream.Err())
	}
	change, err := stream.Decode()
	fmt.Println(change.OperationType, change.FullDocument.Name, err)
	fmt.Println(stream.Close(ctx))
	// Output:
	// insert Saturn <nil>
	// <nil>
}
