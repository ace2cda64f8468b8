package ops

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology/description"
)

// Aggregate is the command aggregate.
type Aggregate struct {
	Envelope
	Collection               string // empty: the database itself
	Pipeline                 bson.RawArray
	AllowDiskUse             *bool
	BatchSize                *int32
	BypassDocumentValidation *bool
	Collation                bson.Raw
	Comment                  bson.RawValue
	Hint                     bson.RawValue
	Let                      bson.Raw
	RawData                  bool
}

// Writes reports whether the last stage is $out or $merge.
func (a *Aggregate) Writes() bool {
	var last bson.RawValue
	for v := range a.Pipeline.Values() {
		last = v
	}
	stage, _ := last.Document()
	for key := range stage.Keys() {
		return key == "$out" || key == "$merge"
	}
	return false
}

func (a *Aggregate) traits() traits {
	t := traits{name: "aggregate", readConcern: true, retry: retryRead}
	if a.Writes() {
		t.retry, t.writeConcern = retryOverload, true
	}
	return t
}

func (a *Aggregate) appendFields(dst []byte, to *description.Server) []byte {
	if a.Collection == "" {
		dst = bson.AppendInt32(dst, "aggregate", 1)
	} else {
		dst = bson.AppendString(dst, "aggregate", a.Collection)
	}
	dst = bson.AppendArray(dst, "pipeline", a.Pipeline)
	dst, at := bson.BeginEmbedded(dst, "cursor")
	if a.BatchSize != nil && !(*a.BatchSize == 0 && a.Writes()) {
		dst = bson.AppendInt32(dst, "batchSize", *a.BatchSize)
	}
	dst = bson.EndDocument(dst, at)
	dst = appendBool(dst, "allowDiskUse", a.AllowDiskUse)
	dst = appendBool(dst, "bypassDocumentValidation", a.BypassDocumentValidation)
	dst = appendDoc(dst, "collation", a.Collation)
	dst = appendValue(dst, "comment", a.Comment)
	dst = appendValue(dst, "hint", a.Hint)
	dst = appendDoc(dst, "let", a.Let)
	return appendRawData(dst, to, a.RawData)
}
