package bson

import (
	"reflect"
	"testing"
)

func TestVectorValues(t *testing.T) {
	for _, v := range []Vector{
		Int8Vector{},
		Int8Vector{-128, 0, 127},
		Float32Vector{},
		Float32Vector{-7.7, 0, 1e30},
		PackedBitVector{Bits: []byte{}},
		PackedBitVector{Bits: []byte{238, 224}, Padding: 4},
	} {
		typ, data, err := marshalVector(v)
		if err != nil {
			t.Errorf("%v: %v", v, err)
			continue
		}
		back := reflect.New(reflect.TypeOf(v))
		err = back.Interface().(interface{ UnmarshalBSONValue(byte, []byte) error }).UnmarshalBSONValue(typ, data)
		if err != nil || !reflect.DeepEqual(back.Elem().Interface(), v) {
			t.Errorf("%v comes back as %v, %v", v, back.Elem(), err)
		}
	}
	if n := (PackedBitVector{Bits: []byte{238, 224}, Padding: 4}).Len(); n != 12 {
		t.Errorf("the vector has %d elements instead of 12", n)
	}
}

func TestVectorOfWrongType(t *testing.T) {
	typ, data, _ := marshalVector(Int8Vector{1})
	var v Float32Vector
	if err := v.UnmarshalBSONValue(typ, data); err == nil || v != nil {
		t.Errorf("an INT8 vector becomes %v, %v", v, err)
	}
	for _, b := range []Binary{{}, {BinaryVector, nil}, {BinaryVector, []byte{3}}, {BinaryVector, []byte{4, 0}}} {
		if v, err := b.Vector(); err == nil {
			t.Errorf("%v becomes the vector %v", b, v)
		}
	}
}
