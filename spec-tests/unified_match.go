package spectests

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

// matcher compares values with what tests expect, by the section "Evaluating
// Matches". The entities are those that $$matchesEntity and $$sessionLsid name.
type matcher struct{ entities *entities }

// match says how actual differs from expected, or nil if it does not. An actual
// value that does not exist is the zero RawValue. A root document may have
// fields that are not expected.
func (m matcher) match(path string, expected, actual bson.RawValue, root bool) error {
	if doc, ok := expected.Document(); ok {
		if name, operand, ok := matchOperator(doc); ok {
			return m.operator(path, name, operand, actual, root)
		}
		return m.document(path, doc, actual, root)
	}
	if actual.IsZero() {
		return fmt.Errorf("%s: does not exist, want %v", path, expected)
	}
	if arr, ok := expected.Array(); ok {
		return m.array(path, arr, actual, false)
	}
	if !equal(expected, actual) {
		return fmt.Errorf("%s: is %v, want %v", path, describe(actual), describe(expected))
	}
	return nil
}

// matchOperator is the only element of doc if that is a matching operator.
func matchOperator(doc bson.Raw) (name string, operand bson.RawValue, ok bool) {
	for key, v := range doc.All() {
		return key, v, strings.HasPrefix(key, "$$") && doc.Len() == 1
	}
	return "", bson.RawValue{}, false
}

func (m matcher) document(path string, expected bson.Raw, actual bson.RawValue, root bool) error {
	doc, ok := actual.Document()
	if !ok {
		return fmt.Errorf("%s: is %v, want the document %v", path, describe(actual), expected)
	}
	for key, want := range expected.All() {
		if err := m.match(join(path, key), want, doc.Lookup(key), false); err != nil {
			return err
		}
	}
	if root {
		return nil
	}
	for key, v := range doc.All() {
		if expected.Lookup(key).IsZero() {
			return fmt.Errorf("%s: is %v, want nothing", join(path, key), describe(v))
		}
	}
	return nil
}

// array compares the elements one by one; rows says that they are root
// documents.
func (m matcher) array(path string, expected bson.RawArray, actual bson.RawValue, rows bool) error {
	arr, ok := actual.Array()
	if !ok {
		return fmt.Errorf("%s: is %v, want the array %v", path, describe(actual), expected)
	}
	if n, want := arr.Len(), expected.Len(); n != want {
		return fmt.Errorf("%s: has %d elements, want %d: is %v, want %v", path, n, want, arr, expected)
	}
	for i := range expected.Len() {
		if err := m.match(join(path, fmt.Sprint(i)), expected.Index(i), arr.Index(i), rows); err != nil {
			return err
		}
	}
	return nil
}

func (m matcher) operator(path, name string, operand, actual bson.RawValue, root bool) error {
	switch name {
	case "$$exists":
		want, ok := operand.Bool()
		if !ok {
			return malformedf("%s: $$exists: %v", path, operand)
		}
		if exists := !actual.IsZero(); exists != want {
			return fmt.Errorf("%s: is %v, want $$exists: %v", path, describe(actual), want)
		}
		return nil
	case "$$unsetOrMatches":
		if actual.IsZero() {
			return nil
		}
		return m.match(path, operand, actual, root)
	case "$$type":
		return matchType(path, operand, actual)
	case "$$matchesEntity":
		entity, err := lookupName[bson.RawValue](m.entities, operand)
		if err != nil {
			return err
		}
		return m.match(path, entity, actual, root)
	case "$$sessionLsid":
		s, err := lookupName[*session](m.entities, operand)
		if err != nil {
			return err
		}
		if text, ok := actual.Str(); ok { // the attribute of a span
			id, _ := s.lsid.Lookup("id").Binary()
			if u, err := id.UUID(); err != nil || text != u.String() {
				return fmt.Errorf("%s: is %q, want the session %v", path, text, s.lsid)
			}
			return nil
		}
		return m.match(path, document(s.lsid), actual, false)
	case "$$matchesHexBytes":
		return matchHexBytes(path, operand, actual)
	case "$$lte":
		return matchLte(path, operand, actual)
	case "$$matchAsDocument":
		text, ok := actual.Str()
		if !ok {
			return fmt.Errorf("%s: is %v, want Extended JSON in a string", path, describe(actual))
		}
		doc, err := bson.ParseExtJSON([]byte(text))
		if err != nil {
			return fmt.Errorf("%s: is %v, want a document: %w", path, describe(actual), err)
		}
		return m.match(path, operand, bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: doc}, false)
	case "$$matchAsRoot":
		return m.match(path, operand, actual, true)
	}
	return malformedf("%s: the operator %s is not supported", path, name)
}

// aliases are the types by their names in $$type.
var aliases = map[string][]bson.Type{
	"double":              {bson.TypeDouble},
	"string":              {bson.TypeString},
	"object":              {bson.TypeEmbeddedDocument},
	"array":               {bson.TypeArray},
	"binData":             {bson.TypeBinary},
	"undefined":           {bson.TypeUndefined},
	"objectId":            {bson.TypeObjectID},
	"bool":                {bson.TypeBoolean},
	"date":                {bson.TypeDateTime},
	"null":                {bson.TypeNull},
	"regex":               {bson.TypeRegex},
	"dbPointer":           {bson.TypeDBPointer},
	"javascript":          {bson.TypeJavaScript},
	"symbol":              {bson.TypeSymbol},
	"javascriptWithScope": {bson.TypeCodeWithScope},
	"int":                 {bson.TypeInt32},
	"timestamp":           {bson.TypeTimestamp},
	"long":                {bson.TypeInt64},
	"decimal":             {bson.TypeDecimal128},
	"minKey":              {bson.TypeMinKey},
	"maxKey":              {bson.TypeMaxKey},
	"number":              {bson.TypeDouble, bson.TypeInt32, bson.TypeInt64, bson.TypeDecimal128},
}

func matchType(path string, operand, actual bson.RawValue) error {
	var names []string
	if name, ok := operand.Str(); ok {
		names = []string{name}
	} else if err := operand.Unmarshal(&names); err != nil {
		return malformedf("%s: $$type: %w", path, err)
	}
	for _, name := range names {
		types, ok := aliases[name]
		if !ok {
			return malformedf("%s: $$type: %q is no type", path, name)
		}
		if slices.Contains(types, actual.Type) {
			return nil
		}
	}
	return fmt.Errorf("%s: is %v, want type %s", path, describe(actual), strings.Join(names, " or "))
}

func matchHexBytes(path string, operand, actual bson.RawValue) error {
	digits, ok := operand.Str()
	want, err := hex.DecodeString(digits)
	if !ok || err != nil {
		return malformedf("%s: $$matchesHexBytes: %v", path, operand)
	}
	if got, ok := actual.Str(); !ok || got != string(want) {
		return fmt.Errorf("%s: is %x, want %x", path, got, want)
	}
	return nil
}

func matchLte(path string, operand, actual bson.RawValue) error {
	limit, ok := operand.AsDouble()
	if !ok {
		return malformedf("%s: $$lte: %v", path, operand)
	}
	if f, ok := actual.AsDouble(); !ok || f > limit {
		return fmt.Errorf("%s: is %v, want %v at most", path, describe(actual), operand)
	}
	return nil
}

// equal compares values that are neither documents nor arrays. Integers and
// doubles are equal if they are the same number.
func equal(a, b bson.RawValue) bool {
	if x, ok := a.AsInt64(); ok {
		y, ok := b.AsInt64()
		return ok && x == y
	}
	if x, ok := a.AsDouble(); ok {
		y, ok := b.AsDouble()
		return ok && (x == y || x != x && y != y)
	}
	return sameValue(a, b)
}

// sameValue reports whether two values are the same but for the order of keys.
func sameValue(a, b bson.RawValue) bool {
	if a.Type != b.Type {
		return false
	}
	switch a.Type {
	case bson.TypeEmbeddedDocument:
		return sameDocument(bson.Raw(a.Value), bson.Raw(b.Value))
	case bson.TypeArray:
		x, y := bson.RawArray(a.Value), bson.RawArray(b.Value)
		if x.Len() != y.Len() {
			return false
		}
		for i := range x.Len() {
			if !sameValue(x.Index(i), y.Index(i)) {
				return false
			}
		}
		return true
	case bson.TypeCodeWithScope:
		code, scope, _ := a.CodeWithScope()
		other, otherScope, _ := b.CodeWithScope()
		return code == other && sameDocument(scope, otherScope)
	}
	return bytes.Equal(a.Value, b.Value)
}

func sameDocument(a, b bson.Raw) bool {
	if a.Len() != b.Len() {
		return false
	}
	for key, v := range a.All() {
		if !sameValue(v, b.Lookup(key)) {
			return false
		}
	}
	return true
}

// describe shows a value with its type.
func describe(v bson.RawValue) string {
	switch {
	case v.IsZero():
		return "missing"
	case v.Type == bson.TypeEmbeddedDocument || v.Type == bson.TypeArray || v.Type == bson.TypeString:
		return v.String()
	}
	return fmt.Sprintf("%v (%v)", v, v.Type)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
