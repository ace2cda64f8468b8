package query

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/motor-go/motor/bson"
)

// The server writes documents into its messages in several ways. A format
// names one.
type format int

const (
	// spaced is BSONObj::toString: { a: 1, b: [ 1, 2 ] }.
	spaced format = iota
	// dense is the aggregation's Value::toString: {a: 1, b: [1, 2]}.
	dense
)

// FormatDocument writes a document as the server's messages do.
func FormatDocument(doc bson.Raw) string { return string(spaced.appendDocument(nil, doc)) }

// formatElement is `key: value`.
func formatElement(key string, v bson.RawValue) string { return key + ": " + formatValue(v) }

func formatValue(v bson.RawValue) string { return string(spaced.appendValue(nil, v)) }

func formatDense(v bson.RawValue) string { return string(dense.appendValue(nil, v)) }

func (f format) appendDocument(dst []byte, doc bson.Raw) []byte {
	if doc.Len() == 0 {
		return append(dst, "{}"...)
	}
	dst = f.open(dst, '{')
	first := true
	for k, v := range doc.All() {
		if !first {
			dst = append(dst, ", "...)
		}
		first = false
		dst = append(append(dst, k...), ": "...)
		dst = f.appendValue(dst, v)
	}
	return f.close(dst, '}')
}

func (f format) appendArray(dst []byte, arr bson.RawArray) []byte {
	if arr.Len() == 0 {
		return append(dst, "[]"...)
	}
	dst = f.open(dst, '[')
	first := true
	for v := range arr.Values() {
		if !first {
			dst = append(dst, ", "...)
		}
		first = false
		dst = f.appendValue(dst, v)
	}
	return f.close(dst, ']')
}

func (f format) open(dst []byte, c byte) []byte {
	if f == spaced {
		return append(dst, c, ' ')
	}
	return append(dst, c)
}

func (f format) close(dst []byte, c byte) []byte {
	if f == spaced {
		return append(dst, ' ', c)
	}
	return append(dst, c)
}

// longestText is where the server cuts strings in its messages.
const longestText = 160

func (f format) appendValue(dst []byte, v bson.RawValue) []byte {
	switch v.Type {
	case 0:
		if f == dense {
			return append(dst, "MISSING"...)
		}
		return append(dst, "EOO"...)
	case bson.TypeDouble:
		d, _ := v.Double()
		if f == dense {
			return append(dst, formatShortDouble(d)...)
		}
		return append(dst, formatDouble(d)...)
	case bson.TypeString, bson.TypeSymbol:
		s := text(v)
		if f == spaced && len(s) > longestText {
			s = s[:150] + "..."
		}
		return append(append(append(dst, '"'), s...), '"')
	case bson.TypeEmbeddedDocument:
		return f.appendDocument(dst, v.Value)
	case bson.TypeArray:
		return f.appendArray(dst, v.Value)
	case bson.TypeBinary:
		b, _ := v.Binary()
		return fmt.Appendf(dst, "BinData(%d, %s)", b.Subtype, strings.ToUpper(hex.EncodeToString(b.Data)))
	case bson.TypeUndefined:
		return append(dst, "undefined"...)
	case bson.TypeObjectID:
		id, _ := v.ObjectID()
		if f == dense {
			return append(dst, id.Hex()...)
		}
		return fmt.Appendf(dst, "ObjectId('%s')", id.Hex())
	case bson.TypeBoolean:
		b, _ := v.Bool()
		return strconv.AppendBool(dst, b)
	case bson.TypeDateTime:
		d, _ := v.DateTime()
		if f == dense {
			return append(dst, formatDate(d)...)
		}
		return fmt.Appendf(dst, "new Date(%d)", int64(d))
	case bson.TypeNull:
		return append(dst, "null"...)
	case bson.TypeRegex:
		r, _ := v.Regex()
		return fmt.Appendf(dst, "/%s/%s", r.Pattern, r.Options)
	case bson.TypeDBPointer:
		p, _ := v.DBPointer()
		return fmt.Appendf(dst, "DBRef('%s',%s)", p.DB, p.Pointer.Hex())
	case bson.TypeJavaScript:
		return append(dst, text(v)...)
	case bson.TypeCodeWithScope:
		code, scope, _ := v.CodeWithScope()
		return fmt.Appendf(dst, "CodeWScope( %s, %s)", code, FormatDocument(scope))
	case bson.TypeInt32, bson.TypeInt64:
		n, _ := v.AsInt64()
		return strconv.AppendInt(dst, n, 10)
	case bson.TypeTimestamp:
		t, _ := v.Timestamp()
		return fmt.Appendf(dst, "Timestamp(%d, %d)", t.T, t.I)
	case bson.TypeDecimal128:
		return append(dst, toDecimal(v).String()...)
	case bson.TypeMinKey:
		return append(dst, "MinKey"...)
	case bson.TypeMaxKey:
		return append(dst, "MaxKey"...)
	}
	return append(dst, '?')
}

// formatDouble is a double that shows that it is one: 5.0.
func formatDouble(d float64) string {
	s := formatShortDouble(d)
	if strings.ContainsAny(s, ".eNI") || s == "inf" || s == "-inf" {
		return s
	}
	return s + ".0"
}

// formatShortDouble is what $toString makes of a double: 5, 1e+20, 2.5.
func formatShortDouble(d float64) string {
	switch {
	case math.IsNaN(d):
		return "NaN"
	case math.IsInf(d, 1):
		return "Infinity"
	case math.IsInf(d, -1):
		return "-Infinity"
	}
	return strconv.FormatFloat(d, 'g', 15, 64)
}

// formatShortestDouble has as many digits as tell the double from its
// neighbours.
func formatShortestDouble(d float64) string { return strconv.FormatFloat(d, 'g', -1, 64) }

// formatSafeNumber names the type too: (NumberLong)5.
func formatSafeNumber(v bson.RawValue) string {
	name := map[bson.Type]string{
		bson.TypeInt32: "NumberInt", bson.TypeInt64: "NumberLong",
		bson.TypeDouble: "NumberDouble", bson.TypeDecimal128: "NumberDecimal",
	}[v.Type]
	return "(" + name + ")" + formatValue(v)
}
