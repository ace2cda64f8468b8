package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// kind is a kind of fault.
type kind int

const (
	kill      kind = iota // the primary dies, another is elected, it comes back
	bounce                // the primary dies and comes back at once
	stepDown              // the primary hands over
	partition             // the primary and the other nodes do not hear one another
	unheard               // the other nodes do not hear the primary
	unhearing             // the primary does not hear the other nodes
	isolate               // nobody hears the primary, nor it anybody, clients included
	outage                // both secondaries die, and the primary is none without them
	failovers             // so many kinds change the primary; the others do not
)

const (
	restart kind = failovers + iota // a secondary dies and comes back
	deaf                            // a node does not hear clients
	mute                            // clients do not hear a node
	kinds
)

var kindNames = [kinds]string{
	kill: "kill", bounce: "bounce", stepDown: "step down", partition: "partition", unheard: "unheard primary",
	unhearing: "unhearing primary", isolate: "isolated primary", outage: "outage of both secondaries",
	restart: "restart of a secondary", deaf: "deaf node", mute: "mute node",
}

func (k kind) String() string { return kindNames[k] }

// failsOver reports whether there is a new primary, or the old one anew,
// afterwards.
func (k kind) failsOver() bool { return k < failovers }

// A step is one fault of a schedule, and what makes it worse.
type step struct {
	kind kind
	// node is whom it strikes if that is not said by the kind: 0 is the
	// primary, 1 and 2 are the secondaries.
	node int
	// lasts is how long the fault goes on after the deployment has reacted to
	// it, rest how long nothing happens afterwards.
	lasts, rest time.Duration

	cuts  []int // after how many bytes replies of the primary break off, before the fault
	lead  time.Duration
	delay time.Duration // of all that a node answers, 0 for none
	slow  int           // that node
	lag   time.Duration // of a secondary, 0 for none
	late  int           // that secondary
}

func (s step) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v", s.kind)
	if s.kind >= restart {
		fmt.Fprintf(&b, " (node %d)", s.node)
	}
	fmt.Fprintf(&b, " for %v", s.lasts)
	if len(s.cuts) > 0 {
		fmt.Fprintf(&b, ", replies cut at %v", s.cuts)
	}
	if s.delay > 0 {
		fmt.Fprintf(&b, ", node %d answers %v late", s.slow, s.delay)
	}
	if s.lag > 0 {
		fmt.Fprintf(&b, ", secondary %d lags %v", s.late, s.lag)
	}
	return b.String()
}

// faults is how many attempts of one operation the step may spoil.
func (s step) faults() int {
	n := 1 + len(s.cuts)
	if s.kind == outage {
		n++ // a read may try one dead secondary after the other
	}
	return n
}

// A schedule makes the same steps from the same seed.
type schedule struct{ rand *rand.Rand }

func newSchedule(seed uint64) *schedule { return &schedule{rand.New(rand.NewPCG(seed, 0))} }

// next is the next step.
func (s *schedule) next() step {
	next := step{
		kind:  kind(s.rand.IntN(int(failovers))),
		node:  s.rand.IntN(3),
		lasts: s.between(20, 300),
		rest:  s.between(50, 250),
	}
	if s.rand.IntN(5) == 0 {
		next.kind = restart + kind(s.rand.IntN(int(kinds-restart)))
	}
	switch next.kind {
	case restart:
		next.node = 1 + next.node%2
	case deaf, mute, isolate:
		next.lasts = s.between(20, 2*reaction.Milliseconds())
	}
	if s.rand.IntN(2) == 0 {
		for range 1 + s.rand.IntN(4) {
			next.cuts = append(next.cuts, s.cut())
		}
		next.lead = s.between(0, 30)
	}
	if s.rand.IntN(4) == 0 {
		next.delay, next.slow = s.between(1, 40), s.rand.IntN(3)
	}
	if s.rand.IntN(4) == 0 {
		next.lag, next.late = s.between(5, 500), 1+s.rand.IntN(2)
	}
	return next
}

func (s *schedule) between(low, high int64) time.Duration {
	return time.Duration(low+s.rand.Int64N(high-low+1)) * time.Millisecond
}

// cut is where a reply breaks off: anywhere, but more often in its header.
func (s *schedule) cut() int {
	if s.rand.IntN(3) == 0 {
		return s.rand.IntN(22)
	}
	return s.rand.IntN(400)
}
