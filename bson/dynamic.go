package bson

import (
	"encoding/binary"
	"math"
	"reflect"
	"unicode/utf8"
)

// A document whose Go type is D, M or A is decoded in two passes. The first
// validates and counts, the second fills slabs of just the right size, one for
// each kind of value. All strings are parts of one copy of the document. Thus
// a document takes a handful of allocations whatever it holds; and whoever
// keeps a part of it keeps all of it.

// census is what a document holds in all its depth.
type census struct {
	elements, values, words, strings, ids, docs, arrays int
	// lens are the numbers of elements of the documents and arrays, each before
	// those within it.
	lens []int32
}

// count adds what doc holds and reports whether doc is valid. maps tells that
// documents become maps.
func (n *census) count(doc []byte, isArray, maps bool, depth int) bool {
	if _, ok := body(doc); !ok || depth > MaxDepth {
		return false
	}
	at := len(n.lens)
	n.lens = append(n.lens, 0)
	length := 0
	end := len(doc) - 1
	for p := 4; p < end; {
		t := Type(doc[p])
		p++
		key := p
		var high byte
		for doc[p] != 0 { // doc[end] is
			high |= doc[p]
			p++
		}
		if high >= utf8.RuneSelf && !validUTF8(doc[key:p]) {
			return false
		}
		p++
		size := valueLen(t, doc[min(p, end):end])
		if size < 0 {
			return false
		}
		b := doc[p : p+size]
		switch t {
		case TypeDouble, TypeDateTime, TypeInt32, TypeInt64:
			n.words++
		case TypeString:
			if !validUTF8(b[4 : size-1]) {
				return false
			}
			n.strings++
		case TypeObjectID:
			n.ids++
		case TypeArray:
			n.arrays++
			if !n.count(b, true, maps, depth+1) {
				return false
			}
		case TypeEmbeddedDocument:
			n.docs++
			if !n.count(b, false, maps, depth+1) {
				return false
			}
		default:
			if !validValue(t, b, depth) {
				return false
			}
		}
		length++
		p += size
	}
	n.lens[at] = int32(length)
	if isArray {
		n.values += length
	} else if !maps {
		n.elements += length
	}
	return true
}

// slabs are what is left of the memory for the values of one document.
type slabs struct {
	*config
	// depth is that of the document.
	depth    int
	elements []E
	values   []any
	words    []uint64
	strings  []string
	ids      []ObjectID
	docs     []D
	arrays   []A
	lens     []int32
}

// prepare counts what doc holds, which is itself to become a value like into,
// and allocates for it. copied is the copy of doc that the values are to be
// made of.
func (cfg *config) prepare(doc []byte, into kind, depth int) (s slabs, copied []byte, err error) {
	var n census
	var lens [64]int32
	n.lens = lens[:0]
	maps := cfg.mapsInAny()
	if !n.count(doc, into == kindA, maps, depth) {
		return s, nil, malformed(doc, depth)
	}
	switch {
	case into == kindD && maps:
		n.elements += int(n.lens[0])
	case into == kindM && !maps:
		n.elements -= int(n.lens[0])
	}
	return slabs{
		config:   cfg,
		depth:    depth,
		elements: slab[E](n.elements),
		values:   slab[any](n.values),
		words:    slab[uint64](n.words),
		strings:  slab[string](n.strings),
		ids:      slab[ObjectID](n.ids),
		docs:     slab[D](n.docs),
		arrays:   slab[A](n.arrays),
		lens:     append([]int32(nil), n.lens...),
	}, append([]byte(nil), doc...), nil
}

// slab is room for n values. It is never nil: an empty array is not null.
func slab[T any](n int) []T { return make([]T, n) }

// take splits the first n values off a slab.
func take[T any](s *[]T, n int) []T {
	taken := (*s)[:n:n]
	*s = (*s)[n:]
	return taken
}

// document decodes doc into a D.
func (d *decoder) document(doc []byte, depth int) (D, error) {
	s, copied, err := d.prepare(doc, kindD, depth)
	if err != nil {
		return nil, err
	}
	return s.d(copied)
}

// array decodes arr into an A.
func (d *decoder) array(arr []byte, depth int) (A, error) {
	s, copied, err := d.prepare(arr, kindA, depth)
	if err != nil {
		return nil, err
	}
	return s.a(copied)
}

// intoMap decodes doc into m, which is made if it is nil.
func (d *decoder) intoMap(m map[string]any, doc []byte, depth int) (map[string]any, error) {
	s, copied, err := d.prepare(doc, kindM, depth)
	if err != nil {
		return nil, err
	}
	if m == nil {
		m = make(map[string]any, s.lens[0])
	} else if d.ZeroMaps {
		clear(m)
	}
	return m, s.m(m, copied)
}

// any decodes a value for which the Go type is not given.
func (d *decoder) any(t Type, b []byte, depth int) (any, error) {
	if custom := d.Registry.typeFor(t); custom != nil {
		return d.custom(custom, t, b, depth)
	}
	switch t {
	case TypeEmbeddedDocument:
		if !d.mapsInAny() {
			return d.document(b, depth+1)
		}
		m, err := d.intoMap(nil, b, depth+1)
		if d.DefaultDocumentM {
			return M(m), err
		}
		return m, err
	case TypeArray:
		return d.array(b, depth+1)
	}
	if err := explainValue(t, b, depth); err != nil {
		return nil, err
	}
	return d.scalar(t, append([]byte(nil), b...), depth)
}

// custom decodes a value into the type that is registered for its BSON type.
func (c *config) custom(into reflect.Type, t Type, b []byte, depth int) (any, error) {
	v := reflect.New(into)
	d := decoder{config: c}
	if err := d.value(c.codecOf(into), t, b, refTo(v), depth); err != nil {
		return nil, err
	}
	return v.Elem().Interface(), nil
}

// mapsInAny reports whether documents become maps where the Go type is any.
func (c *config) mapsInAny() bool { return c.DefaultDocumentM || c.DefaultDocumentMap }

// d fills a D from doc, which count has seen.
func (s *slabs) d(doc []byte) (D, error) {
	list := take(&s.elements, int(take(&s.lens, 1)[0]))
	p := 4
	for i := range list {
		t, key, b := split(doc, &p)
		list[i].Key = key
		if err := s.value(t, b, &list[i].Value); err != nil {
			return nil, decodeFailed(err, key, p-len(b)-len(key)-2, t, nil)
		}
	}
	return list, nil
}

// m is d for a map.
func (s *slabs) m(m map[string]any, doc []byte) error {
	p := 4
	for range take(&s.lens, 1)[0] {
		t, key, b := split(doc, &p)
		var v any
		if err := s.value(t, b, &v); err != nil {
			return decodeFailed(err, key, p-len(b)-len(key)-2, t, nil)
		}
		m[key] = v
	}
	return nil
}

// a is d for an array.
func (s *slabs) a(arr []byte) (A, error) {
	list := take(&s.values, int(take(&s.lens, 1)[0]))
	p := 4
	for i := range list {
		t, key, b := split(arr, &p)
		if err := s.value(t, b, &list[i]); err != nil {
			return nil, decodeFailed(err, key, p-len(b)-len(key)-2, t, nil)
		}
	}
	return list, nil
}

// split reads the element at p of a document that count has seen, and moves p
// behind it.
func split(doc []byte, p *int) (t Type, key string, b []byte) {
	t = Type(doc[*p])
	start := *p + 1
	end := start
	for doc[end] != 0 {
		end++
	}
	n := valueLen(t, doc[end+1:])
	*p = end + 1 + n
	return t, stringOf(doc[start:end]), doc[end+1 : *p : *p]
}

// value puts the value into v.
func (s *slabs) value(t Type, b []byte, v *any) error {
	if custom := s.Registry.typeFor(t); custom != nil {
		x, err := s.custom(custom, t, b, s.depth)
		*v = x
		return err
	}
	switch t {
	case TypeDouble:
		box(v, wordDouble, s.word(binary.LittleEndian.Uint64(b)))
	case TypeString:
		text := &take(&s.strings, 1)[0]
		*text = stringOf(b[4 : len(b)-1])
		box(v, wordString, text)
	case TypeEmbeddedDocument:
		return s.embedded(b, v)
	case TypeArray:
		arr := &take(&s.arrays, 1)[0]
		box(v, wordA, arr)
		var err error
		*arr, err = s.a(b)
		return err
	case TypeObjectID:
		id := &take(&s.ids, 1)[0]
		*id = ObjectID(b)
		box(v, wordObjectID, id)
	case TypeBoolean:
		*v = b[0] == 1
	case TypeDateTime:
		box(v, wordDateTime, s.word(binary.LittleEndian.Uint64(b)))
	case TypeNull:
	case TypeInt32:
		box(v, wordInt32, asInt32(s.word(0), int32(binary.LittleEndian.Uint32(b))))
	case TypeInt64:
		box(v, wordInt64, s.word(binary.LittleEndian.Uint64(b)))
	default:
		x, err := s.scalar(t, b, s.depth)
		*v = x
		return err
	}
	return nil
}

// embedded puts a document into v.
func (s *slabs) embedded(b []byte, v *any) (err error) {
	if !s.mapsInAny() {
		doc := &take(&s.docs, 1)[0]
		box(v, wordD, doc)
		*doc, err = s.d(b)
		return err
	}
	m := make(map[string]any, s.lens[0])
	if *v = m; s.DefaultDocumentM {
		*v = M(m)
	}
	return s.m(m, b)
}

// word is a place in the slab with the bits.
func (s *slabs) word(bits uint64) *uint64 {
	w := &take(&s.words, 1)[0]
	*w = bits
	return w
}

// scalar is the value b, valid and owned, which is no document or array.
func (c *config) scalar(t Type, b []byte, depth int) (any, error) {
	v := RawValue{t, b}
	switch t {
	case TypeDouble:
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
	case TypeString:
		return stringOf(b[4 : len(b)-1]), nil
	case TypeBinary:
		bin, _ := v.Binary()
		return c.binary(bin), nil
	case TypeUndefined:
		return Undefined{}, nil
	case TypeObjectID:
		return ObjectID(b), nil
	case TypeBoolean:
		return b[0] == 1, nil
	case TypeDateTime:
		return DateTime(binary.LittleEndian.Uint64(b)), nil
	case TypeRegex:
		r, _ := v.Regex()
		return r, nil
	case TypeDBPointer:
		p, _ := v.DBPointer()
		return p, nil
	case TypeJavaScript:
		return JavaScript(stringOf(b[4 : len(b)-1])), nil
	case TypeSymbol:
		return Symbol(stringOf(b[4 : len(b)-1])), nil
	case TypeCodeWithScope:
		code, doc, _ := v.CodeWithScope()
		d := decoder{config: c}
		scope, err := d.any(TypeEmbeddedDocument, doc, depth)
		return CodeWithScope{JavaScript(code), scope}, err
	case TypeInt32:
		return int32(binary.LittleEndian.Uint32(b)), nil
	case TypeTimestamp:
		ts, _ := v.Timestamp()
		return ts, nil
	case TypeInt64:
		return int64(binary.LittleEndian.Uint64(b)), nil
	case TypeDecimal128:
		dec, _ := v.Decimal128()
		return dec, nil
	case TypeMinKey:
		return MinKey{}, nil
	case TypeMaxKey:
		return MaxKey{}, nil
	}
	return nil, nil
}

// binary is what a binary becomes where the Go type is any.
func (c *config) binary(b Binary) any {
	if c.BinaryAsSlice && (b.Subtype == BinaryGeneric || b.Subtype == BinaryOld) {
		return b.Data
	}
	return b
}

func decodeDInto(c *codec, d *decoder, t Type, b []byte, p ref, depth int) (err error) {
	switch t {
	case TypeEmbeddedDocument:
		*at[D](p), err = d.document(b, depth+1)
		return err
	case TypeNull, TypeUndefined:
		*at[D](p) = nil
		return nil
	}
	return mismatch("a document")
}

func decodeM(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	into := at[map[string]any](p)
	switch t {
	case TypeEmbeddedDocument:
		m, err := d.intoMap(*into, b, depth+1)
		if err == nil && *into == nil {
			*into = m
		}
		return err
	case TypeNull, TypeUndefined:
		*into = nil
		return nil
	}
	return mismatch("a document")
}

func decodeA(c *codec, d *decoder, t Type, b []byte, p ref, depth int) (err error) {
	into := at[A](p)
	switch t {
	case TypeArray:
		for _, v := range *into {
			if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && !rv.IsNil() {
				// The elements say what they want to become.
				return decodeElementsOfA(d, into, b, depth)
			}
		}
		*into, err = d.array(b, depth+1)
		return err
	case TypeNull, TypeUndefined:
		*into = nil
		return nil
	}
	return mismatch("an array")
}

// decodeElementsOfA decodes an array into a, whose elements may be pointers to
// decode into.
func decodeElementsOfA(d *decoder, a *A, arr []byte, depth int) error {
	n := RawArray(arr).Len()
	list := make(A, n)
	copy(list, *a)
	c := d.codecOf(reflect.TypeFor[any]())
	if err := d.list(c, arr, refTo(reflect.ValueOf(&list[0])), n, depth+1); err != nil {
		return err
	}
	*a = list
	return nil
}
