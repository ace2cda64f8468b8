package query

import (
	"bytes"
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

func parseMatch(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) {
		return nil, errorf(15959, "the match filter must be an expression in an object")
	}
	f, err := parseFilter(v.Value, p.env, allowText)
	if err != nil {
		return nil, err
	}
	return each(name, func(doc bson.Raw) (bson.Raw, error) {
		ok, err := f.Match(doc)
		if !ok {
			doc = nil
		}
		return doc, err
	}), nil
}

func parseLimit(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	n := truncatedNumber(v)
	switch {
	case p.env.Version.AtLeast(5, 0):
		var err error
		if n, err = parseLong(formatElement(name, v), v); err != nil {
			return nil, errorf(2107201, "invalid argument to $limit stage: %s", err)
		}
	case !v.IsNumber():
		return nil, errorf(15957, "the limit must be specified as a number")
	}
	if n <= 0 {
		return nil, errorf(15958, "the limit must be positive")
	}
	return []*stage{{name: name, run: func(in Iterator) Iterator {
		left := n
		return func() (bson.Raw, error) {
			if left == 0 {
				return nil, nil
			}
			doc, err := in()
			if doc != nil {
				left--
			}
			return doc, err
		}
	}}}, nil
}

func parseSkip(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	n := truncatedNumber(v)
	switch {
	case p.env.Version.AtLeast(5, 0):
		var err error
		if n, err = nonNegativeLong(formatElement(name, v), v); err != nil {
			return nil, errorf(5107200, "invalid argument to $skip stage: %s", err)
		}
	case !v.IsNumber():
		return nil, errorf(15972, "Argument to $skip must be a number not a %s", TypeName(v.Type))
	case n < 0:
		return nil, errorf(15956, "Argument to $skip cannot be negative")
	}
	return []*stage{{name: name, run: func(in Iterator) Iterator {
		left := n
		return func() (bson.Raw, error) {
			for {
				doc, err := in()
				if doc == nil || err != nil || left == 0 {
					return doc, err
				}
				left--
			}
		}
	}}}, nil
}

func parseSortStage(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) {
		return nil, errorf(15973, "the $sort key specification must be an object")
	}
	s, err := ParseSort(v.Value, p.env)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, errorf(15976, "$sort stage must have at least one sort key")
	}
	if s.Natural != 0 {
		return nil, errorf(16410, "FieldPath field names may not start with '$'.")
	}
	return all(name, s.Documents), nil
}

// Documents sorts documents. Equal ones keep their order.
func (s *Sort) Documents(docs []bson.Raw) ([]bson.Raw, error) {
	type entry struct {
		key []byte
		doc bson.Raw
	}
	list := make([]entry, len(docs))
	for i, doc := range docs {
		key, err := s.Key(doc)
		if err != nil {
			return nil, err
		}
		list[i] = entry{key, doc}
	}
	slices.SortStableFunc(list, func(a, b entry) int { return bytes.Compare(a.key, b.key) })
	out := make([]bson.Raw, len(list))
	for i, e := range list {
		out[i] = e.doc
	}
	return out, nil
}

func parseSample(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) {
		return nil, errorf(28745, "the $sample stage specification must be an object")
	}
	var size bson.RawValue
	for _, f := range fields(v.Value) {
		if f.key != "size" {
			return nil, errorf(28748, "unrecognized option to $sample: %s", f.key)
		}
		if size = f.value; !size.IsNumber() {
			return nil, errorf(28746, "size argument to $sample must be a number")
		}
		if truncatedNumber(size) < 0 {
			return nil, errorf(28747, "size argument to $sample must not be negative")
		}
	}
	if isMissing(size) {
		return nil, errorf(28749, "$sample stage must specify a size")
	}
	n := truncatedNumber(size)
	return all(name, func(docs []bson.Raw) ([]bson.Raw, error) {
		docs = slices.Clone(docs)
		k := int(min(n, int64(len(docs))))
		for i := range k {
			j := i + int(p.env.Random()*float64(len(docs)-i))
			docs[i], docs[j] = docs[j], docs[i]
		}
		return docs[:k], nil
	}), nil
}

func parseCountStage(p *pipelineParser, _ string, v bson.RawValue) ([]*stage, error) {
	field := text(v)
	switch {
	case !isString(v):
		return nil, errorf(40156, "the count field must be a non-empty string")
	case field == "":
		return nil, errorf(40157, "the count field must be a non-empty string")
	case field[0] == '$':
		return nil, errorf(40158, "the count field cannot be a $-prefixed path")
	case strings.IndexByte(field, 0) >= 0:
		return nil, errorf(40159, "the count field cannot contain a null byte")
	case strings.Contains(field, "."):
		return nil, errorf(40160, "the count field cannot contain '.'")
	}
	return all("$group", func(docs []bson.Raw) ([]bson.Raw, error) {
		if len(docs) == 0 {
			return nil, nil
		}
		dst, at := bson.BeginDocument(nil)
		dst = bson.AppendValue(dst, field, intValue(int64(len(docs))))
		return []bson.Raw{bson.EndDocument(dst, at)}, nil
	}), nil
}

// The stages that only the server can run.

func parseObjectSpec(_ *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if isObject(v) {
		return nil, nil
	}
	switch name {
	case "$collStats":
		return nil, errorf(40166, "$collStats must take a nested object but found a %s", TypeName(v.Type))
	case "$changeStream":
		return nil, errorf(50808, "$changeStream stage expects a document as argument")
	}
	return nil, errorf(codeFailedToParse, "%s value must be an object. Found: %s", name, TypeName(v.Type))
}

func parseIndexStats(_ *pipelineParser, _ string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) || bson.Raw(v.Value).Len() > 0 {
		return nil, errorf(28803, "The $indexStats stage specification must be an empty object")
	}
	return nil, nil
}

func parseCurrentOp(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) {
		return nil, errorf(codeTypeMismatch, "$currentOp options must be specified in an object, but found: %s", TypeName(v.Type))
	}
	if p.env.DB != "admin" || p.env.Collection != "" {
		return nil, errorf(codeInvalidNamespace, "$currentOp must be run against the 'admin' database with {aggregate: 1}")
	}
	for _, f := range fields(v.Value) {
		switch f.key {
		case "idleConnections", "idleSessions", "allUsers", "localOps", "truncateOps", "idleCursors", "backtrace", "targetAllNodes":
			if f.value.Type != bson.TypeBoolean {
				return nil, errorf(codeFailedToParse, "The '%s' parameter of the $currentOp stage must be a boolean value, but found: %s", f.key, TypeName(f.value.Type))
			}
		default:
			return nil, errorf(codeFailedToParse, "Unrecognized option '%s' in $currentOp stage.", f.key)
		}
	}
	return nil, nil
}

func parseListSessions(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if p.env.DB != "config" || p.env.Collection != "system.sessions" {
		return nil, errorf(codeInvalidNamespace, "$listSessions may only be run against config.system.sessions")
	}
	return parseObjectSpec(p, name, v)
}

// parseSplitLargeEvent checks the stage; the server splits the events.
func parseSplitLargeEvent(_ *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) || bson.Raw(v.Value).Len() > 0 {
		return nil, errorf(7182800, "$changeStreamSplitLargeEvent spec should be an empty object")
	}
	return []*stage{{name: name, run: func(in Iterator) Iterator { return in }}}, nil
}

func parseAtlasOnly(_ *pipelineParser, name string, _ bson.RawValue) ([]*stage, error) {
	if name == "$listSearchIndexes" {
		return nil, errorf(6047401, "$listSearchIndexes stage is only allowed on MongoDB Atlas")
	}
	return nil, errorf(31082, "Using Atlas Search Database Commands and the %s aggregation stage requires additional configuration. Please connect to Atlas or an AtlasCLI local deployment to enable.", name)
}

func parseDocuments(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if p.env.Collection != "" && p.within == "" {
		return nil, errorf(codeInvalidNamespace, "$documents can only be run with {aggregate: 1}")
	}
	e, err := parseExpression(v, p.env)
	if err != nil {
		return nil, err
	}
	return []*stage{{name: name, exprs: []*expression{e}, run: func(Iterator) Iterator {
		var out Iterator
		return func() (bson.Raw, error) {
			if out != nil {
				return out()
			}
			list, err := e.eval(newScope(p.env, emptyDoc))
			if err != nil {
				return nil, err
			}
			if !isArray(list) {
				return nil, errorf(5858203, "an array is expected")
			}
			var docs []bson.Raw
			for _, d := range elements(list) {
				if !isObject(d) {
					return nil, errorf(40228, "'replacement document' must evaluate to an object, but resulting value was: %s", formatDense(d))
				}
				docs = append(docs, d.Value)
			}
			out = FromDocuments(docs)
			return out()
		}
	}}}, nil
}
