package bson

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// other decodes b, a whole value of type t, into the value at p as value does.
func (d *decoder) other(c *codec, t Type, b []byte, p ref, depth int) error {
	switch c.dec {
	case kindRawValue:
		*at[RawValue](p) = RawValue{t, append(make([]byte, 0, len(b)), b...)}
		return nil
	case kindAny, kindInterface:
		return d.iface(c, t, b, p, depth)
	case kindHook, kindAddressedHook, kindRegistered:
		return d.foreign(c, t, b, p)
	}
	if t == TypeNull || t == TypeUndefined {
		p.value(c.typ).SetZero()
		return nil
	}
	switch c.dec {
	case kindStruct:
		return mismatch("a document")
	case kindPointer:
		return d.value(c.elem, t, b, d.target(c, p), depth)
	case kindMap:
		if t != TypeEmbeddedDocument {
			return mismatch("a document")
		}
		return d.mapping(c, b, p, depth+1)
	case kindD:
		if t != TypeEmbeddedDocument {
			return mismatch("a document")
		}
		doc, err := d.document(b, depth+1)
		*at[D](p) = doc
		return err
	case kindM:
		if t != TypeEmbeddedDocument {
			return mismatch("a document")
		}
		m, err := d.intoMap(*at[M](p), b, depth+1)
		if err == nil && *at[M](p) == nil {
			*at[M](p) = m
		}
		return err
	case kindE:
		if t != TypeEmbeddedDocument {
			return mismatch("a document")
		}
		return d.elements(b, p.value(c.typ), depth+1)
	case kindSlice, kindArray, kindA:
		if t != TypeArray {
			return mismatch("an array")
		}
		switch c.dec {
		case kindSlice:
			return d.slice(c, b, p, depth+1)
		case kindArray:
			return d.array(c, b, p, depth+1)
		}
		return d.values(at[A](p), b, depth+1)
	}
	return d.leaf(c, t, b, p, depth)
}

// foreign decodes a value as its hook or what is registered for it does.
func (d *decoder) foreign(c *codec, t Type, b []byte, p ref) error {
	b = d.repaired(t, b)
	b = b[:len(b):len(b)]
	v := p.value(c.typ)
	switch {
	case c.dec == kindRegistered:
		if t == TypeNull || t == TypeUndefined {
			v.SetZero()
			return nil
		}
		return c.registered.decode(RawValue{t, b}, p)
	case c.dec == kindAddressedHook:
		v = v.Addr()
	case v.Kind() == reflect.Pointer && (t == TypeNull || len(b) == 0 && !c.typ.Implements(reflect.TypeFor[ValueUnmarshaler]())):
		v.SetZero()
		return nil
	case v.Kind() == reflect.Pointer && v.IsNil():
		v.Set(reflect.New(c.typ.Elem()))
	}
	switch v := v.Interface().(type) {
	case ValueUnmarshaler:
		return v.UnmarshalBSONValue(byte(t), b)
	case Unmarshaler:
		return v.UnmarshalBSON(b)
	}
	return fmt.Errorf("%v has no hook", c.typ)
}

// iface decodes a value into the interface at p: into what a pointer in it
// points to, or else into what an any gets.
func (d *decoder) iface(c *codec, t Type, b []byte, p ref, depth int) error {
	v := p.value(c.typ)
	if t == TypeNull {
		v.SetZero()
		return nil
	}
	if e := v.Elem(); e.Kind() == reflect.Pointer && !e.IsNil() && t != TypeUndefined {
		return d.value(d.codecOf(e.Type().Elem()), t, b, refTo(e), depth)
	}
	if c.dec != kindAny {
		return errors.New("which type it should be is not known; let it hold a pointer, or register a codec")
	}
	x, err := d.any(t, b, depth)
	if err == nil {
		*at[any](p) = x
	}
	return err
}

// slice decodes the array arr into the slice at p.
func (d *decoder) slice(c *codec, arr []byte, p ref, depth int) error {
	v := p.value(c.typ)
	switch n := Raw(arr).Len(); {
	case n == 0:
		p.setEmptySlice()
	case n > v.Cap():
		v.SetZero()
		v.Grow(n)
		v.SetLen(n)
	default:
		v.SetLen(n)
		v.Clear()
	}
	first, n := p.slice()
	return d.list(c.elem, arr, first, n, depth)
}

// array decodes the BSON array arr into the Go array at p.
func (d *decoder) array(c *codec, arr []byte, p ref, depth int) error {
	n := Raw(arr).Len()
	if n > c.typ.Len() {
		return fmt.Errorf("%d elements do not fit", n)
	}
	p.value(c.typ).SetZero()
	return d.list(c.elem, arr, p, n, depth)
}

// elements decodes doc into v, an array of E.
func (d *decoder) elements(doc []byte, v reflect.Value, depth int) error {
	list, err := d.document(doc, depth)
	if err != nil {
		return err
	}
	if len(list) > v.Len() {
		return fmt.Errorf("%d elements do not fit", len(list))
	}
	v.SetZero()
	reflect.Copy(v, reflect.ValueOf(list))
	return nil
}

// values decodes the array arr into an A. Pointers that it holds already say
// what their elements are to become.
func (d *decoder) values(into *A, arr []byte, depth int) (err error) {
	if !slices.ContainsFunc(*into, isPointer) {
		*into, err = d.anyArray(arr, depth)
		return err
	}
	list := make(A, RawArray(arr).Len())
	copy(list, *into)
	*into = list
	first, n := refTo(reflect.ValueOf(into)).slice()
	return d.list(d.codecOf(reflect.TypeFor[any]()), arr, first, n, depth)
}

// isPointer reports whether v is a pointer, and not nil.
func isPointer(v any) bool {
	rv := reflect.ValueOf(v)
	return rv.Kind() == reflect.Pointer && !rv.IsNil()
}

// list decodes the n elements of the array arr into the values of the codec c
// from first on.
func (d *decoder) list(c *codec, arr []byte, first ref, n, depth int) error {
	rest, ok := body(arr)
	if !ok || depth > MaxDepth {
		return malformed(arr, depth)
	}
	for i := 0; len(rest) > 0; i++ {
		key, v, after, ok := next(rest)
		if !ok || i == n {
			return malformed(arr, depth)
		}
		if err := d.value(c, v.Type, v.Value, first.add(uintptr(i)*c.size), depth); err != nil {
			return decodeFailed(err, string(key), len(arr)-1-len(rest), v.Type, c.typ)
		}
		rest = after
	}
	return nil
}
