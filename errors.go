package motor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/ops"
	"github.com/motor-go/motor/session"
	"github.com/motor-go/motor/topology"
	"github.com/motor-go/motor/wire"
)

// Errors that callers branch on with errors.Is.
var (
	// ErrNoDocuments says that nothing matched.
	ErrNoDocuments = errors.New("no document matches")
	// ErrDuplicateKey says that a unique index forbids a write.
	ErrDuplicateKey = wire.ErrDuplicateKey
	// ErrTimeout says that a deadline passed, here or on the server.
	ErrTimeout = wire.ErrTimeout
	// ErrClientClosed says that the client was closed.
	ErrClientClosed = errors.New("the client is closed")
	// ErrSessionEnded says that the session has ended.
	ErrSessionEnded = session.ErrEnded
	// ErrWrongClient says that the context carries a session of another client.
	ErrWrongClient = errors.New("the context carries a session of another client")
)

type (
	// CommandError is a server's answer that a command failed.
	CommandError = wire.CommandError
	// ConnectionError says that a command got no answer: no server could be
	// selected, no connection was to be had, or the connection broke.
	ConnectionError = ops.ConnectionError
	// SelectionError says that no server fitted, and what was known of each.
	SelectionError = topology.SelectionError
	// WriteConcernError says that a write was made but not confirmed as widely
	// as its write concern asked for.
	WriteConcernError = ops.WriteConcernError
	// WriteError says that one statement of a write failed.
	WriteError = ops.WriteError
)

// WriteException says what went wrong with the statements of a write. Those
// that are not named succeeded, or were not tried after an error if the write
// was ordered.
type WriteException struct {
	// WriteErrors are the statements that failed, by their index.
	WriteErrors []WriteError
	// WriteConcernError is set if the write was not confirmed as widely as
	// asked for.
	WriteConcernError *WriteConcernError
	// Labels are the error labels of the reply.
	Labels []string
	// Reply is the server's whole reply.
	Reply bson.Raw
}

func (e *WriteException) Error() string {
	var parts []string
	const most = 5
	for i, w := range e.WriteErrors {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more", len(e.WriteErrors)-most))
			break
		}
		parts = append(parts, w.Error())
	}
	if e.WriteConcernError != nil {
		parts = append(parts, e.WriteConcernError.Error())
	}
	return strings.Join(parts, "; ")
}

// Unwrap are the write errors and the write concern error.
func (e *WriteException) Unwrap() []error {
	list := make([]error, 0, len(e.WriteErrors)+1)
	for _, w := range e.WriteErrors {
		list = append(list, w)
	}
	if e.WriteConcernError != nil {
		list = append(list, e.WriteConcernError)
	}
	return list
}

// HasLabel reports whether the error carries the label.
func (e *WriteException) HasLabel(label string) bool {
	return slices.Contains(e.Labels, label) || e.WriteConcernError != nil && e.WriteConcernError.HasLabel(label)
}

// The error labels of the specifications.
const (
	RetryableWriteError            = ops.RetryableWriteError
	RetryableError                 = ops.RetryableError
	SystemOverloadedError          = ops.SystemOverloadedError
	NoWritesPerformed              = ops.NoWritesPerformed
	TransientTransactionError      = ops.TransientTransactionError
	UnknownTransactionCommitResult = ops.UnknownTransactionCommitResult
)

// HasErrorLabel reports whether any error in err's tree carries the label.
func HasErrorLabel(err error, label string) bool { return ops.HasLabel(err, label) }

// writeError makes one error of what a write command was answered.
func writeError(reply bson.Raw, base int, err error) error {
	var wce *WriteConcernError
	if err != nil && !errors.As(err, &wce) {
		return err
	}
	list := ops.WriteErrors(reply, base)
	if len(list) == 0 && wce == nil {
		return nil
	}
	return &WriteException{WriteErrors: list, WriteConcernError: wce, Labels: wire.ErrorLabels(reply), Reply: reply}
}

// bulkError makes one error of what became of a bulk write.
func bulkError(out *ops.Outcome) error {
	if !out.Failed() {
		return nil
	}
	if len(out.WriteErrors) == 0 && len(out.WriteConcernErrors) == 0 {
		return out.Err
	}
	e := &WriteException{WriteErrors: out.WriteErrors, Labels: out.Labels, Reply: out.Reply}
	if n := len(out.WriteConcernErrors); n > 0 {
		e.WriteConcernError = out.WriteConcernErrors[n-1]
	}
	return errors.Join(e, out.Err)
}
