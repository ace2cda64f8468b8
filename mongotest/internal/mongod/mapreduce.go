package mongod

import (
	"slices"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

var mapReduceSchema = newSchema("MapReduce",
	field{name: "map", fieldType: required}, field{name: "reduce", fieldType: required}, field{name: "out", fieldType: required},
	field{name: "finalize", fieldType: anything}, field{name: "scope", fieldType: object}, field{name: "query", fieldType: object},
	field{name: "sort", fieldType: object}, field{name: "limit", fieldType: number}, field{name: "verbose", fieldType: truth},
	field{name: "collation", fieldType: object}, field{name: "jsMode", fieldType: truth}, field{name: "bypassDocumentValidation", fieldType: truth})

// emitted are the values that were emitted under one key.
type emitted struct {
	key    bson.RawValue
	values []bson.RawValue
}

// mapReduce groups what a function makes of the documents, and reduces each
// group to one value. It answers inline only.
func mapReduce(r *request) (*doc, error) {
	switch {
	case !r.server.Scripting:
		return nil, errorf(16149, "cannot run map reduce without the js engine")
	case r.server.Mongos:
		return relay(r)
	}
	ns, err := r.readNamespace()
	if err != nil {
		return nil, err
	}
	out, _ := r.field("out").Document()
	if out.Lookup("inline").IsZero() || r.object("sort").Len() > 0 {
		return nil, errorf(codeCommandNotSupported, "mapReduce of this server takes no sort, and answers inline only: give out as {inline: 1}")
	}
	source, err := r.source(ns, r.object("collation"))
	if err != nil {
		return nil, err
	}
	env := r.env(ns, source.collation)
	env.Let = nil
	mapper, err := script(r.field("map"), r.object("scope"), env)
	if err != nil {
		return nil, err
	}
	reducer, err := script(r.field("reduce"), r.object("scope"), env)
	if err != nil {
		return nil, err
	}
	groups, err := r.emissions(ns, source, mapper, env)
	if err != nil {
		return nil, err
	}
	results := make([]bson.Raw, len(groups))
	for i, g := range groups {
		v, err := reduceGroup(reducer, g)
		if err == nil && !r.field("finalize").IsZero() {
			v, err = r.finalize(g.key, v, env)
		}
		if err != nil {
			return nil, err
		}
		results[i] = newDoc().value("_id", g.key).value("value", v).raw()
	}
	return newDoc().docs("results", results), nil
}

// script is a function with the variables of the command.
func script(code bson.RawValue, scope bson.Raw, env *query.Env) (*query.Script, error) {
	if js, ok := code.Str(); ok && scope != nil {
		with, err := bson.MarshalValue(bson.CodeWithScope{Code: bson.JavaScript(js), Scope: scope})
		if err != nil {
			return nil, err
		}
		code = with
	}
	return query.NewScript(code, env)
}

// emissions calls the map function with all documents that match. The groups
// are in the order of their keys.
func (r *request) emissions(ns storage.Namespace, s source, mapper *query.Script, env *query.Env) (groups []*emitted, err error) {
	next, err := r.matchingDocuments(ns, s, r.object("query"), bson.RawValue{})
	if err != nil {
		return nil, err
	}
	limit := whole(r.field("limit"))
	emit := func(key, v bson.RawValue) {
		i, found := slices.BinarySearchFunc(groups, key, func(g *emitted, k bson.RawValue) int { return query.Compare(g.key, k, env.Collation) })
		if !found {
			groups = slices.Insert(groups, i, &emitted{key: key})
		}
		groups[i].values = append(groups[i].values, v)
	}
	for n := int64(0); limit == 0 || n < limit; n++ {
		d, err := next()
		if d == nil || err != nil {
			return groups, err
		}
		if _, err := mapper.Call(emit, bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: d}); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// reduceGroup reduces the values of a key; a single one is not reduced.
func reduceGroup(reducer *query.Script, g *emitted) (bson.RawValue, error) {
	if len(g.values) == 1 {
		return g.values[0], nil
	}
	values, err := bson.MarshalValue(g.values)
	if err != nil {
		return bson.RawValue{}, err
	}
	return reducer.Call(nil, bson.RawValue{}, g.key, values)
}

func (r *request) finalize(key, v bson.RawValue, env *query.Env) (bson.RawValue, error) {
	f, err := script(r.field("finalize"), r.object("scope"), env)
	if err != nil {
		return bson.RawValue{}, err
	}
	return f.Call(nil, bson.RawValue{}, key, v)
}
