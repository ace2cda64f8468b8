package motor

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/internal/knobs"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/session"
	"github.com/motor-go/motor/topology"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/uri"
)

// ClientOptions are what a program says beside the connection string.
type ClientOptions struct {
	// Options are options by the names that they have in connection strings,
	// such as maxPoolSize or compressors, with values that are written like
	// there but not percent-encoded. Each wins over what the connection string
	// says. A name or a value that a connection string would only be warned of
	// is an error here. Of readPreferenceTags there can be one tag set.
	Options map[string]string
	// Credential is whom to authenticate as. Its fields win over the connection
	// string and Options.
	Credential Credential
	// TLS is where TLS connections start from, and turns TLS on; tls=false is
	// then an error. The other tls options change a copy.
	TLS *tls.Config
	// Observer receives events.
	Observer *event.Observer
	// Logger receives log messages with the attribute component, and the others
	// that the specifications name. If it is nil the environment decides, by
	// the variables of the logging specification: MONGODB_LOG_ALL,
	// MONGODB_LOG_COMMAND, MONGODB_LOG_PATH and so on; by default nothing is
	// logged but warnings about the connection string, such as of an option that
	// is not known, which go to slog.Default().
	Logger *slog.Logger
	// LogLevels say what is logged to Logger.
	LogLevels LogLevels
	// LogMaxDocumentLength is the number of bytes after which a document in a
	// message is cut off. 0 takes MONGODB_LOG_MAX_DOCUMENT_LENGTH, or 1000.
	LogMaxDocumentLength int
	// Timeout takes the place of the connection string's timeoutMS if it is not
	// nil; 0 is no limit.
	Timeout *time.Duration
	// BSON says how values are encoded and decoded.
	BSON bson.Options
	// Dial makes the stream to a server, before TLS; nil dials TCP or a Unix
	// domain socket.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// DNS are the addresses of DNS servers for mongodb+srv names; nil asks the
	// system's.
	DNS []string
	// ServerAPI declares a version of the stable API for all commands.
	ServerAPI *ServerAPI
	// DriverInfo names a library that wraps the driver.
	DriverInfo *DriverInfo
	// ServerSelector chooses among the servers that suit an operation.
	ServerSelector func([]*description.Server) []*description.Server
	// Auth are callbacks that authentication needs.
	Auth AuthCallbacks
}

type (
	// ServerAPI is the stable API that a client asks for (versioned-api): its
	// Version, and Strict and DeprecationErrors, which are not sent if nil.
	ServerAPI = pool.ServerAPI
	// DriverInfo is a library that wraps the driver: its Name, Version and
	// Platform, which servers put into their logs.
	DriverInfo = pool.DriverInfo
	// PoolStats is a connection pool at one instant: the Address of its server,
	// its State, Generation and MaxPoolSize; its connections, which are Pending,
	// Available, InUse and Draining, and of those in use how many Cursors and
	// Transactions hold; how many operations are Waiting for a connection, how
	// many have (WaitCount) and how long (WaitDuration); and how many
	// connections were Created and Closed.
	PoolStats = pool.Stats
)

// Client is a connection to a deployment: it watches the servers and keeps a
// pool of connections to each. It is made once per process and deployment, and
// may be used by many goroutines.
type Client struct {
	settings settings
	config   *uri.Config
	exec     *ops.Executor
	metadata *pool.Metadata
	closed   atomic.Bool
}

// parser reads connection strings with what the options say in code.
func (o *ClientOptions) parser() uri.Parser {
	return uri.Parser{
		Options: o.Options,
		Credential: uri.Credential{
			Username:   o.Credential.Username,
			Password:   string(o.Credential.Password),
			Source:     o.Credential.Source,
			Mechanism:  o.Credential.Mechanism,
			Properties: o.Credential.Properties,
		},
		TLS: o.TLS != nil,
	}
}

// Connect makes a client for a connection string. It resolves a mongodb+srv
// name and reads the files that the string names, and begins to look for the
// servers, but does not wait for them: the first operation does. Close must be
// called in the end.
func Connect(ctx context.Context, connectionString string, opts ...ClientOptions) (*Client, error) {
	if ctx == nil {
		return nil, errNoContext
	}
	o := option.Of(opts).logging()
	config, warnings, err := o.parser().Parse(connectionString)
	if err != nil {
		return nil, err
	}
	resolver := uri.Resolver{Servers: o.DNS, Timeout: knobs.From(ctx).DNSTimeout}
	seeds, more, err := resolver.Resolve(ctx, config)
	if err != nil {
		return nil, err
	}
	log := cmp.Or(o.Logger, slog.Default())
	for _, w := range append(warnings, more...) {
		log.WarnContext(ctx, w.Error())
	}
	return connect(ctx, config, resolver, seeds, o)
}

func connect(ctx context.Context, config *uri.Config, resolver uri.Resolver, seeds uri.Seedlist, o ClientOptions) (*Client, error) {
	c := &Client{
		config: config,
		settings: settings{
			readConcern:    config.ReadConcern,
			writeConcern:   config.WriteConcern,
			readPreference: config.ReadPreference,
			timeout:        cmp.Or(o.Timeout, config.Timeout),
			codec:          o.BSON,
		},
		metadata: pool.NewMetadata(),
	}
	if o.DriverInfo != nil {
		if err := c.metadata.Append(*o.DriverInfo); err != nil {
			return nil, err
		}
	}
	if o.Timeout != nil && *o.Timeout < 0 {
		return nil, fmt.Errorf("ClientOptions.Timeout is %v: it must not be negative; 0 is no limit", *o.Timeout)
	}
	if o.ServerAPI != nil && o.ServerAPI.Version != "1" {
		return nil, fmt.Errorf("ServerAPI.Version is %q: the only version of the stable API is 1", o.ServerAPI.Version)
	}
	pools, err := newConnector(config, o, c.metadata)
	if err != nil {
		return nil, err
	}
	shortened := knobs.From(ctx)
	tc := topology.Config{
		Deployment: description.Config{
			Seeds: config.Hosts, SetName: config.ReplicaSet,
			Direct: config.DirectConnection, LoadBalanced: config.LoadBalanced,
		},
		Pool:                   pools.config,
		OnLateReply:            func(s *topology.Server, reply bson.Raw) { c.exec.Late(s, reply) },
		HeartbeatFrequency:     cmp.Or(shortened.HeartbeatFrequency, config.HeartbeatFrequency),
		MinHeartbeatFrequency:  shortened.MinHeartbeatFrequency,
		ServerMonitoringMode:   config.ServerMonitoringMode,
		LocalThreshold:         config.LocalThreshold,
		ServerSelectionTimeout: config.ServerSelectionTimeout,
		ServerSelector:         o.ServerSelector,
		Observer:               o.Observer,
	}
	if config.PollsSRV() {
		tc.PollSRV = pollSRV(config, resolver, seeds.TTL, shortened, o.Logger)
	}
	c.exec = &ops.Executor{
		Topology:            topology.Connect(tc),
		Sessions:            new(session.Pool),
		Clock:               new(session.Clock),
		Observer:            o.Observer,
		RetryReads:          config.RetryReads,
		RetryWrites:         config.RetryWrites,
		MaxAdaptiveRetries:  config.MaxAdaptiveRetries,
		OverloadRetargeting: config.EnableOverloadRetargeting,
		Jitter:              shortened.Jitter,
		ServerAPI:           o.ServerAPI.Append(nil),
	}
	return c, nil
}

// pollSRV keeps the seed list of a sharded cluster up to date.
func pollSRV(config *uri.Config, resolver uri.Resolver, ttl time.Duration, shortened knobs.Knobs, log *slog.Logger) func(context.Context, *topology.Topology) {
	return func(ctx context.Context, t *topology.Topology) {
		uri.Poller{
			MaxHosts:           config.SRVMaxHosts,
			HeartbeatFrequency: cmp.Or(shortened.HeartbeatFrequency, config.HeartbeatFrequency),
			MinRescanInterval:  shortened.MinRescanInterval,
			Hosts: func() (hosts []string, poll bool) {
				d := t.Description()
				for _, s := range d.Servers {
					hosts = append(hosts, s.Addr)
				}
				return hosts, d.Type == description.Sharded || d.Type == description.Unknown
			},
			Scan:   func(ctx context.Context) (uri.Seedlist, error) { return resolver.Seedlist(ctx, config) },
			Update: t.SetHosts,
			Warn: func(err error) {
				if log != nil {
					log.WarnContext(ctx, "SRV polling", "error", err)
				}
			},
		}.Run(ctx, ttl)
	}
}

// Database is a database of the deployment. Nothing is sent; a database comes
// into being with its first document.
func (c *Client) Database(name string, opts ...Settings) *Database {
	if c == nil {
		return new(Database) // whose operations say so
	}
	return &Database{client: c, name: name, settings: c.settings.with(option.Of(opts))}
}

// DefaultDatabase is the database that the connection string names, or nil.
func (c *Client) DefaultDatabase() *Database {
	if c == nil || c.config == nil || c.config.Database == "" {
		return nil
	}
	return c.Database(c.config.Database)
}

// Ping waits for a server that pref selects, nil being the client's read
// preference, and has it answer.
func (c *Client) Ping(ctx context.Context, pref *ReadPreference) error {
	if err := c.ready(ctx); err != nil {
		return err
	}
	if pref == nil {
		pref = &c.settings.readPreference
	}
	_, err := c.Database("admin").RunCommand(ctx, bson.D{{Key: "ping", Value: 1}}, RunCommandOptions{ReadPreference: pref})
	return err
}

// AppendDriverInfo names another library that wraps the driver, for new
// connections to tell the servers.
func (c *Client) AppendDriverInfo(info DriverInfo) error {
	if !c.made() {
		return errNotConnected
	}
	return c.metadata.Append(info)
}

// Stats are the connection pools at this instant, in the order of the servers'
// addresses.
func (c *Client) Stats() []ServerStats {
	if !c.made() {
		return nil
	}
	var list []ServerStats
	for _, s := range c.exec.Topology.Servers() {
		list = append(list, ServerStats{Server: s.Description(), Pool: s.Pool().Stats()})
	}
	return list
}

// ServerStats is what the client knows of a server, and its pool.
type ServerStats struct {
	Server description.Server
	Pool   PoolStats
}

// Topology is what the client knows of the deployment now.
func (c *Client) Topology() description.Topology {
	if !c.made() {
		return description.Topology{}
	}
	return c.exec.Topology.Description()
}

// Close ends the server sessions, waits for operations under way as long as ctx
// allows, and closes all connections. Operations that begin later fail with
// ErrClientClosed. To close a client again does nothing.
func (c *Client) Close(ctx context.Context) error {
	if !c.made() {
		return errNotConnected
	}
	if !c.closed.CompareAndSwap(false, true) {
		return nil
	}
	ctx = present(ctx)
	c.endSessions(ctx)
	return c.exec.Topology.Close(ctx)
}

// endSessions tells the deployment which sessions it may forget. It does not
// wait for a server to be found, and does not care for the answers.
func (c *Client) endSessions(ctx context.Context) {
	const most, patience = 10_000, 5 * time.Second
	ids := c.exec.Sessions.Drain()
	pref := ReadPreference{Mode: PrimaryPreferred}
	if len(ids) == 0 || !c.exec.Topology.Description().HasReadableServer(pref, c.config.HeartbeatFrequency) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for len(ids) > 0 {
		n := min(len(ids), most)
		body, at := bson.BeginDocument(nil)
		body, arr := bson.BeginArray(body, "endSessions")
		for i, id := range ids[:n] {
			body = append(bson.AppendIndexHeader(body, bson.TypeEmbeddedDocument, i), id...)
		}
		cmd := &ops.Generic{Body: bson.EndDocument(bson.EndDocument(body, arr), at), Sessionless: true}
		cmd.Envelope = ops.Envelope{DB: "admin", ReadPreference: pref}
		c.exec.Run(ctx, cmd)
		ids = ids[n:]
	}
}

func (c *Client) sessionTimeout() time.Duration {
	return time.Duration(c.exec.Topology.Description().LogicalSessionTimeoutMinutes) * time.Minute
}

// made reports whether c comes from Connect.
func (c *Client) made() bool { return c != nil && c.exec != nil }

// ready is an error if no operation can begin.
func (c *Client) ready(ctx context.Context) error {
	switch {
	case !c.made():
		return errNotConnected
	case c.closed.Load():
		return ErrClientClosed
	case ctx == nil:
		return errNoContext
	}
	return nil
}

// envelope is that of a command on db, with the session of ctx. In a
// transaction the concerns are those that the transaction was started with.
func (c *Client) envelope(ctx context.Context, db string, s settings) (ops.Envelope, error) {
	if err := c.ready(ctx); err != nil {
		return ops.Envelope{}, err
	}
	b := bindingOf(ctx)
	session, err := c.owned(b.session)
	if err != nil {
		return ops.Envelope{}, err
	}
	if b.attempt != nil && b.attempt.over.Load() {
		return ops.Envelope{}, ErrTransactionEnded
	}
	timeout, err := b.begin(s.timeout)
	if err != nil {
		return ops.Envelope{}, err
	}
	if db == "" {
		return ops.Envelope{}, errors.New("the name of the database is empty")
	}
	if err := s.writeConcern.Validate(); err != nil {
		return ops.Envelope{}, err
	}
	if err := s.readPreference.Validate(); err != nil {
		return ops.Envelope{}, err
	}
	if session != nil && session.Transaction.InProgress() {
		s.readConcern, s.writeConcern = ReadConcern{}, WriteConcern{}
	}
	return ops.Envelope{
		DB: db, Session: session, Timeout: timeout,
		ReadConcern: s.readConcern, WriteConcern: s.writeConcern, ReadPreference: s.readPreference,
	}, nil
}

// URI is the connection string that the client was made with, secrets hidden
// and options in a fixed order.
func (c *Client) URI() string {
	if !c.made() {
		return ""
	}
	return c.config.String()
}
