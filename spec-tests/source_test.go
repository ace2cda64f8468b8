package spectests

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestFilesOfBothLayouts(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	checkout := &Source{folder: checkoutFolder, files: fstest.MapFS{
		"auth/tests/legacy/connection-string.json":                                file("uris"),
		"command-logging-and-monitoring/tests/logging/command.json":               file("log"),
		"command-logging-and-monitoring/tests/monitoring/find.json":               file("find"),
		"command-logging-and-monitoring/tests/monitoring/find.yml":                file("no JSON"),
		"max-staleness/tests/Single/Incompatible.json":                            file("max"),
		"server-selection/tests/server_selection/Unknown/read/Nearest.json":       file("nearest"),
		"server-selection/tests/server_selection/Unknown/read/PrimaryMode.json":   file("primary"),
		"server-selection/tests/rtt/first_value.json":                             file("rtt"),
		"transactions-convenient-api/tests/unified/commit.json":                   file("commit"),
		"transactions/tests/unified/commit.json":                                  file("transaction"),
		"transactions/tests/README.md":                                            file("no test"),
		"connection-monitoring-and-pooling/tests/cmap-format/pool-close.json":     file("close"),
		"connection-monitoring-and-pooling/tests/logging/connection-logging.json": file("pool log"),
	}}
	module := &Source{folder: moduleFolder, partial: true, files: fstest.MapFS{
		"auth/connection-string.json":                                       file("uris"),
		"command-monitoring/logging/command.json":                           file("log"),
		"command-monitoring/find.json":                                      file("find"),
		"max-staleness/Single/Incompatible.json":                            file("max"),
		"server-selection/server_selection/Unknown/read/Nearest.json":       file("nearest"),
		"server-selection/server_selection/Unknown/read/PrimaryMode.json":   file("primary"),
		"server-selection/rtt/first_value.json":                             file("rtt"),
		"convenient-transactions/commit.json":                               file("commit"),
		"transactions/unified/commit.json":                                  file("transaction"),
		"transactions/legacy/commit.json":                                   file("legacy"),
		"connection-monitoring-and-pooling/pool-close.json":                 file("close"),
		"connection-monitoring-and-pooling/logging/connection-logging.json": file("pool log"),
	}}
	for suite, want := range map[string]string{
		"auth/legacy":                                   "connection-string=uris",
		"command-logging-and-monitoring/logging":        "command=log",
		"command-logging-and-monitoring/monitoring":     "find=find",
		"connection-monitoring-and-pooling/cmap-format": "pool-close=close",
		"connection-monitoring-and-pooling/logging":     "connection-logging=pool log",
		"max-staleness":                                 "Single/Incompatible=max",
		"server-selection/server_selection":             "Unknown/read/Nearest=nearest Unknown/read/PrimaryMode=primary",
		"server-selection/rtt":                          "first_value=rtt",
		"transactions-convenient-api/unified":           "commit=commit",
		"transactions/unified":                          "commit=transaction",
	} {
		for layout, src := range map[string]*Source{"checkout": checkout, "module": module} {
			files, err := src.Files(suite)
			var got []string
			for _, f := range files {
				got = append(got, f.Name+"="+string(f.Data))
			}
			if err != nil || strings.Join(got, " ") != want {
				t.Errorf("%s of the %s: %q, %v\nexpected %s", suite, layout, got, err, want)
			}
		}
	}
	for _, suite := range []string{"open-telemetry/operation", "retryable-reads/unified"} {
		if files, err := module.Files(suite); !errors.Is(err, ErrNoFiles) {
			t.Errorf("the module has the files %v of %s, %v", files, suite, err)
		}
		if files, err := checkout.Files(suite); err == nil || errors.Is(err, ErrNoFiles) {
			t.Errorf("the checkout has the files %v of %s, %v", files, suite, err)
		}
	}
}

func TestLocate(t *testing.T) {
	empty := t.TempDir()
	if src, err := Locate(t.Context(), empty); err == nil || !strings.Contains(err.Error(), empty) {
		t.Errorf("an empty folder is %v, %v", src, err)
	}
	os.Mkdir(filepath.Join(empty, "source"), 0o755)
	t.Setenv("MOTOR_SPECS", empty)
	if src, err := Locate(t.Context(), ""); err != nil || src.Name != empty {
		t.Errorf("MOTOR_SPECS is not used: %v, %v", src, err)
	}
}

// Without fixtures and without a module proxy, the error says what to do.
func TestLocateOffline(t *testing.T) {
	t.Setenv("MOTOR_SPECS", "")
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "-modcacherw")
	src, err := Locate(t.Context(), "")
	if err == nil {
		t.Fatalf("found %v", src)
	}
	for _, want := range []string{"-specs", "MOTOR_SPECS", "module proxy", fallbackModule} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestMatch(t *testing.T) {
	table := Suites
	t.Cleanup(func() { Suites = table })
	Suites = []Suite{{Name: "bson-corpus"}, {Name: "bson-objectid"}, {Name: "crud/unified"}, {Name: "sessions/one"}, {Name: "sessions/two"}}
	for pattern, want := range map[string]string{
		"bson-corpus":   "bson-corpus",
		"bson-*":        "bson-corpus bson-objectid",
		"sessions":      "sessions/one sessions/two",
		"s*/two":        "sessions/two",
		"*/unified":     "crud/unified",
		"no-such-suite": "",
		"!bson-*":       "crud/unified sessions/one sessions/two",
		"[":             "",
	} {
		suites, err := Match(pattern)
		var got []string
		for _, s := range suites {
			got = append(got, s.Name)
		}
		if strings.Join(got, " ") != want || (err == nil) != (want != "") {
			t.Errorf("%q names %q, %v", pattern, got, err)
		}
	}
	if all, err := Match(); err != nil || len(all) != len(Suites) {
		t.Errorf("no pattern names %d suites, %v", len(all), err)
	}
}
