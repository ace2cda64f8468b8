package spectests

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/motor-go/motor/uri"
)

// unified lists the tests of a file of the unified test format that run in a
// lane. The first lane also names those that run nowhere.
func unified(f File, lane *Lane) []DeployedTest {
	return planUnified(f, lane, 1, passes)
}

// unifiedTimed is unified for tests that wait for fractions of a second and,
// as their specification says, may fail now and then without any fault of the
// driver: they are tried again on a machine that had something else to do.
func unifiedTimed(f File, lane *Lane) []DeployedTest {
	const tries = 3
	return planUnified(f, lane, tries, passes)
}

// passes judges tests that must pass.
func passes(t T, err error) {
	if err != nil {
		t.Errorf("%v", err)
	}
}

// unifiedFailing is unified for tests that must fail, for the runner's own sake.
func unifiedFailing(f File, lane *Lane) []DeployedTest {
	return planUnified(f, lane, 1, func(t T, err error) {
		if err == nil {
			t.Errorf("the test passed but must fail")
		}
		t.Logf("failed as it must: %v", err)
	})
}

func planUnified(f File, lane *Lane, tries int, judge func(T, error)) (list []DeployedTest) {
	file, err := parseUnified(f.Data)
	if err != nil && lane.first {
		return []DeployedTest{{"file", func(t T) { judge(t, err) }}}
	}
	if err != nil {
		return nil
	}
	for _, test := range file.Tests {
		d, why, err := lane.place(file, test)
		switch {
		case d == nil && why == "" && err == nil:
			continue
		case err != nil:
			list = append(list, DeployedTest{test.Description, func(t T) { t.Fatalf("%v", err) }})
		case why != "":
			list = append(list, DeployedTest{test.Description, func(t T) { t.Skipf("%s", why) }})
		default:
			list = append(list, DeployedTest{test.Description + "/" + d.Facts.String(), func(t T) {
				t.Attr(AttrDeployment, d.Facts.String())
				var err error
				for try := 1; try == 1 || err != nil && try <= tries; try++ {
					if err != nil {
						t.Attr(AttrTries, strconv.Itoa(try))
						t.Logf("try %d failed: %v", try-1, err)
					}
					err = (&testRun{deployment: d}).execute(t.Context(), file, test)
				}
				judge(t, err)
			}})
		}
	}
	return list
}

// place finds the lane's deployment for a test. If there is none the test is
// another lane's, or why says why it is nobody's.
func (l *Lane) place(file *unifiedFile, test unifiedTest) (d *Deployment, why string, err error) {
	ctx := context.Background()
	if why = test.notOffered(); why != "" {
		if !l.first {
			why = ""
		}
		return nil, why, nil
	}
	d, _, err = l.deployments.choose(ctx, l.Topology, file.RunOnRequirements, test.RunOnRequirements)
	if d != nil || err != nil || !l.first {
		return d, "", err
	}
	var reasons string
	for _, topology := range l.deployments.Topologies() {
		found, unmet, e := l.deployments.choose(ctx, topology, file.RunOnRequirements, test.RunOnRequirements)
		if found != nil {
			return nil, "", nil
		}
		err = errors.Join(err, e)
		reasons = nearer(reasons, unmet)
	}
	return nil, "no deployment meets: " + reasons, err
}

// optionalOptions are deprecated, and drivers need not have them
// (connection-monitoring-and-pooling).
var optionalOptions = []string{"waitQueueSize", "waitQueueMultiple"}

// notOffered says why no driver, or not this one, can run a test; it is empty
// if there is no reason.
func (t unifiedTest) notOffered() string {
	if t.SkipReason != "" {
		return "the test says: " + t.SkipReason
	}
	for _, op := range t.Operations {
		entities, _ := op.Arguments.Lookup("entities").Array()
		for entity := range entities.Values() {
			doc, _ := entity.Document()
			options, _ := doc.Lookup("client", "uriOptions").Document()
			for name := range options.Keys() {
				if slices.Contains(optionalOptions, name) && !knownOption(name) {
					return "the driver goes without the deprecated option " + name
				}
			}
		}
	}
	if t.contradictory() {
		return "the test contradicts itself: it expects a time-out, but nothing in it takes as long as its timeoutMS"
	}
	return ""
}

// contradictory reports whether a test wants an iteration of a cursor to time
// out that cannot: the only thing in its way is a fail point that blocks one
// command for less than timeoutMS, which each iteration has anew.
func (t unifiedTest) contradictory() bool {
	var block, limit int64
	var cursor, fails bool
	for _, op := range t.Operations {
		switch op.Name {
		case "failPoint":
			if n, _ := op.Arguments.Lookup("failPoint", "mode", "times").AsInt64(); n != 1 {
				return false
			}
			block, _ = op.Arguments.Lookup("failPoint", "data", "blockTimeMS").AsInt64()
		case "runCursorCommand", "createCommandCursor":
			mode, _ := op.Arguments.Lookup("timeoutMode").Str()
			limit, _ = op.Arguments.Lookup("timeoutMS").AsInt64()
			cursor = mode == "iteration" || limit == 0
		}
		fails = fails || op.ExpectError != nil && op.ExpectError.IsTimeoutError != nil && *op.ExpectError.IsTimeoutError
	}
	return cursor && fails && block > 0 && (limit == 0 || block < limit)
}

// knownOption reports whether connection strings may have an option.
func knownOption(name string) bool {
	_, warnings, err := uri.Parse("mongodb://localhost/?" + name + "=1")
	return err == nil && len(warnings) == 0
}
