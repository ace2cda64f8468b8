package bson

import (
	"bytes"
	"reflect"
	"sync"
)

// Marshal encodes v, a document: a D, a map, a struct, a Raw, a pointer to one
// of these, or what encodes itself as one.
//
// The fields of a struct go by their name in lower case unless a tag
// `bson:"name,option,..."` says otherwise. The name "-" leaves the field out.
// The options are
//
//   - omitempty: leave out false, zero, nil, what has no length, and what has a
//     method IsZero that says so. Of structs, only the last counts.
//   - omitzero: leave out what its method IsZero says is zero, or without such
//     a method Go's zero value, structs among them.
//   - inline: put the fields of this struct, or of what this pointer points
//     to, or the elements of this map among those of the struct around it.
//     Embedded structs are not inlined without it.
//   - minsize: write integers as int32 where they fit.
//   - truncate: cut off what an integer, or a float32, cannot hold of a double.
//
// An int is written as an int32 if it fits, all other integers go by their size.
// A time.Time becomes a dateTime, a []byte and an array of bytes a binary, nil
// pointers, maps, slices and interfaces become null.
//
// The error is an *EncodeError.
func Marshal(v any) ([]byte, error) { return defaultConfig.marshal(v) }

// Append is Marshal into a buffer: it appends the document to dst, and returns
// dst as it was with any error.
func Append(dst []byte, v any) ([]byte, error) { return defaultConfig.append(dst, v) }

// AppendAny appends an element with a value of any kind to a document under
// construction, as AppendString does for a string.
func AppendAny(dst []byte, key string, v any) ([]byte, error) {
	return defaultConfig.appendAny(dst, key, v)
}

// MarshalValue encodes a value of any kind.
func MarshalValue(v any) (RawValue, error) { return defaultConfig.marshalValue(v) }

// Marshal is the function of that name with the options o.
func (o Options) Marshal(v any) ([]byte, error) { return o.config().marshal(v) }

// Append is the function of that name with the options o.
func (o Options) Append(dst []byte, v any) ([]byte, error) { return o.config().append(dst, v) }

// AppendAny is the function of that name with the options o.
func (o Options) AppendAny(dst []byte, key string, v any) ([]byte, error) {
	return o.config().appendAny(dst, key, v)
}

// MarshalValue is the function of that name with the options o.
func (o Options) MarshalValue(v any) (RawValue, error) { return o.config().marshalValue(v) }

// buffers are for encoding what is then copied at its exact size.
var buffers = sync.Pool{New: func() any { return new(make([]byte, 0, 1024)) }}

// maxBuffer is the largest buffer that is kept.
const maxBuffer = 1 << 20

func keepBuffer(p *[]byte, b []byte) {
	if cap(b) <= maxBuffer {
		*p = b[:0]
		buffers.Put(p)
	}
}

func (cfg *config) marshal(v any) ([]byte, error) {
	p := buffers.Get().(*[]byte)
	b, err := cfg.append(*p, v)
	defer keepBuffer(p, b)
	if err != nil {
		return nil, err
	}
	return bytes.Clone(b), nil
}

func (cfg *config) append(dst []byte, v any) ([]byte, error) {
	out, err := cfg.top(dst, v)
	if err != nil {
		return dst, encodeFailed(err, "", reflect.TypeOf(v))
	}
	return out, nil
}

func (cfg *config) appendAny(dst []byte, key string, v any) ([]byte, error) {
	out, err := cfg.elementAny(dst, key, v, 1)
	if err != nil {
		return dst, err
	}
	return out, nil
}

func (cfg *config) marshalValue(v any) (RawValue, error) {
	p := buffers.Get().(*[]byte)
	b, t, err := cfg.any(*p, v, 0)
	defer keepBuffer(p, b)
	if err != nil {
		return RawValue{}, encodeFailed(err, "", reflect.TypeOf(v))
	}
	return RawValue{t, append(make([]byte, 0, len(b)), b...)}, nil
}
