package bson

import (
	"bytes"
	"time"
)

// D is an ordered document. It keeps duplicate and empty keys.
type D []E

// E is one element of a D.
type E struct {
	Key   string
	Value any
}

// M is an unordered document.
type M map[string]any

// A is an array.
type A []any

// DateTime is a BSON date: milliseconds since the Unix epoch, in UTC.
type DateTime int64

// NewDateTime is t cut to milliseconds. t must lie between the years -292275055
// and 292278994; encoding a time.Time checks that.
func NewDateTime(t time.Time) DateTime { return DateTime(t.UnixMilli()) }

// Time is d in UTC.
func (d DateTime) Time() time.Time { return time.UnixMilli(int64(d)).UTC() }

// Timestamp is the server's internal clock value: seconds since the Unix epoch
// and an ordinal within the second. Use DateTime for a time of your own.
type Timestamp struct {
	T uint32
	I uint32
}

// Compare orders timestamps by time.
func (t Timestamp) Compare(u Timestamp) int {
	switch a, b := uint64(t.T)<<32|uint64(t.I), uint64(u.T)<<32|uint64(u.I); {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// After reports whether t is later than u.
func (t Timestamp) After(u Timestamp) bool { return t.Compare(u) > 0 }

// Before reports whether t is earlier than u.
func (t Timestamp) Before(u Timestamp) bool { return t.Compare(u) < 0 }

// IsZero reports whether t is the zero timestamp.
func (t Timestamp) IsZero() bool { return t == Timestamp{} }

// Binary is bytes with a subtype.
type Binary struct {
	Subtype byte
	Data    []byte
}

// The binary subtypes of the BSON specification.
const (
	BinaryGeneric     byte = 0x00
	BinaryFunction    byte = 0x01
	BinaryOld         byte = 0x02
	BinaryUUIDOld     byte = 0x03
	BinaryUUID        byte = 0x04
	BinaryMD5         byte = 0x05
	BinaryEncrypted   byte = 0x06
	BinaryColumn      byte = 0x07
	BinarySensitive   byte = 0x08
	BinaryVector      byte = 0x09
	BinaryUserDefined byte = 0x80
)

// Equal reports whether b and c have the same subtype and bytes.
func (b Binary) Equal(c Binary) bool {
	return b.Subtype == c.Subtype && bytes.Equal(b.Data, c.Data)
}

// IsZero reports whether b is empty and generic.
func (b Binary) IsZero() bool { return b.Subtype == 0 && len(b.Data) == 0 }

// Regex is a regular expression. Options are kept as given; encoding sorts
// them.
type Regex struct {
	Pattern string
	Options string
}

// IsZero reports whether r is empty.
func (r Regex) IsZero() bool { return r == Regex{} }

// DBPointer is the deprecated reference to a document.
type DBPointer struct {
	DB      string
	Pointer ObjectID
}

// IsZero reports whether p is empty.
func (p DBPointer) IsZero() bool { return p == DBPointer{} }

// JavaScript is code without a scope.
type JavaScript string

// Symbol is the deprecated string of some languages' symbols.
type Symbol string

// CodeWithScope is the deprecated code with its variables. Scope is a document.
type CodeWithScope struct {
	Code  JavaScript
	Scope any
}

// Undefined is the deprecated undefined value.
type Undefined struct{}

// Null is the null value where a Go nil does not say it.
type Null struct{}

// MinKey compares lower than all other values.
type MinKey struct{}

// MaxKey compares higher than all other values.
type MaxKey struct{}

// Decimal128 is a decimal floating-point number of IEEE 754-2008, as its two
// halves go over the wire.
type Decimal128 struct{ h, l uint64 }

// NewDecimal128 is the number with these bits.
func NewDecimal128(h, l uint64) Decimal128 { return Decimal128{h, l} }

// Bits are the halves of d.
func (d Decimal128) Bits() (h, l uint64) { return d.h, d.l }
