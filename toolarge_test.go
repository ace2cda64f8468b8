package motor_test

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

const maxBSONObjectSize = 16 << 20

// sized is a document with the _id that is n bytes long.
func sized(id, n int) bson.D {
	const around = 4 + 9 + 1 + 2 + 5 + 1 // the document, _id, and x without its bytes
	return bson.D{{Key: "_id", Value: int32(id)}, {Key: "x", Value: make([]byte, n-around)}}
}

// A statement that is too large is refused by itself, by its index, and with its
// size.
func TestDocumentTooLarge(t *testing.T) {
	client := connectTo(t, mongotest.New(t, mongotest.Options{Nodes: 1}).URI())
	c := client.Database(scratch).Collection("c")
	largest, large, huge := sized(1, maxBSONObjectSize), sized(2, maxBSONObjectSize+1), sized(3, 50<<20)
	if res, err := c.InsertOne(bounded(t), largest); err != nil || res.InsertedID != int32(1) {
		t.Fatal(err)
	}
	for name, f := range map[string]func() (any, error){
		"InsertOne 16777217 16777216":   func() (any, error) { return c.InsertOne(bounded(t), large) },
		"InsertOne 52428800 16777216":   func() (any, error) { return c.InsertOne(bounded(t), huge) },
		"InsertMany 16777217 16777216":  func() (any, error) { return c.InsertMany(bounded(t), []bson.D{large}) },
		"ReplaceOne 5242 16793600":      func() (any, error) { return c.ReplaceOne(bounded(t), bson.D{}, huge) },
		"UpdateOne 5242 16793600":       func() (any, error) { return c.UpdateOne(bounded(t), bson.D{}, d("$set", huge)) },
		"DeleteOne 5242 16793600":       func() (any, error) { return c.DeleteOne(bounded(t), huge) },
		"Client.BulkWrite 524 16777216": func() (any, error) { return client.BulkWrite(bounded(t), clientWrites(huge)) },
		"BulkWrite 5242 16793600": func() (any, error) {
			return c.BulkWrite(bounded(t), []motor.WriteModel[bson.D]{motor.DeleteOneModel[bson.D]{Filter: huge}})
		},
	} {
		res, err := f()
		var refused *motor.WriteError
		if !errors.As(err, &refused) || !errors.Is(err, motor.ErrDocumentTooLarge) || refused.Server != "" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range strings.Fields(name)[1:] {
			if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "statement 0 on "+scratch+".c was not sent") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if !reflect.ValueOf(res).IsNil() {
			t.Errorf("%s: the result is %v", name, res)
		}
	}
	// Servers refuse what the driver cannot know of, or has no statement for.
	_, grown := c.UpdateOne(bounded(t), bson.D{}, d("$set", d("y", make([]byte, 1000))))
	_, replaced := c.FindOneAndReplace(bounded(t), bson.D{}, huge)
	for _, err := range []error{grown, replaced} {
		if !errors.Is(err, motor.ErrDocumentTooLarge) {
			t.Error(err)
		}
	}
}

func clientWrites(docs ...bson.D) (writes []motor.ClientWrite) {
	for _, doc := range docs {
		writes = append(writes, motor.ClientWrite{Namespace: scratch + ".c", Model: motor.InsertOneModel[bson.D]{Document: doc}})
	}
	return writes
}

// Ordered writes stop at a statement that is too large, the others go on.
func TestOthersBesideADocumentTooLarge(t *testing.T) {
	client := connectTo(t, mongotest.New(t, mongotest.Options{Nodes: 1}).URI())
	c := client.Database(scratch).Collection("c")
	docs := []bson.D{sized(0, 100), sized(1, maxBSONObjectSize+1), sized(2, 100)}
	var models []motor.WriteModel[bson.D]
	for _, doc := range docs {
		models = append(models, motor.InsertOneModel[bson.D]{Document: doc})
	}
	for _, unordered := range []bool{false, true} {
		want := []int{0}
		if unordered {
			want = []int{0, 2}
		}
		for name, f := range map[string]func() (int, error){
			"InsertMany": func() (int, error) {
				res, err := c.InsertMany(bounded(t), docs, motor.InsertManyOptions{Unordered: unordered})
				if ids := slices.Sorted(maps.Keys(res.InsertedIDs)); !slices.Equal(ids, want) {
					t.Errorf("InsertedIDs are those of %v, want %v", ids, want)
				}
				return len(res.InsertedIDs), err
			},
			"BulkWrite": func() (int, error) {
				res, err := c.BulkWrite(bounded(t), models, motor.BulkWriteOptions{Unordered: unordered})
				return int(res.InsertedCount), err
			},
			"Client.BulkWrite": func() (int, error) {
				res, err := client.BulkWrite(bounded(t), clientWrites(docs...), motor.ClientBulkWriteOptions{Unordered: unordered})
				return int(res.InsertedCount), err
			},
		} {
			n, err := f()
			var refused *motor.BulkWriteError
			if !errors.As(err, &refused) || len(refused.WriteErrors) != 1 || refused.WriteErrors[0].Index != 1 || !errors.Is(err, motor.ErrDocumentTooLarge) {
				t.Errorf("%s: %v", name, err)
			}
			there, err := c.Find(bounded(t), nil).Slice()
			if n != len(want) || len(there) != n || err != nil {
				t.Errorf("%s, unordered: %v: %d were inserted and %d are there, want %d (%v)", name, unordered, n, len(there), len(want), err)
			}
			if _, err := c.DeleteMany(bounded(t), bson.D{}); err != nil {
				t.Fatal(err)
			}
		}
	}
}
