package gridfs_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/gridfs"
)

// connect connects to a replica set inside the process. A program gives a
// connection string of its own.
func connect(ctx context.Context) *motor.Client {
	client, err := motor.Connect(ctx, embedded)
	if err != nil {
		log.Fatal(err)
	}
	return client
}

func Example() {
	ctx := context.Background()
	client := connect(ctx)
	defer client.Close(ctx)

	bucket := gridfs.NewBucket(client.Database("example"))
	id, err := bucket.UploadFromStream(ctx, "hello.txt", strings.NewReader("Hello, world!\n"))
	if err != nil {
		log.Fatal(err)
	}
	if _, err := bucket.DownloadToStream(ctx, id, os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output: Hello, world!
}

// A download stream seeks without fetching what it passes over.
func ExampleDownloadStream_Seek() {
	ctx := context.Background()
	client := connect(ctx)
	defer client.Close(ctx)
	bucket := gridfs.NewBucket(client.Database("exampleSeek"))
	if _, err := bucket.UploadFromStream(ctx, "numbers", strings.NewReader("one two three four")); err != nil {
		log.Fatal(err)
	}

	stream, err := bucket.OpenDownloadStreamByName(ctx, "numbers")
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Seek(8, io.SeekStart); err != nil {
		log.Fatal(err)
	}
	part, err := io.ReadAll(io.LimitReader(stream, 5))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s of %d bytes\n", part, stream.File().Length)
	// Output: three of 18 bytes
}

// What was written so far is deleted again if it cannot be finished.
func ExampleUploadStream_Abort() {
	ctx := context.Background()
	client := connect(ctx)
	defer client.Close(ctx)
	bucket := gridfs.NewBucket(client.Database("exampleAbort"))

	upload := func(render func(io.Writer) error) error {
		stream, err := bucket.OpenUploadStream(ctx, "report.csv")
		if err != nil {
			return err
		}
		if err := render(stream); err != nil {
			stream.Abort(ctx)
			return err
		}
		return stream.Close()
	}
	err := upload(func(w io.Writer) error {
		fmt.Fprintln(w, "item,price")
		return fmt.Errorf("no prices yet")
	})
	files, _ := bucket.Find(ctx, nil).Slice()
	fmt.Println(err, "/", len(files), "files")
	// Output: no prices yet / 0 files
}

// Files with the same name are revisions. Metadata is found by its path.
func ExampleBucket_Find() {
	ctx := context.Background()
	client := connect(ctx)
	defer client.Close(ctx)
	bucket := gridfs.NewBucket(client.Database("exampleFind"), gridfs.Options{Name: "photos"})

	for _, album := range []string{"pets", "family", "pets"} {
		_, err := bucket.UploadFromStream(ctx, "photo.jpg", strings.NewReader("..."), gridfs.UploadOptions{
			Metadata: bson.D{{Key: "album", Value: album}},
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	newestFirst := motor.FindOptions{Sort: bson.D{{Key: "uploadDate", Value: -1}}}
	for file, err := range bucket.Find(ctx, bson.D{{Key: "metadata.album", Value: "pets"}}, newestFirst) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(file.Filename, file.Length, file.Metadata)
	}
	// Output:
	// photo.jpg 3 {"album":"pets"}
	// photo.jpg 3 {"album":"pets"}
}

func ExampleHandler() {
	ctx := context.Background()
	client := connect(ctx)
	defer client.Close(ctx)
	bucket := gridfs.NewBucket(client.Database("exampleHandler"))
	if _, err := bucket.UploadFromStream(ctx, "notes.txt", strings.NewReader("buy milk")); err != nil {
		log.Fatal(err)
	}

	mux := http.NewServeMux()
	mux.Handle("GET /files/", http.StripPrefix("/files", gridfs.Handler(bucket)))
	server := httptest.NewServer(mux)
	defer server.Close()

	request, _ := http.NewRequest("GET", server.URL+"/files/notes.txt", nil)
	request.Header.Set("Range", "bytes=4-")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	fmt.Printf("%s\n%s\n%s\n", response.Status, response.Header.Get("Content-Range"), body)
	// Output:
	// 206 Partial Content
	// bytes 4-7/8
	// milk
}

func ExampleBucket_OpenUploadStream() {
	ctx := context.Background()
	client := connect(ctx)
	defer client.Close(ctx)
	bucket := gridfs.NewBucket(client.Database("exampleUpload"))

	stream, err := bucket.OpenUploadStream(ctx, "squares.txt", gridfs.UploadOptions{ChunkSizeBytes: 16})
	if err != nil {
		log.Fatal(err)
	}
	for i := range 5 {
		fmt.Fprintln(stream, i, i*i)
	}
	if err := stream.Close(); err != nil { // which makes it a file
		log.Fatal(err)
	}
	file, err := bucket.Find(ctx, bson.D{{Key: "_id", Value: stream.ID()}}).First()
	fmt.Println(file.Filename, file.Length, file.ChunkSize, err)
	// Output: squares.txt 21 16 <nil>
}

// An id of one's own keeps a file from being stored twice.
func ExampleBucket_UploadFromStreamWithID() {
	ctx := context.Background()
	client := connect(ctx)
	defer client.Close(ctx)
	bucket := gridfs.NewBucket(client.Database("exampleWithID"))

	for range 2 {
		err := bucket.UploadFromStreamWithID(ctx, "order 17", "invoice.pdf", strings.NewReader("..."))
		fmt.Println(err == nil, errors.Is(err, motor.ErrDuplicateKey))
	}
	// Output:
	// true false
	// false true
}

// What an io.Reader gives is copied chunk by chunk, without another buffer.
func ExampleBucket_OpenUploadStreamWithID() {
	ctx := context.Background()
	client := connect(ctx)
	defer client.Close(ctx)
	bucket := gridfs.NewBucket(client.Database("exampleStreamWithID"))

	stream, err := bucket.OpenUploadStreamWithID(ctx, "order 18", "invoice.txt")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.WriteString(stream, "Invoice\n"); err != nil {
		log.Fatal(err)
	}
	n, err := stream.ReadFrom(strings.NewReader("2 pens, 3 €"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, stream.ID(), stream.Close())
	// Output: 13 order 18 <nil>
}

func ExampleBucket_DownloadToStream() {
	ctx := context.Background()
	client := connect(ctx)
	defer client.Close(ctx)
	bucket := gridfs.NewBucket(client.Database("exampleDownload"))
	id, err := bucket.UploadFromStream(ctx, "poem", strings.NewReader("roses are red"))
	if err != nil {
		log.Fatal(err)
	}

	var poem strings.Builder
	n, err := bucket.DownloadToStream(ctx, id, &poem)
	fmt.Println(n, poem.String(), err)
	_, err = bucket.DownloadToStream(ctx, "another", &poem)
	fmt.Println(errors.Is(err, gridfs.ErrFileNotFound))
	// Output:
	// 13 roses are red <nil>
	// true
}

// A file with a chunk missing is not given out as if it were whole.
func ExampleChunkError() {
	ctx := context.Background()
	client := connect(ctx)
	defer client.Close(ctx)
	db := client.Database("exampleChunkError")
	bucket := gridfs.NewBucket(db)
	id, err := bucket.UploadFromStream(ctx, "poem", strings.NewReader("roses are red"), gridfs.UploadOptions{ChunkSizeBytes: 4})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := db.Collection("fs.chunks").DeleteOne(ctx, bson.D{{Key: "n", Value: 2}}); err != nil {
		log.Fatal(err)
	}

	stream, err := bucket.OpenDownloadStream(ctx, id)
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	_, err = stream.WriteTo(io.Discard)
	var damaged *gridfs.ChunkError
	fmt.Println(errors.As(err, &damaged))
	// Output: true
}

// Revision 0 is the first file with the name, -1 the last, which is the
// default.
func ExampleBucket_DownloadToStreamByName() {
	ctx := context.Background()
	client := connect(ctx)
	defer client.Close(ctx)
	bucket := gridfs.NewBucket(client.Database("exampleRevisions"))
	for _, text := range []string{"draft", "final"} {
		if _, err := bucket.UploadFromStream(ctx, "letter", strings.NewReader(text)); err != nil {
			log.Fatal(err)
		}
		time.Sleep(2 * time.Millisecond) // the upload dates tell revisions apart
	}

	for _, revision := range []int32{0, -1} {
		var letter strings.Builder
		_, err := bucket.DownloadToStreamByName(ctx, "letter", &letter, gridfs.DownloadByNameOptions{Revision: new(revision)})
		fmt.Println(letter.String(), err)
	}
	// Output:
	// draft <nil>
	// final <nil>
}

func ExampleBucket_OpenDownloadStream() {
	ctx := context.Background()
	client := connect(ctx)
	defer client.Close(ctx)
	bucket := gridfs.NewBucket(client.Database("exampleOpen"))
	id, err := bucket.UploadFromStream(ctx, "list", strings.NewReader("bread\nmilk\n"))
	if err != nil {
		log.Fatal(err)
	}

	stream, err := bucket.OpenDownloadStream(ctx, id)
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	for lines := bufio.NewScanner(stream); lines.Scan(); {
		fmt.Println("-", lines.Text())
	}
	// Output:
	// - bread
	// - milk
}

func ExampleBucket_Rename() {
	ctx := context.Background()
	client := connect(ctx)
	defer client.Close(ctx)
	bucket := gridfs.NewBucket(client.Database("exampleRename"))
	id, err := bucket.UploadFromStream(ctx, "untitled", strings.NewReader("..."))
	if err != nil {
		log.Fatal(err)
	}

	fmt.Println(bucket.Rename(ctx, id, "plan"))
	fmt.Println(bucket.RenameByName(ctx, "plan", "plan B")) // all revisions
	file, err := bucket.Find(ctx, nil).First()
	fmt.Println(file.Filename, err)
	// Output:
	// <nil>
	// <nil>
	// plan B <nil>
}

func ExampleBucket_Delete() {
	ctx := context.Background()
	client := connect(ctx)
	defer client.Close(ctx)
	bucket := gridfs.NewBucket(client.Database("exampleDelete"))
	id, err := bucket.UploadFromStream(ctx, "secret", strings.NewReader("..."))
	if err != nil {
		log.Fatal(err)
	}

	fmt.Println(bucket.Delete(ctx, id))
	fmt.Println(errors.Is(bucket.Delete(ctx, id), gridfs.ErrFileNotFound))
	fmt.Println(errors.Is(bucket.DeleteByName(ctx, "secret"), gridfs.ErrFileNotFound))
	// Output:
	// <nil>
	// true
	// true
}

func ExampleBucket_Drop() {
	ctx := context.Background()
	client := connect(ctx)
	defer client.Close(ctx)
	bucket := gridfs.NewBucket(client.Database("exampleDrop"), gridfs.Options{Name: "cache"})
	if _, err := bucket.UploadFromStream(ctx, "page", strings.NewReader("...")); err != nil {
		log.Fatal(err)
	}

	fmt.Println(bucket.Name(), bucket.Drop(ctx))
	files, err := bucket.Find(ctx, nil).Slice()
	fmt.Println(len(files), err)
	// Output:
	// cache <nil>
	// 0 <nil>
}
