package bson

import (
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"time"
)

// decoder decodes one document into Go values.
type decoder struct {
	*config
	// text is where short strings are copied to. One allocation serves many.
	text []byte
	// textSize is the size of such an allocation.
	textSize int
}

// maxTextSize bounds the allocations that strings share, and thus what a string
// that outlives its document keeps alive.
const maxTextSize = 1024

// string is b, which must be valid UTF-8, as a string.
func (d *decoder) string(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > cap(d.text)-len(d.text) {
		if len(b) > d.textSize/4 {
			return string(b)
		}
		d.text = make([]byte, 0, d.textSize)
	}
	start := len(d.text)
	d.text = append(d.text, b...)
	return stringOf(d.text[start:])
}

// value decodes b, a whole value of type t, into the value at p.
func (d *decoder) value(c *codec, t Type, b []byte, p ref, depth int) error {
	switch c.kind {
	case kindString:
		if t == TypeString {
			if b = b[4 : len(b)-1]; !validUTF8(b) {
				return errUTF8
			}
			*at[string](p) = d.string(b)
			return nil
		}
	case kindInt:
		if t == TypeInt32 {
			*at[int](p) = int(int32(binary.LittleEndian.Uint32(b)))
			return nil
		}
	case kindInt32:
		if t == TypeInt32 {
			*at[int32](p) = int32(binary.LittleEndian.Uint32(b))
			return nil
		}
	case kindInt64:
		if t == TypeInt64 {
			*at[int64](p) = int64(binary.LittleEndian.Uint64(b))
			return nil
		}
		if t == TypeInt32 {
			*at[int64](p) = int64(int32(binary.LittleEndian.Uint32(b)))
			return nil
		}
	case kindFloat64:
		if t == TypeDouble {
			*at[float64](p) = math.Float64frombits(binary.LittleEndian.Uint64(b))
			return nil
		}
	case kindBool:
		if t == TypeBoolean && b[0] <= 1 {
			*at[bool](p) = b[0] == 1
			return nil
		}
	case kindObjectID:
		if t == TypeObjectID {
			*at[ObjectID](p) = ObjectID(b)
			return nil
		}
	case kindTime:
		if t == TypeDateTime {
			*at[time.Time](p) = d.time(int64(binary.LittleEndian.Uint64(b)))
			return nil
		}
	case kindStruct:
		if t == TypeEmbeddedDocument {
			return d.structure(c, b, p, depth+1)
		}
	case kindPointer:
		if t != TypeNull && t != TypeUndefined {
			q := p.elem()
			if q.isNil() {
				q = newRef(c.elem.typ)
				p.setElem(q)
			}
			return d.value(c.elem, t, b, q, depth)
		}
	}
	return c.decode(c, d, t, b, p, depth)
}

// time is the time that many milliseconds after the Unix epoch.
func (d *decoder) time(ms int64) time.Time {
	t := time.UnixMilli(ms)
	if d.UseLocalTimeZone {
		return t
	}
	return t.UTC()
}

// structure decodes the document b into the struct at p.
func (d *decoder) structure(c *codec, doc []byte, p ref, depth int) error {
	rest, ok := body(doc)
	if !ok || depth > MaxDepth {
		return malformed(doc, depth)
	}
	if d.ZeroStructs {
		p.value(c.typ).SetZero()
	}
	s := c.fields
	next := 0
	for len(rest) > 0 {
		t := Type(rest[0])
		i, keyLen := -1, 0
		if next < len(s.list) {
			// Fields mostly come in order.
			if start := s.list[next].start; len(start) <= len(rest) && string(rest[1:len(start)]) == string(start[1:]) {
				i, keyLen = next, len(start)-2
			}
		}
		if i < 0 {
			if keyLen = keyEnd(rest); keyLen < 0 {
				return malformed(doc, depth)
			}
			if found, ok := s.lookup(rest[1 : 1+keyLen]); ok {
				i = found
			}
		}
		key, b := rest[1:1+keyLen], rest[keyLen+2:]
		n := valueLen(t, b)
		if n < 0 {
			return malformed(doc, depth)
		}
		var err error
		if i >= 0 {
			f := &s.list[i]
			next = i + 1
			err = d.field(f, t, b[:n], p, depth)
			if err != nil {
				return decodeFailed(err, f.name, len(doc)-1-len(rest), t, f.codec.typ)
			}
		} else if s.rest != nil {
			err = d.restElement(s, key, t, b[:n], p, depth)
			if err != nil {
				return decodeFailed(err, string(key), len(doc)-1-len(rest), t, s.rest.codec.elem.typ)
			}
		}
		rest = b[n:]
	}
	return nil
}

// field decodes a value into the field f of the struct at p.
func (d *decoder) field(f *field, t Type, b []byte, p ref, depth int) error {
	q := p.add(f.offset)
	if f.via != nil {
		q = f.make(p)
	}
	if f.truncate {
		outer := d.config
		d.config = outer.truncate
		defer func() { d.config = outer }()
	}
	return d.value(f.codec, t, b, q, depth)
}

// restElement decodes a value into the inlined map of the struct at p.
func (d *decoder) restElement(s *structFields, key []byte, t Type, b []byte, p ref, depth int) error {
	if !validUTF8(key) {
		return errKeyUTF8
	}
	m := s.rest.make(p).value(s.rest.codec.typ)
	if m.IsNil() {
		m.Set(reflect.MakeMap(m.Type()))
	}
	return d.mapElement(s.rest.codec, m, string(key), t, b, depth)
}

// keyEnd is the length of the key of the element at the start of b, or -1 if
// it has no end.
func keyEnd(b []byte) int {
	for i, c := range b[1:] {
		if c == 0 {
			return i
		}
	}
	return -1
}

// elements calls each for every element of doc.
func (d *decoder) elements(doc []byte, depth int, each func(key []byte, t Type, b []byte) error) error {
	rest, ok := body(doc)
	if !ok || depth > MaxDepth {
		return malformed(doc, depth)
	}
	for len(rest) > 0 {
		key, v, after, ok := next(rest)
		if !ok || !validUTF8(key) {
			return malformed(doc, depth)
		}
		if err := each(key, v.Type, v.Value); err != nil {
			return decodeFailed(err, string(key), len(doc)-1-len(rest), v.Type, nil)
		}
		rest = after
	}
	return nil
}

// malformed is what is wrong with doc, which could not be read.
func malformed(doc []byte, depth int) error {
	if err := explain(doc, depth); err != nil {
		return err
	}
	return &DecodeError{Err: errors.New("the document cannot be read")}
}

// top decodes the document data into the value that dst points to.
func (d *decoder) top(t Type, data []byte, dst any, depth int) error {
	v := reflect.ValueOf(dst)
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		c := d.codecOf(v.Type().Elem())
		if err := d.value(c, t, data, refTo(v), depth); err != nil {
			return topFailed(err, t, c.typ)
		}
		return nil
	case v.Kind() == reflect.Map && !v.IsNil():
		c := d.codecOf(v.Type())
		if err := d.value(c, t, data, c.locate(dst), depth); err != nil {
			return topFailed(err, t, c.typ)
		}
		return nil
	}
	return &DecodeError{GoType: reflect.TypeOf(dst), Err: errors.New("the destination is neither a pointer nor a map, or it is nil")}
}

func topFailed(err error, t Type, into reflect.Type) error {
	if e, ok := err.(*DecodeError); ok {
		return e
	}
	return &DecodeError{Type: t, GoType: into, Err: err}
}
