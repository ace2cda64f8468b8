package query

import (
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

// expression is a parsed aggregation expression.
type expression struct {
	eval func(*scope) (bson.RawValue, error)
	// args are the expressions within, which optimize looks through.
	args []*expression
	// pure says that the value depends on args alone.
	pure     bool
	constant bool
	// reads says that the expression is a path in the document, which begins
	// with the field; that is empty for the whole document.
	reads bool
	field string
}

// fields adds the top-level fields that the expression reads.
func (e *expression) fields(set map[string]bool) {
	if e.field != "" {
		set[e.field] = true
	}
	for _, a := range e.args {
		a.fields(set)
	}
}

// scope is what an expression is evaluated in.
type scope struct {
	env  *Env
	root bson.RawValue
	vars *variable
}

// variable is one of a chain of bindings, the innermost first.
type variable struct {
	name  string
	value bson.RawValue
	next  *variable
}

func newScope(env *Env, doc bson.Raw) *scope { return &scope{env: env, root: documentValue(doc)} }

// with adds a binding.
func (s *scope) with(name string, v bson.RawValue) *scope {
	inner := *s
	inner.vars = &variable{name, v, s.vars}
	return &inner
}

func (s *scope) lookup(name string) bson.RawValue {
	for v := s.vars; v != nil; v = v.next {
		if v.name == name {
			return v.value
		}
	}
	if name == "ROOT" || name == "CURRENT" {
		return s.root
	}
	return s.env.outer[name]
}

func constantExpr(v bson.RawValue) *expression {
	return &expression{constant: true, eval: func(*scope) (bson.RawValue, error) { return v, nil }}
}

// optimize evaluates what depends on no document. That fails where the
// evaluation does, as it does in the server.
func (e *expression) optimize(env *Env) error {
	constant := e.pure
	for _, a := range e.args {
		if err := a.optimize(env); err != nil {
			return err
		}
		constant = constant && a.constant
	}
	if !constant || e.constant {
		return nil
	}
	v, err := e.eval(newScope(env, emptyDoc))
	if err == nil {
		*e = *constantExpr(v)
	}
	return err
}

// evalAll evaluates several expressions.
func evalAll(s *scope, exprs []*expression) ([]bson.RawValue, error) {
	values := make([]bson.RawValue, len(exprs))
	for i, e := range exprs {
		v, err := e.eval(s)
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	return values, nil
}

// evalNamed evaluates an argument that may not be there; it is missing then.
func evalNamed(s *scope, e *expression) (bson.RawValue, error) {
	if e == nil {
		return missing, nil
	}
	return e.eval(s)
}

// expressionParser makes expressions. vars are the variables that the
// expressions around define.
type expressionParser struct {
	env  *Env
	vars []string
}

func parseExpression(v bson.RawValue, env *Env) (*expression, error) {
	return (&expressionParser{env: env}).operand(v)
}

func (p *expressionParser) with(names ...string) *expressionParser {
	return &expressionParser{env: p.env, vars: append(slices.Clip(p.vars), names...)}
}

// operand parses any value that stands for an expression.
func (p *expressionParser) operand(v bson.RawValue) (*expression, error) {
	switch {
	case isString(v) && strings.HasPrefix(text(v), "$"):
		return p.fieldPath(text(v))
	case isObject(v):
		return p.object(v.Value)
	case isArray(v):
		return p.array(v)
	}
	return constantExpr(v), nil
}

func (p *expressionParser) array(v bson.RawValue) (*expression, error) {
	args, err := p.operands(elements(v))
	return &expression{args: args, pure: true, eval: func(s *scope) (bson.RawValue, error) {
		values, err := evalAll(s, args)
		return arrayValue(values), err
	}}, err
}

func (p *expressionParser) operands(values []bson.RawValue) ([]*expression, error) {
	var args []*expression
	for _, v := range values {
		a, err := p.operand(v)
		if err != nil {
			return nil, err
		}
		args = append(args, a)
	}
	return args, nil
}

// object parses an operator or an object literal.
func (p *expressionParser) object(doc bson.Raw) (*expression, error) {
	list := fields(doc)
	if len(list) > 0 && strings.HasPrefix(list[0].key, "$") {
		if len(list) != 1 {
			return nil, errorf(15983, "an object representing an expression must have exactly one field: %s", FormatDocument(doc))
		}
		return p.operator(list[0].key, list[0].value)
	}
	seen := map[string]bool{}
	args := make([]*expression, len(list))
	for i, f := range list {
		if err := checkFieldName(f.key); err != nil {
			return nil, err
		}
		if strings.Contains(f.key, ".") {
			return nil, errorf(16412, "FieldPath field names may not contain '.'.")
		}
		if seen[f.key] {
			return nil, errorf(16406, "duplicate field name specified in object literal: %s", FormatDocument(doc))
		}
		seen[f.key] = true
		var err error
		if args[i], err = p.operand(f.value); err != nil {
			return nil, err
		}
	}
	return &expression{args: args, pure: true, eval: func(s *scope) (bson.RawValue, error) {
		dst, at := bson.BeginDocument(nil)
		for i, a := range args {
			v, err := a.eval(s)
			if err != nil {
				return missing, err
			}
			if !isMissing(v) {
				dst = bson.AppendValue(dst, list[i].key, v)
			}
		}
		return documentValue(bson.EndDocument(dst, at)), nil
	}}, nil
}

// fieldPath parses "$a.b" and "$$variable.a".
func (p *expressionParser) fieldPath(s string) (*expression, error) {
	name, path, dotted := "CURRENT", s[1:], true
	if strings.HasPrefix(path, "$") {
		name, path, dotted = strings.Cut(path[1:], ".")
		if err := p.checkReadable(name); err != nil {
			return nil, err
		}
	} else if path == "" {
		return nil, errorf(16872, "'$' by itself is not a valid FieldPath")
	}
	var parts []string
	if dotted {
		if err := checkFieldPath(path); err != nil {
			return nil, err
		}
		parts = splitPath(path)
	}
	return p.variable(name, parts)
}

func (p *expressionParser) variable(name string, path []string) (*expression, error) {
	at := func(v bson.RawValue) *expression { return constantExpr(valueAt(v, path)) }
	_, outer := p.env.outer[name]
	switch {
	case slices.Contains(p.vars, name), name == "ROOT", name == "CURRENT", outer:
	case name == "REMOVE":
		return constantExpr(missing), nil
	case name == "NOW" && p.env.Version.AtLeast(4, 2):
		return at(dateValue(p.env.Now)), nil
	case name == "CLUSTER_TIME" && p.env.Version.AtLeast(4, 2):
		if p.env.ClusterTime.IsZero() {
			return nil, errorf(51144, "Builtin variable '$$CLUSTER_TIME' is not available")
		}
		return at(timestampValue(p.env.ClusterTime)), nil
	case name == "SEARCH_META" && p.env.Version.AtLeast(4, 4):
		return constantExpr(missing), nil
	case name == "USER_ROLES" && p.env.Version.AtLeast(7, 0):
		return constantExpr(arrayValue(nil)), nil
	case !isMissing(p.env.Let.Lookup(name)):
		v, err := p.env.letValue(p.env.Let.Lookup(name))
		return at(v), err
	default:
		return nil, errorf(17276, "Use of undefined variable: %s", name)
	}
	e := &expression{eval: func(s *scope) (bson.RawValue, error) { return valueAt(s.lookup(name), path), nil }}
	e.reads = !slices.Contains(p.vars, name) && !outer
	if e.reads && len(path) > 0 {
		e.field = path[0]
	}
	return e, nil
}

// CheckLet checks the names and the expressions of the variables that a command
// brings, used or not.
func (e *Env) CheckLet() error {
	for _, f := range fields(e.Let) {
		if err := checkVariableName(f.key); err != nil {
			return err
		}
		if _, err := e.letValue(f.value); err != nil {
			return err
		}
	}
	return nil
}

// letValue evaluates a variable of the command. It depends on no document.
func (e *Env) letValue(v bson.RawValue) (bson.RawValue, error) {
	env := *e
	env.Let = nil
	expr, err := parseExpression(v, &env)
	if err != nil {
		return missing, err
	}
	if expr.readsDocument() {
		return missing, errorf(4890500, "Command let Expression tried to access a field, but this is not allowed because command let expressions run before the query examines any documents.")
	}
	return expr.eval(newScope(&env, emptyDoc))
}

func (e *expression) readsDocument() bool {
	return e.reads || slices.ContainsFunc(e.args, (*expression).readsDocument)
}

func (p *expressionParser) checkReadable(name string) error {
	if name == "" {
		return errorf(16869, "empty variable names are not allowed")
	}
	if !isLetter(name[0]) && name[0] < 0x80 {
		return errorf(16870, "'%s' starts with an invalid character for a variable name", name)
	}
	if c := strings.IndexFunc(name, invalidInVariable); c >= 0 {
		return errorf(16871, "'%s' contains an invalid character for a variable name: '%c'", name, name[c])
	}
	return nil
}

// checkVariableName checks a name that the user defines.
func checkVariableName(name string) error {
	switch {
	case name == "CURRENT":
		return nil
	case name == "":
		return errorf(16866, "empty variable names are not allowed")
	case !(name[0] >= 'a' && name[0] <= 'z') && name[0] < 0x80:
		return errorf(16867, "'%s' starts with an invalid character for a user variable name", name)
	}
	if c := strings.IndexFunc(name, invalidInVariable); c >= 0 {
		return errorf(16868, "'%s' contains an invalid character for a variable name: '%c'", name, name[c])
	}
	return nil
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func invalidInVariable(r rune) bool {
	return r < 0x80 && !isLetter(byte(r)) && !(r >= '0' && r <= '9') && r != '_'
}

// valueAt follows a path. An array stands for those of its documents that have
// the path.
func valueAt(v bson.RawValue, path []string) bson.RawValue {
	for i, name := range path {
		switch {
		case isObject(v):
			v = bson.Raw(v.Value).Lookup(name)
		case isArray(v):
			var found []bson.RawValue
			for e := range bson.RawArray(v.Value).Values() {
				if !isObject(e) {
					continue
				}
				if inner := valueAt(e, path[i:]); !isMissing(inner) {
					found = append(found, inner)
				}
			}
			return arrayValue(found)
		default:
			return missing
		}
	}
	return v
}
