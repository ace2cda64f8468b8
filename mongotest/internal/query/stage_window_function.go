package query

import (
	"bytes"
	"math"
	"strings"

	"github.com/motor-go/motor/bson"
)

func (w *windowStage) parseFunction(out *windowOutput, name string, arg bson.RawValue) (err error) {
	switch name {
	case "$rank", "$denseRank", "$documentNumber":
		return w.parseRank(out, name, arg)
	case "$shift":
		return w.parseShift(out, arg)
	case "$locf", "$linearFill":
		return w.parseFillFunction(out, name, arg)
	case "$expMovingAvg":
		return w.parseMovingAverage(out, arg)
	case "$derivative", "$integral":
		return w.parseSlope(out, name, arg)
	case "$covariancePop", "$covarianceSamp":
		return w.parseCovariance(out, name, arg)
	}
	f := accumulatorField{name: strings.Join(out.path, ".")}
	if err := f.parse(name, arg, w.env); err != nil {
		if e, ok := err.(*Error); ok && e.Code == 15952 {
			return errorf(codeFailedToParse, "Unrecognized window function, %s", name)
		}
		return err
	}
	out.compute = func(part *partition, at, from, to int) (bson.RawValue, error) {
		acc, err := f.start(newScope(w.env, part.docs[at]))
		if err != nil {
			return missing, err
		}
		for _, doc := range part.docs[from:to] {
			if err := acc.feed(newScope(w.env, doc)); err != nil {
				return missing, err
			}
		}
		if from == to && strings.HasPrefix(name, "$top") || from == to && strings.HasPrefix(name, "$bottom") {
			return null, nil
		}
		return acc.value(), nil
	}
	return nil
}

func (w *windowStage) parseRank(out *windowOutput, name string, arg bson.RawValue) error {
	switch {
	case !isObject(arg) || bson.Raw(arg.Value).Len() > 0:
		return errorf(5371603, "%s must be specified with '{}' as the value", name)
	case w.order == nil:
		return errorf(5371602, "%s must be specified with a top level sortBy expression with exactly one element", name)
	case out.window != nil:
		return errorf(5371601, "Rank style window functions take no other arguments")
	}
	out.compute = func(part *partition, at, _, _ int) (bson.RawValue, error) {
		rank, dense := 1, 1
		for i := 1; i <= at; i++ {
			if !bytes.Equal(part.keys[i], part.keys[i-1]) {
				rank, dense = i+1, dense+1
			}
		}
		switch name {
		case "$rank":
			return intValue(int64(rank)), nil
		case "$denseRank":
			return intValue(int64(dense)), nil
		}
		return intValue(int64(at + 1)), nil
	}
	return nil
}

func (w *windowStage) parseShift(out *windowOutput, arg bson.RawValue) error {
	if !isObject(arg) {
		return errorf(codeFailedToParse, "Argument to $shift must be an object")
	}
	named, err := fieldsOf(arg.Value, func(field string) error {
		return errorf(codeFailedToParse, "Unknown argument in $shift: %s", field)
	}, "output", "by", "default")
	if err != nil {
		return err
	}
	by, ok := wholeNumber(named["by"])
	switch {
	case w.order == nil:
		return errorf(codeFailedToParse, "'$shift' requires a sortBy")
	case isMissing(named["output"]):
		return errorf(codeFailedToParse, "$shift requires an 'output' expression.")
	case !ok || by != int64(int32(by)):
		return errorf(codeFailedToParse, "'$shift:by' field must be an integer, but found by: %s", formatValue(named["by"]))
	}
	expr, err := parseExpression(named["output"], w.env)
	if err != nil {
		return err
	}
	otherwise := null
	if d := named["default"]; !isMissing(d) {
		if otherwise, err = constant(d, w.env, errorf(codeFailedToParse, "'$shift:default' expression must yield a constant value.")); err != nil {
			return err
		}
	}
	out.compute = func(part *partition, at, _, _ int) (bson.RawValue, error) {
		i := at + int(by)
		if i < 0 || i >= len(part.docs) {
			return otherwise, nil
		}
		return expr.eval(newScope(w.env, part.docs[i]))
	}
	return nil
}

func (w *windowStage) parseFillFunction(out *windowOutput, name string, arg bson.RawValue) error {
	expr, err := parseExpression(arg, w.env)
	if err != nil {
		return err
	}
	if name == "$linearFill" && w.sortPath == nil {
		return errorf(605001, "$linearFill must be specified with a top level sortBy expression with exactly one element")
	}
	value := func(part *partition, i int) (bson.RawValue, error) { return expr.eval(newScope(w.env, part.docs[i])) }
	if name == "$locf" {
		out.compute = func(part *partition, at, _, _ int) (v bson.RawValue, err error) {
			for i := at; i >= 0; i-- {
				if v, err = value(part, i); err != nil || !isNullish(v) {
					return v, err
				}
			}
			return null, nil
		}
		return nil
	}
	out.compute = func(part *partition, at, _, _ int) (bson.RawValue, error) {
		v, err := value(part, at)
		if err != nil || !isNullish(v) {
			return v, err
		}
		known := func(step int) (int, bson.RawValue, error) {
			for i := at + step; i >= 0 && i < len(part.docs); i += step {
				if v, err := value(part, i); err != nil || !isNullish(v) {
					return i, v, err
				}
			}
			return -1, missing, nil
		}
		i, left, err := known(-1)
		if err != nil {
			return missing, err
		}
		j, right, err := known(1)
		if err != nil || i < 0 || j < 0 {
			return null, err
		}
		if !left.IsNumber() || !right.IsNumber() {
			return missing, errorf(codeTypeMismatch, "Value to be filled must be numeric or nullish")
		}
		x0, x, x1 := position(part.sortBy[i]), position(part.sortBy[at]), position(part.sortBy[j])
		if x0 == x1 {
			return missing, errorf(6050106, "There can be no repeated values in the sort field")
		}
		y0, y1 := toDouble(left), toDouble(right)
		return doubleValue(y0 + (y1-y0)*(x-x0)/(x1-x0)), nil
	}
	return nil
}

// position is a number or a date as a place on a line.
func position(v bson.RawValue) float64 {
	if d, ok := v.DateTime(); ok {
		return float64(d)
	}
	return toDouble(v)
}

func (w *windowStage) parseMovingAverage(out *windowOutput, arg bson.RawValue) error {
	if !isObject(arg) {
		return errorf(codeFailedToParse, "$expMovingAvg must have exactly one argument that is an object")
	}
	input, n, alpha := bson.Raw(arg.Value).Lookup("input"), bson.Raw(arg.Value).Lookup("N"), bson.Raw(arg.Value).Lookup("alpha")
	if w.order == nil {
		return errorf(codeFailedToParse, "$expMovingAvg requires an explicit 'sortBy'")
	}
	if isMissing(input) || isMissing(n) == isMissing(alpha) || bson.Raw(arg.Value).Len() != 2 {
		return errorf(codeFailedToParse, "$expMovingAvg sub object must have exactly two fields: An 'input' field, and either an 'N' field or an 'alpha' field")
	}
	weight := toDouble(alpha)
	if isMissing(alpha) {
		count, ok := wholeNumber(n)
		if !ok || count <= 0 {
			return errorf(codeFailedToParse, "'N' field must be an integer, but found  N: %s", formatValue(n))
		}
		weight = 2 / (float64(count) + 1)
	} else if !alpha.IsNumber() || weight <= 0 || weight >= 1 {
		return errorf(codeFailedToParse, "'alpha' must be between 0 and 1 (exclusive), found alpha: %s", formatValue(alpha))
	}
	expr, err := parseExpression(input, w.env)
	out.compute = func(part *partition, at, _, _ int) (bson.RawValue, error) {
		average, any := 0.0, false
		for _, doc := range part.docs[:at+1] {
			v, err := expr.eval(newScope(w.env, doc))
			if err != nil {
				return missing, err
			}
			switch {
			case !v.IsNumber():
			case any:
				average = toDouble(v)*weight + average*(1-weight)
			default:
				average, any = toDouble(v), true
			}
		}
		if !any {
			return null, nil
		}
		return doubleValue(average), nil
	}
	return err
}

func (w *windowStage) parseSlope(out *windowOutput, name string, arg bson.RawValue) error {
	if !isObject(arg) {
		return errorf(codeFailedToParse, "%s expects an object", name)
	}
	named, err := fieldsOf(arg.Value, func(field string) error {
		return errorf(codeFailedToParse, "%s got unexpected argument: %s", name, field)
	}, "input", "unit")
	switch {
	case err != nil:
		return err
	case isMissing(named["input"]):
		return errorf(codeFailedToParse, "%s requires an 'input' expression", name)
	case w.sortPath == nil:
		return errorf(codeFailedToParse, "%s requires a sortBy", name)
	case out.window == nil && name == "$derivative":
		return errorf(codeFailedToParse, "$derivative requires explicit window bounds")
	}
	length := 1.0
	if u := named["unit"]; !isMissing(u) {
		unit, err := readUnit(u, name, codeFailedToParse)
		if err != nil {
			return err
		}
		switch {
		case unitLength[unit] != 0:
			length = float64(unitLength[unit].Milliseconds())
		case unit == "day":
			length = 86400e3
		case unit == "week":
			length = 7 * 86400e3
		default:
			return errorf(5490710, "unit must be 'week' or smaller")
		}
	}
	expr, err := parseExpression(named["input"], w.env)
	out.compute = func(part *partition, _, from, to int) (bson.RawValue, error) {
		var ys []float64
		for _, doc := range part.docs[from:to] {
			v, err := expr.eval(newScope(w.env, doc))
			if err != nil || isNullish(v) {
				return null, err
			}
			ys = append(ys, position(v))
		}
		x := func(i int) float64 { return position(part.sortBy[from+i]) / length }
		last := len(ys) - 1
		if name == "$derivative" {
			if last < 1 || x(last) == x(0) {
				return null, nil
			}
			return doubleValue((ys[last] - ys[0]) / (x(last) - x(0))), nil
		}
		if last < 0 {
			return null, nil
		}
		area := 0.0
		for i := 1; i <= last; i++ {
			area += (ys[i] + ys[i-1]) / 2 * (x(i) - x(i-1))
		}
		return doubleValue(area), nil
	}
	return err
}

func (w *windowStage) parseCovariance(out *windowOutput, name string, arg bson.RawValue) error {
	expr, err := parseExpression(arg, w.env)
	out.compute = func(part *partition, _, from, to int) (bson.RawValue, error) {
		var n, meanX, meanY, c float64
		for _, doc := range part.docs[from:to] {
			v, err := expr.eval(newScope(w.env, doc))
			if err != nil {
				return missing, err
			}
			pair := elements(v)
			if !isArray(v) || len(pair) != 2 || !pair[0].IsNumber() || !pair[1].IsNumber() {
				continue
			}
			x, y := toDouble(pair[0]), toDouble(pair[1])
			n++
			dx := x - meanX
			meanX += dx / n
			meanY += (y - meanY) / n
			c += dx * (y - meanY)
		}
		if name == "$covarianceSamp" {
			n--
		}
		if n <= 0 || math.IsNaN(c) {
			return null, nil
		}
		return doubleValue(c / n), nil
	}
	return err
}
