package bson

import "reflect"

// A Registry holds codecs for types that this package does not know, and the
// Go types that BSON values become where the Go type is any. The types need
// not know this package. Register all, then use it in Options; it must not
// change any more once it is used.
type Registry struct {
	codecs map[reflect.Type]*registered
	types  map[Type]reflect.Type
	configs
}

// NewRegistry makes an empty Registry.
func NewRegistry() *Registry {
	return &Registry{codecs: map[reflect.Type]*registered{}, types: map[Type]reflect.Type{}}
}

// Register makes the values of the type T, which may be an interface, encode
// and decode with the functions given. encode gives a value that can be encoded
// without it, such as a Decimal128, a string or a D. decode gets the BSON value
// and must copy what it keeps of it. Null decodes into the zero T. Either may
// be nil to leave that direction to T's hooks and kind.
func Register[T any](r *Registry, encode func(T) (any, error), decode func(RawValue) (T, error)) {
	c := &registered{}
	if encode != nil {
		c.encode = func(p ref) (any, error) { return encode(*at[T](p)) }
	}
	if decode != nil {
		c.decode = func(v RawValue, p ref) (err error) {
			*at[T](p), err = decode(v)
			return err
		}
	}
	r.codecs[reflect.TypeFor[T]()] = c
}

// registered is what is registered for a type. Either function may be nil.
type registered struct {
	encode func(p ref) (any, error)
	decode func(v RawValue, p ref) error
}

// RegisterType makes values of the BSON type t decode into the type T where the
// Go type is any, such as dateTimes into time.Time.
func RegisterType[T any](r *Registry, t Type) { r.types[t] = reflect.TypeFor[T]() }

// codecFor is what is registered for the type, or nil.
func (r *Registry) codecFor(t reflect.Type) *registered {
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
