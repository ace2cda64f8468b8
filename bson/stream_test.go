package bson

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestStream(t *testing.T) {
	var b bytes.Buffer
	enc := NewEncoder(&b)
	for i := range 3 {
		if err := enc.Encode(D{{"i", i}, {"s", strings.Repeat("x", i*5000)}}); err != nil {
			t.Fatal(err)
		}
	}
	size := b.Len()
	if err := enc.Encode(5); err == nil || b.Len() != size {
		t.Fatalf("5 was written: %v", err)
	}
	dec := NewDecoder(iotest.OneByteReader(&b))
	for i := range 3 {
		var v struct {
			I int
			S string
		}
		if err := dec.Decode(&v); err != nil || v.I != i || len(v.S) != i*5000 {
			t.Fatalf("document %d is %d, %d bytes, %v", i, v.I, len(v.S), err)
		}
	}
	if _, err := dec.Next(); err != io.EOF {
		t.Fatalf("the end is %v", err)
	}
}

func TestStreamRefuses(t *testing.T) {
	for _, c := range []struct {
		name, data string
		err        error
	}{
		{"cut in the length", "\x05\x00", io.ErrUnexpectedEOF},
		{"cut after the length", "\x05\x00\x00\x00", io.ErrUnexpectedEOF},
		{"cut in the document", "\xff\xff\xff\x00abc", io.ErrUnexpectedEOF},
		{"too short", "\x04\x00\x00\x00", nil},
		{"too large", "\xff\xff\xff\x7f", nil},
		{"negative", "\xff\xff\xff\xff", nil},
		{"no end", "\x05\x00\x00\x00\x01", nil},
	} {
		dec := NewDecoder(strings.NewReader(c.data))
		_, err := dec.Next()
		if c.err != nil && err != c.err {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, ok := errors.AsType[*DecodeError](err); c.err == nil && !ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if cap(dec.buf) > 1<<16 {
			t.Errorf("%s took %d bytes of memory", c.name, cap(dec.buf))
		}
	}
	dec := NewDecoder(strings.NewReader("\x0a\x00\x00\x00\x0aabcd\x00"))
	dec.MaxSize = 9
	if _, err := dec.Next(); err == nil {
		t.Error("MaxSize has no effect")
	}
}
