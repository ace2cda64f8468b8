package bson

import (
	"reflect"
	"testing"
)

// Each of these benchmarks has a slow twin, which does the same with reflect
// and append: what the difference is, the file unsafe.go buys together with the
// compiled codecs. The module bench compares with other packages.

// benchmarked is a struct with the kinds of fields that are the most frequent.
func benchmarked() *plain {
	text := "a text of middling length"
	return &plain{
		ID: ObjectID{1}, S: text, B: true, I: 1, I32: 2, I64: 3, F: 4, T: when, Any: text, D: D{{"k", 1.5}, {"l", text}},
		Next: &plain{Any: int32(1), D: D{}, T: when}, In: inner{5, 6}, Ptr: &text, Strs: []string{text, text}, Ins: []inner{{7, 8}, {9, 10}},
	}
}

// wide is a document of many values.
func wide() Raw {
	d := D{}
	for _, key := range []string{"a", "some", "longer", "keys_than"} {
		for range 8 {
			d = append(d, E{key, "a text of middling length"}, E{key, 1.5}, E{key, int32(1)}, E{key, int64(2)}, E{key, D{{"x", nil}, {"y", true}}})
		}
	}
	return slowDocument(d)
}

func BenchmarkDecodeD(b *testing.B) {
	doc := wide()
	b.ReportAllocs()
	for b.Loop() {
		var d D
		if err := Unmarshal(doc, &d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSlowDecodeD(b *testing.B) {
	doc := wide()
	b.ReportAllocs()
	for b.Loop() {
		if err := explain(doc, 1); err != nil {
			b.Fatal(err)
		}
		slowD(doc)
	}
}

func BenchmarkDecodeStruct(b *testing.B) {
	doc := slowStruct(reflect.ValueOf(*benchmarked()))
	b.ReportAllocs()
	for b.Loop() {
		var v plain
		if err := Unmarshal(doc, &v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSlowDecodeStruct(b *testing.B) {
	doc := slowStruct(reflect.ValueOf(*benchmarked()))
	b.ReportAllocs()
	for b.Loop() {
		var v plain
		if !slowSetStruct(reflect.ValueOf(&v).Elem(), doc) {
			b.Fatal("it cannot be decoded")
		}
	}
}

func BenchmarkEncodeD(b *testing.B) {
	d := any(slowD(wide()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Marshal(d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSlowEncodeD(b *testing.B) {
	d := slowD(wide())
	b.ReportAllocs()
	for b.Loop() {
		slowDocument(d)
	}
}

func BenchmarkEncodeStruct(b *testing.B) {
	v := benchmarked()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Marshal(v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSlowEncodeStruct(b *testing.B) {
	v := benchmarked()
	b.ReportAllocs()
	for b.Loop() {
		slowStruct(reflect.ValueOf(*v))
	}
}

// BenchmarkBox puts numbers into interfaces that share a slab, its slow twin
// has Go allocate each.
func BenchmarkBox(b *testing.B) {
	list := make([]any, 64)
	b.ReportAllocs()
	for b.Loop() {
		words := newSlab[uint64](len(list))
		for i := range list {
			box(&list[i], wordInt64, place(words.one(), int64(i)<<32))
		}
	}
}

func BenchmarkSlowBox(b *testing.B) {
	list := make([]any, 64)
	b.ReportAllocs()
	for b.Loop() {
		for i := range list {
			list[i] = int64(i) << 32
		}
	}
}

// BenchmarkValidate has the slow twin that says what is wrong.
func BenchmarkValidate(b *testing.B) {
	doc := wide()
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if err := doc.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSlowValidate(b *testing.B) {
	doc := wide()
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if err := explain(doc, 1); err != nil {
			b.Fatal(err)
		}
	}
}
