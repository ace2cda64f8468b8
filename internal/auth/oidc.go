package auth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// OIDCCallback gives an access token. It should return when its context ends.
type OIDCCallback func(context.Context, OIDCParams) (OIDCCredential, error)

// OIDCParams is what a callback is told.
type OIDCParams struct {
	// Version is the version of this API: 1. It changes when a callback should
	// be looked at again.
	Version int
	// Username is the user name of the credential.
	Username string
	// IdPInfo is set for human callbacks.
	IdPInfo *IdPInfo
	// RefreshToken is what the human callback returned the last time, unless
	// the server refused what it was good for.
	RefreshToken Secret
}

// oidcVersion is the version of the callback API.
const oidcVersion = 1

// OIDCCredential is what a callback returns.
type OIDCCredential struct {
	// AccessToken is required.
	AccessToken Secret
	// ExpiresIn is how long the token lives, 0 if unknown. Negative is an
	// error. The driver keeps a token until the server refuses it.
	ExpiresIn time.Duration
	// RefreshToken is optional, and for human callbacks only.
	RefreshToken Secret
}

// IdPInfo is what the server says of its identity provider.
type IdPInfo struct {
	// Issuer is the URL of the authorization server (RFC 8414).
	Issuer string
	// ClientID is the identifier of this OIDC client; the server may leave it
	// out.
	ClientID string
	// RequestScopes are scopes to request beside the provider's default ones.
	RequestScopes []string
}

func parseIdPInfo(payload []byte) (*IdPInfo, error) {
	fields, err := elements(payload)
	if err != nil {
		return nil, fmt.Errorf("identity provider information: %w", err)
	}
	info := new(IdPInfo)
	for _, f := range fields {
		switch {
		case f.key == "issuer" && f.kind == bsonString:
			info.Issuer = string(f.data)
		case f.key == "clientId" && f.kind == bsonString:
			info.ClientID = string(f.data)
		case f.key == "requestScopes" && f.kind == bsonArray:
			scopes, err := elements(f.data)
			if err != nil {
				return nil, fmt.Errorf("identity provider information: requestScopes: %w", err)
			}
			for _, s := range scopes {
				if s.kind == bsonString {
					info.RequestScopes = append(info.RequestScopes, string(s.data))
				}
			}
		}
	}
	if info.Issuer == "" {
		return nil, errors.New("identity provider information: the server names no issuer")
	}
	return info, nil
}

// twoStep is MONGODB-OIDC without a token at hand: the server says which
// identity provider to ask for one.
type twoStep struct {
	username string
	// token asks the identity provider.
	token    func(*IdPInfo) (Secret, error)
	answered bool
}

// Start is a PrincipalStepRequest.
func (s *twoStep) Start() []byte {
	var request document
	if s.username != "" {
		request = request.string("n", s.username)
	}
	return request.end()
}

// Step answers IdPInfo with a JwtStepRequest.
func (s *twoStep) Step(challenge []byte) ([]byte, bool, error) {
	if s.answered {
		return nil, true, nil
	}
	s.answered = true
	info, err := parseIdPInfo(challenge)
	if err != nil {
		return nil, false, err
	}
	token, err := s.token(info)
	if err != nil {
		return nil, false, err
	}
	return jwtStepRequest(token), false, nil
}

// defaultAllowedHosts are the hosts that a person's tokens may be sent to
// unless ALLOWED_HOSTS says otherwise.
var defaultAllowedHosts = []string{
	"*.mongodb.net", "*.mongodb-qa.net", "*.mongodb-dev.net", "*.mongodbgov.net",
	"localhost", "127.0.0.1", "::1", "*.mongo.com",
}

// checkAllowedHost keeps tokens of people from hosts that an attacker's
// connection string names. address may have a port.
func checkAllowedHost(address string, allowed []string) error {
	host := address
	if h, _, err := net.SplitHostPort(address); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	for _, pattern := range allowed {
		pattern = strings.ToLower(pattern)
		suffix, wildcard := strings.CutPrefix(pattern, "*")
		if host == pattern || wildcard && strings.HasPrefix(suffix, ".") && strings.HasSuffix(host, suffix) && host != suffix {
			return nil
		}
	}
	return fmt.Errorf("host %q is not in ALLOWED_HOSTS %q, so it may not see a person's token", host, allowed)
}
