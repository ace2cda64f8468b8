package bson

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// A DecodeError says where in a document, and why, reading it failed.
type DecodeError struct {
	// Path leads to the value, such as "points.1.x". It is empty for the
	// document itself.
	Path string
	// Offset is the byte at which the element with that path begins, counted
	// from the start of what was to be decoded.
	Offset int
	// Type is the value's BSON type. It is zero where that is unknown.
	Type Type
	// GoType is the type to be decoded into. It is nil if the bytes are wrong
	// whatever they are decoded into.
	GoType reflect.Type
	// Err is what is wrong.
	Err error
}

// Error says all that the fields of e do.
func (e *DecodeError) Error() string {
	var b strings.Builder
	b.WriteString("cannot decode ")
	if e.Type != 0 {
		fmt.Fprintf(&b, "%v ", e.Type)
	}
	if e.Path != "" {
		fmt.Fprintf(&b, "%q ", e.Path)
	}
	fmt.Fprintf(&b, "at byte %d", e.Offset)
	if e.GoType != nil {
		fmt.Fprintf(&b, " into %v", e.GoType)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

// Unwrap is e.Err.
func (e *DecodeError) Unwrap() error { return e.Err }

// An EncodeError says which part of a Go value cannot be written as BSON.
type EncodeError struct {
	// Path leads to the value, such as "points.1.x". It is empty for the value
	// that was to be encoded.
	Path string
	// GoType is the type of the value. It is nil where there was none.
	GoType reflect.Type
	// Err is what is wrong.
	Err error
}

// Error says all that the fields of e do.
func (e *EncodeError) Error() string {
	var b strings.Builder
	b.WriteString("cannot encode ")
	if e.Path != "" {
		fmt.Fprintf(&b, "%q ", e.Path)
	}
	if e.GoType != nil {
		fmt.Fprintf(&b, "of type %v ", e.GoType)
	}
	return strings.TrimSuffix(b.String(), " ") + ": " + e.Err.Error()
}

// Unwrap is e.Err.
func (e *EncodeError) Unwrap() error { return e.Err }

var (
	errDepth    = fmt.Errorf("documents are nested more than %d deep", MaxDepth)
	errUTF8     = errors.New("a string is not valid UTF-8")
	errKeyUTF8  = errors.New("a key or a regular expression is not valid UTF-8")
	errKeyNUL   = errors.New("a key or a regular expression contains NUL")
	errTooLarge = errors.New("a document is larger than 2 GiB")
)

// decodeFailed is err as met in the element key, which begins offset bytes into
// its document and has the type t. Called from the inside out, it builds the
// path.
func decodeFailed(err error, key string, offset int, t Type, into reflect.Type) error {
	e, ok := err.(*DecodeError)
	if !ok {
		return &DecodeError{Path: key, Offset: offset, Type: t, GoType: into, Err: err}
	}
	outer := *e
	outer.Path = joinPath(key, e.Path)
	outer.Offset += offset + 1 + len(key) + 1
	return &outer
}

// encodeFailed is err as met in the element key. Called from the inside out, it
// builds the path.
func encodeFailed(err error, key string, from reflect.Type) error {
	e, ok := err.(*EncodeError)
	if !ok {
		return &EncodeError{Path: key, GoType: from, Err: err}
	}
	outer := *e
	outer.Path = joinPath(key, e.Path)
	return &outer
}

// keyFailed is the error for a key that cannot be written.
func keyFailed(key string) error { return &EncodeError{Path: key, Err: checkKey(key)} }

func joinPath(key, rest string) string {
	if rest == "" {
		return key
	}
	return key + "." + rest
}
