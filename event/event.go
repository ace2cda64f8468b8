// Package event holds what the driver tells those who watch it: operations
// (open-telemetry) and their commands (command-logging-and-monitoring),
// connection pools (connection-monitoring-and-pooling), servers
// (server-discovery-and-monitoring) and the choice among them
// (server-selection). Names and fields are the specifications' own.
//
// An Observer is a struct of optional functions. They are called in the
// goroutine in which the thing happens: they must return quickly and must not
// call back into the client. An event costs nothing when nobody listens. Join
// makes one Observer of two.
//
// An operation is one call of the API; it sends commands, of which a retry is
// another. All of them carry its OperationID, and each a RequestID of its own. A
// command is started, and then either succeeds or fails. A sensitive command is
// one of authentication, which is shown without its contents. Events about a
// server name it by its Address. What an event points to is valid
// during the call only where its comment says so.
package event

// Observer receives events. Any function may be nil.
type Observer struct {
	OperationStarted func(*OperationStarted)
	OperationEnded   func(*OperationEnded)

	CommandStarted   func(*CommandStarted)
	CommandSucceeded func(*CommandSucceeded)
	CommandFailed    func(*CommandFailed)

	PoolCreated               func(*PoolCreated)
	PoolReady                 func(*PoolReady)
	PoolCleared               func(*PoolCleared)
	PoolClosed                func(*PoolClosed)
	ConnectionCreated         func(*ConnectionCreated)
	ConnectionReady           func(*ConnectionReady)
	ConnectionClosed          func(*ConnectionClosed)
	ConnectionCheckOutStarted func(*ConnectionCheckOutStarted)
	ConnectionCheckOutFailed  func(*ConnectionCheckOutFailed)
	ConnectionCheckedOut      func(*ConnectionCheckedOut)
	ConnectionCheckedIn       func(*ConnectionCheckedIn)

	TopologyOpening            func(*TopologyOpening)
	TopologyDescriptionChanged func(*TopologyDescriptionChanged)
	TopologyClosed             func(*TopologyClosed)
	ServerOpening              func(*ServerOpening)
	ServerDescriptionChanged   func(*ServerDescriptionChanged)
	ServerClosed               func(*ServerClosed)
	ServerHeartbeatStarted     func(*ServerHeartbeatStarted)
	ServerHeartbeatSucceeded   func(*ServerHeartbeatSucceeded)
	ServerHeartbeatFailed      func(*ServerHeartbeatFailed)

	ServerSelectionStarted   func(*ServerSelectionStarted)
	ServerSelectionWaiting   func(*ServerSelectionWaiting)
	ServerSelectionSucceeded func(*ServerSelectionSucceeded)
	ServerSelectionFailed    func(*ServerSelectionFailed)
}
