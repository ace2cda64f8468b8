// Package bson reads and writes BSON, the format of MongoDB's documents.
//
// # Vocabulary
//
// A document is a list of elements, each with a key and a value. A value has
// one of the types of the BSON specification; documents and arrays are values
// too. To encode is to write a Go value as BSON, to decode is to read it back.
//
// A document comes in three forms:
//
//   - [Raw] is the bytes of a document, [RawArray] those of an array, and
//     [RawValue] those of any value with its type. They are read in place, by
//     iteration, by [Raw.Lookup] or by typed methods, and nothing is copied.
//   - [D], and [A] for arrays, keep all of a document as Go values, in order
//     and with repeated keys. [M] is a map instead.
//   - Structs and maps of the caller's own.
//
// [Marshal] and [Unmarshal] go from the bytes to the other two and back,
// [Append] encodes into a buffer that is there, [Encoder] and [Decoder] work on
// streams. [Options] change what they do; its methods are these functions. For
// writing a document element by element there are [BeginDocument], the
// functions named Append, and [EndDocument].
//
// # Go types
//
// Where the Go type is any, values become:
//
//	double                float64
//	string                string
//	embedded document     D, at every depth
//	array                 A
//	binary                Binary
//	undefined             Undefined
//	objectID              ObjectID
//	boolean               bool
//	dateTime              DateTime
//	null                  nil
//	regex                 Regex
//	dbPointer             DBPointer
//	javascript            JavaScript
//	symbol                Symbol
//	codeWithScope         CodeWithScope
//	32-bit integer        int32
//	timestamp             Timestamp
//	64-bit integer        int64
//	128-bit decimal       Decimal128
//	minKey, maxKey        MinKey, MaxKey
//
// These types are encoded as what they came from, and decoded from it.
// Furthermore:
//
//   - int8, int16, uint8, uint16 and int32 become a 32-bit integer, int one that
//     is as long as needed, the other integers a 64-bit one. Any of them, and
//     float32 and float64, are decoded from every number that they can hold.
//   - time.Time becomes a dateTime, which has milliseconds. It is decoded in UTC.
//   - []byte and arrays of bytes become a generic binary, and UUID one of its own
//     subtype. [Vector] and [Binary.Vector] go between lists of numbers and
//     binaries of theirs.
//   - json.Number becomes an integer or a double, and url.URL a string.
//   - Other slices and arrays become arrays, structs and maps documents. The
//     keys of a map are strings or integers, or have MarshalText or MarshalKey.
//   - Pointers become what they point to. Nil becomes null, and null becomes a
//     type's zero value.
//
// [Marshal] describes the tags of struct fields.
//
// # Types of the caller's own
//
// A type that has [Marshaler] or [ValueMarshaler], and [Unmarshaler] or
// [ValueUnmarshaler], encodes and decodes itself; [Zeroer] tells omitempty and
// omitzero what is empty. For a type that should not know this package, a
// [Registry] holds functions that do the same; and it says which Go types
// values become where the type is any.
//
// # Errors
//
// Decoding gives a [*DecodeError], which says the byte offset, the path such as
// "points.1.x", the BSON type and the Go type; encoding gives an
// [*EncodeError]. What is decoded may come from anyone: nothing panics, and
// time and memory are in proportion to the input. Documents may be nested
// [MaxDepth] deep.
//
// # Memory
//
// What is decoded never shares memory with the bytes it came from, but for
// Raw's own methods. The values of one D, M or A share a few allocations, and
// so do short strings in structs and what pointers point to: whoever keeps one
// of them for long should clone it.
//
// # Extended JSON
//
// [MarshalExtJSON], [UnmarshalExtJSON], [ParseExtJSON] and [AppendExtJSON] go
// between BSON and its JSON form. Raw, D and most types print themselves as
// Extended JSON.
package bson
