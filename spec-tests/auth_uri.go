package spectests

import (
	"reflect"

	"github.com/motor-go/motor/uri"
)

// authURI is a test of auth/legacy: the credential that a connection string
// makes, none if it is null.
type authURI struct {
	Description string
	URI         string
	Valid       bool
	Credential  *struct {
		Username, Password, Source, Mechanism *string
		Properties                            map[string]string `json:"mechanism_properties"`
	}
}

func runAuthURIs(t T, f File) {
	var file struct{ Tests []authURI }
	f.Decode(t, &file)
	for _, test := range file.Tests {
		t.Run(test.Description, test.run)
	}
}

func (test authURI) run(t T) {
	if why, ok := overruled[test.URI]; ok {
		t.Logf("turned into its opposite: %s", why)
		if _, err := credential(test.URI); (err == nil) == test.Valid {
			t.Errorf("%s turns out as the test says", test.URI)
		}
		return
	}
	cred, err := credential(test.URI)
	if !test.Valid {
		if err == nil {
			t.Errorf("%s is accepted as %+v", test.URI, cred)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", test.URI, err)
	}
	want := test.Credential
	if cred == nil || want == nil {
		if cred != nil || want != nil {
			t.Errorf("%s makes the credential %+v, wanted %+v", test.URI, cred, want)
		}
		return
	}
	for _, field := range []struct {
		name, got string
		want      *string
	}{
		{"username", cred.Username, want.Username},
		{"password", cred.Password, want.Password},
		{"source", cred.Source, want.Source},
		{"mechanism", cred.Mechanism, want.Mechanism},
	} {
		if field.want == nil {
			field.want = new("")
		}
		sameText(t, field.name, field.got, field.want)
	}
	if len(cred.Properties)+len(want.Properties) > 0 && !reflect.DeepEqual(cred.Properties, want.Properties) {
		t.Errorf("properties are %q, wanted %q", cred.Properties, want.Properties)
	}
}

// credential is what a client without OIDC callbacks makes of s.
func credential(s string) (*uri.Credential, error) {
	c, _, err := uri.Parse(s)
	if err != nil {
		return nil, err
	}
	cred, err := c.Credential()
	if err != nil || cred == nil {
		return nil, err
	}
	return cred, cred.CheckCallback(false)
}
