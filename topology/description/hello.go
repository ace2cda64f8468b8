package description

import (
	"errors"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
)

// The limits of a server that states none.
const (
	defaultMaxBSONObjectSize   = 16 << 20
	defaultMaxMessageSizeBytes = 48_000_000
	defaultMaxWriteBatchSize   = 100_000
)

// ParseHello is what a server says of itself in a reply to hello or to legacy
// hello. addr is the address that the client uses for it, rtt what was
// measured so far, now the time of the reply. A reply that is not ok gives a
// server of type Unknown.
func ParseHello(addr string, reply bson.Raw, rtt RoundTripTimes, now time.Time) Server {
	if !reply.Lookup("ok").Truthy() {
		message, ok := reply.Lookup("errmsg").Str()
		if !ok {
			message = "no reason given"
		}
		return Server{Addr: addr, Error: errors.New("hello failed: " + message), LastUpdateTime: now, TopologyVersion: ParseTopologyVersion(reply)}
	}
	s := Server{
		Addr:                addr,
		RTT:                 rtt.Average,
		MinRTT:              rtt.Min(),
		LastUpdateTime:      now,
		TopologyVersion:     ParseTopologyVersion(reply),
		MaxBSONObjectSize:   defaultMaxBSONObjectSize,
		MaxMessageSizeBytes: defaultMaxMessageSizeBytes,
		MaxWriteBatchSize:   defaultMaxWriteBatchSize,
	}
	var role helloRole
	for key, v := range reply.All() {
		role.read(key, v)
		s.read(key, v)
	}
	s.Type = role.serverType(s.SetName)
	return s
}

// helloRole is the part of a reply that decides the type of the server.
type helloRole struct {
	writablePrimary, legacyPrimary            *bool
	mongos, ghost, secondary, arbiter, hidden bool
}

func (r *helloRole) read(key string, v bson.RawValue) {
	switch key {
	case "isWritablePrimary":
		r.writablePrimary = new(v.Truthy())
	case "ismaster":
		r.legacyPrimary = new(v.Truthy())
	case "msg":
		msg, _ := v.Str()
		r.mongos = msg == "isdbgrid"
	case "isreplicaset":
		r.ghost = v.Truthy()
	case "secondary":
		r.secondary = v.Truthy()
	case "arbiterOnly":
		r.arbiter = v.Truthy()
	case "hidden":
		r.hidden = v.Truthy()
	}
}

// serverType follows the table of symptoms. isWritablePrimary goes before its
// older name.
func (r *helloRole) serverType(setName string) ServerType {
	primary := r.legacyPrimary
	if r.writablePrimary != nil {
		primary = r.writablePrimary
	}
	switch {
	case r.mongos:
		return Mongos
	case r.ghost:
		return RSGhost
	case setName == "":
		return Standalone
	case r.hidden:
		return RSOther
	case primary != nil && *primary:
		return RSPrimary
	case r.secondary:
		return RSSecondary
	case r.arbiter:
		return RSArbiter
	}
	return RSOther
}

// read takes one field of a reply over. A field of the wrong BSON type counts
// as missing.
func (s *Server) read(key string, v bson.RawValue) {
	switch key {
	case "helloOk":
		s.HelloOK = v.Truthy()
	case "setName":
		s.SetName, _ = v.Str()
	case "setVersion":
		s.SetVersion, _ = v.AsInt64()
	case "electionId":
		s.ElectionID, _ = v.ObjectID()
	case "me":
		me, _ := v.Str()
		s.Me = Address(me)
	case "primary":
		primary, _ := v.Str()
		s.Primary = Address(primary)
	case "hosts":
		s.Hosts = addresses(v)
	case "passives":
		s.Passives = addresses(v)
	case "arbiters":
		s.Arbiters = addresses(v)
	case "tags":
		s.Tags = tags(v)
	case "lastWrite":
		lastWrite, _ := v.Document()
		s.LastWriteDate, _ = lastWrite.Lookup("lastWriteDate").Time()
		if opTime, ok := lastWrite.Lookup("opTime").Document(); ok {
			s.OpTime = opTime.Clone()
		}
	case "minWireVersion":
		s.MinWireVersion = number(v, 0)
	case "maxWireVersion":
		s.MaxWireVersion = number(v, 0)
	case "logicalSessionTimeoutMinutes":
		s.LogicalSessionTimeoutMinutes = number(v, 0)
	case "maxBsonObjectSize":
		s.MaxBSONObjectSize = number(v, defaultMaxBSONObjectSize)
	case "maxMessageSizeBytes":
		s.MaxMessageSizeBytes = number(v, defaultMaxMessageSizeBytes)
	case "maxWriteBatchSize":
		s.MaxWriteBatchSize = number(v, defaultMaxWriteBatchSize)
	case "compression":
		s.Compressors = texts(v)
	case "saslSupportedMechs":
		s.SaslSupportedMechs = texts(v)
	case "serviceId":
		s.ServiceID, _ = v.ObjectID()
	case "connectionId":
		s.ConnectionID, _ = v.AsInt64()
	case "iscryptd":
		s.IsCryptd = v.Truthy()
	}
}

// number is v if it is positive and fits, otherwise missing.
func number(v bson.RawValue, missing int32) int32 {
	n, ok := v.AsInt64()
	if !ok || n <= 0 || n > 1<<31-1 {
		return missing
	}
	return int32(n)
}

func texts(v bson.RawValue) (list []string) {
	arr, _ := v.Array()
	for e := range arr.Values() {
		if s, ok := e.Str(); ok {
			list = append(list, s)
		}
	}
	return list
}

func addresses(v bson.RawValue) []string {
	list := texts(v)
	for i := range list {
		list[i] = Address(list[i])
	}
	return list
}

func tags(v bson.RawValue) (set concern.TagSet) {
	doc, _ := v.Document()
	for name, value := range doc.All() {
		if s, ok := value.Str(); ok {
			set = append(set, concern.Tag{Name: name, Value: s})
		}
	}
	return set
}
