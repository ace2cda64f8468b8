package mongotest_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
	"github.com/motor-go/motor/wire"
)

// The tests of this file ask for what no server does.

// refused is a command that fails, and how.
type refused struct {
	command string
	code    int64
	message string // a part of it; of the first write error if there is one
}

// refuse sends commands and compares the errors.
func refuse(t *testing.T, version string, list []refused) {
	t.Helper()
	s := mongotest.NewStandalone(t, mongotest.Options{Version: version})
	c := dial(t, s.Address())
	c.ok(t, "test", `{"insert": "c", "documents": [{"_id": 1, "a": [1, 2]}]}`)
	for _, r := range list {
		reply := c.run(t, "test", r.command)
		compareError(t, version+": "+shorten(r.command), reply, r.code, r.message)
	}
	c.ok(t, "admin", `{"ping": 1}`)
}

func compareError(t *testing.T, what string, reply bson.Raw, code int64, message string) {
	t.Helper()
	failure := reply
	if d, ok := reply.Lookup("writeErrors", "0").Document(); ok {
		failure = d
	}
	got, _ := failure.Lookup("code").AsInt64()
	text, _ := failure.Lookup("errmsg").Str()
	if got != code || !strings.Contains(text, message) {
		t.Errorf("%s: want %d %q, got %d %q", what, code, message, got, shorten(text))
	}
}

func shorten(s string) string {
	if len(s) > 200 {
		return s[:100] + " … " + s[len(s)-100:]
	}
	return s
}

func TestNamesAreChecked(t *testing.T) {
	long := strings.Repeat("x", 251) // with the database one too many
	refuse(t, "8.0", []refused{
		{`{"insert": "", "documents": [{}]}`, 73, "Invalid namespace specified 'test.'"},
		{`{"insert": ".a", "documents": [{}]}`, 73, "Collection names cannot start with '.': .a"},
		{`{"insert": "a\u0000b", "documents": [{}]}`, 73, "namespaces cannot have embedded null characters"},
		{`{"insert": "a$b", "documents": [{}]}`, 73, "Invalid collection name: a$b"},
		{`{"insert": "system.foo", "documents": [{}]}`, 73, "Invalid system namespace: test.system.foo"},
		{`{"insert": "system.version", "documents": [{}]}`, 73, "Invalid system namespace: test.system.version"},
		{`{"insert": "a.system.b", "documents": [{}]}`, 2, "Invalid namespace: test.a.system.b"},
		{`{"insert": "system.profile", "documents": [{}]}`, 73, "cannot write to test.system.profile"},
		{`{"insert": "` + long + `", "documents": [{}]}`, 73, "Max: 255"},
		{`{"create": "` + long + `"}`, 73, "Max: 255"},
		{`{"create": "a$b"}`, 73, "Invalid collection name: a$b"},
		{`{"create": "system.foo"}`, 73, "Invalid system namespace: test.system.foo"},
		{`{"createIndexes": "` + long + `", "indexes": [{"key": {"a": 1}, "name": "a"}]}`, 73, "Max: 255"},
		{`{"update": "a$b", "updates": [{"q": {}, "u": {}}]}`, 73, "Invalid collection name: a$b"},
		{`{"find": "a$b"}`, 73, "Invalid collection name specified 'test.a$b'"},
		{`{"count": "$cmd"}`, 73, "Invalid collection name specified 'test.$cmd'"},
		{`{"listIndexes": "a$b"}`, 73, "Invalid collection name specified 'test.a$b'"},
		{`{"aggregate": "$cmd.aggregate", "pipeline": [], "cursor": {}}`, 73, ""},
	})
	refuse(t, "4.2", []refused{
		{`{"insert": "a$b", "documents": [{}]}`, 73, "invalid collection name"},
		{`{"insert": "system.foo", "documents": [{}]}`, 73, "cannot write to 'test.system.foo'"},
		{`{"insert": "` + strings.Repeat("x", 116) + `", "documents": [{}]}`, 17381, "is too long (max is 120 bytes)"},
		{`{"create": "` + strings.Repeat("x", 116) + `"}`, 17381, "is too long (max is 120 bytes)"},
	})
	s := mongotest.NewStandalone(t, mongotest.Options{})
	c := dial(t, s.Address())
	c.ok(t, "test", `{"insert": "c", "documents": [{}]}`)
	for _, to := range []string{"a b.c", "test..c", "test.", "test." + long} {
		compareError(t, to, c.run(t, "admin", `{"renameCollection": "test.c", "to": "`+to+`"}`), 73, "target namespace")
	}
	for _, db := range []string{"a b", "a.b", "a/b", `a\\b`, `a\"b`, `a\u0000b`, strings.Repeat("x", 64)} {
		b, at := bson.BeginDocument(nil)
		b = append(b, parse(t, `{"ping": 1, "$db": "`+db+`"}`)[4:]...)
		reply := exchange(t, c, bson.EndDocument(b[:len(b)-1], at))
		compareError(t, db, reply, 73, "database name")
	}
	c.ok(t, "test", `{"insert": "`+strings.Repeat("x", 250)+`", "documents": [{}]}`)
}

// exchange sends a command as it is.
func exchange(t *testing.T, c *client, command bson.Raw, seqs ...wire.Sequence) bson.Raw {
	t.Helper()
	if err := c.send(0, command, seqs...); err != nil {
		t.Fatal(err)
	}
	reply, _, err := c.receive()
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

func TestAnIDComesOnce(t *testing.T) {
	for _, version := range []string{"4.4", "8.0"} {
		refuse(t, version, []refused{
			{`{"insert": "c", "documents": [{"_id": 5, "x": 1, "_id": 6}]}`, 2, "can't have multiple _id fields in one document"},
			{`{"update": "c", "updates": [{"q": {}, "u": {"_id": 1, "x": 1, "_id": 1}}]}`, 2, "Can't have multiple _id fields in one document"},
			{`{"update": "c", "updates": [{"q": {"_id": 9}, "u": {"_id": 9, "x": 1, "_id": 8}, "upsert": true}]}`, 2, "Can't have multiple _id fields in one document"},
		})
	}
}

// TestMalformedDocumentsAreRefused spoils documents that their lengths frame
// well.
func TestMalformedDocumentsAreRefused(t *testing.T) {
	s := mongotest.NewStandalone(t, mongotest.Options{})
	c := dial(t, s.Address())
	good := parse(t, `{"_id": 1, "a": {"b": "text", "c": true, "d": [{"$code": "f", "$scope": {"x": 1}}], "e": {"$regularExpression": {"pattern": "p", "options": ""}},
		"f": {"$binary": {"base64": "AAAA", "subType": "00"}}, "g": {"$dbPointer": {"$ref": "r", "$id": {"$oid": "000000000000000000000000"}}}}}`)
	find := func(part string) int { return bytes.Index(good, []byte(part)) + len(part) }
	for _, test := range []struct {
		name    string
		at      int
		to      byte
		message string
	}{
		{"unknown type", find("c\x00") - 3, 0x63, "Unrecognized BSON type 99 in element with field name 'a.c' in object with _id: 1"},
		{"length of a document", find("a\x00"), 1, "in element with field name 'a"},
		{"long document", find("a\x00"), 0xff, "BSON size is larger than buffer size in element with field name 'a' in object with _id: 1"},
		{"length of a string", find("b\x00"), 200, "BSON size is larger than buffer size in element with field name 'a.b'"},
		{"empty string", find("b\x00"), 0, "Not null terminated string in element with field name 'a.b'"},
		{"string without NUL", find("text"), 'x', "Not null terminated string in element with field name 'a.b'"},
		{"boolean", find("c\x00"), 2, "BSON bool is neither false nor true in element with field name 'a.c'"},
		{"length of a binary", find("f\x00"), 0xf0, "BSON size is larger than buffer size"},
		{"length of code", find("0\x00"), 1, "incorrect BSON length in element with field name 'a.d.0'"},
		{"length of a pointer", find("g\x00"), 60, "BSON size is larger than buffer size in element with field name 'a.g'"},
		{"unknown top type", 4, 0x63, "in object with unknown _id"},
	} {
		bad := bson.Raw(bytes.Clone(good))
		bad[test.at] = test.to
		reply := exchange(t, c, parse(t, `{"insert": "c", "$db": "test"}`), wire.Sequence{ID: "documents", Docs: bad})
		compareError(t, test.name, reply, 22, test.message)
	}
	if n := c.ok(t, "test", `{"count": "c"}`).Lookup("n"); n.Truthy() {
		t.Error("a malformed document was stored")
	}
	compareError(t, "good", exchange(t, c, parse(t, `{"insert": "c", "$db": "test"}`), wire.Sequence{ID: "documents", Docs: good}), 0, "")
}

// TestStructureIsCheckedLikeValidate compares the check of a message with that
// of the package bson, byte by byte. (2 is not tried: as the subtype of a binary
// it has a meaning that servers do not look at.)
func TestStructureIsCheckedLikeValidate(t *testing.T) {
	s := mongotest.NewStandalone(t, mongotest.Options{})
	c := dial(t, s.Address())
	good := parse(t, `{"_id": {"$oid": "000000000000000000000000"}, "a": {"b": "t", "c": [true, {"$code": "f", "$scope": {"x": {"$numberLong": "1"}}}]},
		"e": {"$regularExpression": {"pattern": "p", "options": ""}}, "f": {"$binary": {"base64": "AAAA", "subType": "00"}}, "n": null}`)
	for at := 4; at < len(good)-1; at++ {
		for _, to := range []byte{0, 1, 3, 5, 0x0d, 0x0f, 0x13, 0x14, 0x63, 0x7f} {
			bad := bson.Raw(bytes.Clone(good))
			bad[at] = to
			reply := exchange(t, c, parse(t, `{"count": "c", "$db": "test"}`), wire.Sequence{ID: "x", Docs: bad})
			code, _ := reply.Lookup("code").AsInt64()
			if valid := bad.Validate() == nil; valid == (code == 22) {
				t.Fatalf("byte %d as %#x: validated: %v, got %s", at, to, valid, show(reply))
			}
		}
	}
}

func TestNestingIsLimited(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"a": `, n) + "1" + strings.Repeat("}", n) }
	refuse(t, "8.0", []refused{
		{`{"insert": "c", "documents": [` + deep(181) + `]}`, 15, "cannot insert document because it exceeds 180 levels of nesting"},
		{`{"insert": "c", "documents": [` + deep(180) + `]}`, 0, ""},
		{`{"insert": "c", "documents": [` + deep(240) + `]}`, 15, "BSONObj exceeds maximum nested object depth"},
		{`{"update": "c", "updates": [{"q": {"_id": 1}, "u": {"$set": {"x": ` + deep(182) + `}}}]}`, 15, "Document exceeds maximum nesting depth of 180"},
	})
}

func TestDocumentSequencesAreChecked(t *testing.T) {
	s := mongotest.NewStandalone(t, mongotest.Options{})
	c := dial(t, s.Address())
	docs := wire.Sequence{ID: "documents", Docs: parse(t, `{"_id": 1}`)}
	insert := parse(t, `{"insert": "c", "$db": "test"}`)
	compareError(t, "twice", exchange(t, c, insert, docs, docs), 40431, "Duplicate document sequence: documents")
	compareError(t, "in the body too", exchange(t, c, parse(t, `{"insert": "c", "documents": [], "$db": "test"}`), docs), 40433, "Duplicate field between body and document sequence documents")
	compareError(t, "unknown", exchange(t, c, insert, docs, wire.Sequence{ID: "x", Docs: docs.Docs}), 40415, "BSON field 'insert.x' is an unknown field.")
	compareError(t, "of another command", exchange(t, c, parse(t, `{"find": "c", "$db": "test"}`), docs), 40472, "The find command does not support document sequences.")
}

func TestAFieldComesOnce(t *testing.T) {
	refuse(t, "4.4", []refused{
		{`{"find": "c", "maxTimeMS": 1, "maxTimeMS": 2}`, 9, "Parsed command object contains duplicate top level key: maxTimeMS"},
		{`{"ping": 1, "ping": 1}`, 9, "Parsed command object contains duplicate top level key: ping"},
		{`{"count": "c", "limit": 1, "limit": 1}`, 40413, "BSON field 'count.limit' is a duplicate field"},
	})
	refuse(t, "8.0", []refused{
		{`{"find": "c", "maxTimeMS": 1, "maxTimeMS": 2}`, 40413, "BSON field 'find.maxTimeMS' is a duplicate field"},
		{`{"update": "c", "updates": [{"q": {}, "q": {}, "u": {}}]}`, 40413, "BSON field 'update.updates.q' is a duplicate field"},
		{`{"ping": 1, "ping": 1}`, 9, "Parsed command object contains duplicate top level key: ping"},
	})
}

func TestStagesCheckCollections(t *testing.T) {
	stage := func(s string) string { return `{"aggregate": "c", "pipeline": [` + s + `], "cursor": {}}` }
	refuse(t, "8.0", []refused{
		{stage(`{"$lookup": {"from": "", "localField": "a", "foreignField": "b", "as": "c"}}`), 73, "$lookup namespace: test."},
		{stage(`{"$graphLookup": {"from": ".a", "startWith": 1, "connectFromField": "a", "connectToField": "b", "as": "x"}}`), 73, "$graphLookup namespace: test..a"},
		{stage(`{"$unionWith": ""}`), 73, "$unionWith namespace: test."},
		{stage(`{"$unionWith": {"coll": ""}}`), 73, "$unionWith namespace: test."},
		{stage(`{"$out": "a$b"}`), 73, "a$b"},
		{stage(`{"$out": "system.x"}`), 17385, "Can't $out to special collection: system.x"},
		{stage(`{"$out": {"db": "admin", "coll": "x"}}`), 31321, "Can't $out to internal database: admin"},
		{stage(`{"$merge": "system.x"}`), 31319, "Cannot $merge to special collection: system.x"},
		{stage(`{"$merge": {"into": {"db": "config", "coll": "x"}}}`), 31320, "Cannot $merge to internal database: config"},
	})
}

func TestIndexesAreLimited(t *testing.T) {
	index := func(spec string) string { return `{"createIndexes": "c", "indexes": [` + spec + `]}` }
	var many []string
	for i := range 64 { // and the one on _id
		n := strconv.Itoa(i)
		many = append(many, `{"key": {"f`+n+`": 1}, "name": "f`+n+`"}`)
	}
	refuse(t, "6.0", []refused{
		{index(strings.Join(many, ", ")), 67, "add index fails, too many indexes for test.c key:{ f63: 1 }"},
		{index(strings.Join(many[:63], ", ")), 0, ""},
		{index(many[63]), 67, "too many indexes"},
		{index(`{"key": {"a": 1}, "name": ""}`), 67, "index name cannot be empty"},
		{index(`{"key": {"a": 1}, "name": "*"}`), 2, "The index name '*' is not valid."},
		{index(`{"key": {"a": 1}, "name": "a", "unique": "x"}`), 14, "The field 'unique has value unique: \"x\", which is not convertible to bool"},
		{index(`{"key": {"a": 1}, "name": "a", "partialFilterExpression": 1}`), 14, "The field 'partialFilterExpression' must be an object, but got int"},
		{index(`{"key": {"a": 1, "b": 1}, "name": "a", "expireAfterSeconds": 1}`), 67, "TTL indexes are single-field indexes"},
		{index(`{"key": {"_id": -1}, "name": "a"}`), 2, "The field 'key' for an _id index must be {_id: 1}, but got { _id: -1 }"},
		{index(`{"key": {"_id": 1}, "name": "a", "sparse": true}`), 197, "The field 'sparse' is not valid for an _id index specification."},
		{index(`{"key": {"a": "hashed"}, "name": "a", "unique": true}`), 16764, "hashed indexes cannot guarantee uniqueness"},
		{index(`{"key": {"a": "hashed", "b": "hashed"}, "name": "a"}`), 31303, "allowed to be hashed but found 2"},
		{index(`{"key": {"$**": 1}, "name": "a", "unique": true}`), 67, "does not support the unique option"},
		{index(`{"key": {"$**": 1, "b": 1}, "name": "a"}`), 67, "wildcard indexes do not allow compounding"},
		{`{"dropIndexes": "c"}`, 40414, "BSON field 'dropIndexes.index' is missing but a required field"},
		{`{"dropIndexes": "c", "index": 1}`, 14, "BSON field 'dropIndexes.index' is the wrong type 'int'"},
		{`{"dropIndexes": "c", "index": [1]}`, 14, "BSON field 'dropIndexes.index' is the wrong type 'int'"},
	})
}

func TestFieldsAreChecked(t *testing.T) {
	refuse(t, "8.0", []refused{
		{`{"find": "c", "limit": -1}`, 51024, "BSON field 'limit' value must be >= 0, actual value '-1'"},
		{`{"count": "c", "skip": -1}`, 51024, "BSON field 'skip' value must be >= 0, actual value '-1'"},
		{`{"aggregate": "c", "pipeline": [], "cursor": {"batchSize": -1}}`, 51024, "BSON field 'batchSize' value must be >= 0"},
		{`{"aggregate": "c", "pipeline": [], "cursor": {}, "let": 1}`, 14, "BSON field 'aggregate.let' is the wrong type 'int', expected type 'object'"},
		{`{"aggregate": "c", "pipeline": [], "cursor": {}, "bypassDocumentValidation": "x"}`, 14, "aggregate.bypassDocumentValidation"},
		{`{"getMore": {"$numberLong": "1"}, "collection": "c", "foo": 1}`, 40415, "BSON field 'getMore.foo' is an unknown field."},
		{`{"getMore": {"$numberLong": "1"}, "collection": ".c"}`, 73, "Collection names cannot start with '.': .c"},
		{`{"findAndModify": "c", "remove": "x"}`, 14, "BSON field 'findAndModify.remove' is the wrong type 'string'"},
		{`{"findAndModify": "c", "remove": true, "query": 1}`, 14, "BSON field 'findAndModify.query' is the wrong type 'int', expected type 'object'"},
		{`{"delete": "c", "deletes": [{"q": {}, "limit": 0.5}]}`, 9, "The limit field in delete objects must be 0 or 1. Got 0.5"},
		{`{"create": "x", "capped": true, "size": 0}`, 51024, "BSON field 'size' value must be >= 1, actual value '0'"},
		{`{"create": "x", "timeseries": {"timeField": "t", "foo": 1}}`, 40415, "BSON field 'create.timeseries.foo' is an unknown field."},
		{`{"drop": "c", "foo": 1}`, 40415, "BSON field 'drop.foo' is an unknown field."},
		{`{"listIndexes": "c", "foo": 1}`, 40415, "BSON field 'listIndexes.foo' is an unknown field."},
		{`{"listCollections": 1, "nameOnly": "x"}`, 14, "BSON field 'listCollections.nameOnly' is the wrong type 'string'"},
	})
	refuse(t, "4.4", []refused{
		{`{"find": "c", "limit": -1}`, 2, "Limit value must be non-negative, but received: -1"},
		{`{"listCollections": 1, "foo": 1}`, 0, ""},
	})
}
