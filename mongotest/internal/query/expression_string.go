package query

import (
	"strings"
	"unicode/utf8"

	"github.com/motor-go/motor/bson"
)

var stringOperators = map[string]operator{
	"$concat":       variadic(concat),
	"$toLower":      unary(caseMapper(asciiLower)),
	"$toUpper":      unary(caseMapper(asciiUpper)),
	"$strcasecmp":   dyadic(compareFolded),
	"$split":        dyadic(split),
	"$strLenBytes":  unary(lengthOf("$strLenBytes", 34473, func(s string) int { return len(s) })),
	"$strLenCP":     unary(lengthOf("$strLenCP", 34471, utf8.RuneCountInString)),
	"$substr":       variadic(substringBytes("$substr")).takes(3, 3),
	"$substrBytes":  variadic(substringBytes("$substrBytes")).takes(3, 3),
	"$substrCP":     variadic(substringCP).takes(3, 3),
	"$indexOfBytes": variadic(indexOfBytes).takes(2, 4),
	"$indexOfCP":    variadic(indexOfCP).takes(2, 4),
	"$trim":         {since: Version{4, 0}, parse: parseTrim},
	"$ltrim":        {since: Version{4, 0}, parse: parseTrim},
	"$rtrim":        {since: Version{4, 0}, parse: parseTrim},
	"$replaceOne":   {since: Version{4, 4}, parse: parseReplace},
	"$replaceAll":   {since: Version{4, 4}, parse: parseReplace},
}

func concat(args []bson.RawValue) (bson.RawValue, error) {
	var b strings.Builder
	for _, v := range args {
		if isNullish(v) {
			return null, nil
		}
		if !isString(v) {
			return missing, errorf(16702, "$concat only supports strings, not %s", TypeName(v.Type))
		}
		b.WriteString(text(v))
	}
	return stringOfBoundedSize(b.String())
}

// maxStringSize is what a string in a document can hold.
const maxStringSize = 16 << 20

func stringOfBoundedSize(s string) (bson.RawValue, error) {
	if len(s) > maxStringSize {
		return missing, errorf(codeBSONObjectTooLarge, "BSONObj size: %d (0x%X) is invalid. Size must be between 0 and 16793600(16MB)", len(s), len(s))
	}
	return stringValue(s), nil
}

// coerceToString is how older operators read their arguments.
func coerceToString(v bson.RawValue) (string, error) {
	switch v.Type {
	case 0, bson.TypeNull, bson.TypeUndefined:
		return "", nil
	case bson.TypeString, bson.TypeSymbol, bson.TypeJavaScript:
		return text(v), nil
	case bson.TypeInt32, bson.TypeInt64, bson.TypeDouble, bson.TypeDecimal128, bson.TypeDateTime:
		return formatDense(v), nil
	case bson.TypeTimestamp:
		t, _ := v.Timestamp()
		return bson.DateTime(int64(t.T) * 1000).Time().Format("Jan _2 15:04:05.000"), nil
	}
	return "", errorf(16007, "can't convert from BSON type %s to String", TypeName(v.Type))
}

func caseMapper(f func(string) string) func(bson.RawValue) (bson.RawValue, error) {
	return func(v bson.RawValue) (bson.RawValue, error) {
		s, err := coerceToString(v)
		return stringValue(f(s)), err
	}
}

// The server changes the case of ASCII letters only.

func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func asciiUpper(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r + 'A' - 'a'
		}
		return r
	}, s)
}

func compareFolded(a, b bson.RawValue) (bson.RawValue, error) {
	x, err := coerceToString(a)
	if err != nil {
		return missing, err
	}
	y, err := coerceToString(b)
	return int32Value(int32(strings.Compare(asciiUpper(x), asciiUpper(y)))), err
}

func split(v, separator bson.RawValue) (bson.RawValue, error) {
	switch {
	case isNullish(v) || isNullish(separator):
		return null, nil
	case !isString(v):
		return missing, errorf(40085, "$split requires an expression that evaluates to a string as a first argument, found: %s", TypeName(v.Type))
	case !isString(separator):
		return missing, errorf(40086, "$split requires an expression that evaluates to a string as a second argument, found: %s", TypeName(separator.Type))
	case text(separator) == "":
		return missing, errorf(40087, "$split requires a non-empty separator")
	}
	var parts []bson.RawValue
	for s := range strings.SplitSeq(text(v), text(separator)) {
		parts = append(parts, stringValue(s))
	}
	return arrayValue(parts), nil
}

func lengthOf(name string, code int32, length func(string) int) func(bson.RawValue) (bson.RawValue, error) {
	return func(v bson.RawValue) (bson.RawValue, error) {
		if !isString(v) {
			return missing, errorf(code, "%s requires a string argument, found: %s", name, TypeName(v.Type))
		}
		return int32Value(int32(length(text(v)))), nil
	}
}

func continuation(s string, i int64) bool { return i < int64(len(s)) && !utf8.RuneStart(s[i]) }

func substringBytes(name string) func([]bson.RawValue) (bson.RawValue, error) {
	return func(args []bson.RawValue) (bson.RawValue, error) {
		s, err := coerceToString(args[0])
		if err != nil {
			return missing, err
		}
		if !args[1].IsNumber() {
			return missing, errorf(16034, "%s:  starting index must be a numeric type (is BSON type %s)", name, TypeName(args[1].Type))
		}
		if !args[2].IsNumber() {
			return missing, errorf(16035, "%s:  length must be a numeric type (is BSON type %s)", name, TypeName(args[2].Type))
		}
		start, length := truncatedNumber(args[1]), truncatedNumber(args[2])
		if start < 0 {
			return missing, errorf(50752, "%s:  starting index must be non-negative (got: %d)", name, start)
		}
		if length < 0 {
			length = int64(len(s))
		}
		if continuation(s, start) {
			return missing, errorf(28656, "%s:  Invalid range, starting index is a UTF-8 continuation byte.", name)
		}
		start = min(start, int64(len(s)))
		end := start + min(length, int64(len(s))-start)
		if continuation(s, end) {
			return missing, errorf(28657, "%s:  Invalid range, ending index is in the middle of a UTF-8 character.", name)
		}
		return stringValue(s[start:end]), nil
	}
}

func substringCP(args []bson.RawValue) (bson.RawValue, error) {
	s, err := coerceToString(args[0])
	if err != nil {
		return missing, err
	}
	start, err := int32Argument(args[1], "$substrCP: starting index", 34450, 34451)
	if err != nil {
		return missing, err
	}
	length, err := int32Argument(args[2], "$substrCP: length", 34452, 34453)
	switch {
	case err != nil:
		return missing, err
	case length < 0:
		return missing, errorf(34454, "$substrCP: length must be a nonnegative integer.")
	case start < 0:
		return missing, errorf(34455, "$substrCP: the starting index must be nonnegative integer.")
	}
	runes := []rune(s)
	from := min(start, len(runes))
	return stringValue(string(runes[from : from+min(length, len(runes)-from)])), nil
}

func int32Argument(v bson.RawValue, what string, notNumber, notInt int32) (int, error) {
	if !v.IsNumber() {
		return 0, errorf(notNumber, "%s must be a numeric type (is BSON type %s)", what, TypeName(v.Type))
	}
	n, ok := wholeNumber(v)
	if !ok || n != int64(int32(n)) {
		return 0, errorf(notInt, "%s cannot be represented as a 32-bit integral value: %s", what, formatDense(v))
	}
	return int(n), nil
}

// searchRange reads the optional start and end of the $indexOf operators.
func searchRange(name string, args []bson.RawValue, length int) (start, end int, err error) {
	end = length
	for i, what := range []string{"starting", "ending"} {
		if len(args) <= 2+i {
			break
		}
		n, ok := wholeNumber(args[2+i])
		if !ok || n != int64(int32(n)) {
			return 0, 0, errorf(40096, "%srequires an integral %s index, found a value of type: %s, with value: %q", name, what, TypeName(args[2+i].Type), formatDense(args[2+i]))
		}
		if n < 0 {
			return 0, 0, errorf(40097, "%s requires a nonnegative %s index, found: %d", name, what, n)
		}
		if i == 0 {
			start = int(n)
		} else {
			end = min(int(n), length)
		}
	}
	return start, end, nil
}

func indexOfBytes(args []bson.RawValue) (bson.RawValue, error) {
	switch {
	case isNullish(args[0]):
		return null, nil
	case !isString(args[0]):
		return missing, errorf(40091, "$indexOfBytes requires a string as the first argument, found: %s", TypeName(args[0].Type))
	case !isString(args[1]):
		return missing, errorf(40092, "$indexOfBytes requires a string as the second argument, found: %s", TypeName(args[1].Type))
	}
	s := text(args[0])
	start, end, err := searchRange("$indexOfBytes", args, len(s))
	if err != nil || start > end {
		return int32Value(-1), err
	}
	at := strings.Index(s[start:end], text(args[1]))
	if at >= 0 {
		at += start
	}
	return int32Value(int32(at)), nil
}

func indexOfCP(args []bson.RawValue) (bson.RawValue, error) {
	switch {
	case isNullish(args[0]):
		return null, nil
	case !isString(args[0]):
		return missing, errorf(40093, "$indexOfCP requires a string as the first argument, found: %s", TypeName(args[0].Type))
	case !isString(args[1]):
		return missing, errorf(40094, "$indexOfCP requires a string as the second argument, found: %s", TypeName(args[1].Type))
	}
	runes := []rune(text(args[0]))
	start, end, err := searchRange("$indexOfCP", args, len(runes))
	if err != nil || start > end {
		return int32Value(-1), err
	}
	s := string(runes[start:end])
	at := strings.Index(s, text(args[1]))
	if at >= 0 {
		at = start + utf8.RuneCountInString(s[:at])
	}
	return int32Value(int32(at)), nil
}

// whitespace is what $trim takes off.
const whitespace = "\x00\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"

func parseTrim(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	args, err := p.namedArguments(v, func() error {
		return errorf(50696, "%s only supports an object as an argument, found %s", name, TypeName(v.Type))
	}, func(field string) error {
		return errorf(50694, "%s found an unknown argument: %s", name, field)
	}, "input", "chars")
	if err != nil {
		return nil, err
	}
	if args["input"] == nil {
		return nil, errorf(50695, "%s requires an 'input' field", name)
	}
	return p.call(present(args, "input", "chars"), func(_ *Env, values []bson.RawValue) (bson.RawValue, error) {
		if isNullish(values[0]) {
			return null, nil
		}
		if !isString(values[0]) {
			return missing, errorf(50699, "%s requires its input to be a string, got %s (of type %s) instead.", name, formatDense(values[0]), TypeName(values[0].Type))
		}
		cutset := whitespace
		if len(values) > 1 {
			if isNullish(values[1]) {
				return null, nil
			}
			if !isString(values[1]) {
				return missing, errorf(50700, "%s requires 'chars' to be a string, got %s (of type %s) instead.", name, formatDense(values[1]), TypeName(values[1].Type))
			}
			cutset = text(values[1])
		}
		s := text(values[0])
		if name != "$rtrim" {
			s = strings.TrimLeft(s, cutset)
		}
		if name != "$ltrim" {
			s = strings.TrimRight(s, cutset)
		}
		return stringValue(s), nil
	}), nil
}

func parseReplace(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	args, err := p.namedArguments(v, func() error {
		return errorf(51751, "%s requires an object as an argument, found: %s", name, TypeName(v.Type))
	}, func(field string) error {
		return errorf(51750, "%s found an unknown argument: %s", name, field)
	}, "input", "find", "replacement")
	if err != nil {
		return nil, err
	}
	for i, field := range []string{"input", "find", "replacement"} {
		if args[field] == nil {
			return nil, errorf(51749-int32(i), "%s requires '%s' to be specified", name, field)
		}
	}
	return p.call(present(args, "input", "find", "replacement"), func(_ *Env, values []bson.RawValue) (bson.RawValue, error) {
		for i, field := range []string{"input", "find", "replacement"} {
			if !isString(values[i]) && !isNullish(values[i]) {
				return missing, errorf(51746-int32(i), "%s requires that '%s' be a string, found: %s", name, field, formatDense(values[i]))
			}
		}
		if anyNullish(values) {
			return null, nil
		}
		s, find, replacement := text(values[0]), text(values[1]), text(values[2])
		count := 1
		if name == "$replaceAll" {
			count = strings.Count(s, find)
		}
		if len(s)+count*(len(replacement)-len(find)) > maxStringSize {
			return stringOfBoundedSize(strings.Repeat(" ", maxStringSize+1))
		}
		return stringOfBoundedSize(strings.Replace(s, find, replacement, count))
	}), nil
}
