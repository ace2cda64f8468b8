package spectests

import (
	"context"

	"github.com/motor-go/motor/bson"
)

// cursor is a cursor or a change stream.
type cursor struct{ iterator }

type iterator interface {
	Next(context.Context) bool
	TryNext(context.Context) bool
	Current() bson.Raw
	Err() error
	Close(context.Context) error
}

// opened is a new cursor as an outcome.
func opened[I iterator](i I, err error) (outcome, error) {
	if err != nil {
		return outcome{}, err
	}
	return outcome{entity: &cursor{i}}, nil
}

var cursorOperations = map[string]runnable{
	"iterateUntilDocumentOrError": on(func(ctx context.Context, _ *testRun, c *cursor, _ none) (outcome, error) {
		if !c.Next(ctx) {
			return outcome{}, c.Err()
		}
		return one(c.Current(), nil)
	}),
	"iterateOnce": on(func(ctx context.Context, _ *testRun, c *cursor, _ none) (outcome, error) {
		if !c.TryNext(ctx) {
			return outcome{}, c.Err()
		}
		return one(c.Current(), nil)
	}),
	"close": on(func(ctx context.Context, _ *testRun, c *cursor, _ none) (outcome, error) {
		c.Close(ctx)
		return outcome{}, nil
	}),
}
