package event

import (
	"time"

	"github.com/motor-go/motor/topology/description"
)

// ServerSelection is what an operation looks for, and what is known of the
// deployment at that time.
type ServerSelection struct {
	Operation   string // the name of the command
	OperationID int64
	Selector    description.Selector
	Topology    description.Topology
}

// ServerSelectionStarted says that an operation looks for a server.
type ServerSelectionStarted struct{ ServerSelection }

// ServerSelectionWaiting says that no server fits at present. It is published
// once per selection.
type ServerSelectionWaiting struct {
	ServerSelection
	Remaining time.Duration // until serverSelectionTimeoutMS is over
}

// ServerSelectionSucceeded says that a server was found.
type ServerSelectionSucceeded struct {
	ServerSelection
	Address string
}

// ServerSelectionFailed says that none was found in time.
type ServerSelectionFailed struct {
	ServerSelection
	Failure error
}
