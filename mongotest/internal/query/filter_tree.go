package query

import (
	"strings"

	"github.com/motor-go/motor/bson"
)

// andNode matches if all children do; the last position counts.
type andNode struct{ children []node }

func (n *andNode) match(doc bson.Raw, position *int) (bool, error) {
	for _, c := range n.children {
		if ok, err := c.match(doc, position); !ok || err != nil {
			if position != nil {
				*position = -1
			}
			return false, err
		}
	}
	return true, nil
}

// orNode matches if any child does. It gives no position.
type orNode struct{ children []node }

func (n *orNode) match(doc bson.Raw, _ *int) (bool, error) {
	for _, c := range n.children {
		if ok, err := c.match(doc, nil); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// norNode matches if no child does.
type norNode struct{ children []node }

func (n *norNode) match(doc bson.Raw, _ *int) (bool, error) {
	for _, c := range n.children {
		if ok, err := c.match(doc, nil); ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// notNode matches if its child does not.
type notNode struct{ child node }

func (n *notNode) match(doc bson.Raw, _ *int) (bool, error) {
	ok, err := n.child.match(doc, nil)
	return !ok && err == nil, err
}

// constantNode matches always or never: $alwaysTrue, $comment, $alwaysFalse.
type constantNode struct{ result bool }

func (n *constantNode) match(bson.Raw, *int) (bool, error) { return n.result, nil }

// sampleNode matches by chance: $sampleRate.
type sampleNode struct {
	rate   float64
	random func() float64
}

func (n *sampleNode) match(bson.Raw, *int) (bool, error) { return n.random() < n.rate, nil }

// textNode is a $text, for which there never is an index.
type textNode struct{}

func (n *textNode) match(bson.Raw, *int) (bool, error) { return false, errNoTextIndex }

var errNoTextIndex = errorf(codeIndexNotFound, "text index required for $text query")

// exprNode is $expr.
type exprNode struct {
	expr *expression
	env  *Env
}

func (n *exprNode) match(doc bson.Raw, _ *int) (bool, error) {
	v, err := n.expr.eval(newScope(n.env, doc))
	return truthy(v), err
}

// whereNode is $where.
type whereNode struct{ script *Script }

func (n *whereNode) match(doc bson.Raw, _ *int) (bool, error) {
	v, err := n.script.Call(nil, documentValue(doc))
	return truthy(v), err
}

// schemaNode is $jsonSchema.
type schemaNode struct{ schema *schema }

func (n *schemaNode) match(doc bson.Raw, _ *int) (bool, error) {
	return n.schema.accepts(documentValue(doc)), nil
}

// pathNode matches if any value at the path satisfies the predicate.
type pathNode struct {
	path  string
	parts []string
	pred  predicate
}

func (n *pathNode) match(doc bson.Raw, position *int) (ok bool, err error) {
	w := walker{leafArrays: !n.pred.wholeArrays()}
	w.visit = func(v bson.RawValue, at int) bool {
		inner := -1
		if ok, err = n.pred.accepts(v, &inner); !ok && err == nil {
			return false
		}
		if position != nil {
			if at < 0 {
				at = inner
			}
			if at >= 0 {
				*position = at
			}
		}
		return true
	}
	w.document(doc, n.parts, -1)
	return ok, err
}

// predicate decides about a single value.
type predicate interface {
	// accepts sets *position to the index of the element that made it accept
	// an array.
	accepts(v bson.RawValue, position *int) (bool, error)
	// wholeArrays reports whether arrays are tested as such only, not by their
	// elements.
	wholeArrays() bool
	// bind applies the predicate to the values at a path.
	bind(path string) node
	kind() int
	String() string
}

func bindPath(path string, p predicate) node {
	return &pathNode{path: path, parts: splitPath(path), pred: p}
}

// allOf and noneOf combine predicates on one value.
type allOf struct{ preds []predicate }

func (p *allOf) accepts(v bson.RawValue, position *int) (bool, error) {
	for _, q := range p.preds {
		if ok, err := q.accepts(v, position); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (p *allOf) wholeArrays() bool { return false }
func (p *allOf) kind() int         { return kindAnd }
func (p *allOf) String() string    { return "$and" }

func (p *allOf) bind(path string) node {
	n := &andNode{}
	for _, q := range p.preds {
		n.children = append(n.children, q.bind(path))
	}
	return n
}

type negated struct{ pred predicate }

func (p *negated) accepts(v bson.RawValue, _ *int) (bool, error) {
	at := -1
	ok, err := p.pred.accepts(v, &at)
	return !ok && err == nil, err
}

func (p *negated) wholeArrays() bool     { return false }
func (p *negated) kind() int             { return kindNot }
func (p *negated) String() string        { return "$not" }
func (p *negated) bind(path string) node { return &notNode{p.pred.bind(path)} }

// The trees of the planner's messages.

func indent(b *strings.Builder, depth int) {
	for range depth {
		b.WriteString("    ")
	}
}

func treeOf(b *strings.Builder, depth int, name string, children []node) {
	indent(b, depth)
	b.WriteString(name + "\n")
	for _, c := range children {
		c.tree(b, depth+1)
	}
}

func (n *andNode) tree(b *strings.Builder, depth int)   { treeOf(b, depth, "$and", n.children) }
func (n *orNode) tree(b *strings.Builder, depth int)    { treeOf(b, depth, "$or", n.children) }
func (n *norNode) tree(b *strings.Builder, depth int)   { treeOf(b, depth, "$nor", n.children) }
func (n *notNode) tree(b *strings.Builder, depth int)   { treeOf(b, depth, "$not", []node{n.child}) }
func (n *textNode) tree(b *strings.Builder, depth int)  { treeOf(b, depth, "TEXT", nil) }
func (n *exprNode) tree(b *strings.Builder, depth int)  { treeOf(b, depth, "$expr", nil) }
func (n *whereNode) tree(b *strings.Builder, depth int) { treeOf(b, depth, "$where", nil) }
func (n *schemaNode) tree(b *strings.Builder, depth int) {
	treeOf(b, depth, "$jsonSchema", nil)
}
func (n *sampleNode) tree(b *strings.Builder, depth int) { treeOf(b, depth, "$sampleRate", nil) }
func (n *constantNode) tree(b *strings.Builder, depth int) {
	if n.result {
		treeOf(b, depth, "$alwaysTrue", nil)
	} else {
		treeOf(b, depth, "$alwaysFalse", nil)
	}
}

func (n *pathNode) tree(b *strings.Builder, depth int) {
	treeOf(b, depth, n.path+" "+n.pred.String(), nil)
}

func (n *andNode) order() (int, string)    { return kindAnd, "" }
func (n *orNode) order() (int, string)     { return kindOr, "" }
func (n *norNode) order() (int, string)    { return kindNor, "" }
func (n *notNode) order() (int, string)    { return kindNot, "" }
func (n *textNode) order() (int, string)   { return kindGeo, "" }
func (n *exprNode) order() (int, string)   { return kindExpr, "" }
func (n *whereNode) order() (int, string)  { return kindExpr, "" }
func (n *schemaNode) order() (int, string) { return kindSchema, "" }
func (n *sampleNode) order() (int, string) { return kindExpr, "" }
func (n *constantNode) order() (int, string) {
	return kindAlwaysFalse + boolInt(n.result), ""
}
func (n *pathNode) order() (int, string) { return n.pred.kind(), n.path }
