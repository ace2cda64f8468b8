package session

import (
	"errors"
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const timeout = 30 * time.Minute

// Driver sessions, prose tests 1 and 2: the pool is last in, first out, and
// drops what has less than a minute to live.
func TestPool(t *testing.T) {
	var p Pool
	a, b := p.Get(start, timeout), p.Get(start, timeout)
	if string(a.ID) == string(b.ID) {
		t.Fatal("two sessions have one ID")
	}
	if uuid, ok := a.ID.Lookup("id").Binary(); !ok || uuid.Subtype != bson.BinaryUUID || len(uuid.Data) != 16 {
		t.Fatalf("lsid is %v", a.ID)
	}
	p.Put(a, start, timeout)
	p.Put(b, start, timeout)
	if got := p.Get(start, timeout); got != b {
		t.Fatal("the session returned last must be lent first")
	}
	p.Put(b, start, timeout)

	late := start.Add(timeout - time.Minute)
	if got := p.Get(late, timeout); got == a || got == b {
		t.Fatal("a session with a minute to live was lent")
	}
	if p.Len() != 0 {
		t.Fatalf("%d expired sessions are left", p.Len())
	}
}

func TestPoolDropsExpiredAndDirty(t *testing.T) {
	var p Pool
	old, fresh := p.Get(start, timeout), p.Get(start, timeout)
	p.Put(old, start, timeout)
	late := start.Add(timeout)
	fresh.lastUse = late
	p.Put(fresh, late, timeout)
	if p.Len() != 1 {
		t.Fatalf("%d sessions, want the fresh one alone", p.Len())
	}
	dirty := p.Get(late, timeout)
	dirty.Dirty = true
	p.Put(dirty, late, timeout)
	if ids := p.Drain(); len(ids) != 0 {
		t.Fatalf("a dirty session went back to the pool: %v", ids)
	}
}

func TestTxnNumberSurvivesThePool(t *testing.T) {
	var p Pool
	s := p.Get(start, timeout)
	s.TxnNumber = 7
	p.Put(s, start, timeout)
	if got := p.Get(start, timeout).TxnNumber; got != 7 {
		t.Fatalf("txnNumber restarted at %d", got)
	}
}

func TestMisuse(t *testing.T) {
	s, err := New(new(Pool), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Enter(); err != nil {
		t.Fatal(err)
	}
	if err := s.Enter(); !errors.Is(err, ErrConcurrent) {
		t.Fatalf("a second operation at a time gave %v", err)
	}
	s.Leave()
	s.End(start, timeout)
	s.End(start, timeout)
	if err := s.Enter(); !errors.Is(err, ErrEnded) {
		t.Fatalf("an ended session gave %v", err)
	}
	if _, err := New(new(Pool), Options{Snapshot: true, CausalConsistency: new(true)}); err == nil {
		t.Fatal("a causally consistent snapshot session was made")
	}
	if _, err := New(new(Pool), Options{SnapshotTime: bson.Timestamp{T: 1}}); err == nil {
		t.Fatal("a snapshot time without a snapshot session was taken")
	}
}

func reply(build func(dst []byte) []byte) bson.Raw {
	dst, at := bson.BeginDocument(nil)
	return bson.EndDocument(build(dst), at)
}

func TestCausalReadConcern(t *testing.T) {
	ts := bson.Timestamp{T: 5, I: 2}
	answered := reply(func(dst []byte) []byte { return bson.AppendTimestamp(dst, "operationTime", ts) })
	for name, c := range map[string]struct {
		options Options
		want    concern.ReadConcern
		level   string
		after   bool
	}{
		"causal":            {after: true},
		"causal with level": {want: concern.ReadConcern{Level: "majority"}, level: "majority", after: true},
		"not causal":        {options: Options{CausalConsistency: new(false)}},
		"snapshot":          {options: Options{Snapshot: true}, level: "snapshot"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(new(Pool), c.options)
			if err != nil {
				t.Fatal(err)
			}
			s.Observe(answered)
			rc := s.ReadConcern(c.want)
			level, _ := rc.Lookup("level").Str()
			after, ok := rc.Lookup("afterClusterTime").Timestamp()
			if level != c.level || ok != c.after || ok && after != ts {
				t.Errorf("read concern is %v", rc)
			}
		})
	}
}

func TestSnapshotTimeIsTheFirst(t *testing.T) {
	s, _ := New(new(Pool), Options{Snapshot: true})
	at := func(sec uint32) bson.Raw {
		return reply(func(dst []byte) []byte {
			dst, cursor := bson.BeginEmbedded(dst, "cursor")
			dst = bson.AppendTimestamp(dst, "atClusterTime", bson.Timestamp{T: sec})
			return bson.EndDocument(dst, cursor)
		})
	}
	s.Observe(at(3))
	s.Observe(at(4))
	got, _ := s.ReadConcern(concern.ReadConcern{}).Lookup("atClusterTime").Timestamp()
	if got.T != 3 {
		t.Fatalf("atClusterTime is %v, want the first reply's", got)
	}
}

func TestClusterTimeNeverGoesBack(t *testing.T) {
	clusterTime := func(sec uint32) bson.Raw {
		return reply(func(dst []byte) []byte {
			return bson.AppendTimestamp(dst, "clusterTime", bson.Timestamp{T: sec})
		})
	}
	var c Clock
	for _, sec := range []uint32{2, 5, 3} {
		c.Advance(ParseClusterTime(clusterTime(sec)))
	}
	c.Advance(ParseClusterTime(reply(func(dst []byte) []byte { return dst })))
	if got := c.Now().T.T; got != 5 {
		t.Fatalf("the clock says %d", got)
	}
	s, _ := New(new(Pool), Options{})
	for _, sec := range []uint32{2, 5, 3} {
		if err := s.AdvanceClusterTime(clusterTime(sec)); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.ClusterTime().T.T; got != 5 {
		t.Fatalf("the session's clock says %d", got)
	}
	if err := s.AdvanceClusterTime(bson.Raw{5, 0, 0, 0, 0}); err == nil {
		t.Fatal("a document without clusterTime was taken")
	}
}
