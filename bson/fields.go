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
	// rest is the inlined map that takes what no field does, or nil.
	rest *field
}

// field is one field of a struct.
type field struct {
	name string
	// header is the element's type, to be filled in, and its key with NUL.
	header string
	codec  *codec
	// offset is the place within the struct that via leads to.
	offset uintptr
	// via are the inlined pointers on the way to the field, from the outside
	// in.
	via                                    []inlinedPointer
	omitEmpty, omitZero, minSize, truncate bool
	// index is the path of the field as reflect counts.
	index []int
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
	if err := b.collect(t, field{}, &all, s, nil); err != nil {
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
	return s, nil
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
			name:      tag.name,
			header:    "\x00" + tag.name + "\x00",
			offset:    outer.offset + sf.Offset,
			via:       outer.via,
			index:     append(slices.Clone(outer.index), i),
			omitEmpty: tag.omitEmpty,
			omitZero:  tag.omitZero,
			minSize:   tag.minSize,
			truncate:  tag.truncate,
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
// lower-case form.
func (s *structFields) lookup(key []byte) (int, bool) {
	if i, ok := s.byName[string(key)]; ok {
		return i, true
	}
	for _, c := range key {
		if 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf {
			i, ok := s.byName[strings.ToLower(string(key))]
			return i, ok
		}
	}
	return 0, false
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
		q := p.add(step.offset)
		if p = q.elem(); p.isNil() {
			p = newRef(step.elem)
			q.setElem(p)
		}
	}
	return p.add(f.offset)
}
