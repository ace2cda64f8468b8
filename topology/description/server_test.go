package description

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
)

// document makes a document of what the appenders add.
func document(appenders ...func([]byte) []byte) bson.Raw {
	dst, at := bson.BeginDocument(nil)
	for _, add := range appenders {
		dst = add(dst)
	}
	return bson.EndDocument(dst, at)
}

func text(key, value string) func([]byte) []byte {
	return func(dst []byte) []byte { return bson.AppendString(dst, key, value) }
}

func integer(key string, value int32) func([]byte) []byte {
	return func(dst []byte) []byte { return bson.AppendInt32(dst, key, value) }
}

func boolean(key string, value bool) func([]byte) []byte {
	return func(dst []byte) []byte { return bson.AppendBool(dst, key, value) }
}

func embedded(key string, appenders ...func([]byte) []byte) func([]byte) []byte {
	return func(dst []byte) []byte { return bson.AppendDocument(dst, key, document(appenders...)) }
}

func array(key string, values ...string) func([]byte) []byte {
	return func(dst []byte) []byte {
		dst, at := bson.BeginArray(dst, key)
		for i, v := range values {
			dst = bson.AppendIndexHeader(dst, bson.TypeString, i)
			dst = bson.AppendStringValue(dst, v)
		}
		return bson.EndDocument(dst, at)
	}
}

func topologyVersion(process byte, counter int64) func([]byte) []byte {
	return embedded("topologyVersion",
		func(dst []byte) []byte { return bson.AppendObjectID(dst, "processId", bson.ObjectID{11: process}) },
		func(dst []byte) []byte { return bson.AppendInt64(dst, "counter", counter) })
}

func TestParseHelloReadsEveryField(t *testing.T) {
	now := time.UnixMilli(1_000)
	election := bson.ObjectID{1, 2, 3}
	service := bson.ObjectID{4, 5, 6}
	reply := document(
		boolean("helloOk", true),
		boolean("isWritablePrimary", true),
		topologyVersion(7, 8),
		array("hosts", "A:27017", "b:27018"),
		array("passives", "P:1"),
		array("arbiters", "[::1]:2"),
		text("setName", "rs"),
		integer("setVersion", 3),
		func(dst []byte) []byte { return bson.AppendObjectID(dst, "electionId", election) },
		text("me", "A:27017"),
		text("primary", "A:27017"),
		embedded("tags", text("dc", "ny"), text("rack", "2")),
		embedded("lastWrite",
			func(dst []byte) []byte { return bson.AppendDateTime(dst, "lastWriteDate", 500) },
			embedded("opTime", integer("t", 1))),
		integer("maxBsonObjectSize", 1000),
		integer("maxMessageSizeBytes", 2000),
		integer("maxWriteBatchSize", 3000),
		integer("logicalSessionTimeoutMinutes", 30),
		integer("connectionId", 77),
		integer("minWireVersion", 0),
		integer("maxWireVersion", 21),
		array("compression", "zstd", "snappy"),
		array("saslSupportedMechs", "SCRAM-SHA-256"),
		func(dst []byte) []byte { return bson.AppendObjectID(dst, "serviceId", service) },
		integer("ok", 1),
	)
	rtt := RoundTripTimes{}.Add(4 * time.Millisecond).Add(4 * time.Millisecond)
	s := ParseHello("a:27017", reply, rtt, now)

	if s.Type != RSPrimary || s.Error != nil || !s.HelloOK {
		t.Errorf("type %v, error %v, helloOk %v", s.Type, s.Error, s.HelloOK)
	}
	if s.RTT != 4*time.Millisecond || s.MinRTT != 4*time.Millisecond || !s.LastUpdateTime.Equal(now) {
		t.Errorf("RTT %v, minimum %v, last update %v", s.RTT, s.MinRTT, s.LastUpdateTime)
	}
	if !s.LastWriteDate.Equal(time.UnixMilli(500)) || s.OpTime.Lookup("t").IsZero() {
		t.Errorf("last write %v at %v", s.LastWriteDate, s.OpTime)
	}
	if s.SetName != "rs" || s.SetVersion != 3 || s.ElectionID != election || s.Me != "a:27017" || s.Primary != "a:27017" {
		t.Errorf("replica set: %+v", s)
	}
	if got, want := slices.Collect(s.members), []string{"a:27017", "b:27018", "p:1", "[::1]:2"}; !slices.Equal(got, want) {
		t.Errorf("members %v, want %v", got, want)
	}
	if want := (concern.TagSet{{Name: "dc", Value: "ny"}, {Name: "rack", Value: "2"}}); !slices.Equal(s.Tags, want) {
		t.Errorf("tags %v, want %v", s.Tags, want)
	}
	if want := (TopologyVersion{bson.ObjectID{11: 7}, 8}); s.TopologyVersion != want {
		t.Errorf("topology version %v, want %v", s.TopologyVersion, want)
	}
	if s.MaxBSONObjectSize != 1000 || s.MaxMessageSizeBytes != 2000 || s.MaxWriteBatchSize != 3000 || s.MaxWireVersion != 21 {
		t.Errorf("limits: %+v", s)
	}
	if s.LogicalSessionTimeoutMinutes != 30 || s.ConnectionID != 77 || s.ServiceID != service {
		t.Errorf("sessions %d, connection %d, service %v", s.LogicalSessionTimeoutMinutes, s.ConnectionID, s.ServiceID)
	}
	if !slices.Equal(s.Compressors, []string{"zstd", "snappy"}) || !slices.Equal(s.SaslSupportedMechs, []string{"SCRAM-SHA-256"}) {
		t.Errorf("compressors %v, mechanisms %v", s.Compressors, s.SaslSupportedMechs)
	}
}

func TestParseHelloTypes(t *testing.T) {
	ok, set := integer("ok", 1), text("setName", "rs")
	for _, test := range []struct {
		name  string
		reply bson.Raw
		want  ServerType
	}{
		{"nothing", document(), Unknown},
		{"no BSON at all", bson.Raw("nonsense"), Unknown},
		{"not ok", document(integer("ok", 0), text("errmsg", "no")), Unknown},
		{"standalone", document(ok, boolean("isWritablePrimary", true)), Standalone},
		{"mongos", document(ok, text("msg", "isdbgrid")), Mongos},
		{"ghost", document(ok, boolean("isreplicaset", true)), RSGhost},
		{"primary", document(ok, set, boolean("isWritablePrimary", true)), RSPrimary},
		{"primary by its old name", document(ok, set, boolean("ismaster", true)), RSPrimary},
		{"the new name goes first", document(ok, set, boolean("ismaster", true), boolean("isWritablePrimary", false), boolean("secondary", true)), RSSecondary},
		{"secondary", document(ok, set, boolean("secondary", true)), RSSecondary},
		{"hidden", document(ok, set, boolean("secondary", true), boolean("hidden", true)), RSOther},
		{"arbiter", document(ok, set, boolean("arbiterOnly", true)), RSArbiter},
		{"recovering", document(ok, set), RSOther},
	} {
		if s := ParseHello("a:27017", test.reply, RoundTripTimes{}, time.Time{}); s.Type != test.want || (s.Error != nil) != (s.Type == Unknown) {
			t.Errorf("%s: type %v, error %v, want %v", test.name, s.Type, s.Error, test.want)
		}
	}
}

func TestParseHelloForgivesWrongTypes(t *testing.T) {
	s := ParseHello("a:27017", document(integer("ok", 1), text("maxWireVersion", "x"), integer("maxBsonObjectSize", -1),
		integer("setName", 1), text("hosts", "x"), integer("tags", 1), text("topologyVersion", "x")), RoundTripTimes{}, time.Time{})
	if s.Type != Standalone || s.MaxWireVersion != 0 || s.MaxBSONObjectSize != defaultMaxBSONObjectSize || s.Hosts != nil || s.Tags != nil {
		t.Errorf("%+v", s)
	}
}

func TestServerEqualIgnoresTimes(t *testing.T) {
	s := Server{Addr: "a:27017", Type: RSPrimary, SetName: "rs", Hosts: []string{"a:27017"}}
	later := s
	later.RTT, later.LastUpdateTime, later.LastWriteDate, later.ConnectionID = 1, time.UnixMilli(1), time.UnixMilli(1), 1
	if !s.Equal(later) {
		t.Error("times and round trips make a difference")
	}
	for name, change := range map[string]func(*Server){
		"type":             func(s *Server) { s.Type = RSSecondary },
		"error":            func(s *Server) { s.Error = errors.New("x") },
		"hosts":            func(s *Server) { s.Hosts = nil },
		"tags":             func(s *Server) { s.Tags = concern.TagSet{{Name: "a", Value: "b"}} },
		"topology version": func(s *Server) { s.TopologyVersion.Counter++ },
		"sessions":         func(s *Server) { s.LogicalSessionTimeoutMinutes = 30 },
		"primary":          func(s *Server) { s.Primary = "b:27017" },
	} {
		changed := s
		if change(&changed); s.Equal(changed) {
			t.Errorf("another %s makes no difference", name)
		}
	}
}

func TestAddress(t *testing.T) {
	for addr, want := range map[string]string{
		"":                        "",
		"A":                       "a:27017",
		"Example.COM:1":           "example.com:1",
		"[::1]":                   "[::1]:27017",
		"[::1]:5":                 "[::1]:5",
		"/tmp/MongoDB-27017.sock": "/tmp/MongoDB-27017.sock",
	} {
		if got := Address(addr); got != want {
			t.Errorf("%q becomes %q, want %q", addr, got, want)
		}
	}
}

func TestTopologyVersionNewer(t *testing.T) {
	v := func(process byte, counter int64) TopologyVersion {
		return TopologyVersion{bson.ObjectID{process}, counter}
	}
	for _, test := range []struct {
		a, b TopologyVersion
		want bool
	}{
		{v(1, 2), v(1, 1), true},
		{v(1, 1), v(1, 1), false},
		{v(1, 1), v(1, 2), false},
		{v(2, 9), v(1, 1), false},
		{v(1, 1), TopologyVersion{}, false},
		{TopologyVersion{}, v(1, 1), false},
		{TopologyVersion{}, TopologyVersion{}, false},
	} {
		if got := test.a.Newer(test.b); got != test.want {
			t.Errorf("%v newer than %v: %v, want %v", test.a, test.b, got, test.want)
		}
	}
}

func TestRoundTripTimes(t *testing.T) {
	var r RoundTripTimes
	if r = r.Add(100); r.Average != 100 || r.Min() != 0 {
		t.Errorf("after one sample: average %d, minimum %d", r.Average, r.Min())
	}
	if r = r.Add(200); r.Average != 120 || r.Min() != 100 {
		t.Errorf("after two samples: average %d, minimum %d", r.Average, r.Min())
	}
	if before := r; r.Add(-1) != before {
		t.Error("a negative sample counts")
	}
	for range rttSamples {
		r = r.Add(300)
	}
	if r.Min() != 300 {
		t.Errorf("minimum %d, want 300 once the short samples are ten samples old", r.Min())
	}
}
