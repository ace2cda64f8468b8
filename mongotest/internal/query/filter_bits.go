package query

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/motor-go/motor/bson"
)

type bitsOp int

const (
	bitsAllSet bitsOp = iota
	bitsAllClear
	bitsAnySet
	bitsAnyClear
)

var bitsNames = map[string]bitsOp{
	"$bitsAllSet": bitsAllSet, "$bitsAllClear": bitsAllClear,
	"$bitsAnySet": bitsAnySet, "$bitsAnyClear": bitsAnyClear,
}

// bits is one of the $bits operators.
type bits struct {
	leaf
	op        bitsOp
	positions []int
}

func (p *bits) accepts(v bson.RawValue, _ *int) (bool, error) {
	var data []byte
	negative := false
	switch v.Type {
	case bson.TypeBinary:
		b, _ := v.Binary()
		data = b.Data
	case bson.TypeInt32, bson.TypeInt64, bson.TypeDouble, bson.TypeDecimal128:
		n, ok := wholeNumber(v)
		if !ok {
			return false, nil
		}
		negative = n < 0
		data = binary.LittleEndian.AppendUint64(nil, uint64(n))
	default:
		return false, nil
	}
	// Operators for set bits look for a clear one to end, and so on.
	wantSet := p.op == bitsAllSet || p.op == bitsAnySet
	all := p.op == bitsAllSet || p.op == bitsAllClear
	for _, at := range p.positions {
		set := negative
		if at/8 < len(data) {
			set = data[at/8]>>(at%8)&1 == 1
		}
		if (set == wantSet) != all {
			return !all, nil
		}
	}
	return all, nil
}

func (p *bits) bind(path string) node { return bindPath(path, p) }
func (p *bits) kind() int             { return kindBits }
func (p *bits) String() string        { return "$bits" }

func parseBits(op bitsOp, path, name string, v bson.RawValue) (predicate, error) {
	p := &bits{op: op}
	switch {
	case isArray(v):
		i := 0
		for e := range bson.RawArray(v.Value).Values() {
			at, err := parseBitPosition(formatElement(strconv.Itoa(i), e), e)
			if err != nil {
				return nil, err
			}
			p.positions = append(p.positions, at)
			i++
		}
	case v.IsNumber():
		mask, err := nonNegativeLong(formatElement(name, v), v)
		if err != nil {
			return nil, err
		}
		p.positions = setBits(binary.LittleEndian.AppendUint64(nil, uint64(mask)))
	case v.Type == bson.TypeBinary:
		b, _ := v.Binary()
		p.positions = setBits(b.Data)
	default:
		return nil, errorf(codeBadValue, "%s takes an Array, a number, or a BinData but received: %s", path, formatElement(name, v))
	}
	return p, nil
}

func setBits(data []byte) (positions []int) {
	for i := range len(data) * 8 {
		if data[i/8]>>(i%8)&1 == 1 {
			positions = append(positions, i)
		}
	}
	return positions
}

func parseBitPosition(shown string, e bson.RawValue) (int, error) {
	if !e.IsNumber() {
		return 0, errorf(codeBadValue, "bit positions must be an integer but got: %s", shown)
	}
	n, ok := wholeNumber(e)
	switch {
	case ok && n > math.MaxInt32:
		return 0, errorf(codeBadValue, "bit positions cannot be represented as a 32-bit signed integer: %s", shown)
	case !ok:
		return 0, errorf(codeBadValue, "bit positions must be an integer but got: %s", shown)
	case n < 0:
		return 0, errorf(codeBadValue, "bit positions must be >= 0 but got: %s", shown)
	}
	return int(n), nil
}

// parseLong reads a whole number as the server's parsers do; shown is the
// element in the message.
func parseLong(shown string, v bson.RawValue) (int64, error) {
	if !v.IsNumber() {
		return 0, errorf(codeFailedToParse, "Expected a number in: %s", shown)
	}
	if isNaN(v) {
		return 0, errorf(codeFailedToParse, "Expected an integer, but found NaN in: %s", shown)
	}
	n, ok := wholeNumber(v)
	if !ok {
		if f := toDouble(v); f >= 1<<63 || f < -1<<63 {
			return 0, errorf(codeFailedToParse, "Cannot represent as a 64-bit integer: %s", shown)
		}
		return 0, errorf(codeFailedToParse, "Expected an integer: %s", shown)
	}
	return n, nil
}

func nonNegativeLong(shown string, v bson.RawValue) (int64, error) {
	n, err := parseLong(shown, v)
	if err == nil && n < 0 {
		err = errorf(codeFailedToParse, "Expected a positive number in: %s", shown)
	}
	return n, err
}
