package query

import (
	"strings"

	"github.com/motor-go/motor/bson"
)

// projectionParser reads the projections of find and of $project, which differ
// in the operators on arrays.
type projectionParser struct {
	env       *Env
	find      bool
	out       *Projection
	decided   bool // inclusion or exclusion
	elemMatch bool
	seen      pathSet
}

func (p *projectionParser) parse(spec bson.Raw) (*Projection, error) {
	for name, v := range spec.All() {
		if err := p.element("", name, v); err != nil {
			return nil, err
		}
	}
	out := p.out
	if !p.decided {
		out.inclusion = p.elemMatch || out.idNamed && out.id || !p.find && out.tree.computes()
	}
	if out.inclusion {
		for _, s := range out.slices {
			out.tree.keep(s.path)
		}
	}
	switch {
	case out.inclusion && out.id && !out.idPartly():
		out.tree.keep([]string{"_id"})
	case !out.inclusion && !out.id:
		out.tree.keep([]string{"_id"})
	}
	return out, nil
}

// idPartly reports whether parts of the _id are named, or it is computed.
func (p *Projection) idPartly() bool {
	return p.tree.children["_id"] != nil || p.tree.computed["_id"] != nil
}

// element reads one field of the spec. prefix is the path of the object that it
// stands in.
func (p *projectionParser) element(prefix, name string, v bson.RawValue) error {
	path := name
	if prefix != "" {
		path = prefix + "." + name
	}
	if strings.HasSuffix(path, ".$") || strings.Contains(path, ".$.") {
		return p.parsePositional(path, v)
	}
	if prefix == "" || name == "" {
		if err := checkFieldPath(name); err != nil {
			return err
		}
	} else if err := checkFieldPath(path); err != nil {
		return err
	}
	switch {
	case isObject(v) && isExpressionSpec(v):
		f := fields(v.Value)[0]
		return p.operator(path, f.key, f.value, v)
	case isObject(v):
		list := fields(v.Value)
		if len(list) == 0 {
			return errorf(51270, "An empty sub-projection is not a valid value. Found empty object at path")
		}
		if p.legacy() {
			return errorf(codeBadValue, "Unsupported projection option: %s", formatElement(path, v))
		}
		for _, f := range list {
			if err := p.element(path, f.key, f.value); err != nil {
				return err
			}
		}
		return nil
	case v.IsNumber() || v.Type == bson.TypeBoolean || p.legacy():
		return p.flag(path, name, p.legacy() && !v.IsNumber() && v.Type != bson.TypeBoolean || truthy(v))
	}
	return p.computed(path, v)
}

// legacy says that find has no expressions yet.
func (p *projectionParser) legacy() bool { return p.find && !p.env.Version.AtLeast(4, 4) }

// flag reads an inclusion or exclusion of a path. name is what errors call it.
func (p *projectionParser) flag(path, name string, include bool) error {
	if err := p.seen.claim(path); err != nil {
		return err
	}
	if path == "_id" {
		p.out.idNamed, p.out.id = true, include
		return nil
	}
	if err := p.decide(include, name); err != nil {
		return err
	}
	p.out.tree.keep(splitPath(path))
	return nil
}

func (p *projectionParser) decide(include bool, name string) error {
	switch {
	case !p.decided:
		p.decided, p.out.inclusion = true, include
	case p.out.inclusion && !include:
		return errorf(31254, "Cannot do exclusion on field %s in inclusion projection", name)
	case !p.out.inclusion && include:
		return errorf(31253, "Cannot do inclusion on field %s in exclusion projection", name)
	}
	return nil
}

func (p *projectionParser) computed(path string, v bson.RawValue) error {
	e, err := parseExpression(v, p.env)
	if err != nil {
		return err
	}
	if p.decided && !p.out.inclusion {
		return errorf(31252, "Cannot use expression other than $meta in exclusion projection")
	}
	p.decided, p.out.inclusion = true, true
	if err := p.seen.claim(path); err != nil {
		return err
	}
	p.out.tree.compute(splitPath(path), e)
	return nil
}

func (p *projectionParser) operator(path, name string, arg, whole bson.RawValue) error {
	switch {
	case name == "$elemMatch" && p.find:
		return p.parseElemMatch(path, arg)
	case name == "$slice" && p.find:
		if ok, err := p.parseSlice(path, arg); ok || err != nil {
			return err
		}
	case name == "$meta" && p.find:
		return p.parseMeta(path, arg)
	}
	if p.legacy() {
		return errorf(codeBadValue, "Unsupported projection option: %s", formatElement(path, whole))
	}
	if !knownOperator(name, p.env) {
		return errorf(31325, "Unknown expression %s", name)
	}
	return p.computed(path, whole)
}

func (p *projectionParser) parseElemMatch(path string, arg bson.RawValue) error {
	switch {
	case !isObject(arg):
		return errorf(31274, "elemMatch: Invalid argument, object required, but got %s", TypeName(arg.Type))
	case p.out.positional != nil:
		return errorf(31255, "Cannot specify positional operator and $elemMatch.")
	case strings.Contains(path, "."):
		return errorf(31275, "Cannot use $elemMatch projection on a nested field.")
	}
	if err := p.seen.claim(path); err != nil {
		return err
	}
	fp := &filterParser{env: p.env, filter: &Filter{}}
	pred, err := fp.elemMatch(arg)
	if err != nil {
		return err
	}
	p.elemMatch = true
	p.out.tree.compute([]string{path}, &expression{eval: func(s *scope) (bson.RawValue, error) {
		v := bson.Raw(s.root.Value).Lookup(path)
		at := -1
		ok, err := pred.accepts(v, &at)
		if !ok || err != nil {
			return missing, err
		}
		return arrayValue([]bson.RawValue{bson.RawArray(v.Value).Index(at)}), nil
	}})
	return nil
}

// parseSlice reads the $slice of find. It is not taken if it is the expression
// of that name.
func (p *projectionParser) parseSlice(path string, arg bson.RawValue) (taken bool, err error) {
	s := sliceProjection{path: splitPath(path)}
	switch {
	case arg.IsNumber():
		s.limit = truncatedNumber(arg)
	case isArray(arg):
		list := elements(arg)
		if len(list) != 2 || !list[0].IsNumber() || !list[1].IsNumber() {
			if !p.legacy() {
				return false, nil
			}
			return true, errorf(codeBadValue, "$slice array wrong size")
		}
		s.skips, s.skip, s.limit = true, truncatedNumber(list[0]), truncatedNumber(list[1])
		if s.limit <= 0 {
			return true, errorf(28729, "Third argument to $slice must be positive: %s", formatDense(list[1]))
		}
	default:
		if !p.legacy() {
			return false, nil
		}
		return true, errorf(codeBadValue, "$slice only supports numbers and [skip, limit] arrays")
	}
	if err := p.seen.claim(path); err != nil {
		return true, err
	}
	p.out.slices = append(p.out.slices, s)
	return true, nil
}

func (p *projectionParser) parseMeta(path string, arg bson.RawValue) error {
	name, err := checkMeta(arg)
	if err != nil {
		return err
	}
	if name == "textScore" || name == "geoNearDistance" || name == "geoNearPoint" {
		return errNoMeta(name)
	}
	if err := p.seen.claim(path); err != nil {
		return err
	}
	p.out.meta = append(p.out.meta, metaProjection{splitPath(path), name})
	return nil
}

func (p *projectionParser) parsePositional(path string, v bson.RawValue) error {
	switch {
	case !p.find:
		return errorf(31324, "Cannot use positional projection in aggregation projection")
	case !strings.HasSuffix(path, ".$"):
		return errorf(31394, "As of 4.4, it's illegal to specify positional operator in the middle of a path."+
			"Positional projection may only be used at the end, for example: a.b.$. If the query previously used a form like a.b.$.d, remove the parts following the '$' and the results will be equivalent.")
	case !truthy(v) || isObject(v):
		return errorf(31395, "positional projection cannot be used with exclusion")
	case p.out.positional != nil:
		return errorf(31276, "Cannot specify more than one positional projection per query.")
	case p.elemMatch:
		return errorf(31256, "Cannot specify positional operator and $elemMatch.")
	}
	path = strings.TrimSuffix(path, ".$")
	if err := checkFieldPath(path); err != nil {
		return err
	}
	if err := p.decide(true, path); err != nil {
		return err
	}
	if err := p.seen.claim(path); err != nil {
		return err
	}
	p.out.positional = splitPath(path)
	p.out.tree.keep(p.out.positional)
	return nil
}

// claim refuses paths of which one is the beginning of another.
func (s *pathSet) claim(path string) error {
	other := s.add(path)
	switch {
	case other == "":
		return nil
	case len(other) < len(path):
		return errorf(31249, "Path collision at %s remaining portion %s", path, path[len(other)+1:])
	}
	return errorf(31250, "Path collision at %s", path)
}
