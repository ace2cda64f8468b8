package bson

import (
	"errors"
	"fmt"
)

// ExtJSONFormat is one of the two formats of MongoDB Extended JSON, version 2.
type ExtJSONFormat int

const (
	// Relaxed is made to be read: numbers are JSON numbers and dates of the
	// years 1970 to 9999 are ISO 8601 strings. An integer loses its width.
	Relaxed ExtJSONFormat = iota
	// Canonical keeps every type.
	Canonical
)

// String is the name that the specification gives to f.
func (f ExtJSONFormat) String() string {
	if f == Canonical {
		return "canonicalExtendedJSON"
	}
	return "relaxedExtendedJSON"
}

// MarshalExtJSON encodes v, which Marshal takes, as Extended JSON.
func MarshalExtJSON(v any, format ExtJSONFormat) ([]byte, error) {
	return Options{}.MarshalExtJSON(v, format)
}

// UnmarshalExtJSON decodes Extended JSON of either format into dst as Unmarshal
// does. A syntax error is an *ExtJSONError.
func UnmarshalExtJSON(data []byte, dst any) error { return Options{}.UnmarshalExtJSON(data, dst) }

// MarshalExtJSON is the function MarshalExtJSON with the options applied.
func (o Options) MarshalExtJSON(v any, format ExtJSONFormat) ([]byte, error) {
	doc, err := o.Marshal(v)
	if err != nil {
		return nil, err
	}
	return AppendExtJSON(nil, doc, format)
}

// UnmarshalExtJSON is the function UnmarshalExtJSON with the options applied.
func (o Options) UnmarshalExtJSON(data []byte, dst any) error {
	doc, err := ParseExtJSON(data)
	if err != nil {
		return err
	}
	return o.Unmarshal(doc, dst)
}

// AppendExtJSON appends doc as Extended JSON without white space; json.Indent
// adds that. It fails if doc is not valid, see Raw.Validate.
func AppendExtJSON(dst []byte, doc Raw, format ExtJSONFormat) ([]byte, error) {
	if err := doc.Validate(); err != nil {
		return dst, err
	}
	return appendExtDocument(dst, doc, format), nil
}

// AppendExtJSONValue is AppendExtJSON for one value.
func AppendExtJSONValue(dst []byte, v RawValue, format ExtJSONFormat) ([]byte, error) {
	if err := v.Validate(); err != nil {
		return dst, err
	}
	return appendExtValue(dst, v, format), nil
}

// ParseExtJSON reads a document in Extended JSON of either format. The order
// of keys is kept, and so are duplicate keys. An error is an *ExtJSONError.
//
// As the specification has it, type wrappers such as {"$oid": ...} are known
// below the top level only. Documents may nest MaxDepth deep.
func ParseExtJSON(data []byte) (Raw, error) {
	p := extParser{data: data}
	doc, err := p.topDocument(make([]byte, 0, len(data)))
	if err != nil {
		return nil, p.locate(err)
	}
	return doc, nil
}

// ParseExtJSONValue is ParseExtJSON for one value, which may be a type wrapper.
func ParseExtJSONValue(data []byte) (RawValue, error) {
	p := extParser{data: data}
	t, value, err := p.topValue(nil)
	if err != nil {
		return RawValue{}, p.locate(err)
	}
	return RawValue{t, value}, nil
}

// ExtJSONError says what is wrong with Extended JSON, and where.
type ExtJSONError struct {
	// Offset counts bytes from 0, Line and Column count from 1. Column counts
	// bytes, too.
	Offset, Line, Column int
	// Path is the keys and indexes down to the value, with dots between.
	Path string
	// Reason is what is wrong.
	Reason string
}

// Error says where in the text something is wrong, and what.
func (e *ExtJSONError) Error() string {
	in := ""
	if e.Path != "" {
		in = fmt.Sprintf(" in %q", e.Path)
	}
	return fmt.Sprintf("extended JSON: line %d, column %d%s: %s", e.Line, e.Column, in, e.Reason)
}

// locate finds the line of an error from its offset.
func (p *extParser) locate(err error) error {
	if e, ok := errors.AsType[*ExtJSONError](err); ok {
		e.Line, e.Column = 1, 1
		for _, c := range p.data[:e.Offset] {
			e.Column++
			if c == '\n' {
				e.Line++
				e.Column = 1
			}
		}
	}
	return err
}

// String is r in relaxed Extended JSON, or what is wrong with r.
func (r Raw) String() string { return printable(AppendExtJSON(nil, r, Relaxed)) }

// String is a in relaxed Extended JSON, or what is wrong with a.
func (a RawArray) String() string { return RawValue{TypeArray, a}.String() }

// String is v in relaxed Extended JSON, or what is wrong with v.
func (v RawValue) String() string { return printable(AppendExtJSONValue(nil, v, Relaxed)) }

// String is d in relaxed Extended JSON, or why it has none.
func (d D) String() string { return stringOfValue(d) }

// String is m in relaxed Extended JSON, or why it has none.
func (m M) String() string { return stringOfValue(m) }

// String is a in relaxed Extended JSON, or why it has none.
func (a A) String() string { return stringOfValue(a) }

func stringOfValue(v any) string { return printable(marshalExtValue(v)) }

func printable(json []byte, err error) string {
	if err != nil {
		return fmt.Sprintf("<%v>", err)
	}
	return string(json)
}
