package auth

import (
	"context"
	"crypto/rand"
	"errors"
)

// Login is the authentication of one connection. Its methods must not be
// called concurrently.
type Login struct {
	*Authenticator
	address   string
	mechanism string // empty until it is negotiated

	// speculation is the conversation that Speculate began.
	speculation Conversation
	// accessToken is the specification's Connection Cache: the OIDC token that
	// this connection used last.
	accessToken Secret
}

// Speculate is the request to send with the handshake as
// speculativeAuthenticate, with the field db for its Source. It is nil if the
// mechanism does not provide for that, or has nothing to say before it knows
// more.
func (l *Login) Speculate() *Request {
	mechanism := l.mechanism
	if mechanism == "" {
		mechanism = SCRAMSHA256
	}
	switch mechanism {
	case SCRAMSHA1, SCRAMSHA256:
		c, err := l.newSCRAM(mechanism)
		if err != nil {
			// The other mechanism may be negotiated, or Authenticate fails.
			return nil
		}
		l.speculation = c
	case X509:
		l.speculation = newX509(l.credential.Username)
	case OIDC:
		l.accessToken = l.oidc.peek()
		if l.accessToken == "" || l.checkHost() != nil {
			return nil
		}
		l.speculation = newJWTStep(l.accessToken)
	default:
		return nil
	}
	return &Request{Mechanism: mechanism, Source: l.credential.Source, Payload: l.speculation.Start()}
}

// Authenticate authenticates the connection. supported is saslSupportedMechs
// of the handshake's reply, and speculated its speculativeAuthenticate; each is
// nil if the reply has none.
//
// It returns an *Error, or, if the connection broke, what send returned.
func (l *Login) Authenticate(ctx context.Context, supported []string, speculated *Reply, send Send) error {
	if l.mechanism == "" {
		l.mechanism = defaultMechanism(supported)
		if speculated != nil {
			l.mechanism = SCRAMSHA256
		}
	}
	speculation := l.speculation
	l.speculation = nil
	return l.attempt(send, func(send Send) error {
		switch {
		case speculation == nil || speculated == nil:
		case l.mechanism == OIDC && !speculated.Done:
		default:
			return converse(ctx, speculation, l.credential.Source, *speculated, send)
		}
		l.accessToken = ""
		return l.authenticate(ctx, send)
	})
}

// Reauthenticate authenticates the connection again, after the server's error
// 391 (ReauthenticationRequired). The errors are those of Authenticate.
func (l *Login) Reauthenticate(ctx context.Context, send Send) error {
	return l.attempt(send, func(send Send) error {
		if l.mechanism == OIDC {
			l.oidc.invalidate(l.accessToken)
			l.accessToken = ""
		}
		return l.authenticate(ctx, send)
	})
}

// brokenError marks an error of the connection while conversations run.
type brokenError struct{ error }

// attempt sorts the errors of f into those of authentication and those of the
// connection.
func (l *Login) attempt(send Send, f func(Send) error) error {
	err := f(func(ctx context.Context, r Request) (Reply, error) {
		reply, err := send(ctx, r)
		var refused *Refused
		if err != nil && !errors.As(err, &refused) {
			err = &brokenError{err}
		}
		return reply, err
	})
	var broken *brokenError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &broken):
		return broken.error
	default:
		return &Error{Mechanism: l.mechanism, Source: l.credential.Source, User: l.credential.Username, Err: err}
	}
}

func (l *Login) authenticate(ctx context.Context, send Send) error {
	c := l.credential
	switch l.mechanism {
	case SCRAMSHA1, SCRAMSHA256:
		scram, err := l.newSCRAM(l.mechanism)
		if err != nil {
			return err
		}
		return l.converse(ctx, scram, send)
	case PLAIN:
		return l.converse(ctx, newPLAIN(c.Username, c.Password), send)
	case X509:
		return l.converse(ctx, newX509(c.Username), send)
	case AWS:
		return l.authenticateAWS(ctx, send)
	default:
		if c.OIDCHumanCallback != nil {
			return l.authenticateHuman(ctx, send)
		}
		return l.authenticateMachine(ctx, send)
	}
}

// converse runs c from its start.
func (l *Login) converse(ctx context.Context, c Conversation, send Send) error {
	reply, err := send(ctx, Request{Mechanism: l.mechanism, Source: l.credential.Source, Payload: c.Start()})
	if err != nil {
		return err
	}
	return converse(ctx, c, l.credential.Source, reply, send)
}

func (l *Login) newSCRAM(mechanism string) (Conversation, error) {
	secret, err := newSCRAMSecret(mechanism, l.credential.Username, l.credential.Password)
	if err != nil {
		return nil, err
	}
	return newSCRAM(secret, l.credential.Username, "", &l.keys), nil
}

// authenticateAWS forgets cached credentials if they, or anything else, fail.
func (l *Login) authenticateAWS(ctx context.Context, send Send) error {
	credentials, err := l.platform.awsCredentials(ctx, l.credential)
	if err == nil {
		a := &awsConversation{credentials: credentials, now: l.platform.now()}
		rand.Read(a.nonce[:])
		err = l.converse(ctx, a, send)
	}
	if err != nil {
		l.platform.aws.clear()
	}
	return err
}

// authenticateMachine sends a token of the Client Cache, and once a new one if
// the server refuses an old one.
func (l *Login) authenticateMachine(ctx context.Context, send Send) error {
	token, cached, err := l.machineToken(ctx)
	if err != nil {
		return err
	}
	err = l.sendToken(ctx, token, send)
	if !cached || !IsAuthenticationFailed(err) {
		return err
	}
	l.oidc.invalidate(token)
	if token, _, err = l.machineToken(ctx); err != nil {
		return err
	}
	return l.sendToken(ctx, token, send)
}

func (l *Login) machineToken(ctx context.Context) (token Secret, cached bool, err error) {
	ctx, cancel := machineContext(ctx)
	defer cancel()
	return l.oidc.token(ctx, "", nil)
}

// authenticateHuman sends a token of the Client Cache; if the server refuses
// it, one that the callback gives for the refresh token; if the server refuses
// that too, one that the callback asks the person for.
func (l *Login) authenticateHuman(ctx context.Context, send Send) error {
	if err := l.checkHost(); err != nil {
		return err
	}
	ctx, cancel := humanContext(ctx)
	defer cancel()
	if token := l.oidc.peek(); token != "" {
		if err := l.sendToken(ctx, token, send); !IsAuthenticationFailed(err) {
			return err
		}
		l.oidc.invalidate(token)
	}
	if refresh, info := l.oidc.refresh(); refresh != "" {
		token, _, err := l.oidc.token(ctx, refresh, info)
		if err != nil {
			return err
		}
		if err := l.sendToken(ctx, token, send); !IsAuthenticationFailed(err) {
			return err
		}
		l.oidc.invalidateBoth(token)
	}
	return l.converse(ctx, &twoStep{username: l.credential.Username, token: func(info *IdPInfo) (Secret, error) {
		token, _, err := l.oidc.token(ctx, "", info)
		l.accessToken = token
		return token, err
	}}, send)
}

// checkHost refuses hosts that may not see a person's tokens.
func (l *Login) checkHost() error {
	if l.credential.OIDCHumanCallback == nil {
		return nil
	}
	return checkAllowedHost(l.address, l.credential.AllowedHosts)
}

// sendToken tries one access token and keeps it in the Connection Cache.
func (l *Login) sendToken(ctx context.Context, token Secret, send Send) error {
	l.accessToken = token
	return l.converse(ctx, newJWTStep(token), send)
}
