package bson

import "reflect"

// A Marshaler writes itself as a document.
type Marshaler interface {
	MarshalBSON() ([]byte, error)
}

// A ValueMarshaler writes itself as a value of any BSON type. It goes before
// Marshaler.
type ValueMarshaler interface {
	MarshalBSONValue() (typ byte, data []byte, err error)
}

// An Unmarshaler reads itself from a document, or from the bytes of another
// value. It must copy what it keeps.
type Unmarshaler interface {
	UnmarshalBSON(data []byte) error
}

// A ValueUnmarshaler reads itself from a value of any BSON type. It goes before
// Unmarshaler. It must copy what it keeps. It is not called for a null that is
// decoded into a pointer, which becomes nil.
type ValueUnmarshaler interface {
	UnmarshalBSONValue(typ byte, data []byte) error
}

// findHooks lets values encode and decode themselves if c's type has a hook. A
// hook of the pointer type is called with the address of a field or element if
// it has one, and otherwise with that of a copy.
func (c *codec) findHooks() {
	own := c.typ
	addressed := own
	if own.Kind() != reflect.Interface {
		addressed = reflect.PointerTo(own)
	}
	switch marshals := either[ValueMarshaler, Marshaler]; {
	case marshals(own):
		c.enc = kindHook
	case marshals(addressed):
		c.enc, c.addressed = kindAddressedHook, true
	}
	switch unmarshals := either[ValueUnmarshaler, Unmarshaler]; {
	case own.Kind() == reflect.Interface:
	case unmarshals(own):
		c.dec = kindHook
	case unmarshals(addressed):
		c.dec = kindAddressedHook
	}
}

// either reports whether t implements I or J.
func either[I, J any](t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[I]()) || t.Implements(reflect.TypeFor[J]())
}
