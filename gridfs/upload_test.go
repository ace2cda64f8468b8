package gridfs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/gridfs"
)

// TestUpload stores files of all lengths around the ends of chunks and batches,
// in all ways to write, and looks at what is in the database.
func TestUpload(t *testing.T) {
	db, _ := database(t)
	for _, size := range []int{1, 4, 7} {
		b := gridfs.NewBucket(db, gridfs.Options{Name: fmt.Sprint("size", size), ChunkSizeBytes: int32(size)})
		for _, length := range []int{0, 1, 3, 4, 5, 8, 999*size + 1, 1000 * size, 1000*size + 1, 2500 * size} {
			data := content(length)
			for name, write := range map[string]func(*gridfs.UploadStream) error{
				"Write": func(u *gridfs.UploadStream) error {
					n, err := u.Write(data)
					if n != length {
						t.Errorf("Write: %d of %d bytes", n, length)
					}
					return err
				},
				"Write in parts": func(u *gridfs.UploadStream) error {
					for part := range slices.Chunk(data, 13) {
						if n, err := u.Write(part); err != nil || n != len(part) {
							return fmt.Errorf("%d of %d bytes, %w", n, len(part), err)
						}
					}
					return nil
				},
				"Write after a byte": func(u *gridfs.UploadStream) error {
					_, err := u.Write(data[:min(1, length)])
					if err == nil {
						_, err = u.Write(data[min(1, length):])
					}
					return err
				},
				"ReadFrom": func(u *gridfs.UploadStream) error {
					n, err := io.Copy(u, iotest.HalfReader(bytes.NewReader(data)))
					if n != int64(length) {
						t.Errorf("ReadFrom: %d of %d bytes", n, length)
					}
					return err
				},
				"ReadFrom with data at the end": func(u *gridfs.UploadStream) error {
					_, err := u.ReadFrom(iotest.DataErrReader(bytes.NewReader(data)))
					return err
				},
			} {
				t.Run(fmt.Sprintf("%s/%d in %d", name, length, size), func(t *testing.T) {
					u, err := b.OpenUploadStream(t.Context(), "file")
					if err != nil {
						t.Fatal(err)
					}
					if err := write(u); err != nil {
						t.Fatal(err)
					}
					before := time.Now().Truncate(time.Millisecond)
					if err := u.Close(); err != nil {
						t.Fatal(err)
					}
					checkStored(t, db, b.Name(), u.ID(), data, size, before)
				})
			}
		}
	}
}

// checkStored compares what the collections hold with what the specification
// says they must.
func checkStored(t *testing.T, db *motor.Database, bucket string, id any, data []byte, size int, before time.Time) {
	t.Helper()
	file, err := motor.CollectionOf[bson.Raw](db, bucket+".files").FindOne(t.Context(), bson.D{{Key: "_id", Value: id}})
	if err != nil {
		t.Fatal(err)
	}
	date, _ := file.Lookup("uploadDate").Time()
	if date.Before(before) || date.After(time.Now()) {
		t.Errorf("uploadDate is %v, Close began at %v", date, before)
	}
	want, err := bson.Marshal(bson.D{
		{Key: "_id", Value: id}, {Key: "length", Value: int64(len(data))}, {Key: "chunkSize", Value: int32(size)}, {Key: "uploadDate", Value: date}, {Key: "filename", Value: "file"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file, want) {
		t.Errorf("files collection document\n%v, want\n%v", file, bson.Raw(want))
	}
	n := 0
	chunks := motor.CollectionOf[bson.Raw](db, bucket+".chunks")
	for chunk, err := range chunks.Find(t.Context(), bson.D{{Key: "files_id", Value: id}}, motor.FindOptions{Sort: bson.D{{Key: "n", Value: 1}}}) {
		if err != nil {
			t.Fatal(err)
		}
		oid, ok := chunk.Lookup("_id").ObjectID()
		if !ok {
			t.Fatalf("the _id of a chunk is %v", chunk.Lookup("_id"))
		}
		if n*size >= len(data) {
			t.Fatalf("one chunk too many: %v", chunk)
		}
		want, err := bson.Marshal(bson.D{
			{Key: "_id", Value: oid}, {Key: "files_id", Value: id}, {Key: "n", Value: int32(n)}, {Key: "data", Value: data[n*size : min(len(data), (n+1)*size)]},
		})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(chunk, want) {
			t.Fatalf("chunk\n%v, want\n%v", chunk, bson.Raw(want))
		}
		n++
	}
	if want := (len(data) + size - 1) / size; n != want {
		t.Errorf("%d chunks, want %d", n, want)
	}
}

// TestUploadBatches counts the commands of a file of ten batches.
func TestUploadBatches(t *testing.T) {
	db, log := database(t)
	b := gridfs.NewBucket(db)
	store(t, b, "first", nil)
	log.take()
	const batch = 16 * 255 << 10
	id := store(t, b, "large", make([]byte, 3*batch+1))
	want := append(slices.Repeat([]string{"insert fs.chunks"}, 4), "insert fs.files")
	if got := log.names(); !slices.Equal(got, want) {
		t.Errorf("commands %q, want %q", got, want)
	}
	f, err := b.Find(t.Context(), bson.D{{Key: "_id", Value: id}}).First()
	if err != nil || f.Length != 3*batch+1 || f.ChunkSize != 255<<10 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestMetadata(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db)
	type exposure struct{ ISO int }
	id := store(t, b, "cat.jpg", content(10), gridfs.UploadOptions{Metadata: struct {
		Album    string
		Exposure exposure
	}{"pets", exposure{400}}})
	store(t, b, "dog.jpg", nil)
	files, err := b.Find(t.Context(), bson.D{{Key: "metadata.album", Value: "pets"}}).Slice()
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	var m struct{ Exposure exposure }
	if err := bson.Unmarshal(files[0].Metadata, &m); err != nil || m.Exposure.ISO != 400 || files[0].ID != id {
		t.Errorf("%+v: %v", files[0], err)
	}
	for name, metadata := range map[string]any{"a string": "x", "a channel": make(chan int)} {
		if _, err := b.OpenUploadStream(t.Context(), "f", gridfs.UploadOptions{Metadata: metadata}); err == nil {
			t.Errorf("%s as metadata: no error", name)
		}
	}
}

// TestOtherFields keeps what other drivers have written into a files collection
// document, and numbers of other types.
func TestOtherFields(t *testing.T) {
	db, _ := database(t)
	_, err := db.Collection("fs.files").InsertOne(t.Context(), bson.D{
		{Key: "_id", Value: "old"},
		{Key: "length", Value: 5.0},
		{Key: "chunkSize", Value: 4.0},
		{Key: "uploadDate", Value: time.UnixMilli(1)},
		{Key: "md5", Value: "d41d8cd98f00b204e9800998ecf8427e"},
		{Key: "aliases", Value: bson.A{"older"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Collection("fs.chunks").InsertMany(t.Context(), []bson.D{
		{{Key: "files_id", Value: "old"}, {Key: "n", Value: 0.0}, {Key: "data", Value: []byte("abcd")}}, {{Key: "files_id", Value: "old"}, {Key: "n", Value: int64(1)}, {Key: "data", Value: []byte("e")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := gridfs.NewBucket(db).OpenDownloadStream(t.Context(), "old")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got, err := io.ReadAll(d); string(got) != "abcde" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	f := d.File()
	md5, _ := f.Other["md5"].Str()
	if f.ID != "old" || f.Length != 5 || f.ChunkSize != 4 || f.Filename != "" || f.UploadDate.UnixMilli() != 1 ||
		f.Metadata != nil || md5 != "d41d8cd98f00b204e9800998ecf8427e" || len(f.Other) != 2 {
		t.Errorf("%+v", f)
	}
}

func TestOwnID(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 4})
	for i, id := range []any{"name", int32(7), 7.5, bson.D{{Key: "year", Value: int32(2017)}, {Key: "n", Value: int32(1)}}, bson.D{{Key: "$gt", Value: int32(0)}}, true} {
		data := content(10 + i)
		err := b.UploadFromStreamWithID(t.Context(), id, "file", bytes.NewReader(data))
		if _, ok := id.(bson.D); ok && err != nil && i == 4 {
			continue // the server need not take keys that begin with $
		}
		if err != nil {
			t.Errorf("%v: %v", id, err)
			continue
		}
		var got bytes.Buffer
		if n, err := b.DownloadToStream(t.Context(), id, &got); err != nil || n != int64(len(data)) || !bytes.Equal(got.Bytes(), data) {
			t.Errorf("%v: %d bytes, %v", id, n, err)
		}
	}
	// A condition is no id.
	all := bson.D{{Key: "$exists", Value: true}}
	if err := b.Delete(t.Context(), all); err == nil {
		t.Error("Delete takes its id for a condition")
	}
	if n := count(t, db, "fs.files"); n < 5 {
		t.Errorf("%d files are left", n)
	}
	for _, id := range []any{bson.A{1}, bson.Regex{Pattern: "."}, make(chan int)} {
		if _, err := b.OpenUploadStreamWithID(t.Context(), id, "file"); err == nil {
			t.Errorf("%T as an id: no error", id)
		}
	}
}

func TestChunkSizeRange(t *testing.T) {
	db, _ := database(t)
	for _, size := range []int32{-1, 16<<20 + 1} {
		if _, err := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: size}).OpenUploadStream(t.Context(), "f"); err == nil {
			t.Errorf("chunks of %d bytes: no error", size)
		}
		if _, err := gridfs.NewBucket(db).OpenUploadStream(t.Context(), "f", gridfs.UploadOptions{ChunkSizeBytes: size}); err == nil {
			t.Errorf("chunks of %d bytes: no error", size)
		}
	}
}

func TestAbort(t *testing.T) {
	db, log := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 1})
	id := store(t, b, "other", content(3))
	u, err := b.OpenUploadStream(t.Context(), "file")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(content(2500)); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, "fs.chunks"); n != 2003 {
		t.Errorf("%d chunks before Abort, want 2003", n)
	}
	if err := u.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db, "fs.chunks"); n != 3 {
		t.Errorf("%d chunks after Abort, want 3", n)
	}
	if n, err := u.Write([]byte("x")); n != 0 || err != gridfs.ErrStreamClosed {
		t.Errorf("Write after Abort: %d, %v", n, err)
	}
	if n, err := u.ReadFrom(strings.NewReader("x")); n != 0 || err != gridfs.ErrStreamClosed {
		t.Errorf("ReadFrom after Abort: %d, %v", n, err)
	}
	if err := u.Close(); err != gridfs.ErrStreamClosed {
		t.Errorf("Close after Abort: %v", err)
	}
	if err := u.Abort(t.Context()); err != gridfs.ErrStreamClosed {
		t.Errorf("Abort after Abort: %v", err)
	}

	// What was never sent needs no command.
	if u, err = b.OpenUploadStream(t.Context(), "file"); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Write(content(500)); err != nil {
		t.Fatal(err)
	}
	log.take()
	if err := u.Abort(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := log.names(); got != nil {
		t.Errorf("commands %q", got)
	}
	if err := b.Delete(t.Context(), id); err != nil {
		t.Error(err)
	}
}

func TestClosedUpload(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db)
	u, err := b.OpenUploadStream(t.Context(), "file")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Close(); err != nil {
		t.Fatal(err)
	}
	_, written := u.Write([]byte("x"))
	for name, err := range map[string]error{"Write": written, "Close": u.Close(), "Abort": u.Abort(t.Context())} {
		if err != gridfs.ErrStreamClosed {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
	if n := count(t, db, "fs.files"); n != 1 {
		t.Errorf("%d files", n)
	}
}

// TestSourceFails aborts the upload, whatever has become of the context.
func TestSourceFails(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 1})
	broken := errors.New("broken")
	ctx, cancel := context.WithCancel(t.Context())
	source := io.MultiReader(bytes.NewReader(content(2500)), readerFunc(func([]byte) (int, error) {
		if n := count(t, db, "fs.chunks"); n != 2000 {
			t.Errorf("%d chunks before the source fails", n)
		}
		cancel()
		return 0, broken
	}))
	if _, err := b.UploadFromStream(ctx, "file", source); err != broken {
		t.Errorf("error %v", err)
	}
	if chunks, files := count(t, db, "fs.chunks"), count(t, db, "fs.files"); chunks+files > 0 {
		t.Errorf("%d chunks and %d files are left", chunks, files)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestIDInUse leaves the file alone that has the id already.
func TestIDInUse(t *testing.T) {
	db, _ := database(t)
	for _, length := range []int{0, 10} { // Close fails, Write fails
		for _, other := range []int{0, 10} {
			name := fmt.Sprintf("b%dx%d", length, other)
			b := gridfs.NewBucket(db, gridfs.Options{Name: name, ChunkSizeBytes: 1})
			data := content(other)
			if err := b.UploadFromStreamWithID(t.Context(), "id", "file", bytes.NewReader(data)); err != nil {
				t.Fatal(err)
			}
			u, err := b.OpenUploadStreamWithID(t.Context(), "id", "file")
			if err != nil {
				t.Fatal(err)
			}
			if _, err = u.Write(content(length)); err != nil {
				t.Fatal(err)
			}
			if err = u.Close(); !errors.Is(err, motor.ErrDuplicateKey) {
				t.Errorf("%s: Close: %v", name, err)
			}
			if again := u.Close(); again != err {
				t.Errorf("%s: Close again: %v", name, again)
			}
			if err := u.Abort(t.Context()); err != nil {
				t.Errorf("%s: Abort: %v", name, err)
			}
			var got bytes.Buffer
			if _, err := b.DownloadToStream(t.Context(), "id", &got); err != nil || !bytes.Equal(got.Bytes(), data) {
				t.Errorf("%s: the file is %q, %v", name, got.Bytes(), err)
			}
			if n := count(t, db, name+".chunks"); n != other {
				t.Errorf("%s: %d chunks, want %d", name, n, other)
			}
		}
	}
}
