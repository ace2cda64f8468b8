package bson

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
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
	switch c.enc {
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
		return e.time(*at[time.Time](p))
	case kindStruct:
		return TypeEmbeddedDocument, e.structure(c.fields, p, depth+1)
	case kindPointer:
		if p = p.elem(); p.isNil() {
			return TypeNull, nil
		}
		return e.value(c.elem, p, depth)
	case kindSlice:
		first, n := p.slice()
		if first.isNil() && !e.NilSliceAsEmpty {
			return TypeNull, nil
		}
		return e.list(c.elem, first, n, depth+1)
	case kindArray:
		return e.list(c.elem, p, c.typ.Len(), depth+1)
	case kindMap:
		return e.mapping(c, p, depth+1)
	case kindAny:
		return e.any(*at[any](p), depth)
	case kindInterface:
		return e.any(p.value(c.typ).Interface(), depth)
	case kindD:
		return e.d(*at[D](p), depth+1)
	case kindM:
		return e.m(*at[M](p), depth+1)
	case kindA:
		return e.a(*at[A](p), depth+1)
	case kindHook, kindAddressedHook, kindRegistered:
		return e.foreign(c, p, depth)
	}
	return e.leaf(c, p, depth)
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
	b := e.room(n)[:n]
	binary.LittleEndian.PutUint32(b, uint32(len(s)+1))
	b[n-1] = 0
	if !copyASCII(b[4:n-1], s) && !utf8.ValidString(s) {
		return errUTF8
	}
	e.b = e.b[:len(e.b)+n]
	return nil
}

// lift makes the buffer end where w is.
func (e *encoder) lift(w pen) { e.b = e.b[:w.written(e.b)] }

// grow is w with room for n bytes behind it.
//
//go:noinline
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
		case opInt64:
			if v := *at[int64](q); e.IntMinSize && v == int64(int32(v)) {
				w.byte(0, byte(TypeInt32))
				w.uint32(n, uint32(v))
				w = w.skip(n + 4)
				continue
			}
			fallthrough
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
			if !copyASCII(w.skip(4).bytes(len(text)), text) && !utf8.ValidString(text) {
				return encodeFailed(errUTF8, f.name, f.codec.typ)
			}
			w = w.skip(size)
		case opStruct, opStructPointer:
			c := f.codec
			if f.op == opStructPointer {
				if c, q = c.elem, q.elem(); q.isNil() {
					w.byte(0, byte(TypeNull))
					w = w.skip(n)
					continue
				}
			}
			e.lift(w.skip(n))
			if err := e.structure(c.fields, q, depth+1); err != nil {
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

// begin appends the length of a document at the depth, which end fills in. It
// leaves room for a pen.
func (e *encoder) begin(depth int) (start int, err error) {
	if depth > MaxDepth {
		return 0, errDepth
	}
	e.room(4 + 1)
	start = len(e.b)
	e.b = e.b[:start+4]
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

// A header is the start of an element: its type and its key with NUL. It is
// written without its type, which is known once the value is.

// valueRoom is more than a value of fixed size takes.
const valueRoom = 16 + 1

// pair writes an element at w, which is where the next one begins then.
func (e *encoder) pair(w pen, key string, v any, depth int) (pen, error) {
	n := 1 + len(key) + 1
	if cap(e.b)-w.written(e.b) < n+valueRoom {
		w = e.grow(w, n+valueRoom)
	}
	w.byte(n-1, 0)
	if !copyKey(w.skip(1).bytes(len(key)), key) {
		return w, keyFailed(key)
	}
	w, err := e.put(w, n, v, depth)
	if err != nil {
		return w, encodeFailed(err, key, reflect.TypeOf(v))
	}
	return w, nil
}

// index writes the header of the i-th element of an array at w, behind which
// there will be valueRoom. n is the length of the header.
func (e *encoder) index(w pen, i int) (_ pen, n int) {
	const most = 1 + 20 + 1
	if cap(e.b)-w.written(e.b) < most+valueRoom {
		w = e.grow(w, most+valueRoom)
	}
	if i < 10 {
		w.byte(1, '0'+byte(i))
		w.byte(2, 0)
		return w, 3
	}
	n = 1 + len(strconv.AppendUint(w.skip(1).bytes(most)[:0], uint64(i), 10))
	w.byte(n, 0)
	return w, n + 1
}

// element appends an element with the value at p.
func (e *encoder) element(key string, c *codec, p ref, depth int) error {
	header := len(e.b)
	n := 1 + len(key) + 1
	b := e.room(n)[:n]
	b[n-1] = 0
	if !copyKey(b[1:n-1], key) {
		return keyFailed(key)
	}
	e.b = e.b[:header+n]
	t, err := e.value(c, p, depth)
	if err != nil {
		return encodeFailed(err, key, c.typ)
	}
	e.b[header] = byte(t)
	return nil
}

// put writes v behind the header of n bytes that is at w and fills in its type.
// The types that decoding gives come first.
func (e *encoder) put(w pen, n int, v any, depth int) (pen, error) {
	switch v := v.(type) {
	case nil:
		w.byte(0, byte(TypeNull))
		return w.skip(n), nil
	case string:
		size := 4 + len(v) + 1
		if cap(e.b)-w.written(e.b) < n+size+1 {
			w = e.grow(w.skip(n), size+1).skip(-n)
		}
		w.byte(0, byte(TypeString))
		w.uint32(n, uint32(len(v)+1))
		w.byte(n+size-1, 0)
		if !copyASCII(w.skip(n+4).bytes(len(v)), v) && !utf8.ValidString(v) {
			return w, errUTF8
		}
		return w.skip(n + size), nil
	case int32:
		w.byte(0, byte(TypeInt32))
		w.uint32(n, uint32(v))
		return w.skip(n + 4), nil
	case int64:
		if !e.IntMinSize {
			w.byte(0, byte(TypeInt64))
			w.uint64(n, uint64(v))
			return w.skip(n + 8), nil
		}
	case float64:
		w.byte(0, byte(TypeDouble))
		w.uint64(n, math.Float64bits(v))
		return w.skip(n + 8), nil
	case bool:
		w.byte(0, byte(TypeBoolean))
		w.byte(n, boolByte(v))
		return w.skip(n + 1), nil
	case D:
		if v != nil {
			w.byte(0, byte(TypeEmbeddedDocument))
			e.lift(w.skip(n))
			err := e.document(v, depth+1)
			e.room(1)
			return penAt(e.b), err
		}
	}
	header := w.written(e.b)
	e.lift(w.skip(n))
	t, err := e.any(v, depth)
	if err != nil {
		return w, err
	}
	e.b[header] = byte(t)
	e.room(1)
	return penAt(e.b), nil
}

// any appends v.
func (e *encoder) any(v any, depth int) (Type, error) {
	switch v := v.(type) {
	case D:
		return e.d(v, depth+1)
	case A:
		return e.a(v, depth+1)
	case M:
		return e.m(v, depth+1)
	case ObjectID:
		e.b = append(e.b, v[:]...)
		return TypeObjectID, nil
	case DateTime:
		e.fix64(uint64(v))
		return TypeDateTime, nil
	case nil:
		return TypeNull, nil
	}
	return e.other(v, depth)
}

// other is any for the types that any does not know itself.
func (e *encoder) other(v any, depth int) (Type, error) {
	c := e.codecOf(reflect.TypeOf(v))
	if c.enc == kindPointer {
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
	if c.copied {
		copied := reflect.New(c.typ)
		copied.Elem().Set(reflect.ValueOf(v))
		return refTo(copied)
	}
	return dataOf(v)
}

// d appends v as a document at the depth, or null.
func (e *encoder) d(v D, depth int) (Type, error) {
	if v == nil && !e.NilSliceAsEmpty {
		return TypeNull, nil
	}
	return TypeEmbeddedDocument, e.document(v, depth)
}

// document appends v at the depth. It is a loop of pair, spelled out, as most
// documents are small and a call for each of their elements shows.
func (e *encoder) document(v D, depth int) error {
	start, err := e.begin(depth)
	if err != nil {
		return err
	}
	w := penAt(e.b)
	for i := range v {
		key := v[i].Key
		n := 1 + len(key) + 1
		if cap(e.b)-w.written(e.b) < n+valueRoom {
			w = e.grow(w, n+valueRoom)
		}
		w.byte(n-1, 0)
		if !copyKey(w.skip(1).bytes(len(key)), key) {
			return keyFailed(key)
		}
		if w, err = e.put(w, n, v[i].Value, depth); err != nil {
			return encodeFailed(err, key, reflect.TypeOf(v[i].Value))
		}
	}
	e.lift(w)
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
	w := penAt(e.b)
	for key, elem := range v {
		if w, err = e.pair(w, key, elem, depth); err != nil {
			return err
		}
	}
	e.lift(w)
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
	w, n := penAt(e.b), 0
	for i := range v {
		w, n = e.index(w, i)
		if w, err = e.put(w, n, v[i], depth); err != nil {
			return 0, encodeFailed(err, strconv.Itoa(i), reflect.TypeOf(v[i]))
		}
	}
	e.lift(w)
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
		header := len(e.b)
		w, length := e.index(penAt(e.b), i)
		e.lift(w.skip(length))
		t, err := e.value(c, first.add(uintptr(i)*c.size), depth)
		if err != nil {
			return 0, encodeFailed(err, strconv.Itoa(i), c.typ)
		}
		e.b[header] = byte(t)
		e.room(1)
	}
	return TypeArray, e.end(start)
}

// top appends v as a document. A nil D, map or Raw stands for an empty one.
func (e *encoder) top(v any) error {
	switch v := v.(type) {
	case D:
		return e.document(v, 1)
	case *D:
		if v != nil {
			return e.document(*v, 1)
		}
	case M:
		return e.mapDocument(v, 1)
	case E, *E:
		return errElement
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
