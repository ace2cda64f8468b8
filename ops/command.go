package ops

import (
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
	"github.com/motor-go/motor/session"
	"github.com/motor-go/motor/topology"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// Envelope is what every command has beside its own fields.
type Envelope struct {
	DB string
	// Session is the session that the user gave, or nil: then the command
	// takes one for itself.
	Session        *session.Session
	ReadConcern    concern.ReadConcern
	WriteConcern   concern.WriteConcern
	ReadPreference concern.ReadPreference
	// Timeout is the time that the operation has.
	Timeout Timeout
	// MaxTime is the user's maxTimeMS, which holds as long as timeoutMS is not
	// set; 0 is none. For getMore it is how long the server waits.
	MaxTime time.Duration
	// OperationID joins the events of the commands of one operation. 0 takes
	// the request's.
	OperationID int64
	// Server is the server that has the command's cursor, or nil. It is not
	// waited for if it is down.
	Server *topology.Server

	// Memory is where the reply is put, nil for memory of its own. An error may
	// refer to it.
	Memory *wire.Memory

	pin *pin // the connection that it must use, or nil
}

func (e *Envelope) envelope() *Envelope { return e }

// traits is what the executor has to know of a command.
type traits struct {
	name string
	// write says that the command needs a writable server.
	write bool
	// readConcern and writeConcern say that the command takes them.
	readConcern, writeConcern bool
	// sessionless says that the command takes no session for itself.
	sessionless bool
	// retry says when the command may be sent again.
	retry retryClass
}

type retryClass uint8

const (
	retryOverload retryClass = iota // only if the server refused it as overloaded
	retryRead
	retryWrite // with a txnNumber
)

// Command is one of the structs of this package.
type Command interface {
	envelope() *Envelope
	traits() traits
	// appendFields appends the command's own elements, its name first.
	appendFields(dst []byte, to *description.Server) []byte
}

// sequenced is a Command whose documents go into sections of their own. The
// last may hold many; one without an ID is none.
type sequenced interface {
	sequences() [2]wire.Sequence
}

// appendValue appends v unless it is no value.
func appendValue(dst []byte, key string, v bson.RawValue) []byte {
	if v.IsZero() {
		return dst
	}
	return bson.AppendValue(dst, key, v)
}

// appendDoc appends doc unless it is nil.
func appendDoc(dst []byte, key string, doc bson.Raw) []byte {
	if doc == nil {
		return dst
	}
	return bson.AppendDocument(dst, key, doc)
}

// appendArray appends arr unless it is nil.
func appendArray(dst []byte, key string, arr bson.RawArray) []byte {
	if arr == nil {
		return dst
	}
	return bson.AppendArray(dst, key, arr)
}

// appendBool appends b if it is set.
func appendBool(dst []byte, key string, b *bool) []byte {
	if b == nil {
		return dst
	}
	return bson.AppendBool(dst, key, *b)
}

// appendTrue appends true if b is.
func appendTrue(dst []byte, key string, b bool) []byte {
	if !b {
		return dst
	}
	return bson.AppendBool(dst, key, true)
}

// appendInt appends n, as an int32 where it fits.
func appendInt(dst []byte, key string, n int64) []byte {
	if int64(int32(n)) == n {
		return bson.AppendInt32(dst, key, int32(n))
	}
	return bson.AppendInt64(dst, key, n)
}

// appendRawData appends rawData if it is set and the server knows it.
func appendRawData(dst []byte, to *description.Server, b bool) []byte {
	const since = 27 // MongoDB 8.2
	if to.MaxWireVersion < since {
		return dst
	}
	return appendTrue(dst, "rawData", b)
}
