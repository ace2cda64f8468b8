package query

import (
	"bytes"
	"slices"

	"github.com/motor-go/motor/bson"
)

// iterationOperators evaluate an expression for each element of an array.
var iterationOperators = map[string]operator{
	"$map":       {parse: parseMap},
	"$filter":    {parse: parseFilterOperator},
	"$reduce":    {parse: parseReduce},
	"$zip":       {parse: parseZip},
	"$sortArray": {since: Version{5, 2}, parse: parseSortArray},
}

// iteration is what $map and $filter have in common: an input, the name of the
// element and an expression on it.
type iteration struct {
	input, each, limit *expression
	as                 string
}

// fieldsOf are the fields of v by name. unknown makes the error for a field
// that is not among the names.
func fieldsOf(doc bson.Raw, unknown func(field string) error, names ...string) (map[string]bson.RawValue, error) {
	out := map[string]bson.RawValue{}
	for _, f := range fields(doc) {
		if !slices.Contains(names, f.key) {
			return nil, unknown(f.key)
		}
		out[f.key] = f.value
	}
	return out, nil
}

func parseMap(p *expressionParser, _ string, v bson.RawValue) (*expression, error) {
	if !isObject(v) {
		return nil, errorf(16878, "$map only supports an object as its argument")
	}
	named, err := fieldsOf(v.Value, func(field string) error {
		return errorf(16879, "Unrecognized parameter to $map: %s", field)
	}, "input", "as", "in")
	switch {
	case err != nil:
		return nil, err
	case isMissing(named["input"]):
		return nil, errorf(16880, "Missing 'input' parameter to $map")
	case isMissing(named["in"]):
		return nil, errorf(16882, "Missing 'in' parameter to $map")
	}
	it, err := p.iteration(named["input"], named["as"], named["in"])
	if err != nil {
		return nil, err
	}
	return &expression{args: []*expression{it.input, it.each}, eval: func(s *scope) (bson.RawValue, error) {
		input, err := it.input.eval(s)
		if err != nil || isNullish(input) {
			return null, err
		}
		if !isArray(input) {
			return missing, errorf(16883, "input to $map must be an array not %s", TypeName(input.Type))
		}
		dst, at := bson.BeginDocument(nil)
		i := 0
		for e := range bson.RawArray(input.Value).Values() {
			v, err := it.each.eval(s.with(it.as, e))
			if err != nil {
				return missing, err
			}
			dst = appendIndexed(dst, i, v)
			if len(dst) > maxArraySize {
				return missing, errorf(codeExceededMemoryLimit, "$map would use too much memory (%d bytes)", len(dst))
			}
			i++
		}
		return bson.RawValue{Type: bson.TypeArray, Value: bson.EndDocument(dst, at)}, nil
	}}, nil
}

func (p *expressionParser) iteration(input, as, each bson.RawValue) (it iteration, err error) {
	it.as = "this"
	if !isMissing(as) {
		it.as = text(as)
		if err := checkVariableName(it.as); err != nil {
			return it, err
		}
	}
	if it.input, err = p.operand(input); err != nil {
		return it, err
	}
	it.each, err = p.with(it.as).operand(each)
	return it, err
}

func parseFilterOperator(p *expressionParser, _ string, v bson.RawValue) (*expression, error) {
	if !isObject(v) {
		return nil, errorf(28646, "$filter only supports an object as its argument")
	}
	names := []string{"input", "as", "cond"}
	if p.env.Version.AtLeast(5, 2) {
		names = append(names, "limit")
	}
	named, err := fieldsOf(v.Value, func(field string) error {
		return errorf(28647, "Unrecognized parameter to $filter: %s", field)
	}, names...)
	switch {
	case err != nil:
		return nil, err
	case isMissing(named["input"]):
		return nil, errorf(28648, "Missing 'input' parameter to $filter")
	case isMissing(named["cond"]):
		return nil, errorf(28650, "Missing 'cond' parameter to $filter")
	}
	it, err := p.iteration(named["input"], named["as"], named["cond"])
	if err != nil {
		return nil, err
	}
	args := []*expression{it.input, it.each}
	if limit := named["limit"]; !isMissing(limit) {
		if it.limit, err = p.operand(limit); err != nil {
			return nil, err
		}
		args = append(args, it.limit)
	}
	return &expression{args: args, eval: it.filter}, nil
}

func (it iteration) filter(s *scope) (bson.RawValue, error) {
	input, err := it.input.eval(s)
	if err != nil || isNullish(input) {
		return null, err
	}
	if !isArray(input) {
		return missing, errorf(28651, "input to $filter must be an array not %s", TypeName(input.Type))
	}
	limit, err := evalNamed(s, it.limit)
	if err != nil {
		return missing, err
	}
	most := -1
	if !isNullish(limit) {
		n, ok := wholeNumber(limit)
		if !ok || n != int64(int32(n)) {
			return missing, errorf(327391, "$filter: limit must be represented as a 32-bit integral value: %s", formatDense(limit))
		}
		if n <= 0 {
			return missing, errorf(327392, "$filter: limit must be greater than 0: %d", n)
		}
		most = int(n)
	}
	var kept []bson.RawValue
	for e := range bson.RawArray(input.Value).Values() {
		v, err := it.each.eval(s.with(it.as, e))
		if err != nil {
			return missing, err
		}
		if truthy(v) {
			if kept = append(kept, e); len(kept) == most {
				break
			}
		}
	}
	return arrayValue(kept), nil
}

func parseReduce(p *expressionParser, _ string, v bson.RawValue) (*expression, error) {
	if !isObject(v) {
		return nil, errorf(40075, "$reduce requires an object as an argument, found: %s", TypeName(v.Type))
	}
	named, err := fieldsOf(v.Value, func(field string) error {
		return errorf(40076, "$reduce found an unknown argument: %s", field)
	}, "input", "initialValue", "in")
	if err != nil {
		return nil, err
	}
	for i, field := range []string{"input", "initialValue", "in"} {
		if isMissing(named[field]) {
			return nil, errorf(40077+int32(i), "$reduce requires '%s' to be specified", field)
		}
	}
	input, err := p.operand(named["input"])
	if err != nil {
		return nil, err
	}
	initial, err := p.operand(named["initialValue"])
	if err != nil {
		return nil, err
	}
	in, err := p.with("this", "value").operand(named["in"])
	if err != nil {
		return nil, err
	}
	return &expression{args: []*expression{input, initial, in}, eval: func(s *scope) (bson.RawValue, error) {
		list, err := input.eval(s)
		if err != nil || isNullish(list) {
			return null, err
		}
		if !isArray(list) {
			return missing, errorf(40080, "$reduce requires that 'input' be an array, found: %s", formatDense(list))
		}
		value, err := initial.eval(s)
		for e := range bson.RawArray(list.Value).Values() {
			if err != nil {
				break
			}
			value, err = in.eval(s.with("this", e).with("value", value))
		}
		return value, err
	}}, nil
}

func parseZip(p *expressionParser, _ string, v bson.RawValue) (*expression, error) {
	if !isObject(v) {
		return nil, errorf(34460, "$zip only supports an object as an argument, found %s", TypeName(v.Type))
	}
	named, err := fieldsOf(v.Value, func(field string) error {
		return errorf(34464, "$zip found an unknown argument: %s", field)
	}, "inputs", "defaults", "useLongestLength")
	if err != nil {
		return nil, err
	}
	lists := map[string][]*expression{}
	for i, field := range []string{"inputs", "defaults"} {
		value := named[field]
		if isMissing(value) {
			continue
		}
		if !isArray(value) {
			return nil, errorf(34461+int32(i), "%s must be an array of expressions, found %s", field, TypeName(value.Type))
		}
		if lists[field], err = p.operands(elements(value)); err != nil {
			return nil, err
		}
	}
	longest := named["useLongestLength"]
	if !isMissing(longest) && longest.Type != bson.TypeBoolean {
		return nil, errorf(34463, "useLongestLength must be a bool, found %s", TypeName(longest.Type))
	}
	inputs, defaults := lists["inputs"], lists["defaults"]
	switch {
	case len(inputs) == 0:
		return nil, errorf(34465, "$zip requires at least one input array")
	case !truthy(longest) && len(defaults) > 0:
		return nil, errorf(34466, "cannot specify defaults unless useLongestLength is true")
	case len(defaults) > 0 && len(defaults) != len(inputs):
		return nil, errorf(34467, "defaults and inputs must have the same length")
	}
	args := append(append([]*expression{}, inputs...), defaults...)
	return p.call(args, func(_ *Env, values []bson.RawValue) (bson.RawValue, error) {
		return zip(values[:len(inputs)], values[len(inputs):], truthy(longest))
	}), nil
}

func zip(inputs, defaults []bson.RawValue, longest bool) (bson.RawValue, error) {
	lists := make([][]bson.RawValue, len(inputs))
	length := -1
	for i, v := range inputs {
		if isNullish(v) {
			return null, nil
		}
		if !isArray(v) {
			return missing, errorf(34468, "$zip found a non-array expression in input: %s", formatDense(v))
		}
		lists[i] = elements(v)
		if n := len(lists[i]); length < 0 || longest == (n > length) {
			length = n
		}
	}
	rows := make([]bson.RawValue, length)
	for r := range rows {
		row := make([]bson.RawValue, len(lists))
		for i, list := range lists {
			switch {
			case r < len(list):
				row[i] = list[r]
			case len(defaults) > 0:
				row[i] = defaults[i]
			}
		}
		rows[r] = arrayValue(row)
	}
	return arrayValue(rows), nil
}

func parseSortArray(p *expressionParser, _ string, v bson.RawValue) (*expression, error) {
	if !isObject(v) {
		return nil, errorf(2942500, "$sortArray requires an object as an argument, found: %s", TypeName(v.Type))
	}
	named, err := fieldsOf(v.Value, func(field string) error {
		return errorf(2942501, "$sortArray found an unknown argument: %s", field)
	}, "input", "sortBy")
	switch {
	case err != nil:
		return nil, err
	case isMissing(named["input"]):
		return nil, errorf(2942502, "$sortArray requires 'input' to be specified")
	case isMissing(named["sortBy"]):
		return nil, errorf(2942503, "$sortArray requires 'sortBy' to be specified")
	}
	order, err := parseElementOrder(named["sortBy"], p.env)
	if err != nil {
		return nil, errorf(2942507, "%s", err)
	}
	input, err := p.operand(named["input"])
	if err != nil {
		return nil, err
	}
	return p.call([]*expression{input}, func(_ *Env, values []bson.RawValue) (bson.RawValue, error) {
		if isNullish(values[0]) {
			return null, nil
		}
		if !isArray(values[0]) {
			return missing, errorf(2942504, "The input argument to $sortArray must be an array, but was of type: %s", TypeName(values[0].Type))
		}
		list := elements(values[0])
		err := order.sort(list)
		return arrayValue(list), err
	}), nil
}

// elementOrder sorts the elements of an array, by themselves or by fields:
// $push with $sort, and $sortArray.
type elementOrder struct {
	sortBy     *Sort // nil for the whole element
	descending bool
	collation  *Collation
}

func (o *elementOrder) sort(list []bson.RawValue) error {
	keys := make([][]byte, len(list))
	for i, v := range list {
		if o.sortBy == nil {
			keys[i] = orderedKey([]bson.RawValue{v}, []bool{o.descending}, o.collation)
			continue
		}
		doc := emptyDoc
		if isObject(v) {
			doc = v.Value
		}
		var err error
		if keys[i], err = o.sortBy.Key(doc); err != nil {
			return err
		}
	}
	index := make([]int, len(list))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int { return bytes.Compare(keys[a], keys[b]) })
	sorted := make([]bson.RawValue, len(list))
	for i, from := range index {
		sorted[i] = list[from]
	}
	copy(list, sorted)
	return nil
}

// parseElementOrder reads 1, -1 or a sort document.
func parseElementOrder(v bson.RawValue, env *Env) (*elementOrder, error) {
	order := &elementOrder{collation: env.Collation}
	if isObject(v) {
		for name, direction := range bson.Raw(v.Value).All() {
			if n, ok := wholeNumber(direction); !ok || n != 1 && n != -1 {
				return nil, errorf(codeBadValue, "The $sort element value must be either 1 or -1")
			}
			if name == "" {
				return nil, errorf(codeBadValue, "The $sort field cannot be empty")
			}
			for _, part := range splitPath(name) {
				if part == "" {
					return nil, errorf(codeBadValue, "The $sort field is a dotted field but has an empty part: %s", name)
				}
			}
		}
		var err error
		if order.sortBy, err = ParseSort(v.Value, env); err != nil {
			return nil, err
		}
		if order.sortBy == nil {
			return nil, errorf(codeBadValue, "The $sort pattern is empty when it should be a set of fields.")
		}
		return order, nil
	}
	n, ok := wholeNumber(v)
	if !ok || n != 1 && n != -1 {
		return nil, errorf(codeBadValue, "The $sort element value must be either 1 or -1")
	}
	order.descending = n < 0
	return order, nil
}
