package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/gridfs"
	v1 "go.mongodb.org/mongo-driver/mongo"
	v1gridfs "go.mongodb.org/mongo-driver/mongo/gridfs"
	v2 "go.mongodb.org/mongo-driver/v2/mongo"
)

// The sizes of the files in GridFS that the specification has, in bytes.
const (
	gridfsLarge = 52_428_800
	gridfsMulti = 5_242_880
)

// A bucket stores files in GridFS.
type bucket interface {
	upload(ctx context.Context, name string, from io.Reader) error
	download(ctx context.Context, id int64, to io.Writer) error
}

// fileID is the _id of the i-th stored file of that size, which the responder
// can read from it.
func fileID(size, i int) int64 { return int64(size)<<8 | int64(i) }

// fileSize is the size of the file with the _id.
func fileSize(id int64) int { return int(id >> 8) }

// content is what files of that size hold.
func content(size int) []byte {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{}).Read(b)
	return b
}

// gridfsTask is the job with files in b.
func gridfsTask(b bucket, j job) task {
	switch j.kind {
	case upload:
		text := content(j.size)
		return func(ctx context.Context, see func(any)) error {
			return b.upload(ctx, "gridfstest", bytes.NewReader(text))
		}
	case download:
		return func(ctx context.Context, see func(any)) error {
			if see == nil {
				return b.download(ctx, fileID(j.size, 0), io.Discard)
			}
			sum := sha256.New()
			err := b.download(ctx, fileID(j.size, 0), sum)
			see(sum.Sum(nil))
			return err
		}
	case uploadFiles:
		return func(ctx context.Context, see func(any)) error {
			return eachFile(j.files, func(_ int, name string) error {
				f, err := os.Open(name)
				if err != nil {
					return err
				}
				defer f.Close()
				return b.upload(ctx, name, f)
			})
		}
	case downloadFiles:
		return func(ctx context.Context, see func(any)) error {
			return eachFile(j.files, func(i int, name string) error {
				f, err := os.Create(name)
				if err != nil {
					return err
				}
				return errors.Join(b.download(ctx, fileID(j.size, i), f), f.Close())
			})
		}
	}
	return nil
}

type motorBucket struct{ *gridfs.Bucket }

func (b motorBucket) upload(ctx context.Context, name string, from io.Reader) error {
	_, err := b.UploadFromStream(ctx, name, from)
	return err
}

func (b motorBucket) download(ctx context.Context, id int64, to io.Writer) error {
	_, err := b.DownloadToStream(ctx, id, to)
	return err
}

// The buckets of the official driver read into a buffer of their own, so that
// each goroutine needs one for itself.
type (
	v2Bucket struct{ db *v2.Database }
	v1Bucket struct{ db *v1.Database }
)

func (b v2Bucket) upload(ctx context.Context, name string, from io.Reader) error {
	_, err := b.db.GridFSBucket().UploadFromStream(ctx, name, from)
	return err
}

func (b v2Bucket) download(ctx context.Context, id int64, to io.Writer) error {
	_, err := b.db.GridFSBucket().DownloadToStream(ctx, id, to)
	return err
}

func (b v1Bucket) upload(_ context.Context, name string, from io.Reader) error {
	bucket, err := v1gridfs.NewBucket(b.db)
	if err != nil {
		return err
	}
	_, err = bucket.UploadFromStream(name, from)
	return err
}

func (b v1Bucket) download(_ context.Context, id int64, to io.Writer) error {
	bucket, err := v1gridfs.NewBucket(b.db)
	if err != nil {
		return err
	}
	_, err = bucket.DownloadToStream(id, to)
	return err
}

// store puts the files of the job, which reads them, into the bucket of a real
// server.
func store(ctx context.Context, db *motor.Database, j job) error {
	b := gridfs.NewBucket(db)
	text := content(j.size)
	for i := range max(1, len(j.files)) {
		id := fileID(j.size, i)
		for range b.Find(ctx, bson.D{{Key: "_id", Value: id}}) {
			id = 0 // it is there
		}
		if id == 0 {
			continue
		}
		if err := b.UploadFromStreamWithID(ctx, id, fmt.Sprint("file ", i), bytes.NewReader(text)); err != nil {
			return err
		}
	}
	return nil
}

// emptyBucket makes a bucket that holds a file of one byte.
func emptyBucket(ctx context.Context, db *motor.Database) error {
	b := gridfs.NewBucket(db)
	if err := b.Drop(ctx); err != nil {
		return err
	}
	_, err := b.UploadFromStream(ctx, "one byte", bytes.NewReader([]byte{1}))
	return err
}

// chunkSize is that of the files that the responder has.
const chunkSize = 255 << 10

// chunks counts those of a file.
func chunks(size int) int { return (size + chunkSize - 1) / chunkSize }

// chunk is the n-th chunk of a file.
func chunk(text []byte, n int) bson.Raw {
	part := text[n*chunkSize : min(len(text), (n+1)*chunkSize)]
	doc, at := bson.BeginDocument(make([]byte, 0, len(part)+128))
	doc = bson.AppendObjectID(doc, "_id", bson.ObjectID{})
	doc = bson.AppendInt64(doc, "files_id", fileID(len(text), 0))
	doc = bson.AppendInt32(doc, "n", int32(n))
	doc = bson.AppendBinary(doc, "data", bson.Binary{Data: part})
	return bson.EndDocument(doc, at)
}

// fileDocument is the entry of a file in the files collection.
func fileDocument(id int64) bson.Raw {
	doc, at := bson.BeginDocument(nil)
	doc = bson.AppendInt64(doc, "_id", id)
	doc = bson.AppendInt64(doc, "length", int64(fileSize(id)))
	doc = bson.AppendInt32(doc, "chunkSize", chunkSize)
	doc = bson.AppendDateTime(doc, "uploadDate", 0)
	doc = bson.AppendString(doc, "filename", "gridfstest")
	return bson.EndDocument(doc, at)
}
