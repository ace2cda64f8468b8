package ops

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/wire"
)

// Timeout is the time that an operation has (client-side-operations-timeout).
// In its zero value timeoutMS is not set, and the older timeouts hold.
type Timeout struct {
	// Set says that timeoutMS is set, if only to 0: the older timeouts are
	// ignored, retries go on until the deadline, and servers are told it.
	Set bool
	// Limit is timeoutMS; 0 is no limit.
	Limit time.Duration
	// Deadline is when the operation must be over; zero without a limit.
	Deadline time.Time
	// Untold says that the server is not told of the deadline, which is the
	// client's alone.
	Untold bool
}

// NewTimeout is the timeout of an operation that begins now. limit is its
// timeoutMS, nil if that is not set.
func NewTimeout(limit *time.Duration) Timeout {
	if limit == nil {
		return Timeout{}
	}
	return Timeout{Set: true, Limit: *limit}.Begin()
}

// Begin is the whole timeout anew, from now on.
func (t Timeout) Begin() Timeout {
	if t.Limit > 0 {
		t.Deadline = time.Now().Add(t.Limit)
	}
	return t
}

// Bound is ctx with the deadline, unless its own is not later.
func (t Timeout) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if t.Deadline.IsZero() {
		return ctx, func() {}
	}
	if d, ok := ctx.Deadline(); ok && !d.After(t.Deadline) {
		return ctx, func() {}
	}
	return context.WithDeadlineCause(ctx, t.Deadline, pool.Over("timeoutMS", t.Limit))
}

// tooLate is why a command was not sent: no answer could come in time.
type tooLate struct{ left, minRTT time.Duration }

func (e *tooLate) Error() string {
	return fmt.Sprintf("not sent: %v are left, and the shortest round trip to the server takes %v", e.left.Round(time.Microsecond), e.minRTT)
}

func (e *tooLate) Unwrap() error { return context.DeadlineExceeded }

// TimeoutError says that the time of an operation was over before it could be
// tried again. It carries the labels of the error that the last attempt met.
type TimeoutError struct{ Err error }

// Error says that no time is left, and what the last attempt met.
func (e *TimeoutError) Error() string {
	return fmt.Sprintf("no time is left for another attempt after: %v", e.Err)
}

// Unwrap is the error that the last attempt met.
func (e *TimeoutError) Unwrap() error { return e.Err }

// Is makes errors.Is find ErrTimeout and context.DeadlineExceeded.
func (e *TimeoutError) Is(target error) bool {
	return target == wire.ErrTimeout || target == context.DeadlineExceeded
}

// TimedOut is err as a time-out, unless it is one.
func TimedOut(err error) error {
	if errors.Is(err, wire.ErrTimeout) {
		return err
	}
	return &TimeoutError{Err: err}
}

// allowance is the time that a command has, as the server is told it.
type allowance struct {
	// latest is when the command must have been sent; zero if there is no
	// deadline.
	latest time.Time
	minRTT time.Duration
	// maxTime is maxTimeMS, 0 for none.
	maxTime time.Duration
}

// allow is the allowance of a command, which is to be over by the deadline, if
// there is one. want is the maxTimeMS that the user asks for: how long getMore
// waits, and for other commands an older timeout.
func (t Timeout) allow(command string, deadline, now time.Time, minRTT, want time.Duration) (allowance, error) {
	a := allowance{minRTT: minRTT}
	if !t.Set {
		a.maxTime = want
		return a, nil
	}
	awaits := command == "getMore"
	if awaits {
		a.maxTime = want
	}
	if deadline.IsZero() {
		return a, nil
	}
	a.latest = deadline.Add(-minRTT)
	left := a.latest.Sub(now)
	switch {
	case left <= 0:
		return a, &tooLate{deadline.Sub(now), minRTT}
	case awaits && want > 0:
		a.maxTime = min(want, left)
	case !awaits && !t.Untold:
		a.maxTime = max(left.Truncate(time.Millisecond), time.Millisecond)
	}
	return a, nil
}

// expired is an error if it has become too late to send the command.
func (a *allowance) expired() error {
	if a.latest.IsZero() {
		return nil
	}
	if left := time.Until(a.latest); left <= 0 {
		return &tooLate{left + a.minRTT, a.minRTT}
	}
	return nil
}
