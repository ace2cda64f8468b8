package query

import (
	"bytes"
	"math"
	"slices"

	"github.com/motor-go/motor/bson"
)

// accumulator takes in values and gives a result: in $group, $bucket and
// $setWindowFields, and in expressions over an array.
type accumulator interface {
	add(v bson.RawValue) error
	value() bson.RawValue
}

// newAccumulators make the accumulators that have no state but their input.
var newAccumulators = map[string]func(*Env) accumulator{
	"$sum":          func(*Env) accumulator { return &sumAccumulator{} },
	"$avg":          func(*Env) accumulator { return &averageAccumulator{} },
	"$min":          func(env *Env) accumulator { return &extremeAccumulator{sign: -1, collation: env.Collation} },
	"$max":          func(env *Env) accumulator { return &extremeAccumulator{sign: 1, collation: env.Collation} },
	"$first":        func(*Env) accumulator { return &endAccumulator{} },
	"$last":         func(*Env) accumulator { return &endAccumulator{last: true} },
	"$push":         func(*Env) accumulator { return &pushAccumulator{} },
	"$addToSet":     func(env *Env) accumulator { return &setAccumulator{set: valueSet{}, collation: env.Collation} },
	"$stdDevPop":    func(*Env) accumulator { return &deviationAccumulator{} },
	"$stdDevSamp":   func(*Env) accumulator { return &deviationAccumulator{sample: true} },
	"$mergeObjects": func(*Env) accumulator { return &mergeAccumulator{doc: emptyDoc} },
}

// accumulatorOperators are the accumulators that are expressions too.
var accumulatorOperators = map[string]operator{
	"$sum":        accumulating("$sum"),
	"$avg":        accumulating("$avg"),
	"$min":        accumulating("$min"),
	"$max":        accumulating("$max"),
	"$stdDevPop":  accumulating("$stdDevPop"),
	"$stdDevSamp": accumulating("$stdDevSamp"),
	"$firstN":     {since: Version{5, 2}, parse: parseNOperator},
	"$lastN":      {since: Version{5, 2}, parse: parseNOperator},
	"$minN":       {since: Version{5, 2}, parse: parseNOperator},
	"$maxN":       {since: Version{5, 2}, parse: parseNOperator},
	"$percentile": {since: Version{7, 0}, parse: parsePercentileOperator},
	"$median":     {since: Version{7, 0}, parse: parsePercentileOperator},
}

// accumulating is an accumulator over its arguments, or over the elements of a
// single argument that is an array.
func accumulating(name string) operator {
	return operator{most: -1, apply: func(env *Env, args []bson.RawValue) (bson.RawValue, error) {
		acc := newAccumulators[name](env)
		if len(args) == 1 && isArray(args[0]) {
			args = elements(args[0])
		}
		for _, v := range args {
			if err := acc.add(v); err != nil {
				return missing, err
			}
		}
		return acc.value(), nil
	}}
}

type sumAccumulator struct{ sum sum }

func (a *sumAccumulator) add(v bson.RawValue) error {
	if v.IsNumber() {
		a.sum.add(v)
	}
	return nil
}

func (a *sumAccumulator) value() bson.RawValue { return a.sum.value() }

type averageAccumulator struct {
	sum   sum
	count int64
}

func (a *averageAccumulator) add(v bson.RawValue) error {
	if v.IsNumber() {
		a.sum.add(v)
		a.count++
	}
	return nil
}

func (a *averageAccumulator) value() bson.RawValue {
	switch {
	case a.count == 0:
		return null
	case a.sum.kind == bson.TypeDecimal128:
		return decimalValue(a.sum.asDecimal().quo(decimalFromInt(a.count)))
	}
	return doubleValue(a.sum.double() / float64(a.count))
}

// extremeAccumulator is $min or $max.
type extremeAccumulator struct {
	sign      int
	best      bson.RawValue
	collation *Collation
}

func (a *extremeAccumulator) add(v bson.RawValue) error {
	if !isNullish(v) && (isMissing(a.best) || Compare(v, a.best, a.collation)*a.sign > 0) {
		a.best = v
	}
	return nil
}

func (a *extremeAccumulator) value() bson.RawValue {
	if isMissing(a.best) {
		return null
	}
	return a.best
}

// endAccumulator is $first or $last.
type endAccumulator struct {
	last, any bool
	found     bson.RawValue
}

func (a *endAccumulator) add(v bson.RawValue) error {
	if a.last || !a.any {
		a.found, a.any = v, true
	}
	return nil
}

func (a *endAccumulator) value() bson.RawValue { return a.found }

// maxAccumulated bounds, in bytes, what one accumulator keeps.
const maxAccumulated = 100 << 20

type pushAccumulator struct {
	list []bson.RawValue
	size int
}

func (a *pushAccumulator) add(v bson.RawValue) error {
	if isMissing(v) {
		return nil
	}
	if a.size += len(v.Value) + 8; a.size > maxAccumulated {
		return errorf(codeExceededMemoryLimit, "$push used too much memory and cannot spill to disk. Memory limit: %d bytes", maxAccumulated)
	}
	a.list = append(a.list, v)
	return nil
}

func (a *pushAccumulator) value() bson.RawValue { return arrayValue(a.list) }

type setAccumulator struct {
	pushAccumulator
	set       valueSet
	collation *Collation
}

func (a *setAccumulator) add(v bson.RawValue) error {
	if isMissing(v) || !a.set.add(v, a.collation) {
		return nil
	}
	return a.pushAccumulator.add(v)
}

// deviationAccumulator is $stdDevPop or $stdDevSamp, by Welford's method.
type deviationAccumulator struct {
	sample   bool
	count    float64
	mean, m2 float64
}

func (a *deviationAccumulator) add(v bson.RawValue) error {
	if v.IsNumber() {
		x := toDouble(v)
		a.count++
		delta := x - a.mean
		a.mean += delta / a.count
		a.m2 += delta * (x - a.mean)
	}
	return nil
}

func (a *deviationAccumulator) value() bson.RawValue {
	n := a.count
	if a.sample {
		n--
	}
	if n <= 0 || math.IsNaN(a.m2) || math.IsInf(a.m2, 0) {
		return null
	}
	return doubleValue(math.Sqrt(a.m2 / n))
}

type mergeAccumulator struct{ doc bson.Raw }

func (a *mergeAccumulator) add(v bson.RawValue) error {
	merged, err := mergeObjects([]bson.RawValue{documentValue(a.doc), v})
	if err == nil {
		a.doc = merged.Value
	}
	return err
}

func (a *mergeAccumulator) value() bson.RawValue { return documentValue(a.doc) }

// countAccumulator is $count.
type countAccumulator struct{ n int64 }

func (a *countAccumulator) add(bson.RawValue) error { a.n++; return nil }
func (a *countAccumulator) value() bson.RawValue    { return intValue(a.n) }

// nAccumulator is $firstN, $lastN, $minN or $maxN.
type nAccumulator struct {
	name      string
	n         int
	list      []bson.RawValue
	collation *Collation
}

func (a *nAccumulator) add(v bson.RawValue) error {
	switch a.name {
	case "$firstN":
		if len(a.list) < a.n {
			a.list = append(a.list, orNull(v))
		}
	case "$lastN":
		a.list = append(a.list, orNull(v))
		if len(a.list) > a.n {
			a.list = a.list[1:]
		}
	default:
		if isNullish(v) {
			return nil
		}
		sign := map[string]int{"$minN": 1, "$maxN": -1}[a.name]
		at, _ := slices.BinarySearchFunc(a.list, v, func(e, v bson.RawValue) int {
			if c := Compare(e, v, a.collation) * sign; c != 0 {
				return c
			}
			return -1
		})
		if at < a.n {
			a.list = slices.Insert(a.list, at, v)
		}
		if len(a.list) > a.n {
			a.list = a.list[:a.n]
		}
	}
	return nil
}

func orNull(v bson.RawValue) bson.RawValue {
	if isMissing(v) {
		return null
	}
	return v
}

func (a *nAccumulator) value() bson.RawValue { return arrayValue(a.list) }

// topAccumulator is $top, $topN, $bottom or $bottomN. It takes in a document
// of the sort key and the output.
type topAccumulator struct {
	bottom, single bool
	n              int
	entries        []topEntry
}

type topEntry struct {
	key    []byte
	output bson.RawValue
}

func (a *topAccumulator) addEntry(e topEntry) {
	at, _ := slices.BinarySearchFunc(a.entries, e, func(x, e topEntry) int {
		if c := bytes.Compare(x.key, e.key); c != 0 {
			return c
		}
		return -1
	})
	a.entries = slices.Insert(a.entries, at, e)
	if len(a.entries) > a.n {
		if a.bottom {
			a.entries = a.entries[1:]
		} else {
			a.entries = a.entries[:a.n]
		}
	}
}

func (a *topAccumulator) value() bson.RawValue {
	if a.single {
		return a.entries[0].output
	}
	list := make([]bson.RawValue, len(a.entries))
	for i, e := range a.entries {
		list[i] = orNull(e.output)
	}
	return arrayValue(list)
}

// percentileAccumulator is $percentile or $median. It keeps all numbers, so its
// result is that of method "discrete".
type percentileAccumulator struct {
	p       []float64
	median  bool
	numbers []float64
}

func (a *percentileAccumulator) add(v bson.RawValue) error {
	if v.IsNumber() && !isNaN(v) {
		a.numbers = append(a.numbers, toDouble(v))
	}
	return nil
}

func (a *percentileAccumulator) value() bson.RawValue {
	slices.Sort(a.numbers)
	list := make([]bson.RawValue, len(a.p))
	for i, p := range a.p {
		list[i] = null
		if n := len(a.numbers); n > 0 {
			list[i] = doubleValue(a.numbers[max(0, int(math.Ceil(p*float64(n)))-1)])
		}
	}
	if a.median {
		return list[0]
	}
	return arrayValue(list)
}
