package query

import (
	"math"

	"github.com/motor-go/motor/bson"
)

// modifiers read the argument of each operator for one path. $rename has two
// paths and is read by parseRename.
var modifiers = map[string]func(path string, v bson.RawValue, env *Env) (modifier, error){
	"$set":         parseSet,
	"$setOnInsert": parseSetOnInsert,
	"$unset":       func(string, bson.RawValue, *Env) (modifier, error) { return unsetter{}, nil },
	"$inc":         parseArithmetic("$inc", "increment"),
	"$mul":         parseArithmetic("$mul", "multiply"),
	"$min":         parseExtreme(1),
	"$max":         parseExtreme(-1),
	"$bit":         parseBit,
	"$currentDate": parseCurrentDate,
	"$rename":      nil,
	"$push":        parsePush,
	"$pop":         parsePop,
	"$pull":        parsePull,
	"$pullAll":     parsePullAll,
	"$addToSet":    parseAddToSet,
}

// valueModifier computes a new value from the old one, which is missing where
// the path is not there. A missing result leaves all as it is.
type valueModifier func(c *updateContext, path steps, old bson.RawValue) (bson.RawValue, error)

func (f valueModifier) apply(c *updateContext, path steps) error {
	m, rest := c.find(path)
	old := missing
	if len(rest) == 0 {
		old = m.raw()
	} else if err := c.checkCreatable(m, rest, path); err != nil {
		return err
	}
	v, err := f(c, path, old)
	if err != nil || isMissing(v) || equalBytes(v, old) {
		return err
	}
	if len(rest) > 0 {
		return c.create(path, v)
	}
	if err := c.checkImmutable(path); err != nil {
		return err
	}
	m.set(v)
	return c.touched(path, m)
}

func parseSet(_ string, v bson.RawValue, _ *Env) (modifier, error) {
	return valueModifier(func(*updateContext, steps, bson.RawValue) (bson.RawValue, error) { return v, nil }), nil
}

// setOnInsert is $set where the update makes a new document.
type setOnInsert struct{ set modifier }

func parseSetOnInsert(path string, v bson.RawValue, env *Env) (modifier, error) {
	set, err := parseSet(path, v, env)
	return setOnInsert{set}, err
}

func (m setOnInsert) apply(c *updateContext, path steps) error {
	if !c.insert {
		return nil
	}
	return m.set.apply(c, path)
}

type unsetter struct{}

func (unsetter) apply(c *updateContext, path steps) error {
	m, rest := c.find(path)
	if len(rest) > 0 {
		return nil
	}
	if err := c.checkImmutable(path); err != nil {
		return err
	}
	parent, _ := c.find(path[:len(path)-1])
	parent.remove(m)
	c.changed = true
	c.log.unset(path)
	return nil
}

func parseArithmetic(name, verb string) func(string, bson.RawValue, *Env) (modifier, error) {
	return func(path string, operand bson.RawValue, _ *Env) (modifier, error) {
		if !operand.IsNumber() {
			return nil, errorf(codeTypeMismatch, "Cannot %s with non-numeric argument: {%s}", verb, formatElement(path, operand))
		}
		return valueModifier(func(c *updateContext, path steps, old bson.RawValue) (bson.RawValue, error) {
			if isMissing(old) {
				if name == "$inc" {
					return operand, nil
				}
				return zeroOf(operand.Type), nil
			}
			if !old.IsNumber() {
				return missing, errorf(codeTypeMismatch, "Cannot apply %s to a value of non-numeric type. %s has the field '%s' of non-numeric type %s", name, c.idOf(), path[len(path)-1].name, TypeName(old.Type))
			}
			v, ok := arithmetic(name, old, operand)
			if !ok {
				return missing, errorf(codeBadValue, "Failed to apply %s operations to current value (%s) for document %s", name, formatSafeNumber(old), c.idOf())
			}
			return v, nil
		}), nil
	}
}

func zeroOf(t bson.Type) bson.RawValue {
	switch t {
	case bson.TypeInt64:
		return int64Value(0)
	case bson.TypeDouble:
		return doubleValue(0)
	case bson.TypeDecimal128:
		return decimalValue(decimalFromInt(0))
	}
	return int32Value(0)
}

// arithmetic adds or multiplies in the wider type; ok is false if a long
// overflows.
func arithmetic(name string, a, b bson.RawValue) (v bson.RawValue, ok bool) {
	t := widest(a.Type, b.Type)
	add := name == "$inc"
	switch t {
	case bson.TypeDecimal128:
		if add {
			return decimalValue(toDecimal(a).add(toDecimal(b))), true
		}
		return decimalValue(toDecimal(a).mul(toDecimal(b))), true
	case bson.TypeDouble:
		if add {
			return doubleValue(toDouble(a) + toDouble(b)), true
		}
		return doubleValue(toDouble(a) * toDouble(b)), true
	}
	x, y := truncatedNumber(a), truncatedNumber(b)
	n, ok := mulInt64(x, y)
	if add {
		n, ok = addInt64(x, y)
	}
	return integer(n, t), ok
}

func parseExtreme(sign int) func(string, bson.RawValue, *Env) (modifier, error) {
	return func(_ string, v bson.RawValue, env *Env) (modifier, error) {
		return valueModifier(func(_ *updateContext, _ steps, old bson.RawValue) (bson.RawValue, error) {
			if !isMissing(old) && Compare(v, old, env.Collation)*sign >= 0 {
				return missing, nil
			}
			return v, nil
		}), nil
	}
}

func parseBit(path string, v bson.RawValue, _ *Env) (modifier, error) {
	if !isObject(v) {
		return nil, errorf(codeBadValue, "The $bit modifier is not compatible with a %s. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}", TypeName(v.Type))
	}
	ops := fields(v.Value)
	if len(ops) == 0 {
		return nil, errorf(codeBadValue, "You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}")
	}
	for _, op := range ops {
		if op.key != "and" && op.key != "or" && op.key != "xor" {
			return nil, errorf(codeBadValue, "The $bit modifier only supports 'and', 'or', and 'xor', not '%s' which is an unknown operator: {%s}", op.key, formatElement(op.key, op.value))
		}
		if op.value.Type != bson.TypeInt32 && op.value.Type != bson.TypeInt64 {
			return nil, errorf(codeBadValue, "The $bit modifier field must be an Integer(32/64 bit); a '%s' is not supported here: {%s}", TypeName(op.value.Type), formatElement(op.key, op.value))
		}
	}
	return valueModifier(func(c *updateContext, path steps, old bson.RawValue) (bson.RawValue, error) {
		if isMissing(old) {
			old = int32Value(0)
		}
		if old.Type != bson.TypeInt32 && old.Type != bson.TypeInt64 {
			return missing, errorf(codeBadValue, "Cannot apply $bit to a value of non-integral type.%s has the field %s of non-integer type %s", c.idOf(), path[len(path)-1].name, TypeName(old.Type))
		}
		n, t := truncatedNumber(old), old.Type
		for _, op := range ops {
			x := truncatedNumber(op.value)
			t = widest(t, op.value.Type)
			switch op.key {
			case "and":
				n &= x
			case "or":
				n |= x
			default:
				n ^= x
			}
		}
		return integer(n, t), nil
	}), nil
}

func parseCurrentDate(_ string, v bson.RawValue, env *Env) (modifier, error) {
	kind := "date"
	switch {
	case v.Type == bson.TypeBoolean:
	case isObject(v):
		found := false
		for _, f := range fields(v.Value) {
			if f.key != "$type" {
				return nil, errorf(codeBadValue, "Unrecognized $currentDate option: %s", f.key)
			}
			found = true
			kind = text(f.value)
		}
		if !found || kind != "date" && kind != "timestamp" {
			return nil, errorf(codeBadValue, "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}")
		}
	default:
		return nil, errorf(codeBadValue, "%s is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).", TypeName(v.Type))
	}
	now := dateValue(env.Now)
	if kind == "timestamp" {
		now = timestampValue(env.ClusterTime)
	}
	return parseSet("", now, env)
}

// parseRename adds the two paths of a $rename.
func (u *Update) parseRename(from string, v bson.RawValue) error {
	if !isString(v) {
		return errorf(codeBadValue, "The 'to' field for $rename must be a string: %s", formatElement(from, v))
	}
	to := text(v)
	for _, path := range []string{from, to} {
		if err := checkUpdatePath(path); err != nil {
			return err
		}
	}
	fromParts, toParts := splitPath(from), splitPath(to)
	same := true
	for i := range min(len(fromParts), len(toParts)) {
		same = same && fromParts[i] == toParts[i]
	}
	switch {
	case from == to:
		return errorf(codeBadValue, "The source and target field for $rename must differ: %s", formatElement(from, v))
	case same:
		return errorf(codeBadValue, "The source and target field for $rename must not be on the same path: %s", formatElement(from, v))
	}
	for i, parts := range [][]string{fromParts, toParts} {
		for _, part := range parts {
			if _, is := elementsOf(part); is || part == "$" {
				return errorf(codeBadValue, "The %s field for $rename may not be dynamic: %s", []string{"source", "destination"}[i], []string{from, to}[i])
			}
		}
	}
	if err := u.add(from, placeholder{}); err != nil {
		return err
	}
	return u.add(to, &renamer{from: fromParts})
}

// placeholder keeps other modifiers off the source of a $rename.
type placeholder struct{}

func (placeholder) apply(*updateContext, steps) error { return nil }

// renamer moves a value to its path.
type renamer struct{ from []string }

func (r *renamer) apply(c *updateContext, path steps) error {
	var from steps
	for _, name := range r.from {
		from = from.with(name, false)
	}
	source, rest := c.find(from)
	if len(rest) > 0 {
		return nil
	}
	if err := c.checkNoArray("source", from); err != nil {
		return err
	}
	if err := c.checkNoArray("destination", path); err != nil {
		return err
	}
	set := valueModifier(func(*updateContext, steps, bson.RawValue) (bson.RawValue, error) { return source.raw(), nil })
	if err := set.apply(c, path); err != nil {
		return err
	}
	return unsetter{}.apply(c, from)
}

// checkNoArray refuses a path through an array.
func (c *updateContext) checkNoArray(which string, path steps) error {
	for i := 1; i < len(path); i++ {
		if m, rest := c.find(path[:i]); len(rest) == 0 && m.isArray() {
			return errorf(codeBadValue, "The %s field cannot be an array element, '%s' in doc with %s has an array field called '%s'", which, path, trimBraces(c.idOf()), m.key)
		}
	}
	return nil
}

func trimBraces(s string) string { return s[1 : len(s)-1] }

func maxInt(n int64) int { return int(min(max(n, math.MinInt32), math.MaxInt32)) }
