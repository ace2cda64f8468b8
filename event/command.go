package event

import (
	"time"

	"github.com/motor-go/motor/bson"
)

// Document is a document that is put together when somebody looks at it, each
// time anew. It must be looked at during the call that brings it; what Raw gives
// stays valid.
type Document func() bson.Raw

// Raw is the document, nil if there is none.
func (d Document) Raw() bson.Raw {
	if d == nil {
		return nil
	}
	return d()
}

// Lookup is the method of that name of Raw.
func (d Document) Lookup(path ...string) bson.RawValue { return d.Raw().Lookup(path...) }

// String is the document as relaxed Extended JSON.
func (d Document) String() string { return d.Raw().String() }

// CommandStarted says that a command is about to be sent.
type CommandStarted struct {
	// Command is the command with its documents as an array; empty for
	// sensitive commands.
	Command            Document
	DatabaseName       string
	CommandName        string
	RequestID          int32
	OperationID        int64
	Address            string
	DriverConnectionID int64
	ServerConnectionID int64 // 0 if the server gave none
	ServiceID          *bson.ObjectID
}

// CommandSucceeded says that a command was answered with ok: 1.
type CommandSucceeded struct {
	Duration           time.Duration
	Reply              bson.Raw // empty for sensitive commands; valid during the call only
	DatabaseName       string
	CommandName        string
	RequestID          int32
	OperationID        int64
	Address            string
	DriverConnectionID int64
	ServerConnectionID int64
	ServiceID          *bson.ObjectID
}

// CommandFailed says that a command was answered with ok: 0, or that no answer
// came.
type CommandFailed struct {
	Duration           time.Duration
	Failure            error
	DatabaseName       string
	CommandName        string
	RequestID          int32
	OperationID        int64
	Address            string
	DriverConnectionID int64
	ServerConnectionID int64
	ServiceID          *bson.ObjectID
}
