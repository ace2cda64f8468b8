package query

import (
	"math"

	"github.com/motor-go/motor/bson"
)

// wholeNumber is a number of any type that has no fraction and fits an int64.
func wholeNumber(v bson.RawValue) (int64, bool) {
	if v.Type == bson.TypeDecimal128 {
		d := toDecimal(v)
		n, ok := d.int64()
		return n, ok && d.whole()
	}
	return v.AsInt64()
}

// truncatedNumber is a number cut to a whole one and to the range of int64; NaN
// is 0.
func truncatedNumber(v bson.RawValue) int64 {
	switch v.Type {
	case bson.TypeDecimal128:
		d := toDecimal(v)
		if n, ok := d.int64(); ok {
			return n
		}
		return clamp(d.double())
	case bson.TypeDouble:
		f, _ := v.Double()
		return clamp(f)
	}
	n, _ := v.AsInt64()
	return n
}

func clamp(f float64) int64 {
	switch {
	case math.IsNaN(f):
		return 0
	case f >= 1<<63:
		return math.MaxInt64
	case f < -1<<63:
		return math.MinInt64
	}
	return int64(f)
}

// toDouble is any number as a double.
func toDouble(v bson.RawValue) float64 {
	if v.Type == bson.TypeDecimal128 {
		return toDecimal(v).double()
	}
	f, _ := v.AsDouble()
	return f
}

func isNaN(v bson.RawValue) bool {
	switch v.Type {
	case bson.TypeDouble:
		f, _ := v.Double()
		return math.IsNaN(f)
	case bson.TypeDecimal128:
		return toDecimal(v).isNaN()
	}
	return false
}

// widest is the type that arithmetic on a and b gives: int, long, double,
// decimal.
func widest(a, b bson.Type) bson.Type {
	for _, t := range []bson.Type{bson.TypeDecimal128, bson.TypeDouble, bson.TypeInt64} {
		if a == t || b == t {
			return t
		}
	}
	return bson.TypeInt32
}

// addInt64 reports whether the sum fits.
func addInt64(a, b int64) (int64, bool) {
	c := a + b
	return c, (c > a) == (b > 0)
}

// mulInt64 reports whether the product fits.
func mulInt64(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	c := a * b
	return c, c/b == a && !(a == -1 && b == math.MinInt64) && !(b == -1 && a == math.MinInt64)
}
