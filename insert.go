package motor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
)

// InsertOneOptions are the options of InsertOne.
type InsertOneOptions struct {
	BypassDocumentValidation *bool
	Comment                  any
	RawData                  bool
}

// InsertOneResult says what InsertOne did.
type InsertOneResult struct {
	// InsertedID is the document's _id, made here if the document had none.
	InsertedID any
	// Acknowledged is false after a write with w: 0.
	Acknowledged bool
}

// InsertOne inserts a document. One without an _id gets an ObjectID as its first
// field; doc itself does not change. A nil doc is an error, but for a nil map,
// which is an empty document.
//
// After an error the result is nil, as with UpdateOne, DeleteOne and their
// likes, but for a *WriteConcernError: the write was made then, and the result
// says what it did.
func (c *Collection[T]) InsertOne(ctx context.Context, doc T, opts ...InsertOneOptions) (*InsertOneResult, error) {
	o, e := option.Of(opts), c.encoder()
	e.expect(c.large.Load())
	id := e.insertion(boxed(&doc))
	c.wrote(e.large())
	cmd := &ops.Insert{Collection: c.name, Docs: e.buf, WriteOptions: ops.WriteOptions{
		BypassDocumentValidation: o.BypassDocumentValidation,
		Comment:                  e.value("comment", o.Comment),
		RawData:                  o.RawData,
	}}
	var err error
	if cmd.Envelope, err = c.envelope(ctx); err != nil {
		return nil, err
	}
	res, err := c.run(ctx, e, cmd)
	if err = writeError(res, err); !wasMade(err) {
		return nil, err
	}
	return &InsertOneResult{InsertedID: id, Acknowledged: cmd.WriteConcern.Acknowledged()}, err
}

// InsertManyOptions are the options of InsertMany.
type InsertManyOptions struct {
	// Unordered goes on after an error.
	Unordered                bool
	BypassDocumentValidation *bool
	Comment                  any
	RawData                  bool
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
// *BulkWriteError if some were refused; the result then holds the others. It is
// nil if no command was sent.
func (c *Collection[T]) InsertMany(ctx context.Context, list []T, opts ...InsertManyOptions) (*InsertManyResult, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("insertMany: the list of documents is empty")
	}
	o, e := option.Of(opts), c.encoder()
	e.expect(c.large.Load())
	ids, ends := make(map[int]any, len(list)), make([]int, len(list))
	for i := range list {
		ids[i] = e.insertion(boxed(&list[i]))
		if ends[i] = len(e.buf); e.err != nil {
			return nil, fmt.Errorf("insertMany: list[%d]: %w", i, e.err)
		}
	}
	c.wrote(e.large())
	docs := e.buf
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
	op, err := c.db.client.exec.Begin(ctx, &env, "insert", c.name)
	if err != nil {
		return nil, err
	}
	var out ops.Outcome
	c.db.client.exec.Bulk(ctx, env, c.name, w, ops.BulkInsert, &ops.Statements{Docs: docs, Ends: ends}, &out)
	e.release()
	keepInserted(ids, &out, !o.Unordered)
	err = bulkError(&out)
	op.End(err)
	if !out.Begun {
		return nil, err
	}
	return &InsertManyResult{InsertedIDs: ids, Acknowledged: env.WriteConcern.Acknowledged()}, err
}

// keepInserted takes the _id of those statements away that inserted nothing.
func keepInserted(ids map[int]any, out *ops.Outcome, ordered bool) {
	if !out.Failed() {
		return
	}
	inserted := make(map[int]bool, len(out.Tried))
	for _, i := range out.Tried {
		inserted[i] = true
	}
	first := math.MaxInt
	for _, e := range out.WriteErrors {
		inserted[e.Index] = false
		first = min(first, e.Index)
	}
	maps.DeleteFunc(ids, func(i int, _ any) bool { return !inserted[i] || ordered && i > first })
}

// boxed is *doc as an any. Where it can it takes the address, so that nothing
// is copied.
func boxed[T any](doc *T) any {
	if _, ok := any(doc).(*bson.D); ok || reflect.TypeFor[T]().Kind() == reflect.Struct {
		return doc
	}
	return *doc
}

// insertion encodes a document that is to be inserted, and gives its _id. One
// without gets an ObjectID as its first element.
func (e *encoder) insertion(doc any) any {
	if isNil(doc) && !isNilMap(doc) {
		e.fail("document", errNil)
	}
	if e.err != nil {
		return nil
	}
	// The document goes behind a gap. If that is to take an _id, nothing but
	// the length has to move.
	const gap = 1 + len("_id\x00") + len(bson.ObjectID{})
	at := len(e.buf)
	buf, err := e.codec.Append(append(e.buf, make([]byte, gap)...), doc)
	if err != nil {
		e.fail("document", err)
		return nil
	}
	e.buf = buf
	raw := bson.Raw(buf[at+gap:])
	var found bson.RawValue
	if d, ok := doc.(*bson.D); !ok || hasID(*d) {
		found = raw.Lookup("_id")
	}
	if found.IsZero() {
		if e.now.IsZero() {
			e.now = time.Now()
		}
		id := bson.NewObjectIDFromTimestamp(e.now)
		bson.AppendObjectID(buf[at+4:at+4], "_id", id)
		bson.PatchLength(buf, at)
		return id
	}
	var id any
	if err := found.Unmarshal(&id); err != nil {
		e.fail("_id", err)
	}
	e.buf = append(buf[:at], raw...)
	return id
}

func hasID(doc bson.D) bool {
	for i := range doc {
		if doc[i].Key == "_id" {
			return true
		}
	}
	return false
}
