package spectests

import (
	"strings"
	"testing"

	"github.com/motor-go/motor/bson"
)

// extJSON is the value that the text stands for; none if it is empty.
func extJSON(t *testing.T, text string) bson.RawValue {
	t.Helper()
	if text == "" {
		return bson.RawValue{}
	}
	v, err := bson.ParseExtJSONValue([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestMatchValues(t *testing.T) {
	e := &entities{}
	e.add("seven", extJSON(t, `7`))
	e.add("doc", extJSON(t, `{"a": 1}`))
	e.add("session0", &session{lsid: bson.Raw(extJSON(t, `{"id": 1}`).Value)})
	for _, c := range []struct {
		expected, actual string
		root             bool
		want             string // in the error; empty: it matches
	}{
		// Documents
		{`{"x": 1}`, `{"x": 1, "y": 1}`, true, ""},
		{`{"x": 1}`, `{"x": 1, "y": 1}`, false, "y: is 1"},
		{`{"x": 1, "y": 1}`, `{"x": 1}`, true, "y: does not exist"},
		{`{"x": {"y": 1}}`, `{"x": {"y": 1, "z": 1}}`, true, "x.z: is 1"},
		{`{"x": 1, "y": 1}`, `{"y": 1, "x": 1}`, false, ""},
		{`{"x": 1}`, `1`, true, "want the document"},
		{`{"x": 1}`, ``, true, "missing"},
		{`{}`, `{}`, false, ""},
		{`{"x": null}`, `{}`, true, "x: does not exist"},
		{`{"x": null}`, `{"x": null}`, true, ""},
		// Arrays
		{`[1, {"x": 1}]`, `[1, {"x": 1}]`, false, ""},
		{`[1]`, `[1, 2]`, false, "has 2 elements, want 1"},
		{`[{"x": 1}]`, `[{"x": 1, "y": 1}]`, true, "0.y: is 1"},
		{`[1]`, `{"0": 1}`, false, "want the array"},
		// Numbers and other values
		{`1`, `{"$numberLong": "1"}`, false, ""},
		{`1`, `1.0`, false, ""},
		{`1`, `1.5`, false, "is 1.5"},
		{`1.5`, `1.5`, false, ""},
		{`1`, `{"$numberDecimal": "1"}`, false, "want 1"},
		{`1`, `true`, false, "want 1"},
		{`{"$numberDouble": "NaN"}`, `{"$numberDouble": "NaN"}`, false, ""},
		{`"a"`, `{"$symbol": "a"}`, false, "want"},
		{`{"$code": "f", "$scope": {"a": 1, "b": 2}}`, `{"$code": "f", "$scope": {"b": 2, "a": 1}}`, false, ""},
		{`{"$code": "f", "$scope": {"a": 1}}`, `{"$code": "f", "$scope": {"a": 1, "b": 2}}`, false, "want"},
		// Operators
		{`{"x": {"$$exists": true}}`, `{"x": null}`, true, ""},
		{`{"x": {"$$exists": true}}`, `{}`, true, "want $$exists: true"},
		{`{"x": {"$$exists": false}}`, `{}`, false, ""},
		{`{"x": {"$$exists": false}}`, `{"x": 1}`, false, "want $$exists: false"},
		{`{"x": {"$$type": "int"}}`, `{"x": 1}`, false, ""},
		{`{"$$type": ["string", "number"]}`, `{"$numberDecimal": "1"}`, false, ""},
		{`{"$$type": "array"}`, `["int"]`, false, ""},
		{`{"$$type": "int"}`, `[1]`, false, "want type int"},
		{`{"x": {"$$type": "int"}}`, `{}`, true, "missing"},
		{`{"$$type": "integer"}`, `1`, false, "is no type"},
		{`{"$$matchesEntity": "seven"}`, `7`, false, ""},
		{`{"$$matchesEntity": "seven"}`, `8`, false, "want 7"},
		{`{"$$matchesEntity": "doc"}`, `{"a": 1, "b": 2}`, true, ""},
		{`{"$$matchesEntity": "doc"}`, `{"a": 1, "b": 2}`, false, "b: is 2"},
		{`{"$$matchesEntity": "eight"}`, `8`, false, `"eight" is not defined`},
		{`{"$$matchesEntity": "session0"}`, `8`, false, "instead of"},
		{`{"$$matchesHexBytes": "6162"}`, `"ab"`, false, ""},
		{`{"$$matchesHexBytes": ""}`, `""`, false, ""},
		{`{"$$matchesHexBytes": "61"}`, `"ab"`, false, "want 61"},
		{`{"$$matchesHexBytes": "6"}`, `"a"`, false, "$$matchesHexBytes"},
		{`{"x": {"$$unsetOrMatches": 1}}`, `{}`, false, ""},
		{`{"x": {"$$unsetOrMatches": 1}}`, `{"x": 1}`, false, ""},
		{`{"x": {"$$unsetOrMatches": 1}}`, `{"x": 2}`, false, "want 1"},
		{`{"x": {"$$unsetOrMatches": {"$$type": "int"}}}`, `{"x": "1"}`, false, "want type int"},
		{`{"$$unsetOrMatches": {"x": 1}}`, `{"x": 1, "y": 1}`, true, ""},
		{`{"$$unsetOrMatches": {"x": 1}}`, `{"x": 1, "y": 1}`, false, "y: is 1"},
		{`{"$$sessionLsid": "session0"}`, `{"id": 1}`, false, ""},
		{`{"$$sessionLsid": "session0"}`, `{"id": 2}`, false, "id: is 2"},
		{`{"$$sessionLsid": "seven"}`, `{"id": 2}`, false, "instead of"},
		{`{"$$lte": 5}`, `5.0`, false, ""},
		{`{"$$lte": 5}`, `5.1`, false, "want 5 at most"},
		{`{"$$lte": 5}`, `"4"`, false, "want 5 at most"},
		{`{"$$matchAsDocument": {"x": 1}}`, `"{\"x\": 1}"`, false, ""},
		{`{"$$matchAsDocument": {"x": 1}}`, `"{\"x\": 1, \"y\": 1}"`, true, "y: is 1"},
		{`{"$$matchAsDocument": {"$$matchAsRoot": {"x": 1}}}`, `"{\"x\": 1, \"y\": 1}"`, false, ""},
		{`{"$$matchAsDocument": {}}`, `"[1]"`, false, "want a document"},
		{`{"$$matchAsDocument": {}}`, `{}`, false, "want Extended JSON"},
		{`{"x": {"$$matchAsRoot": {"y": 1}}}`, `{"x": {"y": 1, "z": 1}}`, false, ""},
		{`{"x": {"$$matchAsRoot": {"y": 1}}}`, `{"x": {}}`, false, "x.y: does not exist"},
		{`{"x": {"$$placeholder": 1}}`, `{"x": 1}`, false, "$$placeholder is not supported"},
		{`{"$$exists": true, "x": 1}`, `{"$$exists": true, "x": 1}`, false, ""},
	} {
		err := matcher{e}.match("", extJSON(t, c.expected), extJSON(t, c.actual), c.root)
		switch {
		case err == nil && c.want != "":
			t.Errorf("%s matches %s (root: %v)", c.actual, c.expected, c.root)
		case err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s is matched against %s (root: %v): %v; want %q", c.actual, c.expected, c.root, err, c.want)
		}
	}
}

// What is wrong with a test is told apart from what is wrong with a value.
func TestMatchMalformed(t *testing.T) {
	for expected, want := range map[string]bool{
		`{"$$exists": 1}`:               true,
		`{"$$lte": "a"}`:                true,
		`{"$$type": 1}`:                 true,
		`{"$$nothing": 1}`:              true,
		`{"$$matchesEntity": "nobody"}`: true,
		`2`:                             false,
		`{"$$type": "string"}`:          false,
	} {
		if err := (matcher{new(entities)}).match("", extJSON(t, expected), extJSON(t, `1`), false); err == nil || isMalformed(err) != want {
			t.Errorf("%s: %v", expected, err)
		}
	}
}

// The data of a collection must be the same but for the order of keys: numbers
// are not flexible there.
func TestSameDocument(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`{"a": 1, "b": [{"c": 1, "d": 2}]}`, `{"b": [{"d": 2, "c": 1}], "a": 1}`, true},
		{`{"a": 1}`, `{"a": {"$numberLong": "1"}}`, false},
		{`{"a": 1}`, `{"a": 1, "b": 1}`, false},
		{`{"a": [1, 2]}`, `{"a": [2, 1]}`, false},
		{`{"a": [1]}`, `{"a": [1, 2]}`, false},
	} {
		if got := sameDocument(bson.Raw(extJSON(t, c.a).Value), bson.Raw(extJSON(t, c.b).Value)); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}
