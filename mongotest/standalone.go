package mongotest

import (
	"testing"

	"github.com/motor-go/motor/mongotest/internal/storage"
)

// A Standalone is a running server in no replica set.
type Standalone struct {
	// Node is the server.
	*Node
}

// NewStandalone starts a standalone server that ends with the test.
func NewStandalone(t testing.TB, o Options) *Standalone {
	t.Helper()
	s, err := StartStandalone(o)
	if err != nil {
		t.Fatalf("start a standalone server: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// StartStandalone starts a standalone server. Nodes, Name and ElectionTimeout
// do not matter to it. Close ends it.
func StartStandalone(o Options) (*Standalone, error) {
	s, err := o.read()
	if err != nil {
		return nil, err
	}
	listeners, err := s.listenAll(1)
	if err != nil {
		return nil, err
	}
	n := &Node{settings: &s, address: listeners[0].Addr().String(), engine: storage.NewEngine(false)}
	n.engine.SetWritable(true, 0)
	if err := n.addUsers(); err != nil {
		listeners[0].Close()
		return nil, err
	}
	n.start(listeners[0])
	return &Standalone{n}, nil
}

// URI is a connection string for the server.
func (s *Standalone) URI() string { return s.settings.uri([]*Node{s.Node}) }

// Close ends the server and forgets its data.
func (s *Standalone) Close() { s.Kill() }
