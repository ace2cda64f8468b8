package storage

import "sync"

// A Broadcast wakes everybody who waits for something to change.
type Broadcast struct {
	mu sync.Mutex
	ch chan struct{}
}

// Wait is closed by the next Notify. Take it before looking at what may change.
func (b *Broadcast) Wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch == nil {
		b.ch = make(chan struct{})
	}
	return b.ch
}

// Notify says that something has changed.
func (b *Broadcast) Notify() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ch != nil {
		close(b.ch)
		b.ch = nil
	}
}
