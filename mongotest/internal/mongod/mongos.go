package mongod

import (
	"context"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/repl"
	"github.com/motor-go/motor/wire"
)

// A Cluster is what stands behind a mongos: the shard that has the data, and
// the config servers that know of users, databases and sharded collections.
type Cluster struct {
	Shard, Config *Shard
}

// A Shard is a replica set as a mongos sees it.
type Shard struct {
	Name string
	Set  *repl.Set
	// Servers are the members that run at the moment.
	Servers func() []*Server
}

// String is the shard's connection string.
func (s *Shard) String() string {
	text := s.Set.Name + "/"
	for i, m := range s.Set.Members {
		if i > 0 {
			text += ","
		}
		text += m.Host
	}
	return text
}

// routes reports whether the server is a mongos.
func (r *request) routes() bool { return r.server.Mongos }

// routed are the commands that a mongos sends on, or answers by itself, in
// another way than a mongod. The others that it knows are in answered.
func routed() map[string]func(r *request) (*doc, error) {
	return map[string]func(r *request) (*doc, error){
		"hello": hello, "isMaster": hello,
		"find": routeFind, "aggregate": routeAggregate, "getMore": routeGetMore, "killCursors": routeKillCursors,
		"insert": routeWrite, "update": routeWrite, "delete": routeWrite, "bulkWrite": routeBulkWrite, "findAndModify": routeFindAndModify,
		"count": routeCount, "distinct": relay, "explain": relay,
		"create": routeCreate, "drop": routeDrop, "dropDatabase": routeDropDatabase, "renameCollection": routeRename,
		"collMod": routeRaw, "createIndexes": routeCreateIndexes, "dropIndexes": routeRaw, "convertToCapped": relay,
		"listIndexes": routeCursor, "listCollections": routeCursor, "listDatabases": routeListDatabases,
		"createSearchIndexes": relay, "updateSearchIndex": relay, "dropSearchIndex": relay,
		"collStats": routeCollStats, "dbStats": routeDBStats, "dataSize": routeDataSize, "validate": routeValidate, "compact": routeCompact,
		"commitTransaction": routeCommit, "abortTransaction": routeAbort,
		"killSessions": routeKillSessions, "killAllSessions": routeKillSessions, "killAllSessionsByPattern": routeKillSessions,
		"createUser": relayConfig, "updateUser": relayConfig, "dropUser": relayConfig, "dropAllUsersFromDatabase": relayConfig, "usersInfo": relayConfig,
		"getDefaultRWConcern": relayConfig, "setDefaultRWConcern": relayConfig,
		"replSetGetStatus": replSetGetStatusOnMongos, "appendOplogNote": relay, "getLastError": getLastErrorOnMongos,
		"flushRouterConfig": flushRouterConfig, "killOp": killOpOnMongos,
	}
}

// answered are the commands that a mongos answers like a mongod.
var answered = []string{
	"ping", "buildInfo", "whatsmyuri", "connectionStatus", "echo", "saslStart", "saslContinue", "authenticate", "getnonce", "logout",
	"startSession", "endSessions", "refreshSessions", "configureFailPoint", "getParameter", "setParameter", "serverStatus", "hostInfo",
	"getCmdLineOpts", "getLog", "listCommands", "testDeprecation", "testRemoval", "testVersion2", "testVersions1And2", "connPoolStats",
	"currentOp", "fsync", "resetError",
}

// mongosTable lists the commands of a mongos.
func mongosTable() (list []*command) {
	runs := routed()
	for _, name := range answered {
		runs[name] = nil
	}
	for _, c := range table() {
		run, known := runs[c.name]
		if !known {
			continue
		}
		if run != nil {
			c.run = run
		}
		if c.name == "commitTransaction" || c.name == "abortTransaction" {
			c.schema = endingSchema[c.name]
		}
		list = append(list, c)
	}
	return append(list,
		&command{name: "mapReduce", aliases: []string{"mapreduce"}, run: mapReduce, schema: mapReduceSchema, reads: true, needs: mayRead},
		&command{name: "isdbgrid", run: isdbgrid, noAuth: true},
		&command{name: "listShards", run: listShards, admin: true, needs: mayMonitor},
		&command{name: "getShardMap", run: getShardMap, admin: true, needs: mayMonitor},
		&command{name: "balancerStatus", run: balancerStatus, admin: true, needs: mayMonitor},
		&command{name: "enableSharding", run: enableSharding, admin: true, needs: mayManage, concerns: writeConcerns},
		&command{name: "shardCollection", run: shardCollection, admin: true, needs: mayManage, concerns: writeConcerns},
	)
}

// route runs a command on a mongos.
func (r *request) route() (reply *doc, err error) {
	if _, err := parseReadPreference(r.field("$readPreference")); err != nil {
		return nil, err
	}
	if r.txn.given {
		if err := r.checkTxnCommand(); err != nil {
			return nil, err
		}
	}
	if r.db == "local" {
		return nil, errorf(codeIllegalOperation, "Can't use 'local' database through mongos")
	}
	if r.command.name == "aggregate" {
		if err := r.checkRoutedStages(); err != nil {
			return nil, err
		}
	}
	if r.read.level == "snapshot" && !r.txn.inTxn && !r.readsSnapshots() {
		return nil, errorf(codeInvalidOptions, "read concern snapshot is only supported in a multi-statement transaction")
	}
	if !r.txn.inTxn {
		return r.command.run(r)
	}
	if err := r.holdSession(); err != nil {
		return nil, err
	}
	defer r.checkIn()
	return r.routeTxn()
}

// target is where the commands on the request's database go.
func (r *request) destination() *Shard {
	if r.db == "admin" || r.db == "config" {
		return r.server.Cluster.Config
	}
	return r.server.Cluster.Shard
}

// relay sends a command on and gives the reply as it is.
func relay(r *request) (*doc, error) { return r.relayTo(r.destination()) }

// relayShard is relay to the shard, whatever the database.
func relayShard(r *request) (*doc, error) { return r.relayTo(r.server.Cluster.Shard) }

// relayConfig is relay to the config servers, whatever the database.
func relayConfig(r *request) (*doc, error) { return r.relayTo(r.server.Cluster.Config) }

func (r *request) relayTo(s *Shard) (*doc, error) {
	a, err := r.forward(s, r.body)
	if err != nil {
		return nil, err
	}
	return r.relayed(a.reply)
}

// maxTargetAttempts is how often a mongos sends a command that it may repeat.
const maxTargetAttempts = 4

// forward runs a command on a member of a shard. The error is one of finding
// such a member; what the member says is in the reply.
func (r *request) forward(s *Shard, body bson.Raw, sequences ...wire.Sequence) (a answer, err error) {
	again := r.txn.retryable || r.ends() || !r.txn.inTxn && !r.command.writes
	for attempt := 1; ; attempt++ {
		if a.from, err = r.member(s); err != nil {
			return a, err
		}
		a.reply = r.statement(a.from, body, sequences...)
		code := int32(whole(a.reply.Lookup("code")))
		if isOK(a.reply) || !again || !isRetryable(code) || attempt == maxTargetAttempts {
			return a, nil
		}
	}
}

// answer is what a server of the cluster has answered.
type answer struct {
	from  *Server
	reply bson.Raw
}

// findHostTimeout is how long a mongos looks for a member that suits.
const findHostTimeout = 20 * time.Second

// member finds the member of a shard that the request is for.
func (r *request) member(s *Shard) (*Server, error) {
	mode, err := parseReadPreference(r.field("$readPreference"))
	if err != nil {
		return nil, err
	}
	if r.command.writes || r.txn.inTxn || mode == "" {
		mode = "primary"
	}
	if to := s.choose(mode); to != nil {
		return to, nil
	}
	var to *Server
	err = r.patiently(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeoutCause(ctx, findHostTimeout, errNoHost)
		defer cancel()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			if to = s.choose(mode); to != nil {
				return nil
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	})
	if err == errNoHost {
		return nil, errorf(133, "Could not find host matching read preference { mode: \"%s\" } for set %s", mode, s.Set.Name)
	}
	if err != nil {
		return nil, r.interrupted(err)
	}
	return to, nil
}

var errNoHost = errorf(133, "no host")

// choose is a member that suits a read preference mode, nil if there is none.
func (s *Shard) choose(mode string) *Server {
	var primary, secondary *Server
	for _, m := range s.Servers() {
		switch m.Member.Status().Role {
		case repl.Primary:
			primary = m
		case repl.Secondary:
			secondary = m
		}
	}
	switch {
	case mode == "primary", mode == "primaryPreferred" && primary != nil, mode == "nearest" && primary != nil:
		return primary
	case mode == "secondaryPreferred" && secondary == nil:
		return primary
	}
	return secondary
}

// send runs a command on a server of the cluster, in the name of the client,
// and gives the whole reply.
func (r *request) send(to *Server, body bson.Raw, sequences ...wire.Sequence) bson.Raw {
	to.Engine.Advance(r.server.Engine.ClusterTime())
	inner := &request{
		server: to, conn: r.conn.behind(to), body: body, sequences: sequences, arrived: time.Now(),
	}
	reply, err := inner.serve()
	if err != nil {
		reply = newDoc().double("ok", 0).str("errmsg", "Connection closed by peer").int32("code", 6).str("codeName", "HostUnreachable").raw()
	}
	if ts, ok := reply.Lookup("$clusterTime", "clusterTime").Timestamp(); ok {
		r.server.Engine.Advance(ts)
	}
	if ts, ok := reply.Lookup("operationTime").Timestamp(); ok && ts.After(r.touched.TS) {
		r.touched.TS = ts
	}
	return reply
}

// behind is the connection of a mongos to a server of the cluster that it uses
// in the name of a client.
func (c *conn) behind(to *Server) *conn {
	if inner := c.inner[to]; inner != nil {
		inner.users = c.users
		return inner
	}
	for old := range c.inner {
		if old.ctx.Err() != nil {
			delete(c.inner, old)
		}
	}
	if c.inner == nil {
		c.inner = map[*Server]*conn{}
	}
	inner := &conn{server: to, id: c.id, net: c.net, in: c.in, internal: true, users: c.users, appName: c.appName}
	c.inner[to] = inner
	return inner
}

func isOK(reply bson.Raw) bool { return reply.Lookup("ok").Truthy() }

// own are the fields of replies that are not for the clients of a mongos.
var own = map[string]bool{
	"ok": true, "$clusterTime": true, "operationTime": true, "opTime": true, "electionId": true, "topologyVersion": true,
	"readOnly": true, "errmsg": true, "code": true, "codeName": true, "errorLabels": true,
}

// rest is what a reply says beyond the fields of its own.
func rest(reply bson.Raw) *doc {
	d := newDoc()
	for name, v := range reply.All() {
		if !own[name] {
			d.value(name, v)
		}
	}
	return d
}

// thrown is the error of a reply as a mongos raises it itself: labelled by it.
func thrown(reply bson.Raw) *Error {
	e := &Error{Code: int32(whole(reply.Lookup("code"))), More: rest(reply)}
	e.Message, _ = reply.Lookup("errmsg").Str()
	return e
}

// relayed is the reply of a shard as a mongos passes it on.
func (r *request) relayed(reply bson.Raw) (*doc, error) {
	if isOK(reply) {
		return rest(reply), nil
	}
	e := thrown(reply)
	e.Labels = []string{}
	if labels, ok := reply.Lookup("errorLabels").Array(); ok {
		for v := range labels.Values() {
			s, _ := v.Str()
			e.Labels = append(e.Labels, s)
		}
	}
	if r.txn.inTxn {
		r.recoveryToken(e.More)
	}
	return nil, e
}

// parseReadPreference is the mode that $readPreference gives, "" if it is not
// there.
func parseReadPreference(v bson.RawValue) (mode string, err error) {
	if v.IsZero() {
		return "", nil
	}
	d, ok := v.Document()
	if !ok {
		return "", errorf(codeTypeMismatch, "$readPreference has incorrect type: expected object but got %s", query.TypeName(v.Type))
	}
	m := d.Lookup("mode")
	mode, ok = m.Str()
	switch {
	case m.IsZero():
		return "", errorf(codeMissingField, "BSON field 'readPreference.mode' is missing but a required field")
	case !ok:
		return "", newSchema("readPreference").wrongType("mode", m, "string")
	}
	tags, _ := d.Lookup("tags").Array()
	staleness := d.Lookup("maxStalenessSeconds")
	hedge, hedged := d.Lookup("hedge").Document()
	switch mode {
	case "primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest":
	default:
		return "", errorf(codeBadValue, "Could not parse $readPreference mode '%s'. Only the modes 'primary', 'primaryPreferred', 'secondary', 'secondaryPreferred', and 'nearest' are supported. :: caused by :: Enumeration value '%s' for field 'mode' is not a valid value.", mode, mode)
	}
	switch n := whole(staleness); {
	case mode == "primary" && tags.Len() > 0 && !(tags.Len() == 1 && bson.Raw(tags.Index(0).Value).Len() == 0):
		return "", errorf(codeBadValue, "Only empty tags are allowed with primary read preference")
	case mode == "primary" && n > 0:
		return "", errorf(codeBadValue, "maxStalenessSeconds can not be set for the primary mode")
	case n < 0:
		return "", errorf(160, "maxStalenessSeconds must be a non-negative integer")
	case n > 0 && n < 90:
		return "", errorf(160, "maxStalenessSeconds value can not be less than 90")
	case hedged && mode == "primary" && (hedge.Lookup("enabled").IsZero() || hedge.Lookup("enabled").Truthy()):
		return "", errorf(codeInvalidOptions, "cannot enable hedging for $readPreference mode \"primaryOnly\"")
	}
	return mode, nil
}
