package main

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/motor-go/motor/mongotest"
)

// inVirtualTime tortures a deployment in memory, where nothing depends on the
// speed of the machine.
func inVirtualTime(t *testing.T, c config) *report {
	t.Helper()
	var r *report
	synctest.Test(t, func(t *testing.T) {
		c.network = new(mongotest.Network)
		var err error
		if r, err = torture(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	})
	return r
}

func (r *report) String() string {
	var b strings.Builder
	r.print(&b)
	return b.String()
}

func TestNothingLostNothingTwice(t *testing.T) {
	if r := inVirtualTime(t, config{seed: 4, failovers: 12}); !r.ok() {
		t.Error(r)
	}
}

// The proof must be able to fail.

func TestWithoutRetryableWritesOperationsAreGivenUp(t *testing.T) {
	r := inVirtualTime(t, config{seed: 1, failovers: 10, noRetryableWrites: true})
	if r.ok() || len(r.needless) == 0 {
		t.Error(r)
	}
}

func TestWithAForgetfulServerWritesAreMadeTwice(t *testing.T) {
	r := inVirtualTime(t, config{seed: 1, failovers: 8, forgetful: true})
	if r.ok() || r.writes.doubled+r.writes.refused == 0 {
		t.Error(r)
	}
}

func TestACarelessWorkloadIsFoundOut(t *testing.T) {
	r := inVirtualTime(t, config{seed: 1, failovers: 8, careless: true})
	if r.ok() || r.stale == 0 || r.broken == 0 || r.moves.unwanted == 0 {
		t.Error(r)
	}
}
