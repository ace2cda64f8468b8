package motor

import (
	"context"
)

// Docs is a sequence of documents to range over:
//
//	for doc, err := range coll.Find(ctx, filter) {
//		if err != nil { ... }
//	}
//
// The command is sent when the loop starts, anew each time. A document that
// cannot be decoded comes as a *DecodeError, and a loop that goes on gets the
// next one; any other error ends the sequence. Leaving the loop closes the
// cursor.
type Docs[T any] func(yield func(T, error) bool)

// Slice is all the documents, or the first error. The slice is empty, not nil,
// if there are none.
func (d Docs[T]) Slice() ([]T, error) {
	list := []T{}
	if d == nil {
		return nil, errNotConnected
	}
	for doc, err := range d {
		if err != nil {
			return nil, err
		}
		list = append(list, doc)
	}
	return list, nil
}

// First is the first document, or ErrNoDocuments.
func (d Docs[T]) First() (doc T, err error) {
	if d == nil {
		return doc, errNotConnected
	}
	for doc, err := range d {
		return doc, err
	}
	return doc, ErrNoDocuments
}

// docs is the sequence of the documents of a cursor that open opens.
func docs[T any](ctx context.Context, open func() (*Cursor[T], error)) Docs[T] {
	return func(yield func(T, error) bool) {
		c, err := open()
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		defer c.Close(closing(ctx))
		for c.Next(ctx) {
			doc, err := c.Decode()
			if !yield(doc, err) {
				return
			}
		}
		if err := c.Err(); err != nil {
			var none T
			yield(none, err)
		}
	}
}

// closing is ctx without its end, for what must be done all the same.
func closing(ctx context.Context) context.Context {
	if ctx = present(ctx); ctx.Done() == nil {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// present is ctx, or one that never ends where a nil one must do no harm, as in
// what closes and ends.
func present(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}
