package bson

import (
	"encoding/json"
	"net/url"
	"reflect"
	"time"
)

// kind is how the values of a type are encoded, or how they are decoded. There
// are no functions in its stead: calls that the compiler sees through leave the
// encoder and the decoder on the stack.
type kind uint8

const (
	kindInvalid kind = iota // the codec's error says why
	kindString
	kindBool
	kindInt
	kindSmallInt // int8 and int16
	kindInt32
	kindInt64
	kindUint // of all sizes
	kindFloat32
	kindFloat64
	kindBytes
	kindByteArray
	kindStruct
	kindPointer
	kindSlice
	kindArray
	kindMap
	kindAny
	kindInterface

	kindD
	kindM
	kindA
	kindE // an array of E
	kindRaw
	kindRawArray
	kindRawValue
	kindBinary
	kindUndefined
	kindObjectID
	kindDateTime
	kindNull
	kindRegex
	kindDBPointer
	kindJavaScript
	kindSymbol
	kindCodeWithScope
	kindTimestamp
	kindDecimal128
	kindMinKey
	kindMaxKey

	kindTime
	kindJSONNumber
	kindURL

	kindHook          // the value does it itself
	kindAddressedHook // its address does it
	kindRegistered    // what is in the Registry does it
)

// knownTypes are the types that are not taken by their reflect.Kind.
var knownTypes = map[reflect.Type]kind{
	reflect.TypeFor[any]():           kindAny,
	reflect.TypeFor[Raw]():           kindRaw,
	reflect.TypeFor[RawArray]():      kindRawArray,
	reflect.TypeFor[RawValue]():      kindRawValue,
	reflect.TypeFor[Binary]():        kindBinary,
	reflect.TypeFor[Undefined]():     kindUndefined,
	reflect.TypeFor[ObjectID]():      kindObjectID,
	reflect.TypeFor[DateTime]():      kindDateTime,
	reflect.TypeFor[Null]():          kindNull,
	reflect.TypeFor[Regex]():         kindRegex,
	reflect.TypeFor[DBPointer]():     kindDBPointer,
	reflect.TypeFor[JavaScript]():    kindJavaScript,
	reflect.TypeFor[Symbol]():        kindSymbol,
	reflect.TypeFor[CodeWithScope](): kindCodeWithScope,
	reflect.TypeFor[Timestamp]():     kindTimestamp,
	reflect.TypeFor[Decimal128]():    kindDecimal128,
	reflect.TypeFor[MinKey]():        kindMinKey,
	reflect.TypeFor[MaxKey]():        kindMaxKey,
	reflect.TypeFor[time.Time]():     kindTime,
	reflect.TypeFor[json.Number]():   kindJSONNumber,
	reflect.TypeFor[url.URL]():       kindURL,
}

// kindOf is the kind for a type that is taken by its reflect.Kind.
func kindOf(t reflect.Type) kind {
	switch t.Kind() {
	case reflect.Bool:
		return kindBool
	case reflect.Int8, reflect.Int16:
		return kindSmallInt
	case reflect.Int:
		return kindInt
	case reflect.Int32:
		return kindInt32
	case reflect.Int64:
		return kindInt64
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		return kindUint
	case reflect.Float32:
		return kindFloat32
	case reflect.Float64:
		return kindFloat64
	case reflect.String:
		return kindString
	case reflect.Struct:
		return kindStruct
	case reflect.Pointer:
		return kindPointer
	case reflect.Slice:
		return sliceKind(t)
	case reflect.Array:
		switch elem := t.Elem(); {
		case elem == reflect.TypeFor[E]():
			return kindE
		case elem.Kind() == reflect.Uint8:
			return kindByteArray
		}
		return kindArray
	case reflect.Map:
		if t.ConvertibleTo(reflect.TypeFor[M]()) {
			return kindM
		}
		return kindMap
	case reflect.Interface:
		return kindInterface
	}
	return kindInvalid
}

func sliceKind(t reflect.Type) kind {
	switch elem := t.Elem(); {
	case elem == reflect.TypeFor[E]():
		return kindD
	case elem == reflect.TypeFor[any]():
		return kindA
	case elem.Kind() == reflect.Uint8:
		return kindBytes
	}
	return kindSlice
}
