package spectests

import (
	"context"
	"fmt"
	"slices"

	"github.com/motor-go/motor/mongotest"
)

// embeddedVersions are the versions that embedded deployments claim: for each
// bound that requirements set the newest below it.
var embeddedVersions = []Version{
	{8, 2, 1}, {8, 0, 16}, {7, 0, 26}, {6, 0, 27}, {5, 0, 32}, {4, 4, 29}, {4, 2, 25}, {4, 0, 28}, {3, 6, 23},
}

// embedded is a deployment of package mongotest. single is the connection
// string of a load balancer before one router.
type embedded struct {
	uri, single string
	stop        func()
}

// embeddedTopologies start the deployments of package mongotest.
var embeddedTopologies = map[string]func(mongotest.Options) (embedded, error){
	"single": func(o mongotest.Options) (embedded, error) {
		s, err := mongotest.StartStandalone(o)
		if err != nil {
			return embedded{}, err
		}
		return embedded{s.URI(), "", s.Close}, nil
	},
	"replicaset": func(o mongotest.Options) (embedded, error) {
		s, err := mongotest.StartReplicaSet(o)
		if err != nil {
			return embedded{}, err
		}
		return embedded{s.URI(), "", s.Close}, nil
	},
	"sharded": func(o mongotest.Options) (embedded, error) {
		s, err := mongotest.StartSharded(o)
		if err != nil {
			return embedded{}, err
		}
		return embedded{s.URI(), "", s.Close}, nil
	},
	"load-balanced": func(o mongotest.Options) (embedded, error) {
		s, err := mongotest.StartLoadBalanced(o)
		if err != nil {
			return embedded{}, err
		}
		return embedded{s.URI(), s.SingleURI(), s.Close}, nil
	},
}

// Embedded are deployments in this process, with and without authentication, of
// the topologies and versions given. An empty list is all of them.
func Embedded(topologies []string, versions []Version) *Deployments {
	d := &Deployments{start: startEmbedded}
	for _, auth := range []bool{false, true} {
		for _, v := range embeddedVersions {
			if len(versions) > 0 && !slices.Contains(versions, v) {
				continue
			}
			for _, topology := range []string{"single", "replicaset", "sharded", "load-balanced"} {
				if topology == "load-balanced" && v.Compare(Version{5, 0, 0}) < 0 {
					continue // older servers know of no load balancers
				}
				if len(topologies) == 0 || slices.Contains(topologies, topology) {
					d.candidates = append(d.candidates, Facts{topology, v, auth})
				}
			}
		}
	}
	return d
}

func startEmbedded(ctx context.Context, f Facts) (*Deployment, error) {
	o := mongotest.Options{Version: f.Version.String(), Scripting: true}
	const token = "token of test_user1"
	if f.Auth {
		o.Username, o.Password = "root", "secret"
	}
	// The tests of OIDC set fail points on one server and use all.
	oidc := f.Auth && f.Topology != "load-balanced"
	if oidc {
		o.OIDCTokens = map[string]string{token: "test_user1"}
	}
	e, err := embeddedTopologies[f.Topology](o)
	if err != nil {
		return nil, fmt.Errorf("start %v: %w", f, err)
	}
	d, err := OpenDeployment(ctx, e.uri, e.single)
	if err != nil {
		e.stop()
		return nil, fmt.Errorf("open %v: %w", f, err)
	}
	if d.Facts != f {
		err = fmt.Errorf("%v was started and is %v", f, d.Facts)
	}
	d.stop = e.stop
	if oidc {
		d.oidcToken = token
	}
	return d, err
}
