package bson

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzExtJSON compares the parser to a twin on top of encoding/json, and sees
// that what was read is valid and can be written and read again.
func FuzzExtJSON(f *testing.F) {
	f.Add([]byte(allTypes.canonical))
	f.Add([]byte(allTypes.relaxed))
	for _, s := range []string{
		`{}`, ` {"a" : [ 1, -2.5e3, 12345678901, 1e999 ] } `, `{"a":"\ud834\udd1e\u0000"}`, `{"a":"\ud834"}`,
		`{"a":{"$scope":{"b":1},"$code":"c"}}`, `{"a":{"$uuid":"73ffd264-44b3-4c69-90e8-e7d1dfc035d4"}}`,
		`{"a":{"b":1,"$oid":"57e193d7a9cc81b4027498b5"}}`, `{"a":{"$type":2,"$regex":"x"}}`, `{"$oid":1}`,
		`{"a":{"$binary":{"base64":"AQI=","subType":"2"}}}`, `{"a":{"$date":"2012-12-24T12:15:30.501+0100"}}`,
		`{"a":{"$timestamp":{"t":1,"i":4294967296}}}`, `{"a":{"$minKey":1.0}}`, `{"a":{"$numberDouble":"-.5e1"}}`,
	} {
		f.Add([]byte(s))
	}
	for _, text := range corpusTexts(f) {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := ParseExtJSON(data)
		want, ok := slowExtJSON(data)
		if err != nil {
			e, is := errors.AsType[*ExtJSONError](err)
			if !is || e.Offset < 0 || e.Offset > len(data) || e.Line < 1 || e.Column < 1 {
				t.Fatalf("the error is %#v", err)
			}
			if ok && !strings.Contains(e.Reason, "nest deeper") {
				t.Fatalf("%s\nfails: %v\nexpected: %s", data, err, want)
			}
			return
		}
		if !ok {
			t.Fatalf("%s\nis taken for %s", data, doc)
		}
		if !bytes.Equal(doc, want) {
			t.Fatalf("%s\nis taken for %x\ninstead of    %x", data, []byte(doc), []byte(want))
		}
		if err := doc.Validate(); err != nil {
			t.Fatalf("%s\ngives invalid BSON: %v", data, err)
		}
		for _, format := range []ExtJSONFormat{Canonical, Relaxed} {
			text, err := AppendExtJSON(nil, doc, format)
			if err != nil || !json.Valid(text) {
				t.Fatalf("%s: %s, %v", format, text, err)
			}
			back, err := ParseExtJSON(text)
			if err != nil || format == Canonical && !bytes.Equal(back, doc) {
				t.Fatalf("%s: %s comes back as %s, %v", format, text, back, err)
			}
			again, err := AppendExtJSON(nil, back, format)
			if err != nil || !bytes.Equal(text, again) {
				t.Fatalf("%s: %s becomes %s, %v", format, text, again, err)
			}
		}
	})
}

// FuzzAppendExtJSON writes any bytes as the elements of a document: they are
// refused if they are not valid BSON, and otherwise what is written can be
// read, unless keys pretend to be those of type wrappers.
func FuzzAppendExtJSON(f *testing.F) {
	for _, v := range mustParse(f, allTypes.canonical).All() {
		f.Add([]byte(AppendValue(nil, "a", v)))
	}
	f.Add([]byte(AppendInt32(AppendNull(nil, ""), "$oid", 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, _ := BeginDocument(nil)
		doc = EndDocument(append(doc, data...), 0)
		valid := Raw(doc).Validate()
		for _, format := range []ExtJSONFormat{Canonical, Relaxed} {
			text, err := AppendExtJSON(nil, doc, format)
			if (err == nil) != (valid == nil) {
				t.Fatalf("%x: %v, but Validate says %v", data, err, valid)
			}
			if err != nil {
				continue
			}
			if !json.Valid(text) {
				t.Fatalf("%x becomes %s", data, text)
			}
			back, err := ParseExtJSON(text)
			if err != nil {
				if !bytes.Contains(data, []byte{'$'}) {
					t.Fatalf("%s: %v", text, err)
				}
				continue
			}
			again, err := AppendExtJSON(nil, back, format)
			if err != nil || !bytes.Equal(text, again) {
				t.Fatalf("%s: %s becomes %s, %v", format, text, again, err)
			}
		}
	})
}

// corpusTexts are the Extended JSON texts of the BSON corpus where MOTOR_SPECS
// names a checkout of the specifications.
func corpusTexts(f *testing.F) (texts []string) {
	dir := os.Getenv("MOTOR_SPECS")
	if dir == "" {
		return nil
	}
	names, err := filepath.Glob(filepath.Join(dir, "source/bson-corpus/tests/*.json"))
	if err != nil || len(names) == 0 {
		f.Fatalf("MOTOR_SPECS is %s, which has no BSON corpus: %v", dir, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		var file struct {
			Valid []struct {
				Canonical  string `json:"canonical_extjson"`
				Degenerate string `json:"degenerate_extjson"`
				Relaxed    string `json:"relaxed_extjson"`
			}
			ParseErrors []struct{ String string }
		}
		if err := json.Unmarshal(data, &file); err != nil {
			f.Fatalf("%s: %v", name, err)
		}
		for _, c := range file.Valid {
			texts = append(texts, c.Canonical, c.Degenerate, c.Relaxed)
		}
		for _, c := range file.ParseErrors {
			texts = append(texts, c.String)
		}
	}
	return texts
}

// slowExtJSON reads all of data with encoding/json, then looks at the keys of
// each object as a set.
func slowExtJSON(data []byte) (doc Raw, ok bool) {
	if !json.Valid(data) || !utf8.Valid(data) || hasLoneSurrogate(data) {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	tree, ok := slowTree(dec).(slowObject)
	if !ok {
		return nil, false
	}
	defer func() {
		if r := recover(); r != nil {
			if _, wrong := r.(slowError); !wrong {
				panic(r)
			}
			doc, ok = nil, false
		}
	}()
	return tree.document(true), true
}

// hasLoneSurrogate looks for escapes of surrogates, which encoding/json reads
// as U+FFFD unless they come in pairs.
func hasLoneSurrogate(data []byte) bool {
	text := strings.ReplaceAll(string(data), `\\`, "  ")
	for {
		i := strings.Index(text, `\u`)
		if i < 0 {
			return false
		}
		text = text[i:]
		var s string
		end := min(12, len(text))
		if end < 12 || text[6:8] != `\u` {
			end = 6
		}
		json.Unmarshal([]byte(`"`+text[:end]+`"`), &s)
		r, _ := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && !strings.EqualFold(text[:6], `\ufffd`) {
			return true
		}
		if r > 0xffff {
			text = text[12:]
		} else {
			text = text[6:]
		}
	}
}

type (
	slowObject []slowMember
	slowMember struct {
		key   string
		value any
	}
	slowError struct{}
)

func slowTree(dec *json.Decoder) any {
	token, _ := dec.Token()
	switch token {
	case json.Delim('{'):
		o := slowObject{}
		for dec.More() {
			key, _ := dec.Token()
			o = append(o, slowMember{key.(string), slowTree(dec)})
		}
		dec.Token()
		return o
	case json.Delim('['):
		a := []any{}
		for dec.More() {
			a = append(a, slowTree(dec))
		}
		dec.Token()
		return a
	}
	return token
}

func slowCheck(ok bool) {
	if !ok {
		panic(slowError{})
	}
}

func slowNumber(n json.Number, bits int) int64 {
	i, err := strconv.ParseInt(string(n), 10, bits)
	slowCheck(err == nil)
	return i
}

func slowCString(s string) string {
	slowCheck(!strings.Contains(s, "\x00"))
	return s
}

func slowIs[T any](v any) T {
	x, ok := v.(T)
	slowCheck(ok)
	return x
}

func (o slowObject) document(top bool) Raw {
	dst, at := BeginDocument(nil)
	for _, m := range o {
		slowCheck(top || wrapper(m.key) == nil)
		dst = slowAppend(dst, slowCString(m.key), m.value)
	}
	return EndDocument(dst, at)
}

func slowAppend(dst []byte, key string, v any) []byte {
	switch v := v.(type) {
	case nil:
		return AppendNull(dst, key)
	case bool:
		return AppendBool(dst, key, v)
	case string:
		return AppendString(dst, key, v)
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 32); err == nil {
			return AppendInt32(dst, key, int32(i))
		}
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return AppendInt64(dst, key, i)
		}
		f, err := strconv.ParseFloat(string(v), 64)
		slowCheck(err == nil)
		return AppendDouble(dst, key, f)
	case []any:
		dst, at := BeginArray(dst, key)
		for i, x := range v {
			dst = slowAppend(dst, fmt.Sprint(i), x)
		}
		return EndDocument(dst, at)
	case slowObject:
		return v.append(dst, key)
	}
	panic(v)
}

// field is the value of one of the keys that the object has to have.
func (o slowObject) field(key string) any {
	for _, m := range o {
		if m.key == key {
			return m.value
		}
	}
	panic(slowError{})
}

// only checks that the keys are these.
func (o slowObject) only(keys ...string) {
	var have []string
	for _, m := range o {
		have = append(have, m.key)
	}
	slices.Sort(have)
	slowCheck(slices.Equal(have, keys))
}

func (o slowObject) append(dst []byte, key string) []byte {
	var special string
	for _, m := range o {
		if wrapper(m.key) != nil && special != "$scope" {
			special = m.key
		}
	}
	if special == "" {
		return AppendDocument(dst, key, o.document(false))
	}
	if special == "$code" && len(o) == 2 {
		special = "$scope"
	}
	if special == "$scope" {
		o.only("$code", "$scope")
		scope := slowIs[slowObject](o.field("$scope")).document(false)
		value := append(AppendStringValue(make([]byte, 4), slowIs[string](o.field("$code"))), scope...)
		value[0], value[1], value[2], value[3] = byte(len(value)), byte(len(value)>>8), byte(len(value)>>16), byte(len(value)>>24)
		return AppendValue(dst, key, RawValue{TypeCodeWithScope, value})
	}
	o.only(special)
	return slowWrapper(dst, key, special, o[0].value)
}

func slowWrapper(dst []byte, key, special string, v any) []byte {
	switch special {
	case "$oid":
		id, err := ObjectIDFromHex(slowIs[string](v))
		slowCheck(err == nil)
		return AppendObjectID(dst, key, id)
	case "$symbol":
		return AppendStringValue(AppendHeader(dst, TypeSymbol, key), slowIs[string](v))
	case "$code":
		return AppendStringValue(AppendHeader(dst, TypeJavaScript, key), slowIs[string](v))
	case "$numberInt":
		return AppendInt32(dst, key, int32(slowNumber(json.Number(slowIs[string](v)), 32)))
	case "$numberLong":
		return AppendInt64(dst, key, slowNumber(json.Number(slowIs[string](v)), 64))
	case "$numberDouble":
		return AppendDouble(dst, key, slowDouble(slowIs[string](v)))
	case "$numberDecimal":
		d, err := ParseDecimal128(slowIs[string](v))
		slowCheck(err == nil)
		return AppendDecimal128(dst, key, d)
	case "$uuid":
		u, err := ParseUUID(slowIs[string](v))
		slowCheck(err == nil)
		return AppendBinary(dst, key, u.Binary())
	case "$binary":
		o := slowIs[slowObject](v)
		o.only("base64", "subType")
		data, err := base64.StdEncoding.DecodeString(slowIs[string](o.field("base64")))
		slowCheck(err == nil)
		hex := slowIs[string](o.field("subType"))
		subtype, err := strconv.ParseUint(hex, 16, 64)
		slowCheck(err == nil && len(hex) <= 2)
		return AppendBinary(dst, key, Binary{byte(subtype), data})
	case "$timestamp":
		o := slowIs[slowObject](v)
		o.only("i", "t")
		t, i := slowNumber(slowIs[json.Number](o.field("t")), 64), slowNumber(slowIs[json.Number](o.field("i")), 64)
		slowCheck(t == int64(uint32(t)) && i == int64(uint32(i)))
		return AppendTimestamp(dst, key, Timestamp{uint32(t), uint32(i)})
	case "$regularExpression":
		o := slowIs[slowObject](v)
		o.only("options", "pattern")
		return AppendRegex(dst, key, Regex{slowCString(slowIs[string](o.field("pattern"))), slowCString(slowIs[string](o.field("options")))})
	case "$dbPointer":
		o := slowIs[slowObject](v)
		o.only("$id", "$ref")
		id := slowIs[slowObject](o.field("$id"))
		id.only("$oid")
		pointer := append(AppendStringValue(nil, slowIs[string](o.field("$ref"))), slowWrapper(nil, "", "$oid", id[0].value)[2:]...)
		return AppendValue(dst, key, RawValue{TypeDBPointer, pointer})
	case "$date":
		if o, ok := v.(slowObject); ok {
			o.only("$numberLong")
			return AppendDateTime(dst, key, DateTime(slowNumber(json.Number(slowIs[string](o[0].value)), 64)))
		}
		d, err := parseDateTime(slowIs[string](v))
		slowCheck(err == nil)
		return AppendDateTime(dst, key, d)
	case "$minKey":
		slowCheck(v == json.Number("1"))
		return AppendHeader(dst, TypeMinKey, key)
	case "$maxKey":
		slowCheck(v == json.Number("1"))
		return AppendHeader(dst, TypeMaxKey, key)
	case "$undefined":
		slowCheck(v == true)
		return AppendHeader(dst, TypeUndefined, key)
	}
	panic(special)
}

func slowDouble(s string) float64 {
	switch s {
	case "Infinity":
		return math.Inf(1)
	case "-Infinity":
		return math.Inf(-1)
	case "NaN":
		return math.NaN()
	}
	for _, c := range s {
		slowCheck(c < 'A' && c != '_' || c == 'e' || c == 'E')
	}
	f, err := strconv.ParseFloat(s, 64)
	slowCheck(err == nil)
	return f
}
