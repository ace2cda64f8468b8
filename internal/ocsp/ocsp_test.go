package ocsp_test

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor/internal/ocsp"
	"github.com/motor-go/motor/internal/ocsp/ocsptest"
)

func TestCheck(t *testing.T) {
	for _, kind := range []string{"RSA", "ECDSA"} {
		ca := ocsptest.NewCA(t, "authority", ocsptest.NewKey(t, kind == "RSA"))
		leaf := ca.Issue(t, ocsptest.Server("", false), ocsptest.NewKey(t, false))
		delegate := ca.Issue(t, ocsptest.Delegate(), ocsptest.NewKey(t, kind == "RSA"))
		for _, signer := range []*ocsptest.Identity{ca, delegate} {
			for _, byKey := range []bool{false, true} {
				for tag, want := range map[int]ocsp.Status{ocsptest.Good: ocsp.Good, ocsptest.Revoked: ocsp.Revoked, ocsptest.Unknown: ocsp.Unknown} {
					r := ocsptest.Response{Cert: leaf.Cert, Issuer: ca.Cert, Signer: signer, ByKey: byKey, SHA256: byKey, Status: tag}
					got, err := ocsp.Check(r.Sign(t), leaf.Cert, ca.Cert, time.Now())
					if err != nil || got.Status != want {
						t.Errorf("%s, signed by %v, by key %v: status %v, %v; want %v", kind, signer.Cert.Subject, byKey, got.Status, err, want)
					}
					if revoked := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC); want == ocsp.Revoked && !got.RevokedAt.Equal(revoked) {
						t.Errorf("revoked at %v, want %v", got.RevokedAt, revoked)
					}
				}
			}
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	key := ocsptest.NewKey(t, false)
	ca := ocsptest.NewCA(t, "authority", key)
	impostor := ocsptest.NewCA(t, "authority", ocsptest.NewKey(t, false))
	other := ocsptest.NewCA(t, "other", ocsptest.NewKey(t, false))
	leaf := ca.Issue(t, ocsptest.Server("", false), key)
	second := ca.Issue(t, ocsptest.Server("", false), key)
	past := ocsptest.Delegate()
	past.NotAfter = time.Now().Add(-time.Minute)
	now := time.Now()
	good := ocsptest.Response{Cert: leaf.Cert, Issuer: ca.Cert, Signer: ca}

	change := func(f func(*ocsptest.Response)) []byte {
		r := good
		f(&r)
		return r.Sign(t)
	}
	spoiled := good.Sign(t)
	spoiled[len(spoiled)-1] ^= 1
	for name, tt := range map[string]struct {
		der  []byte
		want string // part of the error, or empty
	}{
		"good":            {good.Sign(t), ""},
		"no next update":  {change(func(r *ocsptest.Response) { r.NoNextUpdate = true }), ""},
		"nothing":         {nil, "malformed"},
		"garbage":         {[]byte("garbage"), "malformed"},
		"trailing":        {append(good.Sign(t), 0), "1 bytes too many"},
		"try later":       {[]byte{0x30, 3, 0x0a, 1, 3}, "status 3 tryLater"},
		"no bytes":        {[]byte{0x30, 3, 0x0a, 1, 0}, "unknown type"},
		"spoiled":         {spoiled, "signature"},
		"other leaf":      {change(func(r *ocsptest.Response) { r.Cert = second.Cert }), "does not cover"},
		"other issuer":    {change(func(r *ocsptest.Response) { r.Issuer = other.Cert }), "does not cover"},
		"foreign signer":  {change(func(r *ocsptest.Response) { r.Signer = other }), "not made for signing"},
		"impostor":        {change(func(r *ocsptest.Response) { r.Signer = impostor }), "signature"},
		"impostor by key": {change(func(r *ocsptest.Response) { r.Signer, r.ByKey = impostor, true }), "not made for signing"},
		"foreign delegate": {change(func(r *ocsptest.Response) {
			r.Signer = other.Issue(t, ocsptest.Delegate(), key)
		}), "not from the issuer"},
		"leaf as delegate": {change(func(r *ocsptest.Response) { r.Signer = leaf }), "not made for signing"},
		"old delegate":     {change(func(r *ocsptest.Response) { r.Signer = ca.Issue(t, past, key) }), "valid from"},
		"future":           {change(func(r *ocsptest.Response) { r.ThisUpdate = now.Add(time.Minute) }), "not valid before"},
		"past":             {change(func(r *ocsptest.Response) { r.NextUpdate = now.Add(-time.Second) }), "was valid until"},
		"unknown status":   {change(func(r *ocsptest.Response) { r.Status = 3 }), "unknown status 3"},
		"critical": {change(func(r *ocsptest.Response) {
			r.Extensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
		}), "critical extension 1.2.3"},
	} {
		_, err := ocsp.Check(tt.der, leaf.Cert, ca.Cert, now)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestMustStaple(t *testing.T) {
	ca := ocsptest.NewCA(t, "authority", ocsptest.NewKey(t, false))
	for _, want := range []bool{false, true} {
		leaf := ca.Issue(t, ocsptest.Server("", want), ca.Key)
		if got := ocsp.MustStaple(leaf.Cert); got != want {
			t.Errorf("MustStaple is %v, want %v", got, want)
		}
	}
	template := ocsptest.Server("", false)
	template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0xff}}}
	if ocsp.MustStaple(ca.Issue(t, template, ca.Key).Cert) {
		t.Error("a malformed extension asks for a staple")
	}
}

// TestAgainstOpenSSL has the requests answered and the answers made by another
// implementation, where there is one.
func TestAgainstOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("there is no openssl command here")
	}
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca := ocsptest.NewCA(t, "authority", ocsptest.NewKey(t, true))
	delegate := ca.Issue(t, ocsptest.Delegate(), ocsptest.NewKey(t, true))
	for _, revoked := range []bool{false, true} {
		leaf := ca.Issue(t, ocsptest.Server("", false), ocsptest.NewKey(t, false))
		request, err := ocsp.Request(leaf.Cert, ca.Cert)
		if err != nil {
			t.Fatal(err)
		}
		line, want := "V\t350101000000Z\t\t", ocsp.Good
		if revoked {
			line, want = "R\t350101000000Z\t250102030405Z\t", ocsp.Revoked
		}
		serial := leaf.Cert.SerialNumber.Text(16)
		if len(serial)%2 == 1 {
			serial = "0" + serial
		}
		for _, signer := range []*ocsptest.Identity{ca, delegate} {
			answer := filepath.Join(dir, "answer")
			command := exec.Command(openssl, "ocsp",
				"-index", file("index", []byte(line+strings.ToUpper(serial)+"\tunknown\t/CN=server\n")),
				"-CA", file("ca.pem", ca.PEM()), "-rsigner", file("signer.pem", signer.PEM()), "-rkey", file("signer.key", signer.KeyPEM(t)),
				"-reqin", file("request", request), "-respout", answer, "-ndays", "1")
			if out, err := command.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			der, err := os.ReadFile(answer)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ocsp.Check(der, leaf.Cert, ca.Cert, time.Now())
			if err != nil || got.Status != want {
				t.Errorf("signed by %v: status %v, %v; want %v", signer.Cert.Subject, got.Status, err, want)
			}
		}
	}
}

func FuzzCheck(f *testing.F) {
	ca := ocsptest.NewCA(f, "authority", ocsptest.NewKey(f, false))
	leaf := ca.Issue(f, ocsptest.Server("", false), ca.Key)
	delegate := ca.Issue(f, ocsptest.Delegate(), ca.Key)
	var seeds [][]byte
	for _, signer := range []*ocsptest.Identity{ca, delegate} {
		for status := range 3 {
			seeds = append(seeds, ocsptest.Response{Cert: leaf.Cert, Issuer: ca.Cert, Signer: signer, Status: status, ByKey: status == 1}.Sign(f))
		}
	}
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Add([]byte{0x30, 3, 0x0a, 1, 3})
	now := time.Now()
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := ocsp.Check(der, leaf.Cert, ca.Cert, now)
		if err != nil {
			return
		}
		// Nobody can change what was signed; only the outer frame may differ.
		for _, seed := range seeds {
			want, _ := ocsp.Check(seed, leaf.Cert, ca.Cert, now)
			if want == r && bytes.Contains(der, seed[60:120]) {
				return
			}
		}
		t.Fatalf("%x is accepted as %+v", der, r)
	})
}
