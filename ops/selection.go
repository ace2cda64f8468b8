package ops

import (
	"context"
	"time"

	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/topology"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// selectServer selects a server and publishes the events of that.
func (c *call) selectServer(ctx context.Context, want description.Selector) (*topology.Server, error) {
	o := c.Observer
	if o == nil || o.ServerSelectionStarted == nil && o.ServerSelectionWaiting == nil && o.ServerSelectionSucceeded == nil && o.ServerSelectionFailed == nil {
		return c.Topology.Select(ctx, want)
	}
	seen := event.ServerSelection{Operation: c.traits.name, OperationID: c.operationID(), Selector: want, Topology: c.Topology.Description()}
	if o.ServerSelectionStarted != nil {
		o.ServerSelectionStarted(&event.ServerSelectionStarted{ServerSelection: seen})
	}
	server, err := c.Topology.SelectNotify(ctx, want, func(remaining time.Duration) {
		if o.ServerSelectionWaiting != nil {
			o.ServerSelectionWaiting(&event.ServerSelectionWaiting{ServerSelection: seen, Remaining: remaining})
		}
	})
	seen.Topology = c.Topology.Description()
	switch {
	case err != nil && o.ServerSelectionFailed != nil:
		o.ServerSelectionFailed(&event.ServerSelectionFailed{ServerSelection: seen, Failure: err})
	case err == nil && o.ServerSelectionSucceeded != nil:
		o.ServerSelectionSucceeded(&event.ServerSelectionSucceeded{ServerSelection: seen, Address: server.Address()})
	}
	return server, err
}

// operationID is the identifier that joins the events of all attempts, made
// here unless the operation has one.
func (c *call) operationID() int64 {
	if c.operation == 0 {
		c.operation = c.env.OperationID
	}
	if c.operation == 0 {
		c.operation = NewOperationID()
	}
	return c.operation
}

// NewOperationID is an identifier for an operation of several commands.
func NewOperationID() int64 { return int64(wire.NextRequestID()) }
