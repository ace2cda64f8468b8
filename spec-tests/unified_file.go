package spectests

import (
	"fmt"

	"github.com/motor-go/motor/bson"
)

// The versions of the unified test format that are understood.
var (
	oldestSchema = Version{1, 0, 0}
	newestSchema = Version{1, 28, 0}
)

// unifiedFile is a file of the unified test format. Documents whose form
// depends on a name in them stay Raw until that is known.
type unifiedFile struct {
	Description       string
	SchemaVersion     Version
	RunOnRequirements []requirement    `spec:"optional"`
	CreateEntities    []bson.Raw       `spec:"optional"`
	InitialData       []collectionData `spec:"optional"`
	Tests             []unifiedTest
	YAMLAnchors       bson.RawValue `spec:"name=_yamlAnchors,optional"`
}

// collectionData is what a collection holds before or after a test.
type collectionData struct {
	CollectionName string
	DatabaseName   string
	CreateOptions  bson.Raw `spec:"optional"`
	Documents      []bson.Raw
}

func (c collectionData) String() string { return c.DatabaseName + "." + c.CollectionName }

type unifiedTest struct {
	Description           string
	RunOnRequirements     []requirement      `spec:"optional"`
	SkipReason            string             `spec:"optional"`
	Operations            []operation        `spec:"optional"`
	ExpectEvents          []expectedEvents   `spec:"optional"`
	ExpectLogMessages     []expectedMessages `spec:"optional"`
	ExpectTracingMessages []expectedTracing  `spec:"optional"`
	Outcome               []collectionData   `spec:"optional"`
}

type operation struct {
	Name                 string
	Object               string
	Arguments            bson.Raw       `spec:"optional"`
	IgnoreResultAndError bool           `spec:"optional"`
	ExpectError          *expectedError `spec:"optional"`
	ExpectResult         bson.RawValue  `spec:"optional"`
	SaveResultAsEntity   string         `spec:"optional"`
}

func (o operation) String() string { return fmt.Sprintf("%s of %s", o.Name, o.Object) }

// parseUnified reads a file that is of a version that is understood. The
// version is looked at first: a file of another version may hold anything.
func parseUnified(data []byte) (*unifiedFile, error) {
	doc, err := bson.ParseExtJSON(data)
	if err != nil {
		return nil, err
	}
	s, _ := doc.Lookup("schemaVersion").Str()
	version, err := ParseVersion(s)
	if err != nil {
		return nil, fmt.Errorf("schemaVersion: %w", err)
	}
	version[2] = 0 // patches change nothing
	if !version.Within(oldestSchema, newestSchema) {
		return nil, fmt.Errorf("schemaVersion %s: this runner knows %s to %s", s, oldestSchema, newestSchema)
	}
	var file unifiedFile
	if err := decode(&file, doc); err != nil {
		return nil, err
	}
	return &file, nil
}
