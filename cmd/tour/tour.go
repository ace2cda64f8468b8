package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/mongotest"
)

// tour is what the steps share.
type tour struct {
	out      io.Writer
	verbose  bool
	uri      string
	embedded *mongotest.ReplicaSet // nil with -uri
	client   *motor.Client
	left     []string

	mu   sync.Mutex
	show map[string]bool // the commands that the current step shows
	hook func(*event.CommandFailed)
}

// a step is one thing to see. It must return an error if what it shows does not
// hold.
type step struct {
	title string
	// embedded says that the step does things to servers that only the embedded
	// deployment lets it do.
	embedded string
	run      func(ctx context.Context, t *tour) error
}

// shape is Motor's own example document.
type shape struct {
	ID     int     `bson:"_id"`
	Points []point `bson:"points"`
}

type point struct {
	X int `bson:"x"`
	Y int `bson:"y"`
}

func (t *tour) database() *motor.Database { return t.client.Database("motor_tour") }

func (t *tour) shapes() *motor.Collection[shape] {
	return motor.CollectionOf[shape](t.database(), "shapes")
}

// open starts the embedded deployment unless there is a URI.
func (t *tour) open(uri string) (err error) {
	t.uri = uri
	if uri == "" {
		if t.embedded, err = mongotest.StartReplicaSet(mongotest.Options{}); err != nil {
			return err
		}
		t.uri = t.embedded.URI()
		fmt.Fprintln(t.out, "A replica set of three nodes runs inside this process. It speaks the real protocol over TCP.")
	}
	fmt.Fprintln(t.out, "Lines with → are commands as they leave for a server, lines with ← what it answers.")
	return nil
}

func (t *tour) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if t.client != nil {
		if t.embedded == nil {
			t.database().Drop(ctx)
		}
		t.client.Close(ctx)
	}
	if t.embedded != nil {
		t.embedded.Close()
	}
}

// cannot says why a step is not for this deployment.
func (t *tour) cannot(s step) string {
	if s.embedded != "" && t.embedded == nil {
		return s.embedded
	}
	return ""
}

func (t *tour) title(n int, title string) {
	fmt.Fprintf(t.out, "\n%d. %s\n", n, title)
	t.showing()
}

// say prints a line of explanation.
func (t *tour) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out, "   "+format+"\n", args...)
}

// showing chooses the commands that are printed from now on.
func (t *tour) showing(commands ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.show = map[string]bool{}
	for _, c := range commands {
		t.show[c] = true
	}
}

func (t *tour) summary(took time.Duration) {
	fmt.Fprintf(t.out, "\nAll of it held. %d of %d steps in %.1f s.\n", len(steps)-len(t.left), len(steps), took.Seconds())
	if len(t.left) > 0 {
		fmt.Fprintln(t.out, "Left out, because this deployment cannot do it:", strings.Join(t.left, "; "))
	}
}

// observer prints the commands that a step shows.
func (t *tour) observer() *event.Observer {
	return &event.Observer{
		CommandStarted: func(e *event.CommandStarted) {
			t.print(e.CommandName, "→ %s  %s", e.Address, text(e.Command.Raw(), t.verbose))
		},
		CommandSucceeded: func(e *event.CommandSucceeded) {
			t.print(e.CommandName, "← %s  %s", e.Address, text(e.Reply, t.verbose))
		},
		CommandFailed: func(e *event.CommandFailed) {
			t.print(e.CommandName, "✗ %s  %v", e.Address, e.Failure)
			t.mu.Lock()
			hook := t.hook
			t.hook = nil
			t.mu.Unlock()
			if hook != nil {
				hook(e)
			}
		},
	}
}

// onFailure has f called when the next command fails, before the driver goes
// on.
func (t *tour) onFailure(f func(*event.CommandFailed)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hook = f
}

func (t *tour) print(command, format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.verbose || t.show[command] {
		fmt.Fprintf(t.out, "     "+format+"\n", args...)
	}
}
