package motor_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/mongotest"
)

func ExampleClient_Ping() {
	planets, end := planets()
	defer end()

	client := planets.Database().Client()
	fmt.Println(client.Ping(context.Background(), &motor.ReadPreference{Mode: motor.Nearest}))
	// Output: <nil>
}

// Operations that begin after Close fail.
func ExampleClient_Close() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	client := planets.Database().Client()
	fmt.Println(client.Close(ctx))
	fmt.Println(errors.Is(client.Ping(ctx, nil), motor.ErrClientClosed))
	// Output:
	// <nil>
	// true
}

// What a database does not set comes from the client.
func ExampleClient_Database() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	log := planets.Database().Client().Database("log", motor.Settings{
		WriteConcern: &motor.WriteConcern{W: "majority"},
		Timeout:      new(10 * time.Second),
	})
	_, err := log.Collection("visits").InsertOne(ctx, bson.D{{Key: "planet", Value: "Mars"}})
	fmt.Println(log.Name(), err)
	// Output: log <nil>
}

// The path of a connection string names the default database.
func ExampleClient_DefaultDatabase() {
	ctx := context.Background()
	client, err := motor.Connect(ctx, "mongodb://localhost:27017/sky")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	fmt.Println(client.DefaultDatabase().Name())
	// Output: sky
}

// What a connection string can say can be said in code: the credential, and any
// option by its name. Passwords need no percent-encoding here.
func ExampleClientOptions() {
	ctx := context.Background()
	client, err := motor.Connect(ctx, "mongodb://localhost:27017/?maxPoolSize=10", motor.ClientOptions{
		Credential: motor.Credential{Username: "ada", Password: "p@ss/word", Source: "admin"},
		Options: map[string]string{
			"maxPoolSize":    "50",
			"appname":        "shop",
			"compressors":    "zstd,snappy",
			"readPreference": "secondaryPreferred",
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	fmt.Println(client.URI())

	_, err = motor.Connect(ctx, "mongodb://localhost:27017", motor.ClientOptions{
		Options: map[string]string{"maxPoolSize": "many"},
	})
	fmt.Println(err)
	// Output:
	// mongodb://ada:***@localhost:27017/?authSource=admin&appname=shop&maxPoolSize=50&readPreference=secondaryPreferred&compressors=zstd,snappy
	// given in code: option maxPoolSize=many: not a whole number
}

// Secrets are hidden, so that it can be logged.
func ExampleClient_URI() {
	ctx := context.Background()
	client, err := motor.Connect(ctx, "mongodb://ada:secret@localhost:27017/sky?w=majority")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	fmt.Println(client.URI())
	// Output: mongodb://ada:***@localhost:27017/sky?w=majority
}

func ExampleClient_ListDatabases() {
	planets, end := planets()
	defer end()

	list, err := planets.Database().Client().ListDatabases(context.Background(), bson.D{{Key: "name", Value: "sky"}})
	for _, db := range list {
		fmt.Println(db.Name, db.Empty)
	}
	fmt.Println(err)
	// Output:
	// sky false
	// <nil>
}

func ExampleClient_ListDatabaseNames() {
	planets, end := planets()
	defer end()

	names, err := planets.Database().Client().ListDatabaseNames(context.Background(),
		bson.D{{Key: "name", Value: bson.D{{Key: "$nin", Value: bson.A{"admin", "config", "local"}}}}})
	fmt.Println(names, err)
	// Output: [sky] <nil>
}

func ExampleClient_ListDatabaseObjects() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	list, err := planets.Database().Client().ListDatabaseObjects(ctx, bson.D{{Key: "name", Value: "sky"}})
	if err != nil {
		log.Fatal(err)
	}
	for _, db := range list {
		names, err := db.ListCollectionNames(ctx, nil)
		fmt.Println(db.Name(), names, err)
	}
	// Output: sky [planets] <nil>
}

// Topology is what a health page shows.
func ExampleClient_Topology() {
	planets, end := planets()
	defer end()

	for _, server := range planets.Database().Client().Topology().Servers {
		fmt.Println(server.Type, server.SetName)
	}
	// Output: RSPrimary rs0
}

func ExampleClient_Stats() {
	planets, end := planets()
	defer end()

	for _, s := range planets.Database().Client().Stats() {
		fmt.Println(s.Server.Type, s.Pool.InUse, "of", s.Pool.MaxPoolSize, "in use,", s.Pool.Waiting, "waiting")
	}
	// Output: RSPrimary 0 of 100 in use, 0 waiting
}

// A library that wraps the driver names itself to the servers.
func ExampleClient_AppendDriverInfo() {
	planets, end := planets()
	defer end()

	err := planets.Database().Client().AppendDriverInfo(motor.DriverInfo{Name: "telescope", Version: "1.2"})
	fmt.Println(err)
	// Output: <nil>
}

// An Observer sees each command, retries among them.
func ExampleClientOptions_observer() {
	rs, err := mongotest.StartReplicaSet(mongotest.Options{Nodes: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer rs.Close()

	ctx := context.Background()
	client, err := motor.Connect(ctx, rs.URI(), motor.ClientOptions{Observer: &event.Observer{
		CommandStarted: func(e *event.CommandStarted) { fmt.Println(e.CommandName, e.DatabaseName) },
		CommandFailed:  func(e *event.CommandFailed) { fmt.Println(e.CommandName, "failed:", e.Failure) },
	}})
	if err != nil {
		log.Fatal(err)
	}
	visits := client.Database("log").Collection("visits")
	if _, err := visits.InsertOne(ctx, bson.D{{Key: "planet", Value: "Mars"}}); err != nil {
		log.Fatal(err)
	}
	if _, err := visits.CountDocuments(ctx, nil); err != nil {
		log.Fatal(err)
	}
	client.Close(ctx)
	// Output:
	// insert log
	// aggregate log
	// endSessions admin
}

// An operation that is called with the context has a minute, all its
// retries included.
func ExampleWithTimeout() {
	planets, end := planets()
	defer end()

	ctx := motor.WithTimeout(context.Background(), time.Minute)
	mars, err := planets.FindOne(ctx, bson.D{{Key: "_id", Value: "Mars"}})
	fmt.Println(mars.Name, err)

	ctx = motor.WithTimeout(context.Background(), time.Nanosecond)
	_, err = planets.FindOne(ctx, bson.D{{Key: "_id", Value: "Mars"}})
	fmt.Println(errors.Is(err, motor.ErrTimeout))
	// Output:
	// Mars <nil>
	// true
}
