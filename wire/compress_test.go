package wire

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"

	"github.com/motor-go/motor/bson"
)

var compressors = []Compressor{NoCompression, Snappy, Zlib, Zstd}

// binaryMsg is an OP_MSG around data.
func binaryMsg(data []byte) []byte {
	d, at := bson.BeginDocument(nil)
	d = bson.AppendBinary(d, "data", bson.Binary{Data: data})
	return AppendMsg(nil, 5, 6, MoreToCome, bson.EndDocument(d, at))
}

func TestCompressors(t *testing.T) {
	random := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{}).Read(random)
	for _, c := range compressors {
		for name, message := range map[string][]byte{
			"small":    insert,
			"text":     binaryMsg(bytes.Repeat([]byte("all work and no play "), 50_000)),
			"zeros":    binaryMsg(make([]byte, 8<<20)),
			"random":   binaryMsg(random),
			"OP_QUERY": AppendQuery(nil, 1, "admin", doc("isMaster")),
		} {
			compressed, err := AppendCompressed([]byte("before"), message, c, -1)
			if err != nil {
				t.Fatal(err)
			}
			compressed = compressed[len("before"):]
			h, err := ParseHeader(compressed, len(compressed))
			if err != nil || h.OpCode != OpCompressed || int(h.Length) != len(compressed) {
				t.Errorf("%v %s: header %+v, %v", c, name, h, err)
			}
			if got, err := Decompress(compressed, DefaultMaxMessageSize); err != nil || !bytes.Equal(got, message) {
				t.Errorf("%v %s: %d bytes, %v", c, name, len(got), err)
			}
		}
	}
}

func TestCompressorNames(t *testing.T) {
	for _, c := range compressors {
		if got, ok := ParseCompressor(c.String()); !ok || got != c {
			t.Errorf("%v is read as %v", c, got)
		}
	}
	if _, ok := ParseCompressor("lzma"); ok || Compressor(9).String() != "compressor 9" {
		t.Error("an unknown compressor is known")
	}
	if _, err := AppendCompressed(nil, insert, 9, 0); err == nil || !strings.Contains(err.Error(), "compressor 9") {
		t.Errorf("error: %v", err)
	}
}

func TestZlibLevels(t *testing.T) {
	text := binaryMsg(bytes.Repeat([]byte("all work and no play "), 1000))
	sizes := map[int]int{}
	for level := -2; level <= 10; level++ {
		got, err := AppendCompressed(nil, text, Zlib, level)
		if (err == nil) != (level >= -1 && level <= 9) {
			t.Errorf("level %d: %v", level, err)
		}
		sizes[level] = len(got)
	}
	if sizes[0] < len(text) || sizes[9] >= sizes[0]/10 || sizes[-1] != sizes[6] {
		t.Errorf("sizes by level: %v", sizes)
	}
}

// Other implementations need not say how much a zstd frame holds, and may use
// large windows.
func TestZstdWithoutSize(t *testing.T) {
	for _, size := range []int{100, 3 << 20} {
		message := binaryMsg(bytes.Repeat([]byte("abcdefgh"), size/8))
		var data bytes.Buffer
		w, err := zstd.NewWriter(&data, zstd.WithWindowSize(8<<20))
		if err != nil {
			t.Fatal(err)
		}
		for part := range slices.Chunk(message[HeaderLen:], 1000) {
			w.Write(part)
		}
		w.Close()
		got, err := Decompress(compressedWith(Zstd, len(message)-HeaderLen, data.Bytes(), 5, 6), DefaultMaxMessageSize)
		if err != nil || !bytes.Equal(got, message) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// compressedWith is an OP_COMPRESSED of an OP_MSG that announces size bytes.
func compressedWith(c Compressor, size int, data []byte, requestID, responseTo int32) []byte {
	m, at := BeginMessage(nil, requestID, responseTo, OpCompressed)
	m = binary.LittleEndian.AppendUint32(m, uint32(OpMsg))
	m = binary.LittleEndian.AppendUint32(m, uint32(size))
	m = append(m, byte(c))
	return EndMessage(append(m, data...), at)
}

// encode compresses data alone.
func encode(c Compressor, data []byte) []byte {
	message, at := BeginMessage(nil, 1, 1, OpMsg)
	m, err := AppendCompressed(nil, EndMessage(append(message, data...), at), c, 9)
	if err != nil {
		panic(err)
	}
	return m[HeaderLen+compressedHeaderLen:]
}

// A size that lies is refused, and buys little memory.
func TestLyingSizes(t *testing.T) {
	zeros := make([]byte, 10<<20)
	streamed := new(bytes.Buffer)
	w, _ := zstd.NewWriter(streamed)
	w.Write(zeros[:1000])
	w.Flush()
	w.Write(zeros)
	w.Close()
	snappyLie := binary.AppendUvarint(nil, 45<<20)
	snappyLie = append(snappyLie, 0, 'x')
	for _, tt := range []struct {
		name string
		c    Compressor
		size int
		data []byte
		most uint64 // bytes of memory
	}{
		{"no compression, more", NoCompression, 10, zeros[:11], 1 << 10},
		{"no compression, less", NoCompression, 45 << 20, zeros[:11], 1 << 10},
		{"snappy, more", Snappy, 1000, snappy.Encode(nil, zeros), 1 << 10},
		{"snappy, less", Snappy, 45 << 20, snappy.Encode(nil, zeros[:1000]), 1 << 10},
		{"snappy, lie in the data too", Snappy, 45 << 20, snappyLie, 1 << 10},
		{"snappy, corrupt", Snappy, 3, []byte{0xff}, 1 << 10},
		{"zlib, more", Zlib, 1000, encode(Zlib, zeros), 1 << 20},
		{"zlib, less", Zlib, 45 << 20, encode(Zlib, zeros[:1000]), 1 << 20},
		{"zlib, a little less", Zlib, 10<<20 + 1, encode(Zlib, zeros), 13 << 20},
		{"zlib, corrupt", Zlib, 3, []byte("what?"), 1 << 20},
		{"zlib, wrong checksum", Zlib, 1000, patch(encode(Zlib, zeros[:1000]), -1, "77"), 1 << 20},
		{"zstd, more", Zstd, 1000, encode(Zstd, zeros), 1 << 20},
		{"zstd, less", Zstd, 45 << 20, encode(Zstd, zeros[:1000]), 1 << 20},
		{"zstd without size, more", Zstd, 1000, streamed.Bytes(), 1 << 20},
		{"zstd without size, less", Zstd, 45 << 20, streamed.Bytes(), 80 << 20},
		{"zstd, corrupt", Zstd, 3, []byte("what?"), 1 << 20},
		{"unknown compressor", 7, 3, zeros[:3], 1 << 10},
		{"negative size", Snappy, -1, snappy.Encode(nil, nil), 1 << 10},
		{"size above the limit", Snappy, DefaultMaxMessageSize, snappy.Encode(nil, nil), 1 << 10},
		{"nothing", Zlib, 0, nil, 1 << 20},
	} {
		message := compressedWith(tt.c, tt.size, tt.data, 1, 1)
		decompress := func() error { _, err := Decompress(message, DefaultMaxMessageSize); return err }
		decompress() // what all share is made at the first use
		n := allocated(func() {
			var malformed *Malformed
			if err := decompress(); !errors.As(err, &malformed) {
				t.Errorf("%s: %v", tt.name, err)
			}
		})
		if n > tt.most {
			t.Errorf("%s: %d bytes of memory for %d bytes of data", tt.name, n, len(tt.data))
		}
	}
	nested := compressedWith(NoCompression, 3, zeros[:3], 1, 1)
	copy(nested[HeaderLen:], unhex("dc070000"))
	if _, err := Decompress(nested, 1000); err == nil || !strings.Contains(err.Error(), "within") {
		t.Errorf("nested: %v", err)
	}
}

func TestCompressConcurrently(t *testing.T) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			message := binaryMsg(bytes.Repeat([]byte{byte(i)}, 10_000*(i+1)))
			for range 20 {
				for _, c := range compressors {
					m, err := AppendCompressed(nil, message, c, i)
					if err != nil {
						t.Error(err)
					}
					if got, err := Decompress(m, 1<<20); err != nil || !bytes.Equal(got, message) {
						t.Errorf("%v: %v", c, err)
					}
				}
			}
		})
	}
	wg.Wait()
}

// FuzzDecompress decompresses any bytes. What comes out is as long as was
// announced, and is what a plain decoder makes of it.
func FuzzDecompress(f *testing.F) {
	for _, c := range compressors {
		f.Add(byte(c), int32(len(insert)-HeaderLen), encode(c, insert[HeaderLen:]))
		f.Add(byte(c), int32(40<<20), encode(c, make([]byte, 1000)))
	}
	f.Fuzz(func(t *testing.T, c byte, size int32, data []byte) {
		const limit = 4 << 20
		got, err := Decompress(compressedWith(Compressor(c), int(size), data, 8, 9), limit)
		if err != nil {
			return
		}
		h, err := ParseHeader(got, limit)
		if err != nil || h != (Header{size + HeaderLen, 8, 9, OpMsg}) || len(got) != int(h.Length) {
			t.Fatalf("%d bytes with header %+v, %v", len(got), h, err)
		}
		var want []byte
		switch Compressor(c) {
		case NoCompression:
			want = data
		case Snappy:
			want, err = snappy.Decode(nil, data)
		case Zlib:
			var r interface{ Read([]byte) (int, error) }
			if r, err = zlib.NewReader(bytes.NewReader(data)); err == nil {
				var b bytes.Buffer
				_, err = b.ReadFrom(r)
				want = b.Bytes()
			}
		case Zstd:
			var d *zstd.Decoder
			if d, err = zstd.NewReader(nil); err == nil {
				want, err = d.DecodeAll(data, nil)
				d.Close()
			}
		}
		if err != nil || !bytes.Equal(got[HeaderLen:], want) {
			t.Fatalf("%x\nwant\n%x, %v", got[HeaderLen:], want, err)
		}
	})
}

func BenchmarkDecompress(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20} {
		message := binaryMsg(bytes.Repeat([]byte("all work and no play makes Jack a dull boy. "), size/44))
		for _, c := range compressors[1:] {
			b.Run(fmt.Sprintf("%v/%dkB", c, size>>10), func(b *testing.B) {
				m, err := AppendCompressed(nil, message, c, -1)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(len(message)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := Decompress(m, DefaultMaxMessageSize); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkCompress(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20} {
		message := binaryMsg(bytes.Repeat([]byte("all work and no play makes Jack a dull boy. "), size/44))
		for _, c := range compressors[1:] {
			b.Run(fmt.Sprintf("%v/%dkB", c, size>>10), func(b *testing.B) {
				var buf []byte
				b.SetBytes(int64(len(message)))
				b.ReportAllocs()
				for b.Loop() {
					buf, _ = AppendCompressed(buf[:0], message, c, -1)
				}
			})
		}
	}
}
