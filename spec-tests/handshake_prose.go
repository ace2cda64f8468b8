package spectests

import (
	"context"
	"net"
	"os"
	"strings"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// proseHandshake runs the prose tests of mongodb-handshake.
func proseHandshake(t T) {
	t.Run("1: environment", proseEnvironment)
	t.Run("2: arbitrary auth mechanism", func(t T) {
		connectFake(t, &fakeServer{mechanism: "NOBODY-KNOWS"}).ping(t)
	})
	t.Run("metadata 1 to 8", proseMetadata)
	t.Run("metadata 9: backpressure", func(t T) {
		c := connectFake(t, new(fakeServer))
		c.ping(t)
		c.server.mu.Lock()
		defer c.server.mu.Unlock()
		for _, h := range c.server.handshakes {
			if v, _ := h.Lookup("backpressure").Str(); v != "2" {
				t.Errorf("handshake %v", h)
			}
		}
	})
}

// fakeClient is a client of a fakeServer.
type fakeClient struct {
	*motor.Client
	server *fakeServer
}

// connectFake makes a client whose connections are idle after a millisecond.
func connectFake(t T, s *fakeServer, info ...motor.DriverInfo) fakeClient {
	opts := motor.ClientOptions{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { return s.dial(ctx) }}
	if len(info) > 0 {
		opts.DriverInfo = &info[0]
	}
	client, err := motor.Connect(t.Context(), "mongodb://a:1/?maxIdleTimeMS=1", opts)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { client.Close(context.Background()) })
	return fakeClient{client, s}
}

// ping pings and gives the client document of the connection that was made for
// that.
func (c fakeClient) ping(t T) bson.Raw {
	time.Sleep(5 * time.Millisecond)
	if err := c.Ping(t.Context(), nil); err != nil {
		t.Fatalf("%v", err)
	}
	doc, _ := c.server.handshake().Lookup("client").Document()
	return doc
}

// environmentVariables are all that handshakes look at.
var environmentVariables = []string{
	"AWS_EXECUTION_ENV", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
	"FUNCTIONS_WORKER_RUNTIME", "K_SERVICE", "FUNCTION_NAME", "FUNCTION_MEMORY_MB", "FUNCTION_TIMEOUT_SEC", "FUNCTION_REGION",
	"VERCEL", "VERCEL_REGION", "KUBERNETES_SERVICE_HOST",
}

func proseEnvironment(t T) {
	for _, name := range environmentVariables {
		if old, ok := os.LookupEnv(name); ok {
			t.Cleanup(func() { os.Setenv(name, old) })
		} else {
			t.Cleanup(func() { os.Unsetenv(name) })
		}
	}
	lambda := "AWS_EXECUTION_ENV=AWS_Lambda_java8"
	for _, tt := range []struct {
		name string
		vars []string
		want string // name, region, memory_mb, timeout_sec, orchestrator
	}{
		{"1 valid AWS", []string{lambda, "AWS_REGION=us-east-2", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1024"}, "aws.lambda us-east-2 1024 - -"},
		{"2 valid Azure", []string{"FUNCTIONS_WORKER_RUNTIME=node"}, "azure.func - - - -"},
		{
			"3 valid GCP",
			[]string{"K_SERVICE=servicename", "FUNCTION_MEMORY_MB=1024", "FUNCTION_TIMEOUT_SEC=60", "FUNCTION_REGION=us-central1"},
			"gcp.func us-central1 1024 60 -",
		},
		{"4 valid Vercel", []string{"VERCEL=1", "VERCEL_REGION=cdg1"}, "vercel cdg1 - - -"},
		{"5 multiple providers", []string{lambda, "FUNCTIONS_WORKER_RUNTIME=node"}, "- - - - -"},
		{"6 long string", []string{lambda, "AWS_REGION=" + strings.Repeat("a", 512)}, "aws.lambda - - - -"},
		{"7 wrong types", []string{lambda, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=big"}, "aws.lambda - - - -"},
		{"8 not Lambda", []string{"AWS_EXECUTION_ENV=EC2"}, "- - - - -"},
		{
			"9 container and FaaS",
			[]string{lambda, "AWS_REGION=us-east-2", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1024", "KUBERNETES_SERVICE_HOST=1"},
			"aws.lambda us-east-2 1024 - kubernetes",
		},
	} {
		t.Run(tt.name, func(t T) {
			for _, name := range environmentVariables {
				os.Unsetenv(name)
			}
			for _, v := range tt.vars {
				name, value, _ := strings.Cut(v, "=")
				os.Setenv(name, value)
			}
			doc := connectFake(t, new(fakeServer)).ping(t)
			var got []string
			for _, path := range [][]string{{"name"}, {"region"}, {"memory_mb"}, {"timeout_sec"}, {"container", "orchestrator"}} {
				v := doc.Lookup(append([]string{"env"}, path...)...)
				if v.IsZero() {
					got = append(got, "-")
				} else {
					got = append(got, strings.Trim(v.String(), `"`))
				}
			}
			if got := strings.Join(got, " "); got != tt.want || len(doc) > 512 {
				t.Errorf("env is %s in %d bytes, want %s", got, len(doc), tt.want)
			}
		})
	}
}

// proseMetadata appends to the metadata of clients, at the beginning or later.
func proseMetadata(t T) {
	info := func(name, version, platform string) motor.DriverInfo {
		return motor.DriverInfo{Name: name, Version: version, Platform: platform}
	}
	library := info("library", "1.2", "Library Platform")
	framework := info("framework", "2.0", "Framework Platform")
	for _, tt := range []struct {
		name     string
		initial  bool // the first is given when the client is made
		appended []motor.DriverInfo
		want     motor.DriverInfo // without what the driver says of itself
	}{
		{"1.1", true, []motor.DriverInfo{library, framework}, info("library|framework", "1.2|2.0", "Library Platform|Framework Platform")},
		{"1.2", true, []motor.DriverInfo{library, info("framework", "2.0", "")}, info("library|framework", "1.2|2.0", "Library Platform")},
		{"1.3", true, []motor.DriverInfo{library, info("framework", "", "Framework Platform")}, info("library|framework", "1.2", "Library Platform|Framework Platform")},
		{"1.4", true, []motor.DriverInfo{library, info("framework", "", "")}, info("library|framework", "1.2", "Library Platform")},
		{"2.1", false, []motor.DriverInfo{library, framework}, info("library|framework", "1.2|2.0", "Library Platform|Framework Platform")},
		{"2.2", false, []motor.DriverInfo{library, info("framework", "2.0", "")}, info("library|framework", "1.2|2.0", "Library Platform")},
		{"2.3", false, []motor.DriverInfo{library, info("framework", "", "Framework Platform")}, info("library|framework", "1.2", "Library Platform|Framework Platform")},
		{"2.4", false, []motor.DriverInfo{library, info("framework", "", "")}, info("library|framework", "1.2", "Library Platform")},
		{"3.1", false, []motor.DriverInfo{library, library}, library},
		{"3.2", false, []motor.DriverInfo{library, info("framework", "1.2", "Library Platform")}, info("library|framework", "1.2|1.2", "Library Platform|Library Platform")},
		{"3.3", false, []motor.DriverInfo{library, info("library", "2.0", "Library Platform")}, info("library|library", "1.2|2.0", "Library Platform|Library Platform")},
		{"3.4", false, []motor.DriverInfo{library, info("library", "1.2", "Framework Platform")}, info("library|library", "1.2|1.2", "Library Platform|Framework Platform")},
		{"3.5", false, []motor.DriverInfo{library, info("framework", "2.0", "Library Platform")}, info("library|framework", "1.2|2.0", "Library Platform|Library Platform")},
		{"3.6", false, []motor.DriverInfo{library, info("framework", "1.2", "Framework Platform")}, info("library|framework", "1.2|1.2", "Library Platform|Framework Platform")},
		{"3.7", false, []motor.DriverInfo{library, info("library", "2.0", "Framework Platform")}, info("library|library", "1.2|2.0", "Library Platform|Framework Platform")},
		{"4", false, []motor.DriverInfo{library, framework, library}, info("library|framework", "1.2|2.0", "Library Platform|Framework Platform")},
		{"5", true, []motor.DriverInfo{library, library}, library},
		{"6", true, []motor.DriverInfo{library, info("framework", "1.2", "Library Platform"), library}, info("library|framework", "1.2|1.2", "Library Platform|Library Platform")},
		{"7.2", false, []motor.DriverInfo{info("library", "", "Library Platform"), info("library", "", "Library Platform")}, info("library", "", "Library Platform")},
		{"7.3", false, []motor.DriverInfo{info("library", "1.2", ""), info("library", "1.2", "")}, info("library", "1.2", "")},
		{"8.2", true, []motor.DriverInfo{info("library", "", "Library Platform"), info("library", "", "Library Platform")}, info("library", "", "Library Platform")},
		{"8.3", true, []motor.DriverInfo{info("library", "1.2", ""), info("library", "1.2", "")}, info("library", "1.2", "")},
	} {
		t.Run(tt.name, func(t T) {
			var client fakeClient
			rest := tt.appended
			if tt.initial {
				client = connectFake(t, new(fakeServer), rest[0])
				rest = rest[1:]
			} else {
				client = connectFake(t, new(fakeServer))
			}
			before := client.ping(t)
			for _, i := range rest {
				if err := client.AppendDriverInfo(i); err != nil {
					t.Fatalf("%v", err)
				}
				client.ping(t)
			}
			after := client.ping(t)
			added := func(path ...string) string {
				whole, _ := after.Lookup(path...).Str()
				_, added, _ := strings.Cut(whole, "|")
				return added
			}
			if got := info(added("driver", "name"), added("driver", "version"), added("platform")); got != tt.want {
				t.Errorf("the driver adds %q, want %q", got, tt.want)
			}
			for _, field := range []string{"application", "os", "env"} {
				if a, b := before.Lookup(field).String(), after.Lookup(field).String(); a != b {
					t.Errorf("%s was %s and is %s", field, a, b)
				}
			}
		})
	}
}
