package bson

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestParseUUID(t *testing.T) {
	const want = "00112233-4455-6677-8899-aabbccddeeff"
	for _, s := range []string{want, strings.ToUpper(want), "00112233445566778899aabbccddeeff", "urn:uuid:" + want} {
		u, err := ParseUUID(s)
		if err != nil || u.String() != want {
			t.Errorf("%q is taken for %s, %v", s, u, err)
		}
	}
	for _, s := range []string{"", want[1:], want + "0", "0011223-34455-6677-8899-aabbccddeeff", "0011223g-4455-6677-8899-aabbccddeeff", "00112233-445566778899-aabb-ccddeeff0011"} {
		if u, err := ParseUUID(s); err == nil {
			t.Errorf("%q is taken for %s", s, u)
		}
	}
}

func TestNewUUID(t *testing.T) {
	u, v := NewUUID(), NewUUID()
	if u == v || u.IsZero() {
		t.Errorf("UUIDs %s and %s", u, v)
	}
	if s := u.String(); s[14] != '4' || !strings.Contains("89ab", s[19:20]) {
		t.Errorf("%s is not of version 4", s)
	}
}

func TestUUIDJSON(t *testing.T) {
	u := NewUUID()
	text, err := json.Marshal(map[UUID]UUID{u: u})
	if err != nil || string(text) != `{"`+u.String()+`":"`+u.String()+`"}` {
		t.Fatalf("%s, %v", text, err)
	}
	var back map[UUID]UUID
	if err := json.Unmarshal(text, &back); err != nil || back[u] != u {
		t.Errorf("%v, %v", back, err)
	}
}

func TestUUIDNeedsSixteenBytes(t *testing.T) {
	if u, err := (Binary{BinaryUUID, make([]byte, 15)}).UUID(); err == nil {
		t.Errorf("15 bytes are taken for %s", u)
	}
	var u UUID
	if err := u.UnmarshalBSONValue(byte(TypeString), []byte{1, 0, 0, 0, 0}); err == nil {
		t.Error("a string is taken for a UUID")
	}
}
