package bson

import (
	"bytes"
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
// Any other option means nothing.
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

// encoders hold the buffers of Marshal, whose results are copied at their exact
// size.
var encoders = sync.Pool{New: func() any { return &encoder{b: make([]byte, 0, 1024)} }}

// maxBuffer is the largest buffer that is kept.
const maxBuffer = 1 << 20

func (cfg *config) marshal(v any) ([]byte, error) {
	e := encoders.Get().(*encoder)
	e.config, e.b = cfg, e.b[:0]
	defer e.release()
	if err := e.top(v); err != nil {
		return nil, encodeTopFailed(err, v)
	}
	return bytes.Clone(e.b), nil
}

func (cfg *config) marshalValue(v any) (RawValue, error) {
	e := encoders.Get().(*encoder)
	e.config, e.b = cfg, e.b[:0]
	defer e.release()
	t, err := e.any(v, 0)
	if err != nil {
		return RawValue{}, encodeTopFailed(err, v)
	}
	return RawValue{t, append(make([]byte, 0, len(e.b)), e.b...)}, nil
}

// release puts e back.
func (e *encoder) release() {
	if cap(e.b) <= maxBuffer {
		encoders.Put(e)
	}
}

func (cfg *config) append(dst []byte, v any) ([]byte, error) {
	e := encoder{config: cfg, b: dst}
	if err := e.top(v); err != nil {
		return dst, encodeTopFailed(err, v)
	}
	return e.b, nil
}

func (cfg *config) appendAny(dst []byte, key string, v any) ([]byte, error) {
	e := encoder{config: cfg, b: dst}
	if err := e.elementAny(key, v); err != nil {
		return dst, err
	}
	return e.b, nil
}

// elementAny appends an element to a document that is not nested.
func (e *encoder) elementAny(key string, v any) error {
	e.room(1)
	w, err := e.pair(penAt(e.b), key, v, 1)
	if err != nil {
		return err
	}
	e.lift(w)
	return nil
}
