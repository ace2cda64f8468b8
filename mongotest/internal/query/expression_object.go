package query

import (
	"strings"

	"github.com/motor-go/motor/bson"
)

var objectOperators = map[string]operator{
	"$mergeObjects":  variadic(mergeObjects),
	"$objectToArray": unary(objectToArray),
	"$arrayToObject": unary(arrayToObject),
	"$getField":      {since: Version{5, 0}, parse: parseGetField},
	"$setField":      {since: Version{5, 0}, parse: parseSetField},
	"$unsetField":    {since: Version{5, 0}, parse: parseSetField},
}

func mergeObjects(args []bson.RawValue) (bson.RawValue, error) {
	merged := documentValue(emptyDoc)
	for _, v := range args {
		if isNullish(v) {
			continue
		}
		if !isObject(v) {
			return missing, errorf(40400, "$mergeObjects requires object inputs, but input %s is of type %s", formatDense(v), TypeName(v.Type))
		}
		merged = documentValue(mergeInto(merged.Value, v.Value))
	}
	return merged, nil
}

// mergeInto sets the fields of b in a.
func mergeInto(a, b bson.Raw) bson.Raw {
	dst, at := bson.BeginDocument(nil)
	set := map[string]bson.RawValue{}
	for k, v := range b.All() {
		set[k] = v
	}
	for k, v := range a.All() {
		if newer, ok := set[k]; ok {
			v = newer
			delete(set, k)
		}
		dst = bson.AppendValue(dst, k, v)
	}
	for k := range b.All() {
		if v, ok := set[k]; ok {
			dst = bson.AppendValue(dst, k, v)
			delete(set, k)
		}
	}
	return bson.EndDocument(dst, at)
}

func objectToArray(v bson.RawValue) (bson.RawValue, error) {
	if isNullish(v) {
		return null, nil
	}
	if !isObject(v) {
		return missing, errorf(40390, "$objectToArray requires a document input, found: %s", TypeName(v.Type))
	}
	var pairs []bson.RawValue
	for k, e := range bson.Raw(v.Value).All() {
		dst, at := bson.BeginDocument(nil)
		dst = bson.AppendValue(bson.AppendString(dst, "k", k), "v", e)
		pairs = append(pairs, documentValue(bson.EndDocument(dst, at)))
	}
	return arrayValue(pairs), nil
}

func arrayToObject(v bson.RawValue) (bson.RawValue, error) {
	if isNullish(v) {
		return null, nil
	}
	if !isArray(v) {
		return missing, errorf(40386, "$arrayToObject requires an array input, found: %s", TypeName(v.Type))
	}
	out := emptyDoc
	var first bson.Type
	for e := range bson.RawArray(v.Value).Values() {
		if first == 0 {
			first = e.Type
		}
		var key, value bson.RawValue
		var err error
		switch {
		case isArray(e) && first == bson.TypeArray:
			key, value, err = keyValuePair(e)
		case isObject(e) && first == bson.TypeEmbeddedDocument:
			key, value, err = keyValueObject(e.Value)
		case first == bson.TypeArray:
			err = errorf(40396, "$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. Array was detected, now found: %s", TypeName(e.Type))
		case first == bson.TypeEmbeddedDocument:
			err = errorf(40391, "$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. Object was detected, now found: %s", TypeName(e.Type))
		default:
			err = errorf(40398, "Unrecognised input type format for $arrayToObject: %s", TypeName(e.Type))
		}
		if err != nil {
			return missing, err
		}
		if strings.IndexByte(text(key), 0) >= 0 {
			return missing, errorf(4940400, "Key field cannot contain an embedded null byte")
		}
		dst, at := bson.BeginDocument(nil)
		out = mergeInto(out, bson.EndDocument(bson.AppendValue(dst, text(key), value), at))
	}
	return documentValue(out), nil
}

func keyValuePair(v bson.RawValue) (key, value bson.RawValue, err error) {
	pair := elements(v)
	if len(pair) != 2 {
		return key, value, errorf(40397, "$arrayToObject requires an array of size 2 arrays,found array of size: %d", len(pair))
	}
	if !isString(pair[0]) {
		return key, value, errorf(40395, "$arrayToObject requires an array of key-value pairs, where the key must be of type string. Found key type: %s", TypeName(pair[0].Type))
	}
	return pair[0], pair[1], nil
}

func keyValueObject(doc bson.Raw) (key, value bson.RawValue, err error) {
	key, value = doc.Lookup("k"), doc.Lookup("v")
	switch {
	case doc.Len() != 2:
		err = errorf(40392, "$arrayToObject requires an object keys of 'k' and 'v'. Found incorrect number of keys:%d", doc.Len())
	case isMissing(key) || isMissing(value):
		err = errorf(40393, "$arrayToObject requires an object with keys 'k' and 'v'. Missing either or both keys from: %s", formatDense(documentValue(doc)))
	case !isString(key):
		err = errorf(40394, "$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string. Found type: %s", TypeName(key.Type))
	}
	return key, value, err
}

// constantField reads the 'field' argument, which must be a constant string.
func (p *expressionParser) constantField(name string, v bson.RawValue) (string, error) {
	e, err := p.operand(v)
	if err != nil {
		return "", err
	}
	if err := e.optimize(p.env); err != nil {
		return "", err
	}
	if !e.constant {
		return "", errorf(5654600, "%s requires 'field' to evaluate to a constant, but got a non-constant argument", name)
	}
	field, _ := e.eval(nil)
	if !isString(field) {
		return "", errorf(5654602, "%s requires 'field' to evaluate to type String, but got %s", name, TypeName(field.Type))
	}
	return text(field), nil
}

func parseGetField(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	field, input := v, stringValue("$$CURRENT")
	if isObject(v) && !isOperators(v, false) {
		named, err := fieldsOf(v.Value, func(field string) error {
			return errorf(3041701, "$getField found an unknown argument: %s", field)
		}, "field", "input")
		switch {
		case err != nil:
			return nil, err
		case isMissing(named["field"]):
			return nil, errorf(3041702, "$getField requires 'field' to be specified")
		case isMissing(named["input"]):
			return nil, errorf(3041703, "$getField requires 'input' to be specified")
		}
		field, input = named["field"], named["input"]
	}
	key, err := p.constantField(name, field)
	if err != nil {
		return nil, err
	}
	arg, err := p.operand(input)
	if err != nil {
		return nil, err
	}
	return p.call([]*expression{arg}, func(_ *Env, values []bson.RawValue) (bson.RawValue, error) {
		switch {
		case isObject(values[0]):
			return bson.Raw(values[0].Value).Lookup(key), nil
		case isNullish(values[0]):
			return values[0], nil
		}
		return missing, nil
	}), nil
}

func parseSetField(p *expressionParser, name string, v bson.RawValue) (*expression, error) {
	if !isObject(v) {
		return nil, errorf(4161100, "%s only supports an object as its argument", name)
	}
	names := []string{"field", "input", "value"}
	if name == "$unsetField" {
		names = names[:2]
	}
	named, err := fieldsOf(v.Value, func(field string) error {
		return errorf(4161101, "%s found an unknown argument: %s", name, field)
	}, names...)
	if err != nil {
		return nil, err
	}
	for i, field := range []string{"field", "value", "input"} {
		if isMissing(named[field]) && (field != "value" || name == "$setField") {
			return nil, errorf(4161102+int32(i), "%s requires '%s' to be specified", name, field)
		}
	}
	key, err := p.constantField(name, named["field"])
	if err != nil {
		return nil, err
	}
	if name == "$unsetField" {
		named["value"] = stringValue("$$REMOVE")
	}
	args, err := p.operands([]bson.RawValue{named["input"], named["value"]})
	if err != nil {
		return nil, err
	}
	return p.call(args, func(_ *Env, values []bson.RawValue) (bson.RawValue, error) {
		if isNullish(values[0]) {
			return null, nil
		}
		if !isObject(values[0]) {
			return missing, errorf(4161105, "%s requires 'input' to evaluate to type Object", name)
		}
		return documentValue(withField(values[0].Value, key, values[1])), nil
	}), nil
}

// withField sets a field, or takes it away if the value is missing.
func withField(doc bson.Raw, key string, value bson.RawValue) bson.Raw {
	dst, at := bson.BeginDocument(nil)
	found := isMissing(value)
	for k, v := range doc.All() {
		if k == key {
			if isMissing(value) {
				continue
			}
			v, found = value, true
		}
		dst = bson.AppendValue(dst, k, v)
	}
	if !found {
		dst = bson.AppendValue(dst, key, value)
	}
	return bson.EndDocument(dst, at)
}
