package bson

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"time"
	"unicode/utf8"
)

// The functions below are the encode of codecs, see there.

func encodeBool(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	return append(dst, boolByte(*at[bool](p))), TypeBoolean, nil
}

func encodeInt(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	n := p.value(c.typ).Int()
	if c.size < 8 || n == int64(int32(n)) && (cfg.IntMinSize || c.typ.Kind() == reflect.Int) {
		return binary.LittleEndian.AppendUint32(dst, uint32(n)), TypeInt32, nil
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(n)), TypeInt64, nil
}

func encodeUint(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	n := p.value(c.typ).Uint()
	switch {
	case c.size < 4 || n <= math.MaxInt32 && cfg.IntMinSize:
		return binary.LittleEndian.AppendUint32(dst, uint32(n)), TypeInt32, nil
	case n > math.MaxInt64:
		return dst, 0, fmt.Errorf("%d overflows int64", n)
	}
	return binary.LittleEndian.AppendUint64(dst, n), TypeInt64, nil
}

func encodeFloat(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(p.value(c.typ).Float())), TypeDouble, nil
}

func encodeString(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	s := *at[string](p)
	if !utf8.ValidString(s) {
		return dst, 0, errUTF8
	}
	return AppendStringValue(dst, s), TypeString, nil
}

// encodeText is encodeString for another type with the same layout.
func encodeText(t Type) encodeFunc {
	return func(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
		dst, _, err := encodeString(c, cfg, dst, p, depth)
		return dst, t, err
	}
}

// encodeEmpty is for the types that have but one value.
func encodeEmpty(t Type) encodeFunc {
	return func(_ *codec, _ *config, dst []byte, _ ref, _ int) ([]byte, Type, error) { return dst, t, nil }
}

func encodeStruct(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	dst, err := cfg.structure(dst, c.fields, p, depth+1)
	return dst, TypeEmbeddedDocument, err
}

func encodePointer(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	if p = p.elem(); p.isNil() {
		return dst, TypeNull, nil
	}
	return cfg.value(dst, c.elem, p, depth)
}

func encodeSlice(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	first, n := p.slice()
	if n == 0 && !cfg.NilSliceAsEmpty && p.value(c.typ).IsNil() {
		return dst, TypeNull, nil
	}
	return cfg.list(dst, c.elem, first, n, depth+1)
}

func encodeArray(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	if c.elem.typ == reflect.TypeFor[E]() {
		elems := make(D, c.typ.Len())
		reflect.Copy(reflect.ValueOf(elems), p.value(c.typ))
		return cfg.d(dst, elems, depth+1)
	}
	return cfg.list(dst, c.elem, p, c.typ.Len(), depth+1)
}

func encodeBytes(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	b := *at[[]byte](p)
	if b == nil {
		if c.typ == reflect.TypeFor[[]byte]() && !cfg.NilByteSliceAsEmpty ||
			c.typ != reflect.TypeFor[[]byte]() && !cfg.NilByteSliceAsEmpty && !cfg.NilSliceAsEmpty {
			return dst, TypeNull, nil
		}
	}
	return AppendBinaryValue(dst, BinaryGeneric, b), TypeBinary, nil
}

func encodeByteArray(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	return AppendBinaryValue(dst, BinaryGeneric, bytesOf(p, c.size)), TypeBinary, nil
}

func encodeD(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	return cfg.d(dst, *at[D](p), depth+1)
}

func encodeM(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	return cfg.m(dst, *at[map[string]any](p), depth+1)
}

func encodeA(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	return cfg.a(dst, *at[[]any](p), depth+1)
}

func encodeInterface(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	if c.kind == kindAny {
		return cfg.any(dst, *at[any](p), depth)
	}
	v := p.value(c.typ)
	if v.IsNil() {
		return dst, TypeNull, nil
	}
	return cfg.any(dst, v.Interface(), depth)
}

func encodeObjectID(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	return append(dst, at[ObjectID](p)[:]...), TypeObjectID, nil
}

func encodeDateTime(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	return binary.LittleEndian.AppendUint64(dst, uint64(*at[DateTime](p))), TypeDateTime, nil
}

func encodeTime(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	return binary.LittleEndian.AppendUint64(dst, uint64(at[time.Time](p).UnixMilli())), TypeDateTime, nil
}

func encodeTimestamp(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	return AppendTimestampValue(dst, *at[Timestamp](p)), TypeTimestamp, nil
}

func encodeDecimal128(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	return AppendDecimal128Value(dst, *at[Decimal128](p)), TypeDecimal128, nil
}

func encodeBinary(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	b := at[Binary](p)
	return AppendBinaryValue(dst, b.Subtype, b.Data), TypeBinary, nil
}

func encodeRegex(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	r := at[Regex](p)
	for _, s := range []string{r.Pattern, r.Options} {
		if err := checkCString(s); err != nil {
			return dst, 0, err
		}
	}
	return AppendRegexValue(dst, *r), TypeRegex, nil
}

func encodeDBPointer(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	d := at[DBPointer](p)
	if !utf8.ValidString(d.DB) {
		return dst, 0, errUTF8
	}
	return append(AppendStringValue(dst, d.DB), d.Pointer[:]...), TypeDBPointer, nil
}

func encodeCodeWithScope(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	v := at[CodeWithScope](p)
	if !utf8.ValidString(string(v.Code)) {
		return dst, 0, errUTF8
	}
	start := len(dst)
	dst = AppendStringValue(append(dst, 0, 0, 0, 0), string(v.Code))
	if v.Scope == nil {
		dst = append(dst, 5, 0, 0, 0, 0)
	} else {
		var t Type
		var err error
		if dst, t, err = cfg.any(dst, v.Scope, depth); err != nil {
			return dst, 0, err
		}
		if t == TypeNull {
			dst = append(dst, 5, 0, 0, 0, 0)
		} else if t != TypeEmbeddedDocument {
			return dst, 0, fmt.Errorf("its scope becomes a BSON %v, not a document", t)
		}
	}
	binary.LittleEndian.PutUint32(dst[start:], uint32(len(dst)-start))
	return dst, TypeCodeWithScope, tooLarge(dst, start)
}

func encodeRaw(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	return appendRaw(dst, *at[[]byte](p), TypeEmbeddedDocument)
}

func encodeRawArray(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	return appendRaw(dst, *at[[]byte](p), TypeArray)
}

func appendRaw(dst, b []byte, t Type) ([]byte, Type, error) {
	if b == nil {
		return dst, TypeNull, nil
	}
	if err := explainFrame(b); err != nil {
		return dst, 0, err
	}
	return append(dst, b...), t, nil
}

func encodeRawValue(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	v := at[RawValue](p)
	return appendRawValue(dst, *v)
}

// appendRawValue appends v, whose outermost lengths must be right.
func appendRawValue(dst []byte, v RawValue) ([]byte, Type, error) {
	if n := valueLen(v.Type, v.Value); n != len(v.Value) {
		return dst, 0, fmt.Errorf("%d bytes are no whole value of BSON %v", len(v.Value), v.Type)
	}
	return append(dst, v.Value...), v.Type, nil
}

func encodeJSONNumber(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	number := *at[json.Number](p)
	if n, err := number.Int64(); err == nil {
		return cfg.any(dst, n, depth)
	}
	f, err := number.Float64()
	if err != nil {
		return dst, 0, err
	}
	return cfg.any(dst, f, depth)
}

func encodeURL(c *codec, cfg *config, dst []byte, p ref, depth int) ([]byte, Type, error) {
	return cfg.any(dst, at[url.URL](p).String(), depth)
}

// checkCString is what makes s unfit for a key or a part of a regular
// expression, or nil.
func checkCString(s string) error {
	for i := range len(s) {
		if s[i] == 0 {
			return fmt.Errorf("%q contains NUL", s)
		}
	}
	if !utf8.ValidString(s) {
		return errUTF8
	}
	return nil
}
