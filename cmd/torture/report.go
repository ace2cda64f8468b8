package main

import (
	"fmt"
	"io"
)

// report is what torture has found out.
type report struct {
	config
	failovers int
	kinds     map[kind]int
	spans     []span

	writes, moves      tally
	sum, wrongAccounts int
	own, stale         int64
	snapshots, broken  int64
	failures, needless []failure
	differing          int
}

// ok reports whether all holds.
func (r *report) ok() bool {
	return r.writes.ok() && r.moves.ok() && r.sum == accounts*opening && r.wrongAccounts == 0 &&
		r.stale == 0 && r.broken == 0 && len(r.needless) == 0 && r.differing == 0 &&
		r.writes.acknowledged > 0 && r.moves.acknowledged > 0 && r.own > 0 && r.snapshots > 0
}

// print shows the counts.
func (r *report) print(w io.Writer) {
	line := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	line("seed %d: %d failovers in %d steps", r.seed, r.failovers, len(r.spans))
	for k := range kinds {
		if r.kinds[k] > 0 {
			line("  %-26v %6d", k, r.kinds[k])
		}
	}
	for _, t := range []struct {
		what string
		tally
	}{{"writes", r.writes}, {"transactions", r.moves}} {
		line("%s", t.what)
		line("  %-26s %6d", "acknowledged", t.acknowledged)
		line("  %-26s %6d, of which %d were made", "unacknowledged", t.unknown, t.made)
		line("  %-26s %6d", "taken back", t.withdrawn)
		line("  %-26s %6d", "lost", t.lost)
		line("  %-26s %6d", "made twice", t.doubled)
		line("  %-26s %6d", "refused as made before", t.refused)
		line("  %-26s %6d", "nobody wanted", t.unwanted)
	}
	line("accounts")
	line("  %-26s %6d, from %d in the beginning", "sum", r.sum, accounts*opening)
	line("  %-26s %6d", "wrong", r.wrongAccounts)
	line("reads from secondaries")
	line("  %-26s %6d, of which %d were stale", "of one's own writes", r.own, r.stale)
	line("  %-26s %6d, of which %d had a wrong sum", "of snapshots", r.snapshots, r.broken)
	line("operations that failed")
	line("  %-26s %6d", "after two faults or more", len(r.failures)-len(r.needless))
	line("  %-26s %6d", "after one fault or none", len(r.needless))
	const most = 10
	for _, f := range r.needless[:min(most, len(r.needless))] {
		line("    %v", f)
	}
	line("nodes that differ %9d", r.differing)
}
