package spectests

import (
	"fmt"

	"github.com/motor-go/motor/bson"
)

// dbrefs are the documents of the test plan that are references, and what
// encoding makes of them. The order of fields is set right.
var dbrefs = [][2]string{
	{`{"$ref":"coll0","$id":{"$oid":"60a6fe9a54f4180c86309efa"}}`, ""},
	{`{"$ref":"coll0","$id":1}`, ""},
	{`{"$ref":"coll0","$id":null}`, ""},
	{`{"$ref":"coll0","$id":1,"$db":"db0"}`, ""},
	{`{"$ref":"coll0","$id":1,"$db":"db0","foo":"bar"}`, ""},
	{`{"$ref":"coll0","$id":1,"foo":true,"bar":false}`, ""},
	{`{"$ref":"coll0","$id":1,"meta":{"foo":1,"bar":2}}`, ""},
	{`{"$ref":"coll0","$id":1,"$foo":"bar"}`, ""},
	{`{"$ref":"coll0","$id":1,"foo.bar":0}`, ""},
	{`{"$id":1,"$ref":"coll0"}`, `{"$ref":"coll0","$id":1}`},
	{`{"$db":"db0","$ref":"coll0","$id":1}`, `{"$ref":"coll0","$id":1,"$db":"db0"}`},
	{`{"foo":1,"$id":1,"$ref":"coll0"}`, `{"$ref":"coll0","$id":1,"foo":1}`},
	{`{"foo":1,"$ref":"coll0","$id":1,"$db":"db0"}`, `{"$ref":"coll0","$id":1,"$db":"db0","foo":1}`},
	{`{"foo":1,"$ref":"coll0","$id":1,"$db":"db0","bar":1}`, `{"$ref":"coll0","$id":1,"$db":"db0","foo":1,"bar":1}`},
}

var notDBRefs = []string{
	`{"$ref":"coll0"}`,
	`{"$id":{"$oid":"60a6fe9a54f4180c86309efa"}}`,
	`{"$db":"db0"}`,
	`{"$ref":true,"$id":1}`,
	`{"$ref":"coll0","$id":1,"$db":1}`,
}

func proseDBRef(t T) {
	for i, c := range dbrefs {
		t.Run(fmt.Sprintf("reference %d", i+1), func(t T) {
			doc := fromExtJSON(t, c[0])
			var ref bson.DBRef
			if err := bson.Unmarshal(doc, &ref); err != nil {
				t.Fatalf("%s: %v", doc, err)
			}
			var fields bson.D
			if err := bson.Unmarshal(doc, &fields); err != nil {
				t.Fatalf("%s: %v", doc, err)
			}
			checkDBRef(t, ref, fields)
			want := c[1]
			if want == "" {
				want = c[0]
			}
			encoded, err := bson.Marshal(bson.D{{Key: "x", Value: ref}})
			if err != nil {
				t.Fatalf("%+v: %v", ref, err)
			}
			checkBSON(t, encoded, fromExtJSON(t, `{"x":`+want+`}`))
		})
	}
	for i, text := range notDBRefs {
		t.Run(fmt.Sprintf("no reference %d", i+1), func(t T) {
			var ref bson.DBRef
			if err := bson.Unmarshal(fromExtJSON(t, text), &ref); err == nil {
				t.Errorf("%s is taken for %+v", text, ref)
			}
			var outer struct{ X any }
			if err := bson.Unmarshal(fromExtJSON(t, `{"x":`+text+`}`), &outer); err != nil {
				t.Errorf("%s is not even a document: %v", text, err)
			}
		})
	}
}

// checkDBRef compares ref to all the fields of the document.
func checkDBRef(t T, ref bson.DBRef, fields bson.D) {
	extra := ref.Extra
	for _, e := range fields {
		var got any
		switch {
		case e.Key == "$ref":
			got = ref.Ref
		case e.Key == "$id":
			got = ref.ID
		case e.Key == "$db":
			got = ref.DB
		case len(extra) > 0 && extra[0].Key == e.Key:
			got, extra = extra[0].Value, extra[1:]
		}
		if fmt.Sprint(got) != fmt.Sprint(e.Value) {
			t.Errorf("%s is %v instead of %v", e.Key, got, e.Value)
		}
	}
	if len(extra) > 0 {
		t.Errorf("there are other fields than in the document: %v", extra)
	}
}
