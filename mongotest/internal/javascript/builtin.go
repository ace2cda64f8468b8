package javascript

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// member is a property or a method of a value.
func member(of, key value) (value, error) {
	switch {
	case of.kind <= null:
		return value{}, fmt.Errorf("TypeError: %v has no properties", of)
	case of.kind == str:
		return memberOfString(of.str, key), nil
	case of.kind == opaque, of.kind != reference:
		return memberOf(of, key), nil
	}
	o := of.object
	if i, ok := index(key); ok && o.isArray {
		return argument(o.list, i), nil
	}
	name := key.String()
	if v, ok := o.props[name]; ok {
		return v, nil
	}
	if o.isArray {
		if name == "length" {
			return numberOf(float64(len(o.list))), nil
		}
		if f, ok := arrayMethods[name]; ok {
			return functionOf(f), nil
		}
	}
	if name == "hasOwnProperty" {
		return functionOf(func(_ *call, this value, args []value) (value, error) {
			_, ok := this.object.props[argument(args, 0).String()]
			return boolOf(ok), nil
		}), nil
	}
	return memberOf(of, key), nil
}

// memberOf are the methods that every value has.
func memberOf(of, key value) value {
	if s := key.String(); s != "toString" && s != "valueOf" {
		return value{}
	}
	return functionOf(func(*call, value, []value) (value, error) {
		if key.str == "valueOf" {
			return of, nil
		}
		return textOf(of.String()), nil
	})
}

func memberOfString(s string, key value) value {
	runes := []rune(s)
	if i, ok := index(key); ok {
		if i < len(runes) {
			return textOf(string(runes[i]))
		}
		return value{}
	}
	if key.String() == "length" {
		return numberOf(float64(len(runes)))
	}
	if f, ok := stringMethods[key.String()]; ok {
		return functionOf(func(_ *call, _ value, args []value) (value, error) { return f(s, args), nil })
	}
	return memberOf(textOf(s), key)
}

var stringMethods = map[string]func(s string, args []value) value{
	"toUpperCase": func(s string, _ []value) value { return textOf(strings.ToUpper(s)) },
	"toLowerCase": func(s string, _ []value) value { return textOf(strings.ToLower(s)) },
	"trim":        func(s string, _ []value) value { return textOf(strings.TrimSpace(s)) },
	"indexOf": func(s string, args []value) value {
		return numberOf(float64(strings.Index(s, argument(args, 0).String())))
	},
	"includes":   func(s string, args []value) value { return boolOf(strings.Contains(s, argument(args, 0).String())) },
	"startsWith": func(s string, args []value) value { return boolOf(strings.HasPrefix(s, argument(args, 0).String())) },
	"endsWith":   func(s string, args []value) value { return boolOf(strings.HasSuffix(s, argument(args, 0).String())) },
	"charAt": func(s string, args []value) value {
		from := bound(argument(args, 0), 0, len([]rune(s)))
		return slice(s, from, from+1)
	},
	"substring": func(s string, args []value) value {
		n := len([]rune(s))
		from, to := bound(argument(args, 0), 0, n), bound(argument(args, 1), n, n)
		return slice(s, min(from, to), max(from, to))
	},
	"split": func(s string, args []value) value {
		var list []value
		for _, part := range strings.Split(s, argument(args, 0).String()) {
			list = append(list, textOf(part))
		}
		return listOf(list)
	},
}

// bound is a position from 0 to n; undefined is the one given.
func bound(v value, missing, n int) int {
	f := v.number()
	switch {
	case v.kind == undefined:
		return missing
	case !(f > 0):
		return 0
	}
	return int(min(f, float64(n)))
}

func slice(s string, from, to int) value {
	runes := []rune(s)
	return textOf(string(runes[from:min(to, len(runes))]))
}

var arrayMethods = map[string]native{
	"push": func(_ *call, this value, args []value) (value, error) {
		this.object.list = append(this.object.list, args...)
		return numberOf(float64(len(this.object.list))), nil
	},
	"pop": func(_ *call, this value, _ []value) (value, error) {
		n := len(this.object.list)
		if n == 0 {
			return value{}, nil
		}
		last := this.object.list[n-1]
		this.object.list = this.object.list[:n-1]
		return last, nil
	},
	"concat": func(_ *call, this value, args []value) (value, error) {
		list := slices.Clone(this.object.list)
		for _, a := range args {
			if a.kind == reference && a.object.isArray {
				list = append(list, a.object.list...)
			} else {
				list = append(list, a)
			}
		}
		return listOf(list), nil
	},
	"slice": func(_ *call, this value, args []value) (value, error) {
		n := len(this.object.list)
		from, to := bound(argument(args, 0), 0, n), bound(argument(args, 1), n, n)
		return listOf(slices.Clone(this.object.list[from:max(from, to)])), nil
	},
	"join": func(_ *call, this value, args []value) (value, error) {
		separator := ","
		if len(args) > 0 {
			separator = args[0].String()
		}
		parts := make([]string, len(this.object.list))
		for i, v := range this.object.list {
			parts[i] = v.String()
		}
		return textOf(strings.Join(parts, separator)), nil
	},
	"reverse": func(_ *call, this value, _ []value) (value, error) {
		slices.Reverse(this.object.list)
		return this, nil
	},
	"sort": func(c *call, this value, args []value) (value, error) {
		list, err := c.sorted(this.object.list, argument(args, 0))
		this.object.list = list
		return this, err
	},
	"indexOf": func(_ *call, this value, args []value) (value, error) {
		i := slices.IndexFunc(this.object.list, func(v value) bool { return strictlyEqual(v, argument(args, 0)) })
		return numberOf(float64(i)), nil
	},
	"includes": func(_ *call, this value, args []value) (value, error) {
		return boolOf(slices.ContainsFunc(this.object.list, func(v value) bool { return strictlyEqual(v, argument(args, 0)) })), nil
	},
	"forEach": func(c *call, this value, args []value) (value, error) {
		return value{}, c.walk(this, args, func(value, value) bool { return true })
	},
	"map": func(c *call, this value, args []value) (value, error) {
		var list []value
		err := c.walk(this, args, func(_, res value) bool { list = append(list, res); return true })
		return listOf(list), err
	},
	"filter": func(c *call, this value, args []value) (value, error) {
		var list []value
		err := c.walk(this, args, func(v, res value) bool {
			if res.truthy() {
				list = append(list, v)
			}
			return true
		})
		return listOf(list), err
	},
	"some": func(c *call, this value, args []value) (value, error) {
		found := false
		err := c.walk(this, args, func(_, res value) bool { found = res.truthy(); return !found })
		return boolOf(found), err
	},
	"every": func(c *call, this value, args []value) (value, error) {
		all := true
		err := c.walk(this, args, func(_, res value) bool { all = res.truthy(); return all })
		return boolOf(all), err
	},
	"find": func(c *call, this value, args []value) (found value, err error) {
		err = c.walk(this, args, func(v, res value) bool {
			if res.truthy() {
				found = v
			}
			return !res.truthy()
		})
		return found, err
	},
	"reduce": func(c *call, this value, args []value) (value, error) {
		list := this.object.list
		acc := argument(args, 1)
		if len(args) < 2 {
			if len(list) == 0 {
				return value{}, errors.New("TypeError: reduce of empty array with no initial value")
			}
			acc, list = list[0], list[1:]
		}
		f := argument(args, 0)
		if f.kind != reference || f.object.call == nil {
			return value{}, fmt.Errorf("TypeError: %v is not a function", f)
		}
		for i, v := range list {
			var err error
			if acc, err = f.object.call(c, value{}, []value{acc, v, numberOf(float64(i)), this}); err != nil {
				return value{}, err
			}
		}
		return acc, nil
	},
}

// walk calls the function that is the first argument with each element, as
// long as next wants it.
func (c *call) walk(this value, args []value, next func(v, res value) bool) error {
	f := argument(args, 0)
	if f.kind != reference || f.object.call == nil {
		return fmt.Errorf("TypeError: %v is not a function", f)
	}
	for i, v := range slices.Clone(this.object.list) {
		res, err := f.object.call(c, value{}, []value{v, numberOf(float64(i)), this})
		if err != nil || !next(v, res) {
			return err
		}
	}
	return nil
}

// global is a global function or object.
func (c *call) global(name string) (value, bool) {
	switch name {
	case "NaN":
		return numberOf(math.NaN()), true
	case "Infinity":
		return numberOf(math.Inf(1)), true
	case "emit":
		if c.env.Emit == nil {
			return value{}, false
		}
		return functionOf(func(c *call, _ value, args []value) (value, error) {
			if len(args) != 2 {
				return value{}, errors.New("emit takes 2 args")
			}
			c.env.Emit(toBSON(args[0]), toBSON(args[1]))
			return value{}, nil
		}), true
	}
	v, ok := globals[name]
	return v, ok
}

var globals = map[string]value{
	"sleep": functionOf(func(c *call, _ value, args []value) (value, error) {
		return value{}, c.sleep(argument(args, 0).number())
	}),
	"Number":     convert(func(v value) value { return numberOf(v.number()) }),
	"NumberInt":  convert(func(v value) value { return numberOf(float64(toInt32(v.number()))) }),
	"NumberLong": convert(func(v value) value { return numberOf(math.Trunc(v.number())) }),
	"parseFloat": convert(func(v value) value { return numberOf(v.number()) }),
	"parseInt":   convert(func(v value) value { return numberOf(math.Trunc(v.number())) }),
	"isNaN":      convert(func(v value) value { return boolOf(math.IsNaN(v.number())) }),
	"String":     convert(func(v value) value { return textOf(v.String()) }),
	"Boolean":    convert(func(v value) value { return boolOf(v.truthy()) }),
	"Math": methods(map[string]native{
		"abs": arithmetic(math.Abs), "floor": arithmetic(math.Floor), "ceil": arithmetic(math.Ceil), "sqrt": arithmetic(math.Sqrt),
		"trunc": arithmetic(math.Trunc), "log": arithmetic(math.Log), "exp": arithmetic(math.Exp),
		"round": arithmetic(func(f float64) float64 { return math.Floor(f + 0.5) }),
		"pow": func(_ *call, _ value, args []value) (value, error) {
			return numberOf(math.Pow(argument(args, 0).number(), argument(args, 1).number())), nil
		},
		"max": func(_ *call, _ value, args []value) (value, error) { return fold(args, math.Inf(-1), math.Max), nil },
		"min": func(_ *call, _ value, args []value) (value, error) { return fold(args, math.Inf(1), math.Min), nil },
	}),
	"Array": methods(map[string]native{
		"sum": func(_ *call, _ value, args []value) (value, error) {
			list := argument(args, 0)
			if list.kind != reference || !list.object.isArray {
				return value{}, errors.New("TypeError: Array.sum takes an array")
			}
			return fold(list.object.list, 0, func(a, b float64) float64 { return a + b }), nil
		},
		"isArray": func(_ *call, _ value, args []value) (value, error) {
			v := argument(args, 0)
			return boolOf(v.kind == reference && v.object.isArray), nil
		},
	}),
	"Object": methods(map[string]native{
		"keys": func(_ *call, _ value, args []value) (value, error) {
			v := argument(args, 0)
			if v.kind != reference {
				return value{}, fmt.Errorf("TypeError: %v is no object", v)
			}
			var list []value
			for _, key := range v.object.keys {
				list = append(list, textOf(key))
			}
			return listOf(list), nil
		},
	}),
}

func convert(f func(value) value) value {
	return functionOf(func(_ *call, _ value, args []value) (value, error) { return f(argument(args, 0)), nil })
}

func arithmetic(f func(float64) float64) native {
	return func(_ *call, _ value, args []value) (value, error) {
		return numberOf(f(argument(args, 0).number())), nil
	}
}

func fold(list []value, start float64, f func(a, b float64) float64) value {
	for _, v := range list {
		start = f(start, v.number())
	}
	return numberOf(start)
}

func methods(list map[string]native) value {
	o := &object{}
	for name, f := range list {
		o.set(name, functionOf(f))
	}
	return value{kind: reference, object: o}
}
