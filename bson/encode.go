package bson

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// encoder appends Go values to a buffer. Its methods append values without type
// and key and say which type they have; depth is that of the document around
// the value.
type encoder struct {
	*config
	b []byte
}

// room makes room for n more bytes and is what is free of the buffer.
func (e *encoder) room(n int) []byte {
	if cap(e.b)-len(e.b) < n {
		e.b = slices.Grow(e.b, n)
	}
	return e.b[len(e.b):cap(e.b)]
}

// value appends the value at p.
func (e *encoder) value(c *codec, p ref, depth int) (Type, error) {
	switch c.kind {
	case kindString:
		return TypeString, e.string(*at[string](p))
	case kindBool:
		e.b = append(e.b, boolByte(*at[bool](p)))
		return TypeBoolean, nil
	case kindInt:
		return e.int(int64(*at[int](p)), true), nil
	case kindInt32:
		e.fix32(uint32(*at[int32](p)))
		return TypeInt32, nil
	case kindInt64:
		return e.int(*at[int64](p), e.IntMinSize), nil
	case kindFloat64:
		e.fix64(math.Float64bits(*at[float64](p)))
		return TypeDouble, nil
	case kindObjectID:
		e.b = append(e.b, at[ObjectID](p)[:]...)
		return TypeObjectID, nil
	case kindDateTime:
		e.fix64(uint64(*at[DateTime](p)))
		return TypeDateTime, nil
	case kindTime:
		e.fix64(uint64(at[time.Time](p).UnixMilli()))
		return TypeDateTime, nil
	case kindStruct:
		return TypeEmbeddedDocument, e.structure(c.fields, p, depth+1)
	case kindPointer:
		if p = p.elem(); p.isNil() {
			return TypeNull, nil
		}
		return e.value(c.elem, p, depth)
	case kindAny:
		return e.any(*at[any](p), depth)
	}
	return c.encode(c, e, p, depth)
}

func (e *encoder) fix32(v uint32) { e.b = binary.LittleEndian.AppendUint32(e.b, v) }

func (e *encoder) fix64(v uint64) { e.b = binary.LittleEndian.AppendUint64(e.b, v) }

// int appends n as an int32 if small allows it and it fits.
func (e *encoder) int(n int64, small bool) Type {
	if small && n == int64(int32(n)) {
		e.fix32(uint32(n))
		return TypeInt32
	}
	e.fix64(uint64(n))
	return TypeInt64
}

// string appends s, which must be valid UTF-8.
func (e *encoder) string(s string) error {
	n := 4 + len(s) + 1
	if !putString(e.room(n)[:n], s) {
		return errUTF8
	}
	e.b = e.b[:len(e.b)+n]
	return nil
}

// putString writes the value of a string over all of b, and reports whether s
// is valid UTF-8.
func putString(b []byte, s string) bool {
	text := b[4 : len(b)-1]
	binary.LittleEndian.PutUint32(b, uint32(len(s)+1))
	b[len(b)-1] = 0
	return copyASCII(text, bytesOfString(s)) || utf8.ValidString(s)
}

// lift makes the buffer end where w is.
func (e *encoder) lift(w pen) { e.b = e.b[:w.written(e.b)] }

// grow is w with room for n bytes behind it.
func (e *encoder) grow(w pen, n int) pen {
	e.lift(w)
	e.b = slices.Grow(e.b, n)
	return penAt(e.b)
}

// structure appends the struct at p as a document at the depth.
func (e *encoder) structure(s *structFields, p ref, depth int) error {
	if depth > MaxDepth {
		return errDepth
	}
	start := len(e.b)
	e.room(s.room)
	w := penAt(e.b).skip(4)
	list := s.list
	for i := range list {
		f := &list[i]
		q := p.add(f.offset)
		switch f.omit {
		case omitNever:
		case omitNilPointer:
			if q.elem().isNil() {
				continue
			}
		case omitEmptyString:
			if *at[string](q) == "" {
				continue
			}
		default:
			e.lift(w)
			if err := e.field(f, p, depth); err != nil {
				return err
			}
			e.room(s.room)
			w = penAt(e.b)
			continue
		}
		w.start(f.start)
		n := len(f.start)
		switch f.op {
		case opBool:
			w.byte(n, boolByte(*at[bool](q)))
			w = w.skip(n + 1)
		case opInt32:
			w.uint32(n, *at[uint32](q))
			w = w.skip(n + 4)
		case opFloat64:
			w.uint64(n, *at[uint64](q))
			w = w.skip(n + 8)
		case opString:
			text := *at[string](q)
			size := 4 + len(text) + 1
			if w = w.skip(n); cap(e.b)-w.written(e.b) < size+s.room {
				w = e.grow(w, size+s.room)
			}
			w.uint32(0, uint32(len(text)+1))
			w.byte(size-1, 0)
			if !copyASCII(w.skip(4).bytes(len(text)), bytesOfString(text)) && !utf8.ValidString(text) {
				return encodeFailed(errUTF8, f.name, f.codec.typ)
			}
			w = w.skip(size)
		case opStruct:
			e.lift(w.skip(n))
			if err := e.structure(f.codec.elem.fields, q.elem(), depth+1); err != nil {
				return encodeFailed(err, f.name, f.codec.typ)
			}
			e.room(s.room)
			w = penAt(e.b)
		default:
			header := w.written(e.b)
			e.lift(w.skip(n))
			t, err := e.value(f.codec, q, depth)
			if err != nil {
				return encodeFailed(err, f.name, f.codec.typ)
			}
			e.b[header] = byte(t)
			e.room(s.room)
			w = penAt(e.b)
		}
	}
	if s.rest != nil {
		e.lift(w)
		if err := e.inlineMap(s, p, depth); err != nil {
			return err
		}
		return e.end(start)
	}
	w.byte(0, 0)
	e.lift(w.skip(1))
	if len(e.b)-start > math.MaxInt32 {
		return errTooLarge
	}
	PatchLength(e.b, start)
	return nil
}

// field appends the field f of the struct at p, unless it is to be left out.
func (e *encoder) field(f *field, p ref, depth int) error {
	q, ok := e.present(f, p)
	if !ok {
		return nil
	}
	header := len(e.b)
	e.b = append(e.b, f.start...)
	if f.minSize {
		outer := e.config
		e.config = outer.minSize
		defer func() { e.config = outer }()
	}
	t, err := e.value(f.codec, q, depth)
	if err != nil {
		return encodeFailed(err, f.name, f.codec.typ)
	}
	e.b[header] = byte(t)
	return nil
}

// present is the address of the field f of the struct at p, unless it is to be
// left out.
func (e *encoder) present(f *field, p ref) (ref, bool) {
	q, ok := f.find(p)
	if !ok || f.omitEmpty && e.empty(f.codec, q) || f.omitZero && zero(f.codec, q) {
		return q, false
	}
	return q, true
}

// begin appends the length of a document at the depth, which end fills in.
func (e *encoder) begin(depth int) (start int, err error) {
	if depth > MaxDepth {
		return 0, errDepth
	}
	start = len(e.b)
	e.b = append(e.b, 0, 0, 0, 0)
	return start, nil
}

// end ends the document that begins at start.
func (e *encoder) end(start int) error {
	e.b = append(e.b, 0)
	n := len(e.b) - start
	if n > math.MaxInt32 {
		return errTooLarge
	}
	binary.LittleEndian.PutUint32(e.b[start:], uint32(n))
	return nil
}

// key appends a key after room for its type, which is at header.
func (e *encoder) key(key string) (header int, err error) {
	header = len(e.b)
	n := 1 + len(key) + 1
	b := e.room(n)[:n]
	b[0], b[n-1] = 0, 0
	e.b = e.b[:header+n]
	return header, copyKey(b[1:n-1], bytesOfString(key))
}

// index appends the key of the i-th element of an array after room for its
// type, which is at header.
func (e *encoder) index(i int) (header int) {
	header = len(e.b)
	if i < 10 {
		e.b = append(e.b, 0, '0'+byte(i), 0)
		return header
	}
	e.b = append(strconv.AppendUint(append(e.b, 0), uint64(i), 10), 0)
	return header
}

// element appends an element with the value at p.
func (e *encoder) element(key string, c *codec, p ref, depth int) error {
	header, err := e.key(key)
	if err != nil {
		return encodeFailed(err, key, nil)
	}
	t, err := e.value(c, p, depth)
	if err != nil {
		return encodeFailed(err, key, c.typ)
	}
	e.b[header] = byte(t)
	return nil
}

// elementAny appends an element with the value v.
func (e *encoder) elementAny(key string, v any, depth int) error {
	header, err := e.key(key)
	if err != nil {
		return encodeFailed(err, key, nil)
	}
	t, err := e.any(v, depth)
	if err != nil {
		return encodeFailed(err, key, reflect.TypeOf(v))
	}
	e.b[header] = byte(t)
	return nil
}

// any appends v. The types that decoding gives come first.
func (e *encoder) any(v any, depth int) (Type, error) {
	switch v := v.(type) {
	case nil:
		return TypeNull, nil
	case string:
		return TypeString, e.string(v)
	case int32:
		e.fix32(uint32(v))
		return TypeInt32, nil
	case int64:
		return e.int(v, e.IntMinSize), nil
	case float64:
		e.fix64(math.Float64bits(v))
		return TypeDouble, nil
	case bool:
		e.b = append(e.b, boolByte(v))
		return TypeBoolean, nil
	case D:
		return e.d(v, depth+1)
	case A:
		return e.a(v, depth+1)
	case ObjectID:
		e.b = append(e.b, v[:]...)
		return TypeObjectID, nil
	case DateTime:
		e.fix64(uint64(v))
		return TypeDateTime, nil
	case M:
		return e.m(v, depth+1)
	}
	return e.other(v, depth)
}

// other is any for the types that any does not know itself.
func (e *encoder) other(v any, depth int) (Type, error) {
	c := e.codecOf(reflect.TypeOf(v))
	if c.kind == kindPointer {
		p := refTo(reflect.ValueOf(v))
		if p.isNil() {
			return TypeNull, nil
		}
		return e.value(c.elem, p, depth)
	}
	return e.value(c, c.locate(v), depth)
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
		return c.size == bits.UintSize/8
	}
	return false
}

// d appends v as a document at the depth, or null.
func (e *encoder) d(v D, depth int) (Type, error) {
	if v == nil && !e.NilSliceAsEmpty {
		return TypeNull, nil
	}
	return TypeEmbeddedDocument, e.document(v, depth)
}

func (e *encoder) document(v D, depth int) error {
	start, err := e.begin(depth)
	if err != nil {
		return err
	}
	for i := range v {
		if err := e.elementAny(v[i].Key, v[i].Value, depth); err != nil {
			return err
		}
	}
	return e.end(start)
}

// m appends v as a document at the depth, or null.
func (e *encoder) m(v map[string]any, depth int) (Type, error) {
	if v == nil && !e.NilMapAsEmpty {
		return TypeNull, nil
	}
	return TypeEmbeddedDocument, e.mapDocument(v, depth)
}

func (e *encoder) mapDocument(v map[string]any, depth int) error {
	start, err := e.begin(depth)
	if err != nil {
		return err
	}
	for key, elem := range v {
		if err := e.elementAny(key, elem, depth); err != nil {
			return err
		}
	}
	return e.end(start)
}

// a appends v as an array at the depth, or null.
func (e *encoder) a(v []any, depth int) (Type, error) {
	if v == nil && !e.NilSliceAsEmpty {
		return TypeNull, nil
	}
	start, err := e.begin(depth)
	if err != nil {
		return 0, err
	}
	for i := range v {
		header := e.index(i)
		t, err := e.any(v[i], depth)
		if err != nil {
			return 0, encodeFailed(err, strconv.Itoa(i), reflect.TypeOf(v[i]))
		}
		e.b[header] = byte(t)
	}
	return TypeArray, e.end(start)
}

// list appends the n values of the codec c from first on as an array at the
// depth.
func (e *encoder) list(c *codec, first ref, n, depth int) (Type, error) {
	start, err := e.begin(depth)
	if err != nil {
		return 0, err
	}
	for i := range n {
		header := e.index(i)
		t, err := e.value(c, first.add(uintptr(i)*c.size), depth)
		if err != nil {
			return 0, encodeFailed(err, strconv.Itoa(i), c.typ)
		}
		e.b[header] = byte(t)
	}
	return TypeArray, e.end(start)
}

// top appends v as a document. A nil D, map or Raw stands for an empty one.
func (e *encoder) top(v any) error {
	switch v := v.(type) {
	case D:
		return e.document(v, 1)
	case M:
		return e.mapDocument(v, 1)
	case nil:
		return errors.New("nil is no document")
	}
	t, err := e.other(v, 0)
	if err != nil || t == TypeEmbeddedDocument {
		return err
	}
	if rv := reflect.ValueOf(v); t == TypeNull && (rv.Kind() == reflect.Map || rv.Kind() == reflect.Slice) && rv.IsNil() {
		return e.document(nil, 1)
	}
	return fmt.Errorf("it becomes a BSON %v, not a document", t)
}
