package query

import (
	"bytes"
	"slices"

	"github.com/motor-go/motor/bson"
)

var setOperators = map[string]operator{
	"$setUnion":        {most: -1, apply: setUnion},
	"$setIntersection": {most: -1, apply: setIntersection},
	"$setDifference":   {least: 2, most: 2, apply: setDifference},
	"$setIsSubset":     {least: 2, most: 2, apply: setIsSubset},
	"$setEquals":       {parse: parseSetEquals},
	"$anyElementTrue":  unary(elementsTrue("$anyElementTrue", 17041, true)),
	"$allElementsTrue": unary(elementsTrue("$allElementsTrue", 17040, false)),
}

// valueSet is a set of values by their keys.
type valueSet map[string]bson.RawValue

func setOf(v bson.RawValue, c *Collation) valueSet {
	set := valueSet{}
	for e := range bson.RawArray(v.Value).Values() {
		set.add(e, c)
	}
	return set
}

func (s valueSet) add(v bson.RawValue, c *Collation) bool {
	key := string(AppendKey(nil, v, c))
	if _, ok := s[key]; ok {
		return false
	}
	s[key] = v
	return true
}

// sorted is the set as an array in the order of its values.
func (s valueSet) sorted() bson.RawValue {
	type entry struct {
		key   []byte
		value bson.RawValue
	}
	var list []entry
	for k, v := range s {
		list = append(list, entry{[]byte(k), v})
	}
	slices.SortFunc(list, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	values := make([]bson.RawValue, len(list))
	for i, e := range list {
		values[i] = e.value
	}
	return arrayValue(values)
}

func setUnion(env *Env, args []bson.RawValue) (bson.RawValue, error) {
	union := valueSet{}
	for _, v := range args {
		if isNullish(v) {
			return null, nil
		}
		if !isArray(v) {
			return missing, errorf(17043, "All operands of $setUnion must be arrays. One argument is of type: %s", TypeName(v.Type))
		}
		for e := range bson.RawArray(v.Value).Values() {
			union.add(e, env.Collation)
		}
	}
	return union.sorted(), nil
}

func setIntersection(env *Env, args []bson.RawValue) (bson.RawValue, error) {
	var common valueSet
	for _, v := range args {
		if isNullish(v) {
			return null, nil
		}
		if !isArray(v) {
			return missing, errorf(17047, "All operands of $setIntersection must be arrays. One argument is of type: %s", TypeName(v.Type))
		}
		set := setOf(v, env.Collation)
		if common == nil {
			common = set
			continue
		}
		for k := range common {
			if _, ok := set[k]; !ok {
				delete(common, k)
			}
		}
	}
	return common.sorted(), nil
}

func setDifference(env *Env, args []bson.RawValue) (bson.RawValue, error) {
	if anyNullish(args) {
		return null, nil
	}
	if !isArray(args[0]) {
		return missing, errorf(17048, "both operands of $setDifference must be arrays. First argument is of type: %s", TypeName(args[0].Type))
	}
	if !isArray(args[1]) {
		return missing, errorf(17049, "both operands of $setDifference must be arrays. Second argument is of type: %s", TypeName(args[1].Type))
	}
	seen := setOf(args[1], env.Collation)
	var rest []bson.RawValue
	for e := range bson.RawArray(args[0].Value).Values() {
		if seen.add(e, env.Collation) {
			rest = append(rest, e)
		}
	}
	return arrayValue(rest), nil
}

func setIsSubset(env *Env, args []bson.RawValue) (bson.RawValue, error) {
	if !isArray(args[0]) {
		return missing, errorf(17046, "both operands of $setIsSubset must be arrays. First argument is of type: %s", TypeName(args[0].Type))
	}
	if !isArray(args[1]) {
		return missing, errorf(17042, "both operands of $setIsSubset must be arrays. Second argument is of type: %s", TypeName(args[1].Type))
	}
	set := setOf(args[1], env.Collation)
	for e := range bson.RawArray(args[0].Value).Values() {
		if set.add(e, env.Collation) {
			return falseBool, nil
		}
	}
	return trueBool, nil
}

func parseSetEquals(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	if n := argumentCount(v); n < 2 {
		return nil, errorf(17045, "$setEquals needs at least two arguments had: %d", n)
	}
	args, err := p.arguments(name, v, 2, -1)
	if err != nil {
		return nil, err
	}
	return p.call(args, func(env *Env, values []bson.RawValue) (bson.RawValue, error) {
		var first valueSet
		for _, v := range values {
			if !isArray(v) {
				return missing, errorf(17044, "All operands of $setEquals must be arrays. One argument is of type: %s", TypeName(v.Type))
			}
			set := setOf(v, env.Collation)
			if first == nil {
				first = set
			}
			if len(set) != len(first) {
				return falseBool, nil
			}
			for k := range set {
				if _, ok := first[k]; !ok {
					return falseBool, nil
				}
			}
		}
		return trueBool, nil
	}), nil
}

func elementsTrue(name string, code int32, decisive bool) func(bson.RawValue) (bson.RawValue, error) {
	return func(v bson.RawValue) (bson.RawValue, error) {
		if !isArray(v) {
			return missing, errorf(code, "%s's argument must be an array, but is %s", name, TypeName(v.Type))
		}
		for e := range bson.RawArray(v.Value).Values() {
			if truthy(e) == decisive {
				return boolValue(decisive), nil
			}
		}
		return boolValue(!decisive), nil
	}
}
