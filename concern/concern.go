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
