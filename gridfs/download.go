package gridfs

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
)

// DownloadByNameOptions are the options of a download by name.
type DownloadByNameOptions struct {
	// Revision is which of the files with the name to take: 0 is the first that
	// was stored, 1 the next; -1 is the latest, -2 the one before. Nil means -1.
	Revision *int32
}

// The first request for chunks asks for about as many bytes as readers of a
// part of a file may want, further requests for more.
const (
	firstBatch = 1 << 20
	nextBatch  = 4 << 20
)

// DownloadStream reads a file. It serves one goroutine at a time and must be
// closed.
//
// After an error of the server or of the network it can be read on, or sought;
// it then asks for the chunks anew.
type DownloadStream struct {
	ctx    context.Context
	cancel context.CancelFunc
	bucket *Bucket
	file   File
	fileID bson.RawValue
	layout layout
	closed bool

	offset int64  // of the next byte to read
	data   []byte // chunk n, lent by the cursor; nil if there is none
	n      int64

	cursor *motor.Cursor[bson.D] // nil if there is none
	next   int64                 // the chunk that the cursor is to give next
}

// OpenDownloadStream opens the file with the id, or returns ErrFileNotFound.
func (b *Bucket) OpenDownloadStream(ctx context.Context, id any) (*DownloadStream, error) {
	fileID, err := b.fileID(id)
	if err != nil {
		return nil, err
	}
	return b.open(ctx, func(ctx context.Context) (bson.Raw, error) {
		doc, err := b.documents.FindOne(ctx, bson.D{{Key: "_id", Value: exactly(fileID)}})
		if errors.Is(err, motor.ErrNoDocuments) {
			err = b.notFound(id)
		}
		return doc, err
	})
}

// OpenDownloadStreamByName opens a revision of the file with the name. It
// returns ErrFileNotFound, or ErrRevisionNotFound if the file has others.
func (b *Bucket) OpenDownloadStreamByName(ctx context.Context, filename string, opts ...DownloadByNameOptions) (*DownloadStream, error) {
	if !b.made() {
		return nil, errNoBucket
	}
	revision := int64(-1)
	if r := option.Of(opts).Revision; r != nil {
		revision = int64(*r)
	}
	direction, skip := 1, revision
	if revision < 0 {
		direction, skip = -1, -revision-1
	}
	filter := bson.D{{Key: "filename", Value: filename}}
	return b.open(ctx, func(ctx context.Context) (bson.Raw, error) {
		doc, err := b.documents.FindOne(ctx, filter, motor.FindOneOptions{Sort: bson.D{{Key: "uploadDate", Value: direction}}, Skip: skip})
		if errors.Is(err, motor.ErrNoDocuments) {
			err = b.notFound(filename)
			if skip > 0 {
				err = b.noRevision(ctx, filter, filename, revision)
			}
		}
		return doc, err
	})
}

// noRevision is why there is no such revision: the file has fewer, or none.
func (b *Bucket) noRevision(ctx context.Context, filter bson.D, filename string, revision int64) error {
	_, err := b.documents.FindOne(ctx, filter)
	if errors.Is(err, motor.ErrNoDocuments) {
		return b.notFound(filename)
	}
	if err != nil {
		return err
	}
	return fmt.Errorf("bucket %s: %w: %d of %s", b.name, ErrRevisionNotFound, revision, filename)
}

// DownloadToStream writes the file with the id to destination, and returns how
// many bytes that took. It does not close destination.
//
// ctx is not heeded while destination is being written to.
func (b *Bucket) DownloadToStream(ctx context.Context, id any, destination io.Writer) (int64, error) {
	d, err := b.OpenDownloadStream(ctx, id)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	return d.WriteTo(destination)
}

// DownloadToStreamByName is DownloadToStream for a revision of the file with the
// name.
func (b *Bucket) DownloadToStreamByName(ctx context.Context, filename string, destination io.Writer, opts ...DownloadByNameOptions) (int64, error) {
	d, err := b.OpenDownloadStreamByName(ctx, filename, opts...)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	return d.WriteTo(destination)
}

// open is a stream for the file whose files collection document find finds.
func (b *Bucket) open(ctx context.Context, find func(context.Context) (bson.Raw, error)) (*DownloadStream, error) {
	ctx, cancel, err := b.db.ShareTimeout(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := find(ctx)
	if err == nil {
		d, wrong := b.stream(ctx, doc)
		if err = wrong; err == nil {
			d.cancel = cancel
			return d, nil
		}
	}
	cancel()
	return nil, err
}

// stream is a stream for the file with that files collection document.
func (b *Bucket) stream(ctx context.Context, doc bson.Raw) (*DownloadStream, error) {
	d := &DownloadStream{ctx: ctx, bucket: b, fileID: doc.Lookup("_id")}
	if err := b.codec.Unmarshal(doc, &d.file); err != nil {
		return nil, fmt.Errorf("bucket %s: files collection document %v: %w", b.name, d.fileID, err)
	}
	if f := &d.file; f.Length < 0 || f.Length > 0 && f.ChunkSize <= 0 {
		return nil, fmt.Errorf("bucket %s: file %v has a length of %d bytes and chunks of %d", b.name, f.ID, f.Length, f.ChunkSize)
	}
	d.layout = layout{d.file.Length, d.file.ChunkSize}
	return d, nil
}

// File is the file that the stream reads.
func (d *DownloadStream) File() *File { return &d.file }

// Read reads from the chunk at the offset.
func (d *DownloadStream) Read(p []byte) (int, error) {
	data, err := d.peek()
	if err != nil || len(p) == 0 {
		return 0, err
	}
	n := copy(p, data)
	d.offset += int64(n)
	return n, nil
}

// WriteTo writes all from the offset to the end to w, chunk by chunk, without
// copying. It is what io.Copy calls.
func (d *DownloadStream) WriteTo(w io.Writer) (total int64, err error) {
	for {
		data, err := d.peek()
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
		n, err := w.Write(data)
		total += int64(n)
		d.offset += int64(n)
		if err != nil {
			return total, err
		}
		if n < len(data) {
			return total, io.ErrShortWrite
		}
	}
}

// Seek sets the offset for the next Read. It sends nothing; Read fetches the
// chunk at the offset if it is not here.
func (d *DownloadStream) Seek(offset int64, whence int) (int64, error) {
	if d.closed {
		return 0, ErrStreamClosed
	}
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += d.offset
	case io.SeekEnd:
		offset += d.layout.length
	default:
		return 0, fmt.Errorf("seek: %d is no whence", whence)
	}
	if offset < 0 {
		return 0, fmt.Errorf("seek: the offset %d lies before the start of the file", offset)
	}
	d.offset = offset
	return offset, nil
}

// Close closes the stream. It may be called more than once.
func (d *DownloadStream) Close() error {
	d.closed = true
	if d.bucket == nil {
		return nil
	}
	d.release()
	d.cancel()
	return nil
}

// peek is what there is to read at the offset without another request, io.EOF
// at the end.
func (d *DownloadStream) peek() ([]byte, error) {
	switch {
	case d.closed:
		return nil, ErrStreamClosed
	case d.bucket == nil:
		return nil, errNoBucket
	}
	if d.offset >= d.layout.length {
		return nil, d.end()
	}
	n := d.offset / d.layout.chunkSize
	if d.data == nil || d.n != n {
		if err := d.load(n); err != nil {
			d.release()
			return nil, err
		}
	}
	return d.data[d.offset-n*d.layout.chunkSize:], nil
}

// load makes chunk n the one to read from.
func (d *DownloadStream) load(n int64) error {
	ahead := n - d.next
	if d.cursor == nil || ahead < 0 || ahead > 0 && ahead >= int64(d.cursor.RemainingBatch()) {
		if err := d.find(n); err != nil {
			return err
		}
	}
	for d.next < n { // what was skipped is here already
		if _, err := d.fetch(); err != nil {
			return err
		}
	}
	data, err := d.fetch()
	if err != nil {
		return err
	}
	d.data, d.n = data, n
	return nil
}

// find asks for the chunks from n on.
func (d *DownloadStream) find(n int64) error {
	d.release()
	filter := bson.D{{Key: "files_id", Value: exactly(d.fileID)}}
	if n > 0 {
		filter = append(filter, bson.E{Key: "n", Value: bson.D{{Key: "$gte", Value: n}}})
	}
	o := motor.FindOptions{Sort: bson.D{{Key: "n", Value: 1}}, BatchSize: new(d.batchSize(n, firstBatch))}
	cursor, err := d.bucket.chunks.FindCursor(d.ctx, filter, o)
	if err != nil {
		return err
	}
	d.cursor, d.next = cursor, n
	return nil
}

// batchSize is how many chunks from n on to ask for. What reaches to the end of
// the file asks for one more: so the server closes the cursor by itself, and a
// chunk too many shows.
func (d *DownloadStream) batchSize(n, bytes int64) int32 {
	left := d.layout.chunks() - n
	if size := d.layout.batch(bytes); size < left {
		return int32(size)
	}
	return int32(left + 1)
}

// fetch takes the next chunk from the cursor and checks it.
func (d *DownloadStream) fetch() ([]byte, error) {
	if d.cursor.RemainingBatch() == 0 {
		d.cursor.SetBatchSize(d.batchSize(d.next, nextBatch))
	}
	d.data = nil
	if !d.cursor.Next(d.ctx) {
		if err := d.cursor.Err(); err != nil {
			return nil, err
		}
		return nil, d.wrong(d.next, "is missing")
	}
	chunk := d.cursor.Current()
	n, ok := chunk.Lookup("n").AsInt64()
	switch {
	case !ok:
		return nil, d.wrong(d.next, "has no number n")
	case n > d.next:
		return nil, d.wrong(d.next, "is missing")
	case n < d.next:
		return nil, d.wrong(n, "is one too many")
	}
	data, ok := chunk.Lookup("data").Binary()
	if want := d.layout.chunkLength(n); !ok {
		return nil, d.wrong(n, "has no binary data")
	} else if int64(len(data.Data)) != want {
		return nil, d.wrong(n, fmt.Sprintf("has %d bytes instead of %d", len(data.Data), want))
	}
	d.next++
	return data.Data, nil
}

// end is io.EOF, unless it is known without another request that there is a
// chunk behind the last. Old drivers have left empty ones there.
func (d *DownloadStream) end() error {
	if d.cursor == nil || d.next < d.layout.chunks() || d.cursor.RemainingBatch() == 0 {
		return io.EOF
	}
	defer d.release()
	if d.cursor.Next(d.ctx) {
		if extra, _ := d.cursor.Current().Lookup("data").Binary(); len(extra.Data) > 0 {
			return d.wrong(d.next, "is one too many")
		}
	}
	return io.EOF
}

func (d *DownloadStream) wrong(n int64, problem string) error {
	return &ChunkError{FileID: d.file.ID, N: n, Problem: problem}
}

// release lets go of the chunks that are here.
func (d *DownloadStream) release() {
	d.data = nil
	if d.cursor == nil {
		return
	}
	if d.cursor.ID() == 0 && d.cursor.RemainingBatch() == 0 {
		d.cursor.Next(d.ctx) // with all seen, others get the memory of batches
	}
	d.cursor.Close(context.WithoutCancel(d.ctx))
	d.cursor = nil
}
