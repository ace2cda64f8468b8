package javascript

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/motor-go/motor/bson"
)

// kind is the type of a value.
type kind uint8

const (
	undefined kind = iota
	null
	boolean
	double
	str
	reference // an object, an array or a function
	opaque    // a BSON value that JavaScript has no type for
)

// value is a value of the language.
type value struct {
	kind   kind
	num    float64 // 1 for true
	str    string
	object *object
	bson   bson.RawValue
}

// object is what references refer to.
type object struct {
	keys  []string // in the order in which they came
	props map[string]value
	// list are the elements of an array.
	list    []value
	isArray bool
	call    native // of a function
}

// native is a function as the interpreter calls it.
type native func(c *call, this value, args []value) (value, error)

func numberOf(f float64) value { return value{kind: double, num: f} }

func textOf(s string) value { return value{kind: str, str: s} }

func boolOf(b bool) value {
	if b {
		return value{kind: boolean, num: 1}
	}
	return value{kind: boolean}
}

func listOf(list []value) value {
	return value{kind: reference, object: &object{list: list, isArray: true}}
}

func functionOf(f native) value { return value{kind: reference, object: &object{call: f}} }

// set sets a property; new ones come last.
func (o *object) set(key string, v value) {
	if _, ok := o.props[key]; !ok {
		o.keys = append(o.keys, key)
	}
	if o.props == nil {
		o.props = map[string]value{}
	}
	o.props[key] = v
}

func (v value) truthy() bool {
	switch v.kind {
	case undefined, null:
		return false
	case boolean, double:
		return v.num != 0 && !math.IsNaN(v.num)
	case str:
		return v.str != ""
	}
	return true
}

func (v value) number() float64 {
	switch v.kind {
	case null:
		return 0
	case boolean, double:
		return v.num
	case str:
		s := strings.TrimSpace(v.str)
		if s == "" {
			return 0
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return f
		}
	case reference:
		if v.object.isArray && len(v.object.list) < 2 {
			return textOf(v.String()).number()
		}
	case opaque:
		if t, ok := v.bson.DateTime(); ok {
			return float64(t)
		}
	}
	return math.NaN()
}

func formatNumber(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	case math.Abs(f) >= 1e21 || math.Abs(f) < 1e-6:
		return strings.Replace(strconv.FormatFloat(f, 'e', -1, 64), "e-0", "e-", 1)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// String is the value as a string of the language.
func (v value) String() string {
	switch v.kind {
	case undefined:
		return "undefined"
	case null:
		return "null"
	case boolean:
		return strconv.FormatBool(v.num != 0)
	case double:
		return formatNumber(v.num)
	case str:
		return v.str
	case opaque:
		return v.bson.String()
	}
	if !v.object.isArray {
		return "[object Object]"
	}
	parts := make([]string, len(v.object.list))
	for i, e := range v.object.list {
		if e.kind > null {
			parts[i] = e.String()
		}
	}
	return strings.Join(parts, ",")
}

func (v value) typeName() string {
	switch v.kind {
	case undefined:
		return "undefined"
	case boolean:
		return "boolean"
	case double:
		return "number"
	case str:
		return "string"
	case reference:
		if v.object.call != nil {
			return "function"
		}
	}
	return "object"
}

func strictlyEqual(a, b value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case boolean, double:
		return a.num == b.num
	case str:
		return a.str == b.str
	case reference:
		return a.object == b.object
	case opaque:
		return a.bson.Type == b.bson.Type && slices.Equal(a.bson.Value, b.bson.Value)
	}
	return true
}

func looselyEqual(a, b value) bool {
	switch {
	case a.kind == b.kind:
		return strictlyEqual(a, b)
	case a.kind <= null || b.kind <= null:
		return a.kind <= null && b.kind <= null
	case a.kind == reference && b.kind == str, a.kind == str && b.kind == reference:
		return a.String() == b.String()
	}
	return a.number() == b.number()
}

// fromBSON is a BSON value in the language.
func fromBSON(v bson.RawValue) value {
	switch v.Type {
	case 0, bson.TypeUndefined:
		return value{}
	case bson.TypeNull:
		return value{kind: null}
	case bson.TypeBoolean:
		b, _ := v.Bool()
		return boolOf(b)
	case bson.TypeDouble, bson.TypeInt32, bson.TypeInt64:
		f, _ := v.AsDouble()
		return numberOf(f)
	case bson.TypeString, bson.TypeSymbol:
		s, _ := v.Str()
		return textOf(s)
	case bson.TypeEmbeddedDocument:
		doc, _ := v.Document()
		o := &object{}
		for key, e := range doc.All() {
			o.set(key, fromBSON(e))
		}
		return value{kind: reference, object: o}
	case bson.TypeArray:
		arr, _ := v.Array()
		list := []value{}
		for e := range arr.Values() {
			list = append(list, fromBSON(e))
		}
		return listOf(list)
	}
	return value{kind: opaque, bson: v}
}

// appendBSON appends v, whose objects nest depth deep already. What has no
// form in BSON is left out.
func appendBSON(dst []byte, key string, v value, depth int) []byte {
	switch {
	case v.kind == null || depth > maxDepth:
		return bson.AppendNull(dst, key)
	case v.kind == boolean:
		return bson.AppendBool(dst, key, v.num != 0)
	case v.kind == double:
		return bson.AppendDouble(dst, key, v.num)
	case v.kind == str:
		return bson.AppendString(dst, key, v.str)
	case v.kind == opaque:
		return bson.AppendValue(dst, key, v.bson)
	case v.kind == undefined || v.object.call != nil:
		return dst
	}
	var at int
	if v.object.isArray {
		dst, at = bson.BeginArray(dst, key)
		for i, e := range v.object.list {
			if e.kind == undefined {
				e.kind = null
			}
			dst = appendBSON(dst, strconv.Itoa(i), e, depth+1)
		}
		return bson.EndDocument(dst, at)
	}
	doc, at := bson.BeginDocument(nil)
	for _, k := range v.object.keys {
		doc = appendBSON(doc, k, v.object.props[k], depth+1)
	}
	return bson.AppendDocument(dst, key, bson.EndDocument(doc, at))
}

// toBSON is v as a BSON value; undefined is none.
func toBSON(v value) bson.RawValue {
	doc, at := bson.BeginDocument(nil)
	return bson.Raw(bson.EndDocument(appendBSON(doc, "v", v, 0), at)).Lookup("v")
}
