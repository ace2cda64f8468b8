package bson

import (
	"errors"
	"sync"
	"testing"
)

// Whatever byte is spoilt or missing, nothing panics and both twins agree.
func TestSpoiltDocuments(t *testing.T) {
	doc := everyType()
	for i := range doc {
		checkDecode(t, append([]byte{}, doc[:i]...))
		for _, c := range []byte{0, 1, 0x7f, 0x80, 0xff} {
			spoilt := append([]byte{}, doc...)
			spoilt[i] = c
			var v plain
			_ = Unmarshal(spoilt, &v)
			checkDecode(t, spoilt)
		}
	}
}

func nested(depth int) D {
	d := D{}
	for range depth - 1 {
		d = D{{"d", d}}
	}
	return d
}

func TestDepth(t *testing.T) {
	type chain struct{ D *chain }
	deepest, err := Marshal(nested(MaxDepth))
	if err != nil {
		t.Fatal(err)
	}
	tooDeep := documentOf("d", RawValue{TypeEmbeddedDocument, deepest})
	for _, dst := range []any{new(D), new(M), new(chain), new(any)} {
		if err := Unmarshal(deepest, dst); err != nil {
			t.Errorf("%T at the limit: %v", dst, err)
		}
		if err := Unmarshal(tooDeep, dst); !errors.Is(err, errDepth) {
			t.Errorf("%T beyond the limit: %v", dst, err)
		}
	}
	if err := tooDeep.Validate(); !errors.Is(err, errDepth) {
		t.Errorf("validation beyond the limit: %v", err)
	}
	endless := new(chain)
	endless.D = endless
	list := A{nil}
	list[0] = list
	for _, v := range []any{nested(MaxDepth + 1), endless, D{{"a", list}}} {
		if _, err := Marshal(v); !errors.Is(err, errDepth) {
			t.Errorf("%T: %v", v, errors.Unwrap(err))
		}
	}
}

func TestCodecsAreMadeConcurrently(t *testing.T) {
	type b struct{ A *struct{ B []b } }
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			var v b
			if err := Unmarshal(documentOf("a", RawValue{TypeNull, nil}), &v); err != nil {
				t.Error(err)
			}
			if _, err := Marshal(&v); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// The budgets are what a document of 26 values and a struct may allocate.
func TestAllocations(t *testing.T) {
	var d D
	doc := everyType()
	if err := Unmarshal(doc, &d); err != nil {
		t.Fatal(err)
	}
	small, buf := &inner{1, 2}, make([]byte, 0, 4096)
	boxed := any(d)
	raw, _ := Marshal(small)
	for _, c := range []struct {
		name   string
		budget float64
		do     func()
	}{
		{"decode a struct", 0, func() { _ = Unmarshal(raw, small) }},
		{"decode a D", 13, func() { _ = Unmarshal(doc, &d) }},
		{"append a struct", 0, func() { buf, _ = Append(buf[:0], small) }},
		{"append a D", 0, func() { buf, _ = Append(buf[:0], boxed) }},
		{"marshal a struct", 1, func() { _, _ = Marshal(small) }},
		{"validate", 0, func() { _ = doc.Validate() }},
		{"look up", 0, func() { _ = doc.Lookup("in", "y") }},
	} {
		if got := testing.AllocsPerRun(100, c.do); got > c.budget {
			t.Errorf("%s: %v allocations instead of %v", c.name, got, c.budget)
		}
	}
}
