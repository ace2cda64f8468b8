package query

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/motor-go/motor/bson"
)

// The functions below make values. missing is no value at all.

var (
	missing   bson.RawValue
	null      = bson.RawValue{Type: bson.TypeNull}
	undefined = bson.RawValue{Type: bson.TypeUndefined}
	trueBool  = bson.RawValue{Type: bson.TypeBoolean, Value: []byte{1}}
	falseBool = bson.RawValue{Type: bson.TypeBoolean, Value: []byte{0}}
	emptyDoc  = bson.Raw{5, 0, 0, 0, 0}
)

func boolValue(b bool) bson.RawValue {
	if b {
		return trueBool
	}
	return falseBool
}

func int32Value(i int32) bson.RawValue {
	return bson.RawValue{Type: bson.TypeInt32, Value: binary.LittleEndian.AppendUint32(nil, uint32(i))}
}

func int64Value(i int64) bson.RawValue {
	return bson.RawValue{Type: bson.TypeInt64, Value: binary.LittleEndian.AppendUint64(nil, uint64(i))}
}

// intValue is i as an int if it fits, as a long otherwise.
func intValue(i int64) bson.RawValue {
	if i == int64(int32(i)) {
		return int32Value(int32(i))
	}
	return int64Value(i)
}

func doubleValue(f float64) bson.RawValue {
	return bson.RawValue{Type: bson.TypeDouble, Value: binary.LittleEndian.AppendUint64(nil, math.Float64bits(f))}
}

func decimalValue(d decimal) bson.RawValue {
	return bson.RawValue{Type: bson.TypeDecimal128, Value: bson.AppendDecimal128Value(nil, d.decimal128())}
}

func stringValue(s string) bson.RawValue {
	return bson.RawValue{Type: bson.TypeString, Value: bson.AppendStringValue(nil, s)}
}

func dateValue(d bson.DateTime) bson.RawValue {
	return bson.RawValue{Type: bson.TypeDateTime, Value: binary.LittleEndian.AppendUint64(nil, uint64(d))}
}

func timestampValue(t bson.Timestamp) bson.RawValue {
	return bson.RawValue{Type: bson.TypeTimestamp, Value: bson.AppendTimestampValue(nil, t)}
}

func objectIDValue(id bson.ObjectID) bson.RawValue {
	return bson.RawValue{Type: bson.TypeObjectID, Value: id[:]}
}

func documentValue(doc bson.Raw) bson.RawValue {
	return bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: doc}
}

func arrayValue(values []bson.RawValue) bson.RawValue {
	dst, at := bson.BeginDocument(nil)
	for i, v := range values {
		dst = appendIndexed(dst, i, v)
	}
	return bson.RawValue{Type: bson.TypeArray, Value: bson.EndDocument(dst, at)}
}

// appendIndexed adds the i-th element of an array. A missing value becomes
// null.
func appendIndexed(dst []byte, i int, v bson.RawValue) []byte {
	if isMissing(v) {
		v = null
	}
	return append(bson.AppendIndexHeader(dst, v.Type, i), v.Value...)
}

// elements are the elements of an array.
func elements(v bson.RawValue) []bson.RawValue {
	var out []bson.RawValue
	for e := range bson.RawArray(v.Value).Values() {
		out = append(out, e)
	}
	return out
}

func isMissing(v bson.RawValue) bool { return v.Type == 0 }

// isNullish reports whether v is missing, undefined or null.
func isNullish(v bson.RawValue) bool {
	return v.Type == 0 || v.Type == bson.TypeUndefined || v.Type == bson.TypeNull
}

func isObject(v bson.RawValue) bool { return v.Type == bson.TypeEmbeddedDocument }

func isArray(v bson.RawValue) bool { return v.Type == bson.TypeArray }

func isString(v bson.RawValue) bool { return v.Type == bson.TypeString }

// text is the content of a string; "" for anything else.
func text(v bson.RawValue) string {
	s, _ := v.Str()
	return s
}

// truthy is what the server calls coerceToBool: all but false, zero, null,
// undefined and missing.
func truthy(v bson.RawValue) bool {
	switch v.Type {
	case 0, bson.TypeNull, bson.TypeUndefined:
		return false
	case bson.TypeBoolean:
		b, _ := v.Bool()
		return b
	case bson.TypeInt32, bson.TypeInt64, bson.TypeDouble:
		f, _ := v.AsDouble()
		return f != 0
	case bson.TypeDecimal128:
		return !toDecimal(v).isZero()
	}
	return true
}

// equalBytes reports whether a and b are the same value of the same type.
func equalBytes(a, b bson.RawValue) bool {
	return a.Type == b.Type && string(a.Value) == string(b.Value)
}

var typeNames = map[bson.Type]string{
	0:                         "missing",
	bson.TypeDouble:           "double",
	bson.TypeString:           "string",
	bson.TypeEmbeddedDocument: "object",
	bson.TypeArray:            "array",
	bson.TypeBinary:           "binData",
	bson.TypeUndefined:        "undefined",
	bson.TypeObjectID:         "objectId",
	bson.TypeBoolean:          "bool",
	bson.TypeDateTime:         "date",
	bson.TypeNull:             "null",
	bson.TypeRegex:            "regex",
	bson.TypeDBPointer:        "dbPointer",
	bson.TypeJavaScript:       "javascript",
	bson.TypeSymbol:           "symbol",
	bson.TypeCodeWithScope:    "javascriptWithScope",
	bson.TypeInt32:            "int",
	bson.TypeTimestamp:        "timestamp",
	bson.TypeInt64:            "long",
	bson.TypeDecimal128:       "decimal",
	bson.TypeMinKey:           "minKey",
	bson.TypeMaxKey:           "maxKey",
}

// TypeName is the server's name of a BSON type, "int" for TypeInt32.
func TypeName(t bson.Type) string { return typeNames[t] }

// typeByName is the type that has the name, 0 if none has.
func typeByName(name string) bson.Type {
	for t, n := range typeNames {
		if n == name && t != 0 {
			return t
		}
	}
	return 0
}

// typeByNumber is the type that $type and $convert mean by the number.
func typeByNumber(n int64) bson.Type {
	t := bson.Type(n)
	if n == -1 {
		t = bson.TypeMinKey
	}
	if n < -1 || n > 127 || typeNames[t] == "" {
		return 0
	}
	return t
}

// arrayIndex is the array index that a path component names, -1 if it is none.
func arrayIndex(s string) int {
	if s == "" || len(s) > 9 || len(s) > 1 && s[0] == '0' {
		return -1
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
	}
	n, _ := strconv.Atoi(s)
	return n
}
