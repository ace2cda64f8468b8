package gridfs

import (
	"errors"
	"fmt"
)

// Errors that callers branch on with errors.Is.
var (
	// ErrFileNotFound says that no file has the id or the name.
	ErrFileNotFound = errors.New("no such file")
	// ErrRevisionNotFound says that there are files of the name, but not as many
	// as the revision asks for.
	ErrRevisionNotFound = errors.New("no such revision of the file")
	// ErrStreamClosed says that the stream was closed or aborted.
	ErrStreamClosed = errors.New("the stream is closed")

	errNoBucket = errors.New("there is no bucket; make one with NewBucket, and streams with its methods")
)

// ChunkError says that the chunks of a file are not what its files collection
// document promises: one is missing, has the wrong length, or is one too many.
type ChunkError struct {
	// FileID is the file's id.
	FileID any
	// N is the number of the chunk, from 0.
	N int64
	// Problem says what is wrong with it.
	Problem string
}

// Error is the number of the chunk, the id of its file, and what is wrong.
func (e *ChunkError) Error() string {
	return fmt.Sprintf("chunk %d of file %v %s", e.N, e.FileID, e.Problem)
}
