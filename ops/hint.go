package ops

import (
	"fmt"

	"github.com/motor-go/motor/bson"
)

// checkHint refuses a write that is not acknowledged and names an index to a
// server that does not know of that: nobody would hear that the server has
// refused it.
func checkHint(cmd Command, m *message) error {
	if m.writeConcern.Acknowledged() {
		return nil
	}
	const updates, others = 8, 9 // MongoDB 4.2 and 4.4
	var hinted bool
	least, since := int32(others), "4.4"
	switch w := cmd.(type) {
	case *Update:
		least, since, hinted = updates, "4.2", hasHint(w.Updates)
	case *Delete:
		hinted = hasHint(w.Deletes)
	case *FindAndModify:
		hinted = !w.Hint.IsZero()
	}
	if hinted && m.to.MaxWireVersion < least {
		return fmt.Errorf("%s: servers before %s take no hint, and could not say so of an unacknowledged write", cmd.traits().name, since)
	}
	return nil
}

// hasHint reports whether one of the statements names an index.
func hasHint(statements []byte) bool {
	for len(statements) > 0 {
		one, rest, err := bson.ReadDocument(statements)
		if err != nil {
			return false
		}
		if !one.Lookup("hint").IsZero() {
			return true
		}
		statements = rest
	}
	return false
}
