package bson

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"
)

// ObjectID is a 12-byte identifier: seconds since the Unix epoch, five bytes
// random to the process, and a counter.
type ObjectID [12]byte

// NilObjectID is the zero ObjectID.
var NilObjectID ObjectID

var (
	processUnique = newProcessUnique()
	oidCounter    = newCounter()
)

func newProcessUnique() (b [5]byte) {
	rand.Read(b[:])
	return b
}

func newCounter() *atomic.Uint32 {
	var b [4]byte
	rand.Read(b[:])
	c := new(atomic.Uint32)
	c.Store(binary.BigEndian.Uint32(b[:]))
	return c
}

// NewObjectID makes an ObjectID for now. It is unique within the process and
// very probably elsewhere.
func NewObjectID() ObjectID { return NewObjectIDFromTimestamp(time.Now()) }

// NewObjectIDFromTimestamp makes an ObjectID for t, which is cut to 32-bit
// seconds.
func NewObjectIDFromTimestamp(t time.Time) (id ObjectID) {
	binary.BigEndian.PutUint32(id[:4], uint32(t.Unix()))
	copy(id[4:9], processUnique[:])
	n := oidCounter.Add(1)
	id[9], id[10], id[11] = byte(n>>16), byte(n>>8), byte(n)
	return id
}

// ObjectIDFromHex reads the 24 hexadecimal digits of an ObjectID.
func ObjectIDFromHex(s string) (id ObjectID, err error) {
	if len(s) != 24 {
		return id, fmt.Errorf("object ID %q has %d characters instead of 24 hexadecimal digits", s, len(s))
	}
	if _, err := hex.Decode(id[:], []byte(s)); err != nil {
		return NilObjectID, fmt.Errorf("object ID %q is not hexadecimal", s)
	}
	return id, nil
}

// Hex is id as 24 hexadecimal digits.
func (id ObjectID) Hex() string { return hex.EncodeToString(id[:]) }

// String is id as the shell shows it.
func (id ObjectID) String() string { return `ObjectID("` + id.Hex() + `")` }

// Timestamp is the time that id was made at, in UTC, to the second. The
// seconds are unsigned: they reach the year 2106.
func (id ObjectID) Timestamp() time.Time {
	return time.Unix(int64(binary.BigEndian.Uint32(id[:4])), 0).UTC()
}

// IsZero reports whether id is NilObjectID.
func (id ObjectID) IsZero() bool { return id == NilObjectID }

// MarshalText is Hex, for encoding/json and map keys.
func (id ObjectID) MarshalText() ([]byte, error) { return []byte(id.Hex()), nil }

// UnmarshalText reads 24 hexadecimal digits.
func (id *ObjectID) UnmarshalText(b []byte) (err error) {
	*id, err = ObjectIDFromHex(string(b))
	return err
}

// MarshalJSON is the quoted Hex.
func (id ObjectID) MarshalJSON() ([]byte, error) { return json.Marshal(id.Hex()) }

// UnmarshalJSON reads a quoted Hex, the Extended JSON form, null or an empty
// string; the last two leave the zero value.
func (id *ObjectID) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		var ext struct {
			OID string `json:"$oid"`
		}
		if err := json.Unmarshal(b, &ext); err != nil {
			return fmt.Errorf("object ID in JSON is neither a string nor {\"$oid\": string}: %s", b)
		}
		s = ext.OID
	}
	if s == "" {
		*id = NilObjectID
		return nil
	}
	return id.UnmarshalText([]byte(s))
}
