package mongotest_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
	"github.com/motor-go/motor/wire"
)

// bubble is a replica set in memory, in a bubble of synctest.
type bubble struct {
	*mongotest.ReplicaSet
	t   *testing.T
	net *mongotest.Network
}

func inBubble(t *testing.T, o mongotest.Options, test func(t *testing.T, rs *bubble)) {
	synctest.Test(t, func(t *testing.T) {
		network := new(mongotest.Network)
		o.Listen = network.Listen
		rs, err := mongotest.StartReplicaSet(o)
		if err != nil {
			t.Fatal(err)
		}
		defer rs.Close()
		test(t, &bubble{rs, t, network})
	})
}

// dial connects to a node until the test ends.
func (b *bubble) dial(n *mongotest.Node) *client {
	b.t.Helper()
	c, err := b.net.DialContext(b.t.Context(), "tcp", n.Address())
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	return newClient(c)
}

func (b *bubble) primary() *mongotest.Node {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	n, err := b.AwaitPrimary(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

const (
	secondary = `"$readPreference": {"mode": "secondaryPreferred"}`
	lsid      = `"lsid": {"id": {"$binary": {"base64": "AAECAwQFBgcICQoLDA0ODw==", "subType": "04"}}}`
)

func TestKilledPrimaryIsReplaced(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		old := rs.primary()
		c := rs.dial(old)
		c.ok(t, "test", `{"insert": "c", "documents": [{"_id": 1}], "writeConcern": {"w": "majority"}}`)
		before := time.Now()
		old.Kill()
		if _, err := rs.net.DialContext(t.Context(), "tcp", old.Address()); err == nil {
			t.Error("a dead node takes connections")
		}
		p := rs.primary()
		if p == old {
			t.Fatal("the dead node is still primary")
		}
		if took := time.Since(before); took > time.Second {
			t.Errorf("the election took %v", took)
		}
		want(t, rs.dial(p).ok(t, "test", `{"find": "c"}`), []string{"cursor", "firstBatch"}, `[{"_id": 1}]`)

		if err := old.Restart(); err != nil {
			t.Fatal(err)
		}
		rs.dial(p).ok(t, "test", `{"insert": "c", "documents": [{"_id": 2}], "writeConcern": {"w": 3}}`)
		want(t, rs.dial(old).ok(t, "test", `{"find": "c", `+secondary+`}`), []string{"cursor", "firstBatch"}, `[{"_id": 1}, {"_id": 2}]`)
	})
}

func TestRetryableWriteIsAppliedOnceAcrossAFailover(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		const increment = `{"update": "c", "updates": [{"q": {"_id": 1}, "u": {"$inc": {"n": 1}}, "upsert": true}],
			"writeConcern": {"w": "majority"}, "txnNumber": {"$numberLong": "1"}, ` + lsid + `}`
		old := rs.primary()
		first := rs.dial(old).ok(t, "test", increment)
		want(t, first, []string{"upserted"}, `[{"index": 0, "_id": 1}]`)
		old.Kill()
		again := rs.dial(rs.primary()).ok(t, "test", increment)
		want(t, again, []string{"upserted"}, `[{"index": 0, "_id": 1}]`)
		want(t, again, []string{"retriedStmtIds"}, `[0]`)
		want(t, rs.dial(rs.primary()).ok(t, "test", `{"find": "c"}`), []string{"cursor", "firstBatch"}, `[{"_id": 1, "n": 1}]`)
	})
}

func TestUnreplicatedWritesAreRolledBack(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		old := rs.primary()
		c := rs.dial(old)
		c.ok(t, "test", `{"insert": "c", "documents": [{"_id": 1}], "writeConcern": {"w": 3}}`)
		rs.Partition([]*mongotest.Node{old}, rs.Secondaries())
		c.ok(t, "test", `{"insert": "c", "documents": [{"_id": "lost"}], "writeConcern": {"w": 1}}`)
		reply := c.ok(t, "test", `{"insert": "c", "documents": [{"_id": "also lost"}], "writeConcern": {"w": "majority", "wtimeout": 20}}`)
		want(t, reply, []string{"writeConcernError", "code"}, `64`)

		p := rs.primary()
		rs.dial(p).ok(t, "test", `{"insert": "c", "documents": [{"_id": 2}], "writeConcern": {"w": "majority"}}`)
		synctest.Wait()
		c.fails(t, "test", `{"insert": "c", "documents": [{"_id": 3}]}`, 10107)

		rs.Heal()
		rs.dial(p).ok(t, "test", `{"insert": "c", "documents": [{"_id": 4}], "writeConcern": {"w": 3}}`)
		want(t, rs.dial(old).ok(t, "test", `{"find": "c", `+secondary+`}`), []string{"cursor", "firstBatch"}, `[{"_id": 1}, {"_id": 2}, {"_id": 4}]`)
	})
}

func TestMajorityReadsSeeCommittedWritesOnly(t *testing.T) {
	inBubble(t, mongotest.Options{Version: "4.4"}, func(t *testing.T, rs *bubble) {
		c := rs.dial(rs.primary())
		c.ok(t, "test", `{"insert": "c", "documents": [{"_id": 1}], "writeConcern": {"w": "majority"}}`)
		for _, n := range rs.Secondaries() {
			n.SetLag(time.Second)
		}
		c.ok(t, "test", `{"insert": "c", "documents": [{"_id": 2}], "writeConcern": {"w": 1}}`)
		const majority = `{"find": "c", "readConcern": {"level": "majority"}}`
		want(t, c.ok(t, "test", majority), []string{"cursor", "firstBatch"}, `[{"_id": 1}]`)
		time.Sleep(1100 * time.Millisecond)
		want(t, c.ok(t, "test", majority), []string{"cursor", "firstBatch"}, `[{"_id": 1}, {"_id": 2}]`)
	})
}

// The only member is a majority: what it has written is committed with the reply.
func TestTheOnlyMemberCommitsAtOnce(t *testing.T) {
	rs := mongotest.New(t, mongotest.Options{Nodes: 1})
	c := dial(t, rs.Nodes[0].Address())
	for i := range 500 {
		c.ok(t, "test", fmt.Sprintf(`{"insert": "c", "documents": [{"_id": %d}], "writeConcern": {"w": 1}}`, i))
		reply := c.ok(t, "test", fmt.Sprintf(`{"find": "c", "filter": {"_id": %d}, "readConcern": {"level": "majority"}}`, i))
		want(t, reply, []string{"cursor", "firstBatch"}, fmt.Sprintf(`[{"_id": %d}]`, i))
	}
}

func TestCausalReadWaitsForALaggingSecondary(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		lagging := rs.Secondaries()[0]
		lagging.SetLag(time.Second)
		written := rs.dial(rs.primary()).ok(t, "test", `{"insert": "c", "documents": [{"_id": 1}]}`)
		ts, _ := written.Lookup("operationTime").Timestamp()
		after := fmt.Sprintf(`{"$timestamp": {"t": %d, "i": %d}}`, ts.T, ts.I)
		c := rs.dial(lagging)
		want(t, c.ok(t, "test", `{"find": "c", `+secondary+`}`), []string{"cursor", "firstBatch"}, `[]`)
		start := time.Now()
		c.ok(t, "test", `{"ping": 1, "$clusterTime": `+clusterTime(written)+`}`)
		reply := c.ok(t, "test", `{"find": "c", "readConcern": {"afterClusterTime": `+after+`}, `+secondary+`}`)
		want(t, reply, []string{"cursor", "firstBatch"}, `[{"_id": 1}]`)
		if took := time.Since(start); took < 500*time.Millisecond {
			t.Errorf("the read waited %v only", took)
		}
		c.fails(t, "test", `{"find": "c", "readConcern": {"afterClusterTime": `+after+`}, "maxTimeMS": 10, `+secondary+`, "filter": {"a": {"$nope": 1}}}`, 2)
	})
}

func clusterTime(reply bson.Raw) string {
	return show(parseDocument(reply.Lookup("$clusterTime")))
}

func parseDocument(v bson.RawValue) bson.Raw {
	d, _ := v.Document()
	return d
}

func TestStepDownHandsOver(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		old := rs.primary()
		c := rs.dial(old)
		c.ok(t, "test", `{"insert": "c", "documents": [{"_id": 1}], "lsid": {"id": {"$binary": {"base64": "AAECAwQFBgcICQoLDA0ODw==", "subType": "04"}}},
			"txnNumber": {"$numberLong": "1"}, "startTransaction": true, "autocommit": false}`)
		if !rs.StepDown() {
			t.Fatal("no node took over")
		}
		if rs.primary() == old {
			t.Fatal("the primary has not changed")
		}
		reply := c.fails(t, "test", `{"insert": "c", "documents": [{"_id": 1}], "txnNumber": {"$numberLong": "2"}, `+lsid+`}`, 10107)
		want(t, reply, []string{"errorLabels"}, `["RetryableWriteError"]`)
		want(t, rs.dial(rs.primary()).ok(t, "test", `{"find": "c"}`), []string{"cursor", "firstBatch"}, `[]`)
	})
}

func TestOneWayPartition(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		old := rs.primary()
		for _, n := range rs.Secondaries() {
			rs.Cut(old, n) // they do not hear it, but it hears them
		}
		p := rs.primary()
		if p == old {
			t.Fatal("a primary that nobody hears is followed")
		}
		time.Sleep(time.Second)
		if old.IsPrimary() {
			t.Error("a primary that nobody answers has not stepped down")
		}
	})
}

func TestAwaitableHelloStreams(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		follower := rs.Secondaries()[0]
		c := rs.dial(follower)
		hello := c.ok(t, "admin", `{"hello": 1}`)
		version := show(parseDocument(hello.Lookup("topologyVersion")))
		command := withDB(parse(t, `{"hello": 1, "maxAwaitTimeMS": 100, "topologyVersion": `+version+`}`), "admin")
		if err := c.send(wire.ExhaustAllowed, command); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for range 3 {
			reply, flags, err := c.receive()
			if err != nil || flags&wire.MoreToCome == 0 {
				t.Fatalf("reply %s, flags %b, error %v", show(reply), flags, err)
			}
			want(t, reply, []string{"topologyVersion"}, version)
		}
		if took := time.Since(start); took < 300*time.Millisecond {
			t.Errorf("three replies without news came within %v", took)
		}
		rs.primary().Kill()
		for {
			reply, _, err := c.receive()
			if err != nil {
				t.Fatal(err)
			}
			if primary, _ := reply.Lookup("primary").Str(); primary != "" && show(parseDocument(reply.Lookup("topologyVersion"))) != version {
				return
			}
		}
	})
}

func TestChangeStreamGoesOnAfterAFailover(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		old := rs.primary()
		c := rs.dial(old)
		c.ok(t, "test", `{"insert": "c", "documents": [{"_id": 1}], "writeConcern": {"w": "majority"}}`)
		open := c.ok(t, "test", `{"aggregate": "c", "pipeline": [{"$changeStream": {}}], "cursor": {}}`)
		token := show(parseDocument(open.Lookup("cursor", "postBatchResumeToken")))
		c.ok(t, "test", `{"insert": "c", "documents": [{"_id": 2}], "writeConcern": {"w": "majority"}}`)
		old.Kill()
		p := rs.dial(rs.primary())
		p.ok(t, "test", `{"insert": "c", "documents": [{"_id": 3}], "writeConcern": {"w": "majority"}}`)
		again := p.ok(t, "test", `{"aggregate": "c", "pipeline": [{"$changeStream": {"resumeAfter": `+token+`}}, {"$project": {"fullDocument": 1}}], "cursor": {}}`)
		for i, id := range []string{`{"_id": 2}`, `{"_id": 3}`} {
			want(t, again, []string{"cursor", "firstBatch", fmt.Sprint(i), "fullDocument"}, id)
		}
	})
}

func TestOutsideWriteWaitsForATransaction(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		inside, outside := rs.dial(rs.primary()), rs.dial(rs.primary())
		outside.ok(t, "test", `{"insert": "c", "documents": [{"_id": 1, "n": 0}], "writeConcern": {"w": "majority"}}`)
		inside.ok(t, "test", `{"update": "c", "updates": [{"q": {"_id": 1}, "u": {"$inc": {"n": 1}}}], "txnNumber": {"$numberLong": "1"},
			"startTransaction": true, "autocommit": false, `+lsid+`}`)
		const increment = `{"update": "c", "updates": [{"q": {"_id": 1}, "u": {"$inc": {"n": 10}}}]`
		outside.fails(t, "test", increment+`, "maxTimeMS": 20}`, 50)
		done := make(chan bson.Raw)
		go func() { done <- outside.run(t, "test", increment+`}`) }()
		synctest.Wait()
		inside.ok(t, "admin", `{"commitTransaction": 1, "txnNumber": {"$numberLong": "1"}, "autocommit": false, `+lsid+`}`)
		want(t, <-done, []string{"nModified"}, `1`)
		want(t, outside.ok(t, "test", `{"find": "c"}`), []string{"cursor", "firstBatch"}, `[{"_id": 1, "n": 11}]`)
	})
}

func TestTTLIndexRemovesDocuments(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		c := rs.dial(rs.primary())
		c.ok(t, "test", `{"createIndexes": "c", "indexes": [{"key": {"at": 1}, "name": "ttl", "expireAfterSeconds": 3600}]}`)
		now := time.Now().UTC().Format(time.RFC3339)
		c.ok(t, "test", `{"insert": "c", "documents": [{"_id": 1, "at": {"$date": "`+now+`"}}, {"_id": 2}]}`)
		time.Sleep(59 * time.Minute)
		want(t, c.ok(t, "test", `{"count": "c"}`), []string{"n"}, `2`)
		time.Sleep(3 * time.Minute)
		want(t, c.ok(t, "test", `{"find": "c"}`), []string{"cursor", "firstBatch"}, `[{"_id": 2}]`)
	})
}

func TestIdleCursorsAndTransactionsExpire(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		c := rs.dial(rs.primary())
		c.ok(t, "test", `{"insert": "c", "documents": [{"_id": 1}, {"_id": 2}]}`)
		id, _ := c.ok(t, "test", `{"find": "c", "batchSize": 1}`).Lookup("cursor", "id").Int64()
		c.ok(t, "test", `{"update": "c", "updates": [{"q": {"_id": 1}, "u": {"$set": {"a": 1}}}], "txnNumber": {"$numberLong": "1"},
			"startTransaction": true, "autocommit": false, `+lsid+`}`)
		time.Sleep(12 * time.Minute)
		c.fails(t, "test", fmt.Sprintf(`{"getMore": {"$numberLong": "%d"}, "collection": "c"}`, id), 43)
		c.fails(t, "admin", `{"commitTransaction": 1, "txnNumber": {"$numberLong": "1"}, "autocommit": false, `+lsid+`}`, 251)
	})
}

// Killing a cursor ends the getMore that waits with it.
func TestKillingACursorEndsItsGetMore(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		c := rs.dial(rs.primary())
		id, _ := c.ok(t, "test", `{"aggregate": "c", "pipeline": [{"$changeStream": {}}], "cursor": {}}`).Lookup("cursor", "id").Int64()
		waiting, done := rs.dial(rs.primary()), make(chan time.Duration)
		start := time.Now()
		go func() {
			waiting.fails(t, "test", fmt.Sprintf(`{"getMore": {"$numberLong": "%d"}, "collection": "c", "maxTimeMS": 5000}`, id), 237)
			done <- time.Since(start)
		}()
		time.Sleep(time.Second)
		want(t, c.ok(t, "test", fmt.Sprintf(`{"killCursors": "c", "cursors": [{"$numberLong": "%d"}]}`, id)), []string{"cursorsKilled"}, fmt.Sprintf(`[{"$numberLong": "%d"}]`, id))
		if took := <-done; took > 2*time.Second {
			t.Errorf("the getMore went on for %v", took)
		}
		c.fails(t, "test", fmt.Sprintf(`{"getMore": {"$numberLong": "%d"}, "collection": "c"}`, id), 43)
	})
}
