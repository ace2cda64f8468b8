package gridfs

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
)

// HandlerOptions are the options of Handler. All functions may be called by many
// goroutines at once.
type HandlerOptions struct {
	// Open opens what a request asks for. ErrFileNotFound and
	// ErrRevisionNotFound become a 404, other errors a 500. If Open is nil, the
	// URL's path without the slash at its start is the name of the file, and its
	// latest revision is served.
	Open func(r *http.Request) (*DownloadStream, error)
	// CacheTime is how long a response may be used without asking again. If it
	// is nil or not positive, caches must ask, which costs no more than reading
	// the files collection document.
	CacheTime func(r *http.Request, f *File, contentType string) time.Duration
	// ExtraHeaders sets more headers, or others, before the response begins.
	ExtraHeaders func(h http.Header, r *http.Request, f *File)
	// Logger receives the errors of requests that the server is to blame for;
	// nil logs nothing.
	Logger *slog.Logger
}

// Handler serves the files of a bucket to GET and HEAD: whole or in ranges, and
// not at all to who has them already, by If-None-Match, If-Modified-Since and
// their like. The ETag stands for a file's id, upload date and length. The
// Content-Type is the metadata's field contentType, or else the files
// collection document's, or else goes by the file's name.
//
//	http.Handle("GET /media/", http.StripPrefix("/media", gridfs.Handler(bucket)))
//
// A browser runs the scripts of what it takes for a web page: uploads of
// strangers belong on a domain of their own, or in ExtraHeaders that forbid it.
func Handler(b *Bucket, opts ...HandlerOptions) http.Handler {
	h := &handler{option.Of(opts)}
	if h.Open == nil {
		h.Open = func(r *http.Request) (*DownloadStream, error) {
			return b.OpenDownloadStreamByName(r.Context(), strings.TrimPrefix(r.URL.Path, "/"))
		}
	}
	return h
}

type handler struct{ HandlerOptions }

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "405 method not allowed", http.StatusMethodNotAllowed)
		return
	}
	d, err := h.Open(r)
	if errors.Is(err, ErrFileNotFound) || errors.Is(err, ErrRevisionNotFound) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		h.log(r, err)
		http.Error(w, "500 internal server error", http.StatusInternalServerError)
		return
	}
	defer d.Close()
	h.setHeaders(w.Header(), r, d)
	body := &body{DownloadStream: d}
	http.ServeContent(w, r, "", d.file.UploadDate, body)
	if body.err != nil {
		h.log(r, body.err)
		panic(http.ErrAbortHandler) // the client must not take what came for the whole
	}
}

func (h *handler) setHeaders(header http.Header, r *http.Request, d *DownloadStream) {
	contentType := d.file.contentType()
	header.Set("Content-Type", contentType)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("ETag", d.etag())
	age := time.Duration(0)
	if h.CacheTime != nil {
		age = h.CacheTime(r, &d.file, contentType)
	}
	if age > 0 {
		header.Set("Cache-Control", fmt.Sprintf("max-age=%d", int64(age/time.Second)))
		header.Set("Expires", time.Now().Add(age).UTC().Format(http.TimeFormat))
	} else {
		header.Set("Cache-Control", "no-cache")
	}
	if h.ExtraHeaders != nil {
		h.ExtraHeaders(header, r, &d.file)
	}
}

// log logs an error, unless it is that the client has gone.
func (h *handler) log(r *http.Request, err error) {
	if h.Logger != nil && !errors.Is(r.Context().Err(), context.Canceled) {
		h.Logger.ErrorContext(r.Context(), "serving a file", "url", r.URL.String(), "error", err)
	}
}

// contentType is the file's MIME type, as far as somebody says what it is.
func (f *File) contentType() string {
	for _, v := range []bson.RawValue{f.Metadata.Lookup("contentType"), f.Other["contentType"]} {
		if s, _ := v.Str(); s != "" {
			return s
		}
	}
	if s := mime.TypeByExtension(path.Ext(f.Filename)); s != "" {
		return s
	}
	return "application/octet-stream"
}

// etag stands for the file's contents, which never change under one id, upload
// date and length.
func (d *DownloadStream) etag() string {
	b := append([]byte{byte(d.fileID.Type)}, d.fileID.Value...)
	b = binary.LittleEndian.AppendUint64(b, uint64(d.file.UploadDate.UnixMilli()))
	b = binary.LittleEndian.AppendUint64(b, uint64(d.file.Length))
	sum := sha256.Sum256(b)
	return fmt.Sprintf(`"%x"`, sum[:16])
}

// body remembers why reading failed, which http.ServeContent does not tell.
type body struct {
	*DownloadStream
	err error
}

func (b *body) Read(p []byte) (n int, err error) {
	n, err = b.DownloadStream.Read(p)
	if err != nil && err != io.EOF {
		b.err = err
	}
	return n, err
}
