package ops

import (
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology/description"
)

// Count is the command count, which estimatedDocumentCount sends.
type Count struct {
	Envelope
	Collection string
	Query      bson.Raw
	MaxTime    time.Duration
	Comment    bson.RawValue
	RawData    *bool
}

func (*Count) traits() traits {
	return traits{name: "count", readConcern: true, retry: retryRead}
}

func (c *Count) appendFields(dst []byte, _ *description.Server) []byte {
	dst = bson.AppendString(dst, "count", c.Collection)
	dst = appendDoc(dst, "query", c.Query)
	dst = appendMaxTime(dst, c.MaxTime)
	dst = appendValue(dst, "comment", c.Comment)
	return appendBool(dst, "rawData", c.RawData)
}

// Distinct is the command distinct.
type Distinct struct {
	Envelope
	Collection string
	Key        string
	Query      bson.Raw
	Collation  bson.Raw
	MaxTime    time.Duration
	Comment    bson.RawValue
	Hint       bson.RawValue
	RawData    *bool
}

func (*Distinct) traits() traits {
	return traits{name: "distinct", readConcern: true, retry: retryRead}
}

func (d *Distinct) appendFields(dst []byte, _ *description.Server) []byte {
	dst = bson.AppendString(dst, "distinct", d.Collection)
	dst = bson.AppendString(dst, "key", d.Key)
	dst = appendDoc(dst, "query", d.Query)
	dst = appendDoc(dst, "collation", d.Collation)
	dst = appendMaxTime(dst, d.MaxTime)
	dst = appendValue(dst, "comment", d.Comment)
	dst = appendValue(dst, "hint", d.Hint)
	return appendBool(dst, "rawData", d.RawData)
}
