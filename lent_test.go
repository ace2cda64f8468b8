package motor_test

import (
	"testing"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// Batches take the place of one another, and what was decoded stays all the
// same.
func TestDecodedDocumentsOutliveTheirBatch(t *testing.T) {
	batch := func(field string, id int64, letter string) bson.Raw {
		return found(t, field, id, d("s", letter, "raw", d("s", letter), "value", letter, "list", bson.A{letter}))
	}
	letters := []string{"a", "b", "c", "d"}
	primary := newDeployment(t, map[string]bson.Raw{"find": batch("firstBatch", 7, letters[0])})
	primary.script("getMore", batch("nextBatch", 7, letters[1]), batch("nextBatch", 7, letters[2]), batch("nextBatch", 0, letters[3]))
	type document struct {
		S     string
		Raw   bson.Raw
		Value bson.RawValue
		List  bson.RawArray
	}
	coll := motor.CollectionOf[document](primary.connect().Database("db"), "c")
	for range 2 { // the second cursor gets the memory of the first
		list, err := coll.Find(t.Context(), nil).Slice()
		if err != nil || len(list) != len(letters) {
			t.Fatal(list, err)
		}
		for i, doc := range list {
			inner, _ := doc.Raw.Lookup("s").Str()
			value, _ := doc.Value.Str()
			item, _ := doc.List.Index(0).Str()
			if want := letters[i]; doc.S != want || inner != want || value != want || item != want {
				t.Errorf("document %d: %q %q %q %q", i, doc.S, inner, value, item)
			}
		}
	}
}
