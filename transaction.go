package motor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/motor-go/motor/wire"
)

// transactionTimeout is how long WithTransaction goes on retrying if its
// context has no deadline.
const transactionTimeout = 120 * time.Second

// TransactionTimeoutError says that WithTransaction ran out of time for another
// attempt. It carries the labels of the error that the last attempt met.
type TransactionTimeoutError struct{ Err error }

func (e *TransactionTimeoutError) Error() string {
	return fmt.Sprintf("no time is left to try the transaction again after: %v", e.Err)
}

// Unwrap is the error that the last attempt met.
func (e *TransactionTimeoutError) Unwrap() error { return e.Err }

// Is makes errors.Is find ErrTimeout.
func (e *TransactionTimeoutError) Is(target error) bool { return target == ErrTimeout }

// WithTransaction calls fn in a transaction and commits it, in the session that
// ctx carries or else in a new one. A transaction within a transaction is an
// error. See Session.WithTransaction.
func (c *Client) WithTransaction(ctx context.Context, fn func(ctx context.Context) error, opts ...TransactionOptions) error {
	switch inner, err := c.inContext(ctx); {
	case err != nil:
		return err
	case inner != nil:
		return SessionFromContext(ctx).WithTransaction(ctx, fn, opts...)
	}
	return c.WithSession(ctx, func(ctx context.Context) error {
		return SessionFromContext(ctx).WithTransaction(ctx, fn, opts...)
	})
}

// WithTransaction calls fn with a context that carries the session, in a
// transaction, and commits it. It does so again, with growing pauses, when an
// error says that another attempt may succeed, until ctx's deadline or for
// 120 s: fn may be called more than once, and whatever it does outside of the
// database is done again. If fn fails the transaction is aborted.
//
// fn must return the errors of operations: a failed operation has aborted the
// transaction on the server, and a commit could only fail.
func (s *Session) WithTransaction(ctx context.Context, fn func(ctx context.Context) error, opts ...TransactionOptions) error {
	deadline := time.Now().Add(transactionTimeout)
	if t, ok := ctx.Deadline(); ok {
		deadline = t
	}
	var last error
	for attempt := 0; ; attempt++ {
		if attempt > 0 {
			if err := pause(ctx, deadline, attempt, last); err != nil {
				return err
			}
		}
		if err := s.StartTransaction(opts...); err != nil {
			return err
		}
		err := fn(s.Bind(ctx))
		if err == nil && !s.inner.Transaction.InProgress() {
			return nil // fn has ended the transaction itself
		}
		if err == nil {
			err = s.commitUntil(ctx, deadline)
		} else if s.inner.Transaction.InProgress() {
			s.AbortTransaction(context.WithoutCancel(ctx))
		}
		if err == nil || !HasErrorLabel(err, TransientTransactionError) {
			return err
		}
		last = err
	}
}

// pause waits before another attempt, or says that there is no time for it.
func pause(ctx context.Context, deadline time.Time, attempt int, last error) error {
	const first, most = 5 * time.Millisecond, 500 * time.Millisecond
	d := time.Duration(rand.Float64() * min(float64(first)*math.Pow(1.5, float64(attempt)), float64(most)))
	if !time.Now().Add(d).Before(deadline) {
		return timedOut(last)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// commitUntil commits again as long as the outcome is unknown and time is left.
func (s *Session) commitUntil(ctx context.Context, deadline time.Time) error {
	for {
		err := s.CommitTransaction(ctx)
		if err == nil || !HasErrorLabel(err, UnknownTransactionCommitResult) || maxTimeExpired(err) {
			return err
		}
		if !time.Now().Before(deadline) || ctx.Err() != nil {
			return timedOut(err)
		}
	}
}

// timedOut is err as a time-out, unless it is one.
func timedOut(err error) error {
	if errors.Is(err, ErrTimeout) {
		return err
	}
	return &TransactionTimeoutError{Err: err}
}

// maxTimeExpired reports whether the server's own bound on the commit passed.
func maxTimeExpired(err error) bool {
	var command *CommandError
	var wce *WriteConcernError
	return errors.As(err, &command) && wire.CodeIs(command.Code, ErrTimeout) ||
		errors.As(err, &wce) && wire.CodeIs(wce.Code, ErrTimeout)
}

// transactionDefaults are the options of transactions that neither the
// transaction nor the session sets.
func (c *Client) transactionDefaults() (o TransactionOptions) {
	if rc := c.settings.readConcern; !rc.IsDefault() {
		o.ReadConcern = &rc
	}
	if wc := c.settings.writeConcern; !wc.IsDefault() {
		o.WriteConcern = &wc
	}
	rp := c.settings.readPreference
	o.ReadPreference = &rp
	return o
}
