package bson

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// plain has a field of each kind that decoding has a fast path for.
type plain struct {
	ID    ObjectID  `bson:"_id"`
	S     string    `bson:"s"`
	B     bool      `bson:"b"`
	I     int       `bson:"i"`
	I32   int32     `bson:"i32"`
	I64   int64     `bson:"i64"`
	F     float64   `bson:"f"`
	T     time.Time `bson:"t"`
	Any   any       `bson:"any"`
	D     D         `bson:"d"`
	Next  *plain    `bson:"next,omitempty"`
	Opt   string    `bson:"opt,omitempty"`
	In    inner     `bson:"in"`
	Ptr   *string   `bson:"ptr"`
	Strs  []string  `bson:"strs"`
	Ins   []inner   `bson:"ins"`
	Long  string    `bson:"a_key_that_is_longer_than_what_is_copied_at_once"`
	Deep  [][]int64 `bson:"deep"`
	Empty string    `bson:""`
}

// everyType is a document with a value of each BSON type.
func everyType() Raw {
	dst, at := BeginDocument(nil)
	dst = AppendDouble(dst, "f", 1.5)
	dst = AppendString(dst, "s", "grüße")
	dst = AppendDocument(dst, "in", slowDocument(D{{"x", int32(1)}, {"y", int32(2)}}))
	dst = slowElement(dst, "ins", reflect.ValueOf([]inner{{3, 4}, {5, 6}}), false)
	dst = AppendBinary(dst, "any", Binary{BinaryOld, []byte{1, 2, 3}})
	dst = AppendBinary(dst, "bin", Binary{BinaryUUID, make([]byte, 16)})
	dst = AppendHeader(dst, TypeUndefined, "u")
	dst = AppendObjectID(dst, "_id", ObjectID{1, 2, 3})
	dst = AppendBool(dst, "b", true)
	dst = AppendDateTime(dst, "t", 12345)
	dst = AppendNull(dst, "ptr")
	dst = AppendRegex(dst, "re", Regex{"a+", "i"})
	dst = slowElement(dst, "p", reflect.ValueOf(DBPointer{"db", ObjectID{9}}), false)
	dst = slowElement(dst, "js", reflect.ValueOf(JavaScript("f()")), false)
	dst = slowElement(dst, "sy", reflect.ValueOf(Symbol("sym")), false)
	dst = slowElement(dst, "code", reflect.ValueOf(CodeWithScope{"g()", D{{"x", D{}}}}), false)
	dst = AppendInt32(dst, "i32", -7)
	dst = AppendTimestamp(dst, "ts", Timestamp{1, 2})
	dst = AppendInt64(dst, "i64", 1<<40)
	dst = AppendDecimal128(dst, "dec", NewDecimal128(1, 2))
	dst = AppendHeader(dst, TypeMinKey, "min")
	dst = AppendHeader(dst, TypeMaxKey, "")
	return EndDocument(dst, at)
}

// corpusDocuments are the canonical documents of the BSON corpus, if the
// environment variable MOTOR_SPECS says where it is.
func corpusDocuments(t testing.TB) (docs [][]byte) {
	files, _ := filepath.Glob(filepath.Join(os.Getenv("MOTOR_SPECS"), "source/bson-corpus/tests/*.json"))
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Valid []struct {
				Canonical  string `json:"canonical_bson"`
				Degenerate string `json:"degenerate_bson"`
			}
			DecodeErrors []struct{ BSON string }
		}
		if err := json.Unmarshal(text, &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		add := func(digits string) {
			if b, err := hex.DecodeString(digits); err == nil && len(b) > 0 {
				docs = append(docs, b)
			}
		}
		for _, c := range file.Valid {
			add(c.Canonical)
			add(c.Degenerate)
		}
		for _, c := range file.DecodeErrors {
			add(c.BSON)
		}
	}
	return docs
}

func seed(f *testing.F) {
	f.Add([]byte(everyType()))
	f.Add([]byte(slowStruct(reflect.ValueOf(plain{S: "x", Next: &plain{Opt: "y", Strs: []string{"a", ""}}, Deep: [][]int64{{1}, nil}}))))
	f.Add([]byte{5, 0, 0, 0, 0})
	f.Add([]byte{})
	for _, doc := range corpusDocuments(f) {
		f.Add(doc)
	}
}

// FuzzDecode compares validation and the decoding into D, M and A with their
// slow twins.
func FuzzDecode(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		checkDecode(t, data)
	})
}

func checkDecode(t *testing.T, data []byte) {
	var d D
	var m M
	original := bytes.Clone(data)
	err := Unmarshal(data, &d)
	errM := Options{DefaultDocumentM: true}.Unmarshal(data, &m)
	slow := explain(data, 1)
	if (err == nil) != (slow == nil) || (errM == nil) != (slow == nil) || (Raw(data).Validate() == nil) != (slow == nil) {
		t.Fatalf("D: %v\nM: %v\nvalidation: %v\nexpected: %v", err, errM, Raw(data).Validate(), slow)
	}
	if slow != nil {
		e, ok := errors.AsType[*DecodeError](err)
		if !ok || e.Offset < 0 || e.Offset > len(data) || *e != *slow && e.Error() != slow.Error() {
			t.Fatalf("the error is %#v instead of %#v", err, slow)
		}
		return
	}
	if want := slowD(data); !sameValue(d, want) {
		t.Fatalf("got  %#v\nwant %#v", d, want)
	}
	if want := slowM(data); !reflect.DeepEqual(len(m), len(want)) || !sameMap(m, want) {
		t.Fatalf("got  %#v\nwant %#v", m, want)
	}
	var list struct{ A A }
	wrapped, at := BeginDocument(nil)
	wrapped = EndDocument(AppendArray(wrapped, "a", RawArray(data)), at)
	if err := Unmarshal(wrapped, &list); err != nil || len(list.A) != len(d) {
		t.Fatalf("A: %v", err)
	}
	for i := range d {
		if !sameValue(list.A[i], d[i].Value) {
			t.Fatalf("got  %#v\nwant %#v", list.A[i], d[i].Value)
		}
	}
	if !bytes.Equal(data, original) {
		t.Fatal("the input has changed")
	}
	// What was decoded stays when the input goes.
	clear(data)
	if want := slowD(original); !sameValue(d, want) {
		t.Fatalf("got  %#v\nwant %#v", d, want)
	}
}

// sameMap is sameValue for maps, which have no order.
func sameMap(m, want M) bool {
	for key, v := range want {
		w := m[key]
		if vm, ok := v.(M); ok {
			if wm, ok := w.(M); !ok || len(wm) != len(vm) || !sameMap(wm, vm) {
				return false
			}
			continue
		}
		if reflect.TypeOf(v) != reflect.TypeOf(w) {
			return false
		}
		switch v := v.(type) {
		case A:
			for i := range v {
				if len(v) != len(w.(A)) || !sameMap(M{"": w.(A)[i]}, M{"": v[i]}) {
					return false
				}
			}
		case CodeWithScope:
			if w := w.(CodeWithScope); v.Code != w.Code || !sameMap(M{"": w.Scope}, M{"": v.Scope}) {
				return false
			}
		default:
			if !sameValue(v, w) {
				return false
			}
		}
	}
	return true
}

// FuzzRoundTrip encodes what was decoded, compares that with the slow twin, and
// sees that it decodes to the same again.
func FuzzRoundTrip(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var d D
		if Unmarshal(data, &d) != nil {
			return
		}
		b, err := Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if want := slowDocument(d); !bytes.Equal(b, want) {
			t.Fatalf("got  %x\nwant %x", b, want)
		}
		again, err := Append([]byte("prefix"), d)
		if err != nil || !bytes.Equal(again, append([]byte("prefix"), b...)) {
			t.Fatalf("%v: got  %x\nwant %x", err, again, b)
		}
		var e D
		if err := Unmarshal(b, &e); err != nil {
			t.Fatal(err)
		}
		// The options of a regular expression are sorted now.
		if again, err := Marshal(e); err != nil || !bytes.Equal(again, b) || !sameValue(e, slowD(b)) {
			t.Fatalf("%v\ngot  %#v\nwant %#v", err, e, d)
		}
		var m M
		if err := Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		if b, err = Marshal(m); err != nil || Raw(b).Validate() != nil {
			t.Fatalf("%v %v", err, Raw(b).Validate())
		}
	})
}

// FuzzStruct compares the decoding into structs, and their encoding, with the
// slow twins.
func FuzzStruct(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var v plain
		err := Unmarshal(data, &v)
		if err != nil {
			if e, ok := errors.AsType[*DecodeError](err); !ok || e.Offset < 0 || e.Offset > len(data) {
				t.Fatalf("the error is %#v", err)
			}
		}
		if Raw(data).Validate() != nil {
			return
		}
		var want plain
		if !slowSetStruct(reflect.ValueOf(&want).Elem(), data) {
			return
		}
		if err != nil {
			t.Fatalf("%v: %v", Raw(data), err)
		}
		b, err := Marshal(&v)
		if err != nil {
			t.Fatal(err)
		}
		if slow := slowStruct(reflect.ValueOf(v)); !bytes.Equal(b, slow) {
			t.Fatalf("got  %v\nwant %v", Raw(b), slow)
		}
		if slow := slowStruct(reflect.ValueOf(want)); !bytes.Equal(b, slow) {
			t.Fatalf("got  %v\nwant %v", Raw(b), slow)
		}
	})
}

// FuzzText compares what looks at eight bytes at a time with what looks at one.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "a", "ab\x00", "\xff", "grüße", "0123456\x00", "01234567", "0123456789\x80", "0123456789abcdef0123456789abcdef0\xc3\xa4"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { checkText(t, b) })
}
