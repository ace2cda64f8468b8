package query

import (
	"strconv"
	"strings"

	"github.com/motor-go/motor/bson"
)

// UpdateDescription is the updateDescription of a change event.
type UpdateDescription struct {
	UpdatedFields      bson.Raw         // dotted path → new value
	RemovedFields      []string         // dotted paths
	TruncatedArrays    []TruncatedArray // servers since 5.0 tell them
	DisambiguatedPaths bson.Raw         // dotted path → its components; servers since 6.1 tell them
}

// TruncatedArray is an array that an update cut.
type TruncatedArray struct {
	Field   string
	NewSize int
}

// step is one component of a path in a document.
type step struct {
	name    string
	isIndex bool // of an array
}

type steps []step

func (p steps) with(name string, isIndex bool) steps {
	return append(p[:len(p):len(p)], step{name, isIndex})
}

func (p steps) String() string {
	names := make([]string, len(p))
	for i, s := range p {
		names[i] = s.name
	}
	return strings.Join(names, ".")
}

// ambiguous reports whether the dotted path does not tell the components: a
// name has dots, or looks like an index.
func (p steps) ambiguous() bool {
	for _, s := range p {
		if !s.isIndex && (arrayIndex(s.name) >= 0 || strings.Contains(s.name, ".")) {
			return true
		}
	}
	return false
}

func (p steps) value() bson.RawValue {
	list := make([]bson.RawValue, len(p))
	for i, s := range p {
		if n, err := strconv.Atoi(s.name); s.isIndex && err == nil {
			list[i] = int32Value(int32(n))
		} else {
			list[i] = stringValue(s.name)
		}
	}
	return arrayValue(list)
}

// changeLog is what an update changed, in the order in which it did.
type changeLog struct {
	sets    []loggedSet
	unsets  []steps
	cut     []loggedCut
	created bool // log a new field where it begins, not where it ends
}

type loggedSet struct {
	path steps
	elem *mutable
}

type loggedCut struct {
	path steps
	size int
}

func (l *changeLog) set(path steps, elem *mutable) {
	if l != nil {
		l.sets = append(l.sets, loggedSet{path, elem})
	}
}

func (l *changeLog) unset(path steps) {
	if l != nil {
		l.unsets = append(l.unsets, path)
	}
}

func (l *changeLog) description() *UpdateDescription {
	d := &UpdateDescription{}
	updated, at := bson.BeginDocument(nil)
	paths, pathsAt := bson.BeginDocument(nil)
	note := func(p steps) {
		if p.ambiguous() {
			paths = bson.AppendValue(paths, p.String(), p.value())
		}
	}
	for _, s := range l.sets {
		updated = bson.AppendValue(updated, s.path.String(), s.elem.raw())
		note(s.path)
	}
	for _, p := range l.unsets {
		d.RemovedFields = append(d.RemovedFields, p.String())
		note(p)
	}
	for _, c := range l.cut {
		d.TruncatedArrays = append(d.TruncatedArrays, TruncatedArray{c.path.String(), c.size})
		note(c.path)
	}
	d.UpdatedFields = bson.EndDocument(updated, at)
	d.DisambiguatedPaths = bson.EndDocument(paths, pathsAt)
	return d
}

// diff logs how the document a became b, as pipeline updates do.
func (l *changeLog) diff(path steps, a, b bson.Raw) {
	for k, v := range b.All() {
		l.diffValue(path.with(k, false), a.Lookup(k), v)
	}
	for k := range a.Keys() {
		if isMissing(b.Lookup(k)) {
			l.unset(path.with(k, false))
		}
	}
}

func (l *changeLog) diffValue(path steps, a, b bson.RawValue) {
	switch {
	case equalBytes(a, b):
	case isObject(a) && isObject(b):
		inner := &changeLog{}
		inner.diff(path, a.Value, b.Value)
		l.shorter(inner, path, b)
	case isArray(a) && isArray(b):
		inner := &changeLog{}
		as, bs := elements(a), elements(b)
		for i, v := range bs {
			var old bson.RawValue
			if i < len(as) {
				old = as[i]
			}
			inner.diffValue(path.with(strconv.Itoa(i), true), old, v)
		}
		if len(bs) < len(as) {
			inner.cut = append(inner.cut, loggedCut{path, len(bs)})
		}
		l.shorter(inner, path, b)
	default:
		l.set(path, newMutable("", b))
	}
}

// shorter takes over the changes within a value, or the whole value if that is
// not longer.
func (l *changeLog) shorter(inner *changeLog, path steps, whole bson.RawValue) {
	if inner.size(len(path)) >= len(whole.Value) {
		l.set(path, newMutable("", whole))
		return
	}
	l.sets = append(l.sets, inner.sets...)
	l.unsets = append(l.unsets, inner.unsets...)
	l.cut = append(l.cut, inner.cut...)
}

// size is about what the changes take in the oplog, names above depth left out.
func (l *changeLog) size(depth int) int {
	const section = 8 // a document of its own: its type, name, length and end
	n := 5 + section*(len(l.cut)+boolInt(len(l.sets) > 0)+boolInt(len(l.unsets) > 0))
	for _, s := range l.sets {
		n += len(s.path[depth:].String()) + len(s.elem.value.Value) + 2
	}
	for _, p := range l.unsets {
		n += len(p[depth:].String()) + 3
	}
	return n
}
