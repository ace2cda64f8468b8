// Package pool holds the connections to one server, as the
// connection-monitoring-and-pooling specification (CMAP) says, and carries
// messages over them.
//
// A Pool hands out connections (CheckOut) and takes them back (CheckIn). A
// connection is pending while it is established, available while it waits in
// the pool, in use while it is checked out, and closed in the end; beyond the
// specification it is draining while the pool reads a late reply that nobody
// waits for any more. The pool is paused at first, ready once the server was
// found healthy, and closed in the end. Clearing a pool makes its connections
// stale, since each belongs to the generation it was made in, and pauses it.
// Those who find no connection stand in the wait queue, first in, first out.
//
// What is decided stands in state, which knows no locks, sockets or clocks.
// Pool carries its verdicts out.
//
// A Conn is one connection with its buffers. Establishing it is dialling, the
// MongoDB handshake and authentication; Connect does that outside of a pool,
// for monitors.
package pool
