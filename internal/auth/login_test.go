package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
)

func newLogin(t *testing.T, c Credential) *Login {
	t.Helper()
	a, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a.Login("localhost:27017")
}

// handshake authenticates as a connection does: speculation with the handshake,
// which servers before 4.4 ignore, and what it leaves to do.
func handshake(l *Login, speculative bool, supported []string, send Send) error {
	ctx := context.Background()
	var speculated *Reply
	if r := l.Speculate(); r != nil && speculative {
		if reply, err := send(ctx, *r); err == nil {
			speculated = &reply
		}
	}
	return l.Authenticate(ctx, supported, speculated, send)
}

// Steps 1 to 3 of the test plan.
func TestSCRAMMechanismNegotiation(t *testing.T) {
	both := []string{SCRAMSHA1, SCRAMSHA256}
	for _, speculative := range []bool{false, true} {
		for _, user := range []struct {
			name       string
			mechanisms []string
		}{{"sha1", both[:1]}, {"sha256", both[1:]}, {"both", both}} {
			for _, mechanism := range []string{"", SCRAMSHA1, SCRAMSHA256} {
				name := fmt.Sprintf("user %s, mechanism %q, speculative %v", user.name, mechanism, speculative)
				server := &scramServer{username: user.name, password: user.name, mechanisms: user.mechanisms, skipEmptyExchange: true}
				l := newLogin(t, Credential{Username: user.name, Password: Secret(user.name), Mechanism: mechanism})
				err := handshake(l, speculative, user.mechanisms, server.send)

				want := mechanism
				if want == "" {
					want = user.mechanisms[len(user.mechanisms)-1]
				}
				if last := server.conversation; err == nil && last.keys.Mechanism != want {
					t.Errorf("%s: %s was used, want %s", name, last.keys.Mechanism, want)
				}
				works := strings.Contains(strings.Join(user.mechanisms, " ")+" ", want+" ")
				if works != (err == nil) || !works && !IsAuthenticationFailed(err) {
					t.Errorf("%s: %v", name, err)
				}
				if works && speculative && mechanism != SCRAMSHA1 && want == SCRAMSHA256 && len(server.requests) != 2 {
					t.Errorf("%s: %d requests, want 2", name, len(server.requests))
				}
			}
		}
	}
	server := &scramServer{username: "known", password: "pencil", mechanisms: both}
	unknown := handshake(newLogin(t, Credential{Username: "unknown", Password: "pencil"}), true, nil, server.send)
	wrong := handshake(newLogin(t, Credential{Username: "known", Password: "wrong"}), true, both, server.send)
	var e *Error
	if !errors.As(unknown, &e) || !errors.As(wrong, &e) || !IsAuthenticationFailed(unknown) || !IsAuthenticationFailed(wrong) {
		t.Errorf("an unknown user and a wrong password differ:\n%v\n%v", unknown, wrong)
	}
}

func TestWrongPasswordIsOneClearError(t *testing.T) {
	const password = "correct horse"
	server := &scramServer{username: "anna", password: "battery staple", mechanisms: []string{SCRAMSHA256}}
	l := newLogin(t, Credential{Username: "anna", Password: password, Source: "shop"})
	err := handshake(l, true, []string{SCRAMSHA256}, server.send)
	want := `authentication of user "anna" on database "shop" with SCRAM-SHA-256 failed: ` +
		`Authentication failed. (AuthenticationFailed, code 18); ` +
		`check the user name, the password or token, authSource, and that the user may use this mechanism`
	if err == nil || err.Error() != want {
		t.Errorf("the error is\n%v\nwant\n%s", err, want)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	c := Credential{Username: "anna", Password: "opensesame", AWSSessionToken: "opensesame"}
	for _, v := range []any{c, &c, c.Password, []Secret{c.Password}, AWSCredentials{SecretAccessKey: "opensesame"}, OIDCCredential{AccessToken: "opensesame"}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if s := fmt.Sprintf(verb, v); strings.Contains(s, "opensesame") || strings.Contains(s, "6f70656e") {
				t.Errorf("%s of %T prints %s", verb, v, s)
			}
		}
	}
	js, err := json.Marshal(struct{ Password Secret }{c.Password})
	if err != nil || strings.Contains(string(js), "opensesame") {
		t.Errorf("JSON is %s, %v", js, err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "password", c.Password)
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "password", c.Password, "credential", c)
	if strings.Contains(log.String(), "opensesame") {
		t.Errorf("the log is %s", log.String())
	}
}

func TestConnectionErrorsAreNotAuthenticationErrors(t *testing.T) {
	for _, c := range []Credential{
		{Username: "u", Password: "p"},
		{Username: "u", Password: "p", Mechanism: SCRAMSHA1},
		{Username: "u", Password: "p", Mechanism: PLAIN},
		{Username: "u", Password: "p", Mechanism: AWS},
		{Mechanism: X509},
		{Mechanism: OIDC, OIDCCallback: func(context.Context, OIDCParams) (OIDCCredential, error) {
			return OIDCCredential{AccessToken: "t"}, nil
		}},
	} {
		err := newLogin(t, c).Authenticate(context.Background(), nil, nil, func(context.Context, Request) (Reply, error) {
			return Reply{}, io.ErrUnexpectedEOF
		})
		if err != io.ErrUnexpectedEOF {
			t.Errorf("%v: %v, want the connection's own error", c, err)
		}
	}
}

func TestMechanismsOfOneStep(t *testing.T) {
	for _, tt := range []struct {
		credential  Credential
		payload     string
		source      string
		speculative bool
	}{
		{Credential{Username: "user", Password: "pencil", Mechanism: PLAIN}, "\x00user\x00pencil", "$external", false},
		{Credential{Username: "user", Password: "pencil", Mechanism: PLAIN, Source: "ldap"}, "\x00user\x00pencil", "ldap", false},
		{Credential{Mechanism: X509}, "", "$external", true},
		{Credential{Username: "CN=client", Mechanism: X509}, "CN=client", "$external", true},
	} {
		check := func(r Request) {
			if string(r.Payload) != tt.payload || r.Source != tt.source || r.Mechanism != tt.credential.Mechanism {
				t.Errorf("%v: the request is %+q", tt.credential, r)
			}
		}
		var sent int
		send := func(_ context.Context, r Request) (Reply, error) {
			sent++
			check(r)
			return Reply{Done: true}, nil
		}
		l := newLogin(t, tt.credential)
		if err := handshake(l, false, nil, send); err != nil || sent != 1 {
			t.Errorf("%v: %v after %d requests", tt.credential, err, sent)
		}
		r := newLogin(t, tt.credential).Speculate()
		if (r != nil) != tt.speculative {
			t.Errorf("%v: speculation is %v", tt.credential, r)
		}
		if r != nil {
			check(*r)
		}
		sent = 0
		if err := handshake(newLogin(t, tt.credential), true, nil, send); err != nil || sent != 1 {
			t.Errorf("%v, speculative: %v after %d requests", tt.credential, err, sent)
		}
		sent = 0
		if err := l.Reauthenticate(context.Background(), send); err != nil || sent != 1 {
			t.Errorf("%v, reauthentication: %v after %d requests", tt.credential, err, sent)
		}
	}
}

func TestReauthenticateUsesTheNegotiatedMechanism(t *testing.T) {
	server := &scramServer{username: "user", password: "pencil", mechanisms: []string{SCRAMSHA1}}
	l := newLogin(t, Credential{Username: "user", Password: "pencil"})
	if got := l.NegotiatedUser(); got != "admin.user" {
		t.Errorf("saslSupportedMechs is %q", got)
	}
	if err := handshake(l, true, []string{SCRAMSHA1}, server.send); err != nil {
		t.Fatal(err)
	}
	server.requests = nil
	if err := l.Reauthenticate(context.Background(), server.send); err != nil {
		t.Fatal(err)
	}
	if server.requests[0].Mechanism != SCRAMSHA1 {
		t.Errorf("%s was used", server.requests[0].Mechanism)
	}
}

func TestAPasswordThatOnlySCRAMSHA1CanUse(t *testing.T) {
	// DEFAULT must not fail for what only SCRAM-SHA-256 forbids.
	server := &scramServer{username: "user", password: "bell\a", mechanisms: []string{SCRAMSHA1}}
	l := newLogin(t, Credential{Username: "user", Password: "bell\a"})
	if r := l.Speculate(); r != nil {
		t.Errorf("speculation is %v", r)
	}
	if err := l.Authenticate(context.Background(), []string{SCRAMSHA1}, nil, server.send); err != nil {
		t.Error(err)
	}
}

func TestCredentialsThatCannotWork(t *testing.T) {
	callback := func(context.Context, OIDCParams) (OIDCCredential, error) { return OIDCCredential{}, nil }
	provider := func(context.Context) (AWSCredentials, error) { return AWSCredentials{}, nil }
	for _, tt := range []struct {
		c    Credential
		want string // part of the error, or empty if the credential is valid
	}{
		{Credential{Username: "u", Password: "p"}, ""},
		{Credential{Password: "p"}, "user name is missing"},
		{Credential{Username: "u"}, "password is missing"},
		{Credential{Username: "u", Password: "p", Mechanism: "SCRAM-SHA-512"}, "unknown mechanism"},
		{Credential{Username: "u", Password: "p", Mechanism: "GSSAPI"}, "Kerberos"},
		{Credential{Username: "u", Mechanism: SCRAMSHA256}, "password is missing"},
		{Credential{Mechanism: PLAIN}, "user name is missing"},
		{Credential{Username: "u\x00v", Password: "p", Mechanism: PLAIN}, "NUL"},
		{Credential{Username: "u", Password: "p", AWSSessionToken: "t"}, "AWS_SESSION_TOKEN"},
		{Credential{Username: "u", Password: "p", Environment: "azure"}, "ENVIRONMENT"},
		{Credential{Mechanism: X509}, ""},
		{Credential{Mechanism: X509, Source: "$external"}, ""},
		{Credential{Mechanism: X509, Source: "admin"}, "must be $external"},
		{Credential{Mechanism: X509, Username: "CN=x", Password: "p"}, "password does not apply"},
		{Credential{Mechanism: AWS}, ""},
		{Credential{Mechanism: AWS, Source: "admin"}, "must be $external"},
		{Credential{Mechanism: AWS, Username: "u", Password: "p", AWSSessionToken: "t"}, ""},
		{Credential{Mechanism: AWS, Username: "u"}, "go together"},
		{Credential{Mechanism: AWS, AWSSessionToken: "t"}, "session token needs"},
		{Credential{Mechanism: AWS, AWSCredentialProvider: provider}, ""},
		{Credential{Mechanism: AWS, AWSCredentialProvider: provider, Username: "u", Password: "p"}, "either"},
		{Credential{Mechanism: OIDC}, "exactly one"},
		{Credential{Mechanism: OIDC, OIDCCallback: callback}, ""},
		{Credential{Mechanism: OIDC, OIDCCallback: callback, Username: "u"}, ""},
		{Credential{Mechanism: OIDC, OIDCCallback: callback, Password: "p"}, "password does not apply"},
		{Credential{Mechanism: OIDC, OIDCCallback: callback, Source: "admin"}, "must be $external"},
		{Credential{Mechanism: OIDC, OIDCCallback: callback, OIDCHumanCallback: callback}, "exactly one"},
		// Machine prose test 2.4.
		{Credential{Mechanism: OIDC, OIDCCallback: callback, Environment: "test"}, "exactly one"},
		// Machine prose test 2.5.
		{Credential{Mechanism: OIDC, Environment: "azure", TokenResource: "r", AllowedHosts: []string{}}, "ALLOWED_HOSTS"},
		{Credential{Mechanism: OIDC, OIDCHumanCallback: callback, AllowedHosts: []string{}}, ""},
		{Credential{Mechanism: OIDC, Environment: "moon"}, "not one of"},
		{Credential{Mechanism: OIDC, Environment: "azure"}, "needs TOKEN_RESOURCE"},
		{Credential{Mechanism: OIDC, Environment: "gcp"}, "needs TOKEN_RESOURCE"},
		{Credential{Mechanism: OIDC, Environment: "azure", TokenResource: "r", Username: "client"}, ""},
		{Credential{Mechanism: OIDC, Environment: "k8s", TokenResource: "r"}, "TOKEN_RESOURCE applies"},
		{Credential{Mechanism: OIDC, Environment: "test", Username: "u"}, "user name does not apply"},
	} {
		_, err := New(tt.c)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: %v, want %q", tt.c, err, tt.want)
		}
	}
}
