package spectests

import (
	"encoding/json"
	"maps"
	"reflect"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/topology/description"
)

// topologyID is what the fixtures write for whatever identifies a topology.
const topologyID = "42"

// observe collects events as the fixtures write them.
func (c *sdamClient) observe() *event.Observer {
	add := func(name string, id bson.ObjectID, fields map[string]any) {
		if id == bson.NilObjectID {
			fields["topologyId"] = topologyID
		}
		c.events = append(c.events, map[string]any{name: fields})
	}
	return &event.Observer{
		TopologyOpening: func(e *event.TopologyOpening) {
			add("topology_opening_event", e.TopologyID, map[string]any{})
		},
		TopologyDescriptionChanged: func(e *event.TopologyDescriptionChanged) {
			add("topology_description_changed_event", e.TopologyID, map[string]any{
				"previousDescription": eventTopology(e.Previous),
				"newDescription":      eventTopology(e.New),
			})
		},
		ServerOpening: func(e *event.ServerOpening) {
			add("server_opening_event", e.TopologyID, map[string]any{"address": e.Address})
		},
		ServerDescriptionChanged: func(e *event.ServerDescriptionChanged) {
			add("server_description_changed_event", e.TopologyID, map[string]any{
				"address":             e.Address,
				"previousDescription": eventServer(e.Previous),
				"newDescription":      eventServer(e.New),
			})
		},
		ServerClosed: func(e *event.ServerClosed) {
			add("server_closed_event", e.TopologyID, map[string]any{"address": e.Address})
		},
	}
}

// eventTopology is t as the fixtures write it in events: without fields that
// are not set.
func eventTopology(t description.Topology) map[string]any {
	servers := make([]any, len(t.Servers))
	for i, s := range t.Servers {
		servers[i] = eventServer(s)
	}
	fields := pick(topologyFields(t), "topologyType", "setName")
	fields["servers"] = servers
	return fields
}

func eventServer(s description.Server) map[string]any {
	return pick(serverFields(s), "address", "type", "hosts", "passives", "arbiters", "setName", "primary")
}

func pick(fields map[string]any, keys ...string) map[string]any {
	picked := map[string]any{}
	for _, key := range keys {
		if fields[key] != nil {
			picked[key] = fields[key]
		}
	}
	return picked
}

// assertEvents compares the events since it was last called.
func (c *sdamClient) assertEvents(t T, raw json.RawMessage) {
	var expected []map[string]any
	decodeJSON(t, raw, &expected)
	for i := range min(len(expected), len(c.events)) {
		if want := withoutPossiblePrimary(expected[i]); !reflect.DeepEqual(any(c.events[i]), want) {
			t.Errorf("event %d is %v,\nwant %v", i, c.events[i], want)
		}
	}
	if len(c.events) != len(expected) {
		t.Errorf("%d events, want %d: %v", len(c.events), len(expected), c.events)
	}
	c.events = nil
}

// withoutPossiblePrimary puts Unknown in the place of PossiblePrimary, which
// only clients without threads know.
func withoutPossiblePrimary(v any) any {
	switch v := v.(type) {
	case map[string]any:
		v = maps.Clone(v)
		for key := range v {
			v[key] = withoutPossiblePrimary(v[key])
		}
		return v
	case []any:
		clean := make([]any, len(v))
		for i := range v {
			clean[i] = withoutPossiblePrimary(v[i])
		}
		return clean
	case string:
		if v == "PossiblePrimary" {
			return "Unknown"
		}
	}
	return v
}
