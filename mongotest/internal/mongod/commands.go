package mongod

import "github.com/motor-go/motor/mongotest/internal/query"

// commands are those of a mongod, mongosCommands those of a mongos, by their
// names and aliases.
var commands, mongosCommands map[string]*command

// table lists all commands, family by family.
func table() []*command {
	v := func(major, minor int) query.Version { return query.Version{Major: major, Minor: minor} }
	return []*command{
		// Handshake and connections.
		{name: "hello", run: hello, noAuth: true, stable: true},
		{name: "isMaster", aliases: []string{"ismaster"}, run: hello, noAuth: true},
		{name: "ping", run: ok, noAuth: true, stable: true},
		{name: "buildInfo", aliases: []string{"buildinfo"}, run: buildInfo, noAuth: true},
		{name: "whatsmyuri", run: whatsmyuri, noAuth: true},
		{name: "connectionStatus", run: connectionStatus, noAuth: true},
		{name: "echo", run: echo, noAuth: true},

		// Authentication and users.
		{name: "saslStart", run: saslStart, noAuth: true, stable: true},
		{name: "saslContinue", run: saslContinue, noAuth: true, stable: true},
		{name: "authenticate", run: authenticate, noAuth: true, stable: true},
		{name: "getnonce", run: getNonce, noAuth: true, until: v(6, 2)},
		{name: "logout", run: logout, noAuth: true},
		{name: "createUser", run: createUser, writes: true, concerns: writeConcerns, needs: mayManageUsers},
		{name: "updateUser", run: updateUser, writes: true, concerns: writeConcerns, needs: mayManageUsers},
		{name: "dropUser", run: dropUser, writes: true, concerns: writeConcerns, needs: mayManageUsers},
		{name: "dropAllUsersFromDatabase", run: dropAllUsers, writes: true, concerns: writeConcerns, needs: mayManageUsers},
		{name: "usersInfo", run: usersInfo, reads: true, needs: mayManageUsers},

		// Documents.
		{name: "find", run: find, reads: true, inTxn: true, concerns: readConcerns, needs: mayRead, stable: true},
		{name: "getMore", run: getMore, inTxn: true, stable: true},
		{name: "killCursors", run: killCursors, inTxn: true, stable: true},
		{name: "insert", sequences: true, run: insert, schema: insertSchema, writes: true, retryable: true, inTxn: true, concerns: writeConcerns, needs: mayWrite, stable: true},
		{name: "update", sequences: true, run: update, schema: updateSchema, writes: true, retryable: true, inTxn: true, concerns: writeConcerns, needs: mayWrite, stable: true},
		{name: "delete", sequences: true, run: deleteDocuments, schema: deleteSchema, writes: true, retryable: true, inTxn: true, concerns: writeConcerns, needs: mayWrite, stable: true},
		{name: "findAndModify", aliases: []string{"findandmodify"}, run: findAndModify, writes: true, retryable: true, inTxn: true, concerns: writeConcerns, needs: mayWrite, stable: true},
		{name: "bulkWrite", sequences: true, run: bulkWrite, schema: bulkWriteSchema, admin: true, writes: true, retryable: true, inTxn: true, concerns: writeConcerns, needs: mayWrite, since: v(8, 0), stable: true},
		{name: "count", run: count, schema: countSchema, reads: true, concerns: readConcerns, needs: mayRead, stable: true},
		{name: "distinct", run: distinct, schema: distinctSchema, reads: true, inTxn: true, concerns: readConcerns, needs: mayRead},
		{name: "aggregate", run: aggregate, reads: true, inTxn: true, concerns: readConcerns | writeConcerns, needs: mayRead, stable: true},
		{name: "mapReduce", aliases: []string{"mapreduce"}, run: mapReduce, schema: mapReduceSchema, reads: true, concerns: readConcerns | writeConcerns, needs: mayRead},
		{name: "explain", run: explain, reads: true, needs: mayRead, stable: true},

		// Catalog.
		{name: "create", run: create, writes: true, inTxn: true, concerns: writeConcerns, needs: mayManage, stable: true},
		{name: "drop", run: drop, schema: dropSchema, writes: true, concerns: writeConcerns, needs: mayManage, stable: true},
		{name: "dropDatabase", run: dropDatabase, writes: true, concerns: writeConcerns, needs: mayManage, stable: true},
		{name: "renameCollection", run: renameCollection, admin: true, writes: true, concerns: writeConcerns, needs: mayManage},
		{name: "collMod", run: collMod, writes: true, concerns: writeConcerns, needs: mayManage, stable: true},
		{name: "convertToCapped", run: convertToCapped, writes: true, concerns: writeConcerns, needs: mayManage},
		{name: "emptycapped", run: emptyCapped, writes: true, concerns: writeConcerns, needs: mayManage},
		{name: "createIndexes", run: createIndexes, writes: true, inTxn: true, concerns: writeConcerns, needs: mayManage, stable: true},
		{name: "dropIndexes", aliases: []string{"deleteIndexes"}, run: dropIndexes, schema: dropIndexesSchema, writes: true, concerns: writeConcerns, needs: mayManage, stable: true},
		{name: "listIndexes", run: listIndexes, schema: listIndexesSchema, reads: true, needs: mayRead, stable: true},
		{name: "listCollections", run: listCollections, schema: listCollectionsSchema, reads: true, needs: mayRead, stable: true},
		{name: "listDatabases", run: listDatabases, schema: listDatabasesSchema, admin: true, reads: true, stable: true},
		{name: "collStats", aliases: []string{"collstats"}, run: collStats, needs: mayRead},
		{name: "dbStats", aliases: []string{"dbstats"}, run: dbStats, needs: mayRead},
		{name: "dataSize", aliases: []string{"datasize"}, run: dataSize, needs: mayRead},
		{name: "createSearchIndexes", run: searchIndexes, writes: true, since: v(7, 0)},
		{name: "updateSearchIndex", run: searchIndexes, writes: true, since: v(7, 0)},
		{name: "dropSearchIndex", run: searchIndexes, writes: true, since: v(7, 0)},
		{name: "validate", run: validate, needs: mayManage},
		{name: "compact", run: compact, needs: mayManage},

		// Sessions and transactions.
		{name: "startSession", run: startSession},
		{name: "endSessions", run: endSessions, stable: true},
		{name: "refreshSessions", run: refreshSessions, stable: true},
		{name: "killSessions", run: killSessions, stable: true},
		{name: "killAllSessions", run: killAllSessions},
		{name: "killAllSessionsByPattern", run: killAllSessionsByPattern},
		{name: "commitTransaction", run: commitTransaction, admin: true, writes: true, inTxn: true, concerns: writeConcerns, since: v(4, 0), stable: true},
		{name: "coordinateCommitTransaction", run: coordinateCommitTransaction, admin: true, writes: true, inTxn: true, concerns: writeConcerns, since: v(4, 2)},
		{name: "abortTransaction", run: abortTransaction, admin: true, writes: true, inTxn: true, concerns: writeConcerns, since: v(4, 0), stable: true},

		// Shards.
		{name: "_shardsvrShardCollection", run: noteShardCollection, admin: true, writes: true, concerns: writeConcerns, needs: mayManage},

		// Replica sets.
		{name: "replSetGetStatus", run: replSetGetStatus, admin: true, needs: mayMonitor},
		{name: "replSetGetConfig", run: replSetGetConfig, admin: true, needs: mayMonitor},
		{name: "replSetStepDown", run: replSetStepDown, admin: true, needs: mayMonitor},
		{name: "replSetStepUp", run: replSetStepUp, admin: true, needs: mayMonitor},
		{name: "replSetFreeze", run: replSetFreeze, admin: true, needs: mayMonitor},
		{name: "appendOplogNote", run: appendOplogNote, admin: true, writes: true, concerns: writeConcerns, needs: mayMonitor},

		// Administration.
		{name: "configureFailPoint", run: configureFailPoint, admin: true, needs: mayMonitor},
		{name: "getParameter", run: getParameter, admin: true, needs: mayMonitor},
		{name: "setParameter", run: setParameter, admin: true, needs: mayMonitor},
		{name: "getDefaultRWConcern", run: getDefaultRWConcern, admin: true, since: v(4, 4)},
		{name: "setDefaultRWConcern", run: setDefaultRWConcern, admin: true, writes: true, concerns: writeConcerns, since: v(4, 4)},
		{name: "serverStatus", run: serverStatus, needs: mayMonitor},
		{name: "hostInfo", run: hostInfo, admin: true, needs: mayMonitor},
		{name: "getCmdLineOpts", run: getCmdLineOpts, admin: true, needs: mayMonitor},
		{name: "getLog", run: getLog, admin: true, needs: mayMonitor},
		{name: "listCommands", run: listCommands},
		{name: "testDeprecation", run: ok, stable: true, since: v(5, 0)},
		{name: "testRemoval", run: ok, since: v(5, 0)},
		{name: "testVersion2", run: ok, since: v(5, 0)},
		{name: "testVersions1And2", run: ok, stable: true, since: v(5, 0)},
		{name: "connPoolStats", run: connPoolStats, admin: true},
		{name: "top", run: ok, admin: true},
		{name: "currentOp", run: currentOp, admin: true, needs: mayMonitor},
		{name: "killOp", run: killOp, admin: true, needs: mayMonitor},
		{name: "fsync", run: ok, admin: true},
		{name: "flushRouterConfig", run: ok, admin: true},
		{name: "getLastError", aliases: []string{"getlasterror"}, run: getLastError, until: v(5, 1)},
		{name: "resetError", aliases: []string{"reseterror"}, run: ok, until: v(5, 0)},
	}
}

func init() {
	commands, mongosCommands = byName(table()), byName(mongosTable())
}

// byName finds commands by their names and aliases.
func byName(list []*command) map[string]*command {
	named := map[string]*command{}
	for _, c := range list {
		named[c.name] = c
		for _, alias := range c.aliases {
			named[alias] = c
		}
	}
	return named
}

// commands are those of the server.
func (s *Server) commands() map[string]*command {
	if s.Mongos {
		return mongosCommands
	}
	return commands
}
