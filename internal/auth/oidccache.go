package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	machineTimeout = time.Minute
	humanTimeout   = 5 * time.Minute
	// minCallbackInterval keeps a failing deployment from overloading the
	// callback.
	minCallbackInterval = 100 * time.Millisecond
)

// oidcCache is the specification's Client Cache: the tokens that all
// connections of a client share.
type oidcCache struct {
	callback OIDCCallback
	username string
	// turn is held by whoever runs the callback, one at a time.
	turn     chan struct{}
	lastCall time.Time

	mu           sync.Mutex
	accessToken  Secret
	refreshToken Secret
	idpInfo      *IdPInfo
}

func newOIDCCache(callback OIDCCallback, username string) *oidcCache {
	return &oidcCache{callback: callback, username: username, turn: make(chan struct{}, 1)}
}

// peek is the cached access token, or empty.
func (c *oidcCache) peek() Secret {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.accessToken
}

// refresh is the cached refresh token, or empty, and whom it is for.
func (c *oidcCache) refresh() (Secret, *IdPInfo) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refreshToken, c.idpInfo
}

// invalidate forgets an access token, but not a newer one.
func (c *oidcCache) invalidate(token Secret) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.accessToken == token {
		c.accessToken = ""
	}
}

// invalidateBoth forgets an access token and the refresh token that came with
// it, but not newer ones.
func (c *oidcCache) invalidateBoth(token Secret) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.accessToken == token {
		c.accessToken, c.refreshToken = "", ""
	}
}

// token is the cached access token, or else a new one from the callback, which
// gets the refresh token and the provider's description that are given.
// cached tells which it was.
func (c *oidcCache) token(ctx context.Context, refresh Secret, info *IdPInfo) (token Secret, cached bool, err error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return "", false, fmt.Errorf("waiting for the OIDC callback: %w", ctx.Err())
	}
	if token := c.peek(); token != "" {
		return token, true, nil
	}
	if wait := minCallbackInterval - time.Since(c.lastCall); wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return "", false, fmt.Errorf("waiting for the OIDC callback: %w", ctx.Err())
		}
	}
	credential, err := c.callback(ctx, OIDCParams{
		Version: oidcVersion, Username: c.username, IdPInfo: info, RefreshToken: refresh,
	})
	c.lastCall = time.Now()
	switch {
	case err != nil:
		return "", false, fmt.Errorf("the OIDC callback failed: %w", err)
	case credential.AccessToken == "":
		return "", false, errors.New("the OIDC callback returned no access token")
	case credential.ExpiresIn < 0:
		return "", false, fmt.Errorf("the OIDC callback returned a token that expires in %v", credential.ExpiresIn)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.accessToken = credential.AccessToken
	c.refreshToken = credential.RefreshToken
	c.idpInfo = info
	return credential.AccessToken, false, nil
}

// machineContext bounds a machine callback unless ctx does.
func machineContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, machineTimeout)
}

// humanContext gives a person five minutes, whatever the deadline of ctx. A
// cancelled ctx still ends it.
func humanContext(ctx context.Context) (context.Context, context.CancelFunc) {
	human, cancel := context.WithTimeout(context.WithoutCancel(ctx), humanTimeout)
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) {
			cancel()
		}
	})
	return human, func() { stop(); cancel() }
}
