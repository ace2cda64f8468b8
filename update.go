package motor

import (
	"context"
	"fmt"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
)

// UpdateOptions are the options of UpdateOne and UpdateMany.
type UpdateOptions struct {
	// ArrayFilters say which elements of an array $[name] stands for: a list
	// of documents.
	ArrayFilters             any
	Upsert                   bool
	Sort                     any // UpdateOne only
	Hint                     any
	Collation                *Collation
	Let                      any
	BypassDocumentValidation *bool
	Comment                  any
	RawData                  bool
}

// ReplaceOptions are the options of ReplaceOne.
type ReplaceOptions struct {
	Upsert                   bool
	Sort                     any
	Hint                     any
	Collation                *Collation
	Let                      any
	BypassDocumentValidation *bool
	Comment                  any
	RawData                  bool
}

// UpdateResult says what an update did.
type UpdateResult struct {
	MatchedCount, ModifiedCount int64
	// UpsertedCount is 1 if a document was inserted, and UpsertedID its _id.
	UpsertedCount int64
	UpsertedID    any
	// Acknowledged is false after a write with w: 0.
	Acknowledged bool
}

// UpdateOne changes the first document that matches filter. update is a document
// of operators such as $set, or a pipeline.
//
// After an error the result is nil, but for a *WriteConcernError: the write was
// made then.
func (c *Collection[T]) UpdateOne(ctx context.Context, filter, update any, opts ...UpdateOptions) (*UpdateResult, error) {
	o, e := option.Of(opts), c.encoder()
	return c.update(ctx, e, filter, e.update(update), &o, false)
}

// UpdateByID is UpdateOne of the document with the _id.
func (c *Collection[T]) UpdateByID(ctx context.Context, id, update any, opts ...UpdateOptions) (*UpdateResult, error) {
	if isNil(id) {
		return nil, fmt.Errorf("_id: %w", errNil)
	}
	return c.UpdateOne(ctx, bson.D{{Key: "_id", Value: id}}, update, opts...)
}

// UpdateMany changes all documents that match filter, of which bson.D{} matches
// all and nil is an error. It is not retried. After an error the result is nil,
// but for a *WriteConcernError.
func (c *Collection[T]) UpdateMany(ctx context.Context, filter, update any, opts ...UpdateOptions) (*UpdateResult, error) {
	o, e := option.Of(opts), c.encoder()
	return c.update(ctx, e, filter, e.update(update), &o, true)
}

// ReplaceOne puts another document in the place of the first that matches
// filter. The _id stays. After an error the result is nil, but for a
// *WriteConcernError.
func (c *Collection[T]) ReplaceOne(ctx context.Context, filter any, replacement T, opts ...ReplaceOptions) (*UpdateResult, error) {
	o, e := option.Of(opts), c.encoder()
	return c.update(ctx, e, filter, e.replacement(replacement), &UpdateOptions{
		Upsert: o.Upsert, Sort: o.Sort, Hint: o.Hint, Collation: o.Collation, Let: o.Let,
		BypassDocumentValidation: o.BypassDocumentValidation, Comment: o.Comment, RawData: o.RawData,
	}, false)
}

func (c *Collection[T]) update(ctx context.Context, e *encoder, filter any, update bson.RawValue, o *UpdateOptions, multi bool) (*UpdateResult, error) {
	statement := ops.AppendUpdate(nil, &ops.UpdateStatement{
		Filter:       e.writeFilter(filter),
		Update:       update,
		ArrayFilters: e.array("arrayFilters", o.ArrayFilters),
		Multi:        multi,
		Upsert:       o.Upsert,
		Collation:    e.collation(o.Collation),
		Hint:         e.hint(o.Hint),
		Sort:         e.ordered("sort", o.Sort),
	})
	cmd := &ops.Update{Collection: c.name, Updates: statement, Multi: multi, WriteOptions: ops.WriteOptions{
		BypassDocumentValidation: o.BypassDocumentValidation,
		Comment:                  e.value("comment", o.Comment),
		Let:                      e.doc("let", o.Let),
		RawData:                  o.RawData,
	}}
	var err error
	if cmd.Envelope, err = c.envelope(ctx); err != nil {
		return nil, err
	}
	res, err := c.run(ctx, e, cmd)
	if err = writeError(res, err); !wasMade(err) {
		return nil, err
	}
	out := &UpdateResult{Acknowledged: cmd.WriteConcern.Acknowledged()}
	out.MatchedCount, _ = res.Reply.Lookup("n").AsInt64()
	out.ModifiedCount, _ = res.Reply.Lookup("nModified").AsInt64()
	if id := res.Reply.Lookup("upserted", "0", "_id"); !id.IsZero() {
		out.UpsertedCount = 1
		out.MatchedCount--
		if err := id.Unmarshal(&out.UpsertedID); err != nil {
			return nil, err
		}
	}
	return out, err
}
