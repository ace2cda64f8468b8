package wire

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

// Compressor is a compression method of OP_COMPRESSED.
type Compressor uint8

// The compressors of the compression specification.
const (
	NoCompression Compressor = 0
	Snappy        Compressor = 1
	Zlib          Compressor = 2
	Zstd          Compressor = 3
)

var compressorNames = [...]string{"noop", "snappy", "zlib", "zstd"}

// String is the name as the handshake and the connection string have it.
func (c Compressor) String() string {
	if int(c) < len(compressorNames) {
		return compressorNames[c]
	}
	return fmt.Sprintf("compressor %d", uint8(c))
}

// ParseCompressor reads the name of a compressor.
func ParseCompressor(name string) (Compressor, bool) {
	for i, n := range compressorNames {
		if n == name {
			return Compressor(i), true
		}
	}
	return 0, false
}

const compressedHeaderLen = 9

var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	e, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	return e
})

// AppendCompressed appends an OP_COMPRESSED with what message says. level is
// that of zlib (-1 to 9); the others have none.
func AppendCompressed(dst, message []byte, c Compressor, level int) ([]byte, error) {
	h, err := ParseHeader(message, len(message))
	if err != nil {
		return dst, err
	}
	body := message[HeaderLen:]
	dst, at := BeginMessage(dst, h.RequestID, h.ResponseTo, OpCompressed)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(h.OpCode))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(body)))
	dst = append(dst, byte(c))
	switch c {
	case NoCompression:
		dst = append(dst, body...)
	case Snappy:
		dst = append(dst, snappy.Encode(nil, body)...)
	case Zlib:
		var buf bytes.Buffer
		w, err := zlib.NewWriterLevel(&buf, level)
		if err != nil {
			return dst, fmt.Errorf("zlib compression level %d: %w", level, err)
		}
		w.Write(body)
		w.Close()
		dst = append(dst, buf.Bytes()...)
	case Zstd:
		dst = zstdEncoder().EncodeAll(body, dst)
	default:
		return dst, fmt.Errorf("cannot compress with %v", c)
	}
	return EndMessage(dst, at), nil
}

// Decompress gives the message that an OP_COMPRESSED holds. The size that it
// announces is checked against limit before memory is taken, and against what
// comes out.
func Decompress(message []byte, limit int) ([]byte, error) {
	if len(message) < HeaderLen+compressedHeaderLen {
		return nil, malformed("OP_COMPRESSED of %d bytes", len(message))
	}
	h, err := ParseHeader(message, len(message))
	if err != nil {
		return nil, err
	}
	op := OpCode(binary.LittleEndian.Uint32(message[HeaderLen:]))
	size := int64(int32(binary.LittleEndian.Uint32(message[HeaderLen+4:])))
	c := Compressor(message[HeaderLen+8])
	data := message[HeaderLen+compressedHeaderLen:]
	if size < 0 || size > int64(limit-HeaderLen) {
		return nil, malformed("OP_COMPRESSED announces %d bytes; the limit is %d", size, limit)
	}
	if op == OpCompressed {
		return nil, malformed("OP_COMPRESSED within OP_COMPRESSED")
	}
	out, at := BeginMessage(nil, h.RequestID, h.ResponseTo, op)
	out, err = decompress(out, data, c, int(size))
	if err != nil {
		return nil, err
	}
	if got := len(out) - HeaderLen; got != int(size) {
		return nil, malformed("OP_COMPRESSED announces %d bytes and holds %d", size, got)
	}
	return EndMessage(out, at), nil
}

func decompress(dst, data []byte, c Compressor, size int) ([]byte, error) {
	switch c {
	case NoCompression:
		return append(dst, data...), nil
	case Snappy:
		n, err := snappy.DecodedLen(data)
		if err != nil || n != size {
			return nil, malformed("snappy data is corrupt or not of the announced %d bytes", size)
		}
		out, err := snappy.Decode(nil, data)
		if err != nil {
			return nil, malformed("snappy: %v", err)
		}
		return append(dst, out...), nil
	case Zlib:
		r, err := zlib.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, malformed("zlib: %v", err)
		}
		buf := bytes.NewBuffer(dst)
		if _, err := io.Copy(buf, io.LimitReader(r, int64(size)+1)); err != nil {
			return nil, malformed("zlib: %v", err)
		}
		return buf.Bytes(), nil
	case Zstd:
		r, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(size)+1<<20))
		if err != nil {
			return nil, malformed("zstd: %v", err)
		}
		defer r.Close()
		buf := bytes.NewBuffer(dst)
		if _, err := io.Copy(buf, io.LimitReader(r, int64(size)+1)); err != nil {
			return nil, malformed("zstd: %v", err)
		}
		return buf.Bytes(), nil
	}
	return nil, malformed("unknown %v", c)
}
