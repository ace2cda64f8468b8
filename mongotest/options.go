package mongotest

import (
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/motor-go/motor/mongotest/internal/mongod"
	"github.com/motor-go/motor/wire"
)

// Options say what deployment to start. The zero value is a replica set of
// three nodes of DefaultVersion on free ports, without authentication.
type Options struct {
	// Version is the version of MongoDB that the servers claim, "3.6" to "8.2",
	// with or without a patch level. It decides what they accept. The default
	// is DefaultVersion.
	Version string
	// Nodes is the number of members of a replica set; the default is 3, for the
	// shard of a cluster 1.
	Nodes int
	// Routers is the number of routers (mongos) of a sharded cluster; the default
	// is 2.
	Routers int
	// Name is the name of a replica set; the default is rs0.
	Name string
	// Address is where the first node listens, the others on the ports that
	// follow. The default is 127.0.0.1 and free ports.
	Address string
	// ElectionTimeout is how long a replica set takes to notice that its primary
	// has gone before it elects another. The default is 100 milliseconds.
	ElectionTimeout time.Duration
	// TLS makes the nodes accept TLS connections only.
	TLS *tls.Config
	// Username and Password make clients authenticate, and are those of a user
	// with the role root in the database admin.
	Username, Password string
	// OIDCTokens makes clients authenticate, too, and lets them do so by
	// MONGODB-OIDC: it has the names of users of the database $external with
	// the role root by their access tokens. A client that wants to be told of the
	// identity provider must name a user if there are several.
	OIDCTokens map[string]string
	// Compressors are the compressors that nodes agree to: snappy, zlib, zstd.
	// The default is all of them; an empty list that is not nil is none.
	Compressors []string
	// Scripting has the nodes run functions in JavaScript: mapReduce, which
	// answers inline only, and $where. They know the language as far as such
	// functions need it. By default they are servers with --noscripting.
	Scripting bool
	// Listen opens the listeners in place of net.Listen, for example on a
	// Network.
	Listen func(address string) (net.Listener, error)
}

// DefaultVersion is the version that servers claim if nothing else is asked for.
const DefaultVersion = "8.0"

const (
	defaultNodes           = 3
	defaultRouters         = 2
	defaultName            = "rs0"
	defaultAddress         = "127.0.0.1:0"
	defaultElectionTimeout = 100 * time.Millisecond
	maxNodes               = 50
)

// settings are Options with their defaults, read.
type settings struct {
	Options
	version     mongod.Version
	compressors []wire.Compressor

	// Of a node of a sharded cluster.
	cluster *mongod.Cluster
	mongos  bool
}

func (o Options) read() (s settings, err error) {
	s.Options = o
	if s.Version == "" {
		s.Version = DefaultVersion
	}
	if s.Nodes == 0 {
		s.Nodes = defaultNodes
	}
	if s.Routers == 0 {
		s.Routers = defaultRouters
	}
	if s.Name == "" {
		s.Name = defaultName
	}
	if s.Address == "" {
		s.Address = defaultAddress
	}
	if s.ElectionTimeout == 0 {
		s.ElectionTimeout = defaultElectionTimeout
	}
	if s.Compressors == nil {
		s.Compressors = []string{"snappy", "zstd", "zlib"}
	}
	if s.Listen == nil {
		s.Listen = func(address string) (net.Listener, error) { return net.Listen("tcp", address) }
	}
	if s.version, err = parseVersion(s.Version); err != nil {
		return s, err
	}
	if s.Nodes < 1 || s.Nodes > maxNodes {
		return s, fmt.Errorf("Options.Nodes is %d: a replica set has 1 to %d nodes", s.Nodes, maxNodes)
	}
	if s.Routers < 1 || s.Routers > maxNodes {
		return s, fmt.Errorf("Options.Routers is %d: a cluster has 1 to %d routers", s.Routers, maxNodes)
	}
	if (s.Username == "") != (s.Password == "") {
		return s, fmt.Errorf("Options.Username and Options.Password belong together")
	}
	for _, name := range s.Compressors {
		c, ok := wire.ParseCompressor(name)
		if !ok || c == wire.NoCompression {
			return s, fmt.Errorf("Options.Compressors: %q is none of snappy, zlib, zstd", name)
		}
		s.compressors = append(s.compressors, c)
	}
	return s, nil
}

func parseVersion(text string) (v mongod.Version, err error) {
	parts := strings.Split(text, ".")
	numbers := make([]int, 3)
	if text == "4.4" {
		numbers[2] = 6 // the release that the answers were compared with
	}
	if len(parts) < 2 || len(parts) > 3 {
		return v, fmt.Errorf("Options.Version is %q: give it as major.minor", text)
	}
	for i, p := range parts {
		if numbers[i], err = strconv.Atoi(p); err != nil || numbers[i] < 0 {
			return v, fmt.Errorf("Options.Version is %q: give it as major.minor", text)
		}
	}
	v.Major, v.Minor, v.Patch = numbers[0], numbers[1], numbers[2]
	if mongod.WireVersion(v.Version) == 0 || v.Major > 8 {
		return v, fmt.Errorf("Options.Version is %q: versions 3.6 to 8.2 can be claimed", text)
	}
	return v, nil
}
