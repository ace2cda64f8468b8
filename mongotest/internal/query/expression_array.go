package query

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/motor-go/motor/bson"
)

var arrayOperators = map[string]operator{
	"$isArray":      unary(func(v bson.RawValue) (bson.RawValue, error) { return boolValue(isArray(v)), nil }),
	"$size":         unary(sizeOf),
	"$concatArrays": variadic(concatArrays),
	"$arrayElemAt":  dyadic(elementAt),
	"$first":        unary(endOf("$first", 0)).from(4, 4),
	"$last":         unary(endOf("$last", -1)).from(4, 4),
	"$reverseArray": unary(reverseArray),
	"$slice":        variadic(slice).takes(2, 3),
	"$range":        variadic(numberRange).takes(2, 3),
	"$indexOfArray": {least: 2, most: 4, apply: indexOfArray},
	"$in":           {least: 2, most: 2, apply: inArray},
}

func sizeOf(v bson.RawValue) (bson.RawValue, error) {
	if !isArray(v) {
		return missing, errorf(17124, "The argument to $size must be an array, but was of type: %s", TypeName(v.Type))
	}
	return int32Value(int32(bson.RawArray(v.Value).Len())), nil
}

func concatArrays(args []bson.RawValue) (bson.RawValue, error) {
	size := 0
	for _, v := range args {
		if isNullish(v) {
			return null, nil
		}
		if !isArray(v) {
			return missing, errorf(28664, "$concatArrays only supports arrays, not %s", TypeName(v.Type))
		}
		if size += len(v.Value); size > maxArraySize {
			return missing, errorf(codeExceededMemoryLimit, "$concatArrays would use too much memory (%d bytes)", size)
		}
	}
	var all []bson.RawValue
	for _, v := range args {
		all = append(all, elements(v)...)
	}
	return arrayValue(all), nil
}

// maxArraySize bounds, in bytes, what arrays can grow to within an expression.
const maxArraySize = 64 << 20

// indexIn makes an index from the end one from the start.
func indexIn(list []bson.RawValue, i int64) bson.RawValue {
	if i < 0 {
		i += int64(len(list))
	}
	if i < 0 || i >= int64(len(list)) {
		return missing
	}
	return list[i]
}

func elementAt(v, index bson.RawValue) (bson.RawValue, error) {
	if isNullish(v) || isNullish(index) {
		return null, nil
	}
	if !isArray(v) {
		return missing, errorf(28689, "$arrayElemAt's first argument must be an array, but is %s", TypeName(v.Type))
	}
	if !index.IsNumber() {
		return missing, errorf(28690, "$arrayElemAt's second argument must be a numeric value, but is %s", TypeName(index.Type))
	}
	i, ok := wholeNumber(index)
	if !ok || i != int64(int32(i)) {
		return missing, errorf(28691, "$arrayElemAt's second argument must be representable as a 32-bit integer: %s", formatDense(index))
	}
	return indexIn(elements(v), i), nil
}

func endOf(name string, index int64) func(bson.RawValue) (bson.RawValue, error) {
	return func(v bson.RawValue) (bson.RawValue, error) {
		if isNullish(v) {
			return null, nil
		}
		if !isArray(v) {
			return missing, errorf(28689, "%s's argument must be an array, but is %s", name, TypeName(v.Type))
		}
		return indexIn(elements(v), index), nil
	}
}

func reverseArray(v bson.RawValue) (bson.RawValue, error) {
	if isNullish(v) {
		return null, nil
	}
	if !isArray(v) {
		return missing, errorf(34435, "The argument to $reverseArray must be an array, but was of type: %s", TypeName(v.Type))
	}
	list := elements(v)
	slices.Reverse(list)
	return arrayValue(list), nil
}

func slice(args []bson.RawValue) (bson.RawValue, error) {
	if anyNullish(args) {
		return null, nil
	}
	if !isArray(args[0]) {
		return missing, errorf(28724, "First argument to $slice must be an array, but is of type: %s", TypeName(args[0].Type))
	}
	var n [2]int64
	for i, v := range args[1:] {
		which, code := "Second", int32(28725)
		if i == 1 {
			which, code = "Third", 28727
		}
		if !v.IsNumber() {
			return missing, errorf(code, "%s argument to $slice must be numeric, but is of type: %s", which, TypeName(v.Type))
		}
		var ok bool
		if n[i], ok = wholeNumber(v); !ok || n[i] != int64(int32(n[i])) {
			return missing, errorf(code+1, "%s argument to $slice can't be represented as a 32-bit integer: %s", which, formatDense(v))
		}
	}
	list := elements(args[0])
	size := int64(len(list))
	var start, end int64
	if len(args) == 2 {
		start, end = 0, min(n[0], size)
		if n[0] < 0 {
			start, end = max(size+n[0], 0), size
		}
	} else {
		if n[1] <= 0 {
			return missing, errorf(28729, "Third argument to $slice must be positive: %s", formatDense(args[2]))
		}
		start = min(n[0], size)
		if n[0] < 0 {
			start = max(size+n[0], 0)
		}
		end = min(start+n[1], size)
	}
	return arrayValue(list[start:end]), nil
}

// maxRange is how many numbers fit in the memory that the server gives $range.
const maxRange = 100 << 20 / 16

func numberRange(args []bson.RawValue) (bson.RawValue, error) {
	var n [3]int64
	n[2] = 1
	for i, v := range args {
		what := []string{"starting", "ending", "step"}[i]
		if !v.IsNumber() {
			return missing, errorf(34443+2*int32(i), "$range requires a numeric %s value, found value of type: %s", what, TypeName(v.Type))
		}
		var ok bool
		if n[i], ok = wholeNumber(v); !ok || n[i] != int64(int32(n[i])) {
			return missing, errorf(34444+2*int32(i), "$range requires a%s %s value that can be represented as a 32-bit integer, found value: %s", map[bool]string{true: "n"}[i == 1], what, formatDense(v))
		}
	}
	start, end, step := n[0], n[1], n[2]
	if step == 0 {
		return missing, errorf(34449, "$range requires a non-zero step value")
	}
	if count := (end - start) / step; count > maxRange {
		return missing, errorf(codeExceededMemoryLimit, "$range would use too much memory (%d bytes) and cannot spill to disk. Memory limit: %d bytes", count*16, 100<<20)
	}
	dst, at := bson.BeginDocument(nil)
	for i := 0; step > 0 && start < end || step < 0 && start > end; i++ {
		dst = binary.LittleEndian.AppendUint32(bson.AppendIndexHeader(dst, bson.TypeInt32, i), uint32(start))
		start += step
	}
	return bson.RawValue{Type: bson.TypeArray, Value: bson.EndDocument(dst, at)}, nil
}

func indexOfArray(env *Env, args []bson.RawValue) (bson.RawValue, error) {
	if isNullish(args[0]) {
		return null, nil
	}
	if !isArray(args[0]) {
		return missing, errorf(40090, "$indexOfArray requires an array as a first argument, found: %s", TypeName(args[0].Type))
	}
	list := elements(args[0])
	start, end, err := searchRange("$indexOfArray", args, len(list))
	if err != nil {
		return missing, err
	}
	for i := start; i < end; i++ {
		if Equal(list[i], args[1], env.Collation) {
			return int32Value(int32(i)), nil
		}
	}
	return int32Value(-1), nil
}

func inArray(env *Env, args []bson.RawValue) (bson.RawValue, error) {
	if !isArray(args[1]) {
		return missing, errorf(40081, "$in requires an array as a second argument, found: %s", TypeName(args[1].Type))
	}
	for v := range bson.RawArray(args[1].Value).Values() {
		if Equal(v, args[0], env.Collation) {
			return trueBool, nil
		}
	}
	return falseBool, nil
}

// positiveCount reads the n of $firstN and its like.
func positiveCount(v bson.RawValue, name string) (int, error) {
	n, ok := wholeNumber(v)
	if !v.IsNumber() || !ok {
		return 0, errorf(5787902, "Value for 'n' must be of integral type, but found %s", formatDense(v))
	}
	if n <= 0 {
		return 0, errorf(5787908, "'n' must be greater than 0, found %d for %s", n, name)
	}
	return int(min(n, math.MaxInt32)), nil
}
