package motor

import (
	"context"
	"errors"
	"fmt"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/ops"
)

// SearchIndexModel is a search index to create. Name and Type may be empty.
type SearchIndexModel struct {
	Definition any
	Name       string
	Type       string // search or vectorSearch
}

// CreateSearchIndex creates a search index and returns its name. The server
// builds it in the background; ListSearchIndexes shows when it can be used.
func (c *Collection[T]) CreateSearchIndex(ctx context.Context, index SearchIndexModel) (string, error) {
	names, err := c.CreateSearchIndexes(ctx, []SearchIndexModel{index})
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", errors.New("createSearchIndexes: the server named no index")
	}
	return names[0], nil
}

// CreateSearchIndexes creates search indexes and returns their names.
func (c *Collection[T]) CreateSearchIndexes(ctx context.Context, indexes []SearchIndexModel) ([]string, error) {
	e := c.encoder()
	body, at := bson.BeginDocument(nil)
	body = bson.AppendString(body, "createSearchIndexes", c.name)
	body, arr := bson.BeginArray(body, "indexes")
	for i, index := range indexes {
		var doc int
		body, doc = bson.BeginDocument(bson.AppendIndexHeader(body, bson.TypeEmbeddedDocument, i))
		body = appendDoc(body, "definition", e.doc("definition", index.Definition))
		body = appendString(body, "name", index.Name)
		body = bson.EndDocument(appendString(body, "type", index.Type), doc)
	}
	body = bson.EndDocument(bson.EndDocument(body, arr), at)
	reply, err := c.searchIndexes(ctx, e, body)
	if err != nil {
		return nil, err
	}
	var created []struct {
		Name string `bson:"name"`
	}
	if err := e.codec.UnmarshalValue(reply.Lookup("indexesCreated"), &created); err != nil {
		return nil, fmt.Errorf("createSearchIndexes: %w", err)
	}
	names := make([]string, len(created))
	for i, index := range created {
		names[i] = index.Name
	}
	return names, nil
}

// UpdateSearchIndex gives a search index another definition.
func (c *Collection[T]) UpdateSearchIndex(ctx context.Context, name string, definition any) error {
	e := c.encoder()
	body, at := bson.BeginDocument(nil)
	body = bson.AppendString(body, "updateSearchIndex", c.name)
	body = bson.AppendString(body, "name", name)
	body = bson.EndDocument(appendDoc(body, "definition", e.doc("definition", definition)), at)
	_, err := c.searchIndexes(ctx, e, body)
	return err
}

// DropSearchIndex drops a search index. It is no error if the collection does
// not exist.
func (c *Collection[T]) DropSearchIndex(ctx context.Context, name string) error {
	body, at := bson.BeginDocument(nil)
	body = bson.AppendString(body, "dropSearchIndex", c.name)
	body = bson.EndDocument(bson.AppendString(body, "name", name), at)
	_, err := c.searchIndexes(ctx, c.encoder(), body)
	if e, ok := err.(*CommandError); ok && e.Code == namespaceNotFound {
		return nil
	}
	return err
}

// ListSearchIndexes is the search indexes of the collection, or the one with
// that name if it is not empty.
func (c *Collection[T]) ListSearchIndexes(ctx context.Context, name string, opts ...AggregateOptions) Docs[bson.Raw] {
	only := bson.D{}
	if name != "" {
		only = bson.D{{Key: "name", Value: name}}
	}
	stage := bson.A{bson.D{{Key: "$listSearchIndexes", Value: only}}}
	return docs(ctx, func() (*Cursor[bson.Raw], error) {
		plain := c.With(Settings{ReadConcern: new(ReadConcern)})
		return AggregateCursor[bson.Raw](ctx, plain, stage, opts...)
	})
}

// searchIndexes runs a command about search indexes, which takes neither read
// concern nor write concern.
func (c *Collection[T]) searchIndexes(ctx context.Context, e *encoder, body bson.Raw) (bson.Raw, error) {
	if e.err != nil {
		return nil, e.err
	}
	cmd := &ops.Generic{Body: body, Write: true}
	var err error
	if cmd.Envelope, err = c.db.envelope(ctx, c.settings.plain()); err != nil {
		return nil, err
	}
	res, err := c.db.client.exec.Run(ctx, cmd)
	return res.Reply, err
}
