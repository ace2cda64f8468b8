package auth

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// platform is what the program runs on: the source of credentials that nobody
// wrote down. Tests have their own.
type platform struct {
	getenv   func(string) string
	readFile func(string) ([]byte, error)
	now      func() time.Time

	// The metadata services of the cloud providers, and AWS's Security Token
	// Service.
	ec2, ecs, sts, azure, gcp string

	// aws caches what ec2, ecs and sts gave, for all clients of the program:
	// these services limit the rate of requests, and answer all clients alike.
	aws awsCache
}

// machine is the platform of the process.
var machine = &platform{
	getenv:   os.Getenv,
	readFile: os.ReadFile,
	now:      time.Now,
	ec2:      "http://169.254.169.254",
	ecs:      "http://169.254.170.2",
	sts:      "https://sts.amazonaws.com",
	azure:    "http://169.254.169.254",
	gcp:      "http://metadata",
}

// fetcher does not follow redirects, which no metadata service sends, and goes
// to the link's services directly, whatever proxy the environment names.
var fetcher = &http.Client{
	Transport: &http.Transport{
		Proxy: func(r *http.Request) (*url.URL, error) {
			if r.URL.Scheme == "http" {
				return nil, nil
			}
			return http.ProxyFromEnvironment(r)
		},
		DisableKeepAlives: true,
	},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

const (
	// maxBody bounds the answer of a metadata service.
	maxBody = 1 << 20
	// maxShown bounds how much of a refusal goes into an error.
	maxShown = 1 << 10
)

// fetch sends a request and gives the body of an answer with status 200. An
// error has the address without its query, which may hold a token.
func fetch(ctx context.Context, method, address string, header map[string]string, body string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("address %q is not valid", address)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	shown, _, _ := strings.Cut(address, "?")
	response, err := fetcher.Do(r)
	if err != nil {
		if ue, ok := err.(*url.Error); ok {
			err = ue.Err
		}
		return "", fmt.Errorf("%s %s: %w", method, shown, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("%s %s: reading the answer: %w", method, shown, err)
	case len(answer) > maxBody:
		return "", fmt.Errorf("%s %s: the answer has more than %d bytes", method, shown, maxBody)
	case response.StatusCode != http.StatusOK:
		return "", fmt.Errorf("%s %s: status %s: %.*s", method, shown, response.Status, maxShown, answer)
	}
	return string(answer), nil
}
