package query

import (
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

// Filter is a parsed query.
type Filter struct {
	// Near is the query's $near or $nearSphere, nil if it has none.
	Near *Near

	source  bson.Raw
	env     *Env
	root    node // as written
	ordered node // conjunctions in the planner's order
	hasExpr bool
	text    bool
}

// ParseFilter reads a query. nil is the empty query.
func ParseFilter(filter bson.Raw, env *Env) (*Filter, error) {
	return parseFilter(filter, env, allowGeo|allowText)
}

// ParseValidator reads a collection's validator, in which $where, $text and the
// $near operators are not allowed.
func ParseValidator(filter bson.Raw, env *Env) (*Filter, error) {
	return parseFilter(filter, env, 0)
}

// allowed are the operators that not every context has.
type allowed int

const (
	allowGeo  allowed = 1 << iota // $near, $nearSphere
	allowText                     // $text, $where
)

func parseFilter(filter bson.Raw, env *Env, allow allowed) (*Filter, error) {
	if err := checkDepth(documentValue(filter)); err != nil {
		return nil, err
	}
	p := &filterParser{env: env, allow: allow, filter: &Filter{source: filter, env: env}}
	root, err := p.document(filter, true)
	if err != nil {
		return nil, err
	}
	p.filter.root = simplify(root)
	p.filter.ordered = inPlannerOrder(p.filter.root)
	return p.filter, nil
}

// Match reports whether the document matches. Only $expr and $text make it
// fail.
func (f *Filter) Match(doc bson.Raw) (bool, error) { return f.ordered.match(doc, nil) }

// MatchPosition is Match, and the index of the array element that matched, for
// Update.Apply. It is -1 if no array was involved.
func (f *Filter) MatchPosition(doc bson.Raw) (position int, ok bool, err error) {
	position = -1
	ok, err = f.ordered.match(doc, &position)
	return position, ok, err
}

// NeedsText reports whether the query has $text, which needs an index that this
// server has not: the answer is IndexNotFound.
func (f *Filter) NeedsText() bool { return f.text }

// Equal is the value that the path must have in every match, and whether there
// is one: an index or _id lookup may replace a scan. With a collation that
// compares strings the value stands for all strings that are equal to it.
func (f *Filter) Equal(path string) (v bson.RawValue, ok bool) {
	for _, n := range conjuncts(f.root) {
		if c, is := equality(n); is && c.path == path {
			return c.pred.(*comparison).value, true
		}
	}
	return missing, false
}

// Tree is the query as the planner's errors show it.
func (f *Filter) Tree() string {
	var b strings.Builder
	f.ordered.tree(&b, 0)
	return b.String()
}

// node decides about a whole document.
type node interface {
	// match sets *position, if position is not nil, to the index of the array
	// element that made it match.
	match(doc bson.Raw, position *int) (bool, error)
	tree(b *strings.Builder, depth int)
	// order is the node's place in a conjunction of the planner.
	order() (kind int, path string)
}

// The kinds of nodes in the planner's order.
const (
	kindAnd = iota
	kindOr
	kindElemMatchObject
	kindElemMatchValue
	kindSize
	kindEq
	kindLte
	kindLt
	kindGt
	kindGte
	kindRegex
	kindMod
	kindExists
	kindIn
	kindBits
	kindNot
	kindNor
	kindType
	kindGeo
	kindExpr
	kindAlwaysFalse
	kindAlwaysTrue
	kindSchema
)

// conjuncts are the parts of a conjunction, or the node itself.
func conjuncts(n node) []node {
	if and, ok := n.(*andNode); ok {
		return and.children
	}
	return []node{n}
}

func equality(n node) (*pathNode, bool) {
	p, ok := n.(*pathNode)
	if !ok {
		return nil, false
	}
	c, ok := p.pred.(*comparison)
	return p, ok && c.op == opEq
}

// simplify flattens conjunctions and takes single children out of their parent.
func simplify(n node) node {
	switch n := n.(type) {
	case *andNode:
		var children []node
		for _, c := range n.children {
			c = simplify(c)
			if inner, ok := c.(*andNode); ok {
				children = append(children, inner.children...)
			} else {
				children = append(children, c)
			}
		}
		if len(children) == 1 {
			return children[0]
		}
		return &andNode{children}
	case *orNode:
		children := mapNodes(n.children, simplify)
		if len(children) == 1 {
			return children[0]
		}
		return &orNode{children}
	case *norNode:
		return &norNode{mapNodes(n.children, simplify)}
	case *notNode:
		return &notNode{simplify(n.child)}
	}
	return n
}

func inPlannerOrder(n node) node {
	switch n := n.(type) {
	case *andNode:
		children := mapNodes(n.children, inPlannerOrder)
		slices.SortStableFunc(children, compareNodes)
		return &andNode{children}
	case *orNode:
		children := mapNodes(n.children, inPlannerOrder)
		slices.SortStableFunc(children, compareNodes)
		return &orNode{children}
	}
	return n
}

func compareNodes(a, b node) int {
	ak, ap := a.order()
	bk, bp := b.order()
	if ak != bk {
		return ak - bk
	}
	return strings.Compare(ap, bp)
}

func mapNodes(nodes []node, f func(node) node) []node {
	out := make([]node, len(nodes))
	for i, n := range nodes {
		out[i] = f(n)
	}
	return out
}
