package query

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/motor-go/motor/bson"
)

// The recordings of a real server are scenarios of commands and replies. This
// test plays the parts of them that are the query language's on lists of
// documents; what needs a server (indexes, cursors, options of commands) is left
// to the server's own replay.

func goldenDir(t *testing.T) string {
	dir := os.Getenv("MOTOR_GOLDEN")
	if dir == "" {
		t.Skip("MOTOR_GOLDEN does not name the folder of the recordings of a real server")
	}
	return dir
}

func TestGolden(t *testing.T) {
	dir := goldenDir(t)
	compared := 0
	for _, area := range []string{"query", "update", "delete", "findAndModify", "count", "distinct", "aggregate", "mixed", "insert"} {
		files, err := filepath.Glob(filepath.Join(dir, area, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no recordings in %s: %v", filepath.Join(dir, area), err)
		}
		for _, file := range files {
			t.Run(area+"/"+strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
				compared += playScenario(t, file)
			})
		}
	}
	t.Logf("compared %d replies", compared)
	if !t.Failed() && compared < 1000 {
		t.Errorf("only %d replies were compared", compared)
	}
}

func playScenario(t *testing.T, file string) (compared int) {
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var scenario struct {
		Steps []struct {
			DB      string
			Command json.RawMessage
			Reply   json.RawMessage
			Only    []string
			Flags   []string
			Unord   []string `json:"unordered"`
		}
	}
	if err := json.Unmarshal(data, &scenario); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "$gen") || strings.Contains(string(data), `"sequences"`) {
		return 0
	}
	server := miniServer{}
	for i, step := range scenario.Steps {
		if len(step.Command) == 0 || len(step.Reply) == 0 || string(step.Reply) == "null" || len(step.Flags) > 0 {
			return compared
		}
		command := mustExtJSON(t, step.Command)
		reply, ok := server.run(step.DB, command)
		if !ok {
			if server.lost {
				return compared
			}
			continue
		}
		compared++
		want := mustExtJSON(t, step.Reply)
		for name, got := range reply.All() {
			if len(step.Only) > 0 && !slices.Contains(step.Only, name) {
				continue
			}
			expected := want.Lookup(name)
			if len(step.Unord) > 0 {
				continue
			}
			if diff := differ(name, expected, got); diff != "" {
				t.Errorf("step %d: %s\n\tcommand %s\n\twant %s\n\tgot  %s", i, diff, command, want, reply)
				break
			}
		}
	}
	return compared
}

func mustExtJSON(t testing.TB, data []byte) bson.Raw {
	t.Helper()
	doc, err := bson.ParseExtJSON(data)
	if err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return doc
}

// differ compares as the recordings' README says.
func differ(path string, want, got bson.RawValue) string {
	if isObject(want) {
		if kind := bson.Raw(want.Value).Lookup("$any"); isString(kind) {
			if isMissing(got) {
				return path + " is missing"
			}
			return ""
		}
	}
	if isObject(want) && isObject(got) || isArray(want) && isArray(got) {
		w, g := fields(want.Value), fields(got.Value)
		for i := range min(len(w), len(g)) {
			if w[i].key != g[i].key {
				return fmt.Sprintf("%s: field %q where %q is expected", path, g[i].key, w[i].key)
			}
			if d := differ(path+"."+w[i].key, w[i].value, g[i].value); d != "" {
				return d
			}
		}
		if len(w) != len(g) {
			return fmt.Sprintf("%s: %d elements instead of %d", path, len(g), len(w))
		}
		return ""
	}
	if x, ok := want.Double(); ok {
		if y, ok := got.Double(); ok && (math.Abs(x-y) <= 1e-13*math.Abs(x) || math.IsNaN(x) && math.IsNaN(y)) {
			return ""
		}
	}
	if !equalBytes(want, got) {
		return fmt.Sprintf("%s: %s %s where %s %s is expected", path, TypeName(got.Type), formatValue(got), TypeName(want.Type), formatValue(want))
	}
	return ""
}
