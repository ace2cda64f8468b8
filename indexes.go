package motor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
)

// IndexModel is an index to create. Keys is an ordered document, such as
// bson.D{{"name", 1}}.
type IndexModel struct {
	Keys any
	// Name is made of the keys if it is empty.
	Name                    string
	Unique                  bool
	Sparse                  bool
	Hidden                  bool
	Background              bool
	ExpireAfter             *time.Duration // to the second
	PartialFilterExpression any
	Collation               *Collation
	StorageEngine           any
	WildcardProjection      any
	Version                 *int32
	Weights                 any
	DefaultLanguage         string
	LanguageOverride        string
	TextVersion             *int32
	SphereVersion           *int32
	Bits                    *int32
	Min, Max                *float64
	BucketSize              *int32
}

// CreateIndexesOptions are the options of CreateIndex and CreateIndexes.
type CreateIndexesOptions struct {
	// CommitQuorum is a number or a mode such as "majority", from server 4.4 on.
	CommitQuorum any
	Comment      any
	MaxTime      time.Duration
	RawData      bool
}

// DropIndexOptions are the options of DropIndex and DropAllIndexes.
type DropIndexOptions struct {
	Comment any
	MaxTime time.Duration
	RawData bool
}

// ListIndexesOptions are the options of ListIndexes.
type ListIndexesOptions struct {
	BatchSize   *int32
	Comment     any
	RawData     bool
	TimeoutMode TimeoutMode
}

// IndexInfo is what ListIndexes tells of an index.
type IndexInfo struct {
	Name    string                   `bson:"name"`
	Keys    bson.Raw                 `bson:"key"`
	Version int32                    `bson:"v"`
	Unique  bool                     `bson:"unique"`
	Sparse  bool                     `bson:"sparse"`
	Hidden  bool                     `bson:"hidden"`
	Other   map[string]bson.RawValue `bson:",inline"`
}

// CreateIndex creates an index and returns its name.
func (c *Collection[T]) CreateIndex(ctx context.Context, index IndexModel, opts ...CreateIndexesOptions) (string, error) {
	names, err := c.CreateIndexes(ctx, []IndexModel{index}, opts...)
	if err != nil {
		return "", err
	}
	return names[0], nil
}

// CreateIndexes creates indexes and returns their names.
func (c *Collection[T]) CreateIndexes(ctx context.Context, indexes []IndexModel, opts ...CreateIndexesOptions) ([]string, error) {
	if len(indexes) == 0 {
		return nil, errors.New("createIndexes: the list of indexes is empty")
	}
	o, e := option.Of(opts), c.encoder()
	names := make([]string, len(indexes))
	body, at := bson.BeginDocument(nil)
	body = bson.AppendString(body, "createIndexes", c.name)
	body, arr := bson.BeginArray(body, "indexes")
	for i := range indexes {
		body = bson.AppendIndexHeader(body, bson.TypeEmbeddedDocument, i)
		body, names[i] = indexes[i].append(body, e)
	}
	body = bson.EndDocument(body, arr)
	body = appendValue(body, "commitQuorum", e.value("commitQuorum", o.CommitQuorum))
	body = appendValue(body, "comment", e.value("comment", o.Comment))
	body = bson.EndDocument(body, at)
	if e.err != nil {
		return nil, fmt.Errorf("createIndexes: %w", e.err)
	}
	_, err := c.manage(ctx, &ops.Generic{Envelope: ops.Envelope{MaxTime: o.MaxTime}, Body: body, RawData: o.RawData})
	return names, err
}

// append appends the index's document and gives its name.
func (m *IndexModel) append(dst []byte, e *encoder) (_ []byte, name string) {
	keys := e.ordered("keys", m.Keys)
	if keys == nil && e.err == nil {
		e.fail("keys", errors.New("an index needs keys"))
	}
	if name = m.Name; name == "" {
		name = indexName(keys)
	}
	dst, at := bson.BeginDocument(dst)
	dst = appendDoc(dst, "key", keys)
	dst = bson.AppendString(dst, "name", name)
	dst = appendTrue(dst, "unique", m.Unique)
	dst = appendTrue(dst, "sparse", m.Sparse)
	dst = appendTrue(dst, "hidden", m.Hidden)
	dst = appendTrue(dst, "background", m.Background)
	if m.ExpireAfter != nil {
		dst = bson.AppendInt32(dst, "expireAfterSeconds", int32(*m.ExpireAfter/time.Second))
	}
	dst = appendDoc(dst, "partialFilterExpression", e.doc("partialFilterExpression", m.PartialFilterExpression))
	dst = appendDoc(dst, "collation", e.collation(m.Collation))
	dst = appendDoc(dst, "storageEngine", e.doc("storageEngine", m.StorageEngine))
	dst = appendDoc(dst, "wildcardProjection", e.doc("wildcardProjection", m.WildcardProjection))
	dst = appendInt32(dst, "v", m.Version)
	dst = appendDoc(dst, "weights", e.doc("weights", m.Weights))
	dst = appendString(dst, "default_language", m.DefaultLanguage)
	dst = appendString(dst, "language_override", m.LanguageOverride)
	dst = appendInt32(dst, "textIndexVersion", m.TextVersion)
	dst = appendInt32(dst, "2dsphereIndexVersion", m.SphereVersion)
	dst = appendInt32(dst, "bits", m.Bits)
	dst = appendDouble(dst, "min", m.Min)
	dst = appendDouble(dst, "max", m.Max)
	dst = appendInt32(dst, "bucketSize", m.BucketSize)
	return bson.EndDocument(dst, at), name
}

// indexName is the name that the index-management specification makes of keys:
// "a_1_b_-1".
func indexName(keys bson.Raw) string {
	var b strings.Builder
	for key, v := range keys.All() {
		if b.Len() > 0 {
			b.WriteByte('_')
		}
		b.WriteString(key)
		b.WriteByte('_')
		if s, ok := v.Str(); ok {
			b.WriteString(s)
		} else if n, ok := v.AsInt64(); ok {
			fmt.Fprint(&b, n)
		} else if f, ok := v.AsDouble(); ok {
			fmt.Fprint(&b, f)
		}
	}
	return b.String()
}

// ListIndexes is the collection's indexes. There are none, and it is no error,
// if the collection does not exist.
func (c *Collection[T]) ListIndexes(ctx context.Context, opts ...ListIndexesOptions) Docs[IndexInfo] {
	return func(yield func(IndexInfo, error) bool) {
		docs(ctx, func() (*Cursor[IndexInfo], error) { return c.ListIndexesCursor(ctx, opts...) })(func(i IndexInfo, err error) bool {
			if e, ok := err.(*CommandError); ok && e.Code == namespaceNotFound {
				return false
			}
			return yield(i, err)
		})
	}
}

// ListIndexesCursor is ListIndexes with a cursor, which must be closed. It
// returns the server's NamespaceNotFound if the collection does not exist.
func (c *Collection[T]) ListIndexesCursor(ctx context.Context, opts ...ListIndexesOptions) (*Cursor[IndexInfo], error) {
	o, e := option.Of(opts), c.encoder()
	body, at := bson.BeginDocument(nil)
	body = bson.AppendString(body, "listIndexes", c.name)
	body = appendCursor(body, o.BatchSize)
	comment := e.value("comment", o.Comment)
	body = bson.EndDocument(appendValue(body, "comment", comment), at)
	return list[IndexInfo](ctx, c.database(), e, &ops.Generic{Body: body, RawData: o.RawData}, o.BatchSize, comment, o.TimeoutMode)
}

// DropIndex drops the index of that name.
func (c *Collection[T]) DropIndex(ctx context.Context, name string, opts ...DropIndexOptions) error {
	if name == "*" {
		return errors.New(`dropIndex: "*" names all indexes; call DropAllIndexes`)
	}
	return c.dropIndexes(ctx, name, option.Of(opts))
}

// DropIndexKeys drops the index with the keys.
func (c *Collection[T]) DropIndexKeys(ctx context.Context, keys any, opts ...DropIndexOptions) error {
	return c.dropIndexes(ctx, keys, option.Of(opts))
}

// DropAllIndexes drops all indexes but that on _id.
func (c *Collection[T]) DropAllIndexes(ctx context.Context, opts ...DropIndexOptions) error {
	return c.dropIndexes(ctx, "*", option.Of(opts))
}

func (c *Collection[T]) dropIndexes(ctx context.Context, index any, o DropIndexOptions) error {
	e := c.encoder()
	body, at := bson.BeginDocument(nil)
	body = bson.AppendString(body, "dropIndexes", c.name)
	body = appendValue(body, "index", e.value("index", index))
	body = appendValue(body, "comment", e.value("comment", o.Comment))
	body = bson.EndDocument(body, at)
	if e.err != nil {
		return e.err
	}
	_, err := c.manage(ctx, &ops.Generic{Envelope: ops.Envelope{MaxTime: o.MaxTime}, Body: body, RawData: o.RawData})
	if e, ok := err.(*CommandError); ok && e.Code == namespaceNotFound {
		return nil
	}
	return err
}

// database is the database with the collection's settings.
func (c *Collection[T]) database() *Database {
	if c.db == nil {
		return new(Database) // whose operations say so
	}
	return &Database{client: c.db.client, name: c.db.name, settings: c.settings}
}

// manage is Database.manage with the collection's write concern.
func (c *Collection[T]) manage(ctx context.Context, cmd *ops.Generic) (bson.Raw, error) {
	return c.database().manage(ctx, cmd)
}

func appendInt32(dst []byte, key string, n *int32) []byte {
	if n == nil {
		return dst
	}
	return bson.AppendInt32(dst, key, *n)
}

func appendDouble(dst []byte, key string, f *float64) []byte {
	if f == nil {
		return dst
	}
	return bson.AppendDouble(dst, key, *f)
}

func appendString(dst []byte, key, s string) []byte {
	if s == "" {
		return dst
	}
	return bson.AppendString(dst, key, s)
}
