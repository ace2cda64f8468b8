package motor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
	"github.com/motor-go/motor/session"
)

// ClientWrite is one write of Client.BulkWrite.
type ClientWrite struct {
	// Namespace is the collection that the write goes to: "database.collection".
	Namespace string
	Model     ClientWriteModel
}

// ClientWriteModel is a WriteModel with documents of any type: InsertOneModel,
// UpdateOneModel, UpdateManyModel, ReplaceOneModel, DeleteOneModel or
// DeleteManyModel.
type ClientWriteModel interface {
	add(e *encoder, to statements, index int)
}

// ClientBulkWriteOptions are the options of Client.BulkWrite.
type ClientBulkWriteOptions struct {
	// Unordered goes on after an error, and may change the order of the writes.
	Unordered                bool
	BypassDocumentValidation *bool
	Comment                  any
	Let                      any
	RawData                  bool
	// WriteConcern is the client's if it is nil.
	WriteConcern *WriteConcern
	// Verbose asks for the results of the single writes.
	Verbose bool
}

// ClientBulkWriteResult says what Client.BulkWrite did.
type ClientBulkWriteResult struct {
	InsertedCount, MatchedCount, ModifiedCount, DeletedCount, UpsertedCount int64
	// InsertResults, UpdateResults and DeleteResults are those of the writes
	// that succeeded, by the index of the write. They are nil unless
	// ClientBulkWriteOptions.Verbose is set.
	InsertResults map[int]InsertOneResult
	UpdateResults map[int]UpdateResult
	DeleteResults map[int]DeleteResult
	// Acknowledged is false after a write with w: 0.
	Acknowledged bool
}

// BulkWrite makes writes of all kinds to collections of any database, in as few
// commands as the server allows. Servers before 8.0 do not know it. The error is
// a *BulkWriteError if some writes were refused, or if an error ended the bulk
// write after others had succeeded; the result then says what those did, or is
// nil if none is known to have succeeded.
func (c *Client) BulkWrite(ctx context.Context, writes []ClientWrite, opts ...ClientBulkWriteOptions) (*ClientBulkWriteResult, error) {
	if err := c.ready(ctx); err != nil {
		return nil, err
	}
	o, e := option.Of(opts), newEncoder(c.settings.codec)
	var b clientBulk
	b.Docs, _ = largeBuffers.Take()
	e.expect(true)
	if err := b.fill(e, writes); err != nil {
		return nil, fmt.Errorf("bulkWrite: %w", err)
	}
	w := ops.WriteOptions{
		Unordered:                o.Unordered,
		BypassDocumentValidation: o.BypassDocumentValidation,
		Comment:                  e.value("comment", o.Comment),
		Let:                      e.doc("let", o.Let),
		RawData:                  o.RawData,
	}
	env, err := c.envelope(ctx, "admin", c.settings.with(Settings{WriteConcern: o.WriteConcern}))
	if err = errors.Join(e.err, err); err != nil {
		return nil, err
	}
	switch {
	case o.WriteConcern != nil && env.Session != nil && env.Session.Transaction.InProgress():
		return nil, session.ErrTransactionWriteConcern
	case env.WriteConcern.Acknowledged():
	case o.Verbose:
		return nil, errors.New("bulkWrite: cannot request unacknowledged write concern and verbose results")
	case !o.Unordered:
		return nil, errors.New("bulkWrite: cannot request unacknowledged write concern and ordered writes")
	}
	op, err := c.exec.Begin(ctx, &env, "bulkWrite", "")
	if err != nil {
		return nil, err
	}
	out := c.exec.ClientBulk(ctx, env, w, o.Verbose, &b.ClientStatements)
	e.release()
	if cap(b.Docs) > largeBuffer {
		largeBuffers.Put(b.Docs[:0])
	}
	res, err := b.result(&out, env.WriteConcern.Acknowledged(), o.Verbose)
	op.End(err)
	return res, err
}

// clientBulk is the statements of a bulk write.
type clientBulk struct {
	ops.ClientStatements
	kinds []ops.BulkKind
	ids   []any // of documents to be inserted, nil for other statements
}

func (b *clientBulk) fill(e *encoder, writes []ClientWrite) error {
	if len(writes) == 0 {
		return errors.New("the list of writes is empty")
	}
	n := len(writes)
	b.Ends, b.Namespace, b.Multi = make([]int, 0, n), make([]int, 0, n), make([]bool, 0, n)
	b.kinds, b.ids = make([]ops.BulkKind, 0, n), make([]any, n)
	for i, w := range writes {
		at := slices.Index(b.Namespaces, w.Namespace)
		if at < 0 {
			at = len(b.Namespaces)
			b.Namespaces = append(b.Namespaces, w.Namespace)
		}
		b.Namespace = append(b.Namespace, at)
		if e.buf = e.buf[:0]; missing(w.Model) {
			return fmt.Errorf("write %d has no model", i)
		}
		if w.Model.add(e, b, i); e.err != nil {
			return fmt.Errorf("write %d: %w", i, e.err)
		}
	}
	return nil
}

func (b *clientBulk) insert(index int, doc bson.Raw, id any) {
	b.Docs = ops.AppendClientInsert(b.Docs, doc)
	b.ids[index] = id
	b.end(ops.BulkInsert, false)
}

func (b *clientBulk) update(_ int, u *ops.UpdateStatement) {
	b.Docs = ops.AppendClientUpdate(b.Docs, u)
	b.end(ops.BulkUpdate, u.Multi)
}

func (b *clientBulk) delete(_ int, d *ops.DeleteStatement) {
	b.Docs = ops.AppendClientDelete(b.Docs, d)
	b.end(ops.BulkDelete, d.Multi)
}

func (b *clientBulk) end(kind ops.BulkKind, multi bool) {
	b.Ends = append(b.Ends, len(b.Docs))
	b.Multi = append(b.Multi, multi)
	b.kinds = append(b.kinds, kind)
}

func (b *clientBulk) result(out *ops.ClientOutcome, acknowledged, verbose bool) (*ClientBulkWriteResult, error) {
	err := clientBulkError(out)
	if !acknowledged {
		return &ClientBulkWriteResult{}, err
	}
	if !out.Written {
		return nil, err
	}
	res := &ClientBulkWriteResult{
		InsertedCount: out.Inserted, MatchedCount: out.Matched, ModifiedCount: out.Modified,
		DeletedCount: out.Deleted, UpsertedCount: out.Upserted, Acknowledged: true,
	}
	if verbose {
		err = errors.Join(err, b.verbose(res, out))
	}
	return res, err
}

// verbose fills in the results of the single writes.
func (b *clientBulk) verbose(res *ClientBulkWriteResult, out *ops.ClientOutcome) error {
	res.InsertResults, res.UpdateResults, res.DeleteResults = map[int]InsertOneResult{}, map[int]UpdateResult{}, map[int]DeleteResult{}
	for i, r := range out.Results {
		switch b.kinds[i] {
		case ops.BulkInsert:
			res.InsertResults[i] = InsertOneResult{InsertedID: b.ids[i], Acknowledged: true}
		case ops.BulkDelete:
			res.DeleteResults[i] = DeleteResult{DeletedCount: r.N, Acknowledged: true}
		case ops.BulkUpdate:
			u := UpdateResult{MatchedCount: r.N, ModifiedCount: r.Modified, Acknowledged: true}
			if !r.Upserted.IsZero() {
				u.UpsertedCount = 1
				if err := r.Upserted.Unmarshal(&u.UpsertedID); err != nil {
					return err
				}
			}
			res.UpdateResults[i] = u
		}
	}
	return nil
}

func clientBulkError(out *ops.ClientOutcome) error {
	switch {
	case !out.Failed():
		return nil
	case len(out.WriteErrors) == 0 && len(out.WriteConcernErrors) == 0 && !out.Written:
		return out.Err
	}
	return &BulkWriteError{
		WriteErrors: out.WriteErrors, WriteConcernErrors: out.WriteConcernErrors, Err: out.Err,
		Labels: out.Labels, Reply: out.Reply,
	}
}
