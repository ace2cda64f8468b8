package motor

import (
	"context"
	"fmt"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
)

// CreateCollectionOptions are the options of CreateCollection and CreateView.
type CreateCollectionOptions struct {
	Capped                       bool
	Size                         *int64 // bytes, of a capped collection
	Max                          *int64 // documents, of a capped collection
	StorageEngine                any
	Validator                    any
	ValidationLevel              string
	ValidationAction             string
	IndexOptionDefaults          any
	Collation                    *Collation
	TimeSeries                   *TimeSeriesOptions
	ExpireAfter                  *time.Duration // to the second
	ClusteredIndex               any
	ChangeStreamPreAndPostImages any
	Comment                      any
}

// TimeSeriesOptions are the options of a time-series collection.
type TimeSeriesOptions struct {
	TimeField             string `bson:"timeField"`
	MetaField             string `bson:"metaField,omitempty"`
	Granularity           string `bson:"granularity,omitempty"`
	BucketMaxSpanSeconds  int64  `bson:"bucketMaxSpanSeconds,omitempty"`
	BucketRoundingSeconds int64  `bson:"bucketRoundingSeconds,omitempty"`
}

// CreateCollection creates a collection. It is needed only for the sake of the
// options: a collection comes into being with its first document.
func (d *Database) CreateCollection(ctx context.Context, name string, opts ...CreateCollectionOptions) error {
	return d.create(ctx, name, "", nil, option.Of(opts))
}

// CreateView creates a view of a collection or another view.
func (d *Database) CreateView(ctx context.Context, name, viewOn string, pipeline any, opts ...CreateCollectionOptions) error {
	return d.create(ctx, name, viewOn, pipeline, option.Of(opts))
}

func (d *Database) create(ctx context.Context, name, viewOn string, pipeline any, o CreateCollectionOptions) error {
	e := newEncoder(d.settings.codec)
	body, at := bson.BeginDocument(nil)
	body = bson.AppendString(body, "create", name)
	if viewOn != "" {
		body = bson.AppendString(body, "viewOn", viewOn)
		body = bson.AppendArray(body, "pipeline", e.pipeline(pipeline))
	}
	body = appendTrue(body, "capped", o.Capped)
	body = appendInt64(body, "size", o.Size)
	body = appendInt64(body, "max", o.Max)
	body = appendDoc(body, "storageEngine", e.doc("storageEngine", o.StorageEngine))
	body = appendDoc(body, "validator", e.doc("validator", o.Validator))
	body = appendString(body, "validationLevel", o.ValidationLevel)
	body = appendString(body, "validationAction", o.ValidationAction)
	body = appendDoc(body, "indexOptionDefaults", e.doc("indexOptionDefaults", o.IndexOptionDefaults))
	body = appendDoc(body, "collation", e.collation(o.Collation))
	if o.TimeSeries != nil {
		body = appendDoc(body, "timeseries", e.doc("timeseries", o.TimeSeries))
	}
	if o.ExpireAfter != nil {
		body = bson.AppendInt64(body, "expireAfterSeconds", int64(*o.ExpireAfter/time.Second))
	}
	body = appendDoc(body, "clusteredIndex", e.doc("clusteredIndex", o.ClusteredIndex))
	body = appendDoc(body, "changeStreamPreAndPostImages", e.doc("changeStreamPreAndPostImages", o.ChangeStreamPreAndPostImages))
	body = bson.EndDocument(appendValue(body, "comment", e.value("comment", o.Comment)), at)
	if e.err != nil {
		return fmt.Errorf("create: %w", e.err)
	}
	_, err := d.manage(ctx, &ops.Generic{Body: body})
	return err
}

func appendInt64(dst []byte, key string, n *int64) []byte {
	if n == nil {
		return dst
	}
	return bson.AppendInt64(dst, key, *n)
}
