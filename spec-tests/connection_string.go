package spectests

import (
	"net"
	"reflect"
	"strconv"
	"strings"

	"github.com/motor-go/motor/uri"
)

// connectionString is a test of connection-string and uri-options. What is null
// or missing is not asserted.
type connectionString struct {
	Description string
	URI         string
	Valid       bool
	Warning     *bool
	Hosts       []struct {
		Type, Host string
		Port       *int
	}
	Auth *struct {
		Username, Password, DB *string
	}
	Options map[string]any
}

func runConnectionStrings(t T, f File) {
	var file struct{ Tests []connectionString }
	f.Decode(t, &file)
	for _, test := range file.Tests {
		t.Run(test.Description, test.run)
	}
}

// overruled are the connection strings of tests that say the opposite of
// another test, or of what the specification has said since they were written.
// They must turn out the opposite way.
var overruled = map[string]string{
	"mongodb://example.com?w=1":                                    "the slash before the question mark may be missing since August 2023",
	"mongodb://example.com/?w=-2":                                  "read-write-concern has it that a negative w is an error",
	"mongodb://user:pass@localhost.com/?authMechanism=MONGODB-AWS": "two tests of the same file want such credentials accepted",
}

func (test connectionString) run(t T) {
	if why, ok := overruled[test.URI]; ok {
		t.Logf("turned into its opposite: %s", why)
		test.Valid, test.Warning, test.Options = !test.Valid, nil, nil
	}
	c, warnings, err := uri.Parse(test.URI)
	if !test.Valid {
		if err == nil {
			t.Errorf("%s is accepted as %v", test.URI, c)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", test.URI, err)
	}
	if test.Warning != nil && *test.Warning != (len(warnings) > 0) {
		t.Errorf("%s: warnings are %v, wanted any: %v", test.URI, warnings, *test.Warning)
	}
	if test.Hosts != nil && len(c.Hosts) != len(test.Hosts) {
		t.Fatalf("%s: hosts are %q", test.URI, c.Hosts)
	}
	for i, want := range test.Hosts {
		host, port := c.Hosts[i], ""
		if want.Type != "unix" {
			var err error
			if host, port, err = net.SplitHostPort(c.Hosts[i]); err != nil {
				t.Errorf("%s: host %d: %v", test.URI, i, err)
			}
		}
		if host != want.Host || want.Port != nil && port != strconv.Itoa(*want.Port) {
			t.Errorf("%s: host %d is %q, wanted %+v", test.URI, i, c.Hosts[i], want)
		}
	}
	if auth := test.Auth; auth != nil {
		sameText(t, "user name", c.Username, auth.Username)
		sameText(t, "password", c.Password, auth.Password)
		sameText(t, "database", c.Database, auth.DB)
	}
	checkOptions(t, c, test.Options)
}

func sameText(t T, what, got string, want *string) {
	t.Helper()
	if want != nil && got != *want {
		t.Errorf("%s is %q, wanted %q", what, got, *want)
	}
}

// checkOptions compares options as the specifications write them, whose names
// may be in any case, with a Config.
func checkOptions(t T, c *uri.Config, want map[string]any) {
	t.Helper()
	got := map[string]any{}
	for name, value := range optionValues {
		got[strings.ToLower(name)] = value(c)
	}
	for name, value := range want {
		if properties, ok := value.(map[string]any); ok {
			value = object(properties)
		}
		is, known := got[strings.ToLower(name)]
		if !known {
			t.Errorf("option %s is unknown to this runner", name)
		} else if !reflect.DeepEqual(is, value) {
			t.Errorf("option %s is %#v, wanted %#v", name, is, value)
		}
	}
}
