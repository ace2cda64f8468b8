package session

import (
	"sync/atomic"

	"github.com/motor-go/motor/bson"
)

// ClusterTime is a $clusterTime document with its timestamp. The zero value is
// no time.
type ClusterTime struct {
	Doc bson.Raw
	T   bson.Timestamp
}

// ParseClusterTime reads a $clusterTime document. It gives the zero
// ClusterTime for anything else.
func ParseClusterTime(doc bson.Raw) ClusterTime {
	t, ok := doc.Lookup("clusterTime").Timestamp()
	if !ok {
		return ClusterTime{}
	}
	return ClusterTime{Doc: doc, T: t}
}

// Later is the greater of c and d.
func (c ClusterTime) Later(d ClusterTime) ClusterTime {
	if d.T.After(c.T) {
		return d
	}
	return c
}

// Clock holds the greatest cluster time that a client has seen. The zero Clock
// is ready to use, also concurrently.
type Clock struct{ now atomic.Pointer[ClusterTime] }

// Now is the greatest cluster time seen.
func (c *Clock) Now() ClusterTime {
	if t := c.now.Load(); t != nil {
		return *t
	}
	return ClusterTime{}
}

// Advance moves the clock to t if that is later. It keeps a copy.
func (c *Clock) Advance(t ClusterTime) {
	for {
		old := c.now.Load()
		if t.T.IsZero() || old != nil && !t.T.After(old.T) {
			return
		}
		if c.now.CompareAndSwap(old, &ClusterTime{Doc: t.Doc.Clone(), T: t.T}) {
			return
		}
	}
}
