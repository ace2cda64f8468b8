package motor

import (
	"context"
	"errors"
	"time"

	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
)

// AggregateOptions are the options of Aggregate and its likes.
type AggregateOptions struct {
	AllowDiskUse             *bool
	BatchSize                *int32
	BypassDocumentValidation *bool
	Collation                *Collation
	Comment                  any
	Hint                     any
	Let                      any
	MaxTime                  time.Duration // bounds the work on the server
	MaxAwaitTime             time.Duration // bounds one wait of a getMore
	RawData                  bool
	TimeoutMode              TimeoutMode
}

// Aggregate runs a pipeline on a collection; its results are decoded into R. It
// runs when the sequence is ranged over, also by Slice or First, and not before:
// that goes for a pipeline with $out or $merge, too.
func Aggregate[R, T any](ctx context.Context, c *Collection[T], pipeline any, opts ...AggregateOptions) Docs[R] {
	return docs(ctx, func() (*Cursor[R], error) { return AggregateCursor[R](ctx, c, pipeline, opts...) })
}

// AggregateCursor is Aggregate with a cursor, which must be closed.
func AggregateCursor[R, T any](ctx context.Context, c *Collection[T], pipeline any, opts ...AggregateOptions) (*Cursor[R], error) {
	return aggregate[R](ctx, c.db, c.name, c.settings, pipeline, option.Of(opts))
}

// AggregateDatabase runs a pipeline that starts with a stage such as $currentOp
// or $documents on a database; its results are decoded into R.
func AggregateDatabase[R any](ctx context.Context, d *Database, pipeline any, opts ...AggregateOptions) Docs[R] {
	return docs(ctx, func() (*Cursor[R], error) { return AggregateDatabaseCursor[R](ctx, d, pipeline, opts...) })
}

// AggregateDatabaseCursor is AggregateDatabase with a cursor, which must be
// closed.
func AggregateDatabaseCursor[R any](ctx context.Context, d *Database, pipeline any, opts ...AggregateOptions) (*Cursor[R], error) {
	return aggregate[R](ctx, d, "", d.settings, pipeline, option.Of(opts))
}

// Aggregate runs a pipeline on the collection; its results are decoded into T.
// The function Aggregate decodes them into another type. Like that, it runs when
// the sequence is ranged over, also by Slice or First.
func (c *Collection[T]) Aggregate(ctx context.Context, pipeline any, opts ...AggregateOptions) Docs[T] {
	return Aggregate[T](ctx, c, pipeline, opts...)
}

func aggregate[R any](ctx context.Context, d *Database, coll string, s settings, pipeline any, o AggregateOptions) (*Cursor[R], error) {
	e := newEncoder(s.codec)
	cmd := &ops.Aggregate{
		Collection:               coll,
		Pipeline:                 e.pipeline(pipeline),
		AllowDiskUse:             o.AllowDiskUse,
		BatchSize:                o.BatchSize,
		BypassDocumentValidation: o.BypassDocumentValidation,
		Collation:                e.collation(o.Collation),
		Comment:                  e.value("comment", o.Comment),
		Hint:                     e.hint(o.Hint),
		Let:                      e.doc("let", o.Let),
		RawData:                  o.RawData,
	}
	var err error
	if cmd.Envelope, err = d.envelope(ctx, s); err != nil {
		return nil, err
	}
	cmd.MaxTime = o.MaxTime
	co := ops.CursorOptions{Comment: cmd.Comment, MaxAwait: o.MaxAwaitTime, RawData: o.RawData}
	if o.BatchSize != nil {
		co.BatchSize = *o.BatchSize
	}
	if o.TimeoutMode == Iteration && e.err == nil && cmd.Writes() {
		return nil, errors.New("aggregate: TimeoutMode cannot be Iteration with $out or $merge, which leave nothing to iterate over")
	}
	if err := o.TimeoutMode.bound(NonTailable, &cmd.Timeout, &co); err != nil {
		return nil, err
	}
	return open[R](ctx, d, e, cmd, co)
}
