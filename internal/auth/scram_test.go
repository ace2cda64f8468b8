package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// The conversations of the authentication specification, both sides.
var scramConversations = []struct {
	mechanism, clientNonce, serverNonce, salt string
	iterations                                int
	messages                                  [4]string
}{{
	SCRAMSHA1, "fyko+d2lbbFgONRv9qkxdawL", "Ho+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE", "rQ9ZY3MntBeuP3E1TDVC4w==", 10000,
	[4]string{
		"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
		"r=fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE,s=rQ9ZY3MntBeuP3E1TDVC4w==,i=10000",
		"c=biws,r=fyko+d2lbbFgONRv9qkxdawLHo+Vgk7qvUOKUwuWLIWg4l/9SraGMHEE,p=MC2T8BvbmWRckDw8oWl5IVghwCY=",
		"v=UMWeI25JD1yNYZRMpZ4VHvhZ9e0=",
	},
}, {
	SCRAMSHA256, "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "W22ZaJ0SNY7soEsUEjb6gQ==", 4096,
	[4]string{
		"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
		"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
	},
}}

func TestSCRAMConversationsOfTheSpecification(t *testing.T) {
	for _, tt := range scramConversations {
		t.Run(tt.mechanism, func(t *testing.T) {
			client, err := NewSCRAM(tt.mechanism, "user", "pencil", tt.clientNonce)
			if err != nil {
				t.Fatal(err)
			}
			salt, err := base64.StdEncoding.DecodeString(tt.salt)
			if err != nil {
				t.Fatal(err)
			}
			keys, err := NewStoredKeys(tt.mechanism, "user", "pencil", salt, tt.iterations)
			if err != nil {
				t.Fatal(err)
			}
			server, err := NewServerConversation(tt.mechanism, func(string) (StoredKeys, bool) { return keys, true }, tt.serverNonce)
			if err != nil {
				t.Fatal(err)
			}
			server.SkipEmptyExchange = true

			first := client.Start()
			serverFirst, done, err := server.Step(first)
			if done || err != nil {
				t.Fatalf("server-first: done %v, %v", done, err)
			}
			final, done, err := client.Step(serverFirst)
			if done || err != nil {
				t.Fatalf("client-final: done %v, %v", done, err)
			}
			serverFinal, done, err := server.Step(final)
			if !done || err != nil {
				t.Fatalf("server-final: done %v, %v", done, err)
			}
			if _, done, err = client.Step(serverFinal); !done || err != nil {
				t.Fatalf("verification: done %v, %v", done, err)
			}
			for i, got := range [][]byte{first, serverFirst, final, serverFinal} {
				if string(got) != tt.messages[i] {
					t.Errorf("message %d is\n%s\nwant\n%s", i, got, tt.messages[i])
				}
			}
		})
	}
}

// scramServer answers requests as a server with one user does, and counts them.
type scramServer struct {
	username, password string
	mechanisms         []string // that the user has keys for
	skipEmptyExchange  bool
	requests           []Request

	conversation *ServerConversation
}

var errRefused = &Refused{Code: 18, Err: errors.New("Authentication failed. (AuthenticationFailed, code 18)")}

func (s *scramServer) send(_ context.Context, r Request) (Reply, error) {
	s.requests = append(s.requests, r)
	if r.Mechanism != "" {
		var err error
		s.conversation, err = NewServerConversation(r.Mechanism, func(user string) (StoredKeys, bool) {
			for _, m := range s.mechanisms {
				if m == r.Mechanism && user == s.username {
					keys, err := NewStoredKeys(m, user, Secret(s.password), nil, minIterations)
					return keys, err == nil
				}
			}
			return StoredKeys{}, false
		}, "")
		if err != nil {
			return Reply{}, errRefused
		}
		s.conversation.SkipEmptyExchange = s.skipEmptyExchange
	}
	payload, done, err := s.conversation.Step(r.Payload)
	if err != nil {
		return Reply{}, errRefused
	}
	return Reply{ConversationID: 7, Payload: payload, Done: done}, nil
}

func runSCRAM(server *scramServer, mechanism, username string, password Secret) error {
	ctx := context.Background()
	c, err := NewSCRAM(mechanism, username, password, "")
	if err != nil {
		return err
	}
	reply, err := server.send(ctx, Request{Mechanism: mechanism, Source: "admin", Payload: c.Start()})
	if err != nil {
		return err
	}
	return converse(ctx, c, "admin", reply, server.send)
}

func TestSCRAMAgainstServer(t *testing.T) {
	for _, mechanism := range []string{SCRAMSHA1, SCRAMSHA256} {
		for _, skip := range []bool{false, true} {
			server := &scramServer{username: "a=b,c", password: "pencil", mechanisms: []string{mechanism}, skipEmptyExchange: skip}
			if err := runSCRAM(server, mechanism, "a=b,c", "pencil"); err != nil {
				t.Errorf("%s, skipEmptyExchange %v: %v", mechanism, skip, err)
			}
			want := 3
			if skip {
				want = 2
			}
			if len(server.requests) != want {
				t.Errorf("%s, skipEmptyExchange %v: %d requests, want %d", mechanism, skip, len(server.requests), want)
			}
			if server.conversation.Username != "a=b,c" {
				t.Errorf("the server knows the user as %q", server.conversation.Username)
			}
			for _, r := range server.requests[1:] {
				if r.ConversationID != 7 || r.Source != "admin" || r.Mechanism != "" {
					t.Errorf("saslContinue is %+v", r)
				}
			}
			for _, wrong := range []struct {
				username string
				password Secret
			}{{"a=b,c", "pen"}, {"a=b,c", ""}, {"b", "pencil"}} {
				if err := runSCRAM(server, mechanism, wrong.username, wrong.password); !IsAuthenticationFailed(err) {
					t.Errorf("%s as %q: %v, want a refusal", mechanism, wrong.username, err)
				}
			}
		}
	}
}

// Step 4 of the test plan.
func TestSCRAMPreparesPasswords(t *testing.T) {
	for _, tt := range []struct{ username, stored, given string }{
		{"IX", "IX", "IX"},
		{"IX", "IX", "I\u00adX"},
		{"\u2168", "\u2163", "IV"},
		{"\u2168", "\u2163", "I\u00adV"},
	} {
		server := &scramServer{username: tt.username, password: tt.stored, mechanisms: []string{SCRAMSHA256}}
		if err := runSCRAM(server, SCRAMSHA256, tt.username, Secret(tt.given)); err != nil {
			t.Errorf("user %q with password %q: %v", tt.username, tt.given, err)
		}
	}
	if err := runSCRAM(&scramServer{}, SCRAMSHA256, "user", "top\u0007secret"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("a password with a control character: %v", err)
	}
	// SCRAM-SHA-1 prepares nothing.
	server := &scramServer{username: "IX", password: "IX", mechanisms: []string{SCRAMSHA1}}
	if err := runSCRAM(server, SCRAMSHA1, "IX", "I\u00adX"); !IsAuthenticationFailed(err) {
		t.Errorf("SCRAM-SHA-1 with an unprepared password: %v, want a refusal", err)
	}
}

func TestSCRAMRefusesBadServers(t *testing.T) {
	const nonce = "client"
	for name, tt := range map[string]struct{ first, want string }{
		"empty":               {"", "no nonce"},
		"no salt":             {"r=clientserver,i=4096", "no salt"},
		"no iterations":       {"r=clientserver,s=c2FsdA==", "no iteration count"},
		"salt":                {"r=clientserver,s=!,i=4096", "not base64"},
		"word":                {"r=clientserver,s=c2FsdA==,i=many", "not a number"},
		"too few iterations":  {"r=clientserver,s=c2FsdA==,i=4095", "4095 is not between"},
		"too many iterations": {"r=clientserver,s=c2FsdA==,i=1000001", "1000001 is not between"},
		"foreign nonce":       {"r=serverclient,s=c2FsdA==,i=4096", "nonce"},
		"repeated nonce":      {"r=client,s=c2FsdA==,i=4096", "nonce"},
		"extension":           {"m=x,r=clientserver,s=c2FsdA==,i=4096", "extensions"},
	} {
		for _, mechanism := range []string{SCRAMSHA1, SCRAMSHA256} {
			c, err := NewSCRAM(mechanism, "user", "pencil", nonce)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := c.Step([]byte(tt.first)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s, %s: %v, want an error with %q", name, mechanism, err, tt.want)
			}
			if _, done, err := c.Step([]byte("v=")); done || err == nil {
				t.Errorf("%s, %s: the conversation goes on after an error", name, mechanism)
			}
		}
	}
	for _, final := range []string{"", "v=", "v=UMWeI25JD1yNYZRMpZ4VHvhZ9e1=", "v=!", "e=other-error", "x=y"} {
		tt := scramConversations[0]
		c, err := NewSCRAM(tt.mechanism, "user", "pencil", tt.clientNonce)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Step([]byte(tt.messages[1])); err != nil {
			t.Fatal(err)
		}
		if _, done, err := c.Step([]byte(final)); done || err == nil {
			t.Errorf("server-final %q is accepted", final)
		}
		if _, done, err := c.Step(nil); done || err == nil {
			t.Errorf("server-final %q: the conversation goes on after an error", final)
		}
	}
}

func TestConverseNeedsTheServersProof(t *testing.T) {
	tt := scramConversations[1]
	start := func() *SCRAM {
		c, err := NewSCRAM(tt.mechanism, "user", "pencil", tt.clientNonce)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	ctx := context.Background()
	err := converse(ctx, start(), "admin", Reply{Payload: []byte(tt.messages[1]), Done: true}, nil)
	if !errors.Is(err, errLeftEarly) {
		t.Errorf("done with server-first: %v", err)
	}
	sent := 0
	err = converse(ctx, start(), "admin", Reply{Payload: []byte(tt.messages[1])}, func(context.Context, Request) (Reply, error) {
		if sent++; sent > 10 {
			t.Fatal("the conversation does not end")
		}
		if sent == 1 {
			return Reply{Payload: []byte(tt.messages[3])}, nil
		}
		return Reply{}, nil
	})
	if err == nil || sent != 2 {
		t.Errorf("a server that never ends the conversation: %v after %d messages", err, sent)
	}
}

func TestServerConversationEndsAtAnError(t *testing.T) {
	keys, err := NewStoredKeys(SCRAMSHA256, "user", "pencil", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	if keys.Iterations != 15_000 || len(keys.Salt) != 28 {
		t.Errorf("default keys have %d iterations and %d bytes of salt", keys.Iterations, len(keys.Salt))
	}
	for _, messages := range [][]string{
		{""},
		{"garbage"},
		{"p=tls-unique,,n=user,r=x"},
		{"n,,n=user"},
		{"n,,n=nobody,r=x"},
		{"n,,n=user,r=x", ""},
		{"n,,n=user,r=x", "c=biws,r=xy"},
		{"n,,n=user,r=x", "c=biws,r=other,p=AAAA"},
		{"n,,n=user,r=x", "c=biws,r=xy,p=AAAA"},
		{"n,,n=user,r=x", "c=biws,r=xy,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="},
	} {
		s, err := NewServerConversation(SCRAMSHA256, func(user string) (StoredKeys, bool) { return keys, user == "user" }, "y")
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range messages {
			if _, done, err := s.Step([]byte(m)); done || (err == nil) != (i < len(messages)-1) {
				t.Errorf("%q: message %d: done %v, %v", messages, i, done, err)
			}
		}
		if _, done, err := s.Step(nil); done || err == nil {
			t.Errorf("%q: the conversation goes on after an error", messages)
		}
	}
}

func TestKeyCache(t *testing.T) {
	var cache keyCache
	secret, err := newSCRAMSecret(SCRAMSHA256, "user", "pencil")
	if err != nil {
		t.Fatal(err)
	}
	slow, err := secret.derive([]byte("salt"), minIterations)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		fast, err := cache.keys(secret, []byte("salt"), minIterations)
		if err != nil {
			t.Fatal(err)
		}
		if string(fast.client) != string(slow.client) || string(fast.server) != string(slow.server) {
			t.Fatal("cached keys differ from derived ones")
		}
	}
	if len(cache.entries) != 1 {
		t.Errorf("%d entries for one salt", len(cache.entries))
	}
	other, err := newSCRAMSecret(SCRAMSHA256, "user", "other")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxCachedKeys {
		if _, err := cache.keys(other, fmt.Append(nil, i), 1); err != nil {
			t.Fatal(err)
		}
		if len(cache.entries) > maxCachedKeys {
			t.Fatalf("%d entries", len(cache.entries))
		}
	}
}

func FuzzSCRAMServerMessages(f *testing.F) {
	for _, tt := range scramConversations {
		f.Add(tt.messages[1], tt.messages[3])
	}
	f.Add("r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096", "e=x")
	f.Add("r=rOprNGfwEbeRWgbNEkqOx,s=AAAA,i=99999999999999999999", "v=")
	tt := scramConversations[1]
	f.Fuzz(func(t *testing.T, first, final string) {
		c, err := NewSCRAM(SCRAMSHA256, "user", "pencil", tt.clientNonce)
		if err != nil {
			t.Fatal(err)
		}
		response, done, err := c.Step([]byte(first))
		if done || (err == nil) != strings.HasPrefix(string(response), "c=biws,r="+tt.clientNonce) {
			t.Fatalf("server-first %q: response %q, done %v, %v", first, response, done, err)
		}
		// Only who knows the password can end the conversation.
		if _, done, _ := c.Step([]byte(final)); done && (first != tt.messages[1] || !strings.HasPrefix(final, tt.messages[3])) {
			t.Fatalf("server-first %q and server-final %q are accepted", first, final)
		}
	})
}

func FuzzServerConversation(f *testing.F) {
	for _, tt := range scramConversations {
		f.Add(tt.messages[0], tt.messages[2])
	}
	f.Add("n,,n==2C,r=x", "c=biws,r=xy,p=AAAA")
	keys, err := NewStoredKeys(SCRAMSHA256, "user", "pencil", nil, 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, first, final string) {
		s, err := NewServerConversation(SCRAMSHA256, func(string) (StoredKeys, bool) { return keys, true }, "y")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []string{first, final, ""} {
			if _, done, _ := s.Step([]byte(m)); done {
				t.Fatalf("%q and %q are accepted without the password", first, final)
			}
		}
	})
}
