package spectests

import (
	"context"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

var databaseOperations = map[string]runnable{
	"runCommand": on(func(ctx context.Context, _ *testRun, d *database, a struct {
		Command     bson.Raw
		CommandName string `spec:"optional"`
		motor.RunCommandOptions
	},
	) (outcome, error) {
		return one(d.RunCommand(ctx, a.Command, a.RunCommandOptions))
	}),
	"runCursorCommand": on(func(ctx context.Context, _ *testRun, d *database, a cursorCommandArgs) (outcome, error) {
		c, err := a.open(ctx, d)
		if err != nil {
			return outcome{}, err
		}
		return many(c.Slice(ctx))
	}),
	"createCommandCursor": on(func(ctx context.Context, _ *testRun, d *database, a cursorCommandArgs) (outcome, error) {
		return opened(a.open(ctx, d))
	}),
	"aggregate": on(func(ctx context.Context, _ *testRun, d *database, a aggregateArgs) (outcome, error) {
		return many(motor.AggregateDatabase[bson.Raw](ctx, d.Database, a.Pipeline, a.AggregateOptions).Slice())
	}),
	"createChangeStream": on(func(ctx context.Context, _ *testRun, d *database, a watchArgs) (outcome, error) {
		return opened(d.Watch(ctx, a.Pipeline, a.WatchOptions))
	}),
	"listCollections": on(func(ctx context.Context, _ *testRun, d *database, a listCollectionsArgs) (outcome, error) {
		return many(d.ListCollections(ctx, a.Filter, a.ListCollectionsOptions).Slice())
	}),
	"listCollectionNames": on(func(ctx context.Context, _ *testRun, d *database, a listCollectionsArgs) (outcome, error) {
		return values(d.ListCollectionNames(ctx, a.Filter, a.ListCollectionsOptions))
	}),
	"listCollectionObjects": on(func(ctx context.Context, _ *testRun, d *database, a listCollectionsArgs) (outcome, error) {
		_, err := d.ListCollectionObjects(ctx, a.Filter, a.ListCollectionsOptions)
		return outcome{}, err
	}),
	"createCollection": on(func(ctx context.Context, _ *testRun, d *database, a struct {
		Collection string
		ViewOn     string        `spec:"optional"`
		Pipeline   bson.RawArray `spec:"optional"`
		motor.CreateCollectionOptions
	},
	) (outcome, error) {
		created := outcome{entity: &collection{motor.CollectionOf[bson.Raw](d.Database, a.Collection), d.client}}
		if a.ViewOn != "" {
			return created, d.CreateView(ctx, a.Collection, a.ViewOn, a.Pipeline, a.CreateCollectionOptions)
		}
		return created, d.CreateCollection(ctx, a.Collection, a.CreateCollectionOptions)
	}),
	"dropCollection": on(func(ctx context.Context, _ *testRun, d *database, a struct{ Collection string }) (outcome, error) {
		return outcome{}, d.Collection(a.Collection).Drop(ctx)
	}),
	"modifyCollection": on(func(ctx context.Context, _ *testRun, d *database, a struct {
		Collection string
		motor.ModifyCollectionOptions
	},
	) (outcome, error) {
		return outcome{}, d.ModifyCollection(ctx, a.Collection, a.ModifyCollectionOptions)
	}),
}

type listCollectionsArgs struct {
	Filter bson.Raw `spec:"optional"`
	motor.ListCollectionsOptions
}

type aggregateArgs struct {
	Pipeline bson.RawArray
	motor.AggregateOptions
}

type cursorCommandArgs struct {
	Command     bson.Raw
	CommandName string        `spec:"optional"`
	BatchSize   int32         `spec:"optional"`
	MaxTime     time.Duration `spec:"optional"`
	Comment     any           `spec:"optional"`
	motor.RunCursorCommandOptions
}

// open runs the command. What it sets is meant for the commands getMore.
func (a cursorCommandArgs) open(ctx context.Context, d *database) (*motor.Cursor[bson.Raw], error) {
	c, err := motor.RunCursorCommand[bson.Raw](ctx, d.Database, a.Command, a.RunCursorCommandOptions)
	if err != nil {
		return nil, err
	}
	c.SetBatchSize(a.BatchSize)
	c.SetMaxAwaitTime(a.MaxTime)
	return c, c.SetComment(a.Comment)
}
