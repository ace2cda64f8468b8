package javascript

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/motor-go/motor/bson"
)

// Function is a function that was compiled. It may be called by several
// goroutines.
type Function struct {
	program *node
	// function is set if the program is nothing but a function.
	function *node
}

// Compile reads a function, or statements, of which the last may be an
// expression that is their result.
func Compile(code string) (f *Function, err error) {
	tokens, err := scan(code)
	if err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			e, ok := p.(syntaxError)
			if !ok {
				panic(p)
			}
			f, err = nil, e.error
		}
	}()
	f = &Function{program: (&parser{tokens: tokens}).program()}
	if n := len(f.program.kids); n > 0 {
		last := f.program.kids[n-1]
		switch {
		case n == 1 && last.op == "declare", n == 1 && last.op == "expression" && (last.kids[0].op == "arrow" || last.kids[0].op == "function"):
			f.function = last.kids[0]
		case last.op == "expression":
			f.program.kids[n-1] = &node{op: "return", kids: last.kids}
		}
	}
	return f, nil
}

// Env is what a function may reach beside its arguments.
type Env struct {
	// Emit takes what a map function emits; nil if it cannot.
	Emit func(key, v bson.RawValue)
	// Scope are global variables.
	Scope bson.Raw
}

// Call calls the function. It ends with an error when ctx does.
func (f *Function) Call(ctx context.Context, env Env, this bson.RawValue, args ...bson.RawValue) (bson.RawValue, error) {
	c := &call{ctx: ctx, env: env}
	globals := &scope{vars: map[string]value{"obj": fromBSON(this)}, this: fromBSON(this)}
	for key, v := range env.Scope.All() {
		globals.vars[key] = fromBSON(v)
	}
	values := make([]value, len(args))
	for i, a := range args {
		values[i] = fromBSON(a)
	}
	function := f.function
	if function == nil {
		function = &node{op: "function", kids: []*node{f.program}}
	}
	v, err := c.closure(function, globals).object.call(c, fromBSON(this), values)
	if err != nil {
		return bson.RawValue{}, err
	}
	return toBSON(v), nil
}

// call is one run of a program.
type call struct {
	ctx   context.Context
	env   Env
	steps int
	depth int
}

// scope is the variables of a function, within those of another.
type scope struct {
	vars  map[string]value
	outer *scope
	this  value
}

func (s *scope) find(name string) *scope {
	for ; s != nil; s = s.outer {
		if _, ok := s.vars[name]; ok {
			return s
		}
	}
	return nil
}

// completion is how a statement ended: normal, break, continue or return.
type completion struct {
	kind string
	v    value
}

// step bounds a program by its context, and by a number of steps that no
// function worth testing with takes.
func (c *call) step() error {
	const often, most = 1024, 100e6
	if c.steps > most {
		return errors.New("InternalError: the function takes too long")
	}
	if c.steps++; c.steps%often == 0 && c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	return nil
}

// closure makes a function of its node.
func (c *call) closure(n *node, outer *scope) value {
	return functionOf(func(c *call, this value, args []value) (value, error) {
		if c.depth++; c.depth > maxDepth {
			return value{}, errors.New("InternalError: too much recursion")
		}
		defer func() { c.depth-- }()
		s := &scope{vars: map[string]value{}, outer: outer, this: this}
		if n.op == "arrow" {
			s.this = outer.this
		}
		last := len(n.kids) - 1
		for i, p := range n.kids[:last] {
			if i < len(args) {
				s.vars[p.text] = args[i]
			} else {
				s.vars[p.text] = value{}
			}
		}
		end, err := c.exec(n.kids[last], s)
		return end.v, err
	})
}

// exec runs a statement.
func (c *call) exec(n *node, s *scope) (completion, error) {
	if err := c.step(); err != nil {
		return completion{}, err
	}
	switch n.op {
	case "block":
		for _, k := range n.kids {
			if k.op == "declare" {
				s.vars[k.kids[0].text] = c.closure(k.kids[0], s)
			}
		}
		for _, k := range n.kids {
			if end, err := c.exec(k, s); err != nil || end.kind != "" {
				return end, err
			}
		}
	case "declare":
	case "var":
		for _, k := range n.kids {
			v := value{}
			if len(k.kids) > 0 {
				var err error
				if v, err = c.eval(k.kids[0], s); err != nil {
					return completion{}, err
				}
			}
			s.vars[k.text] = v
		}
	case "expression":
		_, err := c.eval(n.kids[0], s)
		return completion{}, err
	case "return":
		end := completion{kind: "return"}
		var err error
		if len(n.kids) > 0 {
			end.v, err = c.eval(n.kids[0], s)
		}
		return end, err
	case "throw":
		v, err := c.eval(n.kids[0], s)
		if err == nil {
			err = fmt.Errorf("uncaught exception: %v", v)
		}
		return completion{}, err
	case "break", "continue":
		return completion{kind: n.op}, nil
	case "if":
		test, err := c.eval(n.kids[0], s)
		switch {
		case err != nil:
			return completion{}, err
		case test.truthy():
			return c.exec(n.kids[1], s)
		case len(n.kids) > 2:
			return c.exec(n.kids[2], s)
		}
	case "for":
		return c.loop(n, s)
	case "each":
		return c.each(n, s)
	}
	return completion{}, nil
}

func (c *call) loop(n *node, s *scope) (completion, error) {
	first, test, step, body := n.kids[0], n.kids[1], n.kids[2], n.kids[3]
	if first != nil {
		if first.op != "var" {
			first = &node{op: "expression", kids: []*node{first}}
		}
		if _, err := c.exec(first, s); err != nil {
			return completion{}, err
		}
	}
	for {
		if test != nil {
			v, err := c.eval(test, s)
			if err != nil || !v.truthy() {
				return completion{}, err
			}
		}
		end, err := c.exec(body, s)
		if err != nil || end.kind == "return" {
			return end, err
		}
		if end.kind == "break" {
			return completion{}, nil
		}
		if step != nil {
			if _, err := c.eval(step, s); err != nil {
				return completion{}, err
			}
		}
	}
}

// each runs a loop over the keys or the values of an object.
func (c *call) each(n *node, s *scope) (completion, error) {
	over, err := c.eval(n.kids[0], s)
	if err != nil {
		return completion{}, err
	}
	var items []value
	switch keys := n.kids[2].op == "in"; {
	case over.kind == reference && over.object.isArray:
		for i, v := range over.object.list {
			if keys {
				v = textOf(formatNumber(float64(i)))
			}
			items = append(items, v)
		}
	case over.kind == reference && keys:
		for _, key := range over.object.keys {
			items = append(items, textOf(key))
		}
	case !keys:
		return completion{}, fmt.Errorf("TypeError: %v is not iterable", over)
	}
	for _, v := range items {
		s.vars[n.text] = v
		end, err := c.exec(n.kids[1], s)
		if err != nil || end.kind == "return" {
			return end, err
		}
		if end.kind == "break" {
			break
		}
	}
	return completion{}, nil
}

// eval evaluates an expression.
func (c *call) eval(n *node, s *scope) (value, error) {
	if err := c.step(); err != nil {
		return value{}, err
	}
	switch n.op {
	case "number":
		return numberOf(n.num), nil
	case "text":
		return textOf(n.text), nil
	case "true", "false":
		return boolOf(n.op == "true"), nil
	case "null":
		return value{kind: null}, nil
	case "undefined":
		return value{}, nil
	case "this":
		return s.this, nil
	case "name":
		if in := s.find(n.text); in != nil {
			return in.vars[n.text], nil
		}
		if v, ok := c.global(n.text); ok {
			return v, nil
		}
		return value{}, fmt.Errorf("ReferenceError: %s is not defined", n.text)
	case "function", "arrow":
		return c.closure(n, s), nil
	case "array":
		list, err := c.evalAll(n.kids, s)
		return listOf(list), err
	case "object":
		o := &object{}
		for _, k := range n.kids {
			v, err := c.eval(k.kids[0], s)
			if err != nil {
				return value{}, err
			}
			o.set(k.text, v)
		}
		return value{kind: reference, object: o}, nil
	case "member":
		of, key, err := c.evalTwo(n, s)
		if err != nil {
			return value{}, err
		}
		return member(of, key)
	case "call":
		return c.invoke(n, s)
	case "unary":
		return c.unary(n, s)
	case "=":
		return c.assign(n, s)
	case "before":
		v, err := c.eval(n.kids[1], s)
		if err == nil {
			_, err = c.eval(n.kids[0], s)
		}
		return numberOf(v.number()), err
	case "?":
		test, err := c.eval(n.kids[0], s)
		if err != nil {
			return value{}, err
		}
		if test.truthy() {
			return c.eval(n.kids[1], s)
		}
		return c.eval(n.kids[2], s)
	case "&&", "||", "??":
		left, err := c.eval(n.kids[0], s)
		if err != nil || n.op == "&&" && !left.truthy() || n.op == "||" && left.truthy() || n.op == "??" && left.kind > null {
			return left, err
		}
		return c.eval(n.kids[1], s)
	}
	a, b, err := c.evalTwo(n, s)
	if err != nil {
		return value{}, err
	}
	return binary(n.op, a, b)
}

func (c *call) evalTwo(n *node, s *scope) (a, b value, err error) {
	if a, err = c.eval(n.kids[0], s); err == nil {
		b, err = c.eval(n.kids[1], s)
	}
	return a, b, err
}

func (c *call) evalAll(nodes []*node, s *scope) ([]value, error) {
	list := make([]value, len(nodes))
	for i, n := range nodes {
		var err error
		if list[i], err = c.eval(n, s); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (c *call) invoke(n *node, s *scope) (value, error) {
	var this, f value
	var err error
	callee := n.kids[0]
	if callee.op == "member" {
		var key value
		if this, key, err = c.evalTwo(callee, s); err == nil {
			f, err = member(this, key)
		}
	} else {
		f, err = c.eval(callee, s)
	}
	if err != nil {
		return value{}, err
	}
	if f.kind != reference || f.object.call == nil {
		return value{}, fmt.Errorf("TypeError: %s is not a function", describe(callee))
	}
	args, err := c.evalAll(n.kids[1:], s)
	if err != nil {
		return value{}, err
	}
	return f.object.call(c, this, args)
}

// describe is an expression as errors name it.
func describe(n *node) string {
	switch n.op {
	case "name":
		return n.text
	case "this":
		return "this"
	case "member":
		return describe(n.kids[0]) + "." + n.kids[1].text
	}
	return "(intermediate value)"
}

func (c *call) unary(n *node, s *scope) (value, error) {
	if k := n.kids[0]; n.text == "typeof" && k.op == "name" && s.find(k.text) == nil {
		if v, ok := c.global(k.text); ok {
			return textOf(v.typeName()), nil
		}
		return textOf("undefined"), nil
	}
	v, err := c.eval(n.kids[0], s)
	if err != nil {
		return value{}, err
	}
	switch n.text {
	case "!":
		return boolOf(!v.truthy()), nil
	case "-":
		return numberOf(-v.number()), nil
	case "+":
		return numberOf(v.number()), nil
	case "~":
		return numberOf(float64(^toInt32(v.number()))), nil
	}
	return textOf(v.typeName()), nil
}

func (c *call) assign(n *node, s *scope) (value, error) {
	v, err := c.eval(n.kids[1], s)
	if err != nil {
		return value{}, err
	}
	to := n.kids[0]
	if to.op == "name" {
		in := s.find(to.text)
		for in == nil {
			if s.outer == nil {
				in = s
			}
			s = s.outer
		}
		in.vars[to.text] = v
		return v, nil
	}
	of, key, err := c.evalTwo(to, s)
	if err != nil {
		return value{}, err
	}
	if of.kind != reference {
		return value{}, fmt.Errorf("TypeError: cannot set property %v of %v", key, of)
	}
	o := of.object
	if i, ok := index(key); ok && o.isArray {
		const most = 1 << 20
		if i >= most {
			return value{}, errors.New("RangeError: invalid array length")
		}
		if i >= len(o.list) {
			o.list = append(o.list, make([]value, i+1-len(o.list))...)
		}
		o.list[i] = v
	} else {
		o.set(key.String(), v)
	}
	return v, nil
}

// index is a value as the index of an array.
func index(key value) (int, bool) {
	f := key.number()
	if key.kind != double && key.kind != str || f != math.Trunc(f) || f < 0 || f > math.MaxInt32 {
		return 0, false
	}
	return int(f), true
}

func toInt32(f float64) int32 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return int32(uint32(int64(math.Mod(f, 1<<32))))
}

// binary computes the operators that evaluate both sides.
func binary(op string, a, b value) (value, error) {
	x, y := a.number(), b.number()
	switch op {
	case ",":
		return b, nil
	case "+":
		if a.kind == str || b.kind == str || a.kind >= reference || b.kind >= reference {
			const most = 16 << 20
			s, t := a.String(), b.String()
			if len(s)+len(t) > most {
				return value{}, errors.New("RangeError: invalid string length")
			}
			return textOf(s + t), nil
		}
		return numberOf(x + y), nil
	case "-":
		return numberOf(x - y), nil
	case "*":
		return numberOf(x * y), nil
	case "/":
		return numberOf(x / y), nil
	case "%":
		return numberOf(math.Mod(x, y)), nil
	case "**":
		return numberOf(math.Pow(x, y)), nil
	case "|":
		return numberOf(float64(toInt32(x) | toInt32(y))), nil
	case "&":
		return numberOf(float64(toInt32(x) & toInt32(y))), nil
	case "^":
		return numberOf(float64(toInt32(x) ^ toInt32(y))), nil
	case "<<":
		return numberOf(float64(toInt32(x) << (uint32(toInt32(y)) & 31))), nil
	case ">>":
		return numberOf(float64(toInt32(x) >> (uint32(toInt32(y)) & 31))), nil
	case "===":
		return boolOf(strictlyEqual(a, b)), nil
	case "!==":
		return boolOf(!strictlyEqual(a, b)), nil
	case "==":
		return boolOf(looselyEqual(a, b)), nil
	case "!=":
		return boolOf(!looselyEqual(a, b)), nil
	case "in":
		if b.kind != reference {
			return value{}, fmt.Errorf("TypeError: cannot search %v", b)
		}
		i, isIndex := index(a)
		_, ok := b.object.props[a.String()]
		return boolOf(ok || b.object.isArray && isIndex && i < len(b.object.list)), nil
	}
	if a.kind == str && b.kind == str {
		x, y = float64(strings.Compare(a.str, b.str)), 0
	}
	switch op {
	case "<":
		return boolOf(x < y), nil
	case ">":
		return boolOf(x > y), nil
	case "<=":
		return boolOf(x <= y), nil
	}
	return boolOf(x >= y), nil
}

// sleep pauses the program.
func (c *call) sleep(ms float64) error {
	if ms <= 0 || math.IsNaN(ms) {
		return nil
	}
	timer := time.NewTimer(time.Duration(min(ms, 1e9) * float64(time.Millisecond)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

// argument is the i-th argument, or undefined.
func argument(args []value, i int) value {
	if i < len(args) {
		return args[i]
	}
	return value{}
}

// sorted is a copy in the order of a comparison function, or of strings.
func (c *call) sorted(list []value, compare value) (out []value, err error) {
	out = slices.Clone(list)
	slices.SortStableFunc(out, func(a, b value) int {
		if compare.kind != reference || compare.object.call == nil {
			return strings.Compare(a.String(), b.String())
		}
		v, e := compare.object.call(c, value{}, []value{a, b})
		if err = errors.Join(err, e); e != nil {
			return 0
		}
		switch f := v.number(); {
		case f < 0:
			return -1
		case f > 0:
			return 1
		}
		return 0
	})
	return out, err
}
