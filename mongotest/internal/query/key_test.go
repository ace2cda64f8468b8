package query

import (
	"bytes"
	"cmp"
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/motor-go/motor/bson"
)

// ordered are values in the server's order; those in one line are equal.
var ordered = []string{
	`{'$minKey': 1}`,
	`{'$undefined': true}`,
	`null`,
	`{'$numberDouble': 'NaN'}, {'$numberDecimal': 'NaN'}`,
	`{'$numberDouble': '-Infinity'}, {'$numberDecimal': '-Infinity'}`,
	`{'$numberDecimal': '-9E+6144'}`,
	`{'$numberDecimal': '-1E+6000'}`,
	`{'$numberDecimal': '-1E+309'}`,
	`{'$numberDouble': '-1.7976931348623157E+308'}`,
	`{'$numberLong': '-9223372036854775808'}, {'$numberDouble': '-9223372036854775808'}`,
	`{'$numberLong': '-9223372036854775807'}`,
	`-5, {'$numberLong': '-5'}, {'$numberDouble': '-5'}, {'$numberDecimal': '-5.00'}`,
	`{'$numberDecimal': '-0.2'}`,
	`{'$numberDouble': '-0.1'}`,
	`{'$numberDecimal': '-0.1'}`,
	`{'$numberDecimal': '-1E-6176'}`,
	`0, {'$numberDouble': '-0.0'}, {'$numberDecimal': '-0E+3'}, {'$numberLong': '0'}`,
	`{'$numberDecimal': '1E-6176'}`,
	`{'$numberDouble': '5e-324'}`,
	`{'$numberDecimal': '0.1'}`,
	`{'$numberDouble': '0.1'}`,
	`{'$numberDecimal': '0.1000000000000000055511151231257828'}`,
	`1, {'$numberDouble': '1'}, {'$numberDecimal': '1.0'}`,
	`{'$numberDouble': '1.5'}, {'$numberDecimal': '1.50'}`,
	`{'$numberLong': '9007199254740992'}`,
	`{'$numberLong': '9007199254740993'}, {'$numberDecimal': '9007199254740993'}`,
	`{'$numberDecimal': '9007199254740993.5'}`,
	`{'$numberDouble': '9007199254740994'}`,
	`{'$numberLong': '9223372036854775807'}`,
	`{'$numberDouble': '9223372036854775808'}`,
	`{'$numberDecimal': '9223372036854775808.5'}`,
	`{'$numberDouble': '1.7976931348623157E+308'}`,
	`{'$numberDecimal': '1E+309'}`,
	`{'$numberDecimal': '9.999999999999999999999999999999999E+6144'}`,
	`{'$numberDouble': 'Infinity'}`,
	`''`,
	`'\u0000'`,
	`'\u0000\u0000'`,
	`'a', {'$symbol': 'a'}`,
	`'a\u0000'`,
	`'ab'`,
	`'b'`,
	`{}`,
	`{'b': null}`,
	`{'a': 1}, {'a': {'$numberLong': '1'}}`,
	`{'a': 1, 'b': 0}`,
	`{'a': 2}`,
	`{'b': 0}`,
	`{'a': 'x'}`,
	`[]`,
	`[null]`,
	`[1]`,
	`[1, 0]`,
	`[1, [0]]`,
	`[[]]`,
	`{'$binary': {'base64': 'AQ==', 'subType': '00'}}`,
	`{'$binary': {'base64': 'AA==', 'subType': '05'}}`,
	`{'$binary': {'base64': 'AQI=', 'subType': '00'}}`,
	`{'$oid': '000000000000000000000001'}`,
	`{'$oid': '000000000000000000000100'}`,
	`false`,
	`true`,
	`{'$date': {'$numberLong': '-1'}}`,
	`{'$date': {'$numberLong': '0'}}`,
	`{'$timestamp': {'t': 0, 'i': 5}}`,
	`{'$timestamp': {'t': 4000000000, 'i': 0}}`,
	`{'$regularExpression': {'pattern': 'a', 'options': ''}}`,
	`{'$regularExpression': {'pattern': 'a', 'options': 'i'}}`,
	`{'$dbPointer': {'$ref': 'x', '$id': {'$oid': '000000000000000000000001'}}}`,
	`{'$code': 'f'}`,
	`{'$code': 'f', '$scope': {}}`,
	`{'$maxKey': 1}`,
}

// orderedValues are the values with the number of their line.
func orderedValues(t testing.TB) (values []bson.RawValue, lines []int) {
	for line, text := range ordered {
		for _, v := range elements(parseValue(t, "["+text+"]")) {
			values, lines = append(values, v), append(lines, line)
		}
	}
	return values, lines
}

func TestCompareAndKeysAgree(t *testing.T) {
	values, lines := orderedValues(t)
	for i, a := range values {
		for j, b := range values {
			want := cmp.Compare(lines[i], lines[j])
			if got := Compare(a, b, nil); cmp.Compare(got, 0) != want {
				t.Errorf("Compare(%s, %s) = %d, want %d", a, b, got, want)
			}
			if got := bytes.Compare(AppendKey(nil, a, nil), AppendKey(nil, b, nil)); got != want {
				t.Errorf("keys of %s and %s compare as %d, want %d\n%x\n%x", a, b, got, want, AppendKey(nil, a, nil), AppendKey(nil, b, nil))
			}
		}
	}
}

// TestKeysOfRandomValues holds keys against Compare, which is the slow twin.
func TestKeysOfRandomValues(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	known, _ := orderedValues(t)
	number := func() bson.RawValue {
		switch r.Intn(5) {
		case 0:
			return int32Value(int32(r.Intn(7) - 3))
		case 1:
			return int64Value(int64(r.Uint64()) >> r.Intn(64))
		case 2:
			return doubleValue(math.Float64frombits(r.Uint64()))
		case 3:
			return doubleValue(float64(r.Intn(64)-32) / 8)
		}
		d := decimalFromInt(int64(r.Uint64()) >> r.Intn(64))
		d.exp = r.Intn(9) - 6
		if r.Intn(4) == 0 {
			d.exp = r.Intn(12000) - 6000
		}
		return decimalValue(d)
	}
	var value func(depth int) bson.RawValue
	value = func(depth int) bson.RawValue {
		switch n := r.Intn(6); {
		case n == 0 && depth < 3:
			list := make([]bson.RawValue, r.Intn(3))
			for i := range list {
				list[i] = value(depth + 1)
			}
			return arrayValue(list)
		case n == 1 && depth < 3:
			dst, at := bson.BeginDocument(nil)
			for range r.Intn(3) {
				dst = bson.AppendValue(dst, string(rune('a'+r.Intn(2))), value(depth+1))
			}
			return documentValue(bson.EndDocument(dst, at))
		case n < 4:
			return number()
		}
		return known[r.Intn(len(known))]
	}
	for range 200_000 {
		a, b := value(0), value(0)
		want := cmp.Compare(Compare(a, b, nil), 0)
		if back := cmp.Compare(Compare(b, a, nil), 0); back != -want {
			t.Fatalf("%s against %s: %d, the other way %d", a, b, want, back)
		}
		if got := bytes.Compare(AppendKey(nil, a, nil), AppendKey(nil, b, nil)); got != want {
			t.Fatalf("keys of %s and %s compare as %d, want %d", a, b, got, want)
		}
	}
}

func TestIndexKeys(t *testing.T) {
	for _, test := range []struct{ doc, pattern, want string }{
		{`{'a': 1}`, `{'a': 1}`, `[[1]]`},
		{`{}`, `{'a': 1}`, `[[null]]`},
		{`{'a': [3, 1, 3]}`, `{'a': 1}`, `[[1], [3]]`},
		{`{'a': [3, 1]}`, `{'a': -1}`, `[[3], [1]]`},
		{`{'a': []}`, `{'a': 1}`, `[[{'$undefined': true}]]`},
		{`{'a': [[1, 2], 3]}`, `{'a': 1}`, `[[3], [[1, 2]]]`},
		{`{'a': []}`, `{'a.b': 1}`, `[[null]]`},
		{`{'a': [{'b': 2}, {}, 5]}`, `{'a.b': 1}`, `[[null], [2]]`},
		{`{'a': [{'b': 1, 'c': 2}, {'b': 3}], 'd': 4}`, `{'a.b': 1, 'a.c': 1, 'd': 1}`, `[[1, 2, 4], [3, null, 4]]`},
		{`{'a': [{'b': [1, 2], 'c': 3}]}`, `{'a.b': 1, 'a.c': 1}`, `[[1, 3], [2, 3]]`},
		{`{'a': [5, 6]}`, `{'a.1': 1}`, `[[6]]`},
		{`{'a': [{'b': 7}]}`, `{'a.0.b': 1}`, `[[7]]`},
		{`{'p': [1, 2], 't': [3, 4]}`, `{'p': '2d', 't': 1}`, `[[[1, 2], 3], [[1, 2], 4]]`},
	} {
		keys, err := IndexKeys(parse(t, test.doc), parse(t, test.pattern), nil)
		if err != nil {
			t.Errorf("%s in %s: %v", test.doc, test.pattern, err)
			continue
		}
		var rows []bson.RawValue
		for _, k := range keys {
			rows = append(rows, arrayValue(k.Values))
		}
		if got, want := arrayValue(rows), parseValue(t, test.want); !equalBytes(got, want) {
			t.Errorf("%s in %s: %s, want %s", test.doc, test.pattern, got, want)
		}
		if !slices.IsSortedFunc(keys, func(a, b IndexKey) int { return bytes.Compare(a.Key, b.Key) }) {
			t.Errorf("%s in %s: keys are not in order", test.doc, test.pattern)
		}
	}
	_, err := IndexKeys(parse(t, `{'a': [1], 'b': [2]}`), parse(t, `{'a': 1, 'b': 1}`), nil)
	if e, ok := err.(*Error); !ok || e.Code != 171 || e.Message != "cannot index parallel arrays [b] [a]" {
		t.Errorf("parallel arrays: %v", err)
	}
	keys, _ := IndexKeys(parse(t, `{'x': 1}`), parse(t, `{'a': 1, 'b': 1}`), nil)
	if keys[0].Found {
		t.Error("a document without the fields counts as having them")
	}
	if d := keys[0].Document(parse(t, `{'a': 1, 'b': 1}`)); string(d) != string(parse(t, `{'a': null, 'b': null}`)) {
		t.Errorf("key document %s", d)
	}
}
