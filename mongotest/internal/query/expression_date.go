package query

import (
	"strings"
	"time"

	"github.com/motor-go/motor/bson"
)

var dateOperators = map[string]operator{
	"$year":         datePart(time.Time.Year),
	"$month":        datePart(func(t time.Time) int { return int(t.Month()) }),
	"$dayOfMonth":   datePart(time.Time.Day),
	"$hour":         datePart(time.Time.Hour),
	"$minute":       datePart(time.Time.Minute),
	"$second":       datePart(time.Time.Second),
	"$millisecond":  datePart(millisecond),
	"$dayOfYear":    datePart(time.Time.YearDay),
	"$dayOfWeek":    datePart(func(t time.Time) int { return int(t.Weekday()) + 1 }),
	"$week":         datePart(weekOfYear),
	"$isoDayOfWeek": datePart(isoDayOfWeek),
	"$isoWeek":      datePart(func(t time.Time) int { _, w := t.ISOWeek(); return w }),
	"$isoWeekYear": {parse: parseDatePart(func(t time.Time) bson.RawValue {
		y, _ := t.ISOWeek()
		return int64Value(int64(y))
	})},
	"$dateToString":   {parse: parseDateToString},
	"$dateFromString": {parse: parseDateFromString},
	"$dateToParts":    {parse: parseDateToParts},
	"$dateFromParts":  {parse: parseDateFromParts},
	"$dateAdd":        {since: Version{5, 0}, parse: parseDateAdd},
	"$dateSubtract":   {since: Version{5, 0}, parse: parseDateAdd},
	"$dateDiff":       {since: Version{5, 0}, parse: parseDateDiff},
	"$dateTrunc":      {since: Version{5, 0}, parse: parseDateTrunc},
	"$tsSecond":       unary(timestampPart("$tsSecond", 5687301, func(t bson.Timestamp) uint32 { return t.T })).from(5, 1),
	"$tsIncrement":    unary(timestampPart("$tsIncrement", 5687302, func(t bson.Timestamp) uint32 { return t.I })).from(5, 1),
}

func datePart(part func(time.Time) int) operator {
	return operator{parse: parseDatePart(func(t time.Time) bson.RawValue { return int32Value(int32(part(t))) })}
}

// parseDatePart parses an operator on a date, which may come with a zone.
func parseDatePart(part func(time.Time) bson.RawValue) func(*expressionParser, string, bson.RawValue) (*expression, error) {
	return func(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
		if isArray(v) {
			if n := bson.RawArray(v.Value).Len(); n != 1 {
				return nil, errorf(40536, "%s accepts exactly one argument if given an array, but was given %d", name, n)
			}
			v = elements(v)[0]
		}
		var args []*expression
		if isObject(v) && !isOperators(v, false) {
			named, err := p.namedArguments(v, nil, func(field string) error {
				return errorf(40535, "unrecognized option to %s: %q", name, field)
			}, "date", "timezone")
			if err != nil {
				return nil, err
			}
			if named["date"] == nil {
				return nil, errorf(40539, "missing 'date' argument to %s, provided: %s", name, FormatDocument(v.Value))
			}
			args = present(named, "date", "timezone")
		} else {
			date, err := p.operand(v)
			if err != nil {
				return nil, err
			}
			args = []*expression{date}
		}
		return p.call(args, func(_ *Env, values []bson.RawValue) (bson.RawValue, error) {
			if isNullish(values[0]) {
				return null, nil
			}
			t, err := coerceToDate(values[0])
			if err != nil {
				return missing, err
			}
			if len(values) > 1 {
				zone, ok, err := parseZone(values[1])
				if !ok {
					return null, err
				}
				t = t.In(zone)
			}
			return part(t), nil
		}), nil
	}
}

func timestampPart(name string, code int32, part func(bson.Timestamp) uint32) func(bson.RawValue) (bson.RawValue, error) {
	return func(v bson.RawValue) (bson.RawValue, error) {
		if isNullish(v) {
			return null, nil
		}
		t, ok := v.Timestamp()
		if !ok {
			return missing, errorf(code, " Argument to %s must be a timestamp, but is %s", name, TypeName(v.Type))
		}
		return int64Value(int64(part(t))), nil
	}
}

// namedCall is an operator with named arguments that are all evaluated. Those
// that were not given are missing, and given tells.
type namedCall struct {
	args map[string]*expression
	all  []*expression
}

func (p *expressionParser) namedCall(v bson.RawValue, notObject, unknown func(string) error, names ...string) (*namedCall, error) {
	args, err := p.namedArguments(v, func() error { return notObject(TypeName(v.Type)) }, unknown, names...)
	if err != nil {
		return nil, err
	}
	return &namedCall{args, present(args, names...)}, nil
}

func (c *namedCall) given(name string) bool { return c.args[name] != nil }

// expression computes a value from the arguments by name.
func (c *namedCall) expression(apply func(env *Env, arg map[string]bson.RawValue) (bson.RawValue, error)) *expression {
	return &expression{args: c.all, pure: true, eval: func(s *scope) (bson.RawValue, error) {
		values := map[string]bson.RawValue{}
		for name, e := range c.args {
			v, err := e.eval(s)
			if err != nil {
				return missing, err
			}
			values[name] = v
		}
		return apply(s.env, values)
	}}
}

// zone is the zone argument: UTC if it was not given, not ok if it is null.
func (c *namedCall) zone(arg map[string]bson.RawValue) (*time.Location, bool, error) {
	if !c.given("timezone") {
		return time.UTC, true, nil
	}
	return parseZone(arg["timezone"])
}

func parseDateToString(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	c, err := p.namedCall(v, func(string) error {
		return errorf(18629, "$dateToString only supports an object as its argument")
	}, func(field string) error {
		return errorf(18534, "Unrecognized argument to $dateToString: %s", field)
	}, "format", "date", "timezone", "onNull")
	if err != nil {
		return nil, err
	}
	if !c.given("date") {
		return nil, errorf(18628, "Missing 'date' parameter to $dateToString")
	}
	return c.expression(func(_ *Env, arg map[string]bson.RawValue) (bson.RawValue, error) {
		onNull := null
		if c.given("onNull") {
			onNull = arg["onNull"]
		}
		if isNullish(arg["date"]) {
			return onNull, nil
		}
		if c.given("format") && isNullish(arg["format"]) {
			return onNull, nil
		}
		if c.given("format") && !isString(arg["format"]) {
			return missing, errorf(18533, "$dateToString requires that 'format' be a string, found: %s with value %s", TypeName(arg["format"].Type), formatDense(arg["format"]))
		}
		zone, ok, err := c.zone(arg)
		if err != nil {
			return missing, err
		}
		if !ok {
			return onNull, nil
		}
		t, err := coerceToDate(arg["date"])
		if err != nil {
			return missing, err
		}
		format := "%Y-%m-%dT%H:%M:%S.%LZ"
		if zone != time.UTC {
			format = "%Y-%m-%dT%H:%M:%S.%L"
		}
		if c.given("format") {
			format = text(arg["format"])
		}
		s, err := formatTime(t.In(zone), format)
		return stringValue(s), err
	}), nil
}

func parseDateFromString(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	c, err := p.namedCall(v, func(t string) error {
		return errorf(40540, "$dateFromString only supports an object as an argument, found: %s", t)
	}, func(field string) error {
		return errorf(40541, "Unrecognized argument to $dateFromString: %s", field)
	}, "dateString", "format", "timezone", "onError", "onNull")
	if err != nil {
		return nil, err
	}
	if !c.given("dateString") {
		return nil, errorf(40542, "Missing 'dateString' parameter to $dateFromString")
	}
	return c.expression(func(_ *Env, arg map[string]bson.RawValue) (bson.RawValue, error) {
		if c.given("format") && !isString(arg["format"]) && !isNullish(arg["format"]) {
			return missing, errorf(40684, "$dateFromString requires that 'format' be a string, found: %s with value %s", TypeName(arg["format"].Type), formatDense(arg["format"]))
		}
		if isNullish(arg["dateString"]) {
			if c.given("onNull") {
				return arg["onNull"], nil
			}
			return null, nil
		}
		zone, ok, err := c.zone(arg)
		if err != nil || !ok || c.given("format") && isNullish(arg["format"]) {
			return null, err
		}
		t, err := dateFromString(arg["dateString"], arg["format"], zone, c.given("timezone"))
		if err != nil {
			if e := err.(*Error); e.Code == codeConversionFailure && c.given("onError") {
				return arg["onError"], nil
			}
			return missing, err
		}
		return dateOf(t), nil
	}), nil
}

func dateFromString(v, format bson.RawValue, zone *time.Location, zoneGiven bool) (time.Time, error) {
	if !isString(v) {
		return time.Time{}, errorf(codeConversionFailure, "$dateFromString requires that 'dateString' be a string, found: %s with value %s", TypeName(v.Type), formatDense(v))
	}
	read := parseDate
	if isString(format) {
		read = func(s string, zone *time.Location) (time.Time, bool, error) {
			return parseDateFormat(s, text(format), zone)
		}
	}
	t, zoned, err := read(text(v), zone)
	if err == nil && zoned && zoneGiven {
		err = errorf(codeConversionFailure, "you cannot pass in a date/time string with time zone information ('%s') together with a timezone argument", t.Location())
	}
	return t, err
}

func parseDateToParts(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	c, err := p.namedCall(v, func(string) error {
		return errorf(40524, "$dateToParts only supports an object as its argument")
	}, func(field string) error {
		return errorf(40520, "Unrecognized argument to $dateToParts: %s", field)
	}, "date", "timezone", "iso8601")
	if err != nil {
		return nil, err
	}
	if !c.given("date") {
		return nil, errorf(40522, "Missing 'date' parameter to $dateToParts")
	}
	return c.expression(func(_ *Env, arg map[string]bson.RawValue) (bson.RawValue, error) {
		if isNullish(arg["date"]) {
			return null, nil
		}
		t, err := coerceToDate(arg["date"])
		if err != nil {
			return missing, err
		}
		zone, ok, err := c.zone(arg)
		if err != nil || !ok {
			return null, err
		}
		iso := false
		if c.given("iso8601") {
			if isNullish(arg["iso8601"]) {
				return null, nil
			}
			if iso, ok = arg["iso8601"].Bool(); !ok {
				return missing, errorf(40521, "iso8601 must evaluate to a bool, found %s", TypeName(arg["iso8601"].Type))
			}
		}
		return partsOf(t.In(zone), iso), nil
	}), nil
}

func partsOf(t time.Time, iso bool) bson.RawValue {
	dst, at := bson.BeginDocument(nil)
	put := func(name string, n int) { dst = bson.AppendInt32(dst, name, int32(n)) }
	if iso {
		year, week := t.ISOWeek()
		put("isoWeekYear", year)
		put("isoWeek", week)
		put("isoDayOfWeek", isoDayOfWeek(t))
	} else {
		put("year", t.Year())
		put("month", int(t.Month()))
		put("day", t.Day())
	}
	put("hour", t.Hour())
	put("minute", t.Minute())
	put("second", t.Second())
	put("millisecond", millisecond(t))
	return documentValue(bson.EndDocument(dst, at))
}

var partNames = []string{
	"year", "month", "day", "hour", "minute", "second", "millisecond",
	"isoWeekYear", "isoWeek", "isoDayOfWeek",
}

func parseDateFromParts(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	c, err := p.namedCall(v, func(string) error {
		return errorf(40519, "$dateFromParts only supports an object as its argument")
	}, func(field string) error {
		return errorf(40518, "Unrecognized argument to $dateFromParts: %s", field)
	}, append(partNames, "timezone")...)
	if err != nil {
		return nil, err
	}
	iso := c.given("isoWeekYear")
	switch {
	case !c.given("year") && !iso:
		return nil, errorf(40516, "$dateFromParts requires either 'year' or 'isoWeekYear' to be present")
	case c.given("year") && (iso || c.given("isoWeek") || c.given("isoDayOfWeek")):
		return nil, errorf(40489, "$dateFromParts does not allow mixing natural dates with ISO dates")
	case iso && (c.given("month") || c.given("day")):
		return nil, errorf(40525, "$dateFromParts does not allow mixing ISO dates with natural dates")
	}
	return c.expression(func(_ *Env, arg map[string]bson.RawValue) (bson.RawValue, error) {
		zone, ok, err := c.zone(arg)
		if err != nil || !ok {
			return null, err
		}
		n := map[string]int{}
		for _, part := range partNames {
			if strings.HasSuffix(part, "onth") || part == "day" || strings.HasPrefix(part, "iso") {
				n[part] = 1
			}
			if !c.given(part) {
				continue
			}
			v := arg[part]
			if isNullish(v) {
				return null, nil
			}
			whole, ok := wholeNumber(v)
			if !ok || whole != int64(int32(whole)) {
				return missing, errorf(40515, "'%s' must evaluate to an integer, found %s with value %s", part, TypeName(v.Type), formatDense(v))
			}
			switch {
			case strings.HasSuffix(strings.ToLower(part), "year") && (whole < 1 || whole > 9999):
				return missing, errorf(40523, "'%s' must evaluate to an integer in the range 1 to 9999, found %d", part, whole)
			case !strings.HasSuffix(strings.ToLower(part), "year") && part != "second" && part != "millisecond" && (whole < -32768 || whole > 32767):
				return missing, errorf(31034, "'%s' must evaluate to a value in the range [-32768, 32767]; value %d is not in range", part, whole)
			}
			n[part] = int(whole)
		}
		day := time.Date(n["year"], time.Month(n["month"]), n["day"], 0, 0, 0, 0, zone)
		if iso {
			day = isoWeekDate(n["isoWeekYear"], n["isoWeek"], n["isoDayOfWeek"], zone)
		}
		return dateOf(time.Date(day.Year(), day.Month(), day.Day(), n["hour"], n["minute"], n["second"], n["millisecond"]*1e6, zone)), nil
	}), nil
}
