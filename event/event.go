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
