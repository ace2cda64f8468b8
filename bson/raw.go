package bson

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
)

// MaxDepth is the deepest nesting of documents that this package reads or
// writes. The server stops at 180 to 200.
const MaxDepth = 1000

// Raw is an encoded document. Reading from a Raw that is cut off or lies about
// a length yields nothing from that point on; Validate says what is wrong.
type Raw []byte

// RawArray is an encoded array: a document whose keys are "0", "1" and so on.
type RawArray []byte

// RawValue is an encoded value. The zero RawValue is no value at all.
type RawValue struct {
	Type  Type
	Value []byte
}

// IsZero reports whether v is no value at all.
func (v RawValue) IsZero() bool { return v.Type == 0 && v.Value == nil }

// IsNumber reports whether v is a double, an integer or a decimal number.
func (v RawValue) IsNumber() bool {
	return v.Type == TypeDouble || v.Type == TypeInt32 || v.Type == TypeInt64 || v.Type == TypeDecimal128
}

// All iterates over the elements in order.
func (r Raw) All() iter.Seq2[string, RawValue] {
	return func(yield func(string, RawValue) bool) {
		rest, ok := body(r)
		for ok && len(rest) > 0 {
			var key []byte
			var v RawValue
			if key, v, rest, ok = next(rest); ok && !yield(string(key), v) {
				return
			}
		}
	}
}

// Keys iterates over the keys in order.
func (r Raw) Keys() iter.Seq[string] {
	return func(yield func(string) bool) {
		for k := range r.All() {
			if !yield(k) {
				return
			}
		}
	}
}

// Values iterates over the elements of the array in order.
func (a RawArray) Values() iter.Seq[RawValue] {
	return func(yield func(RawValue) bool) {
		rest, ok := body(a)
		for ok && len(rest) > 0 {
			var v RawValue
			if _, v, rest, ok = next(rest); ok && !yield(v) {
				return
			}
		}
	}
}

// Len counts the elements.
func (r Raw) Len() (n int) {
	rest, ok := body(r)
	for ok && len(rest) > 0 {
		if _, _, rest, ok = next(rest); ok {
			n++
		}
	}
	return n
}

// Len counts the elements.
func (a RawArray) Len() int { return Raw(a).Len() }

// Lookup finds the value at the path of keys, array indexes among them, without
// decoding anything else. It is the zero RawValue if there is none.
func (r Raw) Lookup(path ...string) RawValue {
	v := RawValue{Type: TypeEmbeddedDocument, Value: r}
	for _, key := range path {
		if v.Type != TypeEmbeddedDocument && v.Type != TypeArray {
			return RawValue{}
		}
		v = find(v.Value, key)
	}
	return v
}

func find(doc []byte, key string) RawValue {
	rest, ok := body(doc)
	for ok && len(rest) > 0 {
		var k []byte
		var v RawValue
		if k, v, rest, ok = next(rest); ok && string(k) == key {
			return v
		}
	}
	return RawValue{}
}

// Index is the i-th element, or the zero RawValue.
func (a RawArray) Index(i int) RawValue {
	for v := range a.Values() {
		if i == 0 {
			return v
		}
		i--
	}
	return RawValue{}
}

// Clone is a copy that shares no memory with r.
func (r Raw) Clone() Raw { return bytes.Clone(r) }

// body is what stands between the length and the closing NUL.
func body(doc []byte) ([]byte, bool) {
	if len(doc) < 5 || int(binary.LittleEndian.Uint32(doc)) != len(doc) || doc[len(doc)-1] != 0 {
		return nil, false
	}
	return doc[4 : len(doc)-1], true
}

// next reads one element. Nested documents are measured, not read.
func next(b []byte) (key []byte, v RawValue, rest []byte, ok bool) {
	end := 1
	for {
		if end >= len(b) {
			return nil, v, nil, false
		}
		if b[end] == 0 {
			break
		}
		end++
	}
	n := valueLen(Type(b[0]), b[end+1:])
	if n < 0 {
		return nil, v, nil, false
	}
	at := end + 1
	return b[1:end], RawValue{Type(b[0]), b[at : at+n : at+n]}, b[at+n:], true
}

// fixedLen is the length of the values of each type that always have the same,
// -1 for types that need more than their type to be measured, and unknownType
// for those that do not exist.
var fixedLen = makeFixedLen()

const unknownType = -2

func makeFixedLen() (table [256]int8) {
	for i := range table {
		table[i] = unknownType
	}
	for _, t := range []Type{TypeString, TypeEmbeddedDocument, TypeArray, TypeBinary, TypeRegex, TypeDBPointer, TypeJavaScript, TypeSymbol, TypeCodeWithScope} {
		table[t] = -1
	}
	for t, n := range map[Type]int8{
		TypeNull: 0, TypeUndefined: 0, TypeMinKey: 0, TypeMaxKey: 0,
		TypeBoolean: 1, TypeInt32: 4,
		TypeDouble: 8, TypeDateTime: 8, TypeTimestamp: 8, TypeInt64: 8,
		TypeObjectID: 12, TypeDecimal128: 16,
	} {
		table[t] = n
	}
	return table
}

// valueLen is the length of the value of type t at the start of b, or -1 if
// there is not a whole one. What is as long as it says must also end as it
// should.
func valueLen(t Type, b []byte) int {
	if n := int(fixedLen[t]); n >= 0 {
		if n > len(b) {
			return -1
		}
		return n
	}
	if t == TypeRegex {
		return regexLen(b)
	}
	if len(b) < 5 {
		return -1
	}
	n := int64(int32(binary.LittleEndian.Uint32(b)))
	low, nul := int64(5), int64(1) // nul is where the NUL is, from the end
	switch t {
	case TypeString, TypeJavaScript, TypeSymbol:
		n += 4
	case TypeEmbeddedDocument, TypeArray:
	case TypeBinary:
		n, nul = n+5, 0
	case TypeDBPointer:
		n, low, nul = n+16, 17, 13
	case TypeCodeWithScope:
		low = 14
	default:
		return -1
	}
	if n < low || n > int64(len(b)) || nul > 0 && b[n-nul] != 0 {
		return -1
	}
	return int(n)
}

func regexLen(b []byte) int {
	p := bytes.IndexByte(b, 0)
	if p < 0 {
		return -1
	}
	o := bytes.IndexByte(b[p+1:], 0)
	if o < 0 {
		return -1
	}
	return p + o + 2
}

// ReadDocument splits one whole document off the front of b.
func ReadDocument(b []byte) (doc Raw, rest []byte, err error) {
	if len(b) < 5 {
		return nil, nil, fmt.Errorf("document needs 5 bytes at least, %d are left", len(b))
	}
	n := int64(int32(binary.LittleEndian.Uint32(b)))
	if n < 5 || n > int64(len(b)) {
		return nil, nil, fmt.Errorf("document says that it is %d bytes long, %d are left", n, len(b))
	}
	if b[n-1] != 0 {
		return nil, nil, fmt.Errorf("document of %d bytes does not end with NUL", n)
	}
	return Raw(b[:n:n]), b[n:], nil
}

// NextElementDocument takes the first element off elements, which are those of
// a document or an array without its length and closing NUL. The element must
// be a document.
func NextElementDocument(elements []byte) (doc Raw, rest []byte, err error) {
	_, v, rest, ok := next(elements)
	if !ok {
		return nil, nil, fmt.Errorf("malformed element in %d bytes", len(elements))
	}
	if v.Type != TypeEmbeddedDocument {
		return nil, nil, fmt.Errorf("element is a %v instead of a document", v.Type)
	}
	return Raw(v.Value), rest, nil
}
