package main

import (
	"context"
	"errors"
	"iter"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

type collection = motor.Collection[bson.Raw]

// position is how far a change stream has come: to a change, or, without one,
// to where there is nothing more at present.
type position struct {
	change *change
	token  string
}

// watch is the changes of c after the token, from now on if it is empty. The
// first position says that the stream is open. It ends with an error.
func watch(ctx context.Context, c *collection, token string) iter.Seq2[position, error] {
	return func(yield func(position, error) bool) {
		after, err := decodeToken(token)
		for err == nil {
			var stream *motor.ChangeStream[bson.Raw]
			if stream, err = c.Watch(ctx, nil, motor.WatchOptions{StartAfter: after}); err != nil {
				break
			}
			if after, err = follow(ctx, stream, yield); errors.Is(err, errLeft) {
				return
			}
		}
		yield(position{}, err)
	}
}

var errLeft = errors.New("nobody listens any more")

// follow yields what the stream has up to its end, and returns where another
// one is to start: the collection was dropped or renamed, and one with its name
// may come.
func follow(ctx context.Context, stream *motor.ChangeStream[bson.Raw], yield func(position, error) bool) (bson.Raw, error) {
	defer stream.Close(context.WithoutCancel(ctx))
	for idle := true; ; {
		if idle && !yield(position{token: encodeToken(stream.ResumeToken())}, nil) {
			return nil, errLeft
		}
		if idle = !stream.TryNext(ctx); idle {
			if err := stream.Err(); err != nil {
				return nil, err
			}
			continue
		}
		event, err := stream.Decode()
		if err != nil {
			return nil, err
		}
		c := describe(&event)
		if !yield(position{&c, c.Token}, nil) {
			return nil, errLeft
		}
		if event.OperationType == "invalidate" {
			return event.ID, nil
		}
	}
}
