package spectests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/motor-go/motor/bson"
)

type vectorFile struct {
	Description string
	TestKey     string `json:"test_key"`
	Tests       []vectorCase
}

type vectorCase struct {
	Description   string
	Valid         bool
	Vector        []json.RawMessage
	DTypeHex      string `json:"dtype_hex"`
	DTypeAlias    string `json:"dtype_alias"`
	Padding       int
	CanonicalBSON *string `json:"canonical_bson"`
}

func runVectors(t T, f File) {
	var file vectorFile
	f.Decode(t, &file)
	for _, c := range file.Tests {
		t.Run(c.Description, func(t T) {
			if c.Valid && !c.ignoresOnes() {
				c.runValid(t, file.TestKey)
			} else {
				c.runInvalid(t, file.TestKey)
			}
		})
	}
}

// ignoresOnes reports whether ignored bits are set. Fixtures from before April
// 2025 take that for valid; the specification has come to refuse it.
func (c vectorCase) ignoresOnes() bool {
	vector, _ := c.vector()
	v, ok := vector.(bson.PackedBitVector)
	return ok && len(v.Bits) > 0 && v.Bits[len(v.Bits)-1]&(1<<v.Padding-1) != 0
}

func (c vectorCase) runValid(t T, key string) {
	vector, err := c.vector()
	if err != nil {
		t.Fatalf("the numbers make no vector: %v", err)
	}
	b, err := vector.Binary()
	if err != nil {
		t.Fatalf("%v: %v", vector, err)
	}
	want := unhex(t, *c.CanonicalBSON)
	checkBSON(t, encodeD(t, bson.D{{Key: key, Value: b}}), want)
	checkBSON(t, encodeD(t, bson.D{{Key: key, Value: vector}}), want)

	b, ok := want.Lookup(key).Binary()
	if !ok {
		t.Fatalf("%v has no binary %q", want, key)
	}
	got, err := b.Vector()
	if err != nil {
		t.Fatalf("%v: %v", b, err)
	}
	if !equalVectors(got, vector) {
		t.Errorf("the vector is %#v instead of %#v", got, vector)
	}
}

func (c vectorCase) runInvalid(t T, key string) {
	if c.Vector != nil {
		vector, err := c.vector()
		if err == nil {
			_, err = vector.Binary()
		}
		if err == nil {
			t.Errorf("the numbers make the vector %#v", vector)
		}
	}
	if c.CanonicalBSON != nil {
		b, ok := unhex(t, *c.CanonicalBSON).Lookup(key).Binary()
		if !ok {
			t.Fatalf("there is no binary %q", key)
		}
		if vector, err := b.Vector(); err == nil {
			t.Errorf("the binary is taken for the vector %#v", vector)
		}
	}
}

// vector is the vector of the numbers. Many of those that are not valid have
// numbers that do not fit the types of Go; others have a padding that does not
// go with the data type, which only a Binary can say.
func (c vectorCase) vector() (bson.Vector, error) {
	switch c.DTypeHex {
	case "0x03":
		numbers, err := numbersOf(c.Vector, func(s string) (int8, error) {
			n, err := strconv.ParseInt(s, 10, 8)
			return int8(n), err
		})
		if err != nil || c.Padding == 0 {
			return bson.Int8Vector(numbers), err
		}
	case "0x27":
		numbers, err := numbersOf(c.Vector, func(s string) (float32, error) {
			f, err := strconv.ParseFloat(s, 32)
			return float32(f), err
		})
		if err != nil || c.Padding == 0 {
			return bson.Float32Vector(numbers), err
		}
	case "0x10":
		numbers, err := numbersOf(c.Vector, func(s string) (byte, error) {
			n, err := strconv.ParseUint(s, 10, 8)
			return byte(n), err
		})
		if err != nil || c.Padding >= 0 && c.Padding <= math.MaxUint8 {
			return bson.PackedBitVector{Bits: numbers, Padding: uint8(c.Padding)}, err
		}
	}
	return nil, fmt.Errorf("a vector of data type %s has no padding of %d", c.DTypeHex, c.Padding)
}

// numbersOf parses JSON numbers, and strings or Extended JSON for the
// infinities.
func numbersOf[N any](texts []json.RawMessage, parse func(string) (N, error)) ([]N, error) {
	var numbers []N
	for _, text := range texts {
		var double struct {
			Value string `json:"$numberDouble"`
		}
		s := strings.Trim(string(text), `"`)
		if json.Unmarshal(text, &double) == nil {
			s = double.Value
		}
		n, err := parse(s)
		if err != nil {
			return nil, err
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

func equalVectors(a, b bson.Vector) bool {
	switch a := a.(type) {
	case bson.Int8Vector:
		b, ok := b.(bson.Int8Vector)
		return ok && slices.Equal(a, b)
	case bson.Float32Vector:
		b, ok := b.(bson.Float32Vector)
		return ok && slices.Equal(a, b)
	case bson.PackedBitVector:
		b, ok := b.(bson.PackedBitVector)
		return ok && bytes.Equal(a.Bits, b.Bits) && a.Padding == b.Padding
	}
	return false
}

// proseVectors tests the treatment of non-zero ignored bits.
func proseVectors(t T) {
	ones := bson.Binary{Subtype: bson.BinaryVector, Data: []byte{0x10, 7, 0xff}}
	t.Run("1. Encoding", func(t T) {
		if b, err := (bson.PackedBitVector{Bits: []byte{0xff}, Padding: 7}).Binary(); err == nil {
			t.Errorf("ignored bits that are set become %v", b)
		}
	})
	t.Run("2. Decoding", func(t T) {
		if v, err := ones.Vector(); err == nil {
			t.Errorf("ignored bits that are set are taken for %v", v)
		}
	})
	t.Run("3. Comparison", func(t T) {
		b1 := bson.Binary{Subtype: bson.BinaryVector, Data: []byte{0x10, 7, 0x80}}
		b3, err := bson.PackedBitVector{Bits: []byte{0x80}, Padding: 7}.Binary()
		if err != nil {
			t.Fatalf("%v", err)
		}
		if b1.Equal(ones) || !b1.Equal(b3) {
			t.Errorf("%v equals %v: %v, and %v: %v", b1, ones, b1.Equal(ones), b3, b1.Equal(b3))
		}
		v1, err1 := b1.Vector()
		v3, err3 := b3.Vector()
		if err1 != nil || err3 != nil || !equalVectors(v1, v3) {
			t.Errorf("%v, %v and %v, %v are not equal", v1, err1, v3, err3)
		}
	})
}
