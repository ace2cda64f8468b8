package repl

import (
	"sync"
	"time"
)

// timer calls a function once some state has lasted for a while.
type timer struct{ t *time.Timer }

// set starts the timer if the state holds and it does not run yet, and stops it
// if the state does not hold. f is called with the lock held, which the caller
// of set and stop holds too.
func (t *timer) set(holds bool, lock sync.Locker, d time.Duration, f func()) {
	switch {
	case !holds:
		t.stop()
	case t.t == nil:
		var self *time.Timer
		self = time.AfterFunc(d, func() {
			lock.Lock()
			defer lock.Unlock()
			if t.t == self {
				t.t = nil
				f()
			}
		})
		t.t = self
	}
}

func (t *timer) stop() {
	if t.t != nil {
		t.t.Stop()
		t.t = nil
	}
}
