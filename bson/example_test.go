package bson_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/motor-go/motor/bson"
)

func Example() {
	type Point struct{ X, Y int }
	type Shape struct {
		ID     int `bson:"_id"`
		Name   string
		Points []Point
		Note   string         `bson:",omitempty"`
		More   map[string]any `bson:",inline"`
	}
	data, err := bson.Marshal(Shape{ID: 1, Name: "line", Points: []Point{{0, 0}, {3, 4}}, More: map[string]any{"color": "red"}})
	if err != nil {
		panic(err)
	}
	fmt.Println(bson.Raw(data))

	var shape Shape
	if err := bson.Unmarshal(data, &shape); err != nil {
		panic(err)
	}
	fmt.Println(shape.Points[1].Y, shape.More["color"])
	// Output:
	// {"_id":1,"name":"line","points":[{"x":0,"y":0},{"x":3,"y":4}],"color":"red"}
	// 4 red
}

func ExampleUnmarshal() {
	data, _ := bson.Marshal(bson.D{{"a", bson.D{{"b", 1}}}, {"a", bson.A{"again", nil}}})
	var d bson.D
	if err := bson.Unmarshal(data, &d); err != nil {
		panic(err)
	}
	fmt.Printf("%#v\n", d[0].Value)
	fmt.Printf("%#v\n", d[1].Value)
	// Output:
	// bson.D{bson.E{Key:"b", Value:1}}
	// bson.A{"again", interface {}(nil)}
}

func ExampleDecodeError() {
	data, _ := bson.Marshal(bson.D{{"points", bson.A{bson.D{{"x", 1}}, bson.D{{"x", "two"}}}}})
	var v struct{ Points []struct{ X int } }
	err := bson.Unmarshal(data, &v)
	fmt.Println(err)
	if e, ok := errors.AsType[*bson.DecodeError](err); ok {
		fmt.Println(e.Path, e.Offset, e.Type, e.GoType)
	}
	// Output:
	// cannot decode string "points.1.x" at byte 38 into int: it takes a number or a boolean
	// points.1.x 38 string int
}

func ExampleRaw_Lookup() {
	data, _ := bson.Marshal(bson.D{{"points", bson.A{bson.D{{"x", 1.5}}}}})
	x, ok := bson.Raw(data).Lookup("points", "0", "x").Double()
	fmt.Println(x, ok)
	_, ok = bson.Raw(data).Lookup("points", "7", "x").Double()
	fmt.Println(ok)
	// Output:
	// 1.5 true
	// false
}

func ExampleRaw_All() {
	data, _ := bson.Marshal(bson.D{{"name", "line"}, {"closed", false}})
	for key, value := range bson.Raw(data).All() {
		fmt.Println(key, value.Type, value)
	}
	// Output:
	// name string "line"
	// closed boolean false
}

func ExampleDecoder() {
	var stream bytes.Buffer
	enc := bson.NewEncoder(&stream)
	for i := range 3 {
		if err := enc.Encode(bson.D{{"i", i}}); err != nil {
			panic(err)
		}
	}
	dec := bson.NewDecoder(&stream)
	for {
		var v struct{ I int }
		if err := dec.Decode(&v); err == io.EOF {
			break
		} else if err != nil {
			panic(err)
		}
		fmt.Println(v.I)
	}
	// Output:
	// 0
	// 1
	// 2
}

func ExampleOptions() {
	data, _ := bson.Marshal(bson.D{{"at", bson.D{{"x", 1}}}})
	var v any
	if err := (bson.Options{DefaultDocumentM: true}).Unmarshal(data, &v); err != nil {
		panic(err)
	}
	fmt.Printf("%#v\n", v)
	// Output: bson.M{"at":bson.M{"x":1}}
}

// A type of the standard library, which does not know this package, is stored
// as a string, and dates become time.Time wherever the Go type is any.
func ExampleRegister() {
	r := bson.NewRegistry()
	bson.Register(r,
		func(n *big.Int) (any, error) { return n.String(), nil },
		func(v bson.RawValue) (*big.Int, error) {
			text, _ := v.Str()
			n, ok := new(big.Int).SetString(text, 10)
			if !ok {
				return nil, fmt.Errorf("%q is no integer", text)
			}
			return n, nil
		})
	bson.RegisterType[time.Time](r, bson.TypeDateTime)
	o := bson.Options{Registry: r}

	data, err := o.Marshal(bson.D{{"n", new(big.Int).Lsh(big.NewInt(1), 70)}, {"t", time.UnixMilli(0)}})
	if err != nil {
		panic(err)
	}
	var v struct {
		N *big.Int
		T any
	}
	if err := o.Unmarshal(data, &v); err != nil {
		panic(err)
	}
	fmt.Println(v.N, v.T)
	// Output: 1180591620717411303424 1970-01-01 00:00:00 +0000 UTC
}

func ExampleBeginDocument() {
	doc, at := bson.BeginDocument(nil)
	doc = bson.AppendInt32(doc, "ping", 1)
	doc, list := bson.BeginArray(doc, "list")
	doc = bson.AppendStringValue(bson.AppendIndexHeader(doc, bson.TypeString, 0), "a")
	doc = bson.EndDocument(doc, list)
	doc = bson.EndDocument(doc, at)
	fmt.Println(bson.Raw(doc))
	// Output: {"ping":1,"list":["a"]}
}
