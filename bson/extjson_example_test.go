package bson_test

import (
	"errors"
	"fmt"

	"github.com/motor-go/motor/bson"
)

func ExampleMarshalExtJSON() {
	doc := struct {
		ID    bson.ObjectID `bson:"_id"`
		Count int64
	}{bson.ObjectID{11: 1}, 42}
	for _, format := range []bson.ExtJSONFormat{bson.Relaxed, bson.Canonical} {
		text, err := bson.MarshalExtJSON(doc, format)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s\n", text)
	}
	// Output:
	// {"_id":{"$oid":"000000000000000000000001"},"count":42}
	// {"_id":{"$oid":"000000000000000000000001"},"count":{"$numberLong":"42"}}
}

func ExampleParseExtJSON() {
	doc, err := bson.ParseExtJSON([]byte(`{"price": {"$numberDecimal": "9.90"}, "tags": ["a", "b"]}`))
	if err != nil {
		panic(err)
	}
	for key, value := range doc.All() {
		fmt.Println(key, value.Type, value)
	}
	// Output:
	// price decimal128 {"$numberDecimal":"9.90"}
	// tags array ["a","b"]
}

func ExampleExtJSONError() {
	_, err := bson.ParseExtJSON([]byte("{\n  \"a\": [1, {\"$oid\": 5}]\n}"))
	fmt.Println(err)
	if e, ok := errors.AsType[*bson.ExtJSONError](err); ok {
		fmt.Println(e.Line, e.Column, e.Path)
	}
	// Output:
	// extended JSON: line 2, column 21 in "a.1.$oid": '5' where a string of 24 hexadecimal digits is expected
	// 2 21 a.1.$oid
}

func ExampleFloat32Vector() {
	type page struct {
		Text      string
		Embedding bson.Float32Vector
	}
	data, err := bson.Marshal(page{"hello", []float32{0.5, -1}})
	if err != nil {
		panic(err)
	}
	var p page
	if err := bson.Unmarshal(data, &p); err != nil {
		panic(err)
	}
	fmt.Println(p.Embedding, bson.Raw(data).Lookup("embedding"))
	// Output:
	// [0.5 -1] {"$binary":{"base64":"JwAAAAA/AACAvw==","subType":"09"}}
}

func ExampleUUID() {
	u, err := bson.ParseUUID("00112233-4455-6677-8899-aabbccddeeff")
	if err != nil {
		panic(err)
	}
	doc := bson.D{{Key: "_id", Value: u}}
	fmt.Println(doc)
	old, err := u.BinaryAs(bson.UUIDJavaLegacy)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d %x\n", old.Subtype, old.Data)
	// Output:
	// {"_id":{"$binary":{"base64":"ABEiM0RVZneImaq7zN3u/w==","subType":"04"}}}
	// 3 7766554433221100ffeeddccbbaa9988
}

func ExampleDecimal128_Compare() {
	price, err := bson.ParseDecimal128("9.90")
	if err != nil {
		panic(err)
	}
	limit, err := bson.ParseDecimal128("9.9")
	if err != nil {
		panic(err)
	}
	fmt.Println(price, limit, price.Compare(limit), price == limit)
	// Output:
	// 9.90 9.9 0 false
}
