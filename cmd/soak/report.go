package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync/atomic"
	"time"
)

// report is what a soak has found out.
type report struct {
	config  config
	took    time.Duration
	plan    plan
	work    *workload
	samples []sample
	// unanswered counts commands, attempts among them.
	unanswered atomic.Int64
	balance    int // what the accounts hold in the end

	// Goroutines before Connect and after Close, and sockets after it.
	before, afterwards, socketsLeft int
}

func (r *report) series(of func(sample) float64) (all []float64) {
	for _, s := range r.samples {
		all = append(all, of(s))
	}
	return all
}

// faults are the reasons why the soak has failed.
func (r *report) faults() (all []string) {
	fault := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	for _, m := range measures {
		if err := flat(r.series(m.of), m.tolerance); err != nil {
			fault("%s: %v", m.name, err)
		}
	}
	// More would mean that the driver takes servers for lost, or that the machine
	// is no place to tell.
	if of := r.plan.count(); of[unplanned] > 5+len(r.samples)/10 {
		fault("failovers: %d were not planned, and %d were", of[unplanned], len(r.samples))
	}
	if len(r.samples) > 0 {
		if n := r.samples[len(r.samples)-1].servers.Sessions; n > r.sessions() {
			fault("sessions of servers: %d, and %d are allowed", n, r.sessions())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.work.unannounced)) {
		s := r.work.unannounced[name]
		fault("%s failed %d times, and nothing announced that: %s", name, s.n, s.first)
	}
	if r.balance != accounts*opening {
		fault("the accounts hold %d instead of %d", r.balance, accounts*opening)
	}
	if r.afterwards > r.before {
		fault("%d goroutines after Close, and there were %d before Connect", r.afterwards, r.before)
	}
	if r.socketsLeft > 0 {
		fault("%d sockets are open after Close", r.socketsLeft)
	}
	return all
}

// print shows the figures.
func (r *report) print(w io.Writer) {
	line := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	line("seed %d: %d goroutines for %v", r.config.seed, r.config.goroutines, r.took.Round(time.Second))

	line("failovers")
	for k, n := range r.plan.count() {
		line("  %-30v %8d", kind(k), n)
	}

	all := 0
	for _, n := range r.work.calls {
		all += n
	}
	line("calls %35d, %.0f a second", all, float64(all)/r.took.Seconds())
	for _, name := range slices.Sorted(maps.Keys(r.work.calls)) {
		line("  %-30s %8d", name, r.work.calls[name])
	}

	line("announced errors")
	for i, class := range announced {
		line("  %-30s %8d  %s", class.name, r.work.failed[i].n, class.reason)
	}

	line("commands without an answer %14d", r.unanswered.Load())
	line("%-32s %8s %8s %8s %8s   of %d samples", "at rest", "first", "median", "most", "last", len(r.samples))
	show := func(name string, of func(sample) float64) {
		if s := r.series(of); len(s) > 0 {
			line("  %-30s %8.4g %8.4g %8.4g %8.4g", name, s[0], median(s), slices.Max(s), s[len(s)-1])
		}
	}
	for _, m := range measures {
		show(m.name, m.of)
	}
	show("sessions of servers", func(s sample) float64 { return float64(s.servers.Sessions) })
	show("heap of servers, MiB", func(s sample) float64 { return mebibytes(float64(s.servers.Heap)) })
	line("after Close: %d goroutines (%d before Connect), %d sockets", r.afterwards, r.before, r.socketsLeft)

	faults := r.faults()
	for _, f := range faults {
		line("FAULT %s", f)
	}
	if len(faults) == 0 {
		line("all flat, no error that was not announced")
	}
}
