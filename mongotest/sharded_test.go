package mongotest_test

import (
	"net/url"
	"testing"

	"github.com/motor-go/motor/mongotest"
)

func TestShardedHello(t *testing.T) {
	cluster := mongotest.NewSharded(t, mongotest.Options{Routers: 3})
	if len(cluster.Routers) != 3 {
		t.Fatalf("want 3 routers, got %d", len(cluster.Routers))
	}
	for _, router := range cluster.Routers {
		hello := dial(t, router.Address()).ok(t, "admin", `{"hello": 1}`)
		want(t, hello, []string{"msg"}, `"isdbgrid"`)
		want(t, hello, []string{"isWritablePrimary"}, `true`)
		for _, absent := range []string{"setName", "hosts", "serviceId"} {
			if v := hello.Lookup(absent); !v.IsZero() {
				t.Errorf("a mongos tells %s: %s", absent, showValue(v))
			}
		}
	}
}

// Cursors belong to a router, data to all.
func TestShardedCursors(t *testing.T) {
	cluster := mongotest.NewSharded(t, mongotest.Options{})
	a, b := dial(t, cluster.Routers[0].Address()), dial(t, cluster.Routers[1].Address())
	a.ok(t, "test", `{"insert": "c", "documents": [{"_id": 1}, {"_id": 2}, {"_id": 3}]}`)
	id := showValue(b.ok(t, "test", `{"find": "c", "batchSize": 2}`).Lookup("cursor", "id"))
	getMore := `{"getMore": ` + id[len(`{"v":`):len(id)-1] + `, "collection": "c"}`
	a.fails(t, "test", getMore, 43)
	want(t, b.ok(t, "test", getMore), []string{"cursor", "nextBatch"}, `[{"_id": 3}]`)
	b.fails(t, "test", getMore, 43)
}

const (
	firstOfTxn = `, ` + lsid + `, "txnNumber": {"$numberLong": "1"}, "autocommit": false, "startTransaction": true}`
	inTxn      = `, ` + lsid + `, "txnNumber": {"$numberLong": "1"}, "autocommit": false`
)

// The outcome of a transaction can be had from a router that did not run it, by
// the recovery token.
func TestShardedRecovery(t *testing.T) {
	cluster := mongotest.NewSharded(t, mongotest.Options{Name: "s"})
	a, b := dial(t, cluster.Routers[0].Address()), dial(t, cluster.Routers[1].Address())
	const token = `, "recoveryToken": {"recoveryShardId": "s"}`
	reply := a.ok(t, "test", `{"insert": "c", "documents": [{"_id": 1}]`+firstOfTxn)
	want(t, reply, []string{"recoveryToken"}, `{"recoveryShardId": "s"}`)
	b.fails(t, "test", `{"find": "c"`+inTxn+`}`, 251)
	b.fails(t, "admin", `{"commitTransaction": 1`+inTxn+`}`, 50940)
	a.ok(t, "admin", `{"commitTransaction": 1`+inTxn+token+`}`)
	b.ok(t, "admin", `{"commitTransaction": 1`+inTxn+token+`}`)
	want(t, b.ok(t, "test", `{"count": "c"}`), []string{"n"}, `1`)
}

// Routers find the shard's new primary, and repeat what they may.
func TestShardedFailover(t *testing.T) {
	cluster := mongotest.NewSharded(t, mongotest.Options{Nodes: 3})
	c := dial(t, cluster.Routers[0].Address())
	c.ok(t, "test", `{"insert": "c", "documents": [{"_id": 1}], "writeConcern": {"w": "majority"}}`)
	cluster.Shard.Primary().Kill()
	c.ok(t, "test", `{"insert": "c", "documents": [{"_id": 2}], `+lsid+`, "txnNumber": {"$numberLong": "1"}}`)
	want(t, c.ok(t, "test", `{"count": "c"}`), []string{"n"}, `2`)
}

// A router that was restarted has forgotten its cursors, and nothing else.
func TestShardedRouterRestart(t *testing.T) {
	cluster := mongotest.NewSharded(t, mongotest.Options{})
	router := cluster.Routers[0]
	dial(t, router.Address()).ok(t, "test", `{"insert": "c", "documents": [{"_id": 1}]}`)
	router.Kill()
	if err := router.Restart(); err != nil {
		t.Fatal(err)
	}
	want(t, dial(t, router.Address()).ok(t, "test", `{"count": "c"}`), []string{"n"}, `1`)
}

func TestLoadBalanced(t *testing.T) {
	l := mongotest.NewLoadBalanced(t, mongotest.Options{})
	services := func(uri string) map[string]bool {
		u, err := url.Parse(uri)
		if err != nil || u.Query().Get("loadBalanced") != "true" {
			t.Fatalf("%s is no connection string of a load balancer: %v", uri, err)
		}
		seen := map[string]bool{}
		for range 4 {
			c := dial(t, u.Host)
			c.fails(t, "admin", `{"hello": 1}`, 354)
			hello := c.ok(t, "admin", `{"hello": 1, "loadBalanced": true}`)
			want(t, hello, []string{"msg"}, `"isdbgrid"`)
			seen[showValue(hello.Lookup("serviceId"))] = true
		}
		return seen
	}
	if all := services(l.URI()); len(all) != 2 {
		t.Errorf("want the services of two routers behind the load balancer, got %v", all)
	}
	if one := services(l.SingleURI()); len(one) != 1 {
		t.Errorf("want the service of one router behind the load balancer, got %v", one)
	}
	hello := dial(t, l.Routers[0].Address()).ok(t, "admin", `{"hello": 1, "loadBalanced": true}`)
	if v := hello.Lookup("serviceId"); !v.IsZero() {
		t.Errorf("a connection past the load balancer has the serviceId %s", showValue(v))
	}
}
