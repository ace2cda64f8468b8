package spectests

import "testing"

// goT lets the go tool's tests run suites.
type goT struct{ *testing.T }

func (t goT) Run(name string, f func(T)) bool {
	return t.T.Run(name, func(t *testing.T) { f(goT{t}) })
}

// TestSpecs runs every suite, each with the fixtures that Locate finds.
func TestSpecs(t *testing.T) {
	if testing.Short() {
		t.Skip("the specification tests are not short")
	}
	src, err := Locate(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("fixtures of %s", src.Name)
	for _, s := range Suites {
		t.Run(s.Name, func(t *testing.T) { s.RunAll(goT{t}, src) })
	}
}
