package auth

import "slices"

// Authenticator authenticates the connections of one client with one
// credential, and holds what they share. It is safe for concurrent use.
type Authenticator struct {
	credential Credential
	platform   *platform
	keys       keyCache
	oidc       *oidcCache
}

// New validates a credential. Its errors say what is missing or does not apply.
func New(c Credential) (*Authenticator, error) { return newAuthenticator(c, machine) }

func newAuthenticator(c Credential, p *platform) (*Authenticator, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	if c.AllowedHosts == nil {
		c.AllowedHosts = defaultAllowedHosts
	}
	a := &Authenticator{credential: c, platform: p}
	switch {
	case c.Environment != "":
		a.oidc = newOIDCCache(p.oidcCallback(c.Environment, c.TokenResource), c.Username)
	case c.OIDCCallback != nil:
		a.oidc = newOIDCCache(c.OIDCCallback, c.Username)
	case c.OIDCHumanCallback != nil:
		a.oidc = newOIDCCache(c.OIDCHumanCallback, c.Username)
	}
	return a, nil
}

// NegotiatedUser is what the handshake sends as saslSupportedMechs:
// "database.user", or empty if the credential names its mechanism.
func (a *Authenticator) NegotiatedUser() string {
	if a.credential.Mechanism != "" {
		return ""
	}
	return a.credential.Source + "." + a.credential.Username
}

// Login begins the authentication of one connection to the server at address.
func (a *Authenticator) Login(address string) *Login {
	return &Login{Authenticator: a, address: address, mechanism: a.credential.Mechanism}
}

// defaultMechanism picks a mechanism from the saslSupportedMechs of a
// handshake; nil if the server left them out.
func defaultMechanism(supported []string) string {
	if slices.Contains(supported, SCRAMSHA256) {
		return SCRAMSHA256
	}
	return SCRAMSHA1
}
