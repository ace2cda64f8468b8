package event

// Join is an Observer that calls a, then b. Either may be nil.
func Join(a, b *Observer) *Observer {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	return &Observer{
		OperationStarted: join(a.OperationStarted, b.OperationStarted),
		OperationEnded:   join(a.OperationEnded, b.OperationEnded),

		CommandStarted:   join(a.CommandStarted, b.CommandStarted),
		CommandSucceeded: join(a.CommandSucceeded, b.CommandSucceeded),
		CommandFailed:    join(a.CommandFailed, b.CommandFailed),

		PoolCreated:               join(a.PoolCreated, b.PoolCreated),
		PoolReady:                 join(a.PoolReady, b.PoolReady),
		PoolCleared:               join(a.PoolCleared, b.PoolCleared),
		PoolClosed:                join(a.PoolClosed, b.PoolClosed),
		ConnectionCreated:         join(a.ConnectionCreated, b.ConnectionCreated),
		ConnectionReady:           join(a.ConnectionReady, b.ConnectionReady),
		ConnectionClosed:          join(a.ConnectionClosed, b.ConnectionClosed),
		ConnectionCheckOutStarted: join(a.ConnectionCheckOutStarted, b.ConnectionCheckOutStarted),
		ConnectionCheckOutFailed:  join(a.ConnectionCheckOutFailed, b.ConnectionCheckOutFailed),
		ConnectionCheckedOut:      join(a.ConnectionCheckedOut, b.ConnectionCheckedOut),
		ConnectionCheckedIn:       join(a.ConnectionCheckedIn, b.ConnectionCheckedIn),

		TopologyOpening:            join(a.TopologyOpening, b.TopologyOpening),
		TopologyDescriptionChanged: join(a.TopologyDescriptionChanged, b.TopologyDescriptionChanged),
		TopologyClosed:             join(a.TopologyClosed, b.TopologyClosed),
		ServerOpening:              join(a.ServerOpening, b.ServerOpening),
		ServerDescriptionChanged:   join(a.ServerDescriptionChanged, b.ServerDescriptionChanged),
		ServerClosed:               join(a.ServerClosed, b.ServerClosed),
		ServerHeartbeatStarted:     join(a.ServerHeartbeatStarted, b.ServerHeartbeatStarted),
		ServerHeartbeatSucceeded:   join(a.ServerHeartbeatSucceeded, b.ServerHeartbeatSucceeded),
		ServerHeartbeatFailed:      join(a.ServerHeartbeatFailed, b.ServerHeartbeatFailed),

		ServerSelectionStarted:   join(a.ServerSelectionStarted, b.ServerSelectionStarted),
		ServerSelectionWaiting:   join(a.ServerSelectionWaiting, b.ServerSelectionWaiting),
		ServerSelectionSucceeded: join(a.ServerSelectionSucceeded, b.ServerSelectionSucceeded),
		ServerSelectionFailed:    join(a.ServerSelectionFailed, b.ServerSelectionFailed),
	}
}

func join[E any](a, b func(E)) func(E) {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	return func(e E) {
		a(e)
		b(e)
	}
}
