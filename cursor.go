package motor

import (
	"context"
	"errors"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/ops"
)

// Cursor iterates over the results of an operation, batch by batch. It serves
// one goroutine at a time and must be closed.
type Cursor[T any] struct {
	inner *ops.Cursor
	codec bson.Options
	err   error
	into  T // what Decode decodes into; zero meanwhile
}

// ready reports whether the cursor can move on.
func (c *Cursor[T]) ready(ctx context.Context) bool {
	if err := made(c.inner != nil, ctx); err != nil && c.err == nil {
		c.err = err
	}
	return c.err == nil
}

// made is an error about a zero cursor or change stream, or a nil context.
func made(made bool, ctx context.Context) error {
	switch {
	case !made:
		return errNotConnected
	case ctx == nil:
		return errNoContext
	}
	return nil
}

// Next moves to the next document and reports whether there is one. It waits
// as long as the server keeps the cursor open, for a tailable cursor until ctx
// ends.
func (c *Cursor[T]) Next(ctx context.Context) bool {
	if !c.ready(ctx) {
		return false
	}
	ok, err := c.inner.Next(ctx)
	c.err = err
	return ok
}

// TryNext is Next that asks the server at most once for more.
func (c *Cursor[T]) TryNext(ctx context.Context) bool {
	if !c.ready(ctx) {
		return false
	}
	ok, err := c.inner.TryNext(ctx)
	c.err = err
	return ok
}

// Decode is the document that Next moved to. If it cannot be decoded, the error
// is a *DecodeError, and Next moves on all the same.
func (c *Cursor[T]) Decode() (doc T, err error) {
	if c.Current() == nil {
		return doc, errors.New("the cursor is at no document; call Next first")
	}
	if err = c.codec.Unmarshal(c.inner.Current(), &c.into); err != nil {
		err = undecodable(err, c.inner.Server(), c.inner.Namespace(), c.inner.Current())
	}
	doc, c.into = c.into, doc
	return doc, err
}

// Current is the document that Next moved to, as it came. It is lent: it stays
// valid until the next call of Next or TryNext, and what is to last must be
// cloned. It is nil where there is no document. Decoding into a bson.Raw makes a
// copy.
func (c *Cursor[T]) Current() bson.Raw {
	if c.inner == nil {
		return nil
	}
	return c.inner.Current()
}

// Err is the error that ended the iteration, or nil.
func (c *Cursor[T]) Err() error { return c.err }

// ID is the server's identifier of the cursor, 0 once it is exhausted.
func (c *Cursor[T]) ID() int64 {
	if c.inner == nil {
		return 0
	}
	return c.inner.ID()
}

// RemainingBatch counts the documents that are here already.
func (c *Cursor[T]) RemainingBatch() int {
	if c.inner == nil {
		return 0
	}
	return c.inner.Remaining()
}

// SetBatchSize changes the size of batches to come; 0 leaves it to the server.
func (c *Cursor[T]) SetBatchSize(n int32) {
	if c.inner != nil {
		c.inner.SetBatchSize(n)
	}
}

// SetMaxAwaitTime changes how long the server waits for documents of a tailable
// cursor with AwaitData.
func (c *Cursor[T]) SetMaxAwaitTime(d time.Duration) {
	if c.inner != nil {
		c.inner.SetMaxAwait(d)
	}
}

// Slice reads all documents that are left and closes the cursor.
func (c *Cursor[T]) Slice(ctx context.Context) ([]T, error) {
	defer c.Close(closing(ctx))
	list := []T{}
	for c.Next(ctx) {
		doc, err := c.Decode()
		if err != nil {
			return nil, err
		}
		list = append(list, doc)
	}
	return list, c.err
}

// Close closes the cursor here and on the server, for which it has the whole
// timeoutMS anew. It may be called more than once.
func (c *Cursor[T]) Close(ctx context.Context) error {
	if c.inner == nil {
		return nil
	}
	ctx = present(ctx)
	if d := bindingOf(ctx).timeout; d != nil {
		c.inner.SetTimeout(ops.NewTimeout(d))
	}
	return c.inner.Close(ctx)
}
