package mongotest_test

import (
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor/mongotest"
)

func TestDelayedReplies(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		c := rs.dial(rs.primary())
		rs.Primary().SetDelay(3 * time.Second)
		start := time.Now()
		c.ok(t, "test", `{"ping": 1}`)
		rs.Primary().SetDelay(0)
		c.ok(t, "test", `{"ping": 1}`)
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("two replies, one of them delayed, took %v", took)
		}
	})
}

func TestPartitionsFromClients(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		p := rs.primary()
		client, witness := rs.dial(p), rs.dial(rs.Secondaries()[0])
		client.ok(t, "test", `{"create": "c"}`)
		for _, partition := range []struct {
			name string
			set  func(bool)
			n    string // of documents while it lasts
		}{
			{"deaf", p.SetDeaf, `0`},
			{"mute", p.SetMute, `2`},
		} {
			partition.set(true)
			if err := client.send(0, withDB(parse(t, `{"insert": "c", "documents": [{}]}`), "test")); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			want(t, witness.ok(t, "test", `{"count": "c", `+secondary+`}`), []string{"n"}, partition.n)
			partition.set(false)
			if reply, _, err := client.receive(); err != nil || !reply.Lookup("ok").Truthy() {
				t.Errorf("%s: after the partition: %s, %v", partition.name, show(reply), err)
			}
		}
		want(t, client.ok(t, "test", `{"count": "c"}`), []string{"n"}, `2`)
	})
}

func TestCutReplies(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		p := rs.primary()
		for id, bytes := range []int{0, 1, 16, 40, 1 << 20} {
			c := rs.dial(p)
			p.CutReplies(bytes)
			c.ok(t, "admin", `{"hello": 1}`)
			insert := withDB(parse(t, `{"insert": "c", "documents": [{}]}`), "test")
			if err := c.send(0, insert); err != nil {
				t.Fatal(err)
			}
			c.SetReadDeadline(time.Now().Add(maxWait))
			arrived, err := io.ReadAll(c)
			if whole := len(arrived) > 4 && int(arrived[0]) == len(arrived); err != nil || whole || len(arrived) > bytes || bytes < 100 && len(arrived) < bytes {
				t.Errorf("%d bytes of the reply came, want %d, error %v", len(arrived), bytes, err)
			}
			other := rs.dial(p).ok(t, "test", `{"count": "c"}`)
			if n, _ := other.Lookup("n").AsInt64(); n != int64(id+1) {
				t.Errorf("%d documents are there, want %d", n, id+1)
			}
		}
	})
}

// A primary that has been replaced without knowing it cannot say that a
// transaction was not committed.
func TestFormerPrimaryDoesNotDenyATransaction(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		old := rs.primary()
		c := rs.dial(old)
		c.ok(t, "test", `{"insert": "c", "documents": [{"_id": 1}], "writeConcern": {"w": 3}}`)
		const commit = `{"commitTransaction": 1, "txnNumber": {"$numberLong": "1"}, "autocommit": false, "writeConcern": {"w": "majority"}, ` + lsid + `}`
		want(t, c.fails(t, "admin", commit, 251), []string{"errorLabels"}, `["TransientTransactionError"]`)

		rs.Partition([]*mongotest.Node{old}, rs.Secondaries())
		reply := c.fails(t, "admin", commit, 251)
		want(t, reply, []string{"errorLabels"}, `["RetryableWriteError"]`)
		want(t, reply, []string{"writeConcernError", "code"}, `189`)
		if old.IsPrimary() {
			t.Error("the primary has answered before it stepped down")
		}
	})
}

// What a partitioned primary wrote is never committed, not even when it meets
// the others again.
func TestOtherBranchIsNeverCommitted(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		old := rs.primary()
		c := rs.dial(old)
		c.ok(t, "test", `{"insert": "c", "documents": [{"_id": 1}], "writeConcern": {"w": 3}}`)
		rs.Partition([]*mongotest.Node{old}, rs.Secondaries())
		const majority = `{"find": "c", "readConcern": {"level": "majority"}, ` + secondary + `}`
		for range 3 {
			c.ok(t, "test", `{"insert": "c", "documents": [{}], "writeConcern": {"w": 1}}`)
		}
		p := rs.primary()
		rs.dial(p).ok(t, "test", `{"insert": "c", "documents": [{"_id": 2}], "writeConcern": {"w": "majority"}}`)
		rs.dial(old).ok(t, "admin", `{"configureFailPoint": "rsSyncApplyStop", "mode": "alwaysOn"}`)
		rs.Heal()
		time.Sleep(time.Second)
		want(t, c.ok(t, "test", majority), []string{"cursor", "firstBatch"}, `[{"_id": 1}]`)
		rs.dial(old).ok(t, "admin", `{"configureFailPoint": "rsSyncApplyStop", "mode": "off"}`)
		rs.dial(p).ok(t, "test", `{"insert": "c", "documents": [{"_id": 3}], "writeConcern": {"w": 3}}`)
		synctest.Wait()
		want(t, c.ok(t, "test", majority), []string{"cursor", "firstBatch"}, `[{"_id": 1}, {"_id": 2}, {"_id": 3}]`)
	})
}

// With a fail point the server does twice what is sent twice, so that tests of
// the driver can fail.
func TestForgottenTransactionTable(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		c := rs.dial(rs.primary())
		c.ok(t, "admin", `{"configureFailPoint": "forgetTransactionTable", "mode": "alwaysOn"}`)
		const increment = `{"update": "c", "updates": [{"q": {"_id": 1}, "u": {"$inc": {"n": 1}}, "upsert": true}], "txnNumber": {"$numberLong": "1"}, ` + lsid + `}`
		c.ok(t, "test", increment)
		c.ok(t, "test", increment)
		want(t, c.ok(t, "test", `{"find": "c"}`), []string{"cursor", "firstBatch"}, `[{"_id": 1, "n": 2}]`)
	})
}

func TestNodePrintsItsAddress(t *testing.T) {
	server := mongotest.NewStandalone(t, mongotest.Options{})
	if got := fmt.Sprintf("%v", server.Node); got != server.Address() {
		t.Errorf("a node prints as %q", got)
	}
}
