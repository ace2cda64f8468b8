package bson

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// The Append functions add one element, key and value, to a document under
// construction and return the extended buffer. Keys and the two parts of a
// regular expression must not contain NUL; the functions cut them there, since
// what follows cannot be represented.
//
//	dst, at := bson.BeginDocument(nil)
//	dst = bson.AppendString(dst, "name", "x")
//	dst = bson.EndDocument(dst, at)

// AppendHeader adds the type and key of an element whose value the caller
// appends next.
func AppendHeader(dst []byte, t Type, key string) []byte {
	dst = append(dst, byte(t))
	return appendCString(dst, key)
}

// BeginDocument leaves room for the length of a document or an array. at is to
// be given to EndDocument.
func BeginDocument(dst []byte) (_ []byte, at int) {
	return append(dst, 0, 0, 0, 0), len(dst)
}

// EndDocument ends the document that began at, and writes its length.
func EndDocument(dst []byte, at int) []byte {
	dst = append(dst, 0)
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at))
	return dst
}

// BeginEmbedded begins an element that is a document.
func BeginEmbedded(dst []byte, key string) (_ []byte, at int) {
	return BeginDocument(AppendHeader(dst, TypeEmbeddedDocument, key))
}

// BeginArray begins an element that is an array. Its elements' keys are "0",
// "1" and so on; see AppendIndexHeader.
func BeginArray(dst []byte, key string) (_ []byte, at int) {
	return BeginDocument(AppendHeader(dst, TypeArray, key))
}

// AppendIndexHeader is AppendHeader with the key of the i-th element of an
// array.
func AppendIndexHeader(dst []byte, t Type, i int) []byte {
	dst = append(dst, byte(t))
	dst = strconv.AppendUint(dst, uint64(i), 10)
	return append(dst, 0)
}

// AppendDouble adds a double.
func AppendDouble(dst []byte, key string, f float64) []byte {
	return binary.LittleEndian.AppendUint64(AppendHeader(dst, TypeDouble, key), math.Float64bits(f))
}

// AppendString adds a string, which must be valid UTF-8.
func AppendString(dst []byte, key, s string) []byte {
	return AppendStringValue(AppendHeader(dst, TypeString, key), s)
}

// AppendDocument adds an embedded document.
func AppendDocument(dst []byte, key string, doc Raw) []byte {
	return append(AppendHeader(dst, TypeEmbeddedDocument, key), doc...)
}

// AppendArray adds an array.
func AppendArray(dst []byte, key string, arr RawArray) []byte {
	return append(AppendHeader(dst, TypeArray, key), arr...)
}

// AppendBinary adds bytes of a subtype.
func AppendBinary(dst []byte, key string, b Binary) []byte {
	return AppendBinaryValue(AppendHeader(dst, TypeBinary, key), b.Subtype, b.Data)
}

// AppendObjectID adds an ObjectID.
func AppendObjectID(dst []byte, key string, id ObjectID) []byte {
	return append(AppendHeader(dst, TypeObjectID, key), id[:]...)
}

// AppendBool adds a boolean.
func AppendBool(dst []byte, key string, b bool) []byte {
	return append(AppendHeader(dst, TypeBoolean, key), boolByte(b))
}

// AppendDateTime adds a date.
func AppendDateTime(dst []byte, key string, d DateTime) []byte {
	return binary.LittleEndian.AppendUint64(AppendHeader(dst, TypeDateTime, key), uint64(d))
}

// AppendNull adds a null.
func AppendNull(dst []byte, key string) []byte { return AppendHeader(dst, TypeNull, key) }

// AppendRegex adds a regular expression.
func AppendRegex(dst []byte, key string, r Regex) []byte {
	return AppendRegexValue(AppendHeader(dst, TypeRegex, key), r)
}

// AppendInt32 adds a 32-bit integer.
func AppendInt32(dst []byte, key string, i int32) []byte {
	return binary.LittleEndian.AppendUint32(AppendHeader(dst, TypeInt32, key), uint32(i))
}

// AppendInt64 adds a 64-bit integer.
func AppendInt64(dst []byte, key string, i int64) []byte {
	return binary.LittleEndian.AppendUint64(AppendHeader(dst, TypeInt64, key), uint64(i))
}

// AppendTimestamp adds a timestamp.
func AppendTimestamp(dst []byte, key string, t Timestamp) []byte {
	return AppendTimestampValue(AppendHeader(dst, TypeTimestamp, key), t)
}

// AppendDecimal128 adds a decimal number.
func AppendDecimal128(dst []byte, key string, d Decimal128) []byte {
	return AppendDecimal128Value(AppendHeader(dst, TypeDecimal128, key), d)
}

// AppendValue adds a value read elsewhere.
func AppendValue(dst []byte, key string, v RawValue) []byte {
	return append(AppendHeader(dst, v.Type, key), v.Value...)
}

// AppendStringValue adds the value of a string, JavaScript or symbol.
func AppendStringValue(dst []byte, s string) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(s)+1))
	dst = append(dst, s...)
	return append(dst, 0)
}

// AppendBinaryValue adds the value of a binary. Subtype 2 gets its inner
// length.
func AppendBinaryValue(dst []byte, subtype byte, data []byte) []byte {
	if subtype == BinaryOld {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(data)+4))
		dst = append(dst, subtype)
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(data)))
		return append(dst, data...)
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(data)))
	dst = append(dst, subtype)
	return append(dst, data...)
}

// AppendRegexValue adds the value of a regular expression, its options sorted.
func AppendRegexValue(dst []byte, r Regex) []byte {
	return appendCString(appendCString(dst, r.Pattern), sortedOptions(r.Options))
}

// sortedOptions is the options of a regular expression in order, unless they
// are not valid UTF-8. Bytes that are in order are those of ASCII characters.
func sortedOptions(s string) string {
	if slices.IsSorted(bytesOfString(s)) || !utf8.ValidString(s) {
		return s
	}
	options := []rune(s)
	slices.Sort(options)
	return string(options)
}

// AppendTimestampValue adds the value of a timestamp.
func AppendTimestampValue(dst []byte, t Timestamp) []byte {
	return binary.LittleEndian.AppendUint64(dst, uint64(t.T)<<32|uint64(t.I))
}

// AppendDecimal128Value adds the value of a decimal number.
func AppendDecimal128Value(dst []byte, d Decimal128) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, d.l), d.h)
}

func appendCString(dst []byte, s string) []byte {
	at := len(dst)
	dst = append(dst, s...)
	for i := at; i < len(dst); i++ {
		if dst[i] == 0 {
			return dst[:i+1]
		}
	}
	return append(dst, 0)
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// PatchLength writes the length of the document that begins at and reaches to
// the end of doc.
func PatchLength(doc []byte, at int) {
	binary.LittleEndian.PutUint32(doc[at:], uint32(len(doc)-at))
}
