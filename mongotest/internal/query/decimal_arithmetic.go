package query

import (
	"math/big"
)

func (d decimal) negated() decimal {
	d.neg = !d.neg
	return d
}

func (d decimal) abs() decimal {
	d.neg = false
	return d
}

// signedCoef is the coefficient at an exponent that is not above d's.
func (d decimal) signedCoef(exp int) *big.Int {
	c := new(big.Int).Set(d.withExponent(exp).coef)
	if d.neg {
		c.Neg(c)
	}
	return c
}

func fromSigned(c *big.Int, exp int, zeroNeg bool) decimal {
	neg := c.Sign() < 0 || c.Sign() == 0 && zeroNeg
	return decimal{neg: neg, coef: new(big.Int).Abs(c), exp: exp}
}

func (d decimal) add(e decimal) decimal {
	switch {
	case d.nan || e.nan || d.isInf() && e.isInf() && d.neg != e.neg:
		return decimalNaN
	case d.isInf():
		return d
	case e.isInf():
		return e
	}
	// What is too small to matter is replaced by something small that stays
	// visible to rounding, so that the sum needs no thousands of digits.
	big, small := d, e
	if big.exp+len(big.coef.String()) < small.exp+len(small.coef.String()) && !small.isZero() || big.isZero() {
		big, small = small, big
	}
	if gap := big.exp - 2*decimalDigits; !big.isZero() && !small.isZero() && small.exp+len(small.coef.String()) < gap-len(big.coef.String()) {
		small = decimal{neg: small.neg, coef: bigOne, exp: gap - len(big.coef.String())}
	}
	exp := min(big.exp, small.exp)
	if big.isZero() {
		return small.rounded()
	}
	sum := big.signedCoef(exp)
	return fromSigned(sum.Add(sum, small.signedCoef(exp)), exp, d.neg && e.neg).rounded()
}

var bigOne = big.NewInt(1)

func (d decimal) sub(e decimal) decimal { return d.add(e.negated()) }

func (d decimal) mul(e decimal) decimal {
	neg := d.neg != e.neg
	switch {
	case d.nan || e.nan, d.isInf() && e.isZero(), e.isInf() && d.isZero():
		return decimalNaN
	case d.isInf() || e.isInf():
		return decimal{neg: neg}
	}
	return decimal{neg: neg, coef: new(big.Int).Mul(d.coef, e.coef), exp: d.exp + e.exp}.rounded()
}

// quo divides. The exact quotient has the exponent nearest to d.exp - e.exp.
func (d decimal) quo(e decimal) decimal {
	neg := d.neg != e.neg
	switch {
	case d.nan || e.nan, d.isInf() && e.isInf(), d.isZero() && e.isZero():
		return decimalNaN
	case d.isInf() || e.isZero():
		return decimal{neg: neg}
	case e.isInf():
		return decimal{neg: neg, coef: new(big.Int), exp: minExponent}
	}
	ideal := d.exp - e.exp
	if d.isZero() {
		return decimal{neg: neg, coef: new(big.Int), exp: ideal}.rounded()
	}
	shift := max(0, decimalDigits+2+len(e.coef.String())-len(d.coef.String()))
	q, r := new(big.Int).QuoRem(new(big.Int).Mul(d.coef, pow10(shift)), e.coef, new(big.Int))
	out := decimal{neg: neg, coef: q, exp: ideal - shift}
	if r.Sign() != 0 {
		// A sticky digit below keeps the rounding right.
		out.coef = q.Add(q.Mul(q, bigTen), bigOne)
		out.exp--
		return out.rounded()
	}
	for out.exp < ideal {
		q, r := new(big.Int).QuoRem(out.coef, bigTen, new(big.Int))
		if r.Sign() != 0 {
			break
		}
		out.coef, out.exp = q, out.exp+1
	}
	return out.rounded()
}

// mod is the remainder of the division that cuts towards zero.
func (d decimal) mod(e decimal) decimal {
	switch {
	case d.nan || e.nan || d.isInf() || e.isZero():
		return decimalNaN
	case e.isInf() || d.isZero():
		return d
	}
	exp := min(d.exp, e.exp)
	if max(d.exp, e.exp)-exp > 2*6200 {
		return decimalNaN
	}
	r := new(big.Int).Rem(d.withExponent(exp).coef, e.withExponent(exp).coef)
	return decimal{neg: d.neg, coef: r, exp: exp}.rounded()
}

// truncated cuts all digits below 10^-place.
func (d decimal) truncated(place int) decimal {
	if !d.finite() || d.exp >= -place {
		return d
	}
	if -place-d.exp > len(d.coef.String()) {
		return decimal{neg: d.neg, coef: new(big.Int), exp: -place}
	}
	return decimal{neg: d.neg, coef: new(big.Int).Quo(d.coef, pow10(-place-d.exp)), exp: -place}
}

// roundedTo rounds half to even at 10^-place.
func (d decimal) roundedTo(place int) decimal {
	if !d.finite() || d.exp >= -place {
		return d
	}
	return d.withExponent(-place)
}

// floor and ceil round to a whole number.
func (d decimal) floor() decimal {
	t := d.truncated(0)
	if d.finite() && d.neg && t.cmp(d) != 0 {
		return t.sub(decimalFromInt(1))
	}
	return t
}

func (d decimal) ceil() decimal {
	t := d.truncated(0)
	if d.finite() && !d.neg && t.cmp(d) != 0 {
		return t.add(decimalFromInt(1))
	}
	return t
}

// sqrt is the square root to 34 digits.
func (d decimal) sqrt() decimal {
	switch {
	case d.nan || d.sign() < 0:
		return decimalNaN
	case d.isInf():
		return d
	case d.isZero():
		return decimal{neg: d.neg, coef: new(big.Int), exp: d.exp / 2}
	}
	// An even exponent with 2 × 36 digits or more under the root.
	shift := max(0, 2*(decimalDigits+2)-len(d.coef.String()))
	if (d.exp-shift)%2 != 0 {
		shift++
	}
	c := new(big.Int).Mul(d.coef, pow10(shift))
	root := new(big.Int).Sqrt(c)
	out := decimal{coef: root, exp: (d.exp - shift) / 2}
	if new(big.Int).Mul(root, root).Cmp(c) != 0 {
		out.coef = new(big.Int).Add(new(big.Int).Mul(root, bigTen), bigOne)
		out.exp--
		return out.rounded()
	}
	for out.exp < d.exp/2 {
		q, r := new(big.Int).QuoRem(out.coef, bigTen, new(big.Int))
		if r.Sign() != 0 {
			break
		}
		out.coef, out.exp = q, out.exp+1
	}
	return out.rounded()
}
