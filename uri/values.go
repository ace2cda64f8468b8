package uri

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/motor-go/motor/concern"
)

// The options that are more than one value in one field.

// authSource is an error if it is empty, says the authentication specification.
func authSource() option {
	o := textOf("authSource", func(c *Config) *string { return &c.AuthSource }, func(s string) error {
		if s == "" {
			return errors.New("empty")
		}
		return nil
	})
	o.strict, o.empty = true, true
	return o
}

func loadBalanced() option {
	return option{
		name: "loadBalanced",
		set: func(c *Config, value string) error {
			v, err := parseBool(value)
			if _, used := errors.AsType[notice](err); used || err == nil {
				c.LoadBalanced, c.LoadBalancedSet = v, true
			}
			return err
		},
		values: func(c *Config) []string {
			if c.LoadBalanced || c.LoadBalancedSet {
				return []string{strconv.FormatBool(c.LoadBalanced)}
			}
			return nil
		},
	}
}

// srvServiceName follows RFC 6335 section 5.1 but for the length, which a
// label of DNS limits to 62 bytes after the underscore.
func srvServiceName() option {
	return textOf("srvServiceName", func(c *Config) *string { return &c.SRVServiceName }, func(s string) error {
		letters := 0
		for i, b := range []byte(s) {
			switch {
			case 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z':
				letters++
			case '0' <= b && b <= '9':
			case b == '-' && i > 0 && i < len(s)-1 && s[i-1] != '-':
			default:
				return errors.New("not a service name of letters, digits and single hyphens between them")
			}
		}
		if letters == 0 || len(s) > 62 {
			return errors.New("not a service name of up to 62 characters with a letter among them")
		}
		return nil
	}).as(strict)
}

func timeoutMS() option {
	return option{
		name: "timeoutMS",
		set: func(c *Config, value string) error {
			d, err := parseMillis(value, 0, maxMillis)
			if err == nil {
				c.Timeout = &d
			}
			return err
		},
		values: func(c *Config) []string {
			if c.Timeout == nil {
				return nil
			}
			return []string{formatMillis(*c.Timeout)}
		},
	}
}

// w is a number of members, or the name of a mode. A bad number is an error:
// ignoring it would weaken writes.
func w() option {
	return option{
		name: "w",
		set: func(c *Config, value string) error {
			if _, err := strconv.ParseInt(value, 10, 64); errors.Is(err, strconv.ErrSyntax) {
				c.WriteConcern.W = value
				return nil
			}
			n, err := parseInt(value, 0, math.MaxInt32)
			if err == nil {
				c.WriteConcern.W = int(n)
			}
			return err
		},
		values: func(c *Config) []string {
			if c.WriteConcern.W == nil {
				return nil
			}
			return []string{fmt.Sprint(c.WriteConcern.W)}
		},
	}
}

func journal() option {
	return option{
		name: "journal",
		set: func(c *Config, value string) error {
			v, err := parseBool(value)
			if _, used := errors.AsType[notice](err); used || err == nil {
				c.WriteConcern.Journal = &v
			}
			return err
		},
		values: func(c *Config) []string {
			if c.WriteConcern.Journal == nil {
				return nil
			}
			return []string{strconv.FormatBool(*c.WriteConcern.Journal)}
		},
	}
}

func wTimeoutMS(name string) option {
	return scalar(name, func(c *Config) *time.Duration { return &c.WriteConcern.WTimeout },
		func(s string) (time.Duration, error) { return parseMillis(s, 0, maxMillis) }, formatMillis)
}

func readPreference() option {
	return scalar("readPreference", func(c *Config) *concern.Mode { return &c.ReadPreference.Mode },
		func(s string) (concern.Mode, error) {
			mode, err := concern.ParseMode(s)
			if err != nil {
				err = errors.New("not one of primary, primaryPreferred, secondary, secondaryPreferred, nearest")
			}
			return mode, err
		}, concern.Mode.String)
}

func readPreferenceTags() option {
	return option{
		name:  "readPreferenceTags",
		list:  true,
		empty: true,
		set: func(c *Config, value string) error {
			var tags concern.TagSet
			err := eachPair(value, func(name, value string) {
				tags = append(tags, concern.Tag{Name: name, Value: value})
			})
			if err == nil {
				c.ReadPreference.TagSets = append(c.ReadPreference.TagSets, tags)
			}
			return err
		},
		values: func(c *Config) (values []string) {
			for _, tags := range c.ReadPreference.TagSets {
				var pairs []string
				for _, tag := range tags {
					pairs = append(pairs, tag.Name+":"+tag.Value)
				}
				values = append(values, strings.Join(pairs, ","))
			}
			return values
		},
	}
}

// eachPair reads "name:value,name:value". The first colon divides: a value may
// contain more, but no comma.
func eachPair(s string, visit func(name, value string)) error {
	if s == "" {
		return nil
	}
	type pair struct{ name, value string }
	var pairs []pair
	for part := range strings.SplitSeq(s, ",") {
		name, value, ok := strings.Cut(part, ":")
		if !ok || name == "" {
			return errors.New("not a list name:value,name:value (no value can contain a comma)")
		}
		pairs = append(pairs, pair{name, value})
	}
	for _, p := range pairs {
		visit(p.name, p.value)
	}
	return nil
}

// maxStalenessSeconds says none with -1. The least value is checked against the
// topology when a server is selected.
func maxStalenessSeconds() option {
	return scalar("maxStalenessSeconds", func(c *Config) *time.Duration { return &c.ReadPreference.MaxStaleness },
		func(s string) (time.Duration, error) {
			if s == "-1" {
				return 0, nil
			}
			n, err := parseInt(s, 1, math.MaxInt32)
			return time.Duration(n) * time.Second, err
		},
		func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) })
}

func compressors() option {
	known := oneOf("snappy", "zlib", "zstd")
	return option{
		name: "compressors",
		set: func(c *Config, value string) error {
			var names []string
			var unknown error
			for name := range strings.SplitSeq(value, ",") {
				switch err := known(name); {
				case err != nil:
					unknown = notice("what is " + err.Error() + " is left out")
				case !slices.Contains(names, name):
					names = append(names, name)
				}
			}
			c.Compressors = names
			return unknown
		},
		values: func(c *Config) []string {
			if len(c.Compressors) == 0 {
				return nil
			}
			return []string{strings.Join(c.Compressors, ",")}
		},
	}
}

// tls is strict: a value that is ignored could mean plain text.
func tls(name string) option {
	o := flag(name, func(c *Config) *bool { return &c.TLS }).as(strict)
	o.empty = true
	o.values = func(c *Config) []string {
		if c.TLS == c.impliesTLS() {
			return nil
		}
		return []string{strconv.FormatBool(c.TLS)}
	}
	return o
}

func authMechanismProperties() option {
	return option{
		name:   "authMechanismProperties",
		secret: true,
		set: func(c *Config, value string) error {
			properties := map[string]string{}
			err := eachPair(value, func(name, value string) {
				properties[strings.ToUpper(name)] = value
			})
			if err == nil {
				c.AuthMechanismProperties = properties
			}
			return err
		},
		values: func(c *Config) []string {
			if len(c.AuthMechanismProperties) == 0 {
				return nil
			}
			var pairs []string
			for _, name := range slices.Sorted(maps.Keys(c.AuthMechanismProperties)) {
				pairs = append(pairs, name+":"+c.AuthMechanismProperties[name])
			}
			return []string{strings.Join(pairs, ",")}
		},
	}
}

func gssapiServiceName() option {
	return option{
		name: "gssapiServiceName",
		set: func(c *Config, value string) error {
			if strings.Contains(value, ",") {
				return errors.New("contains a comma")
			}
			c.AuthMechanismProperties = map[string]string{"SERVICE_NAME": value}
			return nil
		},
	}.as(instead("authMechanismProperties"))
}
