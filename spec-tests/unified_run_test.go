package spectests

import (
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
)

// deployment is a standalone server that ends with the test.
func deployment(t *testing.T) *Deployment {
	t.Helper()
	d := Embedded([]string{"single"}, nil)
	t.Cleanup(d.Close)
	found, err := d.get(t.Context(), d.candidates[0])
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// unifiedText is a file with one client, database and collection.
func unifiedText(t *testing.T, operations, rest string) *unifiedFile {
	t.Helper()
	file, err := parseUnified([]byte(`{"description": "d", "schemaVersion": "1.10",
		"createEntities": [
			{"client": {"id": "client0", "observeEvents": ["commandStartedEvent"]}},
			{"database": {"id": "database0", "client": "client0", "databaseName": "runner"}},
			{"collection": {"id": "collection0", "database": "database0", "collectionName": "coll"}},
			{"session": {"id": "session0", "client": "client0"}},
			{"thread": {"id": "thread0"}}],
		"initialData": [{"databaseName": "runner", "collectionName": "coll", "documents": [{"_id": 1}]}],
		"tests": [{"description": "t", "operations": [` + operations + `]` + rest + `}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestExecute(t *testing.T) {
	d := deployment(t)
	const insert = `{"name": "insertOne", "object": "collection0", "arguments": {"document": {"_id": 2}}}`
	for _, c := range []struct{ operations, rest, want string }{
		{insert, `, "outcome": [{"databaseName": "runner", "collectionName": "coll", "documents": [{"_id": 1}, {"_id": 2}]}]`, ""},
		{insert, `, "outcome": [{"databaseName": "runner", "collectionName": "coll", "documents": [{"_id": 1}]}]`, "there are 2 documents, want 1"},
		{insert, `, "outcome": [{"databaseName": "runner", "collectionName": "coll", "documents": [{"_id": 1}, {"_id": {"$numberLong": "2"}}]}]`, "document 1 is"},
		{insert, `, "expectEvents": [{"client": "client0", "events": []}]`, "1 more events"},
		{insert, `, "expectEvents": [{"client": "client1", "events": []}]`, `"client1" is not defined`},
		{`{"name": "insertOne", "object": "collection0", "arguments": {"document": {"_id": 1}}}`, "", "operation 0, insertOne of collection0"},
		{`{"name": "insertOne", "object": "collection0", "arguments": {"document": {"_id": 1}}, "ignoreResultAndError": true}`, "", ""},
		{`{"name": "insertOne", "object": "collection0", "arguments": {"foo": 1}, "ignoreResultAndError": true}`, "", `"foo" is not supported`},
		{`{"name": "insertOne", "object": "collection0", "arguments": {"foo": 1}, "expectError": {"isError": true}}`, "", `"foo" is not supported`},
		{`{"name": "fly", "object": "collection0", "expectError": {"isError": true}}`, "", "operation fly of object collection is not offered by the driver"},
		{`{"name": "fly", "object": "testRunner"}`, "", "fly of the test runner is not supported"},
		{`{"name": "find", "object": "nobody"}`, "", `"nobody" is not defined`},
		{`{"name": "find", "object": "collection0", "arguments": {"filter": {}, "session": "client0"}}`, "", "instead of"},
		{`{"name": "find", "object": "collection0", "arguments": {"filter": {}}, "expectResult": [{"_id": 1}], "saveResultAsEntity": "found"},
		  {"name": "find", "object": "collection0", "arguments": {"filter": {}}, "expectResult": {"$$matchesEntity": "found"}}`, "", ""},
		{`{"name": "find", "object": "collection0", "arguments": {"filter": {}}, "expectResult": []}`, "", "has 1 elements, want 0"},
		{`{"name": "dropCollection", "object": "database0", "arguments": {"collection": "coll"}, "saveResultAsEntity": "x"}`, "", "there is no result to save"},
		{`{"name": "find", "object": "collection0", "arguments": {"filter": {}}, "saveResultAsEntity": "session0"}`, "", "exists already"},
		// Cursors
		{`{"name": "createFindCursor", "object": "collection0", "arguments": {"filter": {}}, "saveResultAsEntity": "cursor0"},
		  {"name": "iterateUntilDocumentOrError", "object": "cursor0", "expectResult": {"_id": 1}},
		  {"name": "iterateOnce", "object": "cursor0"}, {"name": "close", "object": "cursor0"}`, "", ""},
		// Threads
		{`{"name": "runOnThread", "object": "testRunner", "arguments": {"thread": "thread0", "operation": ` + insert + `}},
		  {"name": "waitForThread", "object": "testRunner", "arguments": {"thread": "thread0"}},
		  {"name": "find", "object": "collection0", "arguments": {"filter": {}}, "expectResult": [{"_id": 1}, {"_id": 2}]}`, "", ""},
		{`{"name": "runOnThread", "object": "testRunner", "arguments": {"thread": "thread0", "operation": {"name": "fly", "object": "collection0"}}},
		  {"name": "waitForThread", "object": "testRunner", "arguments": {"thread": "thread0"}}`, "", "on thread thread0: operation fly"},
		{`{"name": "runOnThread", "object": "testRunner", "arguments": {"thread": "client0", "operation": ` + insert + `}}`, "", "instead of"},
		// Assertions
		{`{"name": "assertCollectionExists", "object": "testRunner", "arguments": {"databaseName": "runner", "collectionName": "coll"}},
		  {"name": "assertCollectionNotExists", "object": "testRunner", "arguments": {"databaseName": "runner", "collectionName": "other"}},
		  {"name": "assertIndexExists", "object": "testRunner", "arguments": {"databaseName": "runner", "collectionName": "coll", "indexName": "_id_"}},
		  {"name": "assertIndexNotExists", "object": "testRunner", "arguments": {"databaseName": "runner", "collectionName": "coll", "indexName": "x_1"}},
		  {"name": "assertSessionNotDirty", "object": "testRunner", "arguments": {"session": "session0"}},
		  {"name": "assertSessionUnpinned", "object": "testRunner", "arguments": {"session": "session0"}},
		  {"name": "assertSessionTransactionState", "object": "testRunner", "arguments": {"session": "session0", "state": "none"}},
		  {"name": "assertNumberConnectionsCheckedOut", "object": "testRunner", "arguments": {"client": "client0", "connections": 0}}`, "", ""},
		{`{"name": "assertCollectionNotExists", "object": "testRunner", "arguments": {"databaseName": "runner", "collectionName": "coll"}}`, "", "exists"},
		{`{"name": "assertIndexExists", "object": "testRunner", "arguments": {"databaseName": "runner", "collectionName": "coll", "indexName": "x_1"}}`, "", "does not exist"},
		{`{"name": "assertSessionDirty", "object": "testRunner", "arguments": {"session": "session0"}}`, "", "is not dirty"},
		{`{"name": "assertSessionPinned", "object": "testRunner", "arguments": {"session": "session0"}}`, "", "is not pinned"},
		{`{"name": "assertSessionTransactionState", "object": "testRunner", "arguments": {"session": "session0", "state": "starting"}}`, "", "is none, want starting"},
		{`{"name": "assertSameLsidOnLastTwoCommands", "object": "testRunner", "arguments": {"client": "client0"}}`, "", "0 commands were seen"},
		{insert + `, ` + strings.Replace(insert, "2", "3", 1) + `, {"name": "assertDifferentLsidOnLastTwoCommands", "object": "testRunner", "arguments": {"client": "client0"}}`, "", "have the same lsid"},
		{`{"name": "recordTopologyDescription", "object": "testRunner", "arguments": {"client": "client0", "id": "topology0"}},
		  {"name": "waitForPrimaryChange", "object": "testRunner", "arguments": {"client": "client0", "priorTopologyDescription": "topology0", "timeoutMS": 1}}`, "", "the primary did not change"},
	} {
		file := unifiedText(t, c.operations, c.rest)
		err := (&testRun{deployment: d}).execute(t.Context(), file, file.Tests[0])
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s%s: %v, want %q", c.operations, c.rest, err, c.want)
		}
	}
}

// A fail point ends with its test, also if that fails.
func TestFailPointsEnd(t *testing.T) {
	d := deployment(t)
	file := unifiedText(t, `{"name": "failPoint", "object": "testRunner", "arguments": {"client": "client0", "failPoint":
		{"configureFailPoint": "failCommand", "mode": "alwaysOn", "data": {"failCommands": ["ping"], "errorCode": 2}}}},
		{"name": "runCommand", "object": "database0", "arguments": {"commandName": "ping", "command": {"ping": 1}}}`, "")
	if err := (&testRun{deployment: d}).execute(t.Context(), file, file.Tests[0]); err == nil || !strings.Contains(err.Error(), "failpoint") {
		t.Errorf("the fail point did not strike: %v", err)
	}
	if err := d.client.Ping(t.Context(), nil); err != nil {
		t.Errorf("the fail point outlives its test: %v", err)
	}
}

// A loop goes on until it is told to stop. What came of it stands in entities.
func TestLoop(t *testing.T) {
	d := deployment(t)
	stop := make(chan struct{})
	run := testRun{deployment: d, stop: stop, inspect: func(e *entities) {
		for name, want := range map[string]string{
			"successes": `{"$$type": "long"}`, "iterations": `{"$$type": "long"}`,
			"errors": `[]`, "failures": `{"$$type": "array"}`,
		} {
			v, err := lookup[bson.RawValue](e, name)
			if err == nil {
				err = matcher{e}.match(name, extJSON(t, want), v, false)
			}
			if err != nil {
				t.Error(err)
			}
		}
		iterations, _ := lookup[bson.RawValue](e, "iterations")
		successes, _ := lookup[bson.RawValue](e, "successes")
		failures, _ := lookup[bson.RawValue](e, "failures")
		n, _ := iterations.AsInt64()
		good, _ := successes.AsInt64()
		list, _ := failures.Array()
		if n == 0 || good != n || int64(list.Len()) != n {
			t.Errorf("%d iterations with %d successes and %d failures", n, good, list.Len())
		}
	}}
	file := unifiedText(t, `{"name": "loop", "object": "testRunner", "arguments": {
		"storeErrorsAsEntity": "errors", "storeFailuresAsEntity": "failures", "storeSuccessesAsEntity": "successes", "storeIterationsAsEntity": "iterations",
		"operations": [
			{"name": "find", "object": "collection0", "arguments": {"filter": {}}, "expectResult": [{"_id": 1}]},
			{"name": "find", "object": "collection0", "arguments": {"filter": {}}, "expectResult": []},
			{"name": "find", "object": "collection0", "arguments": {"filter": {}}}]}}`, "")
	time.AfterFunc(20*time.Millisecond, func() { close(stop) })
	if err := run.execute(t.Context(), file, file.Tests[0]); err != nil {
		t.Error(err)
	}
}
