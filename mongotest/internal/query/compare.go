package query

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"strings"

	"github.com/motor-go/motor/bson"
)

// rank is the place of a type in the order of all values; types of one rank
// compare by value. A missing value ranks with undefined.
func rank(t bson.Type) int {
	switch t {
	case bson.TypeMinKey:
		return -1
	case 0, bson.TypeUndefined:
		return 0
	case bson.TypeNull:
		return 5
	case bson.TypeInt32, bson.TypeInt64, bson.TypeDouble, bson.TypeDecimal128:
		return 10
	case bson.TypeString, bson.TypeSymbol:
		return 15
	case bson.TypeEmbeddedDocument:
		return 20
	case bson.TypeArray:
		return 25
	case bson.TypeBinary:
		return 30
	case bson.TypeObjectID:
		return 35
	case bson.TypeBoolean:
		return 40
	case bson.TypeDateTime:
		return 45
	case bson.TypeTimestamp:
		return 47
	case bson.TypeRegex:
		return 50
	case bson.TypeDBPointer:
		return 55
	case bson.TypeJavaScript:
		return 60
	case bson.TypeCodeWithScope:
		return 65
	}
	return 127
}

// Compare orders any two values as the server sorts them: by rank of type
// first, numbers of all types by value, documents field by field. A nil
// collation compares strings by their bytes.
func Compare(a, b bson.RawValue, c *Collation) int {
	if x := cmp.Compare(rank(a.Type), rank(b.Type)); x != 0 {
		return x
	}
	switch a.Type {
	case bson.TypeInt32, bson.TypeInt64, bson.TypeDouble, bson.TypeDecimal128:
		return compareNumbers(a, b)
	case bson.TypeString, bson.TypeSymbol:
		return c.Compare(text(a), text(b))
	case bson.TypeEmbeddedDocument:
		return CompareDocuments(a.Value, b.Value, c)
	case bson.TypeArray:
		return compareArrays(a.Value, b.Value, c)
	case bson.TypeBinary:
		x, _ := a.Binary()
		y, _ := b.Binary()
		return cmp.Or(cmp.Compare(len(x.Data), len(y.Data)), cmp.Compare(x.Subtype, y.Subtype), bytes.Compare(x.Data, y.Data))
	case bson.TypeObjectID, bson.TypeBoolean:
		return bytes.Compare(a.Value, b.Value)
	case bson.TypeDateTime:
		x, _ := a.DateTime()
		y, _ := b.DateTime()
		return cmp.Compare(x, y)
	case bson.TypeTimestamp:
		return cmp.Compare(binary.LittleEndian.Uint64(a.Value), binary.LittleEndian.Uint64(b.Value))
	case bson.TypeRegex:
		x, _ := a.Regex()
		y, _ := b.Regex()
		return cmp.Or(strings.Compare(x.Pattern, y.Pattern), strings.Compare(x.Options, y.Options))
	case bson.TypeDBPointer:
		return cmp.Or(cmp.Compare(len(a.Value), len(b.Value)), bytes.Compare(a.Value, b.Value))
	case bson.TypeJavaScript:
		return strings.Compare(text(a), text(b))
	case bson.TypeCodeWithScope:
		x, xs, _ := a.CodeWithScope()
		y, ys, _ := b.CodeWithScope()
		return cmp.Or(strings.Compare(x, y), CompareDocuments(xs, ys, c))
	}
	return 0
}

// Equal reports whether Compare finds no difference.
func Equal(a, b bson.RawValue, c *Collation) bool { return Compare(a, b, c) == 0 }

// CompareDocuments orders documents field by field: by rank of type, then
// name, then value. A document that is the beginning of another comes first.
func CompareDocuments(a, b bson.Raw, c *Collation) int {
	return compareElements(a, b, func(ak, bk string, av, bv bson.RawValue) int {
		return cmp.Or(cmp.Compare(rank(av.Type), rank(bv.Type)), strings.Compare(ak, bk), Compare(av, bv, c))
	})
}

func compareArrays(a, b bson.Raw, c *Collation) int {
	return compareElements(a, b, func(_, _ string, av, bv bson.RawValue) int { return Compare(av, bv, c) })
}

func compareElements(a, b bson.Raw, compare func(ak, bk string, av, bv bson.RawValue) int) int {
	as, bs := fields(a), fields(b)
	for i := range min(len(as), len(bs)) {
		if x := compare(as[i].key, bs[i].key, as[i].value, bs[i].value); x != 0 {
			return x
		}
	}
	return cmp.Compare(len(as), len(bs))
}

// field is one element of a document.
type field struct {
	key   string
	value bson.RawValue
}

func fields(doc bson.Raw) []field {
	var out []field
	for k, v := range doc.All() {
		out = append(out, field{k, v})
	}
	return out
}

// compareNumbers is exact across types. NaN equals NaN and is lowest.
func compareNumbers(a, b bson.RawValue) int {
	if a.Type == bson.TypeDecimal128 || b.Type == bson.TypeDecimal128 {
		return exactDecimal(a).cmp(exactDecimal(b))
	}
	x, xi := a.Double()
	y, yi := b.Double()
	switch {
	case xi && yi:
		return compareDoubles(x, y)
	case xi:
		n, _ := b.AsInt64()
		return -compareIntDouble(n, x)
	case yi:
		n, _ := a.AsInt64()
		return compareIntDouble(n, y)
	}
	m, _ := a.AsInt64()
	n, _ := b.AsInt64()
	return cmp.Compare(m, n)
}

func compareDoubles(x, y float64) int {
	if x == y { // -0 and 0 too
		return 0
	}
	return cmp.Compare(x, y) // NaN lowest
}

func compareIntDouble(n int64, f float64) int {
	switch {
	case math.IsNaN(f):
		return 1
	case f >= 1<<63:
		return -1
	case f < -1<<63:
		return 1
	}
	t := math.Trunc(f)
	return cmp.Or(cmp.Compare(n, int64(t)), cmp.Compare(0, f-t))
}
