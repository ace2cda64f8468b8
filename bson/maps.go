package bson

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
)

// A KeyMarshaler writes itself as a key. Map keys that are no strings may be
// one.
type KeyMarshaler interface {
	MarshalKey() (string, error)
}

// A KeyUnmarshaler reads what MarshalKey wrote.
type KeyUnmarshaler interface {
	UnmarshalKey(key string) error
}

// mapping appends the map at p as a document at the depth, or null.
func (e *encoder) mapping(c *codec, p ref, depth int) (Type, error) {
	v := p.value(c.typ)
	if v.IsNil() && !e.NilMapAsEmpty {
		return TypeNull, nil
	}
	start, err := e.begin(depth)
	if err != nil {
		return 0, err
	}
	if err := e.mapElements(c, v, nil, depth); err != nil {
		return 0, err
	}
	return TypeEmbeddedDocument, e.end(start)
}

// inlineMap appends what the inlined map of the struct at p holds.
func (e *encoder) inlineMap(s *structFields, p ref, depth int) error {
	q, ok := s.rest.find(p)
	if !ok {
		return nil
	}
	return e.mapElements(s.rest.codec, q.value(s.rest.codec.typ), s, depth)
}

// mapElements appends the elements of the map v. None of them may have the key
// of a field in s.
func (e *encoder) mapElements(c *codec, v reflect.Value, s *structFields, depth int) error {
	elem := c.elem
	name, value := reflect.New(c.typ.Key()).Elem(), reflect.New(elem.typ)
	for it := v.MapRange(); it.Next(); {
		name.SetIterKey(it)
		key, err := e.mapKey(name)
		if err != nil {
			return err
		}
		if s != nil {
			if _, taken := s.byName[key]; taken {
				return encodeFailed(errors.New("an inlined map and a field have the same key"), key, nil)
			}
		}
		value.Elem().SetIterValue(it)
		if err := e.element(key, elem, refTo(value), depth); err != nil {
			return err
		}
	}
	return nil
}

// mapKey is the key k as a string.
func (cfg *config) mapKey(k reflect.Value) (string, error) {
	if cfg.StringifyMapKeysWithFmt {
		return fmt.Sprint(k.Interface()), nil
	}
	if k.Kind() == reflect.String {
		return k.String(), nil
	}
	switch m := k.Interface().(type) {
	case KeyMarshaler:
		if k.Kind() == reflect.Pointer && k.IsNil() {
			return "", nil
		}
		return m.MarshalKey()
	case encoding.TextMarshaler:
		if k.Kind() == reflect.Pointer && k.IsNil() {
			return "", nil
		}
		text, err := m.MarshalText()
		return string(text), err
	}
	switch {
	case k.CanInt():
		return strconv.FormatInt(k.Int(), 10), nil
	case k.CanUint():
		return strconv.FormatUint(k.Uint(), 10), nil
	}
	return "", errMapKey(k.Type())
}

func errMapKey(t reflect.Type) error {
	return fmt.Errorf("a map key is a string, an integer or a TextMarshaler, not %v", t)
}

// mapping decodes the document b into the map at p.
func (d *decoder) mapping(c *codec, b []byte, p ref, depth int) error {
	v := p.value(c.typ)
	if v.IsNil() {
		v.Set(reflect.MakeMapWithSize(c.typ, Raw(b).Len()))
	} else if d.ZeroMaps {
		v.Clear()
	}
	rest, ok := body(b)
	if !ok || depth > MaxDepth {
		return malformed(b, depth)
	}
	for len(rest) > 0 {
		raw, e, after, ok := next(rest)
		if !ok {
			return malformed(b, depth)
		}
		key, ok := d.key(raw)
		if !ok {
			return malformed(b, depth)
		}
		if err := d.mapElement(c, v, key, e.Type, e.Value, depth); err != nil {
			return decodeFailed(err, string(raw), len(b)-1-len(rest), e.Type, c.elem.typ)
		}
		rest = after
	}
	return nil
}

// mapElement decodes one value into the map v.
func (d *decoder) mapElement(c *codec, v reflect.Value, key string, t Type, b []byte, depth int) error {
	k, err := d.decodeMapKey(key, c.typ.Key())
	if err != nil {
		return err
	}
	elem := c.elem
	value := reflect.New(elem.typ)
	if err := d.value(elem, t, b, refTo(value), depth); err != nil {
		return err
	}
	v.SetMapIndex(k, value.Elem())
	return nil
}

// decodeMapKey is the key as a value of the type t.
func (d *decoder) decodeMapKey(key string, t reflect.Type) (reflect.Value, error) {
	if t == reflect.TypeFor[string]() {
		return reflect.ValueOf(key), nil
	}
	k := reflect.New(t)
	if !d.StringifyMapKeysWithFmt {
		if u, ok := k.Interface().(KeyUnmarshaler); ok {
			return k.Elem(), u.UnmarshalKey(key)
		}
	}
	if u, ok := k.Interface().(encoding.TextUnmarshaler); ok {
		return k.Elem(), u.UnmarshalText([]byte(key))
	}
	k = k.Elem()
	switch {
	case k.Kind() == reflect.String:
		k.SetString(key)
	case k.CanInt():
		n, err := strconv.ParseInt(key, 10, t.Bits())
		if err != nil {
			return k, fmt.Errorf("the key %q is no %v", key, t)
		}
		k.SetInt(n)
	case k.CanUint():
		n, err := strconv.ParseUint(key, 10, t.Bits())
		if err != nil {
			return k, fmt.Errorf("the key %q is no %v", key, t)
		}
		k.SetUint(n)
	case k.CanFloat() && d.StringifyMapKeysWithFmt:
		f, err := strconv.ParseFloat(key, t.Bits())
		if err != nil {
			return k, fmt.Errorf("the key %q is no %v", key, t)
		}
		k.SetFloat(f)
	default:
		return k, errMapKey(t)
	}
	return k, nil
}
