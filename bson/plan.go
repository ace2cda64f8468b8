package bson

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"net/url"
	"reflect"
	"slices"
	"sync"
	"time"
)

// A codec is how the values of one Go type become BSON and back. It is made
// once for each type and never changes.
type codec struct {
	typ  reflect.Type
	kind kind
	// size is that of a value in memory.
	size uintptr
	// zeroer reports whether the type has a method IsZero.
	zeroer bool
	// addressed reports whether encoding may hand out the address of a value,
	// to a hook of its pointer type.
	addressed bool
	// copied reports whether a value that an any holds must be copied to be
	// encoded: because it is addressed, or because it may be a pointer that
	// stands where other values have their address.
	copied bool
	// elem is the codec of what a pointer, slice, array or map holds.
	elem *codec
	// fields are those of a struct.
	fields *structFields
	// encode appends the value at p, without type and key, and says which type
	// it has. depth is that of the document around it.
	encode func(c *codec, e *encoder, p ref, depth int) (Type, error)
	// decode reads b, a whole value of type t as valueLen measures it, into
	// the value at p.
	decode func(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error
}

// kind is what a codec's fast paths go by. The kinds of other types are zero,
// and codecs of those have nothing but their functions.
type kind uint8

const (
	kindOther kind = iota
	kindString
	kindBool
	kindInt
	kindInt32
	kindInt64
	kindFloat64
	kindObjectID
	kindDateTime
	kindTime
	kindStruct
	kindPointer
	kindSlice
	kindAny
	kindD
	kindM
	kindA
)

// codecs are made on demand, by their reflect.Type.
type codecs struct{ made sync.Map }

// codecOf is the codec of t for c's options.
func (c *config) codecOf(t reflect.Type) *codec {
	if made, ok := c.codecs.made.Load(t); ok {
		return made.(*codec)
	}
	b := codecBuilder{config: c, made: map[reflect.Type]*codec{}}
	b.codec(t)
	for _, made := range b.made {
		made.finish()
	}
	for t, made := range b.made {
		c.codecs.made.LoadOrStore(t, made)
	}
	return b.made[t]
}

// codecBuilder makes the codec of a type and of all that it holds. Types may
// hold themselves, thus nothing is published before all is made.
type codecBuilder struct {
	*config
	made map[reflect.Type]*codec
}

func (b *codecBuilder) codec(t reflect.Type) *codec {
	if made, ok := b.codecs.made.Load(t); ok {
		return made.(*codec)
	}
	if made, ok := b.made[t]; ok {
		return made
	}
	c := &codec{typ: t, size: t.Size(), zeroer: t.Implements(reflect.TypeFor[Zeroer]())}
	b.made[t] = c
	b.build(c)
	return c
}

// finish sets what depends on other codecs that may have been made later.
func (c *codec) finish() {
	c.copied = c.addressed || c.size == bits.UintSize/8 && hasPointer(c.typ)
	if c.fields != nil {
		for i := range c.fields.list {
			c.fields.list[i].choose()
		}
	}
}

// hasPointer reports whether a t of the size of a pointer may be one.
func hasPointer(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if hasPointer(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Array:
		return t.Len() > 0 && hasPointer(t.Elem())
	case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return true
	}
	return false
}

// build finds the functions for c.typ: what is registered for it, what this
// package knows, the type's own hooks, what its kind allows; the first of these
// wins.
func (b *codecBuilder) build(c *codec) {
	if known, ok := knownTypes[c.typ]; ok {
		c.kind, c.encode, c.decode = known.kind, known.encode, known.decode
	} else {
		b.buildKind(c)
		hookEncode(c)
		hookDecode(c)
	}
	if registered := b.Registry.codecFor(c.typ); registered != nil {
		c.kind = kindOther
		if registered.encode != nil {
			c.encode = registered.encode
		}
		if registered.decode != nil {
			c.decode = registered.decode
		}
	}
}

// buildKind finds the functions for c.typ's kind.
func (b *codecBuilder) buildKind(c *codec) {
	switch c.typ.Kind() {
	case reflect.Bool:
		c.kind, c.encode, c.decode = kindBool, encodeBool, decodeBool
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		c.encode, c.decode = encodeInt, decodeInt
		switch c.typ.Kind() {
		case reflect.Int:
			c.kind = kindInt
		case reflect.Int32:
			c.kind = kindInt32
		case reflect.Int64:
			c.kind = kindInt64
		}
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		c.encode, c.decode = encodeUint, decodeUint
	case reflect.Float32:
		c.encode, c.decode = encodeFloat, decodeFloat
	case reflect.Float64:
		c.kind, c.encode, c.decode = kindFloat64, encodeFloat, decodeFloat
	case reflect.String:
		c.kind, c.encode, c.decode = kindString, encodeString, decodeString
	case reflect.Struct:
		c.encode, c.decode = encodeStruct, decodeStruct
		if fields, err := b.fields(c.typ); err != nil {
			c.fail(err)
		} else {
			c.kind, c.fields = kindStruct, fields
			c.addressed = slices.ContainsFunc(fields.list, func(f field) bool { return f.codec.addressed })
		}
	case reflect.Pointer:
		c.kind, c.encode, c.decode = kindPointer, encodePointer, decodePointer
		c.elem = b.codec(c.typ.Elem())
	case reflect.Slice:
		b.buildSlice(c)
	case reflect.Array:
		b.buildArray(c)
	case reflect.Map:
		if c.encode, c.decode = encodeMap, decodeMap; c.typ.ConvertibleTo(reflect.TypeFor[M]()) {
			c.kind, c.encode, c.decode = kindM, encodeM, decodeM
		}
		c.elem = b.codec(c.typ.Elem())
	case reflect.Interface:
		c.encode, c.decode = encodeInterface, decodeInterface
	default:
		c.fail(errors.New("BSON has no such values; give the field the tag \"-\" to leave it out"))
	}
}

func (b *codecBuilder) buildSlice(c *codec) {
	switch elem := c.typ.Elem(); {
	case elem == reflect.TypeFor[E]():
		c.kind, c.encode, c.decode = kindD, encodeD, decodeDInto
	case elem.Kind() == reflect.Uint8:
		c.encode, c.decode = encodeBytes, decodeBytes
	case elem == reflect.TypeFor[any]():
		c.kind, c.encode, c.decode = kindA, encodeA, decodeA
	default:
		c.kind, c.encode, c.decode = kindSlice, encodeSlice, decodeSlice
	}
	c.elem = b.codec(c.typ.Elem())
}

func (b *codecBuilder) buildArray(c *codec) {
	if c.typ.Elem().Kind() == reflect.Uint8 {
		c.encode, c.decode = encodeByteArray, decodeByteArray
	} else {
		c.encode, c.decode = encodeArray, decodeArray
	}
	c.elem = b.codec(c.typ.Elem())
	c.addressed = c.elem.addressed
}

// fail makes every use of c fail with err.
func (c *codec) fail(err error) {
	c.kind = kindOther
	c.encode = func(*codec, *encoder, ref, int) (Type, error) { return 0, err }
	c.decode = func(*codec, *decoder, Type, []byte, ref, int) error { return err }
}

// knownTypes are this package's own and a few of the standard library's.
var knownTypes map[reflect.Type]codec

func init() {
	known := func(typ reflect.Type, k kind, encode encodeFunc, decode decodeFunc) {
		knownTypes[typ] = codec{kind: k, encode: encode, decode: decode}
	}
	knownTypes = map[reflect.Type]codec{}
	known(reflect.TypeFor[ObjectID](), kindObjectID, encodeObjectID, decodeObjectID)
	known(reflect.TypeFor[DateTime](), kindDateTime, encodeDateTime, decodeExact(TypeDateTime, RawValue.DateTime))
	known(reflect.TypeFor[time.Time](), kindTime, encodeTime, decodeTime)
	known(reflect.TypeFor[Timestamp](), kindOther, encodeTimestamp, decodeExact(TypeTimestamp, RawValue.Timestamp))
	known(reflect.TypeFor[Decimal128](), kindOther, encodeDecimal128, decodeExact(TypeDecimal128, RawValue.Decimal128))
	known(reflect.TypeFor[Binary](), kindOther, encodeBinary, decodeBinary)
	known(reflect.TypeFor[Regex](), kindOther, encodeRegex, decodeExact(TypeRegex, RawValue.Regex))
	known(reflect.TypeFor[DBPointer](), kindOther, encodeDBPointer, decodeExact(TypeDBPointer, RawValue.DBPointer))
	known(reflect.TypeFor[JavaScript](), kindOther, encodeText(TypeJavaScript), decodeJavaScript)
	known(reflect.TypeFor[Symbol](), kindOther, encodeText(TypeSymbol), decodeString)
	known(reflect.TypeFor[CodeWithScope](), kindOther, encodeCodeWithScope, decodeCodeWithScope)
	known(reflect.TypeFor[Undefined](), kindOther, encodeEmpty(TypeUndefined), decodeEmpty(TypeUndefined))
	known(reflect.TypeFor[Null](), kindOther, encodeEmpty(TypeNull), decodeEmpty(TypeNull))
	known(reflect.TypeFor[MinKey](), kindOther, encodeEmpty(TypeMinKey), decodeEmpty(TypeMinKey))
	known(reflect.TypeFor[MaxKey](), kindOther, encodeEmpty(TypeMaxKey), decodeEmpty(TypeMaxKey))
	known(reflect.TypeFor[Raw](), kindOther, encodeRaw, decodeRaw)
	known(reflect.TypeFor[RawArray](), kindOther, encodeRawArray, decodeRawArray)
	known(reflect.TypeFor[RawValue](), kindOther, encodeRawValue, decodeRawValue)
	known(reflect.TypeFor[any](), kindAny, encodeInterface, decodeInterface)
	known(reflect.TypeFor[D](), kindD, encodeD, decodeDInto)
	known(reflect.TypeFor[json.Number](), kindOther, encodeJSONNumber, decodeJSONNumber)
	known(reflect.TypeFor[url.URL](), kindOther, encodeURL, decodeURL)
}

type (
	encodeFunc = func(c *codec, e *encoder, p ref, depth int) (Type, error)
	decodeFunc = func(c *codec, d *decoder, t Type, b []byte, p ref, depth int) error
)

// mismatch is the error for a BSON type that cannot become the codec's type.
func mismatch(want string) error { return fmt.Errorf("it takes %s", want) }
