package auth

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The payloads of MONGODB-AWS and MONGODB-OIDC are small BSON documents. The
// few element types that they have are read and written here, so that this
// package needs no codec.
const (
	bsonDouble   = 0x01
	bsonString   = 0x02
	bsonDocument = 0x03
	bsonArray    = 0x04
	bsonBinary   = 0x05
	bsonBool     = 0x08
	bsonNull     = 0x0a
	bsonInt32    = 0x10
	bsonInt64    = 0x12
)

// document is the elements of a document under construction.
type document []byte

func (d document) header(kind byte, key string) document {
	return append(append(append(d, kind), key...), 0)
}

func (d document) string(key, s string) document {
	d = binary.LittleEndian.AppendUint32(d.header(bsonString, key), uint32(len(s)+1))
	return append(append(d, s...), 0)
}

func (d document) binary(key string, b []byte) document {
	d = binary.LittleEndian.AppendUint32(d.header(bsonBinary, key), uint32(len(b)))
	return append(append(d, 0), b...)
}

func (d document) int32(key string, i int32) document {
	return binary.LittleEndian.AppendUint32(d.header(bsonInt32, key), uint32(i))
}

// end is the finished document.
func (d document) end() []byte {
	whole := binary.LittleEndian.AppendUint32(make([]byte, 0, len(d)+5), uint32(len(d)+5))
	return append(append(whole, d...), 0)
}

var errPayload = errors.New("the payload is not a valid BSON document")

// element is one element of a document that was read: text for strings, bytes
// for binary data of subtype 0 and for embedded documents and arrays.
type element struct {
	key  string
	kind byte
	data []byte
}

// elements splits a document.
func elements(doc []byte) ([]element, error) {
	if len(doc) < 5 || binary.LittleEndian.Uint32(doc) != uint32(len(doc)) || doc[len(doc)-1] != 0 {
		return nil, errPayload
	}
	var list []element
	rest := doc[4 : len(doc)-1]
	for len(rest) > 0 {
		e := element{kind: rest[0]}
		end := 1
		for end < len(rest) && rest[end] != 0 {
			end++
		}
		if end == len(rest) {
			return nil, errPayload
		}
		e.key, rest = string(rest[1:end]), rest[end+1:]
		skip, size, err := extent(e.kind, rest)
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", e.key, err)
		}
		if size < 0 || size > len(rest)-skip {
			return nil, errPayload
		}
		e.data, rest = rest[skip:skip+size], rest[skip+size:]
		if e.kind == bsonString {
			if size == 0 || e.data[size-1] != 0 {
				return nil, errPayload
			}
			e.data = e.data[:size-1]
		}
		list = append(list, e)
	}
	return list, nil
}

// extent says how many bytes of a value come before its data, and how many its
// data has.
func extent(kind byte, rest []byte) (skip, size int, err error) {
	switch kind {
	case bsonNull:
		return 0, 0, nil
	case bsonBool:
		return 0, 1, nil
	case bsonInt32:
		return 0, 4, nil
	case bsonInt64, bsonDouble:
		return 0, 8, nil
	case bsonString, bsonDocument, bsonArray, bsonBinary:
	default:
		return 0, 0, fmt.Errorf("type 0x%02x is unexpected", kind)
	}
	if len(rest) < 5 {
		return 0, 0, errPayload
	}
	size = int(int32(binary.LittleEndian.Uint32(rest)))
	switch kind {
	case bsonString:
		return 4, size, nil
	case bsonBinary:
		return 5, size, nil
	default:
		return 0, size, nil
	}
}
