package gridfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/gridfs"
)

func open(t testing.TB, b *gridfs.Bucket, id any) *gridfs.DownloadStream {
	t.Helper()
	d, err := b.OpenDownloadStream(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestReader(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db)
	for _, length := range []int{0, 1, 9, 10, 11, 1000, 1234} {
		for _, size := range []int32{1, 10, 2000} {
			data := content(length)
			id := store(t, b, "file", data, gridfs.UploadOptions{ChunkSizeBytes: size})
			if err := iotest.TestReader(open(t, b, id), data); err != nil {
				t.Errorf("%d bytes in chunks of %d: %v", length, size, err)
			}
		}
	}
}

// TestTwoStreams reads two files by turns: each has memory of its own.
func TestTwoStreams(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 4})
	first, second := content(10), content(11)
	one, two := open(t, b, store(t, b, "one", first)), open(t, b, store(t, b, "two", second))
	var gotOne, gotTwo bytes.Buffer
	for gotOne.Len() < 10 || gotTwo.Len() < 11 {
		io.CopyN(&gotOne, one, 1)
		io.CopyN(&gotTwo, two, 3)
	}
	if !bytes.Equal(gotOne.Bytes(), first) || !bytes.Equal(gotTwo.Bytes(), second) {
		t.Errorf("%x and %x, want %x and %x", gotOne.Bytes(), gotTwo.Bytes(), first, second)
	}
}

// TestWriteTo sees each chunk written at once, after a Seek too.
func TestWriteTo(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 4})
	data := content(10)
	d := open(t, b, store(t, b, "file", data))
	if _, err := d.Seek(3, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	var w writes
	if n, err := io.Copy(&w, d); n != 7 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if !slices.EqualFunc(w, [][]byte{data[3:4], data[4:8], data[8:]}, bytes.Equal) {
		t.Errorf("writes %x of %x", w, data)
	}
	if n, err := d.WriteTo(&w); n != 0 || err != nil {
		t.Errorf("at the end: %d bytes, %v", n, err)
	}
	for _, test := range []struct {
		writer io.Writer
		n      int64
		err    error
	}{
		{failing{2, io.ErrClosedPipe}, 2, io.ErrClosedPipe},
		{failing{3, nil}, 3, io.ErrShortWrite},
	} {
		d.Seek(0, io.SeekStart)
		if n, err := d.WriteTo(test.writer); n != test.n || err != test.err {
			t.Errorf("%d bytes, %v; want %d, %v", n, err, test.n, test.err)
		}
		if rest, err := io.ReadAll(d); !bytes.Equal(rest, data[test.n:]) || err != nil {
			t.Errorf("then %x, %v; want %x", rest, err, data[test.n:])
		}
	}
}

type writes [][]byte

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, bytes.Clone(p))
	return len(p), nil
}

// failing writes n bytes of each write.
type failing struct {
	n   int
	err error
}

func (f failing) Write([]byte) (int, error) { return f.n, f.err }

func TestSeek(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 4})
	d := open(t, b, store(t, b, "file", content(10)))
	for _, test := range []struct {
		offset int64
		whence int
		want   int64
		ok     bool
	}{
		{3, io.SeekStart, 3, true},
		{2, io.SeekCurrent, 5, true},
		{-6, io.SeekCurrent, 5, false},
		{0, io.SeekCurrent, 5, true},
		{-1, io.SeekEnd, 9, true},
		{5, io.SeekEnd, 15, true},
		{-11, io.SeekEnd, 15, false},
		{0, 3, 15, false},
		{-1, io.SeekStart, 15, false},
	} {
		at, err := d.Seek(test.offset, test.whence)
		if (err == nil) != test.ok || test.ok && at != test.want {
			t.Errorf("Seek(%d, %d): %d, %v", test.offset, test.whence, at, err)
		}
	}
	if n, err := d.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("behind the end: %d, %v", n, err)
	}
	d.Close()
	_, read := d.Read(make([]byte, 1))
	_, sought := d.Seek(0, io.SeekStart)
	_, written := d.WriteTo(io.Discard)
	if read != gridfs.ErrStreamClosed || sought != gridfs.ErrStreamClosed || written != gridfs.ErrStreamClosed || d.Close() != nil {
		t.Errorf("after Close: %v, %v, %v", read, sought, written)
	}
}

// TestRequests sees which chunks are asked for.
func TestRequests(t *testing.T) {
	db, log := database(t)
	b := gridfs.NewBucket(db)
	const size = 64 << 10 // 16 chunks in the first batch, 64 in others
	id := store(t, b, "file", make([]byte, 100*size), gridfs.UploadOptions{ChunkSizeBytes: size})
	empty := store(t, b, "empty", nil)
	log.take()
	d := open(t, b, id)
	at := func(chunk int64) {
		t.Helper()
		d.Seek(chunk*size+1, io.SeekStart)
		if n, err := d.Read(make([]byte, 2*size)); n != size-1 || err != nil {
			t.Errorf("chunk %d: %d bytes, %v", chunk, n, err)
		}
	}
	sent := func(what string, want ...string) {
		t.Helper()
		if got := log.names(); !slices.Equal(got, want) {
			t.Errorf("%s: commands %q, want %q", what, got, want)
		}
	}
	sent("open", "find fs.files")
	at(0)
	sent("first read", "find fs.chunks")
	at(0)
	at(1)
	at(15)
	sent("in the batch")
	at(16)
	sent("the next chunk", "getMore fs.chunks")
	at(79)
	sent("in the second batch")
	at(3)
	sent("back", "killCursors fs.chunks", "find fs.chunks")
	at(60)
	sent("far ahead", "killCursors fs.chunks", "find fs.chunks")
	at(95)
	sent("near the end", "killCursors fs.chunks", "find fs.chunks")
	at(99)
	d.Close()
	sent("the end, which closes the cursor")

	if _, err := b.DownloadToStream(t.Context(), id, io.Discard); err != nil {
		t.Error(err)
	}
	sent("all", "find fs.files", "find fs.chunks", "getMore fs.chunks", "getMore fs.chunks")
	if _, err := b.DownloadToStream(t.Context(), empty, io.Discard); err != nil {
		t.Error(err)
	}
	sent("nothing", "find fs.files")
	open(t, b, id).Close()
	sent("open and close", "find fs.files")
}

// TestChunkErrors damages a file of ten bytes in three chunks in all ways.
func TestChunkErrors(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 4})
	chunks := db.Collection("fs.chunks")
	set := func(n int, data any) func(id bson.ObjectID) error {
		return func(id bson.ObjectID) error {
			_, err := chunks.UpdateOne(t.Context(), bson.D{{Key: "files_id", Value: id}, {Key: "n", Value: n}}, bson.D{{Key: "$set", Value: bson.D{{Key: "data", Value: data}}}})
			return err
		}
	}
	remove := func(n int) func(id bson.ObjectID) error {
		return func(id bson.ObjectID) error {
			_, err := chunks.DeleteOne(t.Context(), bson.D{{Key: "files_id", Value: id}, {Key: "n", Value: n}})
			return err
		}
	}
	add := func(n any, data []byte) func(id bson.ObjectID) error {
		return func(id bson.ObjectID) error {
			_, err := chunks.InsertOne(t.Context(), bson.D{{Key: "files_id", Value: id}, {Key: "n", Value: n}, {Key: "data", Value: data}})
			return err
		}
	}
	const none = -2
	for _, test := range []struct {
		name   string
		damage func(id bson.ObjectID) error
		n      int64 // the chunk of the error
		bytes  int   // read before the error
	}{
		{"first missing", remove(0), 0, 0},
		{"middle missing", remove(1), 1, 4},
		{"last missing", remove(2), 2, 8},
		{"first short", set(0, []byte("abc")), 0, 0},
		{"middle long", set(1, []byte("abcde")), 1, 4},
		{"last short", set(2, []byte("a")), 2, 8},
		{"last long", set(2, []byte("abcd")), 2, 8},
		{"empty", set(1, []byte{}), 1, 4},
		{"no binary", set(1, "abcd"), 1, 4},
		{"one too many", add(3, []byte("a")), 3, 10},
		{"an empty one too many", add(3, []byte{}), none, 10},
		{"negative number", add(-1, []byte("abcd")), -1, 0},
		{"no number", add(nil, []byte("abcd")), 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			data := content(10)
			id := store(t, b, "file", data)
			if err := test.damage(id); err != nil {
				t.Fatal(err)
			}
			d := open(t, b, id)
			got, err := io.ReadAll(d)
			var wrong *gridfs.ChunkError
			if !errors.As(err, &wrong) {
				if test.n != none || err != nil {
					t.Fatalf("error %v", err)
				}
			} else if wrong.N != test.n || wrong.FileID != id || !strings.Contains(err.Error(), fmt.Sprint("chunk ", test.n)) {
				t.Errorf("error %v, want one of chunk %d", err, test.n)
			}
			if !bytes.Equal(got, data[:test.bytes]) {
				t.Errorf("%x before the error, want %x", got, data[:test.bytes])
			}
			if _, again := d.Read(make([]byte, 1)); wrong != nil && len(got) < len(data) && again.Error() != err.Error() {
				t.Errorf("the same read again: %v, before %v", again, err)
			}
		})
	}
}

func TestWrongFilesDocument(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db)
	for _, doc := range []bson.D{
		{{Key: "length", Value: 10}, {Key: "chunkSize", Value: 0}},
		{{Key: "length", Value: 10}, {Key: "chunkSize", Value: -4}},
		{{Key: "length", Value: -1}, {Key: "chunkSize", Value: 4}},
		{{Key: "length", Value: 10}},
		{{Key: "length", Value: "10"}, {Key: "chunkSize", Value: 4}},
		{{Key: "length", Value: 1.5}, {Key: "chunkSize", Value: 4}},
	} {
		res, err := db.Collection("fs.files").InsertOne(t.Context(), doc)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.OpenDownloadStream(t.Context(), res.InsertedID); err == nil {
			t.Errorf("%v: no error", doc)
		}
	}
}

func TestRevisions(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db)
	for i := range 4 {
		id := store(t, b, "file", fmt.Append(nil, i))
		_, err := db.Collection("fs.files").UpdateOne(t.Context(), bson.D{{Key: "_id", Value: id}},
			bson.D{{Key: "$set", Value: bson.D{{Key: "uploadDate", Value: bson.DateTime(1000 - 100*(i%2) + i)}}}}) // order: 1 3 0 2
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		revision *int32
		want     string
		err      error
	}{
		{nil, "2", nil},
		{new(int32(-1)), "2", nil},
		{new(int32(-2)), "0", nil},
		{new(int32(-4)), "1", nil},
		{new(int32(-5)), "", gridfs.ErrRevisionNotFound},
		{new(int32(-1 << 31)), "", gridfs.ErrRevisionNotFound},
		{new(int32(0)), "1", nil},
		{new(int32(1)), "3", nil},
		{new(int32(3)), "2", nil},
		{new(int32(4)), "", gridfs.ErrRevisionNotFound},
	} {
		var got strings.Builder
		_, err := b.DownloadToStreamByName(t.Context(), "file", &got, gridfs.DownloadByNameOptions{Revision: test.revision})
		if got.String() != test.want || !errors.Is(err, test.err) {
			t.Errorf("revision %v: %q, %v", test.revision, got.String(), err)
		}
	}
	for _, revision := range []int32{-2, -1, 0, 1} {
		_, err := b.OpenDownloadStreamByName(t.Context(), "none", gridfs.DownloadByNameOptions{Revision: &revision})
		if !errors.Is(err, gridfs.ErrFileNotFound) || errors.Is(err, gridfs.ErrRevisionNotFound) {
			t.Errorf("no file, revision %d: %v", revision, err)
		}
	}
	if _, err := b.OpenDownloadStream(t.Context(), "none"); !errors.Is(err, gridfs.ErrFileNotFound) || errors.Is(err, motor.ErrNoDocuments) {
		t.Errorf("no file: %v", err)
	}
}

// FuzzSeek reads and seeks in a file and, as its twin, in a bytes.Reader.
func FuzzSeek(f *testing.F) {
	db, _ := database(f)
	b := gridfs.NewBucket(db)
	data := content(300)
	ids := map[int32]bson.ObjectID{}
	for _, size := range []int32{1, 7, 64, 300} {
		ids[size] = store(f, b, "file", data, gridfs.UploadOptions{ChunkSizeBytes: size})
	}
	f.Add([]byte{0, 10, 1, 0, 2, 200, 3, 255})
	f.Add([]byte("seek and you shall find, read and you shall know"))
	f.Add([]byte{4, 0, 255, 5, 1, 4, 2, 9, 3, 3, 3, 3})
	f.Fuzz(func(t *testing.T, steps []byte) {
		for size, id := range ids {
			twin := bytes.NewReader(data)
			d := open(t, b, id)
			for i := 0; i+1 < min(len(steps), 100); i += 2 {
				step, arg := steps[i]%6, int64(steps[i+1])
				var n, want int64
				var err, wantErr error
				switch step {
				case 0, 1:
					got, expected := make([]byte, arg), make([]byte, arg)
					var k, l int
					k, err = io.ReadFull(d, got)
					l, wantErr = io.ReadFull(twin, expected)
					n, want = int64(k), int64(l)
					if !bytes.Equal(got, expected) {
						t.Fatalf("step %d, chunks of %d: read %x, want %x", i, size, got, expected)
					}
				case 2, 3, 4:
					offset := arg*2 - 100
					n, err = d.Seek(offset, int(step-2))
					want, wantErr = twin.Seek(offset, int(step-2))
				case 5:
					var got, expected bytes.Buffer
					n, err = d.WriteTo(&got)
					want, wantErr = twin.WriteTo(&expected)
					if !bytes.Equal(got.Bytes(), expected.Bytes()) {
						t.Fatalf("step %d, chunks of %d: wrote %x, want %x", i, size, got.Bytes(), expected.Bytes())
					}
				}
				if n != want || (err == nil) != (wantErr == nil) {
					t.Fatalf("step %d (%d) with %d, chunks of %d: %d, %v; want %d, %v", i, step, arg, size, n, err, want, wantErr)
				}
			}
		}
	})
}
