package motor

import (
	"context"
	"fmt"
	"time"

	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
)

// ReturnDocument says which state of a document a find-and-modify returns.
type ReturnDocument uint8

// The two states.
const (
	Before ReturnDocument = iota
	After
)

// FindOneAndUpdateOptions are the options of FindOneAndUpdate.
type FindOneAndUpdateOptions struct {
	// ArrayFilters say which elements of an array $[name] stands for: a list
	// of documents.
	ArrayFilters             any
	ReturnDocument           ReturnDocument
	Upsert                   bool
	Sort                     any
	Projection               any
	Hint                     any
	Collation                *Collation
	Let                      any
	MaxTime                  time.Duration
	BypassDocumentValidation *bool
	Comment                  any
	RawData                  bool
}

// FindOneAndReplaceOptions are the options of FindOneAndReplace.
type FindOneAndReplaceOptions struct {
	ReturnDocument           ReturnDocument
	Upsert                   bool
	Sort                     any
	Projection               any
	Hint                     any
	Collation                *Collation
	Let                      any
	MaxTime                  time.Duration
	BypassDocumentValidation *bool
	Comment                  any
	RawData                  bool
}

// FindOneAndDeleteOptions are the options of FindOneAndDelete.
type FindOneAndDeleteOptions struct {
	Sort       any
	Projection any
	Hint       any
	Collation  *Collation
	Let        any
	MaxTime    time.Duration
	Comment    any
	RawData    bool
}

// FindOneAndUpdate changes the first document that matches filter and returns
// it, as it was before unless the options ask for After. It returns
// ErrNoDocuments if there is none, or if an upsert has nothing from before.
func (c *Collection[T]) FindOneAndUpdate(ctx context.Context, filter, update any, opts ...FindOneAndUpdateOptions) (T, error) {
	o, e := option.Of(opts), c.encoder()
	return c.findAndModify(ctx, e, o.MaxTime, &ops.FindAndModify{
		Filter:                   e.writeFilter(filter),
		Update:                   e.update(update),
		ArrayFilters:             e.array("arrayFilters", o.ArrayFilters),
		New:                      e.after(o.ReturnDocument),
		Upsert:                   o.Upsert,
		Sort:                     e.ordered("sort", o.Sort),
		Fields:                   e.doc("projection", o.Projection),
		Hint:                     e.hint(o.Hint),
		Collation:                e.collation(o.Collation),
		Let:                      e.doc("let", o.Let),
		BypassDocumentValidation: o.BypassDocumentValidation,
		Comment:                  e.value("comment", o.Comment),
		RawData:                  o.RawData,
	})
}

// FindOneAndReplace puts another document in the place of the first that
// matches filter, and returns one of the two.
func (c *Collection[T]) FindOneAndReplace(ctx context.Context, filter any, replacement T, opts ...FindOneAndReplaceOptions) (T, error) {
	o, e := option.Of(opts), c.encoder()
	return c.findAndModify(ctx, e, o.MaxTime, &ops.FindAndModify{
		Filter:                   e.writeFilter(filter),
		Update:                   e.replacement(replacement),
		New:                      e.after(o.ReturnDocument),
		Upsert:                   o.Upsert,
		Sort:                     e.ordered("sort", o.Sort),
		Fields:                   e.doc("projection", o.Projection),
		Hint:                     e.hint(o.Hint),
		Collation:                e.collation(o.Collation),
		Let:                      e.doc("let", o.Let),
		BypassDocumentValidation: o.BypassDocumentValidation,
		Comment:                  e.value("comment", o.Comment),
		RawData:                  o.RawData,
	})
}

// FindOneAndDelete removes the first document that matches filter and returns
// it.
func (c *Collection[T]) FindOneAndDelete(ctx context.Context, filter any, opts ...FindOneAndDeleteOptions) (T, error) {
	o, e := option.Of(opts), c.encoder()
	return c.findAndModify(ctx, e, o.MaxTime, &ops.FindAndModify{
		Filter:    e.writeFilter(filter),
		Remove:    true,
		Sort:      e.ordered("sort", o.Sort),
		Fields:    e.doc("projection", o.Projection),
		Hint:      e.hint(o.Hint),
		Collation: e.collation(o.Collation),
		Let:       e.doc("let", o.Let),
		Comment:   e.value("comment", o.Comment),
		RawData:   o.RawData,
	})
}

// after reports whether r is After.
func (e *encoder) after(r ReturnDocument) bool {
	if r > After {
		e.fail("ReturnDocument", fmt.Errorf("%d is neither Before nor After", r))
	}
	return r == After
}

func (c *Collection[T]) findAndModify(ctx context.Context, e *encoder, maxTime time.Duration, cmd *ops.FindAndModify) (doc T, err error) {
	cmd.Collection = c.name
	if cmd.Envelope, err = c.envelope(ctx); err != nil {
		return doc, err
	}
	cmd.MaxTime = maxTime
	res, err := c.run(ctx, e, cmd)
	if res.Reply == nil {
		if err == nil {
			err = ErrNoDocuments
		}
		return doc, err
	}
	value, ok := res.Reply.Lookup("value").Document()
	if !ok {
		if err == nil {
			err = ErrNoDocuments
		}
		return doc, err
	}
	if e := c.settings.codec.Unmarshal(value, &doc); e != nil {
		return doc, undecodable(e, res.Server.Address(), c.namespace(), value)
	}
	return doc, err
}
