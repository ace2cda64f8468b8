package motor

import (
	"context"
	"sync/atomic"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
)

// Collection is a collection whose documents are decoded into T. It holds no
// connection and may be used by many goroutines.
type Collection[T any] struct {
	db       *Database
	name     string
	settings settings
	// large says that the last write was large, as the next one may be.
	large atomic.Bool
}

// CollectionOf is the collection name of db with documents of type T. Nothing
// is sent; a collection comes into being with its first document.
func CollectionOf[T any](db *Database, name string, opts ...Settings) *Collection[T] {
	if db == nil {
		db = new(Database) // whose operations say so
	}
	return &Collection[T]{db: db, name: name, settings: db.settings.with(option.Of(opts))}
}

// Name is the collection's name.
func (c *Collection[T]) Name() string { return c.name }

// Database is the database that the collection is in.
func (c *Collection[T]) Database() *Database { return c.db }

// With is the same collection with other settings.
func (c *Collection[T]) With(s Settings) *Collection[T] {
	return &Collection[T]{db: c.db, name: c.name, settings: c.settings.with(s)}
}

func (c *Collection[T]) encoder() *encoder { return newEncoder(c.settings.codec) }

// wrote notes whether a write was large.
func (c *Collection[T]) wrote(large bool) {
	if c.large.Load() != large {
		c.large.Store(large)
	}
}

// namespace is the name of the database and of the collection.
func (c *Collection[T]) namespace() string { return c.db.name + "." + c.name }

// envelope is that of a read or a write on the collection.
func (c *Collection[T]) envelope(ctx context.Context) (ops.Envelope, error) {
	return c.db.envelope(ctx, c.settings)
}

// run runs a command, unless its arguments could not be encoded. It releases e.
func (c *Collection[T]) run(ctx context.Context, e *encoder, cmd ops.Command) (ops.Result, error) {
	defer e.release()
	if e.err != nil {
		return ops.Result{}, e.err
	}
	return c.db.client.exec.Run(ctx, cmd)
}

// open runs a command that answers with a cursor. It releases e.
func open[R any](ctx context.Context, db *Database, e *encoder, cmd ops.Command, o ops.CursorOptions) (*Cursor[R], error) {
	defer e.release()
	if e.err != nil {
		return nil, e.err
	}
	o.Reuse = true
	inner, err := db.client.exec.Open(ctx, cmd, o)
	if err != nil {
		return nil, err
	}
	return &Cursor[R]{inner: inner, codec: e.codec}, nil
}

// Drop drops the collection. It is no error if there is none.
func (c *Collection[T]) Drop(ctx context.Context) error {
	body, at := bson.BeginDocument(nil)
	body = bson.EndDocument(bson.AppendString(body, "drop", c.name), at)
	_, err := c.manage(ctx, &ops.Generic{Body: body})
	if e, ok := err.(*CommandError); ok && e.Code == namespaceNotFound {
		return nil
	}
	return err
}

const namespaceNotFound = 26
