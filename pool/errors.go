package pool

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/motor-go/motor/bson"
)

// NetworkError says that a connection broke, or that a round trip was given
// up.
type NetworkError struct {
	Address string
	// Op is what was tried: "write", "read" and so on.
	Op string
	// Sent says that bytes of the request left, so that the server may have
	// acted on it.
	Sent bool
	// Err is the reason. It is context.Canceled or context.DeadlineExceeded if
	// the caller's context ended, and os.ErrDeadlineExceeded after the
	// SocketTimeout.
	Err error
}

// Error is the server's address, what was being done, and the reason.
func (e *NetworkError) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Address, e.Op, withoutAddress(e.Err, e.Address))
}

// withoutAddress is an error of package net without the address, if that is
// the one that is said anyway.
func withoutAddress(err error, address string) error {
	if e, ok := err.(*net.OpError); ok && e.Addr != nil && e.Addr.String() == address {
		return e.Err
	}
	return err
}

// Unwrap is the reason.
func (e *NetworkError) Unwrap() error { return e.Err }

// Timeout reports whether time ran out.
func (e *NetworkError) Timeout() bool { return isTimeout(e.Err) }

// Canceled reports whether the caller gave up for another reason than time.
func (e *NetworkError) Canceled() bool { return errors.Is(e.Err, context.Canceled) }

func isTimeout(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// Over is a context.DeadlineExceeded that names the option whose time was over.
func Over(option string, limit time.Duration) error { return &over{option, limit} }

type over struct {
	option string
	limit  time.Duration
}

func (o *over) Error() string { return fmt.Sprintf("%s of %v is over", o.option, o.limit) }

func (o *over) Unwrap() error { return context.DeadlineExceeded }

// The labels that the specification puts on errors which an overloaded server
// may cause.
const (
	SystemOverloadedError = "SystemOverloadedError"
	RetryableError        = "RetryableError"
)

// Step is a part of establishing a connection.
type Step string

// The steps, in their order.
const (
	StepDial         Step = "dial"
	StepHello        Step = "handshake"
	StepAuthenticate Step = "authenticate"
)

// ConnectError says that a connection could not be established.
type ConnectError struct {
	Address string
	Step    Step
	// Generation and ServiceID are those of the connection, for telling
	// whether the error is stale. ServiceID is known after the handshake with
	// a load balanced server.
	Generation uint64
	ServiceID  *bson.ObjectID
	// Labels are SystemOverloadedError and RetryableError if the network
	// failed up to the handshake, and those that the server gave.
	Labels []string
	// Err is the reason: a *NetworkError, a *wire.CommandError, an
	// authentication error, or what Dial returned.
	Err error
}

// Error is the server's address, the step that failed, and the reason.
func (e *ConnectError) Error() string {
	err := e.Err
	if n, ok := err.(*NetworkError); ok {
		err = n.Err
	}
	return fmt.Sprintf("connect to %s: %s: %v", e.Address, e.Step, withoutAddress(err, e.Address))
}

// Unwrap is the reason.
func (e *ConnectError) Unwrap() error { return e.Err }

// HasLabel reports whether the error carries the label.
func (e *ConnectError) HasLabel(label string) bool { return slices.Contains(e.Labels, label) }

// Network reports whether the network is the reason, and not the server or the
// credential.
func (e *ConnectError) Network() bool {
	var n *NetworkError
	return errors.As(e.Err, &n)
}

// Timeout reports whether time ran out.
func (e *ConnectError) Timeout() bool { return isTimeout(e.Err) }

// ClosedError is the specification's PoolClosedError.
type ClosedError struct{ Address string }

// Error has the server's address.
func (e *ClosedError) Error() string {
	return "attempted to check out a connection from closed connection pool for " + e.Address
}

// ClearedError is the specification's PoolClearedError: the pool is paused, or
// was cleared under the operation. The operation may be tried again.
//
// It does not unwrap to Err, which is what somebody else has met: the labels of
// a check that could not connect would pass a command that was sent for one that
// an overloaded server refused, and its timeout for one of the operation.
type ClearedError struct {
	Address string
	// Interrupted says that the connection was in use when the server's
	// monitor timed out.
	Interrupted bool
	// Err is the error that cleared the pool; nil if the pool was never ready.
	Err error
}

// Error has the server's address, and the error that cleared the pool.
func (e *ClearedError) Error() string {
	switch {
	case e.Interrupted:
		return "connection to " + e.Address + " interrupted due to server monitor timeout"
	case e.Err == nil:
		return "connection pool for " + e.Address + " is paused: the server was not found healthy yet"
	}
	return fmt.Sprintf("connection pool for %s was cleared because another operation failed with: %v", e.Address, e.Err)
}

// WaitQueueTimeoutError says that no connection became available in time, and
// what held them.
type WaitQueueTimeoutError struct {
	// Stats is the pool as it was then.
	Stats Stats
	// Waited is how long.
	Waited time.Duration
	// Err is why the wait ended: a context.DeadlineExceeded that names the
	// option, or the reason why the caller's context ended.
	Err error
}

// Error says how long the wait was, why it ended, and what held the connections.
func (e *WaitQueueTimeoutError) Error() string {
	s := &e.Stats
	var b strings.Builder
	if e.Canceled() {
		b.WriteString("gave up")
	} else {
		b.WriteString("timed out while")
	}
	fmt.Fprintf(&b, " checking out a connection from connection pool for %s after %v: %v; maxPoolSize: %d, "+
		"connections in use by cursors: %d, connections in use by transactions: %d, connections in use by other operations: %d, "+
		"being established: %d, draining: %d, waiting: %d",
		s.Address, e.Waited.Round(time.Millisecond), e.Err, s.MaxPoolSize, s.Cursors, s.Transactions, s.InUse-s.Cursors-s.Transactions,
		s.Pending, s.Draining, s.Waiting)
	return b.String()
}

// Unwrap is the reason.
func (e *WaitQueueTimeoutError) Unwrap() error { return e.Err }

// Timeout reports whether time ran out.
func (e *WaitQueueTimeoutError) Timeout() bool { return !e.Canceled() }

// Canceled reports whether the caller gave up for another reason than time.
func (e *WaitQueueTimeoutError) Canceled() bool { return errors.Is(e.Err, context.Canceled) }
