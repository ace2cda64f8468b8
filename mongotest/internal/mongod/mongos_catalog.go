package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// ensureDatabase makes the request's database known to the cluster.
func (r *request) ensureDatabase() error {
	return r.ensure(r.db)
}

func (r *request) ensure(db string) error {
	if db == "admin" || db == "config" || r.server.catalog("databases", db) != nil {
		return nil
	}
	if err := checkDatabaseCase(r.server.Cluster.Shard.state(), db); err != nil {
		return err
	}
	return r.putCatalog("databases", newDoc().str("_id", db).str("primary", r.server.Cluster.Shard.Name).bool("partitioned", r.atLeast(6, 0)).raw())
}

// hasDatabase reports whether the cluster knows the request's database.
func (r *request) hasDatabase() bool {
	return r.destination() == r.server.Cluster.Config || r.server.catalog("databases", r.db) != nil
}

// state is the newest State of the primary, an empty one if there is none.
func (s *Shard) state() *storage.State {
	for _, m := range s.Set.Members {
		if p := s.choose("primary"); p == nil || p.Member == m {
			return m.Engine.State()
		}
	}
	return nil
}

// putCatalog writes a document to the database config, in the place of the one
// with the same _id.
func (r *request) putCatalog(collection string, d bson.Raw) error {
	q := newDoc().value("_id", d.Lookup("_id")).raw()
	u := newDoc().doc("q", q).doc("u", d).bool("upsert", true).raw()
	return r.config(newDoc().str("update", collection).docs("updates", []bson.Raw{u}))
}

// deleteCatalog removes documents from the database config.
func (r *request) deleteCatalog(collection string, q bson.Raw) error {
	return r.config(newDoc().str("delete", collection).docs("deletes", []bson.Raw{newDoc().doc("q", q).int32("limit", 0).raw()}))
}

// config runs a command of the mongos itself on the config servers.
func (r *request) config(command *doc) error {
	to := r.server.Cluster.Config.choose("primary")
	if to == nil {
		return errNoHost
	}
	return r.internally(to, command.str("$db", "config"))
}

// internally runs a command of the mongos itself on a server.
func (r *request) internally(to *Server, command *doc) error {
	reply := r.send(to, command.raw())
	if !isOK(reply) {
		return thrown(reply)
	}
	return nil
}

// routeRaw sends a command to all shards, and answers with what each of them
// says.
func routeRaw(r *request) (*doc, error) {
	s := r.destination()
	a, err := r.forward(s, r.body)
	if err != nil {
		return nil, err
	}
	part := newDoc()
	for name, v := range a.reply.All() {
		switch name {
		case "$clusterTime", "operationTime", "errorLabels", "topologyVersion", "readOnly":
		default:
			part.value(name, v)
		}
	}
	raw := newDoc().embed("raw", func(d *doc) { d.doc(s.String(), part.raw()) })
	if isOK(a.reply) {
		if v := a.reply.Lookup("writeConcernError"); !v.IsZero() {
			raw.value("writeConcernError", v)
		}
		return raw, nil
	}
	e := thrown(a.reply)
	if r.atLeast(5, 0) {
		raw.fields(e.More.raw())
	}
	if e.More = raw; r.txn.inTxn {
		r.recoveryToken(raw)
	}
	return nil, e
}

func routeCreateIndexes(r *request) (*doc, error) {
	if _, err := r.collection(); err != nil {
		return nil, err
	}
	if err := r.ensureDatabase(); err != nil {
		return nil, err
	}
	return routeRaw(r)
}

// routeCount sends a count on, and says which shard counted what.
func routeCount(r *request) (*doc, error) {
	if _, err := r.readNamespace(); err != nil {
		return nil, err
	}
	s := r.destination()
	if !r.hasDatabase() {
		return newDoc().embed("shards", func(*doc) {}).int32("n", 0), nil
	}
	a, err := r.forward(s, r.body)
	if err != nil {
		return nil, err
	}
	if !isOK(a.reply) {
		e := thrown(a.reply)
		e.Message = "failed on: " + s.Name + " :: caused by :: " + e.Message
		return nil, e
	}
	n := whole(a.reply.Lookup("n"))
	return newDoc().embed("shards", func(d *doc) { d.number(s.Name, n) }).number("n", n), nil
}

// routeCreate makes a collection. It is no error if there is one with the same
// options.
func routeCreate(r *request) (*doc, error) {
	if v := r.first(); v.Type != bson.TypeString {
		return nil, errorf(codeInvalidNamespace, "collection name has invalid type %s", query.TypeName(v.Type))
	}
	if r.field("capped").IsNumber() || r.field("capped").Type == bson.TypeBoolean {
		if r.field("capped").Truthy() && !r.field("size").IsNumber() {
			return nil, errorf(codeInvalidOptions, "specify size:<n> when capped is true")
		}
	}
	ns, err := r.collection()
	if err != nil {
		return nil, err
	}
	if err := createSchema.command(r); err != nil {
		return nil, err
	}
	if err := r.ensureDatabase(); err != nil {
		return nil, err
	}
	a, err := r.forward(r.destination(), r.body)
	if err != nil {
		return nil, err
	}
	if isOK(a.reply) {
		return rest(a.reply), nil
	}
	e := thrown(a.reply)
	if e.Code == codeNamespaceExists && !r.txn.inTxn {
		return r.createdBefore(a.from.Engine.State(), ns)
	}
	return nil, e
}

// createdBefore answers for a collection or view that is there already.
func (r *request) createdBefore(state *storage.State, ns storage.Namespace) (*doc, error) {
	options := newDoc().raw()
	if c := state.Collection(ns); c != nil {
		options = c.Options.Spec
	} else if view, ok := state.View(ns); ok {
		d := newDoc()
		for name, v := range view.All() {
			if name != "_id" {
				d.value(name, v)
			}
		}
		options = d.raw()
	}
	for _, name := range []string{"capped", "max", "viewOn", "pipeline", "validator", "timeseries"} {
		given, there := r.field(name), options.Lookup(name)
		switch {
		case name == "capped" && given.Truthy() == there.Truthy(), name == "pipeline" && len(documents(given)) == 0 && len(documents(there)) == 0:
		case name == "max" && whole(given) == whole(there):
		case given.Type != there.Type || string(given.Value) != string(there.Value):
			return nil, errorf(codeNamespaceExists, "ns: %s already exists with different options: %s", ns, query.FormatDocument(options))
		}
	}
	return newDoc(), nil
}

// routeDrop removes a collection. It is no error if there is none.
func routeDrop(r *request) (*doc, error) {
	v := r.first()
	if v.Type != bson.TypeString {
		return nil, errorf(codeInvalidNamespace, "collection name has invalid type %s", query.TypeName(v.Type))
	}
	ns, err := r.collection()
	if err != nil {
		return nil, err
	}
	a, err := r.forward(r.destination(), r.body)
	if err != nil {
		return nil, err
	}
	if e := thrown(a.reply); !isOK(a.reply) && e.Code != codeNamespaceNotFound {
		return nil, e
	}
	reply := newDoc()
	if v := a.reply.Lookup("writeConcernError"); !v.IsZero() {
		reply.value("writeConcernError", v)
	}
	return reply, r.deleteCatalog("collections", newDoc().str("_id", ns.String()).raw())
}

func routeDropDatabase(r *request) (*doc, error) {
	if v := r.first(); !v.IsNumber() || whole(v) != 1 {
		return nil, errorf(codeBadValue, "have to pass 1 as db parameter")
	}
	if r.db == "admin" || r.db == "config" {
		return nil, errorf(codeIllegalOperation, "Dropping the '%s' database is prohibited.", r.db)
	}
	if !r.hasDatabase() {
		return newDoc().str("info", "database does not exist"), nil
	}
	a, err := r.ask(r.destination(), r.body)
	if err != nil {
		return nil, err
	}
	from, to := newDoc().str("$gt", r.db+".").str("$lt", r.db+"/").raw(), newDoc().str("_id", r.db).raw()
	if err := r.deleteCatalog("collections", newDoc().doc("_id", from).raw()); err != nil {
		return nil, err
	}
	if err := r.deleteCatalog("databases", to); err != nil {
		return nil, err
	}
	reply := newDoc().str("dropped", r.db)
	if v := a.reply.Lookup("writeConcernError"); !v.IsZero() {
		reply.value("writeConcernError", v)
	}
	return reply, nil
}

// routeRename gives a collection another name, which a mongos can do only
// within the databases that it knows.
func routeRename(r *request) (*doc, error) {
	from, to, err := r.parseRename()
	if err != nil {
		return nil, err
	}
	s := r.server
	switch {
	case s.shardKey(from) != nil:
		return nil, errorf(13138, "You can't rename a sharded collection")
	case s.shardKey(to) != nil:
		return nil, errorf(13139, "You can't rename to a sharded collection")
	}
	for _, db := range []string{from.DB, to.DB} {
		if db != "admin" && db != "config" && s.catalog("databases", db) == nil {
			return nil, errorf(codeNamespaceNotFound, "database %s not found", db)
		}
	}
	return relayShard(r)
}

// routeListDatabases lists the databases of all shards.
func routeListDatabases(r *request) (*doc, error) {
	s := r.server.Cluster.Shard
	body := newDoc()
	for name, v := range r.body.All() {
		if name != "filter" && name != "nameOnly" {
			body.value(name, v)
		}
	}
	a, err := r.ask(s, body.raw())
	if err != nil {
		return nil, err
	}
	var filter *query.Filter
	if d := r.object("filter"); d != nil {
		if filter, err = query.ParseFilter(d, r.env(storage.Namespace{DB: "admin"}, nil)); err != nil {
			return nil, err
		}
	}
	nameOnly := r.field("nameOnly").Truthy()
	var list []bson.Raw
	total := int64(0)
	add := func(name string, size int64, shard string) error {
		d := newDoc().str("name", name)
		if !nameOnly {
			d.double("sizeOnDisk", float64(size)).bool("empty", false).embed("shards", func(d *doc) { d.number(shard, size) })
		}
		whole := d.raw()
		if filter != nil {
			if ok, err := filter.Match(whole); !ok || err != nil {
				return err
			}
		}
		total += size
		list = append(list, whole)
		return nil
	}
	for _, db := range documents(a.reply.Lookup("databases")) {
		name, _ := db.Lookup("name").Str()
		if name == "local" || name == "admin" || name == "config" {
			continue
		}
		if err := add(name, whole(db.Lookup("sizeOnDisk")), s.Name); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"admin", "config"} {
		if err := add(name, pageSize, r.server.Cluster.Config.Name); err != nil {
			return nil, err
		}
	}
	reply := newDoc().docs("databases", list)
	if !nameOnly {
		reply.double("totalSize", float64(total)).double("totalSizeMb", float64(total>>20))
	}
	return reply, nil
}
