package spectests

import (
	"fmt"
	"slices"
	"strings"

	"github.com/motor-go/motor/bson"
)

// requirement is a runOnRequirement.
type requirement struct {
	MinServerVersion Version       `spec:"optional"`
	MaxServerVersion Version       `spec:"optional"`
	Topologies       []string      `spec:"optional"`
	Serverless       string        `spec:"optional"`
	ServerParameters bson.Raw      `spec:"optional"`
	Auth             *bool         `spec:"optional"`
	AuthMechanism    string        `spec:"optional"`
	CSFLE            bson.RawValue `spec:"optional"`
}

// Facts are what requirements ask of a deployment.
type Facts struct {
	// Topology is single, replicaset, sharded or load-balanced.
	Topology string  `json:"topology"`
	Version  Version `json:"version"`
	Auth     bool    `json:"auth"`
}

// String is the topology and the version, and whether clients authenticate.
func (f Facts) String() string {
	s := f.Topology + " " + f.Version.String()
	if f.Auth {
		s += " with auth"
	}
	return s
}

// unmet says which part of r a deployment does not meet; it is empty if there
// is none. What needs to ask the server's parameters is left to unmetBy.
func (r requirement) unmet(f Facts) string {
	switch {
	case len(r.Topologies) > 0 && !slices.ContainsFunc(r.Topologies, f.is):
		return "topology " + strings.Join(r.Topologies, ", ")
	case f.Version.Compare(r.MinServerVersion) < 0:
		return "server " + r.MinServerVersion.String() + " or newer"
	case !f.Version.Within(r.MinServerVersion, r.MaxServerVersion):
		return "server " + r.MaxServerVersion.String() + " or older"
	case r.Auth != nil && *r.Auth != f.Auth:
		return fmt.Sprintf("auth: %v", *r.Auth)
	case r.Serverless == "require":
		return "serverless"
	case r.needsCSFLE():
		return "csfle"
	}
	return ""
}

// is reports whether f is the topology that a requirement names. All shards
// are replica sets.
func (f Facts) is(topology string) bool {
	return topology == f.Topology || topology == "sharded-replicaset" && f.Topology == "sharded"
}

// needsCSFLE reports whether r asks for client-side encryption, as a boolean or
// with a version of libmongocrypt.
func (r requirement) needsCSFLE() bool {
	required, isBool := r.CSFLE.Bool()
	return required || !isBool && !r.CSFLE.IsZero()
}

// unmetBy is unmet with what only the server's parameters tell.
func (r requirement) unmetBy(f Facts, parameters bson.Raw) string {
	if why := r.unmet(f); why != "" {
		return why
	}
	for name, want := range r.ServerParameters.All() {
		if (matcher{}).match(name, want, parameters.Lookup(name), false) != nil {
			return fmt.Sprintf("server parameter %s: %v", name, want)
		}
	}
	if r.AuthMechanism == "" {
		return ""
	}
	mechanisms, _ := parameters.Lookup("authenticationMechanisms").Array()
	for v := range mechanisms.Values() {
		if name, _ := v.Str(); strings.EqualFold(name, r.AuthMechanism) {
			return ""
		}
	}
	return "authentication mechanism " + r.AuthMechanism
}

// unmetOf says why a deployment meets none of the requirements of a list; it
// is empty if it meets one or the list is empty.
func unmetOf(list []requirement, unmet func(requirement) string) string {
	var reasons []string
	for _, r := range list {
		why := unmet(r)
		if why == "" {
			return ""
		}
		if !slices.Contains(reasons, why) {
			reasons = append(reasons, why)
		}
	}
	return strings.Join(reasons, " or ")
}
