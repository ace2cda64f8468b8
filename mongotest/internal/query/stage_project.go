package query

import (
	"strings"

	"github.com/motor-go/motor/bson"
)

func parseProject(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) {
		return nil, errorf(15969, "$project specification must be an object")
	}
	if bson.Raw(v.Value).Len() == 0 {
		return nil, errorf(51272, "Invalid $project :: caused by :: projection specification must have at least one field")
	}
	pp := &projectionParser{env: p.env, out: &Projection{env: p.env, id: true, tree: newFieldTree()}}
	projection, err := pp.parse(v.Value)
	if err != nil {
		return nil, within(err, "Invalid $project")
	}
	return p.projecting(name, projection), nil
}

func (p *pipelineParser) projecting(name string, projection *Projection) []*stage {
	return each(name, func(doc bson.Raw) (bson.Raw, error) {
		return projection.apply(newScope(p.env, doc), doc)
	}, projection.tree.expressions()...)
}

// expressions are all that the tree computes.
func (t *fieldTree) expressions() []*expression {
	var list []*expression
	for _, name := range t.names {
		if e := t.computed[name]; e != nil {
			list = append(list, e)
		}
		if c := t.children[name]; c != nil {
			list = append(list, c.expressions()...)
		}
	}
	return list
}

func parseUnset(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	list := []bson.RawValue{v}
	switch {
	case isArray(v):
		if list = elements(v); len(list) == 0 {
			return nil, errorf(31119, "$unset specification must be a string or an array with at least one field")
		}
	case !isString(v):
		return nil, errorf(31002, "$unset specification must be a string or an array")
	}
	pp := &projectionParser{env: p.env, out: &Projection{env: p.env, id: true, tree: newFieldTree()}}
	for _, e := range list {
		if !isString(e) {
			return nil, errorf(31120, "$unset specification must be a string or an array containing only string values")
		}
		if err := pp.element("", text(e), falseBool); err != nil {
			return nil, within(err, "Invalid $unset")
		}
	}
	projection, err := pp.parse(emptyDoc)
	if err != nil {
		return nil, err
	}
	return p.projecting(name, projection), nil
}

func parseAddFields(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	if !isObject(v) {
		return nil, errorf(40272, "%s specification stage must be an object, got %s", name, TypeName(v.Type))
	}
	tree := newFieldTree()
	a := &addFieldsParser{env: p.env, spec: v.Value, tree: tree}
	if err := a.parse(); err != nil {
		return nil, within(err, "Invalid "+name)
	}
	return each(name, func(doc bson.Raw) (bson.Raw, error) {
		return tree.addComputed(newScope(p.env, doc), doc)
	}, tree.expressions()...), nil
}

type addFieldsParser struct {
	env   *Env
	spec  bson.Raw
	tree  *fieldTree
	paths pathSet
}

func (a *addFieldsParser) parse() error {
	if a.spec.Len() == 0 {
		return errorf(40177, "specification must have at least one field")
	}
	for _, f := range fields(a.spec) {
		if err := checkFieldPath(f.key); err != nil {
			return err
		}
		if err := a.field(f.key, f.value); err != nil {
			return err
		}
	}
	return nil
}

func (a *addFieldsParser) field(path string, v bson.RawValue) error {
	if isObject(v) && !isExpressionSpec(v) {
		list := fields(v.Value)
		if len(list) == 0 {
			return errorf(40180, "an empty object is not a valid value. Found empty object at path %s", path)
		}
		for _, f := range list {
			if strings.HasPrefix(f.key, "$") {
				return errorf(40181, "an expression specification must contain exactly one field, the name of the expression. Found %d fields in %s, while parsing object %s", len(list), FormatDocument(v.Value), FormatDocument(a.spec))
			}
			if strings.Contains(f.key, ".") {
				return errorf(40183, "cannot use dotted field name '%s' in a sub object: %s", f.key, FormatDocument(v.Value))
			}
			if err := checkFieldName(f.key); err != nil {
				return err
			}
			if err := a.field(path+"."+f.key, f.value); err != nil {
				return err
			}
		}
		return nil
	}
	if other := a.paths.add(path); other != "" {
		return errorf(40176, "specification contains two conflicting paths. Cannot specify both '%s' and '%s': %s", path, other, FormatDocument(a.spec))
	}
	e, err := parseExpression(v, a.env)
	if err != nil {
		return err
	}
	a.tree.compute(splitPath(path), e)
	return nil
}

func parseReplaceRoot(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	what := "'replacement document'"
	if name == "$replaceRoot" {
		if !isObject(v) {
			return nil, errorf(40229, "expected an object as specification for $replaceRoot stage, got %s", TypeName(v.Type))
		}
		for _, f := range fields(v.Value) {
			if f.key != "newRoot" {
				return nil, errorf(40415, "BSON field '$replaceRoot.%s' is an unknown field.", f.key)
			}
		}
		what, v = "'newRoot' expression ", bson.Raw(v.Value).Lookup("newRoot")
		if isMissing(v) {
			return nil, errorf(40414, "BSON field '$replaceRoot.newRoot' is missing but a required field")
		}
	}
	e, err := parseExpression(v, p.env)
	if err != nil {
		return nil, err
	}
	return each(name, func(doc bson.Raw) (bson.Raw, error) {
		root, err := e.eval(newScope(p.env, doc))
		if err != nil {
			return nil, err
		}
		if !isObject(root) {
			return nil, errorf(40228, "%s must evaluate to an object, but resulting value was: %s. Type of resulting value: '%s'. Input document: %s", strings.TrimSpace(what), formatDense(root), TypeName(root.Type), formatDense(documentValue(e.inputOf(doc))))
		}
		return root.Value, nil
	}, e), nil
}

// inputOf is what the expression reads of a document.
func (e *expression) inputOf(doc bson.Raw) bson.Raw {
	set := map[string]bool{}
	e.fields(set)
	dst, at := bson.BeginDocument(nil)
	for k, v := range doc.All() {
		if set[k] {
			dst = bson.AppendValue(dst, k, v)
		}
	}
	return bson.EndDocument(dst, at)
}

// The variables of $redact and what they stand for.
var redactVariables = map[string]bson.RawValue{
	"DESCEND": stringValue("descend"), "PRUNE": stringValue("prune"), "KEEP": stringValue("keep"),
}

func parseRedact(p *pipelineParser, name string, v bson.RawValue) ([]*stage, error) {
	parser := (&expressionParser{env: p.env}).with("DESCEND", "PRUNE", "KEEP")
	e, err := parser.operand(v)
	if err != nil {
		return nil, err
	}
	return each(name, func(doc bson.Raw) (bson.Raw, error) {
		s := newScope(p.env, doc)
		for name, v := range redactVariables {
			s = s.with(name, v)
		}
		out, err := redact(s, e, documentValue(doc))
		return out.Value, err
	}, e), nil
}

// redact is missing for a document to be left out.
func redact(s *scope, e *expression, v bson.RawValue) (bson.RawValue, error) {
	inner := s.with("CURRENT", v)
	verdict, err := e.eval(inner)
	if err != nil {
		return missing, err
	}
	switch {
	case equalBytes(verdict, redactVariables["KEEP"]):
		return v, nil
	case equalBytes(verdict, redactVariables["PRUNE"]):
		return missing, nil
	case !equalBytes(verdict, redactVariables["DESCEND"]):
		return missing, errorf(17053, "$redact's expression should not return anything aside from the variables $$KEEP, $$DESCEND, and $$PRUNE, but returned %s", formatDense(verdict))
	}
	dst, at := bson.BeginDocument(nil)
	for k, field := range bson.Raw(v.Value).All() {
		if field, err = redactValue(s, e, field); err != nil {
			return missing, err
		}
		if !isMissing(field) {
			dst = bson.AppendValue(dst, k, field)
		}
	}
	return documentValue(bson.EndDocument(dst, at)), nil
}

func redactValue(s *scope, e *expression, v bson.RawValue) (bson.RawValue, error) {
	switch {
	case isObject(v):
		return redact(s, e, v)
	case isArray(v):
		var kept []bson.RawValue
		for _, item := range elements(v) {
			item, err := redactValue(s, e, item)
			if err != nil {
				return missing, err
			}
			if !isMissing(item) {
				kept = append(kept, item)
			}
		}
		return arrayValue(kept), nil
	}
	return v, nil
}
