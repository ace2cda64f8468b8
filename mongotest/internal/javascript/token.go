package javascript

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tokenKind says what a token is.
type tokenKind uint8

const (
	end tokenKind = iota
	name
	number
	text
	symbol
)

// token is a name, a literal or a symbol of the source.
type token struct {
	kind tokenKind
	// text is the name, the symbol or the content of a string.
	text   string
	number float64
	offset int
	// newline says that a line ended before it.
	newline bool
}

// symbols are those of several characters, the longest first.
var symbols = []string{
	"===", "!==", "...", "**=", "<<=", ">>=", "&&=", "||=", "??=",
	"=>", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "++", "--", "+=", "-=", "*=", "/=", "%=", "**", "<<", ">>",
}

// scan cuts source into tokens; the last is end.
func scan(source string) ([]token, error) {
	var list []token
	newline := false
	for at := 0; ; {
		rest := source[at:]
		r, size := utf8.DecodeRuneInString(rest)
		switch {
		case rest == "":
			return append(list, token{kind: end, offset: at, newline: newline}), nil
		case r == '\n' || r == '\u2028' || r == '\u2029':
			newline = true
			at += size
			continue
		case unicode.IsSpace(r) || r == '\ufeff':
			at += size
			continue
		case strings.HasPrefix(rest, "//"):
			at += strings.IndexByte(rest+"\n", '\n')
			continue
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest, "*/")
			if n < 0 {
				return nil, fmt.Errorf("SyntaxError: unterminated comment at %d", at)
			}
			newline = newline || strings.Contains(rest[:n], "\n")
			at += n + 2
			continue
		}
		t, n, err := scanOne(rest, r)
		if err != nil {
			return nil, fmt.Errorf("SyntaxError: %w at %d", err, at)
		}
		t.offset, t.newline = at, newline
		list, at, newline = append(list, t), at+n, false
	}
}

func scanOne(rest string, first rune) (t token, n int, err error) {
	switch {
	case isNameStart(first):
		n = strings.IndexFunc(rest, func(r rune) bool { return !isNameStart(r) && !unicode.IsDigit(r) })
		if n < 0 {
			n = len(rest)
		}
		return token{kind: name, text: rest[:n]}, n, nil
	case first >= '0' && first <= '9' || first == '.' && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9':
		return scanNumber(rest)
	case first == '"' || first == '\'' || first == '`':
		return scanString(rest)
	}
	for _, s := range symbols {
		if strings.HasPrefix(rest, s) {
			return token{kind: symbol, text: s}, len(s), nil
		}
	}
	if strings.ContainsRune("{}()[];,<>+-*/%&|^!~?:=.", first) {
		return token{kind: symbol, text: string(first)}, 1, nil
	}
	return t, 0, fmt.Errorf("illegal character %q", first)
}

func isNameStart(r rune) bool { return r == '_' || r == '$' || unicode.IsLetter(r) }

func scanNumber(rest string) (t token, n int, err error) {
	if strings.HasPrefix(rest, "0x") || strings.HasPrefix(rest, "0X") {
		for n = 2; n < len(rest) && strings.IndexByte("0123456789abcdefABCDEF", rest[n]) >= 0; n++ {
		}
		u, err := strconv.ParseUint(rest[2:n], 16, 64)
		return token{kind: number, number: float64(u)}, n, err
	}
	for n < len(rest) && (rest[n] == '.' || rest[n] >= '0' && rest[n] <= '9' || isExponent(rest, n)) {
		n++
	}
	f, err := strconv.ParseFloat(rest[:n], 64)
	return token{kind: number, number: f}, n, err
}

// isExponent reports whether the byte at n is an e or the sign after it.
func isExponent(s string, n int) bool {
	switch s[n] {
	case 'e', 'E':
		return n > 0
	case '+', '-':
		return n > 0 && (s[n-1] == 'e' || s[n-1] == 'E')
	}
	return false
}

var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f', 'v': '\v', '0': 0}

func scanString(rest string) (t token, n int, err error) {
	quote := rest[0]
	var b strings.Builder
	for n = 1; n < len(rest) && rest[n] != quote; n++ {
		c := rest[n]
		switch {
		case c == '\n' && quote != '`', c == '$' && quote == '`' && strings.HasPrefix(rest[n:], "${"):
			return t, 0, fmt.Errorf("string of an unknown form")
		case c != '\\' || n+1 == len(rest):
			b.WriteByte(c)
			continue
		}
		n++
		digits := map[byte]int{'x': 2, 'u': 4}[rest[n]]
		if digits > 0 && n+digits < len(rest) {
			code, err := strconv.ParseUint(rest[n+1:n+1+digits], 16, 32)
			if err != nil {
				return t, 0, fmt.Errorf("malformed escape")
			}
			b.WriteRune(rune(code))
			n += digits
		} else if e, ok := escapes[rest[n]]; ok {
			b.WriteByte(e)
		} else {
			b.WriteByte(rest[n])
		}
	}
	if n == len(rest) {
		return t, 0, fmt.Errorf("unterminated string")
	}
	return token{kind: text, text: b.String()}, n + 1, nil
}
