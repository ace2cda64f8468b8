package bson

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// An Encoder writes documents to a stream, one after the other.
type Encoder struct {
	w io.Writer
	e encoder
}

// NewEncoder makes an Encoder that writes to w, without options.
func NewEncoder(w io.Writer) *Encoder { return Options{}.NewEncoder(w) }

// NewEncoder makes an Encoder that writes to w with the options o.
func (o Options) NewEncoder(w io.Writer) *Encoder {
	return &Encoder{w: w, e: encoder{config: o.config()}}
}

// Encode writes v, which Marshal must be able to encode, with one call of
// Write. Nothing is written of a value that cannot be encoded.
func (enc *Encoder) Encode(v any) error {
	enc.e.b = enc.e.b[:0]
	if err := enc.e.top(v); err != nil {
		return encodeTopFailed(err, v)
	}
	_, err := enc.w.Write(enc.e.b)
	return err
}

// DefaultMaxSize is the largest document that a Decoder reads unless told
// otherwise: the 16 MiB that a server stores, and 16 kB for a command around
// them.
const DefaultMaxSize = 16<<20 + 16<<10

// A Decoder reads documents from a stream, one after the other. It reads no
// further than the end of the last of them.
type Decoder struct {
	// MaxSize is the size of the largest document to read, DefaultMaxSize if it
	// is zero.
	MaxSize int

	r   io.Reader
	cfg *config
	buf []byte
}

// NewDecoder makes a Decoder that reads from r, without options.
func NewDecoder(r io.Reader) *Decoder { return Options{}.NewDecoder(r) }

// NewDecoder makes a Decoder that reads from r with the options o.
func (o Options) NewDecoder(r io.Reader) *Decoder { return &Decoder{r: r, cfg: o.config()} }

// Decode reads the next document and decodes it as Unmarshal does. The error is
// io.EOF if the stream ends before it, and io.ErrUnexpectedEOF if it ends
// within it.
func (dec *Decoder) Decode(dst any) error {
	doc, err := dec.Next()
	if err != nil {
		return err
	}
	return dec.cfg.unmarshal(TypeEmbeddedDocument, doc, dst)
}

// Next reads the next document, which stays as it is until Next or Decode is
// called again. Its errors are those of Decode. No more than its length and its
// end are checked.
func (dec *Decoder) Next() (Raw, error) {
	dec.buf = slices.Grow(dec.buf[:0], 4)[:4]
	if _, err := io.ReadFull(dec.r, dec.buf); err != nil {
		return nil, err
	}
	limit := dec.MaxSize
	if limit == 0 {
		limit = DefaultMaxSize
	}
	n := int64(int32(binary.LittleEndian.Uint32(dec.buf)))
	if n < 5 || n > int64(limit) {
		return nil, &DecodeError{Err: fmt.Errorf("the document says that it is %d bytes long; between 5 and %d are allowed", n, limit)}
	}
	for len(dec.buf) < int(n) {
		// Memory is taken as the bytes come, not as the length says.
		have := len(dec.buf)
		more := min(int(n)-have, max(have, 4<<10))
		dec.buf = slices.Grow(dec.buf, more)[:have+more]
		if _, err := io.ReadFull(dec.r, dec.buf[have:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	if dec.buf[n-1] != 0 {
		return nil, &DecodeError{Err: explainFrame(dec.buf)}
	}
	return dec.buf[:n:n], nil
}
