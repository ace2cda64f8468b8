package query

import (
	"testing"

	"github.com/motor-go/motor/bson"
)

// parse reads Extended JSON; single quotes may stand for double ones.
func parse(t testing.TB, json string) bson.Raw {
	t.Helper()
	return mustExtJSON(t, []byte(quotes(json)))
}

func quotes(json string) string {
	b := []byte(json)
	for i, c := range b {
		if c == '\'' {
			b[i] = '"'
		}
	}
	return string(b)
}

// parseValue reads a single value.
func parseValue(t testing.TB, json string) bson.RawValue {
	t.Helper()
	return parse(t, "{'v': "+json+"}").Lookup("v")
}

func parseList(t testing.TB, json string) []bson.Raw {
	t.Helper()
	docs, err := stageDocuments(parseValue(t, json))
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

func show(v bson.RawValue) string {
	if isMissing(v) {
		return "missing"
	}
	return v.String()
}

// testEnv is an environment of a version such as 4.4.
func testEnv(major, minor int) *Env {
	return &Env{
		Version: Version{major, minor}, DB: "d", Collection: "c",
		Now: 1_600_000_000_123, ClusterTime: bson.Timestamp{T: 1_600_000_000, I: 7},
		Random: func() float64 { return 0.25 }, NewObjectID: func() bson.ObjectID { return bson.ObjectID{1} },
	}
}
