// Package storage is what a MongoDB server keeps on disk, in memory: collections
// with their indexes, the oplog and the table of retryable writes.
//
// A State is all collections at one moment. It never changes, so that readers
// need no lock: a writer works on a copy that shares what it does not touch. An
// Op is one change of a State, small enough to be applied again elsewhere; an
// Entry is the Ops that take effect together, at one OpTime. An Engine is one
// node's newest State, a window of earlier ones, and the oplog of Entries that
// lead there. A Tx is a unit of work on an Engine: a single write, or a transaction
// with a snapshot of its own.
//
// A primary turns Txs into Entries; a secondary applies the Entries of another
// Engine. Both arrive at the same States.
package storage
