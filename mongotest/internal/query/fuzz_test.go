package query

import (
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
)

// The fuzz targets take Extended JSON, which mutates into more that is valid
// than bytes of BSON do. Whatever comes in, nothing may panic, hang or take
// memory without bound, and what was parsed once gives the same result again.

var fuzzDocs = []string{
	`{"_id": 1, "a": [1, 2, {"b": [{"c": 3}, "x"]}], "s": "Straße", "d": {"$date": "2020-02-29T12:00:00Z"}, "n": null}`,
	`{"_id": {"k": 1}, "a": {"b": {"c": 1}}, "m": {"$numberDecimal": "1E+6000"}, "l": {"$numberLong": "9223372036854775807"}}`,
	`{}`,
}

// timed fails a target that takes far longer than it should.
func timed(t *testing.T, what string, f func()) {
	start := time.Now()
	f()
	if d := time.Since(start); d > 10*time.Second {
		t.Fatalf("%s took %s", what, d)
	}
}

func fuzzInput(t *testing.T, spec string) bson.Raw {
	doc, err := bson.ParseExtJSON([]byte(spec))
	if err != nil || len(doc) > 4096 {
		t.Skip()
	}
	return doc
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`{"a": {"$gt": 1, "$in": [1, {"$regularExpression": {"pattern": "^(a|b)*$", "options": "i"}}]}}`,
		`{"$or": [{"a.b.c": {"$elemMatch": {"$gt": 1}}}, {"$nor": [{"a": {"$not": {"$size": 2}}}]}]}`,
		`{"$expr": {"$gt": [{"$add": ["$a", 1]}, {"$size": "$a"}]}}`,
		`{"$jsonSchema": {"properties": {"a": {"items": {"type": "number"}}}, "required": ["a"]}}`,
		`{"a": {"$all": [{"$elemMatch": {"b": 1}}], "$type": ["array", 2], "$mod": [2, 1], "$bitsAllSet": [1]}}`,
		`{"loc": {"$geoWithin": {"$geometry": {"type": "Polygon", "coordinates": [[[0,0],[1,0],[1,1],[0,0]]]}}}}`,
		`{"s": {"$regex": "(?<=S)(t)(?!x)\\1*", "$options": "xs"}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		filter := fuzzInput(t, spec)
		timed(t, spec, func() {
			parsed, err := ParseFilter(filter, testEnv(4, 4))
			if err != nil {
				if err.(*Error).Code == 0 {
					t.Fatalf("error without a code: %v", err)
				}
				return
			}
			parsed.Tree()
			for _, d := range fuzzDocs {
				doc := mustExtJSON(t, []byte(d))
				one, err := parsed.Match(doc)
				position, two, err2 := parsed.MatchPosition(doc)
				if one != two || (err == nil) != (err2 == nil) || position < -1 {
					t.Fatalf("%s on %s: %v, then %v at %d", filter, doc, one, two, position)
				}
			}
		})
	})
}

func FuzzUpdate(f *testing.F) {
	for _, seed := range []string{
		`{"u": {"$set": {"a.$[].b.$[i]": 1}, "$inc": {"x": 1}}, "f": [{"i.c": 3}], "q": {"_id": 1}}`,
		`{"u": {"$push": {"a": {"$each": [1, 2], "$slice": -2, "$sort": {"b": 1}, "$position": 1}}}}`,
		`{"u": {"$rename": {"a": "z.y"}, "$unset": {"n": 1}, "$mul": {"m": 2}, "$bit": {"k": {"xor": 5}}}}`,
		`{"u": {"$pull": {"a": {"$gte": 2}}, "$addToSet": {"t": {"$each": [1, 1]}}, "$pop": {"w": 1}}}`,
		`{"u": [{"$set": {"a": {"$concatArrays": ["$a", [1]]}}}, {"$unset": "n"}, {"$replaceWith": "$$ROOT"}]}`,
		`{"u": {"a.10": 1, "b": {"$ref": "x"}}, "q": {"$and": [{"a.b": 1}, {"c": {"$in": [1]}}]}}`,
		`{"u": {"$set": {"a.3000000": 1}, "$currentDate": {"d": {"$type": "timestamp"}}, "$max": {"s": 1}}}`,
	} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, spec string, old bool) {
		input := fuzzInput(t, spec)
		env := testEnv(7, 0)
		if old {
			env = testEnv(4, 4)
		}
		timed(t, spec, func() {
			var filters []bson.Raw
			if isArray(input.Lookup("f")) {
				filters, _ = arrayFilterDocs(input.Lookup("f"))
			}
			update, err := ParseUpdate(input.Lookup("u"), filters, env)
			if err != nil {
				return
			}
			for _, d := range fuzzDocs {
				doc := mustExtJSON(t, []byte(d))
				before := string(doc)
				result, err := update.Apply(doc, 0)
				if string(doc) != before {
					t.Fatalf("%s changed its input", input)
				}
				if err == nil {
					checkApplied(t, update, doc, result)
				}
			}
			if filter, err := ParseFilter(document(input.Lookup("q")), env); err == nil {
				if doc, err := update.Upsert(filter); err == nil && doc.Validate() != nil {
					t.Fatalf("%s upserts %x", input, doc)
				}
			}
		})
	})
}

func checkApplied(t *testing.T, update *Update, old bson.Raw, result UpdateResult) {
	if err := result.Document.Validate(); err != nil {
		t.Fatalf("%v in %x", err, result.Document)
	}
	if Compare(old.Lookup("_id"), result.Document.Lookup("_id"), nil) != 0 && !isMissing(old.Lookup("_id")) {
		t.Fatalf("the _id of %s changed: %s", old, result.Document)
	}
	again, err := update.Apply(old, 0)
	if err != nil || string(again.Document) != string(result.Document) {
		t.Fatalf("applied again: %s, %v instead of %s", again.Document, err, result.Document)
	}
}

func FuzzPipeline(f *testing.F) {
	for _, seed := range []string{
		`{"p": [{"$match": {"a": 1}}, {"$project": {"x": {"$map": {"input": "$a", "in": {"$add": ["$$this", 1]}}}}}]}`,
		`{"p": [{"$group": {"_id": "$s", "n": {"$sum": "$m"}, "l": {"$push": "$$ROOT"}, "t": {"$topN": {"n": 2, "sortBy": {"a": 1}, "output": "$a"}}}}]}`,
		`{"p": [{"$unwind": {"path": "$a", "includeArrayIndex": "i"}}, {"$sort": {"a.b": -1}}, {"$limit": 2}]}`,
		`{"p": [{"$setWindowFields": {"partitionBy": "$s", "sortBy": {"m": 1}, "output": {"r": {"$rank": {}}, "v": {"$sum": 1, "window": {"documents": [-1, 1]}}}}}]}`,
		`{"p": [{"$densify": {"field": "x", "range": {"step": 1, "bounds": [0, 5]}}}, {"$fill": {"sortBy": {"x": 1}, "output": {"y": {"method": "linear"}}}}]}`,
		`{"p": [{"$facet": {"a": [{"$bucket": {"groupBy": "$m", "boundaries": [0, 5], "default": "z"}}], "b": [{"$sortByCount": "$s"}]}}]}`,
		`{"p": [{"$addFields": {"d": {"$dateToString": {"date": "$d", "format": "%G-W%V", "timezone": "Europe/Paris"}}, "r": {"$range": [0, 1000000]}}}]}`,
		`{"p": [{"$lookup": {"from": "f", "let": {"x": "$a"}, "pipeline": [{"$match": {"$expr": {"$in": ["$b", "$$x"]}}}], "as": "j"}}]}`,
		`{"p": [{"$redact": {"$cond": ["$a", "$$DESCEND", "$$PRUNE"]}}, {"$replaceRoot": {"newRoot": {"$mergeObjects": ["$$ROOT", {"k": {"$reduce": {"input": "$a", "initialValue": [], "in": {"$concatArrays": ["$$value", "$$value", ["$$this"]]}}}}]}}}]}`,
		`{"p": [{"$project": {"a": {"$regexFindAll": {"input": "$s", "regex": "(a+)+$"}}, "b": {"$convert": {"input": "$m", "to": "int", "onError": 0}}, "c": {"$zip": {"inputs": ["$a", "$a"]}}}}]}`,
		`{"p": [{"$bucketAuto": {"groupBy": "$m", "buckets": 3, "granularity": "R5"}}]}`,
		`{"p": [{"$graphLookup": {"from": "c", "startWith": "$_id", "connectFromField": "a", "connectToField": "_id", "as": "g"}}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		input := fuzzInput(t, spec)
		if !isArray(input.Lookup("p")) {
			t.Skip()
		}
		stages, err := stageDocuments(input.Lookup("p"))
		if err != nil {
			t.Skip()
		}
		var docs []bson.Raw
		for _, d := range fuzzDocs {
			docs = append(docs, mustExtJSON(t, []byte(d)))
		}
		env := testEnv(8, 0)
		env.Collections.Scan = func(_, _ string) (Iterator, error) { return FromDocuments(docs), nil }
		timed(t, spec, func() {
			p, err := ParsePipeline(stages, env)
			if err != nil {
				return
			}
			out, err := Collect(p.Run(FromDocuments(docs)))
			for _, doc := range out {
				if err := doc.Validate(); err != nil {
					t.Fatalf("%s gives %x: %v", input, doc, err)
				}
			}
			again, err2 := Collect(p.Run(FromDocuments(docs)))
			if len(out) != len(again) || (err == nil) != (err2 == nil) {
				t.Fatalf("%s gives %d documents, then %d", input, len(out), len(again))
			}
		})
	})
}
