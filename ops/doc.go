// Package ops holds the database commands, one file each, and the executor
// that runs them: it selects a server, checks out a connection, puts command
// and session into one message, reads the reply, tells the topology about
// errors, and retries where the specifications allow it.
//
// A command is a plain struct whose Envelope says what all commands have in
// common. Values of users arrive here encoded: nothing below the root package
// knows a Go type of theirs.
//
// The specifications are driver-sessions, retryable-reads, retryable-writes,
// client-backpressure, transactions, crud, and
// command-logging-and-monitoring.
package ops
