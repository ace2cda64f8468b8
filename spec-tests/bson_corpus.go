package spectests

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/motor-go/motor/bson"
)

type corpusFile struct {
	Description  string
	BSONType     string `json:"bson_type"`
	TestKey      string `json:"test_key"`
	Deprecated   bool
	Valid        []corpusCase
	DecodeErrors []struct{ Description, BSON string }
	ParseErrors  []struct{ Description, String string }
}

// corpusCase has up to five forms of one document: canonical and degenerate
// BSON, and canonical, degenerate and relaxed Extended JSON.
type corpusCase struct {
	Description       string
	CanonicalBSON     string  `json:"canonical_bson"`
	DegenerateBSON    *string `json:"degenerate_bson"`
	CanonicalExtJSON  string  `json:"canonical_extjson"`
	DegenerateExtJSON *string `json:"degenerate_extjson"`
	RelaxedExtJSON    *string `json:"relaxed_extjson"`
	Lossy             bool

	// What a deprecated type may be converted to. It is not, here.
	ConvertedBSON    string `json:"converted_bson"`
	ConvertedExtJSON string `json:"converted_extjson"`
}

func runCorpus(t T, f File) {
	var file corpusFile
	f.Decode(t, &file)
	bsonType, err := strconv.ParseUint(file.BSONType, 0, 8)
	if err != nil {
		t.Fatalf("bson_type: %v", err)
	}
	for _, c := range file.Valid {
		t.Run(c.Description, func(t T) {
			c.runDirect(t)
			c.runNative(t)
		})
	}
	for _, c := range file.DecodeErrors {
		t.Run(c.Description, func(t T) {
			doc := unhex(t, c.BSON)
			if err := doc.Validate(); err == nil {
				t.Errorf("Validate finds no fault")
			}
			if text, err := bson.AppendExtJSON(nil, doc, bson.Canonical); err == nil {
				t.Errorf("it becomes the Extended JSON %s", text)
			}
			var d bson.D
			if err := bson.Unmarshal(doc, &d); err == nil {
				t.Errorf("it is decoded into %v", d)
			}
			var m bson.M
			if err := bson.Unmarshal(doc, &m); err == nil {
				t.Errorf("it is decoded into %v", m)
			}
		})
	}
	for _, c := range file.ParseErrors {
		t.Run(c.Description, func(t T) { runParseError(t, bson.Type(bsonType), c.String) })
	}
}

// runDirect translates between BSON and Extended JSON without values of Go
// between.
func (c corpusCase) runDirect(t T) {
	cB := unhex(t, c.CanonicalBSON)
	sources := []bson.Raw{cB}
	if c.DegenerateBSON != nil {
		sources = append(sources, unhex(t, *c.DegenerateBSON))
	}
	for _, doc := range sources {
		if err := doc.Validate(); err != nil {
			t.Errorf("%x is not valid: %v", doc, err)
		}
		checkExtJSON(t, doc, bson.Canonical, c.CanonicalExtJSON)
		if c.RelaxedExtJSON != nil {
			checkExtJSON(t, doc, bson.Relaxed, *c.RelaxedExtJSON)
		}
	}
	if !c.Lossy {
		checkBSON(t, fromExtJSON(t, c.CanonicalExtJSON), cB)
		if c.DegenerateExtJSON != nil {
			checkBSON(t, fromExtJSON(t, *c.DegenerateExtJSON), cB)
		}
	}
	if c.RelaxedExtJSON != nil {
		checkExtJSON(t, fromExtJSON(t, *c.RelaxedExtJSON), bson.Relaxed, *c.RelaxedExtJSON)
	}
}

// runNative does the same through values of Go.
func (c corpusCase) runNative(t T) {
	cB := unhex(t, c.CanonicalBSON)
	sources := []bson.D{decodeD(t, cB)}
	checkBSON(t, encodeD(t, sources[0]), cB)
	if c.DegenerateBSON != nil {
		checkBSON(t, encodeD(t, decodeD(t, unhex(t, *c.DegenerateBSON))), cB)
	}
	texts := []string{c.CanonicalExtJSON}
	if c.DegenerateExtJSON != nil {
		texts = append(texts, *c.DegenerateExtJSON)
	}
	for _, text := range texts {
		var d bson.D
		if err := bson.UnmarshalExtJSON([]byte(text), &d); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if !c.Lossy {
			checkBSON(t, encodeD(t, d), cB)
		}
		sources = append(sources, d)
	}
	for _, d := range sources {
		checkNativeExtJSON(t, d, bson.Canonical, c.CanonicalExtJSON)
		if c.RelaxedExtJSON != nil {
			checkNativeExtJSON(t, d, bson.Relaxed, *c.RelaxedExtJSON)
		}
	}
	if c.RelaxedExtJSON != nil {
		var d bson.D
		if err := bson.UnmarshalExtJSON([]byte(*c.RelaxedExtJSON), &d); err != nil {
			t.Errorf("%s: %v", *c.RelaxedExtJSON, err)
		}
		checkNativeExtJSON(t, d, bson.Relaxed, *c.RelaxedExtJSON)
	}
}

func runParseError(t T, bsonType bson.Type, text string) {
	switch bsonType {
	case 0, bson.TypeBinary:
		if !json.Valid([]byte(text)) {
			t.Errorf("%s is not even JSON", text)
		}
		if doc, err := bson.ParseExtJSON([]byte(text)); err == nil {
			t.Errorf("%s is taken for %v", text, doc)
		}
	case bson.TypeDecimal128:
		if d, err := bson.ParseDecimal128(text); err == nil {
			t.Errorf("%q is taken for %v", text, d)
		}
		text = fmt.Sprintf(`{"d":{"$numberDecimal":%q}}`, text)
		if doc, err := bson.ParseExtJSON([]byte(text)); err == nil {
			t.Errorf("%s is taken for %v", text, doc)
		}
	default:
		t.Fatalf("parse error of the unknown type %s", bsonType)
	}
}

// proseCorpus tests that NUL is refused where BSON uses it as an end.
func proseCorpus(t T) {
	t.Run("1. Prohibit null bytes in null-terminated strings when encoding BSON", func(t T) {
		for name, v := range map[string]any{
			"key of a D":              bson.D{{Key: "a\x00b", Value: 1}},
			"key of an M":             bson.M{"a\x00b": 1},
			"key of a map":            map[string]int{"a\x00b": 1},
			"key of a sub-document":   bson.D{{Key: "x", Value: bson.D{{Key: "a\x00b", Value: 1}}}},
			"key in an array":         bson.D{{Key: "x", Value: bson.A{bson.M{"a\x00b": 1}}}},
			"pattern of a regex":      bson.D{{Key: "x", Value: bson.Regex{Pattern: "a\x00b"}}},
			"options of a regex":      bson.D{{Key: "x", Value: bson.Regex{Pattern: "a", Options: "i\x00"}}},
			"regex in a struct":       struct{ X bson.Regex }{bson.Regex{Pattern: "a\x00b"}},
			"key of an inlined map":   inlined{map[string]any{"a\x00b": 1}},
			"key of a scope":          bson.D{{Key: "x", Value: bson.CodeWithScope{Scope: bson.D{{Key: "a\x00b", Value: 1}}}}},
			"regex within a document": bson.D{{Key: "x", Value: bson.M{"y": bson.Regex{Options: "\x00"}}}},
		} {
			t.Run(name, func(t T) {
				if doc, err := bson.Marshal(v); err == nil {
					t.Errorf("it becomes %x", doc)
				}
			})
		}
	})
}

type inlined struct {
	M map[string]any `bson:",inline"`
}

func unhex(t T, s string) bson.Raw {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatalf("the fixture is not hexadecimal: %v", err)
	}
	return b
}

func fromExtJSON(t T, text string) bson.Raw {
	t.Helper()
	doc, err := bson.ParseExtJSON([]byte(text))
	if err != nil {
		t.Errorf("%s: %v", text, err)
	}
	return doc
}

func decodeD(t T, doc bson.Raw) (d bson.D) {
	t.Helper()
	if err := bson.Unmarshal(doc, &d); err != nil {
		t.Errorf("%x: %v", doc, err)
	}
	return d
}

func encodeD(t T, d bson.D) bson.Raw {
	t.Helper()
	doc, err := bson.Marshal(d)
	if err != nil {
		t.Errorf("%#v: %v", d, err)
	}
	return doc
}

func checkBSON(t T, got, want bson.Raw) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("the BSON is\n%x instead of\n%x", []byte(got), []byte(want))
	}
}

func checkExtJSON(t T, doc bson.Raw, format bson.ExtJSONFormat, want string) {
	t.Helper()
	got, err := bson.AppendExtJSON(nil, doc, format)
	checkJSON(t, got, err, format, want)
}

func checkNativeExtJSON(t T, d bson.D, format bson.ExtJSONFormat, want string) {
	t.Helper()
	got, err := bson.MarshalExtJSON(d, format)
	checkJSON(t, got, err, format, want)
}

func checkJSON(t T, got []byte, err error, format bson.ExtJSONFormat, want string) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", format, err)
	} else if !slices.Equal(jsonTokens(t, string(got)), jsonTokens(t, want)) {
		t.Errorf("%s is\n%s instead of\n%s", format, got, want)
	}
}

// jsonTokens is what two JSON texts are compared by: they may differ in white
// space and in the way that characters are escaped.
func jsonTokens(t T, text string) (tokens []json.Token) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return tokens
		}
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		tokens = append(tokens, token)
	}
}
