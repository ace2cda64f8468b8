package description

import "github.com/motor-go/motor/bson"

// TopologyVersion tells which of two replies of a server is the fresher one.
// The zero value is none.
type TopologyVersion struct {
	// ProcessID changes when the server starts.
	ProcessID bson.ObjectID
	// Counter grows with every change of the server's state.
	Counter int64
}

// IsZero reports whether v is none.
func (v TopologyVersion) IsZero() bool { return v == TopologyVersion{} }

// Newer reports whether v is of the same process as o and later. Whatever
// cannot be compared is not newer, so that the reply at hand is believed.
func (v TopologyVersion) Newer(o TopologyVersion) bool {
	return !v.IsZero() && v.ProcessID == o.ProcessID && v.Counter > o.Counter
}

// ParseTopologyVersion reads the topologyVersion of a reply to hello or of an
// error. It is zero if reply has none.
func ParseTopologyVersion(reply bson.Raw) TopologyVersion {
	doc, _ := reply.Lookup("topologyVersion").Document()
	id, ok := doc.Lookup("processId").ObjectID()
	counter, isNumber := doc.Lookup("counter").AsInt64()
	if !ok || !isNumber {
		return TopologyVersion{}
	}
	return TopologyVersion{ProcessID: id, Counter: counter}
}
