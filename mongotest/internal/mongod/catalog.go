package mongod

import (
	"strings"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

var createSchema = newSchema("create",
	field{name: "capped", fieldType: truth}, field{name: "autoIndexId", fieldType: truth}, field{name: "idIndex", fieldType: object}, field{name: "size", fieldType: number}, field{name: "max", fieldType: number},
	field{name: "storageEngine", fieldType: object}, field{name: "validator", fieldType: object}, field{name: "validationLevel", fieldType: text}, field{name: "validationAction", fieldType: text},
	field{name: "indexOptionDefaults", fieldType: object}, field{name: "viewOn", fieldType: text}, field{name: "pipeline", fieldType: objects}, field{name: "collation", fieldType: object},
	field{name: "recordPreImages", fieldType: truth}, field{name: "temp", fieldType: truth}, field{name: "flags", fieldType: anything},
	fieldSince(5, 0, "timeseries", object), fieldSince(5, 3, "clusteredIndex", anything), fieldSince(5, 0, "expireAfterSeconds", anything),
	fieldSince(6, 0, "changeStreamPreAndPostImages", object), fieldSince(6, 0, "encryptedFields", object))

var timeseriesSchema = newSchema("create.timeseries",
	field{name: "timeField", fieldType: text | required}, field{name: "metaField", fieldType: text}, field{name: "granularity", fieldType: text},
	field{name: "bucketMaxSpanSeconds", fieldType: number}, field{name: "bucketRoundingSeconds", fieldType: number})

// create makes a collection or a view.
func create(r *request) (*doc, error) {
	ns, err := r.collection()
	if err != nil {
		return nil, err
	}
	if err := createSchema.command(r); err != nil {
		return nil, err
	}
	if err := r.checkCreate(ns); err != nil {
		return nil, err
	}
	if v := r.field("viewOn"); !v.IsZero() {
		return r.createView(ns)
	}
	options, err := r.parseOptions(ns)
	if err != nil {
		return nil, err
	}
	err = r.transact(func(tx *storage.Tx) error {
		if err := r.checkNew(tx, ns); err != nil {
			return err
		}
		return tx.Do(r.createOp(ns, options))
	})
	return newDoc(), err
}

// checkNew refuses a name that is taken.
func (r *request) checkNew(tx *storage.Tx, ns storage.Namespace) error {
	if err := useIn(tx, ns); err != nil {
		return err
	}
	state := tx.State()
	if state.Collection(ns) != nil {
		return errorf(codeNamespaceExists, "Collection already exists. NS: %s", ns)
	}
	if _, view := state.View(ns); view {
		return errorf(codeNamespaceExists, "A view already exists. NS: %s", ns)
	}
	return checkDatabaseCase(state, ns.DB)
}

func (r *request) checkCreate(ns storage.Namespace) error {
	capped := r.field("capped").Truthy()
	size, maxDocs := r.field("size"), r.field("max")
	auto := r.field("autoIndexId")
	switch {
	case r.atLeast(4, 4) && len(ns.String()) > maxNamespace:
		return r.errTooLong(ns, 4862100)
	case capped && size.IsZero():
		return errorf(codeInvalidOptions, "the 'size' field is required when 'capped' is true")
	case !capped && (!size.IsZero() || !maxDocs.IsZero()):
		return errorf(codeInvalidOptions, "the 'capped' field needs to be true when either the 'size' or 'max' fields are present")
	case r.atLeast(5, 0) && !size.IsZero() && whole(size) < 1, whole(size) < 0:
		return r.tooSmall("size", whole(size), 1, errorf(codeBadValue, "size has to be >= 0"))
	case !r.field("temp").IsZero():
		return errorf(codeInvalidOptions, "the 'temp' field is an invalid option")
	case !auto.IsZero() && !auto.Truthy() && r.replicated():
		return errorf(50001, "autoIndexId:false is not allowed for collection %s because it can be replicated", ns)
	}
	if err := r.checkLength(ns); err != nil {
		return err
	}
	return r.checkCreatable(ns)
}

// parseOptions reads the options of a new collection.
func (r *request) parseOptions(ns storage.Namespace) (*storage.Options, error) {
	o := newOptions()
	spec := newDoc()
	if v := r.field("capped"); v.Truthy() {
		o.Capped = true
		o.Size = max(4096, (whole(r.field("size"))+255)/256*256)
		o.Max = whole(r.field("max"))
		spec.bool("capped", true).number("size", o.Size)
		if o.Max > 0 {
			spec.number("max", o.Max)
		}
	}
	for _, name := range []string{"recordPreImages", "changeStreamPreAndPostImages", "storageEngine", "indexOptionDefaults", "clusteredIndex", "timeseries", "expireAfterSeconds", "encryptedFields"} {
		v := r.field(name)
		if v.IsZero() {
			continue
		}
		switch name {
		case "clusteredIndex":
			clustered, err := parseClustered(v)
			if err != nil {
				return nil, err
			}
			spec.doc(name, clustered)
			continue
		case "recordPreImages":
			if err := r.checkPreImages(); err != nil {
				return nil, err
			}
			o.PreImages = v.Truthy()
		case "changeStreamPreAndPostImages":
			o.PreImages = bson.Raw(v.Value).Lookup("enabled").Truthy()
		case "timeseries":
			o.Type = "timeseries"
			if err := timeseriesSchema.document(v.Value, r.server.Version.Version); err != nil {
				return nil, err
			}
		}
		spec.value(name, v)
	}
	if d := r.object("validator"); d != nil {
		validator, err := query.ParseValidator(d, r.env(ns, nil))
		if err != nil {
			return nil, err
		}
		o.Validator = validator
		spec.doc("validator", d)
	}
	if err := setValidation(o, r, spec); err != nil {
		return nil, err
	}
	if d := r.object("collation"); d != nil {
		c, err := query.ParseCollation(d)
		if err != nil {
			return nil, err
		}
		if o.Collation = c; c != nil {
			spec.doc("collation", c.Document())
		}
	}
	o.Spec = inOptionOrder(spec.raw())
	return o, nil
}

// checkPreImages refuses the old option of that name in a sharded cluster.
func (r *request) checkPreImages() error {
	if r.server.Cluster == nil {
		return nil
	}
	return errorf(codeInvalidOptions, "recordPreImages collection option is not supported on shards or config servers")
}

// parseClustered reads the option clusteredIndex, and gives it as it is listed.
func parseClustered(v bson.RawValue) (bson.Raw, error) {
	d, ok := v.Document()
	if !ok {
		return nil, errorf(codeTypeMismatch, "BSON field 'create.clusteredIndex' is the wrong type '%s', expected type 'object'", query.TypeName(v.Type))
	}
	key, _ := d.Lookup("key").Document()
	switch {
	case firstKey(key) != "_id" || key.Len() != 1 || whole(key.Lookup("_id")) != 1:
		return nil, errorf(197, "The clusteredIndex option is only supported for key: {_id: 1}")
	case !d.Lookup("unique").Truthy():
		return nil, errorf(codeBadValue, "The clusteredIndex option requires unique: true to be specified")
	}
	name, ok := d.Lookup("name").Str()
	if !ok {
		name = "_id_"
	}
	return newDoc().int32("v", 2).doc("key", key).str("name", name).bool("unique", true).raw(), nil
}

// createView defines a view: a document in system.views.
func (r *request) createView(ns storage.Namespace) (*doc, error) {
	on, _ := r.field("viewOn").Str()
	if on == "" {
		return nil, errorf(codeBadValue, "'viewOn' cannot be empty.'")
	}
	collation, err := query.ParseCollation(r.object("collation"))
	if err != nil {
		return nil, err
	}
	stages := documents(r.field("pipeline"))
	err = r.transact(func(tx *storage.Tx) error {
		state := tx.State()
		if state.Collection(ns) != nil {
			return errorf(17399, "Cannot create collection %s - collection already exists.", ns)
		}
		if _, view := state.View(ns); view {
			return errorf(codeNamespaceExists, "Namespace already exists")
		}
		if err := r.checkView(state, ns, storage.Namespace{DB: r.db, Collection: on}, stages, collation); err != nil {
			return err
		}
		d := newDoc().str("_id", ns.String()).str("viewOn", on).docs("pipeline", stages)
		if collation != nil {
			d.doc("collation", collation.Document())
		}
		return r.writeView(tx, d.raw())
	})
	return newDoc(), err
}

// checkView refuses a view whose stages are wrong, or that stands on itself.
func (r *request) checkView(state *storage.State, ns, on storage.Namespace, stages []bson.Raw, collation *query.Collation) error {
	env := r.env(ns, collation)
	env.Collections = r.collections(func() (*storage.State, error) { return state, nil })
	for _, stage := range stages {
		for name := range stage.Keys() {
			if name == "$out" || name == "$merge" || name == "$changeStream" {
				return errorf(167, "%s is not allowed in a view definition", name)
			}
		}
	}
	if _, err := query.ParsePipeline(stages, env); err != nil {
		return err
	}
	path := ns.String()
	for at := on; ; {
		path += " => " + at.String()
		if at == ns {
			return errorf(codeGraphContainsCycle, "View cycle detected: %s => %s", ns, path)
		}
		view, ok := state.View(at)
		if !ok {
			return nil
		}
		spec, _ := view.Lookup("collation").Document()
		below, err := query.ParseCollation(spec)
		if err != nil {
			return err
		}
		if !query.SameCollation(below, collation) {
			return errorf(codeOptionNotOnView, "View %s has conflicting collation with view %s", ns, at)
		}
		next, _ := view.Lookup("viewOn").Str()
		at = storage.Namespace{DB: ns.DB, Collection: next}
	}
}

// writeView puts a definition into system.views.
func (r *request) writeView(tx *storage.Tx, definition bson.Raw) error {
	views := storage.Namespace{DB: r.db, Collection: "system.views"}
	c := tx.State().Collection(views)
	if c == nil {
		if err := tx.Do(r.createOp(views, newOptions())); err != nil {
			return err
		}
		c = tx.State().Collection(views)
	}
	op := &storage.Op{Kind: storage.Insert, NS: views, UUID: c.UUID, After: definition, Stmt: storage.NoStmt}
	if id, found := c.ByID(definition.Lookup("_id")); found {
		op.Kind, op.Record = storage.Replace, id
		op.Before, _ = c.Get(id)
	}
	return tx.Do(op)
}

// dropView removes a definition, and reports whether there was one.
func (r *request) dropView(tx *storage.Tx, ns storage.Namespace) (bool, error) {
	views := tx.State().Collection(storage.Namespace{DB: ns.DB, Collection: "system.views"})
	if views == nil {
		return false, nil
	}
	id, found := views.ByID(stringValue(ns.String()))
	if !found {
		return false, nil
	}
	before, _ := views.Get(id)
	return true, tx.Do(&storage.Op{Kind: storage.Delete, NS: views.NS, UUID: views.UUID, Record: id, Before: before, Stmt: storage.NoStmt})
}

var dropSchema = schemaSince5("drop", field{name: "collectionUUID", fieldType: anything})

// drop removes a collection or view.
func drop(r *request) (*doc, error) {
	v := r.first()
	if v.Type != bson.TypeString {
		return nil, errorf(codeInvalidNamespace, "collection name has invalid type %s", query.TypeName(v.Type))
	}
	ns, err := r.collection()
	if err != nil {
		return nil, err
	}
	if ns.DB == "local" && ns.Collection == "oplog.rs" {
		return nil, errorf(codeIllegalOperation, "can't drop live oplog while replicating")
	}
	reply := newDoc()
	err = r.transact(func(tx *storage.Tx) error {
		c := tx.State().Collection(ns)
		if c == nil {
			view, err := r.dropView(tx, ns)
			if err == nil && !view {
				if r.atLeast(7, 0) {
					return nil
				}
				return errorf(codeNamespaceNotFound, "ns not found")
			}
			reply = newDoc().str("ns", ns.String())
			return err
		}
		reply = newDoc().int32("nIndexesWas", int32(len(c.Indexes))).str("ns", ns.String())
		return tx.Do(dropOp(c))
	})
	return reply, err
}

func dropOp(c *storage.Collection) *storage.Op {
	return &storage.Op{Kind: storage.Drop, NS: c.NS, UUID: c.UUID, Stmt: storage.NoStmt, Object: newDoc().str("drop", c.NS.Collection).raw()}
}

// dropDatabase removes all collections of a database.
func dropDatabase(r *request) (*doc, error) {
	if v := r.first(); !v.IsNumber() || whole(v) != 1 {
		return nil, errorf(codeIllegalOperation, "have to pass 1 as db parameter")
	}
	switch r.db {
	case "admin":
		return nil, errorf(codeIllegalOperation, "Dropping the 'admin' database is prohibited.")
	case "local":
		if r.replicated() {
			return nil, errorf(codeIllegalOperation, "Cannot drop 'local' database while replication is active")
		}
	}
	reply := newDoc()
	err := r.transact(func(tx *storage.Tx) error {
		reply = newDoc()
		found := false
		for c := range tx.State().Collections(r.db) {
			found = true
			if err := tx.Do(dropOp(c)); err != nil {
				return err
			}
		}
		if !found {
			return nil
		}
		reply.str("dropped", r.db)
		return tx.Do(&storage.Op{
			Kind: storage.DropDatabase, NS: storage.Namespace{DB: r.db}, Stmt: storage.NoStmt, Object: newDoc().int32("dropDatabase", 1).raw(),
		})
	})
	return reply, err
}

// renameCollection gives a collection another name, in another database too.
func renameCollection(r *request) (*doc, error) {
	from, to, err := r.parseRename()
	if err != nil {
		return nil, err
	}
	dropTarget := r.field("dropTarget").Truthy()
	err = r.transact(func(tx *storage.Tx) error {
		state := tx.State()
		c := state.Collection(from)
		if c == nil {
			if _, view := state.View(from); view {
				return errorf(codeNotSupportedOnView, "cannot rename view: %s", from)
			}
			return errorf(codeNamespaceNotFound, "Source collection %s does not exist", from)
		}
		if _, view := state.View(to); view {
			return errorf(codeNamespaceExists, "a view already exists with that name: %s", to)
		}
		op := &storage.Op{Kind: storage.Rename, NS: from, To: to, UUID: c.UUID, Stmt: storage.NoStmt}
		object := newDoc().str("renameCollection", from.String()).str("to", to.String())
		if target := state.Collection(to); target != nil {
			switch {
			case !dropTarget:
				return errorf(codeNamespaceExists, "target namespace exists")
			case from == to:
				return errorf(codeIllegalOperation, "Can't rename a collection to itself")
			}
			op.Dropped = target.UUID
			object.binary("dropTarget", target.UUID.Binary())
		}
		op.Object = object.raw()
		return tx.Do(op)
	})
	return newDoc(), err
}

func (r *request) parseRename() (from, to storage.Namespace, err error) {
	v := r.first()
	name, ok := v.Str()
	if !ok || v.Type != bson.TypeString {
		return from, to, errorf(codeBadValue, "collection name has invalid type %s", query.TypeName(v.Type))
	}
	if from = storage.ParseNamespace(name); from.Collection == "" {
		return from, to, errorf(codeInvalidNamespace, "Invalid namespace specified '%s'", name)
	}
	v = r.field("to")
	if v.IsZero() {
		return from, to, errorf(codeMissingField, "BSON field 'renameCollection.to' is missing but a required field")
	}
	if name, ok = v.Str(); !ok {
		return from, to, newSchema("renameCollection").wrongType("to", v, "string")
	}
	to = storage.ParseNamespace(name)
	switch {
	case checkDatabase(to.DB) != nil || r.checkCollection(to) != nil:
		return from, to, errorf(codeInvalidNamespace, "Invalid target namespace: %s", name)
	case strings.HasPrefix(to.Collection, "system."):
		return from, to, errorf(codeIllegalOperation, "error with target namespace: cannot write to '%s'", to)
	case strings.Contains(to.Collection, "$"):
		return from, to, errorf(codeIllegalOperation, "error with target namespace: invalid collection name")
	case len(to.String()) > maxNamespace:
		e := asError(r.errTooLong(to, codeInvalidNamespace))
		return from, to, errorf(e.Code, "error with target namespace: %s", e.Message)
	}
	if err := r.checkLength(to); err != nil {
		return from, to, err
	}
	return from, to, nil
}

// emptyCapped removes all documents of a collection.
func emptyCapped(r *request) (*doc, error) {
	ns, err := r.collection()
	if err != nil {
		return nil, err
	}
	err = r.transact(func(tx *storage.Tx) error {
		c := tx.State().Collection(ns)
		if c == nil {
			return errorf(codeNamespaceNotFound, "emptycapped not supported on view or missing collection: %s", ns)
		}
		return tx.Do(&storage.Op{Kind: storage.Truncate, NS: ns, UUID: c.UUID, Stmt: storage.NoStmt, Object: newDoc().str("emptycapped", ns.Collection).raw()})
	})
	return newDoc(), err
}

// convertToCapped makes a collection a capped one.
func convertToCapped(r *request) (*doc, error) {
	ns, err := r.collection()
	if err != nil {
		return nil, err
	}
	size := whole(r.field("size"))
	if size <= 0 {
		return nil, errorf(codeInvalidOptions, "Capped collection size must be greater than zero")
	}
	err = r.transact(func(tx *storage.Tx) error {
		c := tx.State().Collection(ns)
		if c == nil {
			return errorf(codeNamespaceNotFound, "source collection %s does not exist", ns)
		}
		o := *c.Options
		o.Capped, o.Size = true, max(4096, (size+255)/256*256)
		spec := newDoc().bool("capped", true).number("size", o.Size)
		o.Spec = spec.fields(o.Spec).raw()
		temp := storage.Namespace{DB: ns.DB, Collection: "tmp.convertToCapped." + c.UUID.String()}
		create := r.createOp(temp, &o)
		if err := tx.Do(create); err != nil {
			return err
		}
		var failed error
		c.Scan(0, false, func(_ storage.RecordID, d bson.Raw) bool {
			failed = tx.Do(&storage.Op{Kind: storage.Insert, NS: temp, UUID: create.UUID, After: d, Stmt: storage.NoStmt})
			return failed == nil
		})
		if failed != nil {
			return failed
		}
		return tx.Do(&storage.Op{Kind: storage.Rename, NS: temp, To: ns, UUID: create.UUID, Dropped: c.UUID, Stmt: storage.NoStmt, Object: newDoc().raw()})
	})
	return newDoc(), err
}
