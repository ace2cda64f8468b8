package bson

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// UUID is a universally unique identifier. It converts to and from the types
// of other packages that are arrays of 16 bytes. In BSON it is a binary of
// subtype 4; for data of older drivers, see UUIDRepresentation.
type UUID [16]byte

// NewUUID makes a random UUID (version 4).
func NewUUID() (u UUID) {
	rand.Read(u[:])
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}

// ParseUUID reads a UUID as text, which may begin with urn:uuid: and may lack
// all of its hyphens.
func ParseUUID(s string) (u UUID, err error) {
	digits := strings.TrimPrefix(s, "urn:uuid:")
	if len(digits) == 36 && digits[8] == '-' && digits[13] == '-' && digits[18] == '-' && digits[23] == '-' {
		digits = digits[:8] + digits[9:13] + digits[14:18] + digits[19:23] + digits[24:]
	}
	if len(digits) == 32 {
		_, err = hex.Decode(u[:], []byte(digits))
	}
	if len(digits) != 32 || err != nil {
		return UUID{}, fmt.Errorf("%q is not a UUID such as 00112233-4455-6677-8899-aabbccddeeff", s)
	}
	return u, nil
}

// String is u in lower case with hyphens.
func (u UUID) String() string {
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// IsZero reports whether all of u is zero.
func (u UUID) IsZero() bool { return u == UUID{} }

// MarshalText is String, for encoding/json and map keys.
func (u UUID) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// UnmarshalText is ParseUUID.
func (u *UUID) UnmarshalText(text []byte) (err error) {
	*u, err = ParseUUID(string(text))
	return err
}

// MarshalBSONValue encodes u in the standard representation.
func (u UUID) MarshalBSONValue() (typ byte, data []byte, err error) {
	return byte(TypeBinary), AppendBinaryValue(nil, BinaryUUID, u[:]), nil
}

// UnmarshalBSONValue decodes the standard representation.
func (u *UUID) UnmarshalBSONValue(typ byte, data []byte) error {
	b, ok := RawValue{Type(typ), data}.Binary()
	if !ok {
		return fmt.Errorf("a %s is not a UUID", Type(typ))
	}
	v, err := b.UUID()
	if err == nil {
		*u = v
	}
	return err
}

// UUIDRepresentation is a way that drivers encode a UUID.
type UUIDRepresentation int

// The representations of the specification. The legacy ones are of binary
// subtype 3, each with an order of bytes of its own, which the data does not
// tell.
const (
	UUIDUnspecified  UUIDRepresentation = iota
	UUIDStandard                        // subtype 4, bytes in order
	UUIDCSharpLegacy                    // three groups of bytes reversed: 4, 2, 2
	UUIDJavaLegacy                      // both halves reversed
	UUIDPythonLegacy                    // bytes in order
)

// String is the name of r in the specification.
func (r UUIDRepresentation) String() string {
	switch r {
	case UUIDStandard:
		return "standard"
	case UUIDCSharpLegacy:
		return "csharpLegacy"
	case UUIDJavaLegacy:
		return "javaLegacy"
	case UUIDPythonLegacy:
		return "pythonLegacy"
	}
	return "unspecified"
}

// Binary is u in the standard representation.
func (u UUID) Binary() Binary { return Binary{BinaryUUID, u[:]} }

// BinaryAs is u in the representation r, which must not be UUIDUnspecified.
func (u UUID) BinaryAs(r UUIDRepresentation) (Binary, error) {
	subtype, err := r.subtype()
	if err != nil {
		return Binary{}, err
	}
	r.reorder(&u)
	return Binary{subtype, u[:]}, nil
}

// UUID is the UUID that b is in the standard representation.
func (b Binary) UUID() (UUID, error) { return b.UUIDAs(UUIDStandard) }

// UUIDAs is the UUID that b is in the representation r. It fails if b is not of
// the subtype that goes with r, or not of 16 bytes.
func (b Binary) UUIDAs(r UUIDRepresentation) (UUID, error) {
	subtype, err := r.subtype()
	if err != nil {
		return UUID{}, err
	}
	if b.Subtype != subtype || len(b.Data) != len(UUID{}) {
		return UUID{}, fmt.Errorf("a binary of subtype %d and %d bytes is not a UUID in %s representation, which has subtype %d and 16 bytes",
			b.Subtype, len(b.Data), r, subtype)
	}
	u := UUID(b.Data)
	r.reorder(&u)
	return u, nil
}

func (r UUIDRepresentation) subtype() (byte, error) {
	switch r {
	case UUIDStandard:
		return BinaryUUID, nil
	case UUIDCSharpLegacy, UUIDJavaLegacy, UUIDPythonLegacy:
		return BinaryUUIDOld, nil
	}
	return 0, fmt.Errorf("the UUID representation is %s", r)
}

// reorder goes from the standard order of bytes to that of r, and back.
func (r UUIDRepresentation) reorder(u *UUID) {
	switch r {
	case UUIDCSharpLegacy:
		slices.Reverse(u[:4])
		slices.Reverse(u[4:6])
		slices.Reverse(u[6:8])
	case UUIDJavaLegacy:
		slices.Reverse(u[:8])
		slices.Reverse(u[8:])
	}
}
