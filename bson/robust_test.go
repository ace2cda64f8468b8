package bson

import (
	"errors"
	"io"
	"slices"
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

// What pointers point to shares allocations, yet each has a place of its own.
func TestPointersArePointedApart(t *testing.T) {
	type node struct {
		N     int64
		Left  *node
		Right *int32
	}
	type large struct{ Fill [200]int64 }
	list, larges := A{}, A{}
	for i := range 100 {
		d := D{{"n", int64(i)}}
		if i%3 != 0 {
			d = append(d, E{"left", D{{"n", int64(-i)}}}, E{"right", int32(i)})
		}
		list, larges = append(list, d), append(larges, D{{"fill", A{int64(i)}}})
	}
	var v struct {
		List   []*node
		Larges []*large
		Empty  []*struct{}
	}
	if err := Unmarshal(slowDocument(D{{"list", list}, {"larges", larges}, {"empty", A{D{}, D{}, nil}}}), &v); err != nil {
		t.Fatal(err)
	}
	for i, n := range v.List {
		if n.N != int64(i) || (n.Left == nil) != (i%3 == 0) || (n.Right == nil) != (i%3 == 0) {
			t.Fatalf("element %d is %+v", i, n)
		}
		if n.Left != nil && (n.Left.N != int64(-i) || n.Left.Left != nil || *n.Right != int32(i)) {
			t.Fatalf("element %d leads to %+v, %d", i, n.Left, *n.Right)
		}
		if v.Larges[i].Fill[0] != int64(i) || v.Larges[i].Fill[1] != 0 {
			t.Fatalf("element %d is %+v", i, v.Larges[i])
		}
	}
	if len(v.Empty) != 3 || v.Empty[1] == nil || v.Empty[2] != nil {
		t.Errorf("empty structs become %v", v.Empty)
	}
}

// tree is a struct of pointers to structs.
type tree struct {
	Left  *tree  `bson:"left,omitempty"`
	Right *tree  `bson:"right,omitempty"`
	Value string `bson:"value,omitempty"`
}

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{Value: "leaf"}
	}
	return &tree{Left: grow(depth - 1), Right: grow(depth - 1)}
}

// The budgets are what documents may allocate: one of 22 values of all types, a
// struct, a tree of 63 structs, and lists and maps of ten values.
func TestAllocations(t *testing.T) {
	var d D
	doc := everyType()
	if err := Unmarshal(doc, &d); err != nil {
		t.Fatal(err)
	}
	small, buf := &inner{1, 2}, make([]byte, 0, 4096)
	boxed := any(d)
	raw, _ := Marshal(small)
	leaves := grow(5)
	forest, _ := Marshal(leaves)
	many := struct {
		Ints    []int
		Strings []string
		Inners  []inner
		Map     map[string]int
	}{make([]int, 10), slices.Repeat([]string{"text"}, 10), make([]inner, 10), map[string]int{"a": 1, "b": 2}}
	lists, _ := Marshal(many)
	empty := many
	empty.Ints, empty.Strings, empty.Inners, empty.Map = nil, nil, nil, nil
	stream := NewDecoder(&endless{doc: raw})
	enc := NewEncoder(io.Discard)
	var value float64
	for _, c := range []struct {
		name   string
		budget float64
		do     func()
	}{
		{"decode a D", 12, func() { d = nil; _ = Unmarshal(doc, &d) }},
		{"decode an M", 21, func() { var m M; _ = Unmarshal(doc, &m) }},
		{"decode any", 13, func() { var v any; _ = Unmarshal(doc, &v) }},
		{"decode a struct", 0, func() { _ = Unmarshal(raw, small) }},
		{"decode a tree", 16, func() { var v tree; _ = Unmarshal(forest, &v) }},
		{"decode lists into memory that is there", 5, func() { _ = Unmarshal(lists, &many) }},
		{"decode lists", 12, func() { v := empty; _ = Unmarshal(lists, &v) }},
		{"decode from a stream", 0, func() { _ = stream.Decode(small) }},
		{"append a D", 0, func() { buf, _ = Append(buf[:0], boxed) }},
		{"append a struct", 0, func() { buf, _ = Append(buf[:0], small) }},
		{"append a tree", 0, func() { buf, _ = Append(buf[:0], leaves) }},
		{"append lists", 2, func() { buf, _ = Append(buf[:0], &many) }},
		{"marshal a D", 1, func() { _, _ = Marshal(boxed) }},
		{"marshal a struct", 1, func() { _, _ = Marshal(small) }},
		{"encode to a stream", 0, func() { _ = enc.Encode(small) }},
		{"validate", 0, func() { _ = doc.Validate() }},
		{"look up", 0, func() { value, _ = doc.Lookup("f").Double() }},
		{"look up within", 0, func() { _ = doc.Lookup("in", "y") }},
		{"iterate", 22, func() {
			for range doc.All() {
				value++
			}
		}},
	} {
		if got := testing.AllocsPerRun(100, c.do); got > c.budget {
			t.Errorf("%s: %v allocations instead of %v", c.name, got, c.budget)
		}
	}
}

// endless reads the same document again and again.
type endless struct {
	doc []byte
	at  int
}

func (r *endless) Read(b []byte) (int, error) {
	n := copy(b, r.doc[r.at:])
	r.at = (r.at + n) % len(r.doc)
	return n, nil
}
