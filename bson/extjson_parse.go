package bson

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// extParser turns Extended JSON into BSON as it reads. Its methods read at pos
// and append to the buffer they are given; a method that reads a value says of
// what type it was.
type extParser struct {
	data    []byte
	pos     int
	depth   int
	scratch []byte // the last string that had escapes
}

func (p *extParser) failAt(offset int, format string, args ...any) error {
	return &ExtJSONError{Offset: offset, Reason: fmt.Sprintf(format, args...)}
}

// unexpected fails because what stands at pos is not what is wanted there.
func (p *extParser) unexpected(want string) error {
	if p.pos >= len(p.data) {
		return p.failAt(len(p.data), "the text ends where %s is expected", want)
	}
	return p.failAt(p.pos, "%q where %s is expected", p.data[p.pos], want)
}

// within adds a step to the path of err.
func within(err error, step string) error {
	if e, ok := err.(*ExtJSONError); ok {
		if e.Path != "" {
			step += "." + e.Path
		}
		e.Path = step
	}
	return err
}

// peek skips white space and returns the byte at pos, or 0 at the end.
func (p *extParser) peek() byte {
	for ; p.pos < len(p.data); p.pos++ {
		switch c := p.data[p.pos]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (p *extParser) expect(c byte, want string) error {
	if p.peek() != c {
		return p.unexpected(want)
	}
	p.pos++
	return nil
}

// more reads what follows a member of an object or array: a comma or the end.
func (p *extParser) more(end byte) (bool, error) {
	switch p.peek() {
	case ',':
		p.pos++
		return true, nil
	case end:
		p.pos++
		return false, nil
	}
	return false, p.unexpected("a comma or " + strconv.QuoteRune(rune(end)))
}

func (p *extParser) topDocument(dst []byte) ([]byte, error) {
	if p.peek() != '{' {
		return dst, p.unexpected("a document")
	}
	dst, err := p.document(dst, true)
	if err == nil {
		err = p.end()
	}
	return dst, err
}

func (p *extParser) topValue(dst []byte) (Type, []byte, error) {
	t, dst, err := p.value(dst)
	if err == nil {
		err = p.end()
	}
	return t, dst, err
}

func (p *extParser) end() error {
	if p.peek(); p.pos < len(p.data) {
		return p.unexpected("the end")
	}
	return nil
}

func (p *extParser) value(dst []byte) (t Type, _ []byte, err error) {
	switch c := p.peek(); c {
	case '{':
		return p.object(dst)
	case '[':
		dst, err = p.array(dst)
		return TypeArray, dst, err
	case '"':
		s, err := p.str()
		return TypeString, appendStringBytes(dst, s), err
	case 't':
		return TypeBoolean, append(dst, 1), p.literal("true")
	case 'f':
		return TypeBoolean, append(dst, 0), p.literal("false")
	case 'n':
		return TypeNull, dst, p.literal("null")
	default:
		if c == '-' || c >= '0' && c <= '9' {
			return p.number(dst)
		}
	}
	return 0, dst, p.unexpected("a value")
}

// appendStringBytes is AppendStringValue for bytes.
func appendStringBytes(dst, s []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(s)+1))
	return append(append(dst, s...), 0)
}

func (p *extParser) literal(word string) error {
	if !bytes.HasPrefix(p.data[p.pos:], []byte(word)) {
		return p.unexpected("a value")
	}
	p.pos += len(word)
	return nil
}

// object reads a document or a type wrapper. The first key tells, since the
// keys of a wrapper go with no others.
func (p *extParser) object(dst []byte) (Type, []byte, error) {
	start := p.pos
	p.pos++
	if p.peek() == '"' && p.dollar() {
		key, err := p.str()
		if err != nil {
			return 0, dst, err
		}
		if read := wrapper(string(key)); read != nil {
			return p.wrapped(dst, string(key), read)
		}
	}
	p.pos = start
	dst, err := p.document(dst, false)
	return TypeEmbeddedDocument, dst, err
}

// dollar reports whether the string at pos may begin with a dollar sign, be it
// an escaped one.
func (p *extParser) dollar() bool {
	return p.pos+1 < len(p.data) && (p.data[p.pos+1] == '$' || p.data[p.pos+1] == '\\')
}

func (p *extParser) enter() error {
	if p.depth++; p.depth > MaxDepth {
		return p.failAt(p.pos, "documents nest deeper than %d", MaxDepth)
	}
	return nil
}

// leave ends the document or array that began at.
func (p *extParser) leave(dst []byte, at int) ([]byte, error) {
	p.depth--
	if len(dst)-at >= math.MaxInt32 {
		return dst, p.failAt(p.pos, "the document exceeds 2 GiB in BSON")
	}
	return EndDocument(dst, at), nil
}

func (p *extParser) document(dst []byte, top bool) ([]byte, error) {
	if err := p.enter(); err != nil {
		return dst, err
	}
	dst, at := BeginDocument(dst)
	p.pos++
	if p.peek() == '}' {
		p.pos++
		return p.leave(dst, at)
	}
	for more := true; more; {
		var err error
		if dst, err = p.element(dst, top); err != nil {
			return dst, err
		}
		if more, err = p.more('}'); err != nil {
			return dst, err
		}
	}
	return p.leave(dst, at)
}

func (p *extParser) element(dst []byte, top bool) ([]byte, error) {
	if p.peek() != '"' {
		return dst, p.unexpected("a key")
	}
	start := p.pos
	key, err := p.str()
	if err != nil {
		return dst, err
	}
	if bytes.IndexByte(key, 0) >= 0 {
		return dst, p.failAt(start, "the key %q contains NUL, which BSON cannot hold", key)
	}
	if !top && wrapper(string(key)) != nil {
		return dst, p.failAt(start, "the key %s does not go with others", key)
	}
	step := p.data[start+1 : p.pos-1]
	typeAt := len(dst)
	dst = append(append(append(dst, 0), key...), 0)
	if err := p.expect(':', "a colon"); err != nil {
		return dst, err
	}
	t, dst, err := p.value(dst)
	if err != nil {
		return dst, within(err, string(step))
	}
	dst[typeAt] = byte(t)
	return dst, nil
}

func (p *extParser) array(dst []byte) ([]byte, error) {
	if err := p.enter(); err != nil {
		return dst, err
	}
	dst, at := BeginDocument(dst)
	p.pos++
	if p.peek() == ']' {
		p.pos++
		return p.leave(dst, at)
	}
	for i, more := 0, true; more; i++ {
		typeAt := len(dst)
		dst = AppendIndexHeader(dst, 0, i)
		var t Type
		var err error
		if t, dst, err = p.value(dst); err != nil {
			return dst, within(err, strconv.Itoa(i))
		}
		dst[typeAt] = byte(t)
		if more, err = p.more(']'); err != nil {
			return dst, err
		}
	}
	return p.leave(dst, at)
}

// number reads a JSON number. An integer becomes the smallest type that holds
// it, and a double if none does.
func (p *extParser) number(dst []byte) (Type, []byte, error) {
	start := p.pos
	text, integer, err := p.scanNumber()
	if err != nil {
		return 0, dst, err
	}
	if integer {
		n, err := strconv.ParseInt(string(text), 10, 64)
		switch {
		case err != nil:
		case n == int64(int32(n)):
			return TypeInt32, binary.LittleEndian.AppendUint32(dst, uint32(n)), nil
		default:
			return TypeInt64, binary.LittleEndian.AppendUint64(dst, uint64(n)), nil
		}
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		return 0, dst, p.failAt(start, "the number is out of range for a double")
	}
	return TypeDouble, binary.LittleEndian.AppendUint64(dst, math.Float64bits(f)), nil
}
