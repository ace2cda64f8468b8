package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// idpInfoPayload is the specification's example.
const idpInfoPayload = "WQAAAAJpc3N1ZXIADwAAAGh0dHBzOi8vaXNzdWVyAAJjbGllbnRJZAAFAAAAYWJjZAAEcmVxdWVzdFNjb3BlcwAXAAAAAjAAAgAAAGEAAjEAAgAAAGIAAAA="

// oidcServer answers requests as a server does that trusts some tokens. It is
// safe for concurrent use.
type oidcServer struct {
	mu      sync.Mutex
	valid   []Secret
	fail    int32 // the error of the next saslStart
	starts  int
	idpInfo []byte
	user    string // of the last PrincipalStepRequest
}

func newOIDCServer(valid ...Secret) *oidcServer {
	info, err := base64.StdEncoding.DecodeString(idpInfoPayload)
	if err != nil {
		panic(err)
	}
	return &oidcServer{valid: valid, idpInfo: info}
}

func (s *oidcServer) send(_ context.Context, r Request) (Reply, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Mechanism != "" {
		s.starts++
		if code := s.fail; code != 0 {
			s.fail = 0
			return Reply{}, &Refused{Code: code, Err: errors.New("fail point")}
		}
	}
	fields, err := elements(r.Payload)
	if err != nil {
		return Reply{}, err
	}
	if len(fields) == 1 && fields[0].key == "jwt" {
		if !slices.Contains(s.valid, Secret(fields[0].data)) {
			return Reply{}, errRefused
		}
		return Reply{Done: true}, nil
	}
	s.user = ""
	if len(fields) == 1 && fields[0].key == "n" {
		s.user = string(fields[0].data)
	}
	return Reply{ConversationID: 3, Payload: s.idpInfo}, nil
}

// oidcClient is one client of an oidcServer, and counts what its callback sees.
type oidcClient struct {
	*Authenticator
	server *oidcServer
	mu     sync.Mutex
	calls  []OIDCParams
}

// newOIDCClient has a callback that returns credentials one after the other,
// and the last one again and again.
func newOIDCClient(t *testing.T, server *oidcServer, c Credential, human bool, credentials ...OIDCCredential) *oidcClient {
	t.Helper()
	client := &oidcClient{server: server}
	callback := func(_ context.Context, p OIDCParams) (OIDCCredential, error) {
		client.mu.Lock()
		defer client.mu.Unlock()
		client.calls = append(client.calls, p)
		return credentials[min(len(client.calls), len(credentials))-1], nil
	}
	c.Mechanism = OIDC
	if human {
		c.OIDCHumanCallback = callback
	} else {
		c.OIDCCallback = callback
	}
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	client.Authenticator = a
	return client
}

// connect opens a connection, as the first operation or a larger pool does.
func (c *oidcClient) connect() (*Login, error) {
	l := c.Login("localhost:27017")
	return l, handshake(l, true, nil, c.server.send)
}

func (c *oidcClient) wantCalls(t *testing.T, want int) {
	t.Helper()
	if len(c.calls) != want {
		t.Errorf("the callback was called %d times, want %d", len(c.calls), want)
	}
}

func good(token Secret) OIDCCredential { return OIDCCredential{AccessToken: token} }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOIDCPayloads(t *testing.T) {
	for _, tt := range []struct {
		conversation Conversation
		want         string
	}{
		{newJWTStep("abcd1234"), "FwAAAAJqd3QACQAAAGFiY2QxMjM0AAA="},
		{&twoStep{username: "myidp"}, "EgAAAAJuAAYAAABteWlkcAAA"},
		{&twoStep{}, "BQAAAAA="},
	} {
		if got := tt.conversation.Start(); base64.StdEncoding.EncodeToString(got) != tt.want {
			t.Errorf("%+v starts with %q, want %s", tt.conversation, got, tt.want)
		}
	}
	info, err := parseIdPInfo(newOIDCServer().idpInfo)
	want := &IdPInfo{Issuer: "https://issuer", ClientID: "abcd", RequestScopes: []string{"a", "b"}}
	if err != nil || !reflect.DeepEqual(info, want) {
		t.Errorf("IdPInfo is %+v, %v; want %+v", info, err, want)
	}
	for _, payload := range [][]byte{nil, document(nil).end(), document(nil).string("clientId", "x").end(), []byte("garbage")} {
		if _, err := parseIdPInfo(payload); err == nil {
			t.Errorf("IdPInfo %q is accepted", payload)
		}
	}
}

// The names of the tests are those of the prose tests; connections stand for
// find operations, and Reauthenticate for what error 391 leads to.
func TestOIDCMachineProse(t *testing.T) {
	run := func(name string, f func(*testing.T)) {
		t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
	}
	run("1.1 Callback is called during authentication", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, false, good("t"))
		_, err := c.connect()
		must(t, err)
		c.wantCalls(t, 1)
	})
	run("1.2 Callback is called once for multiple connections", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, false, good("t"))
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				for range 100 {
					if _, err := c.connect(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		c.wantCalls(t, 1)
	})
	run("2.1 Valid Callback Inputs", func(t *testing.T) {
		begin := time.Now()
		for _, deadline := range []time.Duration{0, 10 * time.Second} {
			a, err := New(Credential{Mechanism: OIDC, Username: "anna", OIDCCallback: func(ctx context.Context, p OIDCParams) (OIDCCredential, error) {
				want := time.Minute
				if deadline > 0 {
					want = deadline
				}
				if d, ok := ctx.Deadline(); !ok || d.Sub(begin) != want {
					t.Errorf("the deadline is in %v, want %v", d.Sub(begin), want)
				}
				if !reflect.DeepEqual(p, OIDCParams{Version: 1, Username: "anna"}) {
					t.Errorf("the parameters are %+v", p)
				}
				return good("t"), nil
			}})
			must(t, err)
			ctx := context.Background()
			if deadline > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, deadline)
				defer cancel()
			}
			must(t, a.Login("localhost").Authenticate(ctx, nil, nil, newOIDCServer("t").send))
		}
	})
	run("2.2 and 2.3 Callback Returns Null or Missing Data", func(t *testing.T) {
		for _, credential := range []OIDCCredential{{}, {RefreshToken: "r"}, {AccessToken: "t", ExpiresIn: -1}} {
			_, err := newOIDCClient(t, newOIDCServer("t"), Credential{}, false, credential).connect()
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), "the OIDC callback returned") {
				t.Errorf("%+v: %v", credential, err)
			}
		}
	})
	run("3.1 Authentication failure with cached tokens fetch a new token and retry auth", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, false, good("t"))
		c.oidc.accessToken = "poison"
		_, err := c.connect()
		must(t, err)
		c.wantCalls(t, 1)
	})
	run("3.2 Authentication failures without cached tokens return an error", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, false, good("bad"))
		if _, err := c.connect(); !IsAuthenticationFailed(err) {
			t.Error(err)
		}
		c.wantCalls(t, 1)
	})
	run("3.3 Unexpected error code does not clear the cache", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, false, good("t"))
		c.server.fail = 20
		if _, err := c.connect(); err == nil {
			t.Error("no error")
		}
		c.wantCalls(t, 1)
		_, err := c.connect()
		must(t, err)
		c.wantCalls(t, 1)
	})
	run("4.1 Reauthentication Succeeds", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, false, good("t"))
		l, err := c.connect()
		must(t, err)
		must(t, l.Reauthenticate(t.Context(), c.server.send))
		c.wantCalls(t, 2)
	})
	run("4.2 and 4.3 Commands Fail If Reauthentication Fails", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, false, good("t"), good("bad"))
		l, err := c.connect()
		must(t, err)
		if err := l.Reauthenticate(t.Context(), c.server.send); !IsAuthenticationFailed(err) {
			t.Error(err)
		}
		c.wantCalls(t, 2)
	})
	run("4.4 Speculative Authentication should be ignored on Reauthentication", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, false, good("t"))
		c.oidc.accessToken = "t"
		l, err := c.connect()
		must(t, err)
		c.wantCalls(t, 0)
		if c.server.starts != 1 {
			t.Errorf("%d conversations beside the speculation", c.server.starts-1)
		}
		must(t, l.Reauthenticate(t.Context(), c.server.send))
		c.wantCalls(t, 1)
		if c.server.starts != 2 {
			t.Errorf("%d conversations", c.server.starts)
		}
	})
	run("connections reauthenticate with one call", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t", "u"), Credential{}, false, good("t"), good("u"))
		var logins []*Login
		for range 10 {
			l, err := c.connect()
			must(t, err)
			logins = append(logins, l)
		}
		var wg sync.WaitGroup
		for _, l := range logins {
			wg.Go(func() {
				if err := l.Reauthenticate(t.Context(), c.server.send); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		c.wantCalls(t, 2)
	})
	run("calls are 100 ms apart", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, false, good("bad"))
		begin := time.Now()
		for range 3 {
			c.oidc.accessToken = ""
			c.connect()
		}
		if got := time.Since(begin); got != 200*time.Millisecond {
			t.Errorf("three calls took %v", got)
		}
	})
	run("a cancelled connection does not wait for its turn", func(t *testing.T) {
		release := make(chan struct{})
		a, err := New(Credential{Mechanism: OIDC, OIDCCallback: func(context.Context, OIDCParams) (OIDCCredential, error) {
			<-release
			return good("t"), nil
		}})
		must(t, err)
		server := newOIDCServer("t")
		first := make(chan error)
		go func() { first <- a.Login("localhost").Authenticate(t.Context(), nil, nil, server.send) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Login("localhost").Authenticate(ctx, nil, nil, server.send); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the second connection: %v", err)
		}
		close(release)
		must(t, <-first)
	})
}

func TestOIDCHumanProse(t *testing.T) {
	run := func(name string, f func(*testing.T)) {
		t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
	}
	refreshing := func(token, refresh Secret) OIDCCredential {
		return OIDCCredential{AccessToken: token, RefreshToken: refresh}
	}
	run("1.1 Single Principal Implicit Username", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, true, good("t"))
		_, err := c.connect()
		must(t, err)
		if c.server.user != "" {
			t.Errorf("the principal is %q", c.server.user)
		}
	})
	run("1.2 Single Principal Explicit Username", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{Username: "test_user1"}, true, good("t"))
		_, err := c.connect()
		must(t, err)
		if c.server.user != "test_user1" {
			t.Errorf("the principal is %q", c.server.user)
		}
	})
	run("1.6 Allowed Hosts Blocked", func(t *testing.T) {
		for _, allowed := range [][]string{{}, {"example.com"}} {
			c := newOIDCClient(t, newOIDCServer("t"), Credential{AllowedHosts: allowed}, true, good("t"))
			c.oidc.accessToken = "t"
			if _, err := c.connect(); err == nil || !strings.Contains(err.Error(), "ALLOWED_HOSTS") {
				t.Errorf("allowed hosts %q: %v", allowed, err)
			}
			c.wantCalls(t, 0)
			if c.server.starts != 0 {
				t.Error("the cached token was sent")
			}
		}
	})
	run("1.8 Machine IdP with Human Callback", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, true, good("t"))
		c.server.idpInfo = document(nil).string("issuer", "https://issuer").end()
		_, err := c.connect()
		must(t, err)
	})
	run("2.1 Valid Callback Inputs", func(t *testing.T) {
		begin := time.Now()
		a, err := New(Credential{Mechanism: OIDC, Username: "anna", OIDCHumanCallback: func(ctx context.Context, p OIDCParams) (OIDCCredential, error) {
			if d, ok := ctx.Deadline(); !ok || d.Sub(begin) != 5*time.Minute {
				t.Errorf("the deadline is in %v", d.Sub(begin))
			}
			info := &IdPInfo{Issuer: "https://issuer", ClientID: "abcd", RequestScopes: []string{"a", "b"}}
			if !reflect.DeepEqual(p, OIDCParams{Version: 1, Username: "anna", IdPInfo: info}) {
				t.Errorf("the parameters are %+v", p)
			}
			time.Sleep(4 * time.Minute)
			return good("t"), ctx.Err()
		}})
		must(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		must(t, a.Login("localhost").Authenticate(ctx, nil, nil, newOIDCServer("t").send))
	})
	run("a cancelled context ends the callback", func(t *testing.T) {
		a, err := New(Credential{Mechanism: OIDC, OIDCHumanCallback: func(ctx context.Context, _ OIDCParams) (OIDCCredential, error) {
			<-ctx.Done()
			return OIDCCredential{}, ctx.Err()
		}})
		must(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := a.Login("localhost").Authenticate(ctx, nil, nil, newOIDCServer("t").send); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	run("2.2 Human Callback Returns Missing Data", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, true, OIDCCredential{})
		if _, err := c.connect(); err == nil {
			t.Error("no error")
		}
	})
	run("2.3 Refresh Token Is Passed To The Callback", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, true, refreshing("t", "r"))
		l, err := c.connect()
		must(t, err)
		must(t, l.Reauthenticate(t.Context(), c.server.send))
		c.wantCalls(t, 2)
		if c.calls[0].RefreshToken != "" || c.calls[1].RefreshToken != "r" || c.calls[1].IdPInfo.Issuer != "https://issuer" {
			t.Errorf("the refresh tokens were %q and %q", string(c.calls[0].RefreshToken), string(c.calls[1].RefreshToken))
		}
	})
	run("3.1 Uses speculative authentication if there is a cached token", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, true, good("t"))
		_, err := c.connect()
		must(t, err)
		starts := c.server.starts
		_, err = c.connect()
		must(t, err)
		c.wantCalls(t, 1)
		if c.server.starts != starts+1 {
			t.Errorf("%d conversations beside the speculation", c.server.starts-starts-1)
		}
	})
	run("3.2 Does not use speculative authentication if there is no cached token", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, true, good("t"))
		c.server.fail = 18
		if _, err := c.connect(); !IsAuthenticationFailed(err) {
			t.Error(err)
		}
	})
	run("4.1 Succeeds", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, true, refreshing("t", "r"))
		l, err := c.connect()
		must(t, err)
		c.wantCalls(t, 1)
		must(t, l.Reauthenticate(t.Context(), c.server.send))
		c.wantCalls(t, 2)
	})
	run("4.2 Succeeds no refresh", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, true, good("t"))
		l, err := c.connect()
		must(t, err)
		must(t, l.Reauthenticate(t.Context(), c.server.send))
		c.wantCalls(t, 2)
		if c.calls[1].RefreshToken != "" {
			t.Error("a refresh token was invented")
		}
	})
	run("4.3 Succeeds after refresh fails", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, true, refreshing("t", "bad"), refreshing("bad", "bad"), refreshing("t", "r"))
		l, err := c.connect()
		must(t, err)
		must(t, l.Reauthenticate(t.Context(), c.server.send))
		c.wantCalls(t, 3)
		if c.calls[2].RefreshToken != "" {
			t.Error("a refresh token that failed was passed again")
		}
	})
	run("4.4 Fails", func(t *testing.T) {
		c := newOIDCClient(t, newOIDCServer("t"), Credential{}, true, refreshing("t", "bad"), refreshing("bad", "bad"))
		l, err := c.connect()
		must(t, err)
		if err := l.Reauthenticate(t.Context(), c.server.send); !IsAuthenticationFailed(err) {
			t.Error(err)
		}
		c.wantCalls(t, 3)
	})
}

func TestAllowedHosts(t *testing.T) {
	for _, tt := range []struct {
		address string
		allowed []string
		want    bool
	}{
		{"localhost:27017", defaultAllowedHosts, true},
		{"LOCALHOST", defaultAllowedHosts, true},
		{"127.0.0.1:27017", defaultAllowedHosts, true},
		{"[::1]:27017", defaultAllowedHosts, true},
		{"::1", defaultAllowedHosts, true},
		{"a.mongodb.net:27017", defaultAllowedHosts, true},
		{"a.b.mongodb.net", defaultAllowedHosts, true},
		{"x.mongo.com", defaultAllowedHosts, true},
		{"mongodb.net", defaultAllowedHosts, false},
		{".mongodb.net", defaultAllowedHosts, false},
		{"evilmongodb.net", defaultAllowedHosts, false},
		{"a.mongodb.net.evil.com", defaultAllowedHosts, false},
		{"10.0.0.1", defaultAllowedHosts, false},
		{"example.com:1", []string{"example.com"}, true},
		{"a.example.com", []string{"example.com"}, false},
		{"a.example.com", []string{"*example.com"}, false},
		{"anything", []string{"*"}, false},
		{"localhost", []string{}, false},
	} {
		if err := checkAllowedHost(tt.address, tt.allowed); (err == nil) != tt.want {
			t.Errorf("%s with %q: %v, want %v", tt.address, tt.allowed, err, tt.want)
		}
	}
}

func TestOIDCEnvironments(t *testing.T) {
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case r.URL.Path == "/metadata/identity/oauth2/token" && r.Header.Get("Metadata") == "true" && r.Header.Get("Accept") == "application/json" &&
			q.Get("api-version") == "2018-02-01" && q.Get("resource") == "mongodb://x&y":
			if q.Get("client_id") == "bad" {
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, `{"error": "Identity not found"}`)
				return
			}
			fmt.Fprintf(w, `{"access_token": "azure%s", "expires_in": "3599"}`, q.Get("client_id"))
		case r.URL.Path == "/computeMetadata/v1/instance/service-accounts/default/identity" && r.Header.Get("Metadata-Flavor") == "Google" &&
			q.Get("audience") == "mongodb://x&y":
			fmt.Fprint(w, "gcp")
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer metadata.Close()
	files := map[string]string{"/aks": "aks\n", "/eks": "eks", kubernetesToken: "gke", "/test": "test"}
	env := map[string]string{}
	p := &platform{
		getenv: func(name string) string { return env[name] },
		readFile: func(name string) ([]byte, error) {
			if s, ok := files[name]; ok {
				return []byte(s), nil
			}
			return nil, os.ErrNotExist
		},
		azure: metadata.URL, gcp: metadata.URL,
	}
	const resource = "mongodb://x&y"
	for _, tt := range []struct {
		c    Credential
		env  string
		want Secret // the token, or part of an error
		ok   bool
	}{
		{Credential{Environment: "azure", TokenResource: resource}, "", "azure", true},
		{Credential{Environment: "azure", TokenResource: resource, Username: "id"}, "", "azureid", true},
		{Credential{Environment: "azure", TokenResource: resource, Username: "bad"}, "", "Identity not found", false},
		{Credential{Environment: "gcp", TokenResource: resource}, "", "gcp", true},
		{Credential{Environment: "gcp", TokenResource: "other"}, "", "404", false},
		{Credential{Environment: "k8s"}, "", "gke", true},
		{Credential{Environment: "k8s"}, "AWS_WEB_IDENTITY_TOKEN_FILE=/eks", "eks", true},
		{Credential{Environment: "k8s"}, "AZURE_FEDERATED_TOKEN_FILE=/aks", "aks", true},
		{Credential{Environment: "test"}, "OIDC_TOKEN_FILE=/test", "test", true},
		{Credential{Environment: "test"}, "OIDC_TOKEN_FILE=/nowhere", "OIDC_TOKEN_FILE: file does not exist", false},
		{Credential{Environment: "test"}, "OIDC_TOKEN_FILE=", "OIDC_TOKEN_FILE is not set", false},
	} {
		name, value, _ := strings.Cut(tt.env, "=")
		env[name] = value
		tt.c.Mechanism = OIDC
		a, err := newAuthenticator(tt.c, p)
		must(t, err)
		err = a.Login("localhost").Authenticate(t.Context(), nil, nil, newOIDCServer(tt.want).send)
		if tt.ok != (err == nil) || err != nil && !strings.Contains(err.Error(), string(tt.want)) {
			t.Errorf("%+v with %q: %v, want %q", tt.c, tt.env, err, string(tt.want))
		}
		if tt.ok && a.oidc.peek() != tt.want {
			t.Errorf("%+v with %q: the token is %q, want %q", tt.c, tt.env, string(a.oidc.peek()), string(tt.want))
		}
	}
}
