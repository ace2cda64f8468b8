package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// specs is a checkout with the one vector suite.
func specs(t *testing.T, vectors string) string {
	dir := t.TempDir()
	tests := filepath.Join(dir, "source", "bson-binary-vector", "tests")
	if err := os.MkdirAll(tests, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tests, "int8.json"), []byte(vectors), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

const (
	goodVectors = `{"test_key":"v","tests":[{"description":"good","valid":true,"vector":[],"dtype_hex":"0x03","canonical_bson":"0F00000005760002000000090300 00"}]}`
	badVectors  = `{"test_key":"v","tests":[{"description":"bad","valid":false,"vector":[1],"dtype_hex":"0x03"}]}`
)

func spectest(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), args, &out, &errs)
	return status, out.String(), errs.String()
}

func TestAllPass(t *testing.T) {
	file := filepath.Join(t.TempDir(), "results.json")
	dir := specs(t, strings.ReplaceAll(goodVectors, " ", ""))
	status, stdout, stderr := spectest(t, "-specs", dir, "-suite", "bson-binary-*", "-json", file)
	if status != 0 || !strings.HasSuffix(stdout, "\n6 passed, 0 failed, 0 skipped\n") || stderr != "" {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	for _, want := range []string{"fixtures: " + dir, "bson-binary-uuid ", "bson-binary-vector "} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil || r.Passed != 6 || len(r.Suites) != 2 || r.Suites[1].Tests[0].Test != "int8/good" {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestOneFails(t *testing.T) {
	status, stdout, _ := spectest(t, "-specs", specs(t, badVectors), "-suite", "bson-binary-vector", "-run", "^int8")
	if status != 1 || !strings.HasSuffix(stdout, "\n0 passed, 1 failed, 0 skipped\n") {
		t.Errorf("status %d\n%s", status, stdout)
	}
	if want := "failed: bson-binary-vector/int8/bad\n    the numbers make the vector"; !strings.Contains(stdout, want) {
		t.Errorf("%q is not in\n%s", want, stdout)
	}
}

func TestCannotRun(t *testing.T) {
	dir := specs(t, badVectors)
	for want, args := range map[string][]string{
		"no specifications in":                   {"-specs", t.TempDir()},
		`no suite is named "nope"`:               {"-specs", dir, "-suite", "nope"},
		"no test matches":                        {"-specs", dir, "-suite", "bson-objectid", "-run", "nope"},
		"error parsing regexp":                   {"-run", "("},
		`unexpected argument "extra"`:            {"extra"},
		"no deployment at mongodb://localhost:1": {"-specs", dir, "-uri", "mongodb://localhost:1/?serverSelectionTimeoutMS=10"},
	} {
		if status, stdout, stderr := spectest(t, args...); status != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d\n%s%s", args, status, stdout, stderr)
		}
	}
}
