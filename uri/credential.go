package uri

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// External is the authentication source of users who are kept elsewhere.
const External = "$external"

// Credential is whom to authenticate as, and how: the MongoCredential of the
// authentication specification.
type Credential struct {
	// Username and Password are as in the connection string; a mechanism that
	// needs none of them may have empty ones.
	Username, Password string
	// Source is the database that knows the user.
	Source string
	// Mechanism is SCRAM-SHA-1, SCRAM-SHA-256, MONGODB-X509, PLAIN, MONGODB-AWS
	// or MONGODB-OIDC, or one that connection strings know but this driver does
	// not speak: GSSAPI, MONGODB-CR. Empty if it is to be negotiated.
	Mechanism string
	// Properties are by name in upper case.
	Properties map[string]string
}

// String is the credential without password and properties.
func (cred Credential) String() string {
	return fmt.Sprintf("{user %q, source %q, mechanism %q}", cred.Username, cred.Source, cred.Mechanism)
}

// GoString is String, so that no way of printing shows a secret.
func (cred Credential) GoString() string { return cred.String() }

// mechanism is what the specification asks of the credentials of one
// mechanism.
type mechanism struct {
	source       string // the default, if the database is not
	fromDatabase bool   // the database is the default source
	external     bool   // any other source than $external is wrong
	username     need
	password     need
	properties   []string
}

type need uint8

const (
	optional need = iota
	required
	forbidden
	together // the password comes with the user name
)

// mechanisms has the mechanism to be negotiated under the empty name. Its
// password is optional here so that a program can add one.
var mechanisms = map[string]mechanism{
	"":              {source: "admin", fromDatabase: true, username: required},
	"SCRAM-SHA-1":   {source: "admin", fromDatabase: true, username: required, password: required},
	"SCRAM-SHA-256": {source: "admin", fromDatabase: true, username: required, password: required},
	"MONGODB-CR":    {source: "admin", fromDatabase: true, username: required, password: required},
	"PLAIN":         {source: External, fromDatabase: true, username: required, password: required},
	"MONGODB-X509":  {source: External, external: true, password: forbidden},
	"GSSAPI": {
		source: External, external: true, username: required,
		properties: []string{"SERVICE_NAME", "CANONICALIZE_HOST_NAME", "SERVICE_REALM", "SERVICE_HOST"},
	},
	"MONGODB-AWS": {
		source: External, external: true, password: together,
		properties: []string{"AWS_SESSION_TOKEN"},
	},
	"MONGODB-OIDC": {
		source: External, external: true, password: forbidden,
		properties: []string{"ENVIRONMENT", "TOKEN_RESOURCE"},
	},
}

func knownMechanism(name string) error {
	if _, known := mechanisms[name]; !known {
		return fmt.Errorf("not one of %q", slices.Sorted(maps.Keys(mechanisms))[1:])
	}
	return nil
}

// Credential is nil if nothing in c asks for authentication: neither a user
// name nor a mechanism. A database or an authSource alone do not. The error
// says what the mechanism lacks or does not take.
//
// MONGODB-OIDC without the property ENVIRONMENT needs a callback; see
// CheckCallback.
func (c *Config) Credential() (*Credential, error) {
	if c.Username == "" && c.AuthMechanism == "" {
		if c.Password != "" {
			return nil, errors.New("authentication: a password needs a user name")
		}
		return nil, nil
	}
	if err := knownMechanism(c.AuthMechanism); err != nil && c.AuthMechanism != "" {
		return nil, fmt.Errorf("authMechanism %q is %w", c.AuthMechanism, err)
	}
	m := mechanisms[c.AuthMechanism]
	cred := &Credential{
		Username:   c.Username,
		Password:   c.Password,
		Source:     c.AuthSource,
		Mechanism:  c.AuthMechanism,
		Properties: maps.Clone(c.AuthMechanismProperties),
	}
	if cred.Source == "" && m.fromDatabase {
		cred.Source = c.Database
	}
	if cred.Source == "" {
		cred.Source = m.source
	}
	if err := m.check(cred); err != nil {
		if cred.Mechanism == "" {
			return nil, fmt.Errorf("authentication: %w", err)
		}
		return nil, fmt.Errorf("authentication by %s: %w", cred.Mechanism, err)
	}
	return cred, nil
}

func (m mechanism) check(cred *Credential) error {
	switch {
	case m.external && cred.Source != External:
		return fmt.Errorf("authSource is %q, but must be %s", cred.Source, External)
	case m.username == required && cred.Username == "":
		return errors.New("a user name is needed")
	case m.password == required && cred.Password == "":
		return errors.New("a password is needed")
	case m.password == forbidden && cred.Password != "":
		return errors.New("no password is allowed")
	case m.password == together && (cred.Username == "") != (cred.Password == ""):
		return errors.New("a user name and a password are needed, or neither")
	}
	for _, name := range slices.Sorted(maps.Keys(cred.Properties)) {
		if len(m.properties) == 0 {
			return fmt.Errorf("authMechanismProperties has %q, but there are none", name)
		}
		if !slices.Contains(m.properties, name) {
			return fmt.Errorf("authMechanismProperties has %q, but can have only %q", name, m.properties)
		}
	}
	switch cred.Mechanism {
	case "GSSAPI":
		return cred.checkGSSAPI()
	case "MONGODB-AWS":
		if cred.Properties["AWS_SESSION_TOKEN"] != "" && cred.Username == "" {
			return errors.New("an AWS_SESSION_TOKEN needs the user name and the password that it belongs to")
		}
	case "MONGODB-OIDC":
		return cred.checkOIDC()
	}
	return nil
}

// checkGSSAPI also fills in the default service name.
func (cred *Credential) checkGSSAPI() error {
	if cred.Properties["SERVICE_NAME"] == "" {
		if cred.Properties == nil {
			cred.Properties = map[string]string{}
		}
		cred.Properties["SERVICE_NAME"] = "mongodb"
	}
	canonicalize, given := cred.Properties["CANONICALIZE_HOST_NAME"]
	if err := oneOf("none", "forward", "forwardAndReverse", "true", "false")(canonicalize); given && err != nil {
		return fmt.Errorf("CANONICALIZE_HOST_NAME %q is %w", canonicalize, err)
	}
	return nil
}

func (cred *Credential) checkOIDC() error {
	environment, given := cred.Properties["ENVIRONMENT"]
	if err := oneOf("test", "azure", "gcp", "k8s")(environment); given && err != nil {
		return fmt.Errorf("ENVIRONMENT %q is %w", environment, err)
	}
	_, resource := cred.Properties["TOKEN_RESOURCE"]
	needed := environment == "azure" || environment == "gcp"
	switch {
	case resource && !needed:
		return errors.New("TOKEN_RESOURCE is for the ENVIRONMENT azure or gcp only")
	case needed && !resource:
		return fmt.Errorf("ENVIRONMENT %s needs a TOKEN_RESOURCE", environment)
	case cred.Username != "" && (environment == "test" || environment == "k8s"):
		return fmt.Errorf("ENVIRONMENT %s takes no user name", environment)
	}
	return nil
}

// CheckCallback refuses a credential that does not fit whether an OIDC
// callback is given in code: MONGODB-OIDC needs either one or the property
// ENVIRONMENT, and no other mechanism takes one.
func (cred *Credential) CheckCallback(given bool) error {
	environment := cred.Properties["ENVIRONMENT"]
	switch {
	case given && cred.Mechanism != "MONGODB-OIDC":
		return errors.New("authentication: an OIDC callback needs authMechanism MONGODB-OIDC")
	case given && environment != "":
		return fmt.Errorf("authentication by MONGODB-OIDC: ENVIRONMENT %s excludes a callback", environment)
	case !given && cred.Mechanism == "MONGODB-OIDC" && environment == "":
		return errors.New("authentication by MONGODB-OIDC: an ENVIRONMENT in authMechanismProperties, or a callback, is needed")
	}
	return nil
}
