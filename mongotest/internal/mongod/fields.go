package mongod

import (
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
)

// fieldType is what a field of a command may hold.
type fieldType int

const (
	anything  fieldType = iota
	boolean             // true or false only
	truth               // a boolean or a number
	number              // of any type
	text                // a string
	object              // a document
	objects             // an array of documents
	timestamp           // a timestamp
)

// required marks a field that must be there.
const required fieldType = 1 << 8

// schema is what a command, or a document in it, may consist of.
type schema struct {
	name   string // as errors call it: "insert", "insert.documents"
	fields []field
	since  query.Version // the first version that parses by it; zero for all
}

type field struct {
	name string
	fieldType
	since query.Version // the first version that knows it; zero for all
}

func newSchema(name string, fields ...field) *schema { return &schema{name: name, fields: fields} }

// schemaSince5 is the schema of a command that older versions read otherwise.
func schemaSince5(name string, fields ...field) *schema {
	return &schema{name, fields, query.Version{Major: 5}}
}

// fieldSince is a field that older versions do not know.
func fieldSince(major, minor int, name string, t fieldType) field {
	return field{name, t, query.Version{Major: major, Minor: minor}}
}

// genericFields may stand in every command, of whatever version: see generic.
var genericFields = map[string]bool{
	"$db": true, "lsid": true, "$clusterTime": true, "$readPreference": true, "readConcern": true,
	"writeConcern": true, "maxTimeMS": true, "apiVersion": true, "apiStrict": true,
	"apiDeprecationErrors": true, "txnNumber": true, "autocommit": true, "startTransaction": true,
	"$configServerState": true, "$replData": true, "$audit": true, "$client": true, "$queryOptions": true,
	"$oplogQueryData": true, "allowImplicitCollectionCreation": true, "coordinator": true, "tracking_info": true,
	"databaseVersion": true, "shardVersion": true, "help": true, "maxTimeMSOpOnly": true,
	"recoveryToken": true,
}

// generic reports whether the field may stand in every command of the version.
func (v Version) generic(name string) bool {
	switch name {
	case "comment":
		return v.AtLeast(4, 4)
	case "rawData":
		return v.AtLeast(8, 2)
	}
	return genericFields[name]
}

func (s *schema) find(name string, v query.Version) (fieldType, bool) {
	for _, f := range s.fields {
		if f.name == name {
			return f.fieldType, v.AtLeast(f.since.Major, f.since.Minor)
		}
	}
	return 0, false
}

// checkDuplicates refuses a command that has a field twice. What a command's
// own parser says of it differs from what is said of all others.
func (r *request) checkDuplicates() error {
	var few [16]string
	seen := few[:0]
	for name := range r.body.Keys() {
		if !slices.Contains(seen, name) {
			seen = append(seen, name)
			continue
		}
		own := r.atLeast(5, 0) && r.command.parsedSince5()
		if s := r.command.schema; s != nil && !own && r.atLeast(s.since.Major, s.since.Minor) {
			_, own = s.find(name, r.server.Version.Version)
		}
		if own {
			return errorf(codeDuplicateField, "BSON field '%s.%s' is a duplicate field", r.command.name, name)
		}
		return errorf(codeFailedToParse, "Parsed command object contains duplicate top level key: %s", name)
	}
	return nil
}

// parsedSince5 reports whether the command has a generated parser since 5.0, at
// the latest.
func (c *command) parsedSince5() bool {
	switch c.name {
	case "find", "getMore", "killCursors", "aggregate", "findAndModify", "create", "createIndexes", "collMod", "renameCollection":
		return true
	}
	return c.schema != nil
}

// command checks the fields of a whole command, of which the first is its name.
func (s *schema) command(r *request) error {
	if !r.atLeast(s.since.Major, s.since.Minor) {
		return nil
	}
	first := true
	var given []string
	for name, v := range r.body.All() {
		if first {
			first = false
			continue
		}
		if err := s.field(name, v, r.server.Version.Version, r.server.Version.generic(name)); err != nil {
			return err
		}
		given = append(given, name)
	}
	for _, seq := range r.sequences {
		if t, known := s.find(seq.ID, r.server.Version.Version); !known || t&^required != objects {
			return errorf(codeUnknownField, "BSON field '%s.%s' is an unknown field.", s.name, seq.ID)
		}
		given = append(given, seq.ID)
	}
	return s.missing(given)
}

// document checks the fields of a document in a command.
func (s *schema) document(d bson.Raw, version query.Version) error {
	var given []string
	for name, v := range d.All() {
		if err := s.field(name, v, version, false); err != nil {
			return err
		}
		if slices.Contains(given, name) {
			return errorf(codeDuplicateField, "BSON field '%s.%s' is a duplicate field", s.name, name)
		}
		given = append(given, name)
	}
	return s.missing(given)
}

func (s *schema) field(name string, v bson.RawValue, version query.Version, generic bool) error {
	t, known := s.find(name, version)
	switch {
	case known:
		return s.check(name, v, t&^required)
	case generic:
		return nil
	}
	return errorf(codeUnknownField, "BSON field '%s.%s' is an unknown field.", s.name, name)
}

func (s *schema) missing(given []string) error {
	for _, f := range s.fields {
		if f.fieldType&required == 0 {
			continue
		}
		found := false
		for _, g := range given {
			found = found || g == f.name
		}
		if !found {
			return errorf(codeMissingField, "BSON field '%s.%s' is missing but a required field", s.name, f.name)
		}
	}
	return nil
}

func (s *schema) check(name string, v bson.RawValue, t fieldType) error {
	var want []string
	if (v.Type == bson.TypeNull || v.Type == bson.TypeUndefined) && t != objects {
		return nil // as if it were not there
	}
	switch t {
	case anything:
		return nil
	case boolean:
		if v.Type == bson.TypeBoolean {
			return nil
		}
		want = []string{"bool"}
	case truth:
		if v.Type == bson.TypeBoolean || v.IsNumber() {
			return nil
		}
		want = []string{"bool", "long", "int", "decimal", "double"}
	case number:
		if v.IsNumber() {
			return nil
		}
		want = []string{"long", "int", "decimal", "double"}
	case text:
		if v.Type == bson.TypeString {
			return nil
		}
		want = []string{"string"}
	case object:
		if v.Type == bson.TypeEmbeddedDocument {
			return nil
		}
		want = []string{"object"}
	case timestamp:
		if v.Type == bson.TypeTimestamp {
			return nil
		}
		want = []string{"timestamp"}
	case objects:
		return s.checkObjects(name, v)
	}
	return s.wrongType(name, v, want...)
}

func (s *schema) checkObjects(name string, v bson.RawValue) error {
	if v.Type != bson.TypeArray && v.Type != bson.TypeEmbeddedDocument {
		return errorf(10065, "invalid parameter: expected an object (%s)", name)
	}
	i := 0
	for e := range bson.RawArray(v.Value).Values() {
		if e.Type != bson.TypeEmbeddedDocument {
			return s.wrongType(name+"."+itoa(i), e, "object")
		}
		i++
	}
	return nil
}

func (s *schema) wrongType(name string, v bson.RawValue, want ...string) error {
	if len(want) == 1 {
		return errorf(codeTypeMismatch, "BSON field '%s.%s' is the wrong type '%s', expected type '%s'",
			s.name, name, query.TypeName(v.Type), want[0])
	}
	return errorf(codeTypeMismatch, "BSON field '%s.%s' is the wrong type '%s', expected types '[%s']",
		s.name, name, query.TypeName(v.Type), strings.Join(want, ", "))
}

// tooSmall is the error of a field whose value is under its least. before is
// what versions before 5.0 say of it.
func (r *request) tooSmall(name string, n, least int64, before error) error {
	if r.atLeast(5, 0) {
		return errorf(51024, "BSON field '%s' value must be >= %d, actual value '%d'", name, least, n)
	}
	return before
}

// documents are the documents of an array that has been checked.
func documents(v bson.RawValue) (docs []bson.Raw) {
	for e := range bson.RawArray(v.Value).Values() {
		docs = append(docs, bson.Raw(e.Value))
	}
	return docs
}

// whole is a number cut to an int64, 0 if v is none.
func whole(v bson.RawValue) int64 {
	if n, ok := v.AsInt64(); ok {
		return n
	}
	f, _ := v.AsDouble()
	return int64(f)
}
