package bson

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// value appends the value at p, without type and key, and says which type it
// has.
func (cfg *config) value(dst []byte, c *codec, p ref, depth int) ([]byte, Type, error) {
	switch c.kind {
	case kindString:
		s := *at[string](p)
		if !utf8.ValidString(s) {
			return dst, 0, errUTF8
		}
		return AppendStringValue(dst, s), TypeString, nil
	case kindInt:
		n := int64(*at[int](p))
		if n == int64(int32(n)) {
			return binary.LittleEndian.AppendUint32(dst, uint32(n)), TypeInt32, nil
		}
		return binary.LittleEndian.AppendUint64(dst, uint64(n)), TypeInt64, nil
	case kindInt32:
		return binary.LittleEndian.AppendUint32(dst, uint32(*at[int32](p))), TypeInt32, nil
	case kindInt64:
		if n := *at[int64](p); !cfg.IntMinSize {
			return binary.LittleEndian.AppendUint64(dst, uint64(n)), TypeInt64, nil
		}
	case kindFloat64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(*at[float64](p))), TypeDouble, nil
	case kindBool:
		return append(dst, boolByte(*at[bool](p))), TypeBoolean, nil
	case kindObjectID:
		return append(dst, at[ObjectID](p)[:]...), TypeObjectID, nil
	case kindDateTime:
		return binary.LittleEndian.AppendUint64(dst, uint64(*at[DateTime](p))), TypeDateTime, nil
	case kindTime:
		return binary.LittleEndian.AppendUint64(dst, uint64(at[time.Time](p).UnixMilli())), TypeDateTime, nil
	case kindStruct:
		dst, err := cfg.structure(dst, c.fields, p, depth+1)
		return dst, TypeEmbeddedDocument, err
	case kindPointer:
		if p = p.elem(); p.isNil() {
			return dst, TypeNull, nil
		}
		return cfg.value(dst, c.elem, p, depth)
	case kindAny:
		return cfg.any(dst, *at[any](p), depth)
	}
	return c.encode(c, cfg, dst, p, depth)
}

// structure appends the struct at p as a document at the depth.
func (cfg *config) structure(dst []byte, s *structFields, p ref, depth int) ([]byte, error) {
	if depth > MaxDepth {
		return dst, errDepth
	}
	dst, start := BeginDocument(dst)
	for i := range s.list {
		f := &s.list[i]
		q := p.add(f.offset)
		if f.via != nil {
			var ok bool
			if q, ok = f.find(p); !ok {
				continue
			}
		}
		if (f.omitEmpty || cfg.OmitEmpty) && cfg.empty(f.codec, q) || f.omitZero && zero(f.codec, q) {
			continue
		}
		cfg := cfg
		if f.minSize {
			cfg = cfg.minSize
		}
		header := len(dst)
		dst = append(dst, f.header...)
		var t Type
		var err error
		if dst, t, err = cfg.value(dst, f.codec, q, depth); err != nil {
			return dst, encodeFailed(err, f.name, f.codec.typ)
		}
		dst[header] = byte(t)
	}
	if s.rest != nil {
		var err error
		if dst, err = cfg.inlineMap(dst, s, p, depth); err != nil {
			return dst, err
		}
	}
	return EndDocument(dst, start), tooLarge(dst, start)
}

// tooLarge is the error for a document, from start on, whose length does not
// fit into 31 bits.
func tooLarge(dst []byte, start int) error {
	if len(dst)-start >= math.MaxInt32 {
		return errTooLarge
	}
	return nil
}

// element appends one element.
func (cfg *config) element(dst []byte, key string, c *codec, p ref, depth int) ([]byte, error) {
	dst, header, err := appendKey(dst, key)
	if err != nil {
		return dst, encodeFailed(err, key, nil)
	}
	dst, t, err := cfg.value(dst, c, p, depth)
	if err != nil {
		return dst, encodeFailed(err, key, c.typ)
	}
	dst[header] = byte(t)
	return dst, nil
}

// elementAny appends one element with the value v.
func (cfg *config) elementAny(dst []byte, key string, v any, depth int) ([]byte, error) {
	dst, header, err := appendKey(dst, key)
	if err != nil {
		return dst, encodeFailed(err, key, nil)
	}
	dst, t, err := cfg.any(dst, v, depth)
	if err != nil {
		return dst, encodeFailed(err, key, reflect.TypeOf(v))
	}
	dst[header] = byte(t)
	return dst, nil
}

// appendKey appends a key after room for its type, which is at header.
func appendKey(dst []byte, key string) (_ []byte, header int, err error) {
	if strings.IndexByte(key, 0) >= 0 {
		return dst, 0, errKeyNUL
	}
	if !utf8.ValidString(key) {
		return dst, 0, errKeyUTF8
	}
	header = len(dst)
	dst = append(dst, 0)
	dst = append(dst, key...)
	return append(dst, 0), header, nil
}

// any appends the value v. The types that decoding gives come first.
func (cfg *config) any(dst []byte, v any, depth int) ([]byte, Type, error) {
	switch v := v.(type) {
	case nil:
		return dst, TypeNull, nil
	case string:
		if !utf8.ValidString(v) {
			return dst, 0, errUTF8
		}
		return AppendStringValue(dst, v), TypeString, nil
	case int32:
		return binary.LittleEndian.AppendUint32(dst, uint32(v)), TypeInt32, nil
	case int64:
		if !cfg.IntMinSize {
			return binary.LittleEndian.AppendUint64(dst, uint64(v)), TypeInt64, nil
		}
	case float64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v)), TypeDouble, nil
	case bool:
		return append(dst, boolByte(v)), TypeBoolean, nil
	case D:
		return cfg.d(dst, v, depth+1)
	case A:
		return cfg.a(dst, v, depth+1)
	case ObjectID:
		return append(dst, v[:]...), TypeObjectID, nil
	case DateTime:
		return binary.LittleEndian.AppendUint64(dst, uint64(v)), TypeDateTime, nil
	case M:
		return cfg.m(dst, v, depth+1)
	}
	return cfg.other(dst, v, depth)
}

// other is any for the types that any does not know itself.
func (cfg *config) other(dst []byte, v any, depth int) ([]byte, Type, error) {
	c := cfg.codecOf(reflect.TypeOf(v))
	return cfg.value(dst, c, c.locate(v), depth)
}

// locate is the address of v, which is of c's type. What is there must not be
// written to.
func (c *codec) locate(v any) ref {
	if c.addressed || c.mayBeDirect() {
		copied := reflect.New(c.typ)
		copied.Elem().Set(reflect.ValueOf(v))
		return refTo(copied)
	}
	return dataOf(v)
}

// mayBeDirect reports whether an any may hold a value of c's type where
// otherwise it has its address, as it does with pointers and what is like one.
func (c *codec) mayBeDirect() bool {
	switch c.typ.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return true
	case reflect.Struct, reflect.Array:
		return c.size == pointerSize
	}
	return false
}

const pointerSize = bits.UintSize / 8

// d appends v as a document at the depth, or null.
func (cfg *config) d(dst []byte, v D, depth int) ([]byte, Type, error) {
	if v == nil && !cfg.NilSliceAsEmpty {
		return dst, TypeNull, nil
	}
	dst, err := cfg.document(dst, v, depth)
	return dst, TypeEmbeddedDocument, err
}

func (cfg *config) document(dst []byte, v D, depth int) (_ []byte, err error) {
	if depth > MaxDepth {
		return dst, errDepth
	}
	dst, start := BeginDocument(dst)
	for i := range v {
		if dst, err = cfg.elementAny(dst, v[i].Key, v[i].Value, depth); err != nil {
			return dst, err
		}
	}
	return EndDocument(dst, start), tooLarge(dst, start)
}

// m appends v as a document at the depth, or null.
func (cfg *config) m(dst []byte, v map[string]any, depth int) ([]byte, Type, error) {
	if v == nil && !cfg.NilMapAsEmpty {
		return dst, TypeNull, nil
	}
	dst, err := cfg.mapDocument(dst, v, depth)
	return dst, TypeEmbeddedDocument, err
}

func (cfg *config) mapDocument(dst []byte, v map[string]any, depth int) (_ []byte, err error) {
	if depth > MaxDepth {
		return dst, errDepth
	}
	dst, start := BeginDocument(dst)
	for k, e := range v {
		if dst, err = cfg.elementAny(dst, k, e, depth); err != nil {
			return dst, err
		}
	}
	return EndDocument(dst, start), tooLarge(dst, start)
}

// a appends v as an array at the depth, or null.
func (cfg *config) a(dst []byte, v []any, depth int) ([]byte, Type, error) {
	if v == nil && !cfg.NilSliceAsEmpty {
		return dst, TypeNull, nil
	}
	if depth > MaxDepth {
		return dst, 0, errDepth
	}
	dst, start := BeginDocument(dst)
	for i := range v {
		header := len(dst)
		dst = AppendIndexHeader(dst, 0, i)
		var t Type
		var err error
		if dst, t, err = cfg.any(dst, v[i], depth); err != nil {
			return dst, 0, encodeFailed(err, fmt.Sprint(i), reflect.TypeOf(v[i]))
		}
		dst[header] = byte(t)
	}
	return EndDocument(dst, start), TypeArray, tooLarge(dst, start)
}

// list appends the n values of the codec c from first on as an array at the
// depth.
func (cfg *config) list(dst []byte, c *codec, first ref, n, depth int) ([]byte, Type, error) {
	if depth > MaxDepth {
		return dst, 0, errDepth
	}
	dst, start := BeginDocument(dst)
	for i := range n {
		header := len(dst)
		dst = AppendIndexHeader(dst, 0, i)
		var t Type
		var err error
		if dst, t, err = cfg.value(dst, c, first.add(uintptr(i)*c.size), depth); err != nil {
			return dst, 0, encodeFailed(err, fmt.Sprint(i), c.typ)
		}
		dst[header] = byte(t)
	}
	return EndDocument(dst, start), TypeArray, tooLarge(dst, start)
}

// top appends v as a document.
func (cfg *config) top(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case D:
		return cfg.document(dst, v, 1)
	case M:
		return cfg.mapDocument(dst, v, 1)
	case nil:
		return dst, errors.New("nil is no document")
	}
	start := len(dst)
	dst, t, err := cfg.other(dst, v, 0)
	if err == nil && t != TypeEmbeddedDocument {
		if t == TypeNull && isNilDocument(v) {
			return append(dst, 5, 0, 0, 0, 0), nil
		}
		return dst[:start], fmt.Errorf("it becomes a BSON %v, not a document", t)
	}
	return dst, err
}

// isNilDocument reports whether v is a nil D, map or Raw, which stands for an
// empty document where there must be one.
func isNilDocument(v any) bool {
	rv := reflect.ValueOf(v)
	return (rv.Kind() == reflect.Map || rv.Kind() == reflect.Slice) && rv.IsNil()
}
