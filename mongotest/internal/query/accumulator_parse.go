package query

import (
	"math"
	"strings"

	"github.com/motor-go/motor/bson"
)

// accumulation is an accumulator at work: it is fed with documents.
type accumulation struct {
	feed  func(s *scope) error
	value func() bson.RawValue
}

// accumulatorField is one field of $group and its like.
type accumulatorField struct {
	name string
	// args are the expressions within, to be optimized.
	args []*expression
	// start begins anew; s has the group's _id as its document.
	start func(s *scope) (accumulation, error)
}

// parseAccumulatorField reads {field: {$operator: argument}}.
func parseAccumulatorField(name string, v bson.RawValue, env *Env) (accumulatorField, error) {
	f := accumulatorField{name: name}
	switch {
	case strings.Contains(name, "."):
		return f, errorf(40235, "The field name '%s' cannot contain '.'", name)
	case strings.HasPrefix(name, "$"):
		return f, errorf(40236, "The field name '%s' cannot be an operator name", name)
	case !isObject(v) || bson.Raw(v.Value).Len() == 0:
		return f, errorf(40234, "The field '%s' must be an accumulator object", name)
	case bson.Raw(v.Value).Len() > 1:
		return f, errorf(40238, "The field '%s' must specify one accumulator", name)
	}
	spec := fields(v.Value)[0]
	return f, f.parse(spec.key, spec.value, env)
}

// parse reads the accumulator's argument.
func (f *accumulatorField) parse(op string, arg bson.RawValue, env *Env) error {
	switch op {
	case "$count":
		if env.Version.AtLeast(5, 0) {
			return f.parseCount(arg)
		}
	case "$firstN", "$lastN", "$minN", "$maxN":
		if env.Version.AtLeast(5, 2) {
			return f.parseN(op, arg, env)
		}
	case "$top", "$topN", "$bottom", "$bottomN":
		if env.Version.AtLeast(5, 2) {
			return f.parseTop(op, arg, env)
		}
	case "$percentile", "$median":
		if env.Version.AtLeast(7, 0) {
			return f.parsePercentile(op, arg, env)
		}
	case "$accumulator":
		return &Error{Code: 31264, Message: "Cannot run server-side javascript without the javascript engine enabled", bare: true}
	}
	create := newAccumulators[op]
	if create == nil {
		return errorf(15952, "unknown group operator '%s'", op)
	}
	if isArray(arg) && bson.RawArray(arg.Value).Len() != 1 {
		return errorf(40237, "The %s accumulator is a unary operator", op)
	}
	if isArray(arg) {
		arg = elements(arg)[0]
	}
	expr, err := parseExpression(arg, env)
	f.args = []*expression{expr}
	f.start = func(*scope) (accumulation, error) { return feeding(create(env), expr), nil }
	return err
}

// feeding adds the value of an expression on each document.
func feeding(acc accumulator, expr *expression) accumulation {
	return accumulation{value: acc.value, feed: func(s *scope) error {
		v, err := expr.eval(s)
		if err != nil {
			return err
		}
		return acc.add(v)
	}}
}

func (f *accumulatorField) parseCount(arg bson.RawValue) error {
	if !isObject(arg) || bson.Raw(arg.Value).Len() > 0 {
		return errorf(codeTypeMismatch, "$count takes no arguments, i.e. $count:{}")
	}
	f.start = func(*scope) (accumulation, error) {
		return feeding(&countAccumulator{}, constantExpr(null)), nil
	}
	return nil
}

func parseNArguments(op string, arg bson.RawValue, env *Env, names ...string) (map[string]bson.RawValue, *expression, error) {
	if !isObject(arg) {
		return nil, nil, errorf(5787900, "specification must be an object; found %s", formatElement(op, arg))
	}
	named, err := fieldsOf(arg.Value, func(field string) error {
		return errorf(5787901, "Unknown argument for '%s' operator: %s", op, field)
	}, append(names, "n")...)
	if err != nil {
		return nil, nil, err
	}
	for _, field := range names {
		if isMissing(named[field]) {
			return nil, nil, errorf(5787907, "Missing value for '%s'", field)
		}
	}
	if isMissing(named["n"]) {
		return nil, nil, errorf(5787906, "Missing value for 'n'")
	}
	n, err := parseExpression(named["n"], env)
	return named, n, err
}

func (f *accumulatorField) parseN(op string, arg bson.RawValue, env *Env) error {
	named, n, err := parseNArguments(op, arg, env, "input")
	if err != nil {
		return err
	}
	input, err := parseExpression(named["input"], env)
	f.args = []*expression{n, input}
	f.start = func(s *scope) (accumulation, error) {
		v, err := n.eval(s)
		if err != nil {
			return accumulation{}, err
		}
		count, err := positiveCount(v, op)
		return feeding(&nAccumulator{name: op, n: count, collation: env.Collation}, input), err
	}
	return err
}

// parseNOperator parses $firstN and its like as expressions over an array.
func parseNOperator(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	named, _, err := parseNArguments(name, v, p.env, "input")
	if err != nil {
		return nil, err
	}
	args, err := p.operands([]bson.RawValue{named["n"], named["input"]})
	if err != nil {
		return nil, err
	}
	return p.call(args, func(env *Env, values []bson.RawValue) (bson.RawValue, error) {
		n, err := positiveCount(values[0], name)
		if err != nil {
			return missing, err
		}
		if isNullish(values[1]) {
			return null, nil
		}
		if !isArray(values[1]) {
			return missing, errorf(5788200, "input must be an array")
		}
		acc := &nAccumulator{name: name, n: n, collation: env.Collation}
		for e := range bson.RawArray(values[1].Value).Values() {
			if err := acc.add(e); err != nil {
				return missing, err
			}
		}
		return acc.value(), nil
	}), nil
}

func (f *accumulatorField) parseTop(op string, arg bson.RawValue, env *Env) error {
	single := op == "$top" || op == "$bottom"
	names := []string{"sortBy", "output"}
	n := constantExpr(int32Value(1))
	if !isObject(arg) {
		return errorf(5788001, "specification must be an object; found %s", formatElement(op, arg))
	}
	if !single {
		names = append(names, "n")
	}
	named, err := fieldsOf(arg.Value, func(field string) error {
		return errorf(5788002, "Unknown argument to %s '%s'", op, field)
	}, names...)
	if err != nil {
		return err
	}
	for i, field := range names {
		if isMissing(named[field]) {
			return errorf(5788003+int32(i), "Missing value for '%s'", field)
		}
	}
	if !isObject(named["sortBy"]) {
		return errorf(10065, "invalid parameter: expected an object (sortBy)")
	}
	order, err := ParseSort(named["sortBy"].Value, env)
	if err != nil {
		return err
	}
	if order == nil {
		return errorf(codeBadValue, "%s requires a non-empty 'sortBy'", op)
	}
	output, err := parseExpression(named["output"], env)
	if err != nil {
		return err
	}
	if !single {
		if n, err = parseExpression(named["n"], env); err != nil {
			return err
		}
	}
	f.args = []*expression{output, n}
	f.start = func(s *scope) (accumulation, error) {
		v, err := n.eval(s)
		if err != nil {
			return accumulation{}, err
		}
		count, err := positiveCount(v, op)
		if err != nil {
			return accumulation{}, err
		}
		acc := &topAccumulator{bottom: strings.HasPrefix(op, "$bottom"), single: single, n: count}
		return accumulation{value: acc.value, feed: func(s *scope) error {
			key, err := order.Key(s.root.Value)
			if err != nil {
				return err
			}
			out, err := output.eval(s)
			acc.addEntry(topEntry{key, out})
			return err
		}}, nil
	}
	return nil
}

func (f *accumulatorField) parsePercentile(op string, arg bson.RawValue, env *Env) error {
	input, p, err := percentileArguments(op, arg, env)
	if err != nil {
		return err
	}
	expr, err := parseExpression(input, env)
	f.args = []*expression{expr}
	f.start = func(*scope) (accumulation, error) {
		return feeding(&percentileAccumulator{p: p, median: op == "$median"}, expr), nil
	}
	return err
}

func percentileArguments(op string, arg bson.RawValue, env *Env) (input bson.RawValue, p []float64, err error) {
	if !isObject(arg) {
		return input, nil, errorf(7436100, "specification must be an object; found %s", formatElement(op, arg))
	}
	names := []string{"input", "method", "p"}
	if op == "$median" {
		names = names[:2]
	}
	named, err := fieldsOf(arg.Value, func(field string) error {
		return errorf(40415, "BSON field '%s.%s' is an unknown field.", op, field)
	}, names...)
	if err != nil {
		return input, nil, err
	}
	for _, field := range names {
		if isMissing(named[field]) {
			return input, nil, errorf(40414, "BSON field '%s.%s' is missing but a required field", op, field)
		}
	}
	switch method := text(named["method"]); {
	case method == "approximate", env.Version.AtLeast(8, 1) && (method == "discrete" || method == "continuous"):
	default:
		return input, nil, errorf(codeBadValue, "Currently only 'approximate' can be used as percentile 'method'.")
	}
	if op == "$median" {
		return named["input"], []float64{0.5}, nil
	}
	list, err := parseExpression(named["p"], env)
	if err != nil {
		return input, nil, err
	}
	if err := list.optimize(env); err != nil {
		return input, nil, err
	}
	if !list.constant {
		return input, nil, errorf(7750300, "The $percentile 'p' field must be an array of constant values, but found value: %s.", formatValue(named["p"]))
	}
	v, _ := list.eval(nil)
	for _, e := range elements(v) {
		f := toDouble(e)
		if !e.IsNumber() || math.IsNaN(f) || f < 0 || f > 1 {
			return input, nil, errorf(7750303, "The $percentile 'p' field must be an array of numbers from [0.0, 1.0], but found: %s", formatValue(e))
		}
		p = append(p, f)
	}
	if !isArray(v) || len(p) == 0 {
		return input, nil, errorf(7750301, "The $percentile 'p' field must be an array of numbers from [0.0, 1.0], but found: %s", formatValue(v))
	}
	return named["input"], p, nil
}

func parsePercentileOperator(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	input, ps, err := percentileArguments(name, v, p.env)
	if err != nil {
		return nil, err
	}
	arg, err := p.operand(input)
	if err != nil {
		return nil, err
	}
	return p.call([]*expression{arg}, func(_ *Env, values []bson.RawValue) (bson.RawValue, error) {
		acc := &percentileAccumulator{p: ps, median: name == "$median"}
		list := values
		if isArray(values[0]) {
			list = elements(values[0])
		}
		for _, e := range list {
			if err := acc.add(e); err != nil {
				return missing, err
			}
		}
		return acc.value(), nil
	}), nil
}
