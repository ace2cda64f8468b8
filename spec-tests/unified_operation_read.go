package spectests

import (
	"context"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// collectionOperations are those on collections; the file of each kind of them
// has its own table.
var collectionOperations = merge(readOperations, writeOperations, indexOperations)

func merge(tables ...map[string]runnable) map[string]runnable {
	merged := map[string]runnable{}
	for _, t := range tables {
		for name, f := range t {
			merged[name] = f
		}
	}
	return merged
}

var readOperations = map[string]runnable{
	"find": on(func(ctx context.Context, _ *testRun, c *collection, a findArgs) (outcome, error) {
		return many(c.Find(ctx, a.Filter, a.FindOptions).Slice())
	}),
	"findOne": on(func(ctx context.Context, _ *testRun, c *collection, a struct {
		Filter bson.Raw
		motor.FindOneOptions
	},
	) (outcome, error) {
		return one(c.FindOne(ctx, a.Filter, a.FindOneOptions))
	}),
	"createFindCursor": on(func(ctx context.Context, _ *testRun, c *collection, a findArgs) (outcome, error) {
		return opened(c.FindCursor(ctx, a.Filter, a.FindOptions))
	}),
	"aggregate": on(func(ctx context.Context, _ *testRun, c *collection, a aggregateArgs) (outcome, error) {
		return many(c.Aggregate(ctx, a.Pipeline, a.AggregateOptions).Slice())
	}),
	"createChangeStream": on(func(ctx context.Context, _ *testRun, c *collection, a watchArgs) (outcome, error) {
		return opened(c.Watch(ctx, a.Pipeline, a.WatchOptions))
	}),
	"distinct": on(func(ctx context.Context, _ *testRun, c *collection, a struct {
		FieldName string
		Filter    bson.Raw
		motor.DistinctOptions
	},
	) (outcome, error) {
		return values(motor.Distinct[bson.RawValue](ctx, c.Collection, a.FieldName, a.Filter, a.DistinctOptions))
	}),
	"count": on(func(ctx context.Context, _ *testRun, c *collection, a countArgs) (outcome, error) {
		//lint:ignore SA1019 what is deprecated is tested, too
		return number(c.Count(ctx, a.Filter, a.CountOptions))
	}),
	"countDocuments": on(func(ctx context.Context, _ *testRun, c *collection, a countArgs) (outcome, error) {
		return number(c.CountDocuments(ctx, a.Filter, a.CountOptions))
	}),
	"estimatedDocumentCount": on(func(ctx context.Context, _ *testRun, c *collection, a struct{ motor.EstimatedCountOptions }) (outcome, error) {
		return number(c.EstimatedDocumentCount(ctx, a.EstimatedCountOptions))
	}),
	"mapReduce": on(func(ctx context.Context, _ *testRun, c *collection, a struct {
		Map    bson.JavaScript
		Reduce bson.JavaScript
		Out    bson.Raw
	},
	) (outcome, error) {
		//lint:ignore SA1019 what is deprecated is tested, too
		return many(c.MapReduce(ctx, a.Map, a.Reduce))
	}),
}

type findArgs struct {
	Filter bson.Raw
	motor.FindOptions
}

type countArgs struct {
	Filter bson.Raw
	motor.CountOptions
}

func number(n int64, err error) (outcome, error) {
	if err != nil {
		return outcome{}, err
	}
	return value(n)
}
