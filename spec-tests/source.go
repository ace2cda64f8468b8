package spectests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// The module whose test data stands in for a checkout of the specifications:
// the newest release of the official driver that carries them. The sum is that
// of go.sum.
const (
	fallbackModule = "go.mongodb.org/mongo-driver/v2@v2.2.3"
	fallbackSum    = "h1:72uiGYXeSnUEQk37xvV9r067xzFQod4SOeAoOuq3+GM="
)

// Source is a place that fixtures are read from.
type Source struct {
	// Name says where the fixtures come from.
	Name string

	files  fs.FS
	folder func(suite string) (dir string, flat bool)
	// partial is set if the place is known to lack whole suites.
	partial bool
	// outdated are the suites whose fixtures contradict today's specification,
	// with what has changed.
	outdated map[string]string
}

// File is one fixture.
type File struct {
	// Suite is the name of the suite that the file belongs to.
	Suite string
	// Name is the path below the suite's folder, without the ending.
	Name string
	// Data is JSON.
	Data []byte
}

// ErrNoFiles says that a source is not expected to have a suite's folder.
var ErrNoFiles = errors.New("not among the fixtures")

// Locate finds the fixtures: in dir, a checkout of the specifications
// (github.com/mongodb/specifications) that contains the folder source; if dir
// is empty, in the directory that the environment variable MOTOR_SPECS names;
// else in the module cache of the go command, which fetches the test data of
// the official driver into it when need be.
func Locate(ctx context.Context, dir string) (*Source, error) {
	if dir == "" {
		dir = os.Getenv("MOTOR_SPECS")
	}
	if dir == "" {
		return fetch(ctx)
	}
	info, err := os.Stat(filepath.Join(dir, "source"))
	if err != nil {
		return nil, fmt.Errorf("no specifications in %s: %w", dir, err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("no specifications in %s: source is not a folder", dir)
	}
	return &Source{Name: dir, files: os.DirFS(filepath.Join(dir, "source")), folder: checkoutFolder}, nil
}

// fetch has the go command put the fallback module into its cache.
func fetch(ctx context.Context) (*Source, error) {
	fail := func(why any) (*Source, error) {
		return nil, fmt.Errorf("no specifications: name a checkout of github.com/mongodb/specifications with -specs or MOTOR_SPECS, "+
			"or let the go command reach a module proxy for %s: %v", fallbackModule, why)
	}
	out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", fallbackModule).Output()
	var module struct{ Dir, Sum, Error string }
	if len(out) == 0 {
		return fail(err)
	}
	if err := json.Unmarshal(out, &module); err != nil {
		return fail(err)
	}
	if module.Error != "" {
		return fail(module.Error)
	}
	if module.Sum != fallbackSum {
		return fail(fmt.Errorf("it has the sum %s instead of %s", module.Sum, fallbackSum))
	}
	return &Source{
		Name:     fallbackModule,
		files:    os.DirFS(filepath.Join(module.Dir, "testdata")),
		folder:   moduleFolder,
		partial:  true,
		outdated: moduleOutdated,
	}, nil
}

// checkoutFolder is where a checkout has the files of a suite: those of
// "transactions/unified" are in transactions/tests/unified.
func checkoutFolder(suite string) (dir string, flat bool) {
	spec, rest, _ := strings.Cut(suite, "/")
	return path.Join(spec, "tests", rest), false
}

// moduleFolders are the suites that the fallback module keeps in a folder of
// another name. Those folders hold other suites further down.
var moduleFolders = map[string]string{
	"auth/legacy":                                   "auth",
	"change-streams/unified":                        "change-streams",
	"command-logging-and-monitoring/logging":        "command-monitoring/logging",
	"command-logging-and-monitoring/monitoring":     "command-monitoring",
	"connection-monitoring-and-pooling/cmap-format": "connection-monitoring-and-pooling",
	"run-command/unified":                           "run-command",
	"transactions-convenient-api/unified":           "convenient-transactions",
}

// moduleOutdated are the suites in the fallback module that the specifications
// have changed since.
var moduleOutdated = map[string]string{
	"client-side-operations-timeout":            "a getMore had maxTimeMS within the lifetime of a cursor",
	"connection-monitoring-and-pooling/logging": "messages could stand in any order",
	"crud/unified":                 "hints on unacknowledged writes were client-side errors",
	"gridfs":                       "files had a content type",
	"read-write-concern/operation": "the tests were in a format of their own",
	"server-discovery-and-monitoring/unified": "durations were whole numbers, and back-pressure cleared the pool",
	"sessions":                            "findAndModify had the field new: false",
	"transactions-convenient-api/unified": "the tests were in a format of their own",
}

func moduleFolder(suite string) (dir string, flat bool) {
	dir, flat = moduleFolders[suite]
	if !flat {
		dir = suite
	}
	return dir, flat
}

// ReadFile reads a file of a checkout, by its name below the folder source. The
// fallback module has other files.
func (s *Source) ReadFile(name string) ([]byte, error) { return fs.ReadFile(s.files, name) }

// Files reads the fixtures of a suite, in the order of their names. The suite
// is named by its folder in the specifications, without tests between:
// "bson-corpus", "transactions/unified". The error is ErrNoFiles if the
// fallback module has nothing of the suite.
func (s *Source) Files(suite string) ([]File, error) {
	root, flat := s.folder(suite)
	var files []File
	err := fs.WalkDir(s.files, root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if flat && name != root {
				return fs.SkipDir
			}
			return nil
		case path.Ext(name) != ".json":
			return nil
		}
		data, err := fs.ReadFile(s.files, name)
		below := strings.TrimPrefix(name, root+"/")
		files = append(files, File{Suite: suite, Name: strings.TrimSuffix(below, ".json"), Data: data})
		return err
	})
	switch {
	case s.partial && (errors.Is(err, fs.ErrNotExist) || err == nil && len(files) == 0):
		return nil, ErrNoFiles
	case err != nil:
		return nil, fmt.Errorf("fixtures of %s in %s: %w", suite, s.Name, err)
	case len(files) == 0:
		return nil, fmt.Errorf("fixtures of %s in %s: no JSON file in %s", suite, s.Name, root)
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return files, nil
}
