package motor_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

const (
	rootName     = "root"
	rootPassword = "open: sesame/?"
)

// whoAmI is the user that the client's connections are logged in as, "name@db".
func whoAmI(t *testing.T, client *motor.Client, pref *motor.ReadPreference) string {
	t.Helper()
	reply, err := client.Database("admin").RunCommand(bounded(t), d("connectionStatus", 1), motor.RunCommandOptions{ReadPreference: pref})
	if err != nil {
		t.Fatal(err)
	}
	user, _ := reply.Lookup("authInfo", "authenticatedUsers", "0", "user").Str()
	db, _ := reply.Lookup("authInfo", "authenticatedUsers", "0", "db").Str()
	return user + "@" + db
}

// credentials is the connection string with other ones, and maybe a database.
func credentials(connectionString, user, password, path string) string {
	_, hosts, _ := strings.Cut(connectionString, "@")
	hosts, options, _ := strings.Cut(hosts, "/")
	return "mongodb://" + url.UserPassword(user, password).String() + "@" + hosts + "/" + path + options
}

func TestTLSAndSCRAMReachEveryMember(t *testing.T) {
	ca := newAuthority(t)
	rs := mongotest.New(t, mongotest.Options{TLS: ca.server("127.0.0.1"), Username: rootName, Password: rootPassword})
	for _, mechanism := range []string{"", "SCRAM-SHA-1", "SCRAM-SHA-256"} {
		t.Run("mechanism "+mechanism, func(t *testing.T) {
			uri := withOptions(rs.URI(), "tlsCAFile="+url.QueryEscape(ca.file))
			if mechanism != "" {
				uri = withOptions(uri, "authMechanism="+mechanism)
			}
			client := connectTo(t, uri)
			if _, err := client.Database("db").Collection("c").InsertOne(bounded(t), d("mechanism", mechanism)); err != nil {
				t.Fatal(err)
			}
			for _, mode := range []motor.ReadPreference{{Mode: motor.Primary}, {Mode: motor.Secondary}} {
				if got := whoAmI(t, client, &mode); got != "root@admin" {
					t.Errorf("on a %v the client is %q", mode, got)
				}
			}
			await(t, "all members", func() bool {
				known := 0
				for _, s := range client.Topology().Servers {
					if s.SetName == "rs0" {
						known++
					}
				}
				return known == len(rs.Nodes)
			})
		})
	}
}

func TestTLSErrorsNameTheOption(t *testing.T) {
	ca, stranger := newAuthority(t), newAuthority(t)
	good := mongotest.NewStandalone(t, mongotest.Options{TLS: ca.server("127.0.0.1")})
	misnamed := mongotest.NewStandalone(t, mongotest.Options{TLS: ca.server("elsewhere.example")})
	plain := mongotest.NewStandalone(t, mongotest.Options{})
	trusted, untrusted := "tlsCAFile="+url.QueryEscape(ca.file), "tlsCAFile="+url.QueryEscape(stranger.file)
	for name, tt := range map[string]struct {
		uri  string
		want string // empty: no error
	}{
		"trusted":             {withOptions(good.URI(), trusted), ""},
		"no authority":        {good.URI(), "tlsCAFile"},
		"another authority":   {withOptions(good.URI(), untrusted), "tlsCAFile"},
		"any certificate":     {withOptions(good.URI(), "tlsAllowInvalidCertificates=true"), ""},
		"insecure":            {withOptions(misnamed.URI(), "tlsInsecure=true"), ""},
		"another host":        {withOptions(misnamed.URI(), trusted), "tlsAllowInvalidHostnames"},
		"any host":            {withOptions(misnamed.URI(), trusted, "tlsAllowInvalidHostnames=true"), ""},
		"any host, no CA":     {withOptions(misnamed.URI(), untrusted, "tlsAllowInvalidHostnames=true"), "tlsCAFile"},
		"a server without":    {withOptions(plain.URI(), "tls=true", trusted), "TLS"},
		"no such file":        {withOptions(good.URI(), "tlsCAFile=/nowhere/ca.pem"), "tlsCAFile"},
		"no such certificate": {withOptions(good.URI(), trusted, "tlsCertificateKeyFile=/nowhere/key.pem"), "tlsCertificateKeyFile"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.want != "" {
				tt.uri = withOptions(tt.uri, "serverSelectionTimeoutMS=1500")
			}
			client, err := motor.Connect(t.Context(), tt.uri)
			if err == nil {
				err = client.Ping(bounded(t), nil)
				client.Close(bounded(t))
			}
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// A TLS configuration and a credential in code need nothing in the connection
// string.
func TestTLSAndCredentialInCode(t *testing.T) {
	ca := newAuthority(t)
	server := mongotest.NewStandalone(t, mongotest.Options{TLS: ca.server("127.0.0.1"), Username: rootName, Password: rootPassword})
	pem, err := os.ReadFile(ca.file)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	options := motor.ClientOptions{
		TLS:        &tls.Config{RootCAs: roots},
		Credential: motor.Credential{Username: rootName, Password: rootPassword},
	}
	client, err := motor.Connect(t.Context(), "mongodb://"+server.Address(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close(bounded(t))
	if got := whoAmI(t, client, &motor.ReadPreference{}); got != "root@admin" {
		t.Errorf("the client is %q", got)
	}
	if s := fmt.Sprintf("%v %+v", options, options); strings.Contains(s, rootPassword) {
		t.Errorf("the options print the password: %s", s)
	}
	if client, err := motor.Connect(t.Context(), "mongodb://"+server.Address()+"/?tls=false", options); err == nil {
		client.Close(bounded(t))
		t.Error("tls=false is accepted with a TLS configuration")
	}
}

func TestWrongPasswordIsOneClearError(t *testing.T) {
	rs := mongotest.New(t, mongotest.Options{Username: rootName, Password: rootPassword})
	const wrong = "hunter2-is-wrong"
	for _, mechanism := range []string{"SCRAM-SHA-1", "SCRAM-SHA-256"} {
		client := connectTo(t, withOptions(credentials(rs.URI(), rootName, wrong, ""), "authMechanism="+mechanism))
		start := time.Now()
		err := client.Ping(bounded(t), nil)
		if took := time.Since(start); took > patience/2 {
			t.Errorf("%s: the error took %v", mechanism, took)
		}
		var refusal *motor.CommandError
		if !errors.As(err, &refusal) || refusal.Code != 18 {
			t.Fatalf("%s: %v, want the server's AuthenticationFailed", mechanism, err)
		}
		for _, want := range []string{rootName, "admin", mechanism} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not name %q", mechanism, err, want)
			}
		}
		if strings.Contains(err.Error(), wrong) || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("%s: %q holds the password, or more than a line", mechanism, err)
		}
		if strings.Contains(client.URI(), wrong) {
			t.Errorf("%s: the client's URI holds the password", mechanism)
		}
	}
}

func TestConnectionStringChoosesUserAndMechanism(t *testing.T) {
	rs := mongotest.New(t, mongotest.Options{Nodes: 1, Username: rootName, Password: rootPassword})
	root := connectTo(t, rs.URI())
	for _, user := range []struct{ db, name, mechanism string }{
		{"app", "new", "SCRAM-SHA-256"}, {"app", "old", "SCRAM-SHA-1"}, {"app", "with@:/%", "SCRAM-SHA-256"},
	} {
		if _, err := root.Database(user.db).RunCommand(bounded(t), d("createUser", user.name, "pwd", "p:ä/"+user.name,
			"roles", bson.A{d("role", "readWrite", "db", "app")}, "mechanisms", bson.A{user.mechanism})); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ name, path, options, want string }{
		{"new", "", "authSource=app", "new@app"},
		{"new", "app", "", "new@app"},
		{"new", "other", "authSource=app", "new@app"},
		{"new", "app", "authMechanism=SCRAM-SHA-256", "new@app"},
		{"new", "app", "authMechanism=SCRAM-SHA-1", ""},
		{"old", "app", "", "old@app"},
		{"old", "app", "authMechanism=SCRAM-SHA-1", "old@app"},
		{"old", "app", "authMechanism=SCRAM-SHA-256", ""},
		{"with@:/%", "app", "", "with@:/%@app"},
		{"new", "", "", ""},
		{"new", "", "authSource=admin", ""},
		{"nobody", "app", "", ""},
	} {
		uri := credentials(rs.URI(), tt.name, "p:ä/"+tt.name, tt.path)
		if tt.options != "" {
			uri = withOptions(uri, tt.options)
		}
		client := connectTo(t, uri)
		err := client.Ping(bounded(t), nil)
		if (err == nil) != (tt.want != "") {
			t.Errorf("%s: %v, want to be %q", client.URI(), err, tt.want)
		} else if err == nil {
			if got := whoAmI(t, client, nil); got != tt.want {
				t.Errorf("%s: the client is %q, want %q", client.URI(), got, tt.want)
			}
		}
	}
}

func TestX509LogsInByCertificate(t *testing.T) {
	ca := newAuthority(t)
	rs := mongotest.New(t, mongotest.Options{
		Nodes: 1, TLS: ca.server("127.0.0.1"), Username: rootName, Password: rootPassword,
	})
	trusted := withOptions(rs.URI(), "tlsCAFile="+url.QueryEscape(ca.file))
	root := connectTo(t, trusted)
	if _, err := root.Database("$external").RunCommand(bounded(t), d("createUser", "CN=alice,O=motor",
		"roles", bson.A{d("role", "readWrite", "db", "app")})); err != nil {
		t.Fatal(err)
	}
	as := func(name string) *motor.Client {
		_, hosts, _ := strings.Cut(trusted, "@")
		file := ca.client(pkix.Name{CommonName: name, Organization: []string{"motor"}})
		return connectTo(t, withOptions("mongodb://"+hosts, "authMechanism=MONGODB-X509", "tlsCertificateKeyFile="+url.QueryEscape(file)))
	}
	if got := whoAmI(t, as("alice"), nil); got != "CN=alice,O=motor@$external" {
		t.Errorf("the client is %q", got)
	}
	var refusal *motor.CommandError
	if err := as("mallory").Ping(bounded(t), nil); !errors.As(err, &refusal) || refusal.Code != 18 {
		t.Errorf("a certificate of no user: %v, want AuthenticationFailed", err)
	}
}
