package query

import (
	"fmt"
	"strings"
	"testing"

	"github.com/motor-go/motor/bson"
)

func TestFilter(t *testing.T) {
	doc := `{'_id': 1, 'a': [1, 5, {'b': 2, 'c': [7]}], 'n': null, 's': 'text', 'o': {'p': {'q': 1}}, 'd': {'$numberDecimal': '4.0'},
		'loc': {'type': 'Point', 'coordinates': [10, 10]}, 'xy': [3, 4]}`
	for _, test := range []struct {
		filter string
		want   string // "yes", "no" or an error's code and text
	}{
		{`{'a.b': 2}`, "yes"},
		{`{'a.2.b': 2}`, "yes"},
		{`{'a.c.0': 7}`, "yes"},
		{`{'a.c': 7}`, "yes"},
		{`{'o': {'p': {'q': {'$numberLong': '1'}}}}`, "yes"},
		{`{'o.p.q': {'$exists': true}, 'o.p.z': {'$exists': false}}`, "yes"},
		{`{'d': {'$mod': [4, 0]}}`, "yes"},
		{`{'d': {'$mod': [0, 0]}}`, "2 divisor cannot be 0"},
		{`{'d': {'$mod': [4]}}`, "2 malformed mod, not enough elements"},
		{`{'a': {'$size': 3}}`, "yes"},
		{`{'a': {'$size': 1.5}}`, "2 $size must be a whole number"},
		{`{'a': {'$all': [1, 5]}}`, "yes"},
		{`{'a': {'$all': [{'$elemMatch': {'b': 2}}, {'$elemMatch': {'c': 7}}]}}`, "yes"},
		{`{'a': {'$all': []}}`, "no"},
		{`{'a': {'$all': [{'$gt': 1}]}}`, "2 no $ expressions in $all"},
		{`{'a': {'$type': 'number'}}`, "yes"},
		{`{'a': {'$type': ['string', 99]}}`, "2 Invalid numerical type code: 99"},
		{`{'a': {'$not': {'$size': 2}}}`, "yes"},
		{`{'s': {'$not': {'$regularExpression': {'pattern': '^x', 'options': ''}}}}`, "yes"},
		{`{'a': {'$elemMatch': {'$not': {'$gte': 5}, '$type': 'int'}}}`, "yes"},
		{`{'loc': {'$geoWithin': {'$box': [[0, 0], [20, 20]]}}}`, "yes"},
		{`{'loc': {'$geoWithin': {'$centerSphere': [[10, 11], 0.1]}}}`, "yes"},
		{`{'xy': {'$geoWithin': {'$center': [[0, 0], 5]}}}`, "yes"},
		{`{'xy': {'$geoWithin': {'$polygon': [[0, 0], [1, 0], [0, 1]]}}}`, "no"},
		{`{'loc': {'$geoIntersects': {'$geometry': {'type': 'LineString', 'coordinates': [[0, 0], [20, 20]]}}}}`, "yes"},
		{`{'loc': {'$near': {'$geometry': {'type': 'Point', 'coordinates': [500, 0]}}}}`, "2 invalid point in geo near query $geometry argument: { type: \"Point\", coordinates: [ 500, 0 ] }  longitude/latitude is out of bounds, lng: 500 lat: 0"},
		{`{'$expr': {'$gt': [{'$size': '$a'}, 2]}}`, "yes"},
		{`{'$expr': {'$size': '$s'}}`, "17124 The argument to $size must be an array, but was of type: string"},
		{`{'$alwaysTrue': 2}`, "9 $alwaysTrue must be an integer value of 1"},
		{`{'$sampleRate': 0.3}`, "yes"},
		{`{'$sampleRate': 0.2}`, "no"},
		{`{'$sampleRate': 2}`, "2 numeric argument to $sampleRate must be in [0, 1]"},
		{`{'$ref': 'x', '$id': 5}`, "no"},
		{`{'n': {'$in': [null]}}`, "yes"},
		{`{'zz': {'$nin': [null, 1]}}`, "no"},
		{`{'a': {'$elemMatch': {'$where': 'x'}}}`, "2 $where can only be applied to the top-level document"},
	} {
		f, err := ParseFilter(parse(t, test.filter), testEnv(4, 4))
		got := ""
		if err == nil {
			var ok bool
			ok, err = f.Match(parse(t, doc))
			got = map[bool]string{true: "yes", false: "no"}[ok]
		}
		if err != nil {
			got = fmt.Sprintf("%d %s", err.(*Error).Code, err)
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", test.filter, got, test.want)
		}
	}
}

func TestFilterPosition(t *testing.T) {
	for _, test := range []struct {
		filter, doc string
		want        int
	}{
		{`{'a': 2}`, `{'a': [1, 2]}`, 1},
		{`{'a': 1}`, `{'a': 1}`, -1},
		{`{'a.b': 2}`, `{'a': [{'b': 1}, {'b': [0, 2]}]}`, 1},
		{`{'a': {'$elemMatch': {'$gt': 1}}}`, `{'a': [0, 1, 2]}`, 2},
		{`{'$or': [{'a': 2}, {'a': 3}]}`, `{'a': [1, 2]}`, -1},
		{`{'$or': [{'a': 2}]}`, `{'a': [1, 2]}`, 1},
		{`{'a': {'$gt': 1}, 'b': 3}`, `{'a': [1, 2], 'b': [3]}`, 1}, // equalities first
		{`{'a': {'$ne': 5}}`, `{'a': [1, 2]}`, -1},
	} {
		f, err := ParseFilter(parse(t, test.filter), testEnv(4, 4))
		if err != nil {
			t.Fatal(err)
		}
		position, ok, err := f.MatchPosition(parse(t, test.doc))
		if err != nil || !ok || position != test.want {
			t.Errorf("%s on %s: %d, %v, %v; want %d", test.filter, test.doc, position, ok, err, test.want)
		}
	}
}

func TestFilterEqual(t *testing.T) {
	f, err := ParseFilter(parse(t, `{'_id': {'$in': [5]}, '$and': [{'a': {'$eq': 'x'}}], 'b': {'$gt': 1}}`), testEnv(4, 4))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"_id": "5", "a": `"x"`, "b": "missing", "c": "missing"} {
		if v, _ := f.Equal(path); show(v) != want {
			t.Errorf("%s must equal %s, want %s", path, show(v), want)
		}
	}
	if tree, want := f.Tree(), "$and\n    _id $eq 5\n    a $eq \"x\"\n    b $gt 1\n"; tree != want {
		t.Errorf("tree %q, want %q", tree, want)
	}
}

func TestValidatorRefusesPlacesAndText(t *testing.T) {
	for filter, want := range map[string]string{
		`{'$text': {'$search': 'x'}}`: "$text is not allowed in this context",
		`{'$where': 'x'}`:             "$where is not allowed in this context",
		`{'a': {'$near': [0, 0]}}`:    "$geoNear, $near, and $nearSphere are not allowed in this context",
	} {
		if _, err := ParseValidator(parse(t, filter), testEnv(4, 4)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", filter, err, want)
		}
	}
}

func TestNear(t *testing.T) {
	f, err := ParseFilter(parse(t, `{'loc': {'$nearSphere': {'$geometry': {'type': 'Point', 'coordinates': [0, 0]}, '$maxDistance': 200000}}}`), testEnv(4, 4))
	if err != nil {
		t.Fatal(err)
	}
	d, ok := f.Near.Distance(parse(t, `{'loc': {'type': 'Point', 'coordinates': [1, 0]}}`))
	if !ok || d < 111_300 || d > 111_340 {
		t.Errorf("one degree is %f m, %v", d, ok)
	}
	if ok, err := f.Match(parse(t, `{'loc': [1, 0]}`)); !ok || err != nil {
		t.Errorf("one degree is not within 200 km: %v", err)
	}
	if want := "GEONEAR  field=loc maxdist=200000 isNearSphere=0\n"; f.Tree() != want {
		t.Errorf("tree %q, want %q", f.Tree(), want)
	}
	if _, ok := f.Near.Distance(parse(t, `{'loc': [3, 0]}`)); ok {
		t.Error("three degrees are within 200 km")
	}
}

func TestJSONSchema(t *testing.T) {
	for _, test := range []struct{ schema, yes, no string }{
		{`{'properties': {'a': {'items': {'minimum': 1}}}}`, `{'a': [1, 'x']}`, `{'a': [0]}`},
		{`{'properties': {'a': {'items': [{'type': 'string'}], 'additionalItems': false}}}`, `{'a': ['x']}`, `{'a': ['x', 1]}`},
		{`{'patternProperties': {'^x': {'type': 'number'}}, 'additionalProperties': false}`, `{'x1': 1}`, `{'y': 1}`},
		{`{'dependencies': {'a': ['b']}}`, `{'c': 1}`, `{'a': 1}`},
		{`{'dependencies': {'a': {'required': ['b']}}}`, `{'a': 1, 'b': 1}`, `{'a': 1}`},
		{`{'oneOf': [{'required': ['a']}, {'required': ['b']}]}`, `{'a': 1}`, `{'a': 1, 'b': 1}`},
		{`{'allOf': [{'required': ['a']}, {'maxProperties': 1}]}`, `{'a': 1}`, `{'a': 1, 'b': 1}`},
		{`{'properties': {'a': {'minimum': 1, 'exclusiveMinimum': true, 'maximum': 2}}}`, `{'a': 2}`, `{'a': 1}`},
		{`{'properties': {'a': {'bsonType': ['int', 'null'], 'multipleOf': 3}}}`, `{'a': 6}`, `{'a': 7}`},
		{`{'properties': {'a': {'pattern': '^ab', 'maxLength': 3}}}`, `{'a': 'abé'}`, `{'a': 'abcd'}`},
		{`{'properties': {'a': {'uniqueItems': true}}}`, `{'a': [1, '1']}`, `{'a': [1, {'$numberLong': '1'}]}`},
		{`{'properties': {'a': {'enum': [{'x': 1}]}}}`, `{'a': {'x': 1}}`, `{'a': {'x': 2}}`},
	} {
		f, err := ParseFilter(parse(t, `{'$jsonSchema': `+test.schema+`}`), testEnv(4, 4))
		if err != nil {
			t.Errorf("%s: %v", test.schema, err)
			continue
		}
		if ok, _ := f.Match(parse(t, test.yes)); !ok {
			t.Errorf("%s refuses %s", test.schema, test.yes)
		}
		if ok, _ := f.Match(parse(t, test.no)); ok {
			t.Errorf("%s accepts %s", test.schema, test.no)
		}
	}
	for schema, code := range map[string]int32{
		`{'type': 'int'}`: 2, `{'minimum': 'x'}`: 14, `{'exclusiveMaximum': true}`: 9, `{'minLength': -1}`: 9, `{'items': 5}`: 14,
		`{'type': 'object', 'bsonType': 'object'}`: 9, `{'multipleOf': 0}`: 9, `{'properties': {'a': 1}}`: 14, `{'not': 1}`: 14,
	} {
		if _, err := ParseFilter(parse(t, `{'$jsonSchema': `+schema+`}`), testEnv(4, 4)); err == nil || err.(*Error).Code != code {
			t.Errorf("%s: %v, want code %d", schema, err, code)
		}
	}
}

func TestDeepQueriesAreRefused(t *testing.T) {
	deep := strings.Repeat(`{'$nor': [`, 150) + "{}" + strings.Repeat("]}", 150)
	if _, err := ParseFilter(parse(t, deep), testEnv(4, 4)); err == nil || err.(*Error).Code != codeOverflow {
		t.Errorf("150 nested $nor: %v", err)
	}
	long, at := bson.BeginDocument(nil)
	long = bson.AppendInt32(long, strings.Repeat("a.", 1000)+"a", 1)
	if f, err := ParseFilter(bson.EndDocument(long, at), testEnv(4, 4)); err == nil {
		if ok, _ := f.Match(parse(t, `{'a': 1}`)); ok {
			t.Error("a path of 1001 components matches")
		}
	}
}
