package query

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // $year and its like must know all zones on every machine

	"github.com/motor-go/motor/bson"
)

// formatDate is a date in ISO 8601 with milliseconds.
func formatDate(d bson.DateTime) string { return d.Time().Format("2006-01-02T15:04:05.000Z") }

// coerceToDate reads a date, a timestamp or an ObjectID.
func coerceToDate(v bson.RawValue) (time.Time, error) {
	switch v.Type {
	case bson.TypeDateTime:
		t, _ := v.Time()
		return t, nil
	case bson.TypeTimestamp:
		t, _ := v.Timestamp()
		return time.Unix(int64(t.T), 0).UTC(), nil
	case bson.TypeObjectID:
		id, _ := v.ObjectID()
		return id.Timestamp(), nil
	}
	return time.Time{}, errorf(16006, "can't convert from BSON type %s to Date", TypeName(v.Type))
}

// parseZone reads an Olson name or an offset such as +05:30. ok is false for
// null: the result is null then.
func parseZone(v bson.RawValue) (zone *time.Location, ok bool, err error) {
	if isNullish(v) {
		return time.UTC, false, nil
	}
	if !isString(v) {
		return nil, false, errorf(40517, "timezone must evaluate to a string, found %s", TypeName(v.Type))
	}
	zone, known := loadZone(text(v))
	if !known {
		return nil, false, errorf(40485, "unrecognized time zone identifier: %q", text(v))
	}
	return zone, true, nil
}

func loadZone(name string) (*time.Location, bool) {
	if name == "Z" || name == "GMT" {
		return time.UTC, true
	}
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		return parseOffset(name)
	}
	if name == "" || name == "Local" {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	return zone, err == nil
}

// parseOffset reads +hh, +hhmm and +hh:mm.
func parseOffset(s string) (*time.Location, bool) {
	digits := strings.Replace(s[1:], ":", "", 1)
	if len(digits) != 2 && len(digits) != 4 || strings.Trim(digits, "0123456789") != "" {
		return nil, false
	}
	hours, _ := strconv.Atoi(digits[:2])
	minutes, _ := strconv.Atoi("0" + digits[2:])
	offset := hours*3600 + minutes*60
	if s[0] == '-' {
		offset = -offset
	}
	return time.FixedZone(s, offset), true
}

// weekOfYear counts weeks from the first Sunday on; the days before are week 0.
func weekOfYear(t time.Time) int { return (t.YearDay() + 6 - int(t.Weekday())) / 7 }

func isoDayOfWeek(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

func millisecond(t time.Time) int { return t.Nanosecond() / 1e6 }

func dateOf(t time.Time) bson.RawValue { return dateValue(bson.NewDateTime(t)) }

// formatTime writes t as $dateToString's format says.
func formatTime(t time.Time, format string) (string, error) {
	if y := t.Year(); y < 0 || y > 9999 {
		return "", errorf(18537, "$dateToString is only defined on year 0-9999, tried to use year %d", y)
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		if i++; i == len(format) {
			return "", errorf(18535, "Unmatched '%%' at end of format string")
		}
		switch isoYear, isoWeek := t.ISOWeek(); format[i] {
		case '%':
			b.WriteByte('%')
		case 'Y':
			fmt.Fprintf(&b, "%04d", t.Year())
		case 'm':
			fmt.Fprintf(&b, "%02d", t.Month())
		case 'd':
			fmt.Fprintf(&b, "%02d", t.Day())
		case 'H':
			fmt.Fprintf(&b, "%02d", t.Hour())
		case 'M':
			fmt.Fprintf(&b, "%02d", t.Minute())
		case 'S':
			fmt.Fprintf(&b, "%02d", t.Second())
		case 'L':
			fmt.Fprintf(&b, "%03d", millisecond(t))
		case 'j':
			fmt.Fprintf(&b, "%03d", t.YearDay())
		case 'w':
			fmt.Fprintf(&b, "%d", t.Weekday()+1)
		case 'u':
			fmt.Fprintf(&b, "%d", isoDayOfWeek(t))
		case 'U':
			fmt.Fprintf(&b, "%02d", weekOfYear(t))
		case 'V':
			fmt.Fprintf(&b, "%02d", isoWeek)
		case 'G':
			fmt.Fprintf(&b, "%04d", isoYear)
		case 'b':
			b.WriteString(t.Format("Jan"))
		case 'B':
			b.WriteString(t.Format("January"))
		case 'z':
			b.WriteString(t.Format("-0700"))
		case 'Z':
			_, offset := t.Zone()
			fmt.Fprintf(&b, "%d", offset/60)
		default:
			return "", errorf(18536, "Invalid format character '%%%c' in format string", format[i])
		}
	}
	return b.String(), nil
}

// isoWeekDate is the day of an ISO week. Weeks and days out of range carry over.
func isoWeekDate(year, week, day int, zone *time.Location) time.Time {
	// The 4th of January is in week 1.
	fourth := time.Date(year, 1, 4, 0, 0, 0, 0, zone)
	return fourth.AddDate(0, 0, (week-1)*7+day-isoDayOfWeek(fourth))
}
