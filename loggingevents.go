package motor

import (
	"log/slog"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
)

// observeCommands logs as command-logging-and-monitoring has it.
func (c component) observeCommands(o *event.Observer) {
	o.CommandStarted = func(e *event.CommandStarted) {
		c.debug("Command started", func() []slog.Attr {
			return c.command(*e, c.document("command", e.Command.Raw()))
		})
	}
	o.CommandSucceeded = func(e *event.CommandSucceeded) {
		c.debug("Command succeeded", func() []slog.Attr {
			return c.command(event.CommandStarted{
				DatabaseName: e.DatabaseName, CommandName: e.CommandName, RequestID: e.RequestID, OperationID: e.OperationID,
				Address: e.Address, DriverConnectionID: e.DriverConnectionID, ServerConnectionID: e.ServerConnectionID, ServiceID: e.ServiceID,
			}, durationMS(e.Duration), c.document("reply", e.Reply))
		})
	}
	o.CommandFailed = func(e *event.CommandFailed) {
		c.debug("Command failed", func() []slog.Attr {
			return c.command(event.CommandStarted{
				DatabaseName: e.DatabaseName, CommandName: e.CommandName, RequestID: e.RequestID, OperationID: e.OperationID,
				Address: e.Address, DriverConnectionID: e.DriverConnectionID, ServerConnectionID: e.ServerConnectionID, ServiceID: e.ServiceID,
			}, durationMS(e.Duration), slog.Any("failure", e.Failure))
		})
	}
}

// command is what all messages about commands have.
func (c component) command(e event.CommandStarted, attrs ...slog.Attr) []slog.Attr {
	list := server(e.Address,
		slog.String("commandName", e.CommandName),
		slog.String("databaseName", e.DatabaseName),
		slog.Int64("requestId", int64(e.RequestID)),
		slog.Int64("operationId", e.OperationID),
		slog.Int64("driverConnectionId", e.DriverConnectionID))
	if e.ServerConnectionID != 0 {
		list = append(list, slog.Int64("serverConnectionId", e.ServerConnectionID))
	}
	return append(appendService(list, e.ServiceID), attrs...)
}

func appendService(list []slog.Attr, id *bson.ObjectID) []slog.Attr {
	if id != nil {
		list = append(list, slog.String("serviceId", id.Hex()))
	}
	return list
}

// closedReasons and checkOutReasons are the texts that
// connection-monitoring-and-pooling has for reasons.
var (
	closedReasons = map[event.Reason]string{
		event.ReasonStale:      "Connection became stale because the pool was cleared",
		event.ReasonIdle:       "Connection has been available but unused for longer than the configured max idle time",
		event.ReasonError:      "An error occurred while using the connection",
		event.ReasonPoolClosed: "Connection pool was closed",
	}
	checkOutReasons = map[event.Reason]string{
		event.ReasonTimeout:         "Wait queue timeout elapsed without a connection becoming available",
		event.ReasonConnectionError: "An error occurred while trying to establish a new connection",
		event.ReasonPoolClosed:      "Connection pool was closed",
	}
)

// observePools logs as connection-monitoring-and-pooling has it.
func (c component) observePools(o *event.Observer) {
	o.PoolCreated = func(e *event.PoolCreated) {
		c.debug("Connection pool created", func() []slog.Attr { return server(e.Address, poolOptions(e.Options)...) })
	}
	o.PoolReady = func(e *event.PoolReady) {
		c.debug("Connection pool ready", func() []slog.Attr { return server(e.Address) })
	}
	o.PoolCleared = func(e *event.PoolCleared) {
		c.debug("Connection pool cleared", func() []slog.Attr { return appendService(server(e.Address), e.ServiceID) })
	}
	o.PoolClosed = func(e *event.PoolClosed) {
		c.debug("Connection pool closed", func() []slog.Attr { return server(e.Address) })
	}
	o.ConnectionCreated = func(e *event.ConnectionCreated) {
		c.debug("Connection created", func() []slog.Attr { return connection(e.Address, e.ConnectionID) })
	}
	o.ConnectionReady = func(e *event.ConnectionReady) {
		c.debug("Connection ready", func() []slog.Attr { return append(connection(e.Address, e.ConnectionID), durationMS(e.Duration)) })
	}
	o.ConnectionClosed = func(e *event.ConnectionClosed) {
		c.debug("Connection closed", func() []slog.Attr {
			list := append(connection(e.Address, e.ConnectionID), slog.String("reason", closedReasons[e.Reason]))
			return appendError(list, e.Reason == event.ReasonError, e.Error)
		})
	}
	o.ConnectionCheckOutStarted = func(e *event.ConnectionCheckOutStarted) {
		c.debug("Connection checkout started", func() []slog.Attr { return server(e.Address) })
	}
	o.ConnectionCheckOutFailed = func(e *event.ConnectionCheckOutFailed) {
		c.debug("Connection checkout failed", func() []slog.Attr {
			list := server(e.Address, slog.String("reason", checkOutReasons[e.Reason]), durationMS(e.Duration))
			return appendError(list, e.Reason == event.ReasonConnectionError, e.Error)
		})
	}
	o.ConnectionCheckedOut = func(e *event.ConnectionCheckedOut) {
		c.debug("Connection checked out", func() []slog.Attr { return append(connection(e.Address, e.ConnectionID), durationMS(e.Duration)) })
	}
	o.ConnectionCheckedIn = func(e *event.ConnectionCheckedIn) {
		c.debug("Connection checked in", func() []slog.Attr { return connection(e.Address, e.ConnectionID) })
	}
}

func connection(addr string, id int64) []slog.Attr {
	return server(addr, slog.Int64("driverConnectionId", id))
}

func appendError(list []slog.Attr, present bool, err error) []slog.Attr {
	if present && err != nil {
		list = append(list, slog.Any("error", err))
	}
	return list
}

func poolOptions(o event.PoolOptions) []slog.Attr {
	list := []slog.Attr{
		slog.Int("minPoolSize", o.MinPoolSize),
		slog.Int("maxPoolSize", o.MaxPoolSize),
		slog.Int("maxConnecting", o.MaxConnecting),
	}
	if o.MaxIdleTime > 0 {
		list = append(list, slog.Int64("maxIdleTimeMS", o.MaxIdleTime.Milliseconds()))
	}
	if o.WaitQueueTimeout > 0 {
		list = append(list, slog.Int64("waitQueueTimeoutMS", o.WaitQueueTimeout.Milliseconds()))
	}
	return list
}

// observeTopology logs as server-discovery-and-monitoring has it.
func (c component) observeTopology(o *event.Observer) {
	o.TopologyOpening = func(e *event.TopologyOpening) {
		c.debug("Starting topology monitoring", func() []slog.Attr { return []slog.Attr{topologyID(e.TopologyID)} })
	}
	o.TopologyClosed = func(e *event.TopologyClosed) {
		c.debug("Stopped topology monitoring", func() []slog.Attr { return []slog.Attr{topologyID(e.TopologyID)} })
	}
	o.TopologyDescriptionChanged = func(e *event.TopologyDescriptionChanged) {
		c.debug("Topology description changed", func() []slog.Attr {
			return []slog.Attr{
				topologyID(e.TopologyID),
				slog.String("previousDescription", e.Previous.String()),
				slog.String("newDescription", e.New.String()),
			}
		})
	}
	o.ServerOpening = func(e *event.ServerOpening) {
		c.debug("Starting server monitoring", func() []slog.Attr { return server(e.Address, topologyID(e.TopologyID)) })
	}
	o.ServerClosed = func(e *event.ServerClosed) {
		c.debug("Stopped server monitoring", func() []slog.Attr { return server(e.Address, topologyID(e.TopologyID)) })
	}
	o.ServerHeartbeatStarted = func(e *event.ServerHeartbeatStarted) {
		c.debug("Server heartbeat started", func() []slog.Attr { return heartbeat(*e) })
	}
	o.ServerHeartbeatSucceeded = func(e *event.ServerHeartbeatSucceeded) {
		c.debug("Server heartbeat succeeded", func() []slog.Attr {
			started := event.ServerHeartbeatStarted{
				TopologyID: e.TopologyID, Address: e.Address, DriverConnectionID: e.DriverConnectionID,
				ServerConnectionID: e.ServerConnectionID, Awaited: e.Awaited,
			}
			return heartbeat(started, durationMS(e.Duration), c.document("reply", e.Reply))
		})
	}
	o.ServerHeartbeatFailed = func(e *event.ServerHeartbeatFailed) {
		c.debug("Server heartbeat failed", func() []slog.Attr {
			started := event.ServerHeartbeatStarted{
				TopologyID: e.TopologyID, Address: e.Address, DriverConnectionID: e.DriverConnectionID,
				ServerConnectionID: e.ServerConnectionID, Awaited: e.Awaited,
			}
			return heartbeat(started, durationMS(e.Duration), slog.Any("failure", e.Failure))
		})
	}
}

func topologyID(id bson.ObjectID) slog.Attr { return slog.String("topologyId", id.Hex()) }

func heartbeat(e event.ServerHeartbeatStarted, attrs ...slog.Attr) []slog.Attr {
	list := server(e.Address, topologyID(e.TopologyID), slog.Int64("driverConnectionId", e.DriverConnectionID), slog.Bool("awaited", e.Awaited))
	if e.ServerConnectionID != 0 {
		list = append(list, slog.Int64("serverConnectionId", e.ServerConnectionID))
	}
	return append(list, attrs...)
}

// observeSelection logs as server-selection has it.
func (c component) observeSelection(o *event.Observer) {
	o.ServerSelectionStarted = func(e *event.ServerSelectionStarted) {
		c.debug("Server selection started", func() []slog.Attr { return selection(e.ServerSelection) })
	}
	o.ServerSelectionWaiting = func(e *event.ServerSelectionWaiting) {
		c.log(slog.LevelInfo, "Waiting for suitable server to become available", func() []slog.Attr {
			return selection(e.ServerSelection, slog.Int64("remainingTimeMS", int64(e.Remaining/time.Millisecond)))
		})
	}
	o.ServerSelectionSucceeded = func(e *event.ServerSelectionSucceeded) {
		c.debug("Server selection succeeded", func() []slog.Attr { return selection(e.ServerSelection, server(e.Address)...) })
	}
	o.ServerSelectionFailed = func(e *event.ServerSelectionFailed) {
		c.debug("Server selection failed", func() []slog.Attr { return selection(e.ServerSelection, slog.Any("failure", e.Failure)) })
	}
}

func selection(e event.ServerSelection, attrs ...slog.Attr) []slog.Attr {
	return append([]slog.Attr{
		slog.String("selector", e.Selector.String()),
		slog.String("operation", e.Operation),
		slog.Int64("operationId", e.OperationID),
		slog.String("topologyDescription", e.Topology.String()),
	}, attrs...)
}
