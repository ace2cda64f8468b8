package query

import (
	"strconv"
	"strings"

	"github.com/motor-go/motor/bson"
)

func splitPath(path string) []string { return strings.Split(path, ".") }

// checkFieldPath applies the aggregation's rules to a dotted path.
func checkFieldPath(path string) error {
	if path == "" {
		return errorf(40352, "FieldPath cannot be constructed with empty string")
	}
	if strings.HasSuffix(path, ".") {
		return errorf(40353, "FieldPath must not end with a '.'.")
	}
	if strings.Count(path, ".") >= maxPathDepth {
		return errorf(codeOverflow, "FieldPath is too long")
	}
	for part := range strings.SplitSeq(path, ".") {
		if err := checkFieldName(part); err != nil {
			return err
		}
	}
	return nil
}

const maxPathDepth = 200

func checkFieldName(name string) error {
	switch {
	case name == "":
		return errorf(15998, "FieldPath field names may not be empty strings.")
	case name[0] == '$':
		return errorf(16410, "FieldPath field names may not start with '$'.")
	case strings.IndexByte(name, 0) >= 0:
		return errorf(16411, "FieldPath field names may not contain '\\0'.")
	}
	return nil
}

// checkDepth refuses documents that nest deeper than the server stores.
func checkDepth(v bson.RawValue) error {
	if depthExceeds(v, maxDocumentDepth) {
		return errorf(codeOverflow, "Document exceeds maximum nested object depth: %d", maxDocumentDepth)
	}
	return nil
}

const maxDocumentDepth = 200

func depthExceeds(v bson.RawValue, limit int) bool {
	switch v.Type {
	case bson.TypeEmbeddedDocument, bson.TypeArray:
	case bson.TypeCodeWithScope:
		_, scope, _ := v.CodeWithScope()
		v = documentValue(scope)
	default:
		return false
	}
	if limit == 0 {
		return true
	}
	for _, e := range bson.Raw(v.Value).All() {
		if depthExceeds(e, limit-1) {
			return true
		}
	}
	return false
}

// walker visits the values that a query's path means in a document. Arrays on
// the way stand for their elements, and an element may be named by its index.
type walker struct {
	// leafArrays also visits each element of an array at the end of the path,
	// before the array itself.
	leafArrays bool
	// visit gets a value, missing where the path ends too early, and the index
	// of the element of the outermost array that led there, -1 if none did. It
	// reports whether to stop.
	visit func(v bson.RawValue, position int) bool
}

func (w *walker) document(doc bson.Raw, path []string, position int) (stop bool) {
	v := documentValue(doc)
	for i, name := range path {
		v = bson.Raw(v.Value).Lookup(name)
		switch {
		case i == len(path)-1:
			return w.leaf(v, position)
		case isArray(v):
			return w.array(v, path[i+1:], position)
		case !isObject(v):
			return w.visit(missing, position)
		}
	}
	return w.visit(v, position)
}

func (w *walker) leaf(v bson.RawValue, position int) (stop bool) {
	if isArray(v) && w.leafArrays {
		i := 0
		for e := range bson.RawArray(v.Value).Values() {
			if w.visit(e, outer(position, i)) {
				return true
			}
			i++
		}
	}
	return w.visit(v, position)
}

// array goes through the elements of an array with more path to come.
func (w *walker) array(arr bson.RawValue, rest []string, position int) (stop bool) {
	i := 0
	for e := range bson.RawArray(arr.Value).Values() {
		indexed := rest[0] == strconv.Itoa(i)
		if isObject(e) && w.document(e.Value, rest, outer(position, i)) {
			return true
		}
		switch {
		case !indexed:
		case len(rest) == 1:
			if w.visit(e, outer(position, i)) {
				return true
			}
		case isObject(e):
			if w.document(e.Value, rest[1:], position) {
				return true
			}
		case isArray(e):
			if w.array(e, rest[1:], position) {
				return true
			}
		}
		i++
	}
	return false
}

func outer(position, i int) int {
	if position >= 0 {
		return position
	}
	return i
}

// pathSet is a set of dotted paths of which none is the beginning of another.
type pathSet struct {
	paths      map[string]bool
	beginnings map[string]string // to one of the paths
}

// add takes a path in. It gives the path that stands against it, "" for none.
func (s *pathSet) add(path string) (other string) {
	if s.paths == nil {
		s.paths, s.beginnings = map[string]bool{}, map[string]string{}
	}
	for i := range path {
		if path[i] == '.' && s.paths[path[:i]] {
			return path[:i]
		}
	}
	if s.paths[path] {
		return path
	}
	if other := s.beginnings[path]; other != "" {
		return other
	}
	s.paths[path] = true
	for i := range path {
		if path[i] == '.' {
			s.beginnings[path[:i]] = path
		}
	}
	return ""
}
