package query

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

type regexFlags int

const (
	flagFold regexFlags = 1 << iota
	flagMultiline
	flagDotAll
	flagExtended
)

// regexParser reads a pattern. A failure is PCRE's own text, "" for none.
type regexParser struct {
	src    string
	at     int
	flags  regexFlags
	groups int
	names  map[string]int
	depth  int
	// refs are the groups that back-references name, to be checked at the end.
	refs []int
}

func (p *regexParser) parse() (regexNode, string) {
	if len(p.src) > maxRegexLength {
		return nil, "regular expression is too large"
	}
	n, err := p.choice()
	if err != "" {
		return nil, err
	}
	if p.at < len(p.src) {
		return nil, "unmatched parentheses"
	}
	for _, r := range p.refs {
		if r > p.groups {
			return nil, "reference to non-existent subpattern"
		}
	}
	return n, ""
}

func (p *regexParser) rest() string { return p.src[p.at:] }

func (p *regexParser) accept(s string) bool {
	if strings.HasPrefix(p.rest(), s) {
		p.at += len(s)
		return true
	}
	return false
}

// until takes what stands before the end mark, and the mark.
func (p *regexParser) until(mark string) (string, bool) {
	s, _, ok := strings.Cut(p.rest(), mark)
	if ok {
		p.at += len(s) + len(mark)
	}
	return s, ok
}

// choice reads alternatives up to a ) or the end. Flags that are set within
// hold to its end.
func (p *regexParser) choice() (regexNode, string) {
	p.depth++
	flags := p.flags
	defer func() { p.depth--; p.flags = flags }()
	if p.depth > maxRegexNesting {
		return nil, "parentheses are too deeply nested"
	}
	var choices []regexNode
	for {
		seq, err := p.sequence()
		if err != "" {
			return nil, err
		}
		choices = append(choices, seq)
		if !p.accept("|") {
			break
		}
	}
	if len(choices) == 1 {
		return choices[0], ""
	}
	return &choiceNode{choices}, ""
}

func (p *regexParser) sequence() (regexNode, string) {
	seq := &sequenceNode{}
	for p.at < len(p.src) && p.src[p.at] != '|' && p.src[p.at] != ')' {
		if p.flags&flagExtended != 0 && p.skipSpace() {
			continue
		}
		n, err := p.atom()
		if err != "" {
			return nil, err
		}
		if n == nil {
			continue
		}
		if n, err = p.quantified(n); err != "" {
			return nil, err
		}
		seq.add(n)
	}
	return seq, ""
}

// add joins literals that follow each other.
func (n *sequenceNode) add(part regexNode) {
	if lit, ok := part.(*literalNode); ok && len(n.parts) > 0 {
		if last, ok := n.parts[len(n.parts)-1].(*literalNode); ok && last.fold == lit.fold {
			n.parts[len(n.parts)-1] = &literalNode{last.text + lit.text, lit.fold}
			return
		}
	}
	n.parts = append(n.parts, part)
}

func (p *regexParser) skipSpace() bool {
	switch c := p.src[p.at]; {
	case c == '#':
		if _, ok := p.until("\n"); !ok {
			p.at = len(p.src)
		}
		return true
	case strings.IndexByte(" \t\n\r\f\v", c) >= 0:
		p.at++
		return true
	}
	return false
}

func (p *regexParser) literal(s string) regexNode {
	return &literalNode{s, p.flags&flagFold != 0}
}

func (p *regexParser) atom() (regexNode, string) {
	switch c := p.src[p.at]; c {
	case '(':
		p.at++
		return p.group()
	case '[':
		p.at++
		return p.class()
	case '\\':
		p.at++
		return p.escape()
	case '.':
		p.at++
		if p.flags&flagDotAll != 0 {
			return &charNode{func(rune) bool { return true }}, ""
		}
		return &charNode{func(r rune) bool { return r != '\n' }}, ""
	case '^':
		p.at++
		if p.flags&flagMultiline != 0 {
			return &assertNode{assertLineStart}, ""
		}
		return &assertNode{assertStart}, ""
	case '$':
		p.at++
		if p.flags&flagMultiline != 0 {
			return &assertNode{assertLineEnd}, ""
		}
		return &assertNode{assertLastLine}, ""
	case '*', '+', '?':
		return nil, "nothing to repeat"
	}
	_, size := utf8.DecodeRuneInString(p.rest())
	s := p.src[p.at : p.at+size]
	p.at += size
	return p.literal(s), ""
}

// quantified reads the quantifiers after an atom.
func (p *regexParser) quantified(n regexNode) (regexNode, string) {
	for p.at < len(p.src) {
		if p.flags&flagExtended != 0 && p.skipSpace() {
			continue
		}
		least, most, ok, err := p.quantifier()
		if err != "" || !ok {
			return n, err
		}
		if _, isAssert := n.(*assertNode); isAssert {
			return nil, "nothing to repeat"
		}
		r := &repeatNode{inner: asChar(n), least: least, most: most}
		if p.accept("?") {
			r.lazy = true
		} else if p.accept("+") {
			r.possessive = true
		}
		n = r
		if p.depth++; p.depth > maxRegexNesting {
			return nil, "parentheses are too deeply nested"
		}
		defer func() { p.depth-- }()
	}
	return n, ""
}

// asChar makes a literal of one character a test, which repeats cheaply.
func asChar(n regexNode) regexNode {
	lit, ok := n.(*literalNode)
	if !ok || utf8.RuneCountInString(lit.text) != 1 {
		return n
	}
	want, _ := utf8.DecodeRuneInString(lit.text)
	if lit.fold {
		return &charNode{func(r rune) bool { return sameFold(r, want) }}
	}
	return &charNode{func(r rune) bool { return r == want }}
}

const unlimited = 1 << 30

func (p *regexParser) quantifier() (least, most int, ok bool, err string) {
	switch {
	case p.accept("*"):
		return 0, unlimited, true, ""
	case p.accept("+"):
		return 1, unlimited, true, ""
	case p.accept("?"):
		return 0, 1, true, ""
	case p.src[p.at] != '{':
		return 0, 0, false, ""
	}
	body, _, closed := strings.Cut(p.src[p.at+1:], "}")
	low, high, ranged := strings.Cut(body, ",")
	least, lowErr := strconv.Atoi(low)
	if !closed || lowErr != nil || low[0] == '+' || low[0] == '-' {
		return 0, 0, false, ""
	}
	most = least
	if ranged && high == "" {
		most = unlimited
	} else if ranged {
		n, highErr := strconv.Atoi(high)
		if highErr != nil || high[0] == '+' || high[0] == '-' {
			return 0, 0, false, ""
		}
		most = n
	}
	switch {
	case least > 65535 || most > 65535 && most != unlimited:
		return 0, 0, false, "number too big in {} quantifier"
	case most < least:
		return 0, 0, false, "numbers out of order in {} quantifier"
	}
	p.at += len(body) + 2
	return least, most, true, ""
}

// group reads what follows a parenthesis. It is nil if that is no atom.
func (p *regexParser) group() (regexNode, string) {
	if !p.accept("?") {
		return p.capture("")
	}
	switch {
	case p.accept("#"):
		if _, ok := p.until(")"); !ok {
			return nil, "missing ) after comment"
		}
		return nil, ""
	case p.accept(":"):
		return p.closed(p.choice())
	case p.accept(">"):
		n, err := p.closed(p.choice())
		return &atomicNode{n}, err
	case p.accept("="):
		return p.look(false, false)
	case p.accept("!"):
		return p.look(false, true)
	case p.accept("<="):
		return p.look(true, false)
	case p.accept("<!"):
		return p.look(true, true)
	case p.accept("P="):
		name, ok := p.until(")")
		if !ok {
			return nil, "missing )"
		}
		return p.namedBackref(name)
	case p.accept("P<"), p.accept("<"):
		return p.named(">")
	case p.accept("'"):
		return p.named("'")
	}
	return p.inlineFlags()
}

func (p *regexParser) named(mark string) (regexNode, string) {
	name, ok := p.until(mark)
	switch {
	case !ok:
		return nil, "syntax error in subpattern name (missing terminator)"
	case name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "":
		return nil, "subpattern name expected"
	case p.names[name] > 0:
		return nil, "two named subpatterns have the same name"
	}
	return p.capture(name)
}

func (p *regexParser) capture(name string) (regexNode, string) {
	p.groups++
	g := &groupNode{index: p.groups}
	if name != "" {
		p.names[name] = g.index
	}
	var err string
	g.inner, err = p.closed(p.choice())
	return g, err
}

// closed takes the parenthesis that ends a group.
func (p *regexParser) closed(n regexNode, err string) (regexNode, string) {
	if err == "" && !p.accept(")") {
		err = "missing )"
	}
	return n, err
}

func (p *regexParser) look(behind, negative bool) (regexNode, string) {
	n, err := p.closed(p.choice())
	if err != "" {
		return nil, err
	}
	look := &lookNode{choices: []regexNode{n}, behind: behind, negative: negative}
	if c, ok := n.(*choiceNode); ok {
		look.choices = c.choices
	}
	if behind {
		for _, c := range look.choices {
			w := c.fixedWidth()
			if w < 0 {
				return nil, "lookbehind assertion is not fixed length"
			}
			look.widths = append(look.widths, w)
		}
	}
	return look, ""
}

// inlineFlags reads (?i) or (?i-s:…).
func (p *regexParser) inlineFlags() (regexNode, string) {
	set, on := p.flags, true
	for p.at < len(p.src) {
		c := p.src[p.at]
		p.at++
		var f regexFlags
		switch c {
		case 'i':
			f = flagFold
		case 'm':
			f = flagMultiline
		case 's':
			f = flagDotAll
		case 'x':
			f = flagExtended
		case '-':
			on = false
		case ')':
			p.flags = set
			return nil, ""
		case ':':
			old := p.flags
			p.flags = set
			n, err := p.choice()
			p.flags = old
			return p.closed(n, err)
		default:
			return nil, "unrecognized character after (? or (?-"
		}
		if on {
			set |= f
		} else {
			set &^= f
		}
	}
	return nil, "missing )"
}

func (p *regexParser) backref(index int) (regexNode, string) {
	if index <= 0 {
		return nil, "reference to non-existent subpattern"
	}
	p.refs = append(p.refs, index)
	return &backrefNode{index, p.flags&flagFold != 0}, ""
}

func (p *regexParser) namedBackref(name string) (regexNode, string) {
	return p.backref(p.names[name])
}
