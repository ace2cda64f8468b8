package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// collMod changes the options of a collection, an index or a view.
func collMod(r *request) (*doc, error) {
	ns, err := r.collection()
	if err != nil {
		return nil, err
	}
	first := true
	for name := range r.body.Keys() {
		switch name {
		case "validator", "validationLevel", "validationAction", "index", "viewOn", "pipeline", "recordPreImages":
		case "changeStreamPreAndPostImages", "expireAfterSeconds", "cappedSize", "cappedMax", "timeseries", "dryRun":
			if !r.atLeast(6, 0) {
				return nil, errorf(codeInvalidOptions, "unknown option to collMod: %s", name)
			}
		default:
			if !first && !r.server.Version.generic(name) {
				return nil, errorf(codeInvalidOptions, "unknown option to collMod: %s", name)
			}
		}
		first = false
	}
	reply := newDoc()
	err = r.transact(func(tx *storage.Tx) error {
		reply = newDoc()
		c := tx.State().Collection(ns)
		if c == nil {
			return r.modifyView(tx, ns)
		}
		if !r.field("viewOn").IsZero() || !r.field("pipeline").IsZero() {
			return errorf(codeInvalidOptions, "'viewOn' option only supported on a view")
		}
		return r.modify(tx, c, reply)
	})
	return reply, err
}

func (r *request) modify(tx *storage.Tx, c *storage.Collection, reply *doc) error {
	o := *c.Options
	set := newDoc()
	if v := r.field("recordPreImages"); !v.IsZero() {
		if err := r.checkPreImages(); err != nil {
			return err
		}
		o.PreImages = v.Truthy()
		set.bool("recordPreImages", o.PreImages)
	}
	if d := r.object("changeStreamPreAndPostImages"); d != nil {
		o.PreImages = d.Lookup("enabled").Truthy()
		set.doc("changeStreamPreAndPostImages", d)
	}
	if d := r.object("validator"); d != nil {
		validator, err := query.ParseValidator(d, r.env(c.NS, o.Collation))
		if err != nil {
			return err
		}
		if o.Validator = validator; d.Len() == 0 {
			o.Validator = nil
		}
		set.doc("validator", d)
	}
	if err := setValidation(&o, r, set); err != nil {
		return err
	}
	o.Spec = inOptionOrder(overlay(c.Options.Spec, set.raw()))
	op := &storage.Op{Kind: storage.Modify, NS: c.NS, UUID: c.UUID, Options: &o, Stmt: storage.NoStmt, Object: newDoc().str("collMod", c.NS.Collection).fields(set.raw()).raw()}
	if d := r.object("index"); d != nil {
		ix, err := r.modifyIndex(c, d, reply)
		if err != nil {
			return err
		}
		op.Indexes = []*storage.Index{ix}
	}
	return tx.Do(op)
}

// overlay is a document with some fields replaced, and new ones at the end.
func overlay(d, set bson.Raw) bson.Raw {
	out := newDoc()
	for name, v := range d.All() {
		if n := set.Lookup(name); !n.IsZero() {
			v = n
		}
		out.value(name, v)
	}
	for name, v := range set.All() {
		if d.Lookup(name).IsZero() {
			out.value(name, v)
		}
	}
	return out.raw()
}

func (r *request) modifyIndex(c *storage.Collection, d bson.Raw, reply *doc) (*storage.Index, error) {
	var found *storage.Index
	if name, ok := d.Lookup("name").Str(); ok {
		if found = c.Index(name); found == nil {
			return nil, errorf(codeIndexNotFound, "cannot find index %s for ns %s", name, c.NS)
		}
	} else if key, ok := d.Lookup("keyPattern").Document(); ok {
		for _, ix := range c.Indexes {
			if query.CompareDocuments(ix.Key, key, nil) == 0 {
				found = ix
			}
		}
		if found == nil {
			return nil, errorf(codeIndexNotFound, "cannot find index %s for ns %s", query.FormatDocument(key), c.NS)
		}
	} else {
		return nil, errorf(codeInvalidOptions, "must specify either index name or key pattern")
	}
	ix := *found
	set := newDoc()
	if v := d.Lookup("expireAfterSeconds"); v.IsNumber() {
		if ix.ExpireAfter >= 0 {
			reply.number("expireAfterSeconds_old", ix.ExpireAfter)
		}
		ix.ExpireAfter = whole(v)
		reply.number("expireAfterSeconds_new", ix.ExpireAfter)
		set.int64("expireAfterSeconds", ix.ExpireAfter)
	}
	if v := d.Lookup("hidden"); !v.IsZero() {
		reply.bool("hidden_old", ix.Hidden)
		ix.Hidden = v.Truthy()
		reply.bool("hidden_new", ix.Hidden)
		set.bool("hidden", ix.Hidden)
	}
	if v := d.Lookup("prepareUnique"); !v.IsZero() && r.atLeast(6, 0) {
		reply.bool("prepareUnique_old", ix.PrepareUnique)
		ix.PrepareUnique = v.Truthy()
		reply.bool("prepareUnique_new", ix.PrepareUnique)
		set.bool("prepareUnique", ix.PrepareUnique)
	}
	if d.Lookup("unique").Truthy() && r.atLeast(6, 0) && !ix.Unique {
		if err := checkUnique(c, found); err != nil {
			return nil, err
		}
		ix.Unique, ix.PrepareUnique = true, false
		set.bool("unique", true)
		reply.bool("unique_new", true)
	}
	ix.Spec = overlay(ix.Spec, set.raw())
	return &ix, nil
}

// checkUnique refuses to make an index unique that has a key twice, or that has
// not been prepared.
func checkUnique(c *storage.Collection, ix *storage.Index) error {
	if !ix.PrepareUnique {
		return errorf(codeInvalidOptions, "Cannot make index unique with 'prepareUnique=false'. Run collMod to set it first.")
	}
	doubles := ix.Doubles()
	if len(doubles) == 0 {
		return nil
	}
	var violations []bson.Raw
	for _, group := range doubles {
		var ids []bson.RawValue
		for _, id := range group {
			d, _ := c.Get(id)
			ids = append(ids, d.Lookup("_id"))
		}
		violations = append(violations, newDoc().values("ids", ids).raw())
	}
	e := errorf(359, "Cannot convert the index to unique. Please resolve conflicting documents before running collMod again.")
	e.More = newDoc().docs("violations", violations)
	return e
}

func (r *request) modifyView(tx *storage.Tx, ns storage.Namespace) error {
	view, ok := tx.State().View(ns)
	if !ok {
		return errorf(codeNamespaceNotFound, "ns does not exist")
	}
	on, pipeline := r.field("viewOn"), r.field("pipeline")
	if on.IsZero() != pipeline.IsZero() {
		return errorf(codeInvalidOptions, "Must specify both 'viewOn' and 'pipeline' when modifying a view")
	}
	name, _ := on.Str()
	stages := documents(pipeline)
	spec, _ := view.Lookup("collation").Document()
	collation, err := query.ParseCollation(spec)
	if err != nil {
		return err
	}
	if err := r.checkView(tx.State(), ns, storage.Namespace{DB: ns.DB, Collection: name}, stages, collation); err != nil {
		return err
	}
	set := newDoc().str("viewOn", name).docs("pipeline", stages).raw()
	return r.writeView(tx, overlay(view, set))
}

// setValidation reads validationLevel and validationAction. They are listed
// where there is a validator.
func setValidation(o *storage.Options, r *request, spec *doc) error {
	level, hasLevel := r.field("validationLevel").Str()
	action, hasAction := r.field("validationAction").Str()
	switch {
	case hasLevel && level != "off" && level != "strict" && level != "moderate":
		return errorf(codeBadValue, "invalid validation level: %s", level)
	case hasAction && action != "error" && action != "warn":
		return errorf(codeBadValue, "invalid validation action: %s", action)
	}
	if hasLevel {
		o.ValidationLevel = level
	}
	if hasAction {
		o.ValidationAction = action
	}
	if hasLevel || hasAction || o.Validator != nil {
		spec.str("validationLevel", o.ValidationLevel).str("validationAction", o.ValidationAction)
	}
	return nil
}

// optionOrder is the order in which the options of a collection are listed.
var optionOrder = []string{
	"capped", "size", "max", "recordPreImages", "changeStreamPreAndPostImages", "timeseries", "clusteredIndex",
	"expireAfterSeconds", "encryptedFields", "storageEngine", "validator", "validationLevel", "validationAction",
	"indexOptionDefaults", "collation",
}

func inOptionOrder(options bson.Raw) bson.Raw {
	d := newDoc()
	for _, name := range optionOrder {
		if v := options.Lookup(name); !v.IsZero() {
			d.value(name, v)
		}
	}
	return d.raw()
}
