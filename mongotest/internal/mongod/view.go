package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// maxViewDepth is how many views may stand on each other.
const maxViewDepth = 20

// resolved is what stands below a view: a collection, and the stages between.
type resolved struct {
	ns        storage.Namespace
	stages    []bson.Raw
	collation *query.Collation
}

// resolve follows views down to the collection below.
func resolve(state *storage.State, ns storage.Namespace) (r resolved, err error) {
	r.ns = ns
	for depth := 0; ; depth++ {
		view, ok := state.View(r.ns)
		if !ok {
			if c := state.Collection(r.ns); c != nil && depth == 0 {
				r.collation = c.Options.Collation
			}
			return r, nil
		}
		if depth == maxViewDepth {
			return r, errorf(165, "View depth limit exceeded; maximum depth is %d", maxViewDepth)
		}
		on, _ := view.Lookup("viewOn").Str()
		r.ns = storage.Namespace{DB: ns.DB, Collection: on}
		r.stages = append(documents(view.Lookup("pipeline")), r.stages...)
		if depth == 0 {
			spec, _ := view.Lookup("collation").Document()
			if r.collation, err = query.ParseCollation(spec); err != nil {
				return r, err
			}
		}
	}
}

// aggregateView runs stages on a view.
func (r *request) aggregateView(ns storage.Namespace, s source, stages []bson.Raw) (query.Iterator, error) {
	state, err := s.state()
	if err != nil {
		return nil, err
	}
	below, err := resolve(state, ns)
	if err != nil {
		return nil, err
	}
	if s.explicit && !query.SameCollation(s.collation, below.collation) {
		return nil, errorf(codeOptionNotOnView, "Cannot override a view's default collation")
	}
	return r.pipe(below, s.state, append(below.stages, stages...))
}

// viewCursor is the namespace that a cursor on a view has: for a mongos, which
// looks below the view itself, that of the collection there.
func (r *request) viewCursor(ns storage.Namespace, s source) string {
	if state, err := s.state(); err == nil && r.conn.internal {
		if below, err := resolve(state, ns); err == nil {
			ns = below.ns
		}
	}
	return ns.String()
}

// findOnView runs a find as an aggregation.
func (r *request) findOnView(f findCommand, s source) (*doc, error) {
	for name, set := range map[string]bool{
		"tailable": f.tailable, "returnKey": f.returnKey, "showRecordId": f.showRecordID, "max": f.max != nil, "min": f.min != nil,
	} {
		if set {
			return nil, errorf(168, "Option %s not supported in aggregation.", name)
		}
	}
	var stages []bson.Raw
	add := func(fill func(d *doc)) {
		d := newDoc()
		fill(d)
		stages = append(stages, d.raw())
	}
	if f.filter.Len() > 0 {
		add(func(d *doc) { d.doc("$match", f.filter) })
	}
	if f.sort.Len() > 0 && f.sort.Lookup("$natural").IsZero() {
		add(func(d *doc) { d.doc("$sort", f.sort) })
	}
	if f.skip > 0 {
		add(func(d *doc) { d.int64("$skip", f.skip) })
	}
	if f.limit > 0 {
		add(func(d *doc) { d.int64("$limit", f.limit) })
	}
	if f.projection.Len() > 0 {
		add(func(d *doc) { d.doc("$project", f.projection) })
	}
	next, err := r.aggregateView(f.ns, s, stages)
	if err != nil {
		return nil, err
	}
	size := int64(defaultBatch)
	if f.hasBatch {
		size = f.batchSize
	}
	reply, _, err := r.firstBatch(r.viewCursor(f.ns, s), results{next: next}, size, f.single)
	return reply, err
}
