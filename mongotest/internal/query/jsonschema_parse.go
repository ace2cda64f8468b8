package query

import (
	"math"

	"github.com/motor-go/motor/bson"
)

// schemaTypes are the types that the keyword 'type' knows.
var schemaTypes = map[string][]bson.Type{
	"array": {bson.TypeArray}, "boolean": {bson.TypeBoolean}, "null": {bson.TypeNull},
	"number": numberTypes, "object": {bson.TypeEmbeddedDocument}, "string": {bson.TypeString},
}

func keywordType(keyword, expected string, v bson.RawValue) error {
	return errorf(codeTypeMismatch, "$jsonSchema keyword '%s' must be %s, but found an element of type %s", keyword, expected, TypeName(v.Type))
}

func parseSchema(doc bson.Raw, env *Env) (*schema, error) {
	s := &schema{minLength: 0, maxLength: -1, maxItems: -1, maxProperties: -1}
	seen := map[string]bool{}
	for _, f := range fields(doc) {
		if seen[f.key] {
			return nil, errorf(codeFailedToParse, "Duplicate $jsonSchema keyword: %s", f.key)
		}
		seen[f.key] = true
		if err := s.keyword(f.key, f.value, env); err != nil {
			return nil, err
		}
	}
	switch {
	case seen["type"] && seen["bsonType"]:
		return nil, errorf(codeFailedToParse, "Cannot specify both $jsonSchema keywords 'type' and 'bsonType'")
	case seen["exclusiveMaximum"] && !seen["maximum"]:
		return nil, errorf(codeFailedToParse, "$jsonSchema keyword 'maximum' must be a present if exclusiveMaximum is present")
	case seen["exclusiveMinimum"] && !seen["minimum"]:
		return nil, errorf(codeFailedToParse, "$jsonSchema keyword 'minimum' must be a present if exclusiveMinimum is present")
	}
	return s, nil
}

func (s *schema) keyword(name string, v bson.RawValue, env *Env) (err error) {
	switch name {
	case "title", "description":
		if !isString(v) {
			return errorf(codeTypeMismatch, "$jsonSchema keyword '%s' must be of type string", name)
		}
	case "encrypt", "encryptMetadata":
		if !isObject(v) {
			return keywordType(name, "an object", v)
		}
		if name == "encrypt" {
			s.types = &typeSet{types: map[bson.Type]bool{bson.TypeBinary: true}}
		}
	case "$ref", "$schema", "default", "definitions", "format", "id":
		return errorf(codeFailedToParse, "$jsonSchema keyword '%s' is not currently supported", name)
	case "type", "bsonType":
		s.types, err = schemaTypeSet(name, v)
	case "enum":
		s.enum, err = schemaEnum(v)
	case "minimum":
		s.minimum, err = schemaNumber(name, v)
	case "maximum":
		s.maximum, err = schemaNumber(name, v)
	case "multipleOf":
		if s.multipleOf, err = schemaNumber(name, v); err == nil && !(toDouble(v) > 0) {
			err = errorf(codeFailedToParse, "$jsonSchema keyword 'multipleOf' must have a positive value")
		}
	case "exclusiveMinimum":
		s.exclusiveMinimum, err = schemaBool(name, v)
	case "exclusiveMaximum":
		s.exclusiveMaximum, err = schemaBool(name, v)
	case "uniqueItems":
		s.uniqueItems, err = schemaBool(name, v)
	case "minLength":
		s.minLength, err = schemaCount(name, v)
	case "maxLength":
		s.maxLength, err = schemaCount(name, v)
	case "minItems":
		s.minItems, err = schemaCount(name, v)
	case "maxItems":
		s.maxItems, err = schemaCount(name, v)
	case "minProperties":
		s.minProperties, err = schemaCount(name, v)
	case "maxProperties":
		s.maxProperties, err = schemaCount(name, v)
	case "pattern":
		if !isString(v) {
			return keywordType(name, "a string", v)
		}
		s.pattern, err = compileRegex(text(v), "", env)
	case "required":
		s.required, err = schemaNames(name, v)
	case "properties":
		s.properties, err = schemaMap(name, v, env)
	case "patternProperties":
		err = s.parsePatternProperties(v, env)
	case "additionalProperties":
		s.additionalProperties, err = schemaOrBool(name, v, env)
	case "additionalItems":
		s.additionalItems, err = schemaOrBool(name, v, env)
	case "items":
		err = s.parseItems(v, env)
	case "dependencies":
		err = s.parseDependencies(v, env)
	case "allOf":
		s.allOf, err = schemaList(name, v, env)
	case "anyOf":
		s.anyOf, err = schemaList(name, v, env)
	case "oneOf":
		s.oneOf, err = schemaList(name, v, env)
	case "not":
		if !isObject(v) {
			return keywordType(name, "an object", v)
		}
		s.not, err = parseSchema(v.Value, env)
	default:
		return errorf(codeFailedToParse, "Unknown $jsonSchema keyword: %s", name)
	}
	return err
}

func schemaTypeSet(keyword string, v bson.RawValue) (*typeSet, error) {
	list := []bson.RawValue{v}
	if isArray(v) {
		list = elements(v)
	} else if !isString(v) {
		return nil, errorf(codeTypeMismatch, "$jsonSchema keyword '%s' must be either a string or an array of strings", keyword)
	}
	if len(list) == 0 {
		return nil, errorf(codeFailedToParse, "$jsonSchema keyword '%s' must name at least one type", keyword)
	}
	set := &typeSet{types: map[bson.Type]bool{}}
	for _, e := range list {
		if !isString(e) {
			return nil, errorf(codeTypeMismatch, "$jsonSchema keyword '%s' array elements must be strings", keyword)
		}
		if keyword == "bsonType" {
			if err := set.parse(e); err != nil {
				return nil, err
			}
			continue
		}
		types := schemaTypes[text(e)]
		if text(e) == "integer" {
			return nil, errorf(codeFailedToParse, "$jsonSchema type 'integer' is not currently supported.")
		}
		if types == nil {
			return nil, errorf(codeBadValue, "Unknown type name alias: %s", text(e))
		}
		set.add(types...)
	}
	return set, nil
}

func schemaEnum(v bson.RawValue) (valueSet, error) {
	if !isArray(v) {
		return nil, keywordType("enum", "an array", v)
	}
	set := valueSet{}
	for _, e := range elements(v) {
		if !set.add(e, nil) {
			return nil, errorf(codeFailedToParse, "$jsonSchema keyword 'enum' array cannot contain duplicate values.")
		}
	}
	if len(set) == 0 {
		return nil, errorf(codeFailedToParse, "$jsonSchema keyword 'enum' cannot be an empty array")
	}
	return set, nil
}

func schemaNumber(keyword string, v bson.RawValue) (bson.RawValue, error) {
	if !v.IsNumber() {
		return missing, errorf(codeTypeMismatch, "$jsonSchema keyword '%s' must be a number", keyword)
	}
	return v, nil
}

func schemaBool(keyword string, v bson.RawValue) (bool, error) {
	b, ok := v.Bool()
	if !ok {
		return false, errorf(codeTypeMismatch, "$jsonSchema keyword '%s' must be a boolean", keyword)
	}
	return b, nil
}

func schemaCount(keyword string, v bson.RawValue) (int64, error) {
	if !v.IsNumber() {
		return 0, errorf(codeTypeMismatch, "$jsonSchema keyword '%s' must be a number", keyword)
	}
	n, err := nonNegativeLong(formatElement(keyword, v), v)
	return min(n, math.MaxInt64), err
}

func schemaNames(keyword string, v bson.RawValue) ([]string, error) {
	if !isArray(v) {
		return nil, keywordType(keyword, "an array", v)
	}
	var names []string
	seen := map[string]bool{}
	for _, e := range elements(v) {
		if !isString(e) {
			return nil, errorf(codeTypeMismatch, "$jsonSchema keyword '%s' must be an array of strings, but found an element of type: %s", keyword, TypeName(e.Type))
		}
		if seen[text(e)] {
			return nil, errorf(codeFailedToParse, "$jsonSchema keyword '%s' array cannot contain duplicate values", keyword)
		}
		seen[text(e)] = true
		names = append(names, text(e))
	}
	if len(names) == 0 {
		return nil, errorf(codeFailedToParse, "$jsonSchema keyword '%s' cannot be an empty array", keyword)
	}
	return names, nil
}

func schemaMap(keyword string, v bson.RawValue, env *Env) (map[string]*schema, error) {
	if !isObject(v) {
		return nil, errorf(codeTypeMismatch, "$jsonSchema keyword '%s' must be an object", keyword)
	}
	out := map[string]*schema{}
	for name, e := range bson.Raw(v.Value).All() {
		if !isObject(e) {
			return nil, errorf(codeTypeMismatch, "Nested schema for $jsonSchema property '%s' must be an object", name)
		}
		s, err := parseSchema(e.Value, env)
		if err != nil {
			return nil, err
		}
		out[name] = s
	}
	return out, nil
}

func schemaList(keyword string, v bson.RawValue, env *Env) ([]*schema, error) {
	if !isArray(v) {
		return nil, keywordType(keyword, "an array", v)
	}
	var list []*schema
	for _, e := range elements(v) {
		if !isObject(e) {
			return nil, errorf(codeTypeMismatch, "$jsonSchema keyword '%s' must be an array of objects, but found an element of type %s", keyword, TypeName(e.Type))
		}
		s, err := parseSchema(e.Value, env)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	if len(list) == 0 {
		return nil, errorf(codeBadValue, "$jsonSchema keyword '%s' must be a non-empty array", keyword)
	}
	return list, nil
}

// schemaOrBool makes false the schema that accepts nothing, and true none.
func schemaOrBool(keyword string, v bson.RawValue, env *Env) (*schema, error) {
	switch {
	case v.Type == bson.TypeBoolean && truthy(v):
		return nil, nil
	case v.Type == bson.TypeBoolean:
		return nothing, nil
	case isObject(v):
		return parseSchema(v.Value, env)
	}
	return nil, errorf(codeTypeMismatch, "$jsonSchema keyword '%s' must be an object or a boolean", keyword)
}

func (s *schema) parsePatternProperties(v bson.RawValue, env *Env) error {
	if !isObject(v) {
		return errorf(codeTypeMismatch, "$jsonSchema keyword 'patternProperties' must be an object")
	}
	rules, err := schemaMap("patternProperties", v, env)
	if err != nil {
		return err
	}
	for pattern := range bson.Raw(v.Value).Keys() {
		r, err := compileRegex(pattern, "", env)
		if err != nil {
			return err
		}
		s.patternProperties = append(s.patternProperties, patternSchema{r, rules[pattern]})
	}
	return nil
}

func (s *schema) parseItems(v bson.RawValue, env *Env) (err error) {
	switch {
	case isObject(v):
		s.items, err = parseSchema(v.Value, env)
	case isArray(v):
		s.itemList = []*schema{}
		for _, e := range elements(v) {
			if !isObject(e) {
				return errorf(codeTypeMismatch, "$jsonSchema keyword 'items' requires that each element of the array is an object, but found a %s", TypeName(e.Type))
			}
			item, err := parseSchema(e.Value, env)
			if err != nil {
				return err
			}
			s.itemList = append(s.itemList, item)
		}
	default:
		return errorf(codeTypeMismatch, "$jsonSchema keyword 'items' must be an array or an object, not %s", TypeName(v.Type))
	}
	return err
}

func (s *schema) parseDependencies(v bson.RawValue, env *Env) (err error) {
	if !isObject(v) {
		return errorf(codeTypeMismatch, "$jsonSchema keyword 'dependencies' must be an object")
	}
	s.dependencies = map[string]dependency{}
	for name, e := range bson.Raw(v.Value).All() {
		var d dependency
		switch {
		case isObject(e):
			d.schema, err = parseSchema(e.Value, env)
		case isArray(e):
			d.fields, err = schemaNames("dependencies", e)
		default:
			err = errorf(codeTypeMismatch, "$jsonSchema keyword 'dependencies' requires that each property is an object or an array")
		}
		if err != nil {
			return err
		}
		s.dependencies[name] = d
	}
	return nil
}
