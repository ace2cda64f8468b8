package ops

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology/description"
)

// Generic is a command that is sent as it stands, such as one given to
// RunCommand, and the commands that have no options of their own to think
// about.
type Generic struct {
	Envelope
	Body bson.Raw
	// Read marks a command that retryable reads cover (listCollections and the
	// like).
	Read bool
	// Write marks a command that needs a writable server and takes a write
	// concern (create, drop and the like).
	Write bool
	// Sessionless marks a command that goes without a session of its own.
	Sessionless bool
	// Custom marks a command of the user's own making.
	Custom  bool
	RawData bool
}

func (g *Generic) traits() traits {
	t := traits{write: g.Write, writeConcern: g.Write, sessionless: g.Sessionless}
	for name := range g.Body.Keys() {
		t.name = name
		break
	}
	if g.Read {
		t.retry = retryRead
	}
	return t
}

func (g *Generic) appendFields(dst []byte, to *description.Server) []byte {
	return appendRawData(append(dst, g.Body[4:len(g.Body)-1]...), to, g.RawData)
}
