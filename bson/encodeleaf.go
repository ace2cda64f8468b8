package bson

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"time"
)

// leaf appends the value at p of one of the kinds that value does not know
// itself.
func (e *encoder) leaf(c *codec, p ref, depth int) (Type, error) {
	switch c.enc {
	case kindSmallInt:
		return e.int(p.value(c.typ).Int(), true), nil
	case kindUint:
		n := p.value(c.typ).Uint()
		if n > math.MaxInt64 {
			return 0, fmt.Errorf("%d overflows int64", n)
		}
		return e.int(int64(n), c.size < 4 || e.IntMinSize), nil
	case kindFloat32:
		e.fix64(math.Float64bits(float64(*at[float32](p))))
		return TypeDouble, nil
	case kindBytes:
		return e.bytes(*at[[]byte](p), c.typ != reflect.TypeFor[[]byte]()), nil
	case kindByteArray:
		e.b = AppendBinaryValue(e.b, BinaryGeneric, bytesOf(p, c.size))
		return TypeBinary, nil
	case kindE:
		elems := make(D, c.typ.Len())
		reflect.Copy(reflect.ValueOf(elems), p.value(c.typ))
		return e.d(elems, depth+1)

	case kindRaw:
		return e.raw(*at[Raw](p), TypeEmbeddedDocument)
	case kindRawArray:
		return e.raw(*at[Raw](p), TypeArray)
	case kindRawValue:
		return e.rawValue(*at[RawValue](p))
	case kindBinary:
		b := at[Binary](p)
		e.b = AppendBinaryValue(e.b, b.Subtype, b.Data)
		return TypeBinary, nil
	case kindUndefined:
		return TypeUndefined, nil
	case kindNull:
		return TypeNull, nil
	case kindRegex:
		r := at[Regex](p)
		if err := errors.Join(checkKey(r.Pattern), checkKey(r.Options)); err != nil {
			return 0, err
		}
		e.b = AppendRegexValue(e.b, *r)
		return TypeRegex, nil
	case kindDBPointer:
		d := at[DBPointer](p)
		if err := e.string(d.DB); err != nil {
			return 0, err
		}
		e.b = append(e.b, d.Pointer[:]...)
		return TypeDBPointer, nil
	case kindJavaScript:
		return TypeJavaScript, e.string(*at[string](p))
	case kindSymbol:
		return TypeSymbol, e.string(*at[string](p))
	case kindCodeWithScope:
		return e.codeWithScope(at[CodeWithScope](p), depth)
	case kindTimestamp:
		e.b = AppendTimestampValue(e.b, *at[Timestamp](p))
		return TypeTimestamp, nil
	case kindDecimal128:
		e.b = AppendDecimal128Value(e.b, *at[Decimal128](p))
		return TypeDecimal128, nil
	case kindMinKey:
		return TypeMinKey, nil
	case kindMaxKey:
		return TypeMaxKey, nil

	case kindJSONNumber:
		return e.jsonNumber(*at[json.Number](p))
	case kindURL:
		return TypeString, e.string(at[url.URL](p).String())
	}
	return 0, c.err
}

// foreign appends the value at p as its hook or what is registered for it says.
func (e *encoder) foreign(c *codec, p ref, depth int) (Type, error) {
	switch v := p.value(c.typ); {
	case c.enc == kindRegistered:
		replaced, err := c.registered.encode(p)
		if err != nil {
			return 0, err
		}
		return e.any(replaced, depth)
	case c.enc == kindAddressedHook:
		return e.hook(v.Addr().Interface())
	case (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil():
		return TypeNull, nil
	default:
		return e.hook(v.Interface())
	}
}

// hook appends v, which encodes itself.
func (e *encoder) hook(v any) (Type, error) {
	switch v := v.(type) {
	case ValueMarshaler:
		t, data, err := v.MarshalBSONValue()
		if err != nil {
			return 0, err
		}
		return e.rawValue(RawValue{Type(t), data})
	case Marshaler:
		data, err := v.MarshalBSON()
		if err != nil {
			return 0, err
		}
		return e.rawValue(RawValue{TypeEmbeddedDocument, data})
	}
	return 0, fmt.Errorf("%T has no hook", v)
}

// bytes appends b as a generic binary, or null. named tells that its type is
// not []byte itself, which the option for slices is about too.
func (e *encoder) bytes(b []byte, named bool) Type {
	if b == nil && !e.NilByteSliceAsEmpty && !(named && e.NilSliceAsEmpty) {
		return TypeNull
	}
	e.b = AppendBinaryValue(e.b, BinaryGeneric, b)
	return TypeBinary
}

// time appends t as a dateTime, which holds fewer years than a Go time.
func (e *encoder) time(t time.Time) (Type, error) {
	ms := t.UnixMilli()
	if time.UnixMilli(ms).Unix() != t.Unix() {
		return 0, fmt.Errorf("a dateTime reaches from the year -292275055 to 292278994, this time is %d seconds from 1970", t.Unix())
	}
	e.fix64(uint64(ms))
	return TypeDateTime, nil
}

// codeWithScope appends v. Without a scope it gets an empty one.
func (e *encoder) codeWithScope(v *CodeWithScope, depth int) (Type, error) {
	start := len(e.b)
	e.fix32(0)
	if err := e.string(string(v.Code)); err != nil {
		return 0, err
	}
	switch t, err := e.any(v.Scope, depth); {
	case err != nil:
		return 0, err
	case t == TypeNull:
		e.b = append(e.b, 5, 0, 0, 0, 0)
	case t != TypeEmbeddedDocument:
		return 0, fmt.Errorf("its scope becomes a BSON %v, not a document", t)
	}
	if len(e.b)-start > math.MaxInt32 {
		return 0, errTooLarge
	}
	PatchLength(e.b, start)
	return TypeCodeWithScope, nil
}

// raw appends the document or array b, or null.
func (e *encoder) raw(b Raw, t Type) (Type, error) {
	if b == nil {
		return TypeNull, nil
	}
	if err := explainFrame(b); err != nil {
		return 0, err
	}
	e.b = append(e.b, b...)
	return t, nil
}

// rawValue appends v, whose outermost lengths must be right.
func (e *encoder) rawValue(v RawValue) (Type, error) {
	if n := valueLen(v.Type, v.Value); n != len(v.Value) {
		return 0, fmt.Errorf("%d bytes are no whole value of BSON %v", len(v.Value), v.Type)
	}
	e.b = append(e.b, v.Value...)
	return v.Type, nil
}

// jsonNumber appends n as an int64 if it is an integer, and else as a double.
func (e *encoder) jsonNumber(number json.Number) (Type, error) {
	if n, err := number.Int64(); err == nil {
		return e.int(n, e.IntMinSize), nil
	}
	f, err := number.Float64()
	if err != nil {
		return 0, err
	}
	e.fix64(math.Float64bits(f))
	return TypeDouble, nil
}
