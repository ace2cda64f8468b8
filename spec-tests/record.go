package spectests

import (
	"context"
	"fmt"
	"maps"
	"path"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// Outcome is how a test ended.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
)

// Result is what one test came to. A test with subtests has a result of its
// own only if it failed or was skipped apart from them.
type Result struct {
	Suite   string  `json:"suite"`
	Test    string  `json:"test"`
	Outcome Outcome `json:"outcome"`
	// Attributes are what the test and those that it is part of have told of
	// themselves by Attr.
	Attributes map[string]string `json:"attributes,omitempty"`
	// Log is why the test failed or was skipped.
	Log     string        `json:"log,omitempty"`
	Elapsed time.Duration `json:"nanoseconds"`
}

// Record runs a suite and reports the results of the tests whose names, which
// begin with that of their fixture, match the pattern. A nil pattern matches
// all. Tests that do not match are not run, with the exception of what a
// fixture runs before its first subtest.
func Record(ctx context.Context, s Suite, src *Source, lane *Lane, pattern *regexp.Regexp, report func(Result)) {
	root := &recorder{ctx: ctx, suite: s.Name, pattern: pattern, report: report}
	root.start(func(t T) { s.RunAll(t, src, lane) })
}

// recorder is the T of a test that is not run by the go tool.
type recorder struct {
	ctx     context.Context
	suite   string
	name    string
	depth   int
	pattern *regexp.Regexp
	report  func(Result)

	mu       sync.Mutex // a test may report from several goroutines
	log      strings.Builder
	broken   bool // it failed apart from its subtests
	failed   bool
	skipped  bool
	parent   bool // it has subtests
	attrs    map[string]string
	cleanups []func()
}

// start runs f on a goroutine of its own, which Fatalf and Skipf end.
func (r *recorder) start(f func(t T)) {
	began := time.Now()
	ctx, cancel := context.WithCancel(r.ctx)
	r.ctx = ctx
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer r.cleanup()
		defer cancel()
		defer r.recover()
		f(r)
	}()
	<-done
	r.finish(time.Since(began))
}

func (r *recorder) recover() {
	if p := recover(); p != nil {
		r.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}

func (r *recorder) cleanup() {
	defer r.recover()
	for len(r.cleanups) > 0 {
		last := len(r.cleanups) - 1
		f := r.cleanups[last]
		r.cleanups = r.cleanups[:last]
		f()
	}
}

func (r *recorder) finish(elapsed time.Duration) {
	outcome := Passed
	switch {
	case r.broken:
		outcome = Failed
	case r.skipped:
		outcome = Skipped
	case r.parent || r.depth == 0:
		return
	}
	if r.depth == 0 || r.matches() {
		r.report(Result{Suite: r.suite, Test: r.name, Outcome: outcome, Attributes: r.attrs, Log: r.text(outcome), Elapsed: elapsed})
	}
}

func (r *recorder) matches() bool { return r.pattern == nil || r.pattern.MatchString(r.name) }

func (r *recorder) text(outcome Outcome) string {
	if outcome == Passed {
		return ""
	}
	return strings.TrimSuffix(r.log.String(), "\n")
}

// Run runs a subtest. Those of the suite are its fixtures, which may have the
// test that is looked for further down.
func (r *recorder) Run(name string, f func(t T)) bool {
	child := &recorder{
		ctx: r.ctx, suite: r.suite, name: path.Join(r.name, name), depth: r.depth + 1,
		pattern: r.pattern, report: r.report, attrs: maps.Clone(r.attrs),
	}
	r.parent = true
	if child.depth > 1 && !child.matches() {
		return true
	}
	child.start(f)
	r.failed = r.failed || child.failed
	return !child.failed
}

func (r *recorder) Name() string { return r.name }

func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Attr(key, value string) {
	if r.attrs == nil {
		r.attrs = map[string]string{}
	}
	r.attrs[key] = value
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Helper() {}

func (r *recorder) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(&r.log, format+"\n", args...)
}

func (r *recorder) Errorf(format string, args ...any) {
	r.Logf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken, r.failed = true, true
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Skipf(format string, args ...any) {
	r.Logf(format, args...)
	r.mu.Lock()
	r.skipped = true
	r.mu.Unlock()
	runtime.Goexit()
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}
