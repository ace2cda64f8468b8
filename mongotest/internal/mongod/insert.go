package mongod

import (
	"errors"
	"strings"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

var insertSchema = newSchema("insert",
	field{name: "documents", fieldType: objects | required}, field{name: "ordered", fieldType: boolean}, field{name: "bypassDocumentValidation", fieldType: truth},
	field{name: "stmtId", fieldType: anything}, field{name: "stmtIds", fieldType: anything}, field{name: "isTimeseriesNamespace", fieldType: anything},
	field{name: "encryptionInformation", fieldType: anything}, field{name: "bypassEmptyTsReplacement", fieldType: boolean})

// insertChunk is how many documents go into one unit of work.
const insertChunk = 500

// insert adds documents.
func insert(r *request) (*doc, error) {
	b, docs, err := r.newBatch("documents")
	if err != nil {
		return nil, err
	}
	if b.done(len(docs)-1) != nil && !r.atLeast(5, 0) {
		// The server looks at what it has gathered when it comes to the last
		// document, which it passes over here: the rest is not inserted.
		return b.retriedInsert()
	}
	chunk := insertChunk
	for at := 0; at < len(docs); {
		end := min(at+chunk, len(docs))
		next, err := b.insertChunk(docs, at, end)
		if err == nil {
			at = next
			continue
		}
		if errors.Is(err, errTogether) {
			chunk = 1 // what failed is found one by one
			continue
		}
		goOn, fatal := b.fail(next, err)
		if fatal != nil {
			return nil, fatal
		}
		if !goOn {
			break
		}
		at = next + 1
	}
	return b.reply(false)
}

// errTogether is the error of a unit of work with several documents that failed
// as a whole.
var errTogether = errors.New("documents cannot be inserted together")

// insertChunk inserts the documents at to end in one unit of work. It stops at
// the first that is refused, which it gives with the error; what comes before
// is kept.
func (b *batch) insertChunk(docs []bson.Raw, at, end int) (next int, err error) {
	var refused error
	var inserted int64
	var retried []int32
	err = b.transact(func(tx *storage.Tx) error {
		refused, next, inserted, retried = nil, at, 0, nil
		c, err := b.target(tx, b.ns, true)
		if err != nil {
			return err
		}
		for ; next < end; next++ {
			if b.done(next) != nil {
				retried = append(retried, b.stmts[next])
				inserted++
				continue
			}
			d, err := b.prepare(tx, docs[next])
			if err == nil && !b.bypass {
				err = b.validate(c, nil, d)
			}
			if err == nil {
				err = tx.Do(&storage.Op{Kind: storage.Insert, NS: b.ns, UUID: c.UUID, After: d, Stmt: b.stmts[next]})
			}
			if err != nil {
				if !ofDocument(err) {
					return err
				}
				refused = err
				break
			}
			inserted++
		}
		err = b.onPrimaryTransactionalWrite(tx)
		if err != nil && end-at > 1 {
			return errTogether
		}
		return err
	})
	if err != nil {
		return at, err
	}
	b.n += inserted
	b.retried = append(b.retried, retried...)
	return next, refused
}

// prepare makes a document fit to be stored: its _id first, and made if it is
// missing, empty timestamps filled in.
func (r *request) prepare(tx *storage.Tx, d bson.Raw) (bson.Raw, error) {
	if len(d) > maxDocumentSize {
		return nil, errorf(codeBadValue, "object to insert too large. size in bytes: %d, max size: %d", len(d), maxDocumentSize)
	}
	if err := checkDocument(d); err != nil {
		return nil, err
	}
	fix, first := false, true
	var id bson.RawValue
	for name, v := range d.All() {
		switch {
		case name == "_id":
			if err := checkID(v); err != nil {
				return nil, err
			}
			if !id.IsZero() {
				return nil, errorf(codeBadValue, "can't have multiple _id fields in one document")
			}
			id, fix = v, fix || !first
		case strings.HasPrefix(name, "$") && !r.atLeast(5, 0):
			return nil, errorf(codeBadValue, "Document can't have $ prefixed field names: %s", name)
		case v.Type == bson.TypeTimestamp && isEmptyTimestamp(v):
			fix = true
		}
		first = false
	}
	if !id.IsZero() && !fix {
		return d, nil
	}
	out := newDoc()
	if id.IsZero() {
		out.objectID("_id", bson.NewObjectID())
	} else {
		out.value("_id", id)
	}
	for name, v := range d.All() {
		switch {
		case name == "_id":
		case v.Type == bson.TypeTimestamp && isEmptyTimestamp(v):
			out.timestamp(name, tx.Now())
		default:
			out.value(name, v)
		}
	}
	return out.raw(), nil
}

func isEmptyTimestamp(v bson.RawValue) bool {
	t, _ := v.Timestamp()
	return t.IsZero()
}

// checkID refuses what cannot be an _id.
func checkID(v bson.RawValue) error {
	switch v.Type {
	case bson.TypeArray:
		return errorf(codeBadValue, "can't use an array for _id")
	case bson.TypeRegex:
		return errorf(codeBadValue, "can't use a regex for _id")
	case bson.TypeUndefined:
		return errorf(codeBadValue, "can't use a undefined for _id")
	case bson.TypeEmbeddedDocument:
		for name := range bson.Raw(v.Value).Keys() {
			if strings.HasPrefix(name, "$") {
				return errorf(52, "_id fields may not contain '$'-prefixed fields: %s is not valid for storage.", name)
			}
		}
	}
	return nil
}

// maxNesting is how many levels a document may have, itself the first.
const maxNesting = 180

// checkDocument refuses documents that are nested too deeply.
func checkDocument(d bson.Raw) error {
	if depth(d, 1) > maxNesting {
		return errorf(codeOverflow, "cannot insert document because it exceeds %d levels of nesting", maxNesting)
	}
	return nil
}

func depth(d bson.Raw, at int) int {
	deepest := at
	if at > maxNesting {
		return at
	}
	for _, v := range d.All() {
		if v.Type == bson.TypeEmbeddedDocument || v.Type == bson.TypeArray {
			deepest = max(deepest, depth(bson.Raw(v.Value), at+1))
		}
	}
	return deepest
}

// retriedInsert answers an insert that was executed to its end before.
func (b *batch) retriedInsert() (*doc, error) {
	for i, stmt := range b.stmts {
		if b.done(i) != nil {
			b.n++
			b.retried = append(b.retried, stmt)
		}
	}
	return b.reply(false)
}
