package query

// regexNode is a part of a pattern.
type regexNode interface {
	compile() matchStep
	// width is the number of characters of every match, -1 if they differ.
	fixedWidth() int
	// first is the part that a match begins with.
	first() regexNode
}

type (
	literalNode struct {
		text string
		fold bool
	}
	charNode     struct{ test func(rune) bool }
	sequenceNode struct{ parts []regexNode }
	choiceNode   struct{ choices []regexNode }
	groupNode    struct {
		index int
		inner regexNode
	}
	repeatNode struct {
		inner            regexNode
		least, most      int
		lazy, possessive bool
	}
	atomicNode struct{ inner regexNode }
	lookNode   struct {
		choices          []regexNode
		widths           []int // for each choice, if behind
		behind, negative bool
	}
	backrefNode struct {
		index int
		fold  bool
	}
	assertNode struct{ kind assertKind }
)

type assertKind int

const (
	assertStart       assertKind = iota // \A, ^
	assertEnd                           // \z
	assertLastLine                      // \Z, $
	assertLineStart                     // ^ with m
	assertLineEnd                       // $ with m
	assertHere                          // \G
	assertBoundary                      // \b
	assertNotBoundary                   // \B
)

func (n *literalNode) fixedWidth() int { return len([]rune(n.text)) }
func (n *charNode) fixedWidth() int    { return 1 }
func (n *groupNode) fixedWidth() int   { return n.inner.fixedWidth() }
func (n *atomicNode) fixedWidth() int  { return n.inner.fixedWidth() }
func (n *lookNode) fixedWidth() int    { return 0 }
func (n *assertNode) fixedWidth() int  { return 0 }
func (n *backrefNode) fixedWidth() int { return -1 }

func (n *sequenceNode) fixedWidth() int {
	sum := 0
	for _, p := range n.parts {
		w := p.fixedWidth()
		if w < 0 {
			return -1
		}
		sum += w
	}
	return sum
}

func (n *choiceNode) fixedWidth() int {
	w := n.choices[0].fixedWidth()
	for _, c := range n.choices {
		if c.fixedWidth() != w {
			return -1
		}
	}
	return w
}

func (n *repeatNode) fixedWidth() int {
	w := n.inner.fixedWidth()
	if w < 0 || n.least != n.most {
		return -1
	}
	return w * n.least
}

func (n *literalNode) first() regexNode { return n }
func (n *charNode) first() regexNode    { return n }
func (n *choiceNode) first() regexNode  { return n }
func (n *groupNode) first() regexNode   { return n.inner.first() }
func (n *atomicNode) first() regexNode  { return n.inner.first() }
func (n *lookNode) first() regexNode    { return n }
func (n *backrefNode) first() regexNode { return n }
func (n *assertNode) first() regexNode  { return n }

func (n *sequenceNode) first() regexNode {
	if len(n.parts) == 0 {
		return n
	}
	return n.parts[0].first()
}

func (n *repeatNode) first() regexNode {
	if n.least > 0 {
		return n.inner.first()
	}
	return n
}
