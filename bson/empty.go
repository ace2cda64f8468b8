package bson

import "reflect"

// A Zeroer knows itself whether it is zero. The tags omitempty and omitzero
// ask it.
type Zeroer interface {
	IsZero() bool
}

// empty reports whether omitempty leaves out the value of the codec c at p.
func (cfg *config) empty(c *codec, p ref) bool {
	if !c.zeroer {
		switch c.enc {
		case kindString:
			return *at[string](p) == ""
		case kindPointer:
			return p.elem().isNil()
		case kindSlice:
			_, n := p.slice()
			return n == 0
		}
	}
	return empty(p.value(c.typ), cfg.OmitZeroStruct)
}

// empty reports whether v is false, zero, nil, without length, or a Zeroer
// that is zero; with zeroStructs also whether v is a struct whose exported
// fields are all empty.
func empty(v reflect.Value, zeroStructs bool) bool {
	kind := v.Kind()
	if kind != reflect.Interface && (kind != reflect.Pointer || !v.IsNil()) && v.Type().Implements(reflect.TypeFor[Zeroer]()) {
		return v.Interface().(Zeroer).IsZero()
	}
	switch kind {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		if !zeroStructs {
			return false
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !empty(v.Field(i), zeroStructs) {
				return false
			}
		}
		return true
	}
	return v.IsZero()
}

// zero reports whether omitzero leaves out the value of the codec c at p: its
// method IsZero says so, or it has none and is Go's zero value.
func zero(c *codec, p ref) bool {
	v := p.value(c.typ)
	if kind := v.Kind(); kind != reflect.Interface && (kind != reflect.Pointer || !v.IsNil()) {
		if z, ok := v.Interface().(Zeroer); ok {
			return z.IsZero()
		}
		if z, ok := v.Addr().Interface().(Zeroer); ok {
			return z.IsZero()
		}
	}
	return v.IsZero()
}
