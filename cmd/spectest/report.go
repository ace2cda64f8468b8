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
	// Nanoseconds is the time of all its tests together.
	Nanoseconds time.Duration      `json:"nanoseconds"`
	Tests       []spectests.Result `json:"tests"`
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

func newReport(fixtures string, suites []spectests.Suite) *report {
	r := &report{Fixtures: fixtures}
	for _, s := range suites {
		r.Suites = append(r.Suites, &suiteReport{Suite: s.Name, Tests: []spectests.Result{}})
	}
	return r
}

func (r *report) add(suite int, result spectests.Result) {
	s := r.Suites[suite]
	s.Tests = append(s.Tests, result)
	s.Nanoseconds += result.Elapsed
	s.count(result.Outcome)
	r.count(result.Outcome)
}

func (c *counts) count(o spectests.Outcome) {
	switch o {
	case spectests.Passed:
		c.Passed++
	case spectests.Failed:
		c.Failed++
	case spectests.Skipped:
		c.Skipped++
	}
}

// triedAgain counts the tests that passed, but not at once.
func (r *report) triedAgain() (n int) {
	for _, s := range r.Suites {
		for _, test := range s.Tests {
			if test.Outcome == spectests.Passed && test.Attributes[spectests.AttrTries] != "" {
				n++
			}
		}
	}
	return n
}

func (r *report) write(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
