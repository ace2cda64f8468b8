package bson

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// allTypes is a document with every type, in both formats.
var allTypes = struct{ canonical, relaxed string }{
	canonical: `{"_id":{"$oid":"57e193d7a9cc81b4027498b5"},"string":"\"\\\b\f\n\r\t\u0000/é☆𝄞","int32":{"$numberInt":"-42"},` +
		`"int64":{"$numberLong":"42"},"double":{"$numberDouble":"-1.0"},"large":{"$numberDouble":"1E+16"},"small":{"$numberDouble":"1.5E-05"},` +
		`"nan":{"$numberDouble":"NaN"},"inf":{"$numberDouble":"-Infinity"},"decimal":{"$numberDecimal":"1.50"},` +
		`"binary":{"$binary":{"base64":"AQI=","subType":"80"}},"old":{"$binary":{"base64":"AQI=","subType":"02"}},` +
		`"code":{"$code":"f()"},"scope":{"$code":"f()","$scope":{"x":{"$numberInt":"1"}}},"doc":{"":{},"a.b":[]},` +
		`"array":[{"$numberInt":"1"},[true,false],null],"timestamp":{"$timestamp":{"t":4294967295,"i":1}},` +
		`"regex":{"$regularExpression":{"pattern":"a\"b","options":"ix"}},"epoch":{"$date":{"$numberLong":"0"}},` +
		`"ms":{"$date":{"$numberLong":"1356351330001"}},"before":{"$date":{"$numberLong":"-1"}},"late":{"$date":{"$numberLong":"253402300800000"}},` +
		`"pointer":{"$dbPointer":{"$ref":"c","$id":{"$oid":"57e193d7a9cc81b4027498b1"}}},"ref":{"$ref":"c","$id":{"$numberInt":"1"}},` +
		`"symbol":{"$symbol":"s"},"min":{"$minKey":1},"max":{"$maxKey":1},"undefined":{"$undefined":true}}`,
	relaxed: `{"_id":{"$oid":"57e193d7a9cc81b4027498b5"},"string":"\"\\\b\f\n\r\t\u0000/é☆𝄞","int32":-42,` +
		`"int64":42,"double":-1.0,"large":1E+16,"small":1.5E-05,` +
		`"nan":{"$numberDouble":"NaN"},"inf":{"$numberDouble":"-Infinity"},"decimal":{"$numberDecimal":"1.50"},` +
		`"binary":{"$binary":{"base64":"AQI=","subType":"80"}},"old":{"$binary":{"base64":"AQI=","subType":"02"}},` +
		`"code":{"$code":"f()"},"scope":{"$code":"f()","$scope":{"x":1}},"doc":{"":{},"a.b":[]},` +
		`"array":[1,[true,false],null],"timestamp":{"$timestamp":{"t":4294967295,"i":1}},` +
		`"regex":{"$regularExpression":{"pattern":"a\"b","options":"ix"}},"epoch":{"$date":"1970-01-01T00:00:00Z"},` +
		`"ms":{"$date":"2012-12-24T12:15:30.001Z"},"before":{"$date":{"$numberLong":"-1"}},"late":{"$date":{"$numberLong":"253402300800000"}},` +
		`"pointer":{"$dbPointer":{"$ref":"c","$id":{"$oid":"57e193d7a9cc81b4027498b1"}}},"ref":{"$ref":"c","$id":1},` +
		`"symbol":{"$symbol":"s"},"min":{"$minKey":1},"max":{"$maxKey":1},"undefined":{"$undefined":true}}`,
}

func TestExtJSONFormats(t *testing.T) {
	doc := mustParse(t, allTypes.canonical)
	for format, want := range map[ExtJSONFormat]string{Canonical: allTypes.canonical, Relaxed: allTypes.relaxed} {
		got, err := AppendExtJSON(nil, doc, format)
		if err != nil || string(got) != want {
			t.Errorf("%s:\n%s\nexpected:\n%s\n%v", format, got, want, err)
		}
	}
	if got := doc.String(); got != allTypes.relaxed {
		t.Errorf("String:\n%s\nexpected:\n%s", got, allTypes.relaxed)
	}
	for key, v := range doc.All() {
		text, err := AppendExtJSONValue(nil, v, Canonical)
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		back, err := ParseExtJSONValue(text)
		if err != nil || back.Type != v.Type || string(back.Value) != string(v.Value) {
			t.Errorf("%s: %s comes back as %s, %v", key, v, back, err)
		}
	}
}

func TestParseExtJSONForms(t *testing.T) {
	for in, canonical := range map[string]string{
		" {\n\t\"a\" :\r1 , \"a\":2} ":                                                     `{"a":{"$numberInt":"1"},"a":{"$numberInt":"2"}}`,
		`{"a":2147483648,"b":-2147483648,"c":-0}`:                                          `{"a":{"$numberLong":"2147483648"},"b":{"$numberInt":"-2147483648"},"c":{"$numberInt":"0"}}`,
		`{"a":9223372036854775808,"b":1e2,"c":-0.0}`:                                       `{"a":{"$numberDouble":"9.223372036854776E+18"},"b":{"$numberDouble":"100.0"},"c":{"$numberDouble":"-0.0"}}`,
		`{"\u0061":"\ud834\udd1e\/"}`:                                                      `{"a":"𝄞/"}`,
		`{"$oid":"at the top"}`:                                                            `{"$oid":"at the top"}`,
		`{"a":{"$regex":"b","$options":"i"},"c":{"$type":2}}`:                              `{"a":{"$regex":"b","$options":"i"},"c":{"$type":{"$numberInt":"2"}}}`,
		`{"a":{"\u0024oid":"57E193D7A9CC81B4027498B5"}}`:                                   `{"a":{"$oid":"57e193d7a9cc81b4027498b5"}}`,
		`{"a":{"$scope":{"b":1},"$code":"c"}}`:                                             `{"a":{"$code":"c","$scope":{"b":{"$numberInt":"1"}}}}`,
		`{"a":{"$binary":{"subType":"5","base64":""}}}`:                                    `{"a":{"$binary":{"base64":"","subType":"05"}}}`,
		`{"a":{"$uuid":"73ffd26444b34c6990e8e7d1dfc035d4"}}`:                               `{"a":{"$binary":{"base64":"c//SZESzTGmQ6OfR38A11A==","subType":"04"}}}`,
		`{"a":{"$date":"2012-12-24T13:15:30.5019+01:00"}}`:                                 `{"a":{"$date":{"$numberLong":"1356351330501"}}}`,
		`{"a":{"$date":"2012-12-24T12:15:30+0000"}}`:                                       `{"a":{"$date":{"$numberLong":"1356351330000"}}}`,
		`{"a":{"$regularExpression":{"options":"xi","pattern":"/"}}}`:                      `{"a":{"$regularExpression":{"pattern":"/","options":"ix"}}}`,
		`{"a":{"$dbPointer":{"$id":{"$oid":"57e193d7a9cc81b4027498b1"},"$ref":"\u00e9"}}}`: `{"a":{"$dbPointer":{"$ref":"é","$id":{"$oid":"57e193d7a9cc81b4027498b1"}}}}`,
	} {
		got, err := AppendExtJSON(nil, mustParse(t, in), Canonical)
		if err != nil || string(got) != canonical {
			t.Errorf("%s\nis taken for\n%s\ninstead of\n%s\n%v", in, got, canonical, err)
		}
	}
}

func TestParseExtJSONErrors(t *testing.T) {
	for _, c := range []struct {
		in           string
		line, column int
		path, reason string
	}{
		{``, 1, 1, "", "the text ends where a document is expected"},
		{`[]`, 1, 1, "", `'[' where a document is expected`},
		{`{`, 1, 2, "", "the text ends where a key is expected"},
		{`{a:1}`, 1, 2, "", `'a' where a key is expected`},
		{`{"a" 1}`, 1, 6, "", `'1' where a colon is expected`},
		{`{"a":1,}`, 1, 8, "", `'}' where a key is expected`},
		{"{\"a\":\n [1,\n  {\"b\":]}", 3, 8, "a.1.b", `']' where a value is expected`},
		{`{"a":[1 2]}`, 1, 9, "a", `'2' where a comma or ']' is expected`},
		{`{"a":1} x`, 1, 9, "", `'x' where the end is expected`},
		{"{}\x00", 1, 3, "", `'\x00' where the end is expected`},
		{`{"a":tru}`, 1, 6, "a", `'t' where a value is expected`},
		{`{"a":01}`, 1, 7, "", `'1' where a comma or '}' is expected`},
		{`{"a":-}`, 1, 7, "a", `'}' where a digit is expected`},
		{`{"a":1.}`, 1, 8, "a", `'}' where a digit is expected`},
		{`{"a":1e400}`, 1, 6, "a", "the number is out of range for a double"},
		{`{"a":"b`, 1, 6, "a", "the string does not end"},
		{`{"a":"b\`, 1, 8, "a", "the string does not end"},
		{`{"a":"\x"}`, 1, 7, "a", `unknown escape sequence \x`},
		{`{"a":"\u00g0"}`, 1, 7, "a", `\u is not followed by four hexadecimal digits`},
		{`{"a":"\ud834"}`, 1, 7, "a", `\ud834 is half of a surrogate pair`},
		{`{"a":"\udd1e\ud834"}`, 1, 7, "a", `\udd1e is half of a surrogate pair`},
		{"{\"a\":\"\n\"}", 1, 7, "a", `the control character '\n' in a string is not escaped`},
		{"{\"a\":\"\xff\"}", 1, 6, "a", "the string is not valid UTF-8"},
		{`{"a\u0000":1}`, 1, 2, "", `the key "a\x00" contains NUL, which BSON cannot hold`},
		{`{"a":{"$oid":"x"}}`, 1, 14, "a.$oid", `"x" is not 24 hexadecimal digits`},
		{`{"a":{"$oid":"57e193d7a9cc81b4027498b5","b":1}}`, 1, 40, "a", "$oid does not go with other keys"},
		{`{"a":{"b":1,"$oid":"57e193d7a9cc81b4027498b5"}}`, 1, 13, "a", "the key $oid does not go with others"},
		{`{"a":{"$numberInt":"2147483648"}}`, 1, 20, "a.$numberInt", `"2147483648" is not an integer of 32 bits`},
		{`{"a":{"$numberDouble":"0x1p3"}}`, 1, 23, "a.$numberDouble", `"0x1p3" is not a double`},
		{`{"a":{"$numberDouble":"inf"}}`, 1, 23, "a.$numberDouble", `"inf" is not a double`},
		{`{"a":{"$numberDouble":"1E999"}}`, 1, 23, "a.$numberDouble", `"1E999" is not a double`},
		{`{"a":{"$numberDecimal":"1x"}}`, 1, 24, "a.$numberDecimal", `decimal128 "1x" is not a decimal number`},
		{`{"a":{"$binary":{"base64":"AQI","subType":"00"}}}`, 1, 27, "a.$binary.base64", "the string is not base64 with padding"},
		{`{"a":{"$binary":{"base64":"","subType":"100"}}}`, 1, 40, "a.$binary.subType", `"100" is not one or two hexadecimal digits`},
		{`{"a":{"$binary":{"base64":"","base64":""}}}`, 1, 30, "a.$binary", `the key "base64" where only base64 and subType may stand, once each`},
		{`{"a":{"$binary":{"base64":""}}}`, 1, 17, "a.$binary", "one of the keys base64 and subType is missing"},
		{`{"a":{"$binary":"","$type":"00"}}`, 1, 17, "a.$binary", `'"' where an object of base64 and subType is expected`},
		{`{"a":{"$code":"","$scope":{"$oid":"57e193d7a9cc81b4027498b5"}}}`, 1, 28, "a.$code", "the key $oid does not go with others"},
		{`{"a":{"$scope":{}}}`, 1, 18, "a.$scope", `'}' where a comma and $code is expected`},
		{`{"a":{"$timestamp":{"t":-1,"i":0}}}`, 1, 25, "a.$timestamp.t", "-1 is not an integer from 0 to 4294967295"},
		{`{"a":{"$timestamp":{"t":1.0,"i":0}}}`, 1, 25, "a.$timestamp.t", "1.0 is not an integer from 0 to 4294967295"},
		{`{"a":{"$date":"yesterday"}}`, 1, 15, "a.$date", `"yesterday" is not a date such as 2006-01-02T15:04:05.999Z`},
		{`{"a":{"$date":{"$numberInt":"1"}}}`, 1, 16, "a.$date", `the key "$numberInt" where only $numberLong may stand`},
		{`{"a":{"$minKey":10}}`, 1, 17, "a.$minKey", "the value must be 1"},
		{`{"a":{"$undefined":false}}`, 1, 20, "a.$undefined", "the value must be true"},
		{strings.Repeat(`{"a":`, 1001), 1, 5001, strings.TrimSuffix(strings.Repeat("a.", 1000), "."), "documents nest deeper than 1000"},
		{`{"a":` + strings.Repeat(`[`, 1e6), 1, 1005, "a" + strings.Repeat(".0", 999), "documents nest deeper than 1000"},
	} {
		doc, err := ParseExtJSON([]byte(c.in))
		e, ok := errors.AsType[*ExtJSONError](err)
		if !ok {
			t.Errorf("%.100s: taken for %v, %v", c.in, doc, err)
			continue
		}
		if e.Line != c.line || e.Column != c.column || e.Path != c.path || e.Reason != c.reason {
			t.Errorf("%.100s:\n%+v\nexpected line %d, column %d, path %.100s, reason %s", c.in, *e, c.line, c.column, c.path, c.reason)
		}
	}
}

func TestExtJSONErrorSaysWhere(t *testing.T) {
	_, err := ParseExtJSON([]byte("{\n\"a\": {\"b\": x}}"))
	if want := `extended JSON: line 2, column 12 in "a.b": 'x' where a value is expected`; err == nil || err.Error() != want {
		t.Errorf("%v\nexpected\n%s", err, want)
	}
}

func TestExtJSONDepth(t *testing.T) {
	const inner = `{"$date":{"$numberLong":"0"}}`
	text := strings.Repeat(`{"a":[`, MaxDepth/2) + inner + strings.Repeat(`]}`, MaxDepth/2)
	got, err := AppendExtJSON(nil, mustParse(t, text), Canonical)
	if err != nil || string(got) != text {
		t.Errorf("a document of the greatest depth does not come back: %v", err)
	}
}

func TestAppendExtJSONOfInvalid(t *testing.T) {
	for name, doc := range map[string]Raw{
		"nil":       nil,
		"truncated": {9, 0, 0, 0, 16, 'a', 0, 1, 0},
		"not UTF-8": {14, 0, 0, 0, 2, 'a', 0, 2, 0, 0, 0, 0xe9, 0, 0},
	} {
		if got, err := AppendExtJSON([]byte("x"), doc, Relaxed); err == nil || string(got) != "x" {
			t.Errorf("%s: %s, %v", name, got, err)
		}
		if got := doc.String(); !strings.HasPrefix(got, "<cannot decode") {
			t.Errorf("%s: String is %s", name, got)
		}
	}
}

func TestExtJSONDoubles(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0.0", math.Copysign(0, -1): "-0.0", 1: "1.0", 0.1: "0.1", 1e-4: "0.0001", 9.9e-5: "9.9E-05", 123456789.25: "123456789.25",
		9007199254740993: "9007199254740992.0", 1e16: "1E+16", 1.2345678921232e18: "1.2345678921232E+18",
		math.MaxFloat64: "1.7976931348623157E+308", math.SmallestNonzeroFloat64: "5E-324",
	} {
		if got := string(appendFloat(nil, f)); got != want {
			t.Errorf("%v is %s instead of %s", f, got, want)
		}
	}
}

func TestExtJSONAllocations(t *testing.T) {
	text := []byte(allTypes.relaxed)
	doc := mustParse(t, allTypes.relaxed)
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { AppendExtJSON(buf, doc, Canonical) }); n > 8 {
		t.Errorf("writing takes %v allocations", n)
	}
	plain := []byte(`{"a":{"b":[1,2.5,"c",true,null]},"d":12345678901,"e":"more than thirty-two bytes of text, \"quoted\""}`)
	if n := testing.AllocsPerRun(100, func() { ParseExtJSON(plain) }); n > 4 {
		t.Errorf("reading plain JSON takes %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { ParseExtJSON(text) }); n > 60 {
		t.Errorf("reading takes %v allocations", n)
	}
}

func mustParse(t testing.TB, text string) Raw {
	t.Helper()
	doc, err := ParseExtJSON([]byte(text))
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return doc
}
