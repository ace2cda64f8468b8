package uri

import (
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor/concern"
)

func parse(t *testing.T, s string) *Config {
	t.Helper()
	c, warnings, err := Parse(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	if len(warnings) > 0 {
		t.Errorf("%s: %v", s, warnings)
	}
	return c
}

func TestDefaults(t *testing.T) {
	want := defaults
	want.Hosts = []string{"localhost:27017"}
	if got := parse(t, "mongodb://localhost"); !reflect.DeepEqual(*got, want) {
		t.Errorf("got %#v", got)
	}
	want = defaults
	want.SRVHost, want.TLS = "a.example.com", true
	if got := parse(t, "mongodb+srv://A.Example.com./"); !reflect.DeepEqual(*got, want) {
		t.Errorf("got %#v", got)
	}
}

// TestEveryOption sets each option to something that is not its default, and
// finds it in the Config and in its connection string.
func TestEveryOption(t *testing.T) {
	const hosts = "mongodb://u:p@a:1,[::1]/db?"
	for assignment, changed := range map[string]func(*Config){
		"replicaSet=rs":                  func(c *Config) { c.ReplicaSet = "rs" },
		"loadBalanced=false":             func(c *Config) { c.LoadBalancedSet = true },
		"authSource=s":                   func(c *Config) { c.AuthSource = "s" },
		"authMechanism=PLAIN":            func(c *Config) { c.AuthMechanism = "PLAIN" },
		"appname=n":                      func(c *Config) { c.AppName = "n" },
		"connectTimeoutMS=1":             func(c *Config) { c.ConnectTimeout = time.Millisecond },
		"socketTimeoutMS=1":              func(c *Config) { c.SocketTimeout = time.Millisecond },
		"timeoutMS=0":                    func(c *Config) { c.Timeout = new(time.Duration) },
		"serverSelectionTimeoutMS=0":     func(c *Config) { c.ServerSelectionTimeout = 0 },
		"serverSelectionTryOnce=true":    func(c *Config) { c.ServerSelectionTryOnce = true },
		"localThresholdMS=0":             func(c *Config) { c.LocalThreshold = 0 },
		"heartbeatFrequencyMS=500":       func(c *Config) { c.HeartbeatFrequency = 500 * time.Millisecond },
		"serverMonitoringMode=poll":      func(c *Config) { c.ServerMonitoringMode = "poll" },
		"maxPoolSize=0":                  func(c *Config) { c.MaxPoolSize = 0 },
		"minPoolSize=1":                  func(c *Config) { c.MinPoolSize = 1 },
		"maxConnecting=1":                func(c *Config) { c.MaxConnecting = 1 },
		"maxIdleTimeMS=2147483647":       func(c *Config) { c.MaxIdleTime = 2147483647 * time.Millisecond },
		"waitQueueTimeoutMS=1":           func(c *Config) { c.WaitQueueTimeout = time.Millisecond },
		"retryReads=false":               func(c *Config) { c.RetryReads = false },
		"retryWrites=false":              func(c *Config) { c.RetryWrites = false },
		"maxAdaptiveRetries=0":           func(c *Config) { c.MaxAdaptiveRetries = 0 },
		"enableOverloadRetargeting=true": func(c *Config) { c.EnableOverloadRetargeting = true },
		"readConcernLevel=majority":      func(c *Config) { c.ReadConcern.Level = "majority" },
		"w=2":                            func(c *Config) { c.WriteConcern.W = 2 },
		"w=majority":                     func(c *Config) { c.WriteConcern.W = "majority" },
		"journal=false":                  func(c *Config) { c.WriteConcern.Journal = new(bool) },
		"wTimeoutMS=9223372036854":       func(c *Config) { c.WriteConcern.WTimeout = 9223372036854 * time.Millisecond },
		"readPreference=nearest":         func(c *Config) { c.ReadPreference.Mode = concern.Nearest },
		"readPreference=secondary&readPreferenceTags=dc:ny,rack:1&readPreferenceTags=": func(c *Config) {
			c.ReadPreference.Mode = concern.Secondary
			c.ReadPreference.TagSets = []concern.TagSet{{{Name: "dc", Value: "ny"}, {Name: "rack", Value: "1"}}, nil}
		},
		"readPreference=secondary&maxStalenessSeconds=120": func(c *Config) {
			c.ReadPreference = concern.ReadPreference{Mode: concern.Secondary, MaxStaleness: 2 * time.Minute}
		},
		"compressors=zstd,snappy,zlib":                func(c *Config) { c.Compressors = []string{"zstd", "snappy", "zlib"} },
		"zlibCompressionLevel=0":                      func(c *Config) { c.ZlibCompressionLevel = 0 },
		"tls=true":                                    func(c *Config) { c.TLS = true },
		"tlsCAFile=/etc/ca.pem":                       func(c *Config) { c.TLS, c.TLSCAFile = true, "/etc/ca.pem" },
		"tls=false&tlsCAFile=ca.pem":                  func(c *Config) { c.TLSCAFile = "ca.pem" },
		"tlsCertificateKeyFile=k":                     func(c *Config) { c.TLS, c.TLSCertificateKeyFile = true, "k" },
		"tlsCertificateKeyFilePassword=p":             func(c *Config) { c.TLS, c.TLSCertificateKeyFilePassword = true, "p" },
		"tlsInsecure=true":                            func(c *Config) { c.TLS, c.TLSInsecure = true, true },
		"tlsAllowInvalidCertificates=true":            func(c *Config) { c.TLS, c.TLSAllowInvalidCertificates = true, true },
		"tlsAllowInvalidHostnames=true":               func(c *Config) { c.TLS, c.TLSAllowInvalidHostnames = true, true },
		"tlsDisableOCSPEndpointCheck=true":            func(c *Config) { c.TLS, c.TLSDisableOCSPEndpointCheck = true, true },
		"tlsDisableCertificateRevocationCheck=true":   func(c *Config) { c.TLS, c.TLSDisableCertificateRevocationCheck = true, true },
		"proxyHost=h":                                 func(c *Config) { c.ProxyHost = "h" },
		"proxyHost=h&proxyPort=1":                     func(c *Config) { c.ProxyHost, c.ProxyPort = "h", 1 },
		"proxyHost=h&proxyUsername=u&proxyPassword=p": func(c *Config) { c.ProxyHost, c.ProxyUsername, c.ProxyPassword = "h", "u", "p" },
	} {
		want := *parse(t, hosts)
		changed(&want)
		got := parse(t, hosts+assignment)
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: got %#v", assignment, got)
		}
		if s := got.URI(); s != "mongodb://u:p@a:1,[::1]:27017/db?"+assignment {
			t.Errorf("%s is written as %s", assignment, s)
		}
	}
	for s, changed := range map[string]func(*Config){
		"mongodb://a:1/?directConnection=true": func(c *Config) { c.Hosts, c.DirectConnection = []string{"a:1"}, true },
		"mongodb://a:1/?loadBalanced=true":     func(c *Config) { c.Hosts, c.LoadBalanced, c.LoadBalancedSet = []string{"a:1"}, true, true },
		"mongodb+srv://a/?srvServiceName=x":    func(c *Config) { c.SRVHost, c.TLS, c.SRVServiceName = "a", true, "x" },
		"mongodb+srv://a/?srvMaxHosts=1":       func(c *Config) { c.SRVHost, c.TLS, c.SRVMaxHosts = "a", true, 1 },
		"mongodb+srv://a/?tls=false":           func(c *Config) { c.SRVHost = "a" },
		"mongodb://u@a:1/?authMechanism=GSSAPI&authMechanismProperties=SERVICE_HOST:h,SERVICE_NAME:n": func(c *Config) {
			c.Hosts, c.Username, c.AuthMechanism = []string{"a:1"}, "u", "GSSAPI"
			c.AuthMechanismProperties = map[string]string{"SERVICE_NAME": "n", "SERVICE_HOST": "h"}
		},
	} {
		want := defaults
		changed(&want)
		got := parse(t, s)
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: got %#v", s, got)
		}
		if got.URI() != s {
			t.Errorf("%s is written as %s", s, got.URI())
		}
	}
}

// TestTable finds each name once, and whatever replaces a deprecated one.
func TestTable(t *testing.T) {
	for _, o := range options {
		if optionNamed[strings.ToLower(o.name)].name != o.name {
			t.Errorf("%s is in the table twice", o.name)
		}
		if o.renamed != "" && optionNamed[strings.ToLower(o.renamed)] == nil {
			t.Errorf("%s is renamed to %s, which is not in the table", o.name, o.renamed)
		}
	}
}

func TestHosts(t *testing.T) {
	for s, want := range map[string][]string{
		"mongodb://A,b:2":                         {"a:27017", "b:2"},
		"mongodb://a,A,a:27017,b":                 {"a:27017", "b:27017"},
		"mongodb://[FE80::0:1]:3":                 {"[fe80::1]:3"},
		"mongodb://[fe80::1%25eth0]":              {"[fe80::1%eth0]:27017"},
		"mongodb://%2Ftmp%2FA.sock,%61":           {"/tmp/A.sock", "a:27017"},
		"mongodb://u:p@a.b.c.:1/?retryReads=true": {"a.b.c.:1"},
	} {
		if got := parse(t, s).Hosts; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: hosts are %q", s, got)
		}
	}
}

func TestWarnings(t *testing.T) {
	const long = "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
	for query, want := range map[string][]string{
		"foo=secret":                       {"connection string option foo: unknown, and ignored"},
		"appname=a@b&foo=1":                {"connection string option foo: unknown, and ignored"},
		"wtimeout=5":                       {"connection string option wtimeout=5: deprecated; write wTimeoutMS"},
		"wtimeout=5&wtimeoutMS=6":          {"connection string option wtimeout=5: deprecated, and ignored because wTimeoutMS is given"},
		"journal=1":                        {"connection string option journal=1: a deprecated way to say true"},
		"loadBalanced=n":                   {"connection string option loadBalanced=n: a deprecated way to say false"},
		"tls=yes":                          {"connection string option tls=yes: a deprecated way to say true"},
		"retryWrites=TRUE":                 {"connection string option retryWrites=TRUE: not true or false; it is ignored"},
		"maxPoolSize=-1":                   {"connection string option maxPoolSize=-1: less than 0; it is ignored"},
		"maxPoolSize=2147483648":           {"connection string option maxPoolSize=2147483648: not from 0 to 2147483647; it is ignored"},
		"maxPoolSize=1e3":                  {"connection string option maxPoolSize=1e3: not a whole number; it is ignored"},
		"zlibCompressionLevel=10":          {"connection string option zlibCompressionLevel=10: not from -1 to 9; it is ignored"},
		"heartbeatFrequencyMS=499":         {"connection string option heartbeatFrequencyMS=499: less than 500; it is ignored"},
		"timeoutMS=9223372036855":          {"connection string option timeoutMS=9223372036855: not from 0 to 9223372036854; it is ignored"},
		"maxIdleTimeMS=":                   {"connection string option maxIdleTimeMS: empty, and ignored"},
		"compressors=snappy,lz4":           {`connection string option compressors=snappy,lz4: what is not one of ["snappy" "zlib" "zstd"] is left out`},
		"appname=" + long:                  {"connection string option appname=" + long + ": longer than 128 bytes; it is ignored"},
		"readPreferenceTags=dc":            {"connection string option readPreferenceTags=dc: not a list name:value,name:value (no value can contain a comma); it is ignored"},
		"authMechanismProperties=a":        {"connection string option authMechanismProperties: not a list name:value,name:value (no value can contain a comma); it is ignored"},
		"gssapiServiceName=x":              {"connection string option gssapiServiceName=x: deprecated; write authMechanismProperties"},
		"retryReads=true&RETRYREADS=false": {"connection string option retryReads=false: given more than once; the last value counts"},
	} {
		_, warnings, err := Parse("mongodb://localhost/?" + query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
		}
		var got []string
		for _, w := range warnings {
			got = append(got, w.Error())
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: warnings are %q, wanted %q", query, got, want)
		}
	}
}

func TestErrors(t *testing.T) {
	for s, want := range map[string]string{
		"":                                             "does not begin with mongodb:// or mongodb+srv://",
		"mongodb://\xff":                               "not valid UTF-8",
		"mongodb://":                                   "a host is empty",
		"mongodb://a,":                                 "a host is empty",
		"mongodb://:1":                                 `host ":1": the name is empty`,
		"mongodb://a b":                                `host "a b": no host name contains ' '`,
		"mongodb://a%":                                 `host "a%": a percent sign that is not followed by two hexadecimal digits`,
		"mongodb://a%ff":                               `host "a%ff": not valid UTF-8 when decoded`,
		"mongodb://a:+1":                               `the port of host "a:+1" is not a number from 1 to 65535`,
		"mongodb://u@a:65536":                          `the port of host "a:65536" is not a number from 1 to 65535`,
		"mongodb://::1":                                `host "::1" has more than one colon; an IPv6 address needs brackets`,
		"mongodb://[1.2.3.4]":                          `host "[1.2.3.4]" is not an IPv6 address in brackets`,
		"mongodb://[::1":                               `is not an IPv6 address in brackets`,
		"mongodb://[::1]x":                             `is not an IPv6 address in brackets`,
		"mongodb://a%2Fb":                              `contains a slash, but is not the path of a UNIX domain socket, which ends in .sock`,
		"mongodb://a%2Fb.sock:1":                       `contains a slash, but is not the path of a UNIX domain socket, which ends in .sock`,
		"mongodb://@a":                                 "no user name before the @",
		"mongodb://a/b.c/d":                            `database "b.c/d" contains '/', which no database name can`,
		"mongodb://a/%24x":                             `database "$x" contains '$', which no database name can`,
		"mongodb://a/?w":                               `option "w" is not of the form name=value`,
		"mongodb://a/?=1":                              `option "" is not of the form name=value`,
		"mongodb://a/?w=%zz":                           "the value of option w has a percent sign",
		"mongodb://a/?w=-2":                            "option w=-2: less than 0",
		"mongodb://a/?w=4294967296":                    "option w=4294967296: not from 0 to 2147483647",
		"mongodb://a/?tls=maybe":                       "option tls=maybe: not true or false",
		"mongodb+srv://a.b.c/?tls=":                    "option tls: not true or false",
		"mongodb://a/?tls=1&ssl=0":                     "options tls and ssl are given with different values; give tls once",
		"mongodb://a/?authSource=":                     "option authSource: empty",
		"mongodb://a/?authMechanism=X":                 `option authMechanism=X: not one of ["GSSAPI" "MONGODB-AWS"`,
		"mongodb://a/?srvMaxHosts=0":                   "option srvMaxHosts is for mongodb+srv:// only",
		"mongodb://a/&maxPoolSize=50":                  `database "&maxPoolSize=50": option maxPoolSize is not behind a question mark: the options begin with /?`,
		"mongodb://a/shop&MAXPOOLSIZE=50":              `database "shop&MAXPOOLSIZE=50": option maxPoolSize is not behind`,
		"mongodb://a/w=1":                              `database "w=1": option w is not behind`,
		"mongodb://a&maxPoolSize=50":                   `host "a&maxPoolSize=50": option maxPoolSize is not behind`,
		"mongodb://a:1&w=1":                            `host "a:1&w=1": option w is not behind`,
		"mongodb+srv://a.b.c&w=1":                      `host "a.b.c&w=1": option w is not behind`,
		"mongodb://a&b":                                "no host name contains '&'",
		"mongodb://a=b":                                "no host name contains '='",
		"mongodb://a/?proxyPort=1":                     "option proxyPort needs option proxyHost",
		"mongodb://a/?proxyHost=a&proxyHost=a":         "option proxyHost is given more than once",
		"mongodb://a/?proxyHost=h&proxyUsername=u":     "options proxyUsername and proxyPassword need each other",
		"mongodb://a/?minPoolSize=5&maxPoolSize=4":     "minPoolSize=5 is more than maxPoolSize, which is 4",
		"mongodb://a/?maxStalenessSeconds=120":         "read preference primary takes no maxStalenessSeconds",
		"mongodb://a/?readPreferenceTags=a:b":          "read preference primary takes no tag sets",
		"mongodb://a/?w=0&journal=true":                "write concern w: 0 contradicts journal: true",
		"mongodb://a,b/?directConnection=true":         "directConnection=true with 2 hosts",
		"mongodb://a,b/?loadBalanced=true":             "loadBalanced=true with 2 hosts",
		"mongodb+srv://a/?directConnection=true":       "directConnection=true needs the one host named",
		"mongodb+srv://a/?srvMaxHosts=1&replicaSet=r":  "srvMaxHosts=1 excludes replicaSet=r",
		"mongodb+srv://a/?srvServiceName=a--b":         "option srvServiceName=a--b: not a service name",
		"mongodb+srv://a/?srvServiceName=12":           "option srvServiceName=12: not a service name",
		"mongodb+srv://a,b":                            "takes one host name, not a list",
		"mongodb+srv://a:1":                            "takes a host name without a port",
		"mongodb+srv://1.2.3.4":                        "takes a name that DNS knows, not an address",
		"mongodb+srv://a..b":                           "takes a name of parts between dots",
		"mongodb+srv://":                               "the name is empty",
		"mongodb://u@a/?authMechanism=PLAIN":           "authentication by PLAIN: a password is needed",
		"mongodb://u:p@a/?authMechanismProperties=X:y": `authentication: authMechanismProperties has "X", but there are none`,
		"mongodb://a/?authMechanism=MONGODB-OIDC&authMechanismProperties=TOKEN_RESOURCE:x":     "TOKEN_RESOURCE is for the ENVIRONMENT azure or gcp only",
		"mongodb://a/?authMechanism=MONGODB-OIDC&authMechanismProperties=ALLOWED_HOSTS:x":      `authMechanismProperties has "ALLOWED_HOSTS"`,
		"mongodb://u@a/?authMechanism=GSSAPI&authMechanismProperties=CANONICALIZE_HOST_NAME:x": `CANONICALIZE_HOST_NAME "x" is not one of`,
	} {
		c, _, err := Parse(s)
		if err == nil {
			t.Errorf("%s is accepted as %v", s, c)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %q, wanted it to contain %q", s, err, want)
		}
	}
}

// TestSecrets writes a password in wrong and in right places, and finds it in
// no error, no warning and nothing printed.
func TestSecrets(t *testing.T) {
	const secret = "hunter2"
	for _, s := range []string{
		"mongodb://alice:hunter2@localhost/",
		"mongodb://alice:hunter2%@localhost/",
		"mongodb://alice:hunter2:x@localhost/",
		"mongodb://alice:hunter2@x@localhost/",
		"mongodb://alice:hunter2/x@localhost/",
		"mongodb://alice:1/hunter2@localhost/",
		"mongodb://alice:1/hunter2$@localhost/",
		"mongodb://alice:hunter2?x@localhost/",
		"mongodb://alice:1?hunter2@localhost/",
		"mongodb://alice:1?x=hunter2@localhost/",
		"mongodb://alice:1?maxPoolSize=hunter2@localhost/",
		"mongodb://alice:1?hunter2=x@localhost/",
		"mongodb://alice:1?x&hunter2=y@localhost/",
		"mongodb://alice:1?maxPoolSize=1&hunter2=x@localhost/",
		"mongodb://alice:1?tls=hunter2&appname=x@localhost/",
		"mongodb://alice:1?compressors=hunter2&appname=x@localhost/",
		"mongodb://alice:1?readPreference=hunter2&appname=x@localhost/",
		"mongodb://alice:1?replicaSet=hunter2&loadBalanced=true&appname=x@localhost/",
		"mongodb+srv://alice:hunter2?x=y@localhost/",
		"mongodb+srv://alice?hunter2=y@localhost/",
		"mongodb://alice:hunter2,x/y@localhost/",
		"mongodb:alice:hunter2@localhost",
		"mongodb://alice:hunter2@local host/",
		"mongodb://alice:hunter2@localhost/?authMechanism=MONGODB-X509",
		"mongodb://alice:hunter2@localhost/?authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:hunter2",
		"mongodb://localhost/?authMechanismProperties=hunter2",
		"mongodb://localhost/?tlsCertificateKeyFilePassword=hunter2&tlsCertificateKeyFilePassword=hunter2",
		"mongodb://localhost/?proxyHost=h&proxyUsername=u&proxyPassword=hunter2",
		"mongodb://localhost/?proxyHost=h&proxyPassword=hunter2",
		"mongodb://localhost/?proxyHost=h&proxyPassword=hunter2&proxyPassword=x",
		"mongodb://localhost/?passwort=hunter2",
	} {
		c, warnings, err := Parse(s)
		told := fmt.Sprint(err, warnings)
		if c != nil {
			told += fmt.Sprintf("%v %+v %#v %v", c, *c, c, slog.Any("config", c))
			cred, err := c.Credential()
			told += fmt.Sprintf("%v %+v %#v %v", cred, cred, cred, err)
			if !strings.Contains(s, "passwort") && !strings.Contains(c.URI(), secret) && len(warnings) == 0 {
				t.Errorf("%s is written as %s", s, c.URI())
			}
		}
		if strings.Contains(told, secret) {
			t.Errorf("%s: it says %s", s, told)
		}
	}
}

func TestCheckCallback(t *testing.T) {
	for s, want := range map[string]struct{ without, with bool }{
		"mongodb://a/?authMechanism=MONGODB-OIDC":                                          {with: true},
		"mongodb://a/?authMechanism=MONGODB-OIDC&authMechanismProperties=environment:test": {without: true},
		"mongodb://u:p@a/": {without: true},
	} {
		cred, err := parse(t, s).Credential()
		if err != nil {
			t.Fatal(err)
		}
		if err := cred.CheckCallback(false); (err == nil) != want.without {
			t.Errorf("%s without a callback: %v", s, err)
		}
		if err := cred.CheckCallback(true); (err == nil) != want.with {
			t.Errorf("%s with a callback: %v", s, err)
		}
	}
}

func TestValidateAfterChanges(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"no host":                               func(c *Config) { c.Hosts = nil },
		"loadBalanced=true excludes replicaSet": func(c *Config) { c.LoadBalanced, c.ReplicaSet = true, "rs" },
		"option proxyUsername needs option":     func(c *Config) { c.ProxyUsername, c.ProxyPassword = "u", "p" },
		`authMechanism "X" is not one of`:       func(c *Config) { c.AuthMechanism = "X" },
		"a user name is needed":                 func(c *Config) { c.AuthMechanism = "PLAIN" },
	} {
		c := parse(t, "mongodb://localhost")
		change(c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, wanted %s", err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"mongodb://u:p%40@a,[::1%25e]:2,%2Ftmp%2Fx.sock/db%3F?readPreference=secondary&readPreferenceTags=a:b,c:d&readPreferenceTags=",
		"mongodb+srv://X.y.z./?srvMaxHosts=2&tls=false&loadBalanced=0",
		"mongodb://u:p@a/?authMechanism=MONGODB-AWS&authMechanismProperties=aws_session_token:x%25",
		"mongodb://a?w=3&wtimeout=5&journal=t&compressors=zlib,x,zlib&timeoutMS=0&appname=é",
		"mongodb://a/?authMechanismProperties=ß:1&gssapiServiceName=x,y",
	} {
		f.Add(s)
	}
	for _, o := range options {
		f.Add("mongodb://a/?" + o.name + "=1")
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, _, err := Parse(s)
		if err != nil {
			return
		}
		again, warnings, err := Parse(c.URI())
		if err != nil {
			t.Fatalf("%q is written as %q, which cannot be read: %v", s, c.URI(), err)
		}
		for _, w := range warnings {
			if w.Option != "authMechanism" {
				t.Errorf("%q is written as %q, which warns: %v", s, c.URI(), w)
			}
		}
		if !reflect.DeepEqual(again, c) {
			t.Errorf("%q is %#v; it is written as %q, which is %#v", s, c, c.URI(), again)
		}
	})
}

// FuzzPassword writes a password as it is, and finds its marked parts in no
// error and no warning.
func FuzzPassword(f *testing.F) {
	for _, s := range []string{"~", "1/~", "1?~=2", "1?x&~=2", "~@a?tls=~", "1?compressors=~&w=~", "%~", "[::~]:1,~:~/~?~&~=~"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, password string) {
		const marker = "hunter2"
		password = strings.ReplaceAll(password, "~", marker)
		c, warnings, err := Parse("mongodb://alice:" + password + "@localhost/?readPreference=nearest")
		if told := fmt.Sprint(err, warnings); strings.Contains(strings.ToLower(told), marker) {
			t.Errorf("with the password %q it says %s", password, told)
		}
		if c != nil && strings.Contains(fmt.Sprint(c.Hosts), marker) {
			t.Errorf("with the password %q the hosts are %q", password, c.Hosts)
		}
	})
}
