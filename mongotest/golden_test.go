package mongotest_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

// TestGolden plays what a real MongoDB 4.4.6 was asked, and wants its answers.
func TestGolden(t *testing.T) {
	playAll(t, "MOTOR_GOLDEN", playAlone)
}

// playAll plays all recordings in the folder that an environment variable names.
func playAll(t *testing.T, variable string, play func(t *testing.T, scenario bson.Raw)) {
	dir := os.Getenv(variable)
	if dir == "" {
		t.Skip(variable + " does not name the folder of the recordings of a real server")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings in %s: %v", dir, err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, dir), ".json")
		t.Run(strings.TrimPrefix(name, "/"), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			play(t, parse(t, string(data)))
		})
	}
}

// playAlone plays a scenario against servers of its own.
func playAlone(t *testing.T, scenario bson.Raw) {
	o := mongotest.Options{Version: "4.4", ElectionTimeout: 500 * time.Millisecond}
	p := newPlayer(t, scenario)
	switch role, _ := scenario.Lookup("node").Str(); role {
	case "standalone":
		s := mongotest.NewStandalone(t, o)
		p.find = func(string) string { return s.Address() }
	case "auth":
		o.Username, o.Password = "root", "secret"
		s := mongotest.NewStandalone(t, o)
		p.find = func(string) string { return s.Address() }
	default:
		p.find = roles(t, mongotest.New(t, o), scenario)
	}
	p.play()
}

// roles finds the nodes of a replica set.
func roles(t *testing.T, rs *mongotest.ReplicaSet, scenario bson.Raw) func(role string) string {
	if name, _ := scenario.Lookup("name").Str(); name == "read_concern" {
		// It was recorded before the write that it looks for was committed.
		for _, n := range rs.Secondaries() {
			n.SetLag(time.Second)
		}
	}
	return func(role string) string {
		if role == "secondary" {
			return rs.Secondaries()[0].Address()
		}
		ctx, cancel := context.WithTimeout(t.Context(), maxWait)
		defer cancel()
		n, err := rs.AwaitPrimary(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return n.Address()
	}
}
