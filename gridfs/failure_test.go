package gridfs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/gridfs"
)

// fail makes commands fail in the mode until the test ends.
func fail(t *testing.T, db *motor.Database, mode bson.E, data ...bson.E) {
	t.Helper()
	set := func(mode any) error {
		_, err := db.Client().Database("admin").RunCommand(context.Background(),
			bson.D{{Key: "configureFailPoint", Value: "failCommand"}, {Key: "mode", Value: mode}, {Key: "data", Value: bson.D(data)}})
		return err
	}
	if err := set(bson.D{mode}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := set("off"); err != nil {
			t.Error(err)
		}
	})
}

// TestInsertFails reports the error at once and leaves the orphaned chunks to
// Abort.
func TestInsertFails(t *testing.T) {
	db, log := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 1})
	store(t, b, "first", nil)
	fail(t, db, bson.E{Key: "skip", Value: 1}, bson.E{Key: "failCommands", Value: bson.A{"insert"}}, bson.E{Key: "errorCode", Value: 8000})
	u, err := b.OpenUploadStream(t.Context(), "file")
	if err != nil {
		t.Fatal(err)
	}
	log.take()
	var command *motor.CommandError
	if _, err := u.Write(content(2500)); !errors.As(err, &command) || command.Code != 8000 {
		t.Errorf("Write: %v", err)
	}
	if n, err := u.Write([]byte{1}); n != 0 || !errors.As(err, &command) {
		t.Errorf("Write again: %d, %v", n, err)
	}
	if err := u.Close(); !errors.As(err, &command) {
		t.Errorf("Close: %v", err)
	}
	if got := log.names(); !slices.Equal(got, []string{"insert fs.chunks", "insert fs.chunks"}) {
		t.Errorf("commands %q", got)
	}
	if n := count(t, db, "fs.chunks"); n != 1000 {
		t.Errorf("%d chunks, want 1000", n)
	}
	if err := u.Abort(t.Context()); err != nil {
		t.Error(err)
	}
	if n := count(t, db, "fs.chunks"); n != 0 {
		t.Errorf("%d chunks after Abort", n)
	}
}

// TestCloseInDoubt aborts an upload whose file may have been stored, and has
// been.
func TestCloseInDoubt(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db)
	store(t, b, "first", nil)
	u, err := b.OpenUploadStream(t.Context(), "file", gridfs.UploadOptions{Metadata: bson.D{{Key: "x", Value: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(content(10)); err != nil {
		t.Fatal(err)
	}
	fail(t, db, bson.E{Key: "skip", Value: 1}, bson.E{Key: "failCommands", Value: bson.A{"insert"}},
		bson.E{Key: "writeConcernError", Value: bson.D{{Key: "code", Value: 64}, {Key: "errmsg", Value: "waiting for replication timed out"}}})
	var unconfirmed *motor.WriteConcernError
	if err := u.Close(); !errors.As(err, &unconfirmed) {
		t.Errorf("Close: %v", err)
	}
	if n := count(t, db, "fs.files"); n != 2 {
		t.Errorf("%d files after Close, want 2", n)
	}
	if err := u.Abort(t.Context()); err != nil {
		t.Error(err)
	}
	if files, chunks := count(t, db, "fs.files"), count(t, db, "fs.chunks"); files != 1 || chunks != 0 {
		t.Errorf("%d files and %d chunks after Abort", files, chunks)
	}
}

// TestAbortFails can be tried again.
func TestAbortFails(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 1})
	u, err := b.OpenUploadStream(t.Context(), "file")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(content(1000)); err != nil {
		t.Fatal(err)
	}
	fail(t, db, bson.E{Key: "times", Value: 1}, bson.E{Key: "failCommands", Value: bson.A{"delete"}}, bson.E{Key: "errorCode", Value: 8000})
	var command *motor.CommandError
	if err := u.Abort(t.Context()); !errors.As(err, &command) {
		t.Errorf("Abort: %v", err)
	}
	if _, err := u.Write([]byte{1}); err != gridfs.ErrStreamClosed {
		t.Errorf("Write: %v", err)
	}
	if err := u.Abort(t.Context()); err != nil {
		t.Errorf("Abort again: %v", err)
	}
	if n := count(t, db, "fs.chunks"); n != 0 {
		t.Errorf("%d chunks", n)
	}
}

// TestReadOn goes on after an error, where it stopped.
func TestReadOn(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db)
	data := content(5 << 20)
	d := open(t, b, store(t, b, "file", data))
	fail(t, db, bson.E{Key: "times", Value: 1}, bson.E{Key: "failCommands", Value: bson.A{"getMore"}}, bson.E{Key: "errorCode", Value: 8000})
	var got bytes.Buffer
	var command *motor.CommandError
	if _, err := io.Copy(&got, d); !errors.As(err, &command) || got.Len() == 0 {
		t.Errorf("after %d bytes: %v", got.Len(), err)
	}
	if _, err := io.Copy(&got, d); err != nil || !bytes.Equal(got.Bytes(), data) {
		t.Errorf("%d bytes of %d, %v", got.Len(), len(data), err)
	}
}
