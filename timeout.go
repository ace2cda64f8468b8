package motor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/motor-go/motor/ops"
)

// TimeoutError says that no time was left to try an operation or a transaction
// again. It wraps Err, the error that the last attempt met.
type TimeoutError = ops.TimeoutError

// TimeoutMode says what the timeoutMS of an operation bounds that opens a
// cursor. To set it where timeoutMS is not set is an error.
type TimeoutMode uint8

// The modes of the client-side-operations-timeout specification.
const (
	// DefaultTimeoutMode is Iteration for tailable cursors, and CursorLifetime
	// for all others.
	DefaultTimeoutMode TimeoutMode = iota
	// CursorLifetime bounds the life of the cursor, from the command that opens
	// it to its last batch. Tailable cursors have no such bound.
	CursorLifetime
	// Iteration bounds the command that opens the cursor, and then each call of
	// Next or TryNext anew. The server is not told of it.
	Iteration
)

// WithTimeout is ctx with the timeoutMS of each operation that is called with
// it, instead of the one that the operation would inherit from its collection,
// database, session or client. 0 is no limit. It begins anew with every
// operation, unlike the deadline of a context, which holds as well.
//
// A cursor has the timeoutMS that it was opened with; its Close alone can have
// another.
func WithTimeout(ctx context.Context, d time.Duration) context.Context {
	b := bindingOf(ctx)
	b.timeout, b.shared = &d, ops.Timeout{}
	return b.bind(ctx)
}

// ShareTimeout is ctx for operations that are parts of one: together they have
// the timeoutMS that an operation on the database would have, from now on. The
// caller calls cancel when they are done.
func (d *Database) ShareTimeout(ctx context.Context) (shared context.Context, cancel context.CancelFunc, err error) {
	if err := d.ready(ctx); err != nil {
		return ctx, func() {}, err
	}
	b := bindingOf(ctx)
	t, err := b.begin(d.settings.timeout)
	if err != nil || !t.Set {
		return ctx, func() {}, err
	}
	b.timeout, b.shared = nil, t
	shared, cancel = t.Bound(b.bind(ctx))
	return shared, cancel, nil
}

// binding is what a context carries for the operations called with it.
type binding struct {
	session *Session       // nil: none
	timeout *time.Duration // of each operation; nil: that which it inherits
	shared  ops.Timeout    // of all operations together, if it is set
	attempt *attempt       // that the context is for; nil: none
}

type bindingKey struct{}

// bindingOf is the binding that ctx carries, or none.
func bindingOf(ctx context.Context) binding {
	if ctx == nil {
		return binding{}
	}
	b, _ := ctx.Value(bindingKey{}).(binding)
	return b
}

func (b binding) bind(ctx context.Context) context.Context {
	return context.WithValue(present(ctx), bindingKey{}, b)
}

// begin is the timeout of an operation that begins now, or what is left of the
// timeout that it shares. In the function of WithTransaction that is the
// transaction's.
func (b binding) begin(inherited *time.Duration) (ops.Timeout, error) {
	switch s := b.session; {
	case s != nil && s.within.Set && b.timeout != nil:
		return ops.Timeout{}, errors.New("an operation in WithTransaction has the timeout of the transaction and cannot have another")
	case s != nil && s.within.Set:
		return s.within, nil
	case b.shared.Set:
		return b.shared, nil
	case b.timeout != nil:
		inherited = b.timeout
	}
	if inherited != nil && *inherited < 0 {
		return ops.Timeout{}, fmt.Errorf("the timeout %v is negative; 0 is no limit", *inherited)
	}
	return ops.NewTimeout(inherited), nil
}

// bound prepares the cursor that a command is to open for its timeout.
func (m TimeoutMode) bound(kind CursorType, t *ops.Timeout, o *ops.CursorOptions) error {
	switch {
	case m > Iteration:
		return fmt.Errorf("TimeoutMode is %d: there is no such mode", m)
	case kind > TailableAwait:
		return fmt.Errorf("CursorType is %d: there is no such type", kind)
	case o.MaxAwait < 0:
		return fmt.Errorf("MaxAwaitTime is %v: it must not be negative", o.MaxAwait)
	case m != DefaultTimeoutMode && !t.Set:
		return errors.New("TimeoutMode is set where timeoutMS is not")
	case m == CursorLifetime && kind != NonTailable:
		return errors.New("a timeout cannot bound the lifetime of a tailable cursor; TimeoutMode must be Iteration")
	case t.Limit > 0 && o.MaxAwait >= t.Limit:
		return fmt.Errorf("MaxAwaitTime is %v: it must be less than the timeout of %v", o.MaxAwait, t.Limit)
	}
	o.Iteration = m == Iteration || kind != NonTailable
	t.Untold = o.Iteration && kind != TailableAwait
	return nil
}
