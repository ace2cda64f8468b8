package query

import (
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

// subPipeline is a pipeline within a stage. It is parsed anew for each set of
// variables.
type subPipeline struct {
	stages []bson.Raw
	env    *Env
	within string
	depth  int
}

// subPipeline checks a pipeline on another collection, in which the variables
// are known.
func (p *pipelineParser) subPipeline(v bson.RawValue, name, collection string, variables []string) (*subPipeline, error) {
	stages, err := stageDocuments(v)
	if err != nil {
		return nil, err
	}
	env := *p.env
	env.Collection = collection
	env.outer = map[string]bson.RawValue{}
	for k, v := range p.env.outer {
		env.outer[k] = v
	}
	for _, name := range variables {
		env.outer[name] = missing
	}
	sub := &subPipeline{stages: stages, env: &env, within: name, depth: p.depth + 1}
	_, err = sub.parse(nil)
	return sub, err
}

func (s *subPipeline) parse(variables map[string]bson.RawValue) (*Pipeline, error) {
	env := *s.env
	if len(variables) > 0 {
		env.outer = map[string]bson.RawValue{}
		for k, v := range s.env.outer {
			env.outer[k] = v
		}
		for k, v := range variables {
			env.outer[k] = v
		}
	}
	return (&pipelineParser{env: &env, within: s.within, depth: s.depth}).parse(s.stages)
}

// run reads the other collection through the pipeline. match, if not nil,
// comes first.
func (s *subPipeline) run(variables map[string]bson.RawValue, match *Filter) (Iterator, error) {
	pipeline, err := s.parse(variables)
	if err != nil {
		return nil, err
	}
	source := Iterator(empty)
	switch {
	case pipeline.initial != "":
		source, err = s.env.generate(pipeline.initial, pipeline.spec)
	case len(pipeline.names) == 0 || !stageKinds[pipeline.names[0]].first || pipeline.names[0] == "$geoNear":
		source, err = s.env.scan(s.env.Collection)
	}
	if err != nil {
		return nil, err
	}
	return pipeline.Run(filtered(source, match)), nil
}

func filtered(in Iterator, f *Filter) Iterator {
	if f == nil {
		return in
	}
	return func() (bson.Raw, error) {
		for {
			doc, err := in()
			if doc == nil || err != nil {
				return nil, err
			}
			if ok, err := f.Match(doc); ok || err != nil {
				return doc, err
			}
		}
	}
}

func (e *Env) scan(collection string) (Iterator, error) {
	if e.Collections.Scan == nil {
		return nil, errorf(codeCommandNotSupported, "this pipeline cannot read the collection '%s'", collection)
	}
	return e.Collections.Scan(e.DB, collection)
}

func (e *Env) generate(name string, spec bson.RawValue) (Iterator, error) {
	if e.Collections.Generate == nil {
		return nil, errorf(codeCommandNotSupported, "this pipeline cannot begin with %s", name)
	}
	return e.Collections.Generate(e.DB, e.Collection, name, spec)
}

// lookup joins documents of another collection.
type lookup struct {
	env            *Env
	from           string
	local, foreign []string // nil without a join by fields
	as             []string
	names          []string // of variables
	values         []*expression
	sub            *subPipeline
}

func parseLookup(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) {
		return nil, errorf(codeFailedToParse, "the $lookup stage specification must be an object, but found %s", TypeName(v.Type))
	}
	l := &lookup{env: p.env}
	var pipeline bson.RawValue
	var as, local, foreign string
	from := bson.Raw(v.Value).Lookup("from")
	for _, f := range fields(v.Value) {
		switch {
		case f.key == "pipeline":
			if !isArray(f.value) {
				return nil, errorf(codeTypeMismatch, "'pipeline' option must be specified as an array")
			}
			pipeline = f.value
		case f.key == "let":
			if err := l.parseLet(f.value); err != nil {
				return nil, err
			}
		case f.key == "from" && !isString(f.value):
			return nil, errorf(codeFailedToParse, "'from' option to $lookup must be a string, but was type %s", TypeName(f.value.Type))
		case !isString(f.value):
			return nil, errorf(codeFailedToParse, "$lookup argument '%s' must be a string, found %s: %s", f.key, formatElement(f.key, f.value), TypeName(f.value.Type))
		case f.key == "from":
			l.from = text(f.value)
			if err := checkFrom(name, p.env.DB, l.from); err != nil {
				return nil, err
			}
		case f.key == "as":
			as = text(f.value)
		case f.key == "localField":
			local = text(f.value)
		case f.key == "foreignField":
			foreign = text(f.value)
		default:
			return nil, errorf(codeFailedToParse, "unknown argument to $lookup: %s", f.key)
		}
	}
	documents := isMissing(from) && p.env.Version.AtLeast(5, 1) && startsWithDocuments(pipeline)
	switch {
	case isMissing(from) && !documents:
		return nil, errorf(codeFailedToParse, "missing 'from' option to $lookup stage specification: %s", FormatDocument(v.Value))
	case as == "":
		return nil, errorf(codeFailedToParse, "must specify 'as' field for a $lookup")
	case !isMissing(pipeline) && (local != "" || foreign != "") && !p.env.Version.AtLeast(5, 0):
		return nil, errorf(codeFailedToParse, "$lookup with 'pipeline' may not specify 'localField' or 'foreignField'")
	case isMissing(pipeline) && l.names != nil:
		return nil, errorf(codeFailedToParse, "$lookup with a 'let' argument must also specify 'pipeline'")
	case isMissing(pipeline) && (local == "" || foreign == ""), (local == "") != (foreign == ""):
		return nil, errorf(codeFailedToParse, "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified")
	}
	for _, path := range []string{as, local, foreign} {
		if path != "" {
			if err := checkFieldPath(path); err != nil {
				return nil, err
			}
		}
	}
	l.as = splitPath(as)
	if local != "" {
		l.local, l.foreign = splitPath(local), splitPath(foreign)
	}
	if isMissing(pipeline) {
		pipeline = arrayValue(nil)
	}
	var err error
	if l.sub, err = p.subPipeline(pipeline, "$lookup", l.from, l.names); err != nil {
		return nil, err
	}
	return each(name, l.join, l.values...), nil
}

func startsWithDocuments(pipeline bson.RawValue) bool {
	first := bson.RawArray(pipeline.Value).Index(0)
	return isObject(first) && !isMissing(bson.Raw(first.Value).Lookup("$documents"))
}

func (l *lookup) parseLet(v bson.RawValue) error {
	if !isObject(v) {
		return errorf(codeFailedToParse, "$lookup argument '%s' must be an object, is type %s", formatElement("let", v), TypeName(v.Type))
	}
	l.names = []string{}
	for _, f := range fields(v.Value) {
		if err := checkVariableName(f.key); err != nil {
			return err
		}
		e, err := parseExpression(f.value, l.env)
		if err != nil {
			return err
		}
		l.names, l.values = append(l.names, f.key), append(l.values, e)
	}
	return nil
}

func (l *lookup) join(doc bson.Raw) (bson.Raw, error) {
	variables := map[string]bson.RawValue{}
	s := newScope(l.env, doc)
	for i, e := range l.values {
		v, err := e.eval(s)
		if err != nil {
			return nil, err
		}
		variables[l.names[i]] = v
	}
	var match *Filter
	if l.local != nil {
		match = equalToAny(strings.Join(l.foreign, "."), valueAt(documentValue(doc), l.local), l.env)
	}
	found, err := l.sub.run(variables, match)
	if err != nil {
		return nil, err
	}
	docs, err := Collect(found)
	if err != nil {
		return nil, err
	}
	joined := documentArray(docs)
	if len(joined.Value) > maxArraySize {
		return nil, errorf(4568, "Total size of documents in %s matching pipeline's $lookup stage exceeds %d bytes", l.from, maxArraySize)
	}
	return setPath(doc, l.as, joined), nil
}

func documentArray(docs []bson.Raw) bson.RawValue {
	values := make([]bson.RawValue, len(docs))
	for i, d := range docs {
		values[i] = documentValue(d)
	}
	return arrayValue(values)
}

// equalToAny matches documents whose path has the value, or one of its elements
// if it is an array. A missing value is null.
func equalToAny(path string, v bson.RawValue, env *Env) *Filter {
	set := &in{values: map[string]bool{}, collation: env.Collation}
	list := []bson.RawValue{orNull(v)}
	if isArray(v) {
		list = elements(v)
	}
	for _, e := range list {
		if e.Type == bson.TypeUndefined {
			e = null
		}
		set.values[string(AppendKey(nil, e, env.Collation))] = true
		set.null = set.null || e.Type == bson.TypeNull
	}
	n := set.bind(path)
	return &Filter{root: n, ordered: n}
}

func parseUnionWith(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	var collection string
	pipeline := arrayValue(nil)
	switch {
	case isString(v):
		collection = text(v)
		if err := checkFrom(name, p.env.DB, collection); err != nil {
			return nil, err
		}
	case isObject(v):
		coll, given := missing, false
		for _, f := range fields(v.Value) {
			switch f.key {
			case "coll":
				coll = f.value
			case "pipeline":
				if !isArray(f.value) {
					return nil, errorf(10065, "invalid parameter: expected an object (pipeline)")
				}
				pipeline, given = f.value, true
			default:
				return nil, errorf(40415, "BSON field '$unionWith.%s' is an unknown field.", f.key)
			}
		}
		if isMissing(coll) && !(given && p.env.Version.AtLeast(5, 1) && startsWithDocuments(pipeline)) {
			return nil, errorf(40414, "BSON field '$unionWith.coll' is missing but a required field")
		}
		if !isMissing(coll) && !isString(coll) {
			return nil, errorf(codeTypeMismatch, "BSON field '$unionWith.coll' is the wrong type '%s', expected type 'string'", TypeName(coll.Type))
		}
		if collection = text(coll); isMissing(coll) {
			break
		}
		if err := checkFrom(name, p.env.DB, collection); err != nil {
			return nil, err
		}
	default:
		return nil, errorf(codeFailedToParse, "the $unionWith stage specification must be an object or string, but found %s", TypeName(v.Type))
	}
	sub, err := p.subPipeline(pipeline, "$unionWith", collection, nil)
	if err != nil {
		return nil, err
	}
	return []*stage{{name: name, run: func(in Iterator) Iterator {
		var second Iterator
		return func() (bson.Raw, error) {
			if second == nil {
				if doc, err := in(); doc != nil || err != nil {
					return doc, err
				}
				var err error
				if second, err = sub.run(nil, nil); err != nil {
					return nil, err
				}
			}
			return second()
		}
	}}}, nil
}

// graphLookup follows references through a collection.
type graphLookup struct {
	env       *Env
	from      string
	start     *expression
	next      []string
	to        string
	as, depth []string
	maxDepth  int64 // -1 for none
	restrict  *Filter
}

func parseGraphLookup(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) {
		return nil, errorf(codeFailedToParse, "the $graphLookup stage specification must be an object, but found %s", TypeName(v.Type))
	}
	g := &graphLookup{env: p.env, maxDepth: -1}
	for _, f := range fields(v.Value) {
		if err := g.option(f.key, f.value); err != nil {
			return nil, err
		}
	}
	if g.from == "" || g.start == nil || g.next == nil || g.to == "" || g.as == nil {
		return nil, errorf(40105, "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified.")
	}
	return each(name, g.join, g.start), nil
}

func (g *graphLookup) option(name string, v bson.RawValue) (err error) {
	switch name {
	case "startWith":
		g.start, err = parseExpression(v, g.env)
		return err
	case "maxDepth":
		if !v.IsNumber() {
			return errorf(40100, "maxDepth requires numeric argument, found type: %s", TypeName(v.Type))
		}
		n, ok := wholeNumber(v)
		if n < 0 {
			return errorf(40101, "maxDepth requires a nonnegative argument, found: %s", formatDense(v))
		}
		if !ok {
			return errorf(40102, "maxDepth could not be represented as a long long: %s", formatDense(v))
		}
		g.maxDepth = n
		return nil
	case "restrictSearchWithMatch":
		if !isObject(v) {
			return errorf(40185, "restrictSearchWithMatch must be an object, found %s", TypeName(v.Type))
		}
		g.restrict, err = parseFilter(v.Value, g.env, 0)
		return err
	case "from", "as", "connectFromField", "connectToField", "depthField":
	default:
		return errorf(40104, "Unknown argument to $graphLookup: %s", name)
	}
	if !isString(v) {
		return errorf(40103, "expected string as argument for %s, found: %s", name, formatValue(v))
	}
	if name == "from" {
		g.from = text(v)
		return checkFrom("$graphLookup", g.env.DB, g.from)
	}
	if err := checkFieldPath(text(v)); err != nil {
		return err
	}
	switch name {
	case "as":
		g.as = splitPath(text(v))
	case "connectFromField":
		g.next = splitPath(text(v))
	case "connectToField":
		g.to = text(v)
	case "depthField":
		g.depth = splitPath(text(v))
	}
	return nil
}

func (g *graphLookup) join(doc bson.Raw) (bson.Raw, error) {
	frontier, err := g.start.eval(newScope(g.env, doc))
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var found []bson.Raw
	size := 0
	for depth := int64(0); !isMissing(frontier) && (g.maxDepth < 0 || depth <= g.maxDepth); depth++ {
		level, err := g.level(frontier)
		if err != nil {
			return nil, err
		}
		var next []bson.RawValue
		for _, d := range level {
			key := string(AppendKey(nil, d.Lookup("_id"), nil))
			if seen[key] {
				continue
			}
			seen[key] = true
			if size += len(d); size > maxAccumulated {
				return nil, errorf(40099, "$graphLookup reached maximum memory consumption")
			}
			if v := valueAt(documentValue(d), g.next); isArray(v) {
				next = append(next, elements(v)...)
			} else if !isMissing(v) {
				next = append(next, v)
			}
			if g.depth != nil {
				d = setPath(d, g.depth, int64Value(depth))
			}
			found = append(found, d)
		}
		frontier = missing
		if len(next) > 0 {
			frontier = arrayValue(next)
		}
	}
	return setPath(doc, g.as, documentArray(found)), nil
}

func (g *graphLookup) level(frontier bson.RawValue) ([]bson.Raw, error) {
	source, err := g.env.scan(g.from)
	if err != nil {
		return nil, err
	}
	docs, err := Collect(filtered(filtered(source, equalToAny(g.to, frontier, g.env)), g.restrict))
	return slices.Clip(docs), err
}

func parseFacet(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) || bson.Raw(v.Value).Len() == 0 {
		return nil, errorf(40169, "the $facet specification must be a non-empty object, but found: %s", formatElement(name, v))
	}
	var names []string
	var pipelines []*Pipeline
	for _, f := range fields(v.Value) {
		if err := checkFieldName(f.key); err != nil {
			return nil, err
		}
		if strings.Contains(f.key, ".") {
			return nil, errorf(16412, "FieldPath field names may not contain '.'.")
		}
		if !isArray(f.value) {
			return nil, errorf(40170, "arguments to $facet must be arrays, %s is type %s", f.key, TypeName(f.value.Type))
		}
		stages, err := stageDocuments(f.value)
		if err != nil {
			return nil, err
		}
		sub := &pipelineParser{env: p.env, within: "$facet", depth: p.depth + 1}
		pipeline, err := sub.parse(stages)
		if err != nil {
			return nil, err
		}
		names, pipelines = append(names, f.key), append(pipelines, pipeline)
	}
	return all(name, func(docs []bson.Raw) ([]bson.Raw, error) {
		dst, at := bson.BeginDocument(nil)
		for i, pipeline := range pipelines {
			found, err := Collect(pipeline.Run(FromDocuments(docs)))
			if err != nil {
				return nil, err
			}
			dst = bson.AppendValue(dst, names[i], documentArray(found))
		}
		return []bson.Raw{bson.EndDocument(dst, at)}, nil
	}), nil
}
