package bson

import (
	"fmt"
	"reflect"
)

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

// hookEncode lets values encode themselves if c's type has a hook. A hook of
// the pointer type is used where the value can be addressed, as fields of what
// a pointer points to can, and otherwise on a copy.
func hookEncode(c *codec) {
	value, document := reflect.TypeFor[ValueMarshaler](), reflect.TypeFor[Marshaler]()
	own, addressed := c.typ, reflect.PointerTo(c.typ)
	if own.Kind() == reflect.Interface {
		addressed = own
	}
	switch {
	case own.Implements(value) || own.Implements(document):
		c.kind, c.encode = kindOther, encodeHook
	case addressed.Implements(value) || addressed.Implements(document):
		c.kind, c.encode, c.addressed = kindOther, encodeAddressedHook, true
	}
}

// encodeHook calls the hook of the value.
func encodeHook(c *codec, e *encoder, p ref, depth int) (Type, error) {
	v := p.value(c.typ)
	if (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil() {
		return TypeNull, nil
	}
	return e.hook(v.Interface())
}

// encodeAddressedHook calls the hook of the value's address.
func encodeAddressedHook(c *codec, e *encoder, p ref, depth int) (Type, error) {
	return e.hook(p.value(c.typ).Addr().Interface())
}

// hook appends v, which encodes itself.
func (e *encoder) hook(v any) (Type, error) {
	switch v := v.(type) {
	case ValueMarshaler:
		t, data, err := v.MarshalBSONValue()
		if err != nil {
			return 0, err
		}
		return e.rawValue(RawValue{Type(t), data})
	case Marshaler:
		data, err := v.MarshalBSON()
		if err != nil {
			return 0, err
		}
		return e.rawValue(RawValue{TypeEmbeddedDocument, data})
	}
	return 0, fmt.Errorf("%T has no hook", v)
}

// hookDecode lets values decode themselves if c's type has a hook.
func hookDecode(c *codec) {
	value, document := reflect.TypeFor[ValueUnmarshaler](), reflect.TypeFor[Unmarshaler]()
	own, addressed := c.typ, reflect.PointerTo(c.typ)
	switch {
	case own.Kind() == reflect.Interface:
	case own.Implements(value) || own.Implements(document):
		c.kind, c.decode = kindOther, decodeHook
	case addressed.Implements(value) || addressed.Implements(document):
		c.kind, c.decode = kindOther, decodeAddressedHook
	}
}

// decodeHook calls the hook of the value, which it makes if it is a nil
// pointer.
func decodeHook(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	v := p.value(c.typ)
	if v.Kind() == reflect.Pointer {
		if t == TypeNull {
			v.SetZero()
			return nil
		}
		if v.IsNil() {
			v.Set(reflect.New(c.typ.Elem()))
		}
	}
	return callHook(v.Interface(), t, b)
}

// decodeAddressedHook calls the hook of the value's address.
func decodeAddressedHook(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error {
	return callHook(p.value(c.typ).Addr().Interface(), t, b)
}

func callHook(v any, t Type, b []byte) error {
	b = b[:len(b):len(b)]
	switch v := v.(type) {
	case ValueUnmarshaler:
		return v.UnmarshalBSONValue(byte(t), b)
	case Unmarshaler:
		return v.UnmarshalBSON(b)
	}
	return fmt.Errorf("%T has no hook", v)
}
