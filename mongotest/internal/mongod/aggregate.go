package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// aggregateCommand is the parsed command aggregate.
type aggregateCommand struct {
	ns        storage.Namespace // without a collection for {aggregate: 1}
	stages    []bson.Raw
	collation bson.Raw
	hint      bson.RawValue
	batchSize int64
	explain   bool
}

// name is the namespace that its cursor has.
func (a *aggregateCommand) name() string {
	if a.ns.Collection == "" {
		return a.ns.DB + ".$cmd.aggregate"
	}
	return a.ns.String()
}

func (r *request) parseAggregate() (a aggregateCommand, err error) {
	a.ns.DB, a.batchSize = r.db, defaultBatch
	v := r.first()
	switch {
	case v.Type == bson.TypeString:
		if a.ns, err = r.collection(); err != nil {
			return a, err
		}
		if a.ns.Collection == "$cmd.aggregate" {
			return a, errorf(codeInvalidNamespace, "Invalid namespace specified '%s'", a.ns)
		}
	case !v.IsNumber() || whole(v) != 1:
		return a, errorf(codeFailedToParse, "Invalid command format: the 'aggregate' field must specify a collection name or 1")
	}
	pipeline, ok := r.field("pipeline").Array()
	if !ok {
		return a, errorf(codeTypeMismatch, "'pipeline' option must be specified as an array")
	}
	for v := range pipeline.Values() {
		d, ok := v.Document()
		if !ok {
			return a, errorf(codeTypeMismatch, "Each element of the 'pipeline' array must be an object")
		}
		a.stages = append(a.stages, d)
	}
	first := true
	hasCursor := false
	for name, v := range r.body.All() {
		if first {
			first = false
			continue
		}
		ok := true
		switch name {
		case "pipeline", "let", "needsMerge", "fromMongos", "exchange", "runtimeConstants", "isMapReduceCommand", "collectionUUID", "use44SortKeys":
			if name == "let" && !r.atLeast(5, 0) {
				return a, errorf(codeFailedToParse, "unrecognized field 'let'")
			}
			if name == "let" {
				err = aggregateSchema.check(name, v, object)
			}
			if name == "exchange" {
				d, _ := v.Document()
				err = newSchema("internalExchange", field{name: "policy", fieldType: required}, field{name: "consumers", fieldType: anything}, field{name: "bufferSize", fieldType: anything},
					field{name: "key", fieldType: anything}, field{name: "boundaries", fieldType: anything}, field{name: "orderPreserving", fieldType: anything}).document(orEmpty(d), r.server.Version.Version)
			}
		case "cursor":
			hasCursor = true
			err = r.parseCursor(&a, v)
		case "collation":
			a.collation, ok = v.Document()
			err = expect(ok, name, v, "object")
		case "hint":
			a.hint = v
			switch v.Type {
			case bson.TypeString, bson.TypeEmbeddedDocument:
			default:
				err = errorf(codeFailedToParse, "hint must be specified as a string representing an index name, or an object representing an index's key pattern")
			}
		case "explain":
			a.explain, ok = v.Bool()
			err = expect(ok, name, v, "bool")
		case "allowDiskUse":
			_, ok = v.Bool()
			err = expect(ok, name, v, "bool")
		case "comment":
			if !r.atLeast(4, 4) {
				_, ok = v.Str()
				err = expect(ok, name, v, "string")
			}
		case "bypassDocumentValidation":
			if r.atLeast(5, 0) {
				err = aggregateSchema.check(name, v, truth)
			}
		default:
			if !r.server.Version.generic(name) {
				if r.atLeast(5, 0) {
					err = errorf(codeUnknownField, "BSON field 'aggregate.%s' is an unknown field.", name)
				} else {
					err = errorf(codeFailedToParse, "unrecognized field '%s'", name)
				}
			}
		}
		if err != nil {
			return a, err
		}
	}
	switch {
	case !hasCursor && !a.explain:
		return a, errorf(codeFailedToParse, "The 'cursor' option is required, except for aggregate with the explain argument")
	case a.ns.Collection == "" && len(a.stages) == 0 && !r.routes():
		return a, errorf(codeInvalidNamespace, "{aggregate: 1} is not valid for an empty pipeline.")
	}
	return a, nil
}

var aggregateSchema = newSchema("aggregate")

func expect(ok bool, name string, v bson.RawValue, want string) error {
	if ok {
		return nil
	}
	return errorf(codeTypeMismatch, "%s must be a %s, not a %s", name, want, query.TypeName(v.Type))
}

func (r *request) parseCursor(a *aggregateCommand, v bson.RawValue) error {
	d, ok := v.Document()
	if !ok {
		return errorf(codeTypeMismatch, "cursor field must be missing or an object")
	}
	for name, v := range d.All() {
		switch {
		case name != "batchSize":
			return errorf(codeFailedToParse, "unrecognized field '%s' in cursor options", name)
		case !v.IsNumber():
			return errorf(codeTypeMismatch, "cursor.batchSize must be a number")
		}
		if a.batchSize = whole(v); a.batchSize < 0 {
			return r.tooSmall("batchSize", a.batchSize, 0, errorf(codeBadValue, "cursor.batchSize must not be negative"))
		}
	}
	return nil
}

// aggregate runs a pipeline.
func aggregate(r *request) (*doc, error) {
	a, err := r.parseAggregate()
	if err != nil {
		return nil, err
	}
	if len(a.stages) > 0 && !a.stages[0].Lookup("$changeStream").IsZero() {
		return r.openChangeStream(a)
	}
	s, err := r.source(a.ns, a.collation)
	if err != nil {
		return nil, err
	}
	below := resolved{ns: a.ns, collation: s.collation}
	if s.view != nil {
		state, err := s.state()
		if err != nil {
			return nil, err
		}
		if below, err = resolve(state, a.ns); err != nil {
			return nil, err
		}
		if s.explicit && !query.SameCollation(s.collation, below.collation) {
			return nil, errorf(codeOptionNotOnView, "Cannot override a view's default collation")
		}
	}
	stages := append(below.stages, a.stages...)
	if err := r.checkStages(a, stages); err != nil {
		return nil, err
	}
	next, err := r.pipeHinted(below, s.state, stages, a.hint)
	if err != nil {
		return nil, err
	}
	if a.explain {
		return r.explained(below.ns), nil
	}
	name := a.name()
	if s.view != nil {
		name = r.viewCursor(a.ns, s)
	}
	reply, _, err := r.firstBatch(name, results{next: next}, a.batchSize, false)
	return reply, err
}

// checkStages refuses what a transaction or a read concern does not allow.
func (r *request) checkStages(a aggregateCommand, stages []bson.Raw) error {
	for _, stage := range stages {
		for name := range stage.Keys() {
			switch {
			case (name == "$out" || name == "$merge") && r.read.level == "linearizable":
				return errorf(codeInvalidOptions, "Command aggregate does not support %s :: caused by :: %s cannot be used with a 'linearizable' read concern level", r.read, name)
			case (name == "$out" || name == "$merge") && r.txn.inTxn:
				return errorf(codeNotSupportedInTxn, "%s cannot be used in a transaction", name)
			case (name == "$out" || name == "$merge") && !r.isPrimary() && !r.atLeast(5, 0):
				return r.writeOnSecondary()
			case r.txn.inTxn && notInTxn[name]:
				return errorf(codeNotSupportedInTxn, "Stage not supported inside of a multi-document transaction: %s", name)
			}
		}
	}
	if r.txn.inTxn && a.explain {
		return errorf(codeNotSupportedInTxn, "Operation not permitted in transaction :: caused by :: Explain for the aggregate command cannot run within a multi-document transaction")
	}
	return nil
}

var notInTxn = map[string]bool{
	"$collStats": true, "$indexStats": true, "$planCacheStats": true, "$currentOp": true, "$listLocalSessions": true,
	"$listSessions": true, "$unionWith": true,
}

// writeOnSecondary is the error of $out and $merge on a secondary that cannot
// reach a primary.
func (r *request) writeOnSecondary() error {
	if r.server.Member.Status().Primary != nil {
		return nil
	}
	return errorf(codePrimarySteppedDown, "No primary exists currently")
}

// pipe runs stages on a collection.
func (r *request) pipe(on resolved, state func() (*storage.State, error), stages []bson.Raw) (query.Iterator, error) {
	return r.pipeHinted(on, state, stages, bson.RawValue{})
}

func (r *request) pipeHinted(on resolved, state func() (*storage.State, error), stages []bson.Raw, index bson.RawValue) (query.Iterator, error) {
	env := r.env(on.ns, on.collation)
	env.Collections = r.collections(state)
	pipeline, err := query.ParsePipeline(stages, env)
	if err != nil {
		return nil, err
	}
	if name, spec := pipeline.Initial(); name != "" {
		source, err := r.generate(on.ns, state, name, spec)
		if err != nil {
			return nil, err
		}
		return pipeline.Run(source), nil
	}
	if on.ns.Collection == "" && pipeline.Stages()[0] != "$documents" {
		return nil, errorf(codeInvalidNamespace, "{aggregate: 1} is not valid for '%s'; a collection is required.", pipeline.Stages()[0])
	}
	s, err := state()
	if err != nil {
		return nil, err
	}
	c := r.server.find(s, on.ns)
	hint, err := parseHint(c, index)
	if err != nil {
		return nil, err
	}
	match, err := query.ParseFilter(firstMatch(stages), env)
	if err != nil {
		return nil, err
	}
	sc, _ := plan(c, match, nil, on.collation, hint)
	return pipeline.Run(func() (bson.Raw, error) {
		rec, _ := sc.next()
		return rec.doc, nil
	}), nil
}

// firstMatch is the filter that a pipeline begins with, if it does: it may save
// looking at all documents.
func firstMatch(stages []bson.Raw) bson.Raw {
	if len(stages) == 0 {
		return nil
	}
	d, _ := stages[0].Lookup("$match").Document()
	return d
}

// collections lets a pipeline read and write other collections.
func (r *request) collections(state func() (*storage.State, error)) query.Collections {
	return query.Collections{
		Scan: func(db, collection string) (query.Iterator, error) {
			ns := storage.Namespace{DB: db, Collection: collection}
			if err := r.use(ns); err != nil {
				return nil, err
			}
			s, err := state()
			if err != nil {
				return nil, err
			}
			below, err := resolve(s, ns)
			if err != nil {
				return nil, err
			}
			return r.pipe(below, state, below.stages)
		},
		Generate: func(db, collection, stage string, spec bson.RawValue) (query.Iterator, error) {
			return r.generate(storage.Namespace{DB: db, Collection: collection}, state, stage, spec)
		},
		Replace:        r.replaceCollection,
		HasUniqueIndex: r.hasUniqueIndex,
		Insert:         r.mergeInsert,
		Update:         r.mergeUpdate,
	}
}

// explained is what explain says of a query. It tells no plan.
func (r *request) explained(ns storage.Namespace) *doc {
	return newDoc().embed("queryPlanner", func(d *doc) {
		d.int32("plannerVersion", 1).str("namespace", ns.String()).bool("indexFilterSet", false)
		d.embed("winningPlan", func(d *doc) { d.str("stage", "COLLSCAN").str("direction", "forward") })
		d.docs("rejectedPlans", nil)
	})
}
