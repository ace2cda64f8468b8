package gridfs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/gridfs"
)

// serve serves a bucket. get asks for a path with headers, name and value in
// turn.
func serve(t *testing.T, h http.Handler) (get func(method, path string, headers ...string) (*http.Response, string)) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return func(method, path string, headers ...string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequest(method, s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		res, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(body)
	}
}

func TestHandler(t *testing.T) {
	db, log := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 10})
	data := strings.Repeat("0123456789", 10)
	id := store(t, b, "dir/a name.txt", []byte(data))
	f, err := b.Find(t.Context(), bson.D{{Key: "_id", Value: id}}).First()
	if err != nil {
		t.Fatal(err)
	}
	modified := f.UploadDate.Format(http.TimeFormat)
	get := serve(t, http.StripPrefix("/media", gridfs.Handler(b)))
	const path = "/media/dir/a%20name.txt"

	res, body := get("GET", path)
	etag := res.Header.Get("ETag")
	if body != data || res.StatusCode != 200 {
		t.Errorf("%s: %q", res.Status, body)
	}
	if len(etag) != 34 || etag[0] != '"' || etag[33] != '"' {
		t.Errorf("ETag %s", etag)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/plain; charset=utf-8", "Content-Length": "100", "Last-Modified": modified,
		"Cache-Control": "no-cache", "Accept-Ranges": "bytes", "X-Content-Type-Options": "nosniff", "Expires": "",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}

	log.take()
	for _, test := range []struct {
		name, method, path string
		headers            []string
		status             int
		body               string
		commands           int
	}{
		{"head", "HEAD", path, nil, 200, "", 1},
		{"no such file", "GET", "/media/none", nil, 404, "404 page not found\n", 1},
		{"no such file, head", "HEAD", "/media/none", nil, 404, "", 1},
		{"outside", "GET", "/other", nil, 404, "404 page not found\n", 0},
		{"method", "POST", path, nil, 405, "405 method not allowed\n", 0},

		{"same etag", "GET", path, []string{"If-None-Match", etag}, 304, "", 1},
		{"one of the etags", "GET", path, []string{"If-None-Match", `"x", W/` + etag}, 304, "", 1},
		{"any etag", "HEAD", path, []string{"If-None-Match", "*"}, 304, "", 1},
		{"other etag", "GET", path, []string{"If-None-Match", `"x"`}, 200, data, 2},
		{"other etag, same date", "GET", path, []string{"If-None-Match", `"x"`, "If-Modified-Since", modified}, 200, data, 2},
		{"same date", "GET", path, []string{"If-Modified-Since", modified}, 304, "", 1},
		{"older date", "GET", path, []string{"If-Modified-Since", time.Unix(1, 0).UTC().Format(http.TimeFormat)}, 200, data, 2},
		{"no date", "GET", path, []string{"If-Modified-Since", "yesterday"}, 200, data, 2},
		{"precondition", "GET", path, []string{"If-Match", `"x"`}, 412, "", 1},
		{"changed since", "GET", path, []string{"If-Unmodified-Since", time.Unix(1, 0).UTC().Format(http.TimeFormat)}, 412, "", 1},

		{"range", "GET", path, []string{"Range", "bytes=5-14"}, 206, "5678901234", 2},
		{"range to the end", "GET", path, []string{"Range", "bytes=95-"}, 206, "56789", 2},
		{"last bytes", "GET", path, []string{"Range", "bytes=-3"}, 206, "789", 2},
		{"range of a head", "HEAD", path, []string{"Range", "bytes=0-1"}, 206, "", 1},
		{"range of the same", "GET", path, []string{"Range", "bytes=0-1", "If-Range", etag}, 206, "01", 2},
		{"range of another", "GET", path, []string{"Range", "bytes=0-1", "If-Range", `"x"`}, 200, data, 2},
		{"range behind the end", "GET", path, []string{"Range", "bytes=100-"}, 416, "", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			res, body := get(test.method, test.path, test.headers...)
			if res.StatusCode == 416 || res.StatusCode == 412 {
				body = ""
			}
			if res.StatusCode != test.status || body != test.body {
				t.Errorf("%s: %q, want %d: %q", res.Status, body, test.status, test.body)
			}
			if got := len(log.take()); got != test.commands {
				t.Errorf("%d commands, want %d", got, test.commands)
			}
		})
	}

	if res, _ := get("GET", path, "Range", "bytes=5-14"); res.Header.Get("Content-Range") != "bytes 5-14/100" {
		t.Errorf("Content-Range %q", res.Header.Get("Content-Range"))
	}
	if res, _ := get("POST", path); res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("Allow %q", res.Header.Get("Allow"))
	}
	// Another revision has another ETag.
	store(t, b, "dir/a name.txt", []byte("new"))
	if res, body := get("GET", path, "If-None-Match", etag); body != "new" || res.Header.Get("ETag") == etag {
		t.Errorf("new revision: %q, ETag %s", body, res.Header.Get("ETag"))
	}
}

func TestHandlerRanges(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 7})
	data := content(1000)
	store(t, b, "file.bin", data)
	res, body := serve(t, gridfs.Handler(b))("GET", "/file.bin", "Range", "bytes=0-9, 500-699, -1")
	kind, params, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if res.StatusCode != 206 || kind != "multipart/byteranges" || err != nil {
		t.Fatalf("%s, Content-Type %s", res.Status, res.Header.Get("Content-Type"))
	}
	if res.Header.Get("Content-Length") != strconv.Itoa(len(body)) {
		t.Errorf("Content-Length %s of %d bytes", res.Header.Get("Content-Length"), len(body))
	}
	parts := multipart.NewReader(strings.NewReader(body), params["boundary"])
	for _, want := range []struct {
		contentRange string
		data         []byte
	}{{"bytes 0-9/1000", data[:10]}, {"bytes 500-699/1000", data[500:700]}, {"bytes 999-999/1000", data[999:]}} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(part)
		if !bytes.Equal(got, want.data) || err != nil || part.Header.Get("Content-Range") != want.contentRange {
			t.Errorf("%s: %d bytes, %v", part.Header.Get("Content-Range"), len(got), err)
		}
	}
}

func TestContentType(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db)
	store(t, b, "page.html", nil)
	store(t, b, "metadata.html", nil, gridfs.UploadOptions{Metadata: bson.D{{Key: "contentType", Value: "text/x-test"}}})
	store(t, b, "other.html", nil, gridfs.UploadOptions{Metadata: bson.D{{Key: "contentType", Value: 1}}})
	store(t, b, "name", []byte("<html>"))
	_, err := db.Collection("fs.files").UpdateOne(t.Context(), bson.D{{Key: "filename", Value: "other.html"}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "contentType", Value: "text/x-old"}}}})
	if err != nil {
		t.Fatal(err)
	}
	get := serve(t, gridfs.Handler(b))
	for name, want := range map[string]string{
		"page.html": "text/html; charset=utf-8", "metadata.html": "text/x-test", "other.html": "text/x-old", "name": "application/octet-stream",
	} {
		if res, _ := get("GET", "/"+name); res.Header.Get("Content-Type") != want {
			t.Errorf("%s: %s, want %s", name, res.Header.Get("Content-Type"), want)
		}
	}
}

func TestHandlerHooks(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db)
	id := store(t, b, "cat.png", []byte("first"))
	store(t, b, "cat.png", []byte("second"))
	var log bytes.Buffer
	get := serve(t, gridfs.Handler(b, gridfs.HandlerOptions{
		Open: func(r *http.Request) (*gridfs.DownloadStream, error) {
			switch r.URL.Path {
			case "/broken":
				return nil, errors.New("secret")
			case "/revision":
				return b.OpenDownloadStreamByName(r.Context(), "cat.png", gridfs.DownloadByNameOptions{Revision: new(int32(7))})
			}
			return b.OpenDownloadStream(r.Context(), id)
		},
		CacheTime: func(r *http.Request, f *gridfs.File, contentType string) time.Duration {
			if r.URL.Path != "/any" || f.Filename != "cat.png" || contentType != "image/png" {
				t.Errorf("CacheTime(%s, %+v, %s)", r.URL, f, contentType)
			}
			return time.Hour
		},
		ExtraHeaders: func(h http.Header, r *http.Request, f *gridfs.File) {
			h.Set("Content-Disposition", "attachment; filename="+f.Filename)
			h.Del("X-Content-Type-Options")
		},
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	}))
	res, body := get("GET", "/any")
	if body != "first" {
		t.Errorf("body %q", body)
	}
	expires, err := http.ParseTime(res.Header.Get("Expires"))
	if in := time.Until(expires); err != nil || in < 59*time.Minute || in > time.Hour {
		t.Errorf("Expires %s: in %v, %v", res.Header.Get("Expires"), in, err)
	}
	for name, want := range map[string]string{
		"Cache-Control": "max-age=3600", "Content-Disposition": "attachment; filename=cat.png", "X-Content-Type-Options": "",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if res, _ := get("GET", "/revision"); res.StatusCode != 404 || log.Len() > 0 {
		t.Errorf("no such revision: %s, log %s", res.Status, &log)
	}
	if res, body := get("GET", "/broken"); res.StatusCode != 500 || strings.Contains(body, "secret") || !strings.Contains(log.String(), "secret") {
		t.Errorf("broken: %s, %q, log %s", res.Status, body, &log)
	}
}

// TestHandlerDamagedFile breaks the response off, so that nobody takes it for
// the whole.
func TestHandlerDamagedFile(t *testing.T) {
	db, _ := database(t)
	b := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 100 << 10})
	store(t, b, "file", content(300<<10))
	if _, err := db.Collection("fs.chunks").DeleteOne(t.Context(), bson.D{{Key: "n", Value: 1}}); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	s := httptest.NewServer(gridfs.Handler(b, gridfs.HandlerOptions{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		// Without a Content-Length nothing else could tell.
		ExtraHeaders: func(h http.Header, _ *http.Request, _ *gridfs.File) { h.Set("Content-Encoding", "identity") },
	}))
	defer s.Close()
	res, err := s.Client().Get(s.URL + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if n, err := io.Copy(io.Discard, res.Body); err == nil {
		t.Errorf("%d bytes without an error", n)
	}
	if !strings.Contains(log.String(), "chunk 1 of file") {
		t.Errorf("log %s", &log)
	}
}

// TestHandlerClientGone logs nothing: it is nobody's fault.
func TestHandlerClientGone(t *testing.T) {
	db, _ := database(t)
	var log bytes.Buffer
	h := gridfs.Handler(gridfs.NewBucket(db), gridfs.HandlerOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/file", nil))
	if log.Len() > 0 {
		t.Errorf("log %s", &log)
	}
	if _, err := gridfs.NewBucket(db).OpenDownloadStreamByName(ctx, "file"); !errors.Is(err, context.Canceled) || errors.Is(err, motor.ErrNoDocuments) {
		t.Errorf("error %v", err)
	}
}
