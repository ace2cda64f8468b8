package query

import (
	"math"

	"github.com/motor-go/motor/bson"
)

// sum adds numbers of all types without losing small addends: the type of the
// result is the widest one met, and a whole result that does not fit becomes a
// double.
type sum struct {
	kind    bson.Type // 0 before the first number
	whole   int64     // while it fits
	spilled bool      // whole is part of high and low
	high    float64   // doubles, with low what high lost to rounding
	low     float64
	decimal decimal
}

func (s *sum) add(v bson.RawValue) {
	kind := widest(bson.TypeInt32, v.Type)
	if s.kind != 0 {
		kind = widest(s.kind, v.Type)
	}
	if kind == bson.TypeDecimal128 && s.kind != kind {
		s.decimal = decimalFromInt(0)
	}
	s.kind = kind
	switch v.Type {
	case bson.TypeDecimal128:
		s.decimal = s.decimal.add(toDecimal(v))
	case bson.TypeDouble:
		s.addDouble(toDouble(v))
	default:
		n := truncatedNumber(v)
		if total, ok := addInt64(s.whole, n); ok {
			s.whole = total
			return
		}
		s.spilled = true
		s.addWhole(s.whole)
		s.whole = n
	}
}

// addWhole adds a long in two halves, which doubles hold exactly.
func (s *sum) addWhole(n int64) {
	low := n & (1<<32 - 1)
	s.addDouble(float64(n - low))
	s.addDouble(float64(low))
}

func (s *sum) addDouble(f float64) {
	total := s.high + f
	if !math.IsInf(total, 0) && !math.IsNaN(total) {
		// Knuth's two-sum.
		part := total - s.high
		s.low += (s.high - (total - part)) + (f - part)
	}
	s.high = total
}

func (s *sum) double() float64 {
	t := *s
	t.addWhole(t.whole)
	if math.IsInf(t.high, 0) || math.IsNaN(t.high) {
		return t.high
	}
	return t.high + t.low
}

func (s *sum) asDecimal() decimal {
	d := exactDouble(s.high).add(exactDouble(s.low)).add(decimalFromInt(s.whole))
	if s.kind == bson.TypeDecimal128 {
		d = d.add(s.decimal)
	}
	return d.rounded()
}

func (s *sum) value() bson.RawValue {
	switch {
	case s.kind == bson.TypeDecimal128:
		return decimalValue(s.asDecimal())
	case s.kind == bson.TypeDouble || s.spilled:
		return doubleValue(s.double())
	case s.kind == bson.TypeInt64:
		return int64Value(s.whole)
	}
	return intValue(s.whole)
}
