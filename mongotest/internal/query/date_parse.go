package query

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// dateLayouts are the dates that the server reads without a format.
var dateLayouts = []string{
	"2006-01-02", "2006/01/02", "20060102", "2006-1-2", "2006/1/2", "01/02/2006", "1/2/2006",
	"January 2, 2006", "January 2 2006", "Jan 2, 2006", "Jan 2 2006", "2 January 2006", "2 Jan 2006",
	"02-Jan-2006", "Mon, 02 Jan 2006", "Mon Jan 2 2006", "2006-01",
}

var timeLayouts = []string{
	"15:04:05.999999999", "15:04", "150405", "3:04:05 PM", "3:04 PM", "3:04PM", "3PM", "3 PM",
}

// parseDate reads a date as $dateFromString and $toDate do. zoned says that the
// string has a zone of its own.
func parseDate(s string, zone *time.Location) (t time.Time, zoned bool, err error) {
	fail := func() error {
		at, c := 0, "\x00"
		for i, r := range s {
			if r != ' ' && !(r >= '0' && r <= '9') {
				at, c = i, string(r)
				break
			}
		}
		reason := "Unexpected character"
		if isLetter(c[0]) {
			reason = "passing a time zone identifier as part of the string is not allowed"
		}
		return errorf(codeConversionFailure, "Error parsing date string '%s'; %d: %s '%s'", s, at, reason, c)
	}
	rest, own := cutZone(strings.TrimSpace(s))
	if own != nil {
		zone = own
	}
	for _, layout := range dateLayouts {
		if t, err := time.ParseInLocation(layout, rest, zone); err == nil {
			return t, own != nil, nil
		}
	}
	// A date, a T or spaces, a time.
	for i := len(rest) - 1; i > 0; i-- {
		if rest[i] != 'T' && rest[i] != ' ' && rest[i] != 't' {
			continue
		}
		date, clock := strings.TrimRight(rest[:i], " "), rest[i+1:]
		for _, d := range dateLayouts {
			day, err := time.ParseInLocation(d, date, zone)
			if err != nil {
				continue
			}
			for _, c := range timeLayouts {
				if at, err := time.Parse(c, clock); err == nil {
					return time.Date(day.Year(), day.Month(), day.Day(), at.Hour(), at.Minute(), at.Second(), at.Nanosecond(), zone), own != nil, nil
				}
			}
		}
	}
	return t, false, fail()
}

// cutZone takes a Z, UTC or an offset off the end of a time.
func cutZone(s string) (string, *time.Location) {
	if !strings.Contains(s, ":") && !strings.HasSuffix(s, "Z") {
		return s, nil
	}
	for _, name := range []string{"Z", "z", "UTC", "GMT"} {
		if rest, ok := strings.CutSuffix(s, name); ok {
			return strings.TrimRight(rest, " "), time.UTC
		}
	}
	i := strings.LastIndexAny(s, "+-")
	if i < 0 || !strings.Contains(s[:i], ":") && strings.Count(s[:i], "-") < 2 {
		return s, nil
	}
	if zone, ok := parseOffset(s[i:]); ok {
		return strings.TrimRight(s[:i], " "), zone
	}
	return s, nil
}

// dateParts are what parseDateFormat has read.
type dateParts struct {
	year, month, day, hour, minute, second, milli int
	isoYear, isoWeek, isoDay, yearDay             int
	zone                                          *time.Location
}

// parseDateFormat reads a date in $dateFromString's format.
func parseDateFormat(s, format string, zone *time.Location) (t time.Time, zoned bool, err error) {
	p := dateParts{year: -1, month: 1, day: 1, isoYear: -1, isoWeek: 1, isoDay: 1}
	at := 0
	fail := func(reason string) error {
		found := "\x00"
		if at < len(s) {
			found = s[at : at+1]
		}
		return errorf(codeConversionFailure, "Error parsing date string '%s'; %d: %s '%s'", s, at, reason, found)
	}
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			if at >= len(s) || s[at] != format[i] {
				return t, false, fail("Format literal not found")
			}
			at++
			continue
		}
		if i++; i == len(format) {
			return t, false, errorf(18535, "Unmatched '%%' at end of format string")
		}
		if format[i] == '%' {
			if at >= len(s) || s[at] != '%' {
				return t, false, fail("Format literal not found")
			}
			at++
			continue
		}
		n, reason := p.read(s[at:], format[i])
		if reason == "invalid" {
			return t, false, errorf(18536, "Invalid format character '%%%c' in format string", format[i])
		}
		if reason != "" {
			return t, false, fail(reason)
		}
		at += n
	}
	if at < len(s) {
		return t, false, fail("Trailing data")
	}
	if p.zone != nil {
		zone = p.zone
	}
	if p.isoYear >= 0 && p.year < 0 {
		d := isoWeekDate(p.isoYear, p.isoWeek, p.isoDay, zone)
		p.year, p.month, p.day = d.Year(), int(d.Month()), d.Day()
	}
	if p.year < 0 {
		return t, false, errorf(codeConversionFailure, "an incomplete date/time string has been found, with elements missing: %q", s)
	}
	if p.yearDay > 0 {
		p.month, p.day = 1, p.yearDay
	}
	t = time.Date(p.year, time.Month(p.month), p.day, p.hour, p.minute, p.second, p.milli*1e6, zone)
	if p.yearDay == 0 && (t.Day() != p.day || int(t.Month()) != p.month) {
		return t, false, errorf(codeConversionFailure, "Error parsing date string '%s'; %d: The parsed date was invalid '%s'", s, len(s), "\x00")
	}
	return t, p.zone != nil, nil
}

// read reads one component and says how much it took, or why it could not.
func (p *dateParts) read(s string, verb byte) (n int, reason string) {
	number := func(dst *int, width, least, most int, what string) (int, string) {
		n := 0
		for n < width && n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		v, err := strconv.Atoi(s[:n])
		if err != nil || v < least || v > most {
			return 0, fmt.Sprintf("A %s could not be found", what)
		}
		*dst = v
		return n, ""
	}
	switch verb {
	case 'Y':
		if len(s) < 4 {
			return 0, "A four digit year could not be found"
		}
		return number(&p.year, 4, 0, 9999, "four digit year")
	case 'm':
		return number(&p.month, 2, 1, 12, "two digit month")
	case 'd':
		return number(&p.day, 2, 1, 31, "two digit day")
	case 'H':
		return number(&p.hour, 2, 0, 24, "two digit hour")
	case 'M':
		return number(&p.minute, 2, 0, 59, "two digit minute")
	case 'S':
		return number(&p.second, 2, 0, 59, "two digit second")
	case 'L':
		n, reason := number(&p.milli, 3, 0, 999, "three digit millisecond")
		for range 3 - n {
			p.milli *= 10
		}
		return n, reason
	case 'j':
		return number(&p.yearDay, 3, 1, 366, "three digit day-of-year")
	case 'G':
		return number(&p.isoYear, 4, 0, 9999, "four digit ISO year")
	case 'V':
		return number(&p.isoWeek, 2, 1, 53, "two digit week")
	case 'u':
		return number(&p.isoDay, 1, 1, 7, "ISO day")
	case 'b', 'B':
		for m := time.January; m <= time.December; m++ {
			name := m.String()
			if verb == 'b' {
				name = name[:3]
			}
			if len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) {
				p.month = int(m)
				return len(name), ""
			}
		}
		return 0, "A textual month could not be found"
	case 'z':
		for _, width := range []int{6, 5, 3} {
			if len(s) >= width && (s[0] == '+' || s[0] == '-') {
				if zone, ok := parseOffset(s[:width]); ok {
					p.zone = zone
					return width, ""
				}
			}
		}
		if strings.HasPrefix(s, "Z") {
			p.zone = time.UTC
			return 1, ""
		}
		return 0, "The timezone could not be found in the database"
	case 'Z':
		n := len(s) - len(strings.TrimLeft(s, "+-0123456789"))
		minutes, err := strconv.Atoi(s[:n])
		if err != nil || minutes < -24*60 || minutes > 24*60 {
			return 0, "A minute offset could not be found"
		}
		p.zone = time.FixedZone("", minutes*60)
		return n, ""
	}
	return 0, "invalid"
}
