package bson

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// A DecodeError says where in a document, and why, reading it failed.
type DecodeError struct {
	// Path leads to the value, such as "points.1.x". It is empty for the
	// document itself. Of a path of more than 120 bytes the middle is left out:
	// "points.1…x".
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
	// Path leads to the value, as that of a DecodeError does. It is empty for
	// the value that was to be encoded.
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
	} else if e.GoType != nil {
		b.WriteString("a value ")
	}
	if e.GoType != nil {
		fmt.Fprintf(&b, "of type %v ", e.GoType)
	}
	return strings.TrimSuffix(b.String(), " ") + ": " + fmt.Sprint(e.Err)
}

// Unwrap is e.Err.
func (e *EncodeError) Unwrap() error { return e.Err }

var (
	errDepth    = fmt.Errorf("documents are nested more than %d deep", MaxDepth)
	errUTF8     = errors.New("a string is not valid UTF-8")
	errKeyUTF8  = errors.New("a key or a regular expression is not valid UTF-8")
	errKeyNUL   = errors.New("a key or a regular expression contains NUL")
	errElement  = errors.New("a bson.E is one element of a document; write bson.D{{key, value}}")
	errTooLarge = errors.New("a document is larger than 2 GiB")
)

// decodeFailed is err as met in the element key, which begins offset bytes into
// its document and has the type t. Called from the inside out, it builds the
// path.
func decodeFailed(err error, key string, offset int, t Type, into reflect.Type) error {
	e, ok := err.(*DecodeError)
	if !ok {
		return &DecodeError{Path: joinPath(key, ""), Offset: offset, Type: t, GoType: into, Err: err}
	}
	outer := *e
	outer.Path = joinPath(key, e.Path)
	if e.Path == "" && e.Offset == 0 {
		// It is about the document as a whole, which is this element.
		outer.Offset, outer.Type = offset, t
	} else {
		outer.Offset += offset + 1 + len(key) + 1
	}
	return &outer
}

// decodeTopFailed is err as met in what was to be decoded, which has the type t.
func decodeTopFailed(err error, t Type, into reflect.Type) error {
	if e, ok := err.(*DecodeError); ok {
		return e
	}
	return &DecodeError{Type: t, GoType: into, Err: err}
}

// encodeFailed is err as met in the element key. Called from the inside out, it
// builds the path.
func encodeFailed(err error, key string, from reflect.Type) error {
	e, ok := err.(*EncodeError)
	if !ok {
		return &EncodeError{Path: joinPath(key, ""), GoType: from, Err: err}
	}
	outer := *e
	outer.Path = joinPath(key, e.Path)
	return &outer
}

// encodeTopFailed is err as met in the value that was to be encoded.
func encodeTopFailed(err error, from any) error {
	if e, ok := err.(*EncodeError); ok {
		return e
	}
	return &EncodeError{GoType: reflect.TypeOf(from), Err: err}
}

// keyFailed is the error for a key that cannot be written.
func keyFailed(key string) error { return encodeFailed(checkKey(key), key, nil) }

// maxPath is the length of the longest path that is shown in full.
const maxPath = 120

// joinPath is the path rest within the element key, perhaps without its middle.
func joinPath(key, rest string) string {
	path := key
	if rest != "" {
		path += "." + rest
	}
	if len(path) <= maxPath {
		return path
	}
	head, tail := maxPath/2, len(path)-maxPath/2
	for head > 0 && !utf8.RuneStart(path[head]) {
		head--
	}
	for tail < len(path) && !utf8.RuneStart(path[tail]) {
		tail++
	}
	return path[:head] + "…" + path[tail:]
}
