package query

import (
	"bytes"
	"strings"

	"github.com/motor-go/motor/bson"
)

// replace puts a document in the place of another, whose _id stays.
func (u *Update) replace(old, replacement bson.Raw, immutableID bool) (UpdateResult, error) {
	if bytes.Equal(old, replacement) {
		return UpdateResult{Document: old}, nil
	}
	if err := u.checkReplacement(replacement); err != nil {
		return UpdateResult{}, err
	}
	if err := checkOneID(replacement); err != nil {
		return UpdateResult{}, err
	}
	id, oldID := replacement.Lookup("_id"), old.Lookup("_id")
	if immutableID && !isMissing(oldID) {
		if isMissing(id) {
			id = oldID
		} else if Compare(id, oldID, nil) != 0 {
			return UpdateResult{}, errorf(codeImmutableField, "After applying the update, the (immutable) field '_id' was found to have been altered to %s", formatElement("_id", id))
		}
	}
	dst, at := bson.BeginDocument(nil)
	if !isMissing(id) {
		dst = bson.AppendValue(dst, "_id", id)
	}
	for k, v := range replacement.All() {
		if k == "_id" {
			continue
		}
		if t, ok := v.Timestamp(); ok && t.IsZero() && u.Kind == Replacement {
			v = timestampValue(u.env.ClusterTime)
		}
		dst = bson.AppendValue(dst, k, v)
	}
	return UpdateResult{Document: bson.EndDocument(dst, at), Changed: true}, nil
}

// checkOneID refuses a document with two fields _id.
func checkOneID(doc bson.Raw) error {
	n := 0
	for name := range doc.Keys() {
		if name == "_id" {
			n++
		}
	}
	if n > 1 {
		return errorf(codeBadValue, "Can't have multiple _id fields in one document")
	}
	return nil
}

func (u *Update) checkReplacement(doc bson.Raw) error {
	if !u.env.Version.AtLeast(5, 0) {
		return checkStorable(documentValue(doc), "")
	}
	for name := range doc.Keys() {
		if strings.HasPrefix(name, "$") && u.Kind == Replacement {
			return errorf(codeDollarPrefixedFieldName, "The dollar ($) prefixed field '%s' in '%s' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.", name, name)
		}
	}
	return nil
}

// checkStorable refuses field names with a $, but for those of a DBRef in their
// order. path is where v will stand.
func checkStorable(v bson.RawValue, path string) error {
	if !isObject(v) && !isArray(v) {
		return nil
	}
	previous := ""
	for k, e := range bson.Raw(v.Value).All() {
		at := k
		if path != "" {
			at = path + "." + k
		}
		if isObject(v) && strings.HasPrefix(k, "$") {
			if err := checkDollarName(k, at, previous, e); err != nil {
				return err
			}
		}
		if previous == "$ref" && k != "$id" && isObject(v) {
			return errorf(55, "The DBRef $ref field must be followed by a $id field")
		}
		if err := checkStorable(e, at); err != nil {
			return err
		}
		previous = k
	}
	if previous == "$ref" {
		return errorf(55, "The DBRef $ref field must be followed by a $id field")
	}
	return nil
}

func checkDollarName(name, path, previous string, v bson.RawValue) error {
	switch name {
	case "$ref":
		if !isString(v) {
			return errorf(55, "The DBRef $ref field must be a String, not a %s", TypeName(v.Type))
		}
	case "$id":
		if previous != "$ref" {
			return errorf(55, "Found $id field without a $ref before it, which is invalid.")
		}
	case "$db":
		if !isString(v) {
			return errorf(55, "The DBRef $db field must be a String, not a %s", TypeName(v.Type))
		}
		if previous != "$id" {
			return errorf(55, "Found $db field without a $id before it, which is invalid.")
		}
	default:
		return errNotStorable(name, path)
	}
	return nil
}

func errNotStorable(name, path string) error {
	return errorf(codeDollarPrefixedFieldName, "The dollar ($) prefixed field '%s' in '%s' is not valid for storage.", name, path)
}

// checkStoredID refuses the types that an _id cannot have.
func checkStoredID(id bson.RawValue) error {
	switch id.Type {
	case bson.TypeArray, bson.TypeRegex, bson.TypeUndefined:
		return errorf(codeInvalidIDField, "The '_id' value cannot be of type %s", TypeName(id.Type))
	}
	if isObject(id) {
		for name := range bson.Raw(id.Value).Keys() {
			if strings.HasPrefix(name, "$") {
				return errorf(codeDollarPrefixedFieldName, "_id fields may not contain '$'-prefixed fields: %s is not valid for storage.", name)
			}
		}
	}
	return nil
}
