package query

import (
	"slices"
	"strconv"
	"strings"

	"github.com/motor-go/motor/bson"
)

// updateContext is one application of an update.
type updateContext struct {
	update      *Update
	doc         *mutable
	position    int // of $, -1 if the query gave none
	insert      bool
	immutableID bool
	log         *changeLog // nil where nothing is logged
	changed     bool
}

// apply goes through the tree below a node; path is where the node stands.
func (c *updateContext) apply(n *updateNode, path steps) error {
	switch {
	case n.modifier != nil:
		return n.modifier.apply(c, path)
	case n.elements != nil:
		return c.applyElements(n, path)
	}
	children := n.fields
	if n.positional != nil {
		if c.position < 0 {
			return errorf(codeBadValue, "The positional operator did not find the match needed from the query.")
		}
		at := strconv.Itoa(c.position)
		one, err := mergedChildren(n.fields, map[string]*updateNode{at: n.positional}, path)
		if err != nil {
			return err
		}
		children = one
	}
	names := make([]string, 0, len(children))
	for name := range children {
		names = append(names, name)
	}
	slices.SortFunc(names, c.fieldOrder())
	for _, name := range names {
		if err := c.apply(children[name], path.with(name, c.inArray(path))); err != nil {
			return err
		}
	}
	return nil
}

// fieldOrder is the order in which the server applies the children of a node:
// numbers by value since 5.0.
func (c *updateContext) fieldOrder() func(a, b string) int {
	return func(a, b string) int {
		if x, y := arrayIndex(a), arrayIndex(b); x >= 0 && y >= 0 && c.update.env.Version.AtLeast(5, 0) {
			return x - y
		}
		return strings.Compare(a, b)
	}
}

func (c *updateContext) inArray(path steps) bool {
	m, rest := c.find(path)
	return len(rest) == 0 && m.isArray()
}

// find follows the path as far as the document has it.
func (c *updateContext) find(path steps) (m *mutable, rest steps) {
	m = c.doc
	for i, s := range path {
		next := m.child(s.name)
		if next == nil {
			return m, path[i:]
		}
		m = next
	}
	return m, nil
}

// applyElements applies $[] and $[identifier] to the elements of an array.
func (c *updateContext) applyElements(n *updateNode, path steps) error {
	arr, rest := c.find(path)
	if len(rest) > 0 {
		return errorf(codeBadValue, "The path '%s' must exist in the document in order to apply array updates.", path)
	}
	if !arr.isArray() {
		return errorf(codeBadValue, "Cannot apply array updates to non-array element %s", formatElement(arr.key, arr.raw()))
	}
	ids := make([]string, 0, len(n.elements))
	for id := range n.elements {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	updates := make([]*updateNode, len(arr.children()))
	matched := 0
	for i, e := range arr.children() {
		for _, id := range ids {
			if id != "" {
				ok, err := c.update.filters[id].matches(e.raw())
				if err != nil {
					return err
				}
				if !ok {
					continue
				}
			}
			one, err := merged(updates[i], n.elements[id], path.with(strconv.Itoa(i), true))
			if err != nil {
				return err
			}
			updates[i] = one
		}
		matched += boolInt(updates[i] != nil)
	}
	// Changes of more than one element are logged as one of the whole array.
	log, was := c.log, c.changed
	if matched > 1 {
		c.log = nil
	}
	var modified []int
	for i, one := range updates {
		if one == nil {
			continue
		}
		c.changed = false
		if err := c.apply(one, path.with(strconv.Itoa(i), true)); err != nil {
			return err
		}
		if c.changed {
			modified = append(modified, i)
		}
	}
	c.changed = was || len(modified) > 0
	c.log = log
	if matched > 1 && len(modified) == 1 {
		c.log.set(path.with(strconv.Itoa(modified[0]), true), arr.children()[modified[0]])
	} else if matched > 1 && len(modified) > 1 {
		c.log.set(path, arr)
	}
	return nil
}

// maxPadding is how many nulls an update puts into an array to reach an index.
const maxPadding = 1_500_000

// create makes the value at a path that find did not reach the end of, and logs
// it.
func (c *updateContext) create(path steps, v bson.RawValue) error {
	m, rest := c.find(path)
	logged, at := len(path), (*mutable)(nil)
	if c.log != nil && c.log.created {
		logged = len(path) - len(rest) + 1
	}
	if err := c.checkCreatable(m, rest, path); err != nil {
		return err
	}
	known := len(path) - len(rest)
	for i, s := range rest {
		kid := newMutable(s.name, documentValue(emptyDoc))
		if i == len(rest)-1 {
			kid.set(v)
		}
		isIndex := m.isArray()
		if isIndex {
			for len(m.children()) < arrayIndex(s.name) {
				m.append(newMutable("", null))
			}
		}
		m.append(kid)
		m = kid
		path[known+i].isIndex = isIndex
		if known+i+1 == logged {
			at = kid
		}
	}
	if err := c.checkChanged(path, m); err != nil {
		return err
	}
	c.changed = true
	c.log.set(path[:logged], at)
	return nil
}

// checkCreatable checks that the rest of a path can be made below m.
func (c *updateContext) checkCreatable(m *mutable, rest, path steps) error {
	if !m.isObject() && !m.isArray() {
		return errorf(codePathNotViable, "Cannot create field '%s' in element %s", rest[0].name, m)
	}
	if m.isArray() {
		i := arrayIndex(rest[0].name)
		if i < 0 {
			return errorf(codePathNotViable, "Cannot create field '%s' in element %s", rest[0].name, m)
		}
		if i > len(m.children())+maxPadding {
			return errorf(34, "can't backfill more than %d elements", maxPadding)
		}
	}
	for _, s := range rest {
		if strings.HasPrefix(s.name, "$") && !isDBRefField(s.name) {
			return errNotStorable(s.name, path.String())
		}
	}
	return nil
}

// touched notes that the value at the path was changed in place.
func (c *updateContext) touched(path steps, m *mutable) error {
	if err := c.checkChanged(path, m); err != nil {
		return err
	}
	c.changed = true
	c.log.set(path, m)
	return nil
}

// checkChanged checks that a changed value may be stored.
func (c *updateContext) checkChanged(path steps, m *mutable) error {
	if err := c.checkImmutable(path); err != nil {
		return err
	}
	if c.update.env.Version.AtLeast(5, 0) {
		return nil
	}
	return checkStorable(m.raw(), path.String())
}

func (c *updateContext) checkImmutable(path steps) error {
	if c.immutableID && path[0].name == "_id" {
		return errorf(codeImmutableField, "Performing an update on the path '%s' would modify the immutable field '_id'", path)
	}
	return nil
}

// idOf is the document's _id for messages: {_id: 1}.
func (c *updateContext) idOf() string {
	if id := c.doc.child("_id"); id != nil {
		return id.String()
	}
	return "{no id}"
}
