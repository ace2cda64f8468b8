package changestream

import (
	"errors"
	"slices"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/ops"
	"github.com/motor-go/motor/wire"
)

const (
	cursorNotFound  = 43
	resumableLabel  = "ResumableChangeStreamError"
	labelledVersion = 9 // from MongoDB 4.4 on the server labels its errors
)

// The codes that the specification lists for servers before 4.4.
var resumableCodes = []int32{6, 7, 63, 89, 91, 133, 134, 150, 189, 234, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436}

// Resumable reports whether a stream goes on after err, which a getMore on a
// server of the wire version met.
func Resumable(err error, maxWireVersion int32) bool {
	var server *wire.CommandError
	if errors.As(err, &server) {
		if server.Code == cursorNotFound {
			return true
		}
		if maxWireVersion >= labelledVersion {
			return server.HasLabel(resumableLabel)
		}
		return slices.Contains(resumableCodes, server.Code)
	}
	var conn *ops.ConnectionError
	return errors.As(err, &conn) && conn.Network
}

// Start says where a stream begins. The server refuses one in which more than
// one field is set.
type Start struct {
	After           bson.Raw // startAfter
	ResumeAfter     bson.Raw
	AtOperationTime bson.Timestamp
}

// Position is how far a stream has come. Its methods never change what they
// are given.
type Position struct {
	// Start is where the stream was asked to begin.
	Start Start
	// Token is the cached resume token, or nil.
	Token bson.Raw
	// Seen says that an event was returned.
	Seen bool
	// Opened is the operationTime of the aggregate that opened the stream first,
	// zero if it is not to be used.
	Opened bson.Timestamp
}

// NewPosition is the position before the stream is opened.
func NewPosition(s Start) Position {
	p := Position{Start: s, Token: s.ResumeAfter}
	if s.After != nil {
		p.Token = s.After
	}
	return p
}

// Opens notes the reply to the aggregate. Its operationTime is a place to
// resume from only if there is no other.
func (p Position) Opens(operationTime bson.Timestamp, maxWireVersion int32, batch int, token bson.Raw) Position {
	const startAtOperationTime = 7 // MongoDB 4.0
	if p.Token == nil && p.Start.AtOperationTime.IsZero() && p.Opened.IsZero() && maxWireVersion >= startAtOperationTime && batch == 0 && token == nil {
		p.Opened = operationTime
	}
	return p.Batch(batch, token)
}

// Batch notes that a batch arrived. Only an empty one moves the position.
func (p Position) Batch(documents int, token bson.Raw) Position {
	if documents == 0 && token != nil {
		p.Token = token
	}
	return p
}

// Event notes that an event was returned. token is that of the batch.
func (p Position) Event(id, token bson.Raw, last bool) Position {
	p.Seen, p.Token = true, id
	if last && token != nil {
		p.Token = token
	}
	return p
}

// Resume is where the stream begins anew.
func (p Position) Resume() Start {
	switch {
	case p.Token != nil && p.Start.After != nil && !p.Seen:
		return Start{After: p.Token}
	case p.Token != nil:
		return Start{ResumeAfter: p.Token}
	case !p.Start.AtOperationTime.IsZero():
		return Start{AtOperationTime: p.Start.AtOperationTime}
	}
	return Start{AtOperationTime: p.Opened}
}
