package bson

import (
	"errors"
	"math/bits"
	"reflect"
	"slices"
	"sync"
)

// A codec is how the values of one Go type become BSON and back. It is made
// once for each type and never changes.
type codec struct {
	typ reflect.Type
	// enc and dec are how values are encoded and decoded.
	enc, dec kind
	// zeroer reports whether the type has a method IsZero.
	zeroer bool
	// addressed reports whether encoding may hand out the address of a value,
	// to a hook of its pointer type.
	addressed bool
	// copied reports whether a value that an any holds must be copied to be
	// encoded: because it is addressed, or because it may be a pointer that
	// stands where other values have their address.
	copied bool
	// size is that of a value in memory.
	size uintptr
	// elem is the codec of what a pointer, slice, array or map holds.
	elem *codec
	// many is a slice of what a pointer points to.
	many reflect.Type
	// fields are those of a struct.
	fields *structFields
	// registered is what the Registry has for the type.
	registered *registered
	// err is why there is no codec for the type.
	err error
}

// codecs are made on demand, by their reflect.Type.
type codecs struct{ made sync.Map }

// codecOf is the codec of t for c's options.
func (c *config) codecOf(t reflect.Type) *codec {
	if made, ok := c.codecs.made.Load(t); ok {
		return made.(*codec)
	}
	b := codecBuilder{config: c, made: map[reflect.Type]*codec{}}
	wanted := b.codec(t) // it need not be in b.made: somebody may just have made it
	for _, made := range b.made {
		made.finish()
	}
	for t, made := range b.made {
		c.codecs.made.LoadOrStore(t, made)
	}
	return wanted
}

// codecBuilder makes the codec of a type and of all that it holds. Types may
// hold themselves, thus nothing is published before all is made.
type codecBuilder struct {
	*config
	made map[reflect.Type]*codec
}

func (b *codecBuilder) codec(t reflect.Type) *codec {
	if made, ok := b.codecs.made.Load(t); ok {
		return made.(*codec)
	}
	if made, ok := b.made[t]; ok {
		return made
	}
	c := &codec{typ: t, size: t.Size(), zeroer: t.Implements(reflect.TypeFor[Zeroer]())}
	b.made[t] = c
	b.build(c)
	return c
}

// build finds how c's values are encoded and decoded: by what is registered for
// their type, by what this package knows about it, by its own hooks, by its
// reflect.Kind; the first of these wins.
func (b *codecBuilder) build(c *codec) {
	if known, ok := knownTypes[c.typ]; ok {
		c.enc, c.dec = known, known
	} else {
		c.enc = kindOf(c.typ)
		c.dec = c.enc
		b.buildParts(c)
		c.findHooks()
	}
	if r := b.Registry.codecFor(c.typ); r != nil {
		c.registered = r
		if r.encode != nil {
			c.enc = kindRegistered
		}
		if r.decode != nil {
			c.dec = kindRegistered
		}
	}
}

// buildParts makes the codecs of what c's values hold.
func (b *codecBuilder) buildParts(c *codec) {
	switch c.enc {
	case kindInvalid:
		c.err = errors.New("BSON has no such values; give the field the tag \"-\" to leave it out")
	case kindStruct:
		if c.fields, c.err = b.fields(c.typ); c.err != nil {
			c.enc, c.dec = kindInvalid, kindInvalid
			return
		}
		c.addressed = slices.ContainsFunc(c.fields.list, func(f field) bool { return f.codec.addressed })
	case kindArray:
		c.elem = b.codec(c.typ.Elem())
		c.addressed = c.elem.addressed
	case kindPointer:
		c.elem, c.many = b.codec(c.typ.Elem()), reflect.SliceOf(c.typ.Elem())
	case kindSlice, kindMap, kindBytes, kindByteArray, kindM:
		c.elem = b.codec(c.typ.Elem())
	}
}

// finish sets what depends on other codecs that may have been made later.
func (c *codec) finish() {
	c.copied = c.addressed || c.size == bits.UintSize/8 && hasPointer(c.typ)
	if c.fields != nil {
		for i := range c.fields.list {
			c.fields.list[i].choose()
		}
	}
}

// hasPointer reports whether a t of the size of a pointer may be one.
func hasPointer(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if hasPointer(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Array:
		return t.Len() > 0 && hasPointer(t.Elem())
	case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return true
	}
	return false
}
