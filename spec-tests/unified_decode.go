package spectests

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// malformed is an error of a test, or something in it that the runner or the
// driver lacks. It fails the test whatever error the test expects.
type malformed struct{ error }

func malformedf(format string, args ...any) error { return malformed{fmt.Errorf(format, args...)} }

func (m malformed) Unwrap() error { return m.error }

func isMalformed(err error) bool {
	var m malformed
	return errors.As(err, &m)
}

// decode reads doc into the struct that dst points to. A key goes into the
// field of the same name in any case; a time.Duration takes a key that ends in
// MS or Seconds. Each key needs a field, and each field a key, unless it is
// tagged `spec:"optional"`; the fields of an embedded struct of the driver are
// all optional. The tag `spec:"name=key"` names the key.
func decode(dst any, doc bson.Raw) error {
	d := decoder{struc: reflect.ValueOf(dst).Elem(), used: map[string]bool{}}
	if err := d.document(doc); err != nil {
		return err
	}
	return d.missing()
}

// decodeOptional is decode with no field that must have a key.
func decodeOptional(dst any, doc bson.Raw) error {
	d := decoder{struc: reflect.ValueOf(dst).Elem(), used: map[string]bool{}}
	return d.document(doc)
}

type decoder struct {
	struc reflect.Value
	used  map[string]bool
}

func (d *decoder) document(doc bson.Raw) error {
	for key, v := range doc.All() {
		if err := d.element(key, v); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) element(key string, v bson.RawValue) error {
	field, unit, ok := findField(d.struc, key)
	if !ok {
		return malformedf("%q is not supported", key)
	}
	if d.used[strings.ToLower(key)] {
		return malformedf("%q stands twice", key)
	}
	d.used[strings.ToLower(key)] = true
	if err := decodeValue(field, v, unit); err != nil {
		return malformedf("%q: %w", key, err)
	}
	return nil
}

// missing is an error if a field that is not optional had no key.
func (d *decoder) missing() error {
	for i := range d.struc.NumField() {
		f := d.struc.Type().Field(i)
		if f.Anonymous && f.Type.PkgPath() == decoderPath {
			if err := (&decoder{struc: d.struc.Field(i), used: d.used}).missing(); err != nil {
				return err
			}
		}
		if tag := f.Tag.Get("spec"); f.Anonymous || tag == "optional" || strings.HasSuffix(tag, ",optional") {
			continue
		}
		if !d.used[strings.ToLower(fieldKey(f))] {
			return malformedf("%q is missing", fieldKey(f))
		}
	}
	return nil
}

func fieldKey(f reflect.StructField) string {
	if name, ok := strings.CutPrefix(f.Tag.Get("spec"), "name="); ok {
		name, _, _ = strings.Cut(name, ",")
		return name
	}
	return strings.ToLower(f.Name[:1]) + f.Name[1:]
}

// findField finds the field for a key, and what a number in it counts if it is
// a duration.
func findField(struc reflect.Value, key string) (field reflect.Value, unit time.Duration, ok bool) {
	for i := range struc.NumField() {
		f := struc.Type().Field(i)
		if f.Anonymous {
			if field, unit, ok = findField(struc.Field(i), key); ok {
				return field, unit, true
			}
			continue
		}
		if unit, ok := matchKey(f, key); ok && f.IsExported() {
			return struc.Field(i), unit, true
		}
	}
	return field, 0, false
}

var durationType = reflect.TypeFor[time.Duration]()

func matchKey(f reflect.StructField, key string) (unit time.Duration, ok bool) {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t != durationType {
		return 0, strings.EqualFold(fieldKey(f), key)
	}
	if name, ok := strings.CutSuffix(key, "MS"); ok {
		return time.Millisecond, strings.EqualFold(f.Name, name)
	}
	name, ok := strings.CutSuffix(key, "Seconds")
	return time.Second, ok && strings.EqualFold(f.Name, name)
}

// decodeValue reads v into field.
func decodeValue(field reflect.Value, v bson.RawValue, unit time.Duration) error {
	if convert, ok := conversions[field.Type()]; ok {
		value, err := convert(v)
		if err == nil {
			field.Set(reflect.ValueOf(value))
		}
		return err
	}
	switch {
	case field.Type() == durationType:
		n, ok := v.AsInt64()
		if !ok {
			return fmt.Errorf("%v is not a whole number", v)
		}
		field.SetInt(n * int64(unit))
		return nil
	case field.Kind() == reflect.Interface:
		field.Set(reflect.ValueOf(argument(v)))
		return nil
	case field.Kind() == reflect.Pointer:
		field.Set(reflect.New(field.Type().Elem()))
		return decodeValue(field.Elem(), v, unit)
	case field.Kind() == reflect.Struct && (field.Type().PkgPath() == decoderPath || field.Type().Name() == ""):
		doc, ok := v.Document()
		if !ok {
			return fmt.Errorf("%v is not a document", v)
		}
		return decode(field.Addr().Interface(), doc)
	case field.Kind() == reflect.Slice && field.Type().Elem().Kind() == reflect.Struct:
		return decodeList(field, v)
	}
	return v.Unmarshal(field.Addr().Interface())
}

var decoderPath = reflect.TypeFor[malformed]().PkgPath()

func decodeList(field reflect.Value, v bson.RawValue) error {
	arr, ok := v.Array()
	if !ok {
		return fmt.Errorf("%v is not an array", v)
	}
	field.Set(reflect.MakeSlice(field.Type(), arr.Len(), arr.Len()))
	for i := range arr.Len() {
		if err := decodeValue(field.Index(i), arr.Index(i), 0); err != nil {
			return fmt.Errorf("%d: %w", i, err)
		}
	}
	return nil
}

// argument is v as the driver takes it where it takes anything.
func argument(v bson.RawValue) any {
	if doc, ok := v.Document(); ok {
		return doc
	}
	if arr, ok := v.Array(); ok {
		return arr
	}
	return v
}

// conversions read values that have a form of their own in the test format. It
// is filled in by init, as some of them decode documents.
var conversions map[reflect.Type]func(bson.RawValue) (any, error)

func init() {
	conversions = map[reflect.Type]func(bson.RawValue) (any, error){
		reflect.TypeFor[bson.RawValue](): func(v bson.RawValue) (any, error) { return v, nil },
		reflect.TypeFor[Version](): func(v bson.RawValue) (any, error) {
			s, _ := v.Str()
			return ParseVersion(s)
		},
		reflect.TypeFor[motor.CursorType]():         enum(map[string]motor.CursorType{"nontailable": motor.NonTailable, "tailable": motor.Tailable, "tailableawait": motor.TailableAwait}),
		reflect.TypeFor[motor.TimeoutMode]():        enum(map[string]motor.TimeoutMode{"cursorlifetime": motor.CursorLifetime, "iteration": motor.Iteration}),
		reflect.TypeFor[motor.ReturnDocument]():     enum(map[string]motor.ReturnDocument{"before": motor.Before, "after": motor.After}),
		reflect.TypeFor[motor.ReadConcern]():        readConcern,
		reflect.TypeFor[motor.WriteConcern]():       writeConcern,
		reflect.TypeFor[motor.ReadPreference]():     readPreference,
		reflect.TypeFor[motor.TransactionOptions](): transactionOptions,
	}
}

// enum reads one of some strings, in any case.
func enum[E any](values map[string]E) func(bson.RawValue) (any, error) {
	return func(v bson.RawValue) (any, error) {
		s, _ := v.Str()
		e, ok := values[strings.ToLower(s)]
		if !ok {
			return nil, fmt.Errorf("%v is not one of its values", v)
		}
		return e, nil
	}
}
