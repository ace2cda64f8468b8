package motor

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/motor-go/motor/internal/auth"
	"github.com/motor-go/motor/internal/socks5"
	"github.com/motor-go/motor/internal/tlsconf"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/uri"
	"github.com/motor-go/motor/wire"
)

// connector knows how to connect to any server of a deployment.
type connector struct {
	pool pool.Config // with everything but address and Dial
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	tls  *tlsconf.Config // nil: plain
}

// Credential is whom to authenticate as, in code. What is left empty is as the
// connection string says, but for the password of another user.
type Credential struct {
	// Username and Password are as they are, not percent-encoded.
	Username string
	Password Secret
	// Source is the database that knows the user (authSource).
	Source string
	// Mechanism is SCRAM-SHA-256, MONGODB-X509 or another authMechanism; empty
	// if it is to be negotiated.
	Mechanism string
	// Properties are the authMechanismProperties. Their values may contain
	// commas, unlike those in a connection string.
	Properties map[string]string
}

// AuthCallbacks are callbacks that authentication needs.
type AuthCallbacks struct {
	// OIDC provides tokens for programs, OIDCHuman by asking a person.
	OIDC, OIDCHuman OIDCCallback
	// OIDCAllowedHosts are the hosts that tokens of OIDCHuman may be sent to;
	// nil is the specification's list.
	OIDCAllowedHosts []string
	// AWS replaces all other sources of AWS credentials.
	AWS func(context.Context) (AWSCredentials, error)
}

// What callbacks get and return.
type (
	// OIDCCallback gives an access token to MONGODB-OIDC. It should return when
	// its context ends: after a minute, or five where a person is asked.
	OIDCCallback = auth.OIDCCallback
	// OIDCParams is what an OIDCCallback is told: the Version of this interface
	// and the Username, and for a person the IdPInfo and the last RefreshToken.
	OIDCParams = auth.OIDCParams
	// OIDCCredential is what an OIDCCallback returns: an AccessToken, when it
	// ExpiresIn, 0 if that is not known, and for a person a RefreshToken.
	OIDCCredential = auth.OIDCCredential
	// IdPInfo is what the server says of its identity provider: the Issuer, the
	// ClientID and the RequestScopes.
	IdPInfo = auth.IdPInfo
	// AWSCredentials are what MONGODB-AWS signs with: AccessKeyID and
	// SecretAccessKey, and if they are temporary the SessionToken and when that
	// Expires.
	AWSCredentials = auth.AWSCredentials
	// Secret is a string that formats and marshals as a placeholder. Convert it
	// to string to use it.
	Secret = auth.Secret
)

func newConnector(c *uri.Config, o ClientOptions, metadata *pool.Metadata) (*connector, error) {
	k := &connector{dial: o.Dial, pool: pool.Config{
		MaxPoolSize:      c.MaxPoolSize,
		MinPoolSize:      c.MinPoolSize,
		MaxConnecting:    c.MaxConnecting,
		MaxIdleTime:      c.MaxIdleTime,
		WaitQueueTimeout: c.WaitQueueTimeout,
		ConnectTimeout:   c.ConnectTimeout,
		SocketTimeout:    c.SocketTimeout,
		Timeout:          cmp.Or(o.Timeout, c.Timeout),
		Observer:         o.Observer,
		Handshake: pool.Handshake{
			AppName:      c.AppName,
			Metadata:     metadata,
			ZlibLevel:    c.ZlibCompressionLevel,
			ServerAPI:    o.ServerAPI,
			LoadBalanced: c.LoadBalanced,
		},
	}}
	for _, name := range c.Compressors {
		if z, ok := wire.ParseCompressor(name); ok {
			k.pool.Handshake.Compressors = append(k.pool.Handshake.Compressors, z)
		}
	}
	var err error
	if k.pool.Handshake.Auth, err = authenticator(c, o.Auth); err != nil {
		return nil, err
	}
	if k.dial == nil {
		k.dial = new(net.Dialer).DialContext
	}
	if c.ProxyHost != "" {
		k.dial = socks5.Dialer{
			Address:  net.JoinHostPort(c.ProxyHost, strconv.Itoa(c.ProxyPort)),
			Username: c.ProxyUsername, Password: c.ProxyPassword, Dial: k.dial,
		}.DialContext
	}
	if !c.TLS {
		return k, nil
	}
	k.tls, err = tlsconf.New(tlsconf.Options{
		Config:                            o.TLS,
		CAFile:                            c.TLSCAFile,
		CertificateKeyFile:                c.TLSCertificateKeyFile,
		CertificateKeyFilePassword:        c.TLSCertificateKeyFilePassword,
		Insecure:                          c.TLSInsecure,
		AllowInvalidCertificates:          c.TLSAllowInvalidCertificates,
		AllowInvalidHostnames:             c.TLSAllowInvalidHostnames,
		DisableOCSPEndpointCheck:          c.TLSDisableOCSPEndpointCheck,
		DisableCertificateRevocationCheck: c.TLSDisableCertificateRevocationCheck,
	})
	return k, err
}

// config is the configuration of the pool of the server with the address.
func (k *connector) config(addr string) pool.Config {
	c := k.pool
	c.Address = addr
	c.Dial = func(ctx context.Context) (net.Conn, error) {
		network := "tcp"
		if strings.Contains(addr, "/") {
			network = "unix"
		}
		stream, err := k.dial(ctx, network, addr)
		if err != nil || k.tls == nil {
			return stream, err
		}
		secure, err := k.tls.Handshake(ctx, stream, addr)
		if err != nil {
			return nil, err
		}
		return secure, nil
	}
	return c
}

// authenticator is nil if the connection string has no credential.
func authenticator(c *uri.Config, callbacks AuthCallbacks) (*auth.Authenticator, error) {
	cred, err := c.Credential()
	if err != nil || cred == nil {
		return nil, err
	}
	if err := cred.CheckCallback(callbacks.OIDC != nil || callbacks.OIDCHuman != nil); err != nil {
		return nil, err
	}
	switch cred.Mechanism {
	case "GSSAPI", "MONGODB-CR":
		return nil, fmt.Errorf("authMechanism=%s: this driver does not speak it", cred.Mechanism)
	}
	return auth.New(auth.Credential{
		Username:              cred.Username,
		Password:              auth.Secret(cred.Password),
		Source:                cred.Source,
		Mechanism:             cred.Mechanism,
		AWSSessionToken:       auth.Secret(cred.Properties["AWS_SESSION_TOKEN"]),
		AWSCredentialProvider: callbacks.AWS,
		Environment:           cred.Properties["ENVIRONMENT"],
		TokenResource:         cred.Properties["TOKEN_RESOURCE"],
		OIDCCallback:          callbacks.OIDC,
		OIDCHumanCallback:     callbacks.OIDCHuman,
		AllowedHosts:          callbacks.OIDCAllowedHosts,
	})
}
