package mongod

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/wire"
)

// maxDepth is how deep the documents of a message may be nested.
const maxDepth = 200

// checkMessage refuses documents that cannot be read. It owes nothing to the
// package bson, in which a bug could hide from itself. The UTF-8 of strings is
// not looked at: servers store what they are given.
func checkMessage(m wire.Msg) error {
	if err := checkStructure(m.Body); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, s := range m.Sequences {
		if seen[s.ID] {
			return errorf(40431, "Duplicate document sequence: %s", s.ID)
		}
		seen[s.ID] = true
		for docs := s.Docs; len(docs) > 0; {
			n := binary.LittleEndian.Uint32(docs)
			if err := checkStructure(docs[:n]); err != nil {
				return err
			}
			docs = docs[n:]
		}
	}
	for id := range seen {
		if v := m.Body.Lookup(strings.Split(id, ".")...); !v.IsZero() {
			return errorf(40433, "Duplicate field between body and document sequence %s", id)
		}
	}
	return nil
}

// checkStructure refuses a document that cannot be read, whose length is known
// to be right.
func checkStructure(d bson.Raw) error {
	f := faultIn(d, 0)
	if f == nil {
		return nil
	}
	id := "unknown _id"
	for name, v := range d.All() {
		if name == f.path || strings.HasPrefix(f.path, name+".") {
			break // nothing behind it can be read
		}
		if name == "_id" {
			id = "_id: " + formatElement(v)
			break
		}
	}
	return errorf(f.code, "%s in element with field name '%s' in object with %s", f.why, f.path, id)
}

// fault is what is wrong with a document.
type fault struct {
	code int32
	why  string
	path string // of the element
}

func invalid(why string) *fault { return &fault{code: codeInvalidBSON, why: why} }

const (
	tooShort    = "BSON size is larger than buffer size"
	wrongLength = "incorrect BSON length"
)

// faultIn is what is wrong with the elements of a document, nil for nothing.
func faultIn(d []byte, depth int) *fault {
	if depth > maxDepth {
		return &fault{code: codeOverflow, why: "BSONObj exceeds maximum nested object depth"}
	}
	end := len(d) - 1
	for at := 4; at < end; {
		t := bson.Type(d[at])
		if t == 0 {
			return invalid(wrongLength)
		}
		nul := bytes.IndexByte(d[at+1:end], 0)
		if nul < 0 {
			return invalid(tooShort)
		}
		v := at + 1 + nul + 1
		n, f := measure(t, d[v:end], depth)
		if f != nil {
			f.path = strings.TrimSuffix(string(d[at+1:v-1])+"."+f.path, ".")
			return f
		}
		at = v + n
	}
	return nil
}

// fixedSizes are the sizes of the values of types that need no other look, and
// one more, so that 0 stands for the others.
var fixedSizes = [256]int{
	bson.TypeDouble: 8 + 1, bson.TypeUndefined: 0 + 1, bson.TypeObjectID: 12 + 1, bson.TypeDateTime: 8 + 1, bson.TypeNull: 0 + 1,
	bson.TypeInt32: 4 + 1, bson.TypeTimestamp: 8 + 1, bson.TypeInt64: 8 + 1, bson.TypeDecimal128: 16 + 1,
	bson.TypeMinKey: 0 + 1, bson.TypeMaxKey: 0 + 1,
}

// measure is the size of the value that b begins with, and what is wrong with
// it.
func measure(t bson.Type, b []byte, depth int) (n int, f *fault) {
	if n = fixedSizes[t] - 1; n >= 0 {
		if n > len(b) {
			return 0, invalid(tooShort)
		}
		return n, nil
	}
	switch t {
	case bson.TypeString, bson.TypeJavaScript, bson.TypeSymbol:
		return measureString(b)
	case bson.TypeEmbeddedDocument, bson.TypeArray:
		return measureDocument(b, depth)
	case bson.TypeBinary:
		if len(b) < 5 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-5) {
			return 0, invalid(tooShort)
		}
		return 5 + int(binary.LittleEndian.Uint32(b)), nil
	case bson.TypeBoolean:
		switch {
		case len(b) < 1:
			return 0, invalid(tooShort)
		case b[0] > 1:
			return 0, invalid("BSON bool is neither false nor true")
		}
		return 1, nil
	case bson.TypeRegex:
		pattern := bytes.IndexByte(b, 0)
		options := bytes.IndexByte(b[pattern+1:], 0)
		if pattern < 0 || options < 0 {
			return 0, invalid(tooShort)
		}
		return pattern + 1 + options + 1, nil
	case bson.TypeDBPointer:
		if n, f = measureString(b); f == nil && n+12 > len(b) {
			f = invalid(tooShort)
		}
		return n + 12, f
	case bson.TypeCodeWithScope:
		return measureCode(b, depth)
	}
	return 0, invalid("Unrecognized BSON type " + itoa(int(t)))
}

func measureString(b []byte) (int, *fault) {
	if len(b) < 5 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
		return 0, invalid(tooShort)
	}
	n := 4 + int(binary.LittleEndian.Uint32(b))
	if n == 4 || b[n-1] != 0 {
		return 0, invalid("Not null terminated string")
	}
	return n, nil
}

func measureDocument(b []byte, depth int) (int, *fault) {
	if len(b) < 4 {
		return 0, invalid(tooShort)
	}
	n := int(int32(binary.LittleEndian.Uint32(b)))
	switch {
	case n < 5:
		return 0, invalid("Nested BSON object has to be at least 5 bytes")
	case n > len(b):
		return 0, invalid(tooShort)
	case b[n-1] != 0:
		return 0, invalid(wrongLength)
	}
	return n, faultIn(b[:n], depth+1)
}

// measureCode measures JavaScript with a scope, which counts as two levels.
func measureCode(b []byte, depth int) (int, *fault) {
	if len(b) < 4 {
		return 0, invalid(tooShort)
	}
	code, f := measureString(b[4:])
	if f != nil {
		return 0, f
	}
	scope, f := measureDocument(b[4+code:], depth+1)
	if f != nil {
		return 0, f
	}
	n := 4 + code + scope
	if int(int32(binary.LittleEndian.Uint32(b))) != n {
		return 0, invalid(wrongLength)
	}
	return n, nil
}
