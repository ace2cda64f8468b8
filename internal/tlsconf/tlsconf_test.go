package tlsconf

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/motor-go/motor/internal/ocsp/ocsptest"
)

// serve is the server's end of connections: it shakes hands, sends a byte, and
// waits for the client to close.
func serve(t testing.TB, config *tls.Config) (dial func() net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				secure := tls.Server(conn, config)
				if secure.Handshake() == nil {
					secure.Write([]byte("x"))
					io.Copy(io.Discard, secure)
				}
			}()
		}
	}()
	return func() net.Conn {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
}

// connect makes one connection and reads the first byte, with which the session
// ticket comes.
func connect(c *Config, conn net.Conn, address string) (tls.ConnectionState, error) {
	secure, err := c.Handshake(context.Background(), conn, address)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer secure.Close()
	if _, err := secure.Read(make([]byte, 1)); err != nil {
		return tls.ConnectionState{}, err
	}
	return secure.ConnectionState(), nil
}

func mustNew(t testing.TB, o Options) *Config {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVerification(t *testing.T) {
	ca := ocsptest.NewCA(t, "authority", ocsptest.NewKey(t, false))
	leaf := ca.Issue(t, ocsptest.Server("", false), ca.Key)
	expired := ocsptest.Server("", false)
	expired.NotAfter = time.Now().Add(-time.Minute)
	dial := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS(nil)}})
	dialExpired := serve(t, &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, expired, ca.Key).TLS(nil)}})
	file := writeFile(t, ca.PEM())
	other := writeFile(t, ocsptest.NewCA(t, "other", ca.Key).PEM())
	roots := x509.NewCertPool()
	roots.AddCert(ca.Cert)
	refusal := errors.New("refused in code")
	for _, tt := range []struct {
		name    string
		o       Options
		dial    func() net.Conn
		address string
		want    string // part of the error, or empty
	}{
		{"good", Options{CAFile: file}, dial, "localhost:27017", ""},
		{"good IP", Options{CAFile: file}, dial, "127.0.0.1:27017", ""},
		{"CA in code", Options{Config: &tls.Config{RootCAs: roots}}, dial, "localhost:27017", ""},
		{"name in code", Options{Config: &tls.Config{RootCAs: roots, ServerName: "localhost"}}, dial, "other:27017", ""},
		{"refused in code", Options{CAFile: file, Config: &tls.Config{VerifyConnection: func(tls.ConnectionState) error { return refusal }}}, dial, "localhost:1", "refused in code"},
		{"host", Options{CAFile: file}, dial, "other:27017", "set tlsAllowInvalidHostnames"},
		{"host allowed", Options{CAFile: file, AllowInvalidHostnames: true}, dial, "other:27017", ""},
		{"CA", Options{CAFile: other}, dial, "localhost:27017", "name the authority's certificate in tlsCAFile"},
		{"CA, host allowed", Options{CAFile: other, AllowInvalidHostnames: true}, dial, "localhost:27017", "name the authority's certificate in tlsCAFile"},
		{"CA allowed", Options{CAFile: other, AllowInvalidCertificates: true}, dial, "other:27017", ""},
		{"CA insecure", Options{CAFile: other, Insecure: true}, dial, "other:27017", ""},
		{"insecure in code", Options{Config: &tls.Config{InsecureSkipVerify: true}}, dial, "other:27017", ""},
		{"system's CAs", Options{}, dial, "localhost:27017", "tlsCAFile"},
		{"expired", Options{CAFile: file}, dialExpired, "localhost:27017", "expired"},
		{"expired, host allowed", Options{CAFile: file, AllowInvalidHostnames: true}, dialExpired, "localhost:27017", "expired"},
		{"expired allowed", Options{CAFile: file, AllowInvalidCertificates: true}, dialExpired, "localhost:27017", ""},
	} {
		_, err := connect(mustNew(t, tt.o), tt.dial(), tt.address)
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.address)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestServerName(t *testing.T) {
	ca := ocsptest.NewCA(t, "authority", ocsptest.NewKey(t, false))
	leaf := ca.Issue(t, ocsptest.Server("", false), ca.Key)
	var name atomic.Pointer[string]
	dial := serve(t, &tls.Config{GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		name.Store(&h.ServerName)
		cert := leaf.TLS(nil)
		return &cert, nil
	}})
	for address, want := range map[string]string{"db.example.com:27017": "db.example.com", "localhost": "localhost", "127.0.0.1:27017": "", "[::1]:27017": ""} {
		if _, err := connect(mustNew(t, Options{Insecure: true}), dial(), address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		if got := *name.Load(); got != want {
			t.Errorf("%s: the server name is %q, want %q", address, got, want)
		}
	}
}

func TestClientCertificate(t *testing.T) {
	ca := ocsptest.NewCA(t, "authority", ocsptest.NewKey(t, false))
	leaf := ca.Issue(t, ocsptest.Server("", false), ca.Key)
	client := ca.Issue(t, x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, ocsptest.NewKey(t, true))
	clients := x509.NewCertPool()
	clients.AddCert(ca.Cert)
	dial := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS(nil)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients})
	file := writeFile(t, ca.PEM())
	o := Options{CAFile: file, CertificateKeyFile: writeFile(t, client.PEM(), client.KeyPEM(t))}
	if _, err := connect(mustNew(t, o), dial(), "localhost:27017"); err != nil {
		t.Error(err)
	}
	if _, err := connect(mustNew(t, Options{CAFile: file}), dial(), "localhost:27017"); err == nil {
		t.Error("no certificate is accepted")
	}
}

func TestSessionResumption(t *testing.T) {
	ca := ocsptest.NewCA(t, "authority", ocsptest.NewKey(t, false))
	leaf := ca.Issue(t, ocsptest.Server("", true), ca.Key)
	file := writeFile(t, ca.PEM())
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		// The staple of a resumed session may have run out.
		next := time.Now().Add(2 * time.Second)
		staple := ocsptest.Response{Cert: leaf.Cert, Issuer: ca.Cert, Signer: ca, NextUpdate: next}.Sign(t)
		dial := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS(staple)}, MaxVersion: version})
		for _, o := range []Options{{CAFile: file}, {CAFile: file, AllowInvalidHostnames: true}, {Insecure: true}} {
			var clock atomic.Int64
			o.Config = &tls.Config{Time: func() time.Time { return time.Now().Add(time.Duration(clock.Load())) }}
			c := mustNew(t, o)
			for i := range 3 {
				state, err := connect(c, dial(), "localhost:27017")
				if err != nil || state.DidResume != (i > 0) {
					t.Errorf("version %x, connection %d: resumed %v, %v", version, i, state.DidResume, err)
				}
				clock.Store(int64(time.Minute))
			}
		}
	}
}

func TestHandshakeEndsWithItsContext(t *testing.T) {
	client, server := net.Pipe()
	go io.Copy(io.Discard, server)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := mustNew(t, Options{}).Handshake(ctx, client, "localhost:27017"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if _, err := client.Write([]byte("x")); err == nil {
		t.Error("the connection is left open")
	}
}

func TestNoTLS(t *testing.T) {
	client, server := net.Pipe()
	go func() {
		server.Write([]byte("HTTP/1.1 400 Bad Request\r\n"))
		server.Close()
	}()
	go io.Copy(io.Discard, server)
	_, err := mustNew(t, Options{}).Handshake(t.Context(), client, "localhost:27017")
	if err == nil || !strings.Contains(err.Error(), "does not seem to speak TLS") {
		t.Error(err)
	}
}

// The matrix of the OCSP test plan: RSA and ECDSA, answers signed by the
// authority and by its delegate.
func TestOCSPMatrix(t *testing.T) {
	columns := []struct {
		name                              string
		revoked, responder, staples, must bool
		ok                                bool
	}{
		{"Test 1: valid cert + server that staples", false, true, true, true, true},
		{"Test 2: revoked cert + server that staples", true, true, true, true, false},
		{"Test 3: valid cert + server that does not staple", false, true, false, false, true},
		{"Test 4: revoked cert + server that does not staple", true, true, false, false, false},
		{"Soft Fail Test", false, false, false, false, true},
		{"Malicious Server Test 1", true, true, false, true, false},
		{"Malicious Server Test 2", false, false, false, true, false},
	}
	for _, useRSA := range []bool{false, true} {
		ca := ocsptest.NewCA(t, "authority", ocsptest.NewKey(t, useRSA))
		delegate := ca.Issue(t, ocsptest.Delegate(), ocsptest.NewKey(t, useRSA))
		file := writeFile(t, ca.PEM())
		for _, signer := range []*ocsptest.Identity{ca, delegate} {
			for _, column := range columns {
				responder := ocsptest.NewResponder(t)
				leaf := ca.Issue(t, ocsptest.Server(responder.URL, column.must), ca.Key)
				answer := ocsptest.Response{Cert: leaf.Cert, Issuer: ca.Cert, Signer: signer}
				if column.revoked {
					answer.Status = ocsptest.Revoked
				}
				der := answer.Sign(t)
				if column.responder {
					responder.Answer = func([]byte) []byte { return der }
				}
				var staple []byte
				if column.staples {
					staple = der
				}
				dial := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS(staple)}})
				for row, want := range map[*Options]bool{
					{CAFile: file}: column.ok,
					{CAFile: file, AllowInvalidHostnames: true}:                                 column.ok,
					{CAFile: file, Insecure: true}:                                              true,
					{CAFile: file, AllowInvalidCertificates: true}:                              true,
					{CAFile: file, DisableCertificateRevocationCheck: true}:                     true,
					{CAFile: file, DisableOCSPEndpointCheck: true}:                              column.ok || column.revoked && !column.staples && !column.must,
					{CAFile: file, DisableOCSPEndpointCheck: true, AllowInvalidHostnames: true}: column.ok || column.revoked && !column.staples && !column.must,
				} {
					asked := responder.Requests.Load()
					_, err := connect(mustNew(t, *row), dial(), "localhost:27017")
					name := fmt.Sprintf("%s, RSA %v, signer %v, options %+v", column.name, useRSA, signer.Cert.Subject, *row)
					if (err == nil) != want {
						t.Errorf("%s: %v", name, err)
					}
					if err != nil && column.revoked && !column.must && !strings.Contains(err.Error(), "was revoked at 2025-01-02 03:04:05") {
						t.Errorf("%s: %v", name, err)
					}
					mayAsk := !row.Insecure && !row.AllowInvalidCertificates && !row.DisableCertificateRevocationCheck && !row.DisableOCSPEndpointCheck && !column.staples && !column.must
					if (responder.Requests.Load() > asked) != mayAsk {
						t.Errorf("%s: the responder was asked %d times", name, responder.Requests.Load()-asked)
					}
				}
			}
		}
	}
}

func TestStaplesThatAreBad(t *testing.T) {
	ca := ocsptest.NewCA(t, "authority", ocsptest.NewKey(t, false))
	responder := ocsptest.NewResponder(t)
	leaf := ca.Issue(t, ocsptest.Server(responder.URL, false), ca.Key)
	other := ca.Issue(t, ocsptest.Server("", false), ca.Key)
	good := ocsptest.Response{Cert: leaf.Cert, Issuer: ca.Cert, Signer: ca}.Sign(t)
	responder.Answer = func([]byte) []byte { return good }
	for name, tt := range map[string]struct {
		staple []byte
		want   string
		asks   bool
	}{
		"garbage":        {[]byte("garbage"), "malformed", false},
		"other":          {ocsptest.Response{Cert: other.Cert, Issuer: ca.Cert, Signer: ca}.Sign(t), "does not cover", false},
		"expired":        {ocsptest.Response{Cert: leaf.Cert, Issuer: ca.Cert, Signer: ca, NextUpdate: time.Now().Add(-time.Second)}.Sign(t), "was valid until", false},
		"not conclusive": {ocsptest.Response{Cert: leaf.Cert, Issuer: ca.Cert, Signer: ca, Status: ocsptest.Unknown}.Sign(t), "", true},
		"good":           {good, "", false},
	} {
		asked := responder.Requests.Load()
		dial := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS(tt.staple)}})
		_, err := connect(mustNew(t, Options{CAFile: writeFile(t, ca.PEM())}), dial(), "localhost:27017")
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
		if (responder.Requests.Load() > asked) != tt.asks {
			t.Errorf("%s: the responder was asked %d times", name, responder.Requests.Load()-asked)
		}
	}
}

func TestResponders(t *testing.T) {
	ca := ocsptest.NewCA(t, "authority", ocsptest.NewKey(t, false))
	silent, lying, honest := ocsptest.NewResponder(t), ocsptest.NewResponder(t), ocsptest.NewResponder(t)
	template := ocsptest.Server("", false)
	template.OCSPServer = []string{silent.URL, "http://[broken", lying.URL, honest.URL}
	leaf := ca.Issue(t, template, ca.Key)
	impostor := ocsptest.NewCA(t, "authority", ocsptest.NewKey(t, false))
	release := make(chan struct{})
	defer close(release)
	silent.Answer = func([]byte) []byte { <-release; return nil }
	lie := ocsptest.Response{Cert: leaf.Cert, Issuer: ca.Cert, Signer: impostor, Status: ocsptest.Revoked}.Sign(t)
	lying.Answer = func([]byte) []byte { return lie }
	truth := ocsptest.Response{Cert: leaf.Cert, Issuer: ca.Cert, Signer: ca}.Sign(t)
	honest.Answer = func([]byte) []byte { return truth }

	dial := serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS(nil)}, SessionTicketsDisabled: true})
	c := mustNew(t, Options{CAFile: writeFile(t, ca.PEM())})
	for range 3 {
		if _, err := connect(c, dial(), "localhost:27017"); err != nil {
			t.Fatal(err)
		}
	}
	// The answer is cached.
	if honest.Requests.Load() != 1 {
		t.Errorf("the responder was asked %d times", honest.Requests.Load())
	}

	// Without the honest one, the handshake's context ends the wait.
	template.OCSPServer = template.OCSPServer[:3]
	leaf = ca.Issue(t, template, ca.Key)
	dial = serve(t, &tls.Config{Certificates: []tls.Certificate{leaf.TLS(nil)}})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.Handshake(ctx, dial(), "localhost:27017"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent responder: %v", err)
	}
}
