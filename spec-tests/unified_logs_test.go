package spectests

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

func TestExpectLogMessages(t *testing.T) {
	c := new(logCollector)
	log := slog.New(c)
	log.Debug("Command started", "component", "command", "command", `{"ping": 1, "$db": "db"}`, "requestId", 7)
	log.Warn("something else of the driver")
	log.Debug("Command failed", "component", "command", "failure", &motor.CommandError{Code: 1, Message: "told"})
	log.Info("Waiting", "component", "serverSelection", "remainingTimeMS", int64(5))
	const (
		started = `{"level": "debug", "component": "command", "data": {"message": "Command started", "command": {"$$matchAsDocument": {"$$matchAsRoot": {"ping": 1}}}, "requestId": {"$$type": ["int", "long"]}}}`
		failed  = `{"level": "debug", "component": "command", "failureIsRedacted": false, "data": {"message": "Command failed", "failure": {"$$exists": true}}}`
		waiting = `{"level": "info", "component": "serverSelection", "data": {"remainingTimeMS": 5}}`
	)
	for text, want := range map[string]string{
		`"messages": [` + started + `, ` + failed + `, ` + waiting + `]`:                                         "",
		`"messages": [` + started + `, ` + failed + `]`:                                                          "has logged 3 messages, want 2",
		`"messages": [` + started + `, ` + failed + `], "ignoreExtraMessages": true`:                             "",
		`"messages": [` + started + `, ` + waiting + `], "ignoreMessages": [` + failed + `]`:                     "",
		`"messages": [` + failed + `]`:                                                                           "data.message: is",
		`"messages": [` + started + `, ` + failed + `, ` + waiting + `, ` + waiting + `]`:                        "message 3 of client0 is missing",
		`"messages": [` + strings.Replace(started, `"debug"`, `"info"`, 1) + `]`:                                 "level is DEBUG, want INFO",
		`"messages": [` + strings.Replace(started, `"component": "command"`, `"component": "topology"`, 1) + `]`: `component is "command", want "topology"`,
		`"messages": [` + started + `, ` + strings.Replace(failed, "false", "true", 1) + `, ` + waiting + `]`:    "want it redacted: true",
		`"messages": [` + strings.Replace(started, `"debug"`, `"loud"`, 1) + `]`:                                 `"loud" is not supported`,
	} {
		var x expectedMessages
		if err := decodeText(t, &x, `{"client": "client0", `+text+`}`); err != nil {
			t.Fatal(err)
		}
		err := x.check(matcher{new(entities)}, c)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestObserveLogMessages(t *testing.T) {
	var o motor.ClientOptions
	c := new(logCollector)
	if err := c.configure(&o, bson.Raw(extJSON(t, `{"command": "debug", "topology": "warning"}`).Value)); err != nil {
		t.Fatal(err)
	}
	if o.LogLevels.Command != slog.LevelDebug || o.LogLevels.Topology != slog.LevelWarn || o.LogLevels.Connection != motor.LevelOff {
		t.Errorf("the levels are %+v", o.LogLevels)
	}
	for _, text := range []string{`{"command": "loud"}`, `{"noise": "debug"}`} {
		if err := c.configure(&o, bson.Raw(extJSON(t, text).Value)); !isMalformed(err) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestExpectTracingMessages(t *testing.T) {
	var log spanLog
	insert := log.Start(t.Context(), nil, "insert a", []slog.Attr{slog.String("db", "a")})
	log.Start(t.Context(), insert, "insert", []slog.Attr{slog.Int64("n", 1), slog.Int64("m", 1)}).End()
	insert.End()
	find := log.Start(t.Context(), nil, "find a", nil)
	log.Start(t.Context(), nil, "not ended", nil)
	log.Start(t.Context(), find, "find", nil)
	log.Start(t.Context(), find, "getMore", nil)
	find.End()
	got := log.ended()
	for text, want := range map[string]string{
		`[{"name": "insert a", "attributes": {"db": "a", "error": {"$$exists": false}}, "nested": [{"name": "insert", "attributes": {"n": 1}}]},
		  {"name": "find a", "attributes": {}, "nested": [{"name": "find", "attributes": {}}, {"name": "getMore", "attributes": {}}]}]`: "",
		`[{"name": "insert a", "attributes": {}, "nested": [{"name": "insert", "attributes": {}}]}]`:          "there are 2 spans, want 1",
		`[{"name": "insert a", "attributes": {}}]`:                                                            "spans.0.nested: there are 1 spans, want 0",
		`[{"name": "insert a", "attributes": {"db": "b"}, "nested": [{"name": "insert", "attributes": {}}]}]`: "spans.0.attributes.db",
		`[{"name": "find a", "attributes": {}}]`:                                                              `is the span "insert a", want "find a"`,
		`+[{"name": "find a", "attributes": {}, "nested": [{"name": "getMore", "attributes": {}}]}]`:          "",
		`+[{"name": "find a", "attributes": {}}, {"name": "insert a", "attributes": {}}]`:                     `the span "insert a" is missing`,
		`+[{"name": "drop", "attributes": {}}]`:                                                               `want "drop"`,
	} {
		list, extra := strings.CutPrefix(text, "+")
		var x expectedTracing
		if err := decodeText(t, &x, `{"client": "c", "spans": `+list+`}`); err != nil {
			t.Fatal(err)
		}
		err := matcher{new(entities)}.matchSpans("spans", x.Spans, got, extra)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestExpectError(t *testing.T) {
	reply := bson.Raw(extJSON(t, `{"ok": 0, "code": 26, "extra": 1}`).Value)
	command := &motor.CommandError{Code: 26, Name: "NamespaceNotFound", Message: "Nothing there", Labels: []string{"Known"}, Reply: reply}
	bulk := &motor.BulkWriteError{
		WriteErrors:        []*motor.WriteError{{Index: 2, Code: 11000, Message: "twice", Raw: bson.Raw(extJSON(t, `{"code": 11000, "idx": 0}`).Value)}},
		WriteConcernErrors: []*motor.WriteConcernError{{Code: 91, Name: "ShutdownInProgress", Message: "m"}},
	}
	for _, c := range []struct {
		text string
		err  error
		want string
	}{
		{`{"isError": true}`, errors.New("x"), ""},
		{`{"isError": true}`, nil, "there was no error"},
		{`{"isClientError": true}`, errors.New("x"), ""},
		{`{"isClientError": true}`, command, "isClientError is not true"},
		{`{"isClientError": false}`, bulk, ""},
		{`{"isClientError": false}`, errors.New("x"), "isClientError is not false"},
		{`{"isTimeoutError": true}`, motor.ErrTimeout, ""},
		{`{"isTimeoutError": false}`, motor.ErrTimeout, "isTimeoutError is not false"},
		{`{"errorContains": "NOTHING"}`, command, ""},
		{`{"errorContains": "else"}`, command, `"else" is not in the error`},
		{`{"errorCode": 26, "errorCodeName": "namespacenotfound"}`, command, ""},
		{`{"errorCode": 27}`, command, "the code is not 27"},
		{`{"errorCodeName": "Other"}`, command, "the code name is not Other"},
		{`{"errorCode": 11000, "errorCodeName": "ShutdownInProgress", "errorContains": "twice"}`, bulk, ""},
		{`{"errorLabelsContain": ["Known"], "errorLabelsOmit": ["Other"]}`, command, ""},
		{`{"errorLabelsContain": ["Other"]}`, command, "the label Other is missing"},
		{`{"errorLabelsOmit": ["Known"]}`, command, "the label Known is there"},
		{`{"errorResponse": {"code": 26}}`, command, ""},
		{`{"errorResponse": {"code": 27}}`, command, "errorResponse.code: is 26"},
		{`{"errorResponse": {}}`, errors.New("x"), "there is no response"},
		{`{"writeErrors": {"2": {"code": 11000}}, "writeConcernErrors": [{"code": 91, "message": "m"}]}`, bulk, ""},
		{`{"writeErrors": {"1": {"code": 11000}}}`, bulk, "writeErrors.2"},
		{`{"writeErrors": {}}`, bulk, "there are 1 write errors, want 0"},
		{`{"writeConcernErrors": []}`, bulk, "there are 1 write concern errors, want 0"},
		{`{"writeErrors": {}}`, command, "this is no error of a bulk write"},
		{`{"expectResult": {"n": 1}}`, command, "result: is missing"},
		{`{"expectResult": {"$$unsetOrMatches": {"n": 1}}}`, command, ""},
	} {
		var x expectedError
		if err := decodeText(t, &x, c.text); err != nil {
			t.Fatal(err)
		}
		err := x.check(matcher{new(entities)}, c.err, outcome{})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %v: %v, want %q", c.text, c.err, err, c.want)
		}
	}
}
