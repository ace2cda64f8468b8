package ops

import (
	"testing"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
	"github.com/motor-go/motor/topology/description"
)

// An unacknowledged write with a hint goes to no server that would refuse it.
func TestHintUnacknowledged(t *testing.T) {
	index := bson.RawValue{Type: bson.TypeString, Value: bson.AppendStringValue(nil, "_id_")}
	empty := bson.Raw{5, 0, 0, 0, 0}
	update := func(hint bson.RawValue) *Update {
		doc := bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: empty}
		plain := AppendUpdate(nil, &UpdateStatement{Filter: empty, Update: doc})
		return &Update{Updates: AppendUpdate(plain, &UpdateStatement{Filter: empty, Update: doc, Hint: hint})}
	}
	remove := func(hint bson.RawValue) *Delete {
		return &Delete{Deletes: AppendDelete(nil, &DeleteStatement{Filter: empty, Hint: hint})}
	}
	for _, c := range []struct {
		name    string
		command Command
		version int32
		w       any
		refused bool
	}{
		{"update on 4.0", update(index), 7, 0, true},
		{"update on 4.2", update(index), 8, 0, false},
		{"update without a hint", update(bson.RawValue{}), 7, 0, false},
		{"acknowledged update", update(index), 7, 1, false},
		{"delete on 4.2", remove(index), 8, 0, true},
		{"delete on 4.4", remove(index), 9, 0, false},
		{"findAndModify on 4.2", &FindAndModify{Hint: index}, 8, 0, true},
		{"findAndModify on 4.4", &FindAndModify{Hint: index}, 9, 0, false},
		{"findAndModify without a hint", &FindAndModify{}, 8, 0, false},
		{"insert", &Insert{}, 6, 0, false},
	} {
		m := message{to: &description.Server{MaxWireVersion: c.version}, writeConcern: concern.WriteConcern{W: c.w}}
		if err := checkHint(c.command, &m); (err != nil) != c.refused {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
