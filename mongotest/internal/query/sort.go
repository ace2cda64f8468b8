package query

import "github.com/motor-go/motor/bson"

// Sort is a parsed sort specification.
type Sort struct {
	// Natural is 1 or -1 for {$natural: …}, and 0 for a sort by fields.
	Natural int
}

// ParseSort reads a sort specification. An empty one gives nil.
func ParseSort(spec bson.Raw, env *Env) (*Sort, error) { return nil, errUnfinished }

// Key is the document's place in the order: keys compare as bytes.
func (s *Sort) Key(doc bson.Raw) ([]byte, error) { return nil, errUnfinished }
