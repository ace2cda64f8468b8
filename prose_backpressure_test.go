package motor_test

import (
	"errors"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/knobs"
)

// The prose tests of client-backpressure/tests, by their numbers. The second has
// been removed.

// overload makes a command fail for good as that of an overloaded server.
func overload(l *lab, client *motor.Client, command string, extra ...any) {
	l.Helper()
	data := d("failCommands", bson.A{command}, "errorCode", 462, "errorLabels", bson.A{"SystemOverloadedError", "RetryableError"})
	l.ok(failPoint(client, "alwaysOn", append(data, d(extra...)...)))
}

// overloaded is how long an insert takes until it is given up.
func overloaded(l *lab, jitter float64, extra ...any) time.Duration {
	client, _ := l.connectTo(l.uri, knobs.Knobs{Jitter: func() float64 { return jitter }})
	overload(l, client, "insert", extra...)
	start := time.Now()
	err := insert(l, client.Database("db").Collection("c"))
	var command *motor.CommandError
	if !errors.As(err, &command) {
		l.Fatalf("the insert gave %v, want the server's error", err)
	}
	if ms, ok := command.Reply.Lookup("baseBackoffMS").AsInt64(); ok != (len(extra) > 0) || ok && ms != 50 {
		l.Errorf("the reply says baseBackoffMS %d: %v", ms, command.Reply)
	}
	return time.Since(start)
}

func TestBackpressureProse1ExponentialBackoff(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		if took := overloaded(l, 0); took != 0 {
			l.Errorf("without jitter it took %v", took)
		}
		if took := overloaded(l, 1); took != 600*time.Millisecond {
			l.Errorf("with the greatest jitter it took %v, want 0.2 s and 0.4 s", took)
		}
	})
}

func attempts(l *lab, want int, options ...string) {
	l.Helper()
	client, tr := l.connect(options...)
	overload(l, client, "find")
	tr.forget()
	err := find(l, client.Database("db").Collection("c"))
	if !hasLabel(err, motor.RetryableError) || !hasLabel(err, motor.SystemOverloadedError) {
		l.Errorf("find gave %v without the labels of an overload", err)
	}
	if n := len(tr.of("started", "find")); n != want {
		l.Errorf("%d attempts, want %d", n, want)
	}
}

func TestBackpressureProse3MaximumOfRetries(t *testing.T) {
	inReplicaSet(t, func(l *lab) { attempts(l, maxRetries+1) })
}

func TestBackpressureProse4MaxAdaptiveRetries(t *testing.T) {
	inReplicaSet(t, func(l *lab) { attempts(l, 2, "maxAdaptiveRetries=1") })
}

// The fail point says what externalClientBaseBackoffMS would make a server of
// version 9 say.
func TestBackpressureProse5BaseBackoffMS(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		if took := overloaded(l, 1); took != 600*time.Millisecond {
			l.Errorf("it took %v, want 0.2 s and 0.4 s", took)
		}
		if took := overloaded(l, 1, "errorExtraInfo", d("baseBackoffMS", 50)); took != 300*time.Millisecond {
			l.Errorf("with baseBackoffMS it took %v, want 0.1 s and 0.2 s", took)
		}
	})
}
