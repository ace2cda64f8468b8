package query

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/motor-go/motor/bson"
)

func outcome(doc bson.Raw, err error) string {
	if err != nil {
		return fmt.Sprintf("%d %s", err.(*Error).Code, err)
	}
	return doc.String()
}

// wanted is a document as outcome shows it, or an error as it stands.
func wanted(t *testing.T, want string) string {
	if strings.HasPrefix(want, "{") {
		return parse(t, want).String()
	}
	return want
}

func applyUpdate(t *testing.T, env *Env, u, filters, doc string, position int) (UpdateResult, error) {
	t.Helper()
	var list []bson.Raw
	if filters != "" {
		list = parseList(t, filters)
	}
	update, err := ParseUpdate(parseValue(t, u), list, env)
	if err != nil {
		return UpdateResult{}, err
	}
	return update.Apply(parse(t, doc), position)
}

func TestUpdateOperators(t *testing.T) {
	for _, test := range []struct{ doc, update, filters, want string }{
		{`{'_id': 1, 'a': {'b': 1}}`, `{'$set': {'a.c': 2, 'a.b': 3}}`, ``, `{'_id': 1, 'a': {'b': 3, 'c': 2}}`},
		{`{'_id': 1, 'a': [1]}`, `{'$set': {'a.1500002': 2}}`, ``, `34 can't backfill more than 1500000 elements`},
		{`{'_id': 1}`, `{'$set': {'a..b': 2}}`, ``, `56 The update path 'a..b' contains an empty field name, which is not allowed.`},
		{`{'_id': 1, 'a': {'b': 1}}`, `{'$mul': {'a.b': {'$numberDecimal': '2.5'}, 'z': 4.5}}`, ``, `{'_id': 1, 'a': {'b': {'$numberDecimal': '2.5'}}, 'z': {'$numberDouble': '0'}}`},
		{`{'_id': 1, 'a': 'x'}`, `{'$mul': {'a': 2}}`, ``, `14 Cannot apply $mul to a value of non-numeric type. {_id: 1} has the field 'a' of non-numeric type string`},
		{`{'_id': 1, 'a': [5, 1, 9]}`, `{'$push': {'a': {'$each': [3, 7], '$sort': -1, '$slice': 3}}}`, ``, `{'_id': 1, 'a': [9, 7, 5]}`},
		{`{'_id': 1, 'a': [{'k': 2}, {'k': 1}]}`, `{'$push': {'a': {'$each': [{'k': 3}], '$sort': {'k': 1}}}}`, ``, `{'_id': 1, 'a': [{'k': 1}, {'k': 2}, {'k': 3}]}`},
		{`{'_id': 1, 'a': [1]}`, `{'$push': {'a': {'$each': 1}}}`, ``, `2 The argument to $each in $push must be an array but it was of type: int`},
		{`{'_id': 1, 'a': [1]}`, `{'$push': {'a': {'$each': [1], '$x': 1}}}`, ``, `2 Unrecognized clause in $push: $x`},
		{`{'_id': 1, 'a': [1, 5, 3]}`, `{'$pull': {'a': {'$gte': 3}}}`, ``, `{'_id': 1, 'a': [1]}`},
		{`{'_id': 1, 'a': [{'k': 1, 'v': 2}, {'k': 2}, 5]}`, `{'$pull': {'a': {'k': {'$lt': 2}}}}`, ``, `{'_id': 1, 'a': [{'k': 2}, 5]}`},
		{`{'_id': 1, 'a': ['x', 'yx', 3]}`, `{'$pull': {'a': {'$regularExpression': {'pattern': '^y', 'options': ''}}}}`, ``, `{'_id': 1, 'a': ['x', 3]}`},
		{`{'_id': 1, 'a': [[1], 1]}`, `{'$pull': {'a': [1]}}`, ``, `{'_id': 1, 'a': [1]}`},
		{`{'_id': 1, 'a': [1]}`, `{'$addToSet': {'a': {'$each': [1, {'$numberLong': '1'}, 2, 2]}}}`, ``, `{'_id': 1, 'a': [1, 2]}`},
		{`{'_id': 1, 'a': 5}`, `{'$addToSet': {'a': 1}}`, ``, `2 Cannot apply $addToSet to non-array field. Field named 'a' has non-array type int`},
		{`{'_id': 1, 'a': 5}`, `{'$bit': {'a': {'or': {'$numberLong': '8'}}}}`, ``, `{'_id': 1, 'a': {'$numberLong': '13'}}`},
		{`{'_id': 1, 'a': 5.5}`, `{'$bit': {'a': {'or': 8}}}`, ``, `2 Cannot apply $bit to a value of non-integral type.{_id: 1} has the field a of non-integer type double`},
		{`{'_id': 1, 'a': 5}`, `{'$bit': {'a': {'nand': 8}}}`, ``, `2 The $bit modifier only supports 'and', 'or', and 'xor', not 'nand' which is an unknown operator: {nand: 8}`},
		{`{'_id': 1, 'a': [{'b': [1, 2]}, {'b': [3]}]}`, `{'$inc': {'a.$[].b.$[x]': 10}}`, `[{'x': {'$gt': 1}}]`, `{'_id': 1, 'a': [{'b': [1, 12]}, {'b': [13]}]}`},
		{`{'_id': 1, 'a': [{'k': 1}, {'k': 2}]}`, `{'$set': {'a.$[x].v': 1, 'a.$[y].v': 2}}`, `[{'x.k': 1}, {'y.k': 2}]`, `{'_id': 1, 'a': [{'k': 1, 'v': 1}, {'k': 2, 'v': 2}]}`},
		{`{'_id': 1, 'a': [{'k': 1}]}`, `{'$set': {'a.$[x].v': 1, 'a.$[y].v': 2}}`, `[{'x.k': 1}, {'y.k': 1}]`, `40 Update created a conflict at 'a.0.v'`},
		{`{'_id': 1, 'a': [1, 2]}`, `{'$set': {'a.$': 9, 'a.1': 8}}`, ``, `{'_id': 1, 'a': [9, 8]}`},
		{`{'_id': 1, 'a': [1, 2]}`, `{'$set': {'a.$': 9, 'a.0': 8}}`, ``, `40 Update created a conflict at 'a.0'`},
		{`{'_id': 1, 'a': {'b': 1}}`, `{'$rename': {'a.b': 'c.d'}}`, ``, `{'_id': 1, 'a': {}, 'c': {'d': 1}}`},
		{`{'_id': 1, 'a': 1}`, `{'$unset': {'a': 1}, '$set': {'b.0': 1}}`, ``, `{'_id': 1, 'b': {'0': 1}}`},
		{`{'_id': 1}`, `5`, ``, `9 Update argument must be either an object or an array`},
	} {
		result, err := applyUpdate(t, testEnv(4, 4), test.update, test.filters, test.doc, 0)
		if got, want := outcome(result.Document, err), wanted(t, test.want); got != want {
			t.Errorf("%s on %s\n\tgives %s\n\twant  %s", test.update, test.doc, got, want)
		}
	}
}

func TestUpdateVersions(t *testing.T) {
	for _, test := range []struct {
		major               int
		doc, update, expect string
	}{
		{4, `{'_id': 1}`, `{'$set': {'9': 1, '10': 1}}`, `{'_id': 1, '10': 1, '9': 1}`},
		{5, `{'_id': 1}`, `{'$set': {'9': 1, '10': 1}}`, `{'_id': 1, '9': 1, '10': 1}`},
		{4, `{'_id': 1}`, `{'$set': {'a': {'$x': 1}}}`, `52 The dollar ($) prefixed field '$x' in 'a.$x' is not valid for storage.`},
		{5, `{'_id': 1}`, `{'$set': {'a': {'$x': 1}}}`, `{'_id': 1, 'a': {'$x': 1}}`},
		{4, `{'_id': 1}`, `{'$unset': {}}`, `9 '$unset' is empty. You must specify a field like so: {$unset: {<field>: ...}}`},
		{5, `{'_id': 1}`, `{'$unset': {}}`, `{'_id': 1}`},
		{4, `{'_id': 1}`, `{'a': {'$x': 1}}`, `52 The dollar ($) prefixed field '$x' in 'a.$x' is not valid for storage.`},
		{5, `{'_id': 1}`, `{'a': {'$x': 1}}`, `{'_id': 1, 'a': {'$x': 1}}`},
		{4, `{'_id': 1}`, `{'t': {'$timestamp': {'t': 0, 'i': 0}}}`, `{'_id': 1, 't': {'$timestamp': {'t': 1600000000, 'i': 7}}}`},
	} {
		result, err := applyUpdate(t, testEnv(test.major, 0), test.update, "", test.doc, -1)
		if got, want := outcome(result.Document, err), wanted(t, test.expect); got != want {
			t.Errorf("%d.0: %s on %s\n\tgives %s\n\twant  %s", test.major, test.update, test.doc, got, want)
		}
	}
}

func TestUpdateDescriptions(t *testing.T) {
	for _, test := range []struct {
		major                int
		doc, update, updated string
		removed              []string
		truncated            string
		paths                string
	}{
		{4, `{'_id': 1}`, `{'$set': {'a.b': 1}}`, `{'a.b': 1}`, nil, ``, `{}`},
		{6, `{'_id': 1}`, `{'$set': {'a.b': 1}}`, `{'a': {'b': 1}}`, nil, ``, `{}`},
		{6, `{'_id': 1, 'a': {'1': 1}}`, `{'$set': {'a.1': 2}}`, `{'a.1': 2}`, nil, ``, `{'a.1': ['a', '1']}`},
		{6, `{'_id': 1, 'a': [{'1': 1}]}`, `{'$set': {'a.0.1': 2}}`, `{'a.0.1': 2}`, nil, ``, `{'a.0.1': ['a', 0, '1']}`},
		{6, `{'_id': 1, 'a': [1]}`, `{'$push': {'a': {'$each': [2, 3]}}}`, `{'a.1': 2, 'a.2': 3}`, nil, ``, `{}`},
		{6, `{'_id': 1}`, `{'$push': {'a': 2}}`, `{'a': [2]}`, nil, ``, `{}`},
		{6, `{'_id': 1, 'a': [1, 2]}`, `{'$inc': {'a.$[]': 1}}`, `{'a': [2, 3]}`, nil, ``, `{}`},
		{6, `{'_id': 1, 'a': 1, 'b': 2}`, `{'$unset': {'a': 1, 'z': 1}, '$rename': {'b': 'c'}}`, `{'c': 2}`, []string{"a", "b"}, ``, `{}`},
		{
			5, `{'_id': 1, 'a': [1, 2, 3, 'a string that is long enough', 4], 'b': {'c': 1, 'd': 'xxxxxxxxxxxxxxxxxxxx'}, 'e': 'a string that is long enough'}`,
			`[{'$set': {'a': {'$slice': ['$a', 4]}, 'b.c': 2}}]`, `{'b.c': 2}`, nil, `a:4`, `{}`,
		},
		{5, `{'_id': 1, 'x': 1, 'y': 'a string that is long enough', 'z': 1}`, `[{'$unset': ['x', 'z']}]`, `{}`, []string{"x", "z"}, ``, `{}`},
	} {
		result, err := applyUpdate(t, testEnv(test.major, 0), test.update, "", test.doc, -1)
		if err != nil {
			t.Errorf("%s: %v", test.update, err)
			continue
		}
		d := result.Description
		if d == nil {
			t.Errorf("%s on %s has no description", test.update, test.doc)
			continue
		}
		var cut []string
		for _, c := range d.TruncatedArrays {
			cut = append(cut, fmt.Sprintf("%s:%d", c.Field, c.NewSize))
		}
		slices.Sort(d.RemovedFields)
		if d.UpdatedFields.String() != parse(t, test.updated).String() || !slices.Equal(d.RemovedFields, test.removed) ||
			strings.Join(cut, ",") != test.truncated || d.DisambiguatedPaths.String() != parse(t, test.paths).String() {
			t.Errorf("%s on %s: updated %s, removed %q, cut %q, paths %s", test.update, test.doc, d.UpdatedFields, d.RemovedFields, cut, d.DisambiguatedPaths)
		}
	}
	for _, major := range []int{4, 5} {
		result, err := applyUpdate(t, testEnv(major, 4), `[{'$replaceWith': {'b': 1}}]`, "", `{'_id': 1, 'a': 1}`, -1)
		if err != nil || result.Description != nil {
			t.Errorf("%d: a pipeline that replaces all is described: %+v, %v", major, result.Description, err)
		}
	}
}

func TestUpsert(t *testing.T) {
	id := `{'$oid': '010000000000000000000000'}`
	for _, test := range []struct{ query, update, want string }{
		{`{'b': 1, 'a.c': 2}`, `{'$set': {'z': 1}}`, `{'_id': ` + id + `, 'a': {'c': 2}, 'b': 1, 'z': 1}`},
		{`{'_id': 5, 'b': 1}`, `{'z': 1}`, `{'_id': 5, 'z': 1}`},
		{`{'_id': {'$in': [5]}}`, `{'z': 1}`, `{'_id': 5, 'z': 1}`},
		{`{'a': {'$gt': 1}, '$or': [{'b': 2}]}`, `{'$setOnInsert': {'_id': 9}}`, `{'_id': 9, 'b': 2}`},
		{`{'_id.k': 1}`, `{'$set': {'_id.k': 2}}`, `66 Performing an update on the path '_id.k' would modify the immutable field '_id'`},
		{`{}`, `{'$set': {'_id': [1]}}`, `53 The '_id' value cannot be of type array`},
		{`{'a': 1}`, `[{'$set': {'b': {'$add': ['$a', 1]}}}]`, `{'_id': ` + id + `, 'a': 1, 'b': 2}`},
		{`{'a': 1, 'a.b': 2}`, `{'$set': {'c': 2}}`, `54 cannot infer query fields to set, both paths 'a.b' and 'a' are matched`},
	} {
		env := testEnv(4, 4)
		filter, err := ParseFilter(parse(t, test.query), env)
		if err != nil {
			t.Fatal(err)
		}
		update, err := ParseUpdate(parseValue(t, test.update), nil, env)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := update.Upsert(filter)
		if got, want := outcome(doc, err), wanted(t, test.want); got != want {
			t.Errorf("%s with %s\n\tgives %s\n\twant  %s", test.query, test.update, got, want)
		}
	}
}

func TestUpdateTooDeep(t *testing.T) {
	deep := strings.Repeat(`{'a':`, 250) + "1" + strings.Repeat("}", 250)
	if _, err := ParseUpdate(parseValue(t, `{'$set': {'x': `+deep+`}}`), nil, testEnv(4, 4)); err == nil || err.(*Error).Code != codeOverflow {
		t.Errorf("a value nested 250 deep: %v", err)
	}
	path := strings.Repeat("a.", 190) + "a"
	if _, err := applyUpdate(t, testEnv(4, 4), `{'$set': {'`+path+`': 1}}`, "", `{'_id': 1}`, -1); err == nil || err.(*Error).Code != codeOverflow {
		t.Errorf("a path 191 long: %v", err)
	}
}
