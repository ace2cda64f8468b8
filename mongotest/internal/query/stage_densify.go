package query

import (
	"bytes"
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

// densify adds documents where a field's values have gaps.
type densify struct {
	env        *Env
	field      string
	partitions []string
	step       float64
	unit       string
	bounds     []bson.RawValue // nil for "full" and "partition"
	full       bool
}

// maxDensified bounds what $densify makes.
const maxDensified = 500_000

func parseDensify(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) {
		return nil, errorf(5733402, "%s requires an object", name)
	}
	d := &densify{env: p.env}
	named, err := fieldsOf(v.Value, func(field string) error {
		return errorf(40415, "BSON field '$densify.%s' is an unknown field.", field)
	}, "field", "partitionByFields", "range")
	if err != nil {
		return nil, err
	}
	for _, field := range []string{"field", "range"} {
		if isMissing(named[field]) {
			return nil, errorf(40414, "BSON field '$densify.%s' is missing but a required field", field)
		}
	}
	d.field = text(named["field"])
	if err := checkFieldPath(d.field); err != nil {
		return nil, err
	}
	for _, e := range elements(named["partitionByFields"]) {
		if err := checkFieldPath(text(e)); err != nil {
			return nil, err
		}
		if text(e) == d.field || strings.HasPrefix(text(e), d.field+".") || strings.HasPrefix(d.field, text(e)+".") {
			return nil, errorf(8993000, "BSON field '$densify.partitionByFields' contains a field that is the same as or conflicts with '$densify.field'")
		}
		d.partitions = append(d.partitions, text(e))
	}
	if err := d.parseRange(named["range"]); err != nil {
		return nil, err
	}
	return all(name, d.documents), nil
}

func (d *densify) parseRange(v bson.RawValue) error {
	if !isObject(v) {
		return errorf(codeTypeMismatch, "BSON field '$densify.range' is the wrong type '%s', expected type 'object'", TypeName(v.Type))
	}
	named, err := fieldsOf(v.Value, func(field string) error {
		return errorf(40415, "BSON field '$densify.range.%s' is an unknown field.", field)
	}, "step", "unit", "bounds")
	if err != nil {
		return err
	}
	step, bounds := named["step"], named["bounds"]
	if !step.IsNumber() || !(toDouble(step) > 0) {
		return errorf(5733401, "the step parameter in a range statement must be a strictly positive numeric value")
	}
	d.step = toDouble(step)
	if u := named["unit"]; !isMissing(u) {
		if d.unit, err = readUnit(u, "$densify", codeFailedToParse); err != nil {
			return err
		}
		if _, ok := wholeNumber(step); !ok {
			return errorf(6586400, "The step parameter in a range satement must be a whole number when densifying a date range")
		}
	}
	switch {
	case isString(bounds) && text(bounds) == "full":
		d.full = true
	case isString(bounds) && text(bounds) == "partition":
		if len(d.partitions) == 0 {
			return errorf(5733408, "one may not specify the bounds as 'partition' without specifying a non-empty array of partitionByFields. You may have meant to specify 'full' bounds.")
		}
	case isArray(bounds) && bson.RawArray(bounds.Value).Len() == 2:
		d.bounds = elements(bounds)
		if Compare(d.bounds[0], d.bounds[1], nil) > 0 {
			return errorf(5733403, "the bounds in a range statement must be in ascending order")
		}
		isDate := d.bounds[0].Type == bson.TypeDateTime
		if rank(d.bounds[0].Type) != rank(d.bounds[1].Type) || !isDate && !d.bounds[0].IsNumber() {
			return errorf(5733406, "a bounding array must contain two numeric values or two dates")
		}
		if isDate != (d.unit != "") {
			return errorf(5733410, "date bounds and a unit belong together")
		}
	default:
		return errorf(5733404, "the bounds in a range statement must be the string 'full', 'partition', or an ascending array of two numbers or two dates")
	}
	return nil
}

func (d *densify) documents(docs []bson.Raw) ([]bson.Raw, error) {
	path := splitPath(d.field)
	type row struct {
		value bson.RawValue
		doc   bson.Raw
	}
	groups := map[string][]row{}
	var order []string
	var low, high bson.RawValue
	var out []bson.Raw
	for _, doc := range docs {
		v := fieldAt(doc, path)
		if isNullish(v) {
			out = append(out, doc)
			continue
		}
		if isDate := v.Type == bson.TypeDateTime; !isDate && !v.IsNumber() || isDate != (d.unit != "") {
			return nil, errorf(5733201, "PlanExecutor error during aggregation :: caused by :: Densify field type must be numeric or a date, and a date needs a unit")
		}
		var key []byte
		for _, f := range d.partitions {
			key = AppendKey(key, fieldAt(doc, splitPath(f)), d.env.Collation)
		}
		if groups[string(key)] == nil {
			order = append(order, string(key))
		}
		groups[string(key)] = append(groups[string(key)], row{v, doc})
		if isMissing(low) || Compare(v, low, nil) < 0 {
			low = v
		}
		if isMissing(high) || Compare(v, high, nil) > 0 {
			high = v
		}
	}
	made := 0
	for _, key := range order {
		rows := groups[key]
		slices.SortStableFunc(rows, func(a, b row) int {
			return bytes.Compare(AppendKey(nil, a.value, nil), AppendKey(nil, b.value, nil))
		})
		from, to, inclusive := rows[0].value, rows[len(rows)-1].value, true
		switch {
		case d.bounds != nil:
			from, to, inclusive = d.bounds[0], d.bounds[1], false
		case d.full:
			from, to = low, high
		}
		base := emptyDoc
		for _, f := range d.partitions {
			if v := fieldAt(rows[0].doc, splitPath(f)); !isMissing(v) {
				base = setPath(base, splitPath(f), v)
			}
		}
		i := 0
		for n := int64(0); ; n++ {
			v, err := d.at(from, n)
			if err != nil {
				return nil, err
			}
			if c := Compare(v, to, nil); c > 0 || c == 0 && !inclusive {
				break
			}
			present := false
			for i < len(rows) && Compare(rows[i].value, v, nil) <= 0 {
				present = present || Compare(rows[i].value, v, nil) == 0
				out = append(out, rows[i].doc)
				i++
			}
			if !present {
				if made++; made > maxDensified {
					return nil, errorf(5897900, "Generated %d documents in $densify, which is over the limit of %d. Increase the 'internalQueryMaxAllowedDensifyDocs' parameter to allow more generated documents", made, maxDensified)
				}
				out = append(out, setPath(base, path, v))
			}
		}
		for ; i < len(rows); i++ {
			out = append(out, rows[i].doc)
		}
	}
	return out, nil
}

// at is the n-th step from a value.
func (d *densify) at(from bson.RawValue, n int64) (bson.RawValue, error) {
	if d.unit == "" {
		step := doubleValue(float64(n) * d.step)
		if d.step == float64(int64(d.step)) {
			step = intValue(n * int64(d.step))
		}
		return addValues([]bson.RawValue{from, step})
	}
	t, _ := from.Time()
	moved, err := addUnits(t, d.unit, n*int64(d.step))
	return dateOf(moved), err
}

// parseFill makes $fill the stages that it stands for.
func parseFill(p *pipelineParser, _ string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) {
		return nil, errorf(6050200, "Argument to $fill stage must be an object")
	}
	named, err := fieldsOf(v.Value, func(field string) error {
		return errorf(40415, "BSON field '$fill.%s' is an unknown field.", field)
	}, "partitionBy", "partitionByFields", "sortBy", "output")
	if err != nil {
		return nil, err
	}
	if !isObject(named["output"]) {
		return nil, errorf(40414, "BSON field '$fill.output' is missing but a required field")
	}
	if !isMissing(named["partitionBy"]) && !isMissing(named["partitionByFields"]) {
		return nil, errorf(6050204, "Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'")
	}
	values, valuesAt := bson.BeginDocument(nil)
	windows, windowsAt := bson.BeginDocument(nil)
	for _, f := range fields(named["output"].Value) {
		value, method := bson.Raw(f.value.Value).Lookup("value"), text(bson.Raw(f.value.Value).Lookup("method"))
		switch {
		case isObject(f.value) && !isMissing(value):
			dst, at := bson.BeginDocument(nil)
			dst = bson.AppendValue(dst, "$ifNull", arrayValue([]bson.RawValue{stringValue("$" + f.key), value}))
			values = bson.AppendDocument(values, f.key, bson.EndDocument(dst, at))
		case isObject(f.value) && (method == "linear" || method == "locf"):
			function := map[string]string{"linear": "$linearFill", "locf": "$locf"}[method]
			dst, at := bson.BeginDocument(nil)
			dst = bson.AppendString(dst, function, "$"+f.key)
			windows = bson.AppendDocument(windows, f.key, bson.EndDocument(dst, at))
		default:
			return nil, errorf(6050202, "Method must be either 'linear' or 'locf', or there must be a value")
		}
	}
	var stages []*stage
	if windows = bson.EndDocument(windows, windowsAt); bson.Raw(windows).Len() > 0 {
		dst, at := bson.BeginDocument(nil)
		if by := named["partitionBy"]; !isMissing(by) {
			dst = bson.AppendValue(dst, "partitionBy", by)
		}
		if by := named["partitionByFields"]; isArray(by) {
			key, keyAt := bson.BeginDocument(nil)
			for _, e := range elements(by) {
				key = bson.AppendString(key, strings.ReplaceAll(text(e), ".", "_"), "$"+text(e))
			}
			dst = bson.AppendDocument(dst, "partitionBy", bson.EndDocument(key, keyAt))
		}
		if by := named["sortBy"]; !isMissing(by) {
			dst = bson.AppendValue(dst, "sortBy", by)
		}
		dst = bson.AppendDocument(dst, "output", windows)
		more, err := parseWindow(p, "$setWindowFields", documentValue(bson.EndDocument(dst, at)))
		if err != nil {
			return nil, err
		}
		stages = append(stages, more...)
	}
	if values = bson.EndDocument(values, valuesAt); bson.Raw(values).Len() > 0 {
		more, err := parseAddFields(p, "$addFields", documentValue(values))
		if err != nil {
			return nil, err
		}
		stages = append(stages, more...)
	}
	return stages, nil
}
