package query

import (
	"bytes"
	"math"
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

// bucketSpec is what $bucket and $bucketAuto have in common.
type bucketSpec struct {
	env     *Env
	groupBy *expression
	fields  []accumulatorField
}

func (b *bucketSpec) expressions() []*expression {
	return (&group{id: b.groupBy, fields: b.fields}).expressions()
}

func (b *bucketSpec) parseGroupBy(name string, code int32, v bson.RawValue) (err error) {
	if !isExpressionSpec(v) && !strings.HasPrefix(text(v), "$") {
		return errorf(code, "The %s 'groupBy' field must be defined as a $-prefixed path or an expression, but found: %s.", name, formatValue(v))
	}
	b.groupBy, err = parseExpression(v, b.env)
	return err
}

func (b *bucketSpec) parseOutput(name string, code int32, v bson.RawValue) error {
	if !isObject(v) {
		return errorf(code, "The %s 'output' field must be an object, but found type: %s.", name, TypeName(v.Type))
	}
	b.fields = nil
	for _, f := range fields(v.Value) {
		field, err := parseAccumulatorField(f.key, f.value, b.env)
		if err != nil {
			return err
		}
		b.fields = append(b.fields, field)
	}
	return nil
}

// constant reads a value that depends on no document.
func constant(v bson.RawValue, env *Env, notConstant error) (bson.RawValue, error) {
	e, err := parseExpression(v, env)
	if err != nil {
		return missing, err
	}
	if err := e.optimize(env); err != nil {
		return missing, err
	}
	if !e.constant {
		return missing, notConstant
	}
	return e.eval(nil)
}

type bucketer struct {
	bucketSpec
	boundaries []bson.RawValue
	fallback   bson.RawValue // missing for none
}

func parseBucket(p *pipelineParser, _ string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) {
		return nil, errorf(40201, "Argument to $bucket stage must be an object, but found type: %s.", TypeName(v.Type))
	}
	b := &bucketer{bucketSpec: bucketSpec{env: p.env, fields: []accumulatorField{countField("count")}}}
	for _, f := range fields(v.Value) {
		if err := b.option(f.key, f.value); err != nil {
			return nil, err
		}
	}
	if b.groupBy == nil || b.boundaries == nil {
		return nil, errorf(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.")
	}
	low, high := b.boundaries[0], b.boundaries[len(b.boundaries)-1]
	if d := b.fallback; !isMissing(d) && Compare(d, low, p.env.Collation) >= 0 && Compare(d, high, p.env.Collation) < 0 {
		return nil, errorf(40199, "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.")
	}
	id := &expression{args: []*expression{b.groupBy}, eval: b.bucketOf}
	g := &group{env: p.env, id: id, fields: b.fields}
	return all("$group", func(docs []bson.Raw) ([]bson.Raw, error) {
		out, err := g.documents(docs)
		slices.SortStableFunc(out, func(x, y bson.Raw) int {
			return Compare(x.Lookup("_id"), y.Lookup("_id"), p.env.Collation)
		})
		return out, err
	}, g.expressions()...), nil
}

func (b *bucketer) option(name string, v bson.RawValue) (err error) {
	switch name {
	case "groupBy":
		return b.parseGroupBy("$bucket", 40202, v)
	case "boundaries":
		return b.parseBoundaries(v)
	case "default":
		b.fallback, err = constant(v, b.env, errorf(40195, "The $bucket 'default' field must be a constant expression, but found: %s.", formatValue(v)))
		return err
	case "output":
		return b.parseOutput("$bucket", 40196, v)
	}
	return errorf(40197, "Unrecognized option to $bucket: %s.", name)
}

func (b *bucketer) parseBoundaries(v bson.RawValue) error {
	if !isArray(v) {
		return errorf(40200, "The $bucket 'boundaries' field must be an array, but found type: %s.", TypeName(v.Type))
	}
	for _, e := range elements(v) {
		c, err := constant(e, b.env, errorf(40191, "The $bucket 'boundaries' field must be an array of constant values, but found value: %s.", formatValue(e)))
		if err != nil {
			return err
		}
		b.boundaries = append(b.boundaries, c)
	}
	if n := len(b.boundaries); n < 2 {
		return errorf(40192, "The $bucket 'boundaries' field must have at least 2 values, but found %d value(s).", n)
	}
	for i := 1; i < len(b.boundaries); i++ {
		low, high := b.boundaries[i-1], b.boundaries[i]
		if rank(low.Type) != rank(high.Type) {
			return errorf(40193, "All values in the the 'boundaries' option to $bucket must have the same type. Found conflicting types %s and %s.", TypeName(low.Type), TypeName(high.Type))
		}
		if Compare(low, high, b.env.Collation) >= 0 {
			return errorf(40194, "The 'boundaries' option to $bucket must be sorted, but elements %d and %d are not in ascending order (%s is not less than %s).", i-1, i, formatDense(low), formatDense(high))
		}
	}
	return nil
}

// bucketOf is the boundary at or below the value.
func (b *bucketer) bucketOf(s *scope) (bson.RawValue, error) {
	v, err := b.groupBy.eval(s)
	if err != nil {
		return missing, err
	}
	for i := 1; i < len(b.boundaries); i++ {
		if Compare(v, b.boundaries[i-1], b.env.Collation) >= 0 && Compare(v, b.boundaries[i], b.env.Collation) < 0 {
			return b.boundaries[i-1], nil
		}
	}
	if isMissing(b.fallback) {
		return missing, errorf(40066, "$switch could not find a matching branch for an input, and no default was specified.")
	}
	return b.fallback, nil
}

type autoBucketer struct {
	bucketSpec
	buckets     int
	granularity []float64 // the preferred numbers of one decade, nil for none
	powersOf2   bool
}

func parseBucketAuto(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) {
		return nil, errorf(40240, "The argument to $bucketAuto must be an object, but found type: %s.", TypeName(v.Type))
	}
	b := &autoBucketer{bucketSpec: bucketSpec{env: p.env, fields: []accumulatorField{countField("count")}}}
	for _, f := range fields(v.Value) {
		if err := b.option(f.key, f.value); err != nil {
			return nil, err
		}
	}
	if b.groupBy == nil || b.buckets == 0 {
		return nil, errorf(40246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified")
	}
	return all(name, b.documents, b.expressions()...), nil
}

func (b *autoBucketer) option(name string, v bson.RawValue) error {
	switch name {
	case "groupBy":
		return b.parseGroupBy("$bucketAuto", 40239, v)
	case "buckets":
		if !v.IsNumber() {
			return errorf(40241, "The $bucketAuto 'buckets' field must be a numeric value, but found type: %s.", TypeName(v.Type))
		}
		n, ok := wholeNumber(v)
		if !ok || n != int64(int32(n)) {
			return errorf(40242, "The $bucketAuto 'buckets' field must be representable as a 32-bit integer, but found %s.", formatDense(v))
		}
		if n <= 0 {
			return errorf(40243, "The $bucketAuto 'buckets' field must be greater than 0, but found: %d", n)
		}
		b.buckets = int(n)
		return nil
	case "output":
		return b.parseOutput("$bucketAuto", 40244, v)
	case "granularity":
		if !isString(v) {
			return errorf(40261, "The $bucketAuto 'granularity' field must be a string, but found type: %s.", TypeName(v.Type))
		}
		b.granularity, b.powersOf2 = granularities[text(v)], text(v) == "POWERSOF2"
		if b.granularity == nil && !b.powersOf2 {
			return errorf(40257, "Unknown rounding granularity '%s'", text(v))
		}
		return nil
	}
	return errorf(40245, "Unrecognized option to $bucketAuto: %s.", name)
}

// granularities are the series of preferred numbers of one decade.
var granularities = map[string][]float64{
	"R5":    {1.0, 1.6, 2.5, 4.0, 6.3},
	"R10":   {1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0},
	"R20":   {1.0, 1.12, 1.25, 1.4, 1.6, 1.8, 2.0, 2.24, 2.5, 2.8, 3.15, 3.55, 4.0, 4.5, 5.0, 5.6, 6.3, 7.1, 8.0, 9.0},
	"E6":    {1.0, 1.5, 2.2, 3.3, 4.7, 6.8},
	"E12":   {1.0, 1.2, 1.5, 1.8, 2.2, 2.7, 3.3, 3.9, 4.7, 5.6, 6.8, 8.2},
	"E24":   {1.0, 1.1, 1.2, 1.3, 1.5, 1.6, 1.8, 2.0, 2.2, 2.4, 2.7, 3.0, 3.3, 3.6, 3.9, 4.3, 4.7, 5.1, 5.6, 6.2, 6.8, 7.5, 8.2, 9.1},
	"1-2-5": {1.0, 2.0, 5.0},
}

type bucketEntry struct {
	key   []byte
	value bson.RawValue
	doc   bson.Raw
}

func (b *autoBucketer) documents(docs []bson.Raw) ([]bson.Raw, error) {
	list, err := b.entries(docs)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	size := max(1, int(math.Round(float64(len(list))/float64(b.buckets))))
	var out []bson.Raw
	var low bson.RawValue
	for at, n := 0, 1; at < len(list); n++ {
		end := min(at+size, len(list))
		if n == b.buckets {
			end = len(list)
		}
		for end < len(list) && bytes.Equal(list[end].key, list[end-1].key) {
			end++
		}
		bound := list[end-1].value
		if end < len(list) {
			bound = list[end].value
		}
		from := list[at].value
		if b.granularity != nil || b.powersOf2 {
			// A border between the preferred numbers moves up to the next, and
			// takes in what is below.
			if isMissing(low) {
				low = b.roundDown(from)
			}
			from, bound = low, b.roundUp(list[end-1].value)
			for end < len(list) && Compare(list[end].value, bound, nil) < 0 {
				end++
			}
			low = bound
		}
		doc, err := b.bucket(list[at:end], from, bound)
		if err != nil {
			return nil, err
		}
		out = append(out, doc)
		at = end
	}
	return out, nil
}

func (b *autoBucketer) entries(docs []bson.Raw) ([]bucketEntry, error) {
	list := make([]bucketEntry, len(docs))
	for i, doc := range docs {
		v, err := b.groupBy.eval(newScope(b.env, doc))
		if err != nil {
			return nil, err
		}
		v = orNull(v)
		if b.granularity != nil || b.powersOf2 {
			if !v.IsNumber() {
				return nil, errorf(40258, "$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a value with type: %s", TypeName(v.Type))
			}
			if toDouble(v) < 0 || isNaN(v) {
				return nil, errorf(40260, "$bucketAuto can specify a 'granularity' with non-negative numbers only, but found a negative number: %s", formatDense(v))
			}
		}
		list[i] = bucketEntry{AppendKey(nil, v, b.env.Collation), v, doc}
	}
	slices.SortStableFunc(list, func(x, y bucketEntry) int { return bytes.Compare(x.key, y.key) })
	return list, nil
}

func (b *autoBucketer) bucket(list []bucketEntry, low, high bson.RawValue) (bson.Raw, error) {
	dst, at := bson.BeginDocument(nil)
	dst = bson.AppendValue(bson.AppendValue(dst, "min", low), "max", high)
	g := &group{env: b.env, fields: b.fields}
	state, err := g.start(documentValue(bson.EndDocument(dst, at)))
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		for _, a := range state.accs {
			if err := a.feed(newScope(b.env, e.doc)); err != nil {
				return nil, err
			}
		}
	}
	return g.finish(state), nil
}

// preferred are the numbers of the series around f.
func (b *autoBucketer) preferred(f float64) []float64 {
	if b.powersOf2 {
		e := math.Floor(math.Log2(f))
		return []float64{math.Exp2(e - 1), math.Exp2(e), math.Exp2(e + 1), math.Exp2(e + 2)}
	}
	var list []float64
	e := math.Floor(math.Log10(f))
	for _, decade := range []float64{e - 1, e, e + 1} {
		for _, n := range b.granularity {
			list = append(list, n*math.Pow(10, decade))
		}
	}
	return list
}

func (b *autoBucketer) roundUp(v bson.RawValue) bson.RawValue {
	f := toDouble(v)
	if f == 0 {
		return doubleValue(0)
	}
	for _, n := range b.preferred(f) {
		if n > f {
			return doubleValue(n)
		}
	}
	return doubleValue(f)
}

func (b *autoBucketer) roundDown(v bson.RawValue) bson.RawValue {
	f := toDouble(v)
	if f == 0 {
		return doubleValue(0)
	}
	best := 0.0
	for _, n := range b.preferred(f) {
		if n < f {
			best = n
		}
	}
	return doubleValue(best)
}
