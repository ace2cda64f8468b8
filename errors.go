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
	// ErrTimeout says that a deadline passed, here or on the server: that of a
	// context, timeoutMS or one of the older timeouts.
	ErrTimeout = wire.ErrTimeout
	// ErrDocumentTooLarge says that a document, or a statement of a write, is
	// larger than servers take. A write that the driver refuses for that is a
	// *WriteError without a Server.
	ErrDocumentTooLarge = wire.ErrDocumentTooLarge
	// ErrClientClosed says that the client was closed.
	ErrClientClosed = topology.ErrClosed
	// ErrSessionEnded says that the session has ended.
	ErrSessionEnded = session.ErrEnded
	// ErrSessionsUnsupported says that a server knows nothing of sessions.
	ErrSessionsUnsupported = session.ErrUnsupported
	// ErrTransactionEnded says that the context is that of a function of
	// WithTransaction that has returned.
	ErrTransactionEnded = errors.New("the transaction of the context has ended")
	// ErrWrongClient says that the context carries a session of another client.
	ErrWrongClient = errors.New("the context carries a session of another client")

	errNotConnected = errors.New("there is no client; make one with Connect, and databases, collections, sessions and cursors with its methods")
	errNoContext    = errors.New("the context is nil; pass context.Background() where there is none")
)

type (
	// CommandError is a server's answer that a command failed: the Command, its
	// Namespace, the Server, the Code, Name, Message and Labels, and the whole
	// Reply.
	CommandError = wire.CommandError
	// ConnectionError says that a command got no answer: no server could be
	// selected, no connection was to be had, or the connection broke. It has the
	// Command, the Server, the Labels, the cause Err, whether that is the
	// Network, and whether the command may have been Sent.
	ConnectionError = ops.ConnectionError
	// SelectionError says that no server fitted: the Selector, what was known of
	// each server (Topology), how long was Waited, and Err, which ended that.
	SelectionError = topology.SelectionError
	// WriteConcernError says that a write was made but not confirmed as widely
	// as its write concern asked for: the Server, the Code, Name, Message,
	// Details and Labels, and the whole Reply.
	WriteConcernError = ops.WriteConcernError
	// WriteError says that one statement of a write failed: its Index and
	// Namespace, the Server, the Code, Name, Message, Details and Labels, and all
	// that as it came, Raw. The driver makes those with ErrDocumentTooLarge for
	// statements that it does not send; they have no Server.
	WriteError = ops.WriteError
)

// DecodeError says that one document of a result could not be decoded. Those
// behind it may well be.
type DecodeError struct {
	// Server is the address of the server that sent it.
	Server string
	// Namespace is that of the document: its database and collection.
	Namespace string
	// ID is the document's _id. It is zero if the document came without one.
	ID bson.RawValue
	// Document is what could not be decoded, as it came: of a change stream, the
	// whole event.
	Document bson.Raw
	// Err says what is wrong and where; it is a *bson.DecodeError.
	Err error
}

// Error says which document it was, and why.
func (e *DecodeError) Error() string {
	if e.ID.IsZero() {
		return fmt.Sprintf("%s: %s: a document without _id: %v", e.Server, e.Namespace, e.Err)
	}
	return fmt.Sprintf("%s: %s: the document with the _id %.100s: %v", e.Server, e.Namespace, e.ID, e.Err)
}

// Unwrap is e.Err.
func (e *DecodeError) Unwrap() error { return e.Err }

// undecodable is the error about a document, which may be lent, that could not be
// decoded because of err.
func undecodable(err error, server, ns string, doc bson.Raw) error {
	doc = doc.Clone()
	return &DecodeError{Server: server, Namespace: ns, ID: doc.Lookup("_id"), Document: doc, Err: err}
}

// BulkWriteError says what went wrong with the statements of InsertMany or
// BulkWrite. Those that are not named succeeded, or were not tried after an
// error if the write was ordered.
type BulkWriteError struct {
	// WriteErrors are the statements that failed, by their index.
	WriteErrors []*WriteError
	// WriteConcernErrors say which commands were not confirmed as widely as
	// asked for.
	WriteConcernErrors []*WriteConcernError
	// Err is what ended the write before all statements were tried, if
	// something else did.
	Err error
	// Labels are the error labels of the replies.
	Labels []string
	// Reply is the server's last reply.
	Reply bson.Raw
}

// Error is the first five of the errors, and the number of the others.
func (e *BulkWriteError) Error() string {
	var parts []string
	const most = 5
	for i, err := range e.Unwrap() {
		if i == most {
			parts = append(parts, fmt.Sprintf("and %d more errors", len(e.Unwrap())-most))
			break
		}
		parts = append(parts, err.Error())
	}
	return "bulk write: " + strings.Join(parts, "; ")
}

// Unwrap is all of the errors.
func (e *BulkWriteError) Unwrap() []error {
	var list []error
	for _, w := range e.WriteErrors {
		list = append(list, w)
	}
	for _, w := range e.WriteConcernErrors {
		list = append(list, w)
	}
	if e.Err != nil {
		list = append(list, e.Err)
	}
	return list
}

// HasLabel reports whether a reply carried the label.
func (e *BulkWriteError) HasLabel(label string) bool { return slices.Contains(e.Labels, label) }

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

// writeError is what went wrong with a write of one statement, given the error
// that its command met.
func writeError(res ops.Result, err error) error {
	if list := res.WriteErrors(); len(list) > 0 {
		if err != nil {
			return errors.Join(list[0], err)
		}
		return list[0]
	}
	return err
}

// wasMade reports whether a write of one statement, which ended with err, was made.
func wasMade(err error) bool {
	if err == nil {
		return true
	}
	_, unconfirmed := err.(*WriteConcernError)
	return unconfirmed
}

// bulkError makes one error of what became of a bulk write.
func bulkError(out *ops.Outcome) error {
	switch {
	case !out.Failed():
		return nil
	case len(out.WriteErrors) == 0 && len(out.WriteConcernErrors) == 0:
		return out.Err
	}
	return &BulkWriteError{
		WriteErrors: out.WriteErrors, WriteConcernErrors: out.WriteConcernErrors, Err: out.Err,
		Labels: out.Labels, Reply: out.Reply,
	}
}
