package spectests

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/topology/description"
)

// eventLog is what a client published, of the kinds that the test asked for.
type eventLog struct {
	spec    clientSpec
	stores  map[string][]*eventStore
	mu      sync.Mutex
	list    []observed
	closed  bool
	ignored map[int32]bool // the requests whose commands are not to be seen
	news    chan struct{}  // closed and replaced with each event
}

// observed is one event, under its name in the test format.
type observed struct {
	name  string
	event any
}

func (o observed) String() string {
	switch e := o.event.(type) {
	case *event.CommandStarted:
		return fmt.Sprintf("%s %s: %v", o.name, e.DatabaseName, e.Command)
	case *event.CommandSucceeded:
		return fmt.Sprintf("%s %s: %v", o.name, e.CommandName, e.Reply)
	case *event.CommandFailed:
		return fmt.Sprintf("%s %s: %v", o.name, e.CommandName, e.Failure)
	case *event.ServerDescriptionChanged:
		return fmt.Sprintf("%s %s: %v to %v", o.name, e.Address, e.Previous.Type, e.New.Type)
	case *event.TopologyDescriptionChanged:
		return fmt.Sprintf("%s: %v to %v", o.name, e.Previous.Type, e.New.Type)
	}
	return fmt.Sprintf("%s %+v", o.name, o.event)
}

// families are the kinds of events by eventType.
var families = map[string][]string{
	"command": {"commandStartedEvent", "commandSucceededEvent", "commandFailedEvent"},
	"cmap": {
		"poolCreatedEvent", "poolReadyEvent", "poolClearedEvent", "poolClosedEvent",
		"connectionCreatedEvent", "connectionReadyEvent", "connectionClosedEvent", "connectionCheckOutStartedEvent",
		"connectionCheckOutFailedEvent", "connectionCheckedOutEvent", "connectionCheckedInEvent",
	},
	"sdam": {
		"serverDescriptionChangedEvent", "serverHeartbeatStartedEvent", "serverHeartbeatSucceededEvent", "serverHeartbeatFailedEvent",
		"topologyDescriptionChangedEvent", "topologyOpeningEvent", "topologyClosedEvent",
	},
}

func (l *eventLog) configure(spec clientSpec) {
	l.spec = spec
	l.ignored = map[int32]bool{}
	l.news = make(chan struct{})
}

// command adds a command event unless the command is to be ignored. The
// command itself is given when it starts.
func (l *eventLog) command(name string, event any, command string, request int32, doc bson.Raw) {
	if doc != nil && l.ignores(command, doc) {
		l.mu.Lock()
		l.ignored[request] = true
		l.mu.Unlock()
	}
	l.mu.Lock()
	ignored := l.ignored[request]
	l.mu.Unlock()
	if !ignored {
		l.add(name, event)
	}
}

// ignores reports whether a command is not to be seen: the runner's own, those
// that the test names, and sensitive ones, which the driver empties.
func (l *eventLog) ignores(command string, doc bson.Raw) bool {
	return command == "configureFailPoint" ||
		slices.Contains(l.spec.IgnoreCommandMonitoringEvents, command) ||
		doc.Len() == 0 && !l.spec.ObserveSensitiveCommands
}

func (l *eventLog) add(name string, event any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	for _, s := range l.stores[name] {
		s.add(name, event)
	}
	if !slices.Contains(l.spec.ObserveEvents, name) {
		return
	}
	l.list = append(l.list, observed{name, event})
	close(l.news)
	l.news = make(chan struct{})
}

// reset forgets all events so far.
func (l *eventLog) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = nil
}

// close ends the recording.
func (l *eventLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

// events are those of some kinds so far, and a channel that is closed when
// there are more.
func (l *eventLog) events(kinds []string) (list []observed, news <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.list {
		if slices.Contains(kinds, o.name) {
			list = append(list, o)
		}
	}
	return list, l.news
}

// expectedEvents is an expectedEventsForClient.
type expectedEvents struct {
	Client            string
	EventType         string `spec:"optional"`
	Events            []bson.Raw
	IgnoreExtraEvents bool `spec:"optional"`
}

func (x expectedEvents) check(m matcher, c *client) error {
	kinds, ok := families[x.EventType]
	if x.EventType == "" {
		kinds, ok = families["command"], true
	}
	if !ok {
		return malformedf("eventType %q is not supported", x.EventType)
	}
	list, _ := c.events.events(kinds)
	for i, want := range x.Events {
		if i >= len(list) {
			return fmt.Errorf("event %d of %s is missing: %v%s", i, x.Client, want, transcript(list))
		}
		name, fields, err := eventOf(want)
		if err != nil {
			return err
		}
		if !slices.Contains(kinds, name) {
			return malformedf("%s is no event of type %q", name, x.EventType)
		}
		if err := list[i].match(m, name, fields); err != nil {
			return fmt.Errorf("event %d of %s: %w%s", i, x.Client, err, transcript(list))
		}
	}
	if extra := list[len(x.Events):]; len(extra) > 0 && !x.IgnoreExtraEvents {
		return fmt.Errorf("%s has published %d more events than the %d expected%s", x.Client, len(extra), len(x.Events), transcript(list))
	}
	return nil
}

// transcript lists all events, for messages.
func transcript(list []observed) string {
	var b strings.Builder
	b.WriteString("\nobserved:")
	for _, o := range list {
		fmt.Fprintf(&b, "\n  %v", o)
	}
	return b.String()
}

// eventOf is the kind of an expected event and its fields.
func eventOf(x bson.Raw) (name string, fields bson.Raw, err error) {
	for key, v := range x.All() {
		if fields, ok := v.Document(); ok && x.Len() == 1 {
			return key, fields, nil
		}
	}
	return "", nil, malformedf("%v is not one event", x)
}

// match compares an event with the fields that are expected.
func (o observed) match(m matcher, name string, fields bson.Raw) error {
	if o.name != name {
		return fmt.Errorf("is %s, want %s %v", o.name, name, fields)
	}
	for key, want := range fields.All() {
		if err := o.matchField(m, key, want); err != nil {
			return err
		}
	}
	return nil
}

func (o observed) matchField(m matcher, key string, want bson.RawValue) error {
	fail := func(got any) error { return fmt.Errorf("%s.%s: is %v, want %v", o.name, key, got, want) }
	switch key {
	case "command":
		if e, ok := o.event.(*event.CommandStarted); ok {
			return m.match(key, want, document(e.Command.Raw()), true)
		}
	case "reply":
		if e, ok := o.event.(*event.CommandSucceeded); ok {
			return m.match(key, want, document(e.Reply), true)
		}
	case "previousDescription", "newDescription":
		return o.matchDescription(key, want)
	}
	got, ok := eventFields(o.event)[key]
	if !ok {
		return malformedf("%s.%s is not supported", o.name, key)
	}
	if value, err := bson.MarshalValue(got); err != nil || !equal(want, value) {
		return fail(got)
	}
	return nil
}

// eventFields are the fields of an event that are compared as they are.
func eventFields(e any) map[string]any {
	command := func(name, db string, connection int64, service *bson.ObjectID) map[string]any {
		return map[string]any{
			"commandName": name, "databaseName": db,
			"hasServerConnectionId": connection > 0, "hasServiceId": service != nil && !service.IsZero(),
		}
	}
	switch e := e.(type) {
	case *event.CommandStarted:
		return command(e.CommandName, e.DatabaseName, e.ServerConnectionID, e.ServiceID)
	case *event.CommandSucceeded:
		return command(e.CommandName, e.DatabaseName, e.ServerConnectionID, e.ServiceID)
	case *event.CommandFailed:
		return command(e.CommandName, e.DatabaseName, e.ServerConnectionID, e.ServiceID)
	case *event.PoolCleared:
		return map[string]any{"hasServiceId": e.ServiceID != nil && !e.ServiceID.IsZero(), "interruptInUseConnections": e.InterruptInUseConnections}
	case *event.ConnectionClosed:
		return map[string]any{"reason": string(e.Reason)}
	case *event.ConnectionCheckOutFailed:
		return map[string]any{"reason": string(e.Reason)}
	case *event.ServerHeartbeatStarted:
		return map[string]any{"awaited": e.Awaited}
	case *event.ServerHeartbeatSucceeded:
		return map[string]any{"awaited": e.Awaited}
	case *event.ServerHeartbeatFailed:
		return map[string]any{"awaited": e.Awaited}
	}
	return nil
}

// matchDescription compares the types of servers and topologies.
func (o observed) matchDescription(key string, want bson.RawValue) error {
	var server *description.Server
	var topology *description.Topology
	switch e := o.event.(type) {
	case *event.ServerDescriptionChanged:
		if server = &e.New; key == "previousDescription" {
			server = &e.Previous
		}
	case *event.TopologyDescriptionChanged:
		if topology = &e.New; key == "previousDescription" {
			topology = &e.Previous
		}
	default:
		return malformedf("%s.%s is not supported", o.name, key)
	}
	fields, _ := want.Document()
	for field, v := range fields.All() {
		typ, ok := v.Str()
		if field != "type" || !ok {
			return malformedf("%s.%s.%s is not supported", o.name, key, field)
		}
		var got string
		if server != nil {
			got = server.Type.String()
		} else {
			got = topology.Type.String()
		}
		if got != typ {
			return fmt.Errorf("%s.%s: is %s, want %s", o.name, key, got, typ)
		}
	}
	return nil
}

// eventStore turns events into documents in a list.
type eventStore struct {
	id     string
	events bson.A
}

// store has events stored in a list.
func (l *eventLog) store(e *entities, s storedEvents) error {
	store := &eventStore{id: s.ID}
	if l.stores == nil {
		l.stores = map[string][]*eventStore{}
	}
	for _, name := range s.Events {
		kind := strings.ToLower(name[:1]) + name[1:]
		l.stores[kind] = append(l.stores[kind], store)
	}
	return e.add(s.ID, store)
}

func (s *eventStore) add(name string, event any) {
	doc := bson.D{
		{Key: "name", Value: strings.ToUpper(name[:1]) + name[1:]},
		{Key: "observedAt", Value: float64(time.Now().UnixMicro()) / 1e6},
	}
	fields := eventFields(event)
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		doc = append(doc, bson.E{Key: key, Value: fields[key]})
	}
	s.events = append(s.events, doc)
}
