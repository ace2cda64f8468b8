package spectests

import (
	"context"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

var clientOperations = map[string]runnable{
	"close": on(func(ctx context.Context, _ *testRun, c *client, _ none) (outcome, error) {
		return outcome{}, c.Client.Close(ctx)
	}),
	"appendMetadata": on(func(_ context.Context, _ *testRun, c *client, a struct{ DriverInfoOptions driverInfo }) (outcome, error) {
		return outcome{}, c.AppendDriverInfo(motor.DriverInfo(a.DriverInfoOptions))
	}),
	"listDatabases": on(func(ctx context.Context, _ *testRun, c *client, a listDatabasesArgs) (outcome, error) {
		return many(c.ListDatabases(ctx, a.Filter, a.ListDatabasesOptions))
	}),
	"listDatabaseNames": on(func(ctx context.Context, _ *testRun, c *client, a listDatabasesArgs) (outcome, error) {
		names, err := c.ListDatabaseNames(ctx, a.Filter, a.ListDatabasesOptions)
		return values(names, err)
	}),
	"listDatabaseObjects": on(func(ctx context.Context, _ *testRun, c *client, a listDatabasesArgs) (outcome, error) {
		_, err := c.ListDatabaseObjects(ctx, a.Filter, a.ListDatabasesOptions)
		return outcome{}, err
	}),
	"dropDatabase": on(func(ctx context.Context, _ *testRun, c *client, a struct{ Database string }) (outcome, error) {
		return outcome{}, c.Database(a.Database).Drop(ctx)
	}),
	"createChangeStream": on(func(ctx context.Context, _ *testRun, c *client, a watchArgs) (outcome, error) {
		return opened(c.Watch(ctx, a.Pipeline, a.WatchOptions))
	}),
	"clientBulkWrite": on(clientBulkWrite),
}

type driverInfo struct {
	Name     string
	Version  string `spec:"optional"`
	Platform string `spec:"optional"`
}

type listDatabasesArgs struct {
	Filter bson.Raw `spec:"optional"`
	motor.ListDatabasesOptions
}

type watchArgs struct {
	Pipeline bson.RawArray
	motor.WatchOptions
}

// values are those of a list, none of them a root document.
func values[V any](list []V, err error) (outcome, error) {
	if err != nil {
		return outcome{}, err
	}
	return value(list)
}
