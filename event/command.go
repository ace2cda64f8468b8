package event

import (
	"time"

	"github.com/motor-go/motor/bson"
)

// CommandStarted says that a command is about to be sent.
type CommandStarted struct {
	Command            bson.Raw // empty for sensitive commands; valid during the call only
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
