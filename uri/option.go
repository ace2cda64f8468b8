package uri

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// option is one row of the table of options.
type option struct {
	// name is the name in the specification's spelling.
	name string
	// set writes a value into c. If it returns a notice it did so all the same.
	set func(c *Config, value string) error
	// values are what to write into a connection string to get c's setting;
	// none for the default, or if another option does it.
	values func(c *Config) []string
	// renamed is the option to use instead of this deprecated one.
	renamed string
	// list: repetitions are the elements of a list.
	list bool
	// empty: set decides about an empty value, which is else ignored.
	empty bool
	// strict: a bad value is an error, not a warning.
	strict bool
	// once: a repetition is an error, not a warning.
	once bool
	// secret: the value is never shown.
	secret bool
}

// subject is what the option is about, the same for all of its names.
func (o *option) subject() string {
	if o.name == "ssl" {
		return "tls"
	}
	return cmp.Or(o.renamed, o.name)
}

// notice is a warning about a value that was used.
type notice string

func (n notice) Error() string { return string(n) }

// scalar makes an option of one field, given how its values are read and
// written.
func scalar[T comparable](name string, field func(*Config) *T, parse func(string) (T, error), format func(T) string) option {
	return option{
		name: name,
		set: func(c *Config, value string) error {
			v, err := parse(value)
			if _, used := errors.AsType[notice](err); used || err == nil {
				*field(c) = v
			}
			return err
		},
		values: func(c *Config) []string {
			v := *field(c)
			if v == *field(&defaults) {
				return nil
			}
			return []string{format(v)}
		},
	}
}

// text is an option whose values are any text.
func text(name string, field func(*Config) *string) option {
	return scalar(name, field,
		func(s string) (string, error) { return s, nil },
		func(s string) string { return s })
}

// textOf is an option whose values must pass a check.
func textOf(name string, field func(*Config) *string, check func(string) error) option {
	return scalar(name, field,
		func(s string) (string, error) { return s, check(s) },
		func(s string) string { return s })
}

// flag is an option that is true or false.
func flag(name string, field func(*Config) *bool) option {
	return scalar(name, field, parseBool, strconv.FormatBool)
}

// parseBool knows the deprecated spellings as well.
func parseBool(s string) (bool, error) {
	switch s {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "1", "yes", "y", "t":
		return true, notice("a deprecated way to say true")
	case "0", "-1", "no", "n", "f":
		return false, notice("a deprecated way to say false")
	}
	return false, errors.New("not true or false")
}

// number is an option with an integer of 32 bits from low to high.
func number(name string, low, high int, field func(*Config) *int) option {
	return scalar(name, field, func(s string) (int, error) {
		n, err := parseInt(s, int64(low), int64(high))
		return int(n), err
	}, strconv.Itoa)
}

func parseInt(s string, low, high int64) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrSyntax):
		return 0, errors.New("not a whole number")
	case err == nil && n < low && high >= math.MaxInt32:
		return 0, fmt.Errorf("less than %d", low)
	case err != nil || n < low || n > high:
		return 0, fmt.Errorf("not from %d to %d", low, high)
	}
	return n, nil
}

// maxMillis is the longest time.Duration.
const maxMillis = math.MaxInt64 / int64(time.Millisecond)

// millis is an option with a time of at least low.
func millis(name string, low time.Duration, field func(*Config) *time.Duration) option {
	return scalar(name, field, func(s string) (time.Duration, error) {
		return parseMillis(s, low, math.MaxInt32)
	}, formatMillis)
}

func parseMillis(s string, low time.Duration, high int64) (time.Duration, error) {
	n, err := parseInt(s, low.Milliseconds(), high)
	return time.Duration(n) * time.Millisecond, err
}

func formatMillis(d time.Duration) string {
	return strconv.FormatInt(d.Milliseconds(), 10)
}

// oneOf accepts the given values only.
func oneOf(values ...string) func(string) error {
	return func(s string) error {
		if slices.Contains(values, s) {
			return nil
		}
		return fmt.Errorf("not one of %q", values)
	}
}

// atMost accepts values of no more than n bytes.
func atMost(n int) func(string) error {
	return func(s string) error {
		if len(s) > n {
			return fmt.Errorf("longer than %d bytes", n)
		}
		return nil
	}
}

// as gives an option another trait.
func (o option) as(trait func(*option)) option {
	trait(&o)
	return o
}

func strict(o *option) { o.strict = true }
func once(o *option)   { o.once = true }
func secret(o *option) { o.secret = true }

// instead deprecates an option in favour of another, which alone is written.
func instead(name string) func(*option) {
	return func(o *option) {
		o.renamed = name
		o.values = nil
	}
}
