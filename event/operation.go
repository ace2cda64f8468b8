package event

import (
	"context"
	"time"

	"github.com/motor-go/motor/bson"
)

// OperationStarted says that a method of the API begins to do what it must send
// commands for, or that a transaction begins (open-telemetry). It comes before
// a server is selected.
type OperationStarted struct {
	// Context is that of the caller.
	Context context.Context
	// Name is that of the specification: find, findAndModify, createCollection,
	// or transaction for the operations between the first one of a transaction
	// and its end.
	Name           string
	DatabaseName   string // empty for a transaction
	CollectionName string // empty if there is none in particular
	// OperationID is that of the operation's commands.
	OperationID int64
	// Parent is the OperationID of the transaction that the operation belongs
	// to, or 0.
	Parent int64
}

// OperationEnded says how an operation ended.
type OperationEnded struct {
	OperationID int64
	Duration    time.Duration
	Failure     error // nil if it succeeded
}

// CollectionName is the collection that a command is about, or empty.
func CollectionName(command bson.Raw) string {
	for key, v := range command.All() {
		if key == "getMore" {
			v = command.Lookup("collection")
		}
		name, _ := v.Str()
		return name
	}
	return ""
}
