package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// kubernetesToken is where Kubernetes mounts the token of a service account.
const kubernetesToken = "/var/run/secrets/kubernetes.io/serviceaccount/token"

// oidcCallback is the built-in callback of an environment. It does not cache.
func (p *platform) oidcCallback(environment, resource string) OIDCCallback {
	return func(ctx context.Context, params OIDCParams) (OIDCCredential, error) {
		var token string
		var err error
		switch environment {
		case "azure":
			token, err = p.azureToken(ctx, resource, params.Username)
		case "gcp":
			token, err = p.gcpToken(ctx, resource)
		case "k8s":
			token, err = p.kubernetesToken()
		case "test":
			token, err = p.tokenFile("OIDC_TOKEN_FILE")
		}
		if err != nil {
			return OIDCCredential{}, fmt.Errorf("ENVIRONMENT %s: %w", environment, err)
		}
		return OIDCCredential{AccessToken: Secret(strings.TrimSpace(token))}, nil
	}
}

func (p *platform) azureToken(ctx context.Context, resource, clientID string) (string, error) {
	query := "?api-version=2018-02-01&resource=" + url.QueryEscape(resource)
	if clientID != "" {
		query += "&client_id=" + url.QueryEscape(clientID)
	}
	body, err := fetch(ctx, "GET", p.azure+"/metadata/identity/oauth2/token"+query,
		map[string]string{"Accept": "application/json", "Metadata": "true"}, "")
	if err != nil {
		return "", err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return "", errors.New("the answer of the metadata service is not the JSON that was expected")
	}
	return answer.AccessToken, nil
}

func (p *platform) gcpToken(ctx context.Context, resource string) (string, error) {
	return fetch(ctx, "GET", p.gcp+"/computeMetadata/v1/instance/service-accounts/default/identity?audience="+url.QueryEscape(resource),
		map[string]string{"Metadata-Flavor": "Google"}, "")
}

// kubernetesToken reads the token of AKS, EKS or, by the default path, GKE.
func (p *platform) kubernetesToken() (string, error) {
	for _, name := range []string{"AZURE_FEDERATED_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		if p.getenv(name) != "" {
			return p.tokenFile(name)
		}
	}
	token, err := p.readFile(kubernetesToken)
	return string(token), err
}

// tokenFile reads the file that an environment variable names.
func (p *platform) tokenFile(variable string) (string, error) {
	file := p.getenv(variable)
	if file == "" {
		return "", fmt.Errorf("the environment variable %s is not set", variable)
	}
	token, err := p.readFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", variable, err)
	}
	return string(token), nil
}
