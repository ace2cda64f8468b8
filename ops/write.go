package ops

import (
	"fmt"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// WriteOptions are the fields that insert, update and delete share.
type WriteOptions struct {
	// Unordered goes on after an error.
	Unordered                bool
	BypassDocumentValidation *bool
	Comment                  bson.RawValue
	Let                      bson.Raw
	RawData                  bool
}

func (o *WriteOptions) appendFields(dst []byte, to *description.Server) []byte {
	dst = bson.AppendBool(dst, "ordered", !o.Unordered)
	dst = appendBool(dst, "bypassDocumentValidation", o.BypassDocumentValidation)
	dst = appendValue(dst, "comment", o.Comment)
	dst = appendDoc(dst, "let", o.Let)
	return appendRawData(dst, to, o.RawData)
}

// checkReply says what is wrong with the reply to a write: without numbers it
// says nothing, and it would pass for a success.
func checkReply(cmd Command, reply bson.Raw, server string) error {
	if reply == nil {
		return nil
	}
	var numbers []string
	switch cmd.(type) {
	case *Insert, *Update, *Delete:
		numbers = writeNumbers
	case *ClientBulkWrite:
		numbers = bulkNumbers
	default:
		return nil
	}
	for _, key := range numbers {
		if _, ok := reply.Lookup(key).AsInt64(); !ok {
			return malformed(cmd, server, "has no number "+key, reply)
		}
	}
	errs := reply.Lookup("writeErrors")
	list, ok := errs.Array()
	if !ok && !errs.IsZero() {
		return malformed(cmd, server, "has writeErrors that are no array", reply)
	}
	for v := range list.Values() {
		doc, _ := v.Document()
		if _, ok := doc.Lookup("index").AsInt64(); !ok {
			return malformed(cmd, server, "has writeErrors that name no statement", reply)
		}
	}
	return nil
}

var (
	writeNumbers = []string{"n"}
	bulkNumbers  = []string{"nInserted", "nMatched", "nModified", "nDeleted", "nUpserted"}
)

func malformed(cmd Command, server, what string, reply bson.Raw) error {
	return fmt.Errorf("%s on %s: the reply %s: %s", cmd.traits().name, server, what, shortened(reply))
}

// Insert is the command insert. Docs are the documents one after the other.
type Insert struct {
	Envelope
	WriteOptions
	Collection string
	Docs       []byte
}

func (*Insert) traits() traits {
	return traits{name: "insert", write: true, writeConcern: true, retry: retryWrite}
}

func (i *Insert) appendFields(dst []byte, to *description.Server) []byte {
	return i.WriteOptions.appendFields(bson.AppendString(dst, "insert", i.Collection), to)
}

func (i *Insert) sequences() [2]wire.Sequence {
	return [2]wire.Sequence{1: {ID: "documents", Docs: i.Docs}}
}

// Update is the command update. Updates are its statements, one document each;
// see AppendUpdate.
type Update struct {
	Envelope
	WriteOptions
	Collection string
	Updates    []byte
	// Multi says that a statement may change several documents, so that the
	// command cannot be retried.
	Multi bool
}

func (u *Update) traits() traits {
	t := traits{name: "update", write: true, writeConcern: true}
	if !u.Multi {
		t.retry = retryWrite
	}
	return t
}

func (u *Update) appendFields(dst []byte, to *description.Server) []byte {
	return u.WriteOptions.appendFields(bson.AppendString(dst, "update", u.Collection), to)
}

func (u *Update) sequences() [2]wire.Sequence {
	return [2]wire.Sequence{1: {ID: "updates", Docs: u.Updates}}
}

// UpdateStatement is one statement of an update.
type UpdateStatement struct {
	Filter       bson.Raw
	Update       bson.RawValue // a document or a pipeline
	ArrayFilters bson.RawArray
	Multi        bool
	Upsert       bool
	Collation    bson.Raw
	Hint         bson.RawValue
	Sort         bson.Raw
}

// AppendUpdate appends the document of one statement.
func AppendUpdate(dst []byte, u *UpdateStatement) []byte {
	dst, at := bson.BeginDocument(dst)
	dst = bson.AppendDocument(dst, "q", u.Filter)
	dst = bson.AppendValue(dst, "u", u.Update)
	dst = appendTrue(dst, "multi", u.Multi)
	dst = appendTrue(dst, "upsert", u.Upsert)
	dst = appendArray(dst, "arrayFilters", u.ArrayFilters)
	dst = appendDoc(dst, "collation", u.Collation)
	dst = appendValue(dst, "hint", u.Hint)
	dst = appendDoc(dst, "sort", u.Sort)
	return bson.EndDocument(dst, at)
}

// Delete is the command delete. Deletes are its statements, one document each;
// see AppendDelete.
type Delete struct {
	Envelope
	WriteOptions
	Collection string
	Deletes    []byte
	// Multi says that a statement may remove several documents, so that the
	// command cannot be retried.
	Multi bool
}

func (d *Delete) traits() traits {
	t := traits{name: "delete", write: true, writeConcern: true}
	if !d.Multi {
		t.retry = retryWrite
	}
	return t
}

func (d *Delete) appendFields(dst []byte, to *description.Server) []byte {
	return d.WriteOptions.appendFields(bson.AppendString(dst, "delete", d.Collection), to)
}

func (d *Delete) sequences() [2]wire.Sequence {
	return [2]wire.Sequence{1: {ID: "deletes", Docs: d.Deletes}}
}

// DeleteStatement is one statement of a delete.
type DeleteStatement struct {
	Filter    bson.Raw
	Multi     bool
	Collation bson.Raw
	Hint      bson.RawValue
}

// AppendDelete appends the document of one statement.
func AppendDelete(dst []byte, d *DeleteStatement) []byte {
	dst, at := bson.BeginDocument(dst)
	dst = bson.AppendDocument(dst, "q", d.Filter)
	limit := int32(1)
	if d.Multi {
		limit = 0
	}
	dst = bson.AppendInt32(dst, "limit", limit)
	dst = appendDoc(dst, "collation", d.Collation)
	dst = appendValue(dst, "hint", d.Hint)
	return bson.EndDocument(dst, at)
}
