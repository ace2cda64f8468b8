package query

import (
	"fmt"

	"github.com/motor-go/motor/bson"
)

// A leaf is the part that predicates on single elements have in common.
type leaf struct{}

func (leaf) wholeArrays() bool { return false }

type comparisonOp int

const (
	opEq comparisonOp = iota
	opLte
	opLt
	opGt
	opGte
)

var comparisonNames = map[string]comparisonOp{"$eq": opEq, "$lte": opLte, "$lt": opLt, "$gt": opGt, "$gte": opGte}

// comparison is $eq, $lt, $lte, $gt or $gte. Only values of one rank compare.
type comparison struct {
	leaf
	op        comparisonOp
	value     bson.RawValue
	collation *Collation
}

func (p *comparison) accepts(v bson.RawValue, _ *int) (bool, error) {
	orEqual := p.op == opEq || p.op == opLte || p.op == opGte
	if a, b := rank(v.Type), rank(p.value.Type); a != b {
		switch {
		case a+b == rank(bson.TypeNull): // null against undefined or missing
			return orEqual, nil
		case p.value.Type == bson.TypeMaxKey:
			return p.op == opLt || p.op == opLte, nil
		case p.value.Type == bson.TypeMinKey:
			return p.op == opGt || p.op == opGte, nil
		}
		return false, nil
	}
	if isNaN(v) || isNaN(p.value) {
		return orEqual && isNaN(v) && isNaN(p.value), nil
	}
	c := Compare(v, p.value, p.collation)
	switch p.op {
	case opLt:
		return c < 0, nil
	case opLte:
		return c <= 0, nil
	case opGt:
		return c > 0, nil
	case opGte:
		return c >= 0, nil
	}
	return c == 0, nil
}

func (p *comparison) bind(path string) node { return bindPath(path, p) }

func (p *comparison) kind() int {
	return map[comparisonOp]int{opEq: kindEq, opLt: kindLt, opLte: kindLte, opGt: kindGt, opGte: kindGte}[p.op]
}

func (p *comparison) String() string {
	for name, op := range comparisonNames {
		if op == p.op {
			return name + " " + formatValue(p.value)
		}
	}
	return ""
}

// in is $in: equal to one of the values, or matched by one of the expressions.
type in struct {
	leaf
	values    map[string]bool // keys
	list      []bson.RawValue
	regexes   []*regexMatch
	null      bool
	collation *Collation
}

func (p *in) accepts(v bson.RawValue, _ *int) (bool, error) {
	if isMissing(v) {
		return p.null, nil
	}
	if p.values[string(AppendKey(nil, v, p.collation))] {
		return true, nil
	}
	for _, r := range p.regexes {
		if ok, err := r.accepts(v, nil); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (p *in) bind(path string) node { return bindPath(path, p) }
func (p *in) kind() int             { return kindIn }

func (p *in) String() string {
	s := "$in ["
	for _, v := range p.list {
		s += " " + formatValue(v)
	}
	return s + " ]"
}

// exists is {$exists: true}.
type exists struct{ leaf }

func (p *exists) accepts(v bson.RawValue, _ *int) (bool, error) { return !isMissing(v), nil }
func (p *exists) bind(path string) node                         { return bindPath(path, p) }
func (p *exists) kind() int                                     { return kindExists }
func (p *exists) String() string                                { return "exists" }

// typeSet is $type and the types of $jsonSchema.
type typeSet struct {
	leaf
	types map[bson.Type]bool
}

var numberTypes = []bson.Type{bson.TypeInt32, bson.TypeInt64, bson.TypeDouble, bson.TypeDecimal128}

func (p *typeSet) add(types ...bson.Type) {
	for _, t := range types {
		p.types[t] = true
	}
}

func (p *typeSet) has(v bson.RawValue) bool { return p.types[v.Type] }

func (p *typeSet) accepts(v bson.RawValue, _ *int) (bool, error) { return p.has(v), nil }
func (p *typeSet) bind(path string) node                         { return bindPath(path, p) }
func (p *typeSet) kind() int                                     { return kindType }
func (p *typeSet) String() string                                { return "type" }

// modulo is $mod.
type modulo struct {
	leaf
	divisor, remainder int64
}

func (p *modulo) accepts(v bson.RawValue, _ *int) (bool, error) {
	if !v.IsNumber() || isNaN(v) {
		return false, nil
	}
	n := truncatedNumber(v)
	if p.divisor == -1 {
		return p.remainder == 0, nil
	}
	return n%p.divisor == p.remainder, nil
}

func (p *modulo) bind(path string) node { return bindPath(path, p) }
func (p *modulo) kind() int             { return kindMod }
func (p *modulo) String() string {
	return fmt.Sprintf("mod %d % d %d x == %d", p.divisor, p.divisor, p.divisor, p.remainder)
}

// regexMatch is a regular expression: it matches strings, and itself.
type regexMatch struct {
	leaf
	source bson.Regex
	regex  *regex
}

func (p *regexMatch) accepts(v bson.RawValue, _ *int) (bool, error) {
	switch v.Type {
	case bson.TypeString, bson.TypeSymbol:
		return p.regex.matches(text(v))
	case bson.TypeRegex:
		r, _ := v.Regex()
		return r == p.source, nil
	}
	return false, nil
}

func (p *regexMatch) bind(path string) node { return bindPath(path, p) }
func (p *regexMatch) kind() int             { return kindRegex }
func (p *regexMatch) String() string {
	return "regex /" + p.source.Pattern + "/" + p.source.Options
}
