package main

import (
	"testing"

	spectests "github.com/motor-go/motor/spec-tests"
)

func TestConformance(t *testing.T) {
	table := spectests.Suites
	t.Cleanup(func() { spectests.Suites = table })
	spectests.Suites = []spectests.Suite{{Name: "crud"}, {Name: "dbref"}, {Name: "sessions"}}
	r := newReport("", spectests.Suites[:2])
	add := func(suite int, test, deployment string, outcome spectests.Outcome, log string) {
		attributes := map[string]string{spectests.AttrFile: "f"}
		if deployment != "" {
			test, attributes[spectests.AttrDeployment] = test+"/"+deployment, deployment
		}
		r.add(suite, spectests.Result{Suite: r.Suites[suite].Suite, Test: test, Outcome: outcome, Log: log, Attributes: attributes})
	}
	add(0, "f/b", "single 8.0.0", spectests.Passed, "")
	add(0, "f/b", "replicaset 8.0.0", spectests.Failed, "127.0.0.1:5: no")
	add(0, "f/a", "single 8.0.0", spectests.Passed, "")
	add(0, "f/c", "", spectests.Skipped, "no deployment meets: csfle")
	add(1, "f/x", "", spectests.Passed, "")
	const want = `# Conformance

What the driver makes of the tests of ` + "`mongodb/specifications`" + `, revision
` + "`92b3c0b`" + `,
written by ` + "`go run ./cmd/spectest -md docs/conformance.md`" + `. A test passes if it passes on every
deployment that it runs on: one of each topology that it allows, of the newest version of the
server that meets its requirements.
Those of client-side-operations-timeout wait for fractions of a second, and have three tries.

| Suite | Files | Tests | Passed | Topologies |
|---|--:|--:|--:|---|
| crud | 1 | 3 | 1 | replicaset, single |
| dbref | 1 | 1 | 1 |  |
| all | 2 | 4 | 2 |  |

Not run: sessions.

## Deployments

| Deployment | Tests | Passed |
|---|--:|--:|
| replicaset 8.0.0 | 1 | 0 |
| single 8.0.0 | 2 | 2 |

## Failed

1 of 4 tests, 25.0 %.

- crud/f/b/replicaset 8.0.0

## Ran nowhere

1 of 4 tests, 25.0 %.

no deployment meets: csfle

- crud/f/c
`
	if got := string(r.conformance("92b3c0b")); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
