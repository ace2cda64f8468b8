package ops

import (
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology/description"
)

// Find is the command find.
type Find struct {
	Envelope
	Collection          string
	Filter              bson.Raw
	Sort                bson.Raw
	Projection          bson.Raw
	Hint                bson.RawValue
	Skip                int64
	Limit               int64 // negative: one batch of that many
	BatchSize           *int32
	SingleBatch         bool
	Comment             bson.RawValue
	Max, Min            bson.Raw
	ReturnKey           bool
	ShowRecordID        bool
	Tailable            bool
	AwaitData           bool
	OplogReplay         bool
	NoCursorTimeout     bool
	AllowPartialResults bool
	Collation           bson.Raw
	AllowDiskUse        *bool
	Let                 bson.Raw
	RawData             bool
}

func (*Find) traits() traits {
	return traits{name: "find", readConcern: true, retry: retryRead}
}

func (f *Find) appendFields(dst []byte, to *description.Server) []byte {
	dst = bson.AppendString(dst, "find", f.Collection)
	dst = appendDoc(dst, "filter", f.Filter)
	dst = appendDoc(dst, "sort", f.Sort)
	dst = appendDoc(dst, "projection", f.Projection)
	dst = appendValue(dst, "hint", f.Hint)
	if f.Skip != 0 {
		dst = bson.AppendInt64(dst, "skip", f.Skip)
	}
	limit, single := f.Limit, f.SingleBatch
	if limit < 0 {
		limit, single = -limit, true
	}
	if limit != 0 {
		dst = bson.AppendInt64(dst, "limit", limit)
	}
	if n, ok := firstBatch(f.BatchSize, limit); ok {
		dst = bson.AppendInt32(dst, "batchSize", n)
	}
	dst = appendTrue(dst, "singleBatch", single)
	dst = appendValue(dst, "comment", f.Comment)
	dst = appendDoc(dst, "max", f.Max)
	dst = appendDoc(dst, "min", f.Min)
	dst = appendTrue(dst, "returnKey", f.ReturnKey)
	dst = appendTrue(dst, "showRecordId", f.ShowRecordID)
	dst = appendTrue(dst, "tailable", f.Tailable)
	dst = appendTrue(dst, "awaitData", f.AwaitData)
	dst = appendTrue(dst, "oplogReplay", f.OplogReplay)
	dst = appendTrue(dst, "noCursorTimeout", f.NoCursorTimeout)
	dst = appendTrue(dst, "allowPartialResults", f.AllowPartialResults)
	dst = appendDoc(dst, "collation", f.Collation)
	dst = appendBool(dst, "allowDiskUse", f.AllowDiskUse)
	dst = appendDoc(dst, "let", f.Let)
	return appendRawData(dst, to, f.RawData)
}

// firstBatch is the batch size to send. A batch size equal to the limit would
// leave a cursor open on the server for nothing, so one is added.
func firstBatch(size *int32, limit int64) (int32, bool) {
	if size == nil {
		return 0, false
	}
	if limit != 0 && int64(*size) == limit {
		return *size + 1, true
	}
	return *size, true
}

// appendMaxTime appends maxTimeMS, rounded up so that a bound never becomes
// none.
func appendMaxTime(dst []byte, d time.Duration) []byte {
	if d <= 0 {
		return dst
	}
	return bson.AppendInt64(dst, "maxTimeMS", int64((d+time.Millisecond-1)/time.Millisecond))
}
