package query

import (
	"math"
	"math/big"

	"github.com/motor-go/motor/bson"
)

var arithmeticOperators = map[string]operator{
	"$add":      variadic(addValues),
	"$subtract": dyadic(subtract),
	"$multiply": variadic(multiply),
	"$divide":   dyadic(divide),
	"$mod":      dyadic(remainder),
	"$pow":      dyadic(power),
	"$log":      dyadic(logarithm),
	"$abs":      numeric("$abs", absolute),
	"$ceil":     numeric("$ceil", rounder(math.Ceil, decimal.ceil)),
	"$floor":    numeric("$floor", rounder(math.Floor, decimal.floor)),
	"$exp":      numeric("$exp", doubleFunc(math.Exp)),
	"$sqrt":     numeric("$sqrt", squareRoot),
	"$ln":       numeric("$ln", logOf("$ln", 28766, math.Log)),
	"$log10":    numeric("$log10", logOf("$log10", 28761, math.Log10)),
	"$round":    roundOperator("$round", decimal.roundedTo),
	"$trunc":    roundOperator("$trunc", decimal.truncated),

	"$sin":              trigonometric("$sin", math.Sin, math.Inf(-1), math.Inf(1)),
	"$cos":              trigonometric("$cos", math.Cos, math.Inf(-1), math.Inf(1)),
	"$tan":              trigonometric("$tan", math.Tan, math.Inf(-1), math.Inf(1)),
	"$sinh":             numeric("$sinh", doubleFunc(math.Sinh)).from(4, 2),
	"$cosh":             numeric("$cosh", doubleFunc(math.Cosh)).from(4, 2),
	"$tanh":             numeric("$tanh", doubleFunc(math.Tanh)).from(4, 2),
	"$asin":             bounded("$asin", math.Asin, -1, 1),
	"$acos":             bounded("$acos", math.Acos, -1, 1),
	"$atan":             numeric("$atan", doubleFunc(math.Atan)).from(4, 2),
	"$asinh":            numeric("$asinh", doubleFunc(math.Asinh)).from(4, 2),
	"$acosh":            bounded("$acosh", math.Acosh, 1, math.Inf(1)),
	"$atanh":            bounded("$atanh", math.Atanh, -1, 1),
	"$atan2":            dyadic(arcTangent2).from(4, 2),
	"$degreesToRadians": numeric("$degreesToRadians", doubleFunc(func(f float64) float64 { return f * (math.Pi / 180) })).from(4, 2),
	"$radiansToDegrees": numeric("$radiansToDegrees", doubleFunc(func(f float64) float64 { return f * (180 / math.Pi) })).from(4, 2),

	"$bitAnd": bitwise("$bitAnd", -1, func(a, b int64) int64 { return a & b }),
	"$bitOr":  bitwise("$bitOr", 0, func(a, b int64) int64 { return a | b }),
	"$bitXor": bitwise("$bitXor", 0, func(a, b int64) int64 { return a ^ b }),
	"$bitNot": unary(bitNot).from(6, 3),
}

// numeric is an operator on one number; null stays null.
func numeric(name string, apply func(v bson.RawValue) (bson.RawValue, error)) operator {
	return unary(func(v bson.RawValue) (bson.RawValue, error) {
		switch {
		case isNullish(v):
			return null, nil
		case !v.IsNumber():
			return missing, errorf(28765, "%s only supports numeric types, not %s", name, TypeName(v.Type))
		}
		return apply(v)
	})
}

// doubleFunc computes with doubles. A decimal stays one, to the double's
// precision.
func doubleFunc(f func(float64) float64) func(bson.RawValue) (bson.RawValue, error) {
	return func(v bson.RawValue) (bson.RawValue, error) {
		x := f(toDouble(v))
		if v.Type == bson.TypeDecimal128 {
			return decimalValue(decimalFromDouble(x, 15)), nil
		}
		return doubleValue(x), nil
	}
}

// trigonometric is defined between the bounds, themselves not included.
func trigonometric(name string, f func(float64) float64, low, high float64) operator {
	return numeric(name, func(v bson.RawValue) (bson.RawValue, error) {
		if x := toDouble(v); x <= low || x >= high {
			return missing, errorf(50989, "cannot apply %s to %s, value must in (%s,%s)", name, formatShortDouble(x), boundText(low), boundText(high))
		}
		return doubleFunc(f)(v)
	}).from(4, 2)
}

func bounded(name string, f func(float64) float64, low, high float64) operator {
	return numeric(name, func(v bson.RawValue) (bson.RawValue, error) {
		if x := toDouble(v); x < low || x > high {
			return missing, errorf(50989, "cannot apply %s to %s, value must in [%s,%s]", name, formatShortDouble(x), boundText(low), boundText(high))
		}
		return doubleFunc(f)(v)
	}).from(4, 2)
}

func boundText(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return formatShortDouble(f)
}

func anyNullish(args []bson.RawValue) bool {
	for _, v := range args {
		if isNullish(v) {
			return true
		}
	}
	return false
}

// addValues is $add: numbers, and one date among them.
func addValues(args []bson.RawValue) (bson.RawValue, error) {
	var date bson.RawValue
	var sum sum
	for _, v := range args {
		switch {
		case v.IsNumber():
			sum.add(v)
		case v.Type == bson.TypeDateTime && isMissing(date):
			date = v
		case v.Type == bson.TypeDateTime:
			return missing, errorf(16612, "only one date allowed in an $add expression")
		case isNullish(v):
			return null, nil
		default:
			return missing, errorf(16554, "$add only supports numeric or date types, not %s", TypeName(v.Type))
		}
	}
	if isMissing(date) {
		return sum.value(), nil
	}
	d, _ := date.DateTime()
	return addToDate(d, sum.value(), 1)
}

// addToDate moves a date by milliseconds, rounded.
func addToDate(d bson.DateTime, v bson.RawValue, sign int64) (bson.RawValue, error) {
	n := truncatedNumber(v)
	switch v.Type {
	case bson.TypeDouble:
		n = clamp(math.Round(toDouble(v)))
	case bson.TypeDecimal128:
		n = truncatedNumber(decimalValue(toDecimal(v).roundedTo(0)))
	}
	moved, ok := addInt64(int64(d), sign*n)
	if !ok {
		return missing, errorf(codeOverflow, "date overflow")
	}
	return dateValue(bson.DateTime(moved)), nil
}

func subtract(a, b bson.RawValue) (bson.RawValue, error) {
	switch {
	case isNullish(a) || isNullish(b):
		return null, nil
	case a.Type == bson.TypeDateTime && b.Type == bson.TypeDateTime:
		x, _ := a.DateTime()
		y, _ := b.DateTime()
		return int64Value(int64(x - y)), nil
	case a.Type == bson.TypeDateTime && b.IsNumber():
		d, _ := a.DateTime()
		return addToDate(d, b, -1)
	case !a.IsNumber() || !b.IsNumber():
		return missing, errorf(16556, "can't $subtract %s from %s", TypeName(b.Type), TypeName(a.Type))
	}
	switch widest(a.Type, b.Type) {
	case bson.TypeDecimal128:
		return decimalValue(toDecimal(a).sub(toDecimal(b))), nil
	case bson.TypeDouble:
		return doubleValue(toDouble(a) - toDouble(b)), nil
	}
	x, y := truncatedNumber(a), truncatedNumber(b)
	diff := x - y
	if (diff < x) != (y > 0) {
		return doubleValue(float64(x) - float64(y)), nil
	}
	return integer(diff, widest(a.Type, b.Type)), nil
}

// integer is n as the type of the operands, or wider if it does not fit.
func integer(n int64, t bson.Type) bson.RawValue {
	if t == bson.TypeInt32 {
		return intValue(n)
	}
	return int64Value(n)
}

func multiply(args []bson.RawValue) (bson.RawValue, error) {
	t := bson.TypeInt32
	for _, v := range args {
		if isNullish(v) {
			return null, nil
		}
		if !v.IsNumber() {
			return missing, errorf(16555, "$multiply only supports numeric types, not %s", TypeName(v.Type))
		}
		t = widest(t, v.Type)
	}
	if t == bson.TypeDecimal128 {
		product := decimalFromInt(1)
		for _, v := range args {
			product = product.mul(toDecimal(v))
		}
		return decimalValue(product), nil
	}
	product, whole, fits := 1.0, int64(1), true
	for _, v := range args {
		product *= toDouble(v)
		if t != bson.TypeDouble && fits {
			whole, fits = mulInt64(whole, truncatedNumber(v))
		}
	}
	if t == bson.TypeDouble || !fits {
		return doubleValue(product), nil
	}
	return integer(whole, t), nil
}

func divide(a, b bson.RawValue) (bson.RawValue, error) {
	switch {
	case a.IsNumber() && b.IsNumber():
		if widest(a.Type, b.Type) == bson.TypeDecimal128 {
			if toDecimal(b).isZero() {
				return missing, errorf(16608, "can't $divide by zero")
			}
			return decimalValue(toDecimal(a).quo(toDecimal(b))), nil
		}
		if toDouble(b) == 0 {
			return missing, errorf(16608, "can't $divide by zero")
		}
		return doubleValue(toDouble(a) / toDouble(b)), nil
	case isNullish(a) || isNullish(b):
		return null, nil
	}
	return missing, errorf(16609, "$divide only supports numeric types, not %s and %s", TypeName(a.Type), TypeName(b.Type))
}

func remainder(a, b bson.RawValue) (bson.RawValue, error) {
	if !a.IsNumber() || !b.IsNumber() {
		if isNullish(a) || isNullish(b) {
			return null, nil
		}
		return missing, errorf(16611, "$mod only supports numeric types, not %s and %s", TypeName(a.Type), TypeName(b.Type))
	}
	if !isNaN(b) && compareNumbers(b, int32Value(0)) == 0 {
		return missing, errorf(16610, "can't $mod by zero")
	}
	t := widest(a.Type, b.Type)
	switch t {
	case bson.TypeDecimal128:
		return decimalValue(toDecimal(a).mod(toDecimal(b))), nil
	case bson.TypeDouble:
		// Whole doubles give a double all the same.
		return doubleValue(math.Mod(toDouble(a), toDouble(b))), nil
	}
	x, y := truncatedNumber(a), truncatedNumber(b)
	if y == -1 {
		return integer(0, t), nil
	}
	return integer(x%y, t), nil
}

func absolute(v bson.RawValue) (bson.RawValue, error) {
	switch v.Type {
	case bson.TypeDecimal128:
		return decimalValue(toDecimal(v).abs()), nil
	case bson.TypeDouble:
		return doubleValue(math.Abs(toDouble(v))), nil
	}
	n := truncatedNumber(v)
	if n == math.MinInt64 {
		return missing, errorf(28680, "can't take $abs of long long min")
	}
	return integer(max(n, -n), v.Type), nil
}

func rounder(f func(float64) float64, d func(decimal) decimal) func(bson.RawValue) (bson.RawValue, error) {
	return func(v bson.RawValue) (bson.RawValue, error) {
		switch v.Type {
		case bson.TypeDecimal128:
			return decimalValue(d(toDecimal(v))), nil
		case bson.TypeDouble:
			return doubleValue(f(toDouble(v))), nil
		}
		return v, nil
	}
}

func squareRoot(v bson.RawValue) (bson.RawValue, error) {
	if compareNumbers(v, int32Value(0)) < 0 && !isNaN(v) {
		return missing, errorf(28714, "$sqrt's argument must be greater than or equal to 0")
	}
	if v.Type == bson.TypeDecimal128 {
		return decimalValue(toDecimal(v).sqrt()), nil
	}
	return doubleValue(math.Sqrt(toDouble(v))), nil
}

func logOf(name string, code int32, f func(float64) float64) func(bson.RawValue) (bson.RawValue, error) {
	return func(v bson.RawValue) (bson.RawValue, error) {
		if !isNaN(v) && compareNumbers(v, int32Value(0)) <= 0 {
			return missing, errorf(code, "%s's argument must be a positive number, but is %s", name, formatDense(v))
		}
		return doubleFunc(f)(v)
	}
}

func logarithm(v, base bson.RawValue) (bson.RawValue, error) {
	switch {
	case isNullish(v) || isNullish(base):
		return null, nil
	case !v.IsNumber():
		return missing, errorf(28756, "$log's argument must be numeric, not %s", TypeName(v.Type))
	case !base.IsNumber():
		return missing, errorf(28757, "$log's base must be numeric, not %s", TypeName(base.Type))
	case toDouble(v) <= 0:
		return missing, errorf(28758, "$log's argument must be a positive number, but is %s", formatDense(v))
	case toDouble(base) <= 0 || toDouble(base) == 1:
		return missing, errorf(28759, "$log's base must be a positive number not equal to 1, but is %s", formatDense(base))
	}
	x := math.Log(toDouble(v)) / math.Log(toDouble(base))
	if widest(v.Type, base.Type) == bson.TypeDecimal128 {
		return decimalValue(decimalFromDouble(x, 15)), nil
	}
	return doubleValue(x), nil
}

func power(base, exponent bson.RawValue) (bson.RawValue, error) {
	switch {
	case isNullish(base) || isNullish(exponent):
		return null, nil
	case !base.IsNumber():
		return missing, errorf(28762, "$pow's base must be numeric, not %s", TypeName(base.Type))
	case !exponent.IsNumber():
		return missing, errorf(28763, "$pow's exponent must be numeric, not %s", TypeName(exponent.Type))
	case toDouble(base) == 0 && toDouble(exponent) < 0:
		return missing, errorf(28764, "$pow cannot take a base of 0 and a negative exponent")
	}
	t := widest(base.Type, exponent.Type)
	switch {
	case t == bson.TypeDecimal128:
		if n, ok := wholeNumber(exponent); ok && n >= 0 && n <= 1000 {
			d := decimalFromInt(1)
			for range n {
				d = d.mul(toDecimal(base))
			}
			return decimalValue(d), nil
		}
		return decimalValue(decimalFromDouble(math.Pow(toDouble(base), toDouble(exponent)), 15)), nil
	case t == bson.TypeDouble:
		return doubleValue(math.Pow(toDouble(base), toDouble(exponent))), nil
	}
	// Whole numbers stay whole while they fit in 64 bits.
	b, e := truncatedNumber(base), truncatedNumber(exponent)
	if e >= 0 && (e < 64 || b >= -1 && b <= 1) {
		if e > 64 {
			e = 64 + e%2
		}
		if x := new(big.Int).Exp(big.NewInt(b), big.NewInt(e), nil); x.IsInt64() {
			return integer(x.Int64(), t), nil
		}
	}
	return doubleValue(math.Pow(float64(b), float64(e))), nil
}

func roundOperator(name string, round func(decimal, int) decimal) operator {
	return variadic(func(args []bson.RawValue) (bson.RawValue, error) {
		v, place := args[0], int64(0)
		if isNullish(v) || len(args) > 1 && isNullish(args[1]) {
			return null, nil
		}
		if !v.IsNumber() {
			return missing, errorf(51081, "%s only supports numeric types, not %s", name, TypeName(v.Type))
		}
		if len(args) > 1 {
			n, ok := wholeNumber(args[1])
			if !ok {
				return missing, errorf(51082, "precision argument to  %s must be a integral value", name)
			}
			if n < -20 || n > 100 {
				return missing, errorf(51083, "cannot apply %s with precision value %d value must be in [-20, 100]", name, n)
			}
			place = n
		}
		switch v.Type {
		case bson.TypeDecimal128:
			return decimalValue(round(toDecimal(v), int(place))), nil
		case bson.TypeDouble:
			f := toDouble(v)
			d := exactDouble(f)
			if !d.finite() {
				return v, nil
			}
			if name == "$trunc" || place != 0 {
				// The shortest text of the number is what its digits are.
				d, _ = parseDecimal(formatShortestDouble(f))
			}
			return doubleValue(round(d, int(place)).double()), nil
		}
		n, _ := round(toDecimal(v), int(place)).int64()
		return integer(n, v.Type), nil
	}).takes(1, 2)
}

func arcTangent2(y, x bson.RawValue) (bson.RawValue, error) {
	switch {
	case isNullish(x) || isNullish(y):
		return null, nil
	case !x.IsNumber() || !y.IsNumber():
		return missing, errorf(51044, "$atan2 only supports numeric types, not %s and %s", TypeName(y.Type), TypeName(x.Type))
	}
	f := math.Atan2(toDouble(y), toDouble(x))
	if widest(x.Type, y.Type) == bson.TypeDecimal128 {
		return decimalValue(decimalFromDouble(f, 15)), nil
	}
	return doubleValue(f), nil
}

func bitwise(name string, start int64, f func(a, b int64) int64) operator {
	return variadic(func(args []bson.RawValue) (bson.RawValue, error) {
		if anyNullish(args) {
			return null, nil
		}
		out, t := start, bson.TypeInt32
		for _, v := range args {
			if v.Type != bson.TypeInt32 && v.Type != bson.TypeInt64 {
				return missing, errorf(codeTypeMismatch, "%s only supports int and long operands, not %s", name, TypeName(v.Type))
			}
			t = widest(t, v.Type)
			out = f(out, truncatedNumber(v))
		}
		return integer(out, t), nil
	}).from(6, 3)
}

func bitNot(v bson.RawValue) (bson.RawValue, error) {
	if isNullish(v) {
		return null, nil
	}
	if v.Type != bson.TypeInt32 && v.Type != bson.TypeInt64 {
		return missing, errorf(codeTypeMismatch, "$bitNot only supports int and long, not %s.", TypeName(v.Type))
	}
	return integer(^truncatedNumber(v), v.Type), nil
}
