package wire

import (
	"bytes"
	"encoding/binary"

	"github.com/motor-go/motor/bson"
)

// Query is a parsed OP_QUERY: the legacy form of a command, of which the first
// message of a handshake is the last use.
type Query struct {
	Flags      int32
	Collection string // "db.$cmd"
	Skip       int32
	Return     int32
	Body       bson.Raw
}

// SecondaryOK is the OP_QUERY flag that lets a secondary answer.
const SecondaryOK int32 = 1 << 2

// AppendQuery appends a whole OP_QUERY with a command for db.
func AppendQuery(dst []byte, requestID int32, db string, body bson.Raw) []byte {
	dst, at := BeginMessage(dst, requestID, 0, OpQuery)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(SecondaryOK))
	dst = append(dst, db...)
	dst = append(dst, ".$cmd\x00"...)
	dst = binary.LittleEndian.AppendUint32(dst, 0)
	dst = binary.LittleEndian.AppendUint32(dst, 0xffffffff)
	dst = append(dst, body...)
	return EndMessage(dst, at)
}

// ParseQuery parses a whole OP_QUERY, header included.
func ParseQuery(message []byte) (q Query, err error) {
	if _, err := parseWhole(message, OpQuery, HeaderLen+4); err != nil {
		return q, err
	}
	b := message[HeaderLen:]
	q.Flags = int32(binary.LittleEndian.Uint32(b))
	b = b[4:]
	i := bytes.IndexByte(b, 0)
	if i < 0 || len(b) < i+9 {
		return q, malformed("OP_QUERY has no collection name")
	}
	q.Collection = string(b[:i])
	b = b[i+1:]
	q.Skip = int32(binary.LittleEndian.Uint32(b))
	q.Return = int32(binary.LittleEndian.Uint32(b[4:]))
	// A projection may follow.
	if q.Body, _, err = bson.ReadDocument(b[8:]); err != nil {
		return q, malformed("OP_QUERY: %v", err)
	}
	return q, nil
}

// AppendReply appends a whole OP_REPLY with one document.
func AppendReply(dst []byte, requestID, responseTo int32, doc bson.Raw) []byte {
	dst, at := BeginMessage(dst, requestID, responseTo, OpReply)
	dst = binary.LittleEndian.AppendUint32(dst, 8) // AwaitCapable
	dst = binary.LittleEndian.AppendUint64(dst, 0) // cursor
	dst = binary.LittleEndian.AppendUint32(dst, 0) // from
	dst = binary.LittleEndian.AppendUint32(dst, 1) // documents
	dst = append(dst, doc...)
	return EndMessage(dst, at)
}

// ParseReply parses a whole OP_REPLY, header included, that holds the one
// document which answers a command.
func ParseReply(message []byte) (bson.Raw, error) {
	const fixed = HeaderLen + 20
	if _, err := parseWhole(message, OpReply, fixed); err != nil {
		return nil, err
	}
	if n := binary.LittleEndian.Uint32(message[fixed-4:]); n != 1 {
		return nil, malformed("OP_REPLY holds %d documents instead of 1", n)
	}
	doc, rest, err := bson.ReadDocument(message[fixed:])
	if err != nil {
		return nil, malformed("OP_REPLY: %v", err)
	}
	if len(rest) > 0 {
		return nil, malformed("OP_REPLY has %d bytes behind its document", len(rest))
	}
	return doc, nil
}
