package query

import (
	"strings"

	"github.com/motor-go/motor/bson"
)

// filterParser makes nodes of a query document.
type filterParser struct {
	env    *Env
	allow  allowed
	filter *Filter
}

// document parses a query on whole documents. top is false within $elemMatch.
func (p *filterParser) document(doc bson.Raw, top bool) (node, error) {
	and := &andNode{}
	for name, v := range doc.All() {
		var n node
		var err error
		switch {
		case isPathless(name):
			n, err = p.pathless(name, v, top)
		case strings.HasPrefix(name, "$") && !isDBRefField(name):
			err = p.unknownTopLevel(name)
		case isOperators(v, false):
			n, err = p.operators(name, v.Value)
		default:
			n, err = p.implicitEquality(name, v)
		}
		if err != nil {
			return nil, err
		}
		if n != nil {
			and.children = append(and.children, n)
		}
	}
	return and, nil
}

func (p *filterParser) unknownTopLevel(name string) error {
	hint := ""
	if p.env.Version.AtLeast(5, 0) {
		hint = ". If you have a field name that starts with a '$' symbol, consider using $getField or $setField."
	}
	return errorf(codeBadValue, "unknown top level operator: %s%s", name, hint)
}

func isDBRefField(name string) bool { return name == "$ref" || name == "$id" || name == "$db" }

// isOperators reports whether v is a document of operators: one that begins
// with a $ and is no DBRef.
func isOperators(v bson.RawValue, allowIncompleteDBRef bool) bool {
	if !isObject(v) {
		return false
	}
	for name := range bson.Raw(v.Value).Keys() {
		return strings.HasPrefix(name, "$") && !isDBRef(v.Value, allowIncompleteDBRef)
	}
	return false
}

func isDBRef(doc bson.Raw, allowIncomplete bool) bool {
	ref, id, db := doc.Lookup("$ref"), doc.Lookup("$id"), doc.Lookup("$db")
	if allowIncomplete {
		return !isMissing(ref) || !isMissing(id) || !isMissing(db)
	}
	return !isMissing(ref) && !isMissing(id)
}

func isPathless(name string) bool {
	switch name {
	case "$and", "$or", "$nor", "$expr", "$where", "$text", "$comment", "$jsonSchema", "$sampleRate", "$alwaysTrue", "$alwaysFalse":
		return true
	}
	return false
}

// pathless parses an operator on the whole document.
func (p *filterParser) pathless(name string, v bson.RawValue, top bool) (node, error) {
	switch name {
	case "$and":
		children, err := p.clauses(name, v, top)
		return &andNode{children}, err
	case "$or":
		children, err := p.clauses(name, v, top)
		return &orNode{children}, err
	case "$nor":
		children, err := p.clauses(name, v, top)
		return &norNode{children}, err
	case "$comment":
		return nil, nil
	case "$alwaysTrue", "$alwaysFalse":
		if n, err := parseLong(formatElement(name, v), v); err != nil {
			return nil, err
		} else if n != 1 {
			return nil, errorf(codeFailedToParse, "%s must be an integer value of 1", name)
		}
		return &constantNode{name == "$alwaysTrue"}, nil
	case "$sampleRate":
		return p.sampleRate(v)
	case "$jsonSchema":
		if !isObject(v) {
			return nil, errorf(codeTypeMismatch, "$jsonSchema must be an object")
		}
		s, err := parseSchema(v.Value, p.env)
		return &schemaNode{s}, err
	case "$expr":
		return p.expr(v, top)
	case "$text":
		return p.text(v, top)
	}
	return p.where(v, top)
}

func (p *filterParser) clauses(name string, v bson.RawValue, top bool) ([]node, error) {
	if !isArray(v) {
		return nil, errorf(codeBadValue, "%s must be an array", name)
	}
	var children []node
	for e := range bson.RawArray(v.Value).Values() {
		if !isObject(e) {
			return nil, errorf(codeBadValue, "$or/$and/$nor entries need to be full objects")
		}
		n, err := p.document(e.Value, top)
		if err != nil {
			return nil, err
		}
		children = append(children, n)
	}
	if len(children) == 0 {
		return nil, errorf(codeBadValue, "$and/$or/$nor must be a nonempty array")
	}
	return children, nil
}

func (p *filterParser) sampleRate(v bson.RawValue) (node, error) {
	if !v.IsNumber() {
		return nil, errorf(codeBadValue, "argument to $sampleRate must be a numeric type")
	}
	rate := toDouble(v)
	if !(rate >= 0 && rate <= 1) {
		return nil, errorf(codeBadValue, "numeric argument to $sampleRate must be in [0, 1]")
	}
	return &sampleNode{rate, p.env.Random}, nil
}

func (p *filterParser) expr(v bson.RawValue, top bool) (node, error) {
	if !top {
		return nil, errorf(codeBadValue, "$expr can only be applied to the top-level document")
	}
	expr, err := parseExpression(v, p.env)
	if err != nil {
		return nil, err
	}
	if err := expr.optimize(p.env); err != nil {
		return nil, within(err, "Failed to optimize expression")
	}
	p.filter.hasExpr = true
	return &exprNode{expr, p.env}, nil
}

func (p *filterParser) text(v bson.RawValue, top bool) (node, error) {
	switch {
	case p.allow&allowText == 0:
		return nil, errorf(codeBadValue, "$text is not allowed in this context")
	case !top:
		return nil, errorf(codeBadValue, "$text can only be applied to the top-level document")
	case !isObject(v):
		return nil, errorf(codeBadValue, "$text expects an object")
	}
	search := bson.Raw(v.Value).Lookup("$search")
	if isMissing(search) {
		return nil, errorf(codeNoSuchKey, `Missing expected field "$search"`)
	}
	if !isString(search) {
		return nil, errorf(codeTypeMismatch, `"$search" had the wrong type. Expected string, found %s`, TypeName(search.Type))
	}
	p.filter.text = true
	return &textNode{}, nil
}

func (p *filterParser) where(v bson.RawValue, top bool) (node, error) {
	switch {
	case p.allow&allowText == 0:
		return nil, errorf(codeBadValue, "$where is not allowed in this context")
	case !top:
		return nil, errorf(codeBadValue, "$where can only be applied to the top-level document")
	case v.Type != bson.TypeString && v.Type != bson.TypeJavaScript && v.Type != bson.TypeCodeWithScope:
		return nil, errorf(codeBadValue, "$where got bad type")
	case p.env.Scripting == nil:
		return nil, errorf(codeBadValue, "no globalScriptEngine in $where parsing")
	}
	f, err := NewScript(v, p.env)
	return &whereNode{f}, err
}

func (p *filterParser) implicitEquality(path string, v bson.RawValue) (node, error) {
	if v.Type == bson.TypeRegex {
		r, _ := v.Regex()
		pred, err := newRegexMatch(r, p.env)
		if err != nil {
			return nil, err
		}
		return pred.bind(path), nil
	}
	pred, err := p.equal(v)
	if err != nil {
		return nil, err
	}
	return pred.bind(path), nil
}

func (p *filterParser) equal(v bson.RawValue) (predicate, error) {
	if v.Type == bson.TypeUndefined {
		return nil, errorf(codeBadValue, "cannot compare to undefined")
	}
	return &comparison{op: opEq, value: v, collation: p.env.Collation}, nil
}

// operators parses a document of operators on a path.
func (p *filterParser) operators(path string, doc bson.Raw) (node, error) {
	preds, err := p.predicates(path, doc)
	if err != nil {
		return nil, err
	}
	and := &andNode{}
	for _, pred := range preds {
		and.children = append(and.children, pred.bind(path))
	}
	return and, nil
}

func (p *filterParser) predicates(path string, doc bson.Raw) ([]predicate, error) {
	if geo, err := p.geo(path, doc); geo != nil || err != nil {
		return []predicate{geo}, err
	}
	var preds []predicate
	regex := false
	for name, v := range doc.All() {
		if name == "$regex" || name == "$options" {
			if regex {
				continue
			}
			regex = true
			pred, err := p.regexDocument(doc)
			if err != nil {
				return nil, err
			}
			preds = append(preds, pred)
			continue
		}
		pred, err := p.operator(path, name, v)
		if err != nil {
			return nil, err
		}
		preds = append(preds, pred)
	}
	return preds, nil
}

func (p *filterParser) operator(path, name string, v bson.RawValue) (predicate, error) {
	switch name {
	case "$eq":
		return p.equal(v)
	case "$ne":
		if v.Type == bson.TypeRegex {
			return nil, errorf(codeBadValue, "Can't have regex as arg to $ne.")
		}
		pred, err := p.equal(v)
		return &negated{pred}, err
	case "$lt", "$lte", "$gt", "$gte":
		if v.Type == bson.TypeRegex {
			return nil, errorf(codeBadValue, "Can't have RegEx as arg to predicate over field '%s'.", path)
		}
		if v.Type == bson.TypeUndefined {
			return nil, errorf(codeBadValue, "cannot compare to undefined")
		}
		return &comparison{op: comparisonNames[name], value: v, collation: p.env.Collation}, nil
	case "$in", "$nin":
		pred, err := p.in(name, v)
		if name == "$nin" && err == nil {
			pred = &negated{pred}
		}
		return pred, err
	case "$not":
		return p.not(path, v)
	case "$exists":
		if v.Type == bson.TypeUndefined {
			return nil, errorf(codeBadValue, "$exists can't be eoo")
		}
		if !truthy(v) {
			return &negated{&exists{}}, nil
		}
		return &exists{}, nil
	case "$type":
		return parseTypeSet(path, v)
	case "$mod":
		return parseModulo(v)
	case "$size":
		return parseSize(v)
	case "$all":
		return p.all(path, v)
	case "$elemMatch":
		return p.elemMatch(v)
	case "$bitsAllSet", "$bitsAllClear", "$bitsAnySet", "$bitsAnyClear":
		return parseBits(bitsNames[name], path, name, v)
	}
	return nil, errorf(codeBadValue, "unknown operator: %s", name)
}

func (p *filterParser) not(path string, v bson.RawValue) (predicate, error) {
	switch {
	case v.Type == bson.TypeRegex:
		r, _ := v.Regex()
		pred, err := newRegexMatch(r, p.env)
		return &negated{pred}, err
	case !isObject(v):
		return nil, errorf(codeBadValue, "$not needs a regex or a document")
	case bson.Raw(v.Value).Len() == 0:
		return nil, errorf(codeBadValue, "$not cannot be empty")
	}
	preds, err := p.predicates(path, v.Value)
	if err != nil {
		return nil, err
	}
	return &negated{single(preds)}, nil
}

// single is all of preds as one.
func single(preds []predicate) predicate {
	if len(preds) == 1 {
		return preds[0]
	}
	return &allOf{preds}
}

func (p *filterParser) in(name string, v bson.RawValue) (predicate, error) {
	if !isArray(v) {
		return nil, errorf(codeBadValue, "%s needs an array", name)
	}
	pred := &in{values: map[string]bool{}, collation: p.env.Collation}
	for e := range bson.RawArray(v.Value).Values() {
		switch {
		case isOperators(e, false):
			return nil, errorf(codeBadValue, "cannot nest $ under %s", name)
		case e.Type == bson.TypeUndefined:
			return nil, errorf(codeBadValue, "InMatchExpression equality cannot be undefined")
		case e.Type == bson.TypeRegex:
			r, _ := e.Regex()
			m, err := newRegexMatch(r, p.env)
			if err != nil {
				return nil, err
			}
			pred.regexes = append(pred.regexes, m)
			continue
		}
		pred.null = pred.null || e.Type == bson.TypeNull
		if key := string(AppendKey(nil, e, p.env.Collation)); !pred.values[key] {
			pred.values[key] = true
			pred.list = append(pred.list, e)
		}
	}
	// The server makes $in of one value an equality, which tells: undefined
	// equals null then.
	if len(pred.list) == 1 && len(pred.regexes) == 0 {
		return p.equal(pred.list[0])
	}
	return pred, nil
}

func (p *filterParser) all(path string, v bson.RawValue) (predicate, error) {
	if !isArray(v) {
		return nil, errorf(codeBadValue, "$all needs an array")
	}
	list := elements(v)
	if len(list) == 0 {
		return &in{}, nil
	}
	preds := &allOf{}
	if isElemMatch(list[0]) {
		for _, e := range list {
			if !isElemMatch(e) || bson.Raw(e.Value).Len() != 1 {
				return nil, errorf(codeBadValue, "$all/$elemMatch has to be consistent")
			}
			pred, err := p.elemMatch(bson.Raw(e.Value).Lookup("$elemMatch"))
			if err != nil {
				return nil, err
			}
			preds.preds = append(preds.preds, pred)
		}
		return preds, nil
	}
	for _, e := range list {
		var pred predicate
		var err error
		switch {
		case isOperators(e, false):
			err = errorf(codeBadValue, "no $ expressions in $all")
		case e.Type == bson.TypeRegex:
			r, _ := e.Regex()
			pred, err = newRegexMatch(r, p.env)
		default:
			pred, err = p.equal(e)
		}
		if err != nil {
			return nil, err
		}
		preds.preds = append(preds.preds, pred)
	}
	return preds, nil
}

func isElemMatch(v bson.RawValue) bool {
	if isObject(v) {
		for name := range bson.Raw(v.Value).Keys() {
			return name == "$elemMatch"
		}
	}
	return false
}

func (p *filterParser) elemMatch(v bson.RawValue) (predicate, error) {
	if !isObject(v) {
		return nil, errorf(codeBadValue, "$elemMatch needs an Object")
	}
	if isOperators(v, true) {
		for name := range bson.Raw(v.Value).Keys() {
			if isPathless(name) {
				break
			}
			preds, err := p.predicates("", v.Value)
			if err != nil {
				return nil, err
			}
			return &elemMatchValue{pred: &allOf{preds}}, nil
		}
	}
	query, err := p.document(v.Value, false)
	return &elemMatchObject{query: query}, err
}

func (p *filterParser) regexDocument(doc bson.Raw) (predicate, error) {
	var r bson.Regex
	found := false
	both := func() error { return errorf(51075, "options set in both $regex and $options") }
	for name, v := range doc.All() {
		switch name {
		case "$regex":
			found = true
			switch v.Type {
			case bson.TypeString:
				r.Pattern = text(v)
			case bson.TypeRegex:
				source, _ := v.Regex()
				r.Pattern = source.Pattern
				if source.Options != "" {
					if r.Options != "" {
						return nil, both()
					}
					r.Options = source.Options
				}
			default:
				return nil, errorf(codeBadValue, "$regex has to be a string")
			}
		case "$options":
			if !isString(v) {
				return nil, errorf(codeBadValue, "$options has to be a string")
			}
			if r.Options != "" {
				return nil, both()
			}
			r.Options = text(v)
		}
	}
	if !found {
		return nil, errorf(codeBadValue, "$options needs a $regex")
	}
	return newRegexMatch(r, p.env)
}

func newRegexMatch(r bson.Regex, env *Env) (*regexMatch, error) {
	compiled, err := compileRegex(r.Pattern, r.Options, env)
	if err != nil {
		return nil, err
	}
	return &regexMatch{source: r, regex: compiled}, nil
}

func parseTypeSet(path string, v bson.RawValue) (*typeSet, error) {
	p := &typeSet{types: map[bson.Type]bool{}}
	list := []bson.RawValue{v}
	if isArray(v) {
		list = elements(v)
	}
	if len(list) == 0 {
		return nil, errorf(codeFailedToParse, "%s must match at least one type", path)
	}
	for _, e := range list {
		if err := p.parse(e); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *typeSet) parse(v bson.RawValue) error {
	switch {
	case isString(v) && text(v) == "number":
		p.add(numberTypes...)
	case isString(v):
		t := typeByName(text(v))
		if t == 0 {
			return errorf(codeBadValue, "Unknown type name alias: %s", text(v))
		}
		p.add(t)
	case v.IsNumber():
		n, ok := wholeNumber(v)
		t := typeByNumber(n)
		if !ok || t == 0 {
			return errorf(codeBadValue, "Invalid numerical type code: %s", strings.TrimSuffix(formatValue(v), ".0"))
		}
		p.add(t)
	default:
		return errorf(codeTypeMismatch, "type must be represented as a number or a string")
	}
	return nil
}

func parseModulo(v bson.RawValue) (predicate, error) {
	if !isArray(v) {
		return nil, errorf(codeBadValue, "malformed mod, needs to be an array")
	}
	list := elements(v)
	switch {
	case len(list) < 2:
		return nil, errorf(codeBadValue, "malformed mod, not enough elements")
	case len(list) > 2:
		return nil, errorf(codeBadValue, "malformed mod, too many elements")
	case !list[0].IsNumber():
		return nil, errorf(codeBadValue, "malformed mod, divisor not a number")
	case !list[1].IsNumber():
		return nil, errorf(codeBadValue, "malformed mod, remainder not a number")
	}
	p := &modulo{divisor: truncatedNumber(list[0]), remainder: truncatedNumber(list[1])}
	if p.divisor == 0 {
		return nil, errorf(codeBadValue, "divisor cannot be 0")
	}
	return p, nil
}

func parseSize(v bson.RawValue) (predicate, error) {
	if !v.IsNumber() {
		return nil, errorf(codeBadValue, "$size needs a number")
	}
	n, ok := wholeNumber(v)
	switch {
	case !ok:
		return nil, errorf(codeBadValue, "$size must be a whole number")
	case n < 0:
		return nil, errorf(codeBadValue, "$size may not be negative")
	}
	return &size{n: n}, nil
}
