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

// noticeKinds is a set of kinds.
type noticeKinds uint16

// listens is the set of kinds that o listens to.
func listens(o *event.Observer) (kinds noticeKinds) {
	if o == nil {
		return 0
	}
	for kind, heard := range [...]bool{
		poolCreated:       o.PoolCreated != nil,
		poolReady:         o.PoolReady != nil,
		poolCleared:       o.PoolCleared != nil,
		poolClosed:        o.PoolClosed != nil,
		connectionCreated: o.ConnectionCreated != nil,
		connectionReady:   o.ConnectionReady != nil,
		connectionClosed:  o.ConnectionClosed != nil,
		checkOutStarted:   o.ConnectionCheckOutStarted != nil,
		checkOutFailed:    o.ConnectionCheckOutFailed != nil,
		checkedOut:        o.ConnectionCheckedOut != nil,
		checkedIn:         o.ConnectionCheckedIn != nil,
	} {
		if heard {
			kinds |= 1 << kind
		}
	}
	return kinds
}

// note records n if somebody listens.
func (s *state) note(n notice) {
	if s.observed&(1<<n.kind) != 0 {
		s.notices = append(s.notices, n)
	}
}

// publish tells the observer, which listens to such notices, of n.
func publish(config *Config, n notice) {
	o, address := config.Observer, config.Address
	switch n.kind {
	case poolCreated:
		o.PoolCreated(&event.PoolCreated{Address: address, Options: event.PoolOptions{
			MaxPoolSize:      config.MaxPoolSize,
			MinPoolSize:      config.MinPoolSize,
			MaxConnecting:    config.MaxConnecting,
			MaxIdleTime:      config.MaxIdleTime,
			WaitQueueTimeout: config.WaitQueueTimeout,
		}})
	case poolReady:
		o.PoolReady(&event.PoolReady{Address: address})
	case poolCleared:
		o.PoolCleared(&event.PoolCleared{Address: address, ServiceID: n.serviceID, InterruptInUseConnections: n.interrupt, Error: n.err})
	case poolClosed:
		o.PoolClosed(&event.PoolClosed{Address: address})
	case connectionCreated:
		o.ConnectionCreated(&event.ConnectionCreated{Address: address, ConnectionID: n.conn})
	case connectionReady:
		o.ConnectionReady(&event.ConnectionReady{Address: address, ConnectionID: n.conn, Duration: n.duration})
	case connectionClosed:
		o.ConnectionClosed(&event.ConnectionClosed{Address: address, ConnectionID: n.conn, Reason: n.reason, Error: n.err})
	case checkOutStarted:
		o.ConnectionCheckOutStarted(&event.ConnectionCheckOutStarted{Address: address})
	case checkOutFailed:
		o.ConnectionCheckOutFailed(&event.ConnectionCheckOutFailed{Address: address, Reason: n.reason, Duration: n.duration, Error: n.err})
	case checkedOut:
		o.ConnectionCheckedOut(&event.ConnectionCheckedOut{Address: address, ConnectionID: n.conn, Duration: n.duration})
	case checkedIn:
		o.ConnectionCheckedIn(&event.ConnectionCheckedIn{Address: address, ConnectionID: n.conn})
	}
}
