package mongod

import (
	"context"
	"errors"
	"time"

	"github.com/motor-go/motor/mongotest/internal/repl"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// openTxn takes the snapshot of a transaction that has just begun.
func (r *request) openTxn() error {
	if !r.txn.inTxn || r.session.state != txnStarted {
		return nil
	}
	base := r.server.Engine.State()
	if r.read.at != nil {
		var err error
		if base, err = r.stateAt(*r.read.at); err != nil {
			return err
		}
	}
	tx, err := r.server.Engine.Begin(base, r.sessionWrite())
	if err != nil {
		return err
	}
	s := r.session
	s.tx, s.state, s.begun = tx, txnOpen, time.Now()
	return nil
}

// endTxn aborts the transaction that a command has failed in.
func (r *request) endTxn(err error) error {
	if r.txn.inTxn && r.checkedOut && r.command.name != "commitTransaction" && r.command.name != "abortTransaction" {
		if s := r.session; s.state == txnOpen || s.state == txnStarted {
			r.server.abortTxn(s)
		}
	}
	if errors.Is(err, storage.ErrAborted) {
		return errorf(codeNoSuchTransaction, "Transaction %d has been aborted.", r.txn.number)
	}
	return err
}

// transact runs a write: in the transaction of the command if it has one, by
// itself otherwise.
func (r *request) transact(work func(tx *storage.Tx) error) error {
	e := r.server.Engine
	if r.txn.inTxn {
		return e.With(r.session.tx, work)
	}
	at, err := e.Write(r.ctx, r.sessionWrite(), work)
	if at.Compare(r.touched) > 0 {
		r.touched = at
	}
	if err == nil {
		r.conn.lastOp = r.touched
	}
	r.wrote = true
	return err
}

// commitTransaction makes what a transaction did visible. It may be repeated.
func commitTransaction(r *request) (*doc, error) {
	if !r.txn.inTxn {
		return nil, errorf(codeCommandFailed, "commitTransaction must be run within a transaction")
	}
	s := r.session
	if s.state == txnCommitted {
		r.touched, r.wrote = s.commit, true
		return newDoc(), nil
	}
	at, err := r.server.Engine.Commit(s.tx)
	if err != nil {
		s.state, s.tx = txnAborted, nil
		return nil, r.endTxn(err)
	}
	s.state, s.tx, s.commit = txnCommitted, nil, at
	r.touched, r.wrote = at, true
	return newDoc(), nil
}

// confirmLoss has a majority confirm that the transaction which could not be
// committed is not known. A primary that others have replaced without its
// knowing may not have heard of the commit: then the transaction must not be
// tried again.
func (r *request) confirmLoss(e *Error) {
	if e.Code != codeNoSuchTransaction || r.name != "commitTransaction" || r.term == 0 {
		return
	}
	doubt := func(code int32, message string, info func(*doc)) {
		e.Labels = []string{}
		if isRetryable(code) && r.labelsRetryable() {
			e.Labels = []string{"RetryableWriteError"}
		}
		e.More = newDoc()
		r.appendWriteConcernError(e.More, code, message, info)
	}
	var err error
	if r.touched, err = r.server.note(r.ctx, "NoSuchTransaction"); err != nil {
		doubt(codePrimarySteppedDown, repl.ErrSteppedDown.Error(), nil)
		return
	}
	r.waitForWriteConcern(doubt)
}

// note writes an Entry that changes nothing.
func (s *Server) note(ctx context.Context, msg string) (storage.OpTime, error) {
	return s.Engine.Write(ctx, nil, func(tx *storage.Tx) error {
		return tx.Do(&storage.Op{Kind: storage.Noop, Stmt: storage.NoStmt, Object: newDoc().str("msg", msg).raw()})
	})
}

// abortTransaction ends a transaction without a trace.
func abortTransaction(r *request) (*doc, error) {
	if !r.txn.inTxn {
		return nil, errorf(codeCommandFailed, "abortTransaction must be run within a transaction")
	}
	r.server.abortTxn(r.session)
	return newDoc(), nil
}
