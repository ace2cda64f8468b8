package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	spectests "github.com/motor-go/motor/spec-tests"
)

const suite = "unified-test-format/"

func open(t *testing.T) (*spectests.Source, *Schemas) {
	t.Helper()
	source, err := spectests.Locate(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := source.ReadFile("unified-test-format/schema-latest.json"); err != nil {
		t.Skipf("%s has no schemas; name a checkout of the specifications with MOTOR_SPECS", source.Name)
	}
	return source, New(source)
}

// version is the schema that a file is to be checked against: its own if there
// is one, otherwise the newest.
func version(s *Schemas, data []byte) string {
	var file struct{ SchemaVersion any }
	json.Unmarshal(data, &file)
	v, _ := file.SchemaVersion.(string)
	if parts := strings.SplitN(v, ".", 3); len(parts) >= 2 {
		v = parts[0] + "." + parts[1]
	}
	if _, err := s.schema(v); err != nil {
		return "latest"
	}
	return v
}

// Every file that must not be valid is refused for what is in it, by the schema
// of its version and by the newest of that major version.
func TestInvalid(t *testing.T) {
	source, schemas := open(t)
	files, err := source.Files(suite + "invalid")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		t.Run(f.Name, func(t *testing.T) {
			for _, v := range []string{version(schemas, f.Data), "latest"} {
				var refused *jsonschema.ValidationError
				switch err := schemas.Check(v, f.Data); {
				case err == nil:
					t.Errorf("the schema %s takes it", v)
				case !errors.As(err, &refused):
					t.Errorf("the schema %s could not be applied: %v", v, err)
				}
			}
		})
	}
	t.Logf("%d files were refused", len(files))
}

// Every file that the runner is to read is valid in its version, and in the
// newest.
func TestValid(t *testing.T) {
	source, schemas := open(t)
	checked := 0
	for _, s := range spectests.Suites {
		if s.Deployed == nil {
			continue
		}
		files, err := source.Files(s.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if f.Name == "schemaVersion-unsupported" {
				continue // it is of no version
			}
			for _, v := range []string{version(schemas, f.Data), "latest"} {
				if err := schemas.Check(v, f.Data); err != nil {
					t.Errorf("%s/%s is refused by the schema %s: %v", f.Suite, f.Name, v, err)
				}
			}
			checked++
		}
	}
	t.Logf("%d files are valid", checked)
}

// All minor versions have a schema, down to the first.
func TestVersions(t *testing.T) {
	_, schemas := open(t)
	minimal := `{"description": "d", "schemaVersion": "1.0", "tests": [{"description": "t", "operations": []}]}`
	for minor := range 29 {
		v := fmt.Sprintf("1.%d", minor)
		if err := schemas.Check(v, []byte(minimal)); err != nil {
			t.Errorf("%s: %v", v, err)
		}
		if err := schemas.Check(v, []byte(strings.Replace(minimal, `"tests"`, `"test"`, 1))); err == nil {
			t.Errorf("%s: a file without tests is valid", v)
		}
	}
	if v := version(schemas, []byte(minimal)); v != "1.0" {
		t.Errorf("a file of version 1.0 is checked against %s", v)
	}
}
