package bson

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
)

func TestJSON(t *testing.T) {
	oid, _ := ObjectIDFromHex("57e193d7a9cc81b4027498b5")
	for _, c := range []struct {
		v    any
		json string
	}{
		{oid, `"57e193d7a9cc81b4027498b5"`},
		{DateTime(1356351330501), `"2012-12-24T12:15:30.501Z"`},
		{DateTime(-1), `"1969-12-31T23:59:59.999Z"`},
		{DateTime(math.MaxInt64), `{"$date":{"$numberLong":"9223372036854775807"}}`},
		{mustDecimal(t, "-1.50"), `"-1.50"`},
		{UUID{0: 0xab}, `"ab000000-0000-0000-0000-000000000000"`},
		{Timestamp{4294967295, 2}, `{"$timestamp":{"t":4294967295,"i":2}}`},
		{Binary{0x80, []byte{1, 2}}, `{"$binary":{"base64":"AQI=","subType":"80"}}`},
		{Regex{"a/b", "ix"}, `{"$regularExpression":{"pattern":"a/b","options":"ix"}}`},
		{DBPointer{"c", oid}, `{"$dbPointer":{"$ref":"c","$id":{"$oid":"57e193d7a9cc81b4027498b5"}}}`},
		{CodeWithScope{"f()", D{{"x", int32(1)}}}, `{"$code":"f()","$scope":{"x":1}}`},
		{JavaScript("f()"), `"f()"`},
		{Symbol("s"), `"s"`},
		{Undefined{}, `{"$undefined":true}`},
		{Null{}, `null`},
		{MinKey{}, `{"$minKey":1}`},
		{MaxKey{}, `{"$maxKey":1}`},
		{D{}, `{}`},
		{D{{"b", int32(1)}, {"a", A{"x", true, nil}}, {"c", D{{"d", 1.5}}}}, `{"b":1,"a":["x",true,null],"c":{"d":1.5}}`},
		{mustParse(t, `{"a":{"$oid":"57e193d7a9cc81b4027498b5"},"b":1}`), `{"a":{"$oid":"57e193d7a9cc81b4027498b5"},"b":1}`},
		{mustParse(t, `{"a":[1,{"$minKey":1}]}`).Lookup("a"), `[1,{"$minKey":1}]`},
		{RawArray(mustParse(t, `{"0":1,"1":"x"}`)), `[1,"x"]`},
	} {
		text, err := json.Marshal(c.v)
		if err != nil || string(text) != c.json {
			t.Errorf("%T: %s, %v\nexpected %s", c.v, text, err, c.json)
			continue
		}
		back := reflect.New(reflect.TypeOf(c.v))
		if err := json.Unmarshal(text, back.Interface()); err != nil || !reflect.DeepEqual(back.Elem().Interface(), c.v) {
			t.Errorf("%T: %s comes back as %#v, %v", c.v, text, back.Elem(), err)
		}
	}
}

func TestJSONOfNothing(t *testing.T) {
	for _, v := range []any{D(nil), Raw(nil), RawArray(nil), RawValue{}} {
		if text, err := json.Marshal(v); err != nil || string(text) != "null" {
			t.Errorf("%T: %s, %v", v, text, err)
		}
	}
}

// Values read Extended JSON, too.
func TestJSONOtherForms(t *testing.T) {
	for in, want := range map[string]any{
		`{"$date":{"$numberLong":"1"}}`:       DateTime(1),
		`{"$numberDecimal":"1.50"}`:           mustDecimal(t, "1.50"),
		`1.50`:                                mustDecimal(t, "1.50"),
		`{"$oid":"000000000000000000000001"}`: ObjectID{11: 1},
		`{"a":{"$oid":"000000000000000000000001"},"b":[{"c":2147483648}]}`: D{{"a", ObjectID{11: 1}}, {"b", A{D{{"c", int64(2147483648)}}}}},
	} {
		got := reflect.New(reflect.TypeOf(want))
		if err := json.Unmarshal([]byte(in), got.Interface()); err != nil || !reflect.DeepEqual(got.Elem().Interface(), want) {
			t.Errorf("%s is taken for %#v, %v", in, got.Elem(), err)
		}
	}
}

func TestJSONErrors(t *testing.T) {
	for in, v := range map[string]any{
		`"yesterday"`:       new(DateTime),
		`1`:                 new(Timestamp),
		`"1.5x"`:            new(Decimal128),
		`true`:              new(Decimal128),
		`{"a":"\ud834"}`:    new(D),
		`{"$minKey":1}`:     new(MaxKey),
		`"not a document"`:  new(Raw),
		`{"$oid":"57e193"}`: new(RawValue),
	} {
		if err := json.Unmarshal([]byte(in), v); err == nil {
			t.Errorf("%s is taken for %T %v", in, v, v)
		}
	}
}

func TestStrings(t *testing.T) {
	for want, v := range map[string]interface{ String() string }{
		`{"b":1,"a":[{"$minKey":1}]}`: D{{"b", 1}, {"a", A{MinKey{}}}},
		`{"a":{"b":null}}`:            M{"a": M{"b": nil}},
		`["x",1.0]`:                   A{"x", 1.0},
		`[1]`:                         RawArray(mustParse(t, `{"0":1}`)),
		`{"$numberDecimal":"1E+3"}`:   mustParse(t, `{"a":{"$numberDecimal":"1E3"}}`).Lookup("a"),
	} {
		if got := v.String(); got != want {
			t.Errorf("%T is %s instead of %s", v, got, want)
		}
	}
	if got := (D{{"a", make(chan int)}}).String(); got[0] != '<' {
		t.Errorf("a document that cannot be encoded is %s", got)
	}
}
