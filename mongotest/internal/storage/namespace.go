package storage

import (
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/motor-go/motor/bson"
)

// Namespace names a collection or view.
type Namespace struct{ DB, Collection string }

// ParseNamespace splits "db.collection" at the first dot.
func ParseNamespace(s string) Namespace {
	db, collection, _ := strings.Cut(s, ".")
	return Namespace{db, collection}
}

func (n Namespace) String() string { return n.DB + "." + n.Collection }

// UUID identifies a collection for all of its life, whatever its name.
type UUID [16]byte

// NewUUID makes a random UUID.
func NewUUID() (u UUID) {
	rand.Read(u[:])
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}

func (u UUID) String() string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// Binary is u as a BSON value.
func (u UUID) Binary() bson.Binary { return bson.Binary{Subtype: bson.BinaryUUID, Data: u[:]} }

// OpTime is the place of an Entry in the history of a replica set: a timestamp
// and the term of the primary that wrote it.
type OpTime struct {
	TS   bson.Timestamp
	Term int64
}

// Compare orders by term, then by timestamp, as elections do.
func (o OpTime) Compare(p OpTime) int {
	switch {
	case o.Term != p.Term && o.Term < p.Term:
		return -1
	case o.Term != p.Term:
		return 1
	}
	return o.TS.Compare(p.TS)
}

// AppendTo adds o as the document {ts, t}.
func (o OpTime) AppendTo(dst []byte, key string) []byte {
	dst, at := bson.BeginEmbedded(dst, key)
	dst = bson.AppendTimestamp(dst, "ts", o.TS)
	dst = bson.AppendInt64(dst, "t", o.Term)
	return bson.EndDocument(dst, at)
}
