package query

import (
	"github.com/motor-go/motor/bson"
)

var miscOperators = map[string]operator{
	"$meta":       {parse: parseMeta},
	"$function":   {since: Version{4, 4}, parse: parseFunction},
	"$rand":       {since: Version{4, 4}, parse: parseRand},
	"$bsonSize":   unary(bsonSize).from(4, 4),
	"$binarySize": unary(binarySize).from(4, 4),
}

// metaFields are the arguments of $meta, and what is said where a query has
// not what they ask for.
var metaFields = map[string]string{
	"textScore":               "query requires text score metadata, but it is not available",
	"geoNearDistance":         "query requires geo near distance metadata, but it is not available",
	"geoNearPoint":            "query requires geo near point metadata, but it is not available",
	"searchScore":             "",
	"searchHighlights":        "",
	"searchScoreDetails":      "",
	"randVal":                 "",
	"indexKey":                "",
	"recordId":                "",
	"sortKey":                 "query requires sort key metadata, but it is not available",
	"timeseriesBucketMinTime": "",
	"timeseriesBucketMaxTime": "",
}

func checkMeta(v bson.RawValue) (string, error) {
	if !isString(v) {
		return "", errorf(17307, "$meta only supports string arguments")
	}
	if _, ok := metaFields[text(v)]; !ok {
		return "", errorf(17308, "Unsupported argument to $meta: %s", text(v))
	}
	return text(v), nil
}

// errNoMeta is the answer where no document of a query has the metadata.
func errNoMeta(name string) error {
	return &Error{Code: 40218, Message: metaFields[name], bare: true}
}

// parseMeta parses $meta in a pipeline, whose documents have no metadata.
func parseMeta(_ *expressionParser, _ string, v bson.RawValue) (*expression, error) {
	name, err := checkMeta(v)
	if err != nil {
		return nil, err
	}
	if metaFields[name] != "" {
		return nil, errNoMeta(name)
	}
	return constantExpr(missing), nil
}

func parseFunction(_ *expressionParser, _ string, v bson.RawValue) (*expression, error) {
	if !isObject(v) {
		return nil, errorf(4660800, "$function requires an object as an argument, found: %s", TypeName(v.Type))
	}
	_, err := fieldsOf(v.Value, func(field string) error {
		return errorf(31261, "$function found an unknown argument: %s", field)
	}, "body", "args", "lang")
	if err != nil {
		return nil, err
	}
	return &expression{eval: func(*scope) (bson.RawValue, error) {
		return missing, errorf(31264, "Cannot run server-side javascript without the javascript engine enabled")
	}}, nil
}

func parseRand(_ *expressionParser, _ string, v bson.RawValue) (*expression, error) {
	if !isObject(v) && !isArray(v) {
		return nil, errorf(10065, "invalid parameter: expected an object ($rand)")
	}
	if bson.Raw(v.Value).Len() > 0 {
		return nil, errorf(3040501, "$rand does not currently accept arguments")
	}
	return &expression{eval: func(s *scope) (bson.RawValue, error) { return doubleValue(s.env.Random()), nil }}, nil
}

func bsonSize(v bson.RawValue) (bson.RawValue, error) {
	if isNullish(v) {
		return null, nil
	}
	if !isObject(v) {
		return missing, errorf(31393, "$bsonSize requires a document input, found: %s", TypeName(v.Type))
	}
	return int32Value(int32(len(v.Value))), nil
}

func binarySize(v bson.RawValue) (bson.RawValue, error) {
	if isNullish(v) {
		return null, nil
	}
	if b, ok := v.Binary(); ok {
		return int32Value(int32(len(b.Data))), nil
	}
	if !isString(v) {
		return missing, errorf(51276, "$binarySize requires a string or BinData argument, found: %s", TypeName(v.Type))
	}
	return int32Value(int32(len(text(v)))), nil
}
