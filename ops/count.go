package ops

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology/description"
)

// Count is the command count.
type Count struct {
	Envelope
	Collection string
	Query      bson.Raw
	Skip       int64
	Limit      int64
	Hint       bson.RawValue
	Collation  bson.Raw
	Comment    bson.RawValue
	RawData    bool
}

func (*Count) traits() traits {
	return traits{name: "count", readConcern: true, retry: retryRead}
}

func (c *Count) appendFields(dst []byte, to *description.Server) []byte {
	dst = bson.AppendString(dst, "count", c.Collection)
	dst = appendDoc(dst, "query", c.Query)
	if c.Limit != 0 {
		dst = bson.AppendInt64(dst, "limit", c.Limit)
	}
	if c.Skip != 0 {
		dst = bson.AppendInt64(dst, "skip", c.Skip)
	}
	dst = appendValue(dst, "hint", c.Hint)
	dst = appendDoc(dst, "collation", c.Collation)
	dst = appendValue(dst, "comment", c.Comment)
	return appendRawData(dst, to, c.RawData)
}

// Distinct is the command distinct.
type Distinct struct {
	Envelope
	Collection string
	Key        string
	Query      bson.Raw
	Collation  bson.Raw
	Comment    bson.RawValue
	Hint       bson.RawValue
	RawData    bool
}

func (*Distinct) traits() traits {
	return traits{name: "distinct", readConcern: true, retry: retryRead}
}

func (d *Distinct) appendFields(dst []byte, to *description.Server) []byte {
	dst = bson.AppendString(dst, "distinct", d.Collection)
	dst = bson.AppendString(dst, "key", d.Key)
	dst = appendDoc(dst, "query", d.Query)
	dst = appendDoc(dst, "collation", d.Collation)
	dst = appendValue(dst, "comment", d.Comment)
	dst = appendValue(dst, "hint", d.Hint)
	return appendRawData(dst, to, d.RawData)
}
