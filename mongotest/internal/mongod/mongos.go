package mongod

import (
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/repl"
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
	"currentOp", "mapReduce", "fsync", "resetError",
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
		&command{name: "checkMetadataConsistency", run: checkMetadataConsistency, needs: mayManage, since: query.Version{Major: 7}},
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

// destination is where the commands on the request's database go.
func (r *request) destination() *Shard {
	if r.db == "admin" || r.db == "config" {
		return r.server.Cluster.Config
	}
	return r.server.Cluster.Shard
}
