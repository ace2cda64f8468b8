package bson

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// money and token are types of others, who know nothing of this package.
type (
	money struct{ cents int64 }
	token [16]byte
)

// shape is an interface whose values say in the document what they are.
type (
	shape  interface{ area() float64 }
	circle struct{ R float64 }
	square struct{ A float64 }
)

func (c circle) area() float64 { return 3 * c.R * c.R }
func (s square) area() float64 { return s.A * s.A }

func foreignTypes() Options {
	r := NewRegistry()
	Register(r, func(m money) (any, error) {
		if m.cents < 0 {
			return nil, errors.New("debt is not stored")
		}
		return ParseDecimal128(fmt.Sprintf("%d.%02d", m.cents/100, m.cents%100))
	}, func(v RawValue) (money, error) {
		d, ok := v.Decimal128()
		if !ok {
			return money{}, errors.New("no decimal")
		}
		var units, cents int64
		_, err := fmt.Sscanf(d.String(), "%d.%d", &units, &cents)
		return money{100*units + cents}, err
	})
	Register(r, func(k token) (any, error) { return Binary{BinaryUUID, k[:]}, nil }, func(v RawValue) (token, error) {
		b, ok := v.Binary()
		if !ok || b.Subtype != BinaryUUID || len(b.Data) != 16 {
			return token{}, errors.New("no UUID")
		}
		return token(b.Data), nil
	})
	Register(r, func(s shape) (any, error) {
		return D{{"kind", strings.TrimPrefix(fmt.Sprintf("%T", s), "bson.")}, {"of", s}}, nil
	}, func(v RawValue) (shape, error) {
		of := Raw(v.Value).Lookup("of")
		if kind, _ := Raw(v.Value).Lookup("kind").Str(); kind == "circle" {
			var c circle
			return c, errors.Join(of.Unmarshal(&c), errors.ErrUnsupported)
		}
		var s square
		err := of.Unmarshal(&s)
		return s, err
	})
	RegisterType[time.Time](r, TypeDateTime)
	RegisterType[map[string]any](r, TypeEmbeddedDocument)
	return Options{Registry: r}
}

func TestForeignTypes(t *testing.T) {
	type order struct {
		Price  money
		Prices []money
		None   *money
		Key    token
		Keys   map[string]*token
		Shape  shape
		Any    any
		D      D
	}
	o := foreignTypes()
	when := time.UnixMilli(5).UTC()
	in := order{
		Price: money{1234}, Prices: []money{{5}}, Key: token{1}, Keys: map[string]*token{"k": {2}}, Shape: square{2},
		Any: map[string]any{"t": when}, D: D{{"t", when}, {"a", A{when}}, {"m", map[string]any{}}},
	}
	b, err := o.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if typ := Raw(b).Lookup("prices", "0").Type; typ != TypeDecimal128 {
		t.Errorf("money becomes %v", typ)
	}
	if v, _ := Raw(b).Lookup("keys", "k").Binary(); v.Subtype != BinaryUUID {
		t.Errorf("a token becomes a binary of subtype %d", v.Subtype)
	}
	var out order
	if err := o.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(in, out) {
		t.Errorf("got  %+v\nwant %+v", out, in)
	}
	// Null is the zero value; without the registry the types are as any other.
	out.Price = money{1}
	if err := o.Unmarshal(documentOf("price", RawValue{Type: TypeNull}), &out); err != nil || out.Price != (money{}) {
		t.Errorf("null becomes %v, %v", out.Price, err)
	}
	if plain, err := Marshal(struct{ Key token }{}); err != nil || Raw(plain).Lookup("key").Type != TypeBinary {
		t.Errorf("without a registry: %v, %v", Raw(plain), err)
	}
}

func TestForeignTypesFail(t *testing.T) {
	o := foreignTypes()
	_, err := o.Marshal(D{{"prices", []money{{1}, {-1}}}})
	if e, ok := errors.AsType[*EncodeError](err); !ok || e.Path != "prices.1" || e.GoType != reflect.TypeFor[money]() {
		t.Errorf("the error is %v", err)
	}
	var v struct{ Shapes []shape }
	err = o.Unmarshal(slowDocument(D{{"shapes", A{D{{"kind", "circle"}, {"of", D{}}}}}}), &v)
	if e, ok := errors.AsType[*DecodeError](err); !ok || e.Path != "shapes.0" || !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("the error is %v", err)
	}
}
