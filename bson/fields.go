package bson

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// structFields is the plan of a struct: its fields in the order in which they
// are written, the ones of inlined structs among them.
type structFields struct {
	list   []field
	byName map[string]int
	// room is more than all fields take with values of fixed size.
	room int
	// rest is the inlined map that takes what no field does, or nil.
	rest *field
}

// field is one field of a struct, as little as most uses need so that many fit
// into the processor's cache.
type field struct {
	// start is how the element begins: its type or room for it, the key, NUL.
	// It has a capacity of startSize at least.
	start []byte
	codec *codec
	// offset is the place within the struct that via leads to.
	offset            uintptr
	omit              omit
	op                op
	minSize, truncate bool
	*fieldInfo
}

// fieldInfo is what else there is to know about a field.
type fieldInfo struct {
	name string
	// via are the inlined pointers on the way to the field, from the outside
	// in.
	via                 []inlinedPointer
	omitEmpty, omitZero bool
	// index is the path of the field as reflect counts.
	index []int
}

// startSize is such that the start of most elements fits.
const startSize = 32

// omit is when encoding leaves out a field.
type omit uint8

const (
	omitNever omit = iota
	omitNilPointer
	omitEmptyString
	omitPerhaps // encoder.field has to look
)

// op is how a field is encoded, and decoded if it has the type that encoding
// gives it. The commonest fields have an op of their own.
type op uint8

const (
	opValue op = iota // any other
	opString
	opBool
	opInt32
	opInt64
	opFloat64
	opStruct
	opStructPointer
)

// choose finds the omit and the op of the field, and puts the BSON type into
// the start of the element if the op fixes it.
func (f *field) choose() {
	c := f.codec
	switch asks := f.omitEmpty || f.omitZero; {
	case f.via != nil || f.minSize || len(f.start) > startSize:
		f.omit = omitPerhaps
	case !asks:
	case f.omitZero || c.zeroer:
		f.omit = omitPerhaps
	case c.typ.Kind() == reflect.Pointer:
		f.omit = omitNilPointer
	case c.typ.Kind() == reflect.String:
		f.omit = omitEmptyString
	default:
		f.omit = omitPerhaps
	}
	if f.via != nil || c.enc != c.dec {
		return
	}
	switch {
	case c.enc == kindString:
		f.op, f.start[0] = opString, byte(TypeString)
	case c.enc == kindBool:
		f.op, f.start[0] = opBool, byte(TypeBoolean)
	case c.enc == kindInt32:
		f.op, f.start[0] = opInt32, byte(TypeInt32)
	case c.enc == kindInt64:
		f.op, f.start[0] = opInt64, byte(TypeInt64)
	case c.enc == kindFloat64:
		f.op, f.start[0] = opFloat64, byte(TypeDouble)
	case c.enc == kindStruct:
		f.op, f.start[0] = opStruct, byte(TypeEmbeddedDocument)
	case c.enc == kindPointer && c.elem.enc == kindStruct && c.elem.dec == kindStruct:
		f.op, f.start[0] = opStructPointer, byte(TypeEmbeddedDocument)
	}
}

// inlinedPointer is a pointer to an inlined struct: its place, and what it
// points to.
type inlinedPointer struct {
	offset uintptr
	elem   reflect.Type
}

// fields makes the plan of the struct t.
func (b *codecBuilder) fields(t reflect.Type) (*structFields, error) {
	var all []field
	s := &structFields{byName: map[string]int{}}
	if err := b.collect(t, field{fieldInfo: &fieldInfo{}}, &all, s, nil); err != nil {
		return nil, err
	}
	byName := map[string][]field{}
	for _, f := range all {
		byName[f.name] = append(byName[f.name], f)
	}
	for _, f := range all {
		same := byName[f.name]
		if len(same) > 1 {
			slices.SortStableFunc(same, func(f, g field) int { return cmp.Compare(len(f.index), len(g.index)) })
			if b.ErrorOnInlineDuplicates || len(same[0].index) == len(same[1].index) {
				return nil, fmt.Errorf("two fields have the key %q", f.name)
			}
			if !slices.Equal(f.index, same[0].index) {
				continue
			}
		}
		s.byName[f.name] = len(s.list)
		s.list = append(s.list, f)
	}
	s.packStarts()
	return s, nil
}

// packStarts makes the starts of all fields parts of one piece of memory.
func (s *structFields) packStarts() {
	var all []byte
	for _, f := range s.list {
		all = append(append(append(all, 0), f.name...), 0)
	}
	all = append(all, make([]byte, startSize)...)
	at := 0
	s.room = 4 + startSize + 1
	for i := range s.list {
		f := &s.list[i]
		n := 1 + len(f.name) + 1
		f.start = all[at : at+n]
		s.room += n + 8
		at += n
	}
}

// collect appends the fields of the struct t, which is inlined at outer, in
// order. open are the structs around it.
func (b *codecBuilder) collect(t reflect.Type, outer field, all *[]field, s *structFields, open []reflect.Type) error {
	if slices.Contains(open, t) {
		return errors.New("it is inlined into itself")
	}
	open = append(open, t)
	for i := range t.NumField() {
		sf := t.Field(i)
		tag := parseTag(sf, b.UseJSONStructTags)
		if !sf.IsExported() || tag.skip {
			continue
		}
		f := field{
			offset:   outer.offset + sf.Offset,
			minSize:  tag.minSize,
			truncate: tag.truncate,
			fieldInfo: &fieldInfo{
				name:      tag.name,
				via:       outer.via,
				omitEmpty: tag.omitEmpty || b.OmitEmpty,
				omitZero:  tag.omitZero,
				index:     append(slices.Clone(outer.index), i),
			},
		}
		if tag.inline {
			if err := b.inline(sf.Type, f, all, s, open); err != nil {
				return err
			}
			continue
		}
		if strings.IndexByte(f.name, 0) >= 0 || !utf8.ValidString(f.name) {
			return fmt.Errorf("the key %q of the field %s contains NUL or is not valid UTF-8", f.name, sf.Name)
		}
		f.codec = b.codec(sf.Type)
		*all = append(*all, f)
	}
	return nil
}

// inline appends what is in the field f of type t, which its tag inlines.
func (b *codecBuilder) inline(t reflect.Type, f field, all *[]field, s *structFields, open []reflect.Type) error {
	switch {
	case t.Kind() == reflect.Struct:
		return b.collect(t, f, all, s, open)
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct:
		f.via = append(slices.Clone(f.via), inlinedPointer{f.offset, t.Elem()})
		f.offset = 0
		return b.collect(t.Elem(), f, all, s, open)
	case t.Kind() == reflect.Map && t.Key() == reflect.TypeFor[string]():
		if s.rest != nil {
			return errors.New("two maps are inlined")
		}
		f.codec = b.codec(t)
		s.rest = &f
		return nil
	}
	return fmt.Errorf("a struct, a pointer to one, or a map with string keys can be inlined, not %v", t)
}

// lookup is the field that takes the key, by its exact name or else by its
// lower-case form, or -1.
func (s *structFields) lookup(key []byte) int {
	if i, ok := s.byName[string(key)]; ok {
		return i
	}
	for _, c := range key {
		if 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf {
			if i, ok := s.byName[strings.ToLower(string(key))]; ok {
				return i
			}
			break
		}
	}
	return -1
}

// find is the address of f within the struct at p, unless an inlined pointer
// on the way is nil.
func (f *field) find(p ref) (ref, bool) {
	for _, step := range f.via {
		if p = p.add(step.offset).elem(); p.isNil() {
			return p, false
		}
	}
	return p.add(f.offset), true
}

// make is find, but it allocates what nil pointers should point to.
func (f *field) make(p ref) ref {
	for _, step := range f.via {
		p = p.add(step.offset).target(step.elem)
	}
	return p.add(f.offset)
}
