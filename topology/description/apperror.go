package description

import (
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

// ApplicationError is what went wrong when an operation used a server.
type ApplicationError struct {
	// Addr is the address of the server.
	Addr string
	// Err is the error as the caller sees it.
	Err error
	// Reply is the server's reply, of a command that failed or whose write
	// concern did; nil if there was none.
	Reply bson.Raw
	// Network says that the connection failed, Timeout that it did so by
	// taking too long.
	Network, Timeout bool
	// HandshakeDone is false for errors before the connection was
	// established and authenticated.
	HandshakeDone bool
	// Overloaded says that the error carries the label SystemOverloadedError.
	Overloaded bool
	// MaxWireVersion is that of the connection, once its handshake is done.
	MaxWireVersion int32
	// HasService says that the connection leads to a known service behind a
	// load balancer.
	HasService bool
	// Generation is that of the connection, or that of its pool when the
	// connection was begun, and PoolGeneration that of the pool (or of the
	// service in it) now.
	Generation, PoolGeneration uint64
}

// Verdict is what follows from an ApplicationError. Its zero value is nothing.
type Verdict struct {
	// MarkUnknown says that the topology is to be updated with Server.
	MarkUnknown bool
	Server      Server
	// ClearPool says to clear the pool of the server, of the connection's
	// service only if it has one, together with the update.
	ClearPool bool
	// RequestCheck says to check the server at once, CancelCheck to give up
	// the check under way.
	RequestCheck, CancelCheck bool
}

// IsZero reports whether nothing follows.
func (v Verdict) IsZero() bool {
	return !v.MarkUnknown && !v.ClearPool && !v.RequestCheck && !v.CancelCheck
}

// closesOnStepDown is the wire version of MongoDB 4.2, before which a primary
// that stepped down closed its connections.
const closesOnStepDown = 8

// Judge tells what an error means for the topology.
func (t Topology) Judge(e ApplicationError) Verdict {
	current, ok := t.Server(e.Addr)
	version := ParseTopologyVersion(e.Reply)
	seen := !version.IsZero() && version == current.TopologyVersion
	if !ok || e.Generation < e.PoolGeneration || seen || current.TopologyVersion.Newer(version) {
		return Verdict{}
	}
	behindBalancer := t.Type == LoadBalanced
	state := replyState(e.Reply)
	switch {
	case behindBalancer && !e.HasService:
		return Verdict{}
	case state != usable:
		return Verdict{
			MarkUnknown:  !behindBalancer,
			Server:       Server{Addr: e.Addr, Error: e.Err, TopologyVersion: version},
			ClearPool:    state == shuttingDown || e.HandshakeDone && e.MaxWireVersion < closesOnStepDown,
			RequestCheck: !behindBalancer,
		}
	case e.Overloaded:
		return Verdict{}
	case !e.HandshakeDone || e.Network && !e.Timeout:
		return Verdict{
			MarkUnknown: !behindBalancer,
			Server:      Server{Addr: e.Addr, Error: e.Err},
			ClearPool:   true,
			CancelCheck: !behindBalancer,
		}
	}
	return Verdict{}
}

// serverState is what an error in a reply says of the server's state.
type serverState uint8

const (
	usable serverState = iota
	notWritablePrimary
	recovering
	shuttingDown
)

var (
	shutdownCodes           = []int64{91, 11600}
	recoveringCodes         = []int64{189, 11602, 13436}
	notWritablePrimaryCodes = []int64{10058, 10107, 13435}
)

// replyState looks at the error of the command or else at that of its write
// concern, never at those of single writes. The message counts only where
// there is no code.
func replyState(reply bson.Raw) serverState {
	doc, text := reply, "errmsg"
	if reply.Lookup("ok").Truthy() {
		doc, _ = reply.Lookup("writeConcernError").Document()
	} else if !reply.Lookup("$err").IsZero() {
		text = "$err"
	}
	if code, ok := doc.Lookup("code").AsInt64(); ok && code != 0 {
		switch {
		case slices.Contains(shutdownCodes, code):
			return shuttingDown
		case slices.Contains(recoveringCodes, code):
			return recovering
		case slices.Contains(notWritablePrimaryCodes, code):
			return notWritablePrimary
		}
		return usable
	}
	message, _ := doc.Lookup(text).Str()
	contains := func(part string) bool { return strings.Contains(message, part) }
	switch {
	case contains("node is recovering"), contains("not master or secondary"), contains("not primary or secondary"):
		return recovering
	case contains("not master"), contains("not writable primary"):
		return notWritablePrimary
	}
	return usable
}
