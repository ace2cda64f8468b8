package query

import (
	"fmt"
	"strings"
	"testing"
)

const expressionDoc = `{'_id': 1, 'i': 7, 'l': {'$numberLong': '5000000000'}, 'f': 2.5, 'm': {'$numberDecimal': '2.50'},
	's': 'Hello, Wörld', 'n': null, 'a': [3, 1, 2], 'o': {'x': 1, 'y': {'z': 2}}, 'os': [{'x': 1}, {'y': 2}, {'x': 3}, [{'x': 4}], 5],
	't': true, 'd': {'$date': '2017-07-14T02:40:00.123Z'}, 'id': {'$oid': '507f1f77bcf86cd799439011'}}`

// evaluate gives the value as Extended JSON, or the error's code and message.
func evaluate(t *testing.T, env *Env, expr string) string {
	t.Helper()
	e, err := parseExpression(parseValue(t, expr), env)
	if err == nil {
		err = e.optimize(env)
	}
	if err == nil {
		v, evalErr := e.eval(newScope(env, parse(t, expressionDoc)))
		if evalErr == nil {
			return show(v)
		}
		err = evalErr
	}
	return fmt.Sprintf("%d %s", err.(*Error).Code, err)
}

func checkExpressions(t *testing.T, env *Env, tests [][2]string) {
	t.Helper()
	for _, test := range tests {
		want := test[1]
		if !strings.ContainsAny(want[:1], "0123456789m") || strings.IndexByte(want, ' ') < 0 {
			if want != "missing" {
				want = show(parseValue(t, want))
			}
		}
		if got := evaluate(t, env, test[0]); got != want {
			t.Errorf("%s\n\tgives %s\n\twant  %s", test[0], got, want)
		}
	}
}

func TestExpressionArithmetic(t *testing.T) {
	checkExpressions(t, testEnv(4, 4), [][2]string{
		{`{'$add': ['$i', 1]}`, `8`},
		{`{'$add': [2147483647, 1]}`, `{'$numberLong': '2147483648'}`},
		{`{'$add': [{'$numberLong': '9223372036854775807'}, 1]}`, `{'$numberDouble': '9.223372036854775807E18'}`},
		{`{'$add': ['$i', '$f']}`, `9.5`},
		{`{'$add': ['$i', '$m']}`, `{'$numberDecimal': '9.50'}`},
		{`{'$add': [0.1, 0.2, -0.3]}`, `{'$numberDouble': '2.7755575615628914e-17'}`},
		{`{'$add': ['$d', 1000]}`, `{'$date': '2017-07-14T02:40:01.123Z'}`},
		{`{'$add': ['$d', '$d']}`, `16612 only one date allowed in an $add expression`},
		{`{'$add': ['$i', '$n']}`, `null`},
		{`{'$add': ['$i', '$s']}`, `16554 $add only supports numeric or date types, not string`},
		{`{'$add': []}`, `0`},
		{`{'$subtract': ['$i', 10]}`, `-3`},
		{`{'$subtract': ['$d', '$d']}`, `{'$numberLong': '0'}`},
		{`{'$subtract': ['$d', 123]}`, `{'$date': '2017-07-14T02:40:00Z'}`},
		{`{'$multiply': ['$l', '$l']}`, `{'$numberDouble': '2.5E19'}`},
		{`{'$multiply': [3, '$m']}`, `{'$numberDecimal': '7.50'}`},
		{`{'$divide': ['$i', 2]}`, `3.5`},
		{`{'$divide': [6, 2]}`, `{'$numberDouble': '3'}`},
		{`{'$divide': ['$m', 5]}`, `{'$numberDecimal': '0.50'}`},
		{`{'$divide': [{'$numberDecimal': '1'}, 3]}`, `{'$numberDecimal': '0.3333333333333333333333333333333333'}`},
		{`{'$mod': [-7, 3]}`, `-1`},
		{`{'$mod': [7.5, 2]}`, `1.5`},
		{`{'$mod': [{'$numberDecimal': '7.5'}, 2]}`, `{'$numberDecimal': '1.5'}`},
		{`{'$mod': [1, 0]}`, `16610 can't $mod by zero`},
		{`{'$pow': [2, 10]}`, `1024`},
		{`{'$pow': [2, 31]}`, `{'$numberLong': '2147483648'}`},
		{`{'$pow': [2, 63]}`, `{'$numberDouble': '9223372036854775808'}`},
		{`{'$pow': [-1, 1001]}`, `-1`},
		{`{'$pow': [2, -1]}`, `0.5`},
		{`{'$pow': [0, -1]}`, `28764 $pow cannot take a base of 0 and a negative exponent`},
		{`{'$sqrt': 16}`, `{'$numberDouble': '4'}`},
		{`{'$sqrt': {'$numberDecimal': '2'}}`, `{'$numberDecimal': '1.414213562373095048801688724209698'}`},
		{`{'$sqrt': -1}`, `28714 $sqrt's argument must be greater than or equal to 0`},
		{`{'$abs': -5}`, `5`},
		{`{'$abs': {'$numberLong': '-9223372036854775808'}}`, `28680 can't take $abs of long long min`},
		{`{'$ceil': 2.1}`, `{'$numberDouble': '3'}`},
		{`{'$floor': {'$numberDecimal': '-2.1'}}`, `{'$numberDecimal': '-3'}`},
		{`{'$round': [2.5]}`, `{'$numberDouble': '2'}`},
		{`{'$round': [3.5]}`, `{'$numberDouble': '4'}`},
		{`{'$round': [1234, -2]}`, `1200`},
		{`{'$round': [1.235, 2]}`, `1.24`},
		{`{'$round': [{'$numberDecimal': '1.235'}, 2]}`, `{'$numberDecimal': '1.24'}`},
		{`{'$trunc': [-1.239, 2]}`, `-1.23`},
		{`{'$trunc': [7.8]}`, `{'$numberDouble': '7'}`},
		{`{'$round': [1, 101]}`, `51083 cannot apply $round with precision value 101 value must be in [-20, 100]`},
		{`{'$log10': 1000}`, `{'$numberDouble': '3'}`},
		{`{'$ln': 0}`, `28766 $ln's argument must be a positive number, but is 0`},
		{`{'$log': [8, 2]}`, `{'$numberDouble': '3'}`},
		{`{'$exp': 0}`, `{'$numberDouble': '1'}`},
		{`{'$sin': 0}`, `{'$numberDouble': '0'}`},
		{`{'$acos': 2}`, `50989 cannot apply $acos to 2, value must in [-1,1]`},
		{`{'$atan2': [0, 1]}`, `{'$numberDouble': '0'}`},
		{`{'$bitAnd': [1, 2]}`, `168 Unrecognized expression '$bitAnd'`},
	})
	checkExpressions(t, testEnv(7, 0), [][2]string{
		{`{'$bitAnd': [6, 3]}`, `2`},
		{`{'$bitOr': [6, {'$numberLong': '1'}]}`, `{'$numberLong': '7'}`},
		{`{'$bitNot': 0}`, `-1`},
		{`{'$bitXor': []}`, `0`},
	})
}

func TestExpressionPathsAndVariables(t *testing.T) {
	checkExpressions(t, testEnv(4, 4), [][2]string{
		{`'$o.y.z'`, `2`},
		{`'$o.y.q'`, `missing`},
		{`'$os.x'`, `[1, 3]`},
		{`'$a.x'`, `[]`},
		{`'$$ROOT.o.x'`, `1`},
		{`'$$CURRENT.i'`, `7`},
		{`'$$REMOVE'`, `missing`},
		{`'$$NOW'`, `{'$date': '2020-09-13T12:26:40.123Z'}`},
		{`'$$CLUSTER_TIME'`, `{'$timestamp': {'t': 1600000000, 'i': 7}}`},
		{`['$i', '$nope']`, `[7, null]`},
		{`{'a': '$i', 'b': '$nope', 'c': {'d': 1}}`, `{'a': 7, 'c': {'d': 1}}`},
		{`{'$let': {'vars': {'CURRENT': '$o'}, 'in': '$x'}}`, `1`},
		{`{'a': {'$literal': '$i'}}`, `{'a': '$i'}`},
		{`{'a.b': 1}`, `16412 FieldPath field names may not contain '.'.`},
		{`'$$'`, `16869 empty variable names are not allowed`},
		{`'$$9x'`, `16870 '9x' starts with an invalid character for a variable name`},
		{`{'$add': 1, '$x': 1}`, `15983 an object representing an expression must have exactly one field: { $add: 1, $x: 1 }`},
	})
	env := testEnv(5, 0)
	env.Let = parse(t, `{'v': {'k': 5}, 'l': {'$literal': '$i'}, 'r': {'$rand': {}}, 'bad': '$i'}`)
	if err := env.CheckLet(); err == nil || err.(*Error).Code != 4890500 {
		t.Errorf("a variable that reads a field: %v", err)
	}
	checkExpressions(t, env, [][2]string{
		{`'$$v.k'`, `5`},
		{`'$$l'`, `'$i'`},
		{`'$$r'`, `0.25`},
		{`'$$bad'`, `4890500 Command let Expression tried to access a field, but this is not allowed because command let expressions run before the query examines any documents.`},
		{`{'$let': {'vars': {'v': 1}, 'in': '$$v'}}`, `1`},
		{`'$$w'`, `17276 Use of undefined variable: w`},
	})
}

func TestExpressionConditions(t *testing.T) {
	checkExpressions(t, testEnv(5, 0), [][2]string{
		{`{'$ifNull': ['$n', '$nope', 5]}`, `5`},
		{`{'$ifNull': ['$n']}`, `1257300 $ifNull needs at least two arguments, had: 1`},
		{`{'$cond': {'if': '$t', 'then': 'a', 'else': {'$divide': [1, '$n']}}}`, `'a'`},
		{`{'$and': ['$t', '$i', {'$gt': ['$i', 8]}]}`, `false`},
		{`{'$or': ['$n', '$s']}`, `true`},
		{`{'$cmp': ['$i', '$s']}`, `-1`},
		{`{'$eq': ['$i', {'$numberDecimal': '7'}]}`, `true`},
		{`{'$switch': {'branches': [{'case': {'$lt': ['$i', 5]}, 'then': 1}, {'case': '$t', 'then': 2}]}}`, `2`},
	})
}

func TestExpressionStrings(t *testing.T) {
	checkExpressions(t, testEnv(4, 4), [][2]string{
		{`{'$concat': ['a', '$s']}`, `'aHello, Wörld'`},
		{`{'$concat': ['a', '$n']}`, `null`},
		{`{'$toUpper': '$s'}`, `'HELLO, WöRLD'`},
		{`{'$toLower': '$f'}`, `'2.5'`},
		{`{'$toLower': '$n'}`, `''`},
		{`{'$strcasecmp': ['aB', 'Ab']}`, `0`},
		{`{'$split': ['a-b-', '-']}`, `['a', 'b', '']`},
		{`{'$strLenCP': '$s'}`, `12`},
		{`{'$strLenBytes': '$s'}`, `13`},
		{`{'$substrCP': ['$s', 7, 3]}`, `'Wör'`},
		{`{'$substrBytes': ['$s', 8, 1]}`, `28657 $substrBytes:  Invalid range, ending index is in the middle of a UTF-8 character.`},
		{`{'$substrBytes': ['$s', 9, 1]}`, `28656 $substrBytes:  Invalid range, starting index is a UTF-8 continuation byte.`},
		{`{'$substr': ['$s', 0, -1]}`, `'Hello, Wörld'`},
		{`{'$indexOfCP': ['$s', 'rld']}`, `9`},
		{`{'$indexOfBytes': ['$s', 'l', 4]}`, `11`},
		{`{'$indexOfBytes': ['$s', 'zz']}`, `-1`},
		{`{'$trim': {'input': '  x \u00a0'}}`, `'x'`},
		{`{'$ltrim': {'input': 'xxyx', 'chars': 'x'}}`, `'yx'`},
		{`{'$replaceOne': {'input': 'aXbX', 'find': 'X', 'replacement': '-'}}`, `'a-bX'`},
		{`{'$replaceAll': {'input': 'aXbX', 'find': 'X', 'replacement': '-'}}`, `'a-b-'`},
		{`{'$replaceAll': {'input': '$n', 'find': 'X', 'replacement': '-'}}`, `null`},
		{`{'$regexMatch': {'input': '$s', 'regex': 'w(?=ö)', 'options': 'i'}}`, `true`},
		{`{'$regexFind': {'input': '$s', 'regex': '(l+)(x)?'}}`, `{'match': 'll', 'idx': 2, 'captures': ['ll', null]}`},
		{`{'$regexFindAll': {'input': 'aXbX', 'regex': '[a-z]'}}`, `[{'match': 'a', 'idx': 0, 'captures': []}, {'match': 'b', 'idx': 2, 'captures': []}]`},
		{`{'$regexFindAll': {'input': 'ab', 'regex': ''}}`, `[{'match': '', 'idx': 0, 'captures': []}, {'match': '', 'idx': 1, 'captures': []}, {'match': '', 'idx': 2, 'captures': []}]`},
		{`{'$regexFind': {'input': '$n', 'regex': 'x'}}`, `null`},
	})
}

func TestExpressionArrays(t *testing.T) {
	checkExpressions(t, testEnv(4, 4), [][2]string{
		{`{'$size': '$a'}`, `3`},
		{`{'$arrayElemAt': ['$a', -1]}`, `2`},
		{`{'$arrayElemAt': ['$a', 9]}`, `missing`},
		{`{'$first': '$a'}`, `3`},
		{`{'$last': [[]]}`, `missing`},
		{`{'$concatArrays': ['$a', [4]]}`, `[3, 1, 2, 4]`},
		{`{'$slice': ['$a', -2]}`, `[1, 2]`},
		{`{'$slice': ['$a', 1, 1]}`, `[1]`},
		{`{'$slice': ['$a', 0, 0]}`, `28729 Third argument to $slice must be positive: 0`},
		{`{'$range': [0, 5, 2]}`, `[0, 2, 4]`},
		{`{'$range': [3, 0, -1]}`, `[3, 2, 1]`},
		{`{'$range': [0, 1, 0]}`, `34449 $range requires a non-zero step value`},
		{`{'$reverseArray': '$a'}`, `[2, 1, 3]`},
		{`{'$indexOfArray': ['$a', 2]}`, `2`},
		{`{'$in': [1, '$a']}`, `true`},
		{`{'$map': {'input': '$a', 'as': 'x', 'in': {'$multiply': ['$$x', 2]}}}`, `[6, 2, 4]`},
		{`{'$map': {'input': '$os', 'in': '$$this.x'}}`, `[1, null, 3, [4], null]`},
		{`{'$filter': {'input': '$a', 'cond': {'$gt': ['$$this', 1]}}}`, `[3, 2]`},
		{`{'$reduce': {'input': '$a', 'initialValue': 0, 'in': {'$add': ['$$value', '$$this']}}}`, `6`},
		{`{'$zip': {'inputs': ['$a', ['x']]}}`, `[[3, 'x']]`},
		{`{'$zip': {'inputs': ['$a', ['x']], 'useLongestLength': true, 'defaults': [0, 'y']}}`, `[[3, 'x'], [1, 'y'], [2, 'y']]`},
		{`{'$isArray': ['$a']}`, `true`},
		{`{'$sum': '$a'}`, `6`},
		{`{'$sum': ['$i', '$a']}`, `7`},
		{`{'$avg': ['$i', 2]}`, `4.5`},
		{`{'$max': '$a'}`, `3`},
		{`{'$min': ['$n', '$i']}`, `7`},
		{`{'$stdDevPop': '$a'}`, `0.816496580927726`},
		{`{'$stdDevSamp': [1]}`, `null`},
		{`{'$setUnion': ['$a', [4, 3]]}`, `[1, 2, 3, 4]`},
		{`{'$arrayToObject': [[['a', 1], ['b', 2], ['a', 3]]]}`, `{'a': 3, 'b': 2}`},
		{`{'$arrayToObject': [[{'k': 'a', 'v': 1}]]}`, `{'a': 1}`},
		{`{'$objectToArray': '$o'}`, `[{'k': 'x', 'v': 1}, {'k': 'y', 'v': {'z': 2}}]`},
		{`{'$mergeObjects': ['$o', {'x': 9, 'w': 1}, '$n']}`, `{'x': 9, 'y': {'z': 2}, 'w': 1}`},
		{`{'$sortArray': {'input': '$a', 'sortBy': 1}}`, `168 Unrecognized expression '$sortArray'`},
	})
	checkExpressions(t, testEnv(7, 0), [][2]string{
		{`{'$sortArray': {'input': '$a', 'sortBy': -1}}`, `[3, 2, 1]`},
		{`{'$sortArray': {'input': [{'a': 2}, {'a': 1}], 'sortBy': {'a': 1}}}`, `[{'a': 1}, {'a': 2}]`},
		{`{'$filter': {'input': '$a', 'cond': true, 'limit': 1}}`, `[3]`},
		{`{'$firstN': {'n': 2, 'input': '$a'}}`, `[3, 1]`},
		{`{'$maxN': {'n': 2, 'input': '$a'}}`, `[3, 2]`},
		{`{'$minN': {'n': 0, 'input': '$a'}}`, `5787908 'n' must be greater than 0, found 0 for $minN`},
		{`{'$median': {'input': '$a', 'method': 'approximate'}}`, `{'$numberDouble': '2'}`},
		{`{'$percentile': {'input': '$a', 'p': [0, 0.5, 1], 'method': 'approximate'}}`, `[{'$numberDouble': '1'}, {'$numberDouble': '2'}, {'$numberDouble': '3'}]`},
		{`{'$getField': {'field': 'x', 'input': '$o'}}`, `1`},
		{`{'$getField': 'i'}`, `7`},
		{`{'$getField': {'$literal': '$i'}}`, `missing`},
		{`{'$setField': {'field': 'a.b', 'input': '$o', 'value': 5}}`, `{'x': 1, 'y': {'z': 2}, 'a.b': 5}`},
		{`{'$unsetField': {'field': 'x', 'input': '$o'}}`, `{'y': {'z': 2}}`},
	})
}

func TestExpressionDates(t *testing.T) {
	checkExpressions(t, testEnv(5, 1), [][2]string{
		{`{'$dateToString': {'date': '$d', 'format': '%Y-%m-%dT%H:%M:%S.%L%z (%Z)', 'timezone': 'America/New_York'}}`, `'2017-07-13T22:40:00.123-0400 (-240)'`},
		{`{'$dateToString': {'date': '$d', 'timezone': '+05:30'}}`, `'2017-07-14T08:10:00.123'`},
		{`{'$dateFromString': {'dateString': '2017-02-08T12:10:40.787', 'timezone': 'America/New_York'}}`, `{'$date': '2017-02-08T17:10:40.787Z'}`},
		{`{'$dateFromString': {'dateString': '06-15-2018', 'format': '%m-%d-%Y'}}`, `{'$date': '2018-06-15T00:00:00Z'}`},
		{`{'$dateFromString': {'dateString': '2018 W24 5', 'format': '%G W%V %u'}}`, `{'$date': '2018-06-15T00:00:00Z'}`},
		{`{'$dateFromString': {'dateString': '4 Feb 2020 at 07:08:09.12 +0130', 'format': '%d %b %Y at %H:%M:%S.%L %z'}}`, `{'$date': '2020-02-04T05:38:09.120Z'}`},
		{`{'$dateFromString': {'dateString': '2020-060 -90', 'format': '%Y-%j %Z'}}`, `{'$date': '2020-02-29T01:30:00Z'}`},
		{`{'$dateFromString': {'dateString': '2020-02-30', 'format': '%Y-%m-%d', 'onError': 'bad'}}`, `'bad'`},
		{`{'$dateFromString': {'dateString': '2020', 'format': '%Y%Q'}}`, `18536 Invalid format character '%Q' in format string`},
		{`{'$dateFromString': {'dateString': '2020-02-03Z', 'format': '%Y-%m-%d%z', 'timezone': 'UTC', 'onError': 'bad'}}`, `'bad'`},
		{`{'$dateFromString': {'dateString': '2018-13-01', 'onError': 'bad'}}`, `'bad'`},
		{`{'$dateFromString': {'dateString': 'July 4, 2018 10:30:00'}}`, `{'$date': '2018-07-04T10:30:00Z'}`},
		{`{'$dateFromParts': {'year': 2017, 'month': 2, 'day': 8, 'hour': 12, 'timezone': 'Europe/London'}}`, `{'$date': '2017-02-08T12:00:00Z'}`},
		{`{'$dateFromParts': {'isoWeekYear': 2017, 'isoWeek': 6, 'isoDayOfWeek': 3}}`, `{'$date': '2017-02-08T00:00:00Z'}`},
		{`{'$dateAdd': {'startDate': {'$date': '2021-01-31T00:00:00Z'}, 'unit': 'month', 'amount': 1}}`, `{'$date': '2021-02-28T00:00:00Z'}`},
		{`{'$dateSubtract': {'startDate': {'$date': '2021-03-31T00:00:00Z'}, 'unit': 'quarter', 'amount': 1}}`, `{'$date': '2020-12-31T00:00:00Z'}`},
		{`{'$dateDiff': {'startDate': {'$date': '2020-12-31T23:59:59Z'}, 'endDate': {'$date': '2021-01-01T00:00:00Z'}, 'unit': 'year'}}`, `{'$numberLong': '1'}`},
		{`{'$dateDiff': {'startDate': {'$date': '2021-05-01T00:00:00Z'}, 'endDate': {'$date': '2021-05-10T00:00:00Z'}, 'unit': 'week', 'startOfWeek': 'Monday'}}`, `{'$numberLong': '2'}`},
		{`{'$dateDiff': {'startDate': {'$date': '2021-05-10T01:59:00Z'}, 'endDate': {'$date': '2021-05-10T00:00:00Z'}, 'unit': 'hour'}}`, `{'$numberLong': '-1'}`},
		{`{'$dateTrunc': {'date': {'$date': '2021-03-20T11:30:05Z'}, 'unit': 'hour', 'binSize': 2}}`, `{'$date': '2021-03-20T10:00:00Z'}`},
		{`{'$dateTrunc': {'date': {'$date': '2021-03-20T11:30:05Z'}, 'unit': 'week', 'startOfWeek': 'monday'}}`, `{'$date': '2021-03-15T00:00:00Z'}`},
		{`{'$dateTrunc': {'date': {'$date': '2021-03-20T11:30:05Z'}, 'unit': 'month', 'binSize': 6, 'timezone': 'America/Los_Angeles'}}`, `{'$date': '2021-01-01T08:00:00Z'}`},
		{`{'$dateTrunc': {'date': '$d', 'unit': 'fortnight'}}`, `9 unknown time unit value: fortnight`},
		{`{'$year': {'date': '$id', 'timezone': 'UTC'}}`, `2012`},
		{`{'$week': {'date': {'$date': '2017-01-01T00:00:00Z'}}}`, `1`},
		{`{'$isoWeekYear': {'date': {'$date': '2017-01-01T00:00:00Z'}}}`, `{'$numberLong': '2016'}`},
		{`{'$tsSecond': {'$timestamp': {'t': 4000000000, 'i': 3}}}`, `{'$numberLong': '4000000000'}`},
	})
}

func TestExpressionConversions(t *testing.T) {
	checkExpressions(t, testEnv(4, 4), [][2]string{
		{`{'$toInt': {'$numberDecimal': '5.9'}}`, `5`},
		{`{'$toInt': 2147483648.0}`, `241 Conversion would overflow target type in $convert with no onError value: `},
		{`{'$toLong': {'$numberDouble': 'NaN'}}`, `241 Attempt to convert NaN value to integer type in $convert with no onError value`},
		{`{'$toDouble': '1e3'}`, `{'$numberDouble': '1000'}`},
		{`{'$toDouble': '0x10'}`, `241 Illegal hexadecimal input in $convert with no onError value: 0x10`},
		{`{'$toDecimal': 1.5}`, `{'$numberDecimal': '1.50000000000000'}`},
		{`{'$toDecimal': '$l'}`, `{'$numberDecimal': '5000000000'}`},
		{`{'$toString': 1e21}`, `'1e+21'`},
		{`{'$toString': {'$numberDecimal': '1E+3'}}`, `'1E+3'`},
		{`{'$toBool': {'$numberDecimal': '0E+3'}}`, `false`},
		{`{'$toBool': ''}`, `true`},
		{`{'$toDate': {'$numberLong': '1'}}`, `{'$date': '1970-01-01T00:00:00.001Z'}`},
		{`{'$toDate': '2018-03-20T12:00:00+0500'}`, `{'$date': '2018-03-20T07:00:00Z'}`},
		{`{'$toObjectId': '5ab9cbfa31c2ab715d42129z'}`, `241 Failed to parse objectId '5ab9cbfa31c2ab715d42129z' in $convert with no onError value: Invalid character found in hex string: 'z'`},
		{`{'$convert': {'input': '$a', 'to': 'bool'}}`, `true`},
		{`{'$convert': {'input': '$a', 'to': 'string', 'onError': {'$size': '$a'}}}`, `3`},
		{`{'$type': '$id'}`, `'objectId'`},
		{`{'$bsonSize': {}}`, `5`},
	})
	checkExpressions(t, testEnv(3, 6), [][2]string{
		{`{'$toInt': '1'}`, `168 Unrecognized expression '$toInt'`},
		{`'$$NOW'`, `17276 Use of undefined variable: NOW`},
	})
}
