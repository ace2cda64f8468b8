// Package tlsconf makes TLS connections as the tls options of a connection
// string say, and checks on each whether the server's certificate is revoked
// (OCSP).
package tlsconf

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"
)

// Options are the TLS options of a client. The zero value verifies servers by
// the system's authorities.
type Options struct {
	// Config is where to start from, if set; the other options change a copy
	// of it. Its ServerName and ClientSessionCache are respected, and its
	// VerifyConnection is called first.
	Config *tls.Config
	// CAFile (tlsCAFile) is a PEM file with the authorities to trust, instead of
	// the system's.
	CAFile string
	// CertificateKeyFile (tlsCertificateKeyFile) is a PEM file with the client's
	// certificate, those of intermediate authorities after it if needed, and
	// the certificate's key, in any order.
	CertificateKeyFile string
	// CertificateKeyFilePassword (tlsCertificateKeyFilePassword) decrypts the
	// key.
	CertificateKeyFilePassword string
	// Insecure (tlsInsecure) turns off all verification of servers, as
	// AllowInvalidCertificates does.
	Insecure bool
	// AllowInvalidCertificates (tlsAllowInvalidCertificates) accepts any
	// certificate. Who vouches for nothing vouches for no name: host names are
	// not verified, nor is revocation.
	AllowInvalidCertificates bool
	// AllowInvalidHostnames (tlsAllowInvalidHostnames) accepts valid
	// certificates for other host names.
	AllowInvalidHostnames bool
	// DisableOCSPEndpointCheck (tlsDisableOCSPEndpointCheck) relies on stapled
	// responses, and asks no responder.
	DisableOCSPEndpointCheck bool
	// DisableCertificateRevocationCheck (tlsDisableCertificateRevocationCheck)
	// ignores revocation.
	DisableCertificateRevocationCheck bool
}

// Config makes the TLS connections of a client, which share sessions and what
// responders said. It is safe for concurrent use.
type Config struct {
	tls *tls.Config
	// anyHost is AllowInvalidHostnames: chains are verified here, without names.
	anyHost    bool
	revocation *revocation // nil if it is not checked
}

// sessions is how many servers a client remembers a session of.
const sessions = 64

// New reads the files. Its errors name the option and the file.
func New(o Options) (*Config, error) {
	base := &tls.Config{}
	if o.Config != nil {
		base = o.Config.Clone()
	}
	if o.CAFile != "" {
		pool, err := readAuthorities(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tlsCAFile %q: %w", o.CAFile, err)
		}
		base.RootCAs = pool
	}
	if o.CertificateKeyFile != "" {
		cert, err := readCertificateKey(o.CertificateKeyFile, o.CertificateKeyFilePassword)
		if err != nil {
			return nil, fmt.Errorf("tlsCertificateKeyFile %q: %w", o.CertificateKeyFile, err)
		}
		base.Certificates = []tls.Certificate{cert}
	}
	if base.ClientSessionCache == nil {
		base.ClientSessionCache = tls.NewLRUClientSessionCache(sessions)
	}
	c := &Config{tls: base}
	base.InsecureSkipVerify = base.InsecureSkipVerify || o.Insecure || o.AllowInvalidCertificates
	if base.InsecureSkipVerify {
		return c, nil
	}
	if o.AllowInvalidHostnames {
		c.anyHost, base.InsecureSkipVerify = true, true
	}
	if !o.DisableCertificateRevocationCheck {
		c.revocation = &revocation{askResponders: !o.DisableOCSPEndpointCheck, now: c.now}
	}
	return c, nil
}

// Handshake makes a TLS connection to the server at address, "host:port", out
// of conn, which it closes if it fails. The host is sent as the server name
// (SNI) and must be in the server's certificate.
func (c *Config) Handshake(ctx context.Context, conn net.Conn, address string) (*tls.Conn, error) {
	config := c.tls.Clone()
	if config.ServerName == "" {
		config.ServerName = address
		if host, _, err := net.SplitHostPort(address); err == nil {
			config.ServerName = host
		}
	}
	config.VerifyConnection = func(state tls.ConnectionState) error { return c.verify(ctx, state) }
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("TLS handshake with %s: %w%s", address, err, advice(err))
	}
	return secure, nil
}

// verify runs on every connection, resumed ones too.
func (c *Config) verify(ctx context.Context, state tls.ConnectionState) error {
	if v := c.tls.VerifyConnection; v != nil {
		if err := v(state); err != nil {
			return err
		}
	}
	chains := state.VerifiedChains
	if c.anyHost {
		var err error
		if chains, err = c.chains(state.PeerCertificates); err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: state.PeerCertificates, Err: err}
		}
	}
	// Without a chain to an issuer nobody can revoke the certificate: it is
	// itself trusted, or everything is.
	if c.revocation == nil || len(chains) == 0 || len(chains[0]) < 2 {
		return nil
	}
	return c.revocation.check(ctx, state, chains[0][0], chains[0][1])
}

// chains is what crypto/tls does itself unless host names are to be ignored.
func (c *Config) chains(certs []*x509.Certificate) ([][]*x509.Certificate, error) {
	o := x509.VerifyOptions{Roots: c.tls.RootCAs, Intermediates: x509.NewCertPool(), CurrentTime: c.now()}
	for _, cert := range certs[1:] {
		o.Intermediates.AddCert(cert)
	}
	return certs[0].Verify(o)
}

func (c *Config) now() time.Time {
	if c.tls.Time != nil {
		return c.tls.Time()
	}
	return time.Now()
}

// advice says what a user may do about an error.
func advice(err error) string {
	var (
		hostname  x509.HostnameError
		authority x509.UnknownAuthorityError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &hostname):
		return "; connect by a name that is in the certificate, or set tlsAllowInvalidHostnames"
	case errors.As(err, &authority):
		return "; name the authority's certificate in tlsCAFile"
	case errors.As(err, &record):
		return "; the server does not seem to speak TLS: check the port, or set tls=false"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "; the server hung up: does it speak TLS at this port?"
	}
	return ""
}
