package main

import (
	"context"
	"errors"
	"testing"

	"github.com/motor-go/motor"
)

func TestClassOf(t *testing.T) {
	broken := &motor.ConnectionError{Command: "find", Network: true, Err: errors.New("EOF")}
	ended := func(err error) error { return &motor.ConnectionError{Command: "find", Err: err} }
	steppedDown := &motor.CommandError{Code: 189}
	for _, tt := range []struct {
		name  string
		f     failure
		class string // "" for none
	}{
		{"cancelled", failure{promise: interrupted, err: ended(context.Canceled)}, "cancelled"},
		{"deadline", failure{promise: interrupted, err: ended(context.DeadlineExceeded)}, "cancelled"},
		{"cancelled, and nobody did", failure{promise: retried, err: ended(context.Canceled)}, ""},
		{"hangs", failure{promise: retried, failover: 2, err: ended(context.DeadlineExceeded)}, ""},
		{"write of many", failure{promise: unretried, failover: 1, err: broken}, "sent once"},
		{"write of many, stepped down", failure{promise: unretried, failover: 1, err: steppedDown}, "sent once"},
		{"write of many, no failover", failure{promise: unretried, err: broken}, ""},
		{"getMore", failure{promise: iterated, failover: 1, err: broken}, "cursor lost"},
		{"getMore, unknown cursor", failure{promise: iterated, failover: 1, err: &motor.CommandError{Code: cursorNotFound}}, "cursor lost"},
		{"getMore, no failover", failure{promise: iterated, err: &motor.CommandError{Code: cursorNotFound}}, ""},
		{"transaction", failure{promise: transacted, err: &motor.TimeoutError{Err: broken}}, "transaction out of time"},
		{"transaction, broken", failure{promise: transacted, failover: 1, err: broken}, ""},
		{"time-out of others", failure{promise: retried, failover: 1, err: &motor.TimeoutError{Err: broken}}, ""},
		{"retryable, one failover", failure{promise: retried, failover: 1, err: broken}, ""},
		{"retryable, two failovers", failure{promise: retried, failover: 2, err: broken}, "two failovers"},
		{"in a bulk write", failure{promise: retried, failover: 2, err: &motor.BulkWriteError{Err: steppedDown}}, "two failovers"},
		{"wrong result", failure{promise: iterated, failover: 2, err: mismatch("books", 1, 2)}, ""},
		{"duplicate key", failure{promise: retried, failover: 2, err: &motor.WriteError{Code: 11000}}, ""},
	} {
		got := ""
		if i := classOf(tt.f); i >= 0 {
			got = announced[i].name
		}
		if got != tt.class {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.class)
		}
	}
}
