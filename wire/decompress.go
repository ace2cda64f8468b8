package wire

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// The most bytes that one byte of compressed data stands for, rounded up: a copy
// of 64 bytes is 3 bytes of snappy, and a copy of 258 bytes is 2 bits of zlib. A
// block of 128 kB may be 4 bytes of zstd, which is no bound.
const (
	maxSnappyRatio = 22
	maxZlibRatio   = 258 * 4
)

// believable is how many bytes data is given memory for before they have come
// out of it.
func believable(data []byte) int { return max(readChunk, 64*len(data)) }

var (
	errSize = errors.New("the data holds another number of bytes")
	errMore = errors.New("the data holds more bytes")
)

// decompress gives room for a header and the size bytes that data holds.
func decompress(data []byte, c Compressor, size int) ([]byte, error) {
	switch c {
	case NoCompression:
		if len(data) != size {
			return nil, errSize
		}
		return append(make([]byte, HeaderLen, HeaderLen+size), data...), nil
	case Snappy:
		n, err := snappy.DecodedLen(data)
		if err != nil {
			return nil, err
		}
		if n != size || n > len(data)*maxSnappyRatio {
			return nil, errSize
		}
		out := make([]byte, HeaderLen+size)
		_, err = snappy.Decode(out[HeaderLen:], data)
		return out, err
	case Zlib:
		return decompressZlib(data, size)
	case Zstd:
		return decompressZstd(data, size)
	}
	return nil, errors.New("the compressor is unknown")
}

var zlibReaders sync.Pool

func decompressZlib(data []byte, size int) ([]byte, error) {
	if size > len(data)*maxZlibRatio {
		return nil, errSize
	}
	r, ok := zlibReaders.Get().(io.ReadCloser)
	var err error
	if ok {
		err = r.(zlib.Resetter).Reset(bytes.NewReader(data), nil)
	} else {
		r, err = zlib.NewReader(bytes.NewReader(data))
	}
	if err != nil {
		return nil, err
	}
	defer zlibReaders.Put(r)
	return readSize(r, size, believable(data))
}

// zstdDecoder decodes into memory that is there.
var zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic(err) // an option is wrong
	}
	return d
})

// zstdWindow is the window that the format's specification wants every decoder
// to support.
const zstdWindow = 8 << 20

func decompressZstd(data []byte, size int) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(data); err != nil {
		return nil, err
	}
	if h.HasFCS && h.FrameContentSize != uint64(size) {
		return nil, fmt.Errorf("%w: %d", errSize, h.FrameContentSize)
	}
	if size <= believable(data) {
		out, err := zstdDecoder().DecodeAll(data, make([]byte, HeaderLen, HeaderLen+size))
		if err == nil && len(out) != HeaderLen+size {
			err = errSize
		}
		return out, err
	}
	r, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(uint64(max(size, zstdWindow)+1)))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readSize(r, size, believable(data))
}

// readSize reads size bytes, which must be all there are, behind room for a
// header. Memory for more than believed is taken when that many have come.
func readSize(r io.Reader, size, believed int) ([]byte, error) {
	out := make([]byte, HeaderLen+min(size, believed))
	n, err := io.ReadFull(r, out[HeaderLen:])
	if err == nil && n < size {
		whole := make([]byte, HeaderLen+size)
		copy(whole, out)
		out = whole
		_, err = io.ReadFull(r, out[HeaderLen+n:])
	}
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errSize
	case err != nil:
		return nil, err
	}
	switch n, err := io.ReadFull(r, make([]byte, 1)); {
	case n > 0:
		return nil, errMore
	case err != io.EOF:
		return nil, err
	}
	return out, nil
}
