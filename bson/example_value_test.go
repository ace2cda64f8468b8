package bson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/motor-go/motor/bson"
)

// The accessors report whether the value is of their type; those that begin with
// As take related ones, too.
func ExampleRawValue() {
	doc, _ := bson.Marshal(bson.D{{"n", int32(3)}, {"x", 4.0}, {"on", true}, {"data", []byte{1, 2}}, {"at", time.UnixMilli(0)}})
	n := bson.Raw(doc).Lookup("n")
	_, long := n.Int64()
	whole, number := n.AsInt64()
	fmt.Println(long, whole, number)
	whole, number = bson.Raw(doc).Lookup("x").AsInt64()
	fmt.Println(whole, number, bson.Raw(doc).Lookup("on").Truthy())
	data, _ := bson.Raw(doc).Lookup("data").Binary()
	at, _ := bson.Raw(doc).Lookup("at").Time()
	fmt.Println(data.Data, at.UTC())
	fmt.Println(bson.Raw(doc).Lookup("nothing").IsZero())
	// Output:
	// false 3 true
	// 4 true true
	// [1 2] 1970-01-01 00:00:00 +0000 UTC
	// true
}

// What comes from somewhere else is checked once, and read without further care.
func ExampleRaw_Validate() {
	doc, _ := bson.Marshal(bson.D{{"name", "line"}})
	fmt.Println(bson.Raw(doc).Validate())
	doc[len(doc)-2] = 'x' // where the string ended
	var invalid *bson.DecodeError
	fmt.Println(errors.As(bson.Raw(doc).Validate(), &invalid), invalid.Path)
	// Output:
	// <nil>
	// true name
}

func ExampleRaw_Keys() {
	doc, _ := bson.Marshal(bson.D{{"x", 1}, {"y", 2}})
	for key := range bson.Raw(doc).Keys() {
		fmt.Println(key)
	}
	fmt.Println(bson.Raw(doc).Len())
	// Output:
	// x
	// y
	// 2
}

func ExampleRawArray_Values() {
	doc, _ := bson.Marshal(bson.D{{"sizes", bson.A{3, "four"}}})
	sizes, _ := bson.Raw(doc).Lookup("sizes").Array()
	for size := range sizes.Values() {
		fmt.Println(size.Type, size)
	}
	fmt.Println(sizes.Len(), sizes.Index(1))
	// Output:
	// int32 3
	// string "four"
	// 2 "four"
}

// Documents that follow one another in memory are split without copying them.
func ExampleReadDocument() {
	var all []byte
	for i := range 2 {
		all, _ = bson.Append(all, bson.D{{"i", i}})
	}
	for rest := all; len(rest) > 0; {
		var doc bson.Raw
		var err error
		if doc, rest, err = bson.ReadDocument(rest); err != nil {
			panic(err)
		}
		fmt.Println(doc)
	}
	// Output:
	// {"i":0}
	// {"i":1}
}

// Next gives a document of a stream as it is. It is lent until the next call.
func ExampleDecoder_Next() {
	doc, _ := bson.Marshal(bson.D{{"i", 1}})
	dec := bson.NewDecoder(bytes.NewReader(doc))
	next, err := dec.Next()
	kept := next.Clone()
	fmt.Println(kept, err)
	// Output: {"i":1} <nil>
}

func ExampleMarshalValue() {
	v, err := bson.MarshalValue([]int{1, 2})
	fmt.Println(v.Type, v, err)
	var list []int
	fmt.Println(v.Unmarshal(&list), list)
	// Output:
	// array [1,2] <nil>
	// <nil> [1 2]
}

// A document under construction takes values of all kinds, those read elsewhere
// among them.
func ExampleAppendAny() {
	other, _ := bson.Marshal(bson.D{{"color", "red"}})
	doc, at := bson.BeginDocument(nil)
	doc = bson.AppendString(doc, "name", "line")
	doc, err := bson.AppendAny(doc, "points", []int{3, 4})
	doc = bson.AppendValue(doc, "color", bson.Raw(other).Lookup("color"))
	fmt.Println(bson.Raw(bson.EndDocument(doc, at)), err)
	// Output: {"name":"line","points":[3,4],"color":"red"} <nil>
}

// An ObjectID begins with the time that it was made at, so that it can stand for
// a point in time in a filter on _id.
func ExampleObjectID_Timestamp() {
	id, err := bson.ObjectIDFromHex("5f5e1000aabbccddeeff0011")
	fmt.Println(id.Timestamp(), err)
	since := bson.NewObjectIDFromTimestamp(time.Date(2020, 9, 1, 0, 0, 0, 0, time.UTC))
	fmt.Println(since.Hex()[:8], bytes.Compare(since[:], id[:]))
	fmt.Println(bson.NewObjectID().IsZero())
	// Output:
	// 2020-09-13 12:26:40 +0000 UTC <nil>
	// 5f4d8f00 -1
	// false
}

func ExampleParseUUID() {
	id, err := bson.ParseUUID("00112233-4455-6677-8899-aabbccddeeff")
	fmt.Println(id.Binary().Subtype, err)
	// Programs with older drivers of Java store their bytes in another order.
	old, err := id.BinaryAs(bson.UUIDJavaLegacy)
	fmt.Printf("%d %x %v\n", old.Subtype, old.Data, err)
	again, err := old.UUIDAs(bson.UUIDJavaLegacy)
	fmt.Println(again, err)
	// Output:
	// 4 <nil>
	// 3 7766554433221100ffeeddccbbaa9988 <nil>
	// 00112233-4455-6677-8899-aabbccddeeff <nil>
}

// Decimal numbers are exact, trailing zeros included.
func ExampleParseDecimal128() {
	price, err := bson.ParseDecimal128("19.90")
	fmt.Println(price, err)
	coefficient, exponent, err := price.BigInt()
	fmt.Println(coefficient, exponent, err)
	twice, err := bson.Decimal128FromBigInt(new(big.Int).Lsh(coefficient, 1), exponent)
	fmt.Println(twice, err)
	// Output:
	// 19.90 <nil>
	// 1990 -2 <nil>
	// 39.80 <nil>
}

// Timestamps are the server's clock: seconds, and an ordinal within the second.
func ExampleTimestamp() {
	a, b := bson.Timestamp{T: 100, I: 2}, bson.Timestamp{T: 100, I: 10}
	fmt.Println(a.Before(b), a.After(b), a.Compare(a), bson.Timestamp{}.IsZero())
	// Output: true false 0 true
}

// Vectors are stored in one binary value. They are struct fields like others.
func ExampleBinary_Vector() {
	doc, err := bson.Marshal(bson.D{{"v", bson.Float32Vector{1, 0.5}}, {"bits", bson.PackedBitVector{Bits: []byte{0b1011_0000}, Padding: 4}}})
	if err != nil {
		panic(err)
	}
	b, _ := bson.Raw(doc).Lookup("v").Binary()
	v, err := b.Vector()
	fmt.Println(b.Subtype, v, err)
	var read struct{ Bits bson.PackedBitVector }
	err = bson.Unmarshal(doc, &read)
	fmt.Println(read.Bits.Len(), err)
	// Output:
	// 9 [1 0.5] <nil>
	// 4 <nil>
}

// Extended JSON keeps the types that JSON lacks.
func ExampleUnmarshalExtJSON() {
	var v struct {
		ID bson.ObjectID `bson:"_id"`
		At time.Time
	}
	err := bson.UnmarshalExtJSON([]byte(`{"_id": {"$oid": "5f5e1000aabbccddeeff0011"}, "at": {"$date": "2020-09-13T12:26:40Z"}}`), &v)
	fmt.Println(v.ID, v.At, err)

	var syntax *bson.ExtJSONError
	if errors.As(bson.UnmarshalExtJSON([]byte(`{"_id": {"$oid": 1}}`), &v), &syntax) {
		fmt.Println(syntax.Line, syntax.Path)
	}
	// Output:
	// ObjectID("5f5e1000aabbccddeeff0011") 2020-09-13 12:26:40 +0000 UTC <nil>
	// 1 _id.$oid
}

func ExampleParseExtJSONValue() {
	v, err := bson.ParseExtJSONValue([]byte(`{"$numberLong": "7"}`))
	fmt.Println(v.Type, err)
	doc, _ := bson.Marshal(bson.D{{"n", v}})
	text, err := bson.AppendExtJSON(nil, doc, bson.Canonical)
	fmt.Println(string(text), err)
	// Output:
	// int64 <nil>
	// {"n":{"$numberLong":"7"}} <nil>
}

// For encoding/json a document is one like others, in its order: what reads it
// need not know of BSON.
func ExampleD_MarshalJSON() {
	text, err := json.Marshal(bson.D{{"z", 1}, {"a", bson.D{{"at", bson.NewDateTime(time.UnixMilli(0))}}}})
	fmt.Println(string(text), err)
	var d bson.D
	err = json.Unmarshal(text, &d)
	fmt.Printf("%T %v\n", d[1].Value, err)
	// Output:
	// {"z":1,"a":{"at":"1970-01-01T00:00:00Z"}} <nil>
	// bson.D <nil>
}

// A reference names a document of another collection. The driver does not follow
// it.
func ExampleDBRef() {
	doc, err := bson.Marshal(bson.D{{"planet", bson.DBRef{Ref: "planets", ID: "Mars"}}})
	fmt.Println(bson.Raw(doc), err)
	var v struct{ Planet bson.DBRef }
	err = bson.Unmarshal(doc, &v)
	fmt.Println(v.Planet.Ref, v.Planet.ID, err)
	// Output:
	// {"planet":{"$ref":"planets","$id":"Mars"}} <nil>
	// planets Mars <nil>
}

// An error says which value cannot be encoded.
func ExampleEncodeError() {
	_, err := bson.Marshal(bson.D{{"points", bson.A{bson.D{{"x", make(chan int)}}}}})
	var refused *bson.EncodeError
	fmt.Println(errors.As(err, &refused), refused.Path)
	// Output: true points.0.x
}
