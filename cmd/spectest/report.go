package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	spectests "github.com/motor-go/motor/spec-tests"
)

// report is what -json writes.
type report struct {
	Fixtures string `json:"fixtures"`
	counts
	Suites []*suiteReport `json:"suites"`
}

type suiteReport struct {
	Suite string `json:"suite"`
	counts
	Nanoseconds time.Duration      `json:"nanoseconds"`
	Tests       []spectests.Result `json:"tests"`

	began time.Time
}

type counts struct {
	Passed  int `json:"passed"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
}

func (c counts) tests() int { return c.Passed + c.Failed + c.Skipped }

func (c counts) summary() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", c.Passed, c.Failed, c.Skipped)
}

func (r *report) begin(suite string) *suiteReport {
	s := &suiteReport{Suite: suite, Tests: []spectests.Result{}, began: time.Now()}
	r.Suites = append(r.Suites, s)
	return s
}

func (r *report) end(s *suiteReport) {
	s.Nanoseconds = time.Since(s.began)
	r.Passed += s.Passed
	r.Failed += s.Failed
	r.Skipped += s.Skipped
}

func (s *suiteReport) add(result spectests.Result) {
	s.Tests = append(s.Tests, result)
	switch result.Outcome {
	case spectests.Passed:
		s.Passed++
	case spectests.Failed:
		s.Failed++
	case spectests.Skipped:
		s.Skipped++
	}
}

func (r *report) write(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
