package query

import (
	"strings"

	"github.com/motor-go/motor/bson"
)

// updateNode is a part of the tree that an update's paths make: a modifier, or
// children by the next component. A component that stands for several elements
// of an array cannot be beside one that names a field.
type updateNode struct {
	modifier   modifier
	fields     map[string]*updateNode
	positional *updateNode            // by the component $
	elements   map[string]*updateNode // by $[] ("") and $[identifier]
}

// modifier changes the value at a path.
type modifier interface {
	apply(c *updateContext, path steps) error
}

func (u *Update) parseOperators(doc bson.Raw) error {
	for _, f := range fields(doc) {
		parse, known := modifiers[f.key]
		if !known {
			return errorf(codeFailedToParse, "Unknown modifier: %s. Expected a valid update modifier or pipeline-style update specified as an array", f.key)
		}
		if !isObject(f.value) {
			return errorf(codeFailedToParse, "Modifiers operate on fields but we found type %s instead. For example: {$mod: {<field>: ...}} not {%s}", TypeName(f.value.Type), formatElement(f.key, f.value))
		}
		list := fields(f.value.Value)
		if len(list) == 0 && !u.env.Version.AtLeast(5, 0) {
			return errorf(codeFailedToParse, "'%s' is empty. You must specify a field like so: {%s: {<field>: ...}}", f.key, f.key)
		}
		for _, field := range list {
			if f.key == "$rename" {
				if err := u.parseRename(field.key, field.value); err != nil {
					return err
				}
				continue
			}
			m, err := parse(field.key, field.value, u.env)
			if err != nil {
				return err
			}
			if err := u.add(field.key, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkUpdatePath checks what all update paths have to keep to.
func checkUpdatePath(path string) error {
	if path == "" {
		return errorf(codeEmptyFieldName, "An empty update path is not valid.")
	}
	parts := splitPath(path)
	if len(parts) > maxPathDepth {
		return errorf(codeOverflow, "The update path has more than %d components", maxPathDepth)
	}
	for _, part := range parts {
		if part == "" {
			return errorf(codeEmptyFieldName, "The update path '%s' contains an empty field name, which is not allowed.", path)
		}
	}
	return nil
}

// elementsOf is the identifier of a component $[identifier].
func elementsOf(part string) (identifier string, ok bool) {
	if strings.HasPrefix(part, "$[") && strings.HasSuffix(part, "]") {
		return part[2 : len(part)-1], true
	}
	return "", false
}

// add puts a modifier into the tree.
func (u *Update) add(path string, m modifier) error {
	if err := checkUpdatePath(path); err != nil {
		return err
	}
	parts := splitPath(path)
	if parts[0] == "$" {
		return errorf(codeBadValue, "Cannot have positional (i.e. '$') element in the first position in path '%s'", path)
	}
	if _, is := elementsOf(parts[0]); is {
		return errorf(codeBadValue, "Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '%s'", path)
	}
	positional := 0
	for _, part := range parts {
		if positional += boolInt(part == "$"); positional > 1 {
			return errorf(codeBadValue, "Too many positional (i.e. '$') elements found in path '%s'", path)
		}
	}
	n := u.root
	for i, part := range parts {
		conflict := func() error {
			at := strings.Join(parts[:i], ".")
			if n.modifier == nil && !n.mixes(part) {
				at = strings.Join(parts[:i+1], ".")
			}
			return errorf(codeConflictingUpdate, "Updating the path '%s' would create a conflict at '%s'", path, at)
		}
		if n.modifier != nil || n.mixes(part) {
			return conflict()
		}
		if id, is := elementsOf(part); is && id != "" {
			f := u.filters[id]
			if f == nil {
				return errorf(codeBadValue, "No array filter found for identifier '%s' in path '%s'", id, path)
			}
			f.used = true
		}
		next := n.next(part)
		if i == len(parts)-1 {
			if !next.empty() {
				return conflict()
			}
			next.modifier = m
		}
		n = next
	}
	return nil
}

func (n *updateNode) empty() bool {
	return n.modifier == nil && n.fields == nil && n.positional == nil && n.elements == nil
}

// mixes reports whether the component is of another kind than the children.
func (n *updateNode) mixes(part string) bool {
	_, is := elementsOf(part)
	return is && (n.fields != nil || n.positional != nil) || !is && n.elements != nil
}

// next is the child for the component, made if need be.
func (n *updateNode) next(part string) *updateNode {
	if part == "$" {
		if n.positional == nil {
			n.positional = &updateNode{}
		}
		return n.positional
	}
	children := &n.fields
	if id, is := elementsOf(part); is {
		children, part = &n.elements, id
	}
	if *children == nil {
		*children = map[string]*updateNode{}
	}
	if (*children)[part] == nil {
		(*children)[part] = &updateNode{}
	}
	return (*children)[part]
}

// merged joins two trees for the same element. path is where they meet.
func merged(a, b *updateNode, path steps) (*updateNode, error) {
	conflict := func() (*updateNode, error) {
		return nil, errorf(codeConflictingUpdate, "Update created a conflict at '%s'", path)
	}
	switch {
	case a == nil:
		return b, nil
	case b == nil:
		return a, nil
	case a.modifier != nil || b.modifier != nil:
		return conflict()
	case (a.elements != nil) != (b.elements != nil):
		return conflict()
	}
	out := &updateNode{}
	var err error
	if out.positional, err = merged(a.positional, b.positional, path.with("$", false)); err != nil {
		return nil, err
	}
	if out.fields, err = mergedChildren(a.fields, b.fields, path); err != nil {
		return nil, err
	}
	out.elements, err = mergedChildren(a.elements, b.elements, path)
	return out, err
}

func mergedChildren(a, b map[string]*updateNode, path steps) (map[string]*updateNode, error) {
	if a == nil {
		return b, nil
	}
	out := map[string]*updateNode{}
	for k, n := range a {
		out[k] = n
	}
	for k, n := range b {
		var err error
		if out[k], err = merged(out[k], n, path.with(k, false)); err != nil {
			return nil, err
		}
	}
	return out, nil
}
