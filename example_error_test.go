package motor_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// A server's answer that a command failed has its code and name.
func ExampleCommandError() {
	planets, end := planets()
	defer end()

	_, err := planets.FindOne(context.Background(), bson.D{{Key: "rings", Value: bson.D{{Key: "$is", Value: true}}}})
	var refused *motor.CommandError
	if errors.As(err, &refused) {
		fmt.Println(refused.Code, refused.Name)
	}
	// Output: 2 BadValue
}

// The index of a WriteError is that of the statement.
func ExampleBulkWriteError() {
	planets, end := planets()
	defer end()

	res, err := planets.BulkWrite(context.Background(), []motor.WriteModel[planet]{
		motor.InsertOneModel[planet]{Document: planet{Name: "Saturn"}},
		motor.InsertOneModel[planet]{Document: planet{Name: "Mars"}},
		motor.DeleteOneModel[planet]{Filter: bson.D{{Key: "_id", Value: "Venus"}}}, // not tried any more
	})
	var refused *motor.BulkWriteError
	if errors.As(err, &refused) {
		e := refused.WriteErrors[0]
		fmt.Println(e.Index, e.Code, errors.Is(err, motor.ErrDuplicateKey))
	}
	fmt.Println(res.InsertedCount, res.DeletedCount)
	// Output:
	// 1 11000 true
	// 1 0
}

// The labels of the specifications say what may be tried again.
func ExampleHasErrorLabel() {
	planets, end := planets()
	defer end()

	ctx := context.Background()
	_, err := planets.Database().Client().Database("admin").RunCommand(ctx, bson.D{
		{Key: "configureFailPoint", Value: "failCommand"},
		{Key: "mode", Value: bson.D{{Key: "times", Value: 1}}},
		{Key: "data", Value: bson.D{{Key: "failCommands", Value: bson.A{"insert"}}, {Key: "errorCode", Value: 112}, {Key: "errorLabels", Value: bson.A{motor.TransientTransactionError}}}},
	})
	fmt.Println(err)
	_, err = planets.InsertOne(ctx, planet{Name: "Saturn"})
	fmt.Println(motor.HasErrorLabel(err, motor.TransientTransactionError))
	// Output:
	// <nil>
	// true
}
