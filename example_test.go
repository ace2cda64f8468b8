package motor_test

import (
	"context"
	"fmt"
	"log"

	"github.com/motor-go/motor"
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
