package motor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/motor-go/motor/ops"
	"github.com/motor-go/motor/wire"
)

// transactionTimeout is how long WithTransaction goes on retrying if neither its
// context has a deadline nor timeoutMS is set.
const transactionTimeout = 120 * time.Second

// attempt is one call of the function of WithTransaction. Its context is no
// way to do something outside of the transaction, or in that of another attempt.
type attempt struct{ over atomic.Bool }

// WithTransaction calls fn in a transaction and commits it, in the session that
// ctx carries or else in a new one. A transaction within a transaction is an
// error. See Session.WithTransaction.
func (c *Client) WithTransaction(ctx context.Context, fn func(ctx context.Context) error, opts ...TransactionOptions) error {
	switch inner, err := c.owned(SessionFromContext(ctx)); {
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
// timeoutMS, if it is set, bounds the whole instead of the 120 s. The operations
// of fn share it, as far as they are called with the session; one with a timeout
// of its own by WithTimeout is an error. An abort has the whole timeoutMS anew.
//
// fn must return the errors of operations: a failed operation has aborted the
// transaction on the server, and a commit can only fail. Its error then wraps
// the one that fn has not returned.
func (s *Session) WithTransaction(ctx context.Context, fn func(ctx context.Context) error, opts ...TransactionOptions) error {
	if fn == nil {
		return errNoFunc
	}
	t, err := s.begin(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := t.Bound(ctx)
	defer cancel()
	defer func(outer ops.Timeout) { s.within = outer }(s.within)
	s.within = t
	limit := transactionTimeout
	if t.Set {
		limit = math.MaxInt64
	}
	deadline := time.Now().Add(limit)
	if at, ok := ctx.Deadline(); ok {
		deadline = at
	}
	var last error
	for n := 0; ; n++ {
		if n > 0 {
			if err := s.client.pause(ctx, deadline, n, last); err != nil {
				return err
			}
		}
		if err := s.StartTransaction(opts...); err != nil {
			return err
		}
		a := new(attempt)
		err := fn(binding{session: s, attempt: a}.bind(ctx))
		a.over.Store(true)
		if err == nil && !s.inner.Transaction.InProgress() {
			return nil // fn has ended the transaction itself
		}
		if err == nil {
			err = s.commitUntil(ctx, t, deadline)
			if ignored := s.inner.Transaction.Failure; err != nil && ignored != nil {
				err = fmt.Errorf("%w; fn did not return the error of an operation: %w", err, ignored)
			}
		} else if s.inner.Transaction.InProgress() {
			s.client.exec.AbortTransaction(context.WithoutCancel(ctx), s.inner, t.Begin())
		}
		if err == nil || !HasErrorLabel(err, TransientTransactionError) {
			return err
		}
		last = err
	}
}

// pause waits before another attempt, or says that there is no time for it.
func (c *Client) pause(ctx context.Context, deadline time.Time, attempt int, last error) error {
	const first, most = 5 * time.Millisecond, 500 * time.Millisecond
	d := time.Duration(c.exec.Random() * min(float64(first)*math.Pow(1.5, float64(attempt)), float64(most)))
	if !time.Now().Add(d).Before(deadline) {
		return ops.TimedOut(last)
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
func (s *Session) commitUntil(ctx context.Context, t ops.Timeout, deadline time.Time) error {
	for {
		err := s.client.exec.CommitTransaction(ctx, s.inner, t)
		if err == nil || !HasErrorLabel(err, UnknownTransactionCommitResult) || maxTimeExpired(err) {
			return err
		}
		if !time.Now().Before(deadline) || ctx.Err() != nil {
			return ops.TimedOut(err)
		}
	}
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
