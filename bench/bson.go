package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	mgo "github.com/globalsign/mgo/bson"
	motor "github.com/motor-go/motor/bson"
	v1 "go.mongodb.org/mongo-driver/bson"
	v2 "go.mongodb.org/mongo-driver/v2/bson"
)

// bsonDoc is a document of the benchmark.
type bsonDoc struct {
	name string
	raw  []byte
	// json is the size of its JSON text.
	json int
	// structs make new pointers to the struct that the document is decoded
	// into, one for each driver. It is nil if there is none.
	structs map[string]func() any
}

// shared makes pointers to T for every driver.
func shared[T any]() map[string]func() any {
	newT := func() any { return new(T) }
	return map[string]func() any{Own: newT, Official: newT, "v1.17.10": newT, "mgo": newT}
}

// bsonDocs are the documents of the benchmark's BSON part.
func bsonDocs(ctx context.Context, d *data) ([]bsonDoc, error) {
	docs := []bsonDoc{
		{name: "flat"},
		{name: "deep", structs: shared[deep]()},
		{name: "full"},
		{name: "tweet", structs: shared[tweet]()},
		{name: "small", structs: shared[small]()},
	}
	files := []struct{ archive, name string }{
		{"extended_bson", "flat_bson.json"},
		{"extended_bson", "deep_bson.json"},
		{"extended_bson", "full_bson.json"},
		{"single_and_multi_document", "tweet.json"},
		{"single_and_multi_document", "small_doc.json"},
	}
	for i, f := range files {
		text, err := d.read(ctx, f.archive, f.name)
		if err != nil {
			return nil, err
		}
		var doc v2.D
		if err := v2.UnmarshalExtJSON(text, false, &doc); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		if docs[i].name == "deep" {
			nameLeaves(doc)
		}
		if docs[i].raw, err = v2.Marshal(doc); err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		docs[i].json = len(text)
	}
	var err error
	docs[0].structs, err = flatStructs(docs[0].raw)
	return docs, err
}

// nameLeaves gives the strings of the deep document the names that they have in
// the specification. In the test data of the module they have those of the
// documents in their place.
func nameLeaves(doc v2.D) {
	for i, e := range doc {
		switch v := e.Value.(type) {
		case v2.D:
			nameLeaves(v)
		case string:
			doc[i].Key = strings.TrimSuffix(e.Key, "Value") + "Value"
		}
	}
}

// bsonScale is how many documents an iteration of DriverBench's BSON tasks has.
const bsonScale = 10_000

// task is the task of DriverBench that the document is for, if there is one.
func (d bsonDoc) task(what string) Task {
	title := map[string]string{"flat": "Flat", "deep": "Deep", "full": "Full"}[d.name]
	if title == "" {
		return Task{}
	}
	return Task{title + " BSON " + what, d.json, codec}
}

// bsonCodec is what a driver does with BSON.
type bsonCodec struct {
	name      string
	newD      func() any
	newM      func() any
	unmarshal func(data []byte, to any) error
	marshal   func(v any) ([]byte, error)
	// unmarshalM decodes into an M, with an M for each document within it.
	unmarshalM func(data []byte, to any) error
	// append encodes into a buffer that is used again.
	append func(dst []byte, v any) ([]byte, error)
}

var bsonCodecs = []bsonCodec{
	{
		name:       Own,
		newD:       func() any { return new(motor.D) },
		newM:       func() any { return new(motor.M) },
		unmarshal:  motor.Unmarshal,
		unmarshalM: motor.Options{DefaultDocumentM: true}.Unmarshal,
		marshal:    motor.Marshal,
		append:     motor.Append,
	},
	{
		name:       Official,
		newD:       func() any { return new(v2.D) },
		newM:       func() any { return new(v2.M) },
		unmarshal:  v2.Unmarshal,
		unmarshalM: officialUnmarshalM(),
		marshal:    v2.Marshal,
		// Its Encoder over a buffer that is used again is slower than this.
		append: func(_ []byte, v any) ([]byte, error) { return v2.Marshal(v) },
	},
	{
		name:       "v1.17.10",
		newD:       func() any { return new(v1.D) },
		newM:       func() any { return new(v1.M) },
		unmarshal:  v1.Unmarshal,
		unmarshalM: v1.Unmarshal,
		marshal:    v1.Marshal,
		append:     v1.MarshalAppend,
	},
	{
		name:       "mgo",
		newD:       func() any { return new(mgo.D) },
		newM:       func() any { return new(mgo.M) },
		unmarshal:  mgo.Unmarshal,
		unmarshalM: mgo.Unmarshal,
		marshal:    mgo.Marshal,
		append:     func(_ []byte, v any) ([]byte, error) { return mgo.Marshal(v) },
	},
}

// officialUnmarshalM is the way to have the official driver decode all
// documents into M, with all reused that can be.
func officialUnmarshalM() func(data []byte, to any) error {
	src := new(bytes.Reader)
	dec := v2.NewDecoder(v2.NewDocumentReader(src))
	dec.DefaultDocumentM()
	return func(data []byte, to any) error {
		src.Reset(data)
		dec.Reset(v2.NewDocumentReader(src))
		return dec.Decode(to)
	}
}

// bsonCases are the cases of the BSON codecs.
func bsonCases(ctx context.Context, d *data) ([]Case, error) {
	docs, err := bsonDocs(ctx, d)
	if err != nil {
		return nil, err
	}
	var cases []Case
	add := func(c Case) { cases = append(cases, c) }
	for _, doc := range docs {
		c := decodeCase("bson decode D", doc, bsonCodec.decode, func(c bsonCodec) func() any { return c.newD }, true)
		c.Task, c.Scale = doc.task("Decoding"), bsonScale
		add(c)
	}
	for _, doc := range docs {
		add(decodeCase("bson decode M", doc, bsonCodec.decode, func(c bsonCodec) func() any { return c.newM }, false))
	}
	for _, doc := range docs {
		add(decodeCase("bson decode M of M", doc, bsonCodec.decodeM, func(c bsonCodec) func() any { return c.newM }, false))
	}
	for _, doc := range docs {
		if doc.structs != nil {
			add(decodeCase("bson decode struct", doc, bsonCodec.decode, func(c bsonCodec) func() any { return doc.structs[c.name] }, true))
		}
	}
	marshal := func(c bsonCodec) func(any) ([]byte, error) { return c.marshal }
	for _, doc := range docs {
		c := encodeCase("bson marshal D", doc, marshal, func(c bsonCodec) func() any { return c.newD })
		c.Task, c.Scale = doc.task("Encoding"), bsonScale
		add(c)
	}
	for _, doc := range docs {
		if doc.structs != nil {
			add(encodeCase("bson marshal struct", doc, marshal, func(c bsonCodec) func() any { return doc.structs[c.name] }))
		}
	}
	for _, doc := range docs {
		if doc.structs != nil {
			add(appendCase("bson append struct", doc))
		}
	}
	for _, doc := range docs {
		add(validateCase("bson validate", doc))
	}
	return cases, nil
}

func (c bsonCodec) decode() func([]byte, any) error  { return c.unmarshal }
func (c bsonCodec) decodeM() func([]byte, any) error { return c.unmarshalM }

// decodeCase decodes the document into what target makes. ordered tells
// whether the order of elements counts when results are compared.
func decodeCase(group string, doc bsonDoc, how func(bsonCodec) func([]byte, any) error, target func(bsonCodec) func() any, ordered bool) Case {
	c := Case{Group: group, Name: doc.name, Baseline: Official, Bytes: len(doc.raw)}
	for _, codec := range bsonCodecs {
		decode, make := how(codec), target(codec)
		c.Drivers = append(c.Drivers, Driver{codec.name, func(n int) error {
			for range n {
				if err := decode(doc.raw, make()); err != nil {
					return err
				}
			}
			return nil
		}})
	}
	c.Check = func() error {
		var want any
		for i, codec := range bsonCodecs {
			v := target(codec)()
			if err := how(codec)(doc.raw, v); err != nil {
				return fmt.Errorf("%s: %w", codec.name, err)
			}
			got := neutral(reflect.ValueOf(v).Elem().Interface(), ordered)
			if i == 0 {
				want = got
			} else if !reflect.DeepEqual(got, want) {
				a, b := difference(want, got)
				return fmt.Errorf("%s decodes %s where %s decodes %s", bsonCodecs[0].name, a, codec.name, b)
			}
		}
		return nil
	}
	return c
}

// decoded is the document as the codec decodes it.
func decoded(codec bsonCodec, doc bsonDoc, target func() any) (any, error) {
	v := target()
	if err := codec.unmarshal(doc.raw, v); err != nil {
		return nil, fmt.Errorf("%s: %w", codec.name, err)
	}
	return v, nil
}

// encodeCase encodes what the codec itself decodes into target.
func encodeCase(group string, doc bsonDoc, how func(bsonCodec) func(any) ([]byte, error), target func(bsonCodec) func() any) Case {
	c := Case{Group: group, Name: doc.name, Baseline: Official, Bytes: len(doc.raw)}
	for _, codec := range bsonCodecs {
		encode := how(codec)
		v, err := decoded(codec, doc, target(codec))
		// A D is passed as it is, a struct by its pointer.
		if rv := reflect.ValueOf(v); err == nil && rv.Elem().Kind() == reflect.Slice {
			v = rv.Elem().Interface()
		}
		c.Drivers = append(c.Drivers, Driver{codec.name, func(n int) error {
			if err != nil {
				return err
			}
			for range n {
				if _, err := encode(v); err != nil {
					return err
				}
			}
			return nil
		}})
	}
	c.Check = func() error { return sameDocument(doc, how, target) }
	return c
}

// sameDocument checks that what each codec encodes is the document.
func sameDocument(doc bsonDoc, how func(bsonCodec) func(any) ([]byte, error), target func(bsonCodec) func() any) error {
	for _, codec := range bsonCodecs {
		v, err := decoded(codec, doc, target(codec))
		if err != nil {
			return err
		}
		b, err := how(codec)(v)
		if err != nil {
			return fmt.Errorf("%s: %w", codec.name, err)
		}
		if bytes.Equal(b, doc.raw) {
			continue
		}
		// The scope of a JavaScript is a map for some, without an order.
		var got, want v2.D
		if err := errors.Join(v2.Unmarshal(b, &got), v2.Unmarshal(doc.raw, &want)); err != nil {
			return fmt.Errorf("%s: %w", codec.name, err)
		}
		if g, w := neutral(got, true), neutral(want, true); len(b) != len(doc.raw) || !reflect.DeepEqual(g, w) {
			a, b := difference(g, w)
			return fmt.Errorf("%s encodes %s instead of %s", codec.name, a, b)
		}
	}
	return nil
}

// appendCase encodes a struct into a buffer that is there already.
func appendCase(group string, doc bsonDoc) Case {
	c := Case{Group: group, Name: doc.name, Baseline: Official, Bytes: len(doc.raw)}
	target := func(codec bsonCodec) func() any { return doc.structs[codec.name] }
	for _, codec := range bsonCodecs {
		v, err := decoded(codec, doc, target(codec))
		var buf []byte
		c.Drivers = append(c.Drivers, Driver{codec.name, func(n int) error {
			for range n {
				if err != nil {
					return err
				}
				buf, err = codec.append(buf[:0], v)
			}
			return err
		}})
	}
	c.Check = func() error {
		return sameDocument(doc, func(codec bsonCodec) func(any) ([]byte, error) {
			return func(v any) ([]byte, error) { return codec.append(nil, v) }
		}, target)
	}
	return c
}

// validateCase looks whether the document is valid. The baseline is a walk
// written by hand.
func validateCase(group string, doc bsonDoc) Case {
	validate := func(f func() error) func(int) error {
		return func(n int) error {
			for range n {
				if err := f(); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return Case{
		Group: group, Name: doc.name, Baseline: "walk", Bytes: len(doc.raw),
		Drivers: []Driver{
			{Own, validate(func() error { return motor.Raw(doc.raw).Validate() })},
			{"walk", validate(func() error { return walk(doc.raw) })},
			{Official + " (top level only)", validate(func() error { return v2.Raw(doc.raw).Validate() })},
		},
		Check: func() error { return checkValidation(doc.raw) },
	}
}
