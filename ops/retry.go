package ops

import (
	"slices"
	"time"

	"github.com/motor-go/motor/wire"
)

// The codes that the retryable-writes specification lists for servers before
// 4.4, which label nothing themselves.
var retryableWriteCodes = []int32{6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436}

// The codes that the retryable-reads specification lists.
var retryableReadCodes = []int32{6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436}

const (
	baseBackoff = 100 * time.Millisecond
	maxBackoff  = 10 * time.Second
)

// retryPolicy is what is allowed before anything has failed.
type retryPolicy struct {
	class    retryClass // what the command and the client's options allow
	overload bool       // the client's options allow retries of overloaded servers
	deadline bool       // timeoutMS is set: retry until it passes
	max      int        // maxAdaptiveRetries
	retarget bool       // enableOverloadRetargeting
}

// retryState decides whether a command is sent again, and which error is
// returned in the end. It neither waits nor selects.
type retryState struct {
	policy     retryPolicy
	attempts   int // retries so far
	overloaded bool
	err        error // the one to return
}

// verdict is what to do after an error.
type verdict struct {
	retry        bool
	wait         time.Duration
	deprioritize bool
}

// failed takes note of an error that an attempt met. sharded says what kind of
// topology it was, jitter is a random number in [0, 1).
func (s *retryState) failed(err error, sharded bool, jitter float64) verdict {
	s.keep(err)
	overload := HasLabel(err, SystemOverloadedError)
	adaptive := overload && HasLabel(err, RetryableError) && s.policy.overload
	if !adaptive && !s.retryable(err) {
		return verdict{}
	}
	s.attempts++
	s.overloaded = s.overloaded || overload
	allowed := 1
	switch {
	case s.overloaded:
		allowed = s.policy.max
	case s.policy.deadline:
		allowed = s.attempts
	}
	if s.attempts > allowed {
		return verdict{}
	}
	v := verdict{retry: true, deprioritize: sharded || overload && s.policy.retarget}
	if overload {
		v.wait = backoff(err, s.attempts, jitter)
	}
	return v
}

// keep chooses the error to return: the latest of an attempt that reached a
// server (and may have written, if it is a write), otherwise the first.
func (s *retryState) keep(err error) {
	if s.err == nil || wrote(err) {
		s.err = err
	}
}

// wrote reports whether err leaves open that something was done.
func wrote(err error) bool {
	if HasLabel(err, NoWritesPerformed) {
		return false
	}
	if e, ok := err.(*ConnectionError); ok {
		return e.Sent
	}
	return true
}

func (s *retryState) retryable(err error) bool {
	switch s.policy.class {
	case retryWrite:
		return HasLabel(err, RetryableWriteError)
	case retryRead:
		if e, ok := err.(*ConnectionError); ok {
			return e.Network
		}
		c, ok := code(err)
		return ok && slices.Contains(retryableReadCodes, c)
	}
	return false
}

// backoff is the wait before the n-th retry against an overloaded server.
func backoff(err error, n int, jitter float64) time.Duration {
	base := baseBackoff
	if e, ok := err.(*wire.CommandError); ok {
		if ms, ok := e.Reply.Lookup("baseBackoffMS").AsDouble(); ok && ms > 0 {
			base = time.Duration(ms * float64(time.Millisecond))
		}
	}
	d := maxBackoff
	if n < 30 && base<<n > 0 {
		d = min(d, base<<n)
	}
	return time.Duration(jitter * float64(d))
}

// labelWrite is err with RetryableWriteError where the driver has to add it: to
// network errors, and to what servers before 4.4 answer.
func labelWrite(err error, maxWireVersion int32, mongos bool) error {
	switch e := err.(type) {
	case *ConnectionError:
		if e.Network {
			return addLabel(err, RetryableWriteError)
		}
	case *wire.CommandError:
		if maxWireVersion < 9 && slices.Contains(retryableWriteCodes, e.Code) {
			return addLabel(err, RetryableWriteError)
		}
	case *WriteConcernError:
		if maxWireVersion < 9 && !mongos && slices.Contains(retryableWriteCodes, e.Code) {
			return addLabel(err, RetryableWriteError)
		}
	}
	return err
}
