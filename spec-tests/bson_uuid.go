package spectests

import (
	"github.com/motor-go/motor/bson"
)

// proseUUID tests explicit encoding and decoding. The other tests are for
// drivers that encode UUIDs without being told to.
func proseUUID(t T) {
	u, err := bson.ParseUUID("00112233-4455-6677-8899-aabbccddeeff")
	if err != nil {
		t.Fatalf("%v", err)
	}
	const (
		inOrder = "00112233445566778899AABBCCDDEEFF"
		java    = "7766554433221100FFEEDDCCBBAA9988"
		cSharp  = "33221100554477668899AABBCCDDEEFF"
	)
	all := []bson.UUIDRepresentation{bson.UUIDUnspecified, bson.UUIDStandard, bson.UUIDCSharpLegacy, bson.UUIDJavaLegacy, bson.UUIDPythonLegacy}
	t.Run("Explicit encoding", func(t T) {
		if b := u.Binary(); b.Subtype != 4 || string(b.Data) != string(unhex(t, inOrder)) {
			t.Errorf("the binary is of subtype %d: %x", b.Subtype, b.Data)
		}
		for r, want := range map[bson.UUIDRepresentation]bson.Binary{
			bson.UUIDStandard:     {Subtype: 4, Data: unhex(t, inOrder)},
			bson.UUIDJavaLegacy:   {Subtype: 3, Data: unhex(t, java)},
			bson.UUIDCSharpLegacy: {Subtype: 3, Data: unhex(t, cSharp)},
			bson.UUIDPythonLegacy: {Subtype: 3, Data: unhex(t, inOrder)},
		} {
			if b, err := u.BinaryAs(r); err != nil || !b.Equal(want) {
				t.Errorf("%s: %v, %v", r, b, err)
			}
		}
		if b, err := u.BinaryAs(bson.UUIDUnspecified); err == nil {
			t.Errorf("unspecified: %v", b)
		}
	})
	t.Run("Explicit decoding", func(t T) {
		for _, c := range []struct {
			subtype byte
			data    string
			right   bson.UUIDRepresentation
		}{
			{4, inOrder, bson.UUIDStandard},
			{3, java, bson.UUIDJavaLegacy},
			{3, cSharp, bson.UUIDCSharpLegacy},
			{3, inOrder, bson.UUIDPythonLegacy},
		} {
			b := bson.Binary{Subtype: c.subtype, Data: unhex(t, c.data)}
			if got, err := b.UUID(); (err == nil) != (c.subtype == 4) || err == nil && got != u {
				t.Errorf("subtype %d: %s, %v", c.subtype, got, err)
			}
			for _, r := range all {
				got, err := b.UUIDAs(r)
				switch {
				case r == c.right && (err != nil || got != u):
					t.Errorf("%s: %s, %v", r, got, err)
				case r == bson.UUIDUnspecified, r == bson.UUIDStandard && c.subtype == 3, r != bson.UUIDStandard && c.subtype == 4:
					if err == nil {
						t.Errorf("%s: subtype %d is taken for %s", r, c.subtype, got)
					}
				}
			}
		}
	})
}
