// Package ops holds the database commands, one file each, and the executor
// that runs them: it selects a server, checks out a connection, puts command
// and session into one message, reads the reply, tells the topology about
// errors, and retries where the specifications allow it.
//
// A command is a plain struct whose Envelope says what all commands have in
// common. Values of users arrive here encoded: nothing below the root package
// knows a Go type of theirs.
//
// A command is sent in attempts: a retry is another attempt, at another server
// if there is one. An error label, such as RetryableWriteError, is what a server
// or the driver says about an error for those who decide on a retry. A statement
// is one insert, update or delete of a write command; a bulk write is cut into
// as many commands as its statements need. An Outcome is what the statements
// did. A Timeout is the timeoutMS of an operation, whose attempts share it.
//
// The specifications are driver-sessions, retryable-reads, retryable-writes,
// client-backpressure, transactions, crud, and
// command-logging-and-monitoring.
package ops
