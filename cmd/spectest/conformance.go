package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	spectests "github.com/motor-go/motor/spec-tests"
)

// conformance is the report as Markdown. It says the same whenever the same
// tests pass on the same deployments.
func (r *report) conformance(revision string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Conformance\n\nWhat the driver makes of the tests of `mongodb/specifications`, revision\n`%s`,\n", revision)
	b.WriteString("written by `go run ./cmd/spectest -md docs/conformance.md`. A test passes if it passes on every\ndeployment that it runs on: " +
		"one of each topology that it allows, of the newest version of the\nserver that meets its requirements.\nThose of client-side-operations-timeout wait for fractions of a second, and have three tries.\n\n")
	b.WriteString("| Suite | Files | Tests | Passed | Topologies |\n|---|--:|--:|--:|---|\n")
	var all tally
	deployments := map[string]*counts{}
	for _, s := range r.Suites {
		t := tallySuite(s, deployments)
		t.row(&b, s.Suite)
		all.add(t)
	}
	all.row(&b, "all")
	if out := r.leftOut(); len(out) > 0 {
		fmt.Fprintf(&b, "\nNot run: %s.\n", strings.Join(out, ", "))
	}
	if len(deployments) > 0 {
		b.WriteString("\n## Deployments\n\n| Deployment | Tests | Passed |\n|---|--:|--:|\n")
		for _, name := range slices.Sorted(maps.Keys(deployments)) {
			fmt.Fprintf(&b, "| %s | %d | %d |\n", name, deployments[name].tests(), deployments[name].Passed)
		}
	}
	r.list(&b, "Failed", spectests.Failed, all.tests)
	r.list(&b, "Ran nowhere", spectests.Skipped, all.tests)
	return b.Bytes()
}

// leftOut are the suites that were not asked for.
func (r *report) leftOut() (names []string) {
	for _, s := range spectests.Suites {
		if !slices.ContainsFunc(r.Suites, func(ran *suiteReport) bool { return ran.Suite == s.Name }) {
			names = append(names, s.Name)
		}
	}
	return names
}

// tally counts the tests of a suite, each once.
type tally struct {
	files, tests, passed int
	topologies           []string
}

func tallySuite(s *suiteReport, deployments map[string]*counts) tally {
	files, passed, topologies := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, test := range s.Tests {
		if file := test.Attributes[spectests.AttrFile]; file != "" {
			files[file] = true
		}
		name, deployment := test.Test, test.Attributes[spectests.AttrDeployment]
		if deployment != "" {
			name = strings.TrimSuffix(name, "/"+deployment)
			topology, _, _ := strings.Cut(deployment, " ")
			topologies[topology] = true
			if deployments[deployment] == nil {
				deployments[deployment] = new(counts)
			}
			deployments[deployment].count(test.Outcome)
		}
		before, seen := passed[name]
		passed[name] = (before || !seen) && test.Outcome == spectests.Passed
	}
	t := tally{files: len(files), tests: len(passed), topologies: slices.Sorted(maps.Keys(topologies))}
	for _, ok := range passed {
		if ok {
			t.passed++
		}
	}
	return t
}

func (t *tally) add(u tally) {
	t.files, t.tests, t.passed = t.files+u.files, t.tests+u.tests, t.passed+u.passed
}

func (t tally) row(w io.Writer, name string) {
	fmt.Fprintf(w, "| %s | %d | %d | %d | %s |\n", name, t.files, t.tests, t.passed, strings.Join(t.topologies, ", "))
}

// list names the tests of an outcome. Those that ran nowhere are in the order
// of what they need.
func (r *report) list(w io.Writer, title string, outcome spectests.Outcome, of int) {
	var tests []spectests.Result
	for _, s := range r.Suites {
		for _, test := range s.Tests {
			if test.Outcome != outcome {
				continue
			}
			if outcome != spectests.Skipped {
				test.Log = "" // it names ports and times
			}
			tests = append(tests, test)
		}
	}
	if len(tests) == 0 {
		return
	}
	slices.SortStableFunc(tests, func(a, b spectests.Result) int {
		return cmp.Or(strings.Compare(a.Log, b.Log), strings.Compare(a.Suite, b.Suite), strings.Compare(a.Test, b.Test))
	})
	fmt.Fprintf(w, "\n## %s\n\n%d of %d tests, %.1f %%.\n", title, len(tests), of, 100*float64(len(tests))/float64(of))
	for i, test := range tests {
		switch {
		case i > 0 && test.Log == tests[i-1].Log:
		case test.Log == "":
			fmt.Fprintln(w)
		default:
			fmt.Fprintf(w, "\n%s\n\n", test.Log)
		}
		fmt.Fprintf(w, "- %s/%s\n", test.Suite, test.Test)
	}
}
