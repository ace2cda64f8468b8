package query

import (
	"bytes"

	"github.com/motor-go/motor/bson"
)

// Sort is a parsed sort specification.
type Sort struct {
	// Natural is 1 or -1 for {$natural: …}, and 0 for a sort by fields.
	Natural int

	paths      [][]string
	descending []bool
	random     []func() float64 // one for each path; not nil for $meta: "randVal"
	collation  *Collation
}

const maxSortKeys = 32

// ParseSort reads the sort of find and findAndModify, or of $sort. An empty one
// gives nil.
func ParseSort(spec bson.Raw, env *Env) (*Sort, error) {
	s := &Sort{collation: env.Collation}
	n := spec.Len()
	if n == 0 {
		return nil, nil
	}
	if natural := spec.Lookup("$natural"); !isMissing(natural) {
		if n > 1 {
			return nil, errorf(codeBadValue, "Cannot include '$natural' in compound sort: %s", FormatDocument(spec))
		}
		if !natural.IsNumber() {
			return nil, errorf(15974, "Illegal key in $sort specification: %s", formatElement("$natural", natural))
		}
		s.Natural = 1
		if toDouble(natural) < 0 {
			s.Natural = -1
		}
		return s, nil
	}
	for name, v := range spec.All() {
		if err := s.addKey(name, v, env); err != nil {
			return nil, err
		}
		if len(s.paths) > maxSortKeys {
			return nil, errorf(13103, "too many compound keys")
		}
	}
	return s, nil
}

func (s *Sort) addKey(name string, v bson.RawValue, env *Env) error {
	if doc, ok := v.Document(); ok {
		meta := doc.Lookup("$meta")
		if isMissing(meta) || doc.Len() != 1 {
			return errorf(17312, "$meta is the only expression supported by $sort right now")
		}
		switch text(meta) {
		case "textScore":
			return errorf(40218, "query requires text score metadata, but it is not available")
		case "randVal":
			s.paths = append(s.paths, nil)
			s.descending = append(s.descending, false)
			s.random = append(s.random, env.Random)
			return nil
		}
		return errorf(31138, "Illegal $meta sort: %s", formatElement("$meta", meta))
	}
	if !v.IsNumber() {
		return errorf(15974, "Illegal key in $sort specification: %s", formatElement(name, v))
	}
	direction := truncatedNumber(v)
	if direction != 1 && direction != -1 {
		return errorf(15975, "$sort key ordering must be 1 (for ascending) or -1 (for descending)")
	}
	if err := checkFieldPath(name); err != nil {
		return err
	}
	s.paths = append(s.paths, splitPath(name))
	s.descending = append(s.descending, direction < 0)
	s.random = append(s.random, nil)
	return nil
}

// Key is the document's place in the order: keys compare as bytes. Of several
// keys that arrays make, the first in the order counts.
func (s *Sort) Key(doc bson.Raw) ([]byte, error) {
	_, key, err := s.first(doc)
	return key, err
}

// Values are the values that the document is sorted by: $meta "sortKey".
func (s *Sort) Values(doc bson.Raw) ([]bson.RawValue, error) {
	values, _, err := s.first(doc)
	return values, err
}

func (s *Sort) first(doc bson.Raw) (values []bson.RawValue, key []byte, err error) {
	keys, err := extractKeys(doc, s.paths, make([]bson.RawValue, len(s.paths)))
	if e, ok := err.(*Error); ok && e.Code == codeParallelArrays {
		return nil, nil, errorf(codeBadValue, "cannot sort with keys that are parallel arrays")
	}
	if err != nil {
		return nil, nil, err
	}
	for _, k := range keys {
		for i, random := range s.random {
			if random != nil {
				k.Values[i] = doubleValue(random())
			}
		}
		ordered := orderedKey(k.Values, s.descending, s.collation)
		if key == nil || bytes.Compare(ordered, key) < 0 {
			values, key = k.Values, ordered
		}
	}
	return values, key, nil
}
