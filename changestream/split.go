package changestream

import (
	"fmt"

	"github.com/motor-go/motor/bson"
)

// joiner puts the fragments of $changeStreamSplitLargeEvent together.
type joiner struct {
	seen     int64
	elements []byte
}

// pending reports whether fragments are missing.
func (j *joiner) pending() bool { return j.seen > 0 }

// add takes the next fragment and reports whether it was the last. The event's
// _id is that of the last fragment, which is where the stream goes on.
func (j *joiner) add(doc, split bson.Raw) (done bool, err error) {
	n, _ := split.Lookup("fragment").AsInt64()
	of, _ := split.Lookup("of").AsInt64()
	if n != j.seen+1 || of < n {
		return false, fmt.Errorf("fragment %d of %d of a change event came after fragment %d", n, of, j.seen)
	}
	j.seen = n
	for key, v := range doc.All() {
		if key == "splitEvent" || key == "_id" && n < of {
			continue
		}
		j.elements = bson.AppendValue(j.elements, key, v)
	}
	return n == of, nil
}

func (j *joiner) event() bson.Raw {
	doc, at := bson.BeginDocument(make([]byte, 0, len(j.elements)+5))
	return bson.EndDocument(append(doc, j.elements...), at)
}
