package spectests

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// T is what a test reports to: a *testing.T under go test, a Recorder in
// cmd/spectest. The methods are those of *testing.T.
type T interface {
	Run(name string, f func(t T)) bool
	Name() string
	Context() context.Context
	Attr(key, value string)
	Cleanup(f func())
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Skipf(format string, args ...any)
	Failed() bool
}

// The attributes of tests: the fixture that they are in, the deployment that
// they ran on, and how often they were tried if that was more than once.
const (
	AttrFile       = "file"
	AttrDeployment = "deployment"
	AttrTries      = "tries"
)

// Suite is the tests of one format in one folder of the specifications.
type Suite struct {
	// Name is that folder without tests between: "bson-corpus",
	// "transactions/unified".
	Name string
	// Run runs the tests of one fixture. It is nil if the specification has
	// none, or if they need a deployment.
	Run func(t T, f File)
	// Prose runs the tests that the specification describes in words.
	Prose func(t T)
	// Deployed lists the tests of a fixture that run in a lane.
	Deployed func(f File, lane *Lane) []DeployedTest
}

// DeployedTest is one test that runs on a deployment.
type DeployedTest struct {
	Name string
	Run  func(t T)
}

// RunAll runs the fixtures of s, each as a subtest, then its prose tests. Of a
// suite that needs deployments it runs what belongs to the lane; the others run
// without a lane, or in the first one.
func (s Suite) RunAll(t T, src *Source, lane *Lane) {
	switch {
	case s.Deployed != nil && lane == nil:
		t.Run("deployment", func(t T) { t.Skipf("there is no deployment to run on") })
		return
	case s.Deployed == nil && lane != nil && !lane.first:
		return
	}
	if why, ok := src.outdated[s.Name]; ok {
		if lane == nil || lane.first {
			t.Run("files", func(t T) { t.Skipf("the fixtures of %s in %s are outdated: %s", s.Name, src.Name, why) })
		}
		return
	}
	if s.Run != nil || s.Deployed != nil {
		files, err := src.Files(s.Name)
		switch {
		case errors.Is(err, ErrNoFiles) && lane != nil && !lane.first:
		case errors.Is(err, ErrNoFiles):
			t.Run("files", func(t T) { t.Skipf("%s has no fixtures of %s", src.Name, s.Name) })
		case err != nil:
			t.Errorf("%v", err)
		}
		for _, f := range files {
			s.runFile(t, f, lane)
		}
	}
	if s.Prose != nil {
		t.Run("prose", s.Prose)
	}
}

func (s Suite) runFile(t T, f File, lane *Lane) {
	if s.Run != nil {
		t.Run(f.Name, func(t T) {
			t.Attr(AttrFile, f.Name)
			s.Run(t, f)
		})
		return
	}
	tests := s.Deployed(f, lane)
	if len(tests) == 0 {
		return
	}
	t.Run(f.Name, func(t T) {
		t.Attr(AttrFile, f.Name)
		for _, test := range tests {
			t.Run(test.Name, test.Run)
		}
	})
}

// Match is the suites that the patterns name, in the order of the table. A
// pattern in the syntax of path.Match names a suite or a folder of suites; one
// with an exclamation mark before it takes them out again. No pattern but
// those names every suite.
func Match(patterns ...string) ([]Suite, error) {
	used := make([]bool, len(patterns))
	all := !slices.ContainsFunc(patterns, func(p string) bool { return !strings.HasPrefix(p, "!") })
	var matched []Suite
	for _, s := range Suites {
		hit := all
		for i, p := range patterns {
			p, out := strings.CutPrefix(p, "!")
			spec, _, _ := strings.Cut(s.Name, "/")
			whole, err := path.Match(p, s.Name)
			if err != nil {
				return nil, fmt.Errorf("suite pattern %q: %w", p, err)
			}
			above, _ := path.Match(p, spec)
			if whole || above {
				used[i], hit = true, !out
			}
		}
		if hit {
			matched = append(matched, s)
		}
	}
	for i, p := range patterns {
		if !used[i] {
			return nil, fmt.Errorf("no suite is named %q; the suites are: %s", p, strings.Join(names(), ", "))
		}
	}
	return matched, nil
}

func names() (names []string) {
	for _, s := range Suites {
		names = append(names, s.Name)
	}
	return names
}

// Decode reads the JSON of f into v, and ends the test if v has no place for
// a field of it: what a runner does not know of, it would not test.
func (f File) Decode(t T, v any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(f.Data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		t.Fatalf("%s/%s.json: %v", f.Suite, f.Name, err)
	}
}
