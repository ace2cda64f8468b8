package query

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escape reads what follows a backslash outside of a class.
func (p *regexParser) escape() (regexNode, string) {
	if p.at == len(p.src) {
		return nil, `\ at end of pattern`
	}
	c := p.src[p.at]
	if test := shorthand(c); test != nil {
		p.at++
		return &charNode{test}, ""
	}
	switch c {
	case 'A':
		return p.assert(assertStart)
	case 'z':
		return p.assert(assertEnd)
	case 'Z':
		return p.assert(assertLastLine)
	case 'G':
		return p.assert(assertHere)
	case 'b':
		return p.assert(assertBoundary)
	case 'B':
		return p.assert(assertNotBoundary)
	case 'N':
		p.at++
		return &charNode{func(r rune) bool { return r != '\n' }}, ""
	case 'R':
		p.at++
		newline := &charNode{shorthand('v')}
		return &choiceNode{[]regexNode{&literalNode{text: "\r\n"}, newline}}, ""
	case 'Q':
		p.at++
		quoted, ok := p.until(`\E`)
		if !ok {
			quoted = p.rest()
			p.at = len(p.src)
		}
		if quoted == "" {
			return nil, ""
		}
		return p.literal(quoted), ""
	case 'E':
		p.at++
		return nil, ""
	case 'p', 'P':
		test, err := p.property()
		return &charNode{test}, err
	case 'k':
		return p.namedEscape()
	case 'g':
		return p.groupEscape()
	case 'K', 'C', 'X':
		return nil, `unsupported escape \` + string(c)
	}
	if c >= '1' && c <= '9' {
		digits := p.rest()
		digits = digits[:len(digits)-len(strings.TrimLeft(digits, "0123456789"))]
		if n, err := strconv.Atoi(digits); err == nil && (n < 10 || n <= p.groups) {
			p.at += len(digits)
			return p.backref(n)
		}
	}
	r, err := p.escapedRune()
	return p.literal(string(r)), err
}

func (p *regexParser) assert(kind assertKind) (regexNode, string) {
	p.at++
	return &assertNode{kind}, ""
}

// namedEscape reads \k<name>, \k'name' and \k{name}.
func (p *regexParser) namedEscape() (regexNode, string) {
	p.at++
	for _, marks := range []string{"<>", "''", "{}"} {
		if p.accept(marks[:1]) {
			if name, ok := p.until(marks[1:]); ok {
				return p.namedBackref(name)
			}
		}
	}
	return nil, `\k is not followed by a braced, angle-bracketed, or quoted name`
}

// groupEscape reads \g1, \g{1}, \g{-1} and \g{name}.
func (p *regexParser) groupEscape() (regexNode, string) {
	p.at++
	var name string
	if p.accept("{") {
		name, _ = p.until("}")
	} else if p.at < len(p.src) {
		name = p.src[p.at : p.at+1]
		p.at++
	}
	n, err := strconv.Atoi(name)
	switch {
	case err != nil && p.names[name] > 0:
		return p.namedBackref(name)
	case err != nil:
		return nil, "a numbered reference must not be zero"
	case n < 0:
		n += p.groups + 1
	}
	return p.backref(n)
}

// escapedRune reads an escape that stands for one character.
func (p *regexParser) escapedRune() (rune, string) {
	r, size := utf8.DecodeRuneInString(p.rest())
	p.at += size
	switch r {
	case 'n':
		return '\n', ""
	case 'r':
		return '\r', ""
	case 't':
		return '\t', ""
	case 'f':
		return '\f', ""
	case 'a':
		return 7, ""
	case 'e':
		return 27, ""
	case 'c':
		if p.at == len(p.src) {
			return 0, `\c at end of pattern`
		}
		p.at++
		return unicode.ToUpper(rune(p.src[p.at-1])) ^ 64, ""
	case 'x':
		return p.hexRune()
	}
	if r >= '0' && r <= '7' {
		p.at--
		n := 0
		for n < 3 && p.at+n < len(p.src) && p.src[p.at+n] >= '0' && p.src[p.at+n] <= '7' {
			n++
		}
		v, _ := strconv.ParseInt(p.src[p.at:p.at+n], 8, 32)
		p.at += n
		return rune(v), ""
	}
	return r, ""
}

func (p *regexParser) hexRune() (rune, string) {
	var digits string
	if p.accept("{") {
		digits, _ = p.until("}")
	} else {
		n := 0
		for n < 2 && p.at+n < len(p.src) && strings.IndexByte("0123456789abcdefABCDEF", p.src[p.at+n]) >= 0 {
			n++
		}
		digits = p.src[p.at : p.at+n]
		p.at += n
		if digits == "" {
			return 0, ""
		}
	}
	v, err := strconv.ParseInt(digits, 16, 32)
	if err != nil || v > unicode.MaxRune {
		return 0, `character value in \x{} or \o{} is too large`
	}
	return rune(v), ""
}

// shorthand is the class that \d and its like mean, nil for other letters. They
// know ASCII only.
func shorthand(c byte) func(rune) bool {
	var test func(rune) bool
	switch unicode.ToLower(rune(c)) {
	case 'd':
		test = func(r rune) bool { return r >= '0' && r <= '9' }
	case 'w':
		test = isWord
	case 's':
		test = func(r rune) bool { return r == ' ' || r >= '\t' && r <= '\r' }
	case 'h':
		test = func(r rune) bool { return r == ' ' || r == '\t' || r == 0xa0 || unicode.Is(unicode.Zs, r) }
	case 'v':
		test = func(r rune) bool { return r >= '\n' && r <= '\r' || r == 0x85 || r == 0x2028 || r == 0x2029 }
	default:
		return nil
	}
	if unicode.IsUpper(rune(c)) {
		return not(test)
	}
	return test
}

func not(test func(rune) bool) func(rune) bool { return func(r rune) bool { return !test(r) } }

// property reads \pL, \p{Lu}, \p{^Lu} and \P{…}, from the letter p on.
func (p *regexParser) property() (func(rune) bool, string) {
	negate := p.src[p.at] == 'P'
	p.at++
	var name string
	if p.accept("{") {
		name, _ = p.until("}")
	} else if p.at < len(p.src) {
		name = p.src[p.at : p.at+1]
		p.at++
	}
	if strings.HasPrefix(name, "^") {
		name, negate = name[1:], !negate
	}
	test := func(r rune) bool { return name == "Any" }
	if table := unicode.Categories[name]; table != nil {
		test = func(r rune) bool { return unicode.Is(table, r) }
	} else if table := unicode.Scripts[name]; table != nil {
		test = func(r rune) bool { return unicode.Is(table, r) }
	} else if name != "Any" {
		return nil, `unknown property name after \P or \p`
	}
	if negate {
		return not(test), ""
	}
	return test, ""
}

// class reads what follows a square bracket.
func (p *regexParser) class() (regexNode, string) {
	negate := p.accept("^")
	var tests []func(rune) bool
	fold := p.flags&flagFold != 0
	for first := true; ; first = false {
		if p.at == len(p.src) {
			return nil, "missing terminating ] for character class"
		}
		if p.src[p.at] == ']' && !first {
			p.at++
			break
		}
		test, low, err := p.classItem()
		if err != "" {
			return nil, err
		}
		if test == nil {
			high := low
			if strings.HasPrefix(p.rest(), "-") && !strings.HasPrefix(p.rest(), "-]") && p.at+1 < len(p.src) {
				p.at++
				var end func(rune) bool
				if end, high, err = p.classItem(); err != "" {
					return nil, err
				}
				if end != nil { // [a-\d]: a, - and digits
					tests = append(tests, end)
					low, high = '-', '-'
				}
			}
			if high < low {
				return nil, "range out of order in character class"
			}
			test = inRange(low, high, fold)
		}
		tests = append(tests, test)
	}
	return &charNode{func(r rune) bool {
		for _, t := range tests {
			if t(r) {
				return !negate
			}
		}
		return negate
	}}, ""
}

func inRange(low, high rune, fold bool) func(rune) bool {
	return func(r rune) bool {
		if r >= low && r <= high {
			return true
		}
		if fold {
			for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
				if f >= low && f <= high {
					return true
				}
			}
		}
		return false
	}
}

// classItem reads one character or one set of a class; test is nil for a
// character.
func (p *regexParser) classItem() (test func(rune) bool, r rune, err string) {
	if p.accept("[:") {
		name, ok := p.until(":]")
		if !ok {
			return nil, 0, "missing terminating ] for character class"
		}
		test, ok := posixClass(strings.TrimPrefix(name, "^"))
		if !ok {
			return nil, 0, "unknown POSIX class name"
		}
		if strings.HasPrefix(name, "^") {
			test = not(test)
		}
		return test, 0, ""
	}
	if !p.accept(`\`) {
		r, size := utf8.DecodeRuneInString(p.rest())
		p.at += size
		return nil, r, ""
	}
	if p.at == len(p.src) {
		return nil, 0, `\ at end of pattern`
	}
	c := p.src[p.at]
	if test := shorthand(c); test != nil {
		p.at++
		return test, 0, ""
	}
	switch c {
	case 'p', 'P':
		test, err := p.property()
		return test, 0, err
	case 'b':
		p.at++
		return nil, 8, ""
	}
	r, err = p.escapedRune()
	return nil, r, err
}

func posixClass(name string) (func(rune) bool, bool) {
	ascii := func(test func(rune) bool) (func(rune) bool, bool) {
		return func(r rune) bool { return r < 128 && test(r) }, true
	}
	switch name {
	case "alpha":
		return ascii(unicode.IsLetter)
	case "digit":
		return ascii(unicode.IsDigit)
	case "alnum":
		return ascii(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
	case "upper":
		return ascii(unicode.IsUpper)
	case "lower":
		return ascii(unicode.IsLower)
	case "space":
		return ascii(unicode.IsSpace)
	case "blank":
		return ascii(func(r rune) bool { return r == ' ' || r == '\t' })
	case "punct":
		return ascii(func(r rune) bool { return r > ' ' && r < 127 && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	case "xdigit":
		return ascii(func(r rune) bool { return unicode.Is(unicode.ASCII_Hex_Digit, r) })
	case "word":
		return ascii(isWord)
	case "cntrl":
		return ascii(unicode.IsControl)
	case "print":
		return ascii(func(r rune) bool { return r >= ' ' && r < 127 })
	case "graph":
		return ascii(func(r rune) bool { return r > ' ' && r < 127 })
	case "ascii":
		return ascii(func(rune) bool { return true })
	}
	return nil, false
}
