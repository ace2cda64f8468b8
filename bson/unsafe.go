package bson

import (
	"encoding/binary"
	"reflect"
	"unsafe"
)

// This file holds all that the package does with unsafe. Compiled codecs read
// and write the fields of a Go value by their offset, boxed values are put into
// slabs, and encoders write through a pen. The benchmarks of this package and
// their twins named Slow show what that buys.

// ref is the address of a Go value whose type the codec at hand knows.
type ref struct{ p unsafe.Pointer }

// at is the value at r, which is a T or has T's layout.
func at[T any](r ref) *T { return (*T)(r.p) }

// add is the address n bytes after r, within the same value.
func (r ref) add(n uintptr) ref { return ref{unsafe.Add(r.p, n)} }

// elem is what the pointer at r points to.
func (r ref) elem() ref { return ref{*(*unsafe.Pointer)(r.p)} }

// isNil reports whether r is no address, as elem gives it for a nil pointer.
func (r ref) isNil() bool { return r.p == nil }

// target is what the pointer at r points to, a new zero t if it was nil.
func (r ref) target(t reflect.Type) ref {
	q := r.elem()
	if q.isNil() {
		q = newRef(t)
		*(*unsafe.Pointer)(r.p) = q.p
	}
	return q
}

// value is the addressable reflect.Value of the t at r.
func (r ref) value(t reflect.Type) reflect.Value { return reflect.NewAt(t, r.p).Elem() }

// slice is the first element and the length of the slice at r.
func (r ref) slice() (first ref, n int) {
	s := *(*[]struct{})(r.p)
	return ref{unsafe.Pointer(unsafe.SliceData(s))}, len(s)
}

// setNil makes the pointer at r nil.
func (r ref) setNil() { *(*unsafe.Pointer)(r.p) = nil }

// setEmptySlice makes the slice at r, of whatever type, empty but not nil.
func (r ref) setEmptySlice() { *(*[]struct{})(r.p) = []struct{}{} }

// set makes the pointer at r point to what is at q.
func (r ref) set(q ref) { *(*unsafe.Pointer)(r.p) = q.p }

// newRef is the address of a new zero t.
func newRef(t reflect.Type) ref { return ref{reflect.New(t).UnsafePointer()} }

// newRefs is the address of the first of n new zero values, of which t is a
// slice.
func newRefs(t reflect.Type, n int) ref { return ref{reflect.MakeSlice(t, n, n).UnsafePointer()} }

// refTo is the address that the pointer v holds.
func refTo(v reflect.Value) ref { return ref{v.UnsafePointer()} }

// bytesOf are the n bytes at r.
func bytesOf(r ref, n uintptr) []byte { return unsafe.Slice((*byte)(r.p), n) }

// eface is the layout of an any: its type, and the address of its value, or
// the value itself where that is a pointer. The type is no pointer to the
// garbage collector, since types that are compiled in stay where they are.
type eface struct {
	typ  uintptr
	data unsafe.Pointer
}

// dataOf is the address of the value within v, which must not be written to.
// It must not be called for values that are pointers themselves.
func dataOf(v any) ref { return ref{(*eface)(unsafe.Pointer(&v)).data} }

// typeWord is what an any that holds a T has for its type.
func typeWord[T any]() uintptr {
	var zero T
	v := any(zero)
	return (*eface)(unsafe.Pointer(&v)).typ
}

var (
	wordDouble        = typeWord[float64]()
	wordString        = typeWord[string]()
	wordD             = typeWord[D]()
	wordA             = typeWord[A]()
	wordBinary        = typeWord[Binary]()
	wordObjectID      = typeWord[ObjectID]()
	wordDateTime      = typeWord[DateTime]()
	wordRegex         = typeWord[Regex]()
	wordJavaScript    = typeWord[JavaScript]()
	wordSymbol        = typeWord[Symbol]()
	wordCodeWithScope = typeWord[CodeWithScope]()
	wordTimestamp     = typeWord[Timestamp]()
	wordDecimal128    = typeWord[Decimal128]()
	wordInt32         = typeWord[int32]()
	wordInt64         = typeWord[int64]()
)

// box makes *v the value at p, which has the layout of the type that word
// stands for. It is what an assignment does after it has copied the value to a
// place of its own.
func box[T any](v *any, word uintptr, p *T) {
	*(*eface)(unsafe.Pointer(v)) = eface{word, unsafe.Pointer(p)}
}

// pen writes into the free part of a buffer, whose room whoever holds the pen
// sees to.
type pen struct{ p unsafe.Pointer }

// penAt is a pen behind the end of b, which has room for one byte at least.
func penAt(b []byte) pen {
	return pen{unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), len(b))}
}

// written is how many bytes from the start of b the pen is.
func (w pen) written(b []byte) int {
	return int(uintptr(w.p) - uintptr(unsafe.Pointer(unsafe.SliceData(b))))
}

// skip is the pen n bytes on.
func (w pen) skip(n int) pen { return pen{unsafe.Add(w.p, n)} }

// start writes the first startSize bytes of what b has room for.
func (w pen) start(b []byte) {
	const half = startSize / 2
	src := unsafe.Pointer(unsafe.SliceData(b))
	*(*[half]byte)(w.p) = *(*[half]byte)(src)
	*(*[half]byte)(unsafe.Add(w.p, half)) = *(*[half]byte)(unsafe.Add(src, half))
}

// byte, uint32 and uint64 write a number n bytes on.
func (w pen) byte(n int, v byte) { *(*byte)(unsafe.Add(w.p, n)) = v }

func (w pen) uint32(n int, v uint32) {
	binary.LittleEndian.PutUint32((*[4]byte)(unsafe.Add(w.p, n))[:], v)
}

func (w pen) uint64(n int, v uint64) {
	binary.LittleEndian.PutUint64((*[8]byte)(unsafe.Add(w.p, n))[:], v)
}

// bytes are the n bytes behind the pen.
func (w pen) bytes(n int) []byte { return unsafe.Slice((*byte)(w.p), n) }

// place makes the places for 64 bits from w on, as many as it takes, one that
// holds v, which contains no pointers.
func place[T any](w *uint64, v T) *T {
	p := (*T)(unsafe.Pointer(w))
	*p = v
	return p
}

// load32 and load64 are the number at i of b, whose capacity goes beyond it.
func load32(b []byte, i int) uint32 {
	return binary.LittleEndian.Uint32((*[4]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))[:])
}

func load64(b []byte, i int) uint64 {
	return binary.LittleEndian.Uint64((*[8]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))[:])
}

// stringAt are the bytes of b from i to j, which must be there and never change
// again.
func stringAt(b []byte, i, j int) string {
	return unsafe.String((*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i)), j-i)
}

// stringOf is b as a string. b must never change again.
func stringOf(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// bytesOfString are the bytes of s, which must not be written to.
func bytesOfString(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
