package storage

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor/bson"
)

// diary is an Engine with one collection, and how many documents were in it
// after every write.
type diary struct {
	*testing.T
	*Engine
	ns    Namespace
	times []bson.Timestamp
}

// keepDiary runs a test in virtual time.
func keepDiary(t *testing.T, test func(d *diary)) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{T: t, Engine: NewEngine(true), ns: Namespace{"db", "c"}}
		d.SetWritable(true, 1)
		d.do(&Op{Kind: Create, NS: d.ns, Options: &Options{}, Stmt: NoStmt})
		test(d)
	})
}

func (d *diary) do(ops ...*Op) bson.Timestamp {
	d.Helper()
	at, err := d.Write(d.Context(), nil, func(tx *Tx) error {
		for _, op := range ops {
			if err := tx.Do(op); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		d.Fatal(err)
	}
	return at.TS
}

func (d *diary) insert(size int) *Op {
	doc, at := bson.BeginDocument(nil)
	doc = bson.AppendString(doc, "a", string(make([]byte, size)))
	return &Op{Kind: Insert, NS: d.ns, After: bson.EndDocument(doc, at), Stmt: NoStmt}
}

// write inserts n documents, one after the other over a time, all of which are
// committed.
func (d *diary) write(n int, over time.Duration) {
	d.Helper()
	for range n {
		at := d.do(d.insert(1))
		d.times = append(d.times, at)
		d.SetCommitted(at)
		time.Sleep(over / time.Duration(n))
	}
}

// read wants the State as of some of the writes to have what had been written by
// then, or to be too old if it is before the oldest.
func (d *diary) read(oldest bson.Timestamp) (old int) {
	d.Helper()
	step := len(d.times)/400 + 1
	for i := 0; i < len(d.times); i += step {
		at := d.times[i]
		s, err := d.StateAt(at)
		switch {
		case at.Before(oldest):
			old += step
			if !errors.Is(err, ErrTooOld) {
				d.Fatalf("write %d of %d, before the window, can be read: %v", i, len(d.times), err)
			}
		case err != nil:
			d.Fatalf("write %d of %d: %v", i, len(d.times), err)
		case s.Collection(d.ns).Len() != i+1 || s.At.TS != at:
			d.Fatalf("%d documents as of write %d, at %v instead of %v", s.Collection(d.ns).Len(), i, s.At.TS, at)
		}
	}
	return old
}

// Any moment of the window can be read, and none before, although few States are
// kept.
func TestHistoryIsAWindowOfTime(t *testing.T) {
	keepDiary(t, func(d *diary) {
		d.write(20_000, DefaultHistoryWindow*time.Second)
		d.read(bson.Timestamp{})
		d.write(20_000, DefaultHistoryWindow*time.Second)
		last := d.times[len(d.times)-1]
		if old := d.read(bson.Timestamp{T: last.T - DefaultHistoryWindow, I: last.I}); old < 19_000 || old > 21_000 {
			d.Errorf("%d of %d writes are before the window", old, len(d.times))
		}
		if most := 2*recentStates + 2*olderStates; len(d.history) > most {
			d.Errorf("%d States are kept, want at most %d", len(d.history), most)
		}
	})
}

// A longer window does not bring back what has been forgotten.
func TestHistoryWindowCanBeSet(t *testing.T) {
	keepDiary(t, func(d *diary) {
		d.write(100, 100*time.Second)
		d.SetHistoryWindow(10)
		d.read(bson.Timestamp{}) // until the window moves on
		d.write(1, time.Second)
		oldest := d.Oldest()
		if old := d.read(oldest); old < 85 || old > 95 {
			d.Errorf("%d of %d writes are before a window of 10 s", old, len(d.times))
		}
		d.SetHistoryWindow(100)
		d.write(10, 10*time.Second)
		d.read(oldest)
	})
}

// What is not committed yet moves no window, as majority reads need what was
// before, and nothing of it is left out.
func TestHistoryOfWhatIsNotCommitted(t *testing.T) {
	keepDiary(t, func(d *diary) {
		d.write(10, time.Second)
		committed := d.Committed()
		for range 5 * recentStates {
			d.times = append(d.times, d.do(d.insert(1)))
			time.Sleep(time.Second)
		}
		if d.Committed() != committed {
			d.Error("a write was committed by another")
		}
		d.read(bson.Timestamp{})
		for _, at := range d.times[10:] {
			d.SetCommitted(at)
			if s := d.Committed(); s.At.TS != at {
				d.Fatalf("the committed State is as of %v, want %v", s.At.TS, at)
			}
		}
	})
}

// A command of many statements makes one State, but any of them may be the last
// that a majority has.
func TestHistoryWithinACommand(t *testing.T) {
	keepDiary(t, func(d *diary) {
		d.do(d.insert(1), d.insert(1), d.insert(1))
		for i, entry := range d.Oplog.all()[1:] {
			d.SetCommitted(entry.OpTime.TS)
			s, err := d.StateAt(entry.OpTime.TS)
			if err != nil {
				d.Fatal(err)
			}
			if n, m := s.Collection(d.ns).Len(), d.Committed().Collection(d.ns).Len(); n != i+1 || m != i+1 {
				d.Errorf("%d documents as of statement %d, %d when it is committed", n, i, m)
			}
		}
	})
}

// An oplog that is full shortens the window, rather than that memory has no
// bound.
func TestHistoryEndsWithTheOplog(t *testing.T) {
	keepDiary(t, func(d *diary) {
		d.write(2, 10*time.Second)
		lost := d.times[0]
		large := d.insert(maxOplogBytes / 16).After
		d.write(recentStates+recentStates+olderStates, time.Second)
		if _, err := d.StateAt(lost); err != nil {
			d.Fatal(err)
		}
		for range 16 {
			d.SetCommitted(d.do(&Op{Kind: Insert, NS: d.ns, After: large, Stmt: NoStmt}))
		}
		d.write(recentStates+recentStates+olderStates, time.Second)
		if _, err := d.StateAt(lost); !errors.Is(err, ErrTooOld) {
			d.Errorf("the oplog does not lead there any more: got %v", err)
		}
	})
}
