package motor

import (
	"context"

	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
)

// DeleteOptions are the options of DeleteOne and DeleteMany.
type DeleteOptions struct {
	Hint      any
	Collation *Collation
	Let       any
	Comment   any
	RawData   bool
}

// DeleteResult says what a delete did.
type DeleteResult struct {
	DeletedCount int64
	// Acknowledged is false after a write with w: 0.
	Acknowledged bool
}

// DeleteOne removes the first document that matches filter. After an error the
// result is nil, but for a *WriteConcernError: the write was made then.
func (c *Collection[T]) DeleteOne(ctx context.Context, filter any, opts ...DeleteOptions) (*DeleteResult, error) {
	return c.delete(ctx, filter, option.Of(opts), false)
}

// DeleteMany removes all documents that match filter, of which bson.D{} matches
// all and nil is an error. It is not retried. After an error the result is nil,
// but for a *WriteConcernError.
func (c *Collection[T]) DeleteMany(ctx context.Context, filter any, opts ...DeleteOptions) (*DeleteResult, error) {
	return c.delete(ctx, filter, option.Of(opts), true)
}

func (c *Collection[T]) delete(ctx context.Context, filter any, o DeleteOptions, multi bool) (*DeleteResult, error) {
	e := c.encoder()
	statement := ops.AppendDelete(nil, &ops.DeleteStatement{
		Filter:    e.writeFilter(filter),
		Multi:     multi,
		Collation: e.collation(o.Collation),
		Hint:      e.hint(o.Hint),
	})
	cmd := &ops.Delete{Collection: c.name, Deletes: statement, Multi: multi, WriteOptions: ops.WriteOptions{
		Comment: e.value("comment", o.Comment),
		Let:     e.doc("let", o.Let),
		RawData: o.RawData,
	}}
	var err error
	if cmd.Envelope, err = c.envelope(ctx); err != nil {
		return nil, err
	}
	res, err := c.run(ctx, e, cmd)
	if err = writeError(res, err); !wasMade(err) {
		return nil, err
	}
	out := &DeleteResult{Acknowledged: cmd.WriteConcern.Acknowledged()}
	out.DeletedCount, _ = res.Reply.Lookup("n").AsInt64()
	return out, err
}
