package bson

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// latin1 is the text "é" as older programs wrote it.
const latin1 = "\xe9"

// invalidText is a document whose every text is not valid UTF-8.
func invalidText() Raw {
	dst, at := BeginDocument(nil)
	dst = AppendString(dst, "s", "a"+latin1+latin1+"b")
	dst = slowElement(dst, "js", reflect.ValueOf(JavaScript(latin1)), false)
	dst = slowElement(dst, "sy", reflect.ValueOf(Symbol(latin1)), false)
	dst = slowElement(dst, "re", reflect.ValueOf(Regex{latin1, "i"}), false)
	dst = slowElement(dst, "p", reflect.ValueOf(DBPointer{latin1, ObjectID{1}}), false)
	dst = slowElement(dst, "code", reflect.ValueOf(CodeWithScope{latin1, D{{latin1, latin1}}}), false)
	dst = slowElement(dst, "list", reflect.ValueOf([]string{latin1, "ok"}), false)
	dst, in := BeginEmbedded(dst, "in")
	dst = EndDocument(AppendString(dst, latin1, latin1), in)
	dst = AppendBinary(dst, "bin", Binary{BinaryGeneric, []byte(latin1)})
	return EndDocument(AppendInt32(dst, latin1, 1), at)
}

func TestReplaceInvalidUTF8(t *testing.T) {
	const bad = "\uFFFD"
	data := invalidText()
	asD := D{
		{"s", "a" + bad + "b"},
		{"js", JavaScript(bad)},
		{"sy", Symbol(bad)},
		{"re", Regex{bad, "i"}},
		{"p", DBPointer{bad, ObjectID{1}}},
		{"code", CodeWithScope{JavaScript(bad), D{{bad, bad}}}},
		{"list", A{bad, "ok"}},
		{"in", D{{bad, bad}}},
		{"bin", Binary{BinaryGeneric, []byte(latin1)}},
		{bad, int32(1)},
	}
	asM := M{}
	for _, e := range asD {
		asM[e.Key] = e.Value
	}
	asM["code"], asM["in"] = CodeWithScope{JavaScript(bad), M{bad: bad}}, M{bad: bad}
	type typed struct {
		S    string
		JS   JavaScript
		Sy   *Symbol
		Re   Regex
		P    DBPointer
		Code CodeWithScope
		List []string
		In   map[string]*string
		Bin  []byte
		Rest map[string]any `bson:",inline"`
	}
	type untyped struct {
		S, JS, Sy, Re, P, Code, List, In any
		Bin                              any            `bson:"-"`
		Rest                             map[string]int `bson:"-"`
	}
	type raw struct {
		S    RawValue
		In   Raw
		List RawArray
	}
	type bytesOfText struct{ S []byte }
	type hooks struct{ In selfDecoded }
	o := Options{ReplaceInvalidUTF8: true}
	m := o
	m.DefaultDocumentM = true
	for _, c := range []struct {
		name string
		o    Options
		want any
	}{
		{"D", o, asD},
		{"any", o, any(asD)},
		{"M", m, asM},
		{"struct", o, typed{
			"a" + bad + "b", bad, new(Symbol(bad)),
			Regex{bad, "i"},
			DBPointer{bad, ObjectID{1}},
			CodeWithScope{bad, D{{bad, bad}}},
			[]string{bad, "ok"},
			map[string]*string{bad: new(bad)},
			[]byte(latin1),
			map[string]any{bad: int32(1)},
		}},
		{"struct of any", o, untyped{
			S: "a" + bad + "b", JS: JavaScript(bad), Sy: Symbol(bad), Re: Regex{bad, "i"}, P: DBPointer{bad, ObjectID{1}},
			Code: CodeWithScope{bad, D{{bad, bad}}}, List: A{bad, "ok"}, In: D{{bad, bad}},
		}},
		{"struct of bytes", o, bytesOfText{[]byte("a" + bad + "b")}},
		{"struct with a hook", o, hooks{selfDecoded{D{{bad, bad}}}}},
		{"struct of raw values", o, raw{data.Lookup("s"), Raw(data.Lookup("in").Value), RawArray(data.Lookup("list").Value)}},
		{"Raw", o, data},
	} {
		got := reflect.New(reflect.TypeOf(c.want))
		if c.name == "any" {
			got = reflect.ValueOf(new(any))
		}
		if err := c.o.Unmarshal(data, got.Interface()); err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if !reflect.DeepEqual(got.Elem().Interface(), c.want) {
			t.Errorf("%s:\ngot  %#v\nwant %#v", c.name, got.Elem().Interface(), c.want)
		}
		into := reflect.New(got.Elem().Type()).Interface()
		if err := Unmarshal(data, into); !strings.Contains(c.name, "aw") && (err == nil || !strings.Contains(err.Error(), "UTF-8")) {
			t.Errorf("%s: the default gives %v", c.name, err)
		}
	}
	var s string
	if err := o.UnmarshalValue(data.Lookup("s"), &s); err != nil || s != "a"+bad+"b" {
		t.Errorf("a value: %q, %v", s, err)
	}
	maps := map[string]map[string]string{}
	if err := o.Unmarshal(documentOf(latin1, data.Lookup("in")), &maps); err != nil || maps[bad][bad] != bad {
		t.Errorf("maps: %q, %v", maps, err)
	}
}

// selfDecoded decodes itself, with no options.
type selfDecoded struct{ in D }

func (h *selfDecoded) UnmarshalBSON(data []byte) error { return Unmarshal(data, &h.in) }

// FuzzRepair sees that what is valid stays as it is, and that all else either
// becomes valid or cannot be decoded.
func FuzzRepair(f *testing.F) {
	seed(f)
	f.Add([]byte(invalidText()))
	f.Fuzz(func(t *testing.T, data []byte) {
		o := Options{ReplaceInvalidUTF8: true}
		cfg := o.config()
		original := bytes.Clone(data)
		if explainFrame(data) != nil {
			return
		}
		out := Raw(cfg.repaired(TypeEmbeddedDocument, data))
		if !bytes.Equal(data, original) || Raw(data).Validate() == nil && !bytes.Equal(out, data) {
			t.Fatalf("%v becomes %v", Raw(original), out)
		}
		var d, again D
		err := o.Unmarshal(data, &d)
		if (err == nil) != (out.Validate() == nil) {
			t.Fatalf("%v, but validation says %v", err, out.Validate())
		}
		if err != nil {
			return
		}
		if err := Unmarshal(out, &again); err != nil || !sameValue(d, again) {
			t.Fatalf("%v\ngot  %#v\nwant %#v", err, d, again)
		}
	})
}
