package query

import (
	"strings"

	"github.com/motor-go/motor/bson"
)

// writing makes a stage that writes all documents when it is first read, and
// gives none.
func writing(name string, write func(in Iterator) error) []*stage {
	return []*stage{{name: name, run: func(in Iterator) Iterator {
		done := false
		return func() (bson.Raw, error) {
			if done {
				return nil, nil
			}
			done = true
			return nil, write(in)
		}
	}}}
}

func parseOut(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	db, collection := p.env.DB, text(v)
	switch {
	case isString(v):
	case isObject(v) && p.env.Version.AtLeast(4, 4):
		d, c := bson.Raw(v.Value).Lookup("db"), bson.Raw(v.Value).Lookup("coll")
		if bson.Raw(v.Value).Len() != 2 || !isString(d) || !isString(c) {
			return nil, errorf(16994, "If an object is passed to $out it must have exactly 2 fields: 'db' and 'coll'")
		}
		db, collection = text(d), text(c)
	default:
		return nil, errorf(16990, "$out only supports a string or object argument, but found %s", TypeName(v.Type))
	}
	if err := checkTarget(name, db, collection); err != nil {
		return nil, err
	}
	return writing(name, func(in Iterator) error {
		if p.env.Collections.Replace == nil {
			return errorf(codeCommandNotSupported, "this pipeline cannot write")
		}
		return p.env.Collections.Replace(db, collection, withIDs(in, p.env))
	}), nil
}

// checkTarget refuses collections that $out and $merge cannot write to.
func checkTarget(name, db, collection string) error {
	special, internal, cannot := int32(17385), int32(31321), "Can't"
	if name == "$merge" {
		special, internal, cannot = 31319, 31320, "Cannot"
	}
	switch {
	case !validCollection(collection) || strings.HasPrefix(collection, "$") || db == "":
		return errorf(codeInvalidNamespace, "Invalid %s target namespace, %s.%s", name, db, collection)
	case strings.HasPrefix(collection, "system."):
		return errorf(special, "%s %s to special collection: %s", cannot, name, collection)
	case db == "admin" || db == "local" || db == "config":
		return errorf(internal, "%s %s to internal database: %s", cannot, name, db)
	case strings.Contains(collection, "$"):
		return errorf(codeInvalidNamespace, "Invalid collection name: %s", collection)
	}
	return nil
}

// validCollection reports whether a collection can be asked for by the name.
func validCollection(name string) bool {
	return name != "" && !strings.HasPrefix(name, ".") && !strings.Contains(name, "\x00")
}

// checkFrom refuses what no collection to read from can be called.
func checkFrom(stage, db, collection string) error {
	if !validCollection(collection) {
		return errorf(codeInvalidNamespace, "Invalid %s namespace: %s.%s", stage, db, collection)
	}
	return nil
}

// withIDs puts an _id first into documents that have none.
func withIDs(in Iterator, env *Env) Iterator {
	return func() (bson.Raw, error) {
		doc, err := in()
		if doc == nil || err != nil || !isMissing(doc.Lookup("_id")) {
			return doc, err
		}
		dst, at := bson.BeginDocument(nil)
		dst = bson.AppendObjectID(dst, "_id", env.NewObjectID())
		for k, v := range doc.All() {
			dst = bson.AppendValue(dst, k, v)
		}
		return bson.EndDocument(dst, at), nil
	}
}

// merge is $merge.
type merge struct {
	env            *Env
	db, collection string
	on             []string
	onGiven        bool
	matched        string // "pipeline" among others
	pipeline       bson.RawValue
	let            bson.RawValue
	notMatched     string
}

func parseMerge(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	m := &merge{env: p.env, db: p.env.DB, on: []string{"_id"}, matched: "merge", notMatched: "insert"}
	switch {
	case isString(v):
		m.collection = text(v)
	case isObject(v):
		if isMissing(bson.Raw(v.Value).Lookup("into")) {
			for _, f := range fields(v.Value) {
				if !mergeFields[f.key] {
					return nil, errorf(40415, "BSON field '$merge.%s' is an unknown field.", f.key)
				}
			}
			return nil, errorf(40414, "BSON field '$merge.into' is missing but a required field")
		}
		for _, f := range fields(v.Value) {
			if err := m.option(f.key, f.value); err != nil {
				return nil, err
			}
		}
	default:
		return nil, errorf(codeTypeMismatch, "$merge requires a string or object argument, but found %s", TypeName(v.Type))
	}
	if err := checkTarget(name, m.db, m.collection); err != nil {
		return nil, err
	}
	if m.matched == "pipeline" {
		// The variables have their values only when documents come.
		if _, err := m.update(emptyDoc); err != nil {
			return nil, err
		}
	} else if !isMissing(m.let) {
		return nil, errorf(51199, "Cannot use 'let' variables with 'whenMatched: %s' mode", m.matched)
	}
	if m.onGiven && m.env.Collections.HasUniqueIndex != nil && !m.env.Collections.HasUniqueIndex(m.db, m.collection, m.on) {
		return nil, errorf(51183, "Cannot find index to verify that join fields will be unique")
	}
	return writing(name, m.write), nil
}

var mergeFields = map[string]bool{"into": true, "on": true, "let": true, "whenMatched": true, "whenNotMatched": true}

func (m *merge) option(name string, v bson.RawValue) error {
	switch name {
	case "into":
		switch {
		case isString(v):
			m.collection = text(v)
		case isObject(v):
			for _, f := range fields(v.Value) {
				switch f.key {
				case "db":
					m.db = text(f.value)
				case "coll":
					m.collection = text(f.value)
				default:
					return errorf(40415, "BSON field 'into.%s' is an unknown field.", f.key)
				}
			}
		default:
			return errorf(51178, "$merge 'into' field  must be either a string or an object, but found %s", TypeName(v.Type))
		}
	case "on":
		return m.parseOn(v)
	case "let":
		if !isObject(v) {
			return errorf(codeTypeMismatch, "BSON field '$merge.let' is the wrong type '%s', expected type 'object'", TypeName(v.Type))
		}
		m.let = v
	case "whenMatched":
		if isArray(v) {
			m.matched, m.pipeline = "pipeline", v
			return nil
		}
		if !isString(v) {
			return errorf(51191, "$merge 'whenMatched' field  must be either a string or an array, but found %s", TypeName(v.Type))
		}
		switch m.matched = text(v); m.matched {
		case "replace", "keepExisting", "merge", "fail":
		default:
			return errorf(codeBadValue, "Enumeration value '%s' for field 'whenMatched' is not a valid value.", text(v))
		}
	case "whenNotMatched":
		switch m.notMatched = text(v); m.notMatched {
		case "insert", "discard", "fail":
		default:
			return errorf(codeBadValue, "Enumeration value '%s' for field '$merge.whenNotMatched' is not a valid value.", text(v))
		}
	default:
		return errorf(40415, "BSON field '$merge.%s' is an unknown field.", name)
	}
	return nil
}

func (m *merge) parseOn(v bson.RawValue) error {
	list := []bson.RawValue{v}
	if isArray(v) {
		if list = elements(v); len(list) == 0 {
			return errorf(51187, "If explicitly specifying $merge 'on', must include at least one field")
		}
	} else if !isString(v) {
		return errorf(51186, "$merge 'on' field  must be either a string or an array of strings, but found %s", TypeName(v.Type))
	}
	m.on, m.onGiven = nil, true
	for _, e := range list {
		if !isString(e) {
			return errorf(51134, "$merge 'on' array elements must be strings, but found %s", TypeName(e.Type))
		}
		if err := checkFieldPath(text(e)); err != nil {
			return err
		}
		m.on = append(m.on, text(e))
	}
	return nil
}

func (m *merge) write(in Iterator) error {
	if m.env.Collections.Update == nil || m.env.Collections.Insert == nil {
		return errorf(codeCommandNotSupported, "this pipeline cannot write")
	}
	in = withIDs(in, m.env)
	for {
		doc, err := in()
		if doc == nil || err != nil {
			return err
		}
		if err := m.one(doc); err != nil {
			return err
		}
	}
}

func (m *merge) one(doc bson.Raw) error {
	if m.matched == "fail" {
		return m.env.Collections.Insert(m.db, m.collection, doc)
	}
	filter, err := m.filter(doc)
	if err != nil {
		return err
	}
	update, err := m.update(doc)
	if err != nil {
		return err
	}
	insert := m.notMatched == "insert"
	matched, err := m.env.Collections.Update(m.db, m.collection, filter, update, insert && m.matched != "pipeline")
	if err != nil || matched > 0 {
		return err
	}
	switch {
	case m.notMatched == "fail":
		return errorf(13113, "$merge could not find a matching document in the target collection for at least one document in the source collection")
	case insert && m.matched == "pipeline":
		return m.env.Collections.Insert(m.db, m.collection, doc)
	}
	return nil
}

// filter matches the document that has the same values in the 'on' fields.
func (m *merge) filter(doc bson.Raw) (*Filter, error) {
	and := &andNode{}
	for _, path := range m.on {
		v := fieldAt(doc, splitPath(path))
		if isArray(v) || isNullish(v) {
			return nil, errorf(51132, "$merge write error: 'on' field '%s' cannot be missing, null, undefined or an array", path)
		}
		c := &comparison{op: opEq, value: v, collation: m.env.Collation}
		and.children = append(and.children, c.bind(path))
	}
	root := simplify(and)
	return &Filter{root: root, ordered: root}, nil
}

// update is what happens to a document that matches.
func (m *merge) update(doc bson.Raw) (*Update, error) {
	env := *m.env
	switch m.matched {
	case "replace":
		return ParseUpdate(documentValue(doc), nil, &env)
	case "keepExisting":
		dst, at := bson.BeginDocument(nil)
		dst = bson.AppendDocument(dst, "$setOnInsert", doc)
		return ParseUpdate(documentValue(bson.EndDocument(dst, at)), nil, &env)
	case "merge":
		literal, at := bson.BeginDocument(nil)
		literal = bson.EndDocument(bson.AppendDocument(literal, "$literal", doc), at)
		merged, at := bson.BeginDocument(nil)
		merged = bson.AppendValue(merged, "$mergeObjects", arrayValue([]bson.RawValue{stringValue("$$ROOT"), documentValue(literal)}))
		merged = bson.EndDocument(merged, at)
		stage, at := bson.BeginDocument(nil)
		stage = bson.EndDocument(bson.AppendDocument(stage, "$replaceWith", merged), at)
		return ParseUpdate(arrayValue([]bson.RawValue{documentValue(stage)}), nil, &env)
	}
	env.outer = map[string]bson.RawValue{"new": documentValue(doc)}
	if !isMissing(m.let) {
		for _, f := range fields(m.let.Value) {
			if err := checkVariableName(f.key); err != nil {
				return nil, err
			}
			e, err := parseExpression(f.value, m.env)
			if err != nil {
				return nil, err
			}
			if env.outer[f.key], err = e.eval(newScope(m.env, doc)); err != nil {
				return nil, err
			}
		}
	}
	return ParseUpdate(m.pipeline, nil, &env)
}
