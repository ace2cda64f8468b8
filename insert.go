package motor

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/ops"
)

// InsertOneOptions are the options of InsertOne.
type InsertOneOptions struct {
	BypassDocumentValidation *bool
	Comment                  any
	RawData                  *bool
}

// InsertOneResult says what InsertOne did.
type InsertOneResult struct {
	// InsertedID is the document's _id, made here if the document had none.
	InsertedID any
	// Acknowledged is false after a write with w: 0.
	Acknowledged bool
}

// InsertOne inserts a document. One without an _id gets an ObjectID as its first
// field; doc itself does not change.
func (c *Collection[T]) InsertOne(ctx context.Context, doc T, opts ...InsertOneOptions) (*InsertOneResult, error) {
	o, e := optional(opts), c.encoder()
	var list insertion
	list.add(e, doc)
	cmd := &ops.Insert{Collection: c.name, Docs: list.docs, WriteOptions: ops.WriteOptions{
		BypassDocumentValidation: o.BypassDocumentValidation,
		Comment:                  e.value("comment", o.Comment),
		RawData:                  o.RawData,
	}}
	var err error
	if cmd.Envelope, err = c.envelope(ctx); err != nil {
		return nil, err
	}
	res, err := c.run(ctx, e, cmd)
	if err = writeError(res.Reply, err); err != nil && len(list.ids) == 0 {
		return nil, err
	}
	out := &InsertOneResult{Acknowledged: cmd.WriteConcern.Acknowledged()}
	if err := list.ids[0].Unmarshal(&out.InsertedID); err != nil {
		return nil, err
	}
	return out, err
}

// InsertManyOptions are the options of InsertMany.
type InsertManyOptions struct {
	// Unordered goes on after an error.
	Unordered                bool
	BypassDocumentValidation *bool
	Comment                  any
	RawData                  *bool
}

// InsertManyResult says what InsertMany did.
type InsertManyResult struct {
	// InsertedIDs are the _id of the documents that were inserted, by their
	// place in the list.
	InsertedIDs map[int]any
	// Acknowledged is false after a write with w: 0.
	Acknowledged bool
}

// InsertMany inserts documents, in as many commands as it takes. The error is a
// *BulkWriteError if some were refused; the result then holds the others.
func (c *Collection[T]) InsertMany(ctx context.Context, list []T, opts ...InsertManyOptions) (*InsertManyResult, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("insertMany: the list of documents is empty")
	}
	o, e := optional(opts), c.encoder()
	var docs insertion
	for i := range list {
		docs.add(e, list[i])
	}
	w := ops.WriteOptions{
		Unordered:                o.Unordered,
		BypassDocumentValidation: o.BypassDocumentValidation,
		Comment:                  e.value("comment", o.Comment),
		RawData:                  o.RawData,
	}
	env, err := c.envelope(ctx)
	if err = errors.Join(e.err, err); err != nil {
		return nil, err
	}
	var out ops.Outcome
	c.db.client.exec.Bulk(ctx, env, c.name, w, ops.BulkInsert, &ops.Statements{Docs: docs.docs, Ends: docs.ends}, &out)
	res := &InsertManyResult{Acknowledged: env.WriteConcern.Acknowledged()}
	res.InsertedIDs, err = docs.inserted(&out, !o.Unordered)
	return res, errors.Join(bulkError(&out), err)
}

// insertion is a list of documents on their way.
type insertion struct {
	docs []byte
	ends []int // of each document in docs
	ids  []bson.RawValue
}

// inserted are the _id of the documents that were inserted, by their index.
func (w *insertion) inserted(out *ops.Outcome, ordered bool) (map[int]any, error) {
	failed := map[int]bool{}
	first := math.MaxInt
	for _, e := range out.WriteErrors {
		failed[e.Index] = true
		first = min(first, e.Index)
	}
	ids := make(map[int]any, len(out.Tried))
	for _, i := range out.Tried {
		if i >= len(w.ids) || w.ids[i].IsZero() || failed[i] || ordered && i > first {
			continue
		}
		var id any
		if err := w.ids[i].Unmarshal(&id); err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}

// add encodes a document, with an _id in front if it has none.
func (w *insertion) add(e *encoder, doc any) {
	if e.err != nil {
		return
	}
	at := len(w.docs)
	docs, err := e.codec.Append(w.docs, doc)
	if err != nil {
		e.fail(fmt.Sprintf("document %d", len(w.ends)), err)
		return
	}
	id := bson.Raw(docs[at:]).Lookup("_id")
	if id.IsZero() {
		docs, id = prependID(docs, at)
	}
	w.docs = docs
	w.ends = append(w.ends, len(docs))
	w.ids = append(w.ids, bson.RawValue{Type: id.Type, Value: append([]byte(nil), id.Value...)})
}

// prependID puts a new ObjectID in front of the elements of the document that
// begins at.
func prependID(docs []byte, at int) ([]byte, bson.RawValue) {
	const room = 1 + len("_id\x00") + len(bson.ObjectID{})
	id := bson.NewObjectID()
	docs = append(docs, make([]byte, room)...)
	copy(docs[at+4+room:], docs[at+4:])
	bson.AppendObjectID(docs[at+4:at+4], "_id", id)
	bson.PatchLength(docs, at)
	return docs, bson.RawValue{Type: bson.TypeObjectID, Value: docs[at+4+room-len(id) : at+4+room]}
}
