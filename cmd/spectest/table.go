package main

import (
	"fmt"
	"io"
	"os"
	"strings"
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
