package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	motor "github.com/motor-go/motor/bson"
	v2 "go.mongodb.org/mongo-driver/v2/bson"
)

// The types below have the hooks and tags that both packages know.

type celsius float64

func (c celsius) MarshalBSONValue() (byte, []byte, error) {
	t, b, err := v2.MarshalValue(fmt.Sprintf("%.1f C", float64(c)))
	return byte(t), b, err
}

func (c *celsius) UnmarshalBSONValue(typ byte, data []byte) error {
	if v2.Type(typ) != v2.TypeString {
		return errors.New("no string")
	}
	_, err := fmt.Sscanf(v2.RawValue{Type: v2.Type(typ), Value: data}.StringValue(), "%f C", (*float64)(c))
	return err
}

// point writes and reads itself as a document, by its pointer.
type point struct{ x, y int32 }

func (p *point) MarshalBSON() ([]byte, error) {
	return v2.Marshal(v2.D{{Key: "at", Value: v2.A{p.x, p.y}}})
}

func (p *point) UnmarshalBSON(data []byte) error {
	var d struct{ At [2]int32 }
	err := v2.Unmarshal(data, &d)
	p.x, p.y = d.At[0], d.At[1]
	return err
}

// span is zero when it says so.
type span struct{ From, To int }

func (s span) IsZero() bool { return s.From == s.To }

// word is a map key that writes and reads itself.
type word struct{ s string }

func (w word) MarshalText() ([]byte, error) { return []byte("w:" + w.s), nil }

func (w *word) UnmarshalText(b []byte) error {
	w.s = strings.TrimPrefix(string(b), "w:")
	return nil
}

// level is the same for the hooks that keys alone have.
type level struct{ n int }

func (l level) MarshalKey() (string, error) { return fmt.Sprint("level ", l.n), nil }

func (l *level) UnmarshalKey(key string) error {
	_, err := fmt.Sscanf(key, "level %d", &l.n)
	return err
}

type (
	text    string
	count32 int32
	bits    []byte
	list    []string
	table   map[string]int32
	tree    struct {
		Name     string
		Children []tree           `bson:",omitempty"`
		Left     *tree            `bson:",omitempty"`
		Named    map[string]*tree `bson:",omitempty"`
	}
	Base struct {
		ID      int32 `bson:"_id"`
		Shadow  string
		private int
	}
	Other struct{ Extra *string }
)

type everyKind struct {
	Bool    bool
	Int     int
	Big     int
	Int8    int8
	Int16   int16
	Int32   int32
	Int64   int64
	Uint    uint
	Uint8   uint8
	Uint16  uint16
	Uint32  uint32
	Uint64  uint64
	Float32 float32
	Float64 float64
	String  string
	Bytes   []byte
	Array   [3]byte
	Slice   []int32
	Nested  [][]string
	Fixed   [2]string
	Map     map[string]float64
	Ints    map[int16]string
	Uints   map[uint]string
	Words   map[word]int32
	Levels  map[level]int32
	Texts   map[text]int32
	Any     any
	Time    time.Time
	Pointer *int64
	Twice   **string
	Number  json.Number
	Double  json.Number
	URL     url.URL
	Text    text
	Named   count32
	Bits    bits
	List    list
	Table   table
	Celsius celsius
	Degrees []celsius
	Point   point
	Points  []*point
	Tree    tree
}

type tagged struct {
	Renamed  string `bson:"other_name"`
	JSON     string `json:"not_this"`
	Dash     string `bson:"-"`
	hidden   string
	Small    int64   `bson:",minsize"`
	SmallU   uint32  `bson:"smallu,minsize,omitempty"`
	Lists    []int64 `bson:",minsize"`
	Cut      int     `bson:",truncate"`
	CutFloat float32 `bson:",truncate"`
	Base     `bson:",inline"`
	*Other   `bson:",inline"`
	Embedded Other
	Shadow   string
	Rest     map[string]any `bson:",inline"`
}

type omitted struct {
	Bool   bool              `bson:",omitempty"`
	Int    int               `bson:",omitempty"`
	Float  float64           `bson:",omitempty"`
	String string            `bson:",omitempty"`
	Slice  []int             `bson:",omitempty"`
	Map    map[string]string `bson:",omitempty"`
	Array  [0]int            `bson:",omitempty"`
	Fixed  [2]int            `bson:",omitempty"`
	Ptr    *int              `bson:",omitempty"`
	Any    any               `bson:",omitempty"`
	Time   time.Time         `bson:",omitempty"`
	Span   span              `bson:",omitempty"`
	SpanP  *span             `bson:",omitempty"`
	Struct Other             `bson:",omitempty"`
	Point  point             `bson:",omitempty"`
	Num    json.Number       `bson:",omitempty"`
	URL    *url.URL          `bson:",omitempty"`
	Bytes  []byte            `bson:",omitempty"`
}

func pointer[T any](v T) *T { return &v }

// sameValues are values that both packages must write alike, byte for byte, and
// read back alike.
func sameValues() []any {
	keyless := reflect.New(reflect.StructOf([]reflect.StructField{
		{Name: "Plain", Type: reflect.TypeFor[string](), Tag: "whole_tag,omitempty"},
		{Name: "Left", Type: reflect.TypeFor[string](), Tag: "-"},
	})).Elem()
	keyless.Field(0).SetString("a")
	keyless.Field(1).SetString("b")
	when := time.UnixMilli(1_700_000_000_123).UTC()
	link := url.URL{Scheme: "https", Host: "example.org", Path: "/a b"}
	return []any{
		&everyKind{Number: "0", Double: "0"},
		&everyKind{
			true, 1, 1 << 40, -8, -16, -32, -64, 1, 8, 16, 32, 64, 1.5, math.Pi, "grüße",
			[]byte{0, 1},
			[3]byte{1, 2, 3},
			[]int32{1, 2},
			[][]string{{"a"}, nil, {}},
			[2]string{"x", "y"},
			map[string]float64{"": math.Inf(-1)},
			map[int16]string{-5: "a"},
			map[uint]string{7: "b"},
			map[word]int32{{"k"}: 1},
			map[level]int32{{3}: 1},
			map[text]int32{"t": 1},
			"any", when, pointer(int64(1)), pointer(pointer("twice")), "12", "1.5", link, "text", 5,
			bits{1},
			list{"l"},
			table{"t": 1},
			21.5,
			[]celsius{1, -2},
			point{1, 2},
			[]*point{{3, 4}},
			tree{"root", []tree{{Name: "a"}, {Name: "b", Left: &tree{Name: "c"}}}, &tree{}, map[string]*tree{"n": {Name: "d"}}},
		},
		&everyKind{Number: "0", Double: "0", Any: map[string]any{"x": []any{1, "a", nil, true, 2.5}}},
		&everyKind{Number: "0", Double: "0", Any: []any{map[string]int{"a": 1}, []string{"b"}, struct{ C int8 }{1}, pointer(int32(3)), celsius(4)}},
		&tagged{},
		tagged{"a", "c", "d", "e", 1, 2, []int64{3, 1 << 40}, 4, 5, Base{6, "inner", 7}, &Other{pointer("f")}, Other{}, "outer", map[string]any{"more": "g"}},
		&omitted{},
		&omitted{Span: span{1, 1}, SpanP: &span{2, 2}, Struct: Other{}, Slice: []int{}, Map: map[string]string{}, Any: 0},
		&omitted{true, 1, 1, "s", []int{0}, map[string]string{"": ""}, [0]int{}, [2]int{1, 0}, new(int), "", when, span{1, 2}, &span{3, 4}, Other{pointer("")}, point{}, "0", &link, []byte{0}},
		keyless.Interface(),
		map[string]*tree{"a": {Name: "b"}},
		map[text]any{"k": nil},
		struct{ A, B any }{int8(1), uint16(2)},
		struct{ Min, Max uint64 }{0, math.MaxInt64},
		struct{ F []float32 }{[]float32{1.5, float32(math.Inf(1))}},
	}
}

func TestSameBytesAndValues(t *testing.T) {
	for i, v := range sameValues() {
		t.Run(fmt.Sprintf("%d %T", i, v), func(t *testing.T) {
			want, err := v2.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			got, err := motor.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				for i, e := range must(v2.Raw(want).Elements()) {
					if g := must(v2.Raw(got).Elements())[i]; !bytes.Equal(g, e) {
						t.Errorf("got  %v\nwant %v", g, e)
					}
				}
				t.Fatalf("%d bytes instead of %d", len(got), len(want))
			}
			typ := reflect.TypeOf(v)
			if typ.Kind() == reflect.Pointer {
				typ = typ.Elem()
			}
			a, b := reflect.New(typ), reflect.New(typ)
			errA, errB := motor.Unmarshal(want, a.Interface()), v2.Unmarshal(want, b.Interface())
			if errA != nil || errB != nil {
				t.Fatalf("decoding: %v, %v", errA, errB)
			}
			if got, want := must(motor.Marshal(a.Interface())), must(v2.Marshal(b.Interface())); !bytes.Equal(got, want) {
				t.Fatalf("got  %v\nwant %v", v2.Raw(got), v2.Raw(want))
			}
		})
	}
}

// bsonValues are values of all BSON types.
func bsonValues() []any {
	id, _ := v2.ObjectIDFromHex("0123456789abcdef01234567")
	dec, _ := v2.ParseDecimal128("1.5")
	return []any{
		1.0, 1.5, -3.0, 0.1, math.NaN(), math.Inf(1), 1e300, 3e9, 1e19, float64(1 << 53),
		"", "a", "123456789012", id.Hex(), "2023-11-14T22:13:20.123Z", "5", "https://example.org",
		v2.D{},
		v2.D{{Key: "x", Value: int32(1)}},
		v2.D{{Key: "1", Value: "a"}},
		v2.D{{Key: "w:k", Value: int32(1)}},
		v2.D{{Key: "level 2", Value: int32(1)}},
		v2.A{},
		v2.A{int32(1), int32(2)},
		v2.A{"a"},
		v2.A{v2.D{}},
		v2.A{nil},
		v2.A{int32(300)},
		v2.Binary{Data: []byte{1, 2}},
		v2.Binary{Subtype: 2, Data: []byte{3}},
		v2.Binary{Subtype: 4, Data: make([]byte, 16)},
		v2.Binary{Subtype: 0x80},
		v2.Undefined{},
		id, true, false, v2.DateTime(1_700_000_000_123), v2.DateTime(-1), nil,
		v2.Regex{Pattern: "a", Options: "i"},
		v2.DBPointer{DB: "d", Pointer: id},
		v2.JavaScript("f()"), v2.Symbol("sym"),
		v2.CodeWithScope{Code: "g()", Scope: v2.D{{Key: "x", Value: int32(1)}}},
		int32(0), int32(1), int32(-1), int32(300), int32(70000),
		v2.Timestamp{T: 1, I: 2},
		int64(0), int64(1), int64(-1), int64(1 << 40), int64(math.MaxInt64), dec,
		v2.MinKey{},
		v2.MaxKey{},
	}
}

// goTypes are types to decode into, the one of this project and the official.
func goTypes() [][2]reflect.Type {
	var types [][2]reflect.Type
	for _, v := range []any{
		false, 0, int8(0), int16(0), int32(0), int64(0), uint(0), uint8(0), uint16(0), uint32(0), uint64(0), float32(0), 0.0, "",
		[]byte{},
		[2]byte{},
		[1]byte{},
		[]int32{},
		[]string{},
		[]any{},
		[2]int{},
		[1]string{},
		[0]int{},
		map[string]any{},
		map[string]int{},
		map[int]string{},
		map[word]int{},
		map[level]int{},
		time.Time{},
		json.Number(""),
		url.URL{},
		text(""), count32(0),
		bits{},
		list{},
		table{},
		celsius(0),
		point{},
		struct{ X int8 }{},
		(*int)(nil), (*string)(nil), (*url.URL)(nil), (*point)(nil), (*celsius)(nil),
		map[string]*int32{},
		[]*string{},
		(**int)(nil),
		[]point{},
		span{},
		tree{},
	} {
		types = append(types, [2]reflect.Type{reflect.TypeOf(v), reflect.TypeOf(v)})
	}
	both := func(a, b any) {
		types = append(types, [2]reflect.Type{reflect.TypeOf(a).Elem(), reflect.TypeOf(b).Elem()})
	}
	both(new(any), new(any))
	both(new(motor.D), new(v2.D))
	both(new(motor.M), new(v2.M))
	both(new(motor.A), new(v2.A))
	both(new(motor.Raw), new(v2.Raw))
	both(new(motor.Binary), new(v2.Binary))
	both(new(motor.Undefined), new(v2.Undefined))
	both(new(motor.ObjectID), new(v2.ObjectID))
	both(new(motor.DateTime), new(v2.DateTime))
	both(new(motor.Null), new(v2.Null))
	both(new(motor.Regex), new(v2.Regex))
	both(new(motor.DBPointer), new(v2.DBPointer))
	both(new(motor.JavaScript), new(v2.JavaScript))
	both(new(motor.Symbol), new(v2.Symbol))
	both(new(motor.CodeWithScope), new(v2.CodeWithScope))
	both(new(motor.Timestamp), new(v2.Timestamp))
	both(new(motor.Decimal128), new(v2.Decimal128))
	both(new(motor.MinKey), new(v2.MinKey))
	both(new(motor.MaxKey), new(v2.MaxKey))
	both(new(*motor.ObjectID), new(*v2.ObjectID))
	both(new([]motor.M), new([]v2.M))
	both(new(map[string]motor.D), new(map[string]v2.D))
	return types
}

// taken are conversions without loss that the official package refuses.
var taken = map[string]bool{
	"double into float32":   true, // NaN
	"array into []uint8":    true,
	"symbol into main.bits": true, // it takes them for []byte itself
}

// TestSameConversions decodes every value into every type with both packages.
func TestSameConversions(t *testing.T) {
	for _, value := range bsonValues() {
		doc, err := v2.Marshal(v2.D{{Key: "v", Value: value}})
		if err != nil {
			t.Fatal(err)
		}
		for _, types := range goTypes() {
			var results [2]reflect.Value
			var errs [2]error
			for i, unmarshal := range []func([]byte, any) error{motor.Unmarshal, v2.Unmarshal} {
				holder := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "V", Type: types[i]}}))
				func() {
					defer func() {
						if r := recover(); r != nil {
							errs[i] = fmt.Errorf("panic: %v", r)
						}
					}()
					errs[i] = unmarshal(doc, holder.Interface())
				}()
				results[i] = holder.Elem().Field(0)
			}
			what := fmt.Sprintf("%v into %v", v2.Raw(doc).Lookup("v").Type, types[0])
			if (errs[0] == nil) != (errs[1] == nil) {
				if errs[0] != nil || !taken[what] {
					t.Errorf("%s: %v, official %v", what, errs[0], errs[1])
				}
				continue
			}
			if errs[0] != nil || isNil(results[0]) && isNil(results[1]) {
				continue
			}
			got, err := motor.MarshalValue(results[0].Addr().Interface())
			typ, want, errOfficial := v2.MarshalValue(results[1].Addr().Interface())
			if errOfficial != nil && results[0].IsZero() {
				continue // it cannot write all zero values
			}
			if err != nil || errOfficial != nil || byte(got.Type) != byte(typ) || !bytes.Equal(got.Value, want) {
				t.Errorf("%s: %v %v, official %v %v", what, results[0], err, results[1], errOfficial)
			}
		}
	}
}

func isNil(v reflect.Value) bool { return v.Kind() == reflect.Pointer && v.IsNil() }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
