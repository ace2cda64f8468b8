package ops

import (
	"context"
	"slices"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
	"github.com/motor-go/motor/session"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// endTransaction is commitTransaction or abortTransaction.
type endTransaction struct {
	Envelope
	name string
}

func (e *endTransaction) traits() traits {
	return traits{name: e.name, write: true, writeConcern: true, retry: retryWrite}
}

func (e *endTransaction) appendFields(dst []byte, _ *description.Server) []byte {
	return bson.AppendInt32(dst, e.name, 1)
}

// failed prepares another attempt: a commit that may have been heard waits for
// a majority from then on.
func (e *endTransaction) failed(err error) {
	refused := HasLabel(err, SystemOverloadedError) && HasLabel(err, RetryableError)
	if e.name == "commitTransaction" && !refused {
		e.WriteConcern = majority(e.WriteConcern)
	}
}

// CommitTransaction commits the transaction of s.
func (x *Executor) CommitTransaction(ctx context.Context, s *session.Session, t Timeout) error {
	if err := s.Enter(); err != nil {
		return err
	}
	defer s.Leave()
	send, again, err := s.Transaction.Commit()
	if err != nil || !send {
		x.endTransaction(s, err)
		return err
	}
	o := s.Transaction.Options
	cmd := &endTransaction{name: "commitTransaction"}
	cmd.Envelope = Envelope{DB: "admin", Session: s, Timeout: t, MaxTime: o.MaxCommitTime}
	if o.WriteConcern != nil {
		cmd.WriteConcern = *o.WriteConcern
	}
	if again {
		cmd.WriteConcern = majority(cmd.WriteConcern)
	}
	err = x.end(ctx, cmd)
	x.endTransaction(s, err)
	return err
}

// end sends the command in its session, which was entered.
func (x *Executor) end(ctx context.Context, cmd *endTransaction) error {
	c := call{Executor: x, command: cmd, traits: cmd.traits(), env: &cmd.Envelope}
	_, err := c.entered(ctx)
	return err
}

// AbortTransaction aborts the transaction of s. What the server says to it is
// of no use to anybody, and no error: failure is what kept it from the server.
func (x *Executor) AbortTransaction(ctx context.Context, s *session.Session, t Timeout) (failure, err error) {
	if err := s.Enter(); err != nil {
		return nil, err
	}
	defer s.Leave()
	send, err := s.Transaction.Abort()
	if err != nil {
		return nil, err
	}
	if send {
		cmd := &endTransaction{name: "abortTransaction"}
		cmd.Envelope = Envelope{DB: "admin", Session: s, Timeout: t}
		if wc := s.Transaction.Options.WriteConcern; wc != nil {
			cmd.WriteConcern = *wc
		}
		failure = x.end(ctx, cmd)
	}
	x.endTransaction(s, nil)
	x.Unpin(s)
	return failure, nil
}

// majority is the write concern of a commit that is sent again.
func majority(w concern.WriteConcern) concern.WriteConcern {
	w.W = concern.Majority
	if w.WTimeout == 0 {
		w.WTimeout = 10 * time.Second
	}
	return w
}

// endsTransaction reports whether the command is a commit or an abort.
func endsTransaction(name string) bool {
	return name == "commitTransaction" || name == "abortTransaction"
}

// labelTransaction is err with the labels that the transactions specification
// asks of the driver, for an error of a command in a transaction or of its end.
func labelTransaction(err error, name string) error {
	switch name {
	case "commitTransaction":
		if unknownCommit(err) {
			return addLabel(err, UnknownTransactionCommitResult)
		}
	case "abortTransaction":
	default:
		if _, ok := err.(*ConnectionError); ok {
			return addLabel(err, TransientTransactionError)
		}
	}
	return err
}

// unknownCommit reports whether err leaves open if the transaction committed.
func unknownCommit(err error) bool {
	switch e := err.(type) {
	case *ConnectionError:
		return true
	case *WriteConcernError:
		const unsatisfiable, unknownMode = 100, 79
		return e.Code != unsatisfiable && e.Code != unknownMode
	case *wire.CommandError:
		const maxTimeExpired = 50
		return e.Code == maxTimeExpired || e.HasLabel(RetryableWriteError) || slices.Contains(retryableWriteCodes, e.Code)
	}
	return false
}
