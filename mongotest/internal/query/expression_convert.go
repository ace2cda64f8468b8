package query

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/motor-go/motor/bson"
)

var convertOperators = map[string]operator{
	"$convert":    {since: Version{4, 0}, parse: parseConvert},
	"$toString":   converting(bson.TypeString),
	"$toInt":      converting(bson.TypeInt32),
	"$toLong":     converting(bson.TypeInt64),
	"$toDouble":   converting(bson.TypeDouble),
	"$toDecimal":  converting(bson.TypeDecimal128),
	"$toBool":     converting(bson.TypeBoolean),
	"$toDate":     converting(bson.TypeDateTime),
	"$toObjectId": converting(bson.TypeObjectID),
	"$type":       unary(func(v bson.RawValue) (bson.RawValue, error) { return stringValue(TypeName(v.Type)), nil }),
	"$isNumber":   unary(func(v bson.RawValue) (bson.RawValue, error) { return boolValue(v.IsNumber()), nil }).from(4, 4),
}

func converting(to bson.Type) operator {
	return unary(func(v bson.RawValue) (bson.RawValue, error) {
		if isNullish(v) {
			return null, nil
		}
		return convert(v, to)
	}).from(4, 0)
}

func parseConvert(p *expressionParser, _ string, v bson.RawValue) (*expression, error) {
	c, err := p.namedCall(v, func(t string) error {
		return errorf(codeFailedToParse, "$convert expects an object of named arguments but found: %s", t)
	}, func(field string) error {
		return errorf(codeFailedToParse, "$convert found an unknown argument: %s", field)
	}, "input", "to", "onError", "onNull")
	if err != nil {
		return nil, err
	}
	for _, field := range []string{"input", "to"} {
		if !c.given(field) {
			return nil, errorf(codeFailedToParse, "Missing '%s' parameter to $convert", field)
		}
	}
	return c.expression(func(_ *Env, arg map[string]bson.RawValue) (bson.RawValue, error) {
		if isNullish(arg["input"]) {
			if c.given("onNull") {
				return arg["onNull"], nil
			}
			return null, nil
		}
		to, err := conversionTarget(arg["to"])
		if err != nil || to == 0 {
			return null, err
		}
		out, err := convert(arg["input"], to)
		if e, ok := err.(*Error); ok && e.Code == codeConversionFailure && c.given("onError") {
			return arg["onError"], nil
		}
		return out, err
	}), nil
}

// conversionTarget is the type that 'to' names, 0 for null.
func conversionTarget(v bson.RawValue) (bson.Type, error) {
	switch {
	case isNullish(v):
		return 0, nil
	case isString(v):
		if t := typeByName(text(v)); t != 0 {
			return t, nil
		}
		return 0, errorf(codeBadValue, "Unknown type name: %s", text(v))
	case v.IsNumber():
		n, ok := wholeNumber(v)
		if !ok {
			return 0, errorf(codeFailedToParse, "In $convert, numeric 'to' argument is not an integer")
		}
		if t := typeByNumber(n); t != 0 {
			return t, nil
		}
		return 0, errorf(codeFailedToParse, "In $convert, numeric value for 'to' does not correspond to a BSON type: %d", n)
	}
	return 0, errorf(codeFailedToParse, "$convert's 'to' argument must be a string or number, but is %s", TypeName(v.Type))
}

func convert(v bson.RawValue, to bson.Type) (bson.RawValue, error) {
	if v.Type == to {
		switch to {
		case bson.TypeDouble, bson.TypeString, bson.TypeObjectID, bson.TypeBoolean, bson.TypeDateTime,
			bson.TypeInt32, bson.TypeInt64, bson.TypeDecimal128:
			return v, nil
		}
	}
	switch to {
	case bson.TypeBoolean:
		return boolValue(truthy(v)), nil
	case bson.TypeString:
		return convertToString(v)
	case bson.TypeObjectID:
		return convertToObjectID(v)
	case bson.TypeDateTime:
		return convertToDate(v)
	case bson.TypeInt32, bson.TypeInt64:
		return convertToInteger(v, to)
	case bson.TypeDouble, bson.TypeDecimal128:
		return convertToReal(v, to)
	}
	return missing, unsupportedConversion(v, to)
}

func unsupportedConversion(v bson.RawValue, to bson.Type) error {
	return errorf(codeConversionFailure, "Unsupported conversion from %s to %s in $convert with no onError value", TypeName(v.Type), TypeName(to))
}

func convertToString(v bson.RawValue) (bson.RawValue, error) {
	switch v.Type {
	case bson.TypeDouble, bson.TypeInt32, bson.TypeInt64, bson.TypeDecimal128, bson.TypeObjectID, bson.TypeBoolean, bson.TypeDateTime:
		return stringValue(formatDense(v)), nil
	}
	return missing, unsupportedConversion(v, bson.TypeString)
}

func convertToObjectID(v bson.RawValue) (bson.RawValue, error) {
	if !isString(v) {
		return missing, unsupportedConversion(v, bson.TypeObjectID)
	}
	s := text(v)
	id, err := bson.ObjectIDFromHex(s)
	if err == nil {
		return objectIDValue(id), nil
	}
	reason := "Invalid string length for parsing to OID, expected 24 but found " + strconv.Itoa(len(s))
	if i := strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) }); len(s) == 24 && i >= 0 {
		reason = "Invalid character found in hex string: '" + s[i:i+1] + "'"
	}
	return missing, errorf(codeConversionFailure, "Failed to parse objectId '%s' in $convert with no onError value: %s", s, reason)
}

func convertToDate(v bson.RawValue) (bson.RawValue, error) {
	switch v.Type {
	case bson.TypeString:
		t, _, err := parseDate(text(v), time.UTC)
		return dateOf(t), err
	case bson.TypeObjectID, bson.TypeTimestamp:
		t, err := coerceToDate(v)
		return dateOf(t), err
	case bson.TypeInt64, bson.TypeDouble, bson.TypeDecimal128:
		n, err := convertToInteger(v, bson.TypeInt64)
		if err != nil {
			return missing, err
		}
		ms, _ := n.AsInt64()
		return dateValue(bson.DateTime(ms)), nil
	}
	return missing, unsupportedConversion(v, bson.TypeDateTime)
}

func convertToInteger(v bson.RawValue, to bson.Type) (bson.RawValue, error) {
	var n int64
	switch v.Type {
	case bson.TypeString:
		bits := 64
		if to == bson.TypeInt32 {
			bits = 32
		}
		var err error
		if n, err = parseInteger(text(v), bits); err != nil {
			return missing, err
		}
	case bson.TypeBoolean:
		n = int64(boolInt(truthy(v)))
	case bson.TypeDateTime:
		if to == bson.TypeInt32 {
			return missing, unsupportedConversion(v, to)
		}
		d, _ := v.DateTime()
		n = int64(d)
	case bson.TypeInt32, bson.TypeInt64:
		n, _ = v.AsInt64()
	case bson.TypeDouble, bson.TypeDecimal128:
		f := toDouble(v)
		switch {
		case math.IsNaN(f):
			return missing, errorf(codeConversionFailure, "Attempt to convert NaN value to integer type in $convert with no onError value")
		case math.IsInf(f, 0) && !toDecimal(v).finite():
			return missing, errorf(codeConversionFailure, "Attempt to convert infinity value to integer type in $convert with no onError value")
		}
		var ok bool
		if n, ok = exactDecimal(v).int64(); !ok {
			return missing, errConversionOverflow
		}
	default:
		return missing, unsupportedConversion(v, to)
	}
	if to == bson.TypeInt64 {
		return int64Value(n), nil
	}
	if n != int64(int32(n)) {
		return missing, errConversionOverflow
	}
	return int32Value(int32(n)), nil
}

var errConversionOverflow = errorf(codeConversionFailure, "Conversion would overflow target type in $convert with no onError value: ")

func parseInteger(s string, bits int) (int64, error) {
	if strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X") {
		return 0, errorf(codeConversionFailure, "Illegal hexadecimal input in $convert with no onError value: %s", s)
	}
	n, err := strconv.ParseInt(s, 10, bits)
	if err == nil {
		return n, nil
	}
	reason := "Did not consume whole string."
	if s == "" {
		reason = "No digits"
	} else if err.(*strconv.NumError).Err == strconv.ErrRange {
		reason = "Overflow"
	}
	return 0, parseFailure(s, reason)
}

func parseFailure(s, reason string) error {
	return errorf(codeConversionFailure, "Failed to parse number '%s' in $convert with no onError value: %s", s, reason)
}

func convertToReal(v bson.RawValue, to bson.Type) (bson.RawValue, error) {
	switch v.Type {
	case bson.TypeString:
		return parseReal(text(v), to)
	case bson.TypeBoolean:
		v = int32Value(int32(boolInt(truthy(v))))
	case bson.TypeDateTime:
		d, _ := v.DateTime()
		v = int64Value(int64(d))
	case bson.TypeInt32, bson.TypeInt64, bson.TypeDouble, bson.TypeDecimal128:
	default:
		return missing, unsupportedConversion(v, to)
	}
	if to == bson.TypeDecimal128 {
		return decimalValue(toDecimal(v)), nil
	}
	f := toDouble(v)
	if math.IsInf(f, 0) && v.Type == bson.TypeDecimal128 && toDecimal(v).finite() {
		return missing, errConversionOverflow
	}
	return doubleValue(f), nil
}

func parseReal(s string, to bson.Type) (bson.RawValue, error) {
	if strings.HasPrefix(s, "0x") || strings.HasPrefix(s, "0X") {
		return missing, errorf(codeConversionFailure, "Illegal hexadecimal input in $convert with no onError value: %s", s)
	}
	if to == bson.TypeDecimal128 {
		d, ok := parseDecimal(s)
		if !ok {
			return missing, parseFailure(s, "Failed to parse string to decimal")
		}
		return decimalValue(d), nil
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case s == "":
		return missing, parseFailure(s, "Empty string")
	case err != nil && err.(*strconv.NumError).Err == strconv.ErrRange:
		return missing, parseFailure(s, "Out of range")
	case err != nil || strings.ContainsAny(s, "_pP"):
		return missing, parseFailure(s, "Did not consume whole string.")
	}
	return doubleValue(f), nil
}
