package bson

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// celsius writes and reads itself as a string, by its value and its pointer.
type celsius string

func (c celsius) MarshalBSONValue() (byte, []byte, error) {
	if c == "broken" {
		return 0, nil, errors.New("no such temperature")
	}
	v, err := MarshalValue(string(c) + " C")
	return byte(v.Type), v.Value, err
}

func (c *celsius) UnmarshalBSONValue(typ byte, data []byte) error {
	text, ok := RawValue{Type(typ), data}.Str()
	if !ok {
		return errors.New("no string")
	}
	*c = celsius(strings.TrimSuffix(text, " C"))
	return nil
}

// point writes and reads itself as a document, only by its pointer.
type point struct{ x, y int32 }

func (p *point) MarshalBSON() ([]byte, error) { return Marshal(D{{"at", A{p.x, p.y}}}) }

func (p *point) UnmarshalBSON(data []byte) error {
	var d struct{ At [2]int32 }
	err := Unmarshal(data, &d)
	p.x, p.y = d.At[0], d.At[1]
	return err
}

// liar writes itself as less than a value.
type liar struct{}

func (liar) MarshalBSON() ([]byte, error) { return []byte{5, 0, 0}, nil }

// level is a map key with hooks of its own.
type level struct{ name string }

func (l level) MarshalKey() (string, error) { return "level " + l.name, nil }

func (l *level) UnmarshalKey(key string) error {
	l.name = strings.TrimPrefix(key, "level ")
	return nil
}

type hooked struct {
	C    celsius
	P    point
	CP   *celsius
	PP   *point
	NilC *celsius
	NilP *point
	CS   []celsius
	PS   []point
	M    map[level]point
	V    Valued
	Any  any
}

// Valued is an interface of values that write themselves.
type Valued interface {
	MarshalBSONValue() (byte, []byte, error)
}

func TestHooks(t *testing.T) {
	temperature := celsius("3")
	at := D{{"at", A{int32(1), int32(2)}}}
	in := hooked{
		"1",
		point{1, 2},
		&temperature, &point{1, 2}, nil, nil,
		[]celsius{"4"},
		[]point{{1, 2}},
		map[level]point{{"k"}: {1, 2}},
		&temperature,
		point{1, 2},
	}
	want := slowDocument(D{
		{"c", "1 C"},
		{"p", at},
		{"cp", "3 C"},
		{"pp", at},
		{"nilc", nil},
		{"nilp", nil},
		{"cs", A{"4 C"}},
		{"ps", A{at}},
		{"m", D{{"level k", at}}},
		{"v", "3 C"},
		{"any", at},
	})
	for _, v := range []any{in, &in} {
		b, err := Marshal(v)
		if err != nil || string(b) != string(want) {
			t.Fatalf("%T: %v\n%v\n%v", v, err, Raw(b), want)
		}
	}
	var other celsius
	out := hooked{NilC: new(celsius), NilP: new(point), V: &other}
	if err := Unmarshal(want, &out); err != nil {
		t.Fatal(err)
	}
	in.Any = at
	if !reflect.DeepEqual(in, out) {
		t.Errorf("got  %+v\nwant %+v", out, in)
	}
	if b, err := Marshal(&point{1, 2}); err != nil || string(b) != string(slowDocument(at)) {
		t.Errorf("a document of its own is %v, %v", Raw(b), err)
	}
}

func TestHooksOfEmptyValues(t *testing.T) {
	// UnmarshalBSON cannot make its pointer nil, so it is not called for what
	// has no bytes. UnmarshalBSONValue sees the type, so it is, but for null.
	p, c := new(point), new(celsius)
	for _, typ := range []Type{TypeNull, TypeUndefined, TypeMinKey} {
		v := struct {
			P *point
			C *celsius
		}{p, c}
		err := Unmarshal(documentOf("p", RawValue{Type: typ}), &v)
		if err != nil || v.P != nil {
			t.Errorf("%v: %v, %v", typ, v.P, err)
		}
		err = Unmarshal(documentOf("c", RawValue{Type: typ}), &v)
		if (typ == TypeNull) != (err == nil) || (v.C == nil) != (err == nil) {
			t.Errorf("%v: %v, %v", typ, v.C, err)
		}
	}
}

func TestFailingHooks(t *testing.T) {
	for _, v := range []any{D{{"a", A{celsius("broken")}}}, map[string][]celsius{"a": {"broken"}}} {
		_, err := Marshal(v)
		if e, ok := errors.AsType[*EncodeError](err); !ok || e.Path != "a.0" || !strings.Contains(err.Error(), "no such temperature") {
			t.Errorf("the error is %v", err)
		}
	}
	if _, err := Marshal(D{{"a", liar{}}}); err == nil || !strings.Contains(err.Error(), "3 bytes are no whole value") {
		t.Errorf("the error is %v", err)
	}
	var v struct{ A []celsius }
	err := Unmarshal(slowDocument(D{{"a", A{"1 C", int32(2)}}}), &v)
	if e, ok := errors.AsType[*DecodeError](err); !ok || e.Path != "a.1" || e.Type != TypeInt32 || e.GoType != reflect.TypeFor[celsius]() {
		t.Errorf("the error is %v", err)
	}
}
