package motor

import (
	"context"
	"time"

	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
	"github.com/motor-go/motor/wire"
)

// CursorType says how a cursor behaves at the end of a capped collection.
type CursorType uint8

// The cursor types of the CRUD specification.
const (
	NonTailable   CursorType = iota
	Tailable                 // stays open at the end
	TailableAwait            // and waits there for more
)

// FindOptions are the options of Find and FindCursor. Documents, hints and
// comments are anything that package bson encodes.
type FindOptions struct {
	Sort                any
	Projection          any
	Skip                int64
	Limit               int64 // negative: at most that many in a single batch
	BatchSize           *int32
	Hint                any // the name of an index or its keys
	Collation           *Collation
	Let                 any
	Comment             any
	MaxTime             time.Duration // bounds the work on the server
	MaxAwaitTime        time.Duration // bounds one wait of a TailableAwait cursor
	CursorType          CursorType
	AllowDiskUse        *bool
	AllowPartialResults bool
	NoCursorTimeout     bool
	OplogReplay         bool
	Max, Min            any
	ReturnKey           bool
	ShowRecordID        bool
	RawData             bool
	TimeoutMode         TimeoutMode
}

// Find is the documents that match filter. A nil filter matches all.
func (c *Collection[T]) Find(ctx context.Context, filter any, opts ...FindOptions) Docs[T] {
	return docs(ctx, func() (*Cursor[T], error) { return c.FindCursor(ctx, filter, opts...) })
}

// FindCursor is Find with a cursor, which must be closed.
func (c *Collection[T]) FindCursor(ctx context.Context, filter any, opts ...FindOptions) (*Cursor[T], error) {
	o, e := option.Of(opts), c.encoder()
	cmd, err := c.find(ctx, e, filter, &o)
	if err != nil {
		return nil, err
	}
	co := ops.CursorOptions{Comment: cmd.Comment, Limit: max(o.Limit, -o.Limit), RawData: o.RawData}
	if o.BatchSize != nil {
		co.BatchSize = *o.BatchSize
	}
	if o.CursorType == TailableAwait {
		co.MaxAwait = o.MaxAwaitTime
	}
	if err := o.TimeoutMode.bound(o.CursorType, &cmd.Timeout, &co); err != nil {
		return nil, err
	}
	return open[T](ctx, c.db, e, cmd, co)
}

func (c *Collection[T]) find(ctx context.Context, e *encoder, filter any, o *FindOptions) (*ops.Find, error) {
	cmd := &ops.Find{
		Collection:          c.name,
		Filter:              e.filter(filter),
		Sort:                e.ordered("sort", o.Sort),
		Projection:          e.doc("projection", o.Projection),
		Hint:                e.hint(o.Hint),
		Skip:                o.Skip,
		Limit:               o.Limit,
		BatchSize:           o.BatchSize,
		Comment:             e.value("comment", o.Comment),
		Max:                 e.doc("max", o.Max),
		Min:                 e.doc("min", o.Min),
		ReturnKey:           o.ReturnKey,
		ShowRecordID:        o.ShowRecordID,
		Tailable:            o.CursorType != NonTailable,
		AwaitData:           o.CursorType == TailableAwait,
		OplogReplay:         o.OplogReplay,
		NoCursorTimeout:     o.NoCursorTimeout,
		AllowPartialResults: o.AllowPartialResults,
		Collation:           e.collation(o.Collation),
		AllowDiskUse:        o.AllowDiskUse,
		Let:                 e.doc("let", o.Let),
		RawData:             o.RawData,
	}
	var err error
	cmd.Envelope, err = c.envelope(ctx)
	cmd.MaxTime = o.MaxTime
	return cmd, err
}

// FindOneOptions are the options of FindOne.
type FindOneOptions struct {
	Sort                any
	Projection          any
	Skip                int64
	Hint                any
	Collation           *Collation
	Let                 any
	Comment             any
	MaxTime             time.Duration
	AllowPartialResults bool
	Max, Min            any
	ReturnKey           bool
	ShowRecordID        bool
	RawData             bool
}

// FindOne is the first document that matches filter, or ErrNoDocuments.
func (c *Collection[T]) FindOne(ctx context.Context, filter any, opts ...FindOneOptions) (doc T, err error) {
	o, e := option.Of(opts), c.encoder()
	cmd, err := c.find(ctx, e, filter, &FindOptions{
		Sort: o.Sort, Projection: o.Projection, Skip: o.Skip, Limit: -1, Hint: o.Hint, Collation: o.Collation, Let: o.Let,
		Comment: o.Comment, MaxTime: o.MaxTime, AllowPartialResults: o.AllowPartialResults, Max: o.Max, Min: o.Min,
		ReturnKey: o.ReturnKey, ShowRecordID: o.ShowRecordID, RawData: o.RawData,
	})
	if err != nil {
		return doc, err
	}
	defer e.release()
	if e.err != nil {
		return doc, e.err
	}
	cmd.Memory = &e.reply // until doc is decoded
	res, err := c.db.client.exec.Run(ctx, cmd)
	if err != nil {
		e.reply = wire.Memory{} // err may refer to it
		return doc, err
	}
	first, ok := ops.FirstOfBatch(res.Reply)
	if !ok {
		return doc, ErrNoDocuments
	}
	if err = c.settings.codec.Unmarshal(first, &doc); err != nil {
		err = undecodable(err, res.Server.Address(), c.namespace(), first)
	}
	return doc, err
}
