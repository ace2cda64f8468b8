package motor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
)

// Each operation is announced once, whatever number of commands it takes, and
// those of a transaction are announced within it.
func TestOperationEvents(t *testing.T) {
	var seen []string
	open := map[int64]string{}
	client, err := motor.Connect(t.Context(), anyReplicaSet(t), motor.ClientOptions{Observer: &event.Observer{
		OperationStarted: func(e *event.OperationStarted) {
			text := fmt.Sprintf("%s %s.%s", e.Name, e.DatabaseName, e.CollectionName)
			if e.Parent != 0 {
				text = open[e.Parent] + " > " + text
			}
			open[e.OperationID] = text
			seen = append(seen, text)
		},
		CommandStarted: func(e *event.CommandStarted) {
			seen = append(seen, fmt.Sprintf("%s: %s", open[e.OperationID], e.CommandName))
		},
		OperationEnded: func(e *event.OperationEnded) {
			if e.Failure != nil {
				seen = append(seen, "failed: "+open[e.OperationID])
			}
			delete(open, e.OperationID)
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close(context.Background())
	planets := client.Database(scratch).Collection("planets")
	sun := bson.D{{Key: "_id", Value: 1}, {Key: "name", Value: "Sun"}}
	refused := errors.New("refused")

	for _, c := range []struct {
		name string
		do   func(ctx context.Context) error
		want []string
	}{
		{"several commands", func(ctx context.Context) error {
			_, err := planets.BulkWrite(ctx, []motor.WriteModel[bson.D]{
				motor.InsertOneModel[bson.D]{Document: sun}, motor.DeleteOneModel[bson.D]{Filter: sun},
			})
			return err
		}, []string{"bulkWrite motor_test.planets", "bulkWrite motor_test.planets: insert", "bulkWrite motor_test.planets: delete"}},
		{"a command of the user's own", func(ctx context.Context) error {
			_, err := client.Database(scratch).RunCommand(ctx, bson.D{{Key: "ping", Value: 1}})
			return err
		}, []string{"runCommand motor_test.", "runCommand motor_test.: ping"}},
		{"a transaction", func(ctx context.Context) error {
			return client.WithTransaction(ctx, func(ctx context.Context) error {
				_, err := planets.InsertOne(ctx, sun)
				return err
			})
		}, []string{
			"transaction .", "transaction . > insert motor_test.planets", "transaction . > insert motor_test.planets: insert",
			"transaction . > commitTransaction admin.", "transaction . > commitTransaction admin.: commitTransaction",
		}},
		{"a transaction without operations", func(ctx context.Context) error {
			return client.WithTransaction(ctx, func(context.Context) error { return nil })
		}, nil},
		{"a transaction that is given up", func(ctx context.Context) error {
			err := client.WithTransaction(ctx, func(ctx context.Context) error {
				_, err := planets.DeleteMany(ctx, sun)
				return errors.Join(refused, err)
			})
			if errors.Is(err, refused) {
				return nil
			}
			return err
		}, []string{
			"transaction .", "transaction . > delete motor_test.planets", "transaction . > delete motor_test.planets: delete",
			"transaction . > abortTransaction admin.", "transaction . > abortTransaction admin.: abortTransaction",
		}},
		{"a failure", func(ctx context.Context) error {
			if _, err := planets.InsertOne(ctx, sun); !errors.Is(err, motor.ErrDuplicateKey) {
				return fmt.Errorf("insert: %w", err)
			}
			_, err := planets.Find(ctx, bson.D{{Key: "$no", Value: 1}}).Slice()
			if err == nil {
				return errors.New("the server takes a wrong filter")
			}
			return nil
		}, []string{
			"insert motor_test.planets", "insert motor_test.planets: insert", "failed: insert motor_test.planets",
			"find motor_test.planets", "find motor_test.planets: find", "failed: find motor_test.planets",
		}},
	} {
		seen = nil
		if err := c.do(t.Context()); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if !slices.Equal(seen, c.want) {
			t.Errorf("%s:\n%q, want\n%q", c.name, seen, c.want)
		}
		if len(open) > 0 {
			t.Errorf("%s: has not ended: %v", c.name, open)
		}
	}
}
