package spectests

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

type decoded struct {
	Name    string
	ID      int64              `spec:"optional"`
	Anchors bson.RawValue      `spec:"name=_anchors,optional"`
	Wait    time.Duration      `spec:"optional"`
	Expire  *time.Duration     `spec:"optional"`
	List    []part             `spec:"optional"`
	Comment any                `spec:"optional"`
	Concern motor.WriteConcern `spec:"optional"`
	motor.FindOneAndUpdateOptions
}

type part struct{ X int }

func decodeText(t *testing.T, dst any, text string) error {
	t.Helper()
	return decode(dst, bson.Raw(extJSON(t, text).Value))
}

func TestDecode(t *testing.T) {
	var d decoded
	err := decodeText(t, &d, `{"name": "n", "id": 3, "_anchors": {"a": 1}, "waitMS": 20, "expireSeconds": 2, "list": [{"x": 1}, {"x": 2}],
		"comment": {"k": 1}, "concern": {"w": "majority", "wtimeoutMS": 7, "journal": true}, "returnDocument": "AFTER", "maxTimeMS": 5, "upsert": true}`)
	if err != nil {
		t.Fatal(err)
	}
	comment, _ := d.Comment.(bson.Raw)
	if d.Name != "n" || d.ID != 3 || d.Anchors.IsZero() || d.Wait != 20*time.Millisecond || *d.Expire != 2*time.Second ||
		!reflect.DeepEqual(d.List, []part{{1}, {2}}) || comment.Lookup("k").IsZero() ||
		d.Concern.W != "majority" || d.Concern.WTimeout != 7*time.Millisecond || !*d.Concern.Journal ||
		d.ReturnDocument != motor.After || d.MaxTime != 5*time.Millisecond || !d.Upsert {
		t.Errorf("decoded %+v", d)
	}
}

// Whatever a runner does not know of it would not test, and what it takes for
// granted must be there.
func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{}`:                          `"name" is missing`,
		`{"name": "n", "foo": 1}`:     `"foo" is not supported`,
		`{"name": "n", "name": "m"}`:  `"name" stands twice`,
		`{"name": 1}`:                 `"name"`,
		`{"name": "n", "list": [{}]}`: `"x" is missing`,
		`{"name": "n", "list": [{"x": 1, "y": 1}]}`: `"y" is not supported`,
		`{"name": "n", "list": 1}`:                  "is not an array",
		`{"name": "n", "wait": 1}`:                  `"wait" is not supported`,
		`{"name": "n", "waitMS": "1"}`:              "is not a whole number",
		`{"name": "n", "returnDocument": "never"}`:  "is not one of its values",
		`{"name": "n", "concern": {"v": 1}}`:        `"v" is not supported`,
		`{"name": "n", "concern": 1}`:               "is not a document",
	} {
		err := decodeText(t, new(decoded), text)
		if err == nil || !strings.Contains(err.Error(), want) || !isMalformed(err) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// The struct of the arguments may embed another one of the runner's own: what
// that needs must be there, too.
func TestDecodeEmbedded(t *testing.T) {
	var d struct {
		Y int
		part
	}
	if err := decodeText(t, &d, `{"y": 1}`); err == nil || !strings.Contains(err.Error(), `"x" is missing`) {
		t.Errorf("without what is embedded: %v", err)
	}
}

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]Version{
		"4": {4, 0, 0}, "4.2": {4, 2, 0}, "4.0.10": {4, 0, 10}, "4.9.0-alpha4-271-g7d5cf02": {4, 9, 0},
	} {
		if v, err := ParseVersion(text); err != nil || v != want {
			t.Errorf("%s is %v, %v", text, v, err)
		}
	}
	for _, text := range []string{"", "x", "4.x", "4.-1", "-4"} {
		if v, err := ParseVersion(text); err == nil {
			t.Errorf("%q is %v", text, v)
		}
	}
	if v := (Version{4, 0, 10}); v.Compare(Version{4, 0, 9}) <= 0 || !v.Within(Version{3, 6}, Version{4, 2}) || v.Within(Version{4, 1}, Version{}) || !v.Within(Version{}, Version{}) {
		t.Error("versions are compared as numbers, part by part")
	}
}

func TestSchemaVersion(t *testing.T) {
	const rest = `, "description": "d", "tests": []}`
	for version, fine := range map[string]bool{
		"1.0": true, "1.27": true, "1.28.3": true, "1.29": false, "0.1": false, "2.0": false, "": false,
	} {
		if _, err := parseUnified([]byte(`{"schemaVersion": "` + version + `"` + rest)); (err == nil) != fine {
			t.Errorf("schemaVersion %q: %v", version, err)
		}
	}
}
