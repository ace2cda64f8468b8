package spectests

import (
	"context"
	"strconv"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

var writeOperations = map[string]runnable{
	"insertOne": on(func(ctx context.Context, _ *testRun, c *collection, a struct {
		Document bson.Raw
		motor.InsertOneOptions
	},
	) (outcome, error) {
		res, err := c.InsertOne(ctx, a.Document, a.InsertOneOptions)
		if res == nil {
			return outcome{}, err
		}
		return result(err, res.Acknowledged, bson.D{{Key: "insertedId", Value: res.InsertedID}})
	}),
	"insertMany": on(func(ctx context.Context, _ *testRun, c *collection, a struct {
		Documents []bson.Raw
		Ordered   *bool `spec:"optional"`
		motor.InsertManyOptions
	},
	) (outcome, error) {
		a.Unordered = unordered(a.Ordered)
		res, err := c.InsertMany(ctx, a.Documents, a.InsertManyOptions)
		if res == nil {
			return outcome{}, err
		}
		return result(err, res.Acknowledged, bson.D{
			{Key: "insertedIds", Value: byIndex(res.InsertedIDs)},
			{Key: "insertedCount", Value: len(res.InsertedIDs)},
			{Key: "matchedCount", Value: 0},
			{Key: "modifiedCount", Value: 0},
			{Key: "deletedCount", Value: 0},
			{Key: "upsertedCount", Value: 0},
			{Key: "upsertedIds", Value: bson.D{}},
		})
	}),
	"updateOne": on(func(ctx context.Context, _ *testRun, c *collection, a updateArgs) (outcome, error) {
		return updated(c.UpdateOne(ctx, a.Filter, argument(a.Update), a.UpdateOptions))
	}),
	"updateMany": on(func(ctx context.Context, _ *testRun, c *collection, a updateArgs) (outcome, error) {
		return updated(c.UpdateMany(ctx, a.Filter, argument(a.Update), a.UpdateOptions))
	}),
	"replaceOne": on(func(ctx context.Context, _ *testRun, c *collection, a struct {
		Filter      bson.Raw
		Replacement bson.Raw
		motor.ReplaceOptions
	},
	) (outcome, error) {
		return updated(c.ReplaceOne(ctx, a.Filter, a.Replacement, a.ReplaceOptions))
	}),
	"deleteOne": on(func(ctx context.Context, _ *testRun, c *collection, a deleteArgs) (outcome, error) {
		return deleted(c.DeleteOne(ctx, a.Filter, a.DeleteOptions))
	}),
	"deleteMany": on(func(ctx context.Context, _ *testRun, c *collection, a deleteArgs) (outcome, error) {
		return deleted(c.DeleteMany(ctx, a.Filter, a.DeleteOptions))
	}),
	"findOneAndUpdate": on(func(ctx context.Context, _ *testRun, c *collection, a struct {
		Filter bson.Raw
		Update bson.RawValue
		motor.FindOneAndUpdateOptions
	},
	) (outcome, error) {
		return one(c.FindOneAndUpdate(ctx, a.Filter, argument(a.Update), a.FindOneAndUpdateOptions))
	}),
	"findOneAndReplace": on(func(ctx context.Context, _ *testRun, c *collection, a struct {
		Filter      bson.Raw
		Replacement bson.Raw
		motor.FindOneAndReplaceOptions
	},
	) (outcome, error) {
		return one(c.FindOneAndReplace(ctx, a.Filter, a.Replacement, a.FindOneAndReplaceOptions))
	}),
	"findOneAndDelete": on(func(ctx context.Context, _ *testRun, c *collection, a struct {
		Filter bson.Raw
		motor.FindOneAndDeleteOptions
	},
	) (outcome, error) {
		return one(c.FindOneAndDelete(ctx, a.Filter, a.FindOneAndDeleteOptions))
	}),
	"bulkWrite": on(bulkWrite),
	"rename": on(func(ctx context.Context, _ *testRun, c *collection, a struct {
		To string
		motor.RenameOptions
	},
	) (outcome, error) {
		return outcome{}, c.Rename(ctx, a.To, a.RenameOptions)
	}),
}

type updateArgs struct {
	Filter bson.Raw
	Update bson.RawValue
	motor.UpdateOptions
}

type deleteArgs struct {
	Filter bson.Raw
	motor.DeleteOptions
}

// unordered is the opposite of ordered, whose default is true.
func unordered(ordered *bool) bool { return ordered != nil && !*ordered }

// byIndex has the indexes as keys of a document.
func byIndex[V any](m map[int]V) map[string]V {
	doc := make(map[string]V, len(m))
	for i, v := range m {
		doc[strconv.Itoa(i)] = v
	}
	return doc
}

// result is the result of a write, which may come together with an error. Of a
// write that was not acknowledged nothing else is known.
func result(err error, acknowledged bool, doc bson.D) (outcome, error) {
	if !acknowledged {
		doc = nil
	}
	res, e := value(append(bson.D{{Key: "acknowledged", Value: acknowledged}}, doc...))
	if err == nil {
		err = e
	}
	res.shape = root
	return res, err
}

func updated(res *motor.UpdateResult, err error) (outcome, error) {
	if res == nil {
		return outcome{}, err
	}
	doc := bson.D{
		{Key: "matchedCount", Value: res.MatchedCount},
		{Key: "modifiedCount", Value: res.ModifiedCount},
		{Key: "upsertedCount", Value: res.UpsertedCount},
	}
	if res.UpsertedCount > 0 {
		doc = append(doc, bson.E{Key: "upsertedId", Value: res.UpsertedID})
	}
	return result(err, res.Acknowledged, doc)
}

func deleted(res *motor.DeleteResult, err error) (outcome, error) {
	if res == nil {
		return outcome{}, err
	}
	return result(err, res.Acknowledged, bson.D{{Key: "deletedCount", Value: res.DeletedCount}})
}
