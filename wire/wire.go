package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sync/atomic"
)

// OpCode is the kind of a message.
type OpCode int32

// The op codes that servers of version 3.6 and later still speak.
const (
	OpReply      OpCode = 1
	OpQuery      OpCode = 2004
	OpCompressed OpCode = 2012
	OpMsg        OpCode = 2013
)

// String names the op code as the specification does.
func (o OpCode) String() string {
	switch o {
	case OpReply:
		return "OP_REPLY"
	case OpQuery:
		return "OP_QUERY"
	case OpCompressed:
		return "OP_COMPRESSED"
	case OpMsg:
		return "OP_MSG"
	}
	return fmt.Sprintf("op code %d", int32(o))
}

const (
	// HeaderLen is the length of a message header.
	HeaderLen = 16
	// DefaultMaxMessageSize is the largest message before a server has said
	// otherwise (maxMessageSizeBytes).
	DefaultMaxMessageSize = 48_000_000
)

// Header begins every message.
type Header struct {
	Length     int32 // of the whole message, header included
	RequestID  int32
	ResponseTo int32
	OpCode     OpCode
}

// ParseHeader reads the first 16 bytes of b and checks the length against limit.
func ParseHeader(b []byte, limit int) (Header, error) {
	if len(b) < HeaderLen {
		return Header{}, fmt.Errorf("message header of %d bytes: %w", len(b), io.ErrUnexpectedEOF)
	}
	h := Header{
		Length:     int32(binary.LittleEndian.Uint32(b)),
		RequestID:  int32(binary.LittleEndian.Uint32(b[4:])),
		ResponseTo: int32(binary.LittleEndian.Uint32(b[8:])),
		OpCode:     OpCode(binary.LittleEndian.Uint32(b[12:])),
	}
	if text := beginning(b); int(h.Length) > limit && len(text) >= 4 {
		return h, &Malformed{fmt.Sprintf("it begins with the text %q: this seems to be no MongoDB server", text)}
	}
	if h.Length < HeaderLen {
		return h, &Malformed{fmt.Sprintf("message says that it is %d bytes long; the header alone is %d", h.Length, HeaderLen)}
	}
	if int(h.Length) > limit {
		return h, &Malformed{fmt.Sprintf("message says that it is %d bytes long; the limit is %d", h.Length, limit)}
	}
	return h, nil
}

// beginning is the printable ASCII that b begins with, or a part of it.
func beginning(b []byte) []byte {
	for i, ch := range b {
		if ch < ' ' || ch > '~' || i == 40 {
			return b[:i]
		}
	}
	return b
}

// parseWhole reads the header of message, which must be one whole message with
// the op code, and of at least some length.
func parseWhole(message []byte, op OpCode, atLeast int) (Header, error) {
	h, err := ParseHeader(message, math.MaxInt32)
	switch {
	case err != nil:
		return h, err
	case int(h.Length) != len(message):
		return h, malformed("message says that it is %d bytes long, and is %d", h.Length, len(message))
	case h.OpCode != op:
		return h, malformed("%v instead of %v", h.OpCode, op)
	case len(message) < atLeast:
		return h, malformed("%v of %d bytes", op, len(message))
	}
	return h, nil
}

// Malformed is an error about bytes that are not a message. The connection
// they came from is of no further use.
type Malformed struct{ Reason string }

// Error says what is wrong with the message.
func (m *Malformed) Error() string { return "malformed message: " + m.Reason }

func malformed(format string, args ...any) error {
	return &Malformed{fmt.Sprintf(format, args...)}
}

// BeginMessage appends a header whose length EndMessage will fill in.
func BeginMessage(dst []byte, requestID, responseTo int32, op OpCode) (_ []byte, at int) {
	at = len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(requestID))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(responseTo))
	return binary.LittleEndian.AppendUint32(dst, uint32(op)), at
}

// EndMessage writes the length of the message that began at.
func EndMessage(dst []byte, at int) []byte {
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at))
	return dst
}

var lastRequestID atomic.Int32

// NextRequestID is a number not given out lately in this process.
func NextRequestID() int32 { return lastRequestID.Add(1) }

// readChunk is how much memory a message may take before its bytes arrive.
const readChunk = 1 << 20

// ReadMessage reads one whole message and appends it, header included, to
// buf[:0], growing it as bytes arrive, so that a peer that only announces a
// large message gets no memory for it. A message longer than limit is refused
// before its body is read. The error is io.EOF only if nothing was read.
func ReadMessage(r io.Reader, buf []byte, limit int) (Header, []byte, error) {
	if cap(buf) < HeaderLen {
		buf = make([]byte, HeaderLen, 512)
	}
	buf = buf[:HeaderLen]
	if _, err := io.ReadFull(r, buf); err != nil {
		return Header{}, buf[:0], err
	}
	h, err := ParseHeader(buf, limit)
	if err != nil {
		return h, buf[:0], err
	}
	n := int(h.Length)
	for len(buf) < n {
		at, step := len(buf), min(n-len(buf), max(cap(buf)-len(buf), readChunk))
		if at+step > cap(buf) {
			grown := make([]byte, at, min(n, max(2*cap(buf), at+step)))
			copy(grown, buf)
			buf = grown
		}
		buf = buf[:at+step]
		if _, err := io.ReadFull(r, buf[at:]); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return h, buf[:0], fmt.Errorf("message of %d bytes ended early: %w", n, err)
		}
	}
	return h, buf, nil
}
