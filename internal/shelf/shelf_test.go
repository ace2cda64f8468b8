package shelf

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestLastPutIsTakenFirst(t *testing.T) {
	var s Shelf[int]
	if v, ok := s.Take(); ok {
		t.Errorf("%d is on an empty shelf", v)
	}
	s.Put(1)
	s.Put(2)
	for _, want := range []int{2, 1} {
		if v, ok := s.Take(); !ok || v != want {
			t.Errorf("%d %v, want %d", v, ok, want)
		}
	}
}

func TestUnusedThingsAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Shelf[string]
		count := func() int {
			synctest.Wait()
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.items)
		}
		s.Put("idle")
		time.Sleep(Keep / 2)
		s.Put("busy")
		for range 20 { // it is in use every now and then
			time.Sleep(Keep / 4)
			v, _ := s.Take()
			s.Put(v)
		}
		if v, _ := s.Take(); v != "busy" || count() != 0 {
			t.Errorf("%q was taken, and %d are left", v, count())
		}
		s.Put("last")
		time.Sleep(Keep - 1)
		if n := count(); n != 1 {
			t.Errorf("there are %d a moment before the end", n)
		}
		time.Sleep(1 * time.Nanosecond)
		if n := count(); n != 0 {
			t.Errorf("there are %d at the end", n)
		}
	})
}
