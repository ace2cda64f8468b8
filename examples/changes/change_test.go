package main

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

func raw(t *testing.T, doc any) bson.Raw {
	t.Helper()
	b, err := bson.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDescribe(t *testing.T) {
	when := time.UnixMilli(1_500_000_000_123).UTC()
	key := raw(t, bson.D{{Key: "_id", Value: 7}})
	doc := raw(t, bson.D{{Key: "_id", Value: 7}, {Key: "name", Value: "Ann"}, {Key: "tags", Value: bson.A{"a", 1}}})
	for _, test := range []struct {
		event motor.ChangeEvent[bson.Raw]
		want  change
	}{
		{
			motor.ChangeEvent[bson.Raw]{OperationType: "insert", WallTime: when, DocumentKey: key, FullDocument: &doc},
			change{Op: "insert", Time: when, Key: "7", Fields: []field{{Name: "name", Value: `"Ann"`}, {Name: "tags", Value: `["a",1]`}}},
		},
		{
			motor.ChangeEvent[bson.Raw]{OperationType: "update", WallTime: when, DocumentKey: key, UpdateDescription: &motor.UpdateDescription{
				UpdatedFields: raw(t, bson.D{{Key: "a.b", Value: 1}}), RemovedFields: []string{"c"}, TruncatedArrays: []motor.TruncatedArray{{Field: "d", NewSize: 3}},
			}},
			change{Op: "update", Time: when, Key: "7", Fields: []field{
				{Name: "a.b", Value: "1"}, {Name: "d", Value: "… cut to a length of 3"}, {Name: "c", Removed: true},
			}},
		},
		{
			motor.ChangeEvent[bson.Raw]{OperationType: "delete", ClusterTime: bson.Timestamp{T: 100}, DocumentKey: raw(t, bson.D{{Key: "city", Value: "Ulm"}, {Key: "_id", Value: 7}})},
			change{Op: "delete", Time: time.Unix(100, 0), Key: `{"city":"Ulm","_id":7}`},
		},
		{
			motor.ChangeEvent[bson.Raw]{OperationType: "rename", WallTime: when, To: &motor.Namespace{DB: "a", Coll: "b"}},
			change{Op: "rename", Time: when, Fields: []field{{Name: "to", Value: "a.b"}}},
		},
	} {
		if got := describe(&test.event); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s:\n%+v, want\n%+v", test.event.OperationType, got, test.want)
		}
	}
}

// TestGlance cuts what is too long or too much.
func TestGlance(t *testing.T) {
	var long bson.D
	for i := range mostFields + 3 {
		long = append(long, bson.E{Key: fmt.Sprint("f", i), Value: strings.Repeat("é", 1000)})
	}
	doc := raw(t, long)
	c := describe(&motor.ChangeEvent[bson.Raw]{OperationType: "insert", FullDocument: &doc})
	if len(c.Fields) != mostFields || c.More != 3 {
		t.Errorf("%d fields and %d more", len(c.Fields), c.More)
	}
	if v := c.Fields[0].Value; len(v) > mostText+len("…") || !strings.HasSuffix(v, "é…") || !utf8.ValidString(v) {
		t.Errorf("value of %d bytes: %q", len(v), v)
	}
}

func TestToken(t *testing.T) {
	token := raw(t, bson.D{{Key: "_data", Value: "8200"}})
	if got, err := decodeToken(encodeToken(token)); err != nil || got.String() != token.String() {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := decodeToken(""); got != nil || err != nil {
		t.Errorf("none: %v, %v", got, err)
	}
	for _, text := range []string{"%", "AAAA", encodeToken(token)[1:], encodeToken(raw(t, bson.D{{Key: "x", Value: 1}}))} {
		if _, err := decodeToken(text); err != errBadToken {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestValue(t *testing.T) {
	for text, want := range map[string]any{
		"7": int32(7), "7.5": 7.5, `"7"`: "7", "true": true, "null": nil, "red": "red", "": "", "{": "{",
		`{"$date":"1970-01-01T00:00:01Z"}`: bson.DateTime(1000), `[1,{"a":2}]`: bson.A{int32(1), bson.D{{Key: "a", Value: int32(2)}}},
		"<script>": "<script>",
	} {
		if got := value(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %#v, want %#v", text, got, want)
		}
	}
}
