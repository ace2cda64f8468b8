package schema

import (
	"bytes"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"

	spectests "github.com/motor-go/motor/spec-tests"
)

// Schemas are the schemas of a checkout of the specifications, each compiled
// when it is first asked for.
type Schemas struct {
	source   *spectests.Source
	compiled map[string]*jsonschema.Schema
}

// New reads schemas from a source, which must be a checkout.
func New(source *spectests.Source) *Schemas {
	return &Schemas{source: source, compiled: map[string]*jsonschema.Schema{}}
}

// schema is the schema for a version "major.minor".
func (s *Schemas) schema(version string) (*jsonschema.Schema, error) {
	if c := s.compiled[version]; c != nil {
		return c, nil
	}
	name := "unified-test-format/schema-" + version + ".json"
	text, err := s.source.ReadFile(name)
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(name, doc); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s.compiled[version], err = compiler.Compile(name)
	return s.compiled[version], err
}

// Check says what in a file is not as the schema of a version has it.
func (s *Schemas) Check(version string, data []byte) error {
	schema, err := s.schema(version)
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return schema.Validate(doc)
}
