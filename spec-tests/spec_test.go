package spectests

import (
	"slices"
	"testing"
)

// goT lets the go tool's tests run suites.
type goT struct{ *testing.T }

func (t goT) Run(name string, f func(T)) bool {
	return t.T.Run(name, func(t *testing.T) { f(goT{t}) })
}

// TestSpecs runs every suite that needs no deployment, each with the fixtures
// that Locate finds.
func TestSpecs(t *testing.T) {
	src, err := Locate(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("fixtures of %s", src.Name)
	for _, s := range Suites {
		if s.Deployed == nil {
			t.Run(s.Name, func(t *testing.T) { s.RunAll(goT{t}, src, nil) })
		}
	}
}

// TestDeployed runs the suites that need deployments, on embedded ones.
func TestDeployed(t *testing.T) {
	src, err := Locate(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	deployments := Embedded(nil, nil)
	t.Cleanup(deployments.Close)
	for _, lane := range deployments.Lanes() {
		t.Run(lane.Topology, func(t *testing.T) {
			t.Parallel()
			for _, s := range Suites {
				if s.Deployed != nil && slices.Contains(gate, s.Name) {
					t.Run(s.Name, func(t *testing.T) { s.RunAll(goT{t}, src, lane) })
				}
			}
		})
	}
}
