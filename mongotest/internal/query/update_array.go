package query

import (
	"slices"
	"strconv"

	"github.com/motor-go/motor/bson"
)

// pusher is $push with its clauses.
type pusher struct {
	each            []bson.RawValue
	position, slice *int
	order           *elementOrder
}

func parsePush(path string, v bson.RawValue, env *Env) (modifier, error) {
	if !isObject(v) || isMissing(bson.Raw(v.Value).Lookup("$each")) {
		return &pusher{each: []bson.RawValue{v}}, nil
	}
	p := &pusher{}
	for _, f := range fields(v.Value) {
		var err error
		switch f.key {
		case "$each":
			if !isArray(f.value) {
				return nil, errorf(codeBadValue, "The argument to $each in $push must be an array but it was of type: %s", TypeName(f.value.Type))
			}
			p.each = elements(f.value)
		case "$slice":
			n, ok := wholeNumber(f.value)
			if !ok || !f.value.IsNumber() {
				return nil, errorf(codeBadValue, "The value for $slice must be an integer value but was given type: %s", TypeName(f.value.Type))
			}
			p.slice = new(maxInt(n))
		case "$position":
			n, ok := wholeNumber(f.value)
			if !ok || !f.value.IsNumber() {
				return nil, errorf(codeBadValue, "The value for $position must be an integer value, not of type: %s", TypeName(f.value.Type))
			}
			p.position = new(maxInt(n))
		case "$sort":
			if !isObject(f.value) && !f.value.IsNumber() {
				return nil, errorf(codeBadValue, "The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields")
			}
			if p.order, err = parseElementOrder(f.value, env); err != nil {
				return nil, err
			}
		default:
			return nil, errorf(codeBadValue, "Unrecognized clause in $push: %s", f.key)
		}
	}
	return p, nil
}

func (p *pusher) apply(c *updateContext, path steps) error {
	m, rest := c.find(path)
	if len(rest) > 0 {
		list, err := p.pushed(nil)
		if err != nil {
			return err
		}
		if err := checkElements(c, path, p.each); err != nil {
			return err
		}
		return c.create(path, arrayValue(list))
	}
	if !m.isArray() {
		return errorf(codeBadValue, "The field '%s' must be an array but is of type %s in document %s", path[len(path)-1].name, TypeName(m.value.Type), c.idOf())
	}
	old := elements(m.raw())
	list, err := p.pushed(old)
	if err != nil {
		return err
	}
	v := arrayValue(list)
	if equalBytes(v, m.raw()) {
		return nil
	}
	if err := checkElements(c, path, p.each); err != nil {
		return err
	}
	if !p.appends(len(old)) {
		m.set(v)
		return c.touched(path, m)
	}
	if err := c.checkImmutable(path); err != nil {
		return err
	}
	for i, e := range p.each {
		kid := newMutable("", e)
		m.append(kid)
		c.log.set(path.with(strconv.Itoa(len(old)+i), true), kid)
	}
	c.changed = true
	return nil
}

// appends reports whether all that happens is that elements are added at the
// end.
func (p *pusher) appends(size int) bool {
	return p.order == nil && p.slice == nil && (p.position == nil || *p.position >= size)
}

// pushed is the array after all clauses.
func (p *pusher) pushed(list []bson.RawValue) ([]bson.RawValue, error) {
	at := len(list)
	if p.position != nil {
		at = min(*p.position, len(list))
		if *p.position < 0 {
			at = max(len(list)+*p.position, 0)
		}
	}
	list = slices.Insert(slices.Clone(list), at, p.each...)
	if p.order != nil {
		if err := p.order.sort(list); err != nil {
			return nil, err
		}
	}
	if p.slice != nil {
		if n := *p.slice; n < 0 {
			list = list[max(len(list)+n, 0):]
		} else {
			list = list[:min(n, len(list))]
		}
	}
	return list, nil
}

// checkElements checks that new elements of an array may be stored.
func checkElements(c *updateContext, path steps, list []bson.RawValue) error {
	if c.update.env.Version.AtLeast(5, 0) {
		return nil
	}
	for _, e := range list {
		if err := checkStorable(e, path.String()+"."); err != nil {
			return err
		}
	}
	return nil
}

// addToSet is $addToSet.
type addToSet struct {
	values    []bson.RawValue
	collation *Collation
}

func parseAddToSet(_ string, v bson.RawValue, env *Env) (modifier, error) {
	a := &addToSet{values: []bson.RawValue{v}, collation: env.Collation}
	if !isObject(v) {
		return a, nil
	}
	list := fields(v.Value)
	if len(list) == 0 || list[0].key != "$each" {
		return a, nil
	}
	if !isArray(list[0].value) {
		return nil, errorf(codeTypeMismatch, "The argument to $each in $addToSet must be an array but it was of type %s", TypeName(list[0].value.Type))
	}
	if len(list) > 1 {
		return nil, errorf(codeBadValue, "Found unexpected fields after $each in $addToSet: %s", FormatDocument(v.Value))
	}
	a.values = elements(list[0].value)
	return a, nil
}

func (a *addToSet) apply(c *updateContext, path steps) error {
	m, rest := c.find(path)
	var old []bson.RawValue
	if len(rest) == 0 {
		if !m.isArray() {
			return errorf(codeBadValue, "Cannot apply $addToSet to non-array field. Field named '%s' has non-array type %s", path[len(path)-1].name, TypeName(m.value.Type))
		}
		old = elements(m.raw())
	}
	seen := valueSet{}
	for _, v := range old {
		seen.add(v, a.collation)
	}
	list := old
	for _, v := range a.values {
		if seen.add(v, a.collation) {
			list = append(list, v)
		}
	}
	if err := checkElements(c, path, list[len(old):]); err != nil {
		return err
	}
	if len(rest) > 0 {
		return c.create(path, arrayValue(list))
	}
	if len(list) == len(old) {
		return nil
	}
	m.set(arrayValue(list))
	return c.touched(path, m)
}

// popper is $pop.
type popper struct{ first bool }

func parsePop(path string, v bson.RawValue, _ *Env) (modifier, error) {
	n, err := parseLong(formatElement(path, v), v)
	if err != nil {
		return nil, err
	}
	if n != 1 && n != -1 {
		return nil, errorf(codeFailedToParse, "$pop expects 1 or -1, found: %d", n)
	}
	return popper{first: n < 0}, nil
}

func (p popper) apply(c *updateContext, path steps) error {
	m, rest := c.find(path)
	if len(rest) > 0 {
		return nil
	}
	if !m.isArray() {
		return errorf(codeTypeMismatch, "Path '%s' contains an element of non-array type '%s'", path, TypeName(m.value.Type))
	}
	list := elements(m.raw())
	if len(list) == 0 {
		return nil
	}
	if p.first {
		list = list[1:]
	} else {
		list = list[:len(list)-1]
	}
	m.set(arrayValue(list))
	return c.touched(path, m)
}

// puller takes the elements away that match: $pull and $pullAll.
type puller struct {
	matches func(v bson.RawValue) (bool, error)
}

func (p *puller) apply(c *updateContext, path steps) error {
	m, rest := c.find(path)
	if len(rest) > 0 {
		return nil
	}
	if !m.isArray() {
		return errorf(codeBadValue, "Cannot apply $pull to a non-array value")
	}
	old := elements(m.raw())
	var kept []bson.RawValue
	for _, e := range old {
		ok, err := p.matches(e)
		if err != nil {
			return err
		}
		if !ok {
			kept = append(kept, e)
		}
	}
	if len(kept) == len(old) {
		return nil
	}
	m.set(arrayValue(kept))
	return c.touched(path, m)
}

// parsePull reads a value to be equal to, operators on the elements, or a query
// on elements that are documents.
func parsePull(_ string, v bson.RawValue, env *Env) (modifier, error) {
	wrapped := isOperators(v, false) && !startsPathless(v.Value) || v.Type == bson.TypeRegex
	if isObject(v) && !wrapped {
		filter, err := parseFilter(v.Value, env, 0)
		if err != nil {
			return nil, err
		}
		return &puller{func(e bson.RawValue) (bool, error) {
			if !isObject(e) {
				return false, nil
			}
			return filter.Match(e.Value)
		}}, nil
	}
	if wrapped {
		filter, err := parseFilter(wrap(v), env, 0)
		if err != nil {
			return nil, err
		}
		return &puller{func(e bson.RawValue) (bool, error) { return filter.Match(wrap(e)) }}, nil
	}
	return &puller{func(e bson.RawValue) (bool, error) { return Equal(e, v, env.Collation), nil }}, nil
}

func startsPathless(doc bson.Raw) bool {
	for name := range doc.Keys() {
		return isPathless(name)
	}
	return false
}

// wrap is a document with v under an empty name.
func wrap(v bson.RawValue) bson.Raw {
	dst, at := bson.BeginDocument(nil)
	return bson.EndDocument(bson.AppendValue(dst, "", v), at)
}

func parsePullAll(_ string, v bson.RawValue, env *Env) (modifier, error) {
	if !isArray(v) {
		return nil, errorf(codeBadValue, "$pullAll requires an array argument but was given a %s", TypeName(v.Type))
	}
	set := setOf(v, env.Collation)
	return &puller{func(e bson.RawValue) (bool, error) {
		_, ok := set[string(AppendKey(nil, e, env.Collation))]
		return ok, nil
	}}, nil
}
