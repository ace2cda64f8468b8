// Package ocsptest makes certificates and signed OCSP responses about them, for
// tests.
package ocsptest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// Identity is a certificate with its key.
type Identity struct {
	Cert *x509.Certificate
	Key  crypto.Signer
}

var serial atomic.Int64

// NewKey makes a key: RSA or, much faster, ECDSA.
func NewKey(t testing.TB, useRSA bool) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	if useRSA {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// NewCA makes an authority that signs itself.
func NewCA(t testing.TB, name string, key crypto.Signer) *Identity {
	t.Helper()
	return issue(t, &x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}, nil, key)
}

// Issue makes a certificate that ca signs. The template's SerialNumber,
// NotBefore and NotAfter are filled in if they are missing.
func (ca *Identity) Issue(t testing.TB, template x509.Certificate, key crypto.Signer) *Identity {
	t.Helper()
	return issue(t, &template, ca, key)
}

// Server is a template for the server on localhost, whose responder is at url
// unless that is empty.
func Server(url string, mustStaple bool) x509.Certificate {
	template := x509.Certificate{
		Subject:     pkix.Name{CommonName: "server"},
		DNSNames:    []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if url != "" {
		template.OCSPServer = []string{url}
	}
	if mustStaple {
		value, _ := asn1.Marshal([]int{5})
		template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: value}}
	}
	return template
}

// Delegate is a template for a responder's own certificate.
func Delegate() x509.Certificate {
	return x509.Certificate{
		Subject:     pkix.Name{CommonName: "delegate"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
	}
}

func issue(t testing.TB, template *x509.Certificate, ca *Identity, key crypto.Signer) *Identity {
	t.Helper()
	if template.SerialNumber == nil {
		template.SerialNumber = big.NewInt(serial.Add(1))
	}
	if template.NotBefore.IsZero() {
		template.NotBefore = time.Now().Add(-time.Hour)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	parent := &Identity{template, key}
	if ca != nil {
		parent = ca
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.Cert, key.Public(), parent.Key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &Identity{cert, key}
}

// TLS is the identity as crypto/tls takes it, with a stapled response unless
// that is nil.
func (id *Identity) TLS(staple []byte) tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{id.Cert.Raw}, PrivateKey: id.Key, OCSPStaple: staple}
}

// PEM is the certificate.
func (id *Identity) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.Cert.Raw})
}

// KeyPEM is the key, not encrypted.
func (id *Identity) KeyPEM(t testing.TB) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(id.Key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// The tags of CertStatus.
const (
	Good    = 0
	Revoked = 1
	Unknown = 2
)

// Response says what an OCSPResponse says.
type Response struct {
	Cert, Issuer *x509.Certificate
	// Signer signs; a certificate other than Issuer goes into the response.
	Signer *Identity
	// ByKey names the signer by its key instead of its name.
	ByKey bool
	// SHA256 identifies the certificate by SHA-256 instead of SHA-1.
	SHA256 bool
	Status int
	// ThisUpdate and NextUpdate are a minute ago and in an hour if zero.
	ThisUpdate, NextUpdate time.Time
	// NoNextUpdate leaves NextUpdate out.
	NoNextUpdate bool
	Extensions   []pkix.Extension
}

type certID struct {
	HashAlgorithm                 pkix.AlgorithmIdentifier
	IssuerNameHash, IssuerKeyHash []byte
	SerialNumber                  *big.Int
}

type single struct {
	CertID     certID
	CertStatus asn1.RawValue
	ThisUpdate time.Time        `asn1:"generalized"`
	NextUpdate time.Time        `asn1:"generalized,explicit,tag:0,optional"`
	Extensions []pkix.Extension `asn1:"explicit,tag:1,optional,omitempty"`
}

type data struct {
	ResponderID asn1.RawValue
	ProducedAt  time.Time `asn1:"generalized"`
	Responses   []single
}

type basic struct {
	Data               asn1.RawValue
	SignatureAlgorithm pkix.AlgorithmIdentifier
	Signature          asn1.BitString
	Certs              []asn1.RawValue `asn1:"explicit,tag:0,optional,omitempty"`
}

type bytesOf struct {
	Type     asn1.ObjectIdentifier
	Response []byte
}

// Sign is the encoded response.
func (r Response) Sign(t testing.TB) []byte {
	t.Helper()
	marshal := func(v any) []byte {
		der, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	now := time.Now().UTC().Truncate(time.Second)
	if r.ThisUpdate.IsZero() {
		r.ThisUpdate = now.Add(-time.Minute)
	}
	if r.NextUpdate.IsZero() {
		r.NextUpdate = now.Add(time.Hour)
	}
	if r.NoNextUpdate {
		r.NextUpdate = time.Time{}
	}
	keyHash := func(cert *x509.Certificate) []byte {
		sum := sha1.Sum(publicKey(t, cert))
		return sum[:]
	}

	status := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: r.Status}
	if r.Status == Revoked {
		status.IsCompound = true
		status.Bytes = marshal(asn1.RawValue{Tag: asn1.TagGeneralizedTime, Bytes: []byte("20250102030405Z")})
	}
	responder := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: r.Signer.Cert.RawSubject}
	if r.ByKey {
		responder.Tag, responder.Bytes = 2, marshal(keyHash(r.Signer.Cert))
	}
	name := sha1.Sum(r.Issuer.RawSubject)
	id := certID{
		HashAlgorithm:  pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}},
		IssuerNameHash: name[:],
		IssuerKeyHash:  keyHash(r.Issuer),
		SerialNumber:   r.Cert.SerialNumber,
	}
	if r.SHA256 {
		name, key := sha256.Sum256(r.Issuer.RawSubject), sha256.Sum256(publicKey(t, r.Issuer))
		id.HashAlgorithm.Algorithm = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
		id.IssuerNameHash, id.IssuerKeyHash = name[:], key[:]
	}
	tbs := marshal(data{responder, now, []single{{id, status, r.ThisUpdate.UTC(), r.NextUpdate.UTC(), r.Extensions}}})

	algorithm := asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	if _, ok := r.Signer.Key.(*rsa.PrivateKey); ok {
		algorithm = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	}
	digest := sha256.Sum256(tbs)
	signature, err := r.Signer.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	b := basic{
		Data:               asn1.RawValue{FullBytes: tbs},
		SignatureAlgorithm: pkix.AlgorithmIdentifier{Algorithm: algorithm},
		Signature:          asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)},
	}
	if !r.Signer.Cert.Equal(r.Issuer) {
		b.Certs = []asn1.RawValue{{FullBytes: r.Signer.Cert.Raw}}
	}
	return marshal(struct {
		Status asn1.Enumerated
		Bytes  bytesOf `asn1:"explicit,tag:0"`
	}{0, bytesOf{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}, marshal(b)}})
}

func publicKey(t testing.TB, cert *x509.Certificate) []byte {
	t.Helper()
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(cert.RawSubjectPublicKeyInfo, &info); err != nil {
		t.Fatal(err)
	}
	return info.Key.Bytes
}

// Responder is an OCSP responder on loopback.
type Responder struct {
	URL string
	// Answer is what to say; nil stands for status 500.
	Answer func(request []byte) []byte
	// Requests counts.
	Requests atomic.Int64
}

// NewResponder starts a responder. Answer is to be set before it is asked.
func NewResponder(t testing.TB) *Responder {
	r := new(Responder)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, h *http.Request) {
		r.Requests.Add(1)
		request, _ := io.ReadAll(h.Body)
		if r.Answer == nil || h.Method != http.MethodPost || h.Header.Get("Content-Type") != "application/ocsp-request" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/ocsp-response")
		w.Write(r.Answer(request))
	}))
	t.Cleanup(s.Close)
	r.URL = s.URL
	return r
}
