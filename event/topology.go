package event

import (
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology/description"
)

// TopologyOpening says that a client starts to look for its deployment. It is
// the first event of a topology.
type TopologyOpening struct{ TopologyID bson.ObjectID }

// TopologyDescriptionChanged says that something is known otherwise than
// before, round trip times and dates apart.
type TopologyDescriptionChanged struct {
	TopologyID bson.ObjectID
	Previous   description.Topology
	New        description.Topology
}

// TopologyClosed says that a client was closed. It is the last event of a
// topology.
type TopologyClosed struct{ TopologyID bson.ObjectID }

// ServerOpening says that a server became part of the topology.
type ServerOpening struct {
	TopologyID bson.ObjectID
	Address    string
}

// ServerDescriptionChanged says that something of a server is known otherwise
// than before, round trip times and dates apart.
type ServerDescriptionChanged struct {
	TopologyID bson.ObjectID
	Address    string
	Previous   description.Server
	New        description.Server
}

// ServerClosed says that a server is not part of the topology any more.
type ServerClosed struct {
	TopologyID bson.ObjectID
	Address    string
}

// ServerHeartbeatStarted says that a monitor is about to check a server, or to
// read the next reply of one that streams them.
type ServerHeartbeatStarted struct {
	TopologyID         bson.ObjectID
	Address            string
	DriverConnectionID int64
	ServerConnectionID int64 // 0 if not known (yet)
	// Awaited says that the server answers when its state changes or after a
	// while.
	Awaited bool
}

// ServerHeartbeatSucceeded says that a check was answered with ok: 1.
type ServerHeartbeatSucceeded struct {
	TopologyID         bson.ObjectID
	Address            string
	DriverConnectionID int64
	ServerConnectionID int64
	Awaited            bool
	// Duration is a round trip time only if the check was not awaited.
	Duration time.Duration
	Reply    bson.Raw // valid during the call only
}

// ServerHeartbeatFailed says that a check failed, or was given up.
type ServerHeartbeatFailed struct {
	TopologyID         bson.ObjectID
	Address            string
	DriverConnectionID int64
	ServerConnectionID int64
	Awaited            bool
	Duration           time.Duration
	Failure            error
}

// OpenTopology publishes that the topology was opened as t.
func (o *Observer) OpenTopology(id bson.ObjectID, t description.Topology) {
	if o == nil {
		return
	}
	if o.TopologyOpening != nil {
		o.TopologyOpening(&TopologyOpening{id})
	}
	o.topologyChanged(id, description.Topology{}, t)
	for _, s := range t.Servers {
		o.serverOpening(id, s.Addr)
	}
}

// ChangeTopology publishes what differs between two descriptions of the
// topology, in the order of the specification; nothing if they are equal.
func (o *Observer) ChangeTopology(id bson.ObjectID, from, to description.Topology) {
	if o == nil {
		return
	}
	changes := description.Diff(from, to)
	if o.ServerDescriptionChanged != nil {
		for _, s := range changes.Changed {
			o.ServerDescriptionChanged(&ServerDescriptionChanged{id, s.New.Addr, s.Old, s.New})
		}
	}
	for _, s := range changes.Added {
		o.serverOpening(id, s.Addr)
	}
	for _, s := range changes.Removed {
		o.serverClosed(id, s.Addr)
	}
	if changes.Topology {
		o.topologyChanged(id, from, to)
	}
}

// CloseTopology publishes that the topology, last known as t, was closed.
func (o *Observer) CloseTopology(id bson.ObjectID, t description.Topology) {
	if o == nil {
		return
	}
	for _, s := range t.Servers {
		o.serverClosed(id, s.Addr)
	}
	o.topologyChanged(id, t, description.Topology{})
	if o.TopologyClosed != nil {
		o.TopologyClosed(&TopologyClosed{id})
	}
}

func (o *Observer) topologyChanged(id bson.ObjectID, from, to description.Topology) {
	if o.TopologyDescriptionChanged != nil {
		o.TopologyDescriptionChanged(&TopologyDescriptionChanged{id, from, to})
	}
}

func (o *Observer) serverOpening(id bson.ObjectID, addr string) {
	if o.ServerOpening != nil {
		o.ServerOpening(&ServerOpening{id, addr})
	}
}

func (o *Observer) serverClosed(id bson.ObjectID, addr string) {
	if o.ServerClosed != nil {
		o.ServerClosed(&ServerClosed{id, addr})
	}
}
