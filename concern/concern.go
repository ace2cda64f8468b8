// Package concern holds the three values that say how safe and how fresh an
// operation must be, with the meanings of the read-write-concern,
// server-selection and max-staleness specifications. They are plain data;
// nothing here performs I/O.
//
// A ReadConcern is what a read may see: what one member has (local), what a
// majority has confirmed and so cannot be lost (majority), or one state of all
// data (snapshot). A WriteConcern is who must have a write before it counts as
// done: a number of members, a majority of them, or nobody (w: 0, an
// unacknowledged write, of which no error is ever heard).
//
// A ReadPreference is who may serve a read. Its mode says whether the primary or
// secondaries, its tag sets which members by the tags of their configuration,
// and its maximum staleness how far behind the primary a secondary may be. The
// mode primary excludes the other two.
//
// The zero value of each is the default: what the server or the deployment does
// if it is not told, and primary.
package concern

import (
	"fmt"
	"time"
)

// ReadConcern is the isolation level of a read. The zero value leaves the
// choice to the server and is not sent.
type ReadConcern struct {
	// Level is one of the constants below, or a level this driver does not
	// know, which is sent as it is.
	Level string
}

// The read concern levels of the read-write-concern specification.
const (
	Local        = "local"
	Available    = "available"
	Majority     = "majority"
	Linearizable = "linearizable"
	Snapshot     = "snapshot"
)

// IsDefault reports whether nothing is to be sent.
func (r ReadConcern) IsDefault() bool { return r.Level == "" }

// WriteConcern says which members must confirm a write. The zero value leaves
// the choice to the server and is not sent.
type WriteConcern struct {
	// W is a number of members (int), a mode such as "majority" (string), or
	// nil for the server's default. 0 means that no reply is asked for.
	W any
	// Journal asks for the write to be on the journal (j) if set.
	Journal *bool
	// WTimeout bounds the wait for replication. Deprecated in favour of
	// timeoutMS; 0 means no bound.
	WTimeout time.Duration
}

// IsDefault reports whether nothing is to be sent.
func (w WriteConcern) IsDefault() bool {
	return w.W == nil && w.Journal == nil && w.WTimeout == 0
}

// Acknowledged reports whether the server answers writes made with w.
func (w WriteConcern) Acknowledged() bool {
	n, ok := w.W.(int)
	return !ok || n != 0 || w.Journal != nil && *w.Journal
}

// Validate refuses what no server accepts: a W of another type, a negative
// number, and W 0 with Journal true.
func (w WriteConcern) Validate() error {
	switch v := w.W.(type) {
	case nil, string:
	case int:
		if v < 0 {
			return fmt.Errorf("write concern w: %d is negative", v)
		}
		if v == 0 && w.Journal != nil && *w.Journal {
			return fmt.Errorf("write concern w: 0 contradicts journal: true; ask for at least w: 1")
		}
	default:
		return fmt.Errorf("write concern w: %v has type %T; use an int or a string", v, v)
	}
	if w.WTimeout < 0 {
		return fmt.Errorf("write concern wtimeout: %v is negative", w.WTimeout)
	}
	return nil
}
