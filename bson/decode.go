package bson

import (
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"time"
	"unicode/utf8"
)

// decoder decodes one document into Go values.
type decoder struct {
	*config
	// text is where short strings are copied to. One allocation serves many.
	text []byte
	// textSize is the size of such an allocation.
	textSize int
	// chunk is what the pointers of the codec pointer are made to point to.
	pointer *codec
	chunk   ref
	// of the chunk's values so many are used.
	size, used int
}

// maxTextSize bounds the allocations that strings share, and maxChunkSize those
// that what pointers point to does: thus also what a value that outlives its
// document keeps alive.
const (
	maxTextSize  = 1024
	maxChunkSize = 1024
)

// target is what the pointer of the codec c at p points to, a new zero value if
// it was nil. The first new value of a type has an allocation of its own, each
// further allocation serves for twice as many.
func (d *decoder) target(c *codec, p ref) ref {
	if q := p.elem(); !q.isNil() {
		return q
	}
	switch {
	case d.pointer != c:
		d.pointer, d.size, d.used = c, 1, 0
		d.chunk = newRef(c.elem.typ)
	case d.used == d.size:
		d.size, d.used = max(1, min(2*d.size, maxChunkSize/int(c.elem.size+1))), 0
		d.chunk = newRefs(c.many, d.size)
	}
	q := d.chunk.add(uintptr(d.used) * c.elem.size)
	d.used++
	p.set(q)
	return q
}

// string is b as a string, and whether it is valid UTF-8.
func (d *decoder) string(b []byte) (_ string, ok bool) {
	n := len(b)
	if n == 0 {
		return "", true
	}
	if n > cap(d.text)-len(d.text) {
		if n > d.textSize/4 {
			return string(b), validUTF8(b)
		}
		d.text = make([]byte, 0, d.textSize)
	}
	start := len(d.text)
	d.text = d.text[:start+n]
	text := d.text[start:]
	return stringOf(text), copyASCII(text, stringOf(b)) || utf8.Valid(b)
}

// value decodes b, a whole value of type t, into the value at p.
func (d *decoder) value(c *codec, t Type, b []byte, p ref, depth int) error {
	switch c.dec {
	case kindString:
		if t == TypeString {
			return d.setString(at[string](p), b[4:len(b)-1])
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
		if t == TypeNull || t == TypeUndefined {
			p.setNil()
			return nil
		}
		return d.value(c.elem, t, b, d.target(c, p), depth)
	}
	return d.other(c, t, b, p, depth)
}

// setString makes *into b, which must be valid UTF-8 unless the options say
// otherwise.
func (d *decoder) setString(into *string, b []byte) (err error) {
	text, ok := d.string(b)
	if !ok {
		if !d.ReplaceInvalidUTF8 {
			return errUTF8
		}
		text = string(validText(b))
	}
	*into = text
	return nil
}

// structure decodes the document doc into the struct at p.
func (d *decoder) structure(c *codec, doc []byte, p ref, depth int) error {
	if _, ok := body(doc); !ok || depth > MaxDepth {
		return malformed(doc, depth)
	}
	if d.ZeroStructs {
		p.value(c.typ).SetZero()
	}
	list := c.fields.list
	end := len(doc) - 1
	next := 0
	for pos := 4; pos < end; {
		var f *field
		v := 0
		if next < len(list) {
			// Mostly it is the next field's turn.
			f = &list[next]
			if v = pos + len(f.start); v > end || string(doc[pos+1:v]) != string(f.start[1:]) {
				f = nil
				if i := c.fields.ahead(doc[pos:end], next+1); i > 0 {
					next, f = i, &list[i]
					v = pos + len(f.start)
				}
			}
		}
		if f == nil {
			n, found := c.fields.search(doc[pos:end])
			if n < 0 {
				return malformed(doc, depth)
			}
			if v = pos + n; found < 0 {
				var err error
				if pos, err = d.unclaimed(c.fields, doc, pos, v, p, depth); err != nil {
					return err
				}
				continue
			}
			next = found
			f = &list[next]
		}
		next++
		n, err := 0, error(nil)
		t := Type(doc[pos])
		if q := p.add(f.offset); byte(t) == f.start[0] {
			// The value has the type that encoding gives it.
			switch f.op {
			case opString:
				if n = valueLen(TypeString, doc[v:end]); n > 0 {
					err = d.setString(at[string](q), doc[v+4:v+n-1])
				}
			case opBool:
				if v < end && doc[v] <= 1 {
					*at[bool](q) = doc[v] == 1
					n = 1
				}
			case opInt32:
				if v+4 <= end {
					*at[uint32](q) = binary.LittleEndian.Uint32(doc[v:])
					n = 4
				}
			case opInt64, opFloat64:
				if v+8 <= end {
					*at[uint64](q) = binary.LittleEndian.Uint64(doc[v:])
					n = 8
				}
			case opStruct:
				if n = valueLen(TypeEmbeddedDocument, doc[v:end]); n > 0 {
					err = d.structure(f.codec, doc[v:v+n], q, depth+1)
				}
			case opStructPointer:
				if n = valueLen(TypeEmbeddedDocument, doc[v:end]); n > 0 {
					err = d.structure(f.codec.elem, doc[v:v+n], d.target(f.codec, q), depth+1)
				}
			}
		}
		if n <= 0 {
			if n = valueLen(t, doc[v:end]); n < 0 {
				return malformed(doc, depth)
			}
			err = d.field(f, t, doc[v:v+n], p, depth)
		}
		if err != nil {
			return decodeFailed(err, string(doc[pos+1:v-1]), pos, t, f.codec.typ)
		}
		pos = v + n
	}
	return nil
}

// lookahead is how many fields a document may leave out in a row without a
// search by name.
const lookahead = 3

// ahead is the field from the i-th on, or from a few behind that, that takes the
// element at the start of b, or -1.
func (s *structFields) ahead(b []byte, i int) int {
	for last := min(i+lookahead, len(s.list)); i < last; i++ {
		start := s.list[i].start
		if n := len(start); n <= len(b) && b[n-1] == 0 && string(b[1:n]) == string(start[1:]) {
			return i
		}
	}
	return -1
}

// search finds the field that takes the element at the start of b. n is the
// length of the element without its value, or -1 if the key has no end; i is -1
// if there is no such field.
func (s *structFields) search(b []byte) (n, i int) {
	for n = 1; n < len(b); n++ {
		if b[n] == 0 {
			return n + 1, s.lookup(b[1:n])
		}
	}
	return -1, -1
}

// unclaimed decodes the element at pos of doc, whose value begins at v and for
// which there is no field, into the inlined map of the struct at p, if it has
// one. It is where the next element begins.
func (d *decoder) unclaimed(s *structFields, doc []byte, pos, v int, p ref, depth int) (int, error) {
	t := Type(doc[pos])
	n := valueLen(t, doc[v:len(doc)-1])
	if n < 0 {
		return 0, malformed(doc, depth)
	}
	if s.rest != nil {
		key := doc[pos+1 : v-1]
		if err := d.restElement(s, key, t, doc[v:v+n], p, depth); err != nil {
			return 0, decodeFailed(err, string(key), pos, t, s.rest.codec.elem.typ)
		}
	}
	return v + n, nil
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
	name, ok := d.key(key)
	if !ok {
		return errKeyUTF8
	}
	m := s.rest.make(p).value(s.rest.codec.typ)
	if m.IsNil() {
		m.Set(reflect.MakeMap(m.Type()))
	}
	return d.mapElement(s.rest.codec, m, name, t, b, depth)
}

// top decodes the document data into the value that dst points to.
func (d *decoder) top(t Type, data []byte, dst any, depth int) error {
	v := reflect.ValueOf(dst)
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		c := d.codecOf(v.Type().Elem())
		if err := d.value(c, t, data, refTo(v), depth); err != nil {
			return decodeTopFailed(err, t, c.typ)
		}
		return nil
	case v.Kind() == reflect.Map && !v.IsNil():
		c := d.codecOf(v.Type())
		if err := d.value(c, t, data, c.locate(dst), depth); err != nil {
			return decodeTopFailed(err, t, c.typ)
		}
		return nil
	}
	return &DecodeError{GoType: reflect.TypeOf(dst), Err: errors.New("the destination is neither a pointer nor a map, or it is nil")}
}
