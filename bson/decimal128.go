package bson

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"strconv"
)

// A finite Decimal128 is coefficient × 10^exponent with a sign. The coefficient
// has up to 34 digits; two numbers of the same value and different exponents,
// 2.0 and 2.00, are equal and yet not the same.
const (
	decimalDigits      = 34
	decimalMinExponent = -6176
	decimalMaxExponent = 6111
	decimalBias        = 6176

	decimalSign      = 1 << 63
	decimalInfinity  = 0x78 << 56
	decimalNaN       = 0x7c << 56
	decimalLargeForm = 0x60 << 56
)

// maxCoefficient is 10^34 - 1.
var maxCoefficient = uint128{0x1ed09bead87c0, 0x378d8e63ffffffff}

// IsNaN reports whether d is not a number, of whatever kind.
func (d Decimal128) IsNaN() bool { return d.h&decimalNaN == decimalNaN }

// IsInf is 1 for positive infinity, -1 for negative infinity and 0 for all
// else.
func (d Decimal128) IsInf() int {
	switch {
	case d.h&decimalNaN != decimalInfinity:
		return 0
	case d.h&decimalSign != 0:
		return -1
	}
	return 1
}

// IsZero reports whether d is a zero with any sign and exponent.
func (d Decimal128) IsZero() bool {
	if d.h&decimalInfinity == decimalInfinity {
		return false
	}
	_, c, _ := d.parts()
	return c == uint128{}
}

// parts takes a finite number apart. A coefficient of more than 34 digits
// stands for zero (IEEE 754-2008, 3.5.2); the large form has no others.
func (d Decimal128) parts() (negative bool, c uint128, exponent int) {
	negative = d.h&decimalSign != 0
	if d.h&decimalLargeForm == decimalLargeForm {
		return negative, uint128{}, int(d.h>>47&0x3fff) - decimalBias
	}
	c = uint128{d.h & (1<<49 - 1), d.l}
	if c.compare(maxCoefficient) > 0 {
		c = uint128{}
	}
	return negative, c, int(d.h>>49&0x3fff) - decimalBias
}

// String is d in the form of the specification: "1.50", "1E+3", "NaN",
// "-Infinity".
func (d Decimal128) String() string { return string(d.append(make([]byte, 0, 44))) }

func (d Decimal128) append(dst []byte) []byte {
	if d.IsNaN() {
		return append(dst, "NaN"...)
	}
	if d.h&decimalSign != 0 {
		dst = append(dst, '-')
	}
	if d.IsInf() != 0 {
		return append(dst, "Infinity"...)
	}
	_, c, exponent := d.parts()
	var buf [decimalDigits + 1]byte
	digits := c.appendDigits(buf[:0])
	adjusted := exponent + len(digits) - 1
	switch {
	case exponent > 0 || adjusted < -6:
		dst = append(dst, digits[0])
		if len(digits) > 1 {
			dst = append(dst, '.')
			dst = append(dst, digits[1:]...)
		}
		dst = append(dst, 'E')
		if adjusted >= 0 {
			dst = append(dst, '+')
		}
		return strconv.AppendInt(dst, int64(adjusted), 10)
	case exponent == 0:
		return append(dst, digits...)
	case adjusted >= 0:
		dst = append(dst, digits[:adjusted+1]...)
		dst = append(dst, '.')
		return append(dst, digits[adjusted+1:]...)
	default:
		dst = append(dst, "0.00000"[:1-adjusted]...)
		return append(dst, digits...)
	}
}

// BigInt is d as coefficient × 10^exponent. It fails for what is not finite.
func (d Decimal128) BigInt() (coefficient *big.Int, exponent int, err error) {
	if d.h&decimalInfinity == decimalInfinity {
		return nil, 0, fmt.Errorf("decimal128 %s has no coefficient", d)
	}
	negative, c, exponent := d.parts()
	coefficient = new(big.Int).SetUint64(c.hi)
	coefficient.Lsh(coefficient, 64).Or(coefficient, new(big.Int).SetUint64(c.lo))
	if negative {
		coefficient.Neg(coefficient)
	}
	return coefficient, exponent, nil
}

// Decimal128FromBigInt is coefficient × 10^exponent. It fails where
// ParseDecimal128 fails: if the number is out of range or would be rounded.
func Decimal128FromBigInt(coefficient *big.Int, exponent int) (Decimal128, error) {
	return ParseDecimal128(coefficient.String() + "E" + strconv.Itoa(exponent))
}

// Compare orders numbers by value, as the server does: NaN is equal to itself
// and lower than all other numbers, and zeros are equal whatever their sign.
func (d Decimal128) Compare(e Decimal128) int {
	if d.IsNaN() || e.IsNaN() {
		return cmp.Compare(boolByte(e.IsNaN()), boolByte(d.IsNaN()))
	}
	if d.IsInf() != 0 || e.IsInf() != 0 {
		return cmp.Compare(d.IsInf(), e.IsInf())
	}
	dNegative, dc, dExp := d.parts()
	eNegative, ec, eExp := e.parts()
	var zero uint128
	switch {
	case dc == zero && ec == zero:
		return 0
	case dc == zero:
		return -sign(!eNegative)
	case ec == zero, dNegative != eNegative:
		return sign(!dNegative)
	}
	return sign(!dNegative) * compareMagnitudes(dc, dExp, ec, eExp)
}

// compareMagnitudes compares two numbers that are not zero.
func compareMagnitudes(c uint128, exp int, d uint128, dExp int) int {
	if order := cmp.Compare(exp+c.digits(), dExp+d.digits()); order != 0 {
		return order
	}
	// Of equal length when written out, so that neither exceeds 34 digits here.
	for ; exp > dExp; exp-- {
		c, _ = c.timesTenPlus(0)
	}
	for ; dExp > exp; dExp-- {
		d, _ = d.timesTenPlus(0)
	}
	return c.compare(d)
}

func sign(positive bool) int {
	if positive {
		return 1
	}
	return -1
}

// ParseDecimal128 reads the string form of a decimal number: digits with an
// optional sign, point and exponent, or Infinity, Inf or NaN in any case. It
// fails if the number has more than 34 significant digits or lies out of the
// range of exponents; it never rounds.
func ParseDecimal128(s string) (Decimal128, error) {
	d, err := parseDecimal128(s)
	if err != nil {
		const limit = 64
		if len(s) > limit {
			s = s[:limit] + "..."
		}
		return Decimal128{}, fmt.Errorf("decimal128 %q %w", s, err)
	}
	return d, nil
}

var (
	errDecimalSyntax  = errors.New("is not a decimal number")
	errDecimalInexact = errors.New("has more than 34 significant digits")
	errDecimalRange   = errors.New("is out of range: 34 digits times 10^-6176 to 10^6111")
)

func parseDecimal128(s string) (Decimal128, error) {
	var signBit uint64
	rest := s
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		if rest[0] == '-' {
			signBit = decimalSign
		}
		rest = rest[1:]
	}
	switch {
	case equalFold(rest, "nan"):
		return Decimal128{h: decimalNaN}, nil
	case equalFold(rest, "inf"), equalFold(rest, "infinity"):
		return Decimal128{h: signBit | decimalInfinity}, nil
	}

	c, exponent, rest, err := scanCoefficient(rest)
	if err != nil {
		return Decimal128{}, err
	}
	if rest != "" {
		n, err := scanExponent(rest)
		if err != nil {
			return Decimal128{}, err
		}
		exponent += n
	}
	c, exponent, err = fit(c, exponent)
	if err != nil {
		return Decimal128{}, err
	}
	return Decimal128{h: signBit | uint64(exponent+decimalBias)<<49 | c.hi, l: c.lo}, nil
}

// scanCoefficient reads digits with at most one point among them.
func scanCoefficient(s string) (c uint128, exponent int64, rest string, err error) {
	var digits, point bool
	var full bool // what follows may only be zeros
	i := 0
	for ; i < len(s); i++ {
		b := s[i]
		if b == '.' && !point {
			point = true
			continue
		}
		if b < '0' || b > '9' {
			break
		}
		digits = true
		if next, ok := c.timesTenPlus(uint64(b - '0')); ok && !full {
			c = next
			if point {
				exponent--
			}
			continue
		}
		full = true
		if b != '0' {
			err = errDecimalInexact
		}
		if !point {
			exponent++
		}
	}
	if !digits {
		err = errDecimalSyntax
	}
	return c, exponent, s[i:], err
}

// scanExponent reads the E, an optional sign and digits to the end.
func scanExponent(s string) (n int64, err error) {
	const saturated = 1 << 50 // beyond what the digits of any string make good
	if s[0] != 'e' && s[0] != 'E' {
		return 0, errDecimalSyntax
	}
	s = s[1:]
	negative := s != "" && s[0] == '-'
	if negative || s != "" && s[0] == '+' {
		s = s[1:]
	}
	if s == "" {
		return 0, errDecimalSyntax
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, errDecimalSyntax
		}
		n = min(n*10+int64(s[i]-'0'), saturated)
	}
	if negative {
		n = -n
	}
	return n, nil
}

// fit moves zeros between the coefficient and the exponent until the exponent
// is in range.
func fit(c uint128, exponent int64) (uint128, int64, error) {
	if c == (uint128{}) {
		return c, min(max(exponent, decimalMinExponent), decimalMaxExponent), nil
	}
	for exponent < decimalMinExponent {
		q, r := c.divide(10)
		if r != 0 {
			return c, 0, errDecimalRange
		}
		c = q
		exponent++
	}
	for exponent > decimalMaxExponent {
		next, ok := c.timesTenPlus(0)
		if !ok {
			return c, 0, errDecimalRange
		}
		c = next
		exponent--
	}
	return c, exponent, nil
}

// equalFold compares to a lower-case word.
func equalFold(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		if s[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}

// uint128 is the coefficient of a Decimal128.
type uint128 struct{ hi, lo uint64 }

func (u uint128) compare(v uint128) int {
	if u.hi != v.hi {
		return cmp.Compare(u.hi, v.hi)
	}
	return cmp.Compare(u.lo, v.lo)
}

// timesTenPlus is u×10 + digit, unless that has more than 34 digits.
func (u uint128) timesTenPlus(digit uint64) (_ uint128, ok bool) {
	carry, lo := bits.Mul64(u.lo, 10)
	lo, c := bits.Add64(lo, digit, 0)
	v := uint128{u.hi*10 + carry + c, lo}
	return v, v.compare(maxCoefficient) <= 0
}

func (u uint128) divide(by uint64) (q uint128, r uint64) {
	q.hi, r = bits.Div64(0, u.hi, by)
	q.lo, r = bits.Div64(r, u.lo, by)
	return q, r
}

// appendDigits adds u in base ten.
func (u uint128) appendDigits(dst []byte) []byte {
	const half = 1e17
	q, low := u.divide(half)
	if q.lo == 0 {
		return strconv.AppendUint(dst, low, 10)
	}
	dst = strconv.AppendUint(dst, q.lo, 10)
	at := len(dst)
	dst = strconv.AppendUint(dst, half+low, 10)
	return append(dst[:at], dst[at+1:]...) // without the 1 that kept the zeros
}

func (u uint128) digits() int {
	var buf [decimalDigits + 1]byte
	return len(u.appendDigits(buf[:0]))
}
