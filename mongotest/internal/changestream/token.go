package changestream

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
)

// A Position is a place in the stream of all events: that of an event, or a
// high-water mark before all events of a time.
type Position struct {
	TS bson.Timestamp
	// Event says that this is the position of an event.
	Event bool
	// Op counts the Ops of an Entry.
	Op int
	// Invalidate says that the event is the invalidation that follows the one
	// of the Op.
	Invalidate bool
	// Fragment counts the parts of a split event, from 0; -1 if it is not split.
	Fragment int
}

// HighWater is the position before all events at ts.
func HighWater(ts bson.Timestamp) Position { return Position{TS: ts, Fragment: -1} }

// A token's data is a sequence of values, each begun by the byte of its type,
// that sorts as the events do.
const (
	tokenTimestamp = 0x82
	tokenZero      = 0x29
	tokenByte      = 0x2b // an integer of one byte, twice its value
	tokenWord      = 0x2c
	tokenFalse     = 0x6e
	tokenTrue      = 0x6f
	tokenUUID      = 0x5a
	tokenKey       = 0x46
	tokenEnd       = 0x04 // of a whole event
	tokenFragment  = 0x05 // of a part of one, after its number

	tokenVersion  = 1
	tokenForEvent = 128
)

func appendInt(b []byte, n int) []byte {
	switch {
	case n == 0:
		return append(b, tokenZero)
	case n < 1<<7:
		return append(b, tokenByte, byte(n<<1))
	}
	return binary.BigEndian.AppendUint16(append(b, tokenWord), uint16(n<<1))
}

// Token is the resume token of p: {_data}. uuid and key are those of the event.
func (p Position) Token(uuid []byte, key bson.Raw) bson.Raw {
	b := binary.BigEndian.AppendUint32([]byte{tokenTimestamp}, p.TS.T)
	b = binary.BigEndian.AppendUint32(b, p.TS.I)
	b = appendInt(b, tokenVersion)
	if p.Event {
		b = appendInt(b, tokenForEvent)
	} else {
		b = appendInt(b, 0)
	}
	b = appendInt(b, p.Op)
	if p.Invalidate {
		b = append(b, tokenTrue)
	} else {
		b = append(b, tokenFalse)
	}
	if p.Event {
		if uuid != nil {
			b = append(append(b, tokenUUID, 16, bson.BinaryUUID), uuid...)
		}
		if key != nil {
			b = append(b, tokenKey)
			for _, v := range key.All() {
				b = query.AppendKey(b, v, nil)
			}
			b = append(b, 0)
		}
	}
	if p.Event && p.Fragment >= 0 {
		// What follows the key sorts the parts of an event.
		b = append(b, byte(p.Fragment), tokenFragment)
	} else {
		b = append(b, tokenEnd)
	}
	dst, at := bson.BeginDocument(nil)
	dst = bson.AppendString(dst, "_data", fmt.Sprintf("%X", b))
	return bson.EndDocument(dst, at)
}

func errorf(code int32, format string, args ...any) *query.Error {
	return &query.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// ParseToken reads a resume token.
func ParseToken(token bson.Raw) (p Position, err error) {
	data, ok := token.Lookup("_data").Str()
	if !ok {
		return p, errorf(40647, "Bad resume token: _data of missing or of wrong type. Expected string, got %s", query.FormatDocument(token))
	}
	if data == "" {
		return p, errorf(40649, "invalid empty resume token")
	}
	b, err := hex.DecodeString(data)
	if err != nil {
		return p, errorf(9, "resume token string was not a valid hex string")
	}
	if b[0] != tokenTimestamp {
		return p, errorf(50811, "KeyString format error: Unknown type: %d", b[0])
	}
	r := reader{b: b[1:]}
	p.TS = bson.Timestamp{T: r.uint32(), I: r.uint32()}
	r.int()
	p.Event = r.int() != 0
	p.Op = r.int()
	p.Invalidate = r.byte() == tokenTrue
	p.Fragment = -1
	if n := len(b); b[n-1] == tokenFragment {
		p.Fragment = int(b[n-2])
	}
	if r.short {
		return p, errorf(50811, "KeyString format error: the resume token is cut off")
	}
	return p, nil
}

// reader reads the beginning of a token's data.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if len(r.b) < n {
		r.short = true
		return make([]byte, n)
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte     { return r.take(1)[0] }
func (r *reader) uint32() uint32 { return binary.BigEndian.Uint32(r.take(4)) }

func (r *reader) int() int {
	switch r.byte() {
	case tokenByte:
		return int(r.byte()) >> 1
	case tokenWord:
		return int(binary.BigEndian.Uint16(r.take(2))) >> 1
	}
	return 0
}
