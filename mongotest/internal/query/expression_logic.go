package query

import (
	"github.com/motor-go/motor/bson"
)

var logicOperators = map[string]operator{
	"$eq":      comparing(func(c int) bson.RawValue { return boolValue(c == 0) }),
	"$ne":      comparing(func(c int) bson.RawValue { return boolValue(c != 0) }),
	"$lt":      comparing(func(c int) bson.RawValue { return boolValue(c < 0) }),
	"$lte":     comparing(func(c int) bson.RawValue { return boolValue(c <= 0) }),
	"$gt":      comparing(func(c int) bson.RawValue { return boolValue(c > 0) }),
	"$gte":     comparing(func(c int) bson.RawValue { return boolValue(c >= 0) }),
	"$cmp":     comparing(func(c int) bson.RawValue { return int32Value(int32(min(max(c, -1), 1))) }),
	"$not":     unary(func(v bson.RawValue) (bson.RawValue, error) { return boolValue(!truthy(v)), nil }),
	"$and":     {parse: parseJunction},
	"$or":      {parse: parseJunction},
	"$cond":    {parse: parseCond},
	"$ifNull":  {parse: parseIfNull},
	"$switch":  {parse: parseSwitch},
	"$let":     {parse: parseLet},
	"$literal": {parse: parseLiteral},
	"$const":   {parse: parseLiteral},
}

func comparing(result func(int) bson.RawValue) operator {
	return operator{least: 2, most: 2, apply: func(env *Env, args []bson.RawValue) (bson.RawValue, error) {
		return result(Compare(args[0], args[1], env.Collation)), nil
	}}
}

// parseJunction parses $and and $or, which stop at the first argument that
// decides.
func parseJunction(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	args, err := p.arguments(name, v, 0, -1)
	decisive := name == "$or"
	return &expression{args: args, pure: true, eval: func(s *scope) (bson.RawValue, error) {
		for _, a := range args {
			v, err := a.eval(s)
			if err != nil {
				return missing, err
			}
			if truthy(v) == decisive {
				return boolValue(decisive), nil
			}
		}
		return boolValue(!decisive), nil
	}}, err
}

func parseCond(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	var args []*expression
	if isObject(v) && !isOperators(v, false) {
		named, err := p.namedArguments(v, nil, func(field string) error {
			return errorf(17083, "Unrecognized parameter to $cond: %s", field)
		}, "if", "then", "else")
		if err != nil {
			return nil, err
		}
		for i, field := range []string{"if", "then", "else"} {
			if named[field] == nil {
				return nil, errorf(17080+int32(i), "Missing '%s' parameter to $cond", field)
			}
			args = append(args, named[field])
		}
	} else {
		var err error
		if args, err = p.arguments(name, v, 3, 3); err != nil {
			return nil, err
		}
	}
	return &expression{args: args, pure: true, eval: func(s *scope) (bson.RawValue, error) {
		cond, err := args[0].eval(s)
		if err != nil {
			return missing, err
		}
		if truthy(cond) {
			return args[1].eval(s)
		}
		return args[2].eval(s)
	}}, nil
}

func parseIfNull(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	most := 2
	if p.env.Version.AtLeast(5, 0) {
		most = -1
	}
	if n := argumentCount(v); most < 0 && n < 2 {
		return nil, errorf(1257300, "$ifNull needs at least two arguments, had: %d", n)
	}
	args, err := p.arguments(name, v, 2, most)
	return &expression{args: args, pure: true, eval: func(s *scope) (v bson.RawValue, err error) {
		for _, a := range args {
			if v, err = a.eval(s); err != nil || !isNullish(v) {
				break
			}
		}
		return v, err
	}}, err
}

func argumentCount(v bson.RawValue) int {
	if isArray(v) {
		return bson.RawArray(v.Value).Len()
	}
	return 1
}

func parseLiteral(_ *expressionParser, _ string, v bson.RawValue) (*expression, error) {
	return constantExpr(v), nil
}

// parseSwitch parses $switch. It is not folded, even if all is constant.
func parseSwitch(p *expressionParser, _ string, v bson.RawValue) (*expression, error) {
	if !isObject(v) {
		return nil, errorf(40060, "$switch requires an object as an argument, found: %s", TypeName(v.Type))
	}
	var cases, thens []*expression
	var otherwise *expression
	for _, f := range fields(v.Value) {
		var err error
		switch f.key {
		case "branches":
			if !isArray(f.value) {
				return nil, errorf(40061, "$switch expected an array for 'branches', found: %s", TypeName(f.value.Type))
			}
			for _, b := range elements(f.value) {
				c, then, err := p.branch(b)
				if err != nil {
					return nil, err
				}
				cases, thens = append(cases, c), append(thens, then)
			}
		case "default":
			if otherwise, err = p.operand(f.value); err != nil {
				return nil, err
			}
		default:
			return nil, errorf(40067, "$switch found an unknown argument: %s", f.key)
		}
	}
	if len(cases) == 0 {
		return nil, errorf(40068, "$switch requires at least one branch.")
	}
	args := append(append([]*expression{}, cases...), thens...)
	if otherwise != nil {
		args = append(args, otherwise)
	}
	return &expression{args: args, eval: func(s *scope) (bson.RawValue, error) {
		for i, c := range cases {
			v, err := c.eval(s)
			if err != nil {
				return missing, err
			}
			if truthy(v) {
				return thens[i].eval(s)
			}
		}
		if otherwise == nil {
			return missing, errorf(40066, "$switch could not find a matching branch for an input, and no default was specified.")
		}
		return otherwise.eval(s)
	}}, nil
}

func (p *expressionParser) branch(v bson.RawValue) (condition, then *expression, err error) {
	args, err := p.namedArguments(v, func() error {
		return errorf(40062, "$switch requires each branch to be an object, found: %s", TypeName(v.Type))
	}, func(field string) error {
		return errorf(40063, "$switch found an unknown argument to a branch: %s", field)
	}, "case", "then")
	switch {
	case err != nil:
		return nil, nil, err
	case args["case"] == nil:
		return nil, nil, errorf(40064, "$switch requires each branch have a 'case' expression")
	case args["then"] == nil:
		return nil, nil, errorf(40065, "$switch requires each branch have a 'then' expression.")
	}
	return args["case"], args["then"], nil
}

func parseLet(p *expressionParser, _ string, v bson.RawValue) (*expression, error) {
	if !isObject(v) {
		return nil, errorf(16874, "$let only supports an object as its argument")
	}
	var vars, in bson.RawValue
	for _, f := range fields(v.Value) {
		switch f.key {
		case "vars":
			vars = f.value
		case "in":
			in = f.value
		default:
			return nil, errorf(16875, "Unrecognized parameter to $let: %s", f.key)
		}
	}
	switch {
	case isMissing(vars):
		return nil, errorf(16876, "Missing 'vars' parameter to $let")
	case isMissing(in):
		return nil, errorf(16877, "Missing 'in' parameter to $let")
	case !isObject(vars):
		return nil, errorf(10065, "invalid parameter: expected an object (vars)")
	}
	var names []string
	var values []*expression
	for _, f := range fields(vars.Value) {
		if err := checkVariableName(f.key); err != nil {
			return nil, err
		}
		e, err := p.operand(f.value)
		if err != nil {
			return nil, err
		}
		names, values = append(names, f.key), append(values, e)
	}
	body, err := p.with(names...).operand(in)
	return &expression{args: append(append([]*expression{}, values...), body), eval: func(s *scope) (bson.RawValue, error) {
		inner := s
		for i, e := range values {
			v, err := e.eval(s)
			if err != nil {
				return missing, err
			}
			inner = inner.with(names[i], v)
		}
		return body.eval(inner)
	}}, err
}
