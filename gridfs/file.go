package gridfs

import (
	"time"

	"github.com/motor-go/motor/bson"
)

// File is a files collection document: what a bucket knows of a stored file.
type File struct {
	// ID is the file's id: an ObjectID, unless the uploader chose another.
	ID any `bson:"_id"`
	// Length is the file's length in bytes.
	Length int64 `bson:"length"`
	// ChunkSize is the length in bytes of each chunk but the last.
	ChunkSize int64 `bson:"chunkSize"`
	// UploadDate is when the upload was completed, to the millisecond.
	UploadDate time.Time `bson:"uploadDate"`
	// Filename is empty if the file has no name.
	Filename string `bson:"filename"`
	// Metadata is what the uploader wanted to be kept with the file, or nil.
	Metadata bson.Raw `bson:"metadata"`
	// Other are the fields that this package does not know, such as md5,
	// contentType and aliases of files that were stored by older drivers.
	Other map[string]bson.RawValue `bson:",inline"`
}

// layout says how a file is cut into chunks.
type layout struct{ length, chunkSize int64 }

// chunks is how many chunks the file has.
func (l layout) chunks() int64 {
	n := l.length / l.chunkSize
	if l.length%l.chunkSize > 0 {
		n++
	}
	return n
}

// chunkLength is the length of chunk n.
func (l layout) chunkLength(n int64) int64 {
	return min(l.chunkSize, l.length-n*l.chunkSize)
}

// batch is how many chunks to send or to fetch at once for about so many bytes.
// Chunks that are tiny have their own cost.
func (l layout) batch(bytes int64) int64 {
	const most = 1000
	return max(1, min(bytes/l.chunkSize, most))
}
