package storage

import (
	"sync"
	"testing"

	"github.com/motor-go/motor/bson"
)

// A transaction that races with the end of a primary's term is committed in that
// term or not at all: the next term belongs to somebody else.
func TestNoCommitAfterTheTerm(t *testing.T) {
	message, at := bson.BeginDocument(nil)
	noop := &Op{Kind: Noop, Stmt: NoStmt, Object: bson.EndDocument(message, at)}
	for range 1000 {
		e := NewEngine(true)
		e.SetWritable(true, 1)
		var open []*Tx
		for range 50 {
			tx, err := e.Begin(e.State(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := e.With(tx, func(tx *Tx) error { return tx.Do(noop) }); err != nil {
				t.Fatal(err)
			}
			open = append(open, tx)
		}
		var wg sync.WaitGroup
		for i, tx := range open {
			wg.Go(func() { e.Commit(tx) })
			if i == len(open)/4 {
				wg.Go(func() { e.SetWritable(false, 2) })
			}
		}
		wg.Wait()
		for _, entry := range e.Oplog.all() {
			if entry.OpTime.Term != 1 {
				t.Fatalf("an entry was written in term %d", entry.OpTime.Term)
			}
		}
	}
}
