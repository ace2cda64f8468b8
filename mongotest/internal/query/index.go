package query

import "github.com/motor-go/motor/bson"

// IndexKey is one entry of a document in an index.
type IndexKey struct {
	// Values are the indexed values, in the order of the key pattern.
	Values []bson.RawValue
	// Key is Values encoded: keys compare as bytes in the order of the index.
	Key []byte
	// Found reports whether any of the fields exists: a sparse index leaves out
	// the others.
	Found bool
}

// Document is the key with the field names of the pattern: the keyValue of a
// duplicate-key error, and what returnKey returns.
func (k IndexKey) Document(pattern bson.Raw) bson.Raw { return nil }

// IndexKeys are the entries of a document in an index with the key pattern, as
// many as its arrays have elements, without doubles, in order. Two arrays side
// by side are refused.
func IndexKeys(doc, pattern bson.Raw, c *Collation) ([]IndexKey, error) { return nil, errUnfinished }
