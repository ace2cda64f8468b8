package motor

import (
	"context"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
)

// Count counts the documents that match filter with the command count.
//
// Deprecated: use CountDocuments, or EstimatedDocumentCount. The command counts
// wrong on sharded clusters and does not run in transactions.
func (c *Collection[T]) Count(ctx context.Context, filter any, opts ...CountOptions) (int64, error) {
	o, e := option.Of(opts), c.encoder()
	cmd := &ops.Count{
		Collection: c.name,
		Query:      e.filter(filter),
		Skip:       o.Skip,
		Limit:      o.Limit,
		Hint:       e.hint(o.Hint),
		Collation:  e.collation(o.Collation),
		Comment:    e.value("comment", o.Comment),
		RawData:    o.RawData,
	}
	var err error
	if cmd.Envelope, err = c.envelope(ctx); err != nil {
		return 0, err
	}
	cmd.MaxTime = o.MaxTime
	res, err := c.run(ctx, e, cmd)
	if err != nil {
		return 0, err
	}
	n, _ := res.Reply.Lookup("n").AsInt64()
	return n, nil
}

// MapReduce runs the functions map and reduce over the collection and returns
// their results.
//
// Deprecated: use Aggregate. The server has deprecated the command since 5.0.
func (c *Collection[T]) MapReduce(ctx context.Context, mapper, reducer bson.JavaScript) ([]bson.Raw, error) {
	cmd := &ops.MapReduce{Collection: c.name, Map: mapper, Reduce: reducer}
	var err error
	if cmd.Envelope, err = c.envelope(ctx); err != nil {
		return nil, err
	}
	res, err := c.run(ctx, c.encoder(), cmd)
	if err != nil {
		return nil, err
	}
	list := []bson.Raw{}
	err = c.settings.codec.UnmarshalValue(res.Reply.Lookup("results"), &list)
	return list, err
}
