package motor

import (
	"context"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
)

// ListDatabasesOptions are the options of ListDatabases and
// ListDatabaseNames.
type ListDatabasesOptions struct {
	AuthorizedDatabases bool
	Comment             any
}

// DatabaseInfo is what ListDatabases tells of a database.
type DatabaseInfo struct {
	Name       string                   `bson:"name"`
	SizeOnDisk int64                    `bson:"sizeOnDisk"`
	Empty      bool                     `bson:"empty"`
	Other      map[string]bson.RawValue `bson:",inline"`
}

// ListDatabases is the databases that match filter; nil matches all.
func (c *Client) ListDatabases(ctx context.Context, filter any, opts ...ListDatabasesOptions) ([]DatabaseInfo, error) {
	return listDatabases[DatabaseInfo](ctx, c, filter, false, option.Of(opts))
}

// ListDatabaseNames is the names of the databases that match filter.
func (c *Client) ListDatabaseNames(ctx context.Context, filter any, opts ...ListDatabasesOptions) ([]string, error) {
	list, err := listDatabases[DatabaseInfo](ctx, c, filter, true, option.Of(opts))
	names := make([]string, len(list))
	for i, d := range list {
		names[i] = d.Name
	}
	return names, err
}

// ListDatabaseObjects is the databases that match filter, ready to use.
func (c *Client) ListDatabaseObjects(ctx context.Context, filter any, opts ...ListDatabasesOptions) ([]*Database, error) {
	names, err := c.ListDatabaseNames(ctx, filter, opts...)
	list := make([]*Database, len(names))
	for i, name := range names {
		list[i] = c.Database(name)
	}
	return list, err
}

func listDatabases[R any](ctx context.Context, c *Client, filter any, nameOnly bool, o ListDatabasesOptions) ([]R, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	e := newEncoder(c.settings.codec)
	body, at := bson.BeginDocument(nil)
	body = bson.AppendInt32(body, "listDatabases", 1)
	if nameOnly {
		body = bson.AppendBool(body, "nameOnly", true)
	}
	body = appendDoc(body, "filter", e.doc("filter", filter))
	body = appendTrue(body, "authorizedDatabases", o.AuthorizedDatabases)
	body = appendValue(body, "comment", e.value("comment", o.Comment))
	reply, err := c.Database("admin").read(ctx, e, bson.EndDocument(body, at))
	if err != nil {
		return nil, err
	}
	list := []R{}
	err = c.settings.codec.UnmarshalValue(reply.Lookup("databases"), &list)
	return list, err
}

// ListCollectionsOptions are the options of ListCollections and
// ListCollectionNames.
type ListCollectionsOptions struct {
	AuthorizedCollections bool
	BatchSize             *int32
	Comment               any
	RawData               bool
	TimeoutMode           TimeoutMode
}

// CollectionInfo is what ListCollections tells of a collection or view.
type CollectionInfo struct {
	Name    string   `bson:"name"`
	Type    string   `bson:"type"`
	Options bson.Raw `bson:"options"`
	Info    struct {
		ReadOnly bool         `bson:"readOnly"`
		UUID     *bson.Binary `bson:"uuid,omitempty"`
	} `bson:"info"`
	IDIndex bson.Raw                 `bson:"idIndex,omitempty"`
	Other   map[string]bson.RawValue `bson:",inline"`
}

// ListCollections is the collections and views that match filter; nil matches
// all.
func (d *Database) ListCollections(ctx context.Context, filter any, opts ...ListCollectionsOptions) Docs[CollectionInfo] {
	return docs(ctx, func() (*Cursor[CollectionInfo], error) { return d.ListCollectionsCursor(ctx, filter, opts...) })
}

// ListCollectionsCursor is ListCollections with a cursor, which must be closed.
func (d *Database) ListCollectionsCursor(ctx context.Context, filter any, opts ...ListCollectionsOptions) (*Cursor[CollectionInfo], error) {
	return listCollections[CollectionInfo](ctx, d, filter, false, option.Of(opts))
}

// ListCollectionNames is the names of the collections and views that match
// filter.
func (d *Database) ListCollectionNames(ctx context.Context, filter any, opts ...ListCollectionsOptions) ([]string, error) {
	cursor, err := listCollections[CollectionInfo](ctx, d, filter, onlyNames(filter), option.Of(opts))
	if err != nil {
		return nil, err
	}
	list, err := cursor.Slice(ctx)
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.Name
	}
	return names, err
}

// ListCollectionObjects is the collections and views that match filter, ready
// to use.
func (d *Database) ListCollectionObjects(ctx context.Context, filter any, opts ...ListCollectionsOptions) ([]*Collection[bson.D], error) {
	names, err := d.ListCollectionNames(ctx, filter, opts...)
	list := make([]*Collection[bson.D], len(names))
	for i, name := range names {
		list[i] = d.Collection(name)
	}
	return list, err
}

// onlyNames reports whether the server can answer filter from names alone.
func onlyNames(filter any) bool {
	switch f := filter.(type) {
	case nil:
		return true
	case bson.D:
		for _, e := range f {
			if e.Key != "name" {
				return false
			}
		}
		return true
	}
	return false
}

func listCollections[R any](ctx context.Context, d *Database, filter any, nameOnly bool, o ListCollectionsOptions) (*Cursor[R], error) {
	e := newEncoder(d.settings.codec)
	body, at := bson.BeginDocument(nil)
	body = bson.AppendInt32(body, "listCollections", 1)
	body = appendDoc(body, "filter", e.doc("filter", filter))
	body = appendCursor(body, o.BatchSize)
	if nameOnly {
		body = bson.AppendBool(body, "nameOnly", true)
	}
	body = appendTrue(body, "authorizedCollections", o.AuthorizedCollections)
	comment := e.value("comment", o.Comment)
	body = bson.EndDocument(appendValue(body, "comment", comment), at)
	return list[R](ctx, d, e, &ops.Generic{Body: body, RawData: o.RawData}, o.BatchSize, comment, o.TimeoutMode)
}

// list runs a listing command, which reads from the primary.
func list[R any](ctx context.Context, d *Database, e *encoder, cmd *ops.Generic, batchSize *int32, comment bson.RawValue, mode TimeoutMode) (*Cursor[R], error) {
	cmd.Read = true
	var err error
	if cmd.Envelope, err = d.envelope(ctx, d.settings.plain()); err != nil {
		return nil, err
	}
	o := ops.CursorOptions{Comment: comment, RawData: cmd.RawData}
	if batchSize != nil {
		o.BatchSize = *batchSize
	}
	if err := mode.bound(NonTailable, &cmd.Timeout, &o); err != nil {
		return nil, err
	}
	return open[R](ctx, d, e, cmd, o)
}

// read runs a command that reads from the primary and is retried as reads are.
// It releases e.
func (d *Database) read(ctx context.Context, e *encoder, body bson.Raw) (bson.Raw, error) {
	defer e.release()
	if e.err != nil {
		return nil, e.err
	}
	cmd := &ops.Generic{Body: body, Read: true}
	var err error
	if cmd.Envelope, err = d.envelope(ctx, d.settings.plain()); err != nil {
		return nil, err
	}
	res, err := d.client.exec.Run(ctx, cmd)
	return res.Reply, err
}

func appendCursor(dst []byte, batchSize *int32) []byte {
	dst, at := bson.BeginEmbedded(dst, "cursor")
	if batchSize != nil {
		dst = bson.AppendInt32(dst, "batchSize", *batchSize)
	}
	return bson.EndDocument(dst, at)
}

func appendDoc(dst []byte, key string, doc bson.Raw) []byte {
	if doc == nil {
		return dst
	}
	return bson.AppendDocument(dst, key, doc)
}

func appendTrue(dst []byte, key string, b bool) []byte {
	if !b {
		return dst
	}
	return bson.AppendBool(dst, key, true)
}

func appendValue(dst []byte, key string, v bson.RawValue) []byte {
	if v.IsZero() {
		return dst
	}
	return bson.AppendValue(dst, key, v)
}
