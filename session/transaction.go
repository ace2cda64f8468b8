package session

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
)

// State is the state of a transaction, by the names of the specification.
type State uint8

// The states of a transaction.
const (
	NoTransaction State = iota
	TransactionStarting
	TransactionInProgress
	TransactionCommitted
	TransactionAborted
)

var states = [...]string{"none", "starting", "in_progress", "committed", "aborted"}

// String is the name in the specification's tests.
func (s State) String() string { return states[s] }

// Errors of transitions that the specification refuses.
var (
	ErrTransactionInProgress   = errors.New("transaction already in progress")
	ErrNoTransaction           = errors.New("no transaction started")
	ErrCommitAfterAbort        = errors.New("cannot call commitTransaction after calling abortTransaction")
	ErrAbortAfterCommit        = errors.New("cannot call abortTransaction after calling commitTransaction")
	ErrAbortTwice              = errors.New("cannot call abortTransaction twice")
	ErrUnacknowledgedTxn       = errors.New("transactions do not support unacknowledged write concerns")
	ErrTransactionReadPrimary  = errors.New("read preference in a transaction must be primary")
	ErrTransactionReadConcern  = errors.New("cannot set read concern after starting a transaction")
	ErrTransactionWriteConcern = errors.New("cannot set write concern after starting a transaction")
)

// TransactionOptions are the options of a transaction. Nil fields inherit from
// the session, then the client.
type TransactionOptions struct {
	ReadConcern    *concern.ReadConcern
	WriteConcern   *concern.WriteConcern
	ReadPreference *concern.ReadPreference
	// MaxCommitTime bounds commitTransaction on the server. Deprecated in
	// favour of a timeout; 0 means no bound.
	MaxCommitTime time.Duration
}

// Or fills the fields that o leaves open from d.
func (o TransactionOptions) Or(d TransactionOptions) TransactionOptions {
	if o.ReadConcern == nil {
		o.ReadConcern = d.ReadConcern
	}
	if o.WriteConcern == nil {
		o.WriteConcern = d.WriteConcern
	}
	if o.ReadPreference == nil {
		o.ReadPreference = d.ReadPreference
	}
	if o.MaxCommitTime == 0 {
		o.MaxCommitTime = d.MaxCommitTime
	}
	return o
}

// Pin is something held that is to be given back.
type Pin interface{ Release() }

// Transaction is the state machine of a session's transactions. A refused
// transition leaves it as it was. Its state may be read at any time, all else
// belongs to whoever has entered the session.
type Transaction struct {
	state   atomic.Uint32 // a State
	Options TransactionOptions
	// RecoveryToken is what a mongos sent last; commit and abort repeat it.
	RecoveryToken bson.Raw
	// Pinned is the address of the mongos that the transaction stays on.
	Pinned string
	// Pin is the connection that the transaction stays on behind a load
	// balancer, or nil. It must be released before the transaction is over.
	Pin Pin

	// Failure is the first error of a command in the transaction that does not
	// say by itself that another attempt may succeed.
	Failure error

	// OperationID and Announced are the identifier under which the transaction
	// was announced to those who trace, and when; 0 if it was not.
	OperationID int64
	Announced   time.Time

	committedEmpty bool // commit was called before any command was sent
}

// validate refuses what makes no sense.
func (o TransactionOptions) validate() error {
	if o.WriteConcern != nil {
		if err := o.WriteConcern.Validate(); err != nil {
			return err
		}
	}
	if o.ReadPreference != nil {
		if err := o.ReadPreference.Validate(); err != nil {
			return err
		}
	}
	if o.MaxCommitTime < 0 {
		return fmt.Errorf("MaxCommitTime %v is negative; 0 is no limit", o.MaxCommitTime)
	}
	return nil
}

// Start begins a transaction. The server hears of it with the first command.
func (t *Transaction) Start(o TransactionOptions) error {
	if t.InProgress() {
		return ErrTransactionInProgress
	}
	if o.WriteConcern != nil && !o.WriteConcern.Acknowledged() {
		return ErrUnacknowledgedTxn
	}
	if err := o.validate(); err != nil {
		return err
	}
	t.reset(TransactionStarting, o)
	return nil
}

// reset forgets the transaction that was.
func (t *Transaction) reset(s State, o TransactionOptions) {
	t.Options, t.RecoveryToken, t.Pinned, t.Pin = o, nil, "", nil
	t.Failure, t.OperationID, t.Announced, t.committedEmpty = nil, 0, time.Time{}, false
	t.become(s)
}

func (t *Transaction) become(s State) { t.state.Store(uint32(s)) }

// State is the state that the transaction is in.
func (t *Transaction) State() State { return State(t.state.Load()) }

// InProgress reports whether commands belong to the transaction.
func (t *Transaction) InProgress() bool {
	s := t.State()
	return s == TransactionStarting || s == TransactionInProgress
}

// Sent notes that a command of the transaction is on its way. It reports
// whether that was the first, which carries startTransaction.
func (t *Transaction) Sent() (first bool) {
	if t.State() == TransactionStarting {
		t.become(TransactionInProgress)
		return true
	}
	return false
}

// Refused notes that the server did not look at the command that carried
// startTransaction: the next one carries it again.
func (t *Transaction) Refused() { t.become(TransactionStarting) }

// Commit moves to committed and reports whether commitTransaction must be
// sent: not if no command was. A commit after a commit sends it again; again
// says so.
func (t *Transaction) Commit() (send, again bool, err error) {
	switch t.State() {
	case NoTransaction:
		return false, false, ErrNoTransaction
	case TransactionAborted:
		return false, false, ErrCommitAfterAbort
	case TransactionStarting:
		t.committedEmpty = true
		t.become(TransactionCommitted)
		return false, false, nil
	case TransactionCommitted:
		return !t.committedEmpty, true, nil
	}
	t.become(TransactionCommitted)
	return true, false, nil
}

// Abort moves to aborted and reports whether abortTransaction must be sent.
func (t *Transaction) Abort() (send bool, err error) {
	s := t.State()
	switch s {
	case NoTransaction:
		return false, ErrNoTransaction
	case TransactionCommitted:
		return false, ErrAbortAfterCommit
	case TransactionAborted:
		return false, ErrAbortTwice
	}
	t.become(TransactionAborted)
	return s == TransactionInProgress, nil
}

// Outside notes that a command outside of the transaction is sent: a finished
// transaction is over.
func (t *Transaction) Outside() {
	if s := t.State(); s == TransactionCommitted || s == TransactionAborted {
		t.reset(NoTransaction, TransactionOptions{})
	}
}
