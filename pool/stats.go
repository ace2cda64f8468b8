package pool

import "time"

// State is a pool's state in the words of the specification.
type State string

// The states.
const (
	Paused State = "paused"
	Ready  State = "ready"
	Closed State = "closed"
)

// Stats is a pool at one instant.
type Stats struct {
	Address     string
	State       State
	Generation  uint64
	MaxPoolSize int // 0 is no bound
	// Pending, Available, InUse and Draining add up to all connections.
	Pending, Available, InUse, Draining int
	// Cursors and Transactions are those in use that are pinned.
	Cursors, Transactions int
	// Waiting is the length of the wait queue.
	Waiting int
	// WaitCount is how many had to wait for a connection so far, and
	// WaitDuration how long all together.
	WaitCount    int64
	WaitDuration time.Duration
	// Created and Closed count connections over the life of the pool.
	Created, Closed int64
}

// Total is the number of connections.
func (s *Stats) Total() int { return s.Pending + s.Available + s.InUse + s.Draining }
