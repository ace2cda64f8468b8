// Package mongod is one MongoDB server: it listens, speaks the wire protocol,
// keeps sessions, cursors, transactions and fail points, and runs commands on
// an Engine.
//
// A Server is a mongod, or with Config.Mongos a mongos: the files mongos*.go. A
// mongos shares with a mongod what is before and after a command: connections,
// logins, the checks of what all commands have in common, fail points, the form of
// replies. Its own table (mongos.go) says what it does then: it sends the command
// to a member of the shard, by a call within the process (mongos_forward.go), and
// gives what comes back the form of a mongos; its cursors stand for cursors of the
// shard, and of transactions it knows where they take part.
//
// A Server is what dies when a node is killed; its Engine, and its Member if it
// is in a replica set, outlive it. A conn serves one connection, a request is
// one command on it. The commands stand in one table (commands.go) and one file
// for each family of them. What a command needs of the query language comes
// from package query.
package mongod
