package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	spectests "github.com/motor-go/motor/spec-tests"
)

// table shows one line per suite, each as soon as the suite has ended.
type table struct {
	w     io.Writer
	width int
}

func newTable(w io.Writer, suites []spectests.Suite) table {
	t := table{w: w, width: len("suite")}
	for _, s := range suites {
		t.width = max(t.width, len(s.Name))
	}
	fmt.Fprintf(w, "\n%-*s %8s %8s %8s %8s\n", t.width, "suite", "passed", "failed", "skipped", "time")
	return t
}

func (t table) row(s *suiteReport) {
	fmt.Fprintf(t.w, "%-*s %8d %8d %8d %8s\n", t.width, s.Suite, s.Passed, s.Failed, s.Skipped, s.Nanoseconds.Round(10*time.Millisecond))
}

// details shows the tests that did not pass.
func (t table) details(r *report, verbose bool) {
	fmt.Fprintln(t.w)
	defer t.unmet(r)
	for _, s := range r.Suites {
		for _, test := range s.Tests {
			if test.Outcome == spectests.Passed || test.Outcome == spectests.Skipped && !verbose {
				continue
			}
			fmt.Fprintf(t.w, "%s: %s/%s\n", test.Outcome, test.Suite, test.Test)
			for line := range strings.Lines(test.Log) {
				fmt.Fprintf(t.w, "    %s", line)
			}
			fmt.Fprint(t.w, "\n\n")
		}
	}
}

// unmet shows what tests could run nowhere for, and how many of them.
func (t table) unmet(r *report) {
	tests := map[string]int{}
	for _, s := range r.Suites {
		for _, test := range s.Tests {
			if test.Outcome == spectests.Skipped {
				tests[test.Log]++
			}
		}
	}
	for _, why := range slices.Sorted(maps.Keys(tests)) {
		fmt.Fprintf(t.w, "skipped %4d: %s\n", tests[why], why)
	}
	if again := r.triedAgain(); again > 0 {
		fmt.Fprintf(t.w, "%d tests that wait for fractions of a second passed at another try\n", again)
	}
}

// progress collects the results of lanes that run side by side. A suite has
// ended when all lanes are through with it.
type progress struct {
	report *report
	lanes  int
	table  table
	bar    *bar

	mu    sync.Mutex
	ended []int // how many lanes are through with each suite
	shown int   // suites in the table
}

func newProgress(r *report, lanes int, t table, b *bar) *progress {
	return &progress{report: r, lanes: lanes, table: t, bar: b, ended: make([]int, len(r.Suites))}
}

func (p *progress) add(suite int, result spectests.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report.add(suite, result)
	p.bar.show(p.shown, p.report.Suites[suite].Suite, p.report.tests())
}

// end notes that one more lane is through with a suite, and shows those that
// have ended, in their order.
func (p *progress) end(suite int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended[suite]++
	for p.shown < len(p.ended) && p.ended[p.shown] == p.lanes {
		p.bar.clear()
		p.table.row(p.report.Suites[p.shown])
		p.shown++
	}
}

// bar is a line of progress that is overwritten again and again. It is shown on
// a terminal only.
type bar struct {
	w        io.Writer
	total    int
	terminal bool
	shown    time.Time
}

func newBar(w io.Writer, total int) *bar {
	b := &bar{w: w, total: total}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		b.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return b
}

func (b *bar) show(done int, suite string, tests int) {
	const width, interval = 30, 50 * time.Millisecond
	if !b.terminal || time.Since(b.shown) < interval {
		return
	}
	b.shown = time.Now()
	full := width * done / b.total
	fmt.Fprintf(b.w, "\r\x1b[K[%s%s] %d of %d suites, %d tests: %s",
		strings.Repeat("#", full), strings.Repeat("-", width-full), done, b.total, tests, suite)
}

func (b *bar) clear() {
	if b.terminal {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
