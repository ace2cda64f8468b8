package spectests

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/motor-go/motor/bson"
)

func requirements(t *testing.T, text string) (list []requirement) {
	t.Helper()
	var s struct{ List []requirement }
	if err := decodeText(t, &s, `{"list": `+text+`}`); err != nil {
		t.Fatal(err)
	}
	return s.List
}

func TestRequirements(t *testing.T) {
	facts := Facts{Topology: "sharded", Version: Version{6, 0, 3}}
	parameters := bson.Raw(extJSON(t, `{"enableTestCommands": true, "level": 1.0, "authenticationMechanisms": ["SCRAM-SHA-256", "MONGODB-X509"]}`).Value)
	for text, want := range map[string]string{
		`[]`:                                                               "",
		`[{"minServerVersion": "6.0"}]`:                                    "",
		`[{"minServerVersion": "6.0.4"}]`:                                  "server 6.0.4 or newer",
		`[{"maxServerVersion": "6.0.99"}]`:                                 "",
		`[{"maxServerVersion": "6.0"}]`:                                    "server 6.0.0 or older",
		`[{"topologies": ["single", "sharded"]}]`:                          "",
		`[{"topologies": ["sharded-replicaset"]}]`:                         "",
		`[{"topologies": ["single", "replicaset"]}]`:                       "topology single, replicaset",
		`[{"topologies": ["single"]}, {"minServerVersion": "7.0"}]`:        "topology single or server 7.0.0 or newer",
		`[{"topologies": ["single"]}, {"minServerVersion": "4.0"}]`:        "",
		`[{"auth": false}]`:                                                "",
		`[{"auth": true}]`:                                                 "auth: true",
		`[{"serverless": "forbid"}]`:                                       "",
		`[{"serverless": "allow"}]`:                                        "",
		`[{"serverless": "require"}]`:                                      "serverless",
		`[{"csfle": false}]`:                                               "",
		`[{"csfle": true}]`:                                                "csfle",
		`[{"csfle": {"minLibmongocryptVersion": "1.8"}}]`:                  "csfle",
		`[{"serverParameters": {"enableTestCommands": true, "level": 1}}]`: "",
		`[{"serverParameters": {"enableTestCommands": false}}]`:            "server parameter enableTestCommands: false",
		`[{"serverParameters": {"unknown": true}}]`:                        "server parameter unknown: true",
		`[{"authMechanism": "mongodb-x509"}]`:                              "",
		`[{"authMechanism": "MONGODB-OIDC"}]`:                              "authentication mechanism MONGODB-OIDC",
	} {
		got := unmetOf(requirements(t, text), func(r requirement) string { return r.unmetBy(facts, parameters) })
		if got != want {
			t.Errorf("%s is not met because of %q, want %q", text, got, want)
		}
	}
}

// A test runs on the newest version that meets all its requirements. A
// deployment that is not needed is not started.
func TestChoose(t *testing.T) {
	var started []Facts
	d := &Deployments{
		candidates: []Facts{
			{"single", Version{8}, false},
			{"replicaset", Version{8}, false},
			{"single", Version{4, 2}, false},
			{"single", Version{8}, true},
			{"single", Version{4, 2}, true},
		},
		start: func(_ context.Context, f Facts) (*Deployment, error) {
			started = append(started, f)
			if f.Auth && f.Version[0] == 4 {
				return nil, errors.New("it does not start")
			}
			return &Deployment{Facts: f, stop: func() {}}, nil
		},
	}
	for _, c := range []struct{ topology, file, test, want string }{
		{"single", `[]`, `[]`, "single 8.0.0"},
		{"single", `[{"maxServerVersion": "4.4"}]`, `[]`, "single 4.2.0"},
		{"single", `[]`, `[{"auth": true}]`, "single 8.0.0 with auth"},
		{"single", `[{"maxServerVersion": "4.4"}]`, `[{"auth": true}]`, "error: it does not start"},
		{"single", `[{"topologies": ["replicaset"]}]`, `[]`, "unmet: topology replicaset"},
		{"single", `[{"minServerVersion": "9"}]`, `[]`, "unmet: server 9.0.0 or newer"},
		{"single", `[{"maxServerVersion": "4.4"}]`, `[{"minServerVersion": "5"}]`, "unmet: server 4.4.0 or older"},
		{"replicaset", `[]`, `[]`, "replicaset 8.0.0"},
		{"replicaset", `[{"auth": true}]`, `[]`, "unmet: auth: true"},
	} {
		found, why, err := d.choose(t.Context(), c.topology, requirements(t, c.file), requirements(t, c.test))
		got := "unmet: " + why
		switch {
		case err != nil:
			got = "error: " + err.Error()
		case found != nil:
			got = found.Facts.String()
		}
		if got != c.want {
			t.Errorf("%s, %s, %s: %s, want %s", c.topology, c.file, c.test, got, c.want)
		}
	}
	if want := (Facts{"single", Version{8}, false}); len(started) != 5 || started[0] != want {
		t.Errorf("started %v, each must be started once", started)
	}
	if got := d.Topologies(); !slices.Equal(got, []string{"single", "replicaset"}) {
		t.Errorf("the topologies are %v", got)
	}
}

func TestConnectionStrings(t *testing.T) {
	for _, c := range []struct {
		uri, options, want string
	}{
		{"mongodb://h", `{}`, "mongodb://h/?"},
		{"mongodb://h:1,i:2", `{"w": 1}`, "mongodb://h:1,i:2/?w=1"},
		{"mongodb://u:p%40@h/db?W=2&a=b", `{"w": "majority"}`, "mongodb://u:p%40@h/db?a=b&w=majority"},
		{"mongodb://u:p@h:1,i:2/?replicaSet=rs", `{"directConnection": true}`, "mongodb://u:p@h:1/?directConnection=true"},
		{"mongodb://h/", `{"readPreferenceTags": ["dc:ny,rack:1", "dc:ny"]}`, "mongodb://h/?readPreferenceTags=dc%3Any&readPreferenceTags=dc%3Any%2Crack%3A1"},
	} {
		spec := clientSpec{URIOptions: bson.Raw(extJSON(t, c.options).Value)}
		if got, err := spec.connectionString(&Deployment{URI: c.uri}); got != c.want || err != nil {
			t.Errorf("%s with %s is %s, %v, want %s", c.uri, c.options, got, err, c.want)
		}
	}
	oidc := clientSpec{URIOptions: bson.Raw(extJSON(t, `{"authMechanism": "MONGODB-OIDC", "authMechanismProperties": {"$$placeholder": 1}}`).Value)}
	if got, err := oidc.connectionString(&Deployment{URI: "mongodb://u:p@h,i/", oidcToken: "t"}); got != "mongodb://h,i/?authMechanism=MONGODB-OIDC" || err != nil {
		t.Errorf("with a token the connection string is %s, %v", got, err)
	}
	if got := withOptions("mongodb://h/?a=b", url.Values{"a": nil}); got != "mongodb://h/?" {
		t.Errorf("an option taken off leaves %s", got)
	}
	spec := clientSpec{URIOptions: bson.Raw(extJSON(t, `{"authMechanismProperties": {"$$placeholder": 1}}`).Value)}
	if _, err := spec.connectionString(&Deployment{URI: "mongodb://h"}); err == nil || !strings.Contains(err.Error(), "placeholder") {
		t.Errorf("a placeholder without a value: %v", err)
	}
}

// Of several mongos a client gets one, unless it asks for more.
func TestMultipleMongoses(t *testing.T) {
	for _, c := range []struct {
		topology string
		multiple *bool
		want     string
	}{
		{"sharded", nil, "one"},
		{"sharded", new(false), "one"},
		{"sharded", new(true), "all"},
		{"load-balanced", nil, "all"},
		{"load-balanced", new(false), "one"},
		{"load-balanced", new(true), "all"},
		{"replicaset", new(false), "all"},
		{"single", nil, "all"},
	} {
		d := &Deployment{Facts: Facts{Topology: c.topology}, URI: "mongodb://all", SingleURI: "mongodb://one"}
		got, err := clientSpec{UseMultipleMongoses: c.multiple}.connectionString(d)
		if err != nil || !strings.HasPrefix(got, "mongodb://"+c.want) {
			t.Errorf("%s, %v: %s, %v", c.topology, c.multiple, got, err)
		}
	}
}
