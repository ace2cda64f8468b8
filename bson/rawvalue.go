package bson

import (
	"encoding/binary"
	"math"
	"time"
)

// The methods below give the Go value of v and whether v is of that type. They
// never panic, whatever v holds.

// Double is the value of a double.
func (v RawValue) Double() (float64, bool) {
	if v.Type != TypeDouble || len(v.Value) < 8 {
		return 0, false
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(v.Value)), true
}

// Str is the value of a string, JavaScript or symbol.
func (v RawValue) Str() (string, bool) {
	b, ok := v.strBytes()
	return string(b), ok
}

// strBytes is Str without the copy.
func (v RawValue) strBytes() ([]byte, bool) {
	if v.Type != TypeString && v.Type != TypeJavaScript && v.Type != TypeSymbol || len(v.Value) < 5 {
		return nil, false
	}
	n := int64(int32(binary.LittleEndian.Uint32(v.Value)))
	if n < 1 || n > int64(len(v.Value)-4) {
		return nil, false
	}
	return v.Value[4 : 3+n], true
}

// Document is the value of an embedded document. It is not copied.
func (v RawValue) Document() (Raw, bool) {
	if v.Type != TypeEmbeddedDocument {
		return nil, false
	}
	return Raw(v.Value), true
}

// Array is the value of an array. It is not copied.
func (v RawValue) Array() (RawArray, bool) {
	if v.Type != TypeArray {
		return nil, false
	}
	return RawArray(v.Value), true
}

// Binary is the value of a binary. Its bytes are not copied; the inner length
// of subtype 2 is taken off.
func (v RawValue) Binary() (Binary, bool) {
	if v.Type != TypeBinary || len(v.Value) < 5 {
		return Binary{}, false
	}
	n := int64(int32(binary.LittleEndian.Uint32(v.Value)))
	if n < 0 || n > int64(len(v.Value)-5) {
		return Binary{}, false
	}
	sub, data := v.Value[4], v.Value[5:5+n]
	if sub == BinaryOld {
		if n < 4 || int64(int32(binary.LittleEndian.Uint32(data))) != n-4 {
			return Binary{}, false
		}
		data = data[4:]
	}
	return Binary{sub, data}, true
}

// ObjectID is the value of an ObjectID.
func (v RawValue) ObjectID() (id ObjectID, ok bool) {
	if v.Type != TypeObjectID || len(v.Value) < 12 {
		return id, false
	}
	return ObjectID(v.Value[:12]), true
}

// Bool is the value of a boolean.
func (v RawValue) Bool() (b, ok bool) {
	if v.Type != TypeBoolean || len(v.Value) < 1 {
		return false, false
	}
	return v.Value[0] != 0, true
}

// DateTime is the value of a date.
func (v RawValue) DateTime() (DateTime, bool) {
	if v.Type != TypeDateTime || len(v.Value) < 8 {
		return 0, false
	}
	return DateTime(binary.LittleEndian.Uint64(v.Value)), true
}

// Time is DateTime as a time in UTC.
func (v RawValue) Time() (time.Time, bool) {
	d, ok := v.DateTime()
	if !ok {
		return time.Time{}, false
	}
	return d.Time(), true
}

// Regex is the value of a regular expression.
func (v RawValue) Regex() (Regex, bool) {
	if v.Type != TypeRegex {
		return Regex{}, false
	}
	p, rest, ok := cutCString(v.Value)
	if !ok {
		return Regex{}, false
	}
	o, _, ok := cutCString(rest)
	if !ok {
		return Regex{}, false
	}
	return Regex{string(p), string(o)}, true
}

func cutCString(b []byte) (s, rest []byte, ok bool) {
	for i, c := range b {
		if c == 0 {
			return b[:i], b[i+1:], true
		}
	}
	return nil, nil, false
}

// DBPointer is the value of a DBPointer.
func (v RawValue) DBPointer() (DBPointer, bool) {
	if v.Type != TypeDBPointer || len(v.Value) < 17 {
		return DBPointer{}, false
	}
	n := len(v.Value) - 12
	s, ok := RawValue{TypeString, v.Value[:n]}.Str()
	return DBPointer{s, ObjectID(v.Value[n:])}, ok
}

// CodeWithScope is the code and the scope of a CodeWithScope.
func (v RawValue) CodeWithScope() (code string, scope Raw, ok bool) {
	b, scope, ok := v.codeWithScope()
	return string(b), scope, ok
}

// codeWithScope is CodeWithScope without the copy.
func (v RawValue) codeWithScope() (code []byte, scope Raw, ok bool) {
	if v.Type != TypeCodeWithScope || len(v.Value) < 14 {
		return nil, nil, false
	}
	b := v.Value[4:]
	n := valueLen(TypeString, b)
	if n < 0 {
		return nil, nil, false
	}
	return b[4 : n-1], Raw(b[n:]), true
}

// Int32 is the value of a 32-bit integer.
func (v RawValue) Int32() (int32, bool) {
	if v.Type != TypeInt32 || len(v.Value) < 4 {
		return 0, false
	}
	return int32(binary.LittleEndian.Uint32(v.Value)), true
}

// Timestamp is the value of a timestamp.
func (v RawValue) Timestamp() (Timestamp, bool) {
	if v.Type != TypeTimestamp || len(v.Value) < 8 {
		return Timestamp{}, false
	}
	n := binary.LittleEndian.Uint64(v.Value)
	return Timestamp{T: uint32(n >> 32), I: uint32(n)}, true
}

// Int64 is the value of a 64-bit integer.
func (v RawValue) Int64() (int64, bool) {
	if v.Type != TypeInt64 || len(v.Value) < 8 {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint64(v.Value)), true
}

// Decimal128 is the value of a decimal number.
func (v RawValue) Decimal128() (Decimal128, bool) {
	if v.Type != TypeDecimal128 || len(v.Value) < 16 {
		return Decimal128{}, false
	}
	return Decimal128{h: binary.LittleEndian.Uint64(v.Value[8:]), l: binary.LittleEndian.Uint64(v.Value)}, true
}

// AsInt64 is any number that is a whole one within the range of int64: an
// integer of either size, or a double without a fraction.
func (v RawValue) AsInt64() (int64, bool) {
	switch v.Type {
	case TypeInt32:
		n, ok := v.Int32()
		return int64(n), ok
	case TypeInt64:
		return v.Int64()
	case TypeDouble:
		f, ok := v.Double()
		if !ok || f != math.Trunc(f) || f < -1<<63 || f >= 1<<63 {
			return 0, false
		}
		return int64(f), true
	}
	return 0, false
}

// AsDouble is any double or integer as a float64.
func (v RawValue) AsDouble() (float64, bool) {
	switch v.Type {
	case TypeInt32, TypeInt64:
		n, ok := v.AsInt64()
		return float64(n), ok
	}
	return v.Double()
}

// Truthy reports whether v counts as true where the server takes a boolean or
// a number, such as the field ok of a reply.
func (v RawValue) Truthy() bool {
	switch v.Type {
	case 0, TypeNull, TypeUndefined:
		return false
	case TypeBoolean:
		b, _ := v.Bool()
		return b
	case TypeInt32, TypeInt64, TypeDouble:
		f, _ := v.AsDouble()
		return f != 0
	}
	return true
}
