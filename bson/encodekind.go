package bson

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"time"
)

// The functions below are the encode of codecs, see there.

func encodeBool(c *codec, e *encoder, p ref, depth int) (Type, error) {
	e.b = append(e.b, boolByte(*at[bool](p)))
	return TypeBoolean, nil
}

func encodeInt(c *codec, e *encoder, p ref, depth int) (Type, error) {
	small := c.size < 8 || c.typ.Kind() == reflect.Int || e.IntMinSize
	return e.int(p.value(c.typ).Int(), small), nil
}

func encodeUint(c *codec, e *encoder, p ref, depth int) (Type, error) {
	n := p.value(c.typ).Uint()
	if n > math.MaxInt64 {
		return 0, fmt.Errorf("%d overflows int64", n)
	}
	return e.int(int64(n), c.size < 4 || e.IntMinSize), nil
}

func encodeFloat(c *codec, e *encoder, p ref, depth int) (Type, error) {
	e.fix64(math.Float64bits(p.value(c.typ).Float()))
	return TypeDouble, nil
}

func encodeString(c *codec, e *encoder, p ref, depth int) (Type, error) {
	return TypeString, e.string(*at[string](p))
}

// encodeText is encodeString for another type with the same layout.
func encodeText(t Type) encodeFunc {
	return func(c *codec, e *encoder, p ref, depth int) (Type, error) {
		return t, e.string(*at[string](p))
	}
}

// encodeEmpty is for the types that have but one value.
func encodeEmpty(t Type) encodeFunc {
	return func(*codec, *encoder, ref, int) (Type, error) { return t, nil }
}

func encodeStruct(c *codec, e *encoder, p ref, depth int) (Type, error) {
	return TypeEmbeddedDocument, e.structure(c.fields, p, depth+1)
}

func encodePointer(c *codec, e *encoder, p ref, depth int) (Type, error) {
	if p = p.elem(); p.isNil() {
		return TypeNull, nil
	}
	return e.value(c.elem, p, depth)
}

func encodeSlice(c *codec, e *encoder, p ref, depth int) (Type, error) {
	first, n := p.slice()
	if n == 0 && !e.NilSliceAsEmpty && p.value(c.typ).IsNil() {
		return TypeNull, nil
	}
	return e.list(c.elem, first, n, depth+1)
}

func encodeArray(c *codec, e *encoder, p ref, depth int) (Type, error) {
	if c.elem.typ == reflect.TypeFor[E]() {
		elems := make(D, c.typ.Len())
		reflect.Copy(reflect.ValueOf(elems), p.value(c.typ))
		return e.d(elems, depth+1)
	}
	return e.list(c.elem, p, c.typ.Len(), depth+1)
}

func encodeBytes(c *codec, e *encoder, p ref, depth int) (Type, error) {
	b := *at[[]byte](p)
	if b == nil {
		if c.typ == reflect.TypeFor[[]byte]() && !e.NilByteSliceAsEmpty ||
			c.typ != reflect.TypeFor[[]byte]() && !e.NilByteSliceAsEmpty && !e.NilSliceAsEmpty {
			return TypeNull, nil
		}
	}
	e.b = AppendBinaryValue(e.b, BinaryGeneric, b)
	return TypeBinary, nil
}

func encodeByteArray(c *codec, e *encoder, p ref, depth int) (Type, error) {
	e.b = AppendBinaryValue(e.b, BinaryGeneric, bytesOf(p, c.size))
	return TypeBinary, nil
}

func encodeD(c *codec, e *encoder, p ref, depth int) (Type, error) {
	return e.d(*at[D](p), depth+1)
}

func encodeM(c *codec, e *encoder, p ref, depth int) (Type, error) {
	return e.m(*at[map[string]any](p), depth+1)
}

func encodeA(c *codec, e *encoder, p ref, depth int) (Type, error) {
	return e.a(*at[[]any](p), depth+1)
}

func encodeInterface(c *codec, e *encoder, p ref, depth int) (Type, error) {
	if c.kind == kindAny {
		return e.any(*at[any](p), depth)
	}
	v := p.value(c.typ)
	if v.IsNil() {
		return TypeNull, nil
	}
	return e.any(v.Interface(), depth)
}

func encodeObjectID(c *codec, e *encoder, p ref, depth int) (Type, error) {
	e.b = append(e.b, at[ObjectID](p)[:]...)
	return TypeObjectID, nil
}

func encodeDateTime(c *codec, e *encoder, p ref, depth int) (Type, error) {
	e.fix64(uint64(*at[DateTime](p)))
	return TypeDateTime, nil
}

func encodeTime(c *codec, e *encoder, p ref, depth int) (Type, error) {
	e.fix64(uint64(at[time.Time](p).UnixMilli()))
	return TypeDateTime, nil
}

func encodeTimestamp(c *codec, e *encoder, p ref, depth int) (Type, error) {
	e.b = AppendTimestampValue(e.b, *at[Timestamp](p))
	return TypeTimestamp, nil
}

func encodeDecimal128(c *codec, e *encoder, p ref, depth int) (Type, error) {
	e.b = AppendDecimal128Value(e.b, *at[Decimal128](p))
	return TypeDecimal128, nil
}

func encodeBinary(c *codec, e *encoder, p ref, depth int) (Type, error) {
	b := at[Binary](p)
	e.b = AppendBinaryValue(e.b, b.Subtype, b.Data)
	return TypeBinary, nil
}

func encodeRegex(c *codec, e *encoder, p ref, depth int) (Type, error) {
	r := at[Regex](p)
	for _, s := range []string{r.Pattern, r.Options} {
		if err := checkKey(s); err != nil {
			return 0, err
		}
	}
	e.b = AppendRegexValue(e.b, *r)
	return TypeRegex, nil
}

func encodeDBPointer(c *codec, e *encoder, p ref, depth int) (Type, error) {
	d := at[DBPointer](p)
	if err := e.string(d.DB); err != nil {
		return 0, err
	}
	e.b = append(e.b, d.Pointer[:]...)
	return TypeDBPointer, nil
}

func encodeCodeWithScope(c *codec, e *encoder, p ref, depth int) (Type, error) {
	v := at[CodeWithScope](p)
	start := len(e.b)
	e.fix32(0)
	if err := e.string(string(v.Code)); err != nil {
		return 0, err
	}
	t := TypeNull
	if v.Scope != nil {
		var err error
		if t, err = e.any(v.Scope, depth); err != nil {
			return 0, err
		}
	}
	switch t {
	case TypeEmbeddedDocument:
	case TypeNull:
		e.b = append(e.b, 5, 0, 0, 0, 0)
	default:
		return 0, fmt.Errorf("its scope becomes a BSON %v, not a document", t)
	}
	if len(e.b)-start > math.MaxInt32 {
		return 0, errTooLarge
	}
	PatchLength(e.b, start)
	return TypeCodeWithScope, nil
}

func encodeRaw(c *codec, e *encoder, p ref, depth int) (Type, error) {
	return e.raw(*at[[]byte](p), TypeEmbeddedDocument)
}

func encodeRawArray(c *codec, e *encoder, p ref, depth int) (Type, error) {
	return e.raw(*at[[]byte](p), TypeArray)
}

// raw appends the document or array b, or null.
func (e *encoder) raw(b []byte, t Type) (Type, error) {
	if b == nil {
		return TypeNull, nil
	}
	if err := explainFrame(b); err != nil {
		return 0, err
	}
	e.b = append(e.b, b...)
	return t, nil
}

func encodeRawValue(c *codec, e *encoder, p ref, depth int) (Type, error) {
	return e.rawValue(*at[RawValue](p))
}

// rawValue appends v, whose outermost lengths must be right.
func (e *encoder) rawValue(v RawValue) (Type, error) {
	if n := valueLen(v.Type, v.Value); n != len(v.Value) {
		return 0, fmt.Errorf("%d bytes are no whole value of BSON %v", len(v.Value), v.Type)
	}
	e.b = append(e.b, v.Value...)
	return v.Type, nil
}

func encodeJSONNumber(c *codec, e *encoder, p ref, depth int) (Type, error) {
	number := *at[json.Number](p)
	if n, err := number.Int64(); err == nil {
		return e.any(n, depth)
	}
	f, err := number.Float64()
	if err != nil {
		return 0, err
	}
	return e.any(f, depth)
}

func encodeURL(c *codec, e *encoder, p ref, depth int) (Type, error) {
	return e.any(at[url.URL](p).String(), depth)
}
