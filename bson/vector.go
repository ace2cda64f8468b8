package bson

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Vector is a densely packed array of numbers, a binary of subtype 9: an
// Int8Vector, a Float32Vector or a PackedBitVector. They may also be used as
// fields of structs, where []float32 would become an array.
type Vector interface {
	// Binary is the vector as BSON has it. Only a PackedBitVector can be wrong.
	Binary() (Binary, error)
}

// Int8Vector is a vector of the data type INT8.
type Int8Vector []int8

// Float32Vector is a vector of the data type FLOAT32.
type Float32Vector []float32

// PackedBitVector is a vector of the data type PACKED_BIT.
type PackedBitVector struct {
	// Bits has eight elements to the byte, the first in its highest bit.
	Bits []byte
	// Padding is the number of low bits of the last byte that do not belong to
	// the vector, 0 to 7. They must be zero.
	Padding uint8
}

// The data types, first byte of the binary. The second is the padding.
const (
	vectorInt8      byte = 0x03
	vectorPackedBit byte = 0x10
	vectorFloat32   byte = 0x27
)

// Len is the number of elements.
func (v PackedBitVector) Len() int { return 8*len(v.Bits) - int(v.Padding) }

// Binary is v of data type INT8. The error is nil.
func (v Int8Vector) Binary() (Binary, error) {
	data := make([]byte, 2, 2+len(v))
	data[0] = vectorInt8
	for _, n := range v {
		data = append(data, byte(n))
	}
	return Binary{BinaryVector, data}, nil
}

// Binary is v of data type FLOAT32. The error is nil.
func (v Float32Vector) Binary() (Binary, error) {
	data := make([]byte, 2, 2+4*len(v))
	data[0] = vectorFloat32
	for _, f := range v {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(f))
	}
	return Binary{BinaryVector, data}, nil
}

// Binary is v of data type PACKED_BIT. It fails if Padding is greater than 7 or
// than what Bits has, or if a padding bit is set.
func (v PackedBitVector) Binary() (Binary, error) {
	if err := v.validate(); err != nil {
		return Binary{}, err
	}
	data := append(make([]byte, 0, 2+len(v.Bits)), vectorPackedBit, v.Padding)
	return Binary{BinaryVector, append(data, v.Bits...)}, nil
}

func (v PackedBitVector) validate() error {
	switch {
	case v.Padding > 7:
		return fmt.Errorf("vector of packed bits has a padding of %d, more than 7", v.Padding)
	case v.Padding > 0 && len(v.Bits) == 0:
		return fmt.Errorf("vector of packed bits has a padding of %d and no bits", v.Padding)
	case v.Padding > 0 && v.Bits[len(v.Bits)-1]&(1<<v.Padding-1) != 0:
		return fmt.Errorf("vector of packed bits ends with the byte 0x%02x, whose %d padding bits are not zero", v.Bits[len(v.Bits)-1], v.Padding)
	}
	return nil
}

// Vector is the vector that b holds. It fails if b is not of subtype 9, of an
// unknown data type, or does not keep the rules of the data type. The vector
// shares no memory with b.
func (b Binary) Vector() (Vector, error) {
	if b.Subtype != BinaryVector {
		return nil, fmt.Errorf("a binary of subtype %d is not a vector, which has subtype %d", b.Subtype, BinaryVector)
	}
	if len(b.Data) < 2 {
		return nil, errors.New("vector lacks its data type and padding")
	}
	dtype, padding, data := b.Data[0], b.Data[1], b.Data[2:]
	if dtype != vectorPackedBit && padding != 0 {
		return nil, fmt.Errorf("vector of data type 0x%02x has a padding of %d, which only packed bits have", dtype, padding)
	}
	switch dtype {
	case vectorInt8:
		v := make(Int8Vector, len(data))
		for i, n := range data {
			v[i] = int8(n)
		}
		return v, nil
	case vectorFloat32:
		if len(data)%4 != 0 {
			return nil, fmt.Errorf("vector of float32 has %d bytes, not a multiple of 4", len(data))
		}
		v := make(Float32Vector, len(data)/4)
		for i := range v {
			v[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
		return v, nil
	case vectorPackedBit:
		v := PackedBitVector{append([]byte{}, data...), padding}
		if err := v.validate(); err != nil {
			return nil, err
		}
		return v, nil
	}
	return nil, fmt.Errorf("vector of the unknown data type 0x%02x", dtype)
}

// MarshalBSONValue encodes v as Binary does.
func (v Int8Vector) MarshalBSONValue() (typ byte, data []byte, err error) { return marshalVector(v) }

// MarshalBSONValue encodes v as Binary does.
func (v Float32Vector) MarshalBSONValue() (typ byte, data []byte, err error) { return marshalVector(v) }

// MarshalBSONValue encodes v as Binary does.
func (v PackedBitVector) MarshalBSONValue() (typ byte, data []byte, err error) {
	return marshalVector(v)
}

// UnmarshalBSONValue decodes a vector of the same data type.
func (v *Int8Vector) UnmarshalBSONValue(typ byte, data []byte) error {
	return unmarshalVector(v, typ, data)
}

// UnmarshalBSONValue decodes a vector of the same data type.
func (v *Float32Vector) UnmarshalBSONValue(typ byte, data []byte) error {
	return unmarshalVector(v, typ, data)
}

// UnmarshalBSONValue decodes a vector of the same data type.
func (v *PackedBitVector) UnmarshalBSONValue(typ byte, data []byte) error {
	return unmarshalVector(v, typ, data)
}

func marshalVector(v Vector) (typ byte, data []byte, err error) {
	b, err := v.Binary()
	if err != nil {
		return 0, nil, err
	}
	return byte(TypeBinary), AppendBinaryValue(nil, b.Subtype, b.Data), nil
}

func unmarshalVector[V Vector](to *V, typ byte, data []byte) error {
	b, ok := RawValue{Type(typ), data}.Binary()
	if !ok {
		return fmt.Errorf("a %s is not a vector", Type(typ))
	}
	vector, err := b.Vector()
	if err != nil {
		return err
	}
	v, ok := vector.(V)
	if !ok {
		return fmt.Errorf("a vector of type %T does not go into one of type %T", vector, *to)
	}
	*to = v
	return nil
}
