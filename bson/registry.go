package bson

import "reflect"

// A Registry holds codecs for types that this package does not know, and the
// Go types that BSON values become where the Go type is any. The types need
// not know this package. Register all, then use it in Options; it must not
// change any more once it is used.
type Registry struct {
	codecs map[reflect.Type]*codec
	types  map[Type]reflect.Type
	configs
}

// NewRegistry makes an empty Registry.
func NewRegistry() *Registry {
	return &Registry{codecs: map[reflect.Type]*codec{}, types: map[Type]reflect.Type{}}
}

// Register makes the values of the type T, which may be an interface, encode
// and decode with the functions given. encode gives a value that can be encoded
// without it, such as a Decimal128, a string or a D. decode gets the BSON value
// and must copy what it keeps of it. Null decodes into the zero T. Either may
// be nil to leave that direction to T's hooks and kind.
func Register[T any](r *Registry, encode func(T) (any, error), decode func(RawValue) (T, error)) {
	c := &codec{}
	if encode != nil {
		c.encode = func(_ *codec, e *encoder, p ref, depth int) (Type, error) {
			v, err := encode(*at[T](p))
			if err != nil {
				return 0, err
			}
			return e.any(v, depth)
		}
	}
	if decode != nil {
		c.decode = func(_ *codec, _ *decoder, t Type, b []byte, p ref, _ int) (err error) {
			if t == TypeNull || t == TypeUndefined {
				var zero T
				*at[T](p) = zero
				return nil
			}
			*at[T](p), err = decode(RawValue{t, b[:len(b):len(b)]})
			return err
		}
	}
	r.codecs[reflect.TypeFor[T]()] = c
}

// RegisterType makes values of the BSON type t decode into the type T where the
// Go type is any, such as dateTimes into time.Time.
func RegisterType[T any](r *Registry, t Type) { r.types[t] = reflect.TypeFor[T]() }

// codecFor is what is registered for the type, or nil.
func (r *Registry) codecFor(t reflect.Type) *codec {
	if r == nil {
		return nil
	}
	return r.codecs[t]
}

// typeFor is the type that values of the BSON type become where the Go type is
// any, nil for the usual one.
func (r *Registry) typeFor(t Type) reflect.Type {
	if r == nil {
		return nil
	}
	return r.types[t]
}
