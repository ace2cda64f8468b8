package gridfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/internal/shelf"
)

// UploadOptions are the options of an upload.
type UploadOptions struct {
	// ChunkSizeBytes is the file's chunk size; the bucket's if 0.
	ChunkSizeBytes int32
	// Metadata is kept with the file: a document, or nil for none.
	Metadata any
}

// maxChunkSize is what no server takes, since a chunk has more than its data.
const maxChunkSize = 16 << 20

// uploadBatch is about how many bytes an UploadStream sends at once.
const uploadBatch = 4 << 20

// UploadStream writes a file. It serves one goroutine at a time, and must be
// closed or aborted.
type UploadStream struct {
	ctx      context.Context
	cancel   context.CancelFunc
	bucket   *Bucket
	id       any
	fileID   bson.RawValue
	filename string
	metadata bson.Raw
	layout   layout
	batch    int // bytes to send at once: whole chunks

	buf    []byte          // what waits to be sent: less than a batch
	chunks []bson.ObjectID // the _id of all chunks that were sent
	file   bson.Raw        // the document without metadata, if it may have been stored
	err    error           // why nothing can be written any more
	done   bool            // closed or aborted, with success
}

// OpenUploadStream opens a stream that the contents of a new file are to be
// written to. Its id will be an ObjectID.
func (b *Bucket) OpenUploadStream(ctx context.Context, filename string, opts ...UploadOptions) (*UploadStream, error) {
	return b.OpenUploadStreamWithID(ctx, bson.NewObjectID(), filename, opts...)
}

// OpenUploadStreamWithID is OpenUploadStream with an id of one's own, which no
// other file may have.
func (b *Bucket) OpenUploadStreamWithID(ctx context.Context, id any, filename string, opts ...UploadOptions) (*UploadStream, error) {
	o := option.Of(opts)
	fileID, err := b.fileID(id)
	if err != nil {
		return nil, err
	}
	if o.ChunkSizeBytes == 0 {
		o.ChunkSizeBytes = b.chunkSize
	}
	if o.ChunkSizeBytes < 0 || o.ChunkSizeBytes > maxChunkSize {
		return nil, fmt.Errorf("chunk size of %d bytes: it must be positive, and a chunk must fit into a document of 16 MiB", o.ChunkSizeBytes)
	}
	u := &UploadStream{bucket: b, id: id, fileID: fileID, filename: filename}
	u.layout.chunkSize = int64(o.ChunkSizeBytes)
	u.batch = int(u.layout.batch(uploadBatch) * u.layout.chunkSize)
	if o.Metadata != nil {
		if u.metadata, err = b.codec.Marshal(o.Metadata); err != nil {
			return nil, fmt.Errorf("metadata: %w", err)
		}
	}
	if u.ctx, u.cancel, err = b.db.ShareTimeout(ctx); err != nil {
		return nil, err
	}
	return u, nil
}

// UploadFromStream stores what source has up to its end as a new file, and
// returns the file's id. It does not close source. If source fails, the upload
// is aborted and the error is that of source.
//
// ctx is not heeded while source is being read.
func (b *Bucket) UploadFromStream(ctx context.Context, filename string, source io.Reader, opts ...UploadOptions) (bson.ObjectID, error) {
	id := bson.NewObjectID()
	return id, b.UploadFromStreamWithID(ctx, id, filename, source, opts...)
}

// UploadFromStreamWithID is UploadFromStream with an id of one's own, which no
// other file may have.
func (b *Bucket) UploadFromStreamWithID(ctx context.Context, id any, filename string, source io.Reader, opts ...UploadOptions) error {
	u, err := b.OpenUploadStreamWithID(ctx, id, filename, opts...)
	if err != nil {
		return err
	}
	defer u.cancel()
	if _, err := u.ReadFrom(source); err != nil {
		if u.err == nil {
			u.cleanUp()
		}
		return err
	}
	return u.Close()
}

// ID is the file's id.
func (u *UploadStream) ID() any { return u.id }

// usable is why nothing more can be written, if so.
func (u *UploadStream) usable() error {
	if u.bucket == nil {
		return errNoBucket
	}
	return u.err
}

// Write adds to the file. It sends whole batches of chunks only, so that what
// was written may not be sent until Close. After an error nothing more can be
// written, and the chunks that were sent are orphaned unless Abort deletes them.
func (u *UploadStream) Write(p []byte) (n int, err error) {
	if err := u.usable(); err != nil {
		return 0, err
	}
	for len(p) > 0 {
		k := u.batch
		if len(u.buf) == 0 && len(p) >= k {
			err = u.send(p[:k])
		} else {
			k = copy(u.room(len(p)), p)
			err = u.extend(k)
		}
		if err != nil {
			return n, err
		}
		n, p = n+k, p[k:]
	}
	return n, nil
}

// ReadFrom adds what source has up to its end. It is what io.Copy calls.
func (u *UploadStream) ReadFrom(source io.Reader) (n int64, err error) {
	const least = 32 << 10
	if err := u.usable(); err != nil {
		return 0, err
	}
	for {
		k, err := source.Read(u.room(least))
		n += int64(k)
		if err := u.extend(k); err != nil {
			return n, err
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// buffers are for batches of chunks. They are large, so uploads take turns.
var buffers shelf.Shelf[[]byte]

// room is free space in the buffer. The buffer grows up to a batch, for want
// bytes if they fit.
func (u *UploadStream) room(want int) []byte {
	if u.buf == nil {
		u.buf, _ = buffers.Take()
	}
	if len(u.buf) == cap(u.buf) {
		size := min(max(2*cap(u.buf), len(u.buf)+want), u.batch)
		u.buf = append(make([]byte, 0, size), u.buf...)
	}
	return u.buf[len(u.buf):min(cap(u.buf), u.batch)]
}

// extend counts n bytes of room in, and sends the buffer if it is a batch.
func (u *UploadStream) extend(n int) error {
	u.buf = u.buf[:len(u.buf)+n]
	if len(u.buf) < u.batch {
		return nil
	}
	err := u.send(u.buf)
	u.buf = u.buf[:0]
	return err
}

// send inserts p as the next chunks. It does not keep p.
func (u *UploadStream) send(p []byte) error {
	if err := u.bucket.ensureIndexes(u.ctx); err != nil {
		return u.fail(err)
	}
	list := make([]bson.D, 0, len(p)/int(u.layout.chunkSize)+1)
	for data := range slices.Chunk(p, int(u.layout.chunkSize)) {
		n := len(u.chunks)
		if n > math.MaxInt32 {
			return u.fail(fmt.Errorf("file %v has too many chunks; a chunk size greater than %d would do", u.id, u.layout.chunkSize))
		}
		u.chunks = append(u.chunks, bson.NewObjectID())
		list = append(list, bson.D{
			{Key: "_id", Value: u.chunks[n]}, {Key: "files_id", Value: u.fileID}, {Key: "n", Value: int32(n)}, {Key: "data", Value: bson.Binary{Data: data}},
		})
	}
	if _, err := u.bucket.chunks.InsertMany(u.ctx, list); err != nil {
		return u.fail(err)
	}
	u.layout.length += int64(len(p))
	return nil
}

// fail makes err the answer to all further writes.
func (u *UploadStream) fail(err error) error {
	const small = 64 << 10
	if cap(u.buf) > small {
		buffers.Put(u.buf[:0])
	}
	u.err, u.buf = err, nil
	return err
}

// finish ends the stream with success.
func (u *UploadStream) finish() {
	u.done = true
	u.fail(ErrStreamClosed)
	u.cancel()
}

// Close sends what is left and then the files collection document, which makes
// the file exist. If Write or Close has failed there is no file, and Close
// returns the error.
func (u *UploadStream) Close() error {
	if err := u.usable(); err != nil {
		return err
	}
	if len(u.buf) > 0 {
		if err := u.send(u.buf); err != nil {
			return err
		}
	}
	if err := u.bucket.ensureIndexes(u.ctx); err != nil { // the file may be empty
		return u.fail(err)
	}
	date := bson.NewDateTime(time.Now())
	u.file = u.document(date, nil)
	if _, err := u.bucket.documents.InsertOne(u.ctx, u.document(date, u.metadata)); err != nil {
		if refused := new(motor.WriteError); errors.As(err, &refused) {
			u.file = nil
		}
		return u.fail(err)
	}
	u.finish()
	return nil
}

// document is the files collection document.
func (u *UploadStream) document(date bson.DateTime, metadata bson.Raw) bson.Raw {
	doc, at := bson.BeginDocument(nil)
	doc = bson.AppendValue(doc, "_id", u.fileID)
	doc = bson.AppendInt64(doc, "length", u.layout.length)
	doc = bson.AppendInt32(doc, "chunkSize", int32(u.layout.chunkSize))
	doc = bson.AppendDateTime(doc, "uploadDate", date)
	doc = bson.AppendString(doc, "filename", u.filename)
	if metadata != nil {
		doc = bson.AppendDocument(doc, "metadata", metadata)
	}
	return bson.EndDocument(doc, at)
}

// Abort ends the upload and deletes what was sent of it, and nothing else that
// the bucket may hold under the id. It may also follow a Write or a Close that
// has failed, even if that leaves open whether the file exists. ctx may be
// another than that of the stream, which may have ended. If Abort fails it can
// be called again.
//
// Abort has what is left of the stream's timeout or, if nothing is, the whole
// anew: otherwise a stream that timed out could not be cleaned up.
func (u *UploadStream) Abort(ctx context.Context) error {
	switch {
	case u.done:
		return ErrStreamClosed
	case u.bucket == nil:
		return errNoBucket
	}
	u.fail(ErrStreamClosed)
	ctx, cancel, err := u.closing(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	if u.file != nil {
		if _, err := u.bucket.files.DeleteOne(ctx, u.sameFile()); err != nil {
			return err
		}
	}
	for ids := range slices.Chunk(u.chunks, idsPerDelete) {
		if _, err := u.bucket.chunks.DeleteMany(ctx, bson.D{{Key: "files_id", Value: exactly(u.fileID)}, {Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}); err != nil {
			return err
		}
	}
	u.finish()
	return nil
}

// closing is ctx with the timeout of Abort.
func (u *UploadStream) closing(ctx context.Context) (context.Context, context.CancelFunc, error) {
	deadline, ok := u.ctx.Deadline()
	ctx, cancel, err := u.bucket.db.ShareTimeout(ctx)
	if err != nil || !ok || u.ctx.Err() != nil {
		return ctx, cancel, err
	}
	bounded, stop := context.WithDeadline(ctx, deadline)
	return bounded, func() { stop(); cancel() }, nil
}

// sameFile matches the document that Close has sent, and not that of another
// file with the id.
func (u *UploadStream) sameFile() (filter bson.D) {
	for key, v := range u.file.All() {
		filter = append(filter, bson.E{Key: key, Value: exactly(v)})
	}
	return filter
}

// cleanUp aborts the upload even if the stream's context is cancelled, within
// its deadline or a moment. There is a better error to return than that of
// Abort.
func (u *UploadStream) cleanUp() {
	const moment = 10 * time.Second
	deadline, ok := u.ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(moment)
	}
	ctx, cancel := context.WithDeadline(context.WithoutCancel(u.ctx), deadline)
	defer cancel()
	u.Abort(ctx)
}
