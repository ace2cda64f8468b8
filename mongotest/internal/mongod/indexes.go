package mongod

import (
	"strings"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// indexOptions are the fields of an index specification.
var indexOptions = map[string]bool{
	"v": true, "key": true, "name": true, "ns": true, "unique": true, "sparse": true, "background": true,
	"expireAfterSeconds": true, "partialFilterExpression": true, "collation": true, "hidden": true, "weights": true,
	"default_language": true, "language_override": true, "textIndexVersion": true, "2dsphereIndexVersion": true,
	"bits": true, "min": true, "max": true, "bucketSize": true, "storageEngine": true, "wildcardProjection": true,
	"dropDups": true, "prepareUnique": true, "clustered": true, "finestIndexedLevel": true, "coarsestIndexedLevel": true,
}

// maxIndexes is how many indexes a collection may have.
const maxIndexes = 64

// createIndexes makes indexes, and their collection if it is not there.
func createIndexes(r *request) (*doc, error) {
	ns, err := r.collection()
	if err != nil {
		return nil, err
	}
	if err := r.checkWritable(ns); err != nil {
		return nil, err
	}
	specs, err := r.indexSpecs()
	if err != nil {
		return nil, err
	}
	reply := newDoc()
	err = r.transact(func(tx *storage.Tx) error {
		existed := tx.State().Collection(ns) != nil
		c, err := r.target(tx, ns, true)
		if err != nil {
			return err
		}
		if r.txn.inTxn && existed && c.Len() > 0 {
			return errorf(codeNotSupportedInTxn, "Cannot create new indexes on existing collection %s in a multi-document transaction.", ns)
		}
		before := len(c.Indexes)
		var add []*storage.Index
		for _, spec := range specs {
			ix, err := r.parseIndex(c, spec)
			if err != nil {
				return err
			}
			if key := r.server.shardKey(ns); key != nil && ix.Unique && !startsWith(ix.Key, key) {
				return buildFailed(c, errorf(codeCannotCreateIndex, "cannot create unique index over %s with shard key pattern %s", query.FormatDocument(ix.Key), query.FormatDocument(key)))
			}
			same, err := conflicting(append(c.Indexes[:before:before], add...), ix)
			if err != nil {
				return err
			}
			if same {
				continue
			}
			if before+len(add) >= maxIndexes {
				return errorf(codeCannotCreateIndex, "add index fails, too many indexes for %s key:%s", ns, query.FormatDocument(ix.Key))
			}
			add = append(add, ix)
		}
		reply = r.createIndexesReply(existed && !r.createdHere(tx, c), before, len(add), len(specs))
		if len(add) == 0 {
			return nil
		}
		object := newDoc().str("createIndexes", ns.Collection)
		err = tx.Do(&storage.Op{Kind: storage.CreateIndexes, NS: ns, UUID: c.UUID, Indexes: add, Stmt: storage.NoStmt, Object: object.raw()})
		return buildFailed(c, err)
	})
	return reply, err
}

// createdHere reports whether the transaction made the collection itself.
func (r *request) createdHere(tx *storage.Tx, c *storage.Collection) bool {
	return r.txn.inTxn && r.server.Engine.State().Collection(c.NS) == nil
}

// buildFailed says that an index could not be built over the documents there.
func buildFailed(c *storage.Collection, err error) error {
	if err == nil || !ofDocument(err) {
		return err
	}
	e := *asError(err)
	e.Message = "Index build failed: " + storage.NewUUID().String() + ": Collection " + c.NS.String() + " ( " + c.UUID.String() + " ) :: caused by :: " + e.Message
	return &e
}

func (r *request) createIndexesReply(existed bool, before, added, asked int) *doc {
	d := newDoc()
	switch {
	case added == 0:
		return d.int32("numIndexesBefore", int32(before)).int32("numIndexesAfter", int32(before)).str("note", "all indexes already exist")
	default:
		d.bool("createdCollectionAutomatically", !existed)
		d.int32("numIndexesBefore", int32(before)).int32("numIndexesAfter", int32(before+added))
		if added < asked {
			d.str("note", "index already exists")
		}
	}
	if r.atLeast(4, 4) && r.replicated() {
		d.str("commitQuorum", "votingMembers")
	}
	return d
}

// indexSpecs reads the field indexes.
func (r *request) indexSpecs() ([]bson.Raw, error) {
	first := true
	for name := range r.body.Keys() {
		switch {
		case first, r.server.Version.generic(name), name == "indexes", name == "ignoreUnknownIndexOptions", name == "returnOnStart":
		case name == "commitQuorum":
			if !r.atLeast(4, 4) {
				return nil, errorf(codeFailedToParse, "The field 'commitQuorum' is not a valid index specification field")
			}
		default:
			return nil, errorf(codeBadValue, "Invalid field specified for createIndexes command: %s", name)
		}
		first = false
	}
	v := r.field("indexes")
	arr, ok := v.Array()
	switch {
	case v.IsZero():
		return nil, errorf(codeFailedToParse, "The 'indexes' field is a required argument of the createIndexes command")
	case !ok:
		return nil, errorf(codeTypeMismatch, "The field 'indexes' must be an array, but got %s", query.TypeName(v.Type))
	case arr.Len() == 0:
		return nil, errorf(codeBadValue, "Must specify at least one index to create")
	}
	var specs []bson.Raw
	for e := range arr.Values() {
		d, ok := e.Document()
		if !ok {
			return nil, errorf(codeTypeMismatch, "The elements of the 'indexes' array must be objects, but got %s", query.TypeName(e.Type))
		}
		if err := r.checkIndexSpec(d); err != nil {
			return nil, err
		}
		specs = append(specs, d)
	}
	return specs, nil
}

func (r *request) checkIndexSpec(d bson.Raw) error {
	key, ok := d.Lookup("key").Document()
	switch {
	case d.Lookup("key").IsZero():
		return errorf(codeFailedToParse, "Error in specification %s :: caused by :: The 'key' field is a required property of an index specification", query.FormatDocument(d))
	case !ok:
		return errorf(codeTypeMismatch, "Error in specification %s :: caused by :: The field 'key' must be an object, but got %s", query.FormatDocument(d), query.TypeName(d.Lookup("key").Type))
	case d.Lookup("name").IsZero():
		return errorf(codeFailedToParse, "Error in specification %s :: caused by :: The 'name' field is a required property of an index specification", query.FormatDocument(d))
	case d.Lookup("name").Type != bson.TypeString:
		return errorf(codeTypeMismatch, "Error in specification %s :: caused by :: The field 'name' must be a string, but got %s", query.FormatDocument(d), query.TypeName(d.Lookup("name").Type))
	case key.Len() == 0:
		return cannotCreate(d, "Index keys cannot be an empty object")
	}
	for name := range d.Keys() {
		if !indexOptions[name] {
			return errorf(197, "Error in specification %s :: caused by :: The field '%s' is not valid for an index specification. Specification: %s", query.FormatDocument(d), name, query.FormatDocument(d))
		}
	}
	if v := d.Lookup("v"); v.IsNumber() && whole(v) != 1 && whole(v) != 2 {
		return cannotCreate(d, "Invalid index specification "+query.FormatDocument(d)+"; cannot create an index with v="+itoa(int(whole(v))))
	}
	if err := checkIndexKey(d, key); err != nil {
		return err
	}
	if err := checkIndexOptions(d); err != nil {
		return err
	}
	return r.checkIndexKind(d, key)
}

// checkIndexOptions refuses options of the wrong type.
func checkIndexOptions(d bson.Raw) error {
	for name, v := range d.All() {
		switch name {
		case "name":
			switch s, _ := v.Str(); s {
			case "":
				return cannotCreate(d, "index name cannot be empty")
			case "*":
				return errorf(codeBadValue, "The index name '*' is not valid.")
			}
		case "unique", "sparse", "hidden", "prepareUnique":
			if v.Type != bson.TypeBoolean && !v.IsNumber() {
				return errorf(codeTypeMismatch, "Error in specification %s :: caused by :: The field '%s has value %s: %s, which is not convertible to bool",
					query.FormatDocument(d), name, name, formatElement(v))
			}
		case "partialFilterExpression", "collation", "storageEngine", "wildcardProjection":
			if v.Type != bson.TypeEmbeddedDocument {
				return errorf(codeTypeMismatch, "Error in specification %s :: caused by :: The field '%s' must be an object, but got %s",
					query.FormatDocument(d), name, query.TypeName(v.Type))
			}
		}
	}
	return nil
}

// checkIndexKind refuses options that do not go with the kind of the index.
func (r *request) checkIndexKind(d, key bson.Raw) error {
	unique, ttl := d.Lookup("unique").Truthy(), !d.Lookup("expireAfterSeconds").IsZero()
	hashed, wildcard := 0, false
	for name, v := range key.All() {
		if s, _ := v.Str(); s == "hashed" {
			hashed++
		}
		wildcard = wildcard || name == "$**" || strings.HasSuffix(name, ".$**")
	}
	switch first := firstKey(key); {
	case first == "_id" && key.Len() == 1 && key.Lookup("_id").IsNumber():
		return checkIDIndex(d, key)
	case ttl && key.Len() > 1:
		return errorf(codeCannotCreateIndex, "TTL indexes are single-field indexes, compound indexes do not support TTL. Index spec: %s", query.FormatDocument(d))
	case hashed > 1:
		return errorf(31303, "A maximum of one index field is allowed to be hashed but found %d for 'key' %s", hashed, query.FormatDocument(key))
	case hashed > 0 && unique:
		return errorf(16764, "Currently hashed indexes cannot guarantee uniqueness. Use a regular index.")
	case wildcard && unique:
		return cannotCreate(d, "Index type 'wildcard' does not support the unique option")
	case wildcard && ttl:
		return cannotCreate(d, "Index type 'wildcard' cannot be a TTL index")
	case wildcard && key.Len() > 1 && !r.atLeast(7, 0):
		return cannotCreate(d, "wildcard indexes do not allow compounding")
	}
	return nil
}

// checkIDIndex refuses an index on _id that is not the one that there is.
func checkIDIndex(d, key bson.Raw) error {
	if whole(key.Lookup("_id")) != 1 {
		return errorf(codeBadValue, "The field 'key' for an _id index must be {_id: 1}, but got %s", query.FormatDocument(key))
	}
	for name := range d.Keys() {
		switch name {
		case "key", "name", "v", "ns", "collation":
		default:
			return errorf(197, "The field '%s' is not valid for an _id index specification. Specification: %s", name, query.FormatDocument(d))
		}
	}
	return nil
}

func cannotCreate(d bson.Raw, why string) error {
	return errorf(codeCannotCreateIndex, "Error in specification %s :: caused by :: %s", query.FormatDocument(d), why)
}

func checkIndexKey(d, key bson.Raw) error {
	if key.Len() > 32 {
		return errorf(13103, "too many compound keys")
	}
	seen := map[string]bool{}
	for name, v := range key.All() {
		switch {
		case name == "":
			return cannotCreate(d, "Index keys cannot be an empty field.")
		case seen[name]:
			return errorf(codeBadValue, "The field '%s' appears multiple times in the index key pattern %s", name, query.FormatDocument(key))
		case strings.HasPrefix(name, "$") && name != "$**":
			return cannotCreate(d, "Index key contains an illegal field name: field name starts with '$'.")
		case strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, ".."):
			return cannotCreate(d, "Index keys cannot contain an empty field.")
		}
		seen[name] = true
		switch {
		case v.IsNumber():
			if f, _ := v.AsDouble(); f == 0 || f != f {
				return cannotCreate(d, "Values in the index key pattern cannot be 0.")
			}
		case v.Type == bson.TypeString:
			switch s, _ := v.Str(); s {
			case "text", "2d", "2dsphere", "hashed", "geoHaystack", "wildcard":
			case "":
				return cannotCreate(d, "Values in the index key pattern cannot be empty strings")
			default:
				return cannotCreate(d, "Unknown index plugin '"+s+"'")
			}
		default:
			return cannotCreate(d, "Values in v:2 index key pattern cannot be of type "+query.TypeName(v.Type)+". Only numbers > 0, numbers < 0, and strings are allowed.")
		}
	}
	return nil
}

// parseIndex makes an index of a specification.
func (r *request) parseIndex(c *storage.Collection, d bson.Raw) (*storage.Index, error) {
	ix := &storage.Index{ExpireAfter: -1, Collation: c.Options.Collation}
	ix.Name, _ = d.Lookup("name").Str()
	ix.Key, _ = d.Lookup("key").Document()
	text := textKey(ix.Key)
	special := newDoc()
	front, back := newDoc().int32("v", 2), newDoc()
	for name, v := range d.All() {
		switch name {
		case "v", "key", "name", "ns", "dropDups", "weights", "default_language", "language_override", "textIndexVersion", "2dsphereIndexVersion":
		case "unique":
			if ix.Unique = v.Truthy(); ix.Unique {
				front.bool("unique", true)
			}
		case "hidden":
			if ix.Hidden = v.Truthy(); ix.Hidden {
				front.bool("hidden", true)
			}
		case "sparse":
			if ix.Sparse = v.Truthy(); ix.Sparse {
				back.bool("sparse", true)
			}
		case "background":
			if r.atLeast(5, 0) {
				break
			}
			back.value(name, v)
		case "expireAfterSeconds":
			after, err := parseTTL(d, v)
			if err != nil {
				return nil, err
			}
			ix.ExpireAfter = after
			back.value(name, v)
		case "partialFilterExpression":
			filter, _ := v.Document()
			parsed, err := query.ParseFilter(filter, r.env(c.NS, ix.Collation))
			if err != nil {
				return nil, err
			}
			ix.Partial = parsed
			back.value(name, v)
		case "collation":
			spec, _ := v.Document()
			parsed, err := query.ParseCollation(spec)
			if err != nil {
				return nil, err
			}
			if ix.Collation = parsed; parsed != nil {
				special.doc("collation", parsed.Document())
			}
		default:
			back.value(name, v)
		}
	}
	if d.Lookup("collation").IsZero() && ix.Collation != nil {
		special.doc("collation", ix.Collation.Document())
	}
	if text {
		r.textIndex(ix, d, special)
	}
	for _, v := range ix.Key.All() {
		if s, _ := v.Str(); s == "2dsphere" {
			special.int32("2dsphereIndexVersion", 3)
			break
		}
	}
	if ix.Sparse && ix.Partial != nil {
		return nil, cannotCreate(d, "cannot mix \"partialFilterExpression\" and \"sparse\" options")
	}
	ix.Spec = front.doc("key", ix.Key).str("name", ix.Name).fields(back.raw()).fields(special.raw()).raw()
	return ix, nil
}

func textKey(key bson.Raw) bool {
	for _, v := range key.All() {
		if s, _ := v.Str(); s == "text" {
			return true
		}
	}
	return false
}

// textIndex gives a text index the form that the server lists.
func (r *request) textIndex(ix *storage.Index, d bson.Raw, special *doc) {
	given, _ := d.Lookup("weights").Document()
	key, weights := newDoc(), newDoc()
	done := false
	for name, v := range ix.Key.All() {
		if s, _ := v.Str(); s != "text" {
			key.value(name, v)
			continue
		}
		if !done {
			key.str("_fts", "text").int32("_ftsx", 1)
			done = true
		}
		if w := given.Lookup(name); !w.IsZero() {
			weights.value(name, w)
		} else {
			weights.int32(name, 1)
		}
	}
	ix.Key = key.raw()
	special.doc("weights", weights.raw())
	for _, o := range []struct{ name, otherwise string }{{"default_language", "english"}, {"language_override", "language"}} {
		s, ok := d.Lookup(o.name).Str()
		if !ok {
			s = o.otherwise
		}
		special.str(o.name, s)
	}
	special.int32("textIndexVersion", 3)
}

// conflicting reports whether an index like ix is there already. One that is
// alike only in part is an error.
func conflicting(indexes []*storage.Index, ix *storage.Index) (same bool, err error) {
	for _, old := range indexes {
		sameKey := string(old.Key) == string(ix.Key) && query.SameCollation(old.Collation, ix.Collation)
		sameName := old.Name == ix.Name
		if !sameKey && sameName {
			if string(old.Key) == string(ix.Key) {
				return false, errorf(codeIndexOptionsConflict, "An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: %s, existing index: %s",
					query.FormatDocument(ix.Spec), query.FormatDocument(old.Spec))
			}
			return false, errorf(codeIndexKeySpecsConflict, "An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: %s, existing index: %s",
				query.FormatDocument(ix.Spec), query.FormatDocument(old.Spec))
		}
		if !sameKey {
			continue
		}
		if old.Name == "_id_" && ix.Key.Len() == 1 {
			return true, nil
		}
		if !sameName {
			if sameOptions(old, ix) {
				return false, errorf(codeIndexOptionsConflict, "Index already exists with a different name: %s", old.Name)
			}
			return false, errorf(codeIndexOptionsConflict, "Index: %s already exists with different options: %s", query.FormatDocument(ix.Spec), query.FormatDocument(old.Spec))
		}
		if !sameOptions(old, ix) {
			return false, errorf(codeIndexKeySpecsConflict, "An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: %s, existing index: %s",
				query.FormatDocument(ix.Spec), query.FormatDocument(old.Spec))
		}
		return true, nil
	}
	return false, nil
}

func sameOptions(a, b *storage.Index) bool {
	return a.Unique == b.Unique && a.Sparse == b.Sparse && a.ExpireAfter == b.ExpireAfter &&
		string(a.Spec.Lookup("partialFilterExpression").Value) == string(b.Spec.Lookup("partialFilterExpression").Value) &&
		string(a.Spec.Lookup("weights").Value) == string(b.Spec.Lookup("weights").Value)
}

var dropIndexesSchema = schemaSince5("dropIndexes", field{name: "index", fieldType: required}, field{name: "collectionUUID", fieldType: anything})

// dropIndexes removes indexes by name, by key, all of a list, or all.
func dropIndexes(r *request) (*doc, error) {
	ns, err := r.collection()
	if err != nil {
		return nil, err
	}
	switch v := r.field("index"); v.Type {
	case bson.TypeString, bson.TypeEmbeddedDocument, bson.TypeArray:
	default:
		if r.atLeast(5, 0) {
			return nil, dropIndexesSchema.wrongType("index", v, "string", "object")
		}
	}
	reply := newDoc()
	err = r.transact(func(tx *storage.Tx) error {
		c := tx.State().Collection(ns)
		if c == nil {
			if _, view := tx.State().View(ns); view {
				return errorf(codeNotSupportedOnView, "Cannot drop indexes on view %s", ns)
			}
			return errorf(codeNamespaceNotFound, "ns not found %s", ns)
		}
		reply = newDoc().int32("nIndexesWas", int32(len(c.Indexes)))
		doomed, all, err := doomedIndexes(c, r.field("index"))
		if err != nil {
			return err
		}
		if all {
			reply.str("msg", "non-_id indexes dropped for collection")
		}
		if len(doomed) == 0 {
			return nil
		}
		object := newDoc().str("dropIndexes", ns.Collection).str("index", doomed[0].Name)
		return tx.Do(&storage.Op{Kind: storage.DropIndexes, NS: ns, UUID: c.UUID, Indexes: doomed, Stmt: storage.NoStmt, Object: object.raw()})
	})
	return reply, err
}

func doomedIndexes(c *storage.Collection, v bson.RawValue) (doomed []*storage.Index, all bool, err error) {
	byName := func(name string) error {
		ix := c.Index(name)
		if ix == nil {
			return errorf(codeIndexNotFound, "index not found with name [%s]", name)
		}
		if ix == c.ID() {
			return errorf(codeInvalidOptions, "cannot drop _id index")
		}
		doomed = append(doomed, ix)
		return nil
	}
	switch v.Type {
	case bson.TypeString:
		if name, _ := v.Str(); name != "*" {
			return doomed, false, byName(name)
		}
		return c.Secondary(), true, nil
	case bson.TypeEmbeddedDocument:
		key := bson.Raw(v.Value)
		for _, ix := range c.Indexes {
			if query.CompareDocuments(ix.Key, key, nil) == 0 {
				doomed = append(doomed, ix)
			}
		}
		switch {
		case len(doomed) == 0:
			return nil, false, errorf(codeIndexNotFound, "can't find index with key: %s", query.FormatDocument(key))
		case len(doomed) > 1:
			return nil, false, errorf(codeAmbiguousIndexKey, "%d indexes found for key: %s, identify by name instead. Conflicting indexes: %s, %s",
				len(doomed), query.FormatDocument(key), query.FormatDocument(doomed[0].Spec), query.FormatDocument(doomed[1].Spec))
		case doomed[0] == c.ID():
			return nil, false, errorf(codeInvalidOptions, "cannot drop _id index")
		}
	case bson.TypeArray:
		for e := range bson.RawArray(v.Value).Values() {
			name, ok := e.Str()
			if !ok {
				return nil, false, dropIndexesSchema.wrongType("index", e, "string")
			}
			if err := byName(name); err != nil {
				return nil, false, err
			}
		}
	}
	return doomed, false, nil
}

// searchIndexes refuses what only Atlas has.
func searchIndexes(*request) (*doc, error) {
	return nil, errorf(31082, "Search index commands are only supported with Atlas.")
}
