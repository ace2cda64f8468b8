package wire

import (
	"errors"
	"fmt"
	"io"
	"sync"
)

// readAhead is the size of a Reader's buffer: most messages arrive whole in
// one read.
const readAhead = 16 << 10

// buffers are for readers that are at work. An idle connection has none.
var buffers = sync.Pool{New: func() any { return new([readAhead]byte) }}

// Reader reads messages from a stream, each into memory of its own. After an
// error that passes, such as a timeout, Next goes on where it was.
type Reader struct {
	// R is the stream.
	R io.Reader
	// Limit is the longest message to accept.
	Limit int

	ahead []byte           // bytes read but not given out, within buf
	buf   *[readAhead]byte // nil if there are none

	header  Header
	message []byte // the part of a message that is there; nil between messages
}

// Memory is where a Reader puts messages, each in the place of the one before.
// The zero Memory is ready to use.
type Memory struct{ buf []byte }

// Cap is the size of the longest message for which there is room.
func (m *Memory) Cap() int { return cap(m.buf) }

// Next reads one whole message. The message, header included, belongs to the
// caller; if into is not nil it is there, and stays until into is used again.
// The error is io.EOF only if the stream ends between messages. A message
// longer than Limit is refused before memory is taken for it, and a peer that
// announces a long one gets little memory before a part has arrived.
func (r *Reader) Next(into *Memory) (Header, []byte, error) {
	if into == nil {
		into = new(Memory)
	}
	if r.message == nil {
		if err := r.begin(into); err != nil {
			return Header{}, nil, err
		}
	}
	n := int(r.header.Length)
	for len(r.message) < n {
		if len(r.message) == cap(r.message) {
			whole := make([]byte, len(r.message), n)
			copy(whole, r.message)
			r.message = whole
		}
		k, err := r.R.Read(r.message[len(r.message):min(n, cap(r.message))])
		r.message = r.message[:len(r.message)+k]
		if err != nil && len(r.message) < n {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			into.buf = nil // the part that is there stays in it
			return Header{}, nil, fmt.Errorf("%d of %d bytes of a message: %w", len(r.message), n, err)
		}
	}
	into.buf, r.message = r.message, nil
	return r.header, into.buf, nil
}

// begin reads a header and takes what has come of the message behind it.
func (r *Reader) begin(into *Memory) error {
	if r.buf == nil {
		r.buf = buffers.Get().(*[readAhead]byte)
	}
	for len(r.ahead) < HeaderLen {
		have := copy(r.buf[:], r.ahead)
		n, err := r.R.Read(r.buf[have:])
		r.ahead = r.buf[:have+n]
		if err != nil && len(r.ahead) < HeaderLen {
			if errors.Is(err, io.EOF) && len(r.ahead) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	header, err := ParseHeader(r.ahead, r.Limit)
	if err != nil {
		return err
	}
	n := int(header.Length)
	r.header = header
	r.message = into.buf[:0]
	have := min(n, len(r.ahead))
	if first := min(n, readChunk); cap(r.message) < first && have < first {
		r.message = make([]byte, 0, first)
	}
	r.message = append(r.message, r.ahead[:have]...)
	if r.ahead = r.ahead[have:]; len(r.ahead) == 0 {
		buffers.Put(r.buf)
		r.ahead, r.buf = nil, nil
	}
	return nil
}
