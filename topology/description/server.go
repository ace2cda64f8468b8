package description

import (
	"slices"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
)

// ServerType says what a server is and which role it has. Its zero value is
// Unknown.
type ServerType uint8

// The types of servers. PossiblePrimary, which only clients without threads
// tell from Unknown, is left out.
const (
	Standalone ServerType = iota + 1
	Mongos
	RSPrimary
	RSSecondary
	RSArbiter
	RSOther
	RSGhost
	LoadBalancer
)

var serverTypes = [...]string{"Unknown", "Standalone", "Mongos", "RSPrimary", "RSSecondary", "RSArbiter", "RSOther", "RSGhost", "LoadBalancer"}

// String is the name in the specification.
func (t ServerType) String() string { return serverTypes[t] }

// DataBearing reports whether servers of the type answer to reads and writes.
func (t ServerType) DataBearing() bool {
	return t == Standalone || t == Mongos || t == RSPrimary || t == RSSecondary || t == LoadBalancer
}

// replicaSetMember reports whether the server says which replica set it is in.
func (t ServerType) replicaSetMember() bool { return t >= RSPrimary && t <= RSOther }

// Server is what the last check of a server told about it. A server of type
// Unknown has only Addr, Error, TopologyVersion and LastUpdateTime.
type Server struct {
	// Addr is the address that the client uses, which need not be Me.
	Addr string
	Type ServerType
	// Error is why the type is Unknown; nil if the server was never checked.
	Error error

	// RTT is the average round trip time and MinRTT the shortest of the last
	// ten; see RoundTripTimes.
	RTT, MinRTT time.Duration
	// LastUpdateTime is when the server was last checked.
	LastUpdateTime time.Time
	// LastWriteDate is the time, by the primary's clock, of the last write
	// that the server has seen; zero if it does not say.
	LastWriteDate time.Time
	// OpTime is the position of that write in the oplog, as the server said
	// it.
	OpTime bson.Raw

	// SetName, and all that follows up to Tags, is set for members of a
	// replica set.
	SetName string
	// SetVersion is the version of the configuration, from 1 upwards.
	SetVersion int64
	// ElectionID is that of the election which a primary won.
	ElectionID bson.ObjectID
	// Me is the address in the configuration of the replica set.
	Me string
	// Hosts, Passives and Arbiters are the members that the server knows, in
	// lower case.
	Hosts, Passives, Arbiters []string
	// Primary is the address of the primary as the server believes.
	Primary string
	Tags    concern.TagSet

	// HelloOK says that the server knows the command hello.
	HelloOK bool
	// TopologyVersion is zero for servers before 4.4, which cannot stream
	// their state.
	TopologyVersion TopologyVersion
	// MinWireVersion and MaxWireVersion are the wire versions that the server
	// speaks. They decide compatibility; what to send over a connection is
	// decided by the reply to that connection's own handshake.
	MinWireVersion, MaxWireVersion int32
	// LogicalSessionTimeoutMinutes is 0 if the server has no sessions.
	LogicalSessionTimeoutMinutes int32
	// MaxBSONObjectSize and MaxMessageSizeBytes are in bytes,
	// MaxWriteBatchSize in writes. ParseHello sets the specification's values
	// where the server is silent.
	MaxBSONObjectSize, MaxMessageSizeBytes, MaxWriteBatchSize int32
	// Compressors are those of the client's that the server has, in the
	// client's order.
	Compressors []string
	// SaslSupportedMechs are the mechanisms for the user that a handshake
	// asked about.
	SaslSupportedMechs []string
	// ServiceID names the service behind a load balancer, and ConnectionID is
	// the server's number for the connection; both belong to the connection
	// that the reply came over.
	ServiceID    bson.ObjectID
	ConnectionID int64
	// IsCryptd says that this is a mongocryptd, which is not sent maxTimeMS.
	IsCryptd bool
}

// Equal reports whether s and o, which have the same address, tell the same as
// the specification sees it: times and round trips do not count.
func (s Server) Equal(o Server) bool {
	return s.Type == o.Type &&
		errorText(s.Error) == errorText(o.Error) &&
		s.MinWireVersion == o.MinWireVersion && s.MaxWireVersion == o.MaxWireVersion &&
		s.Me == o.Me &&
		slices.Equal(s.Hosts, o.Hosts) && slices.Equal(s.Passives, o.Passives) && slices.Equal(s.Arbiters, o.Arbiters) &&
		slices.Equal(s.Tags, o.Tags) &&
		s.SetName == o.SetName && s.SetVersion == o.SetVersion && s.ElectionID == o.ElectionID &&
		s.Primary == o.Primary &&
		s.LogicalSessionTimeoutMinutes == o.LogicalSessionTimeoutMinutes &&
		s.TopologyVersion == o.TopologyVersion
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// members iterates over all the members that s knows.
func (s Server) members(yield func(addr string) bool) {
	for _, list := range [...][]string{s.Hosts, s.Passives, s.Arbiters} {
		for _, addr := range list {
			if !yield(addr) {
				return
			}
		}
	}
}
