package motor_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/mongotest"
)

// The prose tests of auth/tests/mongodb-oidc.md that need no look into the
// client's cache; the others are those of package auth.

// tokens are the users that the servers of these tests know.
var tokens = map[string]string{"token1": "test_user1", "again1": "test_user1"}

// provider is an OIDC callback that returns one credential after the other, and
// the last one again and again.
type provider struct {
	mu          sync.Mutex
	credentials []motor.OIDCCredential
	calls       []motor.OIDCParams
	timeouts    []time.Duration
}

func provide(accessTokens ...motor.Secret) *provider {
	p := new(provider)
	for _, t := range accessTokens {
		p.credentials = append(p.credentials, motor.OIDCCredential{AccessToken: t})
	}
	return p
}

func (p *provider) call(ctx context.Context, params motor.OIDCParams) (motor.OIDCCredential, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, params)
	if end, ok := ctx.Deadline(); ok {
		p.timeouts = append(p.timeouts, time.Until(end))
	}
	return p.credentials[min(len(p.calls), len(p.credentials))-1], nil
}

func (p *provider) wantCalls(t *testing.T, want int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.calls) != want {
		t.Errorf("the callback was called %d times, want %d", len(p.calls), want)
	}
}

// oidc is a server with a client that logs in by OIDC and one that may
// configure it.
type oidc struct {
	*motor.Client
	root   *motor.Client
	server *mongotest.Standalone

	mu       sync.Mutex
	commands []string // of the client, with what came of each
}

// startOIDC starts a server for the users, and a client with the callbacks and
// a user name, if it is not empty.
func startOIDC(t *testing.T, users map[string]string, name string, callbacks motor.AuthCallbacks) *oidc {
	t.Helper()
	o := &oidc{server: mongotest.NewStandalone(t, mongotest.Options{Username: rootName, Password: rootPassword, OIDCTokens: users})}
	o.root = connectTo(t, o.server.URI())
	note := func(what string) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.commands = append(o.commands, what)
	}
	uri := withOptions("mongodb://"+o.server.Address(), "directConnection=true", "authMechanism=MONGODB-OIDC", "retryReads=false", "retryWrites=false")
	if name != "" {
		uri = strings.Replace(uri, "://", "://"+name+"@", 1)
	}
	o.Client = connectTo(t, uri, motor.ClientOptions{Auth: callbacks, Observer: &event.Observer{
		CommandStarted:   func(e *event.CommandStarted) { note(e.CommandName + " started") },
		CommandSucceeded: func(e *event.CommandSucceeded) { note(e.CommandName + " succeeded") },
		CommandFailed:    func(e *event.CommandFailed) { note(e.CommandName + " failed") },
	}})
	return o
}

func (o *oidc) find(t *testing.T) error {
	t.Helper()
	_, err := o.Database("test").Collection("test").Find(bounded(t), bson.D{}).Slice()
	return err
}

func (o *oidc) insert(t *testing.T) error {
	t.Helper()
	_, err := o.Database("test").Collection("test").InsertOne(bounded(t), bson.D{})
	return err
}

// fail has the next command with the name fail once.
func (o *oidc) fail(t *testing.T, command string, failure ...any) {
	t.Helper()
	_, err := o.root.Database("admin").RunCommand(bounded(t), d("configureFailPoint", "failCommand", "mode", d("times", 1),
		"data", d(append([]any{"failCommands", bson.A{command}}, failure...)...)))
	if err != nil {
		t.Fatal(err)
	}
}

func succeeds(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func fails(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	if err != nil && (strings.Contains(err.Error(), "token1") || strings.Contains(err.Error(), "bad token")) {
		t.Errorf("the error shows a token: %v", err)
	}
}

func TestOIDCMachineProse(t *testing.T) {
	machine := func(t *testing.T, p *provider) *oidc {
		return startOIDC(t, tokens, "", motor.AuthCallbacks{OIDC: p.call})
	}
	t.Run("1.1 callback is called during authentication", func(t *testing.T) {
		p := provide("token1")
		succeeds(t, machine(t, p).find(t))
		p.wantCalls(t, 1)
	})
	t.Run("1.2 callback is called once for multiple connections", func(t *testing.T) {
		p := provide("token1")
		o := machine(t, p)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				for range 100 {
					if err := o.find(t); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		p.wantCalls(t, 1)
	})
	t.Run("2.1 valid callback inputs", func(t *testing.T) {
		p := provide("token1")
		succeeds(t, machine(t, p).find(t))
		if got := p.calls[0]; got.Version != 1 || got.Username != "" || got.IdPInfo != nil || got.RefreshToken != "" {
			t.Errorf("the callback got %+v", got)
		}
		if len(p.timeouts) != 1 || p.timeouts[0] <= 0 || p.timeouts[0] > time.Minute {
			t.Errorf("the callback has %v", p.timeouts)
		}
	})
	t.Run("2.2 and 2.3 callback returns null or missing data", func(t *testing.T) {
		fails(t, machine(t, provide("")).find(t), "the OIDC callback returned no access token")
	})
	t.Run("2.4 and 2.5 invalid configurations", func(t *testing.T) {
		for properties, callbacks := range map[string]motor.AuthCallbacks{
			"ENVIRONMENT:test": {OIDC: provide("token1").call},
			"ENVIRONMENT:azure,TOKEN_RESOURCE:a,ALLOWED_HOSTS:": {},
		} {
			client, err := motor.Connect(t.Context(), "mongodb://localhost/?authMechanism=MONGODB-OIDC&authMechanismProperties="+properties,
				motor.ClientOptions{Auth: callbacks})
			if err == nil {
				client.Close(t.Context())
				t.Errorf("%s: no error", properties)
			}
		}
	})
	t.Run("3.2 authentication failures without cached tokens return an error", func(t *testing.T) {
		p := provide("bad token")
		fails(t, machine(t, p).find(t), "authentication")
		p.wantCalls(t, 1)
	})
	t.Run("3.3 unexpected error code does not clear the cache", func(t *testing.T) {
		p := provide("token1")
		o := machine(t, p)
		o.fail(t, "saslStart", "errorCode", 20)
		fails(t, o.find(t), "20")
		p.wantCalls(t, 1)
		succeeds(t, o.find(t))
		p.wantCalls(t, 1)
	})
	t.Run("4.1 reauthentication succeeds", func(t *testing.T) {
		p := provide("token1", "again1")
		o := machine(t, p)
		o.fail(t, "find", "errorCode", 391)
		succeeds(t, o.find(t))
		p.wantCalls(t, 2)
	})
	t.Run("4.2 and 4.3 commands fail if reauthentication fails", func(t *testing.T) {
		for name, command := range map[string]func(*oidc, *testing.T) error{"find": (*oidc).find, "insert": (*oidc).insert} {
			p := provide("token1", "bad token")
			o := machine(t, p)
			succeeds(t, command(o, t))
			o.fail(t, name, "errorCode", 391)
			fails(t, command(o, t), "authentication on database \"$external\" with MONGODB-OIDC failed")
			p.wantCalls(t, 2)
		}
	})
	t.Run("4.5 reauthentication succeeds when a session is involved", func(t *testing.T) {
		p := provide("token1", "again1")
		o := machine(t, p)
		o.fail(t, "find", "errorCode", 391)
		succeeds(t, o.WithSession(bounded(t), func(ctx context.Context) error {
			_, err := o.Database("test").Collection("test").Find(ctx, bson.D{}).Slice()
			return err
		}))
		p.wantCalls(t, 2)
	})
}

func TestOIDCHumanProse(t *testing.T) {
	multiple := map[string]string{"token1": "test_user1", "token2": "test_user2"}
	human := func(t *testing.T, p *provider) *oidc {
		return startOIDC(t, tokens, "", motor.AuthCallbacks{OIDCHuman: p.call})
	}
	refreshing := func(accessTokens ...motor.Secret) *provider {
		p := provide(accessTokens...)
		for i := range p.credentials {
			p.credentials[i].RefreshToken = "refresh"
		}
		return p
	}
	for name, tt := range map[string]struct {
		users map[string]string
		user  string
		token motor.Secret
		want  string // the user, empty if there is an error
	}{
		"1.1 single principal implicit username":   {tokens, "", "token1", "test_user1"},
		"1.2 single principal explicit username":   {tokens, "test_user1", "token1", "test_user1"},
		"1.3 multiple principal user 1":            {multiple, "test_user1", "token1", "test_user1"},
		"1.4 multiple principal user 2":            {multiple, "test_user2", "token2", "test_user2"},
		"1.5 multiple principal no user":           {multiple, "", "token1", ""},
		"the token of another user than was named": {multiple, "test_user1", "token2", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := provide(tt.token)
			o := startOIDC(t, tt.users, tt.user, motor.AuthCallbacks{OIDCHuman: p.call})
			if tt.want == "" {
				fails(t, o.find(t), "authentication")
				return
			}
			succeeds(t, o.find(t))
			if got := whoAmI(t, o.Client, nil); got != tt.want+"@$external" {
				t.Errorf("the client is %q", got)
			}
		})
	}
	t.Run("1.6 allowed hosts blocked", func(t *testing.T) {
		for _, allowed := range [][]string{{}, {"example.com"}} {
			p := provide("token1")
			o := startOIDC(t, tokens, "", motor.AuthCallbacks{OIDCHuman: p.call, OIDCAllowedHosts: allowed})
			fails(t, o.find(t), "ALLOWED_HOSTS")
			p.wantCalls(t, 0)
		}
	})
	t.Run("1.7 allowed hosts in connection string", func(t *testing.T) {
		client, err := motor.Connect(t.Context(),
			"mongodb+srv://example.com/?authMechanism=MONGODB-OIDC&authMechanismProperties=ALLOWED_HOSTS:%5B%22example.com%22%5D",
			motor.ClientOptions{Auth: motor.AuthCallbacks{OIDCHuman: provide("token1").call}})
		if err == nil {
			client.Close(t.Context())
		}
		fails(t, err, "ALLOWED_HOSTS")
	})
	t.Run("2.1 valid callback inputs", func(t *testing.T) {
		p := provide("token1")
		succeeds(t, human(t, p).find(t))
		if got := p.calls[0]; got.Version != 1 || got.Username != "" || got.IdPInfo == nil || got.IdPInfo.Issuer == "" || got.IdPInfo.ClientID == "" {
			t.Errorf("the callback got %+v", got)
		}
		if len(p.timeouts) != 1 || p.timeouts[0] <= time.Minute || p.timeouts[0] > 5*time.Minute {
			t.Errorf("the callback has %v", p.timeouts)
		}
	})
	t.Run("2.2 callback returns missing data", func(t *testing.T) {
		fails(t, human(t, provide("")).find(t), "the OIDC callback returned no access token")
	})
	t.Run("2.3 refresh token is passed to the callback", func(t *testing.T) {
		p := refreshing("token1", "again1")
		o := human(t, p)
		succeeds(t, o.find(t))
		o.fail(t, "find", "errorCode", 391)
		succeeds(t, o.find(t))
		p.wantCalls(t, 2)
		if p.calls[0].RefreshToken != "" || p.calls[1].RefreshToken != "refresh" {
			t.Error("the refresh token is to be passed to the second call alone")
		}
	})
	t.Run("3.1 uses speculative authentication if there is a cached token", func(t *testing.T) {
		o := human(t, provide("token1"))
		o.fail(t, "find", "closeConnection", true)
		fails(t, o.find(t), "find")
		o.fail(t, "saslStart", "errorCode", 18)
		succeeds(t, o.find(t))
	})
	t.Run("3.2 does not use speculative authentication without a cached token", func(t *testing.T) {
		o := human(t, provide("token1"))
		o.fail(t, "saslStart", "errorCode", 18)
		fails(t, o.find(t), "authentication")
	})
	t.Run("4.1 reauthentication succeeds", func(t *testing.T) {
		p := refreshing("token1", "again1")
		o := human(t, p)
		succeeds(t, o.find(t))
		p.wantCalls(t, 1)
		o.commands = nil
		o.fail(t, "find", "errorCode", 391)
		succeeds(t, o.find(t))
		p.wantCalls(t, 2)
		if want := []string{"find started", "find failed", "find started", "find succeeded"}; !slices.Equal(o.commands, want) {
			t.Errorf("the events are %q", o.commands)
		}
	})
	t.Run("4.2 succeeds no refresh", func(t *testing.T) {
		p := provide("token1", "again1")
		o := human(t, p)
		succeeds(t, o.find(t))
		o.fail(t, "find", "errorCode", 391)
		succeeds(t, o.find(t))
		p.wantCalls(t, 2)
	})
	t.Run("4.3 succeeds after refresh fails", func(t *testing.T) {
		p := refreshing("token1", "bad token", "again1")
		o := human(t, p)
		succeeds(t, o.find(t))
		p.wantCalls(t, 1)
		o.fail(t, "find", "errorCode", 391)
		succeeds(t, o.find(t))
		p.wantCalls(t, 3)
	})
	t.Run("4.4 fails", func(t *testing.T) {
		p := refreshing("token1", "bad token", "bad token")
		o := human(t, p)
		succeeds(t, o.find(t))
		o.fail(t, "find", "errorCode", 391)
		err := o.find(t)
		fails(t, err, "authentication on database")
		var refusal *motor.CommandError
		if !errors.As(err, &refusal) {
			t.Errorf("%v does not tell what the server answered", err)
		}
		p.wantCalls(t, 3)
	})
}
