package query

import (
	"bytes"
	"slices"

	"github.com/motor-go/motor/bson"
)

// IndexKey is one entry of a document in an index.
type IndexKey struct {
	// Values are the indexed values, in the order of the key pattern. A missing
	// field has null, an empty array undefined.
	Values []bson.RawValue
	// Key is Values encoded: keys compare as bytes in the order of the index.
	Key []byte
	// Found reports whether any of the fields exists: a sparse index leaves out
	// the others.
	Found bool
}

// Document is the key with the field names of the pattern: the keyValue of a
// duplicate-key error, and what returnKey returns.
func (k IndexKey) Document(pattern bson.Raw) bson.Raw {
	dst, at := bson.BeginDocument(nil)
	i := 0
	for name := range pattern.Keys() {
		if i < len(k.Values) {
			dst = bson.AppendValue(dst, name, k.Values[i])
		}
		i++
	}
	return bson.EndDocument(dst, at)
}

// IndexKeys are the entries of a document in an index with the key pattern, as
// many as its arrays have elements, without doubles, in order. Two arrays side
// by side are refused with CannotIndexParallelArrays, and what a geo index
// cannot take with its errors. A text index has no entries.
func IndexKeys(doc, pattern bson.Raw, c *Collation) ([]IndexKey, error) {
	var paths [][]string
	var fixed []bson.RawValue
	var descending []bool
	for name, v := range pattern.All() {
		path, whole := splitPath(name), missing
		switch kind := text(v); kind {
		case "text":
			return nil, nil
		case "2dsphere", "2d":
			// A pair of coordinates is one key, not two.
			whole = fieldAt(doc, path)
			if err := checkGeoKey(doc, name, whole, kind); err != nil {
				return nil, err
			}
			path = nil
		case "hashed":
			if isArray(fieldAt(doc, path)) {
				return nil, errorf(16766, "Error: hashed indexes do not currently support array values")
			}
		}
		paths, fixed = append(paths, path), append(fixed, whole)
		descending = append(descending, v.IsNumber() && toDouble(v) < 0)
	}
	keys, err := extractKeys(doc, paths, fixed)
	if err != nil {
		return nil, err
	}
	for i := range keys {
		keys[i].Key = orderedKey(keys[i].Values, descending, c)
	}
	slices.SortFunc(keys, func(a, b IndexKey) int { return bytes.Compare(a.Key, b.Key) })
	return slices.CompactFunc(keys, func(a, b IndexKey) bool { return bytes.Equal(a.Key, b.Key) }), nil
}

func orderedKey(values []bson.RawValue, descending []bool, c *Collation) []byte {
	var key []byte
	for i, v := range values {
		at := len(key)
		key = AppendKey(key, v, c)
		if descending[i] {
			for j := at; j < len(key); j++ {
				key[j] = ^key[j]
			}
		}
	}
	return key
}

// maxIndexKeys bounds the entries of one document.
const maxIndexKeys = 100_000

// extractKeys finds the values at the paths. An array on the way makes a key
// for each of its elements; several paths may go through the same array. A path
// that is nil has its value in fixed.
func extractKeys(doc bson.Raw, paths [][]string, fixed []bson.RawValue) ([]IndexKey, error) {
	x := extraction{names: paths}
	err := x.document(doc, slices.Clone(paths), slices.Clone(fixed))
	return x.keys, err
}

type extraction struct {
	names [][]string
	keys  []IndexKey
}

// document goes down the paths from doc. A path that is nil has its value in
// fixed already; an empty one ends at an array.
func (x *extraction) document(doc bson.Raw, paths [][]string, fixed []bson.RawValue) error {
	var arr bson.RawValue
	through := -1
	for i, path := range paths {
		if path == nil {
			continue
		}
		v, rest := descend(documentValue(doc), path)
		paths[i] = rest
		if !isArray(v) {
			fixed[i], paths[i] = v, nil
			continue
		}
		if through >= 0 && &arr.Value[0] != &v.Value[0] {
			return errorf(codeParallelArrays, "cannot index parallel arrays [%s] [%s]", x.names[i][0], x.names[through][0])
		}
		arr, through = v, i
	}
	if through < 0 {
		return x.add(fixed)
	}
	return x.array(arr, paths, fixed)
}

// array goes through the elements that the paths which are not nil lead into.
func (x *extraction) array(arr bson.RawValue, paths [][]string, fixed []bson.RawValue) error {
	positional := true
	for i, path := range paths {
		if path == nil {
			continue
		}
		if n, e := x.positional(arr, path); n {
			v, rest := descend(e, path[1:])
			fixed[i], paths[i] = v, nil
			if isArray(v) && len(rest) > 0 {
				fixed[i] = missing
			}
			continue
		}
		positional = false
	}
	if positional {
		return x.add(fixed)
	}
	items := elements(arr)
	if len(items) == 0 {
		for i, path := range paths {
			if path != nil && len(path) == 0 {
				fixed[i] = undefined
			}
		}
		return x.add(fixed)
	}
	for _, item := range items {
		nextPaths, nextFixed := slices.Clone(paths), slices.Clone(fixed)
		for i, path := range paths {
			if path != nil && len(path) == 0 {
				nextFixed[i], nextPaths[i] = item, nil
			}
		}
		doc := emptyDoc
		if isObject(item) {
			doc = item.Value
		}
		if err := x.document(doc, nextPaths, nextFixed); err != nil {
			return err
		}
	}
	return nil
}

func (x *extraction) positional(arr bson.RawValue, path []string) (bool, bson.RawValue) {
	if len(path) == 0 {
		return false, missing
	}
	n := arrayIndex(path[0])
	if n < 0 {
		return false, missing
	}
	e := bson.RawArray(arr.Value).Index(n)
	return !isMissing(e), e
}

func (x *extraction) add(fixed []bson.RawValue) error {
	if len(x.keys) >= maxIndexKeys {
		return errorf(codeExceededMemoryLimit, "a document has more than %d index keys", maxIndexKeys)
	}
	key := IndexKey{Values: slices.Clone(fixed)}
	for i, v := range key.Values {
		if isMissing(v) {
			key.Values[i] = null
		} else {
			key.Found = true
		}
	}
	x.keys = append(x.keys, key)
	return nil
}

// descend follows the path through documents until it ends or meets an array,
// and gives what is left of it, which is never nil.
func descend(v bson.RawValue, path []string) (bson.RawValue, []string) {
	for len(path) > 0 && isObject(v) {
		v, path = bson.Raw(v.Value).Lookup(path[0]), path[1:]
	}
	if len(path) > 0 && !isArray(v) {
		return missing, nil
	}
	return v, append([]string{}, path...)
}
