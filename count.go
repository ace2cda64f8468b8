package motor

import (
	"context"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
)

// CountOptions are the options of CountDocuments.
type CountOptions struct {
	Skip      int64
	Limit     int64
	Hint      any
	Collation *Collation
	Comment   any
	MaxTime   time.Duration
	RawData   bool
}

// CountDocuments counts the documents that match filter. A nil filter matches
// all.
func (c *Collection[T]) CountDocuments(ctx context.Context, filter any, opts ...CountOptions) (int64, error) {
	o, e := option.Of(opts), c.encoder()
	stages := bson.A{bson.D{{Key: "$match", Value: e.filter(filter)}}}
	if o.Skip > 0 {
		stages = append(stages, bson.D{{Key: "$skip", Value: o.Skip}})
	}
	if o.Limit > 0 {
		stages = append(stages, bson.D{{Key: "$limit", Value: o.Limit}})
	}
	stages = append(stages, bson.D{{Key: "$group", Value: bson.D{
		{Key: "_id", Value: 1}, {Key: "n", Value: bson.D{{Key: "$sum", Value: 1}}},
	}}})
	if e.err != nil {
		return 0, e.err
	}
	counted, err := Aggregate[bson.Raw](ctx, c, stages, AggregateOptions{
		Hint: o.Hint, Collation: o.Collation, Comment: o.Comment, MaxTime: o.MaxTime, RawData: o.RawData,
	}).First()
	if err == ErrNoDocuments {
		return 0, nil
	}
	n, _ := counted.Lookup("n").AsInt64()
	return n, err
}

// EstimatedCountOptions are the options of EstimatedDocumentCount.
type EstimatedCountOptions struct {
	Comment any
	MaxTime time.Duration
	RawData bool
}

// EstimatedDocumentCount is the number of documents by the collection's
// metadata: quick, and wrong after an unclean shutdown or with orphans on
// shards. It sends the command count, which the stable API of servers 5.0.0 to
// 5.0.8 lacks.
func (c *Collection[T]) EstimatedDocumentCount(ctx context.Context, opts ...EstimatedCountOptions) (int64, error) {
	o, e := option.Of(opts), c.encoder()
	cmd := &ops.Count{Collection: c.name, Comment: e.value("comment", o.Comment), RawData: o.RawData}
	var err error
	if cmd.Envelope, err = c.envelope(ctx); err != nil {
		return 0, err
	}
	cmd.MaxTime = o.MaxTime
	res, err := c.run(ctx, e, cmd)
	if err != nil {
		if e, ok := err.(*CommandError); ok && e.Code == namespaceNotFound {
			return 0, nil
		}
		return 0, err
	}
	n, _ := res.Reply.Lookup("n").AsInt64()
	return n, nil
}

// DistinctOptions are the options of Distinct.
type DistinctOptions struct {
	Collation *Collation
	Comment   any
	Hint      any
	MaxTime   time.Duration
	RawData   bool
}

// Distinct is the different values of a field among the documents that match
// filter, decoded into V.
func Distinct[V, T any](ctx context.Context, c *Collection[T], field string, filter any, opts ...DistinctOptions) ([]V, error) {
	o, e := option.Of(opts), c.encoder()
	cmd := &ops.Distinct{
		Collection: c.name,
		Key:        field,
		Query:      e.filter(filter),
		Collation:  e.collation(o.Collation),
		Comment:    e.value("comment", o.Comment),
		Hint:       e.hint(o.Hint),
		RawData:    o.RawData,
	}
	var err error
	if cmd.Envelope, err = c.envelope(ctx); err != nil {
		return nil, err
	}
	cmd.MaxTime = o.MaxTime
	res, err := c.run(ctx, e, cmd)
	if err != nil {
		return nil, err
	}
	list := []V{}
	if err := c.settings.codec.UnmarshalValue(res.Reply.Lookup("values"), &list); err != nil {
		return nil, err
	}
	return list, nil
}
