package motor

import "github.com/motor-go/motor/session"

// TransactionState is the state of a session's transaction.
type TransactionState = session.State

// The states of a transaction.
const (
	NoTransaction         = session.NoTransaction
	TransactionStarting   = session.TransactionStarting
	TransactionInProgress = session.TransactionInProgress
	TransactionCommitted  = session.TransactionCommitted
	TransactionAborted    = session.TransactionAborted
)

// SessionState is a session at one instant, for those who look into what a
// driver does.
type SessionState struct {
	Transaction TransactionState
	// Pinned is the address of the mongos that the transaction stays on; empty
	// if it is free.
	Pinned string
	// PinnedConnection says that the transaction stays on one connection, as it
	// must behind a load balancer.
	PinnedConnection bool
	// Dirty says that a network error happened during a command of the session,
	// so that the server's part of it is not used again.
	Dirty bool
}

// State is the session at this instant. It must not be called while an
// operation uses the session.
func (s *Session) State() SessionState {
	if !s.made() {
		return SessionState{}
	}
	t := &s.inner.Transaction
	return SessionState{Transaction: t.State(), Pinned: t.Pinned, PinnedConnection: t.Pin != nil, Dirty: s.inner.Dirty()}
}
