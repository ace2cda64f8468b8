package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
)

// reader is a page without a browser.
type reader struct {
	keys  []string
	token string
	gaps  int
}

var enough = errors.New("enough")

// read follows the feed until it has seen the last key.
func (r *reader) read(t *testing.T, f *feed, last string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := f.follow(ctx, r.token, func(m message) error {
		r.token = m.Token
		if m.Gap {
			r.gaps++
		}
		for _, c := range m.Changes {
			r.keys = append(r.keys, c.Key)
		}
		if slices.Contains(r.keys, last) {
			return enough
		}
		return nil
	})
	if err != enough {
		t.Errorf("%v after %d changes", err, len(r.keys))
	}
}

func (r *reader) want(t *testing.T, first, end int) {
	t.Helper()
	var want []string
	for i := first; i < end; i++ {
		want = append(want, fmt.Sprint(i))
	}
	if !slices.Equal(r.keys, want) || r.gaps > 0 {
		t.Errorf("keys %v with %d gaps, want %d to %d", r.keys, r.gaps, first, end)
	}
}

// TestFeed reads from different places: from what is kept, from before that, and
// from the end.
func TestFeed(t *testing.T) {
	coll := newCollection(t)
	f := newFeed(t, coll, 10)
	var early, late, sleeper reader
	insert(t, coll, 0, 5)
	early.read(t, f, "4")
	early.want(t, 0, 5)
	sleeper = early
	insert(t, coll, 5, 8)
	early.read(t, f, "7") // is kept
	early.want(t, 0, 8)
	insert(t, coll, 8, 50)
	early.read(t, f, "49") // so that the feed has it
	late.read(t, f, "49")
	late.want(t, 40, 50) // the last ten
	sleeper.read(t, f, "49")
	sleeper.want(t, 0, 50)
	early.want(t, 0, 50)
	insert(t, coll, 50, 51)
	for _, r := range []*reader{&early, &late, &sleeper} {
		r.read(t, f, "50")
	}
	early.want(t, 0, 51)
	late.want(t, 40, 51)
	sleeper.want(t, 0, 51)
}

// TestSlowReader takes so long that what it has not read is forgotten, again
// and again.
func TestSlowReader(t *testing.T) {
	coll := newCollection(t)
	f := newFeed(t, coll, 3)
	var slow reader
	insert(t, coll, 0, 1)
	slow.read(t, f, "0")
	i := 1
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	f.follow(ctx, slow.token, func(m message) error {
		for _, c := range m.Changes {
			slow.keys = append(slow.keys, c.Key)
		}
		if i == 100 && slices.Contains(slow.keys, "99") {
			return enough
		}
		n := min(100, i+10)
		insert(t, coll, i, n)
		i = n
		return nil
	})
	slow.want(t, 0, 100)
}

// TestHurry lets changes come so fast that readers fall behind all the time.
func TestHurry(t *testing.T) {
	coll := newCollection(t)
	f := newFeed(t, coll, 2)
	start, _, _ := f.from(0)
	readers := make([]reader, 4)
	var work sync.WaitGroup
	for i := range readers {
		readers[i].token = start.Token
		work.Go(func() { readers[i].read(t, f, "999") })
	}
	insert(t, coll, 0, 1000)
	work.Wait()
	for i := range readers {
		readers[i].want(t, 0, 1000)
	}
}

// TestDropped goes on after the collection was dropped, and made anew.
func TestDropped(t *testing.T) {
	coll := newCollection(t)
	f := newFeed(t, coll, 100)
	var r reader
	insert(t, coll, 0, 2)
	r.read(t, f, "1")
	sleeper := r
	if err := coll.Drop(t.Context()); err != nil {
		t.Fatal(err)
	}
	insert(t, coll, 2, 4)
	r.read(t, f, "3")
	want := []string{"0", "1", "", "", "2", "3"} // drop, invalidate
	if !slices.Equal(r.keys, want) {
		t.Errorf("keys %q, want %q", r.keys, want)
	}
	f.mu.Lock()
	f.kept, f.first = nil, f.first+6
	f.mu.Unlock()
	insert(t, coll, 4, 5)
	if sleeper.read(t, f, "4"); !slices.Equal(sleeper.keys, append(want, "4")) {
		t.Errorf("with a stream of its own: keys %q", sleeper.keys)
	}
}

// TestLost says that there is a gap, and goes on from what is kept.
func TestLost(t *testing.T) {
	coll := newCollection(t)
	f := newFeed(t, coll, 100)
	insert(t, coll, 0, 3)
	for _, token := range []string{
		"nonsense",
		encodeToken(raw(t, bson.D{{Key: "_data", Value: "nonsense"}})),
		encodeToken(raw(t, bson.D{{Key: "_data", Value: "8200000001000000012B022C0100296E04"}})), // long ago
	} {
		r := reader{token: token}
		r.read(t, f, "2")
		if !slices.Equal(r.keys, []string{"0", "1", "2"}) || r.gaps != 1 {
			t.Errorf("token %s: keys %v, %d gaps", token, r.keys, r.gaps)
		}
	}
}

func TestNoChangeStream(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := startFeed(ctx, newCollection(t), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
