package uri

import (
	"log/slog"
	"strings"
)

// URI is the connection string that Parse reads as c, passwords and all; what
// c has by default is left out.
func (c Config) URI() string { return c.format(func(secret string) string { return secret }) }

// String is URI with each secret replaced by ***.
func (c Config) String() string { return c.format(func(string) string { return "***" }) }

// GoString is String, so that no way of printing c shows a secret.
func (c Config) GoString() string { return c.String() }

// LogValue is String.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

func (c Config) format(secret func(string) string) string {
	var b strings.Builder
	if c.SRVHost != "" {
		b.WriteString(srvScheme)
	} else {
		b.WriteString(scheme)
	}
	if c.Username != "" {
		escape(&b, c.Username, "")
		if c.Password != "" {
			b.WriteByte(':')
			escape(&b, secret(c.Password), "*")
		}
		b.WriteByte('@')
	}
	if c.SRVHost != "" {
		escape(&b, c.SRVHost, "")
	} else {
		for i, host := range c.Hosts {
			if i > 0 {
				b.WriteByte(',')
			}
			if strings.Contains(host, "/") {
				escape(&b, host, "")
			} else {
				escape(&b, host, "[]:")
			}
		}
	}
	b.WriteByte('/')
	escape(&b, c.Database, ",")
	separator := byte('?')
	for _, o := range options {
		if o.values == nil {
			continue
		}
		for _, value := range o.values(&c) {
			b.WriteByte(separator)
			separator = '&'
			b.WriteString(o.name)
			b.WriteByte('=')
			if o.secret {
				value = secret(value)
			}
			escape(&b, value, ",:/$*")
		}
	}
	return b.String()
}

// escape percent-encodes all but the unreserved characters of RFC 3986 and
// those in keep.
func escape(b *strings.Builder, s, keep string) {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		switch ch := s[i]; {
		case 'a' <= ch && ch <= 'z', 'A' <= ch && ch <= 'Z', '0' <= ch && ch <= '9',
			strings.IndexByte("-._~", ch) >= 0, strings.IndexByte(keep, ch) >= 0:
			b.WriteByte(ch)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[ch>>4])
			b.WriteByte(digits[ch&15])
		}
	}
}
