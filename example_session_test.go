package motor_test

import (
	"context"
	"fmt"
	"log"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

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

// A session that outlives one function is bound to contexts by hand.
func ExampleClient_StartSession() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	session, err := planets.Database().Client().StartSession()
	if err != nil {
		log.Fatal(err)
	}
	defer session.End(ctx)
	if _, err := planets.InsertOne(session.Bind(ctx), planet{Name: "Saturn"}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(session.OperationTime().IsZero(), session.InTransaction())
	// Output: false false
}

func ExampleSession_StartTransaction() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	session, err := planets.Database().Client().StartSession()
	if err != nil {
		log.Fatal(err)
	}
	defer session.End(ctx) // aborts what was not committed
	if err := session.StartTransaction(); err != nil {
		log.Fatal(err)
	}
	if _, err := planets.DeleteMany(session.Bind(ctx), bson.D{}); err != nil {
		log.Fatal(err)
	}
	before, err := planets.CountDocuments(ctx, nil) // in no session
	fmt.Println(before, err)
	err = session.CommitTransaction(ctx)
	fmt.Println(session.State().Transaction == motor.TransactionCommitted, err)
	after, err := planets.CountDocuments(ctx, nil)
	fmt.Println(after, err)
	// Output:
	// 4 <nil>
	// true <nil>
	// 0 <nil>
}

// A commit whose outcome is unknown may be sent again: it happens once.
func ExampleSession_CommitTransaction() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	session, err := planets.Database().Client().StartSession()
	if err != nil {
		log.Fatal(err)
	}
	defer session.End(ctx)
	if err := session.StartTransaction(); err != nil {
		log.Fatal(err)
	}
	if _, err := planets.InsertOne(session.Bind(ctx), planet{Name: "Saturn"}); err != nil {
		log.Fatal(err)
	}
	err = session.CommitTransaction(ctx)
	for motor.HasErrorLabel(err, motor.UnknownTransactionCommitResult) && ctx.Err() == nil {
		err = session.CommitTransaction(ctx)
	}
	fmt.Println(err)
	// Output: <nil>
}

func ExampleSession_AbortTransaction() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	session, err := planets.Database().Client().StartSession()
	if err != nil {
		log.Fatal(err)
	}
	defer session.End(ctx)
	if err := session.StartTransaction(); err != nil {
		log.Fatal(err)
	}
	if _, err := planets.DeleteMany(session.Bind(ctx), bson.D{}); err != nil {
		log.Fatal(err)
	}
	if err := session.AbortTransaction(ctx); err != nil {
		log.Fatal(err)
	}
	n, err := planets.CountDocuments(ctx, nil)
	fmt.Println(n, err)
	// Output: 4 <nil>
}

// Transactions of one session follow each other.
func ExampleSession_WithTransaction() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	session, err := planets.Database().Client().StartSession()
	if err != nil {
		log.Fatal(err)
	}
	defer session.End(ctx)
	for _, name := range []string{"Saturn", "Neptune"} {
		err := session.WithTransaction(ctx, func(ctx context.Context) error {
			_, err := planets.InsertOne(ctx, planet{Name: name, Rings: true})
			return err
		}, motor.TransactionOptions{WriteConcern: &motor.WriteConcern{W: "majority"}})
		fmt.Println(name, err)
	}
	// Output:
	// Saturn <nil>
	// Neptune <nil>
}

// All reads of a snapshot session see the data of one point in time.
func ExampleSession_SnapshotTime() {
	planets, end := planets()
	defer end()

	session, err := planets.Database().Client().StartSession(motor.SessionOptions{Snapshot: true})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	defer session.End(ctx)
	fmt.Println(session.SnapshotTime().IsZero()) // the first read chooses it
	for range 2 {
		n, err := planets.CountDocuments(session.Bind(ctx), nil)
		fmt.Println(n, session.SnapshotTime().IsZero(), err)
		if _, err := planets.DeleteMany(ctx, bson.D{}); err != nil { // in no session
			log.Fatal(err)
		}
	}
	// Output:
	// true
	// 4 false <nil>
	// 4 false <nil>
}

// A session of another process is told what this one has seen, so that its
// reads see it, too, on whichever member they are served.
func ExampleSession_AdvanceOperationTime() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	client := planets.Database().Client()
	writer, err := client.StartSession()
	if err != nil {
		log.Fatal(err)
	}
	defer writer.End(ctx)
	if _, err := planets.InsertOne(writer.Bind(ctx), planet{Name: "Saturn"}); err != nil {
		log.Fatal(err)
	}

	reader, err := client.StartSession()
	if err != nil {
		log.Fatal(err)
	}
	defer reader.End(ctx)
	if err := reader.AdvanceClusterTime(writer.ClusterTime()); err != nil {
		log.Fatal(err)
	}
	reader.AdvanceOperationTime(writer.OperationTime())
	saturn, err := planets.FindOne(reader.Bind(ctx), bson.D{{Key: "_id", Value: "Saturn"}})
	fmt.Println(saturn.Name, err)
	// Output: Saturn <nil>
}

func ExampleSessionFromContext() {
	planets, end := planets()
	defer end()

	needsSession := func(ctx context.Context) {
		if motor.SessionFromContext(ctx) == nil {
			fmt.Println("called outside of a session")
		}
	}
	needsSession(context.Background())
	planets.Database().Client().WithSession(context.Background(), func(ctx context.Context) error {
		needsSession(ctx)
		return nil
	})
	// Output: called outside of a session
}
