package gridfs

import (
	"context"
	"errors"
	"fmt"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// ensureIndexes makes the bucket's indexes before its first write, if no file
// is there yet. Others who want to write wait until it is done; if it fails,
// the next one tries.
func (b *Bucket) ensureIndexes(ctx context.Context) error {
	if b.indexed.Load() {
		return nil
	}
	select {
	case b.indexing <- struct{}{}:
		defer func() { <-b.indexing }()
	case <-ctx.Done():
		err := ctx.Err()
		if errors.Is(err, context.DeadlineExceeded) {
			err = fmt.Errorf("%w: %w", motor.ErrTimeout, err)
		}
		return fmt.Errorf("bucket %s: waiting for its indexes: %w", b.name, err)
	}
	if b.indexed.Load() {
		return nil
	}
	if err := b.createIndexes(outsideTransaction(ctx)); err != nil {
		return fmt.Errorf("bucket %s: creating its indexes: %w", b.name, err)
	}
	b.indexed.Store(true)
	return nil
}

// outsideTransaction is ctx without its session if that is in a transaction,
// where indexes can be neither listed nor made.
func outsideTransaction(ctx context.Context) context.Context {
	if s := motor.SessionFromContext(ctx); s != nil && s.InTransaction() {
		var none *motor.Session
		return none.Bind(ctx)
	}
	return ctx
}

func (b *Bucket) createIndexes(ctx context.Context) error {
	primary := motor.Settings{ReadPreference: new(motor.ReadPreference{Mode: motor.Primary})}
	_, err := b.documents.With(primary).FindOne(ctx, nil, motor.FindOneOptions{Projection: bson.D{{Key: "_id", Value: 1}}})
	if err == nil || !errors.Is(err, motor.ErrNoDocuments) {
		return err
	}
	err = createIndex(ctx, b.files, motor.IndexModel{Keys: bson.D{{Key: "filename", Value: 1}, {Key: "uploadDate", Value: 1}}})
	if err != nil {
		return err
	}
	return createIndex(ctx, b.chunks, motor.IndexModel{Keys: bson.D{{Key: "files_id", Value: 1}, {Key: "n", Value: 1}}, Unique: true})
}

// createIndex makes an index unless there is one with its keys: a user who may
// not make indexes can still write to a bucket that has them.
func createIndex[T any](ctx context.Context, c *motor.Collection[T], index motor.IndexModel) error {
	for i, err := range c.ListIndexes(ctx) {
		if err != nil {
			return err
		}
		if sameKeys(i.Keys, index.Keys.(bson.D)) {
			return nil
		}
	}
	_, err := c.CreateIndex(ctx, index)
	return err
}

// sameKeys reports whether have is the ascending index want. Numbers of all
// types are equal if their values are.
func sameKeys(have bson.Raw, want bson.D) bool {
	n := 0
	for key, v := range have.All() {
		direction, ok := v.AsDouble()
		if n == len(want) || key != want[n].Key || !ok || direction != 1 {
			return false
		}
		n++
	}
	return n == len(want)
}
