package javascript

import (
	"fmt"
	"slices"
)

// maxDepth bounds how deep source and calls nest.
const maxDepth = 200

// parser reads tokens by recursive descent.
type parser struct {
	tokens []token
	depth  int
}

// node is a part of the program. Statements and expressions differ in what
// they are evaluated to only.
type node struct {
	op   string
	text string
	num  float64
	kids []*node
}

// syntaxError ends parsing by panic; Compile catches it.
type syntaxError struct{ error }

func (p *parser) fail(t token) {
	what := t.text
	if t.kind == end {
		what = "end of the code"
	}
	panic(syntaxError{fmt.Errorf("SyntaxError: unexpected %s at %d", what, t.offset)})
}

func (p *parser) peek() token { return p.tokens[0] }

func (p *parser) next() token {
	t := p.tokens[0]
	if t.kind != end {
		p.tokens = p.tokens[1:]
	}
	return t
}

// is reports whether the next token is this symbol or keyword.
func (p *parser) is(s string) bool {
	t := p.peek()
	return (t.kind == symbol || t.kind == name) && t.text == s
}

// take is is, and goes behind the token if so.
func (p *parser) take(s string) bool {
	ok := p.is(s)
	if ok {
		p.next()
	}
	return ok
}

func (p *parser) want(s string) {
	if !p.take(s) {
		p.fail(p.peek())
	}
}

func (p *parser) enter() func() {
	if p.depth++; p.depth > maxDepth {
		panic(syntaxError{fmt.Errorf("SyntaxError: nested too deeply at %d", p.peek().offset)})
	}
	return func() { p.depth-- }
}

func (p *parser) program() *node {
	n := &node{op: "block"}
	for p.peek().kind != end {
		n.kids = append(n.kids, p.statement())
	}
	return n
}

func (p *parser) block() *node {
	p.want("{")
	n := &node{op: "block"}
	for !p.take("}") {
		n.kids = append(n.kids, p.statement())
	}
	return n
}

// terminator reads the end of a statement, which may be left out.
func (p *parser) terminator() {
	if p.take(";") || p.is("}") || p.peek().kind == end || p.peek().newline {
		return
	}
	p.fail(p.peek())
}

func (p *parser) statement() *node {
	defer p.enter()()
	switch {
	case p.is("{"):
		return p.block()
	case p.take(";"):
		return &node{op: "block"}
	case p.is("var"), p.is("let"), p.is("const"):
		n := p.variables()
		p.terminator()
		return n
	case p.is("function"):
		return &node{op: "declare", kids: []*node{p.primary()}}
	case p.take("return"):
		n := &node{op: "return"}
		if t := p.peek(); !p.is(";") && !p.is("}") && t.kind != end && !t.newline {
			n.kids = append(n.kids, p.expression())
		}
		p.terminator()
		return n
	case p.take("throw"):
		n := &node{op: "throw", kids: []*node{p.expression()}}
		p.terminator()
		return n
	case p.is("break"), p.is("continue"):
		n := &node{op: p.next().text}
		p.terminator()
		return n
	case p.take("if"):
		n := &node{op: "if", kids: []*node{p.condition(), p.statement()}}
		if p.take("else") {
			n.kids = append(n.kids, p.statement())
		}
		return n
	case p.take("while"):
		return &node{op: "for", kids: []*node{nil, p.condition(), nil, p.statement()}}
	case p.take("for"):
		return p.loop()
	}
	n := &node{op: "expression", kids: []*node{p.expression()}}
	p.terminator()
	return n
}

func (p *parser) condition() *node {
	p.want("(")
	n := p.expression()
	p.want(")")
	return n
}

func (p *parser) variables() *node {
	p.next()
	n := &node{op: "var"}
	for {
		v := &node{text: p.name()}
		if p.take("=") {
			v.kids = []*node{p.assignment()}
		}
		n.kids = append(n.kids, v)
		if !p.take(",") {
			return n
		}
	}
}

func (p *parser) name() string {
	t := p.next()
	if t.kind != name {
		p.fail(t)
	}
	return t.text
}

// loop reads what follows for: three clauses, or a variable in or of a value.
func (p *parser) loop() *node {
	p.want("(")
	var first *node
	if t := p.tokens; p.is("var") || p.is("let") || p.is("const") {
		if len(t) > 3 && t[1].kind == name && (t[2].text == "in" || t[2].text == "of") {
			p.next()
			n := &node{op: "each", text: p.name()}
			over := p.next().text
			n.kids = []*node{p.expression()}
			p.want(")")
			n.kids = append(n.kids, p.statement(), &node{op: over})
			return n
		}
		first = p.variables()
	} else if !p.is(";") {
		first = p.expression()
	}
	p.want(";")
	var test, step *node
	if !p.is(";") {
		test = p.expression()
	}
	p.want(";")
	if !p.is(")") {
		step = p.expression()
	}
	p.want(")")
	return &node{op: "for", kids: []*node{first, test, step, p.statement()}}
}

func (p *parser) expression() *node {
	n := p.assignment()
	for p.take(",") {
		n = &node{op: ",", kids: []*node{n, p.assignment()}}
	}
	return n
}

var assignments = []string{"=", "+=", "-=", "*=", "/=", "%=", "**=", "&&=", "||=", "??="}

func (p *parser) assignment() *node {
	defer p.enter()()
	if p.startsArrow() {
		return p.arrow()
	}
	n := p.conditional()
	t := p.peek()
	if t.kind != symbol || !slices.Contains(assignments, t.text) {
		return n
	}
	if n.op != "name" && n.op != "member" {
		p.fail(t)
	}
	p.next()
	right := p.assignment()
	if t.text != "=" {
		right = &node{op: t.text[:len(t.text)-1], kids: []*node{n, right}}
	}
	return &node{op: "=", kids: []*node{n, right}}
}

// startsArrow looks ahead for a name or a list in parentheses before =>.
func (p *parser) startsArrow() bool {
	if p.peek().kind == name {
		return p.tokens[1].text == "=>" && p.tokens[1].kind == symbol
	}
	if !p.is("(") {
		return false
	}
	for i, t := range p.tokens[1:] {
		switch {
		case t.kind == symbol && t.text == ")":
			after := p.tokens[i+2]
			return after.kind == symbol && after.text == "=>"
		case t.kind != name && t.text != ",":
			return false
		}
	}
	return false
}

func (p *parser) arrow() *node {
	f := &node{op: "arrow"}
	if p.is("(") {
		f.kids = p.parameters()
	} else {
		f.kids = []*node{{text: p.name()}}
	}
	p.want("=>")
	if p.is("{") {
		f.kids = append(f.kids, p.block())
	} else {
		f.kids = append(f.kids, &node{op: "return", kids: []*node{p.assignment()}})
	}
	return f
}

func (p *parser) parameters() (list []*node) {
	p.want("(")
	for !p.take(")") {
		list = append(list, &node{text: p.name()})
		if !p.is(")") {
			p.want(",")
		}
	}
	return list
}

func (p *parser) conditional() *node {
	n := p.binary(0)
	if !p.take("?") {
		return n
	}
	yes := p.assignment()
	p.want(":")
	return &node{op: "?", kids: []*node{n, yes, p.assignment()}}
}

// precedences are the binary operators, the loosest first.
var precedences = [][]string{
	{"??", "||"},
	{"&&"},
	{"|"},
	{"^"},
	{"&"},
	{"==", "!=", "===", "!=="},
	{"<", ">", "<=", ">=", "in"},
	{"<<", ">>"},
	{"+", "-"},
	{"*", "/", "%"},
	{"**"},
}

func (p *parser) binary(level int) *node {
	if level == len(precedences) {
		return p.unary()
	}
	n := p.binary(level + 1)
	for {
		t := p.peek()
		if t.kind != symbol && t.text != "in" || t.kind == text || !slices.Contains(precedences[level], t.text) {
			return n
		}
		p.next()
		n = &node{op: t.text, kids: []*node{n, p.binary(level + 1)}}
	}
}

func (p *parser) unary() *node {
	defer p.enter()()
	t := p.peek()
	if t.kind == symbol || t.kind == name {
		switch t.text {
		case "!", "-", "+", "~", "typeof":
			p.next()
			return &node{op: "unary", text: t.text, kids: []*node{p.unary()}}
		case "++", "--":
			p.next()
			return step(p.unary(), t.text)
		}
	}
	n := p.postfix()
	if t := p.peek(); t.kind == symbol && (t.text == "++" || t.text == "--") && !t.newline {
		p.next()
		return &node{op: "before", text: t.text, kids: []*node{step(n, t.text), n}}
	}
	return n
}

// step adds or subtracts one.
func step(n *node, op string) *node {
	if n.op != "name" && n.op != "member" {
		panic(syntaxError{fmt.Errorf("SyntaxError: %s of what is no variable", op)})
	}
	return &node{op: "=", kids: []*node{n, {op: "-", kids: []*node{n, {op: "number", num: map[string]float64{"++": -1, "--": 1}[op]}}}}}
}

func (p *parser) postfix() *node {
	n := p.primary()
	for {
		switch {
		case p.take("."):
			n = &node{op: "member", kids: []*node{n, {op: "text", text: p.name()}}}
		case p.take("["):
			n = &node{op: "member", kids: []*node{n, p.expression()}}
			p.want("]")
		case p.take("("):
			n = &node{op: "call", kids: append([]*node{n}, p.list(")")...)}
		default:
			return n
		}
	}
}

// list reads expressions with commas between them, up to the closing symbol.
func (p *parser) list(closing string) (list []*node) {
	for !p.take(closing) {
		list = append(list, p.assignment())
		if !p.is(closing) {
			p.want(",")
		}
	}
	return list
}

func (p *parser) primary() *node {
	t := p.next()
	switch t.kind {
	case number:
		return &node{op: "number", num: t.number}
	case text:
		return &node{op: "text", text: t.text}
	case name:
		switch t.text {
		case "true", "false", "null", "undefined", "this":
			return &node{op: t.text}
		case "function":
			return p.function()
		}
		return &node{op: "name", text: t.text}
	}
	switch t.text {
	case "(":
		n := p.expression()
		p.want(")")
		return n
	case "[":
		return &node{op: "array", kids: p.list("]")}
	case "{":
		return p.object()
	}
	p.fail(t)
	return nil
}

// function is a function; its body is the last of its kids.
func (p *parser) function() *node {
	f := &node{op: "function"}
	if p.peek().kind == name {
		f.text = p.name()
	}
	f.kids = p.parameters()
	f.kids = append(f.kids, p.block())
	return f
}

func (p *parser) object() *node {
	n := &node{op: "object"}
	for !p.take("}") {
		t := p.next()
		key := t.text
		switch t.kind {
		case number:
			key = formatNumber(t.number)
		case name, text:
		default:
			p.fail(t)
		}
		v := &node{op: "name", text: key}
		if t.kind != name || !p.is(",") && !p.is("}") {
			p.want(":")
			v = p.assignment()
		}
		n.kids = append(n.kids, &node{text: key, kids: []*node{v}})
		if !p.is("}") {
			p.want(",")
		}
	}
	return n
}
