package motor

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
)

// WriteModel is one write of a BulkWrite: InsertOneModel, UpdateOneModel,
// UpdateManyModel, ReplaceOneModel, DeleteOneModel or DeleteManyModel.
type WriteModel[T any] interface {
	add(e *encoder, to statements, index int)
}

// statements are where the models of a bulk write go, each with its index.
type statements interface {
	insert(index int, doc bson.Raw, id any)
	update(index int, u *ops.UpdateStatement)
	delete(index int, d *ops.DeleteStatement)
}

// InsertOneModel inserts a document.
type InsertOneModel[T any] struct{ Document T }

// UpdateOneModel changes the first document that matches Filter.
type UpdateOneModel[T any] struct {
	Filter, Update any
	ArrayFilters   any
	Upsert         bool
	Collation      *Collation
	Hint           any
	Sort           any
}

// UpdateManyModel changes all documents that match Filter.
type UpdateManyModel[T any] struct {
	Filter, Update any
	ArrayFilters   any
	Upsert         bool
	Collation      *Collation
	Hint           any
}

// ReplaceOneModel puts Replacement in the place of the first document that
// matches Filter.
type ReplaceOneModel[T any] struct {
	Filter      any
	Replacement T
	Upsert      bool
	Collation   *Collation
	Hint        any
	Sort        any
}

// DeleteOneModel removes the first document that matches Filter.
type DeleteOneModel[T any] struct {
	Filter    any
	Collation *Collation
	Hint      any
}

// DeleteManyModel removes all documents that match Filter.
type DeleteManyModel[T any] struct {
	Filter    any
	Collation *Collation
	Hint      any
}

// BulkWriteOptions are the options of BulkWrite.
type BulkWriteOptions struct {
	// Unordered goes on after an error, and may change the order of the writes.
	Unordered                bool
	BypassDocumentValidation *bool
	Comment                  any
	Let                      any
	RawData                  bool
}

// BulkWriteResult says what a bulk write did.
type BulkWriteResult struct {
	InsertedCount, MatchedCount, ModifiedCount, DeletedCount, UpsertedCount int64
	// InsertedIDs and UpsertedIDs are the _id of new documents by the index of
	// their model.
	InsertedIDs, UpsertedIDs map[int]any
	// Acknowledged is false after a write with w: 0.
	Acknowledged bool
}

// bulk is the statements of a bulk write, in groups of one kind.
type bulk struct {
	ordered bool
	large   bool // the statements are likely to be many bytes
	groups  []*group
	// ids are the _id of documents to be inserted, by the index of their model.
	ids map[int]any
}

type group struct {
	kind ops.BulkKind
	ops.Statements
}

// release gives the memory of the statements back, and reports whether that is
// much.
func (b *bulk) release() (large bool) {
	for _, g := range b.groups {
		if cap(g.Docs) > largeBuffer {
			large = large || len(g.Docs) > largeBuffer
			largeBuffers.Put(g.Docs[:0])
		}
	}
	return large
}

// group is where a statement of the kind goes: the last group if the write is
// ordered, otherwise any.
func (b *bulk) group(kind ops.BulkKind) *group {
	for i := len(b.groups) - 1; i >= 0; i-- {
		if b.groups[i].kind == kind {
			return b.groups[i]
		}
		if b.ordered {
			break
		}
	}
	g := &group{kind: kind}
	if b.large {
		g.Docs, _ = largeBuffers.Take()
	}
	b.groups = append(b.groups, g)
	return g
}

func (b *bulk) insert(index int, doc bson.Raw, id any) {
	g := b.group(ops.BulkInsert)
	g.Docs = append(g.Docs, doc...)
	g.end(index, false)
	b.ids[index] = id
}

func (b *bulk) update(index int, u *ops.UpdateStatement) {
	g := b.group(ops.BulkUpdate)
	g.Docs = ops.AppendUpdate(g.Docs, u)
	g.end(index, u.Multi)
}

func (b *bulk) delete(index int, d *ops.DeleteStatement) {
	g := b.group(ops.BulkDelete)
	g.Docs = ops.AppendDelete(g.Docs, d)
	g.end(index, d.Multi)
}

func (g *group) end(index int, multi bool) {
	g.Ends = append(g.Ends, len(g.Docs))
	g.Index = append(g.Index, index)
	g.Multi = append(g.Multi, multi)
}

func (m InsertOneModel[T]) add(e *encoder, to statements, index int) {
	id := e.insertion(boxed(&m.Document))
	to.insert(index, e.buf, id)
}

func (m UpdateOneModel[T]) add(e *encoder, to statements, index int) {
	to.update(index, &ops.UpdateStatement{
		Filter: e.writeFilter(m.Filter), Update: e.update(m.Update), ArrayFilters: e.array("arrayFilters", m.ArrayFilters),
		Upsert: m.Upsert, Collation: e.collation(m.Collation), Hint: e.hint(m.Hint), Sort: e.ordered("sort", m.Sort),
	})
}

func (m UpdateManyModel[T]) add(e *encoder, to statements, index int) {
	to.update(index, &ops.UpdateStatement{
		Filter: e.writeFilter(m.Filter), Update: e.update(m.Update), ArrayFilters: e.array("arrayFilters", m.ArrayFilters),
		Multi: true, Upsert: m.Upsert, Collation: e.collation(m.Collation), Hint: e.hint(m.Hint),
	})
}

func (m ReplaceOneModel[T]) add(e *encoder, to statements, index int) {
	to.update(index, &ops.UpdateStatement{
		Filter: e.writeFilter(m.Filter), Update: e.replacement(m.Replacement),
		Upsert: m.Upsert, Collation: e.collation(m.Collation), Hint: e.hint(m.Hint), Sort: e.ordered("sort", m.Sort),
	})
}

func (m DeleteOneModel[T]) add(e *encoder, to statements, index int) {
	to.delete(index, &ops.DeleteStatement{Filter: e.writeFilter(m.Filter), Collation: e.collation(m.Collation), Hint: e.hint(m.Hint)})
}

func (m DeleteManyModel[T]) add(e *encoder, to statements, index int) {
	to.delete(index, &ops.DeleteStatement{Filter: e.writeFilter(m.Filter), Multi: true, Collation: e.collation(m.Collation), Hint: e.hint(m.Hint)})
}

// missing reports whether a model is nil, or a nil pointer to one.
func missing(model any) bool {
	v := reflect.ValueOf(model)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// BulkWrite makes writes of all kinds, in as many commands as it takes. The
// error is a *BulkWriteError if some were refused; the result then says what
// the others did. It is nil if no command was sent.
func (c *Collection[T]) BulkWrite(ctx context.Context, models []WriteModel[T], opts ...BulkWriteOptions) (*BulkWriteResult, error) {
	if len(models) == 0 {
		return nil, errors.New("bulkWrite: the list of writes is empty")
	}
	o, e := option.Of(opts), c.encoder()
	b := bulk{ordered: !o.Unordered, large: c.large.Load(), ids: map[int]any{}}
	for i, m := range models {
		if missing(m) {
			return nil, fmt.Errorf("bulkWrite: write %d has no model", i)
		}
		e.buf = e.buf[:0]
		if m.add(e, &b, i); e.err != nil {
			return nil, fmt.Errorf("bulkWrite: write %d: %w", i, e.err)
		}
	}
	w := ops.WriteOptions{
		Unordered:                o.Unordered,
		BypassDocumentValidation: o.BypassDocumentValidation,
		Comment:                  e.value("comment", o.Comment),
		Let:                      e.doc("let", o.Let),
		RawData:                  o.RawData,
	}
	env, err := c.envelope(ctx)
	if err = errors.Join(e.err, err); err != nil {
		return nil, err
	}
	op, err := c.db.client.exec.Begin(ctx, &env, "bulkWrite", c.name)
	if err != nil {
		return nil, err
	}
	var out ops.Outcome
	for _, g := range b.groups {
		if !c.db.client.exec.Bulk(ctx, env, c.name, w, g.kind, &g.Statements, &out) {
			break
		}
	}
	e.release()
	c.wrote(b.release())
	if !out.Begun {
		err := bulkError(&out)
		op.End(err)
		return nil, err
	}
	res, err := b.result(&out)
	res.Acknowledged = env.WriteConcern.Acknowledged()
	err = errors.Join(bulkError(&out), err)
	op.End(err)
	return res, err
}

func (b *bulk) result(out *ops.Outcome) (*BulkWriteResult, error) {
	res := &BulkWriteResult{
		InsertedCount: out.Inserted, MatchedCount: out.Matched, ModifiedCount: out.Modified,
		DeletedCount: out.Deleted, UpsertedCount: out.Upserted,
		InsertedIDs: b.ids, UpsertedIDs: make(map[int]any, len(out.UpsertedIDs)),
	}
	keepInserted(b.ids, out, b.ordered)
	for i, id := range out.UpsertedIDs {
		var v any
		if err := id.Unmarshal(&v); err != nil {
			return res, err
		}
		res.UpsertedIDs[i] = v
	}
	return res, nil
}
