package event_test

import (
	"context"
	"fmt"
	"log"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/mongotest"
)

// use inserts a document with a client that o observes.
func use(o *event.Observer) {
	server, err := mongotest.StartStandalone(mongotest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	ctx := context.Background()
	client, err := motor.Connect(ctx, server.URI(), motor.ClientOptions{Observer: o})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	if _, err := client.Database("shop").Collection("orders").InsertOne(ctx, bson.D{{Key: "_id", Value: 1}}); err != nil {
		log.Fatal(err)
	}
}

// The commands of an operation lie between its start and its end.
func ExampleObserver() {
	use(&event.Observer{
		OperationStarted: func(e *event.OperationStarted) {
			fmt.Println("begin", e.Name)
		},
		OperationEnded: func(e *event.OperationEnded) {
			fmt.Println("end", e.Failure)
		},
		CommandStarted: func(e *event.CommandStarted) {
			fmt.Println("send", e.CommandName, "to", e.DatabaseName)
		},
		CommandSucceeded: func(e *event.CommandSucceeded) {
			fmt.Println("answered", e.Reply.Lookup("ok"))
		},
	})
	// Output:
	// begin insert
	// send insert to shop
	// answered 1.0
	// end <nil>
	// begin endSessions
	// send endSessions to admin
	// answered 1.0
	// end <nil>
}

// Both are called, in their order.
func ExampleJoin() {
	count := 0
	counter := &event.Observer{CommandStarted: func(*event.CommandStarted) { count++ }}
	printer := &event.Observer{CommandStarted: func(e *event.CommandStarted) { fmt.Println(count, e.CommandName) }}
	use(event.Join(counter, printer))
	// Output:
	// 1 insert
	// 2 endSessions
}

func ExampleTruncate() {
	fmt.Println(event.Truncate("{\"name\":\"Ada\"}", 8))
	// Output: {"name":...
}

// Reading a command costs nothing unless somebody does.
func ExampleDocument() {
	use(&event.Observer{CommandStarted: func(e *event.CommandStarted) {
		if command := e.Command.Raw(); e.CommandName == "insert" {
			fmt.Println(event.CollectionName(command), command.Lookup("documents", "0"))
		}
	}})
	// Output: orders {"_id":1}
}
