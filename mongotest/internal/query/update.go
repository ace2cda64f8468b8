package query

import (
	"bytes"
	"strings"

	"github.com/motor-go/motor/bson"
)

// UpdateKind says how an update is written down in the oplog.
type UpdateKind int

// The kinds of updates.
const (
	Operators UpdateKind = iota
	Replacement
	PipelineUpdate
)

// Update is a parsed update: operators, a replacement or a pipeline.
type Update struct {
	// Kind is the kind of the update.
	Kind UpdateKind

	env         *Env
	root        *updateNode
	filters     map[string]*arrayFilter
	replacement bson.Raw
	pipeline    *Pipeline
}

// ParseUpdate reads an update document or pipeline.
func ParseUpdate(u bson.RawValue, arrayFilters []bson.Raw, env *Env) (*Update, error) {
	if err := checkDepth(u); err != nil {
		return nil, err
	}
	switch {
	case isArray(u):
		if len(arrayFilters) > 0 {
			return nil, errorf(codeFailedToParse, "arrayFilters may not be specified for pipeline-syle updates")
		}
		pipeline, err := parseUpdatePipeline(u, env)
		return &Update{Kind: PipelineUpdate, env: env, pipeline: pipeline}, err
	case !isObject(u):
		return nil, errorf(codeFailedToParse, "Update argument must be either an object or an array")
	case !hasModifiers(u.Value):
		return &Update{Kind: Replacement, env: env, replacement: u.Value}, nil
	}
	filters, err := parseArrayFilters(arrayFilters, env)
	if err != nil {
		return nil, err
	}
	update := &Update{env: env, root: &updateNode{}, filters: filters}
	if err := update.parseOperators(u.Value); err != nil {
		return nil, err
	}
	return update, checkFiltersUsed(filters, arrayFilters, u.Value)
}

func hasModifiers(doc bson.Raw) bool {
	for name := range doc.Keys() {
		return strings.HasPrefix(name, "$")
	}
	return false
}

// UpdateResult is what an update made of a document.
type UpdateResult struct {
	// Document is the new document. It is the old one if nothing changed.
	Document bson.Raw
	// Changed reports whether the update counts as a modification. A
	// replacement by an equal document without its _id does.
	Changed bool
	// Description says what changed, as change streams tell it. It is nil if
	// the event is a "replace": for replacements, for pipelines of servers
	// before 5.0, and where a pipeline leaves little as it was.
	Description *UpdateDescription
}

// Apply updates a document that matched a filter at the array position, which
// is -1 if the filter gave none (see Filter.MatchPosition).
func (u *Update) Apply(doc bson.Raw, position int) (UpdateResult, error) {
	var result UpdateResult
	var err error
	switch u.Kind {
	case Replacement:
		result, err = u.replace(doc, u.replacement, true)
	case PipelineUpdate:
		var out bson.Raw
		if out, err = u.pipeline.apply(doc); err == nil {
			result, err = u.replace(doc, out, true)
			u.describePipeline(doc, &result)
		}
	default:
		result, err = u.modify(doc, position)
	}
	if err != nil || !result.Changed {
		return UpdateResult{Document: doc}, err
	}
	return result, checkStoredSize(result.Document)
}

// modify applies operators to a document that is stored.
func (u *Update) modify(doc bson.Raw, position int) (UpdateResult, error) {
	c := &updateContext{
		update: u, doc: newMutable("", documentValue(doc)), position: position, immutableID: true,
		log: &changeLog{created: u.env.Version.AtLeast(5, 0)},
	}
	if err := c.apply(u.root, nil); err != nil {
		return UpdateResult{}, err
	}
	out := bson.Raw(c.doc.raw().Value)
	return UpdateResult{Document: out, Changed: c.changed && !bytes.Equal(out, doc), Description: c.log.description()}, nil
}

func (u *Update) describePipeline(old bson.Raw, result *UpdateResult) {
	if !result.Changed || !u.env.Version.AtLeast(5, 0) {
		return
	}
	log := &changeLog{}
	log.diff(nil, old, result.Document)
	if log.size(0) < len(result.Document) {
		result.Description = log.description()
	}
}

const (
	maxStoredSize   = 16 << 20
	maxInternalSize = maxStoredSize + 16<<10
)

func checkStoredSize(doc bson.Raw) error {
	if len(doc) > maxInternalSize {
		first := ""
		for k, v := range doc.All() {
			first = formatElement(k, v)
			break
		}
		return errorf(codeBSONObjectTooLarge, "BSONObj size: %d (0x%X) is invalid. Size must be between 0 and %d(16MB) First element: %s", len(doc), len(doc), maxInternalSize, first)
	}
	if len(doc) > maxStoredSize {
		return errorf(17419, "Resulting document after update is larger than %d", maxStoredSize)
	}
	if depthExceeds(documentValue(doc), maxStoredDepth) {
		return errorf(codeOverflow, "Document exceeds maximum nesting depth of %d", maxStoredDepth)
	}
	return nil
}

const maxStoredDepth = 180
