package pool

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/auth"
	"github.com/motor-go/motor/internal/socks5"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// recordingServer keeps the commands that it gets. They may be read when it has
// stopped running.
func recordingServer(answer func(command bson.Raw) bson.Raw) (*server, *[]bson.Raw) {
	commands := new([]bson.Raw)
	return &server{answer: func(_ *serverConn, command bson.Raw) bson.Raw {
		*commands = append(*commands, command)
		if answer == nil {
			return helloReply(nil)
		}
		return answer(command)
	}}, commands
}

// raw is a document from Extended JSON.
func raw(json string) bson.Raw {
	doc, err := bson.ParseExtJSON([]byte(json))
	if err != nil {
		panic(err)
	}
	return doc
}

func TestHello(t *testing.T) {
	strict := true
	for _, tt := range []struct {
		name      string
		handshake Handshake
		reply     string
		want      string // without client
	}{
		{
			"legacy hello",
			Handshake{},
			`{"ok":1}`,
			`{"isMaster":1,"helloOk":true,"backpressure":"2","compression":[],"$db":"admin"}`,
		},
		{
			"compression",
			Handshake{Compressors: []wire.Compressor{wire.Zstd, wire.Snappy}},
			`{"ok":1}`,
			`{"isMaster":1,"helloOk":true,"backpressure":"2","compression":["zstd","snappy"],"$db":"admin"}`,
		},
		{
			"stable API",
			Handshake{ServerAPI: &ServerAPI{Version: "1", Strict: &strict}},
			`{"ok":1}`,
			`{"hello":1,"helloOk":true,"backpressure":"2","compression":[],"$db":"admin","apiVersion":"1","apiStrict":true}`,
		},
		{
			"load balancer",
			Handshake{LoadBalanced: true},
			`{"ok":1,"serviceId":{"$oid":"000000000000000000000001"}}`,
			`{"hello":1,"helloOk":true,"backpressure":"2","compression":[],"loadBalanced":true,"$db":"admin"}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, commands := recordingServer(func(bson.Raw) bson.Raw { return raw(tt.reply) })
			c, err := Connect(t.Context(), Config{Address: "a:1", Dial: s.dial, Handshake: tt.handshake})
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			s.running.Wait()
			got, at := bson.BeginDocument(nil)
			for key, v := range (*commands)[0].All() {
				if key != "client" {
					got = bson.AppendValue(got, key, v)
				}
			}
			if got := bson.Raw(bson.EndDocument(got, at)).String(); got != tt.want {
				t.Errorf("sent %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestHelloReply(t *testing.T) {
	s := &server{hello: bson.AppendString(nil, "setName", "rs0")}
	c, err := Connect(t.Context(), Config{Address: "a:1", Dial: s.dial})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.ServerConnectionID != 7 || c.MaxMessageSize != wire.DefaultMaxMessageSize || c.ServiceID != nil ||
		c.Description.Type != description.RSPrimary || c.Description.Addr != "a:1" || c.Hello.Lookup("helloOk").IsZero() {
		t.Errorf("%+v", c)
	}
}

func TestRefusedHello(t *testing.T) {
	for _, tt := range []struct {
		reply  string
		labels []string
	}{
		{`{"ok":0,"code":91,"codeName":"ShutdownInProgress","errmsg":"going down"}`, nil},
		{`{"ok":0,"code":462,"errmsg":"busy","errorLabels":["SystemOverloadedError","RetryableError"]}`, overloadLabels},
	} {
		s := &server{answer: func(*serverConn, bson.Raw) bson.Raw { return raw(tt.reply) }}
		_, err := Connect(t.Context(), Config{Address: "a:1", Dial: s.dial})
		var connect *ConnectError
		var refused *wire.CommandError
		if !errors.As(err, &connect) || connect.Step != StepHello || connect.Network() || !slices.Equal(connect.Labels, tt.labels) ||
			!errors.As(err, &refused) || refused.Server != "a:1" {
			t.Errorf("error: %#v", err)
		}
	}
}

func TestHangUpDuringHandshake(t *testing.T) {
	dial := listen(t, &server{answer: func(s *serverConn, _ bson.Raw) bson.Raw { s.Close(); return written }}, nil)
	_, err := Connect(t.Context(), Config{Address: "a:1", Dial: dial})
	var connect *ConnectError
	if !errors.As(err, &connect) || connect.Step != StepHello || !connect.Network() || connect.Timeout() || !slices.Equal(connect.Labels, overloadLabels) {
		t.Errorf("error: %#v", err)
	}
}

// Network errors that an overloaded server may cause carry the labels, others
// do not.
func TestOverload(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{refused, true},
		{fmt.Errorf("tls handshake: %w", io.EOF), true},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, true},
		{&net.DNSError{Err: "no such host", Name: "a"}, false},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "a"}}, false},
		{&net.OpError{Op: "remote error", Err: tls.AlertError(40)}, false},
		{x509.HostnameError{Host: "a"}, false},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, false},
		{&socks5.Error{Proxy: "p:1080", Err: refused}, false},
	} {
		_, err := Connect(t.Context(), Config{Address: "a:1", Dial: refusing(tt.err)})
		var connect *ConnectError
		if !errors.As(err, &connect) || connect.Step != StepDial || !errors.Is(err, tt.err) || !connect.Network() {
			t.Fatalf("error: %#v", err)
		}
		if got := connect.HasLabel(SystemOverloadedError) && connect.HasLabel(RetryableError); got != tt.want {
			t.Errorf("%v: %v", tt.err, got)
		}
	}
}

func TestLoadBalanced(t *testing.T) {
	service := bson.ObjectID{1}
	s := &server{answer: func(_ *serverConn, command bson.Raw) bson.Raw {
		if commandName(command) == "hello" {
			return helloReply(bson.AppendObjectID(bson.AppendString(nil, "msg", "isdbgrid"), "serviceId", service))
		}
		return okReply(nil)
	}}
	p := newPool(t, s, Config{Handshake: Handshake{LoadBalanced: true}})
	c := checkOut(t, p)
	if c.ServiceID == nil || *c.ServiceID != service || c.Description.Type != description.LoadBalancer {
		t.Errorf("service %v, type %v", c.ServiceID, c.Description.Type)
	}
	p.Clear(errors.New("gone"), &service, false)
	if p.Generation(&service) != 1 || c.Generation != 0 || p.Generation(nil) != 0 {
		t.Errorf("generations %d, %d, %d", p.Generation(&service), c.Generation, p.Generation(nil))
	}
	p.CheckIn(c)
	p.CheckIn(checkOut(t, p))
	if st := p.Stats(); st.State != Ready || st.Created != 2 || st.Closed != 1 {
		t.Errorf("%+v", st)
	}
}

func TestNoLoadBalancer(t *testing.T) {
	s := &server{answer: func(*serverConn, bson.Raw) bson.Raw { return helloReply(nil) }}
	_, err := Connect(t.Context(), Config{Address: "a:1", Dial: s.dial, Handshake: Handshake{LoadBalanced: true}})
	if err == nil || !strings.Contains(err.Error(), "driver attempted to initialize in load balancing mode, but the server does not support this mode") {
		t.Errorf("error: %v", err)
	}
}

// scramServer authenticates user with pencil by one mechanism. It answers
// speculation or not.
type scramServer struct {
	t           *testing.T
	mechanism   string
	speculation bool
	hello       bson.Raw // the handshake command
	started     int      // saslStart commands
	steps       *auth.ServerConversation
}

func (s *scramServer) answer(_ *serverConn, command bson.Raw) bson.Raw {
	switch commandName(command) {
	case "isMaster":
		s.hello = command
		more, at := bson.BeginArray(nil, "saslSupportedMechs")
		more = bson.AppendStringValue(bson.AppendIndexHeader(more, bson.TypeString, 0), "no such mechanism")
		more = bson.AppendStringValue(bson.AppendIndexHeader(more, bson.TypeString, 1), s.mechanism)
		more = bson.EndDocument(more, at)
		if first, ok := command.Lookup("speculativeAuthenticate").Document(); ok && s.speculation {
			if db, _ := first.Lookup("db").Str(); db != "users" {
				s.t.Errorf("speculation for %q", db)
			}
			reply, _ := s.step(first)
			more = bson.AppendDocument(more, "speculativeAuthenticate", reply)
		}
		return helloReply(more)
	case "saslStart":
		s.started++
		fallthrough
	case "saslContinue":
		if db, _ := command.Lookup("$db").Str(); db != "users" {
			s.t.Errorf("%s for %q", commandName(command), db)
		}
		reply, err := s.step(command)
		if err != nil {
			return raw(`{"ok":0,"code":18,"codeName":"AuthenticationFailed","errmsg":"Authentication failed."}`)
		}
		return reply
	}
	return okReply(bson.AppendString(nil, "to", commandName(command)))
}

func (s *scramServer) step(command bson.Raw) (bson.Raw, error) {
	if mechanism, ok := command.Lookup("mechanism").Str(); ok {
		if skip, _ := command.Lookup("options", "skipEmptyExchange").Bool(); !skip || mechanism != s.mechanism {
			s.t.Errorf("saslStart %v", command)
		}
		keys, err := auth.NewStoredKeys(s.mechanism, "user", "pencil", nil, 4096)
		if err != nil {
			return nil, err
		}
		s.steps, err = auth.NewServerConversation(s.mechanism, func(string) (auth.StoredKeys, bool) { return keys, true }, "")
		if err != nil {
			return nil, err
		}
		s.steps.SkipEmptyExchange = true
	} else if id, _ := command.Lookup("conversationId").Int32(); id != 5 {
		s.t.Errorf("conversation %d", id)
	}
	payload, _ := command.Lookup("payload").Binary()
	answer, done, err := s.steps.Step(payload.Data)
	if err != nil {
		return nil, err
	}
	reply := bson.AppendInt32(nil, "conversationId", 5)
	reply = bson.AppendBool(reply, "done", done)
	reply = bson.AppendBinary(reply, "payload", bson.Binary{Data: answer})
	return okReply(reply), nil
}

// Prose test 2 of mongodb-handshake is in here, too: the server names a
// mechanism that nobody knows.
func TestAuthentication(t *testing.T) {
	for _, tt := range []struct {
		name, mechanism, server string
		speculation             bool
		negotiate               string
		started                 int
	}{
		{"SCRAM-SHA-256", auth.SCRAMSHA256, auth.SCRAMSHA256, false, "", 1},
		{"speculative", auth.SCRAMSHA256, auth.SCRAMSHA256, true, "", 0},
		{"SCRAM-SHA-1", auth.SCRAMSHA1, auth.SCRAMSHA1, true, "", 0},
		{"negotiated SCRAM-SHA-256", "", auth.SCRAMSHA256, true, "users.user", 0},
		{"negotiated SCRAM-SHA-1", "", auth.SCRAMSHA1, false, "users.user", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			scram := &scramServer{t: t, mechanism: tt.server, speculation: tt.speculation}
			s := &server{answer: scram.answer}
			a, err := auth.New(auth.Credential{Username: "user", Password: "pencil", Source: "users", Mechanism: tt.mechanism})
			if err != nil {
				t.Fatal(err)
			}
			c, err := Connect(t.Context(), Config{Address: "a:1", Dial: s.dial, Handshake: Handshake{Auth: a}})
			if err != nil {
				t.Fatal(err)
			}
			answers(t, c)
			if err := c.Reauthenticate(t.Context()); err != nil {
				t.Error(err)
			}
			answers(t, c)
			c.Close()
			s.running.Wait()
			if user, _ := scram.hello.Lookup("saslSupportedMechs").Str(); user != tt.negotiate {
				t.Errorf("saslSupportedMechs %q", user)
			}
			if scram.started != tt.started+1 {
				t.Errorf("saslStart was sent %d times", scram.started)
			}
		})
	}
}

func TestWrongPassword(t *testing.T) {
	s := &server{answer: (&scramServer{t: t, mechanism: auth.SCRAMSHA256}).answer}
	a, err := auth.New(auth.Credential{Username: "user", Password: "hunter2", Source: "users", Mechanism: auth.SCRAMSHA256})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Connect(t.Context(), Config{Address: "a:1", Dial: s.dial, Handshake: Handshake{Auth: a}})
	var connect *ConnectError
	var failed *auth.Error
	if !errors.As(err, &connect) || connect.Step != StepAuthenticate || connect.Network() || connect.Labels != nil ||
		!errors.As(err, &failed) || !auth.IsAuthenticationFailed(err) {
		t.Errorf("error: %#v", err)
	}
	if strings.Contains(fmt.Sprintf("%+v", err), "hunter2") {
		t.Errorf("the error tells the password: %v", err)
	}
}

// A network error after the handshake is no sign of overload.
func TestHangUpDuringAuthentication(t *testing.T) {
	s := &server{answer: func(_ *serverConn, command bson.Raw) bson.Raw {
		return nil
	}}
	a, err := auth.New(auth.Credential{Username: "user", Password: "pencil", Mechanism: auth.PLAIN})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Connect(t.Context(), Config{Address: "a:1", Dial: s.dial, Handshake: Handshake{Auth: a}})
	var connect *ConnectError
	if !errors.As(err, &connect) || connect.Step != StepAuthenticate || !connect.Network() || connect.Labels != nil {
		t.Errorf("error: %#v", err)
	}
}

func TestX509(t *testing.T) {
	for _, speculation := range []bool{true, false} {
		var auths []string
		s := &server{answer: func(_ *serverConn, command bson.Raw) bson.Raw {
			switch commandName(command) {
			case "isMaster":
				if first := command.Lookup("speculativeAuthenticate"); first.String() !=
					`{"authenticate":1,"mechanism":"MONGODB-X509","user":"CN=me","db":"$external"}` {
					t.Errorf("speculation: %v", first)
				}
				if speculation {
					return helloReply(bson.AppendDocument(nil, "speculativeAuthenticate", raw(`{"dbname":"$external","user":"CN=me"}`)))
				}
				return nil
			}
			auths = append(auths, command.String())
			return okReply(nil)
		}}
		a, err := auth.New(auth.Credential{Username: "CN=me", Mechanism: auth.X509})
		if err != nil {
			t.Fatal(err)
		}
		c, err := Connect(t.Context(), Config{Address: "a:1", Dial: s.dial, Handshake: Handshake{Auth: a}})
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		s.running.Wait()
		var want []string
		if !speculation {
			want = []string{`{"authenticate":1,"mechanism":"MONGODB-X509","user":"CN=me","$db":"$external"}`}
		}
		if !slices.Equal(auths, want) {
			t.Errorf("sent %q, want %q", auths, want)
		}
	}
}

func TestArbiterIsNotAuthenticated(t *testing.T) {
	s := &server{answer: func(_ *serverConn, command bson.Raw) bson.Raw {
		if commandName(command) != "isMaster" {
			t.Errorf("sent %v", command)
		}
		return raw(`{"ok":1,"setName":"rs0","arbiterOnly":true}`)
	}}
	a, err := auth.New(auth.Credential{Username: "user", Password: "pencil"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := Connect(t.Context(), Config{Address: "a:1", Dial: s.dial, Handshake: Handshake{Auth: a}})
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	s.running.Wait()
}
