package ops

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology/description"
)

// GetMore is the command getMore.
type GetMore struct {
	Envelope
	Cursor     int64
	Collection string
	BatchSize  int32 // 0 leaves it to the server
	Comment    bson.RawValue
	RawData    bool
}

func (*GetMore) traits() traits { return traits{name: "getMore"} }

func (g *GetMore) appendFields(dst []byte, to *description.Server) []byte {
	dst = bson.AppendInt64(dst, "getMore", g.Cursor)
	dst = bson.AppendString(dst, "collection", g.Collection)
	if g.BatchSize > 0 {
		dst = bson.AppendInt32(dst, "batchSize", g.BatchSize)
	}
	if to.MaxWireVersion >= 9 {
		dst = appendValue(dst, "comment", g.Comment)
	}
	return appendRawData(dst, to, g.RawData)
}

// KillCursors is the command killCursors.
type KillCursors struct {
	Envelope
	Collection string
	Cursor     int64
}

func (*KillCursors) traits() traits { return traits{name: "killCursors"} }

func (k *KillCursors) appendFields(dst []byte, _ *description.Server) []byte {
	dst = bson.AppendString(dst, "killCursors", k.Collection)
	dst, at := bson.BeginArray(dst, "cursors")
	dst = bson.AppendInt64(dst, "0", k.Cursor)
	return bson.EndDocument(dst, at)
}
