package query

import (
	"strings"

	"github.com/motor-go/motor/bson"
)

// Pipeline is a parsed aggregation pipeline.
type Pipeline struct {
	stages  []*stage
	names   []string
	initial string
	spec    bson.RawValue
}

// stage turns one stream of documents into another.
type stage struct {
	// name is what the stage is in the end: $count becomes a $group.
	name string
	// exprs are to be optimized.
	exprs []*expression
	run   func(in Iterator) Iterator
}

// stageKind is what is known of a stage before its spec is read.
type stageKind struct {
	since Version
	parse func(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error)
	// first says that the stage makes its own documents and must be first.
	first bool
	// server says that only the server can make them.
	server bool
	// last says that the stage must be last, since it writes.
	last bool
}

var stageKinds map[string]stageKind

func init() {
	stageKinds = map[string]stageKind{
		"$match":       {parse: parseMatch},
		"$limit":       {parse: parseLimit},
		"$skip":        {parse: parseSkip},
		"$sort":        {parse: parseSortStage},
		"$sample":      {parse: parseSample},
		"$count":       {parse: parseCountStage},
		"$project":     {parse: parseProject},
		"$addFields":   {parse: parseAddFields},
		"$set":         {parse: parseAddFields, since: Version{4, 2}},
		"$unset":       {parse: parseUnset, since: Version{4, 2}},
		"$replaceRoot": {parse: parseReplaceRoot},
		"$replaceWith": {parse: parseReplaceRoot, since: Version{4, 2}},
		"$redact":      {parse: parseRedact},
		"$unwind":      {parse: parseUnwind},
		"$group":       {parse: parseGroup},
		"$sortByCount": {parse: parseSortByCount},
		"$bucket":      {parse: parseBucket},
		"$bucketAuto":  {parse: parseBucketAuto},
		"$facet":       {parse: parseFacet},
		"$lookup":      {parse: parseLookup},
		"$graphLookup": {parse: parseGraphLookup},
		"$unionWith":   {parse: parseUnionWith, since: Version{4, 4}},
		"$out":         {parse: parseOut, last: true},
		"$merge":       {parse: parseMerge, last: true, since: Version{4, 2}},
		"$geoNear":     {parse: parseGeoNear, first: true},

		"$setWindowFields": {parse: parseWindow, since: Version{5, 0}},
		"$densify":         {parse: parseDensify, since: Version{5, 1}},
		"$fill":            {parse: parseFill, since: Version{5, 3}},
		"$documents":       {parse: parseDocuments, first: true, since: Version{5, 1}},

		"$collStats":         {parse: parseObjectSpec, first: true, server: true},
		"$indexStats":        {parse: parseIndexStats, first: true, server: true},
		"$planCacheStats":    {parse: parseObjectSpec, first: true, server: true, since: Version{4, 2}},
		"$currentOp":         {parse: parseCurrentOp, first: true, server: true},
		"$listSessions":      {parse: parseListSessions, first: true, server: true},
		"$listLocalSessions": {parse: parseObjectSpec, first: true, server: true},
		"$changeStream":      {parse: parseObjectSpec, first: true, server: true},

		"$changeStreamSplitLargeEvent": {parse: parseSplitLargeEvent, since: Version{7, 0}},

		"$search":            {parse: parseAtlasOnly, first: true, since: Version{6, 0}},
		"$searchMeta":        {parse: parseAtlasOnly, first: true, since: Version{6, 0}},
		"$vectorSearch":      {parse: parseAtlasOnly, first: true, since: Version{7, 0}},
		"$listSearchIndexes": {parse: parseAtlasOnly, first: true, since: Version{6, 0}},
	}
}

// pipelineParser makes the stages of one pipeline.
type pipelineParser struct {
	env *Env
	// within names the stage that the pipeline is part of, "" for none.
	within string
	depth  int
}

// maxPipelines bounds how deep pipelines nest.
const maxPipelines = 20

// maxStages bounds a pipeline.
const maxStages = 1000

// ParsePipeline reads and checks the stages.
func ParsePipeline(stages []bson.Raw, env *Env) (*Pipeline, error) {
	return (&pipelineParser{env: env}).parse(stages)
}

// CheckStageNames refuses a pipeline with stages that are none or that are
// unknown. A command does so before it does anything else.
func CheckStageNames(stages []bson.Raw, env *Env) error {
	for _, doc := range stages {
		if doc.Len() != 1 {
			return errorf(40323, "A pipeline stage specification object must contain exactly one field.")
		}
		for name := range doc.Keys() {
			kind, ok := stageKinds[name]
			if !ok || !env.Version.AtLeast(kind.since.Major, kind.since.Minor) {
				return errorf(40324, "Unrecognized pipeline stage name: '%s'", name)
			}
		}
	}
	return nil
}

func (p *pipelineParser) parse(stages []bson.Raw) (*Pipeline, error) {
	for _, doc := range stages {
		if err := checkDepth(documentValue(doc)); err != nil {
			return nil, err
		}
	}
	if len(stages) > maxStages && p.env.Version.AtLeast(5, 0) {
		return nil, errorf(7749501, "Pipeline length must be no longer than %d stages", maxStages)
	}
	if p.depth > maxPipelines {
		return nil, errorf(232, "Maximum number of nested sub-pipelines exceeded. Limit is %d", maxPipelines)
	}
	if err := CheckStageNames(stages, p.env); err != nil {
		return nil, err
	}
	out := &Pipeline{}
	for i, doc := range stages {
		f := fields(doc)[0]
		kind := stageKinds[f.key]
		if err := p.checkAllowed(f.key); err != nil {
			return nil, err
		}
		parsed, err := kind.parse(p, f.key, f.value)
		if err != nil {
			return nil, err
		}
		out.names = append(out.names, f.key)
		if kind.server && i == 0 {
			out.initial, out.spec = f.key, f.value
			continue
		}
		out.stages = append(out.stages, parsed...)
	}
	if err := p.checkOrder(out); err != nil {
		return nil, err
	}
	return out, out.optimize(p.env)
}

// checkAllowed refuses stages that the pipeline around does not allow.
func (p *pipelineParser) checkAllowed(name string) error {
	kind := stageKinds[name]
	switch p.within {
	case "$facet":
		if kind.last || kind.first || name == "$facet" {
			return errorf(40600, "%s is not allowed to be used within a $facet stage", name)
		}
	case "$lookup":
		if kind.last || name == "$changeStream" {
			return errorf(51047, "%s is not allowed within a $lookup's sub-pipeline", name)
		}
	case "$unionWith":
		if kind.last || name == "$changeStream" {
			return errorf(31441, "%s is not allowed within a $unionWith's sub-pipeline", name)
		}
	case "update":
		switch name {
		case "$addFields", "$set", "$project", "$unset", "$replaceRoot", "$replaceWith":
		default:
			return errorf(codeInvalidOptions, "%s is not allowed to be used within an update", name)
		}
	}
	return nil
}

// checkOrder checks where stages stand, and what a change stream allows.
func (p *pipelineParser) checkOrder(out *Pipeline) error {
	for i, name := range out.names {
		kind := stageKinds[name]
		if kind.first && i > 0 {
			return errorf(40602, "%s is only valid as the first stage in a pipeline.", name)
		}
		if kind.last && i < len(out.names)-1 {
			return errorf(40601, "%s can only be the final stage in the pipeline", name)
		}
	}
	if out.initial == "$changeStream" {
		for _, s := range out.stages {
			switch s.name {
			case "$match", "$project", "$addFields", "$set", "$unset", "$replaceRoot", "$replaceWith", "$redact", "$changeStreamSplitLargeEvent":
			default:
				return errorf(codeIllegalOperation, "%s is not permitted in a $changeStream pipeline", s.name)
			}
		}
	}
	if p.env.Collection == "" && p.within == "" && len(out.names) > 0 {
		if first := out.names[0]; !collectionless(first) {
			return errorf(codeInvalidNamespace, "{aggregate: 1} is not valid for '%s'; a collection is required.", first)
		}
	}
	return nil
}

// collectionless reports whether a pipeline on a database can begin so.
func collectionless(name string) bool {
	switch name {
	case "$currentOp", "$listLocalSessions", "$changeStream", "$documents":
		return true
	}
	return false
}

func (p *Pipeline) optimize(env *Env) error {
	for _, s := range p.stages {
		for _, e := range s.exprs {
			if err := e.optimize(env); err != nil {
				return within(err, "Failed to optimize pipeline")
			}
		}
	}
	return nil
}

// Stages names the stages as written, in order.
func (p *Pipeline) Stages() []string { return p.names }

// Writes reports whether the pipeline ends in $out or $merge.
func (p *Pipeline) Writes() bool {
	return len(p.names) > 0 && stageKinds[p.names[len(p.names)-1]].last
}

// Initial is the first stage if it makes documents that only the server knows
// (see Collections.Generate), and its spec. Its name is empty otherwise.
func (p *Pipeline) Initial() (name string, spec bson.RawValue) { return p.initial, p.spec }

// Run pipes documents through the stages. source is the collection's documents,
// or those of the Initial stage. $out and $merge write when the result is
// first read, which yields no document. A Pipeline may be run many times.
func (p *Pipeline) Run(source Iterator) Iterator {
	source = p.RunUnlimited(source)
	return func() (bson.Raw, error) {
		doc, err := source()
		if err == nil && len(doc) > maxInternalSize {
			err = checkStoredSize(doc)
		}
		return doc, err
	}
}

// RunUnlimited is Run for documents of any size.
func (p *Pipeline) RunUnlimited(source Iterator) Iterator {
	for _, s := range p.stages {
		source = s.run(source)
	}
	return source
}

// parseUpdatePipeline reads the pipeline of an update.
func parseUpdatePipeline(v bson.RawValue, env *Env) (*Pipeline, error) {
	stages, err := stageDocuments(v)
	if err != nil {
		return nil, err
	}
	p := &pipelineParser{env: env, within: "update"}
	out, err := p.parse(stages)
	if e, ok := err.(*Error); ok {
		e.Message = strings.TrimPrefix(e.Message, "Failed to optimize pipeline :: caused by :: ")
	}
	return out, err
}

// stageDocuments are the stages in an array.
func stageDocuments(v bson.RawValue) ([]bson.Raw, error) {
	var stages []bson.Raw
	for _, e := range elements(v) {
		if !isObject(e) {
			return nil, errorf(codeTypeMismatch, "Each element of the 'pipeline' array must be an object")
		}
		stages = append(stages, e.Value)
	}
	return stages, nil
}

// apply runs the pipeline of an update on one document.
func (p *Pipeline) apply(doc bson.Raw) (bson.Raw, error) {
	return p.Run(FromDocuments([]bson.Raw{doc}))()
}

// FromDocuments iterates over a list.
func FromDocuments(docs []bson.Raw) Iterator {
	return func() (bson.Raw, error) {
		if len(docs) == 0 {
			return nil, nil
		}
		doc := docs[0]
		docs = docs[1:]
		return doc, nil
	}
}

// each makes a stage that turns each document into one other, or into none if
// that is nil.
func each(name string, f func(doc bson.Raw) (bson.Raw, error), exprs ...*expression) []*stage {
	return []*stage{{name: name, exprs: exprs, run: func(in Iterator) Iterator {
		return func() (bson.Raw, error) {
			for {
				doc, err := in()
				if doc == nil || err != nil {
					return nil, err
				}
				if doc, err = f(doc); doc != nil || err != nil {
					return doc, err
				}
			}
		}
	}}}
}

// all makes a stage that needs all documents before it gives the first.
func all(name string, f func(docs []bson.Raw) ([]bson.Raw, error), exprs ...*expression) []*stage {
	return []*stage{{name: name, exprs: exprs, run: func(in Iterator) Iterator {
		var out Iterator
		return func() (bson.Raw, error) {
			if out == nil {
				docs, err := Collect(in)
				if err != nil {
					return nil, err
				}
				if docs, err = f(docs); err != nil {
					return nil, err
				}
				out = FromDocuments(docs)
			}
			return out()
		}
	}}}
}

// Collect reads an iterator to its end.
func Collect(in Iterator) ([]bson.Raw, error) {
	var docs []bson.Raw
	for {
		doc, err := in()
		if doc == nil || err != nil {
			return docs, err
		}
		docs = append(docs, doc)
	}
}

// empty is the iterator of nothing.
func empty() (bson.Raw, error) { return nil, nil }
