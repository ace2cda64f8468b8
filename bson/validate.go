package bson

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Validate reports whether r is one whole document, valid in all its depth:
// lengths, terminators, types, booleans and the UTF-8 of keys and strings. The
// error is a *DecodeError that says where the first fault is.
//
// Keys of arrays are not looked at, and keys may repeat.
func (r Raw) Validate() error {
	var n census
	if n.count(r[:len(r):len(r)], false, 1) {
		return nil
	}
	return malformed(r, 1)
}

// Validate is Raw.Validate for an array.
func (a RawArray) Validate() error { return Raw(a).Validate() }

// Validate reports whether v is one whole value of its type. See Raw.Validate.
func (v RawValue) Validate() error {
	if err := explainValue(v.Type, v.Value, 0); err != nil {
		return decodeTopFailed(err, v.Type, nil)
	}
	return nil
}

// malformed is what is wrong with doc, which could not be read.
func malformed(doc []byte, depth int) error {
	if err := explain(doc, depth); err != nil {
		return err
	}
	return &DecodeError{Err: errors.New("the document cannot be read")}
}

// explain is what is wrong with doc, or nil. It is slow and obvious.
func explain(doc []byte, depth int) *DecodeError {
	if err := explainFrame(doc); err != nil {
		return &DecodeError{Err: err}
	}
	if depth > MaxDepth {
		return &DecodeError{Err: errDepth}
	}
	rest := doc[4 : len(doc)-1]
	for len(rest) > 0 {
		offset := len(doc) - 1 - len(rest)
		t := Type(rest[0])
		key, value, ok := cutCString(rest[1:])
		if !ok {
			return &DecodeError{Offset: offset, Type: t, Err: errors.New("the key has no end")}
		}
		err := error(nil)
		n := valueLen(t, value)
		switch {
		case !utf8.Valid(key):
			err = errKeyUTF8
		case n < 0:
			err = explainLen(t, value)
		default:
			err = explainValue(t, value[:n], depth)
		}
		if err != nil {
			return decodeFailed(err, string(key), offset, t, nil).(*DecodeError)
		}
		rest = value[n:]
	}
	return nil
}

// explainFrame is what is wrong with the length and the end of doc, or nil.
func explainFrame(doc []byte) error {
	if len(doc) < 5 {
		return fmt.Errorf("a document needs 5 bytes at least, there are %d", len(doc))
	}
	if n := int64(int32(binary.LittleEndian.Uint32(doc))); n != int64(len(doc)) {
		return fmt.Errorf("the document says that it is %d bytes long, there are %d", n, len(doc))
	}
	if doc[len(doc)-1] != 0 {
		return errors.New("the document does not end with NUL")
	}
	return nil
}

// explainLen is why valueLen finds no value of type t at the start of b.
func explainLen(t Type, b []byte) error {
	switch t {
	case TypeString, TypeJavaScript, TypeSymbol, TypeEmbeddedDocument, TypeArray, TypeBinary, TypeDBPointer, TypeCodeWithScope:
		if len(b) < 4 {
			return fmt.Errorf("its length is cut off, %d bytes are left", len(b))
		}
		n := int32(binary.LittleEndian.Uint32(b))
		return fmt.Errorf("its length of %d does not fit the %d bytes that are left, or its end is no NUL", n, len(b)-4)
	case TypeRegex:
		return errors.New("the regular expression has no end")
	}
	if fixedLen[t] == unknownType {
		return fmt.Errorf("there is no BSON type 0x%02x", byte(t))
	}
	return fmt.Errorf("the value is cut off, %d bytes are left", len(b))
}

// explainValue is what is wrong with b as a value of type t within a document
// at the depth, or nil.
func explainValue(t Type, b []byte, depth int) error {
	if valueLen(t, b) != len(b) {
		return explainLen(t, b)
	}
	v := RawValue{t, b}
	switch t {
	case TypeString, TypeJavaScript, TypeSymbol:
		if s, _ := v.strBytes(); !utf8.Valid(s) {
			return errUTF8
		}
	case TypeEmbeddedDocument, TypeArray:
		if err := explain(b, depth+1); err != nil {
			return err
		}
	case TypeBoolean:
		if b[0] > 1 {
			return fmt.Errorf("a boolean is 0 or 1, not %d", b[0])
		}
	case TypeBinary:
		if b[4] == BinaryOld && (len(b) < 9 || int(binary.LittleEndian.Uint32(b[5:])) != len(b)-9) {
			return errors.New("the inner length of a binary of subtype 2 is wrong")
		}
	case TypeRegex:
		if !utf8.Valid(b) {
			return errUTF8
		}
	case TypeDBPointer:
		if !utf8.Valid(b[4 : len(b)-13]) {
			return errUTF8
		}
	case TypeCodeWithScope:
		return explainCode(b, depth)
	}
	return nil
}

// explainCode is what is wrong with b as a JavaScript code with scope, or nil.
func explainCode(b []byte, depth int) error {
	n := valueLen(TypeString, b[4:])
	if n < 0 {
		return explainLen(TypeString, b[4:])
	}
	if err := explainValue(TypeString, b[4:4+n], depth); err != nil {
		return err
	}
	if err := explain(b[4+n:], depth+1); err != nil {
		err.Offset += 4 + n
		return err
	}
	return nil
}
