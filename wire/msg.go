package wire

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/motor-go/motor/bson"
)

// Flags are the flag bits of an OP_MSG.
type Flags uint32

// The flag bits of the OP_MSG specification. A receiver refuses unknown bits
// among the low 16.
const (
	ChecksumPresent Flags = 1 << 0
	MoreToCome      Flags = 1 << 1
	ExhaustAllowed  Flags = 1 << 16
)

// Sequence is a kind 1 section: documents that belong to the command's field
// ID. Docs are the documents one after the other.
type Sequence struct {
	ID   string
	Docs []byte
}

// Msg is a parsed OP_MSG. It shares memory with the message it came from.
type Msg struct {
	Flags     Flags
	Body      bson.Raw
	Sequences []Sequence
}

// BeginMsg appends the header and flags of an OP_MSG and the kind byte of its
// body section; the caller appends the body document, then sequences, then
// calls EndMessage.
func BeginMsg(dst []byte, requestID, responseTo int32, flags Flags) (_ []byte, at int) {
	dst, at = BeginMessage(dst, requestID, responseTo, OpMsg)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(flags))
	return append(dst, 0), at
}

// AppendMsg appends a whole OP_MSG.
func AppendMsg(dst []byte, requestID, responseTo int32, flags Flags, body bson.Raw, seqs ...Sequence) []byte {
	dst, at := BeginMsg(dst, requestID, responseTo, flags)
	dst = append(dst, body...)
	for _, s := range seqs {
		var seq int
		dst, seq = BeginSequence(dst, s.ID)
		dst = append(dst, s.Docs...)
		dst = EndSequence(dst, seq)
	}
	return EndMessage(dst, at)
}

// BeginSequence begins a kind 1 section; the caller appends documents.
func BeginSequence(dst []byte, id string) (_ []byte, at int) {
	dst = append(dst, 1)
	at = len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = append(dst, id...)
	return append(dst, 0), at
}

// EndSequence writes the length of the section that began at.
func EndSequence(dst []byte, at int) []byte {
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at))
	return dst
}

// EndMsg ends the OP_MSG that began at with a sequence as its last section.
// Documents of more than most bytes are not copied: they are returned, to be
// sent behind the message.
func EndMsg(dst []byte, at int, s Sequence, most int) (message, behind []byte) {
	dst, seq := BeginSequence(dst, s.ID)
	if len(s.Docs) <= most {
		return EndMessage(EndSequence(append(dst, s.Docs...), seq), at), nil
	}
	n := len(dst) + len(s.Docs)
	binary.LittleEndian.PutUint32(dst[seq:], uint32(n-seq))
	binary.LittleEndian.PutUint32(dst[at:], uint32(n-at))
	return dst, s.Docs
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ParseMsg parses a whole OP_MSG, header included. There must be one body
// section; lengths, flags and the checksum are checked, documents only as far
// as their length.
func ParseMsg(message []byte) (Msg, error) {
	var m Msg
	if _, err := parseWhole(message, OpMsg, HeaderLen+4); err != nil {
		return m, err
	}
	b := message[HeaderLen:]
	m.Flags = Flags(binary.LittleEndian.Uint32(b))
	if unknown := m.Flags & 0xffff &^ (ChecksumPresent | MoreToCome); unknown != 0 {
		return m, malformed("OP_MSG has unknown required flag bits %#x", uint32(unknown))
	}
	b = b[4:]
	if m.Flags&ChecksumPresent != 0 {
		if len(b) < 4 {
			return m, malformed("OP_MSG is too short for its checksum")
		}
		end := len(message) - 4
		if sum := binary.LittleEndian.Uint32(message[end:]); sum != crc32.Checksum(message[:end], castagnoli) {
			return m, malformed("OP_MSG checksum does not match")
		}
		b = b[:len(b)-4]
	}
	for len(b) > 0 {
		kind := b[0]
		b = b[1:]
		switch kind {
		case 0:
			if m.Body != nil {
				return m, malformed("OP_MSG has two body sections")
			}
			doc, rest, err := bson.ReadDocument(b)
			if err != nil {
				return m, malformed("OP_MSG body: %v", err)
			}
			m.Body, b = doc, rest
		case 1:
			s, rest, err := parseSequence(b)
			if err != nil {
				return m, err
			}
			m.Sequences = append(m.Sequences, s)
			b = rest
		default:
			return m, malformed("OP_MSG has a section of kind %d", kind)
		}
	}
	if m.Body == nil {
		return m, malformed("OP_MSG has no body section")
	}
	return m, nil
}

func parseSequence(b []byte) (s Sequence, rest []byte, err error) {
	if len(b) < 5 {
		return s, nil, malformed("OP_MSG document sequence of %d bytes", len(b))
	}
	n := int64(int32(binary.LittleEndian.Uint32(b)))
	if n < 5 || n > int64(len(b)) {
		return s, nil, malformed("OP_MSG document sequence says that it is %d bytes long, %d are left", n, len(b))
	}
	sec, rest := b[4:n], b[n:]
	for i, c := range sec {
		if c == 0 {
			s = Sequence{string(sec[:i]), sec[i+1:]}
			for docs := s.Docs; len(docs) > 0; {
				if _, docs, err = bson.ReadDocument(docs); err != nil {
					return s, nil, malformed("OP_MSG document sequence %q: %v", s.ID, err)
				}
			}
			return s, rest, nil
		}
	}
	return s, nil, malformed("OP_MSG document sequence has no name")
}

// Documents are the documents of s.
func (s Sequence) Documents() (docs []bson.Raw) {
	for b := s.Docs; len(b) > 0; {
		doc, rest, err := bson.ReadDocument(b)
		if err != nil {
			return docs
		}
		docs, b = append(docs, doc), rest
	}
	return docs
}
