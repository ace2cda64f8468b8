package query

import "testing"

func TestExplain(t *testing.T) {
	for _, test := range []struct{ filter, doc, want string }{
		{
			`{'x': {'$type': 'string'}}`, `{'_id': 1, 'x': 1}`,
			`{'operatorName': '$type', 'specifiedAs': {'x': {'$type': 'string'}}, 'reason': 'type did not match', 'consideredValue': 1, 'consideredType': 'int'}`,
		},
		{
			`{'x': 5, 'y': {'$gt': 1, '$lt': 3}}`, `{'y': 9}`,
			`{'operatorName': '$and', 'clausesNotSatisfied': [
				{'index': 0, 'details': {'operatorName': '$eq', 'specifiedAs': {'x': 5}, 'reason': 'field was missing'}},
				{'index': 2, 'details': {'operatorName': '$lt', 'specifiedAs': {'y': {'$lt': 3}}, 'reason': 'comparison failed', 'consideredValue': 9}}]}`,
		},
		{
			`{'$expr': {'$gt': ['$a', 5]}}`, `{'a': 1}`,
			`{'operatorName': '$expr', 'specifiedAs': {'$expr': {'$gt': ['$a', 5]}}, 'reason': 'expression did not match', 'expressionResult': false}`,
		},
		{
			`{'$jsonSchema': {'required': ['a', 'b'], 'properties': {'a': {'bsonType': 'int', 'minimum': 3, 'description': 'of three'}}, 'additionalProperties': false}}`, `{'a': 2, 'z': 1}`,
			`{'operatorName': '$jsonSchema', 'schemaRulesNotSatisfied': [
				{'operatorName': 'required', 'specifiedAs': {'required': ['a', 'b']}, 'missingProperties': ['b']},
				{'operatorName': 'properties', 'propertiesNotSatisfied': [{'propertyName': 'a', 'description': 'of three', 'details': [
					{'operatorName': 'minimum', 'specifiedAs': {'minimum': 3}, 'reason': 'comparison failed', 'consideredValue': 2}]}]},
				{'operatorName': 'additionalProperties', 'specifiedAs': {'additionalProperties': false}, 'additionalProperties': ['z']}]}`,
		},
		{
			`{'$nor': [{'a': 1}, {'b': 1}]}`, `{'a': 1}`,
			`{'operatorName': '$nor', 'clausesNotSatisfied': [{'index': 0, 'details': {'operatorName': '$eq', 'specifiedAs': {'a': 1}, 'reason': 'comparison failed', 'consideredValue': 1}}]}`,
		},
	} {
		f, err := ParseValidator(parse(t, test.filter), testEnv(5, 0))
		if err != nil {
			t.Fatal(err)
		}
		doc := parse(t, test.doc)
		if ok, _ := f.Match(doc); ok {
			t.Errorf("%s matches %s", test.filter, test.doc)
		}
		if got, want := f.Explain(doc).String(), parse(t, test.want).String(); got != want {
			t.Errorf("%s on %s\n\tgives %s\n\twant  %s", test.filter, test.doc, got, want)
		}
	}
}
