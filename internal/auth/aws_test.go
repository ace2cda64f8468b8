package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// The example of AWS's documentation, "Signature Version 4 signing process".
func TestSigV4Example(t *testing.T) {
	got := sigV4Request{
		method: "GET",
		path:   "/",
		query:  "Action=ListUsers&Version=2010-05-08",
		headers: []sigV4Header{
			{"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
			{"host", "iam.amazonaws.com"},
			{"x-amz-date", "20150830T123600Z"},
		},
		date:    "20150830T123600Z",
		region:  "us-east-1",
		service: "iam",
	}.authorization("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
	want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, " +
		"SignedHeaders=content-type;host;x-amz-date, " +
		"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
	if got != want {
		t.Errorf("the header is\n%s\nwant\n%s", got, want)
	}
}

// The payloads of the specification's conversation.
func TestAWSConversationPayloads(t *testing.T) {
	decode := func(s string) []byte {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := decode("NAAAAAVyACAAAAAAWj0lSjp8M0BMKGU+QVAzRSpWfk0hJigqO1V+b0FaVz4QcABuAAAAAA==")
	serverFirst := decode("ZgAAAAVzAEAAAAAAWj0lSjp8M0BMKGU+QVAzRSpWfk0hJigqO1V+b0FaVz5Rj7x9UOBHJLvPgvgPS9sSzZUWgAPTy8HBbI1cG1WJ9gJoABIAAABzdHMuYW1hem9uYXdzLmNvbQAA")
	second := decode("LQEAAAJhAAkBAABBV1M0LUhNQUMtU0hBMjU2IENyZWRlbnRpYWw9QUtJQUlDR1ZMS09LWlZZM1gzREEvMjAxOTExMTIvdXMtZWFzdC0xL3N0cy9hd3M0X3JlcXVlc3QsIFNpZ25lZEhlYWRlcnM9Y29udGVudC1sZW5ndGg7Y29udGVudC10eXBlO2hvc3Q7eC1hbXotZGF0ZTt4LW1vbmdvZGItZ3MyLWNiLWZsYWc7eC1tb25nb2RiLXNlcnZlci1ub25jZSwgU2lnbmF0dXJlPThhMTI0NGZjODYyZTI5YjZiZjc0OTFmMmYwNDE5NDY2ZGNjOTFmZWU1MTJhYTViM2ZmZjQ1NDY3NDEwMjJiMmUAAmQAEQAAADIwMTkxMTEyVDIxMDEyMloAAA==")

	c := &awsConversation{
		credentials: AWSCredentials{AccessKeyID: "AKIAICGVLKOKZVY3X3DA", SecretAccessKey: "unknown"},
		now:         time.Date(2019, 11, 12, 22, 1, 22, 0, time.FixedZone("", 3600)),
	}
	copy(c.nonce[:], first[12:44])
	if got := c.Start(); string(got) != string(first) {
		t.Errorf("client-first is %q, want %q", got, first)
	}
	got, done, err := c.Step(serverFirst)
	if err != nil || done {
		t.Fatalf("done %v, %v", done, err)
	}
	// The specification does not tell the secret key, so the signatures differ.
	signature := strings.Index(string(second), "Signature=") + len("Signature=")
	for i := range 64 {
		got[signature+i] = second[signature+i]
	}
	if string(got) != string(second) {
		t.Errorf("client-second is\n%q\nwant\n%q", got, second)
	}
	if _, done, err := c.Step(nil); !done || err != nil {
		t.Errorf("done %v, %v", done, err)
	}
}

func TestSTSRegion(t *testing.T) {
	for host, want := range map[string]string{
		"sts.amazonaws.com":              "us-east-1",
		"aws.amazonaws.com":              "us-east-1",
		"sts.us-west-2.amazonaws.com":    "us-west-2",
		"sts.us-west-2.amazonaws.com.ch": "us-west-2",
		"example.com":                    "com",
		"localhost":                      "us-east-1",
		"sts..com":                       "",
		".amazonaws.com":                 "",
		"sts.amazonaws.":                 "",
		"":                               "",
		"a\nb":                           "",
		strings.Repeat("x", 256):         "",
	} {
		err := checkSTSHost(host)
		if (err == nil) != (want != "") {
			t.Errorf("%q: %v", host, err)
		}
		if err == nil && stsRegion(host) != want {
			t.Errorf("%q is in region %q, want %q", host, stsRegion(host), want)
		}
	}
}

func TestAWSRefusesBadServers(t *testing.T) {
	for name, payload := range map[string][]byte{
		"nothing":       nil,
		"no document":   []byte("garbage"),
		"empty":         document(nil).end(),
		"short nonce":   document(nil).binary("s", make([]byte, 63)).string("h", "localhost").end(),
		"foreign nonce": document(nil).binary("s", []byte(strings.Repeat("x", 64))).string("h", "localhost").end(),
		"no host":       document(nil).binary("s", make([]byte, 64)).end(),
		"bad host":      document(nil).binary("s", make([]byte, 64)).string("h", "a..b").end(),
	} {
		c := &awsConversation{credentials: AWSCredentials{AccessKeyID: "id", SecretAccessKey: "key"}}
		if _, done, err := c.Step(payload); done || err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// cloud stands in for AWS: metadata services that give out credentials, and a
// server that knows them.
type cloud struct {
	*platform
	env    map[string]string
	clock  time.Time
	issued int // how many credentials were given out
	http   *httptest.Server
	// sessions of AssumeRoleWithWebIdentity.
	sessions []string
	secrets  map[string]AWSCredentials
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{env: map[string]string{}, clock: time.Now(), secrets: map[string]AWSCredentials{}}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /latest/api/token", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-aws-ec2-metadata-token-ttl-seconds") == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, "imds")
	})
	mux.HandleFunc("GET /latest/meta-data/iam/security-credentials/{role...}", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-aws-ec2-metadata-token") != "imds":
			w.WriteHeader(http.StatusUnauthorized)
		case r.PathValue("role") == "":
			fmt.Fprint(w, "the role\n")
		case r.PathValue("role") == "the role":
			c.issue(w, `{"Code": "Success", "Type": "AWS-HMAC", %s, "Token": %q, "Expiration": %q}`, "ec2")
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	mux.HandleFunc("GET /v2/credentials/x", func(w http.ResponseWriter, r *http.Request) {
		c.issue(w, `{"RoleArn": "arn", %s, "Token": %q, "Expiration": %q}`, "ecs")
	})
	mux.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("Action") != "AssumeRoleWithWebIdentity" || r.FormValue("Version") != "2011-06-15" ||
			r.FormValue("RoleArn") != "arn:role" || r.FormValue("WebIdentityToken") != "jwt" || r.Header.Get("Accept") != "application/json" || r.URL.RawQuery != "" {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "AccessDenied")
			return
		}
		c.sessions = append(c.sessions, r.FormValue("RoleSessionName"))
		c.issue(w, `{"AssumeRoleWithWebIdentityResponse": {"AssumeRoleWithWebIdentityResult": {"Credentials": {%s, "SessionToken": %q, "Expiration": %q}}}}`, "eks")
	})
	c.http = httptest.NewServer(mux)
	t.Cleanup(c.http.Close)
	c.platform = &platform{
		getenv:   func(name string) string { return c.env[name] },
		readFile: os.ReadFile,
		now:      func() time.Time { return c.clock },
		ec2:      c.http.URL, ecs: c.http.URL, sts: c.http.URL,
	}
	return c
}

func (c *cloud) issue(w http.ResponseWriter, format, prefix string) {
	c.issued++
	a := AWSCredentials{AccessKeyID: fmt.Sprint(prefix, c.issued), SecretAccessKey: "secret", SessionToken: "token"}
	c.secrets[a.AccessKeyID] = a
	pair := fmt.Sprintf(`"AccessKeyId": %q, "SecretAccessKey": %q`, a.AccessKeyID, string(a.SecretAccessKey))
	fmt.Fprintf(w, format, pair, string(a.SessionToken), c.clock.Add(time.Hour).UTC().Format(time.RFC3339))
}

// authenticate runs a new client's first connection against a server that
// checks the signature as STS would, and reports whose it was.
func (c *cloud) authenticate(credential Credential) (accessKeyID string, err error) {
	credential.Mechanism = AWS
	a, err := newAuthenticator(credential, c.platform)
	if err != nil {
		return "", err
	}
	var server awsConversation
	err = a.Login("localhost").Authenticate(context.Background(), nil, nil, func(_ context.Context, r Request) (Reply, error) {
		fields, err := elements(r.Payload)
		if err != nil {
			return Reply{}, err
		}
		values := map[string]string{}
		for _, f := range fields {
			values[f.key] = string(f.data)
		}
		nonce := append(append([]byte{}, server.nonce[:]...), make([]byte, 32)...)
		if r.Mechanism != "" {
			copy(server.nonce[:], values["r"])
			copy(nonce, values["r"])
			return Reply{Payload: document(nil).binary("s", nonce).string("h", "sts.eu-west-1.amazonaws.com").end()}, nil
		}
		_, rest, _ := strings.Cut(values["a"], "Credential=")
		accessKeyID, _, _ = strings.Cut(rest, "/")
		server.credentials = c.secrets[accessKeyID]
		server.credentials.AccessKeyID = accessKeyID
		server.credentials.SessionToken = Secret(values["t"])
		known := c.secrets[accessKeyID]
		if known.SessionToken != Secret(values["t"]) || values["a"] != server.authorization("sts.eu-west-1.amazonaws.com", nonce, values["d"]) || known.AccessKeyID == "" {
			return Reply{}, errRefused
		}
		return Reply{Done: true}, nil
	})
	return accessKeyID, err
}

func (c *cloud) mustAuthenticate(t *testing.T, want string) {
	t.Helper()
	got, err := c.authenticate(Credential{})
	if err != nil || got != want {
		t.Fatalf("authenticated as %q, %v; want %q", got, err, want)
	}
}

// The scenarios of the test plan, and the order of the sources.
func TestAWSCredentialSources(t *testing.T) {
	c := newCloud(t)
	c.secrets["url"] = AWSCredentials{AccessKeyID: "url", SecretAccessKey: "url secret"}
	c.secrets["temporary"] = AWSCredentials{AccessKeyID: "temporary", SecretAccessKey: "s", SessionToken: "t"}
	c.secrets["permanent"] = AWSCredentials{AccessKeyID: "permanent", SecretAccessKey: "s"}
	file := t.TempDir() + "/jwt"
	if err := os.WriteFile(file, []byte("jwt\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect := func(credential Credential, want string) {
		t.Helper()
		c.aws.clear()
		if got, err := c.authenticate(credential); err != nil || got != want {
			t.Errorf("authenticated as %q, %v; want %q", got, err, want)
		}
	}

	expect(Credential{}, "ec21")
	c.env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/x"
	expect(Credential{}, "ecs2")
	c.env["AWS_WEB_IDENTITY_TOKEN_FILE"] = file
	expect(Credential{}, "ecs3")
	c.env["AWS_ROLE_ARN"] = "arn:role"
	expect(Credential{}, "eks4")
	c.env["AWS_ROLE_SESSION_NAME"] = "app1"
	expect(Credential{}, "eks5")
	if len(c.sessions) != 2 || c.sessions[0] == "" || c.sessions[1] != "app1" {
		t.Errorf("the sessions are %q", c.sessions)
	}
	c.env["AWS_ACCESS_KEY_ID"] = "permanent"
	expect(Credential{}, "eks6")
	c.env["AWS_SECRET_ACCESS_KEY"] = "s"
	expect(Credential{}, "permanent")
	c.env["AWS_ACCESS_KEY_ID"], c.env["AWS_SESSION_TOKEN"] = "temporary", "t"
	expect(Credential{}, "temporary")
	expect(Credential{AWSCredentialProvider: func(context.Context) (AWSCredentials, error) { return c.secrets["url"], nil }}, "url")
	expect(Credential{Username: "url", Password: "url secret"}, "url")
	expect(Credential{Username: "temporary", Password: "s", AWSSessionToken: "t"}, "temporary")
}

// "Cached Credentials" of the test plan, first list.
func TestAWSCredentialCache(t *testing.T) {
	c := newCloud(t)
	c.mustAuthenticate(t, "ec21")
	if _, ok := c.aws.get(c.clock); !ok {
		t.Fatal("nothing is cached")
	}
	c.mustAuthenticate(t, "ec21")

	cached := *c.aws.p.Load()
	cached.Expires = c.clock.Add(time.Minute)
	c.aws.set(cached)
	c.mustAuthenticate(t, "ec22")

	poisoned := *c.aws.p.Load()
	poisoned.AccessKeyID = "invalid"
	c.aws.set(poisoned)
	if _, err := c.authenticate(Credential{}); !IsAuthenticationFailed(err) {
		t.Errorf("an invalid key: %v", err)
	}
	if c.aws.p.Load() != nil {
		t.Error("the cache is not cleared")
	}
	c.mustAuthenticate(t, "ec23")
	if _, ok := c.aws.get(c.clock); !ok {
		t.Error("nothing is cached")
	}

	c.clock = c.clock.Add(55*time.Minute - time.Second)
	c.mustAuthenticate(t, "ec23")
	c.clock = c.clock.Add(2 * time.Second)
	c.mustAuthenticate(t, "ec24")
}

// "Cached Credentials" of the test plan, second list.
func TestAWSCacheAndEnvironment(t *testing.T) {
	c := newCloud(t)
	c.mustAuthenticate(t, "ec21")
	setenv := func(a AWSCredentials) {
		c.env["AWS_ACCESS_KEY_ID"] = a.AccessKeyID
		c.env["AWS_SECRET_ACCESS_KEY"] = string(a.SecretAccessKey)
		c.env["AWS_SESSION_TOKEN"] = string(a.SessionToken)
	}
	invalid := AWSCredentials{AccessKeyID: "invalid", SecretAccessKey: "invalid", SessionToken: "invalid"}
	setenv(*c.aws.p.Load())
	c.aws.clear()
	c.mustAuthenticate(t, "ec21")
	if c.aws.p.Load() != nil {
		t.Error("the environment's credentials are cached")
	}
	setenv(invalid)
	if _, err := c.authenticate(Credential{}); !IsAuthenticationFailed(err) {
		t.Errorf("invalid credentials in the environment: %v", err)
	}
	clear(c.env)
	c.aws.clear()
	c.mustAuthenticate(t, "ec22")
	setenv(invalid)
	c.mustAuthenticate(t, "ec22")
}

func TestAWSCredentialErrors(t *testing.T) {
	fails := errors.New("no")
	for name, tt := range map[string]struct {
		change func(*cloud)
		c      Credential
		want   string
	}{
		"provider fails": {nil, Credential{AWSCredentialProvider: func(context.Context) (AWSCredentials, error) { return AWSCredentials{}, fails }}, "provider failed: no"},
		"provider lacks": {nil, Credential{AWSCredentialProvider: func(context.Context) (AWSCredentials, error) { return AWSCredentials{AccessKeyID: "x"}, nil }}, "no access key ID or no secret"},
		"no service":     {func(c *cloud) { c.http.Close() }, Credential{}, "PUT " + "http://127.0.0.1"},
		"no such path":   {func(c *cloud) { c.env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/nowhere" }, Credential{}, "404"},
		"no token file": {func(c *cloud) {
			c.env["AWS_WEB_IDENTITY_TOKEN_FILE"], c.env["AWS_ROLE_ARN"] = "/does/not/exist", "arn:role"
		}, Credential{}, "AWS_WEB_IDENTITY_TOKEN_FILE"},
		"role": {func(c *cloud) {
			c.readFile = func(string) ([]byte, error) { return []byte("jwt"), nil }
			c.env["AWS_WEB_IDENTITY_TOKEN_FILE"], c.env["AWS_ROLE_ARN"] = "file", "arn:other"
		}, Credential{}, "AccessDenied"},
	} {
		c := newCloud(t)
		if tt.change != nil {
			tt.change(c)
		}
		_, err := c.authenticate(tt.c)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestParseAWSCredentials(t *testing.T) {
	expires := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for body, want := range map[string]AWSCredentials{
		`{"AccessKeyId":"a","SecretAccessKey":"s"}`:                                                                    {AccessKeyID: "a", SecretAccessKey: "s"},
		`{"AccessKeyId":"a","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-02T03:04:05Z"}`:                    {AccessKeyID: "a", SecretAccessKey: "s", SessionToken: "t", Expires: expires},
		`{"AccessKeyId":"a","SecretAccessKey":"s","SessionToken":"t","Expiration":` + fmt.Sprint(expires.Unix()) + `}`: {AccessKeyID: "a", SecretAccessKey: "s", SessionToken: "t", Expires: expires},
		`{"AccessKeyId":"a","SecretAccessKey":"s","SessionToken":"t","Expiration":1.767323045E9}`:                      {AccessKeyID: "a", SecretAccessKey: "s", SessionToken: "t", Expires: expires},
	} {
		got, err := parseAWSCredentials(body, "test")
		if err != nil || !got.Expires.Equal(want.Expires) {
			t.Errorf("%s: expires %v, %v", body, got.Expires, err)
		}
		got.Expires = want.Expires
		if got != want {
			t.Errorf("%s: other credentials", body)
		}
	}
	for _, body := range []string{``, `[]`, `{}`, `{"AccessKeyId":"a"}`, `{"AccessKeyId":"a","SecretAccessKey":"sesame","Expiration":"soon"}`} {
		if _, err := parseAWSCredentials(body, "test"); err == nil || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestFetchIsBounded(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/large":
			w.Write(make([]byte, maxBody+1))
		case "/moved":
			http.Redirect(w, r, "/", http.StatusFound)
		default:
			fmt.Fprint(w, "fine")
		}
	}))
	defer s.Close()
	ctx, cancel := context.WithCancel(context.Background())
	for path, want := range map[string]string{"/": "", "/large": "more than", "/moved": "302"} {
		_, err := fetch(ctx, "GET", s.URL+path+"?token=sesame", nil, "")
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "sesame")) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
	cancel()
	_, err := fetch(ctx, "GET", s.URL+"/?token=sesame", nil, "")
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "sesame") {
		t.Errorf("cancelled: %v", err)
	}
}
