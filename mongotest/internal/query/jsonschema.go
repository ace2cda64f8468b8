package query

import (
	"slices"
	"unicode/utf8"

	"github.com/motor-go/motor/bson"
)

// schema is a parsed $jsonSchema. Each rule but the types applies to values of
// one type and accepts all others.
type schema struct {
	types *typeSet // nil for any
	enum  valueSet // nil for any

	minimum, maximum                   bson.RawValue
	exclusiveMinimum, exclusiveMaximum bool
	multipleOf                         bson.RawValue

	minLength, maxLength int64 // -1 for none
	pattern              *regex

	items           *schema // for every element
	itemList        []*schema
	additionalItems *schema // for the elements after itemList
	minItems        int64
	maxItems        int64
	uniqueItems     bool

	properties           map[string]*schema
	patternProperties    []patternSchema
	additionalProperties *schema
	required             []string
	dependencies         map[string]dependency
	minProperties        int64
	maxProperties        int64

	allOf, anyOf, oneOf []*schema
	not                 *schema
}

type patternSchema struct {
	pattern *regex
	schema  *schema
}

// dependency is what the presence of a field asks for.
type dependency struct {
	fields []string
	schema *schema
}

// nothing is the schema that no value satisfies.
var nothing = &schema{types: &typeSet{}}

func (s *schema) accepts(v bson.RawValue) bool {
	if s.types != nil && !s.types.has(v) {
		return false
	}
	if s.enum != nil {
		if _, ok := s.enum[string(AppendKey(nil, v, nil))]; !ok {
			return false
		}
	}
	switch {
	case v.IsNumber() && !s.acceptsNumber(v),
		isString(v) && !s.acceptsString(text(v)),
		isArray(v) && !s.acceptsArray(elements(v)),
		isObject(v) && !s.acceptsObject(v.Value):
		return false
	}
	if s.not != nil && s.not.accepts(v) {
		return false
	}
	if count(s.allOf, v) != len(s.allOf) {
		return false
	}
	if s.anyOf != nil && count(s.anyOf, v) == 0 {
		return false
	}
	return s.oneOf == nil || count(s.oneOf, v) == 1
}

// count is the number of schemas that accept v.
func count(list []*schema, v bson.RawValue) (n int) {
	for _, s := range list {
		n += boolInt(s.accepts(v))
	}
	return n
}

func (s *schema) acceptsNumber(v bson.RawValue) bool {
	if !isMissing(s.minimum) {
		if c := compareNumbers(v, s.minimum); c < 0 || c == 0 && s.exclusiveMinimum {
			return false
		}
	}
	if !isMissing(s.maximum) {
		if c := compareNumbers(v, s.maximum); c > 0 || c == 0 && s.exclusiveMaximum {
			return false
		}
	}
	if isMissing(s.multipleOf) {
		return true
	}
	return toDecimal(v).mod(toDecimal(s.multipleOf)).isZero()
}

func (s *schema) acceptsString(t string) bool {
	if n := int64(utf8.RuneCountInString(t)); n < s.minLength || s.maxLength >= 0 && n > s.maxLength {
		return false
	}
	if s.pattern == nil {
		return true
	}
	ok, _ := s.pattern.matches(t)
	return ok
}

func (s *schema) acceptsArray(list []bson.RawValue) bool {
	if n := int64(len(list)); n < s.minItems || s.maxItems >= 0 && n > s.maxItems {
		return false
	}
	seen := valueSet{}
	for i, v := range list {
		if s.uniqueItems && !seen.add(v, nil) {
			return false
		}
		rule := s.items
		if s.itemList != nil {
			rule = s.additionalItems
			if i < len(s.itemList) {
				rule = s.itemList[i]
			}
		}
		if rule != nil && !rule.accepts(v) {
			return false
		}
	}
	return true
}

func (s *schema) acceptsObject(doc bson.Raw) bool {
	n := int64(0)
	for name, v := range doc.All() {
		n++
		if !s.acceptsProperty(name, v) {
			return false
		}
	}
	if n < s.minProperties || s.maxProperties >= 0 && n > s.maxProperties {
		return false
	}
	has := func(name string) bool { return !isMissing(doc.Lookup(name)) }
	for _, name := range s.required {
		if !has(name) {
			return false
		}
	}
	for name, d := range s.dependencies {
		if !has(name) {
			continue
		}
		if !slices.ContainsFunc(d.fields, func(f string) bool { return !has(f) }) &&
			(d.schema == nil || d.schema.accepts(documentValue(doc))) {
			continue
		}
		return false
	}
	return true
}

func (s *schema) acceptsProperty(name string, v bson.RawValue) bool {
	known := false
	if rule := s.properties[name]; rule != nil {
		known = true
		if !rule.accepts(v) {
			return false
		}
	}
	for _, p := range s.patternProperties {
		if ok, _ := p.pattern.matches(name); ok {
			known = true
			if !p.schema.accepts(v) {
				return false
			}
		}
	}
	return known || s.additionalProperties == nil || s.additionalProperties.accepts(v)
}
