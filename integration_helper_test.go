package motor_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/mongotest"
)

// patience bounds every wait of an integration test. It is long for the sake of
// slow machines: nothing takes that long unless it is broken.
const patience = 20 * time.Second

// await polls until ok, or fails the test.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still waiting for %s", what)
		}
	}
}

// bounded is the test's context with a deadline.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// scratch is the database of tests in a deployment that may not be their own.
const scratch = "motor_test"

// anyReplicaSet is the connection string of a replica set, for tests to which it
// does not matter whose it is: that of MONGODB_URI, in which the database scratch
// is dropped, or one of their own.
func anyReplicaSet(t *testing.T) string {
	t.Helper()
	uri := os.Getenv("MONGODB_URI")
	if uri == "" {
		return mongotest.New(t, mongotest.Options{}).URI()
	}
	db := connectTo(t, uri).Database(scratch)
	drop := func() {
		if err := db.Drop(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	drop()
	t.Cleanup(drop)
	return uri
}

// connectTo makes a client that is closed with the test.
func connectTo(t *testing.T, connectionString string, options ...motor.ClientOptions) *motor.Client {
	t.Helper()
	client, err := motor.Connect(t.Context(), connectionString, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(context.Background()) })
	return client
}

// withOptions is the connection string with more options.
func withOptions(connectionString string, options ...string) string {
	for _, o := range options {
		separator := "?"
		if strings.Contains(connectionString, "?") {
			separator = "&"
		}
		connectionString += separator + o
	}
	return connectionString
}

// driverGoroutines are the stacks of the goroutines in which the driver runs.
func driverGoroutines() (stacks []string) {
	buf := make([]byte, 1<<20)
	for n := runtime.Stack(buf, true); ; n = runtime.Stack(buf, true) {
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	const module = "github.com/motor-go/motor/"
	for stack := range bytes.SplitSeq(buf, []byte("\n\n")) {
		for _, p := range []string{"pool.", "topology.", "ops.", "changestream."} {
			if s := string(stack); strings.Contains(s, module+p) {
				stacks = append(stacks, s)
				break
			}
		}
	}
	return stacks
}

// authority is a certificate authority, its certificate in a file.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
	n    int64
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	der, key := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a.cert, a.key = cert, key
	a.file = writePEM(t, "ca.pem", &pem.Block{Type: "CERTIFICATE", Bytes: der})
	return a
}

// sign makes a certificate and its key, signed by itself if it is the first.
func (a *authority) sign(template *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	a.n++
	template.SerialNumber = big.NewInt(a.n)
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return der, key
}

// server is the configuration of a server with a certificate for host, which is
// a name or an address. It checks the certificates of clients that have one.
func (a *authority) server(host string) *tls.Config {
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "server"}}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{host}
	}
	der, key := a.sign(template)
	clients := x509.NewCertPool()
	clients.AddCert(a.cert)
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		ClientAuth:   tls.VerifyClientCertIfGiven, ClientCAs: clients,
	}
}

// client is a file with the certificate and the key of a client.
func (a *authority) client(name pkix.Name) string {
	der, key := a.sign(&x509.Certificate{Subject: name, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return writePEM(a.t, "client.pem", &pem.Block{Type: "CERTIFICATE", Bytes: der}, &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// writePEM writes a file that is gone with the test.
func writePEM(t *testing.T, name string, blocks ...*pem.Block) string {
	t.Helper()
	var content []byte
	for _, b := range blocks {
		content = append(content, pem.EncodeToMemory(b)...)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
