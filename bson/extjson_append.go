package bson

import (
	"encoding/base64"
	"encoding/hex"
	"math"
	"strconv"
	"time"
)

// The functions here turn valid BSON into Extended JSON.

func appendExtDocument(dst, doc []byte, f ExtJSONFormat) []byte {
	dst = append(dst, '{')
	rest, ok := body(doc)
	for first := true; ok && len(rest) > 0; first = false {
		var key []byte
		var v RawValue
		if key, v, rest, ok = next(rest); !ok {
			break
		}
		if !first {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, key)
		dst = append(dst, ':')
		dst = appendExtValue(dst, v, f)
	}
	return append(dst, '}')
}

func appendExtArray(dst, arr []byte, f ExtJSONFormat) []byte {
	dst = append(dst, '[')
	rest, ok := body(arr)
	for first := true; ok && len(rest) > 0; first = false {
		var v RawValue
		if _, v, rest, ok = next(rest); !ok {
			break
		}
		if !first {
			dst = append(dst, ',')
		}
		dst = appendExtValue(dst, v, f)
	}
	return append(dst, ']')
}

func appendExtValue(dst []byte, v RawValue, f ExtJSONFormat) []byte {
	switch v.Type {
	case TypeEmbeddedDocument:
		return appendExtDocument(dst, v.Value, f)
	case TypeArray:
		return appendExtArray(dst, v.Value, f)
	case TypeString:
		s, _ := v.strBytes()
		return appendQuoted(dst, s)
	case TypeBoolean:
		b, _ := v.Bool()
		return strconv.AppendBool(dst, b)
	case TypeNull:
		return append(dst, "null"...)
	case TypeInt32:
		n, _ := v.Int32()
		return appendExtInt(dst, `{"$numberInt":"`, int64(n), f)
	case TypeInt64:
		n, _ := v.Int64()
		return appendExtInt(dst, `{"$numberLong":"`, n, f)
	case TypeDouble:
		d, _ := v.Double()
		return appendExtDouble(dst, d, f)
	case TypeDateTime:
		d, _ := v.DateTime()
		return appendExtDateTime(dst, d, f)
	case TypeDecimal128:
		d, _ := v.Decimal128()
		dst = append(dst, `{"$numberDecimal":"`...)
		return append(d.append(dst), `"}`...)
	case TypeObjectID:
		return appendExtObjectID(dst, v.Value)
	case TypeBinary:
		b, _ := v.Binary()
		return appendExtBinary(dst, b)
	case TypeTimestamp:
		t, _ := v.Timestamp()
		return appendExtTimestamp(dst, t)
	case TypeRegex:
		r, _ := v.Regex()
		return appendExtRegex(dst, r)
	case TypeDBPointer:
		p, _ := v.DBPointer()
		return appendExtDBPointer(dst, p)
	case TypeJavaScript:
		s, _ := v.strBytes()
		return append(appendQuoted(append(dst, `{"$code":`...), s), '}')
	case TypeSymbol:
		s, _ := v.strBytes()
		return append(appendQuoted(append(dst, `{"$symbol":`...), s), '}')
	case TypeCodeWithScope:
		code, scope, _ := v.CodeWithScope()
		dst = appendQuoted(append(dst, `{"$code":`...), code)
		return append(appendExtDocument(append(dst, `,"$scope":`...), scope, f), '}')
	case TypeUndefined:
		return append(dst, `{"$undefined":true}`...)
	case TypeMinKey:
		return append(dst, `{"$minKey":1}`...)
	case TypeMaxKey:
		return append(dst, `{"$maxKey":1}`...)
	}
	return dst
}

func appendExtInt(dst []byte, wrapper string, n int64, f ExtJSONFormat) []byte {
	if f == Relaxed {
		return strconv.AppendInt(dst, n, 10)
	}
	dst = append(dst, wrapper...)
	return append(strconv.AppendInt(dst, n, 10), `"}`...)
}

func appendExtDouble(dst []byte, d float64, f ExtJSONFormat) []byte {
	infinite := math.IsInf(d, 0)
	if f == Relaxed && !infinite && d == d {
		return appendFloat(dst, d)
	}
	dst = append(dst, `{"$numberDouble":"`...)
	switch {
	case d != d:
		dst = append(dst, "NaN"...)
	case infinite && d > 0:
		dst = append(dst, "Infinity"...)
	case infinite:
		dst = append(dst, "-Infinity"...)
	default:
		dst = appendFloat(dst, d)
	}
	return append(dst, `"}`...)
}

// appendFloat adds the shortest form that reads back as d, and in which every
// reader sees that it is not an integer.
func appendFloat(dst []byte, d float64) []byte {
	if abs := math.Abs(d); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.AppendFloat(dst, d, 'E', -1, 64)
	}
	dst = strconv.AppendFloat(dst, d, 'f', -1, 64)
	if d == math.Trunc(d) {
		dst = append(dst, ".0"...)
	}
	return dst
}

// The dates that relaxed Extended JSON writes as strings: 1970 to 9999.
const (
	firstReadableDate = 0
	lastReadableDate  = 253402300799999
)

func appendExtDateTime(dst []byte, d DateTime, f ExtJSONFormat) []byte {
	if f == Relaxed && d >= firstReadableDate && d <= lastReadableDate {
		layout := "2006-01-02T15:04:05Z"
		if d%1000 != 0 {
			layout = "2006-01-02T15:04:05.000Z"
		}
		dst = append(dst, `{"$date":"`...)
		return append(time.UnixMilli(int64(d)).UTC().AppendFormat(dst, layout), `"}`...)
	}
	dst = append(dst, `{"$date":{"$numberLong":"`...)
	return append(strconv.AppendInt(dst, int64(d), 10), `"}}`...)
}

func appendExtObjectID(dst, id []byte) []byte {
	dst = append(dst, `{"$oid":"`...)
	return append(hex.AppendEncode(dst, id), `"}`...)
}

func appendExtBinary(dst []byte, b Binary) []byte {
	dst = append(dst, `{"$binary":{"base64":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, b.Data)
	dst = append(dst, `","subType":"`...)
	return append(hex.AppendEncode(dst, []byte{b.Subtype}), `"}}`...)
}

func appendExtTimestamp(dst []byte, t Timestamp) []byte {
	dst = append(dst, `{"$timestamp":{"t":`...)
	dst = strconv.AppendUint(dst, uint64(t.T), 10)
	dst = append(dst, `,"i":`...)
	return append(strconv.AppendUint(dst, uint64(t.I), 10), `}}`...)
}

func appendExtRegex(dst []byte, r Regex) []byte {
	dst = appendQuoted(append(dst, `{"$regularExpression":{"pattern":`...), r.Pattern)
	dst = appendQuoted(append(dst, `,"options":`...), sortedOptions(r.Options))
	return append(dst, `}}`...)
}

func appendExtDBPointer(dst []byte, p DBPointer) []byte {
	dst = appendQuoted(append(dst, `{"$dbPointer":{"$ref":`...), p.DB)
	dst = appendExtObjectID(append(dst, `,"$id":`...), p.Pointer[:])
	return append(dst, `}}`...)
}

// appendQuoted adds s as a JSON string. JSON has to escape quotes, backslashes
// and control characters, and nothing else.
func appendQuoted[S string | []byte](dst []byte, s S) []byte {
	dst = append(dst, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, `\u00`...)
			dst = hex.AppendEncode(dst, []byte{c})
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}
