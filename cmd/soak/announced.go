package main

import (
	"context"
	"errors"
	"slices"

	"github.com/motor-go/motor"
)

// promise is what the driver promises of a call that a failover hits.
type promise int

const (
	retried     promise = iota // once, so that it succeeds if nothing else happens
	unretried                  // nothing: the specification has it sent once
	iterated                   // nothing once the cursor is open: getMore is sent once
	transacted                 // to begin anew until its deadline
	interrupted                // to end with its context
)

// A failure is a call that failed.
type failure struct {
	call     string
	promise  promise
	failover int // how many failovers there were while the call lasted
	err      error
}

// announced are the failures that an application must expect. Nothing else may
// happen.
var announced = []struct {
	name, reason string
	is           func(failure) bool
}{
	{
		"cancelled", "the workload has ended the call's context",
		func(f failure) bool {
			return f.promise == interrupted && (errors.Is(f.err, context.Canceled) || errors.Is(f.err, motor.ErrTimeout) || byFailover(f.err))
		},
	},
	{
		"sent once", "updateMany, deleteMany and runCommand are not retried: a server would not know them again",
		func(f failure) bool { return f.promise == unretried && f.failover > 0 && byFailover(f.err) },
	},
	{
		"cursor lost", "a cursor is on one server, and no getMore is retried",
		func(f failure) bool {
			return f.promise == iterated && f.failover > 0 && (byFailover(f.err) || hasCode(f.err, cursorNotFound))
		},
	},
	{
		"transaction out of time", "WithTransaction begins anew until its deadline",
		func(f failure) bool {
			return f.promise == transacted && (errors.Is(f.err, context.DeadlineExceeded) || errors.As(f.err, new(*motor.TimeoutError)))
		},
	},
	{
		"two failovers", "a retryable call is sent twice, and both attempts met a failover",
		func(f failure) bool { return f.promise == retried && f.failover > 1 && byFailover(f.err) },
	},
}

// classOf is the announced class of a failure, -1 if there is none.
func classOf(f failure) int {
	for i, class := range announced {
		if class.is(f) {
			return i
		}
	}
	return -1
}

const cursorNotFound = 43

// The codes by which the specifications know that a server is not, or not any
// longer, fit for the call.
var failoverCodes = []int32{6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436}

// byFailover reports whether an error is what a failover makes of a call.
func byFailover(err error) bool {
	var connection *motor.ConnectionError
	return errors.As(err, &connection) && connection.Network || hasCode(err, failoverCodes...)
}

func hasCode(err error, codes ...int32) bool {
	var command *motor.CommandError
	var concern *motor.WriteConcernError
	return errors.As(err, &command) && slices.Contains(codes, command.Code) ||
		errors.As(err, &concern) && slices.Contains(codes, concern.Code)
}
