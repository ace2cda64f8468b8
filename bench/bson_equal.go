package main

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"time"

	mgo "github.com/globalsign/mgo/bson"
	motor "github.com/motor-go/motor/bson"
	v1 "go.mongodb.org/mongo-driver/bson/primitive"
	v2 "go.mongodb.org/mongo-driver/v2/bson"
)

// pair is an element of a document in its neutral form.
type pair struct {
	key   string
	value any
}

// neutral is a decoded value in a form that is the same for all drivers, to be
// compared with reflect.DeepEqual. Documents become lists of pairs if ordered,
// else maps.
func neutral(v any, ordered bool) any {
	if s, ok := leaf(v); ok {
		return s
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Pointer:
		if rv.IsNil() {
			return nil
		}
		return neutral(rv.Elem().Interface(), ordered)
	case reflect.Struct:
		fields := make([]any, rv.NumField())
		for i := range fields {
			fields[i] = neutral(rv.Field(i).Interface(), ordered)
		}
		return fields
	case reflect.Map:
		doc := map[string]any{}
		for k, e := range rv.Seq2() {
			doc[k.String()] = neutral(e.Interface(), ordered)
		}
		return doc
	case reflect.Slice:
		if rv.Type().Elem().Kind() == reflect.Struct && rv.Type().Elem().NumField() == 2 {
			return neutralD(rv, ordered)
		}
		list := make([]any, rv.Len())
		for i := range list {
			list[i] = neutral(rv.Index(i).Interface(), ordered)
		}
		return list
	}
	return v
}

// neutralD is a document that is a slice of keys and values.
func neutralD(rv reflect.Value, ordered bool) any {
	list, doc := []pair{}, map[string]any{}
	for i := range rv.Len() {
		key, value := rv.Index(i).Field(0).String(), neutral(rv.Index(i).Field(1).Interface(), ordered)
		list = append(list, pair{key, value})
		doc[key] = value
	}
	if ordered {
		return list
	}
	return doc
}

// difference is where the texts of two values begin to differ.
func difference(v, w any) (string, string) {
	a, b := fmt.Sprintf("%#v", v), fmt.Sprintf("%#v", w)
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	i = max(0, i-40)
	return a[i:min(len(a), i+100)], b[i:min(len(b), i+100)]
}

// leaf is a value of one of the drivers' own types as text.
func leaf(v any) (any, bool) {
	id := func(b []byte) (any, bool) { return "ObjectID " + hex.EncodeToString(b), true }
	date := func(ms int64) (any, bool) { return fmt.Sprint("date ", ms), true }
	binary := func(subtype byte, b []byte) (any, bool) { return fmt.Sprintf("binary %d %x", subtype, b), true }
	regex := func(pattern, options string) (any, bool) { return fmt.Sprintf("/%s/%s", pattern, options), true }
	stamp := func(t, i uint32) (any, bool) { return fmt.Sprintf("timestamp %d %d", t, i), true }
	code := func(code string, scope any) (any, bool) { return []any{"code", code, neutral(scope, false)}, true }
	switch v := v.(type) {
	case nil:
		return nil, true
	case int:
		return int32(v), true // mgo has it for int32

	case motor.ObjectID:
		return id(v[:])
	case v2.ObjectID:
		return id(v[:])
	case v1.ObjectID:
		return id(v[:])
	case mgo.ObjectId:
		return id([]byte(v))

	case motor.DateTime:
		return date(int64(v))
	case v2.DateTime:
		return date(int64(v))
	case v1.DateTime:
		return date(int64(v))
	case time.Time:
		return date(v.UnixMilli())

	case motor.Binary:
		return binary(v.Subtype, v.Data)
	case v2.Binary:
		return binary(v.Subtype, v.Data)
	case v1.Binary:
		return binary(v.Subtype, v.Data)
	case []byte:
		return binary(0, v)

	case motor.Regex:
		return regex(v.Pattern, v.Options)
	case v2.Regex:
		return regex(v.Pattern, v.Options)
	case v1.Regex:
		return regex(v.Pattern, v.Options)
	case mgo.RegEx:
		return regex(v.Pattern, v.Options)

	case motor.Timestamp:
		return stamp(v.T, v.I)
	case v2.Timestamp:
		return stamp(v.T, v.I)
	case v1.Timestamp:
		return stamp(v.T, v.I)
	case mgo.MongoTimestamp:
		return stamp(uint32(v>>32), uint32(v))

	case motor.CodeWithScope:
		return code(string(v.Code), v.Scope)
	case v2.CodeWithScope:
		return code(string(v.Code), v.Scope)
	case v1.CodeWithScope:
		return code(string(v.Code), v.Scope)
	case mgo.JavaScript:
		return code(v.Code, v.Scope)
	case motor.JavaScript:
		return code(string(v), nil)
	case v2.JavaScript:
		return code(string(v), nil)
	case v1.JavaScript:
		return code(string(v), nil)

	case motor.MinKey, v2.MinKey, v1.MinKey:
		return "MinKey", true
	case motor.MaxKey, v2.MaxKey, v1.MaxKey:
		return "MaxKey", true
	}
	switch {
	case reflect.DeepEqual(v, mgo.MinKey):
		return "MinKey", true
	case reflect.DeepEqual(v, mgo.MaxKey):
		return "MaxKey", true
	}
	return nil, false
}
