package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// regex is a compiled regular expression in the syntax of PCRE, which is what
// the server has. The standard library's engine knows neither look-around nor
// back-references, so this one backtracks, within bounds.
type regex struct {
	step   matchStep
	groups int // the whole match included
	// prefix is what every match begins with, and anchored says that one can
	// begin at the start of the text only.
	prefix   string
	anchored bool
}

const (
	maxRegexSteps   = 5_000_000
	maxRegexDepth   = 50_000
	maxRegexNesting = 250
	maxRegexLength  = 32_764
)

// compileRegex reads a pattern and its options i, m, s and x.
func compileRegex(pattern, options string, env *Env) (*regex, error) {
	if strings.IndexByte(pattern, 0) >= 0 {
		return nil, errorf(codeBadValue, "Regular expression cannot contain an embedded null byte")
	}
	if strings.IndexByte(options, 0) >= 0 {
		return nil, errorf(codeBadValue, "Regular expression options string cannot contain an embedded null byte")
	}
	var flags regexFlags
	for _, o := range options {
		switch o {
		case 'i':
			flags |= flagFold
		case 'm':
			flags |= flagMultiline
		case 's':
			flags |= flagDotAll
		case 'x':
			flags |= flagExtended
		case 'u':
		default:
			if env.Version.AtLeast(6, 1) {
				return nil, errorf(51108, "invalid flag in regex options: %c", o)
			}
		}
	}
	p := &regexParser{src: pattern, flags: flags, names: map[string]int{}}
	n, err := p.parse()
	if err != "" {
		return nil, errorf(51091, "Regular expression is invalid: %s", err)
	}
	r := &regex{step: n.compile(), groups: p.groups + 1}
	if lit, ok := n.first().(*literalNode); ok && !lit.fold {
		r.prefix = lit.text
	}
	if a, ok := n.first().(*assertNode); ok {
		r.anchored = a.kind == assertStart
	}
	return r, nil
}

func (r *regex) matches(s string) (bool, error) {
	m, err := r.find(s, 0)
	return m != nil, err
}

// find gives the byte offsets of the first match at or after from: start and
// end of the whole, then of each group, -1 for one that took no part. It is nil
// if there is no match.
func (r *regex) find(s string, from int) ([]int, error) {
	m := &regexMatcher{text: s, groups: make([]int, 2*r.groups)}
	for at := from; at <= len(s); {
		if r.prefix != "" {
			skip := strings.Index(s[at:], r.prefix)
			if skip < 0 {
				return nil, nil
			}
			at += skip
		}
		for i := range m.groups {
			m.groups[i] = -1
		}
		m.start = at
		if r.step(m, at, func(end int) bool { m.groups[0], m.groups[1] = m.start, end; return true }) {
			return m.groups, nil
		}
		if m.exceeded {
			return nil, errorf(51156, "Error occurred while executing the regular expression. Result code: -8")
		}
		if r.anchored {
			return nil, nil
		}
		_, n := utf8.DecodeRuneInString(s[at:])
		at += max(n, 1)
	}
	return nil, nil
}

// regexMatcher is the state of one search.
type regexMatcher struct {
	text     string
	groups   []int
	start    int
	steps    int
	depth    int
	exceeded bool
}

// matchStep tries to match at i, and calls next with the end of each way to do
// so until next is satisfied.
type matchStep func(m *regexMatcher, i int, next func(int) bool) bool

// spend counts a step and reports whether one is left.
func (m *regexMatcher) spend() bool {
	m.steps++
	if m.steps > maxRegexSteps || m.depth > maxRegexDepth {
		m.exceeded = true
	}
	return !m.exceeded
}

func (n *literalNode) compile() matchStep {
	if !n.fold {
		return func(m *regexMatcher, i int, next func(int) bool) bool {
			return m.spend() && strings.HasPrefix(m.text[i:], n.text) && next(i+len(n.text))
		}
	}
	folded := []rune(n.text)
	return func(m *regexMatcher, i int, next func(int) bool) bool {
		if !m.spend() {
			return false
		}
		for _, want := range folded {
			r, size := utf8.DecodeRuneInString(m.text[i:])
			if size == 0 || !sameFold(r, want) {
				return false
			}
			i += size
		}
		return next(i)
	}
}

// sameFold reports whether a and b differ in case only.
func sameFold(a, b rune) bool {
	if a == b {
		return true
	}
	for r := unicode.SimpleFold(a); r != a; r = unicode.SimpleFold(r) {
		if r == b {
			return true
		}
	}
	return false
}

// width is the length of the character at i that satisfies the test, 0 if none.
func (n *charNode) width(m *regexMatcher, i int) int {
	r, size := utf8.DecodeRuneInString(m.text[i:])
	if size == 0 || !n.test(r) {
		return 0
	}
	return size
}

func (n *charNode) compile() matchStep {
	return func(m *regexMatcher, i int, next func(int) bool) bool {
		w := n.width(m, i)
		return m.spend() && w > 0 && next(i+w)
	}
}

func (n *sequenceNode) compile() matchStep {
	if len(n.parts) == 0 {
		return func(_ *regexMatcher, i int, next func(int) bool) bool { return next(i) }
	}
	step := n.parts[len(n.parts)-1].compile()
	for k := len(n.parts) - 2; k >= 0; k-- {
		first, rest := n.parts[k].compile(), step
		step = func(m *regexMatcher, i int, next func(int) bool) bool {
			return first(m, i, func(j int) bool { return rest(m, j, next) })
		}
	}
	return step
}

func (n *choiceNode) compile() matchStep {
	steps := make([]matchStep, len(n.choices))
	for i, c := range n.choices {
		steps[i] = c.compile()
	}
	return func(m *regexMatcher, i int, next func(int) bool) bool {
		for _, s := range steps {
			if s(m, i, next) {
				return true
			}
		}
		return false
	}
}

func (n *groupNode) compile() matchStep {
	inner := n.inner.compile()
	start, end := 2*n.index, 2*n.index+1
	return func(m *regexMatcher, i int, next func(int) bool) bool {
		oldStart, oldEnd := m.groups[start], m.groups[end]
		ok := inner(m, i, func(j int) bool {
			wasStart, wasEnd := m.groups[start], m.groups[end]
			m.groups[start], m.groups[end] = i, j
			if next(j) {
				return true
			}
			m.groups[start], m.groups[end] = wasStart, wasEnd
			return false
		})
		if !ok {
			m.groups[start], m.groups[end] = oldStart, oldEnd
		}
		return ok
	}
}

func (n *repeatNode) compile() matchStep {
	if c, ok := n.inner.(*charNode); ok {
		return n.compileRun(c)
	}
	inner := n.inner.compile()
	var from func(m *regexMatcher, i, count int, next func(int) bool) bool
	from = func(m *regexMatcher, i, count int, next func(int) bool) bool {
		if !m.spend() {
			return false
		}
		m.depth++
		defer func() { m.depth-- }()
		again := func() bool {
			return count < n.most && inner(m, i, func(j int) bool {
				if j == i && count >= n.least {
					return next(j) // more of nothing would go on forever
				}
				return from(m, j, count+1, next)
			})
		}
		switch {
		case count < n.least:
			return again()
		case n.lazy:
			return next(i) || again()
		}
		return again() || next(i)
	}
	step := func(m *regexMatcher, i int, next func(int) bool) bool { return from(m, i, 0, next) }
	if n.possessive {
		return atomic(step)
	}
	return step
}

// compileRun repeats a single character without recursion.
func (n *repeatNode) compileRun(c *charNode) matchStep {
	return func(m *regexMatcher, i int, next func(int) bool) bool {
		count, j := 0, i
		advance := func() bool {
			w := c.width(m, j)
			if count == n.most || w == 0 || !m.spend() {
				return false
			}
			count, j = count+1, j+w
			return true
		}
		for count < n.least {
			if !advance() {
				return false
			}
		}
		if n.lazy {
			for !next(j) {
				if !advance() {
					return false
				}
			}
			return true
		}
		least := j
		for advance() {
		}
		if n.possessive {
			return next(j)
		}
		for {
			if next(j) {
				return true
			}
			if j == least || !m.spend() {
				return false
			}
			_, w := utf8.DecodeLastRuneInString(m.text[:j])
			j -= w
		}
	}
}

// atomic keeps the first way to match and forgets the others.
func atomic(step matchStep) matchStep {
	return func(m *regexMatcher, i int, next func(int) bool) bool {
		end := -1
		return step(m, i, func(j int) bool { end = j; return true }) && next(end)
	}
}

func (n *atomicNode) compile() matchStep { return atomic(n.inner.compile()) }

func (n *lookNode) compile() matchStep {
	steps := make([]matchStep, len(n.choices))
	for i, c := range n.choices {
		steps[i] = c.compile()
	}
	return func(m *regexMatcher, i int, next func(int) bool) bool {
		found := false
		for k, step := range steps {
			at, ok := i, true
			if n.behind {
				at, ok = backUp(m.text, i, n.widths[k])
			}
			if ok && step(m, at, func(j int) bool { return !n.behind || j == i }) {
				found = true
				break
			}
		}
		return found != n.negative && next(i)
	}
}

// backUp goes so many characters back.
func backUp(s string, i, width int) (int, bool) {
	for range width {
		_, n := utf8.DecodeLastRuneInString(s[:i])
		if n == 0 {
			return 0, false
		}
		i -= n
	}
	return i, true
}

func (n *backrefNode) compile() matchStep {
	return func(m *regexMatcher, i int, next func(int) bool) bool {
		start, end := m.groups[2*n.index], m.groups[2*n.index+1]
		if !m.spend() || start < 0 {
			return false
		}
		want := m.text[start:end]
		if !n.fold {
			return strings.HasPrefix(m.text[i:], want) && next(i+len(want))
		}
		for _, w := range want {
			r, size := utf8.DecodeRuneInString(m.text[i:])
			if size == 0 || !sameFold(r, w) {
				return false
			}
			i += size
		}
		return next(i)
	}
}

func (n *assertNode) compile() matchStep {
	return func(m *regexMatcher, i int, next func(int) bool) bool {
		return n.holds(m, i) && next(i)
	}
}

func (n *assertNode) holds(m *regexMatcher, i int) bool {
	switch n.kind {
	case assertStart:
		return i == 0
	case assertEnd:
		return i == len(m.text)
	case assertLastLine:
		return i == len(m.text) || i == len(m.text)-1 && m.text[i] == '\n'
	case assertLineStart:
		return i == 0 || m.text[i-1] == '\n'
	case assertLineEnd:
		return i == len(m.text) || m.text[i] == '\n'
	case assertHere:
		return i == m.start
	}
	before := i > 0 && isWord(rune(m.text[i-1]))
	after := i < len(m.text) && isWord(rune(m.text[i]))
	return (before != after) == (n.kind == assertBoundary)
}

func isWord(r rune) bool {
	return r == '_' || r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
