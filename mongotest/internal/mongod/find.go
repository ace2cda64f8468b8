package mongod

import (
	"bytes"
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// findCommand is the parsed command find.
type findCommand struct {
	ns                             storage.Namespace
	filter, sort, projection       bson.Raw
	min, max                       bson.Raw
	collation                      bson.Raw
	hint                           bson.RawValue
	skip, limit, batchSize         int64
	hasBatch, single               bool
	tailable, await, noTimeout     bool
	returnKey, showRecordID, oplog bool
	let                            bson.Raw
}

// defaultBatch is the size of a first batch that is not asked for otherwise.
const defaultBatch = 101

func (f *findCommand) flags() map[string]*bool {
	var ignored bool
	return map[string]*bool{
		"singleBatch": &f.single, "tailable": &f.tailable, "awaitData": &f.await, "noCursorTimeout": &f.noTimeout,
		"returnKey": &f.returnKey, "showRecordId": &f.showRecordID, "oplogReplay": &f.oplog,
		"allowPartialResults": &ignored, "allowDiskUse": &ignored,
	}
}

// parseFind reads the command find.
func (r *request) parseFind() (f findCommand, err error) {
	v := r.first()
	name, ok := v.Str()
	if !ok || v.Type != bson.TypeString {
		return f, r.badFind("find", v, "string")
	}
	if f.ns, err = r.namespace(name); err != nil {
		return f, err
	}
	if err := r.checkReadable(f.ns); err != nil {
		return f, err
	}
	flags := f.flags()
	if !r.atLeast(4, 4) {
		delete(flags, "allowDiskUse")
	}
	documents := map[string]*bson.Raw{
		"filter": &f.filter, "sort": &f.sort, "projection": &f.projection, "min": &f.min, "max": &f.max, "collation": &f.collation,
	}
	if r.atLeast(5, 0) {
		documents["let"] = &f.let
	}
	numbers := map[string]*int64{"skip": &f.skip, "limit": &f.limit, "batchSize": &f.batchSize, "ntoreturn": new(int64)}
	first := true
	for name, v := range r.body.All() {
		if first {
			first = false
			continue
		}
		switch {
		case flags[name] != nil:
			b, ok := v.Bool()
			if !ok {
				return f, r.badFind(name, v, "bool")
			}
			*flags[name] = b
		case documents[name] != nil:
			d, ok := v.Document()
			if !ok {
				return f, r.badFind(name, v, "object")
			}
			*documents[name] = d
		case numbers[name] != nil:
			if !v.IsNumber() {
				return f, r.badFind(name, v, "")
			}
			*numbers[name] = whole(v)
			f.hasBatch = f.hasBatch || name == "batchSize"
		case name == "hint":
			f.hint = v
		case name == "comment" && !r.atLeast(4, 4):
			if v.Type != bson.TypeString {
				return f, r.badFind(name, v, "string")
			}
		case name == "term" || r.server.Version.generic(name):
		case r.atLeast(5, 0):
			return f, errorf(codeUnknownField, "BSON field 'find.%s' is an unknown field.", name)
		default:
			return f, errorf(codeFailedToParse, "Failed to parse: %s. Unrecognized field '%s'.", query.FormatDocument(r.body), name)
		}
	}
	return f, r.validateFind(&f, *numbers["ntoreturn"])
}

// badFind is the error of a field that has the wrong type; of a number if want
// is empty.
func (r *request) badFind(name string, v bson.RawValue, want string) error {
	if r.atLeast(5, 0) {
		if want == "" {
			return findSchema.wrongType(name, v, "long", "int", "decimal", "double")
		}
		return findSchema.wrongType(name, v, want)
	}
	if want == "" {
		return errorf(codeFailedToParse, "Failed to parse: %s. '%s' field must be numeric.", query.FormatDocument(r.body), name)
	}
	return errorf(codeFailedToParse, "Failed to parse: %s: %s. '%s' field must be of BSON type %s.", name, formatElement(v), name, want)
}

var findSchema = newSchema("find")

func (r *request) validateFind(f *findCommand, ntoreturn int64) error {
	for _, n := range []struct {
		name  string
		value int64
	}{{"skip", f.skip}, {"limit", f.limit}, {"batchSize", f.batchSize}, {"nToReturn", ntoreturn}} {
		if n.value < 0 {
			before := errorf(codeBadValue, "%s value must be non-negative, but received: %d", strings.ToUpper(n.name[:1])+n.name[1:], n.value)
			return r.tooSmall(n.name, n.value, 0, before)
		}
	}
	if f.limit == 0 && ntoreturn > 0 {
		f.limit = ntoreturn
	}
	if f.await && !f.tailable {
		return errorf(codeFailedToParse, "Cannot set 'awaitData' without also setting 'tailable'")
	}
	if natural, _ := f.sort.Lookup("$natural").AsDouble(); f.tailable && f.sort.Len() > 0 && natural != 1 {
		return errorf(codeBadValue, "cannot use tailable option with a sort other than {$natural: 1}")
	}
	if f.tailable && f.single {
		return errorf(codeBadValue, "cannot use tailable option with the 'singleBatch' option")
	}
	switch f.hint.Type {
	case 0, bson.TypeString, bson.TypeEmbeddedDocument:
	default:
		return errorf(codeFailedToParse, "hint must be either a string or nested object")
	}
	return nil
}

// find reads documents.
func find(r *request) (*doc, error) {
	f, err := r.parseFind()
	if err != nil {
		return nil, err
	}
	source, err := r.source(f.ns, f.collation)
	if err != nil {
		return nil, err
	}
	if source.view != nil {
		return r.findOnView(f, source)
	}
	res, err := r.findResults(f, source)
	if err != nil {
		return nil, err
	}
	if source.collection == nil && !f.tailable {
		return r.emptyCursor(f.ns.String()), nil
	}
	size := int64(defaultBatch)
	if f.hasBatch {
		size = f.batchSize
	}
	single := f.single || f.limit == 1 && !f.hasBatch
	if f.tailable && source.collection == nil {
		res.tail = false
	}
	reply, cur, err := r.firstBatch(f.ns.String(), res, size, single)
	if cur != nil {
		cur.await, cur.noExpiry = f.await, f.noTimeout
	}
	return reply, err
}

// emptyCursor is the reply for a collection that is not there.
func (r *request) emptyCursor(ns string) *doc {
	return newDoc().embed("cursor", func(d *doc) {
		d.int64("id", 0).str("ns", ns).docs("firstBatch", nil)
		if r.snapshotAt != nil {
			d.timestamp("atClusterTime", *r.snapshotAt)
		}
	})
}

// findResults are the documents that a find gives.
func (r *request) findResults(f findCommand, source source) (res results, err error) {
	env := r.env(f.ns, source.collation)
	filter, err := query.ParseFilter(f.filter, env)
	if err != nil {
		return res, err
	}
	sort, err := query.ParseSort(f.sort, env)
	if err != nil {
		return res, err
	}
	projection, err := query.ParseProjection(f.projection, filter, env)
	if err != nil {
		return res, err
	}
	hint, err := parseHint(source.collection, f.hint)
	if err != nil {
		return res, err
	}
	if f.tailable && source.collection != nil && !source.collection.Options.Capped {
		return res, errorf(codeBadValue, "error processing query: ns=%sTree: %s\nSort: {}\nProj: {}\n tailable cursor requested on non capped collection", f.ns, filter.Tree())
	}
	s, sorted := plan(source.collection, filter, f.sort, source.collation, hint)
	switch {
	case sorted:
		sort = nil
	case sort != nil && sort.Natural != 0:
		s, sort = &scan{collection: source.collection, backwards: sort.Natural < 0}, nil
	case f.tailable:
		s = &scan{collection: source.collection}
	}
	if err := s.bounds(f.ns, f.min, f.max, hint); err != nil {
		return res, err
	}
	e := &execution{find: f, source: source, scan: s, filter: filter, sort: sort, projection: projection, left: f.limit, skip: f.skip}
	if e.near = filter.Near; e.near != nil {
		if sort == nil {
			e.sort = &query.Sort{} // by distance
		}
		if err := checkNear(source.collection, e.near); err != nil {
			return res, err
		}
	}
	res = results{next: e.next, resume: e.resume, atEnd: e.atEnd, tail: f.tailable, changed: r.server.Engine.Changed.Wait}
	if f.tailable && source.collection != nil && source.collection.Len() == 0 {
		res.tail, res.atEnd = false, func() bool { return true } // there is no position to go on from
	}
	return res, nil
}

// checkNear makes sure that there is an index for a query by distance.
func checkNear(c *storage.Collection, near *query.Near) error {
	if c == nil {
		return nil
	}
	for _, ix := range c.Indexes {
		if kind, _ := ix.Key.Lookup(near.Path).Str(); kind == "2dsphere" || kind == "2d" {
			return nil
		}
	}
	return cannotPlan(291, c.NS, "unable to find index for $geoNear query")
}

// execution is a find in progress.
type execution struct {
	find       findCommand
	source     source
	scan       *scan
	filter     *query.Filter
	sort       *query.Sort
	projection *query.Projection
	near       *query.Near // not nil if distances are the order

	sorted []sortedDoc // once all have been read
	read   bool
	skip   int64
	left   int64 // of the limit, 0 for none
	given  int64
}

type sortedDoc struct {
	record
	key []byte
}

// resume moves the scan to the newest State. The collection must still be there.
func (e *execution) resume() error {
	c, err := e.source.again()
	if err != nil || e.sort != nil && e.read {
		return err
	}
	if ix := e.scan.index; ix != nil && c.Index(ix.Name) == nil {
		return errorf(codeQueryPlanKilled, "query plan killed :: index '%s' dropped", ix.Name)
	}
	if e.find.tailable && e.scan.after != 0 {
		if _, kept := c.Get(e.scan.after); !kept {
			return errorf(136, "CollectionScan died due to position in capped collection being deleted. Last seen record id: RecordId(%d)", e.scan.after)
		}
	}
	e.scan.move(c)
	return nil
}

// atEnd reports whether it is known that nothing follows.
func (e *execution) atEnd() bool {
	return e.left > 0 && e.given >= e.left || e.sort != nil && e.read && len(e.sorted) == 0 || e.scan.single && e.scan.done && len(e.scan.chunk) == 0
}

func (e *execution) next() (bson.Raw, error) {
	for {
		if e.left > 0 && e.given >= e.left {
			return nil, nil
		}
		d, err := e.advance()
		if err != nil || d.doc == nil {
			return nil, err
		}
		if e.skip > 0 {
			e.skip--
			continue
		}
		e.given++
		return e.project(d)
	}
}

// advance is the next document that matches, in order.
func (e *execution) advance() (d sortedDoc, err error) {
	if e.sort == nil {
		d.record, err = e.match()
		return d, err
	}
	if !e.read {
		if err := e.readAll(); err != nil {
			return d, err
		}
	}
	if len(e.sorted) == 0 {
		return d, nil
	}
	d, e.sorted = e.sorted[0], e.sorted[1:]
	return d, nil
}

func (e *execution) match() (record, error) {
	for {
		rec, ok := e.scan.next()
		if !ok {
			return record{}, nil
		}
		match, err := e.filter.Match(rec.doc)
		if err != nil {
			return record{}, err
		}
		if match {
			return rec, nil
		}
	}
}

// readAll reads and sorts all that match.
func (e *execution) readAll() error {
	e.read = true
	for {
		rec, err := e.match()
		if err != nil {
			return err
		}
		if rec.doc == nil {
			break
		}
		key, err := e.sortKey(rec.doc)
		if err != nil {
			return err
		}
		e.sorted = append(e.sorted, sortedDoc{rec, key})
	}
	slices.SortStableFunc(e.sorted, func(a, b sortedDoc) int { return bytes.Compare(a.key, b.key) })
	return nil
}

func (e *execution) sortKey(d bson.Raw) ([]byte, error) {
	if e.near == nil || e.find.sort.Len() > 0 {
		return e.sort.Key(d)
	}
	distance, _ := e.near.Distance(d)
	return query.AppendKey(nil, newDoc().double("", distance).raw().Lookup(""), nil), nil
}

// project gives a document the form that the client asks for.
func (e *execution) project(d sortedDoc) (bson.Raw, error) {
	if e.find.returnKey {
		return e.indexKey(d), nil
	}
	out := d.doc
	if e.projection != nil {
		meta := &query.Metadata{RecordID: int64(d.id)}
		if e.near != nil {
			meta.Distance, _ = e.near.Distance(d.doc)
		}
		if e.scan.index != nil {
			meta.IndexKey = e.indexKey(d)
		}
		if e.sort != nil && e.find.sort.Len() > 0 {
			values, err := e.sort.Values(d.doc)
			if err != nil {
				return nil, err
			}
			meta.SortKey = values
		}
		var err error
		if out, err = e.projection.Apply(out, meta); err != nil {
			return nil, err
		}
	}
	if e.find.showRecordID {
		out = newDoc().fields(out).int64("$recordId", int64(d.id)).raw()
	}
	return out, nil
}

// indexKey is the key of the index that the document was found by, empty if it
// was found without.
func (e *execution) indexKey(d sortedDoc) bson.Raw {
	ix := e.scan.index
	if ix == nil && e.scan.single {
		ix = e.source.collection.ID()
	}
	if ix == nil {
		return newDoc().raw()
	}
	keys, err := query.IndexKeys(d.doc, ix.Key, nil)
	if err != nil || len(keys) == 0 {
		return newDoc().raw()
	}
	return keys[0].Document(ix.Key)
}
