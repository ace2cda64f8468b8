package query

import (
	"strings"

	"github.com/motor-go/motor/bson"
)

// Projection is a parsed projection of find, findAndModify or $project.
type Projection struct {
	env       *Env
	inclusion bool
	id        bool // the _id is kept
	idNamed   bool
	tree      *fieldTree
	slices    []sliceProjection
	meta      []metaProjection

	positional []string // path of the positional operator
	filter     *Filter
}

type sliceProjection struct {
	path        []string
	skip, limit int64
	skips       bool
}

type metaProjection struct {
	path []string
	name string
}

// Metadata is what $meta can ask of a document.
type Metadata struct {
	RecordID int64           // $meta: "recordId"
	IndexKey bson.Raw        // $meta: "indexKey"; nil if no index was used
	SortKey  []bson.RawValue // $meta: "sortKey"; nil if there was no sort
	Distance float64         // $meta: "geoNearDistance"
}

// ParseProjection reads the projection of find or findAndModify. The filter is
// the query's, for the positional operator. An empty projection gives nil.
func ParseProjection(spec bson.Raw, filter *Filter, env *Env) (*Projection, error) {
	if err := checkDepth(documentValue(spec)); err != nil {
		return nil, err
	}
	if spec.Len() == 0 {
		return nil, nil
	}
	p := &projectionParser{env: env, find: true, out: &Projection{env: env, filter: filter, id: true, tree: newFieldTree()}}
	return p.parse(spec)
}

// Positional reports whether the projection has the positional operator, which
// cannot be used to show a document after an update.
func (p *Projection) Positional() bool { return p.positional != nil }

// Needs reports whether the projection asks for the metadata of that name.
func (p *Projection) Needs(meta string) bool {
	for _, m := range p.meta {
		if m.name == meta {
			return true
		}
	}
	return false
}

// Apply projects a document. meta may be nil where the projection asks for none.
func (p *Projection) Apply(doc bson.Raw, meta *Metadata) (bson.Raw, error) {
	out, err := p.apply(newScope(p.env, doc), doc)
	if err != nil {
		return nil, err
	}
	if p.positional != nil {
		position := -1
		ok, err := p.filter.root.match(doc, &position)
		if err != nil {
			return nil, err
		}
		if !ok || position < 0 {
			return nil, errorf(51246, "positional operator '.$' couldn't find a matching element in the array")
		}
		v, err := atPosition(documentValue(out), p.positional, position)
		if err != nil {
			return nil, err
		}
		out = v.Value
	}
	for _, s := range p.slices {
		out = s.applyTo(documentValue(out), s.path).Value
	}
	for _, m := range p.meta {
		out = m.set(out, meta)
	}
	return out, nil
}

func (p *Projection) apply(s *scope, doc bson.Raw) (bson.Raw, error) {
	var out bson.Raw
	if p.inclusion {
		out = p.tree.include(doc)
	} else {
		out = p.tree.exclude(doc)
	}
	return p.tree.addComputed(s, out)
}

// atPosition cuts the array at the path to the one element.
func atPosition(v bson.RawValue, path []string, position int) (bson.RawValue, error) {
	switch {
	case isArray(v):
		e := bson.RawArray(v.Value).Index(position)
		if isMissing(e) {
			return missing, errorf(51247, "Executor error during find command :: caused by :: positional operator '.$' element mismatch")
		}
		return arrayValue([]bson.RawValue{e}), nil
	case isObject(v) && len(path) > 0:
		inner := bson.Raw(v.Value).Lookup(path[0])
		if isMissing(inner) {
			return v, nil
		}
		inner, err := atPosition(inner, path[1:], position)
		return documentValue(withField(v.Value, path[0], inner)), err
	}
	return v, nil
}

func (s sliceProjection) applyTo(v bson.RawValue, path []string) bson.RawValue {
	switch {
	case isArray(v) && len(path) == 0:
		return arrayValue(s.cut(elements(v)))
	case isArray(v):
		list := elements(v)
		for i, e := range list {
			list[i] = s.applyTo(e, path)
		}
		return arrayValue(list)
	case isObject(v) && len(path) > 0:
		inner := bson.Raw(v.Value).Lookup(path[0])
		if isMissing(inner) {
			return v
		}
		return documentValue(withField(v.Value, path[0], s.applyTo(inner, path[1:])))
	}
	return v
}

func (s sliceProjection) cut(list []bson.RawValue) []bson.RawValue {
	size := int64(len(list))
	if !s.skips {
		if s.limit < 0 {
			return list[max(size+max(s.limit, -size), 0):]
		}
		return list[:min(s.limit, size)]
	}
	start := min(s.skip, size)
	if s.skip < 0 {
		start = max(size+max(s.skip, -size), 0)
	}
	return list[start : start+min(s.limit, size-start)]
}

func (m metaProjection) set(doc bson.Raw, meta *Metadata) bson.Raw {
	if meta == nil {
		return doc
	}
	var v bson.RawValue
	switch m.name {
	case "recordId":
		v = int64Value(meta.RecordID)
	case "indexKey":
		if meta.IndexKey != nil {
			v = documentValue(meta.IndexKey)
		}
	case "sortKey":
		if meta.SortKey != nil {
			v = arrayValue(meta.SortKey)
		}
	case "geoNearDistance":
		v = doubleValue(meta.Distance)
	}
	tree := newFieldTree()
	tree.compute(m.path, constantExpr(v))
	out, err := tree.addComputed(nil, doc)
	if err != nil {
		return doc
	}
	return out
}

// isExpressionSpec reports whether v is an object with one operator.
func isExpressionSpec(v bson.RawValue) bool {
	if !isObject(v) || bson.Raw(v.Value).Len() != 1 {
		return false
	}
	for name := range bson.Raw(v.Value).Keys() {
		return strings.HasPrefix(name, "$")
	}
	return false
}
