package spectests

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func record(t *testing.T, s Suite, pattern string) (outcomes []string, logs string) {
	t.Helper()
	src := &Source{
		files:  fstest.MapFS{"s/tests/one.json": {Data: []byte("{}")}, "s/tests/two.json": {Data: []byte("{}")}},
		folder: checkoutFolder,
	}
	Record(t.Context(), s, src, nil, regexp.MustCompile(pattern), func(r Result) {
		outcomes = append(outcomes, string(r.Outcome)+" "+r.Test)
		logs += r.Log
	})
	return outcomes, logs
}

func TestRecord(t *testing.T) {
	var cleaned []string
	suite := Suite{Name: "s", Run: func(t T, f File) {
		if f.Name == "two" {
			return
		}
		t.Cleanup(func() { cleaned = append(cleaned, "first") })
		t.Cleanup(func() { cleaned = append(cleaned, "last") })
		t.Run("passes", func(t T) { t.Logf("unseen") })
		t.Run("fails", func(t T) { t.Fatalf("for %d reasons", 2); t.Logf("never") })
		t.Run("is skipped", func(t T) { t.Skipf("why not") })
		t.Run("panics", func(t T) { panic("help") })
		if !t.Failed() {
			t.Logf("a failure below is not seen")
		}
	}}
	outcomes, logs := record(t, suite, "")
	want := []string{"passed one/passes", "failed one/fails", "skipped one/is skipped", "failed one/panics", "passed two"}
	if !slices.Equal(outcomes, want) {
		t.Errorf("outcomes %q, expected %q", outcomes, want)
	}
	for _, want := range []string{"for 2 reasons", "why not", "panic: help"} {
		if !strings.Contains(logs, want) {
			t.Errorf("%q is not logged in %s", want, logs)
		}
	}
	if strings.Contains(logs, "unseen") || strings.Contains(logs, "never") {
		t.Errorf("logged %s", logs)
	}
	if !slices.Equal(cleaned, []string{"last", "first"}) {
		t.Errorf("cleaned up %q", cleaned)
	}
}

// A test with subtests counts if it fails by itself.
func TestRecordParent(t *testing.T) {
	outcomes, _ := record(t, Suite{Name: "s", Run: func(t T, f File) {
		t.Run("child", func(T) {})
		if f.Name == "one" {
			t.Errorf("the parent fails")
		}
	}}, "")
	if want := []string{"passed one/child", "failed one", "passed two/child"}; !slices.Equal(outcomes, want) {
		t.Errorf("outcomes %q, expected %q", outcomes, want)
	}
}

func TestRecordPattern(t *testing.T) {
	var ran []string
	suite := Suite{Name: "s", Run: func(t T, f File) {
		for _, name := range []string{"a", "b"} {
			t.Run(name, func(t T) { ran = append(ran, t.Name()) })
		}
	}}
	outcomes, _ := record(t, suite, "one/b|^two/a")
	if want := []string{"one/b", "two/a"}; !slices.Equal(ran, want) {
		t.Errorf("ran %q, expected %q", ran, want)
	}
	if want := []string{"passed one/b", "passed two/a"}; !slices.Equal(outcomes, want) {
		t.Errorf("outcomes %q, expected %q", outcomes, want)
	}
}

func TestRecordAttributes(t *testing.T) {
	src := &Source{files: fstest.MapFS{"s/tests/one.json": {Data: []byte("{}")}}, folder: checkoutFolder}
	suite := Suite{Name: "s", Run: func(t T, f File) {
		t.Run("here", func(t T) { t.Attr(AttrDeployment, "single 8.0.0") })
		t.Run("nowhere", func(t T) {})
	}}
	var got []map[string]string
	Record(t.Context(), suite, src, nil, nil, func(r Result) { got = append(got, r.Attributes) })
	want := []map[string]string{{AttrFile: "one", AttrDeployment: "single 8.0.0"}, {AttrFile: "one"}}
	if !slices.EqualFunc(got, want, maps.Equal) {
		t.Errorf("attributes %v, expected %v", got, want)
	}
}

// The fixtures of a suite that has changed since are not run.
func TestRecordOutdated(t *testing.T) {
	src := &Source{Name: "module", outdated: map[string]string{"s": "it was otherwise"}}
	var got []Result
	Record(t.Context(), Suite{Name: "s", Run: func(t T, f File) {}}, src, nil, nil, func(r Result) { got = append(got, r) })
	if len(got) != 1 || got[0].Outcome != Skipped || !strings.Contains(got[0].Log, "it was otherwise") {
		t.Errorf("results %v", got)
	}
}

func TestRecordMissingFixtures(t *testing.T) {
	outcomes, logs := record(t, Suite{Name: "elsewhere", Run: func(T, File) {}}, "")
	if want := []string{"failed "}; !slices.Equal(outcomes, want) || !strings.Contains(logs, "fixtures of elsewhere") {
		t.Errorf("outcomes %q, log %s", outcomes, logs)
	}
}
