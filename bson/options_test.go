package bson

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEncodingOptions(t *testing.T) {
	type inlined struct {
		A int32
		I struct{ A int32 } `bson:",inline"`
	}
	for _, c := range []struct {
		name string
		o    Options
		v    any
		want D
	}{
		{"UseJSONStructTags", Options{UseJSONStructTags: true}, struct {
			A int32 `json:"x,omitempty"`
			B int32 `json:"y" bson:"z"`
			C int32 `json:"-"`
		}{0, 1, 2}, D{{"z", int32(1)}}},
		{
			"IntMinSize",
			Options{IntMinSize: true},
			struct {
				I int64
				U uint64
				S []int64
				L int64
				A any
				D D
			}{1, 2, []int64{3}, 1 << 40, int64(4), D{{"x", int64(5)}}},
			D{{"i", int32(1)}, {"u", int32(2)}, {"s", A{int32(3)}}, {"l", int64(1 << 40)}, {"a", int32(4)}, {"d", D{{"x", int32(5)}}}},
		},
		{"NilMapAsEmpty", Options{NilMapAsEmpty: true}, struct {
			M M
			N map[string]int
			S []int
		}{}, D{{"m", D{}}, {"n", D{}}, {"s", nil}}},
		{"NilSliceAsEmpty", Options{NilSliceAsEmpty: true}, struct {
			S []int
			A A
			D D
			M M
			B []byte
		}{}, D{{"s", A{}}, {"a", A{}}, {"d", D{}}, {"m", nil}, {"b", nil}}},
		{"NilByteSliceAsEmpty", Options{NilByteSliceAsEmpty: true}, struct {
			B []byte
			S []int
		}{}, D{{"b", Binary{}}, {"s", nil}}},
		{"OmitZeroStruct", Options{OmitZeroStruct: true}, struct {
			A inner `bson:",omitempty"`
			B inner
			C struct{ In inner } `bson:",omitempty"`
		}{}, D{{"b", D{{"x", int32(0)}, {"y", int32(0)}}}}},
		{"OmitEmpty", Options{OmitEmpty: true}, struct {
			A int
			B string
			C []int
			D *int
			E inner
			F any
		}{}, D{{"e", D{}}}},
		{"StringifyMapKeysWithFmt", Options{StringifyMapKeysWithFmt: true}, struct {
			F map[float64]int32
			T map[textKey]int32
		}{map[float64]int32{1.5: 1}, map[textKey]int32{{7}: 2}}, D{{"f", D{{"1.5", int32(1)}}}, {"t", D{{"{7}", int32(2)}}}}},
		{"ErrorOnInlineDuplicates", Options{ErrorOnInlineDuplicates: true}, inlined{}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := c.o.Marshal(c.v)
			if c.want == nil {
				if err == nil || !strings.Contains(err.Error(), `two fields have the key "a"`) {
					t.Fatalf("the error is %v", err)
				}
				return
			}
			if want := slowDocument(c.want); err != nil || string(b) != string(want) {
				t.Fatalf("%v\ngot  %v\nwant %v", err, Raw(b), want)
			}
			if again, err := c.o.Append([]byte("x"), c.v); err != nil || string(again) != "x"+string(b) {
				t.Errorf("Append gives %q, %v", again, err)
			}
		})
	}
}

func TestDecodingOptions(t *testing.T) {
	id := ObjectID{1}
	uuid := UUID{1, 2, 3}
	for _, c := range []struct {
		name string
		o    Options
		v    any // of the element v
		into any // its type, and what it holds before
		want any // an error's text, or of the same type
	}{
		{"AllowTruncatingDoubles", Options{AllowTruncatingDoubles: true}, 1.9, 0, 1},
		{"AllowTruncatingDoubles", Options{AllowTruncatingDoubles: true}, 0.1, float32(0), float32(0.1)},
		{
			"BinaryAsSlice",
			Options{BinaryAsSlice: true},
			A{Binary{0, []byte{1}}, Binary{2, []byte{2}}, Binary{5, []byte{3}}},
			any(nil),
			A{[]byte{1}, []byte{2}, Binary{5, []byte{3}}},
		},
		{"DefaultDocumentM", Options{DefaultDocumentM: true}, D{{"a", A{D{{"b", D{}}}}}}, any(nil), M{"a": A{M{"b": M{}}}}},
		{"DefaultDocumentMap", Options{DefaultDocumentMap: true}, D{{"a", D{}}}, any(nil), map[string]any{"a": map[string]any{}}},
		{"DefaultDocumentM in D", Options{DefaultDocumentM: true}, D{{"a", D{}}}, D(nil), D{{"a", M{}}}},
		{"ObjectIDAsHexString", Options{ObjectIDAsHexString: true}, id, "", id.Hex()},
		{
			"UUIDs",
			Options{UUIDs: UUIDStandard},
			A{Binary{BinaryUUID, uuid[:]}, Binary{BinaryUUID, []byte{1}}},
			any(nil),
			A{uuid, Binary{BinaryUUID, []byte{1}}},
		},
		{"UUIDs to array", Options{UUIDs: UUIDJavaLegacy}, Binary{BinaryUUIDOld, []byte{8, 7, 6, 5, 4, 3, 2, 1, 16, 15, 14, 13, 12, 11, 10, 9}}, [16]byte{}, [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
		{"UUIDs to array", Options{UUIDs: UUIDJavaLegacy}, uuid.Binary(), [16]byte{}, [16]byte(uuid)},
		{"UseLocalTimeZone", Options{UseLocalTimeZone: true}, DateTime(5), time.Time{}, time.UnixMilli(5)},
		{"no ZeroMaps", Options{}, D{{"b", int32(2)}}, map[string]int{"a": 1}, map[string]int{"a": 1, "b": 2}},
		{"ZeroMaps", Options{ZeroMaps: true}, D{{"b", int32(2)}}, map[string]int{"a": 1}, map[string]int{"b": 2}},
		{"ZeroMaps of M", Options{ZeroMaps: true}, D{{"b", int32(2)}}, M{"a": 1}, M{"b": int32(2)}},
		{"no ZeroStructs", Options{}, D{{"y", int32(2)}}, inner{1, 1}, inner{1, 2}},
		{"ZeroStructs", Options{ZeroStructs: true}, D{{"y", int32(2)}}, inner{1, 1}, inner{0, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			typ := reflect.TypeFor[any]()
			if c.into != nil {
				typ = reflect.TypeOf(c.into)
			}
			holder := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "V", Type: typ}}))
			if c.into != nil {
				holder.Elem().Field(0).Set(reflect.ValueOf(c.into))
			}
			if err := c.o.Unmarshal(slowDocument(D{{"v", c.v}}), holder.Interface()); err != nil {
				t.Fatal(err)
			}
			if got := holder.Elem().Field(0).Interface(); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %#v, want %#v", got, c.want)
			}
		})
	}
}

// TestTruncate is about the tag, which holds for one field.
func TestTruncate(t *testing.T) {
	var v struct {
		Cut  int   `bson:",truncate"`
		Cuts []int `bson:",truncate"`
		Not  int
	}
	if err := Unmarshal(slowDocument(D{{"cut", 1.9}, {"cuts", A{2.9}}}), &v); err != nil || v.Cut != 1 || v.Cuts[0] != 2 {
		t.Errorf("%+v, %v", v, err)
	}
	if err := Unmarshal(slowDocument(D{{"not", 1.9}}), &v); err == nil {
		t.Errorf("%+v", v)
	}
}

func TestInlinedFieldsAreDecoded(t *testing.T) {
	type deeper struct{ Z *int }
	type middle struct {
		Y       int
		*deeper // is not exported, thus it is no field
	}
	type Deep struct{ Z *int }
	var v struct {
		X       int
		*inner  `bson:",inline"`
		*linked `bson:",inline"`
		Deep    *struct {
			*Deep `bson:",inline"`
		} `bson:",inline"`
		Mid  middle
		Rest map[string][]int `bson:",inline"`
	}
	doc := slowDocument(D{{"x", int32(1)}, {"z", int32(2)}, {"mid", D{{"y", int32(3)}}}, {"more", A{int32(4)}}, {"even", A{}}})
	if err := Unmarshal(doc, &v); err != nil {
		t.Fatal(err)
	}
	if v.X != 1 || v.inner != nil || *v.Deep.Deep.Z != 2 || v.Mid.Y != 3 || !reflect.DeepEqual(v.Rest, map[string][]int{"more": {4}, "even": {}}) {
		t.Errorf("%+v", v)
	}
	err := Unmarshal(slowDocument(D{{"wrong", A{"s"}}}), &v)
	if e, ok := err.(*DecodeError); !ok || e.Path != "wrong.0" {
		t.Errorf("the error is %v", err)
	}
}

func TestAppendAny(t *testing.T) {
	dst, at := BeginDocument(nil)
	var err error
	for _, e := range []E{{"a", int32(1)}, {"b", A{"x"}}, {"c", inner{1, 2}}, {"d", nil}} {
		if dst, err = AppendAny(dst, e.Key, e.Value); err != nil {
			t.Fatal(err)
		}
	}
	before := len(dst)
	for _, e := range []E{{"a\x00", 1}, {"a", make(chan int)}, {"a", "\xff"}} {
		if dst, err = AppendAny(dst, e.Key, e.Value); err == nil || len(dst) != before {
			t.Errorf("%#v: %v, %d bytes", e, err, len(dst)-before)
		}
	}
	if dst, err = (Options{IntMinSize: true}).AppendAny(dst, "e", int64(1)); err != nil {
		t.Fatal(err)
	}
	want := slowDocument(D{{"a", int32(1)}, {"b", A{"x"}}, {"c", D{{"x", int32(1)}, {"y", int32(2)}}}, {"d", nil}, {"e", int32(1)}})
	if b := EndDocument(dst, at); string(b) != string(want) {
		t.Errorf("got  %v\nwant %v", Raw(b), want)
	}
}
