package tlsconf

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/motor-go/motor/internal/ocsp"
)

// revocation decides by OCSP whether a server's certificate is revoked. It
// fails softly: without a clear answer the certificate is good. Intermediate
// authorities are not asked about, as the specification says.
type revocation struct {
	askResponders bool
	now           func() time.Time

	mu    sync.Mutex
	cache map[string]ocsp.Response // by ocsp.Key
}

const (
	// responderTimeout bounds all questions about one certificate.
	responderTimeout = 5 * time.Second
	maxResponse      = 1 << 20
	// maxCached bounds the cache; a client has a few servers.
	maxCached = 256
)

// check takes the first clear answer of a stapled response, the cache and the
// certificate's responders.
func (r *revocation) check(ctx context.Context, state tls.ConnectionState, cert, issuer *x509.Certificate) error {
	now := r.now()
	key, err := ocsp.Key(cert, issuer)
	if err != nil {
		return fmt.Errorf("revocation check: %w", err)
	}
	// A resumed session repeats the staple of its first handshake, which was
	// checked then and may have run out since.
	if !state.DidResume {
		if len(state.OCSPResponse) > 0 {
			response, err := ocsp.Check(state.OCSPResponse, cert, issuer, now)
			if err != nil {
				return fmt.Errorf("the server stapled a bad answer about its certificate: %w", err)
			}
			r.remember(key, response)
			if response.Status != ocsp.Unknown {
				return verdict(cert, response)
			}
		} else if ocsp.MustStaple(cert) {
			return errors.New("the server's certificate is only good with a stapled OCSP response (Must-Staple), and the server sent none")
		}
	}
	if response, ok := r.recall(key, now); ok {
		return verdict(cert, response)
	}
	if !r.askResponders || len(cert.OCSPServer) == 0 {
		return nil
	}
	response, ok := r.ask(ctx, cert, issuer)
	if !ok {
		return ctx.Err()
	}
	r.remember(key, response)
	return verdict(cert, response)
}

func verdict(cert *x509.Certificate, response ocsp.Response) error {
	if response.Status != ocsp.Revoked {
		return nil
	}
	return fmt.Errorf("the server's certificate for %q, number %v, was revoked at %v", cert.Subject, cert.SerialNumber, response.RevokedAt)
}

func (r *revocation) recall(key string, now time.Time) (ocsp.Response, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	response, ok := r.cache[key]
	return response, ok && now.Before(response.NextUpdate)
}

// remember keeps clear answers that hold for some time, the freshest.
func (r *revocation) remember(key string, response ocsp.Response) {
	if response.Status == ocsp.Unknown || response.NextUpdate.IsZero() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cache == nil || len(r.cache) >= maxCached {
		r.cache = make(map[string]ocsp.Response)
	}
	if old, ok := r.cache[key]; !ok || response.NextUpdate.After(old.NextUpdate) {
		r.cache[key] = response
	}
}

// ask asks the certificate's responders at once, and gives the first clear
// answer.
func (r *revocation) ask(ctx context.Context, cert, issuer *x509.Certificate) (ocsp.Response, bool) {
	request, err := ocsp.Request(cert, issuer)
	if err != nil {
		return ocsp.Response{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, responderTimeout)
	defer cancel()
	answers := make(chan ocsp.Response, len(cert.OCSPServer))
	for _, url := range cert.OCSPServer {
		go func() {
			var response ocsp.Response
			if der, err := post(ctx, url, request); err == nil {
				// An answer that is not valid is none.
				response, _ = ocsp.Check(der, cert, issuer, r.now())
			}
			answers <- response
		}()
	}
	for range cert.OCSPServer {
		if response := <-answers; response.Status != ocsp.Unknown {
			return response, true
		}
	}
	return ocsp.Response{}, false
}

// responders keeps no connections: answers hold for hours or days.
var responders = &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}

func post(ctx context.Context, url string, request []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/ocsp-request")
	r.Header.Set("Accept", "application/ocsp-response")
	response, err := responders.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %s", response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxResponse))
}
