package query

import (
	"unicode/utf8"

	"github.com/motor-go/motor/bson"
)

var regexOperators = map[string]operator{
	"$regexMatch":   {since: Version{4, 2}, parse: parseRegexOperator},
	"$regexFind":    {since: Version{4, 2}, parse: parseRegexOperator},
	"$regexFindAll": {since: Version{4, 2}, parse: parseRegexOperator},
}

func parseRegexOperator(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	args, err := p.namedArguments(v, func() error {
		return errorf(51103, "%s expects an object of named arguments but found: %s", name, TypeName(v.Type))
	}, func(field string) error {
		return errorf(31024, "%s found an unknown argument: %s", name, field)
	}, "input", "regex", "options")
	if err != nil {
		return nil, err
	}
	if args["input"] == nil {
		return nil, errorf(31022, "%s requires 'input' parameter", name)
	}
	if args["regex"] == nil {
		return nil, errorf(31023, "%s requires 'regex' parameter", name)
	}
	return p.call(present(args, "input", "regex", "options"), func(env *Env, values []bson.RawValue) (bson.RawValue, error) {
		var options bson.RawValue
		if len(values) > 2 {
			options = values[2]
		}
		return applyRegex(name, values[0], values[1], options, env)
	}), nil
}

func applyRegex(name string, input, pattern, options bson.RawValue, env *Env) (bson.RawValue, error) {
	if !isString(input) && !isNullish(input) {
		return missing, errorf(51104, "%s needs 'input' to be of type string", name)
	}
	r, isRegex := pattern.Regex()
	switch {
	case isRegex:
	case isString(pattern):
		r.Pattern = text(pattern)
	case !isNullish(pattern):
		return missing, errorf(51105, "%s needs 'regex' to be of type string or regex", name)
	}
	if !isNullish(options) {
		switch {
		case !isString(options):
			return missing, errorf(51106, "%s needs 'options' to be of type string", name)
		case r.Options != "":
			return missing, errorf(51107, "%s found regex option(s) specified in both 'regex' and 'option' fields", name)
		}
		r.Options = text(options)
	}
	for _, o := range r.Options {
		if o != 'i' && o != 'm' && o != 's' && o != 'x' {
			return missing, errorf(51108, "%s invalid flag in regex options: %s", name, r.Options)
		}
	}
	if isNullish(input) || isNullish(pattern) {
		switch name {
		case "$regexMatch":
			return falseBool, nil
		case "$regexFind":
			return null, nil
		}
		return arrayValue(nil), nil
	}
	compiled, err := compileRegex(r.Pattern, r.Options, env)
	if err != nil {
		return missing, errorf(51111, "Invalid Regex in %s: %s", name, err)
	}
	switch name {
	case "$regexMatch":
		ok, err := compiled.matches(text(input))
		return boolValue(ok), err
	case "$regexFind":
		m, err := compiled.find(text(input), 0)
		if m == nil {
			return null, err
		}
		return regexResult(text(input), m), nil
	}
	return findAll(compiled, text(input))
}

func findAll(r *regex, s string) (bson.RawValue, error) {
	var found []bson.RawValue
	for at := 0; at <= len(s); {
		m, err := r.find(s, at)
		if err != nil || m == nil {
			return arrayValue(found), err
		}
		found = append(found, regexResult(s, m))
		at = m[1]
		if m[1] == m[0] {
			_, n := utf8.DecodeRuneInString(s[at:])
			at += max(n, 1)
		}
	}
	return arrayValue(found), nil
}

func regexResult(s string, m []int) bson.RawValue {
	var captures []bson.RawValue
	for i := 2; i < len(m); i += 2 {
		if m[i] < 0 {
			captures = append(captures, null)
		} else {
			captures = append(captures, stringValue(s[m[i]:m[i+1]]))
		}
	}
	dst, at := bson.BeginDocument(nil)
	dst = bson.AppendString(dst, "match", s[m[0]:m[1]])
	dst = bson.AppendInt32(dst, "idx", int32(utf8.RuneCountInString(s[:m[0]])))
	dst = bson.AppendValue(dst, "captures", arrayValue(captures))
	return documentValue(bson.EndDocument(dst, at))
}
