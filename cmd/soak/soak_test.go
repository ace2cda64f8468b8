package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/motor-go/motor"
)

// The soak runs this program once more, to serve.
func TestMain(m *testing.M) {
	if slices.Equal(os.Args[1:], []string{"serve"}) {
		main()
	}
	os.Exit(m.Run())
}

func TestNothingIsKept(t *testing.T) {
	var out strings.Builder
	args := []string{"-for", "5s", "-every", "400ms", "-goroutines", "64", "-seed", "1", "-v"}
	if status := run(t.Context(), args, nil, &out, &out); status != 0 {
		t.Errorf("exit status %d\n%s", status, &out)
	}
}

// Whatever is kept must be found, and every error that nothing announces.
func TestWhatIsKeptIsFound(t *testing.T) {
	released, release := context.WithCancel(context.Background())
	defer release()
	var mu sync.Mutex
	var memory [][]byte
	leaks := []scenario{
		func(*worker, context.Context) { go func() { <-released.Done() }() },
		func(*worker, context.Context) {
			mu.Lock()
			defer mu.Unlock()
			memory = append(memory, make([]byte, 256<<10))
		},
		func(w *worker, ctx context.Context) {
			// Neither is closed. The session of the cursor is its own.
			for range 20 {
				w.books.FindCursor(ctx, nil, motor.FindOptions{BatchSize: new(int32(2))})
			}
		},
		func(w *worker, ctx context.Context) {
			w.call(ctx, "planted", retried, func(context.Context) error { return errors.New("planted error") })
		},
	}
	r, err := soak(t.Context(), config{
		lasts: 4 * time.Second, every: 400 * time.Millisecond, goroutines: 64, seed: 1,
		// A server that is restarted has no cursors any more.
		kinds: []kind{stepDown}, planted: slices.Repeat(leaks, 10),
	})
	if err != nil {
		t.Fatal(err)
	}
	faults := strings.Join(r.faults(), "\n")
	for _, want := range []string{"heap", "goroutines: grew", "cursors of servers", "sessions of servers", "planted error", "goroutines after Close"} {
		if !strings.Contains(faults, want) {
			t.Errorf("%q is not among the faults:\n%s", want, faults)
		}
	}
}
