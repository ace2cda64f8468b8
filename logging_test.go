package motor

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
)

// logged runs what publishes events against an Observer that logs, and gives
// the messages back.
func logged(t *testing.T, o ClientOptions, publish func(*event.Observer)) (messages []map[string]any) {
	t.Helper()
	var out bytes.Buffer
	o.Logger = slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: LevelTrace, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	publish(o.logging().Observer)
	for line := range strings.Lines(out.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		messages = append(messages, m)
	}
	return messages
}

func TestLogCommand(t *testing.T) {
	service := bson.ObjectID{1}
	got := logged(t, ClientOptions{LogMaxDocumentLength: 10}, func(o *event.Observer) {
		doc, at := bson.BeginDocument(nil)
		doc = bson.EndDocument(bson.AppendString(doc, "ping", "0123456789"), at)
		o.CommandStarted(&event.CommandStarted{
			Command: func() bson.Raw { return doc }, DatabaseName: "db", CommandName: "ping", RequestID: 3, OperationID: 4,
			Address: "[::1]:27017", DriverConnectionID: 5, ServerConnectionID: 6, ServiceID: &service,
		})
		o.CommandFailed(&event.CommandFailed{
			Duration: 1500 * time.Microsecond, Failure: errors.New("broken"), DatabaseName: "db", CommandName: "ping",
			RequestID: 3, OperationID: 4, Address: "/tmp/mongodb.sock", DriverConnectionID: 5,
		})
	})
	want := []map[string]any{
		{
			"level": "DEBUG", "component": "command", "msg": "Command started", "command": `{"ping":"0...`,
			"databaseName": "db", "commandName": "ping", "requestId": 3.0, "operationId": 4.0, "serverHost": "::1", "serverPort": 27017.0,
			"driverConnectionId": 5.0, "serverConnectionId": 6.0, "serviceId": service.Hex(),
		},
		{
			"level": "DEBUG", "component": "command", "msg": "Command failed", "failure": "broken", "durationMS": 1.5,
			"databaseName": "db", "commandName": "ping", "requestId": 3.0, "operationId": 4.0, "serverHost": "/tmp/mongodb.sock",
			"driverConnectionId": 5.0,
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("logged\n%v\nwant\n%v", got, want)
	}
}

// Each component has a level of its own, and what can never be logged is not
// listened to.
func TestLogLevels(t *testing.T) {
	changing := new(slog.LevelVar)
	changing.Set(slog.LevelError)
	o := ClientOptions{LogLevels: LogLevels{
		Command: LevelOff, Topology: slog.LevelInfo, ServerSelection: slog.LevelInfo, Connection: changing,
	}}
	got := logged(t, o, func(o *event.Observer) {
		if o.CommandStarted != nil || o.TopologyOpening != nil {
			t.Error("somebody listens to what is off")
		}
		o.ServerSelectionStarted(new(event.ServerSelectionStarted))
		o.ServerSelectionWaiting(&event.ServerSelectionWaiting{Remaining: 2 * time.Second})
		o.PoolReady(&event.PoolReady{Address: "unseen:1"})
		changing.Set(slog.LevelDebug)
		o.PoolReady(&event.PoolReady{Address: "seen:2"})
	})
	if len(got) != 2 || got[0]["remainingTimeMS"] != 2000.0 || got[0]["level"] != "INFO" || got[1]["serverHost"] != "seen" {
		t.Errorf("logged %v", got)
	}
}

func TestLogByEnvironment(t *testing.T) {
	clear := func() {
		for _, name := range []string{envLogAll, envLogCommand, envLogTopology, envLogServerSelection, envLogConnection, envLogPath, envLogLength} {
			t.Setenv(name, "")
		}
	}
	clear()
	if o := (ClientOptions{}).logging(); o.Logger != nil || o.Observer != nil {
		t.Error("something is logged by default")
	}
	clear()
	t.Setenv(envLogAll, "loud")
	if o := (ClientOptions{}).logging(); o.Logger != nil {
		t.Error("an invalid level lets messages through")
	}
	clear()
	file := filepath.Join(t.TempDir(), "log")
	t.Setenv(envLogPath, file)
	t.Setenv(envLogAll, "OFF")
	t.Setenv(envLogConnection, "Debug")
	for range 2 { // the second client appends
		o := (ClientOptions{}).logging()
		if o.Observer.CommandStarted != nil {
			t.Error("commands are logged")
		}
		o.Observer.PoolReady(&event.PoolReady{Address: "h:1"})
	}
	text, err := os.ReadFile(file)
	if err != nil || strings.Count(string(text), `"msg":"Connection pool ready"`) != 2 {
		t.Errorf("%v: %s", err, text)
	}
	clear()
	t.Setenv(envLogPath, t.TempDir()) // a folder cannot be written
	t.Setenv(envLogCommand, "trace")
	if envDestination() != os.Stderr {
		t.Error("what cannot be written must go to standard error")
	}
	for text, want := range map[string]int{"": 1000, "x": 1000, "-1": 1000, "7": 7} {
		t.Setenv(envLogLength, text)
		if got := envLength(); got != want {
			t.Errorf("the length %q is %d, want %d", text, got, want)
		}
	}
}

// What is set in code counts, whatever the environment says.
func TestLogOptionsBeatEnvironment(t *testing.T) {
	t.Setenv(envLogAll, "off")
	t.Setenv(envLogLength, "1")
	got := logged(t, ClientOptions{LogMaxDocumentLength: 100}, func(o *event.Observer) {
		o.CommandSucceeded(&event.CommandSucceeded{Reply: bson.Raw{5, 0, 0, 0, 0}})
	})
	if len(got) != 1 || got[0]["reply"] != "{}" {
		t.Errorf("logged %v", got)
	}
}
