// Package mongod is one MongoDB server: it listens, speaks the wire protocol,
// keeps sessions, cursors, transactions and fail points, and runs commands on
// an Engine.
//
// A Server is what dies when a node is killed; its Engine, and its Member if it
// is in a replica set, outlive it. A conn serves one connection, a request is
// one command on it. The commands stand in one table (commands.go) and one file
// for each family of them. What a command needs of the query language comes
// from package query.
package mongod
