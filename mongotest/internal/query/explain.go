package query

import (
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

// Explain says why a document does not match: the details of a failed
// validation, as servers since 5.0 tell them.
func (f *Filter) Explain(doc bson.Raw) bson.Raw {
	return (&explainer{env: f.env, doc: doc}).query(f.source)
}

// explainer finds the clauses that fail by trying each by itself.
type explainer struct {
	env *Env
	doc bson.Raw
}

// detail is a document under construction.
type detail struct {
	dst []byte
	at  int
}

func newDetail(operator string) *detail {
	d := &detail{}
	d.dst, d.at = bson.BeginDocument(nil)
	d.dst = bson.AppendString(d.dst, "operatorName", operator)
	return d
}

func (d *detail) put(key string, v bson.RawValue) *detail {
	if !isMissing(v) {
		d.dst = bson.AppendValue(d.dst, key, v)
	}
	return d
}

func (d *detail) reason(s string) *detail { return d.put("reason", stringValue(s)) }
func (d *detail) end() bson.Raw           { return bson.EndDocument(d.dst, d.at) }

// one is a document of one field.
func one(key string, v bson.RawValue) bson.Raw {
	dst, at := bson.BeginDocument(nil)
	return bson.EndDocument(bson.AppendValue(dst, key, v), at)
}

func (x *explainer) matches(query bson.Raw) bool {
	f, err := ParseFilter(query, x.env)
	if err != nil {
		return false
	}
	ok, err := f.Match(x.doc)
	return ok && err == nil
}

// clause is one condition of a query.
type clause struct {
	path, operator string
	spec           bson.RawValue
	query          bson.Raw
}

func clauses(query bson.Raw) []clause {
	var list []clause
	for k, v := range query.All() {
		switch {
		case strings.HasPrefix(k, "$"):
			list = append(list, clause{"", k, v, one(k, v)})
		case !isOperators(v, false):
			list = append(list, clause{k, "$eq", v, one(k, v)})
		default:
			for op, arg := range bson.Raw(v.Value).All() {
				spec := documentValue(one(op, arg))
				if op == "$options" {
					continue
				}
				if op == "$regex" {
					spec = v
				}
				list = append(list, clause{k, op, spec, one(k, spec)})
			}
		}
	}
	return list
}

func (x *explainer) query(query bson.Raw) bson.Raw {
	list := clauses(query)
	if len(list) == 1 {
		return x.clause(list[0])
	}
	var failed []bson.RawValue
	for i, c := range list {
		if !x.matches(c.query) {
			failed = append(failed, indexed(i, x.clause(c)))
		}
	}
	return newDetail("$and").put("clausesNotSatisfied", arrayValue(failed)).end()
}

func indexed(i int, details bson.Raw) bson.RawValue {
	dst, at := bson.BeginDocument(nil)
	dst = bson.AppendInt32(dst, "index", int32(i))
	return documentValue(bson.EndDocument(bson.AppendDocument(dst, "details", details), at))
}

func (x *explainer) clause(c clause) bson.Raw {
	d := newDetail(c.operator)
	switch c.operator {
	case "$jsonSchema":
		return d.put("schemaRulesNotSatisfied", x.schema(c.spec.Value, documentValue(x.doc))).end()
	case "$and", "$or", "$nor":
		var failed []bson.RawValue
		for i, e := range elements(c.spec) {
			if isObject(e) && x.matches(e.Value) == (c.operator == "$nor") {
				failed = append(failed, indexed(i, x.query(e.Value)))
			}
		}
		return d.put("clausesNotSatisfied", arrayValue(failed)).end()
	case "$expr":
		return d.put("specifiedAs", documentValue(c.query)).reason("expression did not match").put("expressionResult", falseBool).end()
	}
	d.put("specifiedAs", documentValue(c.query))
	values := x.considered(c.path)
	if len(values) == 0 && c.operator != "$exists" {
		return d.reason("field was missing").end()
	}
	d.reason(reasons[c.operator])
	switch len(values) {
	case 0:
	case 1:
		d.put("consideredValue", values[0])
		if c.operator == "$type" {
			d.put("consideredType", stringValue(TypeName(values[0].Type)))
		}
	default:
		d.put("consideredValues", arrayValue(values))
	}
	return d.end()
}

// reasons say what it means that an operator or a keyword does not match.
var reasons = map[string]string{
	"$eq": "comparison failed", "$ne": "comparison succeeded", "$gt": "comparison failed", "$gte": "comparison failed",
	"$lt": "comparison failed", "$lte": "comparison failed", "$in": "no matching value found in array",
	"$nin": "matching value found in array", "$type": "type did not match", "$exists": "path does not exist",
	"$regex": "regular expression did not match", "$size": "array length was not equal to given size",
	"$mod": "$mod did not evaluate to expected remainder", "$elemMatch": "array did not satisfy the child predicate",
	"$all": "array did not contain all specified values", "$not": "child expression matched",

	"type": "type did not match", "bsonType": "type did not match", "minimum": "comparison failed", "maximum": "comparison failed",
	"enum": "value was not found in enum", "pattern": "regular expression did not match",
	"minLength": "specified string length was not satisfied", "maxLength": "specified string length was not satisfied",
	"minItems": "array did not match specified length", "maxItems": "array did not match specified length",
	"uniqueItems": "found a duplicate item", "multipleOf": "considered value is not a multiple of the specified value",
	"minProperties": "specified number of properties was not satisfied", "maxProperties": "specified number of properties was not satisfied",
	"not": "child expression matched", "dependencies": "dependencies were not satisfied", "items": "array did not match the schema of its items",
}

func (x *explainer) considered(path string) (values []bson.RawValue) {
	w := walker{visit: func(v bson.RawValue, _ int) bool {
		if !isMissing(v) {
			values = append(values, v)
		}
		return false
	}}
	w.document(x.doc, splitPath(path), -1)
	return values
}

// schemaGroups are the keywords that only mean something together.
var schemaGroups = map[string][]string{
	"minimum": {"exclusiveMinimum"}, "maximum": {"exclusiveMaximum"}, "items": {"additionalItems"},
	"additionalProperties": {"properties", "patternProperties"},
}

// schema lists the rules that a value breaks.
func (x *explainer) schema(spec bson.Raw, v bson.RawValue) bson.RawValue {
	var broken []bson.RawValue
	for _, f := range fields(spec) {
		rule := one(f.key, f.value)
		for _, other := range schemaGroups[f.key] {
			if o := spec.Lookup(other); !isMissing(o) {
				if f.key == "additionalProperties" {
					o = withoutRules(o)
				}
				rule = withField(rule, other, o)
			}
		}
		if slices.Contains([]string{"exclusiveMinimum", "exclusiveMaximum", "additionalItems"}, f.key) {
			continue
		}
		if s, err := parseSchema(rule, x.env); err == nil && !s.accepts(v) {
			broken = append(broken, documentValue(x.schemaRule(f, spec, v)))
		}
	}
	return arrayValue(broken)
}

// withoutRules keeps the names of properties, whose own rules are told apart.
func withoutRules(properties bson.RawValue) bson.RawValue {
	dst, at := bson.BeginDocument(nil)
	for name := range bson.Raw(properties.Value).Keys() {
		dst = bson.AppendDocument(dst, name, emptyDoc)
	}
	return documentValue(bson.EndDocument(dst, at))
}

func (x *explainer) schemaRule(f field, spec bson.Raw, v bson.RawValue) bson.Raw {
	d := newDetail(f.key)
	switch f.key {
	case "properties":
		var list []bson.RawValue
		for name, rules := range bson.Raw(f.value.Value).All() {
			value := bson.Raw(v.Value).Lookup(name)
			s, err := parseSchema(rules.Value, x.env)
			if isMissing(value) || err != nil || s.accepts(value) {
				continue
			}
			dst, at := bson.BeginDocument(nil)
			dst = bson.AppendString(dst, "propertyName", name)
			if text := bson.Raw(rules.Value).Lookup("description"); isString(text) {
				dst = bson.AppendValue(dst, "description", text)
			}
			dst = bson.AppendValue(dst, "details", x.schema(rules.Value, value))
			list = append(list, documentValue(bson.EndDocument(dst, at)))
		}
		return d.put("propertiesNotSatisfied", arrayValue(list)).end()
	case "allOf", "anyOf", "oneOf":
		var list []bson.RawValue
		for i, e := range elements(f.value) {
			if s, err := parseSchema(e.Value, x.env); err == nil && !s.accepts(v) {
				dst, at := bson.BeginDocument(nil)
				dst = bson.AppendInt32(dst, "index", int32(i))
				dst = bson.AppendValue(dst, "details", x.schema(e.Value, v))
				list = append(list, documentValue(bson.EndDocument(dst, at)))
			}
		}
		return d.put("schemasNotSatisfied", arrayValue(list)).end()
	case "required":
		var absent []bson.RawValue
		for _, name := range elements(f.value) {
			if isMissing(bson.Raw(v.Value).Lookup(text(name))) {
				absent = append(absent, name)
			}
		}
		return d.put("specifiedAs", documentValue(one(f.key, f.value))).put("missingProperties", arrayValue(absent)).end()
	case "additionalProperties":
		var extra []bson.RawValue
		s, err := parseSchema(spec, x.env)
		for name := range bson.Raw(v.Value).Keys() {
			if err == nil && !s.names(name) {
				extra = append(extra, stringValue(name))
			}
		}
		return d.put("specifiedAs", documentValue(one(f.key, f.value))).put("additionalProperties", arrayValue(extra)).end()
	}
	d.put("specifiedAs", documentValue(one(f.key, f.value))).reason(reasons[f.key]).put("consideredValue", v)
	if f.key == "type" || f.key == "bsonType" {
		d.put("consideredType", stringValue(TypeName(v.Type)))
	}
	return d.end()
}

// names reports whether the schema has a rule for the property.
func (s *schema) names(property string) bool {
	if s.properties[property] != nil {
		return true
	}
	return slices.ContainsFunc(s.patternProperties, func(p patternSchema) bool {
		ok, _ := p.pattern.matches(property)
		return ok
	})
}
