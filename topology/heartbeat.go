package topology

import (
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/pool"
)

// heartbeat publishes the beginning of a check, and its end.
type heartbeat struct {
	topologyID bson.ObjectID
	observer   *event.Observer
	addr       string
	awaited    bool
}

// newHeartbeat begins a heartbeat.
func (m *monitor) newHeartbeat(awaited bool) heartbeat {
	t := m.server.topology
	h := heartbeat{topologyID: t.ID, observer: t.config.Observer, addr: m.server.addr, awaited: awaited}
	if h.observer == nil {
		h.observer = &event.Observer{}
	}
	if f := h.observer.ServerHeartbeatStarted; f != nil {
		driver, server := connectionIDs(m.conn)
		f(&event.ServerHeartbeatStarted{
			TopologyID: h.topologyID, Address: h.addr, DriverConnectionID: driver, ServerConnectionID: server, Awaited: awaited,
		})
	}
	return h
}

func (h heartbeat) succeeded(c *pool.Conn, duration time.Duration, reply bson.Raw) {
	if f := h.observer.ServerHeartbeatSucceeded; f != nil {
		driver, server := connectionIDs(c)
		f(&event.ServerHeartbeatSucceeded{
			TopologyID: h.topologyID, Address: h.addr, DriverConnectionID: driver, ServerConnectionID: server, Awaited: h.awaited,
			Duration: duration, Reply: reply,
		})
	}
}

func (h heartbeat) failed(c *pool.Conn, duration time.Duration, err error) {
	if f := h.observer.ServerHeartbeatFailed; f != nil {
		driver, server := connectionIDs(c)
		f(&event.ServerHeartbeatFailed{
			TopologyID: h.topologyID, Address: h.addr, DriverConnectionID: driver, ServerConnectionID: server, Awaited: h.awaited,
			Duration: duration, Failure: err,
		})
	}
}

// connectionIDs are 0 while there is no connection.
func connectionIDs(c *pool.Conn) (driver, server int64) {
	if c == nil {
		return 0, 0
	}
	return c.ID, c.ServerConnectionID
}
