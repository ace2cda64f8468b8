package gridfs_test

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/gridfs"
)

func TestDelete(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 4})
	kept := store(t, b, "file", content(10))
	id := store(t, b, "file", content(10))
	if err := b.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if files, chunks := count(t, db, "fs.files"), count(t, db, "fs.chunks"); files != 1 || chunks != 3 {
		t.Errorf("%d files with %d chunks are left", files, chunks)
	}
	if err := b.Delete(t.Context(), id); !errors.Is(err, gridfs.ErrFileNotFound) {
		t.Errorf("again: %v", err)
	}
	// Orphaned chunks go although there is no file.
	if _, err := db.Collection("fs.files").DeleteOne(t.Context(), bson.D{{Key: "_id", Value: kept}}); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), kept); !errors.Is(err, gridfs.ErrFileNotFound) {
		t.Errorf("orphans: %v", err)
	}
	if n := count(t, db, "fs.chunks"); n != 0 {
		t.Errorf("%d orphaned chunks are left", n)
	}
}

func TestByName(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 4})
	for range 3 {
		store(t, b, "a", content(10))
	}
	store(t, b, "b", content(10))
	if err := b.RenameByName(t.Context(), "a", "c"); err != nil {
		t.Error(err)
	}
	if err := b.RenameByName(t.Context(), "a", "c"); !errors.Is(err, gridfs.ErrFileNotFound) {
		t.Errorf("rename what is not there: %v", err)
	}
	if err := b.DeleteByName(t.Context(), "a"); !errors.Is(err, gridfs.ErrFileNotFound) {
		t.Errorf("delete what is not there: %v", err)
	}
	if err := b.DeleteByName(t.Context(), "c"); err != nil {
		t.Error(err)
	}
	if files, chunks := count(t, db, "fs.files"), count(t, db, "fs.chunks"); files != 1 || chunks != 3 {
		t.Errorf("%d files with %d chunks are left", files, chunks)
	}
}

func TestRename(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db)
	id := store(t, b, "a", nil)
	for range 2 { // to the same name is fine, too
		if err := b.Rename(t.Context(), id, "b"); err != nil {
			t.Error(err)
		}
	}
	if f, err := b.Find(t.Context(), nil).First(); err != nil || f.Filename != "b" {
		t.Errorf("%+v, %v", f, err)
	}
	if err := b.Rename(t.Context(), "none", "b"); !errors.Is(err, gridfs.ErrFileNotFound) {
		t.Errorf("rename what is not there: %v", err)
	}
}

func TestFind(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db)
	for _, name := range []string{"c", "a", "d", "b"} {
		store(t, b, name, []byte(name))
	}
	var names []string
	options := motor.FindOptions{Sort: bson.D{{Key: "filename", Value: -1}}, Skip: 1, Limit: 2, BatchSize: new(int32(1))}
	for f, err := range b.Find(t.Context(), bson.D{{Key: "length", Value: 1}}, options) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, f.Filename)
	}
	if !slices.Equal(names, []string{"c", "b"}) {
		t.Errorf("%q", names)
	}
	if list, err := b.Find(t.Context(), bson.D{{Key: "metadata.x", Value: 1}}).Slice(); len(list) != 0 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
}

func TestDrop(t *testing.T) {
	db, log := database(t)
	b := gridfs.NewBucket(db)
	other := gridfs.NewBucket(db, gridfs.Options{Name: "other"})
	if err := b.Drop(t.Context()); err != nil {
		t.Error(err)
	}
	store(t, b, "file", content(10))
	store(t, other, "file", content(10))
	log.take()
	if err := b.Drop(t.Context()); err != nil {
		t.Error(err)
	}
	if got := log.names(); !slices.Equal(got, []string{"drop fs.files", "drop fs.chunks"}) {
		t.Errorf("commands %q", got)
	}
	names, err := db.ListCollectionNames(t.Context(), nil)
	slices.Sort(names)
	if !slices.Equal(names, []string{"other.chunks", "other.files"}) || err != nil {
		t.Errorf("collections %q, %v", names, err)
	}
	store(t, b, "file", content(10))
	if got := log.names(); !slices.Contains(got, "createIndexes fs.files") || !slices.Contains(got, "createIndexes fs.chunks") {
		t.Errorf("the first upload after Drop: %q", got)
	}
}

// firstWrite is what a bucket without files sends before its first insert.
var firstWrite = []string{
	"find fs.files", "listIndexes fs.files", "createIndexes fs.files", "listIndexes fs.chunks", "createIndexes fs.chunks",
}

// TestIndexes lets many writers come at once: the indexes are made once, before
// any of them writes.
func TestIndexes(t *testing.T) {
	db, log := database(t)
	b := gridfs.NewBucket(db)
	var work sync.WaitGroup
	for range 20 {
		work.Go(func() {
			if _, err := b.UploadFromStream(t.Context(), "file", bytes.NewReader(content(10))); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	sent := log.take()
	for i, want := range firstWrite {
		if got := sent[i].name + " " + sent[i].collection; got != want {
			t.Errorf("command %d is %s, want %s", i, got, want)
		}
	}
	for _, c := range sent[len(firstWrite):] {
		if c.name != "insert" {
			t.Errorf("one command more: %s %s", c.name, c.collection)
		}
	}
	if projection := sent[0].body.Lookup("projection"); projection.String() != `{"_id":1}` {
		t.Errorf("projection %v", projection)
	}
	for collection, want := range map[string]bson.D{
		"fs.files": {{Key: "filename", Value: 1}, {Key: "uploadDate", Value: 1}}, "fs.chunks": {{Key: "files_id", Value: 1}, {Key: "n", Value: 1}},
	} {
		list, err := db.Collection(collection).ListIndexes(t.Context()).Slice()
		if err != nil || len(list) != 2 {
			t.Fatalf("%s: %v, %v", collection, list, err)
		}
		keys, _ := bson.Marshal(want)
		if !bytes.Equal(list[1].Keys, keys) || list[1].Unique != (collection == "fs.chunks") {
			t.Errorf("%s: %+v", collection, list[1])
		}
	}
	// Another bucket sees that there are files and asks no further.
	log.take()
	store(t, gridfs.NewBucket(db), "file", nil)
	if got := log.names(); !slices.Equal(got, []string{"find fs.files", "insert fs.files"}) {
		t.Errorf("another bucket: %q", got)
	}
}

// TestIndexesThere makes none where there are some with keys of the same value.
func TestIndexesThere(t *testing.T) {
	db, log := database(t)
	for collection, keys := range map[string]bson.D{
		"fs.files": {{Key: "filename", Value: 1.0}, {Key: "uploadDate", Value: int64(1)}}, "fs.chunks": {{Key: "files_id", Value: int64(1)}, {Key: "n", Value: 1.0}},
	} {
		if _, err := db.Collection(collection).CreateIndex(t.Context(), motor.IndexModel{Keys: keys, Unique: collection == "fs.chunks"}); err != nil {
			t.Fatal(err)
		}
	}
	log.take()
	store(t, gridfs.NewBucket(db), "file", content(1))
	want := []string{"find fs.files", "listIndexes fs.files", "listIndexes fs.chunks", "insert fs.chunks", "insert fs.files"}
	if got := log.names(); !slices.Equal(got, want) {
		t.Errorf("commands %q, want %q", got, want)
	}
}

// TestIndexesFail reports that an index cannot be made, and the next upload
// tries again.
func TestIndexesFail(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db)
	files := db.Collection("fs.files")
	name := "filename_1_uploadDate_1"
	if _, err := files.CreateIndex(t.Context(), motor.IndexModel{Keys: bson.D{{Key: "other", Value: 1}}, Name: name}); err != nil {
		t.Fatal(err)
	}
	var command *motor.CommandError
	if _, err := b.UploadFromStream(t.Context(), "file", bytes.NewReader(content(1))); !errors.As(err, &command) {
		t.Errorf("error %v", err)
	}
	if files, chunks := count(t, db, "fs.files"), count(t, db, "fs.chunks"); files+chunks > 0 {
		t.Errorf("%d files, %d chunks", files, chunks)
	}
	if err := files.DropIndex(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	store(t, b, "file", content(1))
}

// TestOptions looks at what the bucket's options make of its commands.
func TestOptions(t *testing.T) {
	db, log := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{
		ReadConcern: &motor.ReadConcern{Level: "majority"}, WriteConcern: &motor.WriteConcern{W: "majority"},
		ReadPreference: &motor.ReadPreference{Mode: motor.SecondaryPreferred},
	})
	id := store(t, b, "file", content(1))
	if f, err := b.Find(t.Context(), nil).First(); err != nil || f.ID != id {
		t.Errorf("%v, %v", f, err)
	}
	if err := b.Delete(t.Context(), id); err != nil {
		t.Error(err)
	}
	for i, c := range log.take() {
		concern := map[string]string{"find": "readConcern", "insert": "writeConcern", "delete": "writeConcern"}[c.name]
		if concern != "" && c.body.Lookup(concern).IsZero() {
			t.Errorf("%s %s has no %s", c.name, c.collection, concern)
		}
		mode, _ := c.body.Lookup("$readPreference", "mode").Str()
		if wants := i > 0; c.name == "find" && (mode == "secondaryPreferred") != wants {
			t.Errorf("command %d, %s: read preference %q", i, c.name, mode)
		}
	}
}
