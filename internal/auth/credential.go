package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The names of the mechanisms beside SCRAMSHA1 and SCRAMSHA256.
const (
	X509  = "MONGODB-X509"
	PLAIN = "PLAIN"
	AWS   = "MONGODB-AWS"
	OIDC  = "MONGODB-OIDC"
)

// external is the database of users whom the server does not know itself.
const external = "$external"

// Credential says who authenticates, against what, and how: the
// specification's MongoCredential.
type Credential struct {
	// Username is required for SCRAM and PLAIN; the access key ID for
	// MONGODB-AWS, the certificate's subject for MONGODB-X509 and the
	// principal or client_id for MONGODB-OIDC, all optional.
	Username string
	// Password is required for SCRAM and PLAIN, goes with the Username for
	// MONGODB-AWS, and is refused for the others.
	Password Secret
	// Source is the database that holds the credentials. Empty stands for
	// admin (SCRAM) or $external (all others).
	Source string
	// Mechanism is one of the constants, or empty to negotiate one of the two
	// SCRAM mechanisms with the server.
	Mechanism string

	// AWSSessionToken goes with Username and Password for MONGODB-AWS.
	AWSSessionToken Secret
	// AWSCredentialProvider replaces all other sources of credentials for
	// MONGODB-AWS. It is called for every new connection and should cache.
	AWSCredentialProvider func(context.Context) (AWSCredentials, error)

	// Environment is the OIDC environment to take tokens from: azure, gcp, k8s
	// or test. MONGODB-OIDC needs either it or one of the callbacks.
	Environment string
	// TokenResource is the audience of tokens; azure and gcp need it.
	TokenResource string
	// OIDCCallback provides tokens for programs. It has one minute's time
	// unless its context has a deadline.
	OIDCCallback OIDCCallback
	// OIDCHumanCallback provides tokens by asking a person. It has five
	// minutes' time.
	OIDCHumanCallback OIDCCallback
	// AllowedHosts are the hosts that tokens of OIDCHumanCallback may be sent
	// to: names, addresses, or "*.example.com" for all subdomains. nil stands
	// for MongoDB's own domains and the local host.
	AllowedHosts []string
}

// Format prints the credential without its secrets.
func (c Credential) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "{user %q, source %q, mechanism %q}", c.Username, c.Source, c.Mechanism)
}

// withDefaults validates the credential and fills in Source.
func (c Credential) withDefaults() (Credential, error) {
	name := c.Mechanism
	if name == "" {
		name = "SCRAM (the default mechanism)"
	}
	err := c.validate(name)
	if err != nil {
		return c, fmt.Errorf("credential for %s: %w", name, err)
	}
	if c.Source == "" {
		c.Source = external
		if c.isSCRAM() {
			c.Source = "admin"
		}
	}
	return c, nil
}

func (c Credential) isSCRAM() bool {
	return c.Mechanism == "" || c.Mechanism == SCRAMSHA1 || c.Mechanism == SCRAMSHA256
}

func (c Credential) validate(name string) error {
	switch c.Mechanism {
	case "", SCRAMSHA1, SCRAMSHA256, PLAIN, X509, AWS, OIDC:
	case "GSSAPI":
		return errors.New("Kerberos is not supported by this driver; use another mechanism")
	default:
		return fmt.Errorf("unknown mechanism; use one of %s, %s, %s, %s, %s, %s", SCRAMSHA1, SCRAMSHA256, PLAIN, X509, AWS, OIDC)
	}
	needsUser := c.isSCRAM() || c.Mechanism == PLAIN
	switch {
	case needsUser && c.Username == "":
		return errors.New("the user name is missing")
	case needsUser && c.Password == "":
		return errors.New("the password is missing")
	case c.Mechanism == PLAIN && strings.Contains(c.Username+string(c.Password), "\x00"):
		return errors.New("a user name or password with a NUL cannot be sent")
	case (c.Mechanism == X509 || c.Mechanism == OIDC) && c.Password != "":
		return errors.New("a password does not apply")
	case (c.Mechanism == X509 || c.Mechanism == AWS || c.Mechanism == OIDC) && c.Source != "" && c.Source != external:
		return fmt.Errorf("the authentication source is %q, but must be %s", c.Source, external)
	case c.Mechanism != AWS && (c.AWSSessionToken != "" || c.AWSCredentialProvider != nil):
		return fmt.Errorf("AWS_SESSION_TOKEN and AWS_CREDENTIAL_PROVIDER apply to %s only", AWS)
	case c.Mechanism != OIDC && (c.Environment != "" || c.TokenResource != "" || c.OIDCCallback != nil || c.OIDCHumanCallback != nil || c.AllowedHosts != nil):
		return fmt.Errorf("ENVIRONMENT, TOKEN_RESOURCE, ALLOWED_HOSTS and the OIDC callbacks apply to %s only", OIDC)
	case c.Mechanism == AWS:
		return c.validateAWS()
	case c.Mechanism == OIDC:
		return c.validateOIDC()
	}
	return nil
}

func (c Credential) validateAWS() error {
	switch {
	case (c.Username == "") != (c.Password == ""):
		return errors.New("an access key ID (user name) and a secret access key (password) go together; give both or neither")
	case c.Username == "" && c.AWSSessionToken != "":
		return errors.New("a session token needs an access key ID (user name) and a secret access key (password)")
	case c.Username != "" && c.AWSCredentialProvider != nil:
		return errors.New("give either a user name and a password or a credential provider")
	}
	return nil
}

func (c Credential) validateOIDC() error {
	sources := 0
	for _, given := range []bool{c.Environment != "", c.OIDCCallback != nil, c.OIDCHumanCallback != nil} {
		if given {
			sources++
		}
	}
	cloud := c.Environment == "azure" || c.Environment == "gcp"
	switch {
	case sources != 1:
		return errors.New("give exactly one of ENVIRONMENT, OIDC_CALLBACK and OIDC_HUMAN_CALLBACK")
	case c.Environment != "" && !slices.Contains([]string{"test", "azure", "gcp", "k8s"}, c.Environment):
		return fmt.Errorf("ENVIRONMENT %q is not one of azure, gcp, k8s, test", c.Environment)
	case cloud && c.TokenResource == "":
		return fmt.Errorf("ENVIRONMENT %s needs TOKEN_RESOURCE", c.Environment)
	case !cloud && c.TokenResource != "":
		return errors.New("TOKEN_RESOURCE applies to ENVIRONMENT azure and gcp only")
	case c.Username != "" && c.Environment != "" && c.Environment != "azure":
		return fmt.Errorf("a user name does not apply to ENVIRONMENT %s", c.Environment)
	case c.AllowedHosts != nil && c.OIDCHumanCallback == nil:
		return errors.New("ALLOWED_HOSTS applies to OIDC_HUMAN_CALLBACK only")
	}
	return nil
}
