package uri

import (
	"fmt"
	"strings"
	"testing"
)

// What code says wins over the string, and ends up where the string would have
// put it.
func TestParser(t *testing.T) {
	type options = map[string]string
	for _, test := range []struct {
		in   string
		code Parser
		want string // as a connection string
	}{
		{"mongodb://a/?maxPoolSize=1", Parser{}, "mongodb://a/?maxPoolSize=1"},
		{"mongodb://a", Parser{Options: options{"MAXPOOLSIZE": "50"}}, "mongodb://a/?maxPoolSize=50"},
		{"mongodb://a/?maxPoolSize=1", Parser{Options: options{"maxPoolSize": "50"}}, "mongodb://a/?maxPoolSize=50"},
		{"mongodb://a/?appname=x&w=2", Parser{Options: options{"appname": "50%&?@"}}, "mongodb://a/?appname=50%25%26%3F%40&w=2"},
		{"mongodb://a/?ssl=false", Parser{Options: options{"tls": "true"}}, "mongodb://a/?tls=true"},
		{"mongodb://a/?wtimeout=1", Parser{Options: options{"wTimeoutMS": "2"}}, "mongodb://a/?wTimeoutMS=2"},
		{"mongodb://a/?tlsInsecure=true", Parser{Options: options{"tls": "false"}}, "mongodb://a/?tls=false&tlsInsecure=true"},
		{
			"mongodb://a/?readPreference=nearest&readPreferenceTags=x:y&readPreferenceTags=",
			Parser{Options: options{"readPreferenceTags": "x:z"}},
			"mongodb://a/?readPreference=nearest&readPreferenceTags=x:z",
		},
		{"mongodb://a", Parser{TLS: true}, "mongodb://a/?tls=true"},
		{"mongodb+srv://a", Parser{TLS: true}, "mongodb+srv://a/"},
		{"mongodb://a", Parser{Credential: Credential{Username: "u", Password: "p@:/?"}}, "mongodb://u:p%40%3A%2F%3F@a/"},
		{"mongodb://u@a/db", Parser{Credential: Credential{Password: "p"}}, "mongodb://u:p@a/db"},
		{"mongodb://u:p@a", Parser{Credential: Credential{Username: "v"}}, "mongodb://v@a/"},
		{"mongodb://u:p@a", Parser{Credential: Credential{Username: "v", Password: "q"}}, "mongodb://v:q@a/"},
		{
			"mongodb://a/?authMechanism=SCRAM-SHA-1&authSource=x",
			Parser{Credential: Credential{Username: "u", Password: "p", Source: "y", Mechanism: "SCRAM-SHA-256"}},
			"mongodb://u:p@a/?authSource=y&authMechanism=SCRAM-SHA-256",
		},
		{
			"mongodb://a",
			Parser{Credential: Credential{Mechanism: "MONGODB-OIDC", Properties: options{"environment": "k8s"}}},
			"mongodb://a/?authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:k8s",
		},
	} {
		c, warnings, err := test.code.Parse(test.in)
		if err != nil {
			t.Errorf("%s with %+v: %v", test.in, test.code, err)
			continue
		}
		if got := strings.ReplaceAll(c.URI(), ":27017", ""); got != test.want || len(warnings) > 0 {
			t.Errorf("%s with %+v is %s, not %s, and warns of %v", test.in, test.code, got, test.want, warnings)
		}
	}
}

// What a connection string is only warned of is an error in code.
func TestParserRefuses(t *testing.T) {
	type options = map[string]string
	for _, test := range []struct {
		in   string
		code Parser
		want string
	}{
		{"mongodb://a", Parser{Options: options{"maxPoolSize": "abc"}}, "given in code: option maxPoolSize=abc: not a whole number"},
		{"mongodb://a", Parser{Options: options{"readPreference": "secundary"}}, "readPreference=secundary: not one of primary"},
		{"mongodb://a", Parser{Options: options{"connectTimeoutMS": "5s"}}, "connectTimeoutMS=5s: not a whole number"},
		{"mongodb://a", Parser{Options: options{"compressors": "zlib,lzma"}}, "compressors=zlib,lzma: what is not one of"},
		{"mongodb://a", Parser{Options: options{"tls": "yes"}}, "tls=yes: a deprecated way to say true"},
		{"mongodb://a", Parser{Options: options{"wtimeout": "1"}}, "wtimeout=1: deprecated; write wTimeoutMS"},
		{"mongodb://a", Parser{Options: options{"appname": ""}}, "option appname: empty"},
		{"mongodb://a", Parser{Options: options{"maxPollSize": "1"}}, `option "maxPollSize": there is none of this name`},
		{"mongodb://a", Parser{Options: options{"tls": "true", "TLS": "true"}}, "given more than once"},
		{"mongodb://a", Parser{Options: options{"tls": "true", "ssl": "false"}}, "given more than once"},
		{"mongodb://a", Parser{Options: options{"proxyPort": "1"}}, "option proxyPort needs option proxyHost"},
		{"mongodb://a/?minPoolSize=5", Parser{Options: options{"maxPoolSize": "4"}}, "minPoolSize=5 is more than maxPoolSize"},
		{"mongodb://a/?tls=false", Parser{TLS: true}, "tls=false contradicts the TLS configuration"},
		{"mongodb+srv://a/?ssl=false", Parser{TLS: true}, "tls=false contradicts the TLS configuration"},
		{"mongodb://a", Parser{Options: options{"tls": "false"}, TLS: true}, "tls=false contradicts the TLS configuration"},
		{"mongodb://a", Parser{Credential: Credential{Password: "sesame"}}, "a password needs a user name"},
		{"mongodb://u@a", Parser{Credential: Credential{Mechanism: "SCRAM"}}, `authMechanism "SCRAM" is not one of`},
		{"mongodb://a", Parser{Options: options{"proxyHost": "h", "proxyPassword": "sesame"}}, "need each other"},
	} {
		c, _, err := test.code.Parse(test.in)
		if err == nil {
			t.Errorf("%s with %+v is accepted as %v", test.in, test.code, c)
		} else if !strings.Contains(err.Error(), test.want) || strings.Contains(fmt.Sprint(err), "sesame") {
			t.Errorf("%s with %+v: the error is %q, wanted it to contain %q", test.in, test.code, err, test.want)
		}
	}
}
