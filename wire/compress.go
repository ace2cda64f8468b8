package wire

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"slices"
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
	i := slices.Index(compressorNames[:], name)
	return Compressor(max(i, 0)), i >= 0
}

// compressedHeaderLen is the length of what stands between the header of an
// OP_COMPRESSED and its data: op code, size and compressor.
const compressedHeaderLen = 9

// AppendCompressed appends an OP_COMPRESSED with what message says. level is
// that of zlib (-1 to 9); the others have none.
func AppendCompressed(dst, message []byte, c Compressor, level int) ([]byte, error) {
	h, err := ParseHeader(message, len(message))
	if err != nil {
		return dst, err
	}
	body := message[HeaderLen:]
	out, at := BeginMessage(dst, h.RequestID, h.ResponseTo, OpCompressed)
	out = binary.LittleEndian.AppendUint32(out, uint32(h.OpCode))
	out = binary.LittleEndian.AppendUint32(out, uint32(len(body)))
	out = append(out, byte(c))
	switch c {
	case NoCompression:
		out = append(out, body...)
	case Snappy:
		out = slices.Grow(out, snappy.MaxEncodedLen(len(body)))
		data := snappy.Encode(out[len(out):cap(out)], body)
		out = out[:len(out)+len(data)]
	case Zlib:
		if out, err = appendZlib(out, body, level); err != nil {
			return dst, err
		}
	case Zstd:
		out = zstdEncoder().EncodeAll(body, out)
	default:
		return dst, fmt.Errorf("cannot compress with %v", c)
	}
	return EndMessage(out, at), nil
}

var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err) // an option is wrong
	}
	return e
})

// zlibWriters are idle writers by level, from -1.
var zlibWriters [zlib.BestCompression + 2]sync.Pool

func appendZlib(dst, data []byte, level int) ([]byte, error) {
	if level < zlib.DefaultCompression || level > zlib.BestCompression {
		return dst, fmt.Errorf("zlib compression level %d is not between -1 and 9", level)
	}
	idle := &zlibWriters[level+1]
	out := bytes.NewBuffer(dst)
	w, ok := idle.Get().(*zlib.Writer)
	if ok {
		w.Reset(out)
	} else {
		w, _ = zlib.NewWriterLevel(out, level)
	}
	// A bytes.Buffer takes whatever is written.
	w.Write(data)
	w.Close()
	idle.Put(w)
	return out.Bytes(), nil
}

// Decompress gives the message that an OP_COMPRESSED holds, in memory of its
// own. The size that it announces is checked against limit, and against what
// the data can hold, before memory is taken, and against what comes out.
func Decompress(message []byte, limit int) ([]byte, error) {
	h, err := parseWhole(message, OpCompressed, HeaderLen+compressedHeaderLen)
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
	body, err := decompress(data, c, int(size))
	if err != nil {
		return nil, malformed("OP_COMPRESSED with %d bytes for %d by %v: %v", len(data), size, c, err)
	}
	BeginMessage(body[:0], h.RequestID, h.ResponseTo, op)
	return EndMessage(body, 0), nil
}
