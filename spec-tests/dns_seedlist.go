package spectests

import (
	"reflect"
	"slices"
	"strings"

	"github.com/motor-go/motor/mongotest/dnstest"
	"github.com/motor-go/motor/uri"
)

// seedlist is a test of initial-dns-seedlist-discovery. Hosts, NumHosts and
// Ping are about the deployment behind the seeds.
type seedlist struct {
	URI           string
	Seeds         []string
	NumSeeds      *int
	Hosts         []string
	NumHosts      *int
	Options       map[string]any
	ParsedOptions map[string]string `json:"parsed_options"`
	Error         bool
	Ping          *bool
	Comment       string
}

// seedlistZone is what the README of the suite has a name server know, and a
// second host of test22, which the README has forgotten: srv-service-name wants
// it.
var seedlistZone = strings.Split(strings.TrimSpace(`
localhost.test.build.10gen.cc.            86400  IN A    127.0.0.1
localhost.sub.test.build.10gen.cc.        86400  IN A    127.0.0.1
_mongodb._tcp.test1.test.build.10gen.cc.    86400  IN SRV  0 0 27017  localhost.test.build.10gen.cc.
_mongodb._tcp.test1.test.build.10gen.cc.    86400  IN SRV  0 0 27018  localhost.test.build.10gen.cc.
_mongodb._tcp.test2.test.build.10gen.cc.    86400  IN SRV  0 0 27018  localhost.test.build.10gen.cc.
_mongodb._tcp.test2.test.build.10gen.cc.    86400  IN SRV  0 0 27019  localhost.test.build.10gen.cc.
_mongodb._tcp.test3.test.build.10gen.cc.    86400  IN SRV  0 0 27017  localhost.test.build.10gen.cc.
_mongodb._tcp.test5.test.build.10gen.cc.    86400  IN SRV  0 0 27017  localhost.test.build.10gen.cc.
_mongodb._tcp.test6.test.build.10gen.cc.    86400  IN SRV  0 0 27017  localhost.test.build.10gen.cc.
_mongodb._tcp.test7.test.build.10gen.cc.    86400  IN SRV  0 0 27017  localhost.test.build.10gen.cc.
_mongodb._tcp.test8.test.build.10gen.cc.    86400  IN SRV  0 0 27017  localhost.test.build.10gen.cc.
_mongodb._tcp.test10.test.build.10gen.cc.   86400  IN SRV  0 0 27017  localhost.test.build.10gen.cc.
_mongodb._tcp.test11.test.build.10gen.cc.   86400  IN SRV  0 0 27017  localhost.test.build.10gen.cc.
_mongodb._tcp.test12.test.build.10gen.cc.   86400  IN SRV  0 0 27017  localhost.build.10gen.cc.
_mongodb._tcp.test13.test.build.10gen.cc.   86400  IN SRV  0 0 27017  test.build.10gen.cc.
_mongodb._tcp.test14.test.build.10gen.cc.   86400  IN SRV  0 0 27017  localhost.not-test.build.10gen.cc.
_mongodb._tcp.test15.test.build.10gen.cc.   86400  IN SRV  0 0 27017  localhost.test.not-build.10gen.cc.
_mongodb._tcp.test16.test.build.10gen.cc.   86400  IN SRV  0 0 27017  localhost.test.build.not-10gen.cc.
_mongodb._tcp.test17.test.build.10gen.cc.   86400  IN SRV  0 0 27017  localhost.test.build.10gen.not-cc.
_mongodb._tcp.test18.test.build.10gen.cc.   86400  IN SRV  0 0 27017  localhost.sub.test.build.10gen.cc.
_mongodb._tcp.test19.test.build.10gen.cc.   86400  IN SRV  0 0 27017  localhost.evil.build.10gen.cc.
_mongodb._tcp.test19.test.build.10gen.cc.   86400  IN SRV  0 0 27017  localhost.test.build.10gen.cc.
_mongodb._tcp.test20.test.build.10gen.cc.   86400  IN SRV  0 0 27017  localhost.test.build.10gen.cc.
_mongodb._tcp.test21.test.build.10gen.cc.   86400  IN SRV  0 0 27017  localhost.test.build.10gen.cc.
_customname._tcp.test22.test.build.10gen.cc. 86400 IN SRV  0 0 27017  localhost.test.build.10gen.cc.
_customname._tcp.test22.test.build.10gen.cc. 86400 IN SRV  0 0 27018  localhost.test.build.10gen.cc.
_mongodb._tcp.test23.test.build.10gen.cc.   86400  IN SRV  0 0 8000   localhost.test.build.10gen.cc.
_mongodb._tcp.test24.test.build.10gen.cc.   86400  IN SRV  0 0 8000   localhost.test.build.10gen.cc.
test5.test.build.10gen.cc.                86400  IN TXT  "replicaSet=repl0&authSource=thisDB"
test6.test.build.10gen.cc.                86400  IN TXT  "replicaSet=repl0"
test6.test.build.10gen.cc.                86400  IN TXT  "authSource=otherDB"
test7.test.build.10gen.cc.                86400  IN TXT  "ssl=false"
test8.test.build.10gen.cc.                86400  IN TXT  "authSource"
test10.test.build.10gen.cc.               86400  IN TXT  "socketTimeoutMS=500"
test11.test.build.10gen.cc.               86400  IN TXT  "replicaS" "et=rep" "l0"
test20.test.build.10gen.cc.               86400  IN TXT  "loadBalanced=true"
test21.test.build.10gen.cc.               86400  IN TXT  "loadBalanced=false"
test24.test.build.10gen.cc.               86400  IN TXT  "loadBalanced=true"
`), "\n")

// nameServer serves records to a Resolver until the test is over.
func nameServer(t T, records ...string) (*dnstest.Server, uri.Resolver) {
	t.Helper()
	server, err := dnstest.Start(records...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("%v", err)
		}
	})
	return server, uri.Resolver{Servers: []string{server.Addr()}}
}

// resolve is how a client comes from a connection string to its hosts.
func resolve(t T, resolver uri.Resolver, s string) (*uri.Config, uri.Seedlist, error) {
	c, _, err := uri.Parse(s)
	if err != nil {
		return nil, uri.Seedlist{}, err
	}
	seeds, _, err := resolver.Resolve(t.Context(), c)
	return c, seeds, err
}

func runSeedlist(t T, f File) {
	var test seedlist
	f.Decode(t, &test)
	_, resolver := nameServer(t, seedlistZone...)
	c, _, err := resolve(t, resolver, test.URI)
	if test.Error {
		if err == nil {
			t.Errorf("%s is accepted as %v (%s)", test.URI, c, test.Comment)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s: %v (%s)", test.URI, err, test.Comment)
	}
	got := slices.Sorted(slices.Values(c.Hosts))
	if want := slices.Sorted(slices.Values(test.Seeds)); test.Seeds != nil && !reflect.DeepEqual(got, want) {
		t.Errorf("%s: seeds are %q, wanted %q", test.URI, got, want)
	}
	if test.NumSeeds != nil && len(got) != *test.NumSeeds {
		t.Errorf("%s: seeds are %q, wanted %d", test.URI, got, *test.NumSeeds)
	}
	checkOptions(t, c, test.Options)
	for name, want := range test.ParsedOptions {
		switch name {
		case "user":
			sameText(t, name, c.Username, &want)
		case "password":
			sameText(t, name, c.Password, &want)
		case "db", "auth_database", "defaultDatabase":
			sameText(t, name, c.Database, &want)
		default:
			t.Errorf("parsed option %s is unknown to this runner", name)
		}
	}
}

// proseSeedlist has the prose tests of initial-dns-seedlist-discovery.
func proseSeedlist(t T) {
	resolveTo := func(t T, srvHost, target string) error {
		t.Helper()
		_, resolver := nameServer(t, dnstest.SRV(srvHost, target+":27017")...)
		_, _, err := resolve(t, resolver, "mongodb+srv://"+srvHost)
		return err
	}
	accept := func(number, srvHost, target string) {
		t.Run(number+" "+srvHost+" to "+target, func(t T) {
			if err := resolveTo(t, srvHost, target); err != nil {
				t.Errorf("%v", err)
			}
		})
	}
	refuse := func(number, srvHost, target string) {
		t.Run(number+" "+srvHost+" to "+target, func(t T) {
			if err := resolveTo(t, srvHost, target); err == nil || !strings.Contains(err.Error(), target) {
				t.Errorf("the error is %v; it should name %s", err, target)
			}
		})
	}
	accept("1. allow fewer than 3 parts", "localhost", "a.localhost")
	accept("1. allow fewer than 3 parts", "mongo.local", "a.mongo.local")
	refuse("2. not the domain", "localhost", "localhost.mongodb")
	refuse("2. not the domain", "mongo.local", "test_1.evil.local")
	refuse("2. not the domain", "blogs.mongodb.com", "blogs.evil.com")
	refuse("3. identical", "localhost", "localhost")
	refuse("3. identical", "mongo.local", "mongo.local")
	refuse("4. no dot before the domain", "localhost", "test_1.cluster_1localhost")
	refuse("4. no dot before the domain", "mongo.local", "test_1.my_hostmongo.local")
	refuse("4. no dot before the domain", "blogs.mongodb.com", "cluster.testmongodb.com")
}
