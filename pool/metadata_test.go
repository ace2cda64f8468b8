package pool

import (
	"strings"
	"testing"
)

// within is an environment of variables and nothing else.
func within(vars map[string]string) environment {
	return environment{getenv: func(name string) string { return vars[name] }, os: osInfo{kind: "Linux"}}
}

// Prose test 1 of mongodb-handshake: client.env is what the environment says.
func TestProse1Environment(t *testing.T) {
	aws := func(more ...string) map[string]string {
		vars := map[string]string{"AWS_EXECUTION_ENV": "AWS_Lambda_java8"}
		for i := 0; i < len(more); i += 2 {
			vars[more[i]] = more[i+1]
		}
		return vars
	}
	for _, tt := range []struct {
		name string
		vars map[string]string
		want string
	}{
		{
			"1 valid AWS", aws("AWS_REGION", "us-east-2", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024"),
			`{"name":"aws.lambda","memory_mb":1024,"region":"us-east-2"}`,
		},
		{"2 valid Azure", map[string]string{"FUNCTIONS_WORKER_RUNTIME": "node"}, `{"name":"azure.func"}`},
		{
			"3 valid GCP",
			map[string]string{"K_SERVICE": "servicename", "FUNCTION_MEMORY_MB": "1024", "FUNCTION_TIMEOUT_SEC": "60", "FUNCTION_REGION": "us-central1"},
			`{"name":"gcp.func","timeout_sec":60,"memory_mb":1024,"region":"us-central1"}`,
		},
		{"4 valid Vercel", map[string]string{"VERCEL": "1", "VERCEL_REGION": "cdg1"}, `{"name":"vercel","region":"cdg1"}`},
		{"5 multiple providers", aws("FUNCTIONS_WORKER_RUNTIME", "node"), ``},
		{"6 long string", aws("AWS_REGION", strings.Repeat("a", 512)), `{"name":"aws.lambda"}`},
		{"7 wrong types", aws("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "big"), `{"name":"aws.lambda"}`},
		{"8 not Lambda", map[string]string{"AWS_EXECUTION_ENV": "EC2"}, ``},
		{
			"9 container and FaaS", aws("AWS_REGION", "us-east-2", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024", "KUBERNETES_SERVICE_HOST", "1"),
			`{"name":"aws.lambda","memory_mb":1024,"region":"us-east-2","container":{"orchestrator":"kubernetes"}}`,
		},
		{"Vercel on AWS", aws("VERCEL", "1"), `{"name":"vercel"}`},
		{"Vercel on AWS and Azure", aws("VERCEL", "1", "FUNCTIONS_WORKER_RUNTIME", "node"), ``},
		{"AWS runtime API", map[string]string{"AWS_LAMBDA_RUNTIME_API": "x"}, `{"name":"aws.lambda"}`},
		{"number out of range", aws("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2147483648"), `{"name":"aws.lambda"}`},
		{"nothing", nil, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := newMetadata(within(tt.vars)).document("")
			if len(doc) > maxMetadata {
				t.Errorf("%d bytes", len(doc))
			}
			got := ""
			if env := doc.Lookup("env"); !env.IsZero() {
				got = env.String()
			}
			if got != tt.want {
				t.Errorf("env is %s, want %s", got, tt.want)
			}
			if doc.Lookup("driver", "name").String() != `"motor"` || doc.Lookup("os", "type").IsZero() || doc.Lookup("platform").IsZero() {
				t.Errorf("document %v", doc)
			}
		})
	}
}

func TestDockerEnvironment(t *testing.T) {
	env := within(nil)
	env.docker = true
	doc := newMetadata(env).document("")
	if got := doc.Lookup("env").String(); got != `{"container":{"runtime":"docker"}}` {
		t.Errorf("env is %s", got)
	}
}

// The order in which parts are left out until the document fits.
func TestMetadataLimit(t *testing.T) {
	base := len(clientDocument("", []DriverInfo{{"d", "1", ""}}, environment{getenv: func(string) string { return "" }, os: osInfo{kind: "Linux"}}))
	for _, tt := range []struct {
		name                              string
		app, platform, osName, region     int // lengths
		envDetails, osDetails, env, whole bool
	}{
		{"all fits", 10, 10, 10, 10, true, true, true, true},
		{"details of env", 10, 10, 10, 400, false, true, true, true},
		{"details of os", 10, 10, 400, 400, false, false, true, true},
		{"env", 10, maxMetadata - base - 60, 400, 400, false, false, false, true},
		{"platform", 100, 600, 400, 400, false, false, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			env := within(map[string]string{"VERCEL": "1", "VERCEL_REGION": strings.Repeat("r", tt.region)})
			env.os.name = strings.Repeat("o", tt.osName)
			doc := clientDocument(strings.Repeat("a", tt.app), []DriverInfo{{"d", "1", strings.Repeat("é", tt.platform/2)}}, env)
			if len(doc) > maxMetadata {
				t.Errorf("%d bytes", len(doc))
			}
			if err := doc.Validate(); err != nil {
				t.Error(err)
			}
			platform, _ := doc.Lookup("platform").Str()
			for what, pair := range map[string][2]bool{
				"details of env": {tt.envDetails, !doc.Lookup("env", "region").IsZero()},
				"details of os":  {tt.osDetails, !doc.Lookup("os", "name").IsZero()},
				"env":            {tt.env, !doc.Lookup("env").IsZero()},
				"whole platform": {tt.whole, len(platform) == tt.platform/2*2},
			} {
				if pair[0] != pair[1] {
					t.Errorf("%s: %v, want %v", what, pair[1], pair[0])
				}
			}
			if tt.name == "platform" && len(doc) < maxMetadata-1 {
				t.Errorf("the platform was cut too short: %d bytes", len(doc))
			}
		})
	}
}

func TestMetadataOfManyLibraries(t *testing.T) {
	m := newMetadata(within(nil))
	for _, c := range "abcdef" {
		if err := m.Append(DriverInfo{Name: strings.Repeat(string(c), 100), Version: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	doc := m.document(strings.Repeat("x", 128))
	name, _ := doc.Lookup("driver", "name").Str()
	if len(doc) > maxMetadata || !strings.HasPrefix(name, "motor|aaa") {
		t.Errorf("%d bytes: %s", len(doc), doc)
	}
}

// The client metadata update prose tests 1 to 8 of mongodb-handshake: what is
// appended when, and what a new connection says after it.
func TestMetadataUpdates(t *testing.T) {
	library := DriverInfo{"library", "1.2", "Library Platform"}
	framework := DriverInfo{"framework", "2.0", "Framework Platform"}
	for _, tt := range []struct {
		name  string
		infos []DriverInfo
		want  DriverInfo // without this driver
	}{
		{"1.1, 2.1", []DriverInfo{library, framework}, DriverInfo{"library|framework", "1.2|2.0", "Library Platform|Framework Platform"}},
		{"1.2, 2.2", []DriverInfo{library, {"framework", "2.0", ""}}, DriverInfo{"library|framework", "1.2|2.0", "Library Platform"}},
		{"1.3, 2.3", []DriverInfo{library, {"framework", "", "Framework Platform"}}, DriverInfo{"library|framework", "1.2", "Library Platform|Framework Platform"}},
		{"1.4, 2.4", []DriverInfo{library, {"framework", "", ""}}, DriverInfo{"library|framework", "1.2", "Library Platform"}},
		{"3.1, 5", []DriverInfo{library, library}, library},
		{"3.2", []DriverInfo{library, {"framework", "1.2", "Library Platform"}}, DriverInfo{"library|framework", "1.2|1.2", "Library Platform|Library Platform"}},
		{"3.3", []DriverInfo{library, {"library", "2.0", "Library Platform"}}, DriverInfo{"library|library", "1.2|2.0", "Library Platform|Library Platform"}},
		{"3.4", []DriverInfo{library, {"library", "1.2", "Framework Platform"}}, DriverInfo{"library|library", "1.2|1.2", "Library Platform|Framework Platform"}},
		{"3.5", []DriverInfo{library, {"framework", "2.0", "Library Platform"}}, DriverInfo{"library|framework", "1.2|2.0", "Library Platform|Library Platform"}},
		{"3.6", []DriverInfo{library, {"framework", "1.2", "Framework Platform"}}, DriverInfo{"library|framework", "1.2|1.2", "Library Platform|Framework Platform"}},
		{"3.7", []DriverInfo{library, {"library", "2.0", "Framework Platform"}}, DriverInfo{"library|library", "1.2|2.0", "Library Platform|Framework Platform"}},
		{"4, 6", []DriverInfo{library, framework, library}, DriverInfo{"library|framework", "1.2|2.0", "Library Platform|Framework Platform"}},
		{"7.2, 8.2", []DriverInfo{{Name: "library", Platform: "Library Platform"}, {"library", "", "Library Platform"}}, DriverInfo{"library", "", "Library Platform"}},
		{"7.3, 8.3", []DriverInfo{{Name: "library", Version: "1.2"}, {"library", "1.2", ""}}, DriverInfo{"library", "1.2", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			metadata := newMetadata(within(nil))
			first := metadata.document("app")
			for _, info := range tt.infos {
				if err := metadata.Append(info); err != nil {
					t.Fatal(err)
				}
			}
			// What a new connection says.
			s, commands := recordingServer(nil)
			c, err := Connect(t.Context(), Config{Address: "a:1", Dial: s.dial, Handshake: Handshake{AppName: "app", Metadata: metadata}})
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			s.running.Wait()
			doc, _ := (*commands)[0].Lookup("client").Document()
			library := func(path ...string) string {
				all, _ := doc.Lookup(path...).Str()
				_, added, _ := strings.Cut(all, "|")
				return added
			}
			if got := (DriverInfo{library("driver", "name"), library("driver", "version"), library("platform")}); got != tt.want {
				t.Errorf("added %q, want %q", got, tt.want)
			}
			for _, field := range []string{"application", "os", "env"} {
				if a, b := first.Lookup(field).String(), doc.Lookup(field).String(); a != b {
					t.Errorf("%s was %s and is %s", field, a, b)
				}
			}
		})
	}
}

func TestMetadataDelimiter(t *testing.T) {
	m := newMetadata(within(nil))
	for _, info := range []DriverInfo{{Name: "a|b"}, {Name: "a", Version: "1|2"}, {Name: "a", Platform: "|"}} {
		if err := m.Append(info); err == nil || !strings.Contains(err.Error(), "delimiter") {
			t.Errorf("%+v: %v", info, err)
		}
	}
}

func TestProcessEnvironment(t *testing.T) {
	doc := defaultMetadata().document("x")
	if err := doc.Validate(); err != nil || doc.Lookup("os", "architecture").IsZero() || len(doc) > maxMetadata {
		t.Errorf("%v: %v", doc, err)
	}
	t.Setenv("VERCEL", "1")
	if !OnFaaS() {
		t.Error("not a function of a cloud")
	}
}
