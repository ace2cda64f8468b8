package session

import (
	"errors"
	"testing"

	"github.com/motor-go/motor/concern"
)

// A history is a list of operations; each says what it must answer and the
// state after it.
type step struct {
	do    string
	send  bool
	again bool
	err   error
	state State
}

func TestTransactionHistories(t *testing.T) {
	for name, history := range map[string][]step{
		"commit": {
			{do: "start", state: TransactionStarting},
			{do: "sent", send: true, state: TransactionInProgress},
			{do: "sent", state: TransactionInProgress},
			{do: "commit", send: true, state: TransactionCommitted},
			{do: "commit", send: true, again: true, state: TransactionCommitted},
			{do: "abort", err: ErrAbortAfterCommit, state: TransactionCommitted},
			{do: "start", state: TransactionStarting},
		},
		"abort": {
			{do: "start", state: TransactionStarting},
			{do: "sent", send: true, state: TransactionInProgress},
			{do: "abort", send: true, state: TransactionAborted},
			{do: "abort", err: ErrAbortTwice, state: TransactionAborted},
			{do: "commit", err: ErrCommitAfterAbort, state: TransactionAborted},
			{do: "start", state: TransactionStarting},
		},
		"empty": {
			{do: "start", state: TransactionStarting},
			{do: "commit", state: TransactionCommitted},
			{do: "commit", again: true, state: TransactionCommitted},
			{do: "start", state: TransactionStarting},
			{do: "abort", state: TransactionAborted},
		},
		"none": {
			{do: "commit", err: ErrNoTransaction},
			{do: "abort", err: ErrNoTransaction},
			{do: "sent"},
		},
		"twice": {
			{do: "start", state: TransactionStarting},
			{do: "start", err: ErrTransactionInProgress, state: TransactionStarting},
			{do: "sent", send: true, state: TransactionInProgress},
			{do: "start", err: ErrTransactionInProgress, state: TransactionInProgress},
		},
		"operation after commit": {
			{do: "start", state: TransactionStarting},
			{do: "sent", send: true, state: TransactionInProgress},
			{do: "commit", send: true, state: TransactionCommitted},
			{do: "outside"},
			{do: "commit", err: ErrNoTransaction},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var txn Transaction
			for i, want := range history {
				var got step
				switch got.do = want.do; want.do {
				case "start":
					got.err = txn.Start(TransactionOptions{})
				case "sent":
					got.send = txn.Sent()
				case "commit":
					got.send, got.again, got.err = txn.Commit()
				case "abort":
					got.send, got.err = txn.Abort()
				case "outside":
					txn.Outside()
				}
				got.state = txn.State()
				if got != want {
					t.Fatalf("step %d: got %+v, want %+v", i, got, want)
				}
			}
		})
	}
}

func TestTransactionRefusesUnacknowledged(t *testing.T) {
	var txn Transaction
	err := txn.Start(TransactionOptions{WriteConcern: &concern.WriteConcern{W: 0}})
	if !errors.Is(err, ErrUnacknowledgedTxn) || txn.State() != NoTransaction {
		t.Fatalf("start with w: 0 gave %v in state %v", err, txn.State())
	}
}
