package query

import "github.com/motor-go/motor/bson"

var errUnfinished = &Error{Code: codeInternalError, Message: "not there yet"}

// Update is a parsed update: operators, a replacement or a pipeline.
type Update struct{ env *Env }

// UpdateKind says how an update is written down in the oplog.
type UpdateKind int

// The kinds of updates.
const (
	Operators UpdateKind = iota
	Replacement
	PipelineUpdate
)

// Kind is the kind of the update.
func (u *Update) Kind() UpdateKind { return Operators }

// ParseUpdate reads an update document or pipeline.
func ParseUpdate(u bson.RawValue, arrayFilters []bson.Raw, env *Env) (*Update, error) {
	return nil, errUnfinished
}

// UpdateResult is what an update made of a document.
type UpdateResult struct {
	// Document is the new document. It is the old one if nothing changed.
	Document bson.Raw
	// Changed reports whether Document differs from the old one in any byte.
	Changed bool
	// Description says what changed, as change streams tell it. It is nil for
	// replacements, and for pipelines of servers before 5.0 (a "replace" event).
	Description *UpdateDescription
}

// UpdateDescription is the updateDescription of a change event.
type UpdateDescription struct {
	UpdatedFields      bson.Raw         // dotted path → new value
	RemovedFields      []string         // dotted paths
	TruncatedArrays    []TruncatedArray // since 5.0
	DisambiguatedPaths bson.Raw         // since 6.1: dotted path → array of path components
}

// TruncatedArray is an array that an update cut.
type TruncatedArray struct {
	Field   string
	NewSize int
}

// Apply updates a document that matched a filter at the array position, which
// is -1 if the filter gave none (see Filter.MatchPosition).
func (u *Update) Apply(doc bson.Raw, position int) (UpdateResult, error) {
	return UpdateResult{}, errUnfinished
}

// Upsert makes the document to insert when nothing matched. Its _id comes first.
func (u *Update) Upsert(filter *Filter) (bson.Raw, error) { return nil, errUnfinished }

// Projection is a parsed projection of find or findAndModify.
type Projection struct{}

// ParseProjection reads a projection. The filter is the query's, for the
// positional operator.
func ParseProjection(spec bson.Raw, filter *Filter, env *Env) (*Projection, error) {
	return nil, errUnfinished
}

// Metadata is what $meta can ask of a document.
type Metadata struct {
	RecordID int64         // $meta: "recordId"
	IndexKey bson.Raw      // $meta: "indexKey"; nil if no index was used
	SortKey  bson.RawValue // $meta: "sortKey"; zero if there was no sort
	Distance float64       // $meta: "geoNearDistance"
}

// Positional reports whether the projection has the positional operator.
func (p *Projection) Positional() bool { return false }

// Apply projects a document.
func (p *Projection) Apply(doc bson.Raw, meta *Metadata) (bson.Raw, error) {
	return nil, errUnfinished
}

// Pipeline is a parsed aggregation pipeline.
type Pipeline struct{}

// ParsePipeline reads and checks the stages.
func ParsePipeline(stages []bson.Raw, env *Env) (*Pipeline, error) { return nil, errUnfinished }

// Stages names the stages as written, in order.
func (p *Pipeline) Stages() []string { return nil }

// Initial is the first stage if it makes documents that only the server knows
// (see Collections.Generate), and its spec. Its name is empty otherwise.
func (p *Pipeline) Initial() (name string, spec bson.RawValue) { return "", bson.RawValue{} }

// Run pipes documents through the stages. source is the collection's documents,
// or those of the Initial stage. $out and $merge write when the result is
// first read, which yields no document.
func (p *Pipeline) Run(source Iterator) (Iterator, error) { return nil, errUnfinished }
