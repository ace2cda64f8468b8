package bson

import (
	"bytes"
	"math"
)

// replacement stands for bytes that are not UTF-8.
const replacement = "\uFFFD"

// repaired is the value b of type t, with replacements for what is not UTF-8 in
// it if the options ask for them.
func (c *config) repaired(t Type, b []byte) []byte {
	if !c.ReplaceInvalidUTF8 || valid(t, b) {
		return b
	}
	out := appendRepaired(nil, t, b, 0)
	if len(out) > math.MaxInt32 {
		return b
	}
	return out
}

// valid reports whether b is a valid value of type t.
func valid(t Type, b []byte) bool {
	if t == TypeEmbeddedDocument || t == TypeArray {
		var n census
		return n.count(b[:len(b):len(b)], t == TypeArray, 1)
	}
	return explainValue(t, b, 0) == nil
}

// key is b as a string, and whether it may be a key.
func (c *config) key(b []byte) (_ string, ok bool) {
	if ok = validUTF8(b); !ok && c.ReplaceInvalidUTF8 {
		b, ok = validText(b), true
	}
	return string(b), ok
}

// validText is b with each run of invalid bytes replaced.
func validText(b []byte) []byte { return bytes.ToValidUTF8(b, []byte(replacement)) }

// appendRepaired appends b, a whole value of type t within a document at the
// depth. What cannot be read stays as it is, for decoding to complain of.
func appendRepaired(dst []byte, t Type, b []byte, depth int) []byte {
	switch t {
	case TypeString, TypeJavaScript, TypeSymbol:
		return AppendStringValue(dst, stringOf(validText(b[4:len(b)-1])))
	case TypeEmbeddedDocument, TypeArray:
		return appendRepairedDocument(dst, b, depth+1)
	case TypeRegex:
		return append(dst, validText(b)...)
	case TypeDBPointer:
		end := len(b) - len(ObjectID{})
		return append(appendRepaired(dst, TypeString, b[:end], depth), b[end:]...)
	case TypeCodeWithScope:
		if n := valueLen(TypeString, b[4:]); n > 0 {
			dst, at := BeginDocument(dst)
			dst = appendRepaired(dst, TypeString, b[4:4+n], depth)
			dst = appendRepaired(dst, TypeEmbeddedDocument, b[4+n:], depth)
			PatchLength(dst, at)
			return dst
		}
	}
	return append(dst, b...)
}

// appendRepairedDocument is appendRepaired for a document or an array.
func appendRepairedDocument(dst, doc []byte, depth int) []byte {
	rest, ok := body(doc)
	if !ok || depth > MaxDepth {
		return append(dst, doc...)
	}
	dst, at := BeginDocument(dst)
	for len(rest) > 0 {
		key, v, after, ok := next(rest)
		if !ok {
			return append(dst[:at], doc...)
		}
		dst = append(append(append(dst, byte(v.Type)), validText(key)...), 0)
		dst = appendRepaired(dst, v.Type, v.Value, depth)
		rest = after
	}
	return EndDocument(dst, at)
}
