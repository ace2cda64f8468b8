package spectests

import (
	"bytes"
	"context"
	"encoding/hex"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/gridfs"
)

// bucket is a GridFS bucket.
type bucket struct{ *gridfs.Bucket }

type bucketSpec struct {
	ID            string
	Database      string
	BucketOptions bucketOptionsSpec `spec:"optional"`
}

type bucketOptionsSpec struct {
	BucketName string `spec:"optional"`
	gridfs.Options
}

func (r *testRun) createBucket(_ context.Context, s bucketSpec) error {
	db, err := lookup[*database](&r.entities, s.Database)
	if err != nil {
		return err
	}
	o := s.BucketOptions.Options
	o.Name = s.BucketOptions.BucketName
	return r.entities.add(s.ID, &bucket{gridfs.NewBucket(db.Database, o)})
}

var bucketOperations = map[string]runnable{
	"upload": on(func(ctx context.Context, _ *testRun, b *bucket, a uploadArgs) (outcome, error) {
		source, err := a.content()
		if err != nil {
			return outcome{}, err
		}
		id, err := b.UploadFromStream(ctx, a.Filename, source, a.UploadOptions)
		if err != nil {
			return outcome{}, err
		}
		return value(id)
	}),
	"uploadWithId": on(func(ctx context.Context, _ *testRun, b *bucket, a struct {
		ID bson.RawValue
		uploadArgs
	},
	) (outcome, error) {
		source, err := a.content()
		if err != nil {
			return outcome{}, err
		}
		return outcome{}, b.UploadFromStreamWithID(ctx, a.ID, a.Filename, source, a.UploadOptions)
	}),
	"download": on(func(ctx context.Context, _ *testRun, b *bucket, a struct{ ID bson.RawValue }) (outcome, error) {
		var content bytes.Buffer
		_, err := b.DownloadToStream(ctx, a.ID, &content)
		return text(content.Bytes(), err)
	}),
	"downloadByName": on(func(ctx context.Context, _ *testRun, b *bucket, a struct {
		Filename string
		gridfs.DownloadByNameOptions
	},
	) (outcome, error) {
		var content bytes.Buffer
		_, err := b.DownloadToStreamByName(ctx, a.Filename, &content, a.DownloadByNameOptions)
		return text(content.Bytes(), err)
	}),
	"find": on(func(ctx context.Context, _ *testRun, b *bucket, a struct {
		Filter bson.Raw
		motor.FindOptions
	},
	) (outcome, error) {
		return many(b.Find(ctx, a.Filter, a.FindOptions).Slice())
	}),
	"delete": on(func(ctx context.Context, _ *testRun, b *bucket, a struct{ ID bson.RawValue }) (outcome, error) {
		return outcome{}, b.Delete(ctx, a.ID)
	}),
	"deleteByName": on(func(ctx context.Context, _ *testRun, b *bucket, a struct{ Filename string }) (outcome, error) {
		return outcome{}, b.DeleteByName(ctx, a.Filename)
	}),
	"rename": on(func(ctx context.Context, _ *testRun, b *bucket, a struct {
		ID          bson.RawValue
		NewFilename string
	},
	) (outcome, error) {
		return outcome{}, b.Rename(ctx, a.ID, a.NewFilename)
	}),
	"renameByName": on(func(ctx context.Context, _ *testRun, b *bucket, a struct{ Filename, NewFilename string }) (outcome, error) {
		return outcome{}, b.RenameByName(ctx, a.Filename, a.NewFilename)
	}),
	"drop": on(func(ctx context.Context, _ *testRun, b *bucket, _ none) (outcome, error) {
		return outcome{}, b.Drop(ctx)
	}),
}

type uploadArgs struct {
	Filename   string
	Source     bson.Raw
	DisableMD5 *bool `spec:"optional"` // no md5 is ever made
	gridfs.UploadOptions
}

// content are the bytes that {$$hexBytes: digits} stands for.
func (a uploadArgs) content() (*bytes.Reader, error) {
	name, operand, ok := matchOperator(a.Source)
	digits, isText := operand.Str()
	content, err := hex.DecodeString(digits)
	if !ok || name != "$$hexBytes" || !isText || err != nil {
		return nil, malformedf("source: %v", a.Source)
	}
	return bytes.NewReader(content), nil
}

// text is the content of a file as a string.
func text(content []byte, err error) (outcome, error) {
	if err != nil {
		return outcome{}, err
	}
	return outcome{value: bson.RawValue{Type: bson.TypeString, Value: bson.AppendStringValue(nil, string(content))}}, nil
}
