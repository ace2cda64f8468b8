package mongotest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

// The primary is alone: it gives up, and the others elect one of them. When the
// network is whole again it follows.
func ExampleReplicaSet_Partition() {
	rs, client := start(mongotest.Options{})
	defer rs.Close()
	ctx := context.Background()
	defer client.Close(ctx)

	majority := &motor.WriteConcern{W: "majority"}
	orders := client.Database("shop").Collection("orders", motor.Settings{WriteConcern: majority})
	alone := rs.Primary()
	rs.Partition(rs.Secondaries())
	_, err := orders.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}})
	fmt.Println(err)
	next, err := rs.AwaitPrimary(ctx)
	fmt.Println(next != alone, err)

	rs.Heal()
	everywhere := orders.With(motor.Settings{WriteConcern: &motor.WriteConcern{W: 3}})
	_, err = everywhere.InsertOne(ctx, bson.D{{Key: "_id", Value: 2}})
	fmt.Println(err, alone.IsPrimary())
	// Output:
	// <nil>
	// true <nil>
	// <nil> false
}

// One secondary does not hear the primary, nobody else is cut off: the primary
// stays what it is, and a write that all nodes are to confirm is not.
func ExampleReplicaSet_Cut() {
	rs, client := start(mongotest.Options{})
	defer rs.Close()
	ctx := context.Background()
	defer client.Close(ctx)

	impatient := &motor.WriteConcern{W: 3, WTimeout: 50 * time.Millisecond}
	orders := client.Database("shop").Collection("orders", motor.Settings{WriteConcern: impatient})
	late := rs.Secondaries()[0]
	rs.Cut(rs.Primary(), late)
	_, err := orders.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}})
	var unconfirmed *motor.WriteConcernError
	fmt.Println(errors.As(err, &unconfirmed))

	rs.Heal()
	patient := orders.With(motor.Settings{WriteConcern: &motor.WriteConcern{W: 3}})
	_, err = patient.InsertOne(ctx, bson.D{{Key: "_id", Value: 2}})
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}

// A read from a secondary does not see what was just written, unless it is
// causally consistent with the write: then it waits.
func ExampleNode_SetLag() {
	rs, client := start(mongotest.Options{Nodes: 3})
	defer rs.Close()
	ctx := context.Background()
	defer client.Close(ctx)

	orders := client.Database("shop").Collection("orders", motor.Settings{WriteConcern: &motor.WriteConcern{W: 1}})
	fromSecondary := orders.With(motor.Settings{ReadPreference: &motor.ReadPreference{Mode: motor.Secondary}})
	for _, node := range rs.Secondaries() {
		node.SetLag(time.Second)
	}
	if _, err := orders.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}}); err != nil {
		log.Fatal(err)
	}
	n, err := fromSecondary.CountDocuments(ctx, nil)
	fmt.Println(n, err)

	err = client.WithSession(ctx, func(ctx context.Context) error {
		if _, err := orders.InsertOne(ctx, bson.D{{Key: "_id", Value: 2}}); err != nil {
			return err
		}
		n, err = fromSecondary.CountDocuments(ctx, nil)
		return err
	})
	fmt.Println(n, err)
	// Output:
	// 0 <nil>
	// 2 <nil>
}

// An operation has a deadline, and the network is slower.
func ExampleNode_SetDelay() {
	rs, client := start(mongotest.Options{Nodes: 1})
	defer rs.Close()
	ctx := context.Background()
	defer client.Close(ctx)

	if err := client.Ping(ctx, nil); err != nil {
		log.Fatal(err)
	}
	rs.Primary().SetDelay(time.Second)
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	fmt.Println(errors.Is(client.Ping(short, nil), motor.ErrTimeout))

	rs.Primary().SetDelay(0)
	fmt.Println(client.Ping(ctx, nil))
	// Output:
	// true
	// <nil>
}

// A mute node carries out what it is asked for; nobody hears of it. One that is
// deaf, too, is cut off from clients altogether.
func ExampleNode_SetMute() {
	rs, client := start(mongotest.Options{Nodes: 1})
	defer rs.Close()
	ctx := context.Background()
	defer client.Close(ctx)

	orders := client.Database("shop").Collection("orders")
	if err := client.Ping(ctx, nil); err != nil {
		log.Fatal(err)
	}
	rs.Primary().SetMute(true)
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	_, err := orders.InsertOne(short, bson.D{{Key: "_id", Value: 1}})
	fmt.Println(errors.Is(err, motor.ErrTimeout))

	rs.Primary().SetMute(false)
	n, err := orders.CountDocuments(ctx, nil)
	fmt.Println(n, err)
	// Output:
	// true
	// 1 <nil>
}

// What a deaf node is sent arrives later, if the connection is still there.
func ExampleNode_SetDeaf() {
	rs, client := start(mongotest.Options{Nodes: 1})
	defer rs.Close()
	ctx := context.Background()
	defer client.Close(ctx)

	if err := client.Ping(ctx, nil); err != nil {
		log.Fatal(err)
	}
	rs.Primary().SetDeaf(true)
	time.AfterFunc(50*time.Millisecond, func() { rs.Primary().SetDeaf(false) })
	before := time.Now()
	fmt.Println(client.Ping(ctx, nil), time.Since(before) > 40*time.Millisecond)
	// Output: <nil> true
}

// Connections break, and the driver makes others.
func ExampleNode_HangUp() {
	rs, client := start(mongotest.Options{Nodes: 1})
	defer rs.Close()
	ctx := context.Background()
	defer client.Close(ctx)

	orders := client.Database("shop").Collection("orders")
	if _, err := orders.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(rs.Primary().Connections() > 0)
	rs.Primary().HangUp()
	_, err := orders.InsertOne(ctx, bson.D{{Key: "_id", Value: 2}})
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}

// The node of one's choice becomes primary.
func ExampleNode_StepUp() {
	rs, client := start(mongotest.Options{})
	defer rs.Close()
	ctx := context.Background()
	defer client.Close(ctx)

	chosen := rs.Nodes[2]
	for !chosen.StepUp() {
		time.Sleep(time.Millisecond) // it must have all that the primary has
	}
	next, err := rs.AwaitPrimary(ctx)
	fmt.Println(next == chosen, err)
	// Output: true <nil>
}

// SingleURI leads to one router, whatever the number of connections.
func ExampleLoadBalanced_SingleURI() {
	cluster, err := mongotest.StartLoadBalanced(mongotest.Options{Routers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	ctx := context.Background()
	client, err := motor.Connect(ctx, cluster.SingleURI())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	fmt.Println(client.Ping(ctx, nil), cluster.Routers[0].Connections(), cluster.Routers[1].Connections())
	// Output: <nil> 1 0
}
