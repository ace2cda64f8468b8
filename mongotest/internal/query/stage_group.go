package query

import (
	"strings"

	"github.com/motor-go/motor/bson"
)

// group gathers documents by the value of an expression.
type group struct {
	env    *Env
	id     *expression
	fields []accumulatorField
}

func (g *group) expressions() []*expression {
	list := []*expression{g.id}
	for _, f := range g.fields {
		list = append(list, f.args...)
	}
	return list
}

func parseGroup(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) {
		return nil, errorf(15947, "a group's fields must be specified in an object")
	}
	g := &group{env: p.env}
	for _, f := range fields(v.Value) {
		if f.key == "_id" {
			if g.id != nil {
				return nil, errorf(15948, "a group's _id may only be specified once")
			}
			var err error
			if g.id, err = parseExpression(f.value, p.env); err != nil {
				return nil, err
			}
			continue
		}
		if f.key == "$doingMerge" {
			continue
		}
		field, err := parseAccumulatorField(f.key, f.value, p.env)
		if err != nil {
			return nil, err
		}
		g.fields = append(g.fields, field)
	}
	if g.id == nil {
		return nil, errorf(15955, "a group specification must include an _id")
	}
	return all(name, g.documents, g.expressions()...), nil
}

// groupState is one group in the making.
type groupState struct {
	id   bson.RawValue
	accs []accumulation
}

func (g *group) documents(docs []bson.Raw) ([]bson.Raw, error) {
	states := map[string]*groupState{}
	var order []*groupState
	for _, doc := range docs {
		s := newScope(g.env, doc)
		id, err := g.id.eval(s)
		if err != nil {
			return nil, err
		}
		id = orNull(id)
		key := string(AppendKey(nil, id, g.env.Collation))
		state := states[key]
		if state == nil {
			if state, err = g.start(id); err != nil {
				return nil, err
			}
			states[key] = state
			order = append(order, state)
		}
		for _, a := range state.accs {
			if err := a.feed(s); err != nil {
				return nil, err
			}
		}
	}
	out := make([]bson.Raw, len(order))
	for i, state := range order {
		out[i] = g.finish(state)
	}
	return out, nil
}

func (g *group) start(id bson.RawValue) (*groupState, error) {
	state := &groupState{id: id}
	for _, f := range g.fields {
		a, err := f.start(&scope{env: g.env, root: id})
		if err != nil {
			return nil, err
		}
		state.accs = append(state.accs, a)
	}
	return state, nil
}

func (g *group) finish(state *groupState) bson.Raw {
	dst, at := bson.BeginDocument(nil)
	dst = bson.AppendValue(dst, "_id", state.id)
	for i, a := range state.accs {
		dst = bson.AppendValue(dst, g.fields[i].name, orNull(a.value()))
	}
	return bson.EndDocument(dst, at)
}

func countField(name string) accumulatorField {
	f := accumulatorField{name: name}
	f.start = func(*scope) (accumulation, error) {
		return feeding(&countAccumulator{}, constantExpr(null)), nil
	}
	return f
}

func parseSortByCount(p *pipelineParser, _ string, v bson.RawValue) ([]*stage, error) {
	switch {
	case isObject(v):
		if !isExpressionSpec(v) {
			return nil, errorf(40147, "the sortByCount field must be defined as a $-prefixed path or an expression inside an object")
		}
	case !isString(v):
		return nil, errorf(40149, "the sortByCount field must be specified as a string or as an object")
	case !strings.HasPrefix(text(v), "$"):
		return nil, errorf(40148, "the sortByCount field must be defined as a $-prefixed path or an expression inside an object")
	}
	id, err := parseExpression(v, p.env)
	if err != nil {
		return nil, err
	}
	g := &group{env: p.env, id: id, fields: []accumulatorField{countField("count")}}
	dst, at := bson.BeginDocument(nil)
	order, err := ParseSort(bson.EndDocument(bson.AppendInt32(dst, "count", -1), at), p.env)
	if err != nil {
		return nil, err
	}
	return append(all("$group", g.documents, g.expressions()...), all("$sort", order.Documents)...), nil
}

func parseUnwind(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	u := &unwind{}
	path := v
	switch {
	case isObject(v):
		path = missing
		for _, f := range fields(v.Value) {
			if err := u.option(f.key, f.value, &path); err != nil {
				return nil, err
			}
		}
	case !isString(v):
		return nil, errorf(15981, "expected either a string or an object as specification for $unwind stage, got %s", TypeName(v.Type))
	}
	if isMissing(path) {
		return nil, errorf(28812, "no path specified to $unwind stage")
	}
	if !strings.HasPrefix(text(path), "$") {
		return nil, errorf(28818, "path option to $unwind stage should be prefixed with a '$': %s", text(path))
	}
	if err := checkFieldPath(text(path)[1:]); err != nil {
		return nil, err
	}
	u.path = splitPath(text(path)[1:])
	return []*stage{{name: name, run: u.run}}, nil
}

// unwind makes a document for each element of an array.
type unwind struct {
	path     []string
	index    []string // path of the element's index, nil for none
	preserve bool
}

func (u *unwind) option(name string, v bson.RawValue, path *bson.RawValue) error {
	switch name {
	case "path":
		if !isString(v) {
			return errorf(28808, "expected a string as the path for $unwind stage, got %s", TypeName(v.Type))
		}
		*path = v
	case "preserveNullAndEmptyArrays":
		if v.Type != bson.TypeBoolean {
			return errorf(28809, "expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got %s", TypeName(v.Type))
		}
		u.preserve = truthy(v)
	case "includeArrayIndex":
		if !isString(v) || text(v) == "" {
			return errorf(28810, "expected a non-empty string for the includeArrayIndex  option to $unwind stage, got %s", TypeName(v.Type))
		}
		if text(v)[0] == '$' {
			return errorf(28822, "includeArrayIndex option to $unwind stage should not be prefixed with a '$': %s", text(v))
		}
		if err := checkFieldPath(text(v)); err != nil {
			return err
		}
		u.index = splitPath(text(v))
	default:
		return errorf(28811, "unrecognized option to $unwind stage: %s", name)
	}
	return nil
}

func (u *unwind) run(in Iterator) Iterator {
	var doc bson.Raw
	var list []bson.RawValue
	at := 0
	return func() (bson.Raw, error) {
		for {
			if at < len(list) {
				out := u.withIndex(setPath(doc, u.path, list[at]), int64Value(int64(at)))
				at++
				return out, nil
			}
			var err error
			if doc, err = in(); doc == nil || err != nil {
				return nil, err
			}
			v := fieldAt(doc, u.path)
			at, list = 0, nil
			switch {
			case isArray(v) && bson.RawArray(v.Value).Len() > 0:
				list = elements(v)
			case isArray(v) && u.preserve:
				return u.withIndex(setPath(doc, u.path, missing), null), nil
			case isArray(v):
			case !isNullish(v) || u.preserve:
				return u.withIndex(doc, null), nil
			}
		}
	}
}

func (u *unwind) withIndex(doc bson.Raw, i bson.RawValue) bson.Raw {
	if u.index == nil {
		return doc
	}
	return setPath(doc, u.index, i)
}

// fieldAt follows a path through documents only.
func fieldAt(doc bson.Raw, path []string) bson.RawValue {
	v := documentValue(doc)
	for _, name := range path {
		if !isObject(v) {
			return missing
		}
		v = bson.Raw(v.Value).Lookup(name)
	}
	return v
}

// setPath sets the value at a path through documents, or takes it away if it is
// missing. What is no document on the way is replaced by one.
func setPath(doc bson.Raw, path []string, v bson.RawValue) bson.Raw {
	if len(path) > 1 {
		inner := doc.Lookup(path[0])
		if !isObject(inner) {
			inner = documentValue(emptyDoc)
		}
		v = documentValue(setPath(inner.Value, path[1:], v))
	}
	return withField(doc, path[0], v)
}
