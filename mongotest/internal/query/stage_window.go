package query

import (
	"math"
	"strings"

	"github.com/motor-go/motor/bson"
)

// windowStage is $setWindowFields.
type windowStage struct {
	env       *Env
	partition *expression
	order     *Sort
	sortPath  []string // the only sort field, nil if there are more
	outputs   []windowOutput
}

// windowOutput is one field that a window function computes.
type windowOutput struct {
	path   []string
	window *window // nil for the whole partition
	// compute makes the value of the document at an index of its partition.
	// from and to bound the window, to not included.
	compute func(part *partition, at, from, to int) (bson.RawValue, error)
}

// window are the bounds of the documents that a function sees.
type window struct {
	byRange   bool
	low, high float64 // ±Inf for unbounded
	unit      string
}

// partition is a group of documents in order.
type partition struct {
	docs   []bson.Raw
	keys   [][]byte
	sortBy []bson.RawValue // by the only sort field
}

func parseWindow(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) {
		return nil, errorf(codeFailedToParse, "the $setWindowFields stage specification must be an object, found %s", TypeName(v.Type))
	}
	w := &windowStage{env: p.env}
	named, err := fieldsOf(v.Value, func(field string) error {
		return errorf(40415, "BSON field '$setWindowFields.%s' is an unknown field.", field)
	}, "partitionBy", "sortBy", "output")
	if err != nil {
		return nil, err
	}
	if isMissing(named["output"]) {
		return nil, errorf(40414, "BSON field '$setWindowFields.output' is missing but a required field")
	}
	if !isObject(named["output"]) {
		return nil, errorf(codeTypeMismatch, "BSON field '$setWindowFields.output' is the wrong type '%s', expected type 'object'", TypeName(named["output"].Type))
	}
	w.partition = constantExpr(null)
	if by := named["partitionBy"]; !isMissing(by) {
		if w.partition, err = parseExpression(by, p.env); err != nil {
			return nil, err
		}
	}
	if by := named["sortBy"]; !isMissing(by) {
		if !isObject(by) {
			return nil, errorf(codeTypeMismatch, "BSON field '$setWindowFields.sortBy' is the wrong type '%s', expected type 'object'", TypeName(by.Type))
		}
		if w.order, err = ParseSort(by.Value, p.env); err != nil {
			return nil, err
		}
		if w.order != nil && len(w.order.paths) == 1 {
			w.sortPath = w.order.paths[0]
		}
	}
	for _, f := range fields(named["output"].Value) {
		if err := checkFieldPath(f.key); err != nil {
			return nil, err
		}
		out, err := w.parseOutput(f.key, f.value)
		if err != nil {
			return nil, err
		}
		out.path = splitPath(f.key)
		w.outputs = append(w.outputs, out)
	}
	return all(name, w.documents, w.partition), nil
}

func (w *windowStage) documents(docs []bson.Raw) ([]bson.Raw, error) {
	if w.order != nil {
		var err error
		if docs, err = w.order.Documents(docs); err != nil {
			return nil, err
		}
	}
	parts := map[string]*partition{}
	var order []*partition
	var names []bson.RawValue
	for _, doc := range docs {
		v, err := w.partition.eval(newScope(w.env, doc))
		if err != nil {
			return nil, err
		}
		if isArray(v) {
			return nil, errorf(codeTypeMismatch, "An expression used to partition cannot evaluate to value of type array")
		}
		key := string(AppendKey(nil, orNull(v), w.env.Collation))
		if parts[key] == nil {
			parts[key] = &partition{}
			order, names = append(order, parts[key]), append(names, v)
		}
		part := parts[key]
		part.docs = append(part.docs, doc)
		if w.order != nil {
			k, err := w.order.Key(doc)
			if err != nil {
				return nil, err
			}
			part.keys = append(part.keys, k)
		}
		if w.sortPath != nil {
			part.sortBy = append(part.sortBy, fieldAt(doc, w.sortPath))
		}
	}
	sortPartitions(order, names, w.env.Collation)
	var out []bson.Raw
	for _, part := range order {
		for i, doc := range part.docs {
			doc, err := w.one(part, i, doc)
			if err != nil {
				return nil, err
			}
			out = append(out, doc)
		}
	}
	return out, nil
}

// sortPartitions puts the partitions in the order of what they are made by.
func sortPartitions(parts []*partition, names []bson.RawValue, c *Collation) {
	for i := 1; i < len(parts); i++ {
		for j := i; j > 0 && Compare(names[j-1], names[j], c) > 0; j-- {
			names[j-1], names[j] = names[j], names[j-1]
			parts[j-1], parts[j] = parts[j], parts[j-1]
		}
	}
}

func (w *windowStage) one(part *partition, i int, doc bson.Raw) (bson.Raw, error) {
	out := doc
	for _, o := range w.outputs {
		from, to := 0, len(part.docs)
		if o.window != nil {
			var err error
			if from, to, err = o.window.bounds(part, i, w.env); err != nil {
				return nil, err
			}
		}
		v, err := o.compute(part, i, from, to)
		if err != nil {
			return nil, err
		}
		out = setPath(out, o.path, orNull(v))
	}
	return out, nil
}

// bounds are the documents of the window around the one at index i.
func (w *window) bounds(part *partition, i int, env *Env) (from, to int, err error) {
	n := len(part.docs)
	if !w.byRange {
		from, to = 0, n
		if !math.IsInf(w.low, -1) {
			from = max(0, i+int(w.low))
		}
		if !math.IsInf(w.high, 1) {
			to = min(n, i+int(w.high)+1)
		}
		return min(from, n), max(to, min(from, n)), nil
	}
	at := part.sortBy[i]
	within := func(v bson.RawValue) (low, high bool, err error) {
		if rank(v.Type) != rank(at.Type) {
			c := Compare(v, at, nil)
			return c > 0 || math.IsInf(w.low, -1), c < 0 || math.IsInf(w.high, 1), nil
		}
		d, err := w.distance(at, v)
		return d >= w.low, d <= w.high, err
	}
	from, to = n, n
	for j, v := range part.sortBy {
		low, high, err := within(v)
		if err != nil {
			return 0, 0, err
		}
		if low && from == n {
			from = j
		}
		if !high {
			to = j
			break
		}
	}
	return from, max(to, from), nil
}

// distance is how far b is above a.
func (w *window) distance(a, b bson.RawValue) (float64, error) {
	switch {
	case w.unit != "" && a.Type == bson.TypeDateTime:
		x, _ := a.Time()
		y, _ := b.Time()
		if months := unitMonths[w.unit]; months > 0 {
			// Compare with the moved date, since months differ in length.
			d := float64(unitsBetween(x, y, w.unit, 0))
			moved, err := addUnits(x, w.unit, int64(d))
			if err == nil && moved.After(y) {
				d -= 0.5
			} else if err == nil && moved.Before(y) {
				d += 0.5
			}
			return d, err
		}
		length := map[string]float64{"day": 86400e3, "week": 7 * 86400e3}[w.unit]
		if length == 0 {
			length = float64(unitLength[w.unit].Milliseconds())
		}
		return float64(y.UnixMilli()-x.UnixMilli()) / length, nil
	case w.unit != "":
		return 0, errorf(5429413, "For windows that involve date or time ranges, a unit must be provided.")
	case a.IsNumber():
		return toDouble(b) - toDouble(a), nil
	}
	return 0, errorf(5429414, "PlanExecutor error during aggregation :: caused by :: Invalid range: Expected the sortBy field to be a number, but it was %s", TypeName(a.Type))
}

func (w *windowStage) parseOutput(name string, v bson.RawValue) (windowOutput, error) {
	var out windowOutput
	if !isObject(v) {
		return out, errorf(codeFailedToParse, "The field '%s' must be an object", name)
	}
	var function field
	for _, f := range fields(v.Value) {
		switch {
		case f.key == "window":
			win, err := w.parseBounds(f.value)
			if err != nil {
				return out, err
			}
			out.window = win
		case strings.HasPrefix(f.key, "$") && function.key == "":
			function = f
		case strings.HasPrefix(f.key, "$"):
			return out, errorf(codeFailedToParse, "Cannot specify two functions in window function spec")
		default:
			return out, errorf(codeFailedToParse, "Window function found an unknown argument: %s", f.key)
		}
	}
	if function.key == "" {
		return out, errorf(codeFailedToParse, "Expected a $-prefixed window function, %s", name)
	}
	return out, w.parseFunction(&out, function.key, function.value)
}

func (w *windowStage) parseBounds(v bson.RawValue) (*window, error) {
	if !isObject(v) {
		return nil, errorf(codeFailedToParse, "'window' field must be an object")
	}
	named, err := fieldsOf(v.Value, func(field string) error {
		return errorf(codeFailedToParse, "'window' field that is unknown: %s", field)
	}, "documents", "range", "unit")
	if err != nil {
		return nil, err
	}
	docs, rng := named["documents"], named["range"]
	win := &window{low: math.Inf(-1), high: math.Inf(1)}
	bounds := docs
	switch {
	case !isMissing(docs) && !isMissing(rng):
		return nil, errorf(codeFailedToParse, "Window bounds can specify either 'documents' or 'unit', not both.")
	case isMissing(docs) && isMissing(rng):
		if !isMissing(named["unit"]) {
			return nil, errorf(codeFailedToParse, "Window bounds can only specify 'unit' with range-based bounds.")
		}
		return win, nil
	case !isMissing(rng):
		win.byRange, bounds = true, rng
		if w.sortPath == nil {
			return nil, errorf(5339902, "Range-based bounds require sortBy a single field")
		}
	default:
		if !isMissing(named["unit"]) {
			return nil, errorf(codeFailedToParse, "Window bounds can only specify 'unit' with range-based bounds.")
		}
	}
	if u := named["unit"]; !isMissing(u) {
		if win.unit, err = readUnit(u, "$setWindowFields", codeFailedToParse); err != nil {
			return nil, err
		}
	}
	list := elements(bounds)
	if !isArray(bounds) || len(list) != 2 {
		return nil, errorf(codeFailedToParse, "Window bounds must be a 2-element array: %s", formatValue(bounds))
	}
	for i, b := range list {
		n, err := win.bound(b, i == 0)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			win.low = n
		} else {
			win.high = n
		}
	}
	if win.low > win.high {
		return nil, errorf(5339900, "Lower bound must not exceed upper bound: %s", formatValue(bounds))
	}
	if !win.byRange && w.order == nil && !(math.IsInf(win.low, -1) && math.IsInf(win.high, 1)) {
		return nil, errorf(5339901, "Document-based bounds require a sortBy")
	}
	return win, nil
}

func (w *window) bound(v bson.RawValue, low bool) (float64, error) {
	switch {
	case isString(v) && text(v) == "current":
		return 0, nil
	case isString(v) && text(v) == "unbounded" && low:
		return math.Inf(-1), nil
	case isString(v) && text(v) == "unbounded":
		return math.Inf(1), nil
	case isString(v):
		return 0, errorf(codeFailedToParse, "Window bounds must be 'unbounded', 'current', or a number.")
	case !v.IsNumber():
		return 0, errorf(codeFailedToParse, "Window bounds must be 'unbounded', 'current', or a number.")
	}
	n, ok := wholeNumber(v)
	switch {
	case !w.byRange && (!ok || n != int64(int32(n))):
		return 0, errorf(codeFailedToParse, "Numeric document-based bounds must be an integer")
	case w.byRange && w.unit != "" && !ok:
		return 0, errorf(codeFailedToParse, "With 'unit', range-based bounds must be an integer")
	}
	return toDouble(v), nil
}
