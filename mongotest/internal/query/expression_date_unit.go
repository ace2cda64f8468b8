package query

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/motor-go/motor/bson"
)

var timeUnits = []string{"millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"}

// unitLength is the length of the units that have a fixed one.
var unitLength = map[string]time.Duration{
	"millisecond": time.Millisecond, "second": time.Second, "minute": time.Minute, "hour": time.Hour,
}

// unitMonths is the number of months in the units that have whole ones.
var unitMonths = map[string]int{"month": 1, "quarter": 3, "year": 12}

func readUnit(v bson.RawValue, name string, code int32) (string, error) {
	if !isString(v) {
		return "", errorf(code, "%s requires 'unit' to be a string, but got %s", name, TypeName(v.Type))
	}
	if !slices.Contains(timeUnits, text(v)) {
		return "", errorf(codeFailedToParse, "unknown time unit value: %s", text(v))
	}
	return text(v), nil
}

// addUnits moves a date. A day that the month has not becomes its last.
func addUnits(t time.Time, unit string, n int64) (time.Time, error) {
	overflow := errorf(5166406, "$dateAdd overflowed")
	if n > math.MaxInt32*1000 || n < -math.MaxInt32*1000 {
		return t, overflow
	}
	switch {
	case unitLength[unit] != 0:
		ms := n * int64(unitLength[unit]/time.Millisecond)
		moved, ok := addInt64(t.UnixMilli(), ms)
		if !ok {
			return t, overflow
		}
		return time.UnixMilli(moved).In(t.Location()), nil
	case unitMonths[unit] != 0:
		months := int64(t.Year())*12 + int64(t.Month()) - 1 + n*int64(unitMonths[unit])
		if months < -12*300_000 || months > 12*300_000 {
			return t, overflow
		}
		year, month := int(floorDiv(months, 12)), time.Month(months-12*floorDiv(months, 12)+1)
		last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
		return time.Date(year, month, min(t.Day(), last), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location()), nil
	case unit == "week":
		n *= 7
	}
	if n > 1<<27 || n < -(1<<27) {
		return t, overflow
	}
	return t.AddDate(0, 0, int(n)), nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func parseDateAdd(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	c, err := p.namedCall(v, func(t string) error {
		return errorf(5166400, "%s expects an object as its argument.found input type:%s", name, t)
	}, func(field string) error {
		return errorf(5166401, "Unrecognized argument to %s: %s. Expected arguments are startDate, unit, amount, and optionally timezone.", name, field)
	}, "startDate", "unit", "amount", "timezone")
	if err != nil {
		return nil, err
	}
	if !c.given("startDate") || !c.given("unit") || !c.given("amount") {
		return nil, errorf(5166402, "%s requires startDate, unit, and amount to be present", name)
	}
	return c.expression(func(_ *Env, arg map[string]bson.RawValue) (bson.RawValue, error) {
		zone, ok, err := c.zone(arg)
		if err != nil || !ok || isNullish(arg["startDate"]) || isNullish(arg["unit"]) || isNullish(arg["amount"]) {
			return null, err
		}
		t, err := coerceToDate(arg["startDate"])
		if err != nil {
			return missing, errorf(5166403, "%s requires startDate to be convertible to a date", name)
		}
		unit, err := readUnit(arg["unit"], name, 5166404)
		if err != nil {
			return missing, err
		}
		n, ok := wholeNumber(arg["amount"])
		if !ok {
			return missing, errorf(5166405, "%s expects integer amount of time units", name)
		}
		if name == "$dateSubtract" {
			if n == math.MinInt64 {
				return missing, errorf(6045000, "invalid %s 'amount' parameter value: %s %s", name, formatDense(arg["amount"]), unit)
			}
			n = -n
		}
		moved, err := addUnits(t.In(zone), unit, n)
		return dateOf(moved), err
	}), nil
}

func readWeekday(v bson.RawValue, name string, code int32) (time.Weekday, error) {
	if isMissing(v) {
		return time.Sunday, nil
	}
	if isString(v) {
		for d := time.Sunday; d <= time.Saturday; d++ {
			if s := strings.ToLower(text(v)); s == strings.ToLower(d.String()) || s == strings.ToLower(d.String()[:3]) {
				return d, nil
			}
		}
		return 0, errorf(codeFailedToParse, "unknown day of week value: %s", text(v))
	}
	return 0, errorf(code, "%s requires 'startOfWeek' to be a string, but got %s", name, TypeName(v.Type))
}

func parseDateDiff(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	c, err := p.namedCall(v, func(string) error {
		return errorf(5166301, "$dateDiff only supports an object as its argument")
	}, func(field string) error {
		return errorf(5166302, "Unrecognized argument to $dateDiff: %s", field)
	}, "startDate", "endDate", "unit", "timezone", "startOfWeek")
	if err != nil {
		return nil, err
	}
	for i, field := range []string{"startDate", "endDate", "unit"} {
		if !c.given(field) {
			return nil, errorf(5166303+int32(i), "Missing '%s' parameter to $dateDiff", field)
		}
	}
	return c.expression(func(_ *Env, arg map[string]bson.RawValue) (bson.RawValue, error) {
		zone, ok, err := c.zone(arg)
		if err != nil || !ok || isNullish(arg["startDate"]) || isNullish(arg["endDate"]) || isNullish(arg["unit"]) {
			return null, err
		}
		var t [2]time.Time
		for i, field := range []string{"startDate", "endDate"} {
			if t[i], err = coerceToDate(arg[field]); err != nil {
				return missing, errorf(5166307, "$dateDiff requires '%s' to be a date, but got %s", field, TypeName(arg[field].Type))
			}
		}
		unit, err := readUnit(arg["unit"], name, 5439013)
		if err != nil {
			return missing, err
		}
		week, err := readWeekday(arg["startOfWeek"], name, 5439015)
		return int64Value(unitsBetween(t[0].In(zone), t[1].In(zone), unit, week)), err
	}), nil
}

// dayNumber counts the days since 1970 in the zone of t.
func dayNumber(t time.Time) int64 {
	return floorDiv(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix(), 86400)
}

// unitsBetween counts the borders of units between two dates.
func unitsBetween(a, b time.Time, unit string, week time.Weekday) int64 {
	switch unit {
	case "millisecond":
		return b.UnixMilli() - a.UnixMilli()
	case "second":
		return b.Unix() - a.Unix()
	case "minute", "hour":
		length := int64(unitLength[unit] / time.Second)
		_, ao := a.Zone()
		_, bo := b.Zone()
		if unit == "minute" {
			ao, bo = 0, 0
		}
		// Hours of different offsets begin at different times.
		return floorDiv(b.Unix()+int64(bo%3600), length) - floorDiv(a.Unix()+int64(ao%3600), length)
	case "day":
		return dayNumber(b) - dayNumber(a)
	case "week":
		// The first day of 1970 was a Thursday.
		shift := int64(time.Thursday - week)
		return floorDiv(dayNumber(b)+shift, 7) - floorDiv(dayNumber(a)+shift, 7)
	}
	months := func(t time.Time) int64 {
		return floorDiv(int64(t.Year())*12+int64(t.Month())-1, int64(unitMonths[unit]))
	}
	return months(b) - months(a)
}

func parseDateTrunc(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	c, err := p.namedCall(v, func(string) error {
		return errorf(5439007, "$dateTrunc only supports an object as its argument")
	}, func(field string) error {
		return errorf(5439008, "Unrecognized argument to $dateTrunc: %s. Expected arguments are date, unit, and optionally, binSize, timezone, startOfWeek", field)
	}, "date", "unit", "binSize", "timezone", "startOfWeek")
	if err != nil {
		return nil, err
	}
	for i, field := range []string{"date", "unit"} {
		if !c.given(field) {
			return nil, errorf(5439009+int32(i), "Missing '%s' parameter to $dateTrunc", field)
		}
	}
	return c.expression(func(_ *Env, arg map[string]bson.RawValue) (bson.RawValue, error) {
		zone, ok, err := c.zone(arg)
		if err != nil || !ok || isNullish(arg["date"]) || isNullish(arg["unit"]) || c.given("binSize") && isNullish(arg["binSize"]) {
			return null, err
		}
		t, err := coerceToDate(arg["date"])
		if err != nil {
			return missing, errorf(5439012, "$dateTrunc requires 'date' to be a date, but got %s", TypeName(arg["date"].Type))
		}
		unit, err := readUnit(arg["unit"], name, 5439013)
		if err != nil {
			return missing, err
		}
		bin := int64(1)
		if c.given("binSize") {
			if bin, ok = wholeNumber(arg["binSize"]); !ok {
				return missing, errorf(5439017, "$dateTrunc requires 'binSize' to be a 64-bit integer, but got value '%s' of type %s", formatDense(arg["binSize"]), TypeName(arg["binSize"].Type))
			}
			if bin <= 0 || bin > 100_000_000_000 {
				return missing, errorf(5439018, "$dateTrunc requires 'binSize' to be greater than 0, but got value %d", bin)
			}
		}
		week, err := readWeekday(arg["startOfWeek"], name, 5439015)
		return dateOf(truncateDate(t.In(zone), unit, bin, week)), err
	}), nil
}

// truncateDate cuts to bins of units, which are counted from the first day of
// 2000 on.
func truncateDate(t time.Time, unit string, bin int64, week time.Weekday) time.Time {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, t.Location())
	switch {
	case unitLength[unit] != 0:
		length := int64(unitLength[unit]/time.Millisecond) * bin
		since := t.UnixMilli() - start.UnixMilli()
		return time.UnixMilli(start.UnixMilli() + floorDiv(since, length)*length).In(t.Location())
	case unitMonths[unit] != 0:
		months := int64(t.Year()-2000)*12 + int64(t.Month()) - 1
		length := int64(unitMonths[unit]) * bin
		return start.AddDate(0, int(floorDiv(months, length)*length), 0)
	case unit == "week":
		// The first such weekday on or after the reference date.
		start = start.AddDate(0, 0, (int(week)-int(start.Weekday())+7)%7)
		bin *= 7
	}
	days := dayNumber(t) - dayNumber(start)
	return start.AddDate(0, 0, int(floorDiv(days, bin)*bin))
}
