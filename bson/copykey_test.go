package bson

import (
	"strings"
	"testing"
)

// A NUL anywhere in a key of any length must be seen, and so must a byte that
// is no UTF-8.
func TestCopyKeySeesEveryByte(t *testing.T) {
	for n := range 40 {
		key := strings.Repeat("k", n)
		dst := make([]byte, n)
		if !copyKey(dst, key) || string(dst) != key {
			t.Fatalf("a key of %d bytes became %q", n, dst)
		}
		for i := range n {
			for _, bad := range []byte{0, 0x80, 0xff} {
				key := key[:i] + string([]byte{bad}) + key[i+1:]
				if copyKey(dst, key) {
					t.Errorf("%q was taken for a key", key)
				}
			}
		}
	}
}
