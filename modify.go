package motor

import (
	"context"
	"fmt"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
)

// ModifyCollectionOptions are what ModifyCollection changes.
type ModifyCollectionOptions struct {
	// Index is a document that names an index (name or keyPattern) and what
	// becomes of it: hidden, expireAfterSeconds, prepareUnique, unique.
	Index                        any
	Validator                    any
	ValidationLevel              string
	ValidationAction             string
	ViewOn                       string // with Pipeline, of a view
	Pipeline                     any
	CappedSize                   *int64         // bytes
	CappedMax                    *int64         // documents
	ExpireAfter                  *time.Duration // to the second
	TimeSeries                   *TimeSeriesOptions
	ChangeStreamPreAndPostImages any
	Comment                      any
}

// ModifyCollection changes the options of a collection or a view, by the command
// collMod.
func (d *Database) ModifyCollection(ctx context.Context, name string, changes ModifyCollectionOptions) error {
	e, o := &encoder{codec: d.settings.codec}, &changes
	body, at := bson.BeginDocument(nil)
	body = bson.AppendString(body, "collMod", name)
	body = appendDoc(body, "index", e.doc("index", o.Index))
	body = appendDoc(body, "validator", e.doc("validator", o.Validator))
	body = appendString(body, "validationLevel", o.ValidationLevel)
	body = appendString(body, "validationAction", o.ValidationAction)
	if o.ViewOn != "" {
		body = bson.AppendString(body, "viewOn", o.ViewOn)
		body = bson.AppendArray(body, "pipeline", e.pipeline(o.Pipeline))
	}
	body = appendInt64(body, "cappedSize", o.CappedSize)
	body = appendInt64(body, "cappedMax", o.CappedMax)
	if o.ExpireAfter != nil {
		body = bson.AppendInt64(body, "expireAfterSeconds", int64(*o.ExpireAfter/time.Second))
	}
	if o.TimeSeries != nil {
		body = appendDoc(body, "timeseries", e.doc("timeseries", o.TimeSeries))
	}
	body = appendDoc(body, "changeStreamPreAndPostImages", e.doc("changeStreamPreAndPostImages", o.ChangeStreamPreAndPostImages))
	body = bson.EndDocument(appendValue(body, "comment", e.value("comment", o.Comment)), at)
	if e.err != nil {
		return fmt.Errorf("collMod: %w", e.err)
	}
	_, err := d.manage(ctx, &ops.Generic{Body: body})
	return err
}

// RenameOptions are the options of Rename.
type RenameOptions struct {
	// DropTarget drops a collection that has the new name already, instead of
	// failing.
	DropTarget bool
	Comment    any
}

// Rename gives the collection another name within its database.
func (c *Collection[T]) Rename(ctx context.Context, to string, opts ...RenameOptions) error {
	o, e := option.Of(opts), c.encoder()
	db := c.database()
	body, at := bson.BeginDocument(nil)
	body = bson.AppendString(body, "renameCollection", db.name+"."+c.name)
	body = bson.AppendString(body, "to", db.name+"."+to)
	body = appendTrue(body, "dropTarget", o.DropTarget)
	body = bson.EndDocument(appendValue(body, "comment", e.value("comment", o.Comment)), at)
	if e.err != nil {
		return fmt.Errorf("rename: %w", e.err)
	}
	_, err := db.client.Database("admin").With(Settings{WriteConcern: &c.settings.writeConcern, Timeout: c.settings.timeout}).manage(ctx, &ops.Generic{Body: body})
	return err
}
