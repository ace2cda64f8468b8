package query

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/motor-go/motor/bson"
)

// decimal is a Decimal128 taken apart: ±coef × 10^exp. coef is nil for infinity
// and NaN.
type decimal struct {
	neg  bool
	nan  bool
	coef *big.Int
	exp  int
}

const (
	decimalDigits = 34
	minExponent   = -6176
	maxExponent   = 6111
)

var (
	decimalNaN = decimal{nan: true}
	bigTen     = big.NewInt(10)
	maxCoef    = new(big.Int).Exp(bigTen, big.NewInt(decimalDigits), nil)
)

func pow10(n int) *big.Int { return new(big.Int).Exp(bigTen, big.NewInt(int64(n)), nil) }

func (d decimal) isNaN() bool  { return d.nan }
func (d decimal) isInf() bool  { return !d.nan && d.coef == nil }
func (d decimal) finite() bool { return d.coef != nil }
func (d decimal) isZero() bool { return d.coef != nil && d.coef.Sign() == 0 }

func (d decimal) sign() int {
	switch {
	case d.isZero() || d.nan:
		return 0
	case d.neg:
		return -1
	}
	return 1
}

// toDecimal is any number as a decimal. A double is cut to 15 digits, as the
// server does.
func toDecimal(v bson.RawValue) decimal {
	switch v.Type {
	case bson.TypeDecimal128:
		d, _ := v.Decimal128()
		return parseDecimalBits(d)
	case bson.TypeDouble:
		f, _ := v.Double()
		return decimalFromDouble(f, 15)
	}
	n, _ := v.AsInt64()
	return decimalFromInt(n)
}

// exactDecimal is any number as a decimal of the very same value. A double may
// have more digits then than a Decimal128 holds.
func exactDecimal(v bson.RawValue) decimal {
	if v.Type == bson.TypeDouble {
		f, _ := v.Double()
		return exactDouble(f)
	}
	return toDecimal(v)
}

func decimalFromInt(n int64) decimal {
	c := big.NewInt(n)
	return decimal{neg: n < 0, coef: c.Abs(c)}
}

func exactDouble(f float64) decimal {
	switch {
	case math.IsNaN(f):
		return decimalNaN
	case math.IsInf(f, 0):
		return decimal{neg: f < 0}
	}
	m, e := math.Frexp(math.Abs(f))
	c := big.NewInt(int64(m * (1 << 53)))
	e -= 53
	exp := 0
	if e >= 0 {
		c.Lsh(c, uint(e))
	} else {
		for e < 0 && c.Sign() != 0 && c.Bit(0) == 0 {
			c.Rsh(c, 1)
			e++
		}
		if e < 0 {
			// 2^-n is 5^n × 10^-n.
			c.Mul(c, new(big.Int).Exp(big.NewInt(5), big.NewInt(int64(-e)), nil))
			exp = e
		}
	}
	if c.Sign() == 0 {
		exp = 0
	}
	return decimal{neg: math.Signbit(f), coef: c, exp: exp}
}

// decimalFromDouble has exactly so many significant digits, zeros at the end
// among them.
func decimalFromDouble(f float64, digits int) decimal {
	d := exactDouble(f)
	if !d.finite() || d.isZero() {
		return d
	}
	d = d.withExponent(d.exp + len(d.coef.String()) - digits)
	if len(d.coef.String()) > digits {
		d = d.withExponent(d.exp + 1)
	}
	return d
}

// withExponent rounds half to even, or adds zeros.
func (d decimal) withExponent(exp int) decimal {
	switch {
	case !d.finite() || exp == d.exp:
	case exp < d.exp:
		d.coef = new(big.Int).Mul(d.coef, pow10(d.exp-exp))
		d.exp = exp
	case exp-d.exp > len(d.coef.String())+1:
		d.coef, d.exp = new(big.Int), exp
	default:
		unit := pow10(exp - d.exp)
		q, r := new(big.Int).QuoRem(d.coef, unit, new(big.Int))
		if c := r.Lsh(r, 1).Cmp(unit); c > 0 || c == 0 && q.Bit(0) == 1 {
			q.Add(q, big.NewInt(1))
		}
		d.coef, d.exp = q, exp
	}
	return d
}

func parseDecimalBits(d bson.Decimal128) decimal {
	switch {
	case d.IsNaN():
		return decimalNaN
	case d.IsInf() != 0:
		return decimal{neg: d.IsInf() < 0}
	}
	h, _ := d.Bits()
	c, exp, _ := d.BigInt() // fails for what was handled above only
	return decimal{neg: h>>63 == 1, coef: c.Abs(c), exp: exp}
}

// rounded fits d into the digits and exponents of a Decimal128.
func (d decimal) rounded() decimal {
	if !d.finite() {
		return d
	}
	if n := len(d.coef.String()); n > decimalDigits {
		d = d.withExponent(d.exp + n - decimalDigits)
		if d.coef.Cmp(maxCoef) == 0 {
			d = d.withExponent(d.exp + 1)
		}
	}
	if d.exp < minExponent {
		d = d.withExponent(minExponent)
	}
	if d.exp > maxExponent {
		if d.coef.Sign() == 0 {
			d.exp = maxExponent
		} else if d = d.withExponent(maxExponent); d.coef.Cmp(maxCoef) >= 0 {
			return decimal{neg: d.neg}
		}
	}
	return d
}

func (d decimal) decimal128() bson.Decimal128 {
	var sign uint64
	if d.neg {
		sign = 1 << 63
	}
	if d = d.rounded(); d.nan {
		return bson.NewDecimal128(31<<58, 0)
	} else if d.coef == nil {
		return bson.NewDecimal128(sign|30<<58, 0)
	}
	out, _ := bson.Decimal128FromBigInt(d.coef, d.exp) // it was made to fit
	h, l := out.Bits()
	return bson.NewDecimal128(sign|h, l)
}

// String is the notation of the Decimal128 specification.
func (d decimal) String() string { return d.decimal128().String() }

// parseDecimal reads a decimal number; ok is false if s is none.
func parseDecimal(s string) (d decimal, ok bool) {
	switch strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(s, "+"), "-")) {
	case "nan":
		return decimalNaN, true
	case "inf", "infinity":
		return decimal{neg: strings.HasPrefix(s, "-")}, true
	}
	mantissa, exponent, hasExp := strings.Cut(strings.ToLower(s), "e")
	exp := 0
	if hasExp {
		n, err := strconv.Atoi(exponent)
		if err != nil || n > 1e6 || n < -1e6 {
			return d, false
		}
		exp = n
	}
	neg := strings.HasPrefix(mantissa, "-")
	if neg || strings.HasPrefix(mantissa, "+") {
		mantissa = mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if digits == "" || len(digits) > 4096 || strings.Trim(digits, "0123456789") != "" {
		return d, false
	}
	c, _ := new(big.Int).SetString(digits, 10)
	return decimal{neg: neg, coef: c, exp: exp - len(fraction)}.rounded(), true
}

// double is d as a double, rounded to the nearest.
func (d decimal) double() float64 {
	switch {
	case d.nan:
		return math.NaN()
	case d.coef == nil && d.neg:
		return math.Inf(-1)
	case d.coef == nil:
		return math.Inf(1)
	}
	f, _ := strconv.ParseFloat(d.String(), 64)
	return f
}

// int64 is d cut to a whole number; ok is false if it is out of range.
func (d decimal) int64() (n int64, ok bool) {
	if !d.finite() || d.exp+len(d.coef.String()) > 20 {
		return 0, false
	}
	c := d.truncated(0).withExponent(0).coef
	if d.neg {
		c = new(big.Int).Neg(c)
	}
	return c.Int64(), c.IsInt64()
}

// whole reports whether d has no fraction.
func (d decimal) whole() bool {
	return d.finite() && d.cmp(d.truncated(0)) == 0
}

// cmp orders numbers by value, NaN lowest.
func (d decimal) cmp(e decimal) int {
	switch {
	case d.nan || e.nan:
		return boolInt(!d.nan) - boolInt(!e.nan)
	case !d.finite() || !e.finite():
		return d.infSign() - e.infSign()
	case d.sign() != e.sign():
		return d.sign() - e.sign()
	}
	c := cmpMagnitude(d, e)
	if d.neg {
		return -c
	}
	return c
}

func (d decimal) infSign() int {
	if d.finite() {
		return 0
	}
	return d.sign()
}

func cmpMagnitude(d, e decimal) int {
	if d.isZero() || e.isZero() {
		return d.coef.Cmp(e.coef)
	}
	// Numbers of different magnitude must not be brought to one exponent: that
	// takes memory.
	if dm, em := d.exp+len(d.coef.String()), e.exp+len(e.coef.String()); dm != em {
		if dm < em {
			return -1
		}
		return 1
	}
	exp := min(d.exp, e.exp)
	return d.withExponent(exp).coef.Cmp(e.withExponent(exp).coef)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
