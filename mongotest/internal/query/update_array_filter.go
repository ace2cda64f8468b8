package query

import (
	"strings"

	"github.com/motor-go/motor/bson"
)

// arrayFilter decides which elements $[identifier] stands for.
type arrayFilter struct {
	identifier string
	filter     *Filter
	used       bool
}

func (f *arrayFilter) matches(v bson.RawValue) (bool, error) {
	dst, at := bson.BeginDocument(nil)
	return f.filter.Match(bson.EndDocument(bson.AppendValue(dst, f.identifier, v), at))
}

func parseArrayFilters(specs []bson.Raw, env *Env) (map[string]*arrayFilter, error) {
	filters := map[string]*arrayFilter{}
	for _, spec := range specs {
		filter, err := parseFilter(spec, env, 0)
		if err != nil {
			return nil, within(err, "Error parsing array filter")
		}
		id, err := topLevelName(filter.root)
		if err != nil {
			return nil, within(err, "Error parsing array filter")
		}
		if id == "" {
			return nil, errorf(codeFailedToParse, "Cannot use an expression without a top-level field name in arrayFilters")
		}
		if !isIdentifier(id) {
			return nil, within(errorf(codeBadValue, "The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '%s'", id), "Error parsing array filter")
		}
		if filters[id] != nil {
			return nil, errorf(codeFailedToParse, "Found multiple array filters with the same top-level field name %s", id)
		}
		filters[id] = &arrayFilter{identifier: id, filter: filter}
	}
	return filters, nil
}

func isIdentifier(s string) bool {
	for i, c := range []byte(s) {
		lower, other := c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !lower && (i == 0 || !other) {
			return false
		}
	}
	return s != ""
}

// topLevelName is the first component that all paths of a query share, "" if it
// has none.
func topLevelName(n node) (string, error) {
	var children []node
	switch n := n.(type) {
	case *andNode:
		children = n.children
	case *orNode:
		children = n.children
	case *norNode:
		children = n.children
	case *notNode:
		children = []node{n.child}
	case *pathNode:
		return n.parts[0], nil
	case *exprNode:
		return "", errorf(codeQueryNotAllowed, "$expr is not allowed in this context")
	case *schemaNode:
		return "", errorf(codeBadValue, "$jsonSchema is not allowed in this context")
	}
	name := ""
	for _, c := range children {
		inner, err := topLevelName(c)
		if err != nil {
			return "", err
		}
		if name != "" && inner != "" && inner != name {
			return "", errorf(codeFailedToParse, "Expected a single top-level field name, found '%s' and '%s'", name, inner)
		}
		if inner != "" {
			name = inner
		}
	}
	return name, nil
}

func checkFiltersUsed(filters map[string]*arrayFilter, specs []bson.Raw, update bson.Raw) error {
	for _, spec := range specs { // in the order given
		for id, f := range filters {
			if !f.used && strings.Contains(string(spec), id) {
				return errorf(codeFailedToParse, "The array filter for identifier '%s' was not used in the update %s", id, FormatDocument(update))
			}
		}
	}
	return nil
}
