package bson

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"time"
)

// leaf decodes b, a whole value of type t that is not null, into the value at
// p, which is of one of the kinds that value and other do not know themselves.
func (d *decoder) leaf(c *codec, t Type, b []byte, p ref, depth int) (err error) {
	if c.dec != kindRaw && c.dec != kindRawArray {
		b = d.repaired(t, b)
	}
	v := RawValue{t, b}
	switch c.dec {
	case kindBool:
		return d.bool(at[bool](p), v)
	case kindInt, kindSmallInt, kindInt32, kindInt64:
		return d.int(c, v, p)
	case kindUint:
		return d.uint(c, v, p)
	case kindFloat32, kindFloat64:
		return d.float(c, v, p)
	case kindString, kindSymbol:
		return d.stringOrLike(at[string](p), v, c.dec == kindString && d.ObjectIDAsHexString)
	case kindBytes:
		return d.bytes(c, v, p, depth)
	case kindByteArray:
		return d.byteArray(c, v, p, depth)

	case kindRaw:
		if t != TypeEmbeddedDocument && t != TypeArray {
			return mismatch("a document or an array")
		}
		*at[Raw](p) = Raw(b).Clone()
		return nil
	case kindRawArray:
		if t != TypeArray {
			return mismatch("an array")
		}
		*at[Raw](p) = Raw(b).Clone()
		return nil
	case kindBinary:
		if err := exactly(at[Binary](p), TypeBinary, RawValue.Binary, v, depth); err != nil {
			return err
		}
		data := &at[Binary](p).Data
		*data = append([]byte(nil), *data...)
		return nil
	case kindObjectID:
		return d.objectID(at[ObjectID](p), v)
	case kindDateTime:
		return exactly(at[DateTime](p), TypeDateTime, RawValue.DateTime, v, depth)
	case kindRegex:
		return exactly(at[Regex](p), TypeRegex, RawValue.Regex, v, depth)
	case kindDBPointer:
		return exactly(at[DBPointer](p), TypeDBPointer, RawValue.DBPointer, v, depth)
	case kindJavaScript:
		if t != TypeJavaScript {
			return mismatch("javascript")
		}
		return d.setString(at[string](p), b[4:len(b)-1])
	case kindCodeWithScope:
		if t != TypeCodeWithScope {
			return mismatch("a codeWithScope")
		}
		return d.codeWithScope(at[CodeWithScope](p), b, depth)
	case kindTimestamp:
		return exactly(at[Timestamp](p), TypeTimestamp, RawValue.Timestamp, v, depth)
	case kindDecimal128:
		return exactly(at[Decimal128](p), TypeDecimal128, RawValue.Decimal128, v, depth)
	case kindUndefined, kindNull:
		return mismatch("null or undefined")
	case kindMinKey:
		if t != TypeMinKey {
			return mismatch("a minKey")
		}
		return nil
	case kindMaxKey:
		if t != TypeMaxKey {
			return mismatch("a maxKey")
		}
		return nil

	case kindTime:
		return d.anyTime(at[time.Time](p), v)
	case kindJSONNumber:
		return jsonNumber(at[json.Number](p), v)
	case kindURL:
		if t != TypeString {
			return mismatch("a string")
		}
		u, err := url.Parse(string(b[4 : len(b)-1]))
		if err == nil {
			*at[url.URL](p) = *u
		}
		return err
	}
	return c.err
}

// mismatch is the error for a BSON type that cannot become a Go type, which
// takes what want says.
func mismatch(want string) error { return errors.New("it takes " + want) }

// exactly decodes a value of the one BSON type t, as read sees it.
func exactly[T any](into *T, t Type, read func(RawValue) (T, bool), v RawValue, depth int) error {
	if v.Type != t {
		return mismatch("a " + t.String())
	}
	if err := explainValue(t, v.Value, depth); err != nil {
		return err
	}
	*into, _ = read(v)
	return nil
}

func (d *decoder) bool(into *bool, v RawValue) error {
	if v.Type == TypeBoolean {
		n, err := d.integer(v)
		*into = n == 1
		return err
	}
	f, ok := v.AsDouble()
	if !ok {
		return mismatch("a boolean or a number")
	}
	*into = f != 0
	return nil
}

// integer is v as an integer.
func (d *decoder) integer(v RawValue) (int64, error) {
	switch v.Type {
	case TypeInt32:
		return int64(int32(binary.LittleEndian.Uint32(v.Value))), nil
	case TypeInt64:
		return int64(binary.LittleEndian.Uint64(v.Value)), nil
	case TypeDouble:
		f := math.Float64frombits(binary.LittleEndian.Uint64(v.Value))
		if f != math.Trunc(f) && !d.AllowTruncatingDoubles || math.IsNaN(f) {
			return 0, fmt.Errorf("%v is no integer; the tag truncate would cut it", f)
		}
		if f < -1<<63 || f >= 1<<63 {
			return 0, fmt.Errorf("%v overflows int64", f)
		}
		return int64(f), nil
	case TypeBoolean:
		return int64(v.Value[0]), explainValue(v.Type, v.Value, 0)
	}
	return 0, mismatch("a number or a boolean")
}

func (d *decoder) int(c *codec, v RawValue, p ref) error {
	n, err := d.integer(v)
	if err != nil {
		return err
	}
	into := p.value(c.typ)
	if into.OverflowInt(n) {
		return fmt.Errorf("%d overflows %v", n, c.typ.Kind())
	}
	into.SetInt(n)
	return nil
}

func (d *decoder) uint(c *codec, v RawValue, p ref) error {
	n, err := d.integer(v)
	if err != nil {
		return err
	}
	into := p.value(c.typ)
	if n < 0 || into.OverflowUint(uint64(n)) {
		return fmt.Errorf("%d overflows %v", n, c.typ.Kind())
	}
	into.SetUint(uint64(n))
	return nil
}

func (d *decoder) float(c *codec, v RawValue, p ref) error {
	f, ok := v.Double()
	if !ok {
		n, err := d.integer(v)
		if err != nil {
			return err
		}
		f = float64(n)
	}
	if c.dec == kindFloat64 {
		*at[float64](p) = f
		return nil
	}
	if float64(float32(f)) != f && !math.IsNaN(f) && !d.AllowTruncatingDoubles {
		return fmt.Errorf("%v loses precision as a float32; the tag truncate would allow that", f)
	}
	*at[float32](p) = float32(f)
	return nil
}

// stringOrLike decodes a string, or what can stand for one.
func (d *decoder) stringOrLike(into *string, v RawValue, hexIDs bool) error {
	switch v.Type {
	case TypeString, TypeSymbol:
		return d.setString(into, v.Value[4:len(v.Value)-1])
	case TypeBinary:
		b, err := genericBinary(v)
		if err != nil {
			return err
		}
		return d.setString(into, b)
	case TypeObjectID:
		if !hexIDs {
			return errors.New("it takes a string; with the option ObjectIDAsHexString also an objectID")
		}
		*into = ObjectID(v.Value).Hex()
		return nil
	}
	return mismatch("a string, a symbol or a generic binary")
}

// genericBinary is the content of v, which must be a binary without a meaning
// of its own.
func genericBinary(v RawValue) ([]byte, error) {
	b, ok := v.Binary()
	if !ok {
		return nil, explainValue(v.Type, v.Value, 0)
	}
	if b.Subtype != BinaryGeneric && b.Subtype != BinaryOld {
		return nil, fmt.Errorf("it takes a binary of subtype 0 or 2, not %d", b.Subtype)
	}
	return b.Data, nil
}

func (d *decoder) bytes(c *codec, v RawValue, p ref, depth int) error {
	var b []byte
	switch v.Type {
	case TypeBinary:
		var err error
		if b, err = genericBinary(v); err != nil {
			return err
		}
	case TypeString, TypeSymbol:
		if b = v.Value[4 : len(v.Value)-1]; !validUTF8(b) {
			return errUTF8
		}
	case TypeArray:
		return d.slice(c, v.Value, p, depth+1)
	default:
		return mismatch("a binary, a string or an array")
	}
	*at[[]byte](p) = append(make([]byte, 0, len(b)), b...)
	return nil
}

func (d *decoder) byteArray(c *codec, v RawValue, p ref, depth int) error {
	if v.Type == TypeArray {
		return d.array(c, v.Value, p, depth+1)
	}
	if v.Type != TypeBinary {
		return mismatch("a binary or an array")
	}
	if bin, ok := v.Binary(); ok && c.size == uintptr(len(UUID{})) && (bin.Subtype == BinaryUUID || bin.Subtype == BinaryUUIDOld) {
		return d.uuid(at[UUID](p), bin)
	}
	b, err := genericBinary(v)
	if err != nil {
		return err
	}
	if len(b) > int(c.size) {
		return fmt.Errorf("%d bytes do not fit", len(b))
	}
	into := bytesOf(p, c.size)
	clear(into[copy(into, b):])
	return nil
}

// uuid decodes the binary of a UUID. Only the options know how one of subtype 3
// is to be read.
func (d *decoder) uuid(into *UUID, b Binary) error {
	r := UUIDStandard
	if b.Subtype == BinaryUUIDOld {
		if r = d.UUIDs; r == UUIDUnspecified {
			return errors.New("it takes a UUID of subtype 3 only with the option UUIDs, which says in which order its bytes are")
		}
	}
	u, err := b.UUIDAs(r)
	if err == nil {
		*into = u
	}
	return err
}

// objectID decodes an ObjectID, its hexadecimal digits, or its bytes as a
// string.
func (d *decoder) objectID(into *ObjectID, v RawValue) error {
	switch v.Type {
	case TypeObjectID:
		*into = ObjectID(v.Value)
		return nil
	case TypeString:
		b := v.Value[4 : len(v.Value)-1]
		if len(b) == len(into) {
			*into = ObjectID(b)
			return nil
		}
		return into.UnmarshalText(b)
	}
	return mismatch("an objectID or its string")
}

// codeWithScope decodes the code with scope b.
func (d *decoder) codeWithScope(into *CodeWithScope, b []byte, depth int) (err error) {
	if err := explainCode(b, depth); err != nil {
		return err
	}
	code, scope, _ := RawValue{TypeCodeWithScope, b}.codeWithScope()
	into.Code = JavaScript(code)
	into.Scope, err = d.any(TypeEmbeddedDocument, scope, depth)
	return err
}

// anyTime decodes a date, or what can stand for one.
func (d *decoder) anyTime(into *time.Time, v RawValue) error {
	switch v.Type {
	case TypeDateTime, TypeInt64:
		*into = d.time(int64(binary.LittleEndian.Uint64(v.Value)))
		return nil
	case TypeTimestamp:
		ts, _ := v.Timestamp()
		*into = d.time(int64(ts.T) * 1000)
		return nil
	case TypeString:
		parsed, err := time.Parse(time.RFC3339Nano, string(v.Value[4:len(v.Value)-1]))
		if err != nil {
			return err
		}
		if *into = parsed.UTC(); d.UseLocalTimeZone {
			*into = parsed.Local()
		}
		return nil
	}
	return mismatch("a dateTime, a timestamp, an int64 of milliseconds or a string")
}

// time is the time that many milliseconds after the Unix epoch.
func (d *decoder) time(ms int64) time.Time {
	t := time.UnixMilli(ms)
	if d.UseLocalTimeZone {
		return t
	}
	return t.UTC()
}

func jsonNumber(into *json.Number, v RawValue) error {
	if f, ok := v.Double(); ok {
		*into = json.Number(strconv.FormatFloat(f, 'f', -1, 64))
		return nil
	}
	n, ok := v.AsInt64()
	if !ok {
		return mismatch("an integer or a double")
	}
	*into = json.Number(strconv.FormatInt(n, 10))
	return nil
}
