package event

import (
	"time"

	"github.com/motor-go/motor/bson"
)

// PoolOptions are the options of a pool that is created.
type PoolOptions struct {
	MaxPoolSize   int // 0 means no limit
	MinPoolSize   int
	MaxConnecting int
	// MaxIdleTime and WaitQueueTimeout are 0 if there is no limit.
	MaxIdleTime, WaitQueueTimeout time.Duration
}

// PoolCreated says that a pool was made. It is paused at first.
type PoolCreated struct {
	Address string
	Options PoolOptions
}

// PoolReady says that a pool may hand out connections.
type PoolReady struct{ Address string }

// PoolCleared says that all connections made so far (or those of one service)
// are of a past generation.
type PoolCleared struct {
	Address                   string
	ServiceID                 *bson.ObjectID
	InterruptInUseConnections bool
	Error                     error
}

// PoolClosed says that a pool was closed for good.
type PoolClosed struct{ Address string }

// ConnectionCreated says that a connection was begun; it is not usable yet.
type ConnectionCreated struct {
	Address      string
	ConnectionID int64
}

// ConnectionReady says that a connection has finished its handshake.
type ConnectionReady struct {
	Address      string
	ConnectionID int64
	Duration     time.Duration
}

// Reason is why a connection was closed or a check-out failed.
type Reason string

// The reasons of the specification.
const (
	ReasonStale           Reason = "stale"
	ReasonIdle            Reason = "idle"
	ReasonError           Reason = "error"
	ReasonPoolClosed      Reason = "poolClosed"
	ReasonTimeout         Reason = "timeout"
	ReasonConnectionError Reason = "connectionError"
)

// ConnectionClosed says that a connection was closed.
type ConnectionClosed struct {
	Address      string
	ConnectionID int64
	Reason       Reason
	Error        error
}

// ConnectionCheckOutStarted says that somebody asks for a connection.
type ConnectionCheckOutStarted struct{ Address string }

// ConnectionCheckOutFailed says that somebody got none.
type ConnectionCheckOutFailed struct {
	Address  string
	Reason   Reason
	Duration time.Duration
	Error    error
}

// ConnectionCheckedOut says that somebody got a connection.
type ConnectionCheckedOut struct {
	Address      string
	ConnectionID int64
	Duration     time.Duration
}

// ConnectionCheckedIn says that a connection was given back.
type ConnectionCheckedIn struct {
	Address      string
	ConnectionID int64
}
