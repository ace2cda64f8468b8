package topology

import (
	"context"
	"fmt"
	"time"

	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/topology/description"
)

// Select chooses a server for an operation. If none fits it has all servers
// checked at once and waits, for as long as ctx and ServerSelectionTimeout
// allow. The error is a *SelectionError.
//
// The server may change its mind at any time: an operation there can fail.
func (t *Topology) Select(ctx context.Context, want description.Selector) (*Server, error) {
	return t.SelectNotify(ctx, want, nil)
}

// SelectionTimeout is the ServerSelectionTimeout.
func (t *Topology) SelectionTimeout() time.Duration { return t.config.ServerSelectionTimeout }

// SelectNotify is Select that calls waiting, if that is not nil, once if it has
// to wait.
func (t *Topology) SelectNotify(ctx context.Context, want description.Selector, waiting func(remaining time.Duration)) (*Server, error) {
	if servers := t.current.Load().prepared(&want); len(servers) > 0 {
		return choose(servers), nil
	}
	if want.Filter == nil {
		want.Filter = t.config.ServerSelector
	}
	return t.await(ctx, want, waiting)
}

func (t *Topology) await(ctx context.Context, want description.Selector, waiting func(time.Duration)) (*Server, error) {
	start := time.Now()
	timer := time.NewTimer(t.config.ServerSelectionTimeout)
	defer timer.Stop()
	for {
		s := t.current.Load()
		servers, err := s.find(want)
		if s.closed {
			err = ErrClosed
		}
		if err == nil && len(servers) > 0 {
			return choose(servers), nil
		}
		if err == nil {
			if waiting != nil {
				waiting(t.config.ServerSelectionTimeout - time.Since(start))
				waiting = nil
			}
			err = s.outlast(ctx, timer.C)
		}
		if err != nil {
			last := t.current.Load().description
			return nil, &SelectionError{
				Selector: want,
				Topology: last,
				Waited:   time.Since(start),
				Err:      err,
				reasons:  last.WhyNot(want, t.config.HeartbeatFrequency),
			}
		}
	}
}

// outlast has all servers checked and waits until s is replaced. The error says
// what ended the wait.
func (s *snapshot) outlast(ctx context.Context, timeout <-chan time.Time) error {
	for _, server := range s.servers {
		server.requestCheck()
	}
	select {
	case <-s.replaced:
		return nil
	case <-timeout:
		return pool.Over("serverSelectionTimeoutMS", s.config.ServerSelectionTimeout)
	case <-ctx.Done():
		return fmt.Errorf("the context of the operation ended: %w", pool.Ended(ctx))
	}
}

// SelectionError says that no server was found for an operation.
type SelectionError struct {
	// Selector is what was asked for.
	Selector description.Selector
	// Topology is what was known in the end, with the last error of each
	// server.
	Topology description.Topology
	// Waited is how long a server was waited for.
	Waited time.Duration
	// Err is why the wait ended: the ServerSelectionTimeout, which is a
	// context.DeadlineExceeded, the cause of the context's end, ErrClosed, a
	// server with which the driver is not compatible, or a read preference
	// that makes no sense.
	Err error

	reasons string
}

// Error says what was known of each server and why it did not fit.
func (e *SelectionError) Error() string {
	return fmt.Sprintf("no server found for %v within %v: %v; topology %v: %s",
		e.Selector, e.Waited.Round(time.Millisecond), e.Err, e.Topology.Type, e.reasons)
}

// Unwrap is Err.
func (e *SelectionError) Unwrap() error { return e.Err }
