package bson

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"
)

// The slow twins of the codecs: no plans, no slabs, no unsafe, one allocation
// for each value. Fuzz targets compare results with them, benchmarks named Slow
// show what the fast ones buy.

// slowD decodes doc, which must be valid.
func slowD(doc Raw) D {
	d := D{}
	for key, v := range doc.All() {
		d = append(d, E{key, slowAny(v)})
	}
	return d
}

func slowM(doc Raw) M {
	m := M{}
	for key, v := range doc.All() {
		if m[key] = slowAny(v); v.Type == TypeEmbeddedDocument {
			m[key] = slowM(Raw(v.Value))
		}
		if v.Type == TypeArray {
			m[key] = slowArray(v, true)
		}
		if v.Type == TypeCodeWithScope {
			code, scope, _ := v.CodeWithScope()
			m[key] = CodeWithScope{JavaScript(code), slowM(scope)}
		}
	}
	return m
}

func slowArray(v RawValue, maps bool) A {
	a := A{}
	for e := range RawArray(v.Value).Values() {
		x := slowAny(e)
		if maps {
			x = slowM(documentOf("x", e))["x"]
		}
		a = append(a, x)
	}
	return a
}

// documentOf is a document with one element.
func documentOf(key string, v RawValue) Raw {
	dst, at := BeginDocument(nil)
	return EndDocument(AppendValue(dst, key, v), at)
}

func slowAny(v RawValue) any {
	switch v.Type {
	case TypeDouble:
		f, _ := v.Double()
		return f
	case TypeString:
		s, _ := v.Str()
		return s
	case TypeEmbeddedDocument:
		return slowD(Raw(v.Value))
	case TypeArray:
		return slowArray(v, false)
	case TypeBinary:
		b, _ := v.Binary()
		return Binary{b.Subtype, append([]byte{}, b.Data...)}
	case TypeUndefined:
		return Undefined{}
	case TypeObjectID:
		id, _ := v.ObjectID()
		return id
	case TypeBoolean:
		b, _ := v.Bool()
		return b
	case TypeDateTime:
		t, _ := v.DateTime()
		return t
	case TypeRegex:
		r, _ := v.Regex()
		return r
	case TypeDBPointer:
		p, _ := v.DBPointer()
		return p
	case TypeJavaScript:
		s, _ := v.Str()
		return JavaScript(s)
	case TypeSymbol:
		s, _ := v.Str()
		return Symbol(s)
	case TypeCodeWithScope:
		code, scope, _ := v.CodeWithScope()
		return CodeWithScope{JavaScript(code), slowD(scope)}
	case TypeInt32:
		n, _ := v.Int32()
		return n
	case TypeTimestamp:
		t, _ := v.Timestamp()
		return t
	case TypeInt64:
		n, _ := v.Int64()
		return n
	case TypeDecimal128:
		d, _ := v.Decimal128()
		return d
	case TypeMinKey:
		return MinKey{}
	case TypeMaxKey:
		return MaxKey{}
	}
	return nil
}

// slowElement appends an element with the value v, of a type that decoding
// gives or of one of the kinds that plain is made of. omitEmpty leaves it out if
// it is an empty string or a nil pointer.
func slowElement(dst []byte, key string, v reflect.Value, omitEmpty bool) []byte {
	if !v.IsValid() {
		return AppendNull(dst, key)
	}
	switch x := v.Interface().(type) {
	case D:
		if x == nil {
			return AppendNull(dst, key)
		}
		return AppendDocument(dst, key, slowDocument(x))
	case ObjectID:
		return AppendObjectID(dst, key, x)
	case DateTime:
		return AppendDateTime(dst, key, x)
	case time.Time:
		return AppendDateTime(dst, key, NewDateTime(x))
	case Binary:
		return AppendBinary(dst, key, x)
	case Undefined:
		return AppendHeader(dst, TypeUndefined, key)
	case Regex:
		return AppendRegex(dst, key, x)
	case DBPointer:
		return append(AppendStringValue(AppendHeader(dst, TypeDBPointer, key), x.DB), x.Pointer[:]...)
	case JavaScript:
		return AppendStringValue(AppendHeader(dst, TypeJavaScript, key), string(x))
	case Symbol:
		return AppendStringValue(AppendHeader(dst, TypeSymbol, key), string(x))
	case CodeWithScope:
		dst = AppendHeader(dst, TypeCodeWithScope, key)
		dst, at := BeginDocument(dst)
		dst = AppendStringValue(dst, string(x.Code))
		dst = append(dst, slowDocument(x.Scope.(D))...)
		PatchLength(dst, at)
		return dst
	case Timestamp:
		return AppendTimestamp(dst, key, x)
	case Decimal128:
		return AppendDecimal128(dst, key, x)
	case MinKey:
		return AppendHeader(dst, TypeMinKey, key)
	case MaxKey:
		return AppendHeader(dst, TypeMaxKey, key)
	}
	switch v.Kind() {
	case reflect.String:
		if omitEmpty && v.Len() == 0 {
			return dst
		}
		return AppendString(dst, key, v.String())
	case reflect.Bool:
		return AppendBool(dst, key, v.Bool())
	case reflect.Int32:
		return AppendInt32(dst, key, int32(v.Int()))
	case reflect.Int64:
		return AppendInt64(dst, key, v.Int())
	case reflect.Int:
		if n := v.Int(); n == int64(int32(n)) {
			return AppendInt32(dst, key, int32(n))
		}
		return AppendInt64(dst, key, v.Int())
	case reflect.Float64:
		return AppendDouble(dst, key, v.Float())
	case reflect.Slice:
		if v.IsNil() {
			return AppendNull(dst, key)
		}
		dst, at := BeginArray(dst, key)
		for i := range v.Len() {
			dst = slowElement(dst, fmt.Sprint(i), v.Index(i), false)
		}
		return EndDocument(dst, at)
	case reflect.Struct:
		return AppendDocument(dst, key, slowStruct(v))
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() && omitEmpty {
			return dst
		}
		return slowElement(dst, key, v.Elem(), false)
	}
	panic(v.Type().String())
}

func slowDocument(d D) Raw {
	dst, at := BeginDocument(nil)
	for _, e := range d {
		dst = slowElement(dst, e.Key, reflect.ValueOf(e.Value), false)
	}
	return EndDocument(dst, at)
}

func slowStruct(v reflect.Value) Raw {
	dst, at := BeginDocument(nil)
	for i := range v.NumField() {
		tag := parseTag(v.Type().Field(i), false)
		dst = slowElement(dst, tag.name, v.Field(i), tag.omitEmpty)
	}
	return EndDocument(dst, at)
}

// slowSet decodes v into what into is. ok is false where that needs a
// conversion or is an error.
func slowSet(into reflect.Value, v RawValue) (ok bool) {
	if v.Type == TypeNull || v.Type == TypeUndefined {
		into.SetZero()
		return true
	}
	switch x := into.Addr().Interface().(type) {
	case *ObjectID:
		*x, ok = v.ObjectID()
		return ok
	case *time.Time:
		*x, ok = v.Time()
		return ok
	case *any:
		*x = slowAny(v)
		return true
	case *D:
		*x = slowD(Raw(v.Value))
		return v.Type == TypeEmbeddedDocument
	}
	switch into.Kind() {
	case reflect.String:
		s, ok := v.Str()
		into.SetString(s)
		return ok && v.Type == TypeString && utf8.ValidString(s)
	case reflect.Bool:
		b, ok := v.Bool()
		into.SetBool(b)
		return ok
	case reflect.Int, reflect.Int32, reflect.Int64:
		n, ok := v.AsInt64()
		if ok = ok && v.Type != TypeDouble && !into.OverflowInt(n); ok {
			into.SetInt(n)
		}
		return ok
	case reflect.Float64:
		f, ok := v.Double()
		into.SetFloat(f)
		return ok
	case reflect.Slice:
		into.Set(reflect.MakeSlice(into.Type(), RawArray(v.Value).Len(), RawArray(v.Value).Len()))
		i := 0
		for e := range RawArray(v.Value).Values() {
			if v.Type != TypeArray || !slowSet(into.Index(i), e) {
				return false
			}
			i++
		}
		return v.Type == TypeArray
	case reflect.Struct:
		return v.Type == TypeEmbeddedDocument && slowSetStruct(into, Raw(v.Value))
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		return slowSet(into.Elem(), v)
	}
	panic(into.Type().String())
}

func slowSetStruct(into reflect.Value, doc Raw) bool {
	names := map[string]reflect.Value{}
	for i := range into.NumField() {
		names[parseTag(into.Type().Field(i), false).name] = into.Field(i)
	}
	for key, v := range doc.All() {
		field, ok := names[key]
		if !ok {
			field, ok = names[strings.ToLower(key)]
		}
		if ok && !slowSet(field, v) {
			return false
		}
	}
	return true
}

// sameValue is reflect.DeepEqual for decoded values, with equal NaNs.
func sameValue(v, w any) bool {
	a, errA := MarshalValue(v)
	b, errB := MarshalValue(w)
	return errA == nil && errB == nil && a.Type == b.Type && bytes.Equal(a.Value, b.Value) && fmt.Sprintf("%#v", v) == fmt.Sprintf("%#v", w)
}
