package bson

import (
	"cmp"
	"math/big"
	"regexp"
	"strings"
	"testing"
)

func TestParseDecimal128(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{"0", "0"},
		{"-0.00", "-0.00"},
		{"017.", "17"},
		{".5", "0.5"},
		{"+0.003", "0.003"},
		{"4E+9", "4E+9"},
		{"0.73e-7", "7.3E-8"},
		{"0.000001", "0.000001"},
		{"0.0000001", "1E-7"},
		{"9999999999999999999999999999999999", "9999999999999999999999999999999999"},
		{"100000000000000000", "100000000000000000"},
		{"12345678901234567000000000000000001", ""},
		{"12345678901234567000000000000000000", "1.234567890123456700000000000000000E+34"},
		{"0.00000000000000000000000000000000000000000000000001", "1E-50"},
		{"1E-6176", "1E-6176"},
		{"10E-6177", "1E-6176"},
		{"1E-6177", ""},
		{"1E+6144", "1.000000000000000000000000000000000E+6144"},
		{"1E+6145", ""},
		{"1E9999999999999999999999", ""},
		{"0E9999999999999999999999", "0E+6111"},
		{"0E-9999999999999999999999", "0E-6176"},
		{"iNf", "Infinity"},
		{"-infinity", "-Infinity"},
		{"-nan", "NaN"},
		{"nanana", ""},
		{"", ""},
		{"-", ""},
		{".", ""},
		{"1e", ""},
		{"1e+", ""},
		{"1 ", ""},
		{"0x1", ""},
		{"1_0", ""},
		{"٣", ""},
	} {
		d, err := ParseDecimal128(c.in)
		switch {
		case c.out == "" && err == nil:
			t.Errorf("%q is taken for %s", c.in, d)
		case c.out != "" && err != nil:
			t.Errorf("%q: %v", c.in, err)
		case c.out != "" && d.String() != c.out:
			t.Errorf("%q is taken for %s instead of %s", c.in, d, c.out)
		}
	}
}

func TestParseDecimal128ErrorIsShort(t *testing.T) {
	_, err := ParseDecimal128(strings.Repeat("1", 1e6))
	if err == nil || len(err.Error()) > 200 {
		t.Errorf("error of %d bytes: %.200v", len(err.Error()), err)
	}
}

// In ascending order; those with the same rank are equal.
var decimalOrder = []struct {
	rank int
	s    string
}{
	{0, "NaN"},
	{1, "-Infinity"},
	{2, "-9.999999999999999999999999999999999E+6144"},
	{3, "-2"},
	{4, "-1.5"},
	{5, "-1E-6176"},
	{6, "0"},
	{6, "-0"},
	{6, "0E+6111"},
	{6, "-0E-6176"},
	{7, "1E-6176"},
	{8, "0.999999999999999999999999999999999"},
	{9, "1"},
	{9, "1.0"},
	{9, "1.000000000000000000000000000000000"},
	{10, "1.000000000000000000000000000000001"},
	{11, "12"},
	{12, "1E+2"},
	{12, "100"},
	{12, "100.00"},
	{13, "1E+6144"},
	{14, "Infinity"},
}

func TestDecimal128Compare(t *testing.T) {
	for _, x := range decimalOrder {
		for _, y := range decimalOrder {
			d, e := mustDecimal(t, x.s), mustDecimal(t, y.s)
			if got, want := d.Compare(e), cmp.Compare(x.rank, y.rank); got != want {
				t.Errorf("%s compared to %s is %d instead of %d", d, e, got, want)
			}
		}
	}
}

func TestDecimal128Kinds(t *testing.T) {
	for _, c := range []struct {
		d    Decimal128
		nan  bool
		inf  int
		zero bool
	}{
		{NewDecimal128(0x7c<<56, 0), true, 0, false},
		{NewDecimal128(0xfe<<56, 1), true, 0, false},
		{NewDecimal128(0x78<<56, 0), false, 1, false},
		{NewDecimal128(0xf8<<56, 0), false, -1, false},
		{Decimal128{}, false, 0, true},
		{mustDecimal(t, "-0E+3"), false, 0, true},
		{mustDecimal(t, "1E-6176"), false, 0, false},
		{NewDecimal128(0x6c10<<48, 1), false, 0, true}, // more than 34 digits, large form
		{NewDecimal128(0x3041ffffffffffff, ^uint64(0)), false, 0, true},
	} {
		if c.d.IsNaN() != c.nan || c.d.IsInf() != c.inf || c.d.IsZero() != c.zero {
			t.Errorf("%s: IsNaN %v, IsInf %v, IsZero %v", c.d, c.d.IsNaN(), c.d.IsInf(), c.d.IsZero())
		}
	}
}

func TestDecimal128BigInt(t *testing.T) {
	for _, s := range []string{"0", "-1.50", "9999999999999999999999999999999999E+6111", "-1E-6176"} {
		d := mustDecimal(t, s)
		coefficient, exponent, err := d.BigInt()
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Decimal128FromBigInt(coefficient, exponent); err != nil || back != d {
			t.Errorf("%s comes back from %d × 10^%d as %s, %v", d, coefficient, exponent, back, err)
		}
	}
	for _, s := range []string{"NaN", "Infinity"} {
		if n, _, err := mustDecimal(t, s).BigInt(); err == nil {
			t.Errorf("%s has the coefficient %d", s, n)
		}
	}
	if d, err := Decimal128FromBigInt(new(big.Int).Exp(big.NewInt(7), big.NewInt(80), nil), 0); err == nil {
		t.Errorf("7^80 is taken for %s", d)
	}
}

func TestDecimal128Allocations(t *testing.T) {
	d := mustDecimal(t, "-1234567890.123456789012345678901234")
	var buf [48]byte
	if n := testing.AllocsPerRun(100, func() { d.append(buf[:0]) }); n != 0 {
		t.Errorf("formatting takes %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { ParseDecimal128("-1234567890.123456789012345678901234") }); n != 0 {
		t.Errorf("parsing takes %v allocations", n)
	}
}

func mustDecimal(t *testing.T, s string) Decimal128 {
	t.Helper()
	d, err := ParseDecimal128(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// slowDecimal128 reads s by the grammar of the specification and calculates
// with big integers.
func slowDecimal128(s string) (coefficient *big.Int, exponent int64, ok bool) {
	m := slowDecimal.FindStringSubmatch(s)
	if m == nil || m[2]+m[3] == "" {
		return nil, 0, false
	}
	coefficient, _ = new(big.Int).SetString(m[2]+m[3], 10)
	e := new(big.Int)
	if m[4] != "" {
		e.SetString(m[4], 10)
	}
	e.Sub(e, big.NewInt(int64(len(m[3]))))
	ten, rest := big.NewInt(10), new(big.Int)
	limit := new(big.Int).Exp(ten, big.NewInt(34), nil)
	low, high := big.NewInt(-6176), big.NewInt(6111)
	if coefficient.Sign() == 0 {
		if e.Cmp(low) < 0 {
			e = low
		}
		if e.Cmp(high) > 0 {
			e = high
		}
	}
	for coefficient.Cmp(limit) >= 0 || e.Cmp(low) < 0 {
		coefficient.QuoRem(coefficient, ten, rest)
		if rest.Sign() != 0 {
			return nil, 0, false
		}
		e.Add(e, big.NewInt(1))
	}
	for e.Cmp(high) > 0 {
		coefficient.Mul(coefficient, ten)
		if coefficient.Cmp(limit) >= 0 {
			return nil, 0, false
		}
		e.Sub(e, big.NewInt(1))
	}
	if m[1] == "-" {
		coefficient.Neg(coefficient)
	}
	return coefficient, e.Int64(), true
}

var slowDecimal = regexp.MustCompile(`^([+-]?)([0-9]*)\.?([0-9]*)(?:[eE]([+-]?[0-9]+))?$`)

func FuzzDecimal128(f *testing.F) {
	for _, o := range decimalOrder {
		f.Add(o.s)
	}
	for _, s := range []string{"", ".", "1e", "1E+6145", "10E-6177", "0E-99999999999999999999", "00.100e1", "-.5E-3", "99999999999999999999999999999999990", "inf", "+nan"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDecimal128(s)
		switch strings.TrimLeft(strings.ToLower(s), "+-") {
		case "nan", "inf", "infinity":
			return
		}
		coefficient, exponent, ok := slowDecimal128(s)
		if ok != (err == nil) {
			t.Fatalf("%q: error %v, expected number %v", s, err, ok)
		}
		if !ok {
			return
		}
		gotCoefficient, gotExponent, err := d.BigInt()
		if err != nil || gotCoefficient.Cmp(coefficient) != 0 || int64(gotExponent) != exponent {
			t.Fatalf("%q is %d × 10^%d instead of %d × 10^%d (%v)", s, gotCoefficient, gotExponent, coefficient, exponent, err)
		}
		if back, err := ParseDecimal128(d.String()); err != nil || back != d {
			t.Fatalf("%q becomes %s, which reads as %s, %v", s, d, back, err)
		}
		var e Decimal128
		if order := d.Compare(e); order != coefficient.Sign() {
			t.Fatalf("%s compared to zero is %d", d, order)
		}
	})
}

// FuzzDecimal128Compare compares numbers of any bits with an exact twin.
func FuzzDecimal128Compare(f *testing.F) {
	f.Add(uint64(0x3040<<48), uint64(1), uint64(0x303e<<48), uint64(10))
	f.Add(uint64(0xb040<<48), uint64(1), uint64(0x6c10<<48), uint64(0))
	f.Add(uint64(0x78<<56), uint64(0), uint64(0x7c<<56), uint64(0))
	f.Fuzz(func(t *testing.T, h1, l1, h2, l2 uint64) {
		d, e := NewDecimal128(h1, l1), NewDecimal128(h2, l2)
		if d.Compare(e) != -e.Compare(d) {
			t.Fatalf("%s and %s compare to %d and %d", d, e, d.Compare(e), e.Compare(d))
		}
		x, xExp, xErr := d.BigInt()
		y, yExp, yErr := e.BigInt()
		if xErr != nil || yErr != nil {
			return
		}
		scale := func(n *big.Int, by int) {
			n.Mul(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(by, 0))), nil))
		}
		scale(x, xExp-yExp)
		scale(y, yExp-xExp)
		if got, want := d.Compare(e), x.Cmp(y); got != want {
			t.Fatalf("%s compared to %s is %d instead of %d", d, e, got, want)
		}
	})
}
