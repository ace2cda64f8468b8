package bson

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"
)

// wrapper is the function that reads the value which key introduces, or nil if
// key is not one of a type wrapper. A reader starts after the colon and stops
// before the closing brace.
func wrapper(key string) func(p *extParser, dst []byte) (Type, []byte, error) {
	if len(key) < 4 || key[0] != '$' {
		return nil
	}
	switch key {
	case "$oid":
		return (*extParser).objectID
	case "$symbol":
		return (*extParser).symbol
	case "$numberInt":
		return (*extParser).int32
	case "$numberLong":
		return (*extParser).int64
	case "$numberDouble":
		return (*extParser).double
	case "$numberDecimal":
		return (*extParser).decimal128
	case "$binary":
		return (*extParser).binary
	case "$uuid":
		return (*extParser).uuid
	case "$code":
		return (*extParser).codeFirst
	case "$scope":
		return (*extParser).scopeFirst
	case "$timestamp":
		return (*extParser).timestamp
	case "$regularExpression":
		return (*extParser).regex
	case "$dbPointer":
		return (*extParser).dbPointer
	case "$date":
		return (*extParser).dateTime
	case "$minKey":
		return (*extParser).minKey
	case "$maxKey":
		return (*extParser).maxKey
	case "$undefined":
		return (*extParser).undefined
	}
	return nil
}

// wrapped reads a type wrapper from after its first key to its end.
func (p *extParser) wrapped(dst []byte, key string, read func(*extParser, []byte) (Type, []byte, error)) (Type, []byte, error) {
	if err := p.expect(':', "a colon"); err != nil {
		return 0, dst, err
	}
	p.peek()
	t, dst, err := read(p, dst)
	if err != nil {
		return 0, dst, within(err, key)
	}
	if p.peek() == ',' {
		return 0, dst, p.failAt(p.pos, "%s does not go with other keys", key)
	}
	return t, dst, p.expect('}', "'}'")
}

// text is str for a string that has to be there.
func (p *extParser) text(what string) ([]byte, error) {
	if p.peek() != '"' {
		return nil, p.unexpected(what)
	}
	return p.str()
}

// fields reads an object that has exactly two keys, in any order.
func (p *extParser) fields(key1 string, read1 func() error, key2 string, read2 func() error) error {
	start := p.pos
	if err := p.expect('{', "an object of "+key1+" and "+key2); err != nil {
		return err
	}
	var seen1, seen2 bool
	for more := true; more; {
		p.peek()
		at := p.pos
		key, err := p.text("a key")
		if err != nil {
			return err
		}
		var step string
		var read func() error
		switch {
		case string(key) == key1 && !seen1:
			seen1, step, read = true, key1, read1
		case string(key) == key2 && !seen2:
			seen2, step, read = true, key2, read2
		default:
			return p.failAt(at, "the key %q where only %s and %s may stand, once each", key, key1, key2)
		}
		if err := p.expect(':', "a colon"); err != nil {
			return err
		}
		p.peek()
		if err := read(); err != nil {
			return within(err, step)
		}
		if more, err = p.more('}'); err != nil {
			return err
		}
	}
	if !seen1 || !seen2 {
		return p.failAt(start, "one of the keys %s and %s is missing", key1, key2)
	}
	return nil
}

func (p *extParser) objectID(dst []byte) (Type, []byte, error) {
	start := p.pos
	s, err := p.text("a string of 24 hexadecimal digits")
	if err != nil {
		return 0, dst, err
	}
	var id ObjectID
	if len(s) == 2*len(id) {
		_, err = hex.Decode(id[:], s)
	}
	if len(s) != 2*len(id) || err != nil {
		return 0, dst, p.failAt(start, "%q is not 24 hexadecimal digits", s)
	}
	return TypeObjectID, append(dst, id[:]...), nil
}

func (p *extParser) symbol(dst []byte) (Type, []byte, error) {
	s, err := p.text("a string")
	return TypeSymbol, appendStringBytes(dst, s), err
}

func (p *extParser) int32(dst []byte) (Type, []byte, error) {
	n, err := p.quotedInt(32)
	return TypeInt32, binary.LittleEndian.AppendUint32(dst, uint32(n)), err
}

func (p *extParser) int64(dst []byte) (Type, []byte, error) {
	n, err := p.quotedInt(64)
	return TypeInt64, binary.LittleEndian.AppendUint64(dst, uint64(n)), err
}

func (p *extParser) quotedInt(bits int) (int64, error) {
	start := p.pos
	s, err := p.text("an integer as a string")
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(s), 10, bits)
	if err != nil {
		return 0, p.failAt(start, "%q is not an integer of %d bits", s, bits)
	}
	return n, nil
}

func (p *extParser) double(dst []byte) (Type, []byte, error) {
	start := p.pos
	s, err := p.text("a number as a string")
	if err != nil {
		return 0, dst, err
	}
	f, err := strconv.ParseFloat(string(s), 64)
	if err != nil || !isDouble(string(s)) {
		return 0, dst, p.failAt(start, "%q is not a double", s)
	}
	return TypeDouble, binary.LittleEndian.AppendUint64(dst, math.Float64bits(f)), nil
}

// isDouble tells the doubles of Extended JSON from the other forms that strconv
// reads: hexadecimal numbers and the special ones in other spellings.
func isDouble(s string) bool {
	switch s {
	case "Infinity", "-Infinity", "NaN":
		return true
	}
	return strings.Trim(s, "+-.0123456789eE") == ""
}

func (p *extParser) decimal128(dst []byte) (Type, []byte, error) {
	start := p.pos
	s, err := p.text("a decimal number as a string")
	if err != nil {
		return 0, dst, err
	}
	d, err := ParseDecimal128(string(s))
	if err != nil {
		return 0, dst, p.failAt(start, "%v", err)
	}
	return TypeDecimal128, AppendDecimal128Value(dst, d), nil
}

func (p *extParser) binary(dst []byte) (Type, []byte, error) {
	var b Binary
	err := p.fields("base64", func() (err error) {
		start := p.pos
		s, err := p.text("a string in base64")
		if err != nil {
			return err
		}
		if b.Data, err = base64.StdEncoding.AppendDecode(nil, s); err != nil {
			return p.failAt(start, "the string is not base64 with padding")
		}
		return nil
	}, "subType", func() (err error) {
		start := p.pos
		s, err := p.text("a string of one or two hexadecimal digits")
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(string(s), 16, 8)
		if err != nil || len(s) > 2 {
			return p.failAt(start, "%q is not one or two hexadecimal digits", s)
		}
		b.Subtype = byte(n)
		return nil
	})
	return TypeBinary, AppendBinaryValue(dst, b.Subtype, b.Data), err
}

func (p *extParser) uuid(dst []byte) (Type, []byte, error) {
	start := p.pos
	s, err := p.text("a UUID as a string")
	if err != nil {
		return 0, dst, err
	}
	u, err := ParseUUID(string(s))
	if err != nil {
		return 0, dst, p.failAt(start, "%v", err)
	}
	return TypeBinary, AppendBinaryValue(dst, BinaryUUID, u[:]), nil
}

func (p *extParser) codeFirst(dst []byte) (Type, []byte, error) {
	code, err := p.text("code as a string")
	if err != nil || p.peek() != ',' {
		return TypeJavaScript, appendStringBytes(dst, code), err
	}
	dst, at := BeginDocument(dst)
	dst = appendStringBytes(dst, code)
	p.pos++
	if err := p.onlyKey("$scope"); err != nil {
		return 0, dst, err
	}
	dst, err = p.scope(dst)
	return TypeCodeWithScope, endCodeWithScope(dst, at), err
}

func (p *extParser) scopeFirst(dst []byte) (Type, []byte, error) {
	scope, err := p.scope(nil)
	if err != nil {
		return 0, dst, err
	}
	if err := p.expect(',', "a comma and $code"); err != nil {
		return 0, dst, err
	}
	if err := p.onlyKey("$code"); err != nil {
		return 0, dst, err
	}
	code, err := p.text("code as a string")
	dst, at := BeginDocument(dst)
	dst = append(appendStringBytes(dst, code), scope...)
	return TypeCodeWithScope, endCodeWithScope(dst, at), err
}

// endCodeWithScope writes the length of the value that began at.
func endCodeWithScope(dst []byte, at int) []byte {
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at))
	return dst
}

// inner reads a type wrapper that has to be there as part of another.
func (p *extParser) inner(key string, read func(*extParser, []byte) (Type, []byte, error), dst []byte) ([]byte, error) {
	if err := p.expect('{', "a "+key); err != nil {
		return dst, err
	}
	if err := p.onlyKey(key); err != nil {
		return dst, err
	}
	p.peek()
	_, dst, err := read(p, dst)
	if err != nil {
		return dst, within(err, key)
	}
	return dst, p.expect('}', "'}'")
}

// onlyKey reads the one key that may stand here, and the colon.
func (p *extParser) onlyKey(want string) error {
	p.peek()
	start := p.pos
	if key, err := p.text("the key " + want); err != nil {
		return err
	} else if string(key) != want {
		return p.failAt(start, "the key %q where only %s may stand", key, want)
	}
	return p.expect(':', "a colon")
}

// scope reads a document that is no type wrapper.
func (p *extParser) scope(dst []byte) ([]byte, error) {
	if p.peek() != '{' {
		return dst, p.unexpected("a document")
	}
	return p.document(dst, false)
}

func (p *extParser) timestamp(dst []byte) (Type, []byte, error) {
	var t Timestamp
	err := p.fields("t", func() (err error) {
		t.T, err = p.uint32()
		return err
	}, "i", func() (err error) {
		t.I, err = p.uint32()
		return err
	})
	return TypeTimestamp, AppendTimestampValue(dst, t), err
}

func (p *extParser) uint32() (uint32, error) {
	start := p.pos
	if !p.at('-') && !(p.pos < len(p.data) && p.data[p.pos] >= '0' && p.data[p.pos] <= '9') {
		return 0, p.unexpected("an integer")
	}
	text, _, err := p.scanNumber()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(string(text), 10, 32)
	if err != nil {
		return 0, p.failAt(start, "%s is not an integer from 0 to %d", text, uint32(math.MaxUint32))
	}
	return uint32(n), nil
}

func (p *extParser) regex(dst []byte) (Type, []byte, error) {
	var r Regex
	err := p.fields("pattern", func() (err error) {
		r.Pattern, err = p.cstring()
		return err
	}, "options", func() (err error) {
		r.Options, err = p.cstring()
		return err
	})
	return TypeRegex, AppendRegexValue(dst, r), err
}

func (p *extParser) cstring() (string, error) {
	start := p.pos
	s, err := p.text("a string")
	if err == nil && bytes.IndexByte(s, 0) >= 0 {
		err = p.failAt(start, "%q contains NUL, which BSON cannot hold here", s)
	}
	return string(s), err
}

func (p *extParser) dbPointer(dst []byte) (Type, []byte, error) {
	var ref, id []byte
	err := p.fields("$ref", func() error {
		s, err := p.text("a string")
		ref = appendStringBytes(nil, s)
		return err
	}, "$id", func() (err error) {
		id, err = p.inner("$oid", (*extParser).objectID, nil)
		return err
	})
	return TypeDBPointer, append(append(dst, ref...), id...), err
}

func (p *extParser) dateTime(dst []byte) (Type, []byte, error) {
	start := p.pos
	switch p.peek() {
	case '"':
		s, err := p.str()
		if err != nil {
			return 0, dst, err
		}
		d, err := parseDateTime(string(s))
		if err != nil {
			return 0, dst, p.failAt(start, "%q is not a date such as 2006-01-02T15:04:05.999Z", s)
		}
		return TypeDateTime, binary.LittleEndian.AppendUint64(dst, uint64(d)), nil
	case '{':
		dst, err := p.inner("$numberLong", (*extParser).int64, dst)
		return TypeDateTime, dst, err
	}
	return 0, dst, p.unexpected("a date as a string or a $numberLong")
}

// parseDateTime reads RFC 3339, and its variant without a colon in the zone
// that mongoexport wrote. Fractions of milliseconds are cut.
func parseDateTime(s string) (DateTime, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05Z0700", s)
	}
	return NewDateTime(t), err
}

func (p *extParser) minKey(dst []byte) (Type, []byte, error) { return TypeMinKey, dst, p.one() }

func (p *extParser) maxKey(dst []byte) (Type, []byte, error) { return TypeMaxKey, dst, p.one() }

func (p *extParser) one() error {
	start := p.pos
	if p.at('1') {
		if text, _, err := p.scanNumber(); err == nil && len(text) == 1 {
			return nil
		}
	}
	return p.failAt(start, "the value must be 1")
}

func (p *extParser) undefined(dst []byte) (Type, []byte, error) {
	start := p.pos
	if !bytes.HasPrefix(p.data[p.pos:], []byte("true")) {
		return 0, dst, p.failAt(start, "the value must be true")
	}
	return TypeUndefined, dst, p.literal("true")
}
