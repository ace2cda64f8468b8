// Package shelf keeps large buffers for those who come next. A sync.Pool gives
// up what it holds with the second garbage collection, and collections are
// frequent where large buffers are used.
package shelf

import (
	"sync"
	"time"
)

// Keep is how long something stays on a Shelf unused: long enough for a program
// that goes on using it, and no longer, as it is large.
const Keep = 3 * time.Second

// Shelf holds what is not in use, the last put first. The zero Shelf is ready
// to use, also concurrently.
type Shelf[T any] struct {
	mu    sync.Mutex
	items []item[T]
	timer *time.Timer // nil if there are no items
}

type item[T any] struct {
	value T
	since time.Time
}

// Take takes something off the shelf, if anything is there.
func (s *Shelf[T]) Take() (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.items) - 1
	if last < 0 {
		return v, false
	}
	v = s.items[last].value
	s.items[last] = item[T]{}
	s.items = s.items[:last]
	return v, true
}

// Put puts v on the shelf for a while.
func (s *Shelf[T]) Put(v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items = append(s.items, item[T]{v, time.Now()})
	if s.timer == nil {
		s.timer = time.AfterFunc(Keep, s.tidy)
	}
}

// tidy drops what has been there for long.
func (s *Shelf[T]) tidy() {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := 0
	for old < len(s.items) && time.Since(s.items[old].since) >= Keep {
		old++
	}
	kept := copy(s.items, s.items[old:])
	clear(s.items[kept:])
	s.items = s.items[:kept]
	if kept == 0 {
		s.timer = nil
		return
	}
	s.timer.Reset(time.Until(s.items[0].since.Add(Keep)))
}
