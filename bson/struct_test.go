package bson

import (
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

// textKey is a map key that writes and reads itself.
type textKey struct{ n byte }

func (k textKey) MarshalText() ([]byte, error) { return []byte{'k', k.n}, nil }

func (k *textKey) UnmarshalText(b []byte) error {
	if len(b) != 2 {
		return errors.New("not two bytes")
	}
	k.n = b[1]
	return nil
}

// zeroer is zero when it says so.
type zeroer struct{ N int }

func (z zeroer) IsZero() bool { return z.N == 99 }

// pointerZeroer has IsZero on its pointer.
type pointerZeroer struct{ N int }

func (z *pointerZeroer) IsZero() bool { return z.N == 99 }

type (
	named     string
	namedInts []int
	namedMap  map[string]any
	linked    struct {
		V    int
		Next *linked `bson:",omitempty"`
	}
	Embedded struct{ E int }
)

var (
	when   = time.UnixMilli(1_700_000_000_123).UTC()
	link   = &url.URL{Scheme: "https", Host: "example.org"}
	number = int32(5)
)

// TestMarshalTypes shows what each Go type becomes.
func TestMarshalTypes(t *testing.T) {
	for _, c := range []struct {
		name string
		v    any
		want D
	}{
		{"names", struct {
			FooBar int32
			Other  int32 `bson:"x"`
			Skip   int32 `bson:"-"`
			hidden int32
			Plain  int32 `json:"y"`
		}{1, 2, 3, 4, 5}, D{{"foobar", int32(1)}, {"x", int32(2)}, {"plain", int32(5)}}},
		{
			"integers",
			struct {
				I    int
				Big  int
				I8   int8
				I64  int64
				U8   uint8
				U32  uint32
				U64  uint64
				Min  int64  `bson:",minsize"`
				UMin uint64 `bson:",minsize"`
				Nest struct {
					I64 int64
				} `bson:",minsize"`
			}{I: 1, Big: 1 << 40, I8: -1, I64: 2, U8: 3, U32: 4, U64: 5, Min: 6, UMin: 7},
			D{
				{"i", int32(1)},
				{"big", int64(1 << 40)},
				{"i8", int32(-1)},
				{"i64", int64(2)},
				{"u8", int32(3)},
				{"u32", int64(4)},
				{"u64", int64(5)},
				{"min", int32(6)},
				{"umin", int32(7)},
				{"nest", D{{"i64", int32(0)}}},
			},
		},
		{"omitempty", struct {
			A int             `bson:",omitempty"`
			B string          `bson:",omitempty"`
			C []int           `bson:",omitempty"`
			D map[string]int  `bson:",omitempty"`
			E *int32          `bson:",omitempty"`
			F any             `bson:",omitempty"`
			G time.Time       `bson:",omitempty"`
			H zeroer          `bson:",omitempty"`
			I struct{ X int } `bson:",omitempty"`
			J [0]int          `bson:",omitempty"`
			K any             `bson:",omitempty"`
			L *zeroer         `bson:",omitempty"`
		}{C: []int{}, H: zeroer{99}, K: 0, L: &zeroer{99}}, D{{"i", D{{"x", int32(0)}}}, {"k", int32(0)}}},
		{"omitzero", struct {
			A int             `bson:",omitzero"`
			B []int           `bson:",omitzero"`
			C []int           `bson:",omitzero"`
			D struct{ X int } `bson:",omitzero"`
			E zeroer          `bson:",omitzero"`
			F pointerZeroer   `bson:",omitzero"`
			G zeroer          `bson:",omitzero"`
			H time.Time       `bson:",omitzero"`
			I *zeroer         `bson:",omitzero"`
		}{C: []int{}, E: zeroer{99}, F: pointerZeroer{99}}, D{{"c", A{}}, {"g", D{{"n", int32(0)}}}}},
		{"embedded", struct{ Embedded }{Embedded{1}}, D{{"embedded", D{{"e", int32(1)}}}}},
		{
			"inline",
			struct {
				A        int32
				Embedded `bson:",inline"`
				P        *inner         `bson:",inline"`
				Nil      *linked        `bson:",inline"`
				M        map[string]any `bson:",inline"`
			}{A: 1, Embedded: Embedded{2}, P: &inner{3, 4}, M: map[string]any{"m": "v"}},
			D{{"a", int32(1)}, {"e", int32(2)}, {"x", int32(3)}, {"y", int32(4)}, {"m", "v"}},
		},
		{"outer wins", struct {
			E        string
			Embedded `bson:",inline"`
		}{E: "outer"}, D{{"e", "outer"}}},
		{"nils", struct {
			P *int
			S []int
			B []byte
			M map[string]int
			I any
			D D
			R Raw
			E error
		}{}, D{{"p", nil}, {"s", nil}, {"b", nil}, {"m", nil}, {"i", nil}, {"d", nil}, {"r", nil}, {"e", nil}}},
		{
			"own types",
			struct {
				T  time.Time
				B  []byte
				A  [2]byte
				N  named
				NI namedInts
				NM namedMap
				J  json.Number
				JF json.Number
				U  url.URL
				PU *url.URL
				F  float32
				L  *linked
				E  [1]E
			}{when, []byte{1}, [2]byte{2, 3}, "n", namedInts{1}, namedMap{"a": true}, "12", "1.5", *link, link, 1.5, &linked{1, &linked{2, nil}}, [1]E{{"k", "v"}}},
			D{
				{"t", NewDateTime(when)},
				{"b", Binary{0, []byte{1}}},
				{"a", Binary{0, []byte{2, 3}}},
				{"n", "n"},
				{"ni", A{int32(1)}},
				{"nm", D{{"a", true}}},
				{"j", int64(12)},
				{"jf", 1.5},
				{"u", "https://example.org"},
				{"pu", "https://example.org"},
				{"f", 1.5},
				{"l", D{{"v", int32(1)}, {"next", D{{"v", int32(2)}}}}},
				{"e", D{{"k", "v"}}},
			},
		},
		{
			"map keys",
			struct {
				I map[int8]string
				U map[uint]string
				T map[textKey]string
				N map[named]string
			}{map[int8]string{-1: "a"}, map[uint]string{2: "b"}, map[textKey]string{{'x'}: "c"}, map[named]string{"n": "d"}},
			D{{"i", D{{"-1", "a"}}}, {"u", D{{"2", "b"}}}, {"t", D{{"kx", "c"}}}, {"n", D{{"n", "d"}}}},
		},
		{
			"pointer shapes",
			struct {
				One any
				Map any
				Arr any
			}{struct{ P *int32 }{&number}, map[string]int32{"k": 1}, [1]*int32{&number}},
			D{{"one", D{{"p", int32(5)}}}, {"map", D{{"k", int32(1)}}}, {"arr", A{int32(5)}}},
		},
		{"long key", struct {
			A int32  `bson:"a_key_of_more_than_thirty_two_bytes_in_all"`
			B string `bson:"another_key_of_more_than_thirty_two_bytes_in_all"`
		}{1, "b"}, D{{"a_key_of_more_than_thirty_two_bytes_in_all", int32(1)}, {"another_key_of_more_than_thirty_two_bytes_in_all", "b"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := Marshal(c.v)
			if err != nil {
				t.Fatal(err)
			}
			if err := Raw(b).Validate(); err != nil {
				t.Fatal(err)
			}
			if want := slowDocument(c.want); string(b) != string(want) {
				t.Fatalf("got  %v\nwant %v", Raw(b), want)
			}
			p := reflect.New(reflect.TypeOf(c.v))
			p.Elem().Set(reflect.ValueOf(c.v))
			if ofPointer, err := Marshal(p.Interface()); err != nil || string(ofPointer) != string(b) {
				t.Fatalf("its pointer becomes %v, %v", Raw(ofPointer), err)
			}
		})
	}
}

// TestUnmarshalTypes shows what each BSON value becomes in each Go type, and
// what cannot become it.
func TestUnmarshalTypes(t *testing.T) {
	id := NewObjectID()
	for _, c := range []struct {
		name string
		v    any
		want any // of the type to decode into; an error's text for its zero value
		err  string
	}{
		{"double to int", 3.0, int(3), ""},
		{"fraction to int", 3.5, int(0), "no integer"},
		{"NaN to int", math.NaN(), int64(0), "no integer"},
		{"large double to int64", 1e19, int64(0), "overflows int64"},
		{"2^63 to int64", float64(1 << 63), int64(0), "overflows int64"},
		{"int64 to int8", int64(300), int8(0), "overflows int8"},
		{"int64 to int32", int64(7), int32(7), ""},
		{"large int64 to int32", int64(1 << 40), int32(0), "overflows int32"},
		{"negative to uint", int32(-1), uint(0), "overflows uint"},
		{"int64 to uint16", int64(65535), uint16(65535), ""},
		{"bool to int", true, int32(1), ""},
		{"string to int", "1", int(0), "takes a number"},
		{"int to bool", int32(2), true, ""},
		{"double to bool", 0.0, false, ""},
		{"string to bool", "", false, "takes a boolean"},
		{"int64 to float64", int64(1 << 40), float64(1 << 40), ""},
		{"double to float32", 1.5, float32(1.5), ""},
		{"precise double to float32", 0.1, float32(0), "loses precision"},
		{"symbol to string", Symbol("s"), "s", ""},
		{"binary to string", Binary{0, []byte("b")}, "b", ""},
		{"UUID to string", Binary{4, []byte("b")}, "", "subtype 0 or 2"},
		{"objectID to string", id, "", "ObjectIDAsHexString"},
		{"int to string", int32(1), "", "takes a string"},
		{"string to named", "n", named("n"), ""},
		{"string to ObjectID", id.Hex(), id, ""},
		{"bytes to ObjectID", "123456789012", ObjectID([]byte("123456789012")), ""},
		{"short string to ObjectID", "1234", ObjectID{}, "24 hexadecimal"},
		{"dateTime to Time", NewDateTime(when), when, ""},
		{"string to Time", "2023-11-14T22:13:20.123Z", when, ""},
		{"int64 to Time", when.UnixMilli(), when, ""},
		{"timestamp to Time", Timestamp{1_700_000_000, 1}, time.Unix(1_700_000_000, 0).UTC(), ""},
		{"bool to Time", true, time.Time{}, "takes a dateTime"},
		{"string to bytes", "b", []byte("b"), ""},
		{"old binary to bytes", Binary{2, []byte("b")}, []byte("b"), ""},
		{"array to bytes", A{int32(1), int32(2)}, []byte{1, 2}, ""},
		{"binary to array", Binary{0, []byte{1, 2}}, [3]byte{1, 2}, ""},
		{"UUID to array", UUID{1}.Binary(), [16]byte{1}, ""},
		{"UUID to array of another size", UUID{1}.Binary(), [17]byte{}, "subtype 0 or 2"},
		{"short UUID to array", Binary{BinaryUUID, []byte{1}}, [16]byte{}, "4 and 1 bytes is not a UUID"},
		{"old UUID to array", Binary{BinaryUUIDOld, make([]byte, 16)}, [16]byte{}, "option UUIDs"},
		{"long binary to array", Binary{0, []byte{1, 2}}, [1]byte{}, "do not fit"},
		{"array to array", A{int32(1)}, [2]int{1}, ""},
		{"long array to array", A{int32(1), int32(2)}, [1]int{}, "do not fit"},
		{"array to slice", A{"a", "b"}, []string{"a", "b"}, ""},
		{"empty array to slice", A{}, []string{}, ""},
		{"document to slice", D{}, []string(nil), "takes an array"},
		{"array to struct", A{}, inner{}, "takes a document"},
		{"document to struct", D{{"x", int32(1)}, {"Y", int32(2)}, {"z", 3}}, inner{1, 2}, ""},
		{"document to map", D{{"-3", "a"}}, map[int]string{-3: "a"}, ""},
		{"document to map of text keys", D{{"kx", "a"}}, map[textKey]string{{'x'}: "a"}, ""},
		{"document to map of wrong keys", D{{"x", "a"}}, map[int]string(nil), `"x" is no int`},
		{"document to array of E", D{{"k", "v"}}, [1]E{{"k", "v"}}, ""},
		{"int to json.Number", int32(5), json.Number("5"), ""},
		{"double to json.Number", 1.5, json.Number("1.5"), ""},
		{"string to URL", "https://example.org", *link, ""},
		{"int to Decimal128", int32(1), Decimal128{}, "takes a decimal128"},
		{"any to RawValue", int32(1), RawValue{TypeInt32, []byte{1, 0, 0, 0}}, ""},
		{"int to Raw", int32(1), Raw(nil), "takes a document or an array"},
		{"document to RawArray", D{}, RawArray(nil), "takes an array"},
		{"value to chan", int32(1), (chan int)(nil), "BSON has no such values"},
		{"value to interface", int32(1), error(nil), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want == nil {
				return
			}
			v, err := MarshalValue(c.v)
			if err != nil {
				t.Fatal(err)
			}
			into := reflect.New(reflect.TypeOf(c.want))
			err = v.Unmarshal(into.Interface())
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("the error is %v instead of %q", err, c.err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(into.Elem().Interface(), c.want) {
				t.Fatalf("got %#v, %v", into.Elem(), err)
			}
			// Null is the zero value of everything.
			null := RawValue{Type: TypeNull}
			if err := null.Unmarshal(into.Interface()); err != nil {
				t.Fatal(err)
			}
			if _, isRaw := c.want.(RawValue); !isRaw && !into.Elem().IsZero() {
				t.Fatalf("null becomes %#v", into.Elem())
			}
		})
	}
}

func TestUnmarshalInto(t *testing.T) {
	doc := slowDocument(D{{"s", A{int32(1), int32(2)}}, {"m", D{{"b", int32(2)}}}, {"p", D{{"x", int32(1)}}}, {"i", D{{"x", int32(3)}}}, {"a", A{int32(1), D{{"y", int32(4)}}}}})
	memory := make([]int, 3, 10)
	v := struct {
		S []int
		M map[string]int
		P *inner
		I any
		A []any
	}{S: memory, M: map[string]int{"a": 1}, P: &inner{0, 7}, I: &inner{0, 8}, A: A{nil, &inner{0, 0}, "gone"}}
	p := v.P
	if err := Unmarshal(doc, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.S) != 2 || &v.S[0] != &memory[0] {
		t.Errorf("the slice %v has moved", v.S)
	}
	if len(v.M) != 2 || v.M["b"] != 2 {
		t.Errorf("the map is %v", v.M)
	}
	if v.P != p || *p != (inner{1, 7}) {
		t.Errorf("the pointer leads to %v", *v.P)
	}
	if i, ok := v.I.(*inner); !ok || *i != (inner{3, 8}) {
		t.Errorf("the interface holds %v", v.I)
	}
	if len(v.A) != 2 || v.A[0] != int32(1) || *v.A[1].(*inner) != (inner{0, 4}) {
		t.Errorf("the elements are %v", v.A)
	}
	for _, dst := range []any{nil, inner{}, (*inner)(nil), map[string]any(nil)} {
		if err := Unmarshal(doc, dst); err == nil {
			t.Errorf("%T took a document", dst)
		}
	}
	m := map[string]any{}
	if err := Unmarshal(doc, m); err != nil || len(m) != 5 {
		t.Errorf("a map became %v, %v", m, err)
	}
}

func TestStructErrors(t *testing.T) {
	type self struct {
		*inner `bson:"x"`
		Self   *struct{ X int } `bson:",inline"`
		X      int
	}
	for _, c := range []struct {
		v    any
		want string
	}{
		{struct {
			A int `bson:"x"`
			B int `bson:"x"`
		}{}, `two fields have the key "x"`},
		{struct {
			A map[string]int `bson:",inline"`
			B map[string]int `bson:",inline"`
		}{}, "two maps are inlined"},
		{struct {
			A int `bson:",inline"`
		}{}, "can be inlined, not int"},
		{struct {
			A map[int]int `bson:",inline"`
		}{}, "string keys"},
		{struct {
			A int            `bson:"a"`
			M map[string]int `bson:",inline"`
		}{M: map[string]int{"a": 1}}, "the same key"},
		{struct{ C chan int }{}, "BSON has no such values"},
		{struct{ F func() }{}, "BSON has no such values"},
		{struct{ U uint64 }{1 << 63}, "overflows int64"},
		{map[float64]int{1: 1}, "a map key is a string"},
		{struct{ T time.Time }{time.Unix(1<<60, 0)}, "from the year -292275055 to 292278994"},
		{D{{"t", time.Unix(math.MinInt64/1000-2, 999_000_000)}}, "from the year"},
		{E{"a", 1}, "bson.D{{key, value}}"},
		{&E{"a", 1}, "bson.D{{key, value}}"},
		{D{{"a\x00b", 1}}, "contains NUL"},
		{D{{"\xff", 1}}, "not valid UTF-8"},
		{map[string]string{"a": "\xff"}, "not valid UTF-8"},
		{struct{ R Regex }{Regex{"a\x00", ""}}, "contains NUL"},
		{struct{ R Raw }{Raw{1, 2, 3}}, "needs 5 bytes"},
		{struct{ R RawValue }{RawValue{TypeInt32, nil}}, "no whole value"},
		{struct{ R RawValue }{}, "no whole value"},
		{struct{ C CodeWithScope }{CodeWithScope{Scope: 1}}, "not a document"},
		{A{1}, "not a document"},
		{5, "not a document"},
		{nil, "nil is no document"},
		{(*inner)(nil), "not a document"},
	} {
		_, err := Marshal(c.v)
		if e, ok := errors.AsType[*EncodeError](err); !ok || !strings.Contains(e.Error(), c.want) {
			t.Errorf("%#v: the error is %v instead of %q", c.v, err, c.want)
		}
		dst := []byte("before")
		if dst, err := Append(dst, c.v); err == nil || string(dst) != "before" {
			t.Errorf("%#v: Append gives %q, %v", c.v, dst, err)
		}
	}
	if b, err := Marshal(self{Self: &struct{ X int }{1}, X: 2}); err != nil {
		t.Errorf("%v %v", Raw(b), err)
	}
	for _, ms := range []int64{math.MinInt64, -1, math.MaxInt64} {
		if v, err := MarshalValue(time.UnixMilli(ms)); err != nil || !sameValue(slowAny(v), DateTime(ms)) {
			t.Errorf("%d ms become %v, %v", ms, v, err)
		}
	}
	// Options are unknown only in tags for this package.
	if _, err := (Options{UseJSONStructTags: true}).Marshal(struct {
		A int `json:"a,string"`
		c int `bson:"c,whatever"`
		D int `bson:"d,,omitempty,"`
	}{}); err != nil {
		t.Error(err)
	}
	// What stands for an empty document where there must be one.
	for _, v := range []any{D(nil), M(nil), map[string]int(nil), Raw(nil)} {
		if b, err := Marshal(v); err != nil || string(b) != "\x05\x00\x00\x00\x00" {
			t.Errorf("%T(nil) becomes %x, %v", v, b, err)
		}
	}
}

// Structs written for other drivers may have options that only those know.
func TestUnknownTagOptionsMeanNothing(t *testing.T) {
	got, err := Marshal(struct {
		A int `bson:"a,flow,"`
	}{})
	if want := slowDocument(D{{"a", int32(0)}}); err != nil || string(got) != string(want) {
		t.Errorf("%v, %v instead of %v", Raw(got), err, want)
	}
}
