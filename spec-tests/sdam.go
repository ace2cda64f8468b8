package spectests

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/uri"
)

// sdamFile is a fixture of server-discovery-and-monitoring.
type sdamFile struct {
	Description string
	URI         string
	Phases      []struct {
		Description       string
		Responses         [][2]json.RawMessage // an address and a reply
		ApplicationErrors []sdamError
		Outcome           map[string]json.RawMessage
	}
}

type sdamError struct {
	Address        string
	When           string
	MaxWireVersion int32
	Type           string
	Response       json.RawMessage
	Generation     *uint64
}

// sdamClient is what a client would know and do, without its sockets.
type sdamClient struct {
	topology description.Topology
	// pools are the generations of the pools, by address.
	pools map[string]uint64
	now   time.Time
	// events are those published and not yet asserted, as the fixtures write
	// them.
	events   []map[string]any
	observer *event.Observer
}

func runSDAM(t T, f File) {
	var test sdamFile
	f.Decode(t, &test)
	c := openSDAM(t, test.URI)
	for i, phase := range test.Phases {
		for _, response := range phase.Responses {
			var addr string
			decodeJSON(t, response[0], &addr)
			c.check(addr, parseExtJSON(t, response[1]))
		}
		for _, e := range phase.ApplicationErrors {
			c.applicationError(t, e, phase.Description)
		}
		c.assert(t, phase.Outcome)
		if t.Failed() {
			t.Fatalf("after phase %d (%s)", i, phase.Description)
		}
	}
}

func openSDAM(t T, connection string) *sdamClient {
	config, _, err := uri.Parse(connection)
	if err != nil {
		t.Fatalf("%v", err)
	}
	c := &sdamClient{
		topology: description.New(description.Config{
			Seeds:        config.Hosts,
			SetName:      config.ReplicaSet,
			Direct:       config.DirectConnection,
			LoadBalanced: config.LoadBalanced,
		}),
		pools: map[string]uint64{},
		now:   time.Unix(0, 0),
	}
	c.observer = c.observe()
	c.observer.OpenTopology(bson.NilObjectID, c.topology)
	if config.LoadBalanced {
		c.update(description.Server{Addr: c.topology.Servers[0].Addr, Type: description.LoadBalancer})
	}
	return c
}

func (c *sdamClient) update(s description.Server) {
	before := c.topology
	c.topology = before.Update(s)
	c.observer.ChangeTopology(bson.NilObjectID, before, c.topology)
}

// check is a monitor's check. An empty reply is a network error.
func (c *sdamClient) check(addr string, reply bson.Raw) {
	c.now = c.now.Add(time.Second)
	s := description.Server{Addr: addr, Error: errors.New("connection reset"), LastUpdateTime: c.now}
	if reply.Len() > 0 {
		s = description.ParseHello(addr, reply, description.RoundTripTimes{}, c.now)
	}
	if s.Type == description.Unknown && !c.topology.Ignores(s) {
		c.pools[addr]++
	}
	c.update(s)
}

func (c *sdamClient) applicationError(t T, e sdamError, phase string) {
	current := c.pools[e.Address]
	fault := description.ApplicationError{
		Addr:           e.Address,
		Err:            errors.New("mocked " + e.Type + " error"),
		HandshakeDone:  e.When == "afterHandshakeCompletes",
		MaxWireVersion: e.MaxWireVersion,
		Generation:     current,
		PoolGeneration: current,
	}
	if e.Generation != nil {
		fault.Generation = *e.Generation
	}
	switch e.Type {
	case "command":
		fault.Reply = parseExtJSON(t, e.Response)
	case "network", "timeout":
		fault.Network = true
		fault.Timeout = e.Type == "timeout"
		// The pool labels what fails before hello is answered. Fixtures older
		// than the label mean the authentication after it.
		fault.Overloaded = !fault.HandshakeDone && !strings.HasPrefix(phase, "Mark server unknown")
	default:
		t.Fatalf("unknown type of error %q", e.Type)
	}
	verdict := c.topology.Judge(fault)
	if verdict.MarkUnknown {
		c.update(verdict.Server)
	}
	if verdict.ClearPool {
		c.pools[e.Address]++
	}
}

func (c *sdamClient) assert(t T, outcome map[string]json.RawMessage) {
	actual := topologyFields(c.topology)
	for key, raw := range outcome {
		switch key {
		case "servers":
			c.assertServers(t, raw)
		case "events":
			c.assertEvents(t, raw)
		default:
			assertField(t, "topology", key, raw, actual)
		}
	}
}

func (c *sdamClient) assertServers(t T, raw json.RawMessage) {
	var servers map[string]map[string]json.RawMessage
	decodeJSON(t, raw, &servers)
	if len(servers) != len(c.topology.Servers) {
		t.Errorf("servers are %v, want those of %s", c.topology, raw)
	}
	for addr, expected := range servers {
		s, ok := c.topology.Server(addr)
		if !ok {
			t.Errorf("no server %s in %v", addr, c.topology)
			continue
		}
		actual := serverFields(s)
		actual["pool"] = map[string]any{"generation": float64(c.pools[addr])}
		for key, raw := range expected {
			if key == "error" {
				var text string
				decodeJSON(t, raw, &text)
				if s.Error == nil || !strings.Contains(s.Error.Error(), text) {
					t.Errorf("%s: error is %v, want one with %q", addr, s.Error, text)
				}
				continue
			}
			assertField(t, addr, key, raw, actual)
		}
	}
}

// topologyFields is t as the fixtures write it.
func topologyFields(t description.Topology) map[string]any {
	return map[string]any{
		"topologyType":                 t.Type.String(),
		"setName":                      orNull(t.SetName),
		"logicalSessionTimeoutMinutes": orNull(float64(t.LogicalSessionTimeoutMinutes)),
		"maxSetVersion":                orNull(float64(t.MaxSetVersion)),
		"maxElectionId":                objectID(t.MaxElectionID),
		"compatible":                   t.CompatibilityError == nil,
	}
}

// serverFields is s as the fixtures write it.
func serverFields(s description.Server) map[string]any {
	fields := map[string]any{
		"address":                      s.Addr,
		"type":                         s.Type.String(),
		"hosts":                        list(s.Hosts),
		"passives":                     list(s.Passives),
		"arbiters":                     list(s.Arbiters),
		"primary":                      orNull(s.Primary),
		"setName":                      orNull(s.SetName),
		"setVersion":                   orNull(float64(s.SetVersion)),
		"electionId":                   objectID(s.ElectionID),
		"logicalSessionTimeoutMinutes": orNull(float64(s.LogicalSessionTimeoutMinutes)),
		"minWireVersion":               orNull(float64(s.MinWireVersion)),
		"maxWireVersion":               orNull(float64(s.MaxWireVersion)),
		"topologyVersion":              nil,
	}
	if v := s.TopologyVersion; !v.IsZero() {
		fields["topologyVersion"] = map[string]any{
			"processId": objectID(v.ProcessID),
			"counter":   map[string]any{"$numberLong": strconv.FormatInt(v.Counter, 10)},
		}
	}
	return fields
}

func orNull[V comparable](v V) any {
	if v == *new(V) {
		return nil
	}
	return v
}

func objectID(id bson.ObjectID) any {
	if id.IsZero() {
		return nil
	}
	return map[string]any{"$oid": id.Hex()}
}

func list(values []string) []any {
	l := make([]any, len(values))
	for i, v := range values {
		l[i] = v
	}
	return l
}

func assertField(t T, of, key string, raw json.RawMessage, fields map[string]any) {
	t.Helper()
	actual, known := fields[key]
	if !known {
		t.Fatalf("%s: unknown field %q in the outcome", of, key)
	}
	var expected any
	decodeJSON(t, raw, &expected)
	if expected = withoutPossiblePrimary(expected); !reflect.DeepEqual(actual, expected) {
		t.Errorf("%s: %s is %v, want %v", of, key, actual, expected)
	}
}

func decodeJSON(t T, raw json.RawMessage, v any) {
	t.Helper()
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
}

func parseExtJSON(t T, raw json.RawMessage) bson.Raw {
	t.Helper()
	doc, err := bson.ParseExtJSON(raw)
	if err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return doc
}
