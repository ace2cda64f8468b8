package ops

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology/description"
)

// FindAndModify is the command findAndModify.
type FindAndModify struct {
	Envelope
	Collection               string
	Filter                   bson.Raw
	Sort                     bson.Raw
	Remove                   bool
	Update                   bson.RawValue // a document or a pipeline
	New                      bool
	Fields                   bson.Raw
	Upsert                   bool
	BypassDocumentValidation *bool
	Collation                bson.Raw
	ArrayFilters             bson.RawArray
	Hint                     bson.RawValue
	Comment                  bson.RawValue
	Let                      bson.Raw
	RawData                  bool
}

func (*FindAndModify) traits() traits {
	return traits{name: "findAndModify", write: true, writeConcern: true, retry: retryWrite}
}

func (f *FindAndModify) appendFields(dst []byte, to *description.Server) []byte {
	dst = bson.AppendString(dst, "findAndModify", f.Collection)
	dst = bson.AppendDocument(dst, "query", f.Filter)
	dst = appendDoc(dst, "sort", f.Sort)
	dst = appendTrue(dst, "remove", f.Remove)
	dst = appendValue(dst, "update", f.Update)
	dst = appendTrue(dst, "new", f.New)
	dst = appendDoc(dst, "fields", f.Fields)
	dst = appendTrue(dst, "upsert", f.Upsert)
	dst = appendBool(dst, "bypassDocumentValidation", f.BypassDocumentValidation)
	dst = appendDoc(dst, "collation", f.Collation)
	dst = appendArray(dst, "arrayFilters", f.ArrayFilters)
	dst = appendValue(dst, "hint", f.Hint)
	dst = appendValue(dst, "comment", f.Comment)
	dst = appendDoc(dst, "let", f.Let)
	return appendRawData(dst, to, f.RawData)
}
