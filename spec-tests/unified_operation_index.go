package spectests

import (
	"context"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

var indexOperations = map[string]runnable{
	"createIndex": on(func(ctx context.Context, _ *testRun, c *collection, a struct {
		motor.IndexModel
		motor.CreateIndexesOptions
	},
	) (outcome, error) {
		name, err := c.CreateIndex(ctx, a.IndexModel, a.CreateIndexesOptions)
		if err != nil {
			return outcome{}, err
		}
		return value(name)
	}),
	"listIndexes": on(func(ctx context.Context, _ *testRun, c *collection, a struct{ motor.ListIndexesOptions }) (outcome, error) {
		return many(c.ListIndexes(ctx, a.ListIndexesOptions).Slice())
	}),
	"listIndexNames": on(func(ctx context.Context, _ *testRun, c *collection, a struct{ motor.ListIndexesOptions }) (outcome, error) {
		return values(c.ListIndexNames(ctx, a.ListIndexesOptions))
	}),
	"dropIndex": on(func(ctx context.Context, _ *testRun, c *collection, a struct {
		Name string
		motor.DropIndexOptions
	},
	) (outcome, error) {
		return outcome{}, c.DropIndex(ctx, a.Name, a.DropIndexOptions)
	}),
	"dropIndexes": on(func(ctx context.Context, _ *testRun, c *collection, a struct{ motor.DropIndexOptions }) (outcome, error) {
		return outcome{}, c.DropAllIndexes(ctx, a.DropIndexOptions)
	}),
	"createSearchIndex": on(func(ctx context.Context, _ *testRun, c *collection, a struct{ Model searchIndexModel }) (outcome, error) {
		return values(c.CreateSearchIndexes(ctx, []motor.SearchIndexModel{a.Model.model()}))
	}),
	"createSearchIndexes": on(func(ctx context.Context, _ *testRun, c *collection, a struct{ Models []searchIndexModel }) (outcome, error) {
		models := make([]motor.SearchIndexModel, len(a.Models))
		for i, m := range a.Models {
			models[i] = m.model()
		}
		return values(c.CreateSearchIndexes(ctx, models))
	}),
	"updateSearchIndex": on(func(ctx context.Context, _ *testRun, c *collection, a struct {
		Name       string
		Definition bson.Raw
	},
	) (outcome, error) {
		return outcome{}, c.UpdateSearchIndex(ctx, a.Name, a.Definition)
	}),
	"dropSearchIndex": on(func(ctx context.Context, _ *testRun, c *collection, a struct{ Name string }) (outcome, error) {
		return outcome{}, c.DropSearchIndex(ctx, a.Name)
	}),
	"listSearchIndexes": on(func(ctx context.Context, _ *testRun, c *collection, a struct {
		Name               string                 `spec:"optional"`
		AggregationOptions motor.AggregateOptions `spec:"optional"`
	},
	) (outcome, error) {
		return many(c.ListSearchIndexes(ctx, a.Name, a.AggregationOptions).Slice())
	}),
}

type searchIndexModel struct {
	Definition any
	Name       string `spec:"optional"`
	Type       string `spec:"optional"`
}

func (m searchIndexModel) model() motor.SearchIndexModel {
	return motor.SearchIndexModel(m)
}
