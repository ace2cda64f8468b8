package mongod

import (
	"strings"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// catalog is a document of the database config of the cluster, nil if there is
// none.
func (s *Server) catalog(collection, id string) bson.Raw {
	if s.Cluster == nil {
		return nil
	}
	state := s.Cluster.Config.Set.Members[0].Engine.State()
	c := state.Collection(storage.Namespace{DB: "config", Collection: collection})
	if c == nil {
		return nil
	}
	record, found := c.ByID(stringValue(id))
	if !found {
		return nil
	}
	d, _ := c.Get(record)
	return d
}

// shardKey is the key pattern of a sharded collection, nil for one that is not.
func (s *Server) shardKey(ns storage.Namespace) bson.Raw {
	key, _ := s.catalog("collections", ns.String()).Lookup("key").Document()
	return key
}

// enableSharding lets the collections of a database be sharded.
func enableSharding(r *request) (*doc, error) {
	name, ok := r.first().Str()
	switch {
	case !ok:
		return nil, newSchema("enableSharding").wrongType("enableSharding", r.first(), "string")
	case name == "admin" || name == "local":
		return nil, errorf(codeInvalidOptions, "can't shard %s database", name)
	}
	if err := checkDatabase(name); err != nil {
		return nil, err
	}
	d := newDoc().str("_id", name).str("primary", r.server.Cluster.Shard.Name).bool("partitioned", true)
	return newDoc(), r.putCatalog("databases", d.raw())
}

// shardCollection distributes a collection by a key.
func shardCollection(r *request) (*doc, error) {
	name, _ := r.first().Str()
	ns := storage.ParseNamespace(name)
	if ns.Collection == "" {
		return nil, errorf(codeInvalidNamespace, "Invalid namespace specified '%s'", name)
	}
	key := r.object("key")
	unique := r.field("unique").Truthy()
	if err := checkShardKey(key, unique); err != nil {
		return nil, err
	}
	if !r.server.catalog("databases", ns.DB).Lookup("partitioned").Truthy() && !r.atLeast(6, 0) {
		return nil, errorf(codeIllegalOperation, "sharding not enabled for db %s", ns.DB)
	}
	if old := r.server.catalog("collections", name); old != nil {
		if had, _ := old.Lookup("key").Document(); string(had) != string(key) || old.Lookup("unique").Truthy() != unique {
			return nil, errorf(codeAlreadyInitialized, "sharding already enabled for collection %s with options %s", name, query.FormatDocument(old))
		}
		return newDoc().str("collectionsharded", name).value("collectionUUID", old.Lookup("uuid")), nil
	}
	to := r.server.Cluster.Shard.choose("primary")
	if to == nil {
		return nil, errNoHost
	}
	if err := r.indexShardKey(to, ns, key, unique); err != nil {
		return nil, err
	}
	uuid := to.Engine.State().Collection(ns).UUID.Binary()
	d := newDoc().str("_id", name).bool("dropped", false).doc("key", key).bool("unique", unique).binary("uuid", uuid).str("distributionMode", "sharded")
	if err := r.putCatalog("collections", d.raw()); err != nil {
		return nil, err
	}
	note := newDoc().str("_shardsvrShardCollection", name).doc("key", key).bool("unique", unique).str("$db", "admin")
	if err := r.internally(to, note); err != nil {
		return nil, err
	}
	return newDoc().str("collectionsharded", name).binary("collectionUUID", uuid), nil
}

// noteShardCollection writes down on the shard that a collection was sharded.
func noteShardCollection(r *request) (*doc, error) {
	name, _ := r.first().Str()
	return newDoc(), r.transact(func(tx *storage.Tx) error {
		c := tx.State().Collection(storage.ParseNamespace(name))
		if c == nil {
			return errorf(codeNamespaceNotFound, "Collection %s does not exist", name)
		}
		description := newDoc().doc("shardKey", r.object("key")).bool("unique", r.field("unique").Truthy()).int64("numInitialChunks", 1)
		return tx.Do(&storage.Op{Kind: storage.Shard, NS: c.NS, UUID: c.UUID, Object: description.raw(), Stmt: storage.NoStmt})
	})
}

func checkShardKey(key bson.Raw, unique bool) error {
	if key.Len() == 0 {
		return errorf(codeBadValue, "Shard key is empty")
	}
	hashed := 0
	for name, v := range key.All() {
		s, _ := v.Str()
		n, _ := v.AsDouble()
		if s == "hashed" {
			hashed++
		}
		if s != "hashed" && n != 1 || hashed > 1 {
			return errorf(codeBadValue, "Shard key %s can contain at most one 'hashed' field, and/or multiple numerical fields set to a value of 1. Failed to parse field %s",
				query.FormatDocument(key), name)
		}
	}
	if hashed > 0 && unique {
		return errorf(codeInvalidOptions, "Hashed shard keys cannot be declared unique. It's possible to ensure uniqueness on the hashed field by declaring an additional (non-hashed) unique index on the field.")
	}
	return nil
}

// indexShardKey makes sure that there is an index for the shard key. It makes
// one in an empty collection.
func (r *request) indexShardKey(to *Server, ns storage.Namespace, key bson.Raw, unique bool) error {
	c := to.Engine.State().Collection(ns)
	if c != nil {
		for _, ix := range c.Indexes {
			if startsWith(ix.Key, key) && ix.Partial == nil && !ix.Sparse {
				return nil
			}
		}
		if c.Len() > 0 {
			return errorf(codeInvalidOptions, "Please create an index that starts with the proposed shard key before sharding the collection")
		}
	} else if err := r.internally(to, newDoc().str("create", ns.Collection).str("$db", ns.DB)); err != nil {
		return err
	}
	if string(key) == string(idKey) {
		return nil
	}
	index := newDoc().doc("key", key).str("name", indexName(key))
	if unique {
		index.bool("unique", true)
	}
	return r.internally(to, newDoc().str("createIndexes", ns.Collection).docs("indexes", []bson.Raw{index.raw()}).str("$db", ns.DB))
}

// startsWith reports whether an index has the fields of a shard key first.
func startsWith(index, key bson.Raw) bool {
	return strings.HasPrefix(string(index[4:len(index)-1]), string(key[4:len(key)-1]))
}

func indexName(key bson.Raw) string {
	var parts []string
	for name, v := range key.All() {
		text, ok := v.Str()
		if !ok {
			text = itoa(int(whole(v)))
		}
		parts = append(parts, name+"_"+text)
	}
	return strings.Join(parts, "_")
}

// checkShardKeyChange refuses a change of a document's shard key that cannot be
// undone: outside of a transaction and a retryable write.
func (r *request) checkShardKeyChange(ns storage.Namespace, c *change, before, after bson.Raw) error {
	if r.server.Mongos {
		return nil
	}
	key := r.server.shardKey(ns)
	same := true
	for name := range key.Keys() {
		was, is := before.Lookup(strings.Split(name, ".")...), after.Lookup(strings.Split(name, ".")...)
		same = same && was.Type == is.Type && string(was.Value) == string(is.Value)
	}
	switch {
	case same:
		return nil
	case !fixes(c.q, key):
		return errorf(31025, "Shard key update is not allowed without specifying the full shard key in the query")
	case !r.txn.given:
		return errorf(codeIllegalOperation, "Must run update to shard key field in a multi-statement transaction or with retryWrites: true.")
	}
	return nil
}
