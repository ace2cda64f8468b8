package query

import (
	"maps"
	"slices"

	"github.com/motor-go/motor/bson"
)

// operator is one kind of expression.
type operator struct {
	// since is the server version that brought it; zero for 3.6 and older.
	since Version
	// least and most bound the number of arguments; most is unlimited if
	// negative.
	least, most int
	// apply computes the value of an operator that evaluates all its arguments.
	apply func(env *Env, args []bson.RawValue) (bson.RawValue, error)
	// parse reads the operators that do not.
	parse func(p *expressionParser, name string, v bson.RawValue) (*expression, error)
}

var operators = map[string]operator{}

func init() {
	for _, table := range []map[string]operator{
		arithmeticOperators, logicOperators, stringOperators, regexOperators, arrayOperators,
		iterationOperators, setOperators, dateOperators, convertOperators, objectOperators,
		accumulatorOperators, miscOperators,
	} {
		maps.Copy(operators, table)
	}
}

// unary, dyadic and variadic are operators with so many arguments.
func unary(apply func(v bson.RawValue) (bson.RawValue, error)) operator {
	return operator{least: 1, most: 1, apply: func(_ *Env, args []bson.RawValue) (bson.RawValue, error) {
		return apply(args[0])
	}}
}

func dyadic(apply func(a, b bson.RawValue) (bson.RawValue, error)) operator {
	return operator{least: 2, most: 2, apply: func(_ *Env, args []bson.RawValue) (bson.RawValue, error) {
		return apply(args[0], args[1])
	}}
}

func variadic(apply func(args []bson.RawValue) (bson.RawValue, error)) operator {
	return operator{most: -1, apply: func(_ *Env, args []bson.RawValue) (bson.RawValue, error) {
		return apply(args)
	}}
}

func (o operator) from(major, minor int) operator {
	o.since = Version{major, minor}
	return o
}

func (o operator) takes(least, most int) operator {
	o.least, o.most = least, most
	return o
}

func knownOperator(name string, env *Env) bool {
	op, ok := operators[name]
	return ok && env.Version.AtLeast(op.since.Major, op.since.Minor)
}

func (p *expressionParser) operator(name string, v bson.RawValue) (*expression, error) {
	if !knownOperator(name, p.env) {
		return nil, errorf(codeInvalidPipelineOperator, "Unrecognized expression '%s'", name)
	}
	op := operators[name]
	if op.parse != nil {
		return op.parse(p, name, v)
	}
	args, err := p.arguments(name, v, op.least, op.most)
	if err != nil {
		return nil, err
	}
	return p.call(args, op.apply), nil
}

// call is a pure function of args.
func (p *expressionParser) call(args []*expression, apply func(*Env, []bson.RawValue) (bson.RawValue, error)) *expression {
	return &expression{args: args, pure: true, eval: func(s *scope) (bson.RawValue, error) {
		values, err := evalAll(s, args)
		if err != nil {
			return missing, err
		}
		return apply(s.env, values)
	}}
}

// arguments parses an array of arguments, or a single one.
func (p *expressionParser) arguments(name string, v bson.RawValue, least, most int) ([]*expression, error) {
	list := []bson.RawValue{v}
	if isArray(v) {
		list = elements(v)
	}
	if n := len(list); n < least || most >= 0 && n > most {
		if least == most {
			return nil, errorf(16020, "Expression %s takes exactly %d arguments. %d were passed in.", name, least, n)
		}
		if most < 0 {
			return nil, errorf(28667, "Expression %s takes at least %d arguments, but %d were passed in.", name, least, n)
		}
		return nil, errorf(28667, "Expression %s takes at least %d arguments, and at most %d, but %d were passed in.", name, least, most, n)
	}
	return p.operands(list)
}

// namedArguments parses the fields of an object. notObject and unknown make the
// errors for something else and for a field that is not among the names.
func (p *expressionParser) namedArguments(v bson.RawValue, notObject func() error, unknown func(field string) error, names ...string) (map[string]*expression, error) {
	if !isObject(v) {
		return nil, notObject()
	}
	args := map[string]*expression{}
	for _, f := range fields(v.Value) {
		if !slices.Contains(names, f.key) {
			return nil, unknown(f.key)
		}
		e, err := p.operand(f.value)
		if err != nil {
			return nil, err
		}
		args[f.key] = e
	}
	return args, nil
}

// present are the arguments that are there, in the order of the names.
func present(args map[string]*expression, names ...string) []*expression {
	var list []*expression
	for _, n := range names {
		if args[n] != nil {
			list = append(list, args[n])
		}
	}
	return list
}
