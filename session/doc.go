// Package session keeps what ties operations together: server sessions and
// their pool, the cluster clock, client sessions with causal consistency, and
// the states of a transaction. It performs no I/O and reads no clock; the time
// comes in as an argument.
//
// A server session is an identifier (lsid) that a server remembers. A Session
// is what a user starts: it borrows a server session from the Pool with its
// first command and gives it back when it ends. An implicit session is one
// that an operation takes for itself.
//
// The specifications are driver-sessions, causal-consistency,
// snapshot-sessions and transactions.
package session
