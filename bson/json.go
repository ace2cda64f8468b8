package bson

import (
	"bytes"
	"encoding/json"
)

// The methods here are for encoding/json. What has a natural form in JSON takes
// it: an ObjectID is its hexadecimal digits, a date is a string, a decimal
// number is a string, a document is an object. All else is relaxed Extended
// JSON. Each type reads its own form, and Extended JSON as well.

// MarshalJSON is d as an object whose values encoding/json encodes.
func (d D) MarshalJSON() ([]byte, error) {
	if d == nil {
		return []byte("null"), nil
	}
	dst := []byte{'{'}
	for i, e := range d {
		if i > 0 {
			dst = append(dst, ',')
		}
		key, err := json.Marshal(e.Key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(e.Value)
		if err != nil {
			return nil, err
		}
		dst = append(append(append(dst, key...), ':'), value...)
	}
	return append(dst, '}'), nil
}

// UnmarshalJSON reads an object, or Extended JSON, in the order of its keys.
func (d *D) UnmarshalJSON(data []byte) error { return unmarshalExtValue(data, d) }

// MarshalJSON is d as a string in RFC 3339, or Extended JSON if its year has
// more than four digits.
func (d DateTime) MarshalJSON() ([]byte, error) {
	if year := d.Time().Year(); year < 0 || year > 9999 {
		return marshalExtValue(d)
	}
	return d.Time().MarshalJSON()
}

// UnmarshalJSON reads a string in RFC 3339, or Extended JSON.
func (d *DateTime) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte{'"'}) {
		data = append(append([]byte(`{"$date":`), data...), '}')
	}
	return unmarshalExtValue(data, d)
}

// MarshalText is String, for encoding/json and map keys.
func (d Decimal128) MarshalText() ([]byte, error) { return d.append(nil), nil }

// UnmarshalText is ParseDecimal128.
func (d *Decimal128) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDecimal128(string(text))
	return err
}

// UnmarshalJSON reads a string, a number, or Extended JSON.
func (d *Decimal128) UnmarshalJSON(data []byte) error {
	switch {
	case bytes.HasPrefix(data, []byte{'"'}):
		data = append(append([]byte(`{"$numberDecimal":`), data...), '}')
	case !bytes.HasPrefix(data, []byte{'{'}) && !bytes.Equal(data, []byte("null")):
		return d.UnmarshalText(data)
	}
	return unmarshalExtValue(data, d)
}

// MarshalJSON is r in relaxed Extended JSON. A nil Raw is null.
func (r Raw) MarshalJSON() ([]byte, error) {
	if r == nil {
		return []byte("null"), nil
	}
	return AppendExtJSON(nil, r, Relaxed)
}

// UnmarshalJSON reads Extended JSON.
func (r *Raw) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		return nil
	}
	doc, err := ParseExtJSON(data)
	if err == nil {
		*r = doc
	}
	return err
}

// MarshalJSON is v in relaxed Extended JSON. The zero RawValue is null.
func (v RawValue) MarshalJSON() ([]byte, error) {
	if v.IsZero() {
		return []byte("null"), nil
	}
	return AppendExtJSONValue(nil, v, Relaxed)
}

// UnmarshalJSON reads Extended JSON.
func (v *RawValue) UnmarshalJSON(data []byte) (err error) {
	*v, err = ParseExtJSONValue(data)
	return err
}

// MarshalJSON is a in relaxed Extended JSON. A nil RawArray is null.
func (a RawArray) MarshalJSON() ([]byte, error) {
	if a == nil {
		return []byte("null"), nil
	}
	return AppendExtJSONValue(nil, RawValue{TypeArray, a}, Relaxed)
}

// UnmarshalJSON reads Extended JSON.
func (a *RawArray) UnmarshalJSON(data []byte) error { return unmarshalExtValue(data, a) }

// MarshalJSON is t in Extended JSON.
func (t Timestamp) MarshalJSON() ([]byte, error) { return marshalExtValue(t) }

// UnmarshalJSON reads Extended JSON.
func (t *Timestamp) UnmarshalJSON(data []byte) error { return unmarshalExtValue(data, t) }

// MarshalJSON is b in Extended JSON.
func (b Binary) MarshalJSON() ([]byte, error) { return marshalExtValue(b) }

// UnmarshalJSON reads Extended JSON.
func (b *Binary) UnmarshalJSON(data []byte) error { return unmarshalExtValue(data, b) }

// MarshalJSON is r in Extended JSON.
func (r Regex) MarshalJSON() ([]byte, error) { return marshalExtValue(r) }

// UnmarshalJSON reads Extended JSON.
func (r *Regex) UnmarshalJSON(data []byte) error { return unmarshalExtValue(data, r) }

// MarshalJSON is p in Extended JSON.
func (p DBPointer) MarshalJSON() ([]byte, error) { return marshalExtValue(p) }

// UnmarshalJSON reads Extended JSON.
func (p *DBPointer) UnmarshalJSON(data []byte) error { return unmarshalExtValue(data, p) }

// MarshalJSON is c in relaxed Extended JSON.
func (c CodeWithScope) MarshalJSON() ([]byte, error) { return marshalExtValue(c) }

// UnmarshalJSON reads Extended JSON.
func (c *CodeWithScope) UnmarshalJSON(data []byte) error { return unmarshalExtValue(data, c) }

// MarshalJSON is u in Extended JSON.
func (u Undefined) MarshalJSON() ([]byte, error) { return marshalExtValue(u) }

// UnmarshalJSON reads Extended JSON.
func (u *Undefined) UnmarshalJSON(data []byte) error { return unmarshalExtValue(data, u) }

// MarshalJSON is null.
func (n Null) MarshalJSON() ([]byte, error) { return marshalExtValue(n) }

// UnmarshalJSON reads null.
func (n *Null) UnmarshalJSON(data []byte) error { return unmarshalExtValue(data, n) }

// MarshalJSON is k in Extended JSON.
func (k MinKey) MarshalJSON() ([]byte, error) { return marshalExtValue(k) }

// UnmarshalJSON reads Extended JSON.
func (k *MinKey) UnmarshalJSON(data []byte) error { return unmarshalExtValue(data, k) }

// MarshalJSON is k in Extended JSON.
func (k MaxKey) MarshalJSON() ([]byte, error) { return marshalExtValue(k) }

// UnmarshalJSON reads Extended JSON.
func (k *MaxKey) UnmarshalJSON(data []byte) error { return unmarshalExtValue(data, k) }

func marshalExtValue(v any) ([]byte, error) {
	value, err := MarshalValue(v)
	if err != nil {
		return nil, err
	}
	return AppendExtJSONValue(nil, value, Relaxed)
}

func unmarshalExtValue(data []byte, dst any) error {
	value, err := ParseExtJSONValue(data)
	if err != nil {
		return err
	}
	return value.Unmarshal(dst)
}
