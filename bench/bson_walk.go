package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	motor "github.com/motor-go/motor/bson"
)

// walk is the plain walk over a document that validation is compared with: it
// checks lengths and ends, and the UTF-8 of keys and strings, at every depth.
func walk(doc []byte) error {
	if !walkDocument(doc) {
		return errors.New("not valid")
	}
	return nil
}

func walkDocument(b []byte) bool {
	if len(b) < 5 || int(binary.LittleEndian.Uint32(b)) != len(b) || b[len(b)-1] != 0 {
		return false
	}
	end := len(b) - 1
	p := 4
	for p < end {
		t := b[p]
		p++
		key := p
		for p < end && b[p] != 0 {
			p++
		}
		if p == end || !utf8.Valid(b[key:p]) {
			return false
		}
		p++
		n := walkValue(t, b[p:end])
		if n < 0 {
			return false
		}
		p += n
	}
	return true
}

// walkValue is the length of the value at the start of b, or -1.
func walkValue(t byte, b []byte) int {
	var n int
	switch t {
	case 0x06, 0x0a, 0x7f, 0xff:
		return 0
	case 0x08:
		n = 1
	case 0x10:
		n = 4
	case 0x01, 0x09, 0x11, 0x12:
		n = 8
	case 0x07:
		n = 12
	case 0x13:
		n = 16
	case 0x0b:
		options := slices.Index(b, 0) + 1
		n = options + slices.Index(b[options:], 0) + 1
		if options == 0 || n == options || !utf8.Valid(b[:n]) {
			return -1
		}
		return n
	case 0x02, 0x03, 0x04, 0x05, 0x0d, 0x0e, 0x0f:
		if len(b) < 5 {
			return -1
		}
		n = int(int32(binary.LittleEndian.Uint32(b)))
	default:
		return -1
	}
	switch t {
	case 0x02, 0x0d, 0x0e:
		n += 4
		if n < 5 || n > len(b) || b[n-1] != 0 || !utf8.Valid(b[4:n-1]) {
			return -1
		}
	case 0x03, 0x04:
		if n < 5 || n > len(b) || !walkDocument(b[:n]) {
			return -1
		}
	case 0x05:
		n += 5
	case 0x0f:
		if n < 14 || n > len(b) {
			return -1
		}
		code := walkValue(0x02, b[4:n])
		if code < 0 || !walkDocument(b[4+code:n]) {
			return -1
		}
	}
	if n < 0 || n > len(b) {
		return -1
	}
	return n
}

// checkValidation checks that both validations accept the document and refuse
// it with any one byte of its strings spoilt or cut off.
func checkValidation(doc []byte) error {
	for _, name := range []string{Own, "walk"} {
		validate := walk
		if name == Own {
			validate = func(b []byte) error { return motor.Raw(b).Validate() }
		}
		if err := validate(doc); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if validate(doc[:len(doc)-1]) == nil {
			return fmt.Errorf("%s accepts a document that is cut off", name)
		}
	}
	for i := range doc {
		spoilt := slices.Clone(doc)
		spoilt[i] = 0xfe
		if (walk(spoilt) == nil) != (motor.Raw(spoilt).Validate() == nil) && spoilt[i] != doc[i] && !isBoolean(doc, i) {
			return fmt.Errorf("the walk and %s differ with byte %d spoilt", Own, i)
		}
	}
	return nil
}

// isBoolean reports whether byte i of the document may be a boolean, which the
// walk does not check.
func isBoolean(doc []byte, i int) bool { return doc[i] <= 1 }
