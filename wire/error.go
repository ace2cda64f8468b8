package wire

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

// CommandError is a server's answer that a command failed (ok: 0).
type CommandError struct {
	Code      int32    // the server's error code, 0 if it gave none
	Name      string   // codeName
	Message   string   // errmsg
	Labels    []string // errorLabels, and those that the driver adds
	Command   string   // name of the command, empty for those of a handshake
	Namespace string   // "database.collection", empty if the command is about none
	Server    string   // address of the server that answered
	Reply     bson.Raw // the whole reply
}

// Error is the command, its namespace and the server, as far as they are known,
// the error's name and code, and its message.
func (e *CommandError) Error() string {
	var b strings.Builder
	b.WriteString(e.Command)
	if e.Namespace != "" {
		b.WriteString(" " + e.Namespace)
	}
	if b.Len() > 0 && e.Server != "" {
		b.WriteString(" on ")
	}
	b.WriteString(e.Server)
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if e.Name != "" {
		fmt.Fprintf(&b, "%s (%d): %s", e.Name, e.Code, e.Message)
	} else {
		fmt.Fprintf(&b, "error %d: %s", e.Code, e.Message)
	}
	return b.String()
}

// Errors that callers branch on with errors.Is.
var (
	ErrDuplicateKey     = errors.New("duplicate key")
	ErrTimeout          = errors.New("timed out")
	ErrDocumentTooLarge = errors.New("document too large")
)

// BSONObjectTooLarge is the server's code for a document that is too large.
const BSONObjectTooLarge = 10334

// Is makes errors.Is find the sentinel that stands for the error's code.
func (e *CommandError) Is(target error) bool { return CodeIs(e.Code, target) }

// CodeIs reports whether target is the sentinel that stands for a server's
// error code.
func CodeIs(code int32, target error) bool {
	switch target {
	case ErrDuplicateKey:
		return code == 11000 || code == 11001 || code == 12582
	case ErrTimeout:
		return code == 50
	case ErrDocumentTooLarge:
		// The codes without a name are those of updates and upserts.
		return code == BSONObjectTooLarge || code == 17419 || code == 17420 || code == 7655103
	}
	return false
}

// HasLabel reports whether the error carries the label.
func (e *CommandError) HasLabel(label string) bool { return slices.Contains(e.Labels, label) }

// ReplyError is the *CommandError that reply holds, or nil if it says ok: 1.
func ReplyError(reply bson.Raw) *CommandError {
	if reply.Lookup("ok").Truthy() {
		return nil
	}
	e := &CommandError{Labels: ErrorLabels(reply), Reply: reply}
	for key, v := range reply.All() {
		switch key {
		case "code":
			code, _ := v.AsInt64()
			e.Code = int32(code)
		case "codeName":
			e.Name, _ = v.Str()
		case "errmsg", "$err":
			e.Message, _ = v.Str()
		}
	}
	if e.Message == "" {
		e.Message = "the server said that the command failed, and no more"
	}
	return e
}

// ErrorLabels are the labels at the top of a reply.
func ErrorLabels(reply bson.Raw) (labels []string) {
	arr, _ := reply.Lookup("errorLabels").Array()
	for v := range arr.Values() {
		if s, ok := v.Str(); ok {
			labels = append(labels, s)
		}
	}
	return labels
}
