package gridfs_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/gridfs"
)

// TestSession sees the lsid of the context's session in all commands.
func TestSession(t *testing.T) {
	db, log := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 4})
	err := db.Client().WithSession(t.Context(), func(ctx context.Context) error {
		id, err := b.UploadFromStream(ctx, "file", bytes.NewReader(content(4000)))
		if err != nil {
			return err
		}
		var got bytes.Buffer
		if _, err := b.DownloadToStreamByName(ctx, "file", &got); err != nil {
			return err
		}
		_, find := b.Find(ctx, nil).Slice()
		u, err := b.OpenUploadStream(ctx, "aborted")
		if err != nil {
			return err
		}
		_, write := u.Write(content(4000))
		err = errors.Join(find, write, u.Abort(ctx), b.Rename(ctx, id, "x"), b.RenameByName(ctx, "x", "y"), b.DeleteByName(ctx, "y"))
		lsid := motor.SessionFromContext(ctx).ID()
		sent := log.take()
		for _, c := range sent {
			if got, _ := c.body.Lookup("lsid").Document(); !bytes.Equal(got, lsid) {
				t.Errorf("%s %s: lsid %v, want %v", c.name, c.collection, got, lsid)
			}
		}
		if len(sent) < 15 {
			t.Errorf("only %d commands", len(sent))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestTransaction stores two files or none.
func TestTransaction(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 4})
	upload := func(ctx context.Context) error {
		for _, name := range []string{"a", "b"} {
			if _, err := b.UploadFromStream(ctx, name, bytes.NewReader(content(10))); err != nil {
				return err
			}
		}
		return nil
	}
	changed := errors.New("changed my mind")
	err := db.Client().WithTransaction(t.Context(), func(ctx context.Context) error {
		return errors.Join(upload(ctx), changed)
	})
	if err == nil || !errors.Is(err, changed) {
		t.Fatal(err)
	}
	if files, chunks := count(t, db, "fs.files"), count(t, db, "fs.chunks"); files+chunks > 0 {
		t.Errorf("after the abort: %d files, %d chunks", files, chunks)
	}
	if err := db.Client().WithTransaction(t.Context(), upload); err != nil {
		t.Fatal(err)
	}
	if files, chunks := count(t, db, "fs.files"), count(t, db, "fs.chunks"); files != 2 || chunks != 6 {
		t.Errorf("after the commit: %d files, %d chunks", files, chunks)
	}
	list, err := db.Collection("fs.chunks").ListIndexes(t.Context()).Slice()
	if err != nil || len(list) != 2 {
		t.Errorf("indexes %v, %v", list, err)
	}
}

// TestContextEnds stops a stream, which a later read can take up again only with
// another.
func TestContextEnds(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 1})
	id := store(t, b, "file", content(10))
	ctx, cancel := context.WithCancel(t.Context())
	d, err := b.OpenDownloadStream(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	u, err := b.OpenUploadStream(ctx, "other")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(content(1500)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := d.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v", err)
	}
	if err := u.Close(); !errors.Is(err, context.Canceled) {
		t.Errorf("Close: %v", err)
	}
	if err := u.Abort(t.Context()); err != nil {
		t.Errorf("Abort: %v", err)
	}
	if n := count(t, db, "fs.chunks"); n != 10 {
		t.Errorf("%d chunks are left", n)
	}
	if n, err := db.Collection("fs.files").CountDocuments(t.Context(), bson.D{{Key: "filename", Value: "other"}}); n != 0 || err != nil {
		t.Errorf("%d files, %v", n, err)
	}
}
