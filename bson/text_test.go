package bson

import (
	"bytes"
	"slices"
	"testing"
	"unicode/utf8"
)

func checkText(t *testing.T, b []byte) {
	t.Helper()
	if got, want := validUTF8(b), utf8.Valid(b); got != want {
		t.Fatalf("validUTF8(%q) = %v", b, got)
	}
	ascii, nul := true, false
	for _, c := range b {
		ascii = ascii && c < utf8.RuneSelf
		nul = nul || c == 0
	}
	dst := make([]byte, len(b))
	if got := copyASCII(dst, string(b)); got != ascii || !bytes.Equal(dst, b) {
		t.Fatalf("copyASCII of %q = %v, %q", b, got, dst)
	}
	clear(dst)
	if got, want := copyKey(dst, string(b)), utf8.Valid(b) && !nul; got != want || !bytes.Equal(dst, b) {
		t.Fatalf("copyKey of %q = %v, %q", b, got, dst)
	}
	// A key ends at the first NUL, whatever is behind it.
	for _, tail := range []string{"\x00", "\x00\xff\x00\x01\x80abcdefgh"} {
		doc := append(bytes.Clone(b), tail...)
		nul := bytes.IndexByte(doc, 0)
		got, high := keyEnd(doc[:len(b)+1], 0)
		isASCII := !slices.ContainsFunc(doc[:nul], func(c byte) bool { return c >= utf8.RuneSelf })
		if got != nul || (high&highBits == 0) != isASCII {
			t.Fatalf("keyEnd of %q = %d, %x", doc, got, high)
		}
	}
}

func TestTextOfEveryLength(t *testing.T) {
	for n := range 80 {
		b := bytes.Repeat([]byte{'a'}, n)
		checkText(t, b)
		for i := range b {
			for _, c := range []byte{0, 1, 0x7f, 0x80, 0xc3, 0xff} {
				b[i] = c
				checkText(t, b)
			}
			b[i] = 'a'
		}
	}
}
