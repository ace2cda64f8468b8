package query

import (
	"encoding/binary"
	"math"
	"math/big"

	"github.com/motor-go/motor/bson"
)

// AppendKey encodes v so that bytes.Compare of two keys is Compare of the
// values. Values that are equal have the same key, whatever their types: it
// serves ordered indexes and hash maps alike. No key is the beginning of
// another, so keys of several values may be put one after the other.
func AppendKey(dst []byte, v bson.RawValue, c *Collation) []byte {
	dst = append(dst, rankByte(v.Type))
	return appendKeyBody(dst, v, c)
}

// rankByte is rank as a byte above those that end a document.
func rankByte(t bson.Type) byte { return byte(rank(t) + 2) }

// endOfKey ends the elements of a document or array; it is below rankByte.
const endOfKey = 0

func appendKeyBody(dst []byte, v bson.RawValue, c *Collation) []byte {
	switch v.Type {
	case bson.TypeInt32, bson.TypeInt64, bson.TypeDouble, bson.TypeDecimal128:
		return appendNumberKey(dst, v)
	case bson.TypeString, bson.TypeSymbol:
		if c != nil {
			return appendKeyBytes(dst, c.key(text(v)))
		}
		return appendKeyBytes(dst, []byte(text(v)))
	case bson.TypeEmbeddedDocument:
		for k, e := range bson.Raw(v.Value).All() {
			dst = append(dst, rankByte(e.Type))
			dst = appendKeyBytes(dst, []byte(k))
			dst = appendKeyBody(dst, e, c)
		}
		return append(dst, endOfKey)
	case bson.TypeArray:
		for e := range bson.RawArray(v.Value).Values() {
			dst = AppendKey(dst, e, c)
		}
		return append(dst, endOfKey)
	case bson.TypeBinary:
		b, _ := v.Binary()
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(b.Data)))
		return append(append(dst, b.Subtype), b.Data...)
	case bson.TypeObjectID, bson.TypeBoolean:
		return append(dst, v.Value...)
	case bson.TypeDateTime:
		d, _ := v.DateTime()
		return binary.BigEndian.AppendUint64(dst, uint64(d)^1<<63)
	case bson.TypeTimestamp:
		t, _ := v.Timestamp()
		return binary.BigEndian.AppendUint64(dst, uint64(t.T)<<32|uint64(t.I))
	case bson.TypeRegex:
		r, _ := v.Regex()
		return appendKeyBytes(appendKeyBytes(dst, []byte(r.Pattern)), []byte(r.Options))
	case bson.TypeDBPointer:
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(v.Value)))
		return append(dst, v.Value...)
	case bson.TypeJavaScript:
		return appendKeyBytes(dst, []byte(text(v)))
	case bson.TypeCodeWithScope:
		code, scope, _ := v.CodeWithScope()
		return appendKeyBody(appendKeyBytes(dst, []byte(code)), documentValue(scope), c)
	}
	return dst
}

// appendKeyBytes escapes NUL and ends with two of them.
func appendKeyBytes(dst, s []byte) []byte {
	for _, b := range s {
		dst = append(dst, b)
		if b == 0 {
			dst = append(dst, 0xff)
		}
	}
	return append(dst, 0, 0)
}

// appendNumberKey writes the greatest double that is not above the number, and
// where that is not the number itself, what is missing to it as decimal digits.
func appendNumberKey(dst []byte, v bson.RawValue) []byte {
	if f, ok := v.Double(); ok {
		return append(appendDoubleKey(dst, f), 0)
	}
	if n, ok := v.AsInt64(); ok && n == int64(int32(n)) {
		return append(appendDoubleKey(dst, float64(n)), 0)
	}
	d := toDecimal(v)
	f := d.double()
	if !d.finite() {
		return append(appendDoubleKey(dst, f), 0)
	}
	if exactDouble(f).cmp(d) > 0 {
		f = math.Nextafter(f, math.Inf(-1))
	}
	dst = appendDoubleKey(dst, f)
	if math.IsInf(f, -1) {
		// Below all doubles: more digits come first.
		dst = append(dst, 1)
		at := len(dst)
		dst = appendDigitsKey(dst, d.abs())
		for i := at; i < len(dst); i++ {
			dst[i] = ^dst[i]
		}
		return dst
	}
	base := exactDouble(f)
	if base.cmp(d) == 0 {
		return append(dst, 0)
	}
	exp := min(d.exp, base.exp)
	rest := new(big.Int).Sub(d.signedCoef(exp), base.signedCoef(exp))
	return appendDigitsKey(append(dst, 1), decimal{coef: rest, exp: exp})
}

func appendDoubleKey(dst []byte, f float64) []byte {
	if f == 0 {
		f = 0 // not -0
	}
	if math.IsNaN(f) {
		return binary.BigEndian.AppendUint64(dst, 0)
	}
	bits := math.Float64bits(f)
	if bits>>63 == 1 {
		bits = ^bits
	} else {
		bits |= 1 << 63
	}
	return binary.BigEndian.AppendUint64(dst, bits)
}

// appendDigitsKey encodes a positive number: its magnitude, then its digits
// without zeros at the end.
func appendDigitsKey(dst []byte, d decimal) []byte {
	digits := d.coef.String()
	dst = binary.BigEndian.AppendUint16(dst, uint16(d.exp+len(digits)+1<<15))
	end := len(digits)
	for end > 1 && digits[end-1] == '0' {
		end--
	}
	return append(append(dst, digits[:end]...), 0)
}
