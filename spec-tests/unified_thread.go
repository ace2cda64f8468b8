package spectests

import (
	"context"
	"fmt"
	"time"
)

// thread performs operations one after the other, beside the test.
type thread struct {
	queue chan operation
	done  chan struct{}
	ended bool
	err   error // to be read after done
}

type threadSpec struct{ ID string }

func (r *testRun) createThread(ctx context.Context, s threadSpec) error {
	t := &thread{queue: make(chan operation, 100), done: make(chan struct{})}
	if err := r.entities.add(s.ID, t); err != nil {
		return err
	}
	go func() {
		defer close(t.done)
		for op := range t.queue {
			if t.err == nil {
				t.err, _ = r.perform(ctx, op)
			}
		}
	}()
	return nil
}

// end says that no more operations come.
func (t *thread) end() {
	if !t.ended {
		t.ended = true
		close(t.queue)
	}
}

func runOnThread(_ context.Context, r *testRun, _ *testRun, a struct {
	Thread    string
	Operation operation
},
) (outcome, error) {
	t, err := lookup[*thread](&r.entities, a.Thread)
	if err != nil {
		return outcome{}, err
	}
	if t.ended {
		return outcome{}, malformedf("the thread %q has ended", a.Thread)
	}
	t.queue <- a.Operation
	return outcome{}, nil
}

// eventPatience is how long the runner waits for threads and events.
const eventPatience = 10 * time.Second

func waitForThread(ctx context.Context, r *testRun, _ *testRun, a struct{ Thread string }) (outcome, error) {
	t, err := lookup[*thread](&r.entities, a.Thread)
	if err != nil {
		return outcome{}, err
	}
	t.end()
	select {
	case <-t.done:
		if t.err != nil {
			return outcome{}, fmt.Errorf("on thread %s: %w", a.Thread, t.err)
		}
		return outcome{}, nil
	case <-time.After(eventPatience):
		return outcome{}, fmt.Errorf("the thread %s did not end within %v", a.Thread, eventPatience)
	case <-ctx.Done():
		return outcome{}, context.Cause(ctx)
	}
}
