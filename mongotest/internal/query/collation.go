package query

import (
	"strings"
	"sync"
	"unicode"

	"github.com/motor-go/motor/bson"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"
)

// Collation compares strings by the rules of a language. A nil Collation
// compares bytes, which is the locale "simple".
type Collation struct {
	Locale          string
	CaseLevel       bool
	CaseFirst       string // "upper", "lower" or "off"
	Strength        int    // 1 to 5
	NumericOrdering bool
	Alternate       string // "non-ignorable" or "shifted"
	MaxVariable     string // "punct" or "space"
	Normalization   bool
	Backwards       bool

	// A collator keeps state between calls, so each call takes its own.
	collators sync.Pool
}

// collationVersion is the version of the rules that the server reports.
const collationVersion = "57.1"

// ParseCollation reads a collation document. It is nil for an empty document
// and for the locale "simple".
func ParseCollation(spec bson.Raw) (*Collation, error) {
	if spec.Len() == 0 {
		return nil, nil
	}
	c := &Collation{CaseFirst: "off", Strength: 3, Alternate: "non-ignorable", MaxVariable: "punct"}
	var strength int64 = 3
	var err error
	locale := spec.Lookup("locale")
	switch {
	case isMissing(locale):
		return nil, errorf(codeNoSuchKey, `Missing expected field "locale"`)
	case !isString(locale):
		return nil, errorf(codeTypeMismatch, `"locale" had the wrong type. Expected string, found %s`, TypeName(locale.Type))
	}
	c.Locale = text(locale)
	for key, v := range spec.All() {
		switch key {
		case "locale", "version":
		case "caseLevel":
			c.CaseLevel, err = collationBool(key, v)
		case "caseFirst":
			c.CaseFirst, err = collationChoice(key, v, "'upper', 'lower', or 'off'", "upper", "lower", "off")
		case "strength":
			strength, err = collationStrength(v)
		case "numericOrdering":
			c.NumericOrdering, err = collationBool(key, v)
		case "alternate":
			c.Alternate, err = collationChoice(key, v, "'non-ignorable' or 'shifted'", "non-ignorable", "shifted")
		case "maxVariable":
			c.MaxVariable, err = collationChoice(key, v, "'punct' or 'space'", "punct", "space")
		case "normalization":
			c.Normalization, err = collationBool(key, v)
		case "backwards":
			c.Backwards, err = collationBool(key, v)
		default:
			err = errorf(codeFailedToParse, "Collation spec contains unknown field. Collation spec: %s", FormatDocument(spec))
		}
		if err != nil {
			return nil, err
		}
	}
	c.Strength = int(strength)
	switch {
	case c.Locale == "":
		return nil, errorf(codeBadValue, "Field 'locale' cannot be the empty string in: %s", FormatDocument(spec))
	case c.Locale == "simple" && spec.Len() > 1:
		return nil, errorf(codeFailedToParse, "If locale=simple, no other fields should be present in: %s", FormatDocument(spec))
	case c.Locale == "simple":
		return nil, nil
	case !knownLocale(c.Locale):
		return nil, errorf(codeBadValue, "Field 'locale' is invalid in: %s", FormatDocument(spec))
	}
	return c, nil
}

func collationBool(key string, v bson.RawValue) (bool, error) {
	b, ok := v.Bool()
	if !ok {
		return false, errorf(codeTypeMismatch, "%q had the wrong type. Expected bool, found %s", key, TypeName(v.Type))
	}
	return b, nil
}

func collationChoice(key string, v bson.RawValue, listed string, choices ...string) (string, error) {
	if !isString(v) {
		return "", errorf(codeTypeMismatch, "%q had the wrong type. Expected string, found %s", key, TypeName(v.Type))
	}
	for _, choice := range choices {
		if text(v) == choice {
			return choice, nil
		}
	}
	return "", errorf(codeFailedToParse, "Field '%s' must be %s. Got: %s", key, listed, text(v))
}

func collationStrength(v bson.RawValue) (int64, error) {
	if !v.IsNumber() {
		return 0, errorf(codeTypeMismatch, `Expected field "strength" to have numeric type, but found %s`, TypeName(v.Type))
	}
	n, ok := wholeNumber(v)
	if !ok || n < 1 || n > 5 {
		return 0, errorf(codeFailedToParse, "Field 'strength' must be an integer 1 through 5. Got: %s", formatValue(v))
	}
	return n, nil
}

// Document is the collation with all its defaults, as the server lists it.
func (c *Collation) Document() bson.Raw {
	dst, at := bson.BeginDocument(nil)
	if c == nil {
		return bson.EndDocument(bson.AppendString(dst, "locale", "simple"), at)
	}
	dst = bson.AppendString(dst, "locale", c.Locale)
	dst = bson.AppendBool(dst, "caseLevel", c.CaseLevel)
	dst = bson.AppendString(dst, "caseFirst", c.CaseFirst)
	dst = bson.AppendInt32(dst, "strength", int32(c.Strength))
	dst = bson.AppendBool(dst, "numericOrdering", c.NumericOrdering)
	dst = bson.AppendString(dst, "alternate", c.Alternate)
	dst = bson.AppendString(dst, "maxVariable", c.MaxVariable)
	dst = bson.AppendBool(dst, "normalization", c.Normalization)
	dst = bson.AppendBool(dst, "backwards", c.Backwards)
	dst = bson.AppendString(dst, "version", collationVersion)
	return bson.EndDocument(dst, at)
}

// SameCollation reports whether a and b order all strings alike.
func SameCollation(a, b *Collation) bool {
	return string(a.Document()) == string(b.Document())
}

// Compare orders two strings.
func (c *Collation) Compare(a, b string) int {
	if c == nil {
		return strings.Compare(a, b)
	}
	if a == b {
		return 0
	}
	return strings.Compare(string(c.key(a)), string(c.key(b)))
}

// key is a string whose bytes compare as c compares s.
func (c *Collation) key(s string) []byte {
	k, _ := c.collators.Get().(*collator)
	if k == nil {
		k = &collator{Collator: collate.New(c.tag(), c.options()...)}
	}
	defer c.collators.Put(k)
	if c.CaseFirst == "upper" {
		s = strings.Map(swapCase, s)
	}
	k.buffer.Reset()
	out := append([]byte(nil), k.KeyFromString(&k.buffer, s)...)
	if c.CaseLevel && c.Strength < 3 {
		out = append(out, 0, 0)
		for _, r := range s {
			if unicode.IsLetter(r) {
				out = append(out, byte(1+boolInt(unicode.IsUpper(r))))
			}
		}
	}
	if c.Strength == 5 {
		out = append(append(out, 0, 0), s...)
	}
	return out
}

type collator struct {
	*collate.Collator
	buffer collate.Buffer
}

// swapCase makes upper case letters sort as lower case ones do, first.
func swapCase(r rune) rune {
	switch {
	case unicode.IsUpper(r):
		return unicode.ToLower(r)
	case unicode.IsLower(r):
		return unicode.ToUpper(r)
	}
	return r
}

func (c *Collation) tag() language.Tag {
	tag, err := language.Parse(strings.ReplaceAll(baseLocale(c.Locale), "_", "-"))
	if err != nil {
		tag = language.Und
	}
	if c.Alternate == "shifted" {
		tag, _ = tag.SetTypeForKey("ka", "shifted")
	} else {
		tag, _ = tag.SetTypeForKey("ka", "noignore")
	}
	if c.Backwards {
		tag, _ = tag.SetTypeForKey("kb", "true")
	}
	return tag
}

func (c *Collation) options() []collate.Option {
	opts := []collate.Option{collate.OptionsFromTag(c.tag())}
	switch c.Strength {
	case 1:
		opts = append(opts, collate.Loose)
	case 2:
		opts = append(opts, collate.IgnoreCase, collate.IgnoreWidth)
	}
	if c.NumericOrdering {
		opts = append(opts, collate.Numeric)
	}
	return opts
}

// baseLocale is the locale without keywords: "de" for "de@collation=phonebook".
func baseLocale(locale string) string {
	base, _, _ := strings.Cut(locale, "@")
	return base
}

func knownLocale(locale string) bool {
	return strings.Contains(" "+locales+" ", " "+strings.SplitN(baseLocale(locale), "_", 2)[0]+" ")
}

// locales are the languages that the server's ICU has rules for.
const locales = "af am ar as az be bg bn bo bs ca chr cs cy da de dsb dz ee el en eo es et fa fi " +
	"fil fo fr ga gl gu ha haw he hi hr hsb hu hy id ig is it ja ka kk kl km kn ko kok ky lb lkt " +
	"ln lo lt lv mk ml mn mr ms mt my nb ne nl nn om or pa pl ps pt ro ru sa se si sk sl smn sq sr " +
	"sv sw ta te th to tr ug uk ur vi vo wae yi yo zh zu"
