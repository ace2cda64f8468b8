package gridfs

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
)

const (
	defaultName      = "fs"
	defaultChunkSize = 255 << 10
)

// Options are the options of a bucket.
type Options struct {
	// Name is what the names of the bucket's collections begin with; "fs" if
	// empty.
	Name string
	// ChunkSizeBytes is the chunk size of new files, 255 KiB if 0. Files that
	// are there keep theirs.
	ChunkSizeBytes int32
	// ReadConcern, WriteConcern, ReadPreference and Timeout are the database's
	// if nil. Timeout is that of a whole operation, however many commands it
	// takes, and of the whole life of a stream.
	ReadConcern    *motor.ReadConcern
	WriteConcern   *motor.WriteConcern
	ReadPreference *motor.ReadPreference
	Timeout        *time.Duration
}

// Bucket is a GridFS bucket of a database. It holds no connection and may be
// used by many goroutines.
type Bucket struct {
	name      string
	chunkSize int32
	codec     bson.Options // of ids and metadata
	db        *motor.Database
	files     *motor.Collection[File]
	chunks    *motor.Collection[bson.D]
	documents *motor.Collection[bson.Raw] // of files, to write

	// indexing is held by whoever makes the indexes.
	indexing chan struct{}
	indexed  atomic.Bool
}

// NewBucket is a bucket of db. Nothing is sent; the bucket's collections and
// their indexes come into being with the first file.
func NewBucket(db *motor.Database, opts ...Options) *Bucket {
	if db == nil {
		db = new(motor.Database) // whose operations say so
	}
	o := option.Of(opts)
	if o.Name == "" {
		o.Name = defaultName
	}
	if o.ChunkSizeBytes == 0 {
		o.ChunkSizeBytes = defaultChunkSize
	}
	s := motor.Settings{ReadConcern: o.ReadConcern, WriteConcern: o.WriteConcern, ReadPreference: o.ReadPreference, Timeout: o.Timeout}
	ours := s
	ours.BSON = new(bson.Options) // the layout of chunks is not the user's to change
	return &Bucket{
		name:      o.Name,
		chunkSize: o.ChunkSizeBytes,
		codec:     db.BSON(),
		db:        db.With(s),
		files:     motor.CollectionOf[File](db, o.Name+".files", s),
		documents: motor.CollectionOf[bson.Raw](db, o.Name+".files", ours),
		chunks:    motor.CollectionOf[bson.D](db, o.Name+".chunks", ours),
		indexing:  make(chan struct{}, 1),
	}
}

// made reports whether b comes from NewBucket.
func (b *Bucket) made() bool { return b != nil && b.db != nil }

// Name is the bucket's name.
func (b *Bucket) Name() string { return b.name }

// Find is the files whose files collection documents match filter; nil matches
// all. The name of a field of the metadata is "metadata.field".
func (b *Bucket) Find(ctx context.Context, filter any, opts ...motor.FindOptions) motor.Docs[File] {
	if !b.made() {
		return func(yield func(File, error) bool) { yield(File{}, errNoBucket) }
	}
	return b.files.Find(ctx, filter, opts...)
}

// Delete deletes the file with the id, or returns ErrFileNotFound. Chunks that
// an unfinished upload or delete has left behind under the id go in both cases.
func (b *Bucket) Delete(ctx context.Context, id any) error {
	value, err := b.fileID(id)
	if err != nil {
		return err
	}
	ctx, cancel, err := b.db.ShareTimeout(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	res, err := b.files.DeleteOne(ctx, bson.D{{Key: "_id", Value: exactly(value)}})
	if err != nil {
		return err
	}
	if _, err := b.chunks.DeleteMany(ctx, bson.D{{Key: "files_id", Value: exactly(value)}}); err != nil {
		return err
	}
	if res.Acknowledged && res.DeletedCount == 0 {
		return b.notFound(id)
	}
	return nil
}

// DeleteByName deletes all revisions of the file, or returns ErrFileNotFound.
func (b *Bucket) DeleteByName(ctx context.Context, filename string) error {
	if !b.made() {
		return errNoBucket
	}
	ctx, cancel, err := b.db.ShareTimeout(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	ids := bson.A{}
	projection := motor.FindOptions{Projection: bson.D{{Key: "_id", Value: 1}}}
	for doc, err := range b.documents.Find(ctx, bson.D{{Key: "filename", Value: filename}}, projection) {
		if err != nil {
			return err
		}
		ids = append(ids, doc.Lookup("_id"))
	}
	if len(ids) == 0 {
		return b.notFound(filename)
	}
	for ids := range slices.Chunk(ids, idsPerDelete) {
		if _, err := b.files.DeleteMany(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}); err != nil {
			return err
		}
		if _, err := b.chunks.DeleteMany(ctx, bson.D{{Key: "files_id", Value: bson.D{{Key: "$in", Value: ids}}}}); err != nil {
			return err
		}
	}
	return nil
}

// idsPerDelete keeps a delete by ids well below the size of a command.
const idsPerDelete = 10_000

// Rename gives the file with the id another name, or returns ErrFileNotFound.
func (b *Bucket) Rename(ctx context.Context, id any, newFilename string) error {
	value, err := b.fileID(id)
	if err != nil {
		return err
	}
	res, err := b.files.UpdateOne(ctx, bson.D{{Key: "_id", Value: exactly(value)}}, rename(newFilename))
	if err == nil && res.Acknowledged && res.MatchedCount == 0 {
		return b.notFound(id)
	}
	return err
}

// RenameByName gives all revisions of the file another name, or returns
// ErrFileNotFound.
func (b *Bucket) RenameByName(ctx context.Context, filename, newFilename string) error {
	if !b.made() {
		return errNoBucket
	}
	res, err := b.files.UpdateMany(ctx, bson.D{{Key: "filename", Value: filename}}, rename(newFilename))
	if err == nil && res.Acknowledged && res.MatchedCount == 0 {
		return b.notFound(filename)
	}
	return err
}

func rename(newFilename string) bson.D {
	return bson.D{{Key: "$set", Value: bson.D{{Key: "filename", Value: newFilename}}}}
}

// Drop drops the bucket with all its files. It is no error if there is none.
func (b *Bucket) Drop(ctx context.Context) error {
	if !b.made() {
		return errNoBucket
	}
	ctx, cancel, err := b.db.ShareTimeout(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	if err := b.files.Drop(ctx); err != nil {
		return err
	}
	b.indexed.Store(false)
	return b.chunks.Drop(ctx)
}

// fileID encodes an id.
func (b *Bucket) fileID(id any) (bson.RawValue, error) {
	if !b.made() {
		return bson.RawValue{}, errNoBucket
	}
	value, err := b.codec.MarshalValue(id)
	if err != nil {
		return value, fmt.Errorf("file id: %w", err)
	}
	switch value.Type {
	case bson.TypeArray, bson.TypeRegex, bson.TypeUndefined:
		return value, fmt.Errorf("file id: the server takes no %v as an _id", value.Type)
	}
	return value, nil
}

// exactly is what a filter needs to match id: a document of operators would be
// taken for a condition.
func exactly(id bson.RawValue) any {
	if id.Type == bson.TypeEmbeddedDocument {
		return bson.D{{Key: "$eq", Value: id}}
	}
	return id
}

// notFound says which file there is not, by its id or its name.
func (b *Bucket) notFound(file any) error {
	return fmt.Errorf("bucket %s: %w: %v", b.name, ErrFileNotFound, file)
}
