package mongotest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"testing"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

// start starts a replica set and connects to it.
func start(o mongotest.Options) (rs *mongotest.ReplicaSet, client *motor.Client) {
	rs, err := mongotest.StartReplicaSet(o)
	if err != nil {
		log.Fatal(err)
	}
	client, err = motor.Connect(context.Background(), rs.URI())
	if err != nil {
		log.Fatal(err)
	}
	return rs, client
}

// In a test, New starts a deployment that ends with it.
func ExampleNew() {
	_ = func(t *testing.T) {
		rs := mongotest.New(t, mongotest.Options{})
		client, err := motor.Connect(t.Context(), rs.URI())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close(context.Background())
		// ...
	}
}

func ExampleStartReplicaSet() {
	rs, client := start(mongotest.Options{Version: "7.0"})
	defer rs.Close()
	ctx := context.Background()
	defer client.Close(ctx)

	info, err := client.Database("admin").RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}})
	fmt.Println(len(rs.Nodes), info.Lookup("versionArray", "0"), err)
	// Output: 3 7 <nil>
}

func ExampleStartStandalone() {
	server, err := mongotest.StartStandalone(mongotest.Options{Username: "ada", Password: "secret"})
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
	fmt.Println(client.Ping(ctx, nil), client.Topology().Type)
	// Output: <nil> Single
}

func ExampleStartSharded() {
	cluster, err := mongotest.StartSharded(mongotest.Options{Routers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	ctx := context.Background()
	client, err := motor.Connect(ctx, cluster.URI())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	fmt.Println(client.Ping(ctx, nil), client.Topology().Type)
	// Output: <nil> Sharded
}

func ExampleStartLoadBalanced() {
	cluster, err := mongotest.StartLoadBalanced(mongotest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	ctx := context.Background()
	client, err := motor.Connect(ctx, cluster.URI())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	fmt.Println(client.Ping(ctx, nil), client.Topology().Type)
	// Output: <nil> LoadBalanced
}

// The primary is killed, and the write goes to the next one: once.
func ExampleNode_Kill() {
	rs, client := start(mongotest.Options{})
	defer rs.Close()
	ctx := context.Background()
	defer client.Close(ctx)

	majority := &motor.WriteConcern{W: "majority"}
	orders := client.Database("shop").Collection("orders", motor.Settings{WriteConcern: majority})
	if _, err := orders.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}}); err != nil {
		log.Fatal(err)
	}
	killed := rs.Primary()
	killed.Kill()
	_, err := orders.InsertOne(ctx, bson.D{{Key: "_id", Value: 2}})
	fmt.Println(err)
	fmt.Println(killed.Restart())
	n, err := orders.CountDocuments(ctx, nil)
	fmt.Println(n, err)
	// Output:
	// <nil>
	// <nil>
	// 2 <nil>
}

func ExampleReplicaSet_StepDown() {
	rs, client := start(mongotest.Options{})
	defer rs.Close()
	ctx := context.Background()
	defer client.Close(ctx)

	first := rs.Primary()
	fmt.Println(rs.StepDown())
	next, err := rs.AwaitPrimary(ctx)
	fmt.Println(next != first, err)
	// Output:
	// true
	// true <nil>
}

// The command is carried out, but its reply does not arrive whole. The driver
// sends the write again, and the server knows it.
func ExampleNode_CutReplies() {
	rs, client := start(mongotest.Options{Nodes: 1})
	defer rs.Close()
	ctx := context.Background()
	defer client.Close(ctx)

	orders := client.Database("shop").Collection("orders")
	if _, err := orders.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}, {Key: "paid", Value: 0}}); err != nil {
		log.Fatal(err)
	}
	rs.Primary().CutReplies(20)
	_, err := orders.UpdateOne(ctx, bson.D{{Key: "_id", Value: 1}}, bson.D{{Key: "$inc", Value: bson.D{{Key: "paid", Value: 10}}}})
	if err != nil {
		log.Fatal(err)
	}
	order, err := orders.FindOne(ctx, nil)
	fmt.Println(order, err)
	// Output: {"_id":1,"paid":10} <nil>
}

// A fail point makes a command fail, here a single insert.
func Example_failPoint() {
	rs, client := start(mongotest.Options{Nodes: 1})
	defer rs.Close()
	ctx := context.Background()
	defer client.Close(ctx)

	_, err := client.Database("admin").RunCommand(ctx, bson.D{
		{Key: "configureFailPoint", Value: "failCommand"},
		{Key: "mode", Value: bson.D{{Key: "times", Value: 1}}},
		{Key: "data", Value: bson.D{{Key: "failCommands", Value: bson.A{"insert"}}, {Key: "errorCode", Value: 8000}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	orders := client.Database("shop").Collection("orders")
	for range 2 {
		_, err := orders.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}})
		var refused *motor.CommandError
		fmt.Println(errors.As(err, &refused), err == nil)
	}
	// Output:
	// true false
	// false true
}

// A deployment on a Network uses no port of the machine.
func ExampleNetwork() {
	network := new(mongotest.Network)
	server, err := mongotest.StartStandalone(mongotest.Options{Address: "db.test:27017", Listen: network.Listen})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	ctx := context.Background()
	client, err := motor.Connect(ctx, server.URI(), motor.ClientOptions{Dial: network.DialContext})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	fmt.Println(server.Address(), client.Ping(ctx, nil))
	// Output: db.test:27017 <nil>
}
