package spectests

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/internal/knobs"
	"github.com/motor-go/motor/internal/tracing"
)

// client is a client with what was seen of it.
type client struct {
	*motor.Client
	events eventLog
	logs   logCollector
	spans  spanLog
	// checkedOut counts the connections that are checked out.
	checkedOut atomic.Int64
}

// clientSpec is the entity client of a test file.
type clientSpec struct {
	ID                            string
	URIOptions                    bson.Raw       `spec:"optional"`
	UseMultipleMongoses           *bool          `spec:"optional"`
	ObserveEvents                 []string       `spec:"optional"`
	IgnoreCommandMonitoringEvents []string       `spec:"optional"`
	ObserveSensitiveCommands      bool           `spec:"optional"`
	StoreEventsAsEntities         []storedEvents `spec:"optional"`
	ObserveLogMessages            bson.Raw       `spec:"optional"`
	ObserveTracingMessages        *tracingSpec   `spec:"optional"`
	ServerAPI                     *serverAPISpec `spec:"optional"`
	AutoEncryptOpts               bson.Raw       `spec:"optional"`
	AwaitMinPoolSize              time.Duration  `spec:"optional"`
}

type serverAPISpec struct {
	Version           string
	Strict            *bool `spec:"optional"`
	DeprecationErrors *bool `spec:"optional"`
}

type tracingSpec struct {
	EnableCommandPayload bool `spec:"optional"`
}

// storedEvents has the events of some kinds stored in a list that is an entity.
type storedEvents struct {
	ID     string
	Events []string
}

// shortened are the waits of clients that do not ask for others: otherwise they
// would look again after an error of a server only when 10 s are over.
var shortened = knobs.Knobs{HeartbeatFrequency: 100 * time.Millisecond, MinHeartbeatFrequency: 20 * time.Millisecond}

func newClient(ctx context.Context, d *Deployment, e *entities, spec clientSpec) (*client, error) {
	if spec.AutoEncryptOpts != nil {
		return nil, malformedf("automatic encryption is not offered by the driver")
	}
	uri, err := spec.connectionString(d)
	if err != nil {
		return nil, err
	}
	c := &client{}
	c.events.configure(spec)
	for _, stored := range spec.StoreEventsAsEntities {
		if err := c.events.store(e, stored); err != nil {
			return nil, err
		}
	}
	o := motor.ClientOptions{Observer: c.observer()}
	if t := spec.ObserveTracingMessages; t != nil {
		length := 0
		if t.EnableCommandPayload {
			length = 1 << 20 // commands are to be read again
		}
		o.Observer = event.Join(o.Observer, tracing.Observer(&c.spans, length))
	}
	if spec.ServerAPI != nil {
		o.ServerAPI = &motor.ServerAPI{Version: spec.ServerAPI.Version, Strict: spec.ServerAPI.Strict, DeprecationErrors: spec.ServerAPI.DeprecationErrors}
	}
	if spec.ObserveLogMessages != nil {
		if err := c.logs.configure(&o, spec.ObserveLogMessages); err != nil {
			return nil, err
		}
	}
	if m, _ := spec.URIOptions.Lookup("authMechanism").Str(); m == "MONGODB-OIDC" && d.oidcToken != "" {
		o.Auth.OIDC = func(context.Context, motor.OIDCParams) (motor.OIDCCredential, error) {
			return motor.OIDCCredential{AccessToken: motor.Secret(d.oidcToken)}, nil
		}
	}
	if spec.URIOptions.Lookup("heartbeatFrequencyMS").IsZero() {
		ctx = knobs.With(ctx, shortened)
	}
	if c.Client, err = motor.Connect(ctx, uri, o); err != nil {
		return nil, malformed{err}
	}
	if spec.AwaitMinPoolSize > 0 {
		err = c.awaitMinPoolSize(ctx, spec)
	}
	return c, err
}

// connectionString is that of the deployment with the options of the client.
func (spec clientSpec) connectionString(d *Deployment) (string, error) {
	multiple := spec.UseMultipleMongoses
	uri := d.URI
	if d.Topology == "sharded" && (multiple == nil || !*multiple) || d.Topology == "load-balanced" && multiple != nil && !*multiple {
		uri = d.SingleURI
	}
	options := url.Values{}
	for name, v := range spec.URIOptions.All() {
		if name == "authMechanismProperties" && d.oidcToken != "" {
			continue // the placeholder stands for the callback
		}
		values, err := uriOption(name, v)
		if err != nil {
			return "", err
		}
		options[name] = values
	}
	if strings.EqualFold(options.Get("directConnection"), "true") {
		options.Set("replicaSet", "")
		uri = withHost(uri, hosts(uri)[0])
	}
	if options.Get("authMechanism") == "MONGODB-OIDC" {
		uri = strings.Replace(uri, authority(uri), strings.Join(hosts(uri), ","), 1)
	}
	return withOptions(uri, options), nil
}

// uriOption is the value of an option as it stands in a connection string. Only
// readPreferenceTags may have several.
func uriOption(name string, v bson.RawValue) (values []string, err error) {
	if err := v.Unmarshal(&values); err == nil {
		return values, nil
	}
	if doc, ok := v.Document(); ok {
		return nil, malformedf("there is no value for the placeholder in %s: %v", name, doc)
	}
	if s, ok := v.Str(); ok {
		return []string{s}, nil
	}
	return []string{v.String()}, nil
}

// awaitMinPoolSize waits until the pools of all servers with data have their
// least number of connections, and forgets what was seen up to then.
func (c *client) awaitMinPoolSize(ctx context.Context, spec clientSpec) error {
	want, _ := spec.URIOptions.Lookup("minPoolSize").AsInt64()
	full := func() bool {
		stats := c.Stats()
		return len(stats) > 0 && !slices.ContainsFunc(stats, func(s motor.ServerStats) bool {
			return !s.Server.Type.DataBearing() || s.Pool.Available+s.Pool.InUse < int(want)
		})
	}
	deadline := time.Now().Add(spec.AwaitMinPoolSize)
	for want > 0 && !full() {
		if time.Now().After(deadline) {
			return fmt.Errorf("the pools did not grow to minPoolSize %d within %v: %+v", want, spec.AwaitMinPoolSize, c.Stats())
		}
		if err := sleep(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	c.events.reset()
	c.logs.reset()
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// observer records all events of the client.
func (c *client) observer() *event.Observer {
	log := &c.events
	return &event.Observer{
		CommandStarted: func(e *event.CommandStarted) {
			copied := *e
			command := e.Command.Raw()
			copied.Command = func() bson.Raw { return command }
			log.command("commandStartedEvent", &copied, e.CommandName, e.RequestID, command)
		},
		CommandSucceeded: func(e *event.CommandSucceeded) {
			copied := *e
			copied.Reply = e.Reply.Clone()
			log.command("commandSucceededEvent", &copied, e.CommandName, e.RequestID, nil)
		},
		CommandFailed: func(e *event.CommandFailed) {
			log.command("commandFailedEvent", e, e.CommandName, e.RequestID, nil)
		},
		PoolCreated:               func(e *event.PoolCreated) { log.add("poolCreatedEvent", e) },
		PoolReady:                 func(e *event.PoolReady) { log.add("poolReadyEvent", e) },
		PoolCleared:               func(e *event.PoolCleared) { log.add("poolClearedEvent", e) },
		PoolClosed:                func(e *event.PoolClosed) { log.add("poolClosedEvent", e) },
		ConnectionCreated:         func(e *event.ConnectionCreated) { log.add("connectionCreatedEvent", e) },
		ConnectionReady:           func(e *event.ConnectionReady) { log.add("connectionReadyEvent", e) },
		ConnectionClosed:          func(e *event.ConnectionClosed) { log.add("connectionClosedEvent", e) },
		ConnectionCheckOutStarted: func(e *event.ConnectionCheckOutStarted) { log.add("connectionCheckOutStartedEvent", e) },
		ConnectionCheckOutFailed:  func(e *event.ConnectionCheckOutFailed) { log.add("connectionCheckOutFailedEvent", e) },
		ConnectionCheckedOut: func(e *event.ConnectionCheckedOut) {
			c.checkedOut.Add(1)
			log.add("connectionCheckedOutEvent", e)
		},
		ConnectionCheckedIn: func(e *event.ConnectionCheckedIn) {
			c.checkedOut.Add(-1)
			log.add("connectionCheckedInEvent", e)
		},
		TopologyOpening:            func(e *event.TopologyOpening) { log.add("topologyOpeningEvent", e) },
		TopologyDescriptionChanged: func(e *event.TopologyDescriptionChanged) { log.add("topologyDescriptionChangedEvent", e) },
		TopologyClosed:             func(e *event.TopologyClosed) { log.add("topologyClosedEvent", e) },
		ServerDescriptionChanged:   func(e *event.ServerDescriptionChanged) { log.add("serverDescriptionChangedEvent", e) },
		ServerHeartbeatStarted:     func(e *event.ServerHeartbeatStarted) { log.add("serverHeartbeatStartedEvent", e) },
		ServerHeartbeatSucceeded:   func(e *event.ServerHeartbeatSucceeded) { log.add("serverHeartbeatSucceededEvent", e) },
		ServerHeartbeatFailed:      func(e *event.ServerHeartbeatFailed) { log.add("serverHeartbeatFailedEvent", e) },
	}
}
