package mongotest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

// insertMany inserts documents in single commands, over a time.
func (c *client) insertMany(t *testing.T, n int, over time.Duration) {
	t.Helper()
	for range n {
		c.ok(t, "test", `{"insert": "c", "documents": [{}], "writeConcern": {"w": "majority"}}`)
		time.Sleep(over / time.Duration(n))
	}
}

// snapshotAt is a find of all documents as of a time.
func snapshotAt(ts bson.Timestamp, batchSize int) string {
	return fmt.Sprintf(`{"find": "c", "batchSize": %d, "readConcern": {"level": "snapshot", "atClusterTime": {"$timestamp": {"t": %d, "i": %d}}}, %s}`,
		batchSize, ts.T, ts.I, secondary)
}

const snapshot = `{"find": "c", "readConcern": {"level": "snapshot"}, ` + secondary + `}`

func atClusterTime(t *testing.T, reply bson.Raw) bson.Timestamp {
	t.Helper()
	ts, ok := reply.Lookup("cursor", "atClusterTime").Timestamp()
	if !ok {
		t.Fatalf("no atClusterTime in %s", show(reply))
	}
	return ts
}

func documents(reply bson.Raw) int {
	batch, _ := reply.Lookup("cursor", "firstBatch").Array()
	return batch.Len()
}

// tooOld wants a command to be refused because of the time that it reads at.
func (c *client) tooOld(t *testing.T, command string, at bson.Timestamp) {
	t.Helper()
	reply := c.fails(t, "test", command, 239)
	want(t, reply, []string{"codeName"}, `"SnapshotTooOld"`)
	want(t, reply, []string{"errmsg"}, fmt.Sprintf(`"Read timestamp Timestamp(%d, %d) is older than the oldest available timestamp."`, at.T, at.I))
}

// What was written meanwhile does not matter, only the time that has gone by.
func TestSnapshotReadsGoBackForAWindowOfTime(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		writer := rs.dial(rs.primary())
		writer.insertMany(t, 10, time.Second)
		time.Sleep(time.Hour) // the time of the snapshot goes on nevertheless
		for _, n := range rs.Nodes {
			c := rs.dial(n)
			at := atClusterTime(t, c.ok(t, "test", snapshot))
			if age := time.Now().Unix() - int64(at.T); age > 11 {
				t.Errorf("the newest snapshot is %d s old", age)
			}
			writer.insertMany(t, 4000, 4*time.Minute)
			if n := documents(c.ok(t, "test", snapshotAt(at, 1000))); n != 10 {
				t.Errorf("%d documents in the snapshot, want 10", n)
			}
			time.Sleep(75 * time.Second)
			c.tooOld(t, snapshotAt(at, 1000), at)
			writer.ok(t, "test", `{"delete": "c", "deletes": [{"q": {}, "limit": 0}], "writeConcern": {"w": 3}}`)
			writer.insertMany(t, 10, time.Second)
		}
	})
}

// A cursor of a snapshot read does not keep it, a transaction does.
func TestWhoKeepsASnapshot(t *testing.T) {
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		c := rs.dial(rs.primary())
		c.insertMany(t, 10, time.Second)
		c.ok(t, "admin", `{"setParameter": 1, "minSnapshotHistoryWindowInSeconds": 30}`)
		at := atClusterTime(t, c.ok(t, "test", snapshot))
		opened := c.ok(t, "test", snapshotAt(at, 2))
		id, _ := opened.Lookup("cursor", "id").Int64()
		more := fmt.Sprintf(`{"getMore": {"$numberLong": "%d"}, "collection": "c", "batchSize": 2}`, id)
		const txn = `, "txnNumber": {"$numberLong": "%d"}, "autocommit": false, ` + lsid + `}`
		began := c.ok(t, "test", `{"find": "c", "readConcern": {"level": "snapshot"}, "startTransaction": true`+fmt.Sprintf(txn, 1))
		c.insertMany(t, 10, 20*time.Second)
		c.ok(t, "test", more)
		time.Sleep(25 * time.Second)
		c.tooOld(t, more, at)
		if then, now := documents(began), documents(c.ok(t, "test", `{"find": "c"`+fmt.Sprintf(txn, 1))); now != then {
			t.Errorf("the transaction saw %d documents, then %d", then, now)
		}
		late := strings.TrimSuffix(snapshotAt(at, 2), "}") + `, "startTransaction": true` + fmt.Sprintf(txn, 2)
		c.tooOld(t, late, at)
		want(t, c.run(t, "test", strings.Replace(late, `"2"`, `"3"`, 1)), []string{"errorLabels"}, `["TransientTransactionError"]`)
	})
}

func TestSnapshotHistoryWindowIsAParameter(t *testing.T) {
	const get = `{"getParameter": 1, "minSnapshotHistoryWindowInSeconds": 1}`
	inBubble(t, mongotest.Options{}, func(t *testing.T, rs *bubble) {
		c := rs.dial(rs.primary())
		want(t, c.ok(t, "admin", get), []string{"minSnapshotHistoryWindowInSeconds"}, `300`)
		want(t, c.ok(t, "admin", `{"setParameter": 1, "minSnapshotHistoryWindowInSeconds": 10}`), []string{"was"}, `300`)
		want(t, c.ok(t, "admin", get), []string{"minSnapshotHistoryWindowInSeconds"}, `10`)
		c.fails(t, "admin", `{"setParameter": 1, "minSnapshotHistoryWindowInSeconds": -1}`, 2)
		want(t, c.ok(t, "admin", get), []string{"minSnapshotHistoryWindowInSeconds"}, `10`)
	})
	inBubble(t, mongotest.Options{Version: "4.4"}, func(t *testing.T, rs *bubble) {
		rs.dial(rs.primary()).fails(t, "admin", `{"setParameter": 1, "minSnapshotHistoryWindowInSeconds": 10}`, 72)
	})
}
