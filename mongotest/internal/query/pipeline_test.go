package query

import (
	"fmt"
	"testing"

	"github.com/motor-go/motor/bson"
)

// pipelineDocs are the documents that pipelines run on here.
const pipelineDocs = `[{'_id': 1, 'k': 'a', 'n': 1, 'x': 0}, {'_id': 2, 'k': 'a', 'n': 3, 'x': 2}, {'_id': 3, 'k': 'b', 'n': 2, 'x': 3}]`

func runPipeline(t *testing.T, env *Env, stages, docs string) string {
	t.Helper()
	p, err := ParsePipeline(parseList(t, stages), env)
	if err == nil {
		var out []bson.Raw
		if out, err = Collect(p.Run(FromDocuments(parseList(t, docs)))); err == nil {
			return documentArray(out).String()
		}
	}
	return fmt.Sprintf("%d %s", err.(*Error).Code, err)
}

func TestPipelineStages(t *testing.T) {
	for _, test := range []struct{ stages, want string }{
		{
			`[{'$group': {'_id': '$k', 's': {'$sum': '$n'}, 'a': {'$avg': '$n'}, 'f': {'$first': '$n'}, 'p': {'$push': '$n'}, 'c': {'$count': {}}}}]`,
			`[{'_id': 'a', 's': 4, 'a': {'$numberDouble': '2'}, 'f': 1, 'p': [1, 3], 'c': 2}, {'_id': 'b', 's': 2, 'a': {'$numberDouble': '2'}, 'f': 2, 'p': [2], 'c': 1}]`,
		},
		{
			`[{'$group': {'_id': null, 't': {'$top': {'sortBy': {'n': -1}, 'output': '$_id'}}, 'b': {'$bottomN': {'n': 2, 'sortBy': {'n': -1}, 'output': '$_id'}}, 'm': {'$maxN': {'n': 2, 'input': '$n'}}, 'l': {'$lastN': {'n': 1, 'input': '$k'}}}}]`,
			`[{'_id': null, 't': 2, 'b': [3, 1], 'm': [3, 2], 'l': ['b']}]`,
		},
		{
			`[{'$setWindowFields': {'partitionBy': '$k', 'sortBy': {'n': 1}, 'output': {'r': {'$documentNumber': {}}, 's': {'$sum': '$n', 'window': {'documents': ['unbounded', 'current']}}, 'd': {'$shift': {'output': '$n', 'by': 1, 'default': 0}}}}}, {'$project': {'r': 1, 's': 1, 'd': 1}}]`,
			`[{'_id': 1, 'r': 1, 's': 1, 'd': 3}, {'_id': 2, 'r': 2, 's': 4, 'd': 0}, {'_id': 3, 'r': 1, 's': 2, 'd': 0}]`,
		},
		{
			`[{'$setWindowFields': {'sortBy': {'x': 1}, 'output': {'s': {'$sum': '$n', 'window': {'range': [-1, 1]}}, 'e': {'$expMovingAvg': {'input': '$n', 'N': 1}}, 'i': {'$integral': {'input': '$n'}, 'window': {'documents': ['unbounded', 'current']}}}}}, {'$project': {'s': 1, 'e': 1, 'i': 1}}]`,
			`[{'_id': 1, 's': 1, 'e': {'$numberDouble': '1'}, 'i': {'$numberDouble': '0'}}, {'_id': 2, 's': 5, 'e': {'$numberDouble': '3'}, 'i': {'$numberDouble': '4'}}, {'_id': 3, 's': 5, 'e': {'$numberDouble': '2'}, 'i': 6.5}]`,
		},
		{`[{'$project': {'_id': 0, 'x': 1}}, {'$densify': {'field': 'x', 'range': {'step': 1, 'bounds': 'full'}}}]`, `[{'x': 0}, {'x': 1}, {'x': 2}, {'x': 3}]`},
		{
			`[{'$project': {'_id': 0, 'k': 1, 'x': 1}}, {'$densify': {'field': 'x', 'partitionByFields': ['k'], 'range': {'step': 2, 'bounds': [0, 3]}}}]`,
			`[{'k': 'a', 'x': 0}, {'k': 'a', 'x': 2}, {'k': 'b', 'x': 0}, {'k': 'b', 'x': 2}, {'k': 'b', 'x': 3}]`,
		},
		{
			`[{'$set': {'n': {'$cond': [{'$eq': ['$_id', 2]}, null, '$n']}}}, {'$fill': {'sortBy': {'_id': 1}, 'output': {'n': {'method': 'linear'}, 'z': {'value': 5}}}}, {'$project': {'n': 1, 'z': 1}}]`,
			`[{'_id': 1, 'n': 1, 'z': 5}, {'_id': 2, 'n': 1.5, 'z': 5}, {'_id': 3, 'n': 2, 'z': 5}]`,
		},
		{
			`[{'$set': {'n': {'$cond': [{'$eq': ['$_id', 2]}, null, '$n']}}}, {'$fill': {'sortBy': {'_id': 1}, 'output': {'n': {'method': 'locf'}}}}, {'$project': {'n': 1}}]`,
			`[{'_id': 1, 'n': 1}, {'_id': 2, 'n': 1}, {'_id': 3, 'n': 2}]`,
		},
		{
			`[{'$bucketAuto': {'groupBy': '$n', 'buckets': 2, 'granularity': 'POWERSOF2'}}]`,
			`[{'_id': {'min': {'$numberDouble': '0.5'}, 'max': {'$numberDouble': '4'}}, 'count': 3}]`,
		},
		{
			`[{'$bucketAuto': {'groupBy': '$n', 'buckets': 5, 'granularity': 'R5'}}, {'$group': {'_id': null, 'c': {'$sum': '$count'}, 'b': {'$push': '$_id.max'}}}]`,
			`[{'_id': null, 'c': 3, 'b': [1.6, 2.5, {'$numberDouble': '4'}]}]`,
		},
		{
			`[{'$group': {'_id': null, 'd': {'$stdDevPop': '$n'}, 'm': {'$median': {'input': '$n', 'method': 'approximate'}}, 'u': {'$addToSet': '$k'}, 'o': {'$mergeObjects': {'$cond': [{'$eq': ['$k', 'a']}, {'n': '$n'}, {'k': '$k'}]}}}}]`,
			`[{'_id': null, 'd': 0.816496580927726, 'm': {'$numberDouble': '2'}, 'u': ['a', 'b'], 'o': {'n': 3, 'k': 'b'}}]`,
		},
		{
			`[{'$group': {'_id': null, 'p': {'$percentile': {'input': '$n', 'p': [0.9], 'method': 'approximate'}}, 'f': {'$firstN': {'n': 9, 'input': '$zz'}}}}]`,
			`[{'_id': null, 'p': [{'$numberDouble': '3'}], 'f': [null, null, null]}]`,
		},
		{
			`[{'$set': {'d': {'$dateAdd': {'startDate': {'$date': '2020-01-31T00:00:00Z'}, 'unit': 'day', 'amount': {'$multiply': ['$x', 10]}}}}},
			{'$setWindowFields': {'sortBy': {'d': 1}, 'output': {
				's': {'$push': '$_id', 'window': {'range': [-1, 0], 'unit': 'month'}},
				'w': {'$push': '$_id', 'window': {'range': [0, 10], 'unit': 'day'}},
				'v': {'$derivative': {'input': '$n', 'unit': 'day'}, 'window': {'documents': [-1, 0]}},
				'c': {'$covariancePop': ['$n', '$x'], 'window': {'documents': ['unbounded', 'current']}},
				'k': {'$denseRank': {}}}}}, {'$project': {'s': 1, 'w': 1, 'v': 1, 'c': 1, 'k': 1}}]`,
			`[{'_id': 1, 'k': 1, 's': [1], 'w': [1], 'v': null, 'c': {'$numberDouble': '0'}}, {'_id': 2, 'k': 2, 's': [1, 2], 'w': [2, 3], 'v': 0.1, 'c': {'$numberDouble': '1'}},
				{'_id': 3, 'k': 3, 's': [2, 3], 'w': [3], 'v': -0.1, 'c': 0.6666666666666666}]`,
		},
		{`[{'$geoNear': {'near': [0, 0], 'distanceField': 'd', 'query': {'_id': {'$lt': 3}}, 'distanceMultiplier': 2, 'includeLocs': 'l'}}]`, `[]`},
		{`[{'$geoNear': {'near': {'type': 'Point', 'coordinates': [0, 0]}, 'spherical': true}}]`, `16606 $geoNear requires a 'distanceField' option as a String`},
		{`[{'$redact': {'$cond': [{'$gt': ['$n', 1]}, '$$KEEP', '$$PRUNE']}}, {'$replaceWith': {'n': '$n'}}]`, `[{'n': 3}, {'n': 2}]`},
		{
			`[{'$graphLookup': {'from': 'other', 'startWith': '$n', 'connectFromField': '_id', 'connectToField': 'f', 'as': 'g', 'restrictSearchWithMatch': {'_id': {'$gt': 7}}}}, {'$project': {'g': '$g._id'}}]`,
			`[{'_id': 1, 'g': []}, {'_id': 2, 'g': []}, {'_id': 3, 'g': [8]}]`,
		},
		{`[{'$skip': 1}, {'$limit': 1}, {'$unset': ['k', 'x']}]`, `[{'_id': 2, 'n': 3}]`},
		{
			`[{'$match': {'k': 'a'}}, {'$lookup': {'from': 'other', 'localField': 'n', 'foreignField': 'f', 'as': 'j.k'}}, {'$project': {'j': 1}}]`,
			`[{'_id': 1, 'j': {'k': [{'_id': 7, 'f': 1}]}}, {'_id': 2, 'j': {'k': []}}]`,
		},
		{
			`[{'$match': {'_id': 1}}, {'$lookup': {'from': 'other', 'localField': 'n', 'foreignField': 'f', 'let': {'v': '$x'}, 'pipeline': [{'$set': {'v': '$$v'}}], 'as': 'j'}}, {'$project': {'j': 1}}]`,
			`[{'_id': 1, 'j': [{'_id': 7, 'f': 1, 'v': 0}]}]`,
		},
		{
			`[{'$match': {'_id': 1}}, {'$lookup': {'from': 'other', 'let': {'v': '$k'}, 'pipeline': [{'$lookup': {'from': 'other', 'let': {'w': '$f'}, 'pipeline': [{'$project': {'v': '$$v', 'w': '$$w'}}], 'as': 'i'}}, {'$limit': 1}], 'as': 'j'}}, {'$project': {'j': '$j.i'}}]`,
			`[{'_id': 1, 'j': [[{'_id': 7, 'v': 'a', 'w': 1}, {'_id': 8, 'v': 'a', 'w': 1}]]}]`,
		},
		{`[{'$limit': 1}, {'$unionWith': {'coll': 'other', 'pipeline': [{'$match': {'_id': 8}}]}}, {'$project': {'_id': 1}}]`, `[{'_id': 1}, {'_id': 8}]`},
		{`[{'$limit': 1}, {'$lookup': {'pipeline': [{'$documents': [{'q': 1}]}], 'as': 'j'}}, {'$project': {'j': 1}}]`, `[{'_id': 1, 'j': [{'q': 1}]}]`},
		{`[{'$facet': {'a': [{'$count': 'n'}], 'b': [{'$match': {'_id': 2}}, {'$project': {'_id': 1}}]}}]`, `[{'a': [{'n': 3}], 'b': [{'_id': 2}]}]`},
		{`[{'$limit': 0}]`, `15958 the limit must be positive`},
		{`[{'$sort': {'a': 1}}, {'$collStats': {}}]`, `40602 $collStats is only valid as the first stage in a pipeline.`},
		{`[{'$project': {'a': {'$divide': [1, 0]}}}]`, `16608 Failed to optimize pipeline :: caused by :: can't $divide by zero`},
		{`[{'$lookup': {'from': 'other', 'let': {'v': '$k'}, 'pipeline': [{'$project': {'a': '$$w'}}], 'as': 'j'}}]`, `17276 Invalid $project :: caused by :: Use of undefined variable: w`},
		{`[{'$listSearchIndexes': {}}]`, `6047401 $listSearchIndexes stage is only allowed on MongoDB Atlas`},
	} {
		env := testEnv(7, 0)
		env.Collections.Scan = func(_, collection string) (Iterator, error) {
			if collection != "other" {
				return nil, errorf(1, "collection %s", collection)
			}
			return FromDocuments(parseList(t, `[{'_id': 7, 'f': 1}, {'_id': 8, 'f': [2]}]`)), nil
		}
		env.Collections.GeoIndex = func(_, _, key string) (string, error) { return "loc" + key, nil }
		want := test.want
		if want[0] == '[' {
			want = parseValue(t, want).String()
		}
		if got := runPipeline(t, env, test.stages, pipelineDocs); got != want {
			t.Errorf("%s\n\tgives %s\n\twant  %s", test.stages, got, want)
		}
	}
}

func TestPipelinePauses(t *testing.T) {
	p, err := ParsePipeline(parseList(t, `[{'$changeStream': {}}, {'$match': {'a': {'$gt': 1}}}, {'$set': {'b': 1}}]`), testEnv(4, 4))
	if err != nil {
		t.Fatal(err)
	}
	if name, spec := p.Initial(); name != "$changeStream" || !isObject(spec) {
		t.Errorf("initial stage %q with %s", name, spec)
	}
	queue := []bson.Raw{parse(t, `{'a': 1}`), parse(t, `{'a': 2}`), nil, parse(t, `{'a': 3}`), nil}
	next := p.Run(func() (bson.Raw, error) {
		doc := queue[0]
		queue = queue[1:]
		return doc, nil
	})
	for i, want := range []string{`{"a":2,"b":1}`, "", `{"a":3,"b":1}`, ""} {
		doc, err := next()
		if err != nil || doc == nil != (want == "") || doc != nil && doc.String() != want {
			t.Errorf("read %d: %s, %v; want %q", i, doc, err, want)
		}
	}
}

func TestPipelineWrites(t *testing.T) {
	var written []string
	env := testEnv(4, 4)
	env.Collections.Replace = func(db, collection string, docs Iterator) error {
		list, err := Collect(docs)
		for _, d := range list {
			written = append(written, db+"."+collection+d.String())
		}
		return err
	}
	p, err := ParsePipeline(parseList(t, `[{'$project': {'_id': 0, 'n': 1}}, {'$limit': 1}, {'$out': {'db': 'e', 'coll': 'o'}}]`), env)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Writes() {
		t.Error("a pipeline with $out does not write")
	}
	next := p.Run(FromDocuments(parseList(t, pipelineDocs)))
	if len(written) != 0 {
		t.Error("something was written before the result was read")
	}
	for range 2 {
		if doc, err := next(); doc != nil || err != nil {
			t.Errorf("$out gives %s, %v", doc, err)
		}
	}
	if len(written) != 1 || written[0] != `e.o{"_id":{"$oid":"010000000000000000000000"},"n":1}` {
		t.Errorf("written: %s", written)
	}
}

func TestStageVersions(t *testing.T) {
	for stage, since := range map[string]Version{
		`{'$set': {'a': 1}}`: {4, 2}, `{'$unionWith': 'x'}`: {4, 4}, `{'$setWindowFields': {'output': {}}}`: {5, 0},
		`{'$densify': {'field': 'a', 'range': {'step': 1, 'bounds': 'full'}}}`: {5, 1}, `{'$fill': {'output': {}}}`: {5, 3},
	} {
		for _, env := range []*Env{testEnv(since.Major, since.Minor), testEnv(since.Major, since.Minor-1)} {
			if since.Minor == 0 {
				env.Version.Major--
			}
			old := !env.Version.AtLeast(since.Major, since.Minor)
			_, err := ParsePipeline(parseList(t, "["+stage+"]"), env)
			if unknown := err != nil && err.(*Error).Code == 40324; unknown != old {
				t.Errorf("%s in %v: %v", stage, env.Version, err)
			}
		}
	}
}

func TestDistinct(t *testing.T) {
	d, err := NewDistinct("a.b", testEnv(4, 4))
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range parseList(t, `[{'a': {'b': 2}}, {'a': [{'b': [1, 2]}, {'b': 'x'}, 5]}, {'a': {'b': {'$numberLong': '1'}}}, {}]`) {
		d.Add(doc)
	}
	if got, want := d.Values().String(), `[1,2,"x"]`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestGeoNear(t *testing.T) {
	env := testEnv(4, 4)
	env.Collections.GeoIndex = func(db, collection, key string) (string, error) {
		if db != "d" || collection != "c" || key != "at" {
			return "", errorf(codeIndexNotFound, "%s.%s %s", db, collection, key)
		}
		return "at", nil
	}
	stages := `[{'$geoNear': {'near': {'type': 'Point', 'coordinates': [0, 0]}, 'key': 'at', 'distanceField': 'm.d', 'spherical': true, 'maxDistance': 300000, 'includeLocs': 'm.l', 'query': {'k': 1}}},
		{'$set': {'m.d': {'$round': ['$m.d', -2]}}}]`
	got := runPipeline(t, env, stages, `[{'_id': 1, 'k': 1, 'at': [2, 0]}, {'_id': 2, 'k': 1, 'at': {'type': 'Point', 'coordinates': [1, 0]}}, {'_id': 3, 'k': 2, 'at': [0, 0]}, {'_id': 4, 'k': 1, 'at': [9, 0]}]`)
	want := parseValue(t, `[{'_id': 2, 'k': 1, 'at': {'type': 'Point', 'coordinates': [1, 0]}, 'm': {'d': {'$numberDouble': '111300'}, 'l': {'type': 'Point', 'coordinates': [1, 0]}}},
		{'_id': 1, 'k': 1, 'at': [2, 0], 'm': {'d': {'$numberDouble': '222600'}, 'l': [2, 0]}}]`).String()
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
