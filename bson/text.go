package bson

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// Most text is short and ASCII. The functions below look at eight bytes at a
// time, the last of them perhaps twice, and leave all else to the package utf8.

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// validUTF8 is utf8.Valid.
func validUTF8(b []byte) bool {
	switch n := len(b); {
	case n >= 8:
		bits := binary.LittleEndian.Uint64(b[n-8:])
		rest := b
		for len(rest) > 32 {
			bits |= binary.LittleEndian.Uint64(rest) | binary.LittleEndian.Uint64(rest[8:]) |
				binary.LittleEndian.Uint64(rest[16:]) | binary.LittleEndian.Uint64(rest[24:])
			rest = rest[32:]
		}
		for len(rest) > 8 {
			bits |= binary.LittleEndian.Uint64(rest)
			rest = rest[8:]
		}
		if bits&highBits == 0 {
			return true
		}
	case n >= 4:
		bits := binary.LittleEndian.Uint32(b) | binary.LittleEndian.Uint32(b[n-4:])
		if bits&(highBits>>32) == 0 {
			return true
		}
	case n == 0:
		return true
	case b[0]|b[n/2]|b[n-1] < utf8.RuneSelf:
		return true
	}
	return utf8.Valid(b)
}

// copyASCII copies text to dst, which is as long, and reports whether it is
// ASCII.
func copyASCII(dst []byte, text string) bool {
	src := bytesOfString(text)
	n := len(src)
	dst = dst[:n]
	switch {
	case n >= 8:
		bits := binary.LittleEndian.Uint64(src[n-8:])
		binary.LittleEndian.PutUint64(dst[n-8:], bits)
		for len(src) > 32 && len(dst) > 32 {
			w0, w1 := binary.LittleEndian.Uint64(src), binary.LittleEndian.Uint64(src[8:])
			w2, w3 := binary.LittleEndian.Uint64(src[16:]), binary.LittleEndian.Uint64(src[24:])
			binary.LittleEndian.PutUint64(dst, w0)
			binary.LittleEndian.PutUint64(dst[8:], w1)
			binary.LittleEndian.PutUint64(dst[16:], w2)
			binary.LittleEndian.PutUint64(dst[24:], w3)
			bits |= w0 | w1 | w2 | w3
			src, dst = src[32:], dst[32:]
		}
		for len(src) > 8 && len(dst) > 8 {
			w := binary.LittleEndian.Uint64(src)
			binary.LittleEndian.PutUint64(dst, w)
			bits |= w
			src, dst = src[8:], dst[8:]
		}
		return bits&highBits == 0
	case n >= 4:
		first, last := binary.LittleEndian.Uint32(src), binary.LittleEndian.Uint32(src[n-4:])
		binary.LittleEndian.PutUint32(dst, first)
		binary.LittleEndian.PutUint32(dst[n-4:], last)
		return (first|last)&(highBits>>32) == 0
	case n == 0:
		return true
	}
	first, mid, last := src[0], src[n/2], src[n-1]
	dst[0], dst[n/2], dst[n-1] = first, mid, last
	return first|mid|last < utf8.RuneSelf
}

// copyKey copies key to dst, which is as long, and reports whether it is valid
// UTF-8 without NUL. Of a byte b without its highest bit, b-1 has it only if b
// is NUL.
func copyKey(dst []byte, key string) bool {
	src := bytesOfString(key)
	n := len(src)
	dst = dst[:n]
	switch {
	case n >= 8:
		w := binary.LittleEndian.Uint64(src[n-8:])
		binary.LittleEndian.PutUint64(dst[n-8:], w)
		bits := (w - lowBits) | w
		for len(src) > 8 && len(dst) > 8 {
			w := binary.LittleEndian.Uint64(src)
			binary.LittleEndian.PutUint64(dst, w)
			bits |= (w - lowBits) | w
			src, dst = src[8:], dst[8:]
		}
		if bits&highBits == 0 {
			return true
		}
	case n >= 4:
		first, last := binary.LittleEndian.Uint32(src), binary.LittleEndian.Uint32(src[n-4:])
		binary.LittleEndian.PutUint32(dst, first)
		binary.LittleEndian.PutUint32(dst[n-4:], last)
		if ((first-lowBits>>32)|first|(last-lowBits>>32)|last)&(highBits>>32) == 0 {
			return true
		}
	case n == 0:
		return true
	default:
		first, mid, last := src[0], src[n/2], src[n-1]
		dst[0], dst[n/2], dst[n-1] = first, mid, last
		if (first-1)|first|(mid-1)|mid|(last-1)|last < utf8.RuneSelf {
			return true
		}
	}
	return checkKey(key) == nil
}

// checkKey is what makes s unfit for a key or a part of a regular expression,
// or nil.
func checkKey(s string) error {
	if strings.IndexByte(s, 0) >= 0 {
		return errKeyNUL
	}
	if !utf8.ValidString(s) {
		return errKeyUTF8
	}
	return nil
}
