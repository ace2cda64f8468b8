package spectests

import (
	"context"
	"errors"
)

// unified lists the tests of a file of the unified test format that run in a
// lane. The first lane also names those that run nowhere.
func unified(f File, lane *Lane) []DeployedTest {
	return planUnified(f, lane, func(t T, err error) {
		if err != nil {
			t.Errorf("%v", err)
		}
	})
}

// unifiedFailing is unified for tests that must fail, for the runner's own sake.
func unifiedFailing(f File, lane *Lane) []DeployedTest {
	return planUnified(f, lane, func(t T, err error) {
		if err == nil {
			t.Errorf("the test passed but must fail")
		}
		t.Logf("failed as it must: %v", err)
	})
}

func planUnified(f File, lane *Lane, judge func(T, error)) (list []DeployedTest) {
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
				r := &testRun{deployment: d}
				judge(t, r.execute(t.Context(), file, test))
			}})
		}
	}
	return list
}

// place finds the lane's deployment for a test. If there is none the test is
// another lane's, or why says why it is nobody's.
func (l *Lane) place(file *unifiedFile, test unifiedTest) (d *Deployment, why string, err error) {
	ctx := context.Background()
	if test.SkipReason != "" {
		if l.first {
			why = "the test says: " + test.SkipReason
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
