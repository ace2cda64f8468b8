package description

import (
	"errors"
	"testing"

	"github.com/motor-go/motor/bson"
)

func TestJudge(t *testing.T) {
	failed := func(code int32) bson.Raw { return document(integer("ok", 0), integer("code", code)) }
	message := func(errmsg string) bson.Raw { return document(integer("ok", 0), text("errmsg", errmsg)) }
	const (
		unknown = "unknown "
		clear   = "clear "
		request = "request "
		cancel  = "cancel "
	)
	established := ApplicationError{HandshakeDone: true, MaxWireVersion: 21}
	with := func(change func(*ApplicationError)) ApplicationError {
		e := established
		change(&e)
		return e
	}
	reply := func(reply bson.Raw) ApplicationError {
		return with(func(e *ApplicationError) { e.Reply = reply })
	}
	for _, test := range []struct {
		name string
		err  ApplicationError
		want string
	}{
		{"not writable primary", reply(failed(10107)), unknown + request},
		{"not primary, no secondaryOk", reply(failed(13435)), unknown + request},
		{"legacy not primary", reply(failed(10058)), unknown + request},
		{"stepped down", reply(failed(189)), unknown + request},
		{"replica set state change", reply(failed(11602)), unknown + request},
		{"recovering", reply(failed(13436)), unknown + request},
		{"shutdown in progress", reply(failed(91)), unknown + clear + request},
		{"interrupted at shutdown", reply(failed(11600)), unknown + clear + request},
		{"another error", reply(failed(1)), ""},
		{"by message: not master", reply(message("not master")), unknown + request},
		{"by message: recovering", reply(message("node is recovering")), unknown + request},
		{"by message: neither", reply(message("not master or secondary")), unknown + request},
		{"by message: write command", reply(message("not writable primary")), unknown + request},
		{"by message: query", reply(document(text("$err", "not primary or secondary; cannot currently read from this replSet member"))), unknown + request},
		{"by message: query without secondaryOk", reply(document(text("$err", "not writable primary and SecondaryOk=false"))), unknown + request},
		{"the code goes first", reply(document(integer("ok", 0), text("errmsg", "not master"), integer("code", 1))), ""},
		{"write concern", reply(document(integer("ok", 1), embedded("writeConcernError", integer("code", 91)))), unknown + clear + request},
		{"write errors do not count", reply(document(integer("ok", 1), embedded("writeErrors", integer("code", 91)))), ""},
		{"a server before 4.2 closes its connections", with(func(e *ApplicationError) { e.Reply, e.MaxWireVersion = failed(10107), 7 }), unknown + clear + request},
		{"network", with(func(e *ApplicationError) { e.Network = true }), unknown + clear + cancel},
		{"network time-out", with(func(e *ApplicationError) { e.Network, e.Timeout = true, true }), ""},
		{"overload when connecting", ApplicationError{Network: true, Overloaded: true}, ""},
		{"time-out when authenticating", ApplicationError{Network: true, Timeout: true}, unknown + clear + cancel},
		{"authentication failed", ApplicationError{Reply: failed(18)}, unknown + clear + cancel},
		{"stale generation", with(func(e *ApplicationError) { e.Network, e.Generation, e.PoolGeneration = true, 1, 2 }), ""},
		{"stale topologyVersion", reply(document(integer("ok", 0), integer("code", 91), topologyVersion(1, 4))), ""},
		{"the same topologyVersion", reply(document(integer("ok", 0), integer("code", 91), topologyVersion(1, 5))), ""},
		{"later topologyVersion", reply(document(integer("ok", 0), integer("code", 91), topologyVersion(1, 6))), unknown + clear + request},
		{"topologyVersion of another process", reply(document(integer("ok", 0), integer("code", 91), topologyVersion(2, 1))), unknown + clear + request},
		{"a server that is gone", with(func(e *ApplicationError) { e.Network, e.Addr = true, "z:27017" }), ""},
	} {
		topology := New(Config{Seeds: []string{"a"}, SetName: "rs"}).Update(Server{
			Addr: "a:27017", Type: RSPrimary, SetName: "rs", Hosts: []string{"a:27017"},
			TopologyVersion: TopologyVersion{bson.ObjectID{11: 1}, 5}, MaxWireVersion: 21,
		})
		e := test.err
		e.Err = errors.New("failed")
		if e.Addr == "" {
			e.Addr = "a:27017"
		}
		v := topology.Judge(e)
		got := ""
		for _, flag := range []struct {
			set  bool
			name string
		}{{v.MarkUnknown, unknown}, {v.ClearPool, clear}, {v.RequestCheck, request}, {v.CancelCheck, cancel}} {
			if flag.set {
				got += flag.name
			}
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
		if v.MarkUnknown && (v.Server.Type != Unknown || v.Server.Error != e.Err || v.Server.TopologyVersion != ParseTopologyVersion(e.Reply)) {
			t.Errorf("%s: the server becomes %+v", test.name, v.Server)
		}
	}
}

func TestJudgeBehindLoadBalancer(t *testing.T) {
	topology := New(Config{Seeds: []string{"a"}, LoadBalanced: true}).Update(Server{Addr: "a:27017", Type: LoadBalancer})
	shutdown := document(integer("ok", 0), integer("code", 91))
	for _, test := range []struct {
		name string
		err  ApplicationError
		want Verdict
	}{
		{"network", ApplicationError{HandshakeDone: true, Network: true, HasService: true}, Verdict{ClearPool: true}},
		{"before the service is known", ApplicationError{Network: true}, Verdict{}},
		{"shutdown before the service is known", ApplicationError{Reply: shutdown}, Verdict{}},
		{"authentication failed", ApplicationError{HasService: true}, Verdict{ClearPool: true}},
		{"not writable primary", ApplicationError{HandshakeDone: true, MaxWireVersion: 21, HasService: true, Reply: document(integer("ok", 0), integer("code", 10107))}, Verdict{}},
		{"shutdown", ApplicationError{HandshakeDone: true, MaxWireVersion: 21, HasService: true, Reply: shutdown}, Verdict{ClearPool: true}},
	} {
		test.err.Addr = "a:27017"
		v := topology.Judge(test.err)
		v.Server = Server{}
		if v.MarkUnknown || v.ClearPool != test.want.ClearPool || v.RequestCheck || v.CancelCheck {
			t.Errorf("%s: %+v, want %+v", test.name, v, test.want)
		}
	}
}
