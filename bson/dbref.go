package bson

import (
	"errors"
	"fmt"
)

// DBRef is the convention for a reference to another document: an embedded
// document with the fields $ref, $id and $db in this order. A DBRef is encoded
// as one and decoded from one, whatever the order of its fields. Where the Go
// type is any, a reference is decoded as the document that it is.
type DBRef struct {
	// Ref is the collection of the document.
	Ref string
	// ID is the document's _id.
	ID any
	// DB is the database of the document, empty for that of the reference.
	DB string
	// Extra are the fields of the reference beside the three.
	Extra D
}

// MarshalBSON encodes r as a document.
func (r DBRef) MarshalBSON() ([]byte, error) {
	doc := D{{"$ref", r.Ref}, {"$id", r.ID}}
	if r.DB != "" {
		doc = append(doc, E{"$db", r.DB})
	}
	return Marshal(append(doc, r.Extra...))
}

// UnmarshalBSON decodes a document. It fails if $ref or $id is missing, or if
// $ref or $db is not a string.
func (r *DBRef) UnmarshalBSON(data []byte) error {
	var doc D
	if err := Unmarshal(data, &doc); err != nil {
		return err
	}
	var ref DBRef
	var hasRef, hasID bool
	for _, e := range doc {
		ok := true
		switch e.Key {
		case "$ref":
			ref.Ref, ok = e.Value.(string)
			hasRef = true
		case "$id":
			ref.ID, hasID = e.Value, true
		case "$db":
			ref.DB, ok = e.Value.(string)
		default:
			ref.Extra = append(ref.Extra, e)
		}
		if !ok {
			return fmt.Errorf("the field %s of a DBRef is not a string", e.Key)
		}
	}
	if !hasRef || !hasID {
		return errors.New("a DBRef needs the fields $ref and $id")
	}
	*r = ref
	return nil
}
