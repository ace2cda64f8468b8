package bson

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// census is what a document holds in all its depth.
type census struct {
	// maps tells that documents become maps.
	maps bool
	// record tells that lens are wanted.
	record bool

	nElements, nValues, nWords, nStrings, nDocs, nArrays, nBinaries, nCodes int
	// lens are the numbers of elements of the documents and arrays, each before
	// those within it.
	lens lengths
}

// lengths are a list whose beginning needs no allocation.
type lengths struct {
	n    int
	few  [48]int32
	more []int32
}

// add adds a length, which is set later, and is its place.
func (l *lengths) add() int {
	if l.n >= len(l.few) {
		if l.more == nil {
			l.more = make([]int32, 0, 4*len(l.few))
		}
		l.more = append(l.more, 0)
	}
	l.n++
	return l.n - 1
}

func (l *lengths) set(i, n int) {
	if i < len(l.few) {
		l.few[i] = int32(n)
	} else {
		l.more[i-len(l.few)] = int32(n)
	}
}

func (l *lengths) at(i int) int {
	if i < len(l.few) {
		return int(l.few[i])
	}
	return int(l.more[i-len(l.few)])
}

// count adds what doc holds and reports whether doc is valid. It is the fast
// twin of explain.
func (n *census) count(doc []byte, isArray bool, depth int) bool {
	if _, ok := body(doc); !ok || depth > MaxDepth {
		return false
	}
	at := 0
	if n.record {
		at = n.lens.add()
	}
	length := 0
	end := len(doc) - 1
	for pos := 4; pos < end; {
		t := Type(doc[pos])
		nul, high := keyEnd(doc, pos+1)
		if high&highBits != 0 && !utf8.Valid(doc[pos+1:nul]) {
			return false
		}
		v := nul + 1
		switch t {
		case TypeString:
			if v+5 > end {
				return false
			}
			size := int(int32(load32(doc, v)))
			if pos = v + 4 + size; size < 1 || pos > end || doc[pos-1] != 0 || !validUTF8(doc[v+4:pos-1]) {
				return false
			}
			n.nStrings++
		case TypeInt32:
			n.nWords++
			pos = v + 4
		case TypeDouble, TypeDateTime, TypeInt64, TypeTimestamp:
			n.nWords++
			pos = v + 8
		case TypeNull:
			pos = v
		case TypeBoolean:
			if v >= end || doc[v] > 1 {
				return false
			}
			pos = v + 1
		case TypeObjectID:
			pos = v + len(ObjectID{})
		case TypeEmbeddedDocument, TypeArray:
			if v+5 > end {
				return false
			}
			size := int(int32(load32(doc, v)))
			if pos = v + size; size < 5 || pos > end || !n.count(doc[v:pos], t == TypeArray, depth+1) {
				return false
			}
			if t == TypeArray {
				n.nArrays++
			} else {
				n.nDocs++
			}
		default:
			pos = v + valueLen(t, doc[min(v, end):end])
			if pos < v || !n.other(t, doc[v:pos], depth) {
				return false
			}
		}
		if pos > end {
			return false
		}
		length++
	}
	if n.record {
		n.lens.set(at, length)
	}
	if isArray {
		n.nValues += length
	} else if !n.maps {
		n.nElements += length
	}
	return true
}

// keyEnd is where the NUL is that ends the key at pos of doc, which must have
// one. The highest bits of the bytes of high are set as those of the key. It
// looks at eight bytes at a time, at some behind doc if its capacity allows it.
func keyEnd(doc []byte, pos int) (nul int, high uint64) {
	for ; pos+8 <= cap(doc); pos += 8 {
		w := load64(doc, pos)
		if z := (w - lowBits) &^ w & highBits; z != 0 {
			return pos + bits.TrailingZeros64(z)/8, high | w&(z^(z-1))
		}
		high |= w
	}
	for ; doc[pos] != 0; pos++ {
		high |= uint64(doc[pos])
	}
	return pos, high
}

// other adds a value that valueLen has measured, and reports whether it is
// valid.
func (n *census) other(t Type, b []byte, depth int) bool {
	switch t {
	case TypeJavaScript, TypeSymbol:
		n.nStrings++
		return validUTF8(b[4 : len(b)-1])
	case TypeDecimal128:
		n.nWords += 2
	case TypeBinary:
		n.nBinaries++
		return b[4] != BinaryOld || len(b) >= 9 && int(binary.LittleEndian.Uint32(b[5:])) == len(b)-9
	case TypeRegex:
		n.nStrings += 2
		return validUTF8(b)
	case TypeDBPointer:
		return validUTF8(b[4 : len(b)-len(ObjectID{})-1])
	case TypeCodeWithScope:
		code, scope, ok := RawValue{t, b}.codeWithScope()
		n.nCodes++
		n.nDocs++
		return ok && validUTF8(code) && n.count(scope, false, depth+1)
	}
	return true
}
