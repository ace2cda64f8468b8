package bson

import (
	"unicode/utf16"
	"unicode/utf8"
)

// str reads the JSON string at pos, unescaped. What it returns is good until
// the next call.
func (p *extParser) str() ([]byte, error) {
	start := p.pos
	from := start + 1
	p.scratch = p.scratch[:0]
	for i := from; i < len(p.data); {
		switch c := p.data[i]; {
		case c == '"':
			s := p.data[from:i]
			if len(p.scratch) > 0 {
				p.scratch = append(p.scratch, s...)
				s = p.scratch
			}
			if !utf8.Valid(s) {
				return nil, p.failAt(start, "the string is not valid UTF-8")
			}
			p.pos = i + 1
			return s, nil
		case c == '\\':
			p.scratch = append(p.scratch, p.data[from:i]...)
			n, err := p.unescape(i)
			if err != nil {
				return nil, err
			}
			i += n
			from = i
		case c < ' ':
			return nil, p.failAt(i, "the control character %q in a string is not escaped", c)
		default:
			i++
		}
	}
	return nil, p.failAt(start, "the string does not end")
}

// unescape appends what the escape sequence at i stands for to scratch, and
// returns its length.
func (p *extParser) unescape(i int) (n int, err error) {
	if i+1 >= len(p.data) {
		return 0, p.failAt(i, "the string does not end")
	}
	switch c := p.data[i+1]; c {
	case '"', '\\', '/':
		p.scratch = append(p.scratch, c)
	case 'b':
		p.scratch = append(p.scratch, '\b')
	case 'f':
		p.scratch = append(p.scratch, '\f')
	case 'n':
		p.scratch = append(p.scratch, '\n')
	case 'r':
		p.scratch = append(p.scratch, '\r')
	case 't':
		p.scratch = append(p.scratch, '\t')
	case 'u':
		return p.unescapeRune(i)
	default:
		return 0, p.failAt(i, "unknown escape sequence \\%c", c)
	}
	return 2, nil
}

func (p *extParser) unescapeRune(i int) (n int, err error) {
	r, ok := p.hexRune(i)
	if !ok {
		return 0, p.failAt(i, "\\u is not followed by four hexadecimal digits")
	}
	n = 6
	if utf16.IsSurrogate(r) {
		low, _ := p.hexRune(i + n)
		n += 6
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return 0, p.failAt(i, "%s is half of a surrogate pair", p.data[i:i+6])
		}
	}
	p.scratch = utf8.AppendRune(p.scratch, r)
	return n, nil
}

// hexRune is the value of the sequence \uXXXX at i.
func (p *extParser) hexRune(i int) (r rune, ok bool) {
	if len(p.data)-i < 6 || p.data[i] != '\\' || p.data[i+1] != 'u' {
		return 0, false
	}
	for _, c := range p.data[i+2 : i+6] {
		d, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// scanNumber reads the JSON number at pos and says whether it is an integer: a
// number without fraction and exponent.
func (p *extParser) scanNumber() (text []byte, integer bool, err error) {
	start := p.pos
	if p.at('-') {
		p.pos++
	}
	switch {
	case p.at('0'):
		p.pos++
	case !p.digits():
		return nil, false, p.unexpected("a digit")
	}
	integer = true
	if p.at('.') {
		integer = false
		p.pos++
		if !p.digits() {
			return nil, false, p.unexpected("a digit")
		}
	}
	if p.at('e') || p.at('E') {
		integer = false
		p.pos++
		if p.at('+') || p.at('-') {
			p.pos++
		}
		if !p.digits() {
			return nil, false, p.unexpected("a digit")
		}
	}
	return p.data[start:p.pos], integer, nil
}

func (p *extParser) at(c byte) bool { return p.pos < len(p.data) && p.data[p.pos] == c }

// digits skips digits and says whether there were any.
func (p *extParser) digits() bool {
	start := p.pos
	for p.pos < len(p.data) && p.data[p.pos] >= '0' && p.data[p.pos] <= '9' {
		p.pos++
	}
	return p.pos > start
}
