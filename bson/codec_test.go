package bson

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

type inner struct {
	X, Y int
}

type everything struct {
	ID      ObjectID `bson:"_id"`
	Name    string
	Age     int       `bson:"age,omitempty"`
	Long    int64     `bson:",minsize"`
	When    time.Time `bson:"when"`
	Points  []inner
	Ptr     *inner
	Nil     *inner
	Any     any
	Doc     D
	Map     M
	Strs    map[string]string
	Ints    map[int]bool
	Bytes   []byte
	Arr     [3]int32
	ID16    [16]byte
	Raw     Raw
	Val     RawValue
	List    A
	Emb     inner `bson:",inline"`
	Dec     Decimal128
	Skipped chan int `bson:"-"`
	private int      //lint:ignore U1000 that it is passed over is what is tested
}

func TestRoundTripOfStruct(t *testing.T) {
	raw, err := Marshal(D{{"a", int32(1)}})
	if err != nil {
		t.Fatal(err)
	}
	in := everything{
		ID: NewObjectID(), Name: "näme", Long: 7, When: time.UnixMilli(1234567).UTC(),
		Points: []inner{{1, 2}, {3, 4}}, Ptr: &inner{5, 6}, Any: D{{"x", "y"}, {"z", A{int32(1), nil, true}}},
		Doc: D{{"", int64(1)}, {"", 2.5}}, Map: M{"k": DateTime(5)}, Strs: map[string]string{"p": "q"},
		Ints: map[int]bool{-4: true}, Bytes: []byte{1}, Arr: [3]int32{7, 8, 9}, ID16: [16]byte{1, 2},
		Raw: raw, Val: RawValue{TypeInt32, []byte{1, 0, 0, 0}}, List: A{"a", Null{}}, Emb: inner{10, 11},
		Dec: NewDecimal128(1, 2),
	}
	b, err := Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if err := Raw(b).Validate(); err != nil {
		t.Fatal(err)
	}
	var out everything
	if err := Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	in.List = A{"a", nil}
	if !reflect.DeepEqual(in, out) {
		t.Errorf("got\n%+v\nwant\n%+v", out, in)
	}
	var d D
	if err := Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	again, err := Marshal(d)
	if err != nil || string(again) != string(b) {
		t.Errorf("D does not round-trip: %v\n%v", err, d)
	}
	var m M
	if err := Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if len(m) != len(d) {
		t.Errorf("M has %d elements, D %d", len(m), len(d))
	}
}

func TestDecodeErrorSaysWhere(t *testing.T) {
	b, err := Marshal(D{{"points", A{D{{"x", 1}}, D{{"x", "no"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ Points []inner }
	err = Unmarshal(b, &v)
	t.Log(err)
	e, ok := err.(*DecodeError)
	if !ok || e.Path != "points.1.x" || e.Type != TypeString || e.GoType != reflect.TypeFor[int]() {
		t.Fatalf("%#v", err)
	}
	if b[e.Offset] != byte(TypeString) || b[e.Offset+1] != 'x' {
		t.Errorf("offset %d", e.Offset)
	}
}

func TestEncodeErrorSaysWhere(t *testing.T) {
	_, err := Marshal(D{{"points", A{inner{}, M{"x": make(chan int)}}}})
	e, ok := err.(*EncodeError)
	if !ok || e.Path != "points.1.x" || e.GoType != reflect.TypeFor[chan int]() {
		t.Fatalf("%#v", err)
	}
	want := `cannot encode "points.1.x" of type chan int: BSON has no such values`
	if !strings.HasPrefix(err.Error(), want) {
		t.Errorf("the error is %q", err)
	}
	if _, err := Marshal(5); err.Error() != "cannot encode a value of type int: it becomes a BSON int32, not a document" {
		t.Errorf("the error is %q", err)
	}
}

func TestLongPathsAreShortened(t *testing.T) {
	deep, err := Marshal(nested(MaxDepth))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		deep = documentOf("outer", RawValue{TypeEmbeddedDocument, deep})
	}
	decodeErr, ok := errors.AsType[*DecodeError](Raw(deep).Validate())
	if !ok {
		t.Fatal("the document is not too deep")
	}
	_, err = Marshal(D{{strings.Repeat("ü", 1<<16), D{{"bad", "\xff"}}}})
	encodeErr, ok := errors.AsType[*EncodeError](err)
	if !ok {
		t.Fatal(err)
	}
	for path, want := range map[string][2]string{
		decodeErr.Path: {"outer.outer.outer.d.d.", "…d.d.d"},
		encodeErr.Path: {"üü", "ü.bad"},
	} {
		if len(path) > maxPath+len("…")+len("…d.d") || !utf8.ValidString(path) || !strings.HasPrefix(path, want[0]) || strings.Count(path, "…") != 1 {
			t.Errorf("the path is %d bytes: %q", len(path), path)
		}
		if tail := strings.TrimPrefix(want[1], "…"); !strings.HasSuffix(path, tail) {
			t.Errorf("the path ends unlike %q: %q", tail, path)
		}
	}
	if deep[decodeErr.Offset] != byte(TypeEmbeddedDocument) {
		t.Errorf("offset %d", decodeErr.Offset)
	}
}
