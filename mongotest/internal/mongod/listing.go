package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

var listCollectionsSchema = schemaSince5("listCollections",
	field{name: "cursor", fieldType: object}, field{name: "filter", fieldType: object}, field{name: "nameOnly", fieldType: truth},
	field{name: "authorizedCollections", fieldType: truth}, field{name: "includePendingDrops", fieldType: truth})

// listCollections lists the collections and views of a database.
func listCollections(r *request) (*doc, error) {
	var filter *query.Filter
	if v := r.field("filter"); !v.IsZero() {
		d, ok := v.Document()
		if !ok {
			return nil, errorf(codeTypeMismatch, "\"filter\" had the wrong type. Expected object, found %s", query.TypeName(v.Type))
		}
		var err error
		if filter, err = query.ParseFilter(d, r.env(storage.Namespace{DB: r.db}, nil)); err != nil {
			return nil, err
		}
	}
	nameOnly := r.field("nameOnly").Truthy()
	var list []bson.Raw
	add := func(d bson.Raw) error {
		if filter != nil {
			if ok, err := filter.Match(d); !ok || err != nil {
				return err
			}
		}
		if nameOnly {
			d = newDoc().value("name", d.Lookup("name")).value("type", d.Lookup("type")).raw()
		}
		list = append(list, d)
		return nil
	}
	state := r.server.Engine.State()
	for c := range state.Collections(r.db) {
		if err := add(r.collectionInfo(c)); err != nil {
			return nil, err
		}
	}
	if views := state.Collection(storage.Namespace{DB: r.db, Collection: "system.views"}); views != nil {
		var failed error
		views.Scan(0, false, func(_ storage.RecordID, d bson.Raw) bool {
			failed = add(viewInfo(d))
			return failed == nil
		})
		if failed != nil {
			return nil, failed
		}
	}
	return r.listCursor(r.db+".$cmd.listCollections", list)
}

func (r *request) collectionInfo(c *storage.Collection) bson.Raw {
	kind := c.Options.Type
	if kind == "" {
		kind = "collection"
	}
	d := newDoc().str("name", c.NS.Collection).str("type", kind).doc("options", c.Options.Spec)
	d.embed("info", func(d *doc) { d.bool("readOnly", !r.isPrimary()).binary("uuid", c.UUID.Binary()) })
	if len(c.Indexes) > 0 && c.Options.Spec.Lookup("clusteredIndex").IsZero() {
		d.doc("idIndex", c.Indexes[0].Spec)
	}
	return d.raw()
}

func viewInfo(view bson.Raw) bson.Raw {
	id, _ := view.Lookup("_id").Str()
	options := newDoc()
	for name, v := range view.All() {
		if name != "_id" {
			options.value(name, v)
		}
	}
	d := newDoc().str("name", storage.ParseNamespace(id).Collection).str("type", "view").doc("options", options.raw())
	return d.embed("info", func(d *doc) { d.bool("readOnly", true) }).raw()
}

var listIndexesSchema = schemaSince5("listIndexes",
	field{name: "cursor", fieldType: object}, field{name: "includeBuildUUIDs", fieldType: truth}, field{name: "includeIndexBuildInfo", fieldType: truth},
	field{name: "isTimeseriesNamespace", fieldType: truth}, field{name: "collectionUUID", fieldType: anything})

// listIndexes lists the indexes of a collection.
func listIndexes(r *request) (*doc, error) {
	ns, err := r.collection()
	if err != nil {
		return nil, err
	}
	if err := r.checkReadable(ns); err != nil {
		return nil, err
	}
	state := r.server.Engine.State()
	c := state.Collection(ns)
	if c == nil {
		if _, view := state.View(ns); view {
			return nil, errorf(codeNotSupportedOnView, "Namespace %s is a view, not a collection", ns)
		}
		return nil, errorf(codeNamespaceNotFound, "ns does not exist: %s", ns)
	}
	var list []bson.Raw
	for _, ix := range c.Indexes {
		list = append(list, ix.Spec)
	}
	return r.listCursor(ns.String(), list)
}

var listDatabasesSchema = newSchema("listDatabases",
	field{name: "filter", fieldType: object}, field{name: "nameOnly", fieldType: truth}, field{name: "authorizedDatabases", fieldType: truth})

// listDatabases lists the databases of the server.
func listDatabases(r *request) (*doc, error) {
	var filter *query.Filter
	if d := r.object("filter"); d != nil {
		var err error
		if filter, err = query.ParseFilter(d, r.env(storage.Namespace{DB: "admin"}, nil)); err != nil {
			return nil, err
		}
	}
	nameOnly := r.field("nameOnly").Truthy()
	state := r.server.Engine.State()
	var list []bson.Raw
	total := int64(0)
	for _, name := range r.databases(state) {
		size := int64(0)
		for c := range state.Collections(name) {
			size += c.Size() + 8192*int64(1+len(c.Indexes))
		}
		d := newDoc().str("name", name)
		if !nameOnly {
			d.double("sizeOnDisk", float64(size)).bool("empty", false)
		}
		whole := d.raw()
		if filter != nil {
			ok, err := filter.Match(whole)
			if err != nil {
				return nil, err
			}
			if !ok {
				continue
			}
		}
		total += size
		list = append(list, whole)
	}
	reply := newDoc().docs("databases", list)
	if !nameOnly {
		reply.double("totalSize", float64(total))
	}
	return reply, nil
}

// databases are the names of all databases, in order: those that the server
// makes for itself too.
func (r *request) databases(state *storage.State) []string {
	names := state.Databases()
	for _, own := range []string{"admin", "config", "local"} {
		names = insertSorted(names, own)
	}
	return names
}
