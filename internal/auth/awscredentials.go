package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// awsFetchTimeout bounds one request for credentials.
	awsFetchTimeout = 10 * time.Second
	// awsExpiryMargin is how long credentials must still be valid to be used,
	// so that they are when the server looks at them.
	awsExpiryMargin = 5 * time.Minute
)

// awsCache holds the credentials that were fetched last. No lock is held while
// they are fetched, which would undo maxConnecting.
type awsCache struct {
	p atomic.Pointer[AWSCredentials]
}

// get is the cached credentials if they are still valid long enough.
func (c *awsCache) get(now time.Time) (AWSCredentials, bool) {
	p := c.p.Load()
	if p == nil || !p.Expires.After(now.Add(awsExpiryMargin)) {
		return AWSCredentials{}, false
	}
	return *p, true
}

func (c *awsCache) set(a AWSCredentials) { c.p.Store(&a) }

func (c *awsCache) clear() { c.p.Store(nil) }

// awsCredentials are the credential's own, the provider's, or those that the
// platform offers, in the order of the specification.
func (p *platform) awsCredentials(ctx context.Context, c Credential) (AWSCredentials, error) {
	if c.Username != "" {
		return AWSCredentials{AccessKeyID: c.Username, SecretAccessKey: c.Password, SessionToken: c.AWSSessionToken}, nil
	}
	if c.AWSCredentialProvider != nil {
		a, err := c.AWSCredentialProvider(ctx)
		if err != nil {
			return a, fmt.Errorf("the AWS credential provider failed: %w", err)
		}
		return a, a.check("the AWS credential provider")
	}
	// Once credentials came from elsewhere, the environment does not replace
	// them; AWS's own libraries behave so.
	if a, ok := p.aws.get(p.now()); ok {
		return a, nil
	}
	if id, key := p.getenv("AWS_ACCESS_KEY_ID"), p.getenv("AWS_SECRET_ACCESS_KEY"); id != "" && key != "" {
		return AWSCredentials{AccessKeyID: id, SecretAccessKey: Secret(key), SessionToken: Secret(p.getenv("AWS_SESSION_TOKEN"))}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, awsFetchTimeout)
	defer cancel()
	a, err := p.fetchAWSCredentials(ctx)
	if err != nil {
		return a, fmt.Errorf("no AWS credentials: %w", err)
	}
	if !a.Expires.IsZero() {
		p.aws.set(a)
	}
	return a, nil
}

func (p *platform) fetchAWSCredentials(ctx context.Context) (AWSCredentials, error) {
	file, role := p.getenv("AWS_WEB_IDENTITY_TOKEN_FILE"), p.getenv("AWS_ROLE_ARN")
	relative := p.getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
	switch {
	case file != "" && role != "":
		return p.assumeRoleWithWebIdentity(ctx, file, role)
	case relative != "":
		return p.ecsCredentials(ctx, relative)
	default:
		return p.ec2Credentials(ctx)
	}
}

// assumeRoleWithWebIdentity exchanges the token that EKS mounts as a file.
func (p *platform) assumeRoleWithWebIdentity(ctx context.Context, file, role string) (AWSCredentials, error) {
	token, err := p.readFile(file)
	if err != nil {
		return AWSCredentials{}, fmt.Errorf("AWS_WEB_IDENTITY_TOKEN_FILE: %w", err)
	}
	session := p.getenv("AWS_ROLE_SESSION_NAME")
	if session == "" {
		session = "motor-" + fmt.Sprint(p.now().UnixNano())
	}
	body, err := fetch(ctx, "POST", p.sts+"/", map[string]string{
		"Accept":       "application/json",
		"Content-Type": "application/x-www-form-urlencoded",
	}, url.Values{
		"Action":           {"AssumeRoleWithWebIdentity"},
		"RoleSessionName":  {session},
		"RoleArn":          {role},
		"WebIdentityToken": {strings.TrimSpace(string(token))},
		"Version":          {"2011-06-15"},
	}.Encode())
	if err != nil {
		return AWSCredentials{}, err
	}
	// The specification shows the inner object alone.
	type result struct{ Credentials awsCredentialsJSON }
	var answer struct {
		result
		AssumeRoleWithWebIdentityResponse struct {
			AssumeRoleWithWebIdentityResult result
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		return AWSCredentials{}, errors.New("the answer of STS is not the JSON that was expected")
	}
	credentials := answer.AssumeRoleWithWebIdentityResponse.AssumeRoleWithWebIdentityResult.Credentials
	if credentials.AccessKeyID == "" {
		credentials = answer.Credentials
	}
	return credentials.parse("STS")
}

func (p *platform) ecsCredentials(ctx context.Context, relative string) (AWSCredentials, error) {
	body, err := fetch(ctx, "GET", p.ecs+"/"+strings.TrimPrefix(relative, "/"), nil, "")
	if err != nil {
		return AWSCredentials{}, err
	}
	return parseAWSCredentials(body, "the ECS agent")
}

// ec2Credentials asks version 2 of the instance metadata service.
func (p *platform) ec2Credentials(ctx context.Context) (AWSCredentials, error) {
	token, err := fetch(ctx, "PUT", p.ec2+"/latest/api/token", map[string]string{"X-aws-ec2-metadata-token-ttl-seconds": "30"}, "")
	if err != nil {
		return AWSCredentials{}, err
	}
	header := map[string]string{"X-aws-ec2-metadata-token": token}
	roles := p.ec2 + "/latest/meta-data/iam/security-credentials/"
	names, err := fetch(ctx, "GET", roles, header, "")
	if err != nil {
		return AWSCredentials{}, err
	}
	role, _, _ := strings.Cut(names, "\n")
	body, err := fetch(ctx, "GET", roles+url.PathEscape(strings.TrimSpace(role)), header, "")
	if err != nil {
		return AWSCredentials{}, err
	}
	return parseAWSCredentials(body, "the EC2 metadata service")
}

// awsCredentialsJSON is how AWS's services write credentials. STS calls the
// token SessionToken, and its Expiration may be a number of seconds.
type awsCredentialsJSON struct {
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Token           string
	Expiration      json.RawMessage
}

func parseAWSCredentials(body, origin string) (AWSCredentials, error) {
	var c awsCredentialsJSON
	if err := json.Unmarshal([]byte(body), &c); err != nil {
		return AWSCredentials{}, fmt.Errorf("the answer of %s is not the JSON that was expected", origin)
	}
	return c.parse(origin)
}

func (c awsCredentialsJSON) parse(origin string) (AWSCredentials, error) {
	a := AWSCredentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: Secret(c.SecretAccessKey), SessionToken: Secret(c.Token)}
	if c.SessionToken != "" {
		a.SessionToken = Secret(c.SessionToken)
	}
	if len(c.Expiration) > 0 {
		var seconds float64
		if json.Unmarshal(c.Expiration, &seconds) == nil {
			a.Expires = time.Unix(int64(seconds), 0)
		} else if json.Unmarshal(c.Expiration, &a.Expires) != nil {
			return a, fmt.Errorf("%s gave credentials with an Expiration that is no time", origin)
		}
	}
	return a, a.check(origin)
}

func (a AWSCredentials) check(origin string) error {
	if a.AccessKeyID == "" || a.SecretAccessKey == "" {
		return fmt.Errorf("%s gave no access key ID or no secret access key", origin)
	}
	return nil
}
