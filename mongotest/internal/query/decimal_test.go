package query

import (
	"testing"

	"github.com/motor-go/motor/bson"
)

func TestDecimalArithmetic(t *testing.T) {
	for _, test := range []struct{ a, op, b, want string }{
		{"1.1", "+", "2.20", "3.30"},
		{"1", "+", "1E-40", "1.000000000000000000000000000000000"},
		{"9.999999999999999999999999999999999", "+", "1E-33", "10.00000000000000000000000000000000"},
		{"1E+6000", "+", "1", "1.000000000000000000000000000000000E+6000"},
		{"1E+6111", "-", "1E-6176", "1.000000000000000000000000000000000E+6111"},
		{"0", "+", "-0", "0"},
		{"-0", "+", "-0", "-0"},
		{"Infinity", "-", "Infinity", "NaN"},
		{"9.999999999999999999999999999999999E+6144", "*", "10", "Infinity"},
		{"1E-6176", "*", "0.4", "0E-6176"},
		{"2.5", "*", "-4", "-10.0"},
		{"0", "*", "Infinity", "NaN"},
		{"1", "/", "8", "0.125"},
		{"10", "/", "4", "2.5"},
		{"100", "/", "10", "10"},
		{"2", "/", "3", "0.6666666666666666666666666666666667"},
		{"1", "/", "0", "Infinity"},
		{"0", "/", "0", "NaN"},
		{"-7.5", "%", "2", "-1.5"},
		{"7", "%", "Infinity", "7"},
		{"1E+6000", "%", "7", "1"},
	} {
		a, _ := parseDecimal(test.a)
		b, _ := parseDecimal(test.b)
		got := map[string]func(decimal) decimal{"+": a.add, "-": a.sub, "*": a.mul, "/": a.quo, "%": a.mod}[test.op](b)
		if got.String() != test.want {
			t.Errorf("%s %s %s = %s, want %s", test.a, test.op, test.b, got, test.want)
		}
	}
}

func TestDecimalRounding(t *testing.T) {
	for _, test := range []struct{ in, floor, ceil, half string }{
		{"2.5", "2", "3", "2"},
		{"3.5", "3", "4", "4"},
		{"-2.5", "-3", "-2", "-2"},
		{"7", "7", "7", "7"},
		{"-0.1", "-1", "-0", "-0"},
		{"1E+5", "1E+5", "1E+5", "1E+5"},
		{"NaN", "NaN", "NaN", "NaN"},
	} {
		d, _ := parseDecimal(test.in)
		if d.floor().String() != test.floor || d.ceil().String() != test.ceil || d.roundedTo(0).String() != test.half {
			t.Errorf("%s: floor %s, ceil %s, rounded %s", d, d.floor(), d.ceil(), d.roundedTo(0))
		}
	}
}

func TestDecimalText(t *testing.T) {
	for _, s := range []string{"0", "-0", "1.50", "1E+3", "1.23E-10", "0.000001", "1E-7", "NaN", "Infinity", "-Infinity", "9.999999999999999999999999999999999E+6144"} {
		want, err := bson.ParseDecimal128(s)
		if err != nil {
			t.Fatal(err)
		}
		d, ok := parseDecimal(s)
		if !ok || d.decimal128() != want || parseDecimalBits(want).String() != s {
			t.Errorf("%s is read as %s and written as %s", s, d, parseDecimalBits(want))
		}
	}
	for _, s := range []string{"", ".", "1e", "e5", "1.2.3", "abc", "--1", "1e9999999", "0x1"} {
		if d, ok := parseDecimal(s); ok {
			t.Errorf("%q is read as %s", s, d)
		}
	}
	for f, want := range map[float64]string{0.1: "0.100000000000000", 1: "1.00000000000000", 123456789012345678: "1.23456789012346E+17", 0: "0"} {
		if got := toDecimal(doubleValue(f)).String(); got != want {
			t.Errorf("%v as a decimal is %s, want %s", f, got, want)
		}
	}
}

func TestSum(t *testing.T) {
	for _, test := range [][2]string{
		{`[]`, `0`},
		{`[1, 2]`, `3`},
		{`[2147483647, 1]`, `{'$numberLong': '2147483648'}`},
		{`[{'$numberLong': '1'}, 1]`, `{'$numberLong': '2'}`},
		{`[1e100, 1.0, -1e100]`, `{'$numberDouble': '1'}`},
		{`[{'$numberLong': '9223372036854775807'}, {'$numberLong': '9223372036854775807'}]`, `{'$numberDouble': '1.8446744073709552e19'}`},
		{`[0.5, {'$numberDecimal': '0.1'}, 1]`, `{'$numberDecimal': '1.6'}`},
		{`[{'$numberDouble': 'Infinity'}, {'$numberDouble': '-Infinity'}]`, `{'$numberDouble': 'NaN'}`},
	} {
		var s sum
		for _, v := range elements(parseValue(t, test[0])) {
			s.add(v)
		}
		if got, want := show(s.value()), show(parseValue(t, test[1])); got != want {
			t.Errorf("sum of %s is %s, want %s", test[0], got, want)
		}
	}
}
