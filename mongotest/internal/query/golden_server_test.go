package query

import (
	"slices"

	"github.com/motor-go/motor/bson"
)

// miniServer keeps collections in lists. lost says that the rest of a scenario
// depends on something that it has not.
type miniServer struct {
	collections map[string][]bson.Raw
	lost        bool
}

func (s *miniServer) env(db, collection string, command bson.Raw) (*Env, error) {
	env := &Env{
		Version: Version{4, 4}, DB: db, Collection: collection, Now: 1.6e12, ClusterTime: bson.Timestamp{T: 1, I: 1},
		Random: func() float64 { return 0.5 }, NewObjectID: bson.NewObjectID,
	}
	env.Collections.Scan = func(db, collection string) (Iterator, error) {
		return FromDocuments(s.collections[db+"."+collection]), nil
	}
	env.Collections.Replace = func(db, collection string, docs Iterator) error {
		list, err := Collect(docs)
		s.collections[db+"."+collection] = list
		return err
	}
	env.Collections.HasUniqueIndex = func(_, _ string, fields []string) bool { return slices.Equal(fields, []string{"_id"}) }
	env.Collections.Insert = func(db, collection string, doc bson.Raw) error {
		for _, d := range s.collections[db+"."+collection] {
			if Equal(d.Lookup("_id"), doc.Lookup("_id"), nil) {
				return errorf(11000, "E11000 duplicate key error collection: %s.%s index: _id_ dup key: { %s }", db, collection, formatElement("_id", doc.Lookup("_id")))
			}
		}
		s.collections[db+"."+collection] = append(s.collections[db+"."+collection], doc)
		return nil
	}
	env.Collections.Update = func(db, collection string, filter *Filter, update *Update, upsert bool) (int, error) {
		return s.update(db+"."+collection, filter, update, upsert, nil)
	}
	var err error
	if c, ok := command.Lookup("collation").Document(); ok {
		env.Collation, err = ParseCollation(c)
	}
	return env, err
}

// update changes the first document that matches.
func (s *miniServer) update(ns string, filter *Filter, update *Update, upsert bool, inserted *bson.RawValue) (int, error) {
	for i, doc := range s.collections[ns] {
		position, ok, err := filter.MatchPosition(doc)
		if err != nil {
			return 0, err
		}
		if ok {
			result, err := update.Apply(doc, position)
			if err != nil {
				return 0, err
			}
			s.collections[ns][i] = result.Document
			return 1, nil
		}
	}
	if !upsert {
		return 0, nil
	}
	doc, err := update.Upsert(filter)
	if err == nil {
		s.collections[ns] = append(s.collections[ns], doc)
		if inserted != nil {
			*inserted = doc.Lookup("_id")
		}
	}
	return 0, err
}

// run answers a command with the fields that are compared.
func (s *miniServer) run(db string, command bson.Raw) (reply bson.Raw, ok bool) {
	if s.collections == nil {
		s.collections = map[string][]bson.Raw{}
	}
	first := fields(command)[0]
	collection := text(first.value)
	ns := db + "." + collection
	env, err := s.env(db, collection, command)
	if err != nil {
		return errorReply(err), true
	}
	options := func(names ...string) bool {
		for name := range command.Keys() {
			if name != first.key && !slices.Contains(names, name) {
				return false
			}
		}
		return true
	}
	switch first.key {
	case "insert":
		if !options("documents") {
			s.lost = true
			return nil, false
		}
		for _, d := range elements(command.Lookup("documents")) {
			base := newMutable("", documentValue(emptyDoc))
			base.append(newMutable("_id", bson.Raw(d.Value).Lookup("_id")))
			if err := env.Collections.Insert(db, collection, mergeInto(base.raw().Value, d.Value)); err != nil {
				s.lost = true
			}
		}
		return nil, false
	case "find":
		if !options("filter", "sort", "projection", "limit", "skip", "collation") || command.Lookup("limit").IsNumber() && toDouble(command.Lookup("limit")) < 0 {
			return nil, false
		}
		return s.reply(s.find(env, ns, command))
	case "count":
		if !options("query", "collation") || !isObject(command.Lookup("query")) {
			return nil, false
		}
		return s.reply(s.count(env, ns, command))
	case "distinct":
		if !options("key", "query", "collation") || !isString(command.Lookup("key")) || isString(first.value) == false {
			return nil, false
		}
		if q := command.Lookup("query"); !isMissing(q) && !isObject(q) {
			return nil, false
		}
		return s.reply(s.distinct(env, ns, command))
	case "aggregate":
		if !options("pipeline", "cursor", "collation", "allowDiskUse") || !isArray(command.Lookup("pipeline")) {
			return nil, false
		}
		return s.reply(s.aggregate(env, ns, command))
	case "update":
		return s.runUpdate(env, ns, command)
	case "findAndModify":
		return s.runFindAndModify(env, ns, command, options)
	case "delete":
		return s.runDelete(env, ns, command)
	case "createIndexes", "create", "collMod", "drop", "dropDatabase", "configureFailPoint":
		s.lost = true
	}
	return nil, false
}

func (s *miniServer) reply(doc bson.Raw, err error) (bson.Raw, bool) {
	if e, ok := err.(*Error); ok && (e.Code == codeCommandNotSupported || e.Code == codeIndexNotFound && s.lost) {
		return nil, false
	}
	if err != nil {
		return errorReply(err), true
	}
	return doc, doc != nil
}

func errorReply(err error) bson.Raw {
	e := err.(*Error)
	dst, at := bson.BeginDocument(nil)
	dst = bson.AppendInt32(dst, "code", e.Code)
	dst = bson.AppendString(dst, "codeName", CodeName(e.Code, Version{Major: 4, Minor: 4}))
	dst = bson.AppendString(dst, "errmsg", e.Message)
	return bson.EndDocument(dst, at)
}

func document(v bson.RawValue) bson.Raw {
	if doc, ok := v.Document(); ok {
		return doc
	}
	return emptyDoc
}

func (s *miniServer) find(env *Env, ns string, command bson.Raw) (bson.Raw, error) {
	filter, err := ParseFilter(document(command.Lookup("filter")), env)
	if err != nil {
		return nil, err
	}
	order, err := ParseSort(document(command.Lookup("sort")), env)
	if err != nil {
		return nil, err
	}
	projection, err := ParseProjection(document(command.Lookup("projection")), filter, env)
	if err != nil {
		return nil, err
	}
	if filter.NeedsText() {
		return nil, errNoTextIndex
	}
	if filter.Near != nil || projection != nil && (projection.Needs("recordId") || projection.Needs("indexKey")) {
		return nil, errorf(codeCommandNotSupported, "")
	}
	docs, err := s.matching(filter, order, s.collections[ns])
	if err != nil {
		return nil, err
	}
	docs = docs[min(len(docs), int(truncatedNumber(command.Lookup("skip")))):]
	if limit := int(truncatedNumber(command.Lookup("limit"))); limit > 0 {
		docs = docs[:min(len(docs), limit)]
	}
	if projection != nil {
		for i, doc := range docs {
			if docs[i], err = projection.Apply(doc, nil); err != nil {
				return nil, err
			}
		}
	}
	return cursorReply(ns, docs), nil
}

func cursorReply(ns string, docs []bson.Raw) bson.Raw {
	dst, at := bson.BeginDocument(nil)
	dst, cursor := bson.BeginEmbedded(dst, "cursor")
	dst = bson.AppendValue(dst, "firstBatch", documentArray(docs))
	dst = bson.AppendInt64(dst, "id", 0)
	dst = bson.AppendString(dst, "ns", ns)
	return bson.EndDocument(bson.EndDocument(dst, cursor), at)
}

func (s *miniServer) matching(filter *Filter, order *Sort, docs []bson.Raw) ([]bson.Raw, error) {
	found, err := Collect(filtered(FromDocuments(docs), filter))
	switch {
	case err != nil || order == nil:
	case order.Natural < 0:
		slices.Reverse(found)
	case order.Natural == 0:
		return order.Documents(found)
	}
	return found, err
}

func (s *miniServer) count(env *Env, ns string, command bson.Raw) (bson.Raw, error) {
	filter, err := ParseFilter(command.Lookup("query").Value, env)
	if err != nil {
		return nil, err
	}
	docs, err := s.matching(filter, nil, s.collections[ns])
	dst, at := bson.BeginDocument(nil)
	return bson.EndDocument(bson.AppendInt32(dst, "n", int32(len(docs))), at), err
}

func (s *miniServer) distinct(env *Env, ns string, command bson.Raw) (bson.Raw, error) {
	d, err := NewDistinct(text(command.Lookup("key")), env)
	if err != nil {
		return nil, err
	}
	filter, err := ParseFilter(document(command.Lookup("query")), env)
	if err != nil {
		return nil, err
	}
	docs, err := s.matching(filter, nil, s.collections[ns])
	for _, doc := range docs {
		d.Add(doc)
	}
	dst, at := bson.BeginDocument(nil)
	return bson.EndDocument(bson.AppendArray(dst, "values", d.Values()), at), err
}

func (s *miniServer) aggregate(env *Env, ns string, command bson.Raw) (bson.Raw, error) {
	stages, err := stageDocuments(command.Lookup("pipeline"))
	if err != nil {
		return nil, err
	}
	p, err := ParsePipeline(stages, env)
	if err != nil {
		return nil, err
	}
	if name, _ := p.Initial(); name != "" {
		return nil, errorf(codeCommandNotSupported, "")
	}
	docs, err := Collect(p.Run(FromDocuments(s.collections[ns])))
	if slices.Contains(p.Stages(), "$geoNear") {
		return nil, errorf(codeCommandNotSupported, "")
	}
	return cursorReply(ns, docs), err
}

func arrayFilterDocs(v bson.RawValue) ([]bson.Raw, bool) {
	var list []bson.Raw
	for _, e := range elements(v) {
		if !isObject(e) {
			return nil, false
		}
		list = append(list, e.Value)
	}
	return list, true
}

func writeErrorReply(err error) bson.Raw {
	e := err.(*Error)
	dst, at := bson.BeginDocument(nil)
	dst, list := bson.BeginArray(dst, "writeErrors")
	dst, entry := bson.BeginEmbedded(dst, "0")
	dst = bson.AppendInt32(dst, "index", 0)
	dst = bson.AppendInt32(dst, "code", e.Code)
	dst = bson.AppendString(dst, "errmsg", e.Message)
	return bson.EndDocument(bson.EndDocument(bson.EndDocument(dst, entry), list), at)
}

func (s *miniServer) runUpdate(env *Env, ns string, command bson.Raw) (bson.Raw, bool) {
	list := elements(command.Lookup("updates"))
	if len(list) != 1 || command.Len() != 2 {
		s.lost = true
		return nil, false
	}
	statement := bson.Raw(list[0].Value)
	for name := range statement.Keys() {
		if !slices.Contains([]string{"q", "u", "upsert", "multi", "arrayFilters", "collation"}, name) {
			return nil, false
		}
	}
	arrayFilters, ok := arrayFilterDocs(statement.Lookup("arrayFilters"))
	if !ok {
		return nil, false
	}
	if isArray(statement.Lookup("u")) {
		stages, err := stageDocuments(statement.Lookup("u"))
		if err == nil {
			err = CheckStageNames(stages, env)
		}
		if err != nil {
			return errorReply(err), true
		}
	}
	matched, modified, upserted, err := s.applyStatement(env, ns, statement, arrayFilters)
	if e, ok := err.(*Error); ok && e.Code == codeCommandNotSupported {
		return nil, false
	}
	if err != nil {
		return writeErrorReply(err), true
	}
	dst, at := bson.BeginDocument(nil)
	dst = bson.AppendInt32(dst, "n", int32(matched))
	dst = bson.AppendInt32(dst, "nModified", int32(modified))
	if !isMissing(upserted) {
		up, upAt := bson.BeginDocument(nil)
		up = bson.AppendValue(bson.AppendInt32(up, "index", 0), "_id", upserted)
		dst = bson.AppendValue(dst, "upserted", arrayValue([]bson.RawValue{documentValue(bson.EndDocument(up, upAt))}))
	}
	return bson.EndDocument(dst, at), true
}

func (s *miniServer) applyStatement(env *Env, ns string, statement bson.Raw, arrayFilters []bson.Raw) (matched, modified int, upserted bson.RawValue, err error) {
	if c, ok := statement.Lookup("collation").Document(); ok {
		if env.Collation, err = ParseCollation(c); err != nil {
			return
		}
	}
	update, err := ParseUpdate(statement.Lookup("u"), arrayFilters, env)
	if err != nil {
		return
	}
	filter, err := ParseFilter(document(statement.Lookup("q")), env)
	if err != nil {
		return
	}
	if filter.NeedsText() {
		err = errNoTextIndex
		return
	}
	if filter.Near != nil {
		err = errorf(codeCommandNotSupported, "")
		return
	}
	multi, upsert := truthy(statement.Lookup("multi")), truthy(statement.Lookup("upsert"))
	if upsert {
		if err = filter.CheckUpsert(); err != nil {
			return
		}
	}
	if multi && update.Kind == Replacement {
		err = errorf(codeFailedToParse, "multi update is not supported for replacement-style update")
		return
	}
	for i, doc := range s.collections[ns] {
		position, ok, e := filter.MatchPosition(doc)
		if e != nil {
			return 0, 0, missing, e
		}
		if !ok {
			continue
		}
		result, e := update.Apply(doc, position)
		if e != nil {
			return 0, 0, missing, e
		}
		matched++
		modified += boolInt(result.Changed)
		s.collections[ns][i] = result.Document
		if !multi {
			return
		}
	}
	if matched == 0 && upsert {
		_, err = s.update(ns, filter, update, true, &upserted)
		matched = 1
	}
	return
}

func (s *miniServer) runDelete(env *Env, ns string, command bson.Raw) (bson.Raw, bool) {
	list := elements(command.Lookup("deletes"))
	if len(list) != 1 || command.Len() != 2 || !isMissing(bson.Raw(list[0].Value).Lookup("hint")) {
		s.lost = true
		return nil, false
	}
	statement := bson.Raw(list[0].Value)
	var err error
	if c, ok := statement.Lookup("collation").Document(); ok {
		if env.Collation, err = ParseCollation(c); err != nil {
			return writeErrorReply(err), true
		}
	}
	filter, err := ParseFilter(document(statement.Lookup("q")), env)
	if err != nil {
		return writeErrorReply(err), true
	}
	if filter.NeedsText() {
		return writeErrorReply(errNoTextIndex), true
	}
	n, limit := 0, int(truncatedNumber(statement.Lookup("limit")))
	var kept []bson.Raw
	for _, doc := range s.collections[ns] {
		if ok, _ := filter.Match(doc); ok && (limit == 0 || n < limit) {
			n++
			continue
		}
		kept = append(kept, doc)
	}
	s.collections[ns] = kept
	dst, at := bson.BeginDocument(nil)
	return bson.EndDocument(bson.AppendInt32(dst, "n", int32(n)), at), true
}

func (s *miniServer) runFindAndModify(env *Env, ns string, command bson.Raw, options func(...string) bool) (bson.Raw, bool) {
	if !options("query", "update", "remove", "new", "upsert", "sort", "fields", "arrayFilters", "collation") {
		s.lost = true
		return nil, false
	}
	remove := truthy(command.Lookup("remove"))
	u := command.Lookup("update")
	if remove == !isMissing(u) || remove && (truthy(command.Lookup("new")) || truthy(command.Lookup("upsert")) || !isMissing(command.Lookup("arrayFilters"))) {
		return nil, false
	}
	if f := command.Lookup("fields"); !isMissing(f) && !isObject(f) {
		return nil, false
	}
	return s.reply(s.findAndModify(env, ns, command, u, remove))
}

func (s *miniServer) findAndModify(env *Env, ns string, command bson.Raw, u bson.RawValue, remove bool) (bson.Raw, error) {
	filter, err := ParseFilter(document(command.Lookup("query")), env)
	if err != nil {
		return nil, err
	}
	projection, err := ParseProjection(document(command.Lookup("fields")), filter, env)
	if err != nil {
		return nil, err
	}
	isNew := truthy(command.Lookup("new"))
	if isNew && projection != nil && projection.Positional() {
		return nil, errorf(codeBadValue, "cannot use a positional projection and return the new document")
	}
	order, err := ParseSort(document(command.Lookup("sort")), env)
	if err != nil {
		return nil, err
	}
	var update *Update
	if !remove {
		arrayFilters, _ := arrayFilterDocs(command.Lookup("arrayFilters"))
		if update, err = ParseUpdate(u, arrayFilters, env); err != nil {
			return nil, err
		}
	}
	found, err := s.matching(filter, order, s.collections[ns])
	if err != nil {
		return nil, err
	}
	value, show := null, bson.Raw(nil)
	switch {
	case len(found) > 0:
		at := slices.IndexFunc(s.collections[ns], func(d bson.Raw) bool { return &d[0] == &found[0][0] })
		show = found[0]
		if remove {
			s.collections[ns] = slices.Delete(slices.Clone(s.collections[ns]), at, at+1)
			break
		}
		position, _, err := filter.MatchPosition(found[0])
		if err != nil {
			return nil, err
		}
		result, err := update.Apply(found[0], position)
		if err != nil {
			return nil, err
		}
		s.collections[ns][at] = result.Document
		if isNew {
			show = result.Document
		}
	case truthy(command.Lookup("upsert")):
		doc, err := update.Upsert(filter)
		if err != nil {
			return nil, err
		}
		s.collections[ns] = append(s.collections[ns], doc)
		if isNew {
			show = doc
		}
	}
	if show != nil {
		if projection != nil {
			if show, err = projection.Apply(show, nil); err != nil {
				return nil, err
			}
		}
		value = documentValue(show)
	}
	dst, at := bson.BeginDocument(nil)
	return bson.EndDocument(bson.AppendValue(dst, "value", value), at), nil
}
