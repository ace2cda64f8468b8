package bson

import (
	"bytes"
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
