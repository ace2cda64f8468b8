package bson

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"strconv"
	"time"
)

// The functions below are the decode of codecs, see there. Null and undefined
// become the zero value of every type.

func decodeBool(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	v := RawValue{t, b}
	switch t {
	case TypeBoolean:
		if b[0] > 1 {
			return explainValue(t, b, depth)
		}
		*at[bool](p) = b[0] == 1
	case TypeInt32, TypeInt64, TypeDouble:
		f, _ := v.AsDouble()
		*at[bool](p) = f != 0
	case TypeNull, TypeUndefined:
		*at[bool](p) = false
	default:
		return mismatch("a boolean or a number")
	}
	return nil
}

// integer is b as an integer.
func (d *decoder) integer(t Type, b []byte, depth int) (int64, error) {
	switch t {
	case TypeInt32:
		return int64(int32(binary.LittleEndian.Uint32(b))), nil
	case TypeInt64:
		return int64(binary.LittleEndian.Uint64(b)), nil
	case TypeDouble:
		f := math.Float64frombits(binary.LittleEndian.Uint64(b))
		if f != math.Trunc(f) && !d.AllowTruncatingDoubles || f != f {
			return 0, fmt.Errorf("%v is no integer; see the option truncate", f)
		}
		if f < -1<<63 || f >= 1<<63 {
			return 0, fmt.Errorf("%v overflows int64", f)
		}
		return int64(f), nil
	case TypeBoolean:
		if b[0] > 1 {
			return 0, explainValue(t, b, depth)
		}
		return int64(b[0]), nil
	case TypeNull, TypeUndefined:
		return 0, nil
	}
	return 0, mismatch("a number or a boolean")
}

func decodeInt(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	n, err := d.integer(t, b, depth)
	if err != nil {
		return err
	}
	v := p.value(c.typ)
	if v.OverflowInt(n) {
		return fmt.Errorf("%d overflows %v", n, c.typ.Kind())
	}
	v.SetInt(n)
	return nil
}

func decodeUint(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	n, err := d.integer(t, b, depth)
	if err != nil {
		return err
	}
	v := p.value(c.typ)
	if n < 0 || v.OverflowUint(uint64(n)) {
		return fmt.Errorf("%d overflows %v", n, c.typ.Kind())
	}
	v.SetUint(uint64(n))
	return nil
}

func decodeFloat(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	var f float64
	switch t {
	case TypeDouble:
		f = math.Float64frombits(binary.LittleEndian.Uint64(b))
	case TypeInt32, TypeInt64, TypeBoolean, TypeNull, TypeUndefined:
		n, err := d.integer(t, b, depth)
		if err != nil {
			return err
		}
		f = float64(n)
	default:
		return mismatch("a number or a boolean")
	}
	if c.typ.Kind() == reflect.Float32 && float64(float32(f)) != f && f == f && !d.AllowTruncatingDoubles {
		return fmt.Errorf("%v loses precision as a float32; see the option truncate", f)
	}
	p.value(c.typ).SetFloat(f)
	return nil
}

func decodeString(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	switch t {
	case TypeString, TypeSymbol:
		b = b[4 : len(b)-1]
	case TypeBinary:
		var err error
		if b, err = genericBinary(b); err != nil {
			return err
		}
	case TypeObjectID:
		if !d.ObjectIDAsHexString || c.typ == reflect.TypeFor[Symbol]() {
			return fmt.Errorf("it takes a string; an objectID becomes one with the option ObjectIDAsHexString")
		}
		*at[string](p) = ObjectID(b).Hex()
		return nil
	case TypeNull, TypeUndefined:
		b = nil
	default:
		return mismatch("a string, a symbol or a generic binary")
	}
	return d.setString(at[string](p), b)
}

func decodeJavaScript(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	switch t {
	case TypeJavaScript:
		return decodeString(c, d, TypeString, b, p, depth)
	case TypeNull, TypeUndefined:
		*at[JavaScript](p) = ""
		return nil
	}
	return mismatch("javascript")
}

// genericBinary is the content of the binary b, which must be a generic one.
func genericBinary(b []byte) ([]byte, error) {
	v, ok := RawValue{TypeBinary, b}.Binary()
	if !ok {
		return nil, explainValue(TypeBinary, b, 0)
	}
	if v.Subtype != BinaryGeneric && v.Subtype != BinaryOld {
		return nil, fmt.Errorf("it takes a binary of subtype 0 or 2, not %d", v.Subtype)
	}
	return v.Data, nil
}

func decodeBytes(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	switch t {
	case TypeBinary:
		var err error
		if b, err = genericBinary(b); err != nil {
			return err
		}
	case TypeString, TypeSymbol:
		if b = b[4 : len(b)-1]; !validUTF8(b) {
			return errUTF8
		}
	case TypeArray:
		return decodeSlice(c, d, t, b, p, depth)
	case TypeNull, TypeUndefined:
		*at[[]byte](p) = nil
		return nil
	default:
		return mismatch("a binary, a string or an array")
	}
	*at[[]byte](p) = append(make([]byte, 0, len(b)), b...)
	return nil
}

func decodeByteArray(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	if t != TypeBinary {
		return decodeArray(c, d, t, b, p, depth)
	}
	b, err := genericBinary(b)
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

func decodeObjectID(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	id := at[ObjectID](p)
	switch t {
	case TypeObjectID:
		*id = ObjectID(b)
	case TypeString:
		b = b[4 : len(b)-1]
		if len(b) == len(id) {
			*id = ObjectID(b)
			return nil
		}
		return id.UnmarshalText(b)
	case TypeNull, TypeUndefined:
		*id = ObjectID{}
	default:
		return mismatch("an objectID or its string")
	}
	return nil
}

func decodeTime(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	into := at[time.Time](p)
	switch t {
	case TypeDateTime, TypeInt64:
		*into = d.time(int64(binary.LittleEndian.Uint64(b)))
	case TypeTimestamp:
		ts, _ := RawValue{t, b}.Timestamp()
		*into = d.time(int64(ts.T) * 1000)
	case TypeString:
		parsed, err := time.Parse(time.RFC3339Nano, string(b[4:len(b)-1]))
		if err != nil {
			return err
		}
		if *into = parsed.UTC(); d.UseLocalTimeZone {
			*into = parsed.Local()
		}
	case TypeNull, TypeUndefined:
		*into = time.Time{}
	default:
		return mismatch("a dateTime, a timestamp, an int64 of milliseconds or a string")
	}
	return nil
}

// decodeExact decodes the values of the one BSON type t, as read sees them.
func decodeExact[T any](t Type, read func(RawValue) (T, bool)) decodeFunc {
	return func(_ *codec, _ *decoder, got Type, b []byte, p ref, depth int) error {
		switch got {
		case t:
			if err := explainValue(t, b, depth); err != nil {
				return err
			}
			*at[T](p), _ = read(RawValue{got, b})
			return nil
		case TypeNull, TypeUndefined:
			var zero T
			*at[T](p) = zero
			return nil
		}
		return mismatch("a " + t.String())
	}
}

// decodeEmpty is for the types that have but one value.
func decodeEmpty(t Type) decodeFunc {
	return func(_ *codec, _ *decoder, got Type, _ []byte, _ ref, _ int) error {
		if got != t && got != TypeNull && got != TypeUndefined {
			return mismatch("a " + t.String())
		}
		return nil
	}
}

func decodeBinary(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	err := decodeExact(TypeBinary, RawValue.Binary)(c, d, t, b, p, depth)
	into := at[Binary](p)
	into.Data = append([]byte(nil), into.Data...)
	return err
}

func decodeCodeWithScope(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	into := at[CodeWithScope](p)
	switch t {
	case TypeCodeWithScope:
		return d.codeWithScope(into, b, depth)
	case TypeNull, TypeUndefined:
		*into = CodeWithScope{}
		return nil
	}
	return mismatch("a codeWithScope")
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

func decodeRaw(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	switch t {
	case TypeEmbeddedDocument, TypeArray:
		*at[[]byte](p) = append(make([]byte, 0, len(b)), b...)
	case TypeNull, TypeUndefined:
		*at[[]byte](p) = nil
	default:
		return mismatch("a document or an array")
	}
	return nil
}

func decodeRawArray(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	if t == TypeEmbeddedDocument {
		return mismatch("an array")
	}
	return decodeRaw(c, d, t, b, p, depth)
}

func decodeRawValue(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	*at[RawValue](p) = RawValue{t, append(make([]byte, 0, len(b)), b...)}
	return nil
}

func decodeStruct(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	switch t {
	case TypeEmbeddedDocument:
		return d.structure(c, b, p, depth+1)
	case TypeNull, TypeUndefined:
		p.value(c.typ).SetZero()
		return nil
	}
	return mismatch("a document")
}

func decodePointer(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	if t == TypeNull || t == TypeUndefined {
		p.setNil()
		return nil
	}
	return d.value(c.elem, t, b, p.target(c.elem.typ), depth)
}

func decodeSlice(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	v := p.value(c.typ)
	switch t {
	case TypeArray:
	case TypeNull, TypeUndefined:
		v.SetZero()
		return nil
	default:
		return mismatch("an array")
	}
	if depth >= MaxDepth {
		return errDepth
	}
	n := Raw(b).Len()
	switch {
	case n == 0:
		p.setEmptySlice()
	case n > v.Cap():
		v.SetZero()
		v.Grow(n)
		v.SetLen(n)
	default:
		v.SetLen(n)
		v.Clear()
	}
	first, _ := p.slice()
	return d.list(c.elem, b, first, n, depth+1)
}

func decodeArray(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	v := p.value(c.typ)
	switch t {
	case TypeArray:
	case TypeNull, TypeUndefined:
		v.SetZero()
		return nil
	case TypeEmbeddedDocument:
		if c.elem.typ == reflect.TypeFor[E]() {
			return decodeElements(c, d, b, v, depth)
		}
		return mismatch("an array")
	default:
		return mismatch("an array")
	}
	if depth >= MaxDepth {
		return errDepth
	}
	n := Raw(b).Len()
	if n > v.Len() {
		return fmt.Errorf("%d elements do not fit", n)
	}
	v.SetZero()
	return d.list(c.elem, b, p, n, depth+1)
}

// decodeElements decodes a document into the array v of E.
func decodeElements(c *codec, d *decoder, b []byte, v reflect.Value, depth int) error {
	doc, err := d.document(b, depth+1)
	if err != nil {
		return err
	}
	if len(doc) > v.Len() {
		return fmt.Errorf("%d elements do not fit", len(doc))
	}
	v.SetZero()
	reflect.Copy(v, reflect.ValueOf(doc))
	return nil
}

// list decodes the n elements of the array arr into the values of the codec c
// from first on.
func (d *decoder) list(c *codec, arr []byte, first ref, n, depth int) error {
	rest, ok := body(arr)
	if !ok || depth > MaxDepth {
		return malformed(arr, depth)
	}
	for i := 0; len(rest) > 0; i++ {
		key, v, after, ok := next(rest)
		if !ok || i == n {
			return malformed(arr, depth)
		}
		if err := d.value(c, v.Type, v.Value, first.add(uintptr(i)*c.size), depth); err != nil {
			return decodeFailed(err, string(key), len(arr)-1-len(rest), v.Type, c.typ)
		}
		rest = after
	}
	return nil
}

func decodeInterface(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	v := p.value(c.typ)
	if e := v.Elem(); e.Kind() == reflect.Pointer && !e.IsNil() && t != TypeNull && t != TypeUndefined {
		return d.value(d.codecOf(e.Type().Elem()), t, b, refTo(e), depth)
	}
	if t == TypeNull {
		v.SetZero()
		return nil
	}
	if c.kind != kindAny {
		return fmt.Errorf("which type of %v it should be is not known; let the field hold a pointer, or register a codec", c.typ)
	}
	x, err := d.any(t, b, depth)
	if err != nil {
		return err
	}
	*at[any](p) = x
	return nil
}

func decodeJSONNumber(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	into := at[json.Number](p)
	v := RawValue{t, b}
	switch t {
	case TypeInt32, TypeInt64:
		n, _ := v.AsInt64()
		*into = json.Number(strconv.FormatInt(n, 10))
	case TypeDouble:
		f, _ := v.Double()
		*into = json.Number(strconv.FormatFloat(f, 'f', -1, 64))
	case TypeNull, TypeUndefined:
		*into = ""
	default:
		return mismatch("an integer or a double")
	}
	return nil
}

func decodeURL(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	into := at[url.URL](p)
	switch t {
	case TypeString:
		u, err := url.Parse(string(b[4 : len(b)-1]))
		if err != nil {
			return err
		}
		*into = *u
	case TypeNull, TypeUndefined:
		*into = url.URL{}
	default:
		return mismatch("a string")
	}
	return nil
}
