package bson

import (
	"encoding/binary"
	"math"
	"reflect"
)

// A document whose Go type is D, M or A is decoded in two passes. The first
// validates and counts (see census), the second fills slabs of just the right
// size, one for each kind of value. All strings are parts of one copy of the
// document. Thus a document takes a handful of allocations whatever it holds;
// and whoever keeps a part of it keeps all of it.

// slabs are the memory for the values of one document.
type slabs struct {
	*config
	// depth is that of the document.
	depth int
	census
	// seen are the documents and arrays that have been begun.
	seen     int
	elements slab[E]
	values   slab[any]
	words    slab[uint64]
	strings  slab[string]
	docs     slab[D]
	arrays   slab[A]
	binaries slab[Binary]
	codes    slab[CodeWithScope]
}

// slab is memory for many values of a kind. What is handed out is counted, not
// cut off: a number can be set without the garbage collector's notice.
type slab[T any] struct {
	all  []T
	used int
}

func newSlab[T any](n int) slab[T] { return slab[T]{make([]T, n), 0} }

// take hands out the next n values.
func (s *slab[T]) take(n int) []T {
	from := s.used
	s.used += n
	return s.all[from:s.used:s.used]
}

// one hands out the next value.
func (s *slab[T]) one() *T {
	s.used++
	return &s.all[s.used-1]
}

// prepare counts what doc holds, which is itself to become a value like into,
// and makes the slabs for it. copied is the copy of doc that the values are
// made of.
func (s *slabs) prepare(cfg *config, doc []byte, into kind, depth int) (copied []byte, err error) {
	s.config, s.depth = cfg, depth
	doc = cfg.repaired(TypeEmbeddedDocument, doc)
	n := &s.census
	n.maps, n.record = cfg.mapsInAny(), true
	if !n.count(doc[:len(doc):len(doc)], into == kindA, depth) {
		return nil, malformed(doc, depth)
	}
	switch {
	case into == kindD && n.maps:
		n.nElements += n.lens.at(0)
	case into == kindM && !n.maps:
		n.nElements -= n.lens.at(0)
	}
	s.elements = newSlab[E](n.nElements)
	s.values = newSlab[any](n.nValues)
	s.words = newSlab[uint64](n.nWords)
	s.strings = newSlab[string](n.nStrings)
	s.docs = newSlab[D](n.nDocs)
	s.arrays = newSlab[A](n.nArrays)
	s.binaries = newSlab[Binary](n.nBinaries)
	s.codes = newSlab[CodeWithScope](n.nCodes)
	return append([]byte(nil), doc...), nil
}

// document decodes doc into a D.
func (d *decoder) document(doc []byte, depth int) (D, error) {
	var s slabs
	copied, err := s.prepare(d.config, doc, kindD, depth)
	if err != nil {
		return nil, err
	}
	return s.d(copied)
}

// anyArray decodes arr into an A.
func (d *decoder) anyArray(arr []byte, depth int) (A, error) {
	var s slabs
	copied, err := s.prepare(d.config, arr, kindA, depth)
	if err != nil {
		return nil, err
	}
	return s.a(copied)
}

// intoMap decodes doc into m, which is made if it is nil.
func (d *decoder) intoMap(m map[string]any, doc []byte, depth int) (map[string]any, error) {
	var s slabs
	copied, err := s.prepare(d.config, doc, kindM, depth)
	if err != nil {
		return nil, err
	}
	if m == nil {
		m = make(map[string]any, s.lens.at(s.seen))
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
		return d.anyArray(b, depth+1)
	}
	b = d.repaired(t, b)
	if err := explainValue(t, b, depth); err != nil {
		return nil, err
	}
	if t == TypeCodeWithScope {
		var v CodeWithScope
		err := d.codeWithScope(&v, b, depth)
		return v, err
	}
	return d.scalar(t, append([]byte(nil), b...)), nil
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

// length is the number of elements of the next document or array.
func (s *slabs) length() int {
	n := s.lens.at(s.seen)
	s.seen++
	return n
}

// d fills a D from doc, which count has seen.
func (s *slabs) d(doc []byte) (D, error) {
	list := s.elements.take(s.length())
	pos := 4
	for i := range list {
		e := &list[i]
		nul, _ := keyEnd(doc, pos+1)
		e.Key = stringAt(doc, pos+1, nul)
		n, err := s.value(&e.Value, Type(doc[pos]), doc, nul+1)
		if err != nil {
			return nil, decodeFailed(err, e.Key, pos, Type(doc[pos]), nil)
		}
		pos = n
	}
	return list, nil
}

// m is d for a map.
func (s *slabs) m(m map[string]any, doc []byte) error {
	pos := 4
	for range s.length() {
		nul, _ := keyEnd(doc, pos+1)
		key := stringAt(doc, pos+1, nul)
		var value any
		n, err := s.value(&value, Type(doc[pos]), doc, nul+1)
		if err != nil {
			return decodeFailed(err, key, pos, Type(doc[pos]), nil)
		}
		m[key] = value
		pos = n
	}
	return nil
}

// a is d for an array.
func (s *slabs) a(arr []byte) (A, error) {
	list := s.values.take(s.length())
	pos := 4
	for i := range list {
		nul, _ := keyEnd(arr, pos+1)
		n, err := s.value(&list[i], Type(arr[pos]), arr, nul+1)
		if err != nil {
			return nil, decodeFailed(err, string(arr[pos+1:nul]), pos, Type(arr[pos]), nil)
		}
		pos = n
	}
	return list, nil
}

// value puts the value of type t at v of doc into *out, which is nil, and is
// where it ends.
func (s *slabs) value(out *any, t Type, doc []byte, v int) (end int, err error) {
	if s.Registry != nil {
		if custom := s.Registry.typeFor(t); custom != nil {
			n := valueLen(t, doc[v:])
			*out, err = s.custom(custom, t, doc[v:v+n], s.depth)
			return v + n, err
		}
	}
	switch t {
	case TypeDouble:
		box(out, wordDouble, s.word(load64(doc, v)))
		return v + 8, nil
	case TypeString, TypeJavaScript, TypeSymbol:
		end = v + 4 + int(load32(doc, v))
		text := s.strings.one()
		*text = stringAt(doc, v+4, end-1)
		switch t {
		case TypeString:
			box(out, wordString, text)
		case TypeJavaScript:
			box(out, wordJavaScript, text)
		default:
			box(out, wordSymbol, text)
		}
		return end, nil
	case TypeEmbeddedDocument:
		end = v + int(load32(doc, v))
		return end, s.embedded(out, doc[v:end])
	case TypeArray:
		end = v + int(load32(doc, v))
		arr := s.arrays.one()
		box(out, wordA, arr)
		*arr, err = s.a(doc[v:end])
		return end, err
	case TypeObjectID:
		// It stays where it is: its bytes need no alignment.
		box(out, wordObjectID, &doc[v])
		return v + len(ObjectID{}), nil
	case TypeBoolean:
		*out = doc[v] == 1
		return v + 1, nil
	case TypeDateTime:
		box(out, wordDateTime, s.word(load64(doc, v)))
		return v + 8, nil
	case TypeNull:
		return v, nil
	case TypeInt32:
		box(out, wordInt32, place(s.words.one(), int32(load32(doc, v))))
		return v + 4, nil
	case TypeInt64:
		box(out, wordInt64, s.word(load64(doc, v)))
		return v + 8, nil
	case TypeTimestamp:
		bits := load64(doc, v)
		box(out, wordTimestamp, place(s.words.one(), Timestamp{uint32(bits >> 32), uint32(bits)}))
		return v + 8, nil
	case TypeDecimal128:
		box(out, wordDecimal128, place(&s.words.take(2)[0], Decimal128{h: load64(doc, v+8), l: load64(doc, v)}))
		return v + 16, nil
	case TypeBinary:
		return s.binary(out, doc, v), nil
	case TypeRegex:
		end = v + regexLen(doc[v:])
		s.regex(out, doc[v:end])
		return end, nil
	case TypeCodeWithScope:
		end = v + int(load32(doc, v))
		return end, s.codeWithScope(out, doc[v:end])
	}
	end = v + valueLen(t, doc[v:])
	*out = s.scalar(t, doc[v:end:end])
	return end, nil
}

// word is a place in the slab with the bits.
func (s *slabs) word(bits uint64) *uint64 {
	w := s.words.one()
	*w = bits
	return w
}

// embedded puts a document into out.
func (s *slabs) embedded(out *any, b []byte) (err error) {
	if !s.mapsInAny() {
		doc := s.docs.one()
		box(out, wordD, doc)
		*doc, err = s.d(b)
		return err
	}
	m := make(map[string]any, s.lens.at(s.seen))
	if *out = m; s.DefaultDocumentM {
		*out = M(m)
	}
	return s.m(m, b)
}

// binary puts the binary at v of doc into out and is where it ends.
func (s *slabs) binary(out *any, doc []byte, v int) (end int) {
	subtype, at := doc[v+4], v+5
	end = at + int(load32(doc, v))
	if subtype == BinaryOld {
		at += 4
	}
	b := s.binaries.one()
	if *b = (Binary{subtype, doc[at:end:end]}); s.BinaryAsSlice || s.UUIDs != UUIDUnspecified {
		*out = s.anyBinary(*b)
	} else {
		box(out, wordBinary, b)
	}
	return end
}

// anyBinary is what a binary becomes where the Go type is any.
func (c *config) anyBinary(b Binary) any {
	if c.UUIDs != UUIDUnspecified {
		if u, err := b.UUIDAs(c.UUIDs); err == nil {
			return u
		}
	}
	if c.BinaryAsSlice && (b.Subtype == BinaryGeneric || b.Subtype == BinaryOld) {
		return b.Data
	}
	return b
}

// regex puts the regular expression b into out.
func (s *slabs) regex(out *any, b []byte) {
	pattern, rest, _ := cutCString(b)
	parts := s.strings.take(2)
	parts[0], parts[1] = stringOf(pattern), stringOf(rest[:len(rest)-1])
	box(out, wordRegex, &parts[0])
}

// codeWithScope puts the code with scope b into out.
func (s *slabs) codeWithScope(out *any, b []byte) error {
	code, scope, _ := RawValue{TypeCodeWithScope, b}.codeWithScope()
	v := s.codes.one()
	v.Code = JavaScript(stringOf(code))
	box(out, wordCodeWithScope, v)
	return s.embedded(&v.Scope, scope)
}

// scalar is the value b, valid and owned, of one of the types that hold no
// other values.
func (c *config) scalar(t Type, b []byte) any {
	v := RawValue{t, b}
	switch t {
	case TypeDouble:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	case TypeString:
		return stringOf(b[4 : len(b)-1])
	case TypeBinary:
		bin, _ := v.Binary()
		return c.anyBinary(bin)
	case TypeUndefined:
		return Undefined{}
	case TypeObjectID:
		return ObjectID(b)
	case TypeBoolean:
		return b[0] == 1
	case TypeDateTime:
		return DateTime(binary.LittleEndian.Uint64(b))
	case TypeRegex:
		r, _ := v.Regex()
		return r
	case TypeDBPointer:
		p, _ := v.DBPointer()
		return p
	case TypeJavaScript:
		return JavaScript(stringOf(b[4 : len(b)-1]))
	case TypeSymbol:
		return Symbol(stringOf(b[4 : len(b)-1]))
	case TypeInt32:
		return int32(binary.LittleEndian.Uint32(b))
	case TypeTimestamp:
		ts, _ := v.Timestamp()
		return ts
	case TypeInt64:
		return int64(binary.LittleEndian.Uint64(b))
	case TypeDecimal128:
		dec, _ := v.Decimal128()
		return dec
	case TypeMinKey:
		return MinKey{}
	case TypeMaxKey:
		return MaxKey{}
	}
	return nil
}
