package spectests

import (
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/topology/description"
)

func observing(kinds ...string) *client {
	c := new(client)
	c.events.configure(clientSpec{ObserveEvents: kinds, IgnoreCommandMonitoringEvents: []string{"killCursors"}})
	return c
}

// run publishes the events of a command.
func (c *client) run(t *testing.T, request int32, name, command string) {
	o := c.observer()
	doc := bson.Raw(extJSON(t, command).Value)
	o.CommandStarted(&event.CommandStarted{CommandName: name, DatabaseName: "db", Command: func() bson.Raw { return doc }, RequestID: request, ServerConnectionID: 7})
	o.CommandSucceeded(&event.CommandSucceeded{CommandName: name, DatabaseName: "db", Reply: bson.Raw(extJSON(t, `{"ok": 1, "n": 2}`).Value), RequestID: request})
}

func expecting(t *testing.T, text string) expectedEvents {
	t.Helper()
	x := expectedEvents{Client: "client0"}
	if err := decodeText(t, &x, text); err != nil {
		t.Fatal(err)
	}
	return x
}

func TestExpectEvents(t *testing.T) {
	c := observing("commandStartedEvent", "commandSucceededEvent", "poolClearedEvent", "connectionClosedEvent", "serverDescriptionChangedEvent")
	c.run(t, 1, "find", `{"find": "coll", "filter": {}}`)
	o := c.observer()
	o.CommandFailed(&event.CommandFailed{CommandName: "unobserved"})
	o.PoolCleared(&event.PoolCleared{ServiceID: new(bson.NewObjectID()), InterruptInUseConnections: true})
	o.ConnectionClosed(&event.ConnectionClosed{Reason: event.ReasonStale})
	o.ServerDescriptionChanged(&event.ServerDescriptionChanged{New: description.Server{Type: description.RSPrimary}})
	const started = `{"commandStartedEvent": {"command": {"find": "coll", "lsid": {"$$exists": false}}, "commandName": "find", "databaseName": "db", "hasServerConnectionId": true, "hasServiceId": false}}`
	const succeeded = `{"commandSucceededEvent": {"reply": {"n": 2}, "commandName": "find", "hasServerConnectionId": false}}`
	for text, want := range map[string]string{
		`"events": [` + started + `, ` + succeeded + `]`:                                 "",
		`"eventType": "command", "events": [` + started + `], "ignoreExtraEvents": true`: "",
		`"events": [` + started + `]`:                                                    "1 more events than the 1 expected",
		`"events": [` + started + `, ` + succeeded + `, ` + succeeded + `]`:              "event 2 of client0 is missing",
		`"events": [` + succeeded + `, ` + started + `]`:                                 "is commandStartedEvent, want commandSucceededEvent",
		`"events": []`: "2 more events",
		`"events": [{"commandStartedEvent": {"commandName": "insert"}}]`:         "commandStartedEvent.commandName: is find",
		`"events": [{"commandStartedEvent": {"command": {"filter": {"x": 1}}}}]`: "command.filter.x: does not exist",
		`"events": [{"commandStartedEvent": {"reason": "x"}}]`:                   "commandStartedEvent.reason is not supported",
		`"events": [{"poolClearedEvent": {}}]`:                                   "no event of type",
		`"events": [{"poolClearedEvent": {}, "poolReadyEvent": {}}]`:             "is not one event",
		`"eventType": "cmap", "events": [{"poolClearedEvent": {"hasServiceId": true, "interruptInUseConnections": true}}, {"connectionClosedEvent": {"reason": "stale"}}]`: "",
		`"eventType": "cmap", "events": [{"poolClearedEvent": {"interruptInUseConnections": false}}, {"connectionClosedEvent": {}}]`:                                       "interruptInUseConnections: is true",
		`"eventType": "sdam", "events": [{"serverDescriptionChangedEvent": {"previousDescription": {"type": "Unknown"}, "newDescription": {"type": "RSPrimary"}}}]`:        "",
		`"eventType": "sdam", "events": [{"serverDescriptionChangedEvent": {"newDescription": {"type": "Mongos"}}}]`:                                                       "is RSPrimary, want Mongos",
		`"eventType": "sdam", "events": [{"serverDescriptionChangedEvent": {"newDescription": {"setName": "x"}}}]`:                                                         "setName is not supported",
		`"eventType": "other", "events": []`: `eventType "other" is not supported`,
	} {
		err := expecting(t, `{"client": "client0", `+text+`}`).check(matcher{new(entities)}, c)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// The runner's own commands, those that the test names and sensitive ones are
// not seen, replies among them.
func TestIgnoredCommands(t *testing.T) {
	c := observing("commandStartedEvent", "commandSucceededEvent")
	c.run(t, 1, "configureFailPoint", `{"configureFailPoint": "failCommand"}`)
	c.run(t, 2, "killCursors", `{"killCursors": "coll"}`)
	c.run(t, 3, "saslStart", `{}`)
	c.run(t, 4, "hello", `{}`)
	c.run(t, 5, "hello", `{"hello": 1}`)
	if list, _ := c.events.events(families["command"]); len(list) != 2 || list[0].event.(*event.CommandStarted).RequestID != 5 {
		t.Errorf("seen%s", transcript(list))
	}
	c.events.configure(clientSpec{ObserveEvents: []string{"commandStartedEvent"}, ObserveSensitiveCommands: true})
	c.events.reset()
	c.run(t, 6, "saslStart", `{}`)
	c.events.close()
	c.run(t, 7, "late", `{"late": 1}`)
	if list, _ := c.events.events(families["command"]); len(list) != 1 {
		t.Errorf("seen%s", transcript(list))
	}
}

func TestWaitForEvent(t *testing.T) {
	c := observing("poolReadyEvent")
	r := new(testRun)
	r.entities.add("client0", c)
	a := countedEvent{Client: "client0", Event: bson.Raw(extJSON(t, `{"poolReadyEvent": {}}`).Value), Count: 2}
	go func() {
		for range 2 {
			time.Sleep(time.Millisecond)
			c.observer().PoolReady(new(event.PoolReady))
		}
	}()
	if _, err := waitForEvent(t.Context(), r, r, a); err != nil {
		t.Error(err)
	}
	if _, err := assertEventCount(t.Context(), r, r, a); err != nil {
		t.Error(err)
	}
	a.Count = 3
	if _, err := assertEventCount(t.Context(), r, r, a); err == nil {
		t.Error("two events are counted as three")
	}
}

func TestStoredEvents(t *testing.T) {
	var e entities
	c := new(client)
	c.events.configure(clientSpec{})
	if err := c.events.store(&e, storedEvents{ID: "events", Events: []string{"CommandStartedEvent", "PoolReadyEvent"}}); err != nil {
		t.Fatal(err)
	}
	if err := c.events.store(&e, storedEvents{ID: "events", Events: []string{"PoolReadyEvent"}}); !isMalformed(err) {
		t.Errorf("an entity was replaced: %v", err)
	}
	c.run(t, 1, "ping", `{"ping": 1}`)
	c.observer().PoolReady(new(event.PoolReady))
	e.settle()
	v, err := lookup[bson.RawValue](&e, "events")
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"name": "CommandStartedEvent", "observedAt": {"$$type": "double"}, "commandName": "ping", "databaseName": "db", "hasServerConnectionId": true, "hasServiceId": false},
		{"name": "PoolReadyEvent", "observedAt": {"$$type": "double"}}]`
	if err := (matcher{&e}).match("events", extJSON(t, want), v, false); err != nil {
		t.Error(err)
	}
}
