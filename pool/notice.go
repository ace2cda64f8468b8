package pool

import (
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
)

// notice is an event to be published.
type notice struct {
	kind      noticeKind
	conn      int64
	duration  time.Duration
	reason    event.Reason
	err       error
	serviceID *bson.ObjectID
	interrupt bool
}

type noticeKind uint8

const (
	poolCreated noticeKind = iota
	poolReady
	poolCleared
	poolClosed
	connectionCreated
	connectionReady
	connectionClosed
	checkOutStarted
	checkOutFailed
	checkedOut
	checkedIn
)

// note records n if somebody listens.
func (s *state) note(n notice) {
	if s.observed {
		s.notices = append(s.notices, n)
	}
}

// observes reports whether o listens to events of pools.
func observes(o *event.Observer) bool {
	return o != nil && (o.PoolCreated != nil || o.PoolReady != nil || o.PoolCleared != nil || o.PoolClosed != nil ||
		o.ConnectionCreated != nil || o.ConnectionReady != nil || o.ConnectionClosed != nil ||
		o.ConnectionCheckOutStarted != nil || o.ConnectionCheckOutFailed != nil ||
		o.ConnectionCheckedOut != nil || o.ConnectionCheckedIn != nil)
}

// publish tells o of n.
func publish(o *event.Observer, address string, options event.PoolOptions, n notice) {
	switch n.kind {
	case poolCreated:
		tell(o.PoolCreated, &event.PoolCreated{Address: address, Options: options})
	case poolReady:
		tell(o.PoolReady, &event.PoolReady{Address: address})
	case poolCleared:
		tell(o.PoolCleared, &event.PoolCleared{Address: address, ServiceID: n.serviceID, InterruptInUseConnections: n.interrupt, Error: n.err})
	case poolClosed:
		tell(o.PoolClosed, &event.PoolClosed{Address: address})
	case connectionCreated:
		tell(o.ConnectionCreated, &event.ConnectionCreated{Address: address, ConnectionID: n.conn})
	case connectionReady:
		tell(o.ConnectionReady, &event.ConnectionReady{Address: address, ConnectionID: n.conn, Duration: n.duration})
	case connectionClosed:
		tell(o.ConnectionClosed, &event.ConnectionClosed{Address: address, ConnectionID: n.conn, Reason: n.reason, Error: n.err})
	case checkOutStarted:
		tell(o.ConnectionCheckOutStarted, &event.ConnectionCheckOutStarted{Address: address})
	case checkOutFailed:
		tell(o.ConnectionCheckOutFailed, &event.ConnectionCheckOutFailed{Address: address, Reason: n.reason, Duration: n.duration, Error: n.err})
	case checkedOut:
		tell(o.ConnectionCheckedOut, &event.ConnectionCheckedOut{Address: address, ConnectionID: n.conn, Duration: n.duration})
	case checkedIn:
		tell(o.ConnectionCheckedIn, &event.ConnectionCheckedIn{Address: address, ConnectionID: n.conn})
	}
}

func tell[E any](listen func(*E), e *E) {
	if listen != nil {
		listen(e)
	}
}
