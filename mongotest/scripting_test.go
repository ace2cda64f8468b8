package mongotest_test

import (
	"testing"

	"github.com/motor-go/motor/mongotest"
)

func TestScripting(t *testing.T) {
	server, err := mongotest.StartStandalone(mongotest.Options{Scripting: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	c := dial(t, server.Address())
	c.run(t, "db", `{"insert": "c", "documents": [{"_id": 1, "k": "b", "n": 2}, {"_id": 2, "k": "a", "n": 3}, {"_id": 3, "k": "b", "n": 5}]}`)
	const mapper, reducer = `{"$code": "function() { emit(this.k, this.n * f) }"}`, `{"$code": "function(k, v) { return Array.sum(v) }"}`
	for _, test := range []struct{ command, field, want string }{
		{`{"count": "c", "query": {"$where": "this.n > 2"}}`, "n", "2"},
		{`{"count": "c", "query": {"$where": "function() { return this.n > 2 && obj.k == 'b' }"}}`, "n", "1"},
		{`{"count": "c", "query": {"$where": "this.n >"}}`, "codeName", `"JSInterpreterFailure"`},
		{`{"count": "c", "query": {"$where": "this.x.y"}}`, "codeName", `"JSInterpreterFailure"`},
		{
			`{"mapReduce": "c", "map": ` + mapper + `, "reduce": ` + reducer + `, "out": {"inline": 1}, "scope": {"f": 10}}`, "results",
			`[{"_id":"a","value":30.0},{"_id":"b","value":70.0}]`,
		},
		{
			`{"mapReduce": "c", "map": ` + mapper + `, "reduce": ` + reducer + `, "out": {"inline": 1}, "scope": {"f": 1}, "query": {"_id": {"$lt": 3}}, "finalize": {"$code": "(k, v) => k + v"}}`, "results",
			`[{"_id":"a","value":"a3"},{"_id":"b","value":"b2"}]`,
		},
		{`{"mapReduce": "c", "map": ` + mapper + `, "reduce": ` + reducer + `, "out": {"inline": 1}}`, "codeName", `"JSInterpreterFailure"`},
		{`{"mapReduce": "c", "map": ` + mapper + `, "reduce": ` + reducer + `, "out": "elsewhere"}`, "codeName", `"CommandNotSupported"`},
	} {
		if got := c.run(t, "db", test.command).Lookup(test.field).String(); got != test.want {
			t.Errorf("%s: %s, want %s", test.command, got, test.want)
		}
	}
}

// Servers run no functions unless they are asked to.
func TestNoScripting(t *testing.T) {
	server, err := mongotest.StartStandalone(mongotest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	c := dial(t, server.Address())
	for command, want := range map[string]int32{
		`{"count": "c", "query": {"$where": "true"}}`:                                                 2,
		`{"mapReduce": "c", "map": "function() {}", "reduce": "function() {}", "out": {"inline": 1}}`: 16149,
	} {
		if code, _ := c.run(t, "db", command).Lookup("code").AsInt64(); int32(code) != want {
			t.Errorf("%s: code %d, want %d", command, code, want)
		}
	}
}
