package ops

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/wire"
)

// The error labels of the specifications.
const (
	RetryableWriteError            = "RetryableWriteError"
	RetryableError                 = "RetryableError"
	SystemOverloadedError          = "SystemOverloadedError"
	NoWritesPerformed              = "NoWritesPerformed"
	TransientTransactionError      = "TransientTransactionError"
	UnknownTransactionCommitResult = "UnknownTransactionCommitResult"
)

// ConnectionError says that a command got no answer: no server could be
// selected, no connection was to be had, or the connection broke.
type ConnectionError struct {
	Command string
	Server  string // address, empty if none was selected
	Labels  []string
	// Network says that the network or a cleared pool is the cause, so that
	// another attempt may fare better.
	Network bool
	// Sent says that the command may have reached the server.
	Sent bool
	Err  error
}

// Error is the command, the server if one was selected, and the reason.
func (e *ConnectionError) Error() string {
	why := fmt.Sprint(e.Err)
	if e.Server == "" || strings.Contains(why, e.Server) {
		return e.Command + ": " + why
	}
	return e.Command + " on " + e.Server + ": " + why
}

// Unwrap is the reason.
func (e *ConnectionError) Unwrap() error { return e.Err }

// Is makes errors.Is find ErrTimeout behind any passed deadline.
func (e *ConnectionError) Is(target error) bool {
	return target == wire.ErrTimeout && (errors.Is(e.Err, context.DeadlineExceeded) || errors.Is(e.Err, os.ErrDeadlineExceeded))
}

// HasLabel reports whether the error carries the label.
func (e *ConnectionError) HasLabel(label string) bool { return slices.Contains(e.Labels, label) }

// WriteConcernError says that a write was made but not confirmed as widely as
// its write concern asked for.
type WriteConcernError struct {
	Code    int32
	Name    string // codeName
	Message string // errmsg
	Details bson.Raw
	Labels  []string
	Server  string
	Reply   bson.Raw
}

// Error is the server's address, the error's name and code, and its message.
func (e *WriteConcernError) Error() string {
	return fmt.Sprintf("%s: write concern error: %s (%d): %s", e.Server, e.Name, e.Code, e.Message)
}

// Is makes errors.Is find the sentinel that stands for the error's code.
func (e *WriteConcernError) Is(target error) bool { return wire.CodeIs(e.Code, target) }

// HasLabel reports whether the error carries the label.
func (e *WriteConcernError) HasLabel(label string) bool { return slices.Contains(e.Labels, label) }

// WriteError says that one statement of a write command failed, or was not sent
// because it is too large.
type WriteError struct {
	// Index is the statement's place in what the user asked for.
	Index   int
	Code    int32
	Name    string // codeName, which only a mongos gives
	Message string // errmsg
	Details bson.Raw
	// Namespace is the collection that it was to change:
	// "database.collection".
	Namespace string
	// Server is the address of the server that refused it, empty if it was not
	// sent.
	Server string
	// Labels are the error labels of the reply.
	Labels []string
	// Raw is the entry of writeErrors as the server sent it.
	Raw bson.Raw
}

// Error is the index of the statement, its collection and the server, the
// server's message and code, and the beginning of the details.
func (e *WriteError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "statement %d", e.Index)
	if e.Namespace != "" {
		b.WriteString(" on " + e.Namespace)
	}
	if e.Server != "" {
		b.WriteString(" was refused by " + e.Server)
	} else {
		b.WriteString(" was not sent")
	}
	fmt.Fprintf(&b, ": %s (%d)", e.Message, e.Code)
	if e.Details.Len() > 0 {
		b.WriteString(": " + shortened(e.Details))
	}
	return b.String()
}

// shortened is doc as Extended JSON, cut off where it is too long for the text
// of an error.
func shortened(doc bson.Raw) string {
	const most = 300
	s := doc.String()
	if len(s) <= most {
		return s
	}
	end := most
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// HasLabel reports whether the reply carried the label.
func (e *WriteError) HasLabel(label string) bool { return slices.Contains(e.Labels, label) }

// Is makes errors.Is find the sentinel that stands for the error's code.
func (e *WriteError) Is(target error) bool { return wire.CodeIs(e.Code, target) }

// HasLabel reports whether any error in err's tree carries the label.
func HasLabel(err error, label string) bool {
	for err != nil {
		if l, ok := err.(interface{ HasLabel(string) bool }); ok && l.HasLabel(label) {
			return true
		}
		if m, ok := err.(interface{ Unwrap() []error }); ok {
			return slices.ContainsFunc(m.Unwrap(), func(e error) bool { return HasLabel(e, label) })
		}
		err = errors.Unwrap(err)
	}
	return false
}

// addLabel is the error with another label, if it is one of this package or of
// wire. The error itself stays as it is: observers, and the pool that it has
// cleared, may be reading it.
func addLabel(err error, label string) error {
	switch e := err.(type) {
	case *wire.CommandError:
		c := *e
		c.Labels = withLabel(e.Labels, label)
		return &c
	case *ConnectionError:
		c := *e
		c.Labels = withLabel(e.Labels, label)
		return &c
	case *WriteConcernError:
		c := *e
		c.Labels = withLabel(e.Labels, label)
		return &c
	}
	return err
}

func withLabel(labels []string, label string) []string {
	if slices.Contains(labels, label) {
		return labels
	}
	return append(slices.Clip(labels), label)
}

// replyError is what is wrong with a reply: it says ok: 0, or it holds a
// writeConcernError. The scan is one pass over the top of the reply.
func replyError(reply bson.Raw, server string) error {
	ok := false
	var wce bson.Raw
	for key, v := range reply.All() {
		switch key {
		case "ok":
			ok = v.Truthy()
		case "writeConcernError":
			wce, _ = v.Document()
		}
	}
	if !ok {
		e := wire.ReplyError(reply)
		e.Server = server
		return e
	}
	if wce == nil {
		return nil
	}
	e := &WriteConcernError{Server: server, Reply: reply, Labels: wire.ErrorLabels(reply)}
	for key, v := range wce.All() {
		switch key {
		case "code":
			code, _ := v.AsInt64()
			e.Code = int32(code)
		case "codeName":
			e.Name, _ = v.Str()
		case "errmsg":
			e.Message, _ = v.Str()
		case "errInfo":
			e.Details, _ = v.Document()
		case "errorLabels":
			e.Labels = append(e.Labels, wire.ErrorLabels(wce)...)
		}
	}
	return e
}

// WriteErrors are the entries of writeErrors in the reply.
func (r Result) WriteErrors() (list []*WriteError) {
	arr, ok := r.Reply.Lookup("writeErrors").Array()
	if !ok {
		return nil
	}
	labels, ns := wire.ErrorLabels(r.Reply), namespace(r.command)
	for v := range arr.Values() {
		doc, _ := v.Document()
		e := newWriteError(doc)
		e.Namespace, e.Server, e.Labels = ns, r.Server.Address(), labels
		list = append(list, e)
	}
	return list
}

func newWriteError(doc bson.Raw) *WriteError {
	e := &WriteError{Raw: doc}
	for key, v := range doc.All() {
		switch key {
		case "index":
			i, _ := v.AsInt64()
			e.Index = int(i)
		case "code":
			code, _ := v.AsInt64()
			e.Code = int32(code)
		case "codeName":
			e.Name, _ = v.Str()
		case "errmsg":
			e.Message, _ = v.Str()
		case "errInfo":
			e.Details, _ = v.Document()
		}
	}
	return e
}

// code is the server's error code in err, and whether there is one.
func code(err error) (int32, bool) {
	switch e := err.(type) {
	case *wire.CommandError:
		return e.Code, true
	case *WriteConcernError:
		return e.Code, true
	}
	return 0, false
}

// explainTransactionNumbers recognises a deployment without retryable writes,
// and thus without transactions, and says so.
func explainTransactionNumbers(e *wire.CommandError, inTransaction bool) {
	switch {
	case e.Code != 20 || !strings.HasPrefix(e.Message, "Transaction numbers"):
	case inTransaction:
		e.Message += "; transactions need a replica set or a sharded cluster"
	default:
		e.Message = "This MongoDB deployment does not support retryable writes. Please add retryWrites=false to your connection string."
	}
}

// redact keeps of a server's error only what gives nothing away: code, name
// and labels.
func redact(err error) error {
	if e, ok := err.(*wire.CommandError); ok {
		return &wire.CommandError{Code: e.Code, Name: e.Name, Labels: e.Labels, Command: e.Command, Server: e.Server}
	}
	return err
}
