package motor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/shelf"
	"github.com/motor-go/motor/wire"
)

// encoder encodes the arguments of one operation, one behind the other. The
// first error stays.
type encoder struct {
	codec bson.Options
	err   error

	now   time.Time // that of the ObjectIDs it made
	buf   []byte
	small []byte // the buffer to go back to, while buf is a large one
	reply wire.Memory
}

// largeBuffer is the size above which an operation's buffer is kept apart from
// those of all others.
const largeBuffer = 64 << 10

var (
	encoders     = sync.Pool{New: func() any { return new(encoder) }}
	largeBuffers shelf.Shelf[[]byte]
)

func newEncoder(codec bson.Options) *encoder {
	e := encoders.Get().(*encoder)
	e.codec = codec
	return e
}

// expect prepares for much to be encoded, if large says so.
func (e *encoder) expect(large bool) {
	if !large {
		return
	}
	if b, ok := largeBuffers.Take(); ok {
		e.buf, e.small = b, e.buf
	}
}

// large reports whether much was encoded.
func (e *encoder) large() bool { return len(e.buf) > largeBuffer }

// release gives e and all that it encoded back: neither may be used any more.
func (e *encoder) release() {
	if cap(e.buf) > largeBuffer {
		largeBuffers.Put(e.buf[:0])
		e.buf = e.small
	}
	if e.reply.Cap() > largeBuffer {
		e.reply = wire.Memory{}
	}
	*e = encoder{buf: e.buf[:0], reply: e.reply}
	encoders.Put(e)
}

// ordered is doc for a document whose keys have an order, which a Go map of
// several keys has not.
func (e *encoder) ordered(name string, v any) bson.Raw {
	if m := reflect.ValueOf(v); m.Kind() == reflect.Map && m.Len() > 1 {
		e.fail(name, fmt.Errorf("a map of %d keys has no order; use a bson.D", m.Len()))
		return nil
	}
	return e.doc(name, v)
}

// doc encodes a document. A nil v gives nil.
func (e *encoder) doc(name string, v any) bson.Raw {
	if e.err != nil || v == nil {
		return nil
	}
	if raw, ok := v.(bson.Raw); ok && framed(raw) {
		return raw
	}
	at := len(e.buf)
	b, err := e.codec.Append(e.buf, v)
	e.buf = b
	if err != nil {
		e.fail(name, err)
		return nil
	}
	return bson.Raw(b[at:len(b):len(b)])
}

// framed reports whether raw has the length that it says, and its end: so much
// that it cannot spoil what stands around it. The server checks the rest.
func framed(raw bson.Raw) bool {
	n := len(raw)
	return n >= 5 && binary.LittleEndian.Uint32(raw) == uint32(n) && raw[n-1] == 0
}

// command is doc for a command to be sent as it stands.
func (e *encoder) command(v any) bson.Raw {
	body := e.ordered("command", v)
	if e.err == nil && body.Len() == 0 {
		e.fail("command", errors.New("it is empty; its first field is its name"))
	}
	return body
}

// token checks a resume token.
func (e *encoder) token(name string, token bson.Raw) bson.Raw {
	if token != nil && !framed(token) {
		e.fail(name, errors.New("it is no document, so it cannot be a resume token"))
	}
	return token
}

// filter is doc with nil standing for the document that matches everything.
func (e *encoder) filter(v any) bson.Raw {
	if v == nil {
		return bson.Raw{5, 0, 0, 0, 0}
	}
	return e.doc("filter", v)
}

// writeFilter is filter for a write, to which nil is an error: a filter that
// was forgotten would change all documents.
func (e *encoder) writeFilter(v any) bson.Raw {
	if isNil(v) {
		e.fail("filter", errors.New("it is nil; pass bson.D{} to match all documents"))
		return nil
	}
	return e.filter(v)
}

// isNil reports whether v is nil, is a nil of some type or points to one.
func isNil(v any) bool {
	switch d := v.(type) {
	case nil:
		return true
	case bson.D:
		return d == nil
	case *bson.D:
		return d == nil || *d == nil
	}
	r := reflect.ValueOf(v)
	for r.Kind() == reflect.Pointer && !r.IsNil() {
		r = r.Elem()
	}
	switch r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Interface:
		return r.IsNil()
	}
	return false
}

// isNilMap reports whether v is a map without memory, which to Go is as good as
// an empty one.
func isNilMap(v any) bool {
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Map && r.IsNil()
}

// value encodes any value. A nil v gives no value.
func (e *encoder) value(name string, v any) bson.RawValue {
	if e.err != nil || v == nil {
		return bson.RawValue{}
	}
	val, err := e.codec.MarshalValue(v)
	if err != nil {
		e.fail(name, err)
	}
	return val
}

// hint encodes an index: its name or its keys.
func (e *encoder) hint(v any) bson.RawValue {
	val := e.value("hint", v)
	if t := val.Type; t != 0 && t != bson.TypeString && t != bson.TypeEmbeddedDocument {
		e.fail("hint", fmt.Errorf("a %v is neither the name of an index nor its keys", t))
	}
	return val
}

// array encodes a list of documents or stages. A nil v gives nil.
func (e *encoder) array(name string, v any) bson.RawArray {
	if e.err != nil || v == nil {
		return nil
	}
	val := e.value(name, v)
	if arr, ok := val.Array(); ok {
		return arr
	}
	if e.err == nil {
		e.fail(name, fmt.Errorf("%T is not a list", v))
	}
	return nil
}

// pipeline is array with nil standing for the empty pipeline. A bson.D, which
// is a slice in Go, is one document and no pipeline.
func (e *encoder) pipeline(v any) bson.RawArray {
	if v == nil || reflect.ValueOf(v).Kind() == reflect.Slice && reflect.ValueOf(v).IsNil() {
		return bson.RawArray{5, 0, 0, 0, 0}
	}
	return e.array("pipeline", v)
}

// update encodes an update: a document whose keys begin with $, or a pipeline.
func (e *encoder) update(v any) bson.RawValue {
	val := e.updateValue("update", v)
	if t := val.Type; e.err == nil && t != bson.TypeEmbeddedDocument && t != bson.TypeArray {
		e.fail("update", fmt.Errorf("%T is neither a document nor a pipeline", v))
	}
	if doc, ok := val.Document(); ok && e.err == nil && firstByte(doc) != '$' {
		e.fail("update", fmt.Errorf("its first key must be an operator such as $set; to replace the document use a replace operation"))
	}
	return val
}

// replacement encodes a document that replaces another.
func (e *encoder) replacement(v any) bson.RawValue {
	val := e.updateValue("replacement", v)
	if _, ok := val.Document(); !ok && e.err == nil {
		e.fail("replacement", fmt.Errorf("%T is not a document", v))
	} else if doc, _ := val.Document(); e.err == nil && firstByte(doc) == '$' {
		e.fail("replacement", fmt.Errorf("its first key must not begin with $; to change fields use an update operation"))
	}
	return val
}

// updateValue is value with nil being an error.
func (e *encoder) updateValue(name string, v any) bson.RawValue {
	if isNil(v) {
		e.fail(name, errNil)
	}
	switch v.(type) {
	case bson.E, *bson.E:
		e.fail(name, errors.New("a bson.E is one element of a document; write bson.D{{key, value}}"))
	}
	return e.value(name, v)
}

var errNil = errors.New("it is nil")

// firstByte is the first byte of the first key, 0 if there is none.
func firstByte(doc bson.Raw) byte {
	for key := range doc.Keys() {
		if key != "" {
			return key[0]
		}
		break
	}
	return 0
}

func (e *encoder) collation(c *Collation) bson.Raw {
	if c == nil {
		return nil
	}
	return e.doc("collation", c)
}

func (e *encoder) fail(name string, err error) {
	if e.err == nil {
		e.err = fmt.Errorf("%s: %w", name, err)
	}
}
