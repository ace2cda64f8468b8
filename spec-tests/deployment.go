package spectests

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology/description"
)

// Deployment is a running deployment.
type Deployment struct {
	Facts
	// URI is the connection string: of all members of a replica set, of all
	// routers of a sharded cluster, of a load balancer before several routers.
	URI string
	// SingleURI is that of one router, or of a load balancer before one. It is
	// the URI itself for other topologies.
	SingleURI string
	// Parameters are the server's, by getParameter.
	Parameters bson.Raw

	// oidcToken is an access token that the deployment trusts, if there is one.
	oidcToken string

	client *motor.Client
	// nodes has a client for each mongos, each member of a replica set, or the
	// load balancer that stands before a single mongos.
	nodes []*motor.Client
	stop  func()

	// file is the one that the last test was of.
	file *unifiedFile
}

// OpenDeployment connects to a deployment and finds out what it is. Of a load
// balancer, single is the connection string of another one that stands before
// a single router; otherwise it is empty.
func OpenDeployment(ctx context.Context, uri, single string) (_ *Deployment, err error) {
	d := &Deployment{URI: uri, SingleURI: single, stop: func() {}}
	if d.client, err = motor.Connect(ctx, cmp.Or(single, uri)); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			d.Close()
		}
	}()
	d.Auth = strings.Contains(authority(uri), "@")
	if err = d.examine(ctx); err != nil {
		return nil, err
	}
	if single == "" {
		d.SingleURI = uri
	}
	return d, d.connectNodes(ctx)
}

// examine finds out version, parameters and topology.
func (d *Deployment) examine(ctx context.Context) error {
	admin := d.client.Database("admin")
	build, err := admin.RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}})
	if err != nil {
		return fmt.Errorf("no deployment at %s: %w", d.URI, err)
	}
	version, _ := build.Lookup("version").Str()
	if d.Version, err = ParseVersion(version); err != nil {
		return err
	}
	// Whoever does not tell its parameters has none of those asked for.
	d.Parameters, _ = admin.RunCommand(ctx, bson.D{{Key: "getParameter", Value: "*"}})
	switch t := d.client.Topology(); t.Type {
	case description.Sharded:
		d.Topology = "sharded"
	case description.LoadBalanced:
		d.Topology = "load-balanced"
		if d.SingleURI == "" {
			return errors.New("a load balancer needs another one that stands before a single mongos")
		}
	case description.ReplicaSetWithPrimary, description.ReplicaSetNoPrimary:
		d.Topology = "replicaset"
	default:
		d.Topology = "single"
	}
	return nil
}

// connectNodes makes the clients of the nodes.
func (d *Deployment) connectNodes(ctx context.Context) error {
	uris := []string{d.SingleURI}
	if d.Topology == "sharded" || d.Topology == "replicaset" {
		uris = nil
		for _, s := range d.client.Topology().Servers {
			uris = append(uris, withOptions(withHost(d.URI, s.Addr), url.Values{"replicaSet": nil, "directConnection": {"true"}}))
		}
	}
	if d.Topology == "sharded" {
		d.SingleURI = withHost(d.URI, hosts(uris[0])[0])
	}
	for _, uri := range uris {
		c, err := motor.Connect(ctx, uri)
		if err != nil {
			return err
		}
		d.nodes = append(d.nodes, c)
	}
	return nil
}

// node is the client of the node at an address.
func (d *Deployment) node(addr string) (*motor.Client, error) {
	for _, c := range d.nodes {
		if s := c.Topology().Servers; len(s) == 1 && s[0].Addr == addr {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%s is no node of %s", addr, d.URI)
}

// setUp is a client that prepares data and looks at it: it talks to one mongos
// alone.
func (d *Deployment) setUp() *motor.Client {
	if d.Topology == "sharded" || d.Topology == "load-balanced" {
		return d.nodes[0]
	}
	return d.client
}

// disable turns fail points off, wherever they are on.
func (d *Deployment) disable(names []string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if len(names) == 0 {
		return nil
	}
	nodes, done, err := d.behind(ctx)
	defer done()
	for _, name := range names {
		for _, c := range nodes {
			off := bson.D{{Key: "configureFailPoint", Value: name}, {Key: "mode", Value: "off"}}
			_, e := c.Database("admin").RunCommand(ctx, off)
			err = errors.Join(err, e)
		}
	}
	return err
}

// behind are clients that reach all nodes: a load balancer before two routers
// gives connections to them in turn.
func (d *Deployment) behind(ctx context.Context) (nodes []*motor.Client, done func(), err error) {
	done = func() {
		for _, c := range nodes {
			c.Close(ctx)
		}
	}
	if d.Topology != "load-balanced" {
		return d.nodes, func() {}, nil
	}
	const routers = 2
	for range routers {
		c, e := motor.Connect(ctx, d.URI)
		if e != nil {
			return nil, done, e
		}
		nodes = append(nodes, c)
	}
	return nodes, done, nil
}

// killAllSessions ends all transactions, as far as the server lets us.
func (d *Deployment) killAllSessions(ctx context.Context) {
	clients := []*motor.Client{d.client}
	if d.Topology == "sharded" {
		clients = d.nodes
	}
	for _, c := range clients {
		c.Database("admin").RunCommand(ctx, bson.D{{Key: "killAllSessions", Value: bson.A{}}})
	}
}

// Close ends the runner's own connections, and a deployment that it started.
func (d *Deployment) Close() {
	for _, c := range append(d.nodes, d.client) {
		c.Close(context.Background())
	}
	d.stop()
}

// authority is the userinfo and the hosts of a connection string.
func authority(uri string) string {
	_, rest, _ := strings.Cut(uri, "://")
	return rest[:strings.IndexAny(rest+"/", "/?")]
}

// hosts are the hosts of a connection string.
func hosts(uri string) []string {
	a := authority(uri)
	return strings.Split(a[strings.LastIndexByte(a, '@')+1:], ",")
}

// withHost is a connection string with host in the place of all its hosts.
func withHost(uri, host string) string {
	return strings.Replace(uri, strings.Join(hosts(uri), ","), host, 1)
}

// withOptions is a connection string with options set. One with an empty value
// is taken off, the names are compared without case.
func withOptions(uri string, options url.Values) string {
	base, query, _ := strings.Cut(uri, "?")
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		overridden := false
		for other := range options {
			overridden = overridden || strings.EqualFold(name, other)
		}
		if pair != "" && !overridden {
			kept = append(kept, pair)
		}
	}
	for name, values := range options {
		for _, v := range values {
			if v != "" {
				kept = append(kept, name+"="+url.QueryEscape(v))
			}
		}
	}
	slices.Sort(kept)
	if start := strings.Index(base, "://") + len("://"); !strings.Contains(base[start:], "/") {
		base += "/"
	}
	return base + "?" + strings.Join(kept, "&")
}

// Deployments are those that tests may run on. They are started when the first
// test asks for them and run until Close.
type Deployments struct {
	// candidates are what may be asked for, the best first.
	candidates []Facts
	start      func(context.Context, Facts) (*Deployment, error)

	mu      sync.Mutex
	running map[Facts]*starting
}

type starting struct {
	once       sync.Once
	deployment *Deployment
	err        error
}

// External is the one deployment that is there already.
func External(d *Deployment) *Deployments {
	return &Deployments{
		candidates: []Facts{d.Facts},
		start:      func(context.Context, Facts) (*Deployment, error) { return d, nil },
	}
}

// Topologies are those that there are deployments of.
func (d *Deployments) Topologies() (list []string) {
	for _, f := range d.candidates {
		if !slices.Contains(list, f.Topology) {
			list = append(list, f.Topology)
		}
	}
	return list
}

// get starts a deployment unless it runs.
func (d *Deployments) get(ctx context.Context, f Facts) (*Deployment, error) {
	d.mu.Lock()
	if d.running == nil {
		d.running = map[Facts]*starting{}
	}
	s := d.running[f]
	if s == nil {
		s = new(starting)
		d.running[f] = s
	}
	d.mu.Unlock()
	s.once.Do(func() { s.deployment, s.err = d.start(ctx, f) })
	return s.deployment, s.err
}

// choose finds the best deployment of a topology that meets all lists of
// requirements. If there is none it says why the nearest does not.
func (d *Deployments) choose(ctx context.Context, topology string, lists ...[]requirement) (found *Deployment, why string, err error) {
	for _, f := range d.candidates {
		if f.Topology != topology {
			continue
		}
		if unmet := unmetAll(lists, func(r requirement) string { return r.unmet(f) }); unmet != "" {
			why = nearer(why, unmet)
			continue
		}
		found, err = d.get(ctx, f)
		if err != nil {
			return nil, "", err
		}
		unmet := unmetAll(lists, func(r requirement) string { return r.unmetBy(f, found.Parameters) })
		if unmet == "" {
			return found, "", nil
		}
		why = unmet
	}
	return nil, why, nil
}

func unmetAll(lists [][]requirement, unmet func(requirement) string) string {
	for _, list := range lists {
		if why := unmetOf(list, unmet); why != "" {
			return why
		}
	}
	return ""
}

// nearer is the one of two reasons that says more: not the topology.
func nearer(a, b string) string {
	if a == "" || strings.HasPrefix(a, "topology") {
		return b
	}
	return a
}

// Close ends all deployments.
func (d *Deployments) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.running {
		if s.deployment != nil {
			s.deployment.Close()
		}
	}
	d.running = nil
}
