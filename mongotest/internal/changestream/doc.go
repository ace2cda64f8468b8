// Package changestream turns the Ops of an oplog into the events of a change
// stream, and places in an oplog into resume tokens and back. It waits for
// nothing and keeps nothing: who reads the oplog holds a Position.
package changestream
