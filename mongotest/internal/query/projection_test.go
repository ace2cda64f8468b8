package query

import (
	"testing"
)

func TestProjection(t *testing.T) {
	doc := `{'_id': 1, 'a': 1, 'b': {'c': 1, 'd': 2}, 'l': [{'x': 1, 'y': 1}, {'x': 2, 'y': 2}, 3], 'n': [1, 2, 3, 4]}`
	for _, test := range []struct {
		minor             int
		query, spec, want string
	}{
		{4, `{}`, `{'b.c': 0, 'l.y': 0}`, `{'_id': 1, 'a': 1, 'b': {'d': 2}, 'l': [{'x': 1}, {'x': 2}, 3], 'n': [1, 2, 3, 4]}`},
		{4, `{}`, `{'_id': 0}`, `{'a': 1, 'b': {'c': 1, 'd': 2}, 'l': [{'x': 1, 'y': 1}, {'x': 2, 'y': 2}, 3], 'n': [1, 2, 3, 4]}`},
		{4, `{}`, `{'a': 1, 'n': {'$slice': [1, 2]}}`, `{'_id': 1, 'a': 1, 'n': [2, 3]}`},
		{4, `{}`, `{'a': 1, 'n': {'$slice': -1}}`, `{'_id': 1, 'a': 1, 'n': [4]}`},
		{4, `{}`, `{'_id': 0, 'n': {'$slice': ['$n', 2]}}`, `{'n': [1, 2]}`},
		{4, `{}`, `{'_id': 0, 'b.e': {'$add': ['$a', 1]}, 'b.c': 1}`, `{'b': {'c': 1, 'e': 2}}`},
		{4, `{}`, `{'_id': 0, 'l.z': '$a'}`, `{'l': [{'z': 1}, {'z': 1}, {'z': 1}]}`},
		{4, `{'l.y': 2}`, `{'_id': 0, 'l.$': 1}`, `{'l': [{'x': 2, 'y': 2}]}`},
		{4, `{}`, `{'a': 0, 'b': '$a'}`, `31252 Cannot use expression other than $meta in exclusion projection`},
		{4, `{}`, `{'n': {'$slice': [1, 0]}}`, `28729 Third argument to $slice must be positive: 0`},
		{2, `{}`, `{'a': 'x'}`, `{'_id': 1, 'a': 1}`},
		{2, `{}`, `{'a': {'$add': [1, 2]}}`, `2 Unsupported projection option: a: { $add: [ 1, 2 ] }`},
	} {
		env := testEnv(4, test.minor)
		filter, err := ParseFilter(parse(t, test.query), env)
		if err != nil {
			t.Fatal(err)
		}
		projection, err := ParseProjection(parse(t, test.spec), filter, env)
		var got string
		if err != nil {
			got = outcome(nil, err)
		} else {
			got = outcome(projection.Apply(parse(t, doc), nil))
		}
		if want := wanted(t, test.want); got != want {
			t.Errorf("%s\n\tgives %s\n\twant  %s", test.spec, got, want)
		}
	}
}

func TestProjectionMetadata(t *testing.T) {
	p, err := ParseProjection(parse(t, `{'a': 1, 'r': {'$meta': 'recordId'}, 'k': {'$meta': 'sortKey'}, 'x': {'$meta': 'indexKey'}}`), nil, testEnv(4, 4))
	if err != nil {
		t.Fatal(err)
	}
	if !p.Needs("sortKey") || p.Needs("geoNearDistance") {
		t.Error("Needs does not tell what the projection asks for")
	}
	got := outcome(p.Apply(parse(t, `{'_id': 1, 'a': 2, 'b': 3}`), &Metadata{RecordID: 7, SortKey: elements(parseValue(t, `['s']`))}))
	if want := wanted(t, `{'_id': 1, 'a': 2, 'r': {'$numberLong': '7'}, 'k': ['s']}`); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSort(t *testing.T) {
	for _, test := range []struct{ docs, spec, want string }{
		{`[{'_id': 1, 'a': 2}, {'_id': 2}, {'_id': 3, 'a': [1, 9]}, {'_id': 4, 'a': 'x'}]`, `{'a': 1}`, `[2, 3, 1, 4]`},
		{`[{'_id': 1, 'a': 2}, {'_id': 2}, {'_id': 3, 'a': [1, 9]}, {'_id': 4, 'a': 'x'}]`, `{'a': -1}`, `[4, 3, 1, 2]`},
		{`[{'_id': 1, 'a': [{'b': 1, 'c': 9}, {'b': 2, 'c': 1}]}, {'_id': 2, 'a': {'b': 1, 'c': 5}}]`, `{'a.b': 1, 'a.c': 1}`, `[2, 1]`},
		{`[{'_id': 1, 'a': 1}, {'_id': 2, 'a': 1}, {'_id': 3, 'a': 0}]`, `{'a': 1}`, `[3, 1, 2]`},
	} {
		s, err := ParseSort(parse(t, test.spec), testEnv(4, 4))
		if err != nil {
			t.Fatal(err)
		}
		docs, err := s.Documents(parseList(t, test.docs))
		if err != nil {
			t.Fatal(err)
		}
		for i, id := range elements(parseValue(t, test.want)) {
			if !Equal(docs[i].Lookup("_id"), id, nil) {
				t.Errorf("%s by %s: %v, want %s", test.docs, test.spec, docs, test.want)
				break
			}
		}
	}
	s, _ := ParseSort(parse(t, `{'a': 1, 'b': 1}`), testEnv(4, 4))
	if _, err := s.Key(parse(t, `{'a': [1], 'b': [1]}`)); err == nil || err.(*Error).Code != codeBadValue {
		t.Errorf("parallel arrays: %v", err)
	}
}
